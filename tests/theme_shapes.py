"""Pages in the shapes in which WordPress themes print author, section, tags and dates, around one invented story.

Where a shape says TEXT its story stands, where it says MENU, SIDE and CARDS what is not the story's.
"""

from __future__ import annotations

from typing import NamedTuple

INSTANT, DAY = "2025-05-09T07:30:00Z", "2025-05-09"


class Shape(NamedTuple):
    """A page's body, and what must be read from it; `published` as evidence writes dates."""

    body: str
    published: str | None = INSTANT
    tags: tuple[str, ...] = ("Canals",)
    section: str | None = "Waterways"
    authors: tuple[str, ...] = ("Ann Lee",)


# fmt: off
PARTS = {
    "MENU": "<header><div class=branding><a href='/' rel=home>Withy Observer</a></div><nav><ul class=menu>"
            "<li><a href='/category/news/'>News</a></li><li><a href='/category/waterways/'>Waterways</a></li>"
            "<li><a href='/category/sport/'>Sport</a></li></ul></nav></header>",
    "SIDE": "<aside class=widget-area><section class='widget widget_tag_cloud'><div class=tagcloud>"
            "<a href='/tag/fire/' class=tag-cloud-link rel=tag>Fire</a></div></section><section class=widget><ul><li>"
            "<a href='/sport/ferry/'>Ferry sells its last ticket</a>"
            "<time datetime='2020-01-01T09:00:00Z' class='entry-date published'>1 Jan</time></li></ul></section></aside>",
    "CARDS": "<section class=you-may-like><h3>You may have missed</h3><div class=item><span class=cat-links>"
             "<a href='/category/sport/' rel='category tag'>Sport</a></span>"
             "<h4><a href='/sport/ferry/'>Ferry sells its very last ticket</a></h4>"
             "<span class=byline><a href='/author/tom/' rel=author>Tom Reed</a></span>"
             "<time class='entry-date published' datetime='2019-03-03T03:00:00Z'>3 March 2019</time>"
             "<a href='/tag/ferries/' rel=tag>Ferries</a></div></section>",
    "TIME": "<time class='entry-date published' datetime='2025-05-09T08:30:00+01:00'>9 May 2025</time>",
    "AUTHOR": "<a class='url fn n' href='/author/ann/' rel=author>Ann Lee</a>",
    "FILED": "<a href='/category/waterways/' rel='category tag'>Waterways</a>",
    "TAG": "<a href='/tag/canals/' rel=tag>Canals</a>",
    "TEXT": "<p>A lock keeper who was raking weed out of Withy Basin on Thursday pulled up a brass ship's bell.</p>"
            "<p>It carries the name of a narrowboat that sank there with a load of teapots in the winter of 1911.</p>"
            "<p>The museum in Fenwick will clean the bell, and hopes that a descendant of the crew will ring it.</p>",
}

