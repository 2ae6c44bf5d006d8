"""Stories taken out for good: the marks by which each is known again, and what of it is still to be done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlite_utils import Database

from uknip_crawler.archive.database import as_moment, as_text
from uknip_crawler.models import Moment
from uknip_crawler.times import LONDON
from uknip_crawler.urls import slug

_CHOSEN = "(SELECT value FROM json_each(:ids))"


@dataclass(frozen=True, slots=True)
class Redaction:
    """One redaction; `story` is the article's id, `is_finished` tells whether nothing is left to do."""

    id: int
    story: int | None
    at: str
    reason: str
    is_finished: bool
    is_erased: bool


def address_mark(url: str) -> str:
    """Return the mark of an address, whatever its scheme, capitals and last slash."""
    parts = urlsplit(url)
    rest = f"{parts.netloc.removeprefix('www.')}{parts.path.rstrip('/')}?{parts.query}"
    return _mark("address", rest.lower())


def marks_of(
    urls: Iterable[str], post_id: int | None, published: Moment | None, digests: Iterable[str]
) -> set[str]:
    """Return all marks of a story: its addresses; its number and its slugs, each with the day; digests of its texts.

    Numbers and slugs come again, on another day: an undated story has no such marks.
    """
    urls = list(urls)
    marks = {address_mark(url) for url in urls} | {_mark("text", digest) for digest in digests}
    if published is not None:
        day = published.astimezone(LONDON).date() if isinstance(published, datetime) else published
        marks |= {_mark("slug", f"{slug(url).lower()} {day}") for url in urls if slug(url)}
        if post_id is not None:
            marks.add(_mark("post", f"{post_id} {day}"))
    return marks


def hidden(url: str) -> str:
    """Return what stands in the ledger for an address that must not be read there."""
    return f"redacted:{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def _mark(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind} {value}".encode("utf-8", "replace")).hexdigest()


