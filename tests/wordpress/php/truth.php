<?php
/**
 * What the site holds, read from its own database and never from a page: each story with its body as plain text,
 * block by block. WordPress's own functions set quotes and dashes and parse the blocks.
 */

function truth()
{
    $posts = get_posts([
        'numberposts' => -1, 'orderby' => 'ID', 'order' => 'ASC', 'post_type' => ['post', 'page'],
        'post_status' => ['publish', 'draft', 'private', 'future', 'trash'],
    ]);
    return array_map('true_story', $posts);
}

function true_story($post)
{
    return [
        'id' => $post->ID,
        'type' => $post->post_type,
        'status' => $post->post_status,
        'has_password' => $post->post_password !== '',
        'url' => get_permalink($post),
        'title' => plain_text($post->post_title),
        'author' => get_the_author_meta('display_name', $post->post_author),
        'published_at' => instant($post->post_date_gmt),
        'modified_at' => instant($post->post_modified_gmt),
        'categories' => names(get_the_category($post->ID)),
        'tags' => names(get_the_tags($post->ID) ?: []),
        'featured_image' => get_the_post_thumbnail_url($post, 'full') ?: null,
        'pictures' => pictures_in($post->post_content),
        'blocks' => array_merge(...array_map('true_blocks', parse_blocks($post->post_content))),
    ];
}

function pictures_in($html)
{
    return preg_match_all('/<img src="([^"]+)"/', $html, $found) ? $found[1] : [];
}

function instant($gmt)
{
    return $gmt === '0000-00-00 00:00:00' ? null : str_replace(' ', 'T', $gmt) . 'Z';
}

function names($terms)
{
    return array_map(fn($term) => html_entity_decode($term->name, ENT_QUOTES, 'UTF-8'), $terms);
}

/** Kinds: paragraph, heading, list_item, quote, cite, caption, embed. */
function true_blocks($block)
{
    $html = wptexturize($block['innerHTML']);
    return match ($block['blockName']) {
        'core/paragraph' => elements($html, ['p' => 'paragraph']),
        'core/heading' => elements($html, ['h2' => 'heading', 'h3' => 'heading']),
        'core/list' => elements($html, ['li' => 'list_item']),
        'core/quote' => elements($html, ['p' => 'quote', 'cite' => 'cite']),
        'core/image' => elements($html, ['figcaption' => 'caption']),
        'core/html', 'core/embed' => [['kind' => 'embed', 'text' => plain_text($block['innerHTML'])]],
        null => elements(wpautop($html), ['p' => 'paragraph']),
    };
}

/** The elements named by $kinds, in the order of the markup, without those that hold no text. */
function elements($html, $kinds)
{
    if (trim($html) === '') {
        return [];
    }
    $document = new DOMDocument();
    $document->loadHTML("<meta charset=\"utf-8\"><body>$html</body>", LIBXML_NOERROR);
    $path = implode(' | ', array_map(fn($name) => "//$name", array_keys($kinds)));
    $found = [];
    foreach ((new DOMXPath($document))->query($path) as $element) {
        $text = one_line($element->textContent);
        if ($text !== '') {
            $found[] = ['kind' => $kinds[$element->nodeName], 'text' => $text];
        }
    }
    return $found;
}

function plain_text($html)
{
    return one_line(html_entity_decode(wp_strip_all_tags(wptexturize($html)), ENT_QUOTES, 'UTF-8'));
}

function one_line($text)
{
    return trim(preg_replace('/[\s\x{a0}]+/u', ' ', $text));
}