SHAPES: dict[str, Shape] = {
    "a sentence of labels below the story, as Twenty Twelve": Shape(
        "MENU<div id=main><div id=content role=main><article id=post-77 class='post-77 post type-post hentry'>"
        "<header><h1 class=entry-title>TITLE</h1></header><div class=entry-content>TEXT</div>"
        "<footer class=entry-meta>This entry was posted in FILED and tagged TAG on <a href='/x/' rel=bookmark>TIME</a>"
        "<span class=by-author> by <span class='author vcard'>AUTHOR</span></span>.</footer></article></div>SIDE</div>CARDS"
    ),
    "no author or date at all, as Hello Elementor": Shape(
        "MENU<main class='site-main post-77 post type-post category-waterways'><h1 class=entry-title>TITLE</h1>"
        "<div class=page-content>TEXT<div class=post-tags><span class=tag-links>Tagged TAG</span></div></div></main>CARDS",
        published=None, section=None, authors=(),
    ),
    "an info widget, as Elementor": Shape(
        "MENU<div class='elementor elementor-location-single post-77 post type-post'><section class=elementor-section>"
        "<div class='elementor-widget elementor-widget-theme-post-title'><h1>TITLE</h1></div>"
        "<div class='elementor-widget elementor-widget-post-info'><ul class=elementor-post-info><li itemprop=author>"
        "<a href='/author/ann/'><span class=elementor-post-info__item--type-author>Ann Lee</span></a></li>"
        "<li itemprop=datePublished><span><time>9 May 2025</time></span></li><li itemprop=about><span>"
        "<a href='/category/waterways/' class=elementor-post-info__terms-list-item>Waterways</a></span></li></ul></div>"
        "</section><section><div class='elementor-widget elementor-widget-theme-post-content'>TEXT</div></section>CARDS</div>",
        published=DAY, tags=(),
    ),
    "categories and tags without rel in lists, as Newspaper": Shape(
        "MENU<div class=td-main-content-wrap><div class=td-crumb-container><div class=entry-crumbs>"
        "<a class=entry-crumb href='/'>Home</a> <a class=entry-crumb href='/category/news/'>News</a></div></div>"
        "<div role=main><article id=post-77 class='post-77 post type-post hentry' itemscope "
        "itemtype='https://schema.org/Article'><div class=td-post-header><ul class=td-category>"
        "<li class=entry-category><a href='/category/waterways/'>Waterways</a></li></ul><h1 class=entry-title>TITLE</h1>"
        "<div class=td-post-author-name><div class=td-author-by>By</div> <a href='/author/ann/'>Ann Lee</a></div>"
        "<span class=td-post-date><time class='entry-date updated' datetime='2025-05-09T08:30:00+01:00'>May 9, 2025</time>"
        "</span></div><div class=td-post-content>TEXT</div><footer><div class=td-post-source-tags><ul class=td-tags>"
        "<li><span>TAGS</span></li><li><a href='/tag/canals/'>Canals</a></li><li><a href='/tag/locks/'>Old locks</a></li>"
        "</ul></div><span itemprop=author itemscope itemtype='https://schema.org/Person'><meta itemprop=name "
        "content='Ann Lee'></span><meta itemprop=datePublished content='2025-05-09T08:30:00+01:00'></footer></article>"
        "<div class=td_block_related_posts><div class=td_module><a class=td-post-category href='/category/sport/'>Sport</a>"
        "<h3 class=entry-title><a href='/sport/ferry/'>Ferry sells its last ticket</a></h3></div></div></div></div>",
        tags=("Canals", "Old locks"),
    ),
    "tags inside the text's container, as Soledad": Shape(
        "MENU<div id=soledad_wrapper><div id=main><article id=post-77 class='post-77 post type-post'>"
        "<div class='header-classic single-header'><div class=penci-standard-cat><span class=cat>FILED</span></div>"
        "<h1 class='post-title single-post-title'>TITLE</h1><div class=post-box-meta-single>"
        "<span class='author-post byline'>by <a class='author-url url fn n' href='/author/ann/'>Ann Lee</a></span>TIME</div>"
        "</div><div class=post-entry><div class='inner-post-entry entry-content'>TEXT<div class=post-tags>TAG</div></div></div>"
        "<div class=post-author><h5>AUTHOR</h5><p>Writes.</p></div><div class=post-related><div class=item-related>"
        "<h3><a href='/sport/ferry/'>Ferry sells its last ticket</a></h3>"
        "<time class='entry-date published' datetime='2011-01-12T09:00:00+00:00'>2011</time></div></div></article></div>"
        "<div id=sidebar>SIDE</div></div>"
    ),
    "no article element, as JNews": Shape(
        "MENU<div class=post-wrapper><div class='jeg_content jeg_singlepage'><div class=row><div class=jeg_main_content>"
        "<div class='jeg_breadcrumbs'><span><a href='/'>Home</a></span> <span><a href='/category/sport/'>Sport</a></span></div>"
        "<div class=entry-header><h1 class=jeg_post_title>TITLE</h1><div class=jeg_post_meta><div class=jeg_meta_author>"
        "<span class=meta_text>by</span> <a href='/author/ann/'>Ann Lee</a></div><div class=jeg_meta_date>"
        "<a href='/x/'>9 May 2025</a></div><div class=jeg_meta_category><span class=meta_text>in</span> FILED</div></div></div>"
        "<div class=entry-content>TEXT<div class=jeg_post_tags><span>Tags:</span> TAG</div></div>"
        "<div class=jnews_related_post_container><article class=jeg_post><div class=jeg_post_category>"
        "<a href='/category/fire/'>Fire</a></div><h3><a href='/sport/ferry/'>Ferry sold</a></h3></article></div></div>"
        "<div class=jeg_sidebar>SIDE</div></div></div></div>",
        published=DAY,
    ),
    "a banner across the page holds headline and byline, as Kadence": Shape(
        "MENU<div id=inner-wrap><section class=entry-hero><header class=entry-header><div class=entry-taxonomies>"
        "<span class=category-links><a href='/category/waterways/' rel=tag class=category-link-waterways>Waterways</a></span>"
        "</div><h1 class=entry-title>TITLE</h1><div class=entry-meta><span class=posted-by><span class=meta-label>By</span>"
        "<span class='author vcard'>AUTHOR</span></span>TIME</div></header></section><div id=primary><main id=main>"
        "<article id=post-77 class='entry single-entry post-77 post type-post hentry'><div class=entry-content>TEXT</div>"
        "<footer class=entry-footer><div class=entry-tags><span class=tags-label>Post Tags:</span> "
        "<a href='/tag/canals/' class=tag-link rel=tag><span class=tag-hash>#</span>Canals</a></div></footer></article>"
        "</main>SIDE</div></div>"
    ),
    "everything in one line, as Divi": Shape(
        "MENU<div id=main-content><div id=left-area><article id=post-77 class='et_pb_post post-77 post type-post hentry'>"
        "<h1 class=entry-title>TITLE</h1><p class=post-meta> by <span class='author vcard'>AUTHOR</span> | "
        "<span class=published>May 9, 2025</span> | FILED | <span class=comments-number><a href='/x/#respond'>0 comments"
        "</a></span></p><div class=entry-content>TEXT</div></article></div><div id=sidebar>SIDE</div></div>",
        published=DAY, tags=(),
    ),
    "a list of tags below, as MH Magazine": Shape(
        "MENU<div class=mh-wrapper><div role=main><nav class=mh-breadcrumb><a href='/'>Home</a> » "
        "<a href='/category/news/'>News</a></nav><article id=post-77 class='post-77 post type-post hentry'><header>"
        "<h1 class=entry-title>TITLE</h1><p class='mh-meta entry-meta'><span class='entry-meta-date updated'>"
        "<a href='/2025/05/'>May 9, 2025</a></span><span class='entry-meta-author author vcard'>"
        "<a class=fn href='/author/ann/'>Ann Lee</a></span><span class=entry-meta-categories>FILED</span></p></header>"
        "<div class=entry-content>TEXT</div><div class=entry-tags><ul><li>TAG</li></ul></div></article></div>SIDE</div>",
        published=DAY,
    ),
    "only the text in the article element, as Newsup": Shape(
        "MENU<main class=content><div class=row><div class=col-lg-9><div class=mg-blog-post-box><div class=mg-header>"
        "<div class=mg-blog-category><a class=newsup-categories href='/category/waterways/'>Waterways</a></div>"
        "<h1 class='title single'><a title='Permalink'>TITLE</a></h1><h4 class=media-heading><span>By</span>"
        "<a href='/author/ann/'>Ann Lee</a></h4><span class=mg-blog-date> May 9, 2025</span><span class=newsup-tags>"
        "<a href='/tag/canals/'>#Canals</a>, <a href='/tag/locks/'>#Locks</a></span></div><article class='small single'>TEXT"
        "</article></div><div class=mg-featured-slider><h4>Related Post</h4><div class=mg-blog-post-3>"
        "<a class=newsup-categories href='/category/sport/'>Sport</a><h4><a href='/sport/ferry/'>Ferry sells its last ticket"
        "</a></h4><span class=mg-blog-date>Jan 3, 2020</span><a class=auth href='/author/tom/'>Tom Reed</a></div></div></div>"
        "<aside class=sidebar-sticky>SIDE</aside></div></main>",
        published=DAY, tags=("Canals", "Locks"),
    ),
    "a banner and the filing below, as Hestia": Shape(
        "<div class=wrapper>MENU<div class='boxed-layout-header page-header'><h1 class='hestia-title entry-title'>TITLE</h1>"
        "<h4 class=author>Published by <a href='/author/ann/' class='vcard author'><strong class=fn>Ann Lee</strong></a> on "
        "TIME</h4></div><div class=main><article id=post-77 class='section section-text'><div class=entry-content>TEXT</div>"
        "<div class='section section-blog-info'><div class=entry-categories>Categories: <span class=label>"
        "<a href='/category/waterways/'>Waterways</a></span></div><div class=entry-tags>Tags: <span>TAG</span></div></div>"
        "</article></div><div class='section related-posts'><div class=card><h6 class=category>"
        "<a href='/category/sport/'>Sport</a></h6><h4><a href='/sport/ferry/'>Ferry sells its last ticket</a></h4></div></div>"
        "</div>"
    ),
    "an aside of the story itself, as Storefront": Shape(
        "MENU<nav class=woocommerce-breadcrumb><a href='/'>Home</a> / <a href='/category/news/'>News</a></nav><main>"
        "<article id=post-77 class='post-77 post type-post hentry'><header><span class=posted-on>Posted on TIME</span> "
        "<span class=post-author>by AUTHOR</span><h1 class=entry-title>TITLE</h1></header><div class=entry-content>TEXT</div>"
        "<aside class=entry-taxonomy><div class=cat-links>Category: FILED</div><div class=tags-links>Tag: TAG</div></aside>"
        "</article></main><div class=widget-area role=complementary>SIDE</div>"
    ),
    "a list of labels, as Neve": Shape(
        "MENU<main><article id=post-77 class='nv-single-post-wrap post-77 post type-post hentry'><div class=entry-header>"
        "<small class=neve-breadcrumbs-wrapper><a href='/'>Home</a> » <a href='/category/news/'>News</a></small>"
        "<h1 class=entry-title>TITLE</h1><ul class=nv-meta-list><li class='meta author vcard'><span class='author-name fn'>by "
        "AUTHOR</span></li><li class='meta date posted-on'>TIME</li><li class='meta category'>FILED</li></ul></div>"
        "<div class='nv-content-wrap entry-content'>TEXT</div><div class=nv-tags-list><span>Tags:</span>TAG</div></article>"
        "</main>CARDS"
    ),
    "microdata in a list, as Blocksy": Shape(
        "MENU<main><article id=post-77 class='post-77 post type-post hentry'><header class=entry-header>"
        "<nav class=ct-breadcrumbs><a href='/'>Home</a><a href='/category/sport/'>Sport</a></nav>"
        "<h1 class=page-title itemprop=headline>TITLE</h1><ul class=entry-meta><li class=meta-author itemprop=author itemscope "
        "itemtype='https://schema.org/Person'><a href='/author/ann/' rel=author itemprop=url><span itemprop=name>Ann Lee</span>"
        "</a></li><li class=meta-date itemprop=datePublished><time datetime='2025-05-09T08:30:00+01:00'>May 9, 2025</time></li>"
        "<li class=meta-categories><a href='/category/waterways/' rel=tag>Waterways</a></li></ul></header>"
        "<div class=entry-content>TEXT</div><div class=entry-tags><a href='/tag/canals/' rel=tag><span>#</span> Canals</a></div>"
        "</article><div class=ct-related-posts><article><h4><a href='/sport/ferry/'>Ferry sold</a></h4></article></div></main>"
    ),
    "a query of other stories below, as the block themes": Shape(
        "MENU<main><h1 class=wp-block-post-title>TITLE</h1><div class=wp-block-group><div class=wp-block-post-date>"
        "<time datetime='2025-05-09T08:30:00+01:00'>9 May 2025</time></div><p>by</p><div class=wp-block-post-author-name>"
        "<a href='/author/ann/'>Ann Lee</a></div><div class='taxonomy-category wp-block-post-terms'>"
        "<span class=wp-block-post-terms__prefix>in </span><a href='/category/waterways/' rel=tag>Waterways</a></div></div>"
        "<div class='entry-content wp-block-post-content'>TEXT</div><div class='taxonomy-post_tag wp-block-post-terms'>TAG</div>"
        "<div class=wp-block-query><ul><li class='wp-block-post post-68 post type-post'><h3><a href='/s/x/'>Ferry sold</a></h3>"
        "<div class=wp-block-post-date><time datetime='2020-01-12T09:00:00+00:00'>2020</time></div>"
        "<div class='taxonomy-category wp-block-post-terms'><a href='/category/sport/' rel=tag>Sport</a></div></li></ul></div>"
        "</main>"
    ),
    "labels outside the article element, without rel": Shape(
        "MENU<main><article><h1>TITLE</h1><p class=meta>By Ann Lee | 9 May 2025</p>TEXT</article>"
        "<div class=labels>Topics: <a href='/t/canals'>Canals</a>, <a href='/t/locks'>Locks</a></div>"
        "<p>Filed under: <a href='/waterways/'>Waterways</a></p></main>"
        "<div class=rail><h3>Popular topics</h3><a href='/tag/fire/' rel=tag>Fire</a></div>",
        published=DAY, tags=("Canals", "Locks"),
    ),
    "a flat page without any landmark": Shape(
        "MENU<div id=page><h1>TITLE</h1><div class=meta><a href='/waterways/'>Waterways</a> · <span class=author>Ann Lee</span>"
        " · 9 May 2025</div><div class=text>TEXT</div><ul class=tags><li><a href='/tag/canals/'>Canals</a></li></ul>SIDECARDS"
        "</div>",
        published=DAY,
    ),
    "a breadcrumb whose class only contains the word": Shape(
        "<div class=my-breadcrumbs-x><a href='/' rel=home>Home</a> » <a href='/tag/z/' rel=tag>Z</a> » "
        "<a href='/category/waterways/' rel='category tag'>Waterways</a></div><main><article><h1>TITLE</h1><p>By Ann Lee</p>TEXT</article></main>CARDSSIDE",
        published=None, tags=(),
    ),
    "nothing but the address, and a menu that leads to its folder": Shape(
        "MENU<ul class=menu><li><a href='/waterways/'>Waterways</a></li></ul><main><article><h1>TITLE</h1><p>By Ann Lee and Jo Field, 9 May 2025</p>TEXT</article></main>CARDSSIDE",
        published=DAY, tags=(), authors=("Ann Lee", "Jo Field"),
    ),
    "the blog's own name in h1, as OceanWP": Shape(
        "MENU<main><header class=page-header><h1 class=page-header-title itemprop=headline>Blog</h1></header>"
        "<article id=post-77><h2 class='single-post-title entry-title' itemprop=headline>TITLE</h2><ul class=meta>"
        "<li class=meta-author><span class=screen-reader-text>Post author:</span><a href='/author/ann/' rel=author>Ann Lee</a>"
        "</li><li class=meta-date itemprop=datePublished><span class=screen-reader-text>Post published:</span>9 May 2025</li>"
        "<li class=meta-cat>FILED</li></ul><div class=entry-content>TEXT</div><div class=post-tags>Tags: TAG</div></article>"
        "</main>",
        published=DAY,
    ),
    "links without rel beside the headline, as CoverNews": Shape(
        "MENU<main><article id=post-77 class='post-77 post type-post hentry'><header class=entry-header><ul class=cat-links>"
        "<li class=meta-category><a class=covernews-categories href='/category/waterways/'>Waterways</a></li></ul>"
        "<h1 class=entry-title>TITLE</h1><span class=author-links><span class=posts-author><a href='/author/ann/'>Ann Lee</a>"
        "</span><span class=posts-date><a href='/2025/05/'>9 May 2025</a></span></span></header>"
        "<div class=entry-content>TEXT</div></article>CARDS</main>SIDE",
        published=DAY, tags=(),
    ),
}
# fmt: on
