<?php
/**
 * wp-config.php of every test site. One unpacked WordPress serves them all: what differs comes from the
 * environment (NEWSROOM_BASE_URL, NEWSROOM_STATE), and nothing is written outside the state directory.
 */

define('DB_NAME', 'wordpress');
define('DB_USER', '');
define('DB_PASSWORD', '');
define('DB_HOST', '');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
define('DB_DIR', getenv('NEWSROOM_STATE') . '/');
define('DB_FILE', 'wordpress.sqlite');

define('WP_HOME', getenv('NEWSROOM_BASE_URL'));
define('WP_SITEURL', getenv('NEWSROOM_BASE_URL'));
define('WP_CONTENT_URL', WP_SITEURL . '/wp-content');
define('WPMU_PLUGIN_DIR', __DIR__ . '/mu-plugins');

define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('DISALLOW_FILE_MODS', true);
define('WP_DEBUG', false);

foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
    define("{$name}_KEY", 'only a test');
    define("{$name}_SALT", 'only a test');
}

$table_prefix = 'wp_';
require_once ABSPATH . 'wp-settings.php';
