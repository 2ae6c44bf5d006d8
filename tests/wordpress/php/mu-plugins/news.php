<?php
/**
 * Plugin Name: A news site's usual plugins
 * Description: What an SEO plugin and a page cache add: OpenGraph, NewsArticle JSON-LD, validators, lastmod.
 */

add_filter('locale', fn() => 'en_GB');
add_filter('the_generator', '__return_empty_string');

// Pictures live with the site's other state, for the unpacked WordPress is shared and never written to.
add_filter('upload_dir', function ($place) {
    $place['basedir'] = getenv('NEWSROOM_STATE') . '/uploads';
    $place['path'] = $place['basedir'] . $place['subdir'];
    return $place;
});

// WordPress itself prints lastmod from 6.5 on.
add_filter('wp_sitemaps_posts_entry', function ($entry, $post) {
    $entry['lastmod'] = get_post_modified_time(DATE_W3C, true, $post);
    return $entry;
}, 10, 2);

if (getenv('NEWSROOM_REST') === 'closed') {
    add_filter('rest_authentication_errors', fn() => new WP_Error(
        'rest_login_required',
        'REST API restricted to authenticated users.',
        ['status' => 401]
    ));
}

add_action('template_redirect', 'news_validators', 1);
add_action('wp_head', 'news_opengraph');
add_action('wp_head', 'news_json_ld');

/** Answers article pages as a page cache would: ETag and Last-Modified, and 304 to whoever has them. */
function news_validators()
{
    if (!is_singular('post') || post_password_required()) {
        return;
    }
    $post = get_queried_object();
    $modified = (int) get_post_modified_time('U', true, $post);
    $etag = '"' . md5($post->ID . $post->post_modified_gmt) . '"';
    header('Last-Modified: ' . gmdate('D, d M Y H:i:s', $modified) . ' GMT');
    header("ETag: $etag");
    $match = $_SERVER['HTTP_IF_NONE_MATCH'] ?? '';
    $since = strtotime($_SERVER['HTTP_IF_MODIFIED_SINCE'] ?? '') ?: 0;
    if ($match === $etag || ($match === '' && $since >= $modified)) {
        status_header(304);
        exit;
    }
}

function news_opengraph()
{
    if (!is_singular('post')) {
        return;
    }
    $post = get_queried_object();
    $properties = [
        'og:type' => 'article',
        'og:site_name' => get_bloginfo('name'),
        'og:title' => get_the_title($post),
        'og:url' => get_permalink($post),
        'og:description' => get_the_excerpt($post),
        'og:image' => get_the_post_thumbnail_url($post, 'full') ?: '',
        'article:published_time' => get_post_time(DATE_W3C, true, $post),
        'article:modified_time' => get_post_modified_time(DATE_W3C, true, $post),
        'article:section' => get_the_category($post->ID)[0]->name ?? '',
    ];
    foreach (array_filter($properties) as $property => $content) {
        printf("<meta property=\"%s\" content=\"%s\" />\n", esc_attr($property), esc_attr($content));
    }
    foreach (news_tags($post) as $tag) {
        printf("<meta property=\"article:tag\" content=\"%s\" />\n", esc_attr($tag));
    }
}

/** Like many plugins it leaves entities in names and titles as WordPress keeps them (`&#8217;`, `&amp;`). */
function news_json_ld()
{
    if (!is_singular('post') || post_password_required()) {
        return;
    }
    $post = get_queried_object();
    $picture = get_the_post_thumbnail_url($post, 'full');
    $article = [
        '@type' => 'NewsArticle',
        '@id' => get_permalink($post) . '#article',
        'mainEntityOfPage' => get_permalink($post),
        'headline' => get_the_title($post),
        'datePublished' => news_london($post->post_date_gmt),
        'dateModified' => news_london($post->post_modified_gmt),
        'author' => [
            '@type' => 'Person',
            'name' => get_the_author_meta('display_name', $post->post_author),
            'url' => get_author_posts_url($post->post_author),
        ],
        'articleSection' => wp_list_pluck(get_the_category($post->ID), 'name'),
        'keywords' => news_tags($post),
        'inLanguage' => 'en-GB',
    ];
    if ($picture) {
        $article['image'] = [$picture];
    }
    $graph = ['@context' => 'https://schema.org', '@graph' => [$article]];
    echo '<script type="application/ld+json">', wp_json_encode($graph), "</script>\n";
}

function news_tags($post)
{
    return wp_list_pluck(get_the_tags($post->ID) ?: [], 'name');
}

/** An instant as London's clocks show it, with their offset. */
function news_london($utc)
{
    return (new DateTimeImmutable($utc, new DateTimeZone('UTC')))->setTimezone(wp_timezone())->format(DATE_W3C);
}
