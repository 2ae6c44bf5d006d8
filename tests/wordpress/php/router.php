<?php
/**
 * What a web server in front of WordPress does, for PHP's own server: pictures from the site's state directory,
 * files as they are, everything else to WordPress; compressed when asked; every request noted as a line of JSON.
 */

$root = $_SERVER['DOCUMENT_ROOT'];
$state = getenv('NEWSROOM_STATE');
$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/');

register_shutdown_function(function () use ($state) {
    $line = json_encode([
        'status' => http_response_code(),
        'method' => $_SERVER['REQUEST_METHOD'],
        'target' => $_SERVER['REQUEST_URI'],
    ], JSON_UNESCAPED_SLASHES);
    file_put_contents("$state/requests.jsonl", "$line\n", FILE_APPEND | LOCK_EX);
});

if (str_contains($path, '..')) {
    http_response_code(400);
    return true;
}
if (preg_match('#^/wp-content/uploads/[\w/-]+\.jpg$#', $path)) {
    $picture = $state . '/uploads' . substr($path, strlen('/wp-content/uploads'));
    if (!is_file($picture)) {
        http_response_code(404);
        return true;
    }
    header('Content-Type: image/jpeg');
    readfile($picture);
    return true;
}

$script = $root . $path;
if (is_dir($script)) {
    $script = rtrim($script, '/') . '/index.php';
}
if ($path !== '/' && is_file($script) && !str_ends_with($script, '.php')) {
    return false;
}
if ($path === '/' || !is_file($script)) {
    $script = "$root/index.php";
}
ini_set('zlib.output_compression', '1'); // as an option of the server itself it would spoil plain files
$_SERVER['SCRIPT_FILENAME'] = $script;
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = substr($script, strlen($root));
chdir(dirname($script));
require $script;
return true;
