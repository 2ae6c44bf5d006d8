"""What tags, class names and styles say of an element: furniture, unseen, a drop cap, a copy for other screens."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from uknip_crawler.extraction.page import Element, classes, text_of

_JUNK_TAGS = frozenset({"nav", "aside", "form", "footer", "header", "dialog"})
# parts of the class tokens and ids under which themes and plugins file their furniture; a hint, never needed
_JUNK_PART = re.compile(
    r"(?:^|[-_])(?:shar(?:e|es|ing)|sharedaddy|socials?|related(?:posts)?|rlt|ilrltpost|wprt|newsletter|subscribe|signup"
    r"|sidebar|comments?|respond|breadcrumbs?|advert(?:isement|ising)?|ads?|adsbygoogle|promo|popup|modal|cookie"
    r"|pagination|nav(?:igation)?|menu|countview|byline|(?:post)?meta|recommend(?:ed|ations)|trending|tags|tagcloud"
    r"|donat(?:e|ion)|outbrain|taboola|toc|authorbox|author|bio|about|most-?read)(?:$|[-_])"
)
# post_class and body_class tokens carry the story's own words: `tag-newsletter`, `has-sidebar`
_NOT_JUNK = re.compile(
    r"^(?:category|tag|post-\d|has|no|is|with|single|status|format|type|elementor|wpb|vc|menu)[-_\d]"
)
_GATE = re.compile(
    r"paywall|regwall|gat(?:e|ed|ing)|gatewall|registration|register|login|signin|subscri\w+|metered"
)
_REMARKS = re.compile(
    r"comments?|commentlist|respond|disqus|replies|reactions|comentarios?|commentaires?|kommentare?|reacties|commenti"
)
_INLINE = frozenset({"span", "i", "b", "em", "strong", "small", "label", "abbr", "font", "u", "s", "a"})
_OFF_SCREEN = re.compile(
    r"sronly|srtext|screenread|readers?only|forsr|visuallyhid|hid(?:e|den)visually|hid(?:e|den)accessib"
    r"|accessib\w*(?:hid|text|label)|a11y(?:hid|text|only|label)|assistivetext|offscreen|elementinvisible|ariaonly"
)
_CLIPPED = re.compile(
    r"position:(?:absolute|fixed).*(?:clip:rect\(|clip-path:inset\((?:50|100)%|(?:left|right|top):-\d{3,}|width:1px)"
    r"|(?:clip:rect\(|clip-path:inset\((?:50|100)%|(?:left|right|top):-\d{3,}|width:1px).*position:(?:absolute|fixed)"
    r"|text-indent:-\d{3,}|font-size:0(?:px|em|rem)?(?:;|$)"
)
_ICON = re.compile(r"(?:^|[-_])(?:icons?|fa[bsrl]?|glyphicon|material(?:icons|symbols)?|dashicons)(?:$|[-_])")
_SCREEN = re.compile(
    r"mobile|desktop|tablet|phone|handheld"
    r"|^(?:hidden|visible|show|hide|only)[-_](?:for[-_])?(?:xs|sm|md|lg|xl|small|medium|large)"
    r"|^d-(?:(?:sm|md|lg|xl|xxl)-)?(?:none|block)$|^(?:sm|md|lg|xl|2xl):(?:hidden|block|inline|flex)$"
)
_LAYOUT = re.compile(
    r"wp-block-(?:media-text|group|columns?|cover)|elementor-(?:element|widget|container|column|section|row|inner|top)"
    r"|e-con|(?:vc|wpb|et_pb|fl|fusion|siteorigin|kt|kb|stk|gb|uagb|bricks|brxe|ct|avia|mk|tdc|vce?)[-_].*"
    r"|row|cols?|columns?|col[-_].*|container(?:-fluid)?|grid(?:[-_].*)?|flex(?:[-_].*)?|inner|wrap(?:per)?"
)
_UNSEEN_BY = frozenset({"style", "hidden", "aria-hidden"})
MAX_UNSEEN_WORDS = 60


def is_unseen(element: Element) -> bool:
    """Tell whether an element's words are for screen readers or for nobody: off-screen, clipped, icons' names.

    Blocks that are merely not displayed yet are left to `is_junk`: the rest of a story may be in one.
    """
    style = _plain(element.get("style"))[:1000]
    if element.tag in _INLINE:
        if element.get("hidden") is not None or "display:none" in style or "visibility:hidden" in style:
            return True
        if element.get("aria-hidden") == "true" and _is_icon(element):
            return True
    named = _names_off_screen(element.get("class") or "")
    if not named and not (style and _CLIPPED.search(style)):
        return False
    return len(text_of(element).split()) <= MAX_UNSEEN_WORDS


def names_unseen(named: str, attributes: Collection[str]) -> bool:
    """Tell whether classes or attributes are such as unseen elements have."""
    return not _UNSEEN_BY.isdisjoint(attributes) or _names_off_screen(named)


def _plain(style: str | None) -> str:
    return "".join(style.lower().split()) if style else ""


@lru_cache(4096)
def _names_off_screen(attribute: str) -> bool:
    plain = attribute.lower().replace("-", "").replace("_", "").split()
    return any("notsr" not in token and _OFF_SCREEN.search(token) for token in plain)


def _is_icon(element: Element) -> bool:
    named = element.tag == "i" or any(_ICON.search(token.lower()) for token in classes(element))
    return named or not any(char.isalnum() for char in text_of(element))


def is_junk(element: Element, tag: str) -> bool:
    """Tell whether an element looks like furniture. What it holds decides where a story has no other place."""
    if tag in _JUNK_TAGS:
        return not (tag in ("header", "footer") and _is_quoted(element))
    if element.get("hidden") is not None or "display:none" in _plain(element.get("style")):
        return True
    if tag in ("article", "body", "main"):
        return False
    return _are_junk(element.get("class") or "", element.get("id") or "")


@lru_cache(4096)
def _are_junk(attribute: str, name: str) -> bool:
    return any(map(_names_junk, (*attribute.split(), name)))


def _is_quoted(element: Element) -> bool:
    parent = element.getparent()
    return parent is not None and parent.tag in ("blockquote", "figure")


@lru_cache(4096)
def _names_junk(token: str) -> bool:
    lowered = token.lower()
    return not _NOT_JUNK.match(lowered) and _JUNK_PART.search(lowered) is not None


def lays_out(element: Element) -> bool:
    """Tell whether an element only places text, as page builders' columns do."""
    return bool(classes(element)) and _names_layout(classes(element)[0])


