"""Shapes of text in markup: lines, verse, marks of notes, list items that are places, copies for other screens."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import cast

from lxml import etree

from uknip_crawler.extraction.body.embeds import PLAYER_TAGS, names_embed
from uknip_crawler.extraction.body.images import names_background, names_caption
from uknip_crawler.extraction.page import Element, classes, text_of
from uknip_crawler.extraction.page.marks import names_dropcap, names_unseen
from uknip_crawler.extraction.page.text import is_sentence, one_line

EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_BULLET = re.compile(r"^\s*[-•*·▪●–]\s+")
_NOTE_MARK = re.compile(r"[\[(]?(?:\d{1,3}|[*†‡§]{1,3}|[a-z])[\])]?|[↩↑⤴^][\ufe0e\ufe0f]?")
_AFTER_WORD = re.compile(r"[^\W\d_]{4,}$")
_AFTER_STOP = re.compile(r"[.,;:!?…'’”\")]$")
_EMOJI_FOLDER = re.compile(r"/(?:emoji|twemoji|smilies)/")
_LENGTH = etree.XPath("string-length()")
_INSETS = PLAYER_TAGS | {"figcaption", "table"}
HOLDS_MEDIA = ("table", "iframe", "video", "audio", "embed", "blockquote", "img", "amp-img")
MAX_MARK = 16
MIN_SPAN_WORDS = 8
LONG_ITEM = 60
MAX_ROWS = 2_000
MAX_CELL_WORDS = 60
WRAPPED_AT = 55
"""A preformatted line of so many characters was broken by a mail program, a shorter one by its author."""


@lru_cache(8192)
def may_be_special(tag: str, named: str, *attributes: str) -> bool:
    """Tell whether an element may be unseen, or anything but text in its place: hardly any is, so one look will do."""
    return (
        tag in _INSETS
        or "data-cfemail" in attributes
        or names_unseen(named, attributes)
        or names_dropcap(named)
        or names_caption(named)
        or names_background(attributes)
        or names_embed(tag, named, attributes)
    )


def emoji_of(element: Element) -> str | None:
    """Return the character that an image in a line of text stands for."""
    alt = one_line(element.get("alt") or "")
    if {"emoji", "wp-smiley"} & set(classes(element)) or _EMOJI_FOLDER.search(element.get("src") or ""):
        return alt
    is_sign = 0 < len(alt) <= 8 and not alt.isascii() and not any(char.isalnum() for char in alt)
    return alt if is_sign else None


def note_mark(element: Element, before: str, *, in_verse: bool) -> str | None:
    """Return what stands for a footnote's mark that would stick to the word before it: nothing, or a blank and then
    the mark where it may be a number of the text; None for what is no mark."""
    if len(element) == 0 and len((element.text or "").strip()) > MAX_MARK:
        return None
    text = text_of(element)
    if not _NOTE_MARK.fullmatch(text):
        return None
    anchors = [element] if element.tag == "a" else [*element.iter("a")]
    if anchors:
        sticks = before[-1:].strip() and not text.isalpha() and not in_verse
        is_note = element.tag == "sup" or sticks or text[0] in "↩↑⤴^"
        return "" if is_note and all("#" in (a.get("href") or "#") for a in anchors) else None
    if _AFTER_STOP.search(before):
        return ""
    return " " if text[0].isdigit() and _AFTER_WORD.search(before) else None


def table_of(table: Element) -> str | None:
    """Return a data table's caption and rows, a line each; None for a table that lays a page out or holds a list."""
    if table.find(".//table") is not None:
        return None
    rows = [
        [text_of(cell) for cell in row if cell.tag in ("td", "th")]
        for row in list(table.iter("tr"))[:MAX_ROWS]
    ]
    rows = [row for row in rows if any(row)]
    longest = max((len(cell.split()) for row in rows for cell in row), default=0)
    if max(map(len, rows), default=0) < 2 or longest > MAX_CELL_WORDS:
        return None
    above = list(table.itersiblings("figcaption", preceding=True))
    titles = [title for e in (*above, *table.iterchildren("caption")) if (title := text_of(e))]
    return "\n".join([*titles, *(" | ".join(row) for row in rows)])


def media_around(element: Element) -> Element | None:
    """Return the nearest thing around a caption that holds what it may belong to: a figure, or a small box."""
    for depth, holder in enumerate(element.iterancestors()):
        if holder.tag in ("body", "article", "main") or (depth > 3 and holder.tag != "figure"):
            return None
        if holder.tag == "figure":
            return holder
        if depth <= 3 and any(True for _ in holder.iter(*HOLDS_MEDIA)):
            around = len(text_of(holder).split()) - len(text_of(element).split())
            return holder if around <= 2 * MIN_SPAN_WORDS else None
    return None


def is_layout_item(item: Element) -> bool:
    """Tell whether a list item is a place on the page and no entry: an update of a live blog, a whole story."""
    paragraphs = [words for p in item.iter("p") if (words := len(text_of(p).split()))]
    if paragraphs and any(e.find(".//a") is None for e in item.iter("h1", "h2", "h3", "h4")):
        return True
    if sum(words >= 12 for words in paragraphs) > 2:
        return True
    if len(paragraphs) < 2 and cast(float, _LENGTH(item)) <= LONG_ITEM:  # no more words than characters
        return False
    around = item.getparent()
    siblings = around.iterchildren("li") if around is not None else ()
    is_sole = not any(text_of(other) for other in siblings if other is not item)
    return is_sole and (len(paragraphs) > 1 or len(text_of(item).split()) > LONG_ITEM)


def begins_paragraph(span: Element) -> bool:
    """Tell whether a span is a paragraph by itself, beside another that ended like one."""
    before, parent = span.getprevious(), span.getparent()
    if before is None or before.tag != "span" or (before.tail or "").strip() or parent is None:
        return False
    if parent.tag not in ("div", "section", "article", "main", "body", "td"):
        return False
    told = text_of(before)
    is_block = not before.tail or (span.get("class") and span.get("class") == before.get("class"))
    both = min(len(told.split()), len(text_of(span).split()))
    return bool(is_block) and is_sentence(told) and both >= MIN_SPAN_WORDS


def decoded_email(code: str) -> str:
    """Return the address behind Cloudflare's `data-cfemail`: hexadecimal, every byte xored with the first."""
    try:
        first, *rest = bytes.fromhex(code)
        return bytes(byte ^ first for byte in rest).decode("utf-8")
    except ValueError:
        return ""


def lines_of(paragraph: str) -> list[tuple[str, bool]]:
    """Return the blocks of one paragraph, each with whether it is a list item.

    A lone line break inside a paragraph is a wrap, unless every line is an entry of its own.
    """
    lines = [line for raw in paragraph.split("\n") if (line := one_line(raw))]
    if len(lines) > 1 and sum(bool(_BULLET.match(line)) for line in lines) >= max(2, len(lines) - 1):
        return [(_BULLET.sub("", line), bool(_BULLET.match(line))) for line in lines]
    entries = all(line[0].isupper() or line[0].isdigit() for line in lines)
    if len(lines) > 2 and entries and sum(map(len, lines)) / len(lines) <= 60:
        return [(line, False) for line in lines]
    return [(" ".join(lines), False)] if lines else []


def verse_of(paragraph: str) -> str:
    """Return preformatted text with its author's line breaks, without a mail program's."""
    lines = [line for raw in paragraph.split("\n") if (line := one_line(raw))]
    wrapped = len(lines) > 2 and sum(len(line) >= WRAPPED_AT for line in lines) >= len(lines) / 2
    return (" " if wrapped else "\n").join(lines)
