<?php
/**
 * The newsroom, from the command line: php newsroom.php seed STRUCTURE THEME | work | truth |
 * permalinks STRUCTURE | theme NAME. Answers in JSON.
 */

$base = parse_url(getenv('NEWSROOM_BASE_URL'));
$_SERVER += [
    'HTTP_HOST' => "{$base['host']}:{$base['port']}",
    'REQUEST_METHOD' => 'GET',
    'REQUEST_URI' => '/',
    'SERVER_PROTOCOL' => 'HTTP/1.1',
];
$command = $argv[1];
if ($command === 'seed') {
    define('WP_INSTALLING', true);
}
require getenv('NEWSROOM_WORDPRESS') . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/image.php';
require_once ABSPATH . 'wp-admin/includes/post.php';
require __DIR__ . '/stories.php';
require __DIR__ . '/truth.php';

$answer = match ($command) {
    'seed' => seed($argv[2], $argv[3]),
    'work' => work(),
    'truth' => truth(),
    'permalinks' => set_permalinks($argv[2]),
    'theme' => set_theme($argv[2]),
};
echo json_encode($answer, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\n";

// Opening the newsroom

function seed($structure, $theme)
{
    wp_install('Test News in Pictures', 'admin', 'admin@example.invalid', true, '', 'only a test');
    $options = [
        'timezone_string' => 'Europe/London',
        'date_format' => 'jS F Y',
        'time_format' => 'g:i a',
        'blogdescription' => 'Invented news for tests',
        'default_comment_status' => 'open',
    ];
    array_walk($options, fn($value, $name) => update_option($name, $value));
    foreach ([1, 2, 3] as $sample) {
        wp_delete_post($sample, true);
    }
    set_theme($theme);
    set_permalinks($structure);
    $GLOBALS['wpdb']->query('BEGIN');
    $context = ['categories' => make_categories(), 'authors' => make_authors(), 'pictures' => make_pictures()];
    update_option('newsroom', $context);
    publish_everything($context);
    $GLOBALS['wpdb']->query('COMMIT');
    return ['published' => (int) wp_count_posts()->publish];
}

function publish_everything($context)
{
    mt_srand(20240105);
    $hour = new DateTime('2024-01-05 07:12:00', new DateTimeZone('Europe/London'));
    for ($n = 1; $n <= EVERYDAY; $n++) {
        $story = everyday($n, $context['pictures']) + ['date' => $hour->format('Y-m-d H:i:s')];
        $story['featured'] = $n % 2 ? null : $context['pictures'][$n % count($context['pictures'])];
        $id = publish($n, $story, $context);
        if ($n === 2) {
            comment_on($id);
        }
        $hour->modify('+9 days +37 minutes');
    }
    foreach (special_stories($context['pictures']) as $i => $story) {
        publish(EVERYDAY + 1 + $i, $story, $context);
    }
    wp_insert_post([
        'post_type' => 'page', 'post_status' => 'publish', 'post_title' => 'Contact the desk',
        'post_date' => '2024-01-01 09:00:00', 'post_content' => paragraph('Ring the desk at any hour.'),
    ]);
}

/** Every ninth story is filed under two categories, every sixth under the uppermost one only. */
function publish($n, $story, $context)
{
    $slugs = array_keys($context['categories']);
    $filed = [$context['categories'][$story['category'] ?? $slugs[$n % count($slugs)]]];
    if ($n % 9 === 0) {
        $filed[] = $context['categories']['news'];
    }
    $id = wp_insert_post(wp_slash([
        'post_title' => $story['title'],
        'post_name' => $story['slug'] ?? '',
        'post_content' => $story['body'],
        'post_excerpt' => $story['excerpt'] ?? '',
        'post_status' => $story['status'] ?? 'publish',
        'post_password' => $story['password'] ?? '',
        'post_author' => $context['authors'][$n % count($context['authors'])],
        'post_date' => $story['date'] ?? '',
        'post_date_gmt' => $story['utc'] ?? '',
        'post_category' => $filed,
        'tags_input' => array_slice(TAGS, $n % 5, $n % 4),
    ]), true);
    if (is_wp_error($id)) {
        throw new RuntimeException($id->get_error_message());
    }
    if ($story['featured'] ?? null) {
        set_post_thumbnail($id, $story['featured']);
    }
    if ($story['modified'] ?? null) {
        set_modified($id, $story['modified']);
    }
    return $id;
}

function set_modified($id, $london)
{
    global $wpdb;
    $fields = ['post_modified' => $london, 'post_modified_gmt' => get_gmt_from_date($london)];
    $wpdb->update($wpdb->posts, $fields, ['ID' => $id]);
    clean_post_cache($id);
}

function make_categories()
{
    $make = fn($name, $slug, $parent) =>
        wp_insert_term($name, 'category', ['slug' => $slug, 'parent' => $parent])['term_id'];
    $ids = ['news' => $make('News', 'news', 0)];
    $uk = $make('UK', 'uk', $ids['news']);
    $names = [
        'breaking' => 'Breaking', 'uk-news' => 'UK News', 'crime' => 'Crime & Court', 'travel' => 'Travel',
        'kent' => 'Kent',
    ];
    foreach ($names as $slug => $name) {
        $ids[$slug] = $make($name, $slug, $uk);
    }
    update_option('default_category', $ids['news']);
    wp_delete_term(1, 'category');
    return $ids;
}

function make_authors()
{
    return array_map(fn($login, $name) => wp_insert_user([
        'user_login' => $login, 'display_name' => $name, 'user_email' => "$login@example.invalid",
        'user_pass' => 'only a test', 'role' => 'author',
    ]), array_keys(AUTHORS), AUTHORS);
}

function make_pictures()
{
    return array_map('make_picture', range(1, 4));
}

function make_picture($n)
{
    mt_srand(1000 + $n);
    $image = imagecreatetruecolor(1280, 720);
    for ($i = 0; $i < 40; $i++) {
        $colour = imagecolorallocate($image, mt_rand(0, 255), mt_rand(0, 255), mt_rand(0, 255));
        imagefilledellipse($image, mt_rand(0, 1280), mt_rand(0, 720), mt_rand(10, 400), mt_rand(10, 400), $colour);
    }
    $file = wp_upload_dir('2024/06')['path'] . "/picture-$n.jpg";
    imagejpeg($image, $file, 82);
    $id = wp_insert_attachment([
        'post_mime_type' => 'image/jpeg', 'post_status' => 'inherit', 'post_date' => '2024-06-01 09:00:00',
        'post_title' => "Picture $n", 'post_excerpt' => "The scene as the day began. Photo: Test Desk",
    ], $file);
    wp_update_attachment_metadata($id, wp_generate_attachment_metadata($id, $file));
    update_post_meta($id, '_wp_attachment_image_alt', "Alt text of picture $n");
    return $id;
}

function comment_on($id)
{
    wp_insert_comment([
        'comment_post_ID' => $id, 'comment_author' => 'A reader', 'comment_approved' => 1,
        'comment_date' => '2024-02-01 10:00:00', 'comment_content' => 'A comment that is not article text.',
    ]);
}

function set_permalinks($structure)
{
    global $wp_rewrite;
    $wp_rewrite->init();
    $wp_rewrite->set_permalink_structure($structure);
    $wp_rewrite->flush_rules(false);
    return ['permalinks' => $structure];
}

function set_theme($name)
{
    if (!wp_get_theme($name)->exists()) {
        throw new RuntimeException("no theme called $name");
    }
    switch_theme($name);
    return ['theme' => $name];
}

// A day's work

/** Changes are dated as they happen: unlike the seed, a day's work is not the same to the second in every run. */
function work()
{
    $context = get_option('newsroom');
    $posts = array_map(fn($slug) => get_posts([
        'name' => $slug, 'post_status' => ['publish', 'future'], 'numberposts' => 1,
    ])[0], WORK);
    $before = array_map(fn($post) => ['id' => $post->ID, 'url' => get_permalink($post)], $posts);
    $done = ['new' => []];
    foreach (fresh_stories() as $i => $story) {
        $id = publish($i, $story, $context);
        $done['new'][] = ['id' => $id, 'url' => get_permalink($id)];
    }
    edit($posts['edited']);
    wp_update_post(['ID' => $posts['renamed']->ID, 'post_name' => 'reading-room-closed-for-repairs']);
    wp_update_post(['ID' => $posts['moved']->ID, 'post_category' => [$context['categories']['kent']]]);
    wp_trash_post($posts['trashed']->ID);
    wp_trash_post($posts['replaced']->ID);
    $replacement = publish(0, replacement_story(), $context);
    wp_update_post(['ID' => $posts['unpublished']->ID, 'post_status' => 'draft']);
    wp_delete_post($posts['deleted']->ID, true);
    publish_on_schedule($posts['scheduled']);
    foreach (['edited', 'unpublished', 'deleted'] as $case) {
        $done[$case] = $before[$case];
    }
    foreach (['renamed', 'moved'] as $case) {
        $done[$case] = $before[$case] + ['new_url' => get_permalink($posts[$case]->ID)];
    }
    $done['trashed'] = $before['trashed'] + ['guess_url' => $before['guess']['url']];
    $done['replaced'] = $before['replaced'] + ['guess_url' => get_permalink($replacement)];
    $id = $posts['scheduled']->ID;
    $done['published_on_schedule'] = ['id' => $id, 'url' => get_permalink($id)];
    return $done;
}

function edit($post)
{
    wp_update_post(wp_slash([
        'ID' => $post->ID,
        'post_title' => "$post->post_title – UPDATED",
        'post_content' => $post->post_content . paragraph('UPDATE: a second crane has been sent for.'),
    ]));
}

/** The hour has come: WordPress publishes, and leaves the date of modification where it was. */
function publish_on_schedule($post)
{
    global $wpdb;
    $fields = ['post_date' => current_time('mysql'), 'post_date_gmt' => current_time('mysql', true)];
    $wpdb->update($wpdb->posts, $fields, ['ID' => $post->ID]);
    clean_post_cache($post->ID);
    wp_publish_post($post->ID);
}