class Redactions:
    """All methods run inside the caller's transaction, except those that only read."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._marks = {mark for (mark,) in db.conn.execute("SELECT mark FROM redaction_marks")}

    # The gate

    @property
    def are_any(self) -> bool:
        return bool(self._marks)

    @property
    def known(self) -> frozenset[str]:
        """All marks of all redacted stories."""
        return frozenset(self._marks)

    def keeps_out(self, url: str) -> bool:
        """Tell whether an address is a redacted story's; then it is neither asked for nor written down."""
        return bool(self._marks) and address_mark(url) in self._marks

    def of_address(self, url: str) -> int | None:
        """Return the number of the redaction whose story had an address, or None."""
        return self.matching({address_mark(url)})

    def matching(self, marks: set[str]) -> int | None:
        """Return the number of the redaction whose story has one of some marks, or None."""
        found = marks & self._marks
        if not found:
            return None
        row = self._db.conn.execute(
            "SELECT redaction_id FROM redaction_marks WHERE mark = ?", (min(found),)
        ).fetchone()
        return int(row[0])

    def withhold(self, fetch_id: int, url: str, redaction_id: int | None) -> None:
        """Hide the address of a visit that ended at a redacted story, and know it from now on."""
        execute = self._db.conn.execute
        execute(
            "UPDATE fetches SET url = ?, found_on = NULL, redirected_to = NULL, detail = NULL, etag = NULL, "
            "article_id = (SELECT article_id FROM redactions WHERE id = ?) WHERE id = ?",
            (hidden(url), redaction_id, fetch_id),
        )
        execute("DELETE FROM frontier WHERE url = ?", (url,))
        if redaction_id is not None:
            self._add_marks(redaction_id, {address_mark(url)})

    # Redactions

    def begin(self, story: int, marks: set[str], reason: str, *, at: datetime) -> None:
        """Record that a story is being taken out: from now on it is kept out."""
        row = self._db.conn.execute(
            "INSERT INTO redactions (article_id, at, reason) VALUES (?, ?, ?)", (story, as_text(at), reason)
        )
        self._add_marks(row.lastrowid or 0, marks)

    def adopt(self, marks: Iterable[str], reason: str, at: str) -> None:
        """Take over a redaction that a WARC file tells of, unless it is known; `at` is as it was written there."""
        marks = set(marks)
        if marks <= self._marks:
            return
        row = self._db.conn.execute(
            "INSERT INTO redactions (at, reason, finished_at) VALUES (?1, ?2, ?1)", (at, reason)
        )
        self._add_marks(row.lastrowid or 0, marks)

    def learn(self, redaction_id: int, marks: set[str]) -> None:
        """Know a redacted story by more marks."""
        self._add_marks(redaction_id, marks)

    def _add_marks(self, redaction_id: int, marks: set[str]) -> None:
        self._db.conn.executemany(
            "INSERT OR IGNORE INTO redaction_marks (mark, redaction_id) VALUES (?, ?)",
            [(mark, redaction_id) for mark in sorted(marks)],
        )
        self._marks |= marks

    def date_tombstones(self) -> None:
        """Have what is left of each story say when it was taken out first, and that once."""
        execute = self._db.conn.execute
        for column in ("first_seen_at", "last_seen_at", "last_changed_at", "captured_at"):
            execute(
                f"UPDATE articles SET {column} = (SELECT min(at) FROM redactions WHERE article_id = articles.id) "
                "WHERE status = 'redacted' AND id IN (SELECT article_id FROM redactions)"
            )
        execute(
            "UPDATE events SET at = (SELECT min(at) FROM redactions AS r WHERE r.article_id = events.article_id) "
            "WHERE kind = 'redacted' AND article_id IN (SELECT article_id FROM redactions)"
        )
        execute(
            "DELETE FROM events WHERE kind = 'redacted' AND id NOT IN (SELECT first_value(id) OVER "
            "(PARTITION BY article_id ORDER BY at, id) FROM events WHERE kind = 'redacted')"
        )

    def finish(self, *, at: datetime) -> None:
        self._db.conn.execute(
            "UPDATE redactions SET finished_at = ? WHERE finished_at IS NULL", (as_text(at),)
        )

    def all(self) -> list[Redaction]:
        """Return every redaction, oldest first."""
        rows = self._db.conn.execute(
            "SELECT r.id, article_id, at, reason, finished_at IS NOT NULL, coalesce(a.status, 'redacted') = 'redacted' "
            "FROM redactions AS r LEFT JOIN articles AS a ON a.id = article_id ORDER BY r.id"
        )
        return [
            Redaction(i, story, at, why, bool(end), bool(erased)) for i, story, at, why, end, erased in rows
        ]

    def marks(self, redaction_id: int) -> tuple[str, ...]:
        rows = self._db.conn.execute(
            "SELECT mark FROM redaction_marks WHERE redaction_id = ? ORDER BY mark", (redaction_id,)
        )
        return tuple(mark for (mark,) in rows)

    def withheld(self) -> dict[str, set[int]]:
        """Return the records that turned out to show a redacted story and are still in WARC files: offsets by file."""
        found: dict[str, set[int]] = {}
        for name, offset in self._db.conn.execute(
            "SELECT warc_name, warc_offset FROM fetches WHERE outcome = 'redacted' AND warc_name IS NOT NULL"
        ):
            found.setdefault(name, set()).add(offset)
        return found

    # What a story consists of

    def story_marks(self, story: int, stories: Sequence[int]) -> set[str]:
        """Return the marks of one of some stories; neither the text of a copy that stays nor an address that another
        story has taken over is one."""
        post_id, published = self._db.conn.execute(
            "SELECT post_id, published_at FROM articles WHERE id = ?", (story,)
        ).fetchone()
        digests = self._column(
            "SELECT content_sha256 FROM revisions WHERE article_id = :story AND content_sha256 NOT IN "
            f"(SELECT content_sha256 FROM revisions WHERE article_id NOT IN {_CHOSEN})",
            {"story": story, "ids": json.dumps(list(stories))},
        )
        moment = as_moment(published) if published else None
        addresses = self.addresses([story])
        addresses -= {url for url, stays in self.other_addresses(stories) if stays and url in addresses}
        return marks_of(addresses, post_id, moment, digests)

    def addresses(self, stories: Sequence[int]) -> set[str]:
        """Return every address that some stories have had, or that led to them."""
        found: set[str] = set()
        for story in stories:
            for sql in (
                "SELECT url FROM articles WHERE id = ?",
                "SELECT url FROM aliases WHERE article_id = ?",
                "SELECT url FROM frontier WHERE article_id = ?",
                "SELECT url FROM fetches WHERE article_id = ?",
            ):
                found.update(self._column(sql, story))
        return {url for url in found if not url.startswith("redacted:")}

    def texts(self, story: int) -> tuple[list[str], list[str]]:
        """Return a story's headlines, and everything else that it says, of all its revisions."""
        headlines = self._column(
            "SELECT headline FROM articles WHERE id = :id UNION SELECT headline FROM revisions WHERE article_id = :id "
            "UNION SELECT raw FROM evidence WHERE article_id = :id AND field = 'headline'",
            {"id": story},
        )
        texts = self._column(
            "SELECT body FROM articles WHERE id = :id UNION SELECT standfirst FROM articles WHERE id = :id "
            "UNION SELECT body FROM revisions WHERE article_id = :id UNION SELECT standfirst FROM revisions "
            "WHERE article_id = :id UNION SELECT alt FROM article_images WHERE article_id = :id "
            "UNION SELECT caption FROM article_images WHERE article_id = :id "
            "UNION SELECT raw FROM evidence WHERE article_id = :id AND field = 'standfirst'",
            {"id": story},
        )
        return headlines, texts

    def own_images(self, stories: Sequence[int]) -> list[tuple[int, str, str | None]]:
        """Return (id, address, digest of the kept file) of the images that no other story shows.

        The digest is None also where an image that stays has the same file.
        """
        return self._db.conn.execute(
            f"WITH own AS (SELECT image_id FROM article_images WHERE article_id IN {_CHOSEN} "
            f"EXCEPT SELECT image_id FROM article_images WHERE article_id NOT IN {_CHOSEN}) "
            "SELECT id, url, CASE WHEN NOT EXISTS (SELECT 1 FROM images AS i WHERE i.sha256 = images.sha256 "
            "AND i.id NOT IN own) THEN sha256 END FROM images WHERE id IN own ORDER BY id",
            {"ids": json.dumps(list(stories))},
        ).fetchall()

    def led_to(self, images: Sequence[str]) -> list[str]:
        """Return the addresses that requests for some images were redirected to and that are no other image's."""
        return self._column(
            "WITH RECURSIVE way (url) AS (SELECT value FROM json_each(?) UNION SELECT redirected_to FROM fetches "
            "JOIN way USING (url) WHERE kind = 'image' AND redirected_to IS NOT NULL) "
            "SELECT url FROM way WHERE url NOT IN (SELECT url FROM images)",
            json.dumps(list(images)),
        )

    def unshown_images(self) -> list[tuple[int, str]]:
        """Return (id, address) of the images that no story shows any more."""
        return self._db.conn.execute(
            "SELECT id, url FROM images WHERE NOT EXISTS (SELECT 1 FROM article_images WHERE image_id = images.id)"
        ).fetchall()

    def claim(self, story: int, images: Iterable[int]) -> None:
        """Count images that a story showed earlier among its own, so that they go with it."""
        self._db.conn.executemany(
            "INSERT INTO article_images (article_id, position, image_id, is_lead) "
            "SELECT ?1, 1 + coalesce(max(position), 0), ?2, 0 FROM article_images WHERE article_id = ?1",
            [(story, image) for image in images],
        )

    def others(self, stories: Sequence[int]) -> Iterable[tuple[str, str]]:
        """Yield (headline, text) of every state of every other story, and ("", text) of what is printed around them."""
        yield from self._db.conn.execute(
            "SELECT headline, coalesce(standfirst, '') || char(10) || body FROM revisions "
            f"WHERE article_id NOT IN {_CHOSEN} "
            "UNION ALL SELECT '', coalesce(alt, '') || char(10) || coalesce(caption, '') || char(10) || "
            f"coalesce(credit, '') FROM article_images WHERE article_id NOT IN {_CHOSEN} "
            f"UNION ALL SELECT '', raw FROM evidence WHERE field = 'standfirst' AND article_id NOT IN {_CHOSEN} "
            "UNION ALL SELECT '', text FROM furniture WHERE verdict IS NOT NULL",
            {"ids": json.dumps(list(stories))},
        )

    def other_addresses(self, stories: Sequence[int]) -> Iterable[tuple[str, bool]]:
        """Yield every other address that is known, and whether it is that of a story that stays."""
        chosen = {"ids": json.dumps(list(stories))}
        yield from self._db.conn.execute(
            f"SELECT url, 1 FROM articles WHERE id NOT IN {_CHOSEN} AND status <> 'redacted' "
            f"UNION ALL SELECT url, 1 FROM aliases WHERE article_id NOT IN {_CHOSEN} "
            f"UNION ALL SELECT url, 0 FROM frontier WHERE coalesce(article_id, 0) NOT IN {_CHOSEN}",
            chosen,
        )

    def copies(self, stories: Sequence[int]) -> list[str]:
        """Return the addresses of stories that stay though they repeat some of these."""
        return self._column(
            f"SELECT url FROM articles WHERE status <> 'redacted' AND id NOT IN {_CHOSEN} AND "
            f"(id IN (SELECT duplicate_of FROM articles WHERE id IN {_CHOSEN}) OR duplicate_of IN {_CHOSEN} "
            f"OR content_sha256 IN (SELECT content_sha256 FROM articles WHERE id IN {_CHOSEN}) "
            f"OR id IN (SELECT other_id FROM near_duplicates WHERE article_id IN {_CHOSEN}) "
            f"OR id IN (SELECT article_id FROM near_duplicates WHERE other_id IN {_CHOSEN})) ORDER BY url",
            {"ids": json.dumps(list(stories))},
        )

    def _column(self, sql: str, *parameters: Any) -> list[str]:
        given = parameters[0] if parameters and isinstance(parameters[0], dict) else parameters
        return [value for (value,) in self._db.conn.execute(sql, given) if value is not None]
