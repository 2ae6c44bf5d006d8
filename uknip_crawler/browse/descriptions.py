"""What every table and column of the archive means; docs/schema.md and Datasette say it in these words."""

from __future__ import annotations

from typing import NamedTuple


class Table(NamedTuple):
    """A table's heading, what one row is, and what each column holds. Units in Datasette's (pint's) spelling."""

    title: str
    description: str
    columns: dict[str, str]
    units: dict[str, str] = {}  # noqa: RUF012 - never changed


_ID = "Number of the row in this archive; means nothing outside it."
_ARTICLE = "The article."
_POSITION = "Place in the page's order, from 0."
_ETAG = "The ETag header of the last answer, sent back to ask only for changes."
_LAST_MODIFIED = "The Last-Modified header of the last answer, sent back likewise."
_FETCH = "The visit whose capture this was read from."

TABLES: dict[str, Table] = {
    "articles": Table(
        "Articles",
        "One row a story, as its latest capture reads, however many addresses, copies and edits it has had.",
        {
            "id": _ID,
            "url": "Canonical address: where the story lives now, or lived last.",
            "headline": "Headline, without the site's name and without kicker.",
            "kicker": "The label printed over or glued to the headline, such as KNIFE ATTACK.",
            "standfirst": "The summary under the headline, where the page has one of its own.",
            "section": "The section the page names, or the one in its address; sometimes the newsroom's slip.",
            "published_at": "When first published: UTC instant, or a bare London day where the page prints no time. "
            "Empty when the page does not say: never a guess.",
            "modified_at": "When the page says it was last changed; modified_is_migration says where that is not so.",
            "body": "Plain text: blocks separated by one blank line, list items start with `- `. No captions, "
            "credits, embeds or furniture.",
            "blocks": "The story in reading order as JSON: paragraph, heading, list_item, quote, table, image, embed.",
            "word_count": "Words of the body, split at white space.",
            "language": "Language the page declares, such as en-GB.",
            "lead_image_url": "Address of the lead image.",
            "status": "live, gone (404 or 410 in two runs; everything stays readable), or redacted.",
            "first_seen_at": "First capture of the story.",
            "last_seen_at": "Last time the site answered with the story, changed or not.",
            "last_changed_at": "Capture that brought the latest revision.",
            "captured_at": "Capture this row was read from.",
            "gone_at": "When the story was found gone.",
            "revision_count": "How many revisions are known; 1 when never edited.",
            "duplicate_of": "Another article with the same text; both are kept.",
            "post_id": "WordPress's number for the story; survives changes of address.",
            "layout_id": "The layout the page had when captured.",
            "extractor_version": "Version of the extraction rules that read the capture.",
            "body_sha256": "SHA-256 of the body's UTF-8 bytes.",
            "content_sha256": "SHA-256 of headline and body with spacing, quotes and list markers evened out; "
            "equal means the same words.",
            "published_raw": "The text published_at was read from, also when it could not be read.",
            "modified_raw": "The text modified_at was read from, likewise.",
            "sources": "Where each field came from, as JSON: json-ld, meta, label, address, markup, rest or feed.",
            "fetch_id": _FETCH,
            "missed_runs": "How many runs in a row did not find the story at its address.",
            "missed_run_id": "The last run that did not find it.",
            "month": "Year and month of published_at (UTC); computed, for grouping.",
            "modified_is_migration": "1 where modified_at was written by a move of the site, not by an edit: it is "
            "over 180 days after publication, and so it is that same London day for 20 stories and a fifth of all "
            "or more. Else 0. Reckoned anew when stories are read again.",
        },
    ),
    "evidence": Table(
        "Evidence",
        "Everything that is said of a story's headline, dates, authors and section, also what was not believed.",
        {
            "article_id": _ARTICLE,
            "position": "Order, from 0; of each field the finding that was taken comes first.",
            "field": "published_at, modified_at, headline, authors or section.",
            "source": "Who says so: json-ld, meta, label, markup, address, alone (a date without a label), rest, feed; "
            "news-id is the day about which the number in the address was given out, told where a date contradicts it.",
            "raw": "The text as printed, at most 500 characters.",
            "value": "What it was read as; empty where it could not be read, or names the newsroom itself as author.",
        },
    ),
    "revisions": Table(
        "Revisions",
        "Each state of a story's headline and text. A change by the publisher makes one; a new extractor, a "
        "redesign or changed furniture does not.",
        {
            "id": _ID,
            "article_id": _ARTICLE,
            "number": "1 for the first known state, then counting up.",
            "captured_at": "When this state was first captured; the edit itself was earlier.",
            "modified_at": "When the page said it was changed.",
            "headline": "Headline in this state.",
            "standfirst": "Standfirst in this state.",
            "body": "Plain text in this state.",
            "word_count": "Words of this body.",
            "content_sha256": "Like the article's content_sha256; differs from the revision before.",
            "fetch_id": _FETCH,
            "kind": "What kind of edit it was: first (as first captured), typo (a few words spelt anew, no figure "
            "changed), correction (a few other words), headline, update (everything stands and paragraphs came), "
            "substantive (anything larger), metadata (quote marks and the like). Told at the end of the run.",
            "added_words": "Words of the body that the revision before did not have.",
            "removed_words": "Words of the revision before that are gone.",
        },
    ),
    "aliases": Table(
        "Aliases",
        "Other addresses of stories: earlier ones, redirecting ones.",
        {
            "url": "The other address.",
            "article_id": "The article it leads to.",
            "evidence": "Why it is the same story: redirect, post number, canonical link, same text and slug …",
            "first_seen_at": "First time this address led to the story.",
            "last_seen_at": "Last time it did.",
        },
    ),
    "events": Table(
        "Events",
        "What happened to a story other than an edit: it moved, was taken off the lists, went missing, came back.",
        {
            "id": _ID,
            "article_id": _ARTICLE,
            "run_id": "The run that found out.",
            "kind": "moved; unpublished (a source that lists every story lists it no longer); missing (answered 404 or 410); "
            "redirected (to the home page or another story); protected (by a password); gone (missing in two runs); "
            "restored (there again after any of these).",
            "at": "When it was found out (UTC).",
            "detail": "From where to where, and how that is known.",
        },
    ),
    "authors": Table(
        "Authors",
        "People named in bylines. The newsroom's own account is the publisher and not among them.",
        {"id": _ID, "name": "Name as printed."},
    ),
    "article_authors": Table(
        "Authors of articles",
        "Who wrote what.",
        {"article_id": _ARTICLE, "position": _POSITION, "author_id": "The author."},
    ),
    "tags": Table("Tags", "Tags the site gives its stories.", {"id": _ID, "name": "Tag as printed."}),
    "article_tags": Table(
        "Tags of articles",
        "Which story has which tag.",
        {"article_id": _ARTICLE, "position": _POSITION, "tag_id": "The tag."},
    ),
    "images": Table("Images", "Pictures, by address.", {"id": _ID, "url": "Address of the picture."}),
    "article_images": Table(
        "Images of articles",
        "Which story shows which picture, and what is said of it there.",
        {
            "article_id": _ARTICLE,
            "position": _POSITION,
            "image_id": "The picture.",
            "is_lead": "1 for the lead image, else 0.",
            "alt": "Alternative text; on this site often a file name or another story's headline.",
            "caption": "Caption as printed.",
            "credit": "Credit as printed.",
        },
    ),
    "links": Table(
        "Links",
        "Links inside stories.",
        {
            "article_id": _ARTICLE,
            "position": _POSITION,
            "url": "Where the link leads.",
            "text": "Its visible text.",
        },
    ),
    "runs": Table(
        "Runs",
        "One row each time the archive was crawled, imported into or replayed.",
        {
            "id": _ID,
            "kind": "crawl, import (from WARC files) or replay (of captures a killed run left behind).",
            "base_url": "The site's address.",
            "started_at": "Start (UTC).",
            "finished_at": "End (UTC); empty while running, or when killed and not yet tidied up.",
            "exit_status": "0 complete, 3 finished with failures, 4 site down or asked to wait, 5 storage, "
            "130 or 143 stopped by a signal.",
            "end_reason": "Why it ended, in a word.",
            "requests": "Requests sent.",
            "received_bytes": "Bytes of bodies received, as sent (compressed).",
            "settings": "The run's settings as JSON.",
            "version": "Version of uknip.",
        },
        {"received_bytes": "byte"},
    ),
    "fetches": Table(
        "Fetches",
        "The ledger: one row for every address a run scheduled, closed with exactly one outcome.",
        {
            "id": _ID,
            "run_id": "The run.",
            "url": "Address asked for.",
            "kind": "What was expected there: article, listing, unknown, or a source (robots, rest, sitemap, feed).",
            "found_by": "What named the address: sitemap, feed, rest, listing, link, redirect, seed …",
            "found_on": "The page or document that named it.",
            "opened_at": "When it was scheduled.",
            "closed_at": "When its outcome was recorded.",
            "outcome": "How the visit ended; docs/schema.md lists all. Empty while it is under way.",
            "detail": "The reason in words, where there is one.",
            "status": "HTTP status of the answer.",
            "attempts": "Requests it took; 0 when none was sent.",
            "redirected_to": "Where the answer redirected to.",
            "fetched_at": "When the answer arrived.",
            "etag": "ETag header of the answer.",
            "last_modified": "Last-Modified header of the answer.",
            "body_bytes": "Size of the body as sent (compressed).",
            "payload_sha256": "SHA-256 of those bytes.",
            "warc_name": "The WARC file that holds the capture.",
            "warc_offset": "Where in the file its record begins, in bytes.",
            "warc_length": "Length of the record there, in bytes.",
            "article_id": "The article the visit led to.",
            "layout_id": "The layout of the page, where it brought a story.",
            "reason": "Why it was due: new, changed (a source says so), relisted, unlisted (a source lists it no longer), "
            "revisit (its time had come), retry, listing, wanted (somebody asked for it). Empty for sources and redirects.",
        },
        {"body_bytes": "byte"},
    ),
    "frontier": Table(
        "Frontier",
        "Every known address, and when it is due for a first or next visit.",
        {
            "url": "The address, in canonical form.",
            "kind": "article, listing or unknown.",
            "found_by": "What named the address first: sitemap, feed, rest, listing, link …",
            "found_on": "The page or document that named it first.",
            "first_seen_at": "When it was first named.",
            "due_at": "When the next visit is due; empty for never.",
            "priority": "Higher is visited earlier; revisits stand below 0, those likeliest to find an edit first.",
            "post_id": "WordPress's number, where a source gave one.",
            "listed_on": "The source that vouches for the address.",
            "listed_at": "When that source last listed it.",
            "listed_modified_at": "When that source says it was last changed.",
            "last_fetched_at": "Last visit.",
            "last_outcome": "How the last visit ended.",
            "etag": _ETAG,
            "last_modified": _LAST_MODIFIED,
            "failures": "Failed visits in a row.",
            "article_id": "The article found there.",
            "listed_said": "What REST and feed say of the story, as JSON: source, then field, text and value of each.",
            "reason": "Why it is due, as in fetches.",
        },
    ),
    "sources": Table(
        "Sources",
        "The site's own lists of stories, and robots.txt: how far each was read.",
        {
            "url": "Address of the document.",
            "kind": "robots, rest, sitemap, feed or listing.",
            "last_read_at": "Last read, complete or not.",
            "last_complete_at": "Last read to its end.",
            "status": "complete, partial, unchanged, failed or absent.",
            "listed": "How many addresses it listed.",
            "cursor": "How far the last complete read came, in the source's own words.",
            "etag": _ETAG,
            "last_modified": _LAST_MODIFIED,
            "detail": "What went wrong, in words.",
        },
    ),
    "layouts": Table(
        "Layouts",
        "The ways the site's story pages have been built, and what was learned of each from its captures.",
        {
            "id": _ID,
            "skeleton": "What pages of this layout share: the way from body down to the headline.",
            "name": "A short name; the same markup always gets the same.",
            "state": "learning, trusted (read by place), drifting (lately the referee disagrees) or retired (no longer seen).",
            "pages": "Captures with it.",
            "studied": "Captures that the rules were learned from.",
            "agreement": "Share of the studied captures on which trafilatura finds the same story, 0 to 1.",
            "rules": "What was learned, as JSON: places of the body, of story and of furniture below it, recurring lines.",
            "first_seen_at": "First capture with it.",
            "last_seen_at": "Last capture with it.",
            "learned_at": "When layouts were last learned.",
            "learned_through": "The last visit that this learning could see.",
        },
    ),
    "furniture": Table(
        "Furniture",
        "Lines taken out of bodies because they belong to the page, not to the story; article_furniture says from which.",
        {
            "id": _ID,
            "text": "The line.",
            "rule": "The rule that took it out: place and recurs were learned, verdict is the researcher's.",
            "place": "Where it stood below the body's element, when learned by place.",
            "verdict": "The researcher's word: keep or strip; empty to leave it to the rules.",
            "first_seen_at": "First capture with it.",
            "last_seen_at": "Last capture with it.",
        },
    ),
    "article_furniture": Table(
        "Furniture of articles",
        "Which lines were taken out of which story's page.",
        {"article_id": "The article.", "furniture_id": "The line."},
    ),
    "audits": Table(
        "Audits",
        "Each comparison of a sample of stories with the site's own content.",
        {
            "id": _ID,
            "run_id": "The run that asked for it.",
            "at": "When.",
            "source": "rest or feed: where the site's content came from.",
            "sampled": "Stories in the sample.",
            "compared": "Stories compared.",
            "edited_since": "Stories the site changed after our capture; not compared.",
            "not_offered": "Stories whose content the site did not offer.",
            "precision": "Share of our words that are the site's, mean over stories, 0 to 1.",
            "recall": "Share of the site's words that we hold, mean over stories, 0 to 1.",
            "exact_share": "Share of stories that are word for word the same.",
        },
    ),
    "audit_stories": Table(
        "Audited stories",
        "How each story of an audit compared.",
        {
            "audit_id": "The audit.",
            "article_id": "The article.",
            "precision": "Share of our words that are the site's, 0 to 1.",
            "recall": "Share of the site's words that we hold, 0 to 1.",
            "is_exact": "1 when word for word the same.",
            "diff": "From the site's text to ours, one paragraph a line; empty when exact.",
        },
    ),
    "warcs": Table(
        "WARC files",
        "Files in warc/ that hold every response as received (ISO 28500), one gzip member a record.",
        {
            "name": "File name in warc/.",
            "run_id": "The run that wrote it.",
            "opened_at": "When it was begun.",
            "closed_at": "When it was closed; until then its name on disk ends in .open.",
            "size_bytes": "Its size when closed.",
        },
        {"size_bytes": "byte"},
    ),
}
"""Every table of the archive except SQLite's and sqlite-utils' own; the order is the reader's."""
