"""What can be exported: four tables as data, each field with its type, its meaning and the SQL that reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from uknip_crawler.errors import UsageError


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record.

    `type` is string, integer, instant (UTC), moment (an instant or a bare London day), list (of strings), images
    (of objects) or json. `sql` is an expression, for list and images a query with one column `item` (images: also
    alt, caption, credit). `is_text`: words the publisher wrote or that may quote them, left out by `--without-text`. `is_extra`: only
    there when asked for by name.
    """

    name: str
    type: str
    meaning: str
    sql: str
    is_text: bool = False
    is_extra: bool = False
    keys: tuple[str, ...] = ()

    def without_text(self) -> Field:
        """Return the field with alternative texts and captions taken out of its images."""
        return replace(self, keys=tuple(key for key in self.keys if key not in ("alt", "caption")))


@dataclass(frozen=True, slots=True)
class Table:
    """`source` names the articles `a`; `key` identifies a row where no part of it can be
    unknown; `rows` is what they are called; `moment` is the SQL of the time that a row is filed under."""

    title: str
    rows: str
    meaning: str
    source: str
    order: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    moment: str = "a.published_at"

    def chosen(self, names: Iterable[str] | None, *, without_text: bool) -> tuple[Field, ...]:
        """Return the fields asked for, in the order asked for; None means the default record.

        Raises UsageError for a field that does not exist, is named twice, or is text where none is wanted.
        """
        by_name = {field.name: field for field in self.fields}
        default = [f.name for f in self.fields if not f.is_extra and not (without_text and f.is_text)]
        names = default if names is None else list(names)
        for name in names:
            if name not in by_name:
                raise UsageError(f"there is no field {name!r}: choose from {', '.join(by_name)}")
            if names.count(name) > 1:
                raise UsageError(f"the field {name} is named twice")
            if without_text and by_name[name].is_text:
                raise UsageError(f"{name} is the publisher's text: leave out either it or --without-text")
        return tuple(by_name[name].without_text() if without_text else by_name[name] for name in names)


HIDDEN = """SELECT url FROM articles WHERE status = 'redacted' UNION ALL
    SELECT aliases.url FROM aliases JOIN articles ON articles.id = article_id WHERE status = 'redacted'"""
"""Every address of a redacted story: no record may name one."""


SITE = Field("site", "string", "Host of the site that the record's archive is of.", ":site")
"""The first column of exports of several archives; the parameter is bound by who reads an archive."""


def _shown(column: str) -> str:
    return f"CASE WHEN {column} NOT IN ({HIDDEN}) THEN {column} END"


_ARTICLE = Field("article_url", "string", "Address of the article, as in articles.", "a.url")
_CAPTURED = "When this state was first captured; the edit itself was earlier."
_BODY = "Plain text: blocks separated by one blank line, list items start with `- `."
_DIGEST = "SHA-256 of headline and body with spacing, quotes and list markers evened out; equal means the same words."

