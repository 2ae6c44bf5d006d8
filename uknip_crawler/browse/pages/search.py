"""Search: words, filters, order, pages; the address of every answer can be passed on, and the answer taken along."""

from __future__ import annotations

from dataclasses import dataclass, replace

from markupsafe import Markup

from uknip_crawler.browse.pages.addresses import by_address, looks_like_address, permalink
from uknip_crawler.browse.pages.asking import Ask, Elsewhere, Page, Stream
from uknip_crawler.browse.pages.cards import Card, cards
from uknip_crawler.browse.pages.facets import counted
from uknip_crawler.browse.pages.feeds import feed, of_card
from uknip_crawler.browse.pages.question import ORDERS, SIZES, Found, Question, asked, found
from uknip_crawler.export.taking import take

COMMON = 10_000
"""From so many stories on the best match means nothing, and finding it takes long."""

_OPEN, _CLOSE = "\x02", "\x03"
_SNIPPET_WORDS = 40
_IN_FEED = 50
_MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class Hit:
    """A story found. `headline` and `snippet` have the words found in `<mark>`."""

    card: Card
    headline: Markup
    snippet: Markup


def show(ask: Ask) -> Page:
    """Show what was found, and the form to ask again."""
    question = asked(ask)
    is_address = looks_like_address(ask, question.words)
    if is_address and (story := by_address(ask, question.words)):
        raise Elsewhere(permalink(story["url"]))
    stories = found(ask, question)
    is_common = question.order == "relevance" and stories.count > COMMON
    pages = max(-(-stories.count // question.size), 1)
    question = replace(
        question, order="date" if is_common else question.order, page=min(question.page, pages)
    )
    return Page(
        "search",
        {
            "question": question,
            "is_address": is_address,
            "is_common": is_common,
            "hits": _hits(ask, question, _ordered(ask, question, stories)),
            "found": stories.count,
            "pages": pages,
            "counted": counted(ask, question, stories),
            "orders": ORDERS[not question.words :],
            "sizes": SIZES,
            "formats": tuple(_MEDIA_TYPES),
            "sections": [
                row[0]
                for row in ask.rows(
                    "SELECT section FROM articles WHERE section IS NOT NULL GROUP BY section ORDER BY section"
                )
            ],
        },
        canonical=f"/read/search{question.address(page=question.page if question.page > 1 else '')}",
    )


def download(ask: Ask) -> Stream:
    """Give all that was found as a file, oldest first, as `uknip export` writes it."""
    name = ask.path["format"]
    selection = asked(ask).selection()
    return Stream(
        lambda output: take(ask.archive, name, selection, output), _MEDIA_TYPES[name], f"stories.{name}"
    )


def follow(ask: Ask) -> Page:
    """Give the newest of what was found as an Atom feed."""
    question = replace(asked(ask), order="date", size=_IN_FEED, page=1)
    ids = _ordered(ask, question, found(ask, question))
    title = " ".join(["Stories", *question.told])
    address = replace(question, size=SIZES[0]).address(sort="")
    return feed(
        ask,
        title,
        f"/read/search.atom{address}",
        f"/read/search{address}",
        [of_card(one) for one in cards(ask, ids)],
    )


def _ordered(ask: Ask, question: Question, stories: Found) -> list[int]:
    """Return the numbers of the stories on the question's page."""
    given: dict[str, int | str] = {"size": question.size, "skip": (question.page - 1) * question.size}
    if question.order == "relevance":
        sql = f"""SELECT f.rowid FROM articles_fts AS f WHERE articles_fts MATCH :match AND {stories.within("f.rowid")}
            ORDER BY bm25(articles_fts)"""
        given |= {"match": question.wanted.match}
    else:
        order = {
            "date": "a.published_at DESC, a.url DESC",
            "oldest": "a.published_at IS NULL, a.published_at, a.url",
        }
        sql = f"""SELECT a.id FROM articles AS a INDEXED BY articles_published WHERE {stories.within("a.id")}
            ORDER BY {order[question.order]}"""
    return [row[0] for row in ask.rows(f"{sql} LIMIT :size OFFSET :skip", **given)]


def _hits(ask: Ask, question: Question, ids: list[int]) -> list[Hit]:
    marked = {}
    if question.words and ids:
        numbers = ", ".join(str(number) for number in ids)
        marked = {
            row[0]: (row[1], row[2])
            for row in ask.rows(
                f"""SELECT rowid, highlight(articles_fts, 0, :open, :close),
                snippet(articles_fts, 2, :open, :close, '…', {_SNIPPET_WORDS})
                FROM articles_fts WHERE articles_fts MATCH :match AND rowid IN ({numbers})""",
                match=question.wanted.match,
                open=_OPEN,
                close=_CLOSE,
            )
        }
    hits = []
    for card in cards(ask, ids):
        headline, snippet = marked.get(card.story["id"], (card.story["headline"], card.opening))
        hits.append(Hit(card, _marked(headline or "(no headline)"), _marked(snippet or "")))
    return hits


def _marked(text: str) -> Markup:
    """Return a text in which what stands between the signs is marked; the text itself stays text."""
    shown = Markup()
    for place, piece in enumerate(text.split(_OPEN)):
        if place == 0:
            shown += Markup.escape(piece.replace(_CLOSE, ""))
            continue
        inside, _, after = piece.partition(_CLOSE)
        shown += Markup("<mark>{}</mark>{}").format(inside, after.replace(_CLOSE, ""))
    return shown
