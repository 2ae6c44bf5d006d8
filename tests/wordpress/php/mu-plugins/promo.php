<?php
/**
 * Plugin Name: A newsroom's own promotions
 * Description: Puts a box and a bare paragraph into every story's text, as promotion plugins do.
 */

if (getenv('NEWSROOM_PROMO') === 'on') {
    add_filter('the_content', 'newsroom_promo', 99);
}

function newsroom_promo($content)
{
    if (!is_singular('post') || !in_the_loop() || !is_main_query()) {
        return $content;
    }
    $section = esc_html(get_the_category()[0]->name ?? 'local');
    $box = '<div class="x-panel-4"><h4>Stay with ' . $section . '</h4>'
        . '<p>Our reporters ring you back when the story moves on, and never try to sell you a kitchen.</p></div>';
    $line = '<p>Every bench in the county has a plaque and we are collecting what they say.</p>';
    $pieces = preg_split('~(?<=</p>)(?!\s*(?:</blockquote|<cite))~', $content);
    $after = min(3, count($pieces) - 1);
    array_splice($pieces, $after, 0, [$box]);
    if (get_the_ID() % 4 && count($pieces) > 3) {
        array_splice($pieces, 2, 0, [$line]);
    }
    return implode('', $pieces);
}