# fmt: off
_ARTICLES = (
    Field("url", "string", "Canonical address: where the story lives now, or lived last.", "a.url"),
    Field("aliases", "list", "The story's other addresses, in alphabetical order.",
          "SELECT url AS item FROM aliases WHERE article_id = a.id ORDER BY url"),
    Field("headline", "string", "Headline, without the site's name and without kicker.", "a.headline", is_text=True),
    Field("kicker", "string", "The label printed over or glued to the headline.", "a.kicker", is_text=True),
    Field("standfirst", "string", "The summary under the headline.", "a.standfirst", is_text=True),
    Field("authors", "list", "Names in the byline, in the page's order.",
          "SELECT name AS item FROM article_authors JOIN authors ON authors.id = author_id "
          "WHERE article_id = a.id ORDER BY position"),
    Field("section", "string", "Where the site files the story.", "a.section"),
    Field("tags", "list", "Tags as printed, in the page's order.",
          "SELECT name AS item FROM article_tags JOIN tags ON tags.id = tag_id "
          "WHERE article_id = a.id ORDER BY position"),
    Field("published_at", "moment", "When first published; empty when the page does not say.", "a.published_at"),
    Field("modified_at", "moment", "When the page says it was last changed.", "a.modified_at"),
    Field("body", "string", _BODY + " No captions, credits, embeds or furniture.", "a.body", is_text=True),
    Field("images", "images", "Images, lead image first: `{url, alt, caption, credit}`; in CSV the addresses.",
          "SELECT url, alt, caption, credit FROM article_images JOIN images ON images.id = image_id "
          "WHERE article_id = a.id ORDER BY position", keys=("url", "alt", "caption", "credit")),
    Field("language", "string", "Language the page declares, such as en-GB.", "a.language"),
    Field("word_count", "integer", "Words of the body, split at white space.", "a.word_count"),
    Field("status", "string", "`live` or `gone`; redacted articles are not exported.", "a.status"),
    Field("revisions", "integer", "How many revisions are known; 1 when never edited.", "a.revision_count"),
    Field("duplicate_of", "string", "Address of the first story of its group of copies.",
          "(SELECT url FROM articles AS o WHERE o.id = a.duplicate_of AND o.status <> 'redacted')"),
    Field("first_seen_at", "instant", "First capture of the story.", "a.first_seen_at"),
    Field("last_seen_at", "instant", "Last time the site answered with the story, changed or not.", "a.last_seen_at"),
    Field("captured_at", "instant", "Capture this record was read from.", "a.captured_at"),
    Field("layout", "string", "Name of the layout the page had when captured.",
          "(SELECT name FROM layouts WHERE layouts.id = a.layout_id)"),
    Field("extractor_version", "string", "Version of the extraction rules that read the capture.",
          "a.extractor_version"),
    Field("body_sha256", "string", "SHA-256 of the body's UTF-8 bytes.", "a.body_sha256"),
    Field("content_sha256", "string", _DIGEST, "a.content_sha256", is_extra=True),
    Field("last_changed_at", "instant", "Capture that brought the latest revision.", "a.last_changed_at",
          is_extra=True),
    Field("gone_at", "instant", "When the story was found gone.", "a.gone_at", is_extra=True),
    Field("post_id", "integer", "WordPress's number for the story; survives changes of address.", "a.post_id",
          is_extra=True),
    Field("lead_image_url", "string", "Address of the lead image.", "a.lead_image_url", is_extra=True),
    Field("time_flags", "list", "Times that cannot be right: published_in_future, modified_in_future, "
          "modified_before_published, published_too_early.",
          "SELECT value AS item FROM json_each(a.time_flags) ORDER BY key", is_extra=True),
    Field("parts", "integer", "How many pages the story has on the site.", "a.parts", is_extra=True),
    Field("missing_parts", "list", "Which of these pages could not be had: their text is not in the body.",
          "SELECT value AS item FROM json_each(a.missing_parts) ORDER BY key", is_extra=True),
    Field("modified_is_migration", "integer", "1 where modified_at was written by a move of the site, else 0.",
          "a.modified_is_migration", is_extra=True),
    Field("published_raw", "string", "The text published_at was read from.", "a.published_raw", is_text=True, is_extra=True),
    Field("modified_raw", "string", "The text modified_at was read from.", "a.modified_raw", is_text=True, is_extra=True),
    Field("sources", "json", "Where each field came from: json-ld, meta, label, address, markup, rest or feed.",
          "a.sources", is_extra=True),
    Field("blocks", "json", "The story in reading order: paragraph, heading, list_item, quote, table, image, embed.",
          "a.blocks", is_text=True, is_extra=True),
)

_REVISIONS = (
    _ARTICLE,
    Field("number", "integer", "1 for the first known state, then counting up.", "r.number"),
    Field("captured_at", "instant", _CAPTURED, "r.captured_at"),
    Field("modified_at", "moment", "When the page said it was changed.", "r.modified_at"),
    Field("kind", "string", "What kind of edit it was: first, typo, correction, headline, update, substantive or "
          "metadata.", "r.kind"),
    Field("headline", "string", "Headline in this state.", "r.headline", is_text=True),
    Field("standfirst", "string", "Standfirst in this state.", "r.standfirst", is_text=True),
    Field("body", "string", _BODY, "r.body", is_text=True),
    Field("word_count", "integer", "Words of this body.", "r.word_count"),
    Field("added_words", "integer", "Words of the body that the revision before did not have.", "r.added_words"),
    Field("removed_words", "integer", "Words of the revision before that are gone.", "r.removed_words"),
    Field("content_sha256", "string", _DIGEST, "r.content_sha256"),
)