@lru_cache(4096)
def _names_layout(token: str) -> bool:
    return _LAYOUT.match(token.lower()) is not None and not _names_junk(token)


def names_gate(element: Element) -> bool:
    """Tell whether an element is named for what asks readers to register or to pay."""
    tokens = (*classes(element), element.get("id") or "")
    return any(_GATE.fullmatch(part) for token in tokens for part in _parts(token))


@lru_cache(4096)
def _parts(token: str) -> tuple[str, ...]:
    return tuple(re.split("[-_]+", token.lower()))


def holds_remarks(element: Element) -> bool:
    """Tell whether an element is named for what readers write, however long."""
    return any(_names_remarks(token) for token in (*classes(element), element.get("id") or ""))


@lru_cache(4096)
def _names_remarks(token: str) -> bool:
    return not _NOT_JUNK.match(token.lower()) and any(_REMARKS.fullmatch(part) for part in _parts(token))


def is_pull_quote(element: Element) -> bool:
    return _names_pull_quote(element.get("class") or "")


@lru_cache(4096)
def _names_pull_quote(attribute: str) -> bool:
    plain = attribute.lower().replace("-", "").replace("_", "").split()
    return any(token.endswith("pullquote") for token in plain)


def is_dropcap(element: Element) -> bool:
    named = element.get("class")
    return bool(named) and names_dropcap(named) and len(text_of(element)) <= 2


@lru_cache(4096)
def names_dropcap(attribute: str) -> bool:
    plain = attribute.lower().replace("-", "").replace("_", "").split()
    return any("dropcap" in token for token in plain)


def screen_of(element: Element) -> frozenset[str]:
    """Return the class tokens that say on which screens an element is shown."""
    return _screens(element.get("class") or "")


@lru_cache(4096)
def _screens(attribute: str) -> frozenset[str]:
    return frozenset(token for token in attribute.split() if _SCREEN.search(token.lower()))