_IMAGES = (
    _ARTICLE,
    Field("position", "integer", "Place in the page's order, from 0.", "p.position"),
    Field("url", "string", "Address of the image.", "i.url"),
    Field("is_lead", "integer", "1 for the lead image, else 0.", "p.is_lead"),
    Field("alt", "string", "Alternative text.", "p.alt", is_text=True),
    Field("caption", "string", "Caption as printed.", "p.caption", is_text=True),
    Field("credit", "string", "Credit as printed.", "p.credit"),
    Field("sha256", "string", "SHA-256 of the file, where it is kept.", "i.sha256"),
    Field("media_type", "string", "What the file's content is, such as image/jpeg.", "i.media_type"),
    Field("size_bytes", "integer", "Size of the file.", "i.size_bytes"),
    Field("width", "integer", "Width in pixels.", "i.width"),
    Field("height", "integer", "Height in pixels.", "i.height"),
    Field("fetched_at", "instant", "When it was kept.", "i.fetched_at"),
)

_LEDGER = (
    Field("run", "integer", "Number of the run.", "f.run_id"),
    Field("url", "string", "Address asked for.", "f.url"),
    Field("imported_from", "string", "For an imported capture, the file it came from and the place there.",
          "nullif(f.imported_from, '')"),
    Field("kind", "string", "What was expected there: article, listing, unknown, or a source.", "f.kind"),
    Field("found_by", "string", "What named the address: sitemap, feed, rest, listing, link, redirect, seed …",
          "f.found_by"),
    Field("found_on", "string", "The page or document that named it.", _shown("f.found_on")),
    Field("reason", "string", "Why it was due.", "f.reason"),
    Field("opened_at", "instant", "When it was scheduled.", "f.opened_at"),
    Field("closed_at", "instant", "When its outcome was recorded.", "f.closed_at"),
    Field("outcome", "string", "How the visit ended; empty while it is under way.", "f.outcome"),
    Field("detail", "string", "The reason in words, where there is one.",
          f"CASE WHEN NOT EXISTS (SELECT 1 FROM ({HIDDEN}) AS h WHERE instr(f.detail, h.url)) THEN f.detail END",
          is_text=True),
    Field("status", "integer", "HTTP status of the answer.", "f.status"),
    Field("attempts", "integer", "Requests it took; 0 when none was sent.", "f.attempts"),
    Field("redirected_to", "string", "Where the answer redirected to.", _shown("f.redirected_to")),
    Field("fetched_at", "instant", "When the answer arrived.", "f.fetched_at"),
    Field("body_bytes", "integer", "Size of the body as sent (compressed).", "f.body_bytes"),
    Field("payload_sha256", "string", "SHA-256 of those bytes.", "f.payload_sha256"),
    Field("warc_name", "string", "The WARC file that holds the capture.", "f.warc_name"),
    Field("warc_offset", "integer", "Where in the file its record begins, in bytes.", "f.warc_offset"),
    Field("warc_length", "integer", "Length of the record there, in bytes.", "f.warc_length"),
    Field("article_url", "string", "Address of the article the visit led to.", "a.url"),
)
# fmt: on

# The index articles_published yields the order of articles, so nothing is sorted or held; undated ones come first.
TABLES = {
    "articles": Table(
        "Articles", "articles", "One record a story, as its latest capture reads.",
        "articles AS a", "a.published_at, a.url", ("url",), _ARTICLES,
    ),
    "revisions": Table(
        "Revisions", "revisions", "Each state of a story's headline and text; a change by the publisher makes one.",
        "articles AS a CROSS JOIN revisions AS r ON r.article_id = a.id",
        "a.published_at, a.url, r.number", ("article_url", "number"), _REVISIONS,
    ),
    "images": Table(
        "Images", "images", "Which story shows which image, and what is said of it there.",
        "articles AS a CROSS JOIN article_images AS p ON p.article_id = a.id JOIN images AS i ON i.id = p.image_id",
        "a.published_at, a.url, p.position", ("article_url", "position"), _IMAGES,
    ),
    "ledger": Table(
        "Ledger", "visits", "One record for every address a run scheduled, closed with exactly one outcome.",
        "fetches AS f LEFT JOIN articles AS a ON a.id = f.article_id", "f.id", (), _LEDGER,
        "f.opened_at",
    ),
}  # fmt: skip


def rows_of(table: str) -> str:
    """Return what the rows of a table are called, also of what only other formats count."""
    return TABLES[table].rows if table in TABLES else table
