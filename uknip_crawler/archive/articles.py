"""Stories: one row each, with their revisions, aliases, events, people, tags, images and links."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from uknip_crawler.archive.database import as_precise_text, as_text
from uknip_crawler.archive.frontier import WHEN_GONE
from uknip_crawler.archive.story_rows import Evidence, add_revision, holds_page, replace_parts, row_of
from uknip_crawler.models import Article, Outcome
from uknip_crawler.urls import is_same_address, part_of, slug

MISSES_UNTIL_GONE = 2
MASS_SHARE = 0.2
MASS_MINIMUM = 10
ABSENCES = ("unpublished", "missing", "gone", "redirected", "protected")


@dataclass(frozen=True, slots=True)
class Known:
    """What the archive holds of a story, as far as identity and change are concerned."""

    id: int
    url: str
    post_id: int | None
    headline: str
    content_sha256: str
    status: str
    revision_count: int
    published_at: str | None
    first_seen_at: str
    last_seen_at: str
    last_changed_at: str
    captured_at: str
    gone_at: str | None
    parts: int
    missing_parts: str | None


class Articles:
    """All methods run inside the caller's transaction, except those that only read."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # Identity

    def at(self, url: str) -> Known | None:
        """Return the story that lives, or once lived, at an address."""
        return self._known("url = ?", url) or self._known(
            "id = (SELECT article_id FROM aliases WHERE url = ?)", url
        )

    def of(self, article_id: int) -> Known | None:
        return self._known("id = ?", article_id)

    def same_story(
        self, article: Article, content_sha256: str, came_from: Sequence[str]
    ) -> tuple[Known | None, str]:
        """Return the story an article belongs to, with the evidence; (None, "") when it is new.

        `came_from` are the addresses that redirected here. A redirect alone proves nothing: WordPress guesses,
        and sends a dead address to another story whose slug begins the same. Post numbers prove identity when
        the text or the slug agrees, for an old migration may have renumbered posts.
        """
        here = self.at(article.url)
        if here and (here.url == article.url or not _differ(here.post_id, article.post_id)):
            return here, "address"  # an address that another post has taken over is no longer the old story's
        if article.post_id is not None:
            for known in self._all_known("post_id = ?", article.post_id):
                if (part := part_of(known.url)) and is_same_address(part[0], article.url):
                    continue  # a further page that passed for a story until its first page came
                if self._resembles(known, article, content_sha256) or any(
                    self._is_at(known, url) for url in came_from
                ):
                    return known, "post number"
        for url in came_from:
            known_there = self.at(url)
            if (
                known_there
                and not _differ(known_there.post_id, article.post_id)
                and self._resembles(known_there, article, content_sha256)
            ):
                return known_there, "redirect"
        for known in self._all_known("content_sha256 = ?", content_sha256):
            if slug(known.url) == slug(article.url) and not _differ(known.post_id, article.post_id):
                return known, "same text and slug"
        return None, ""

    def _resembles(self, known: Known, article: Article, content_sha256: str) -> bool:
        return (
            known.content_sha256 == content_sha256
            or known.headline.casefold() == article.headline.casefold()
            or slug(known.url) == slug(article.url) != ""
        )

    def _is_at(self, known: Known, url: str) -> bool:
        found = self.at(url)
        return found is not None and found.id == known.id

    def _known(self, condition: str, *parameters: Any) -> Known | None:
        return next(iter(self._all_known(condition, *parameters)), None)

    def _all_known(self, condition: str, *parameters: Any) -> list[Known]:
        columns = ", ".join(Known.__slots__)
        rows = self._db.conn.execute(
            f"SELECT {columns} FROM articles WHERE {condition} ORDER BY id", parameters
        )
        return [Known(*row) for row in rows.fetchall()]

    # Storing

    def store(
        self,
        article: Article,
        content_sha256: str,
        evidence: Evidence,
        came_from: Sequence[str] = (),
        *,
        part: int | None = None,
    ) -> tuple[Outcome, int]:
        """Store an article as captured; return the outcome and the story's id.

        New text makes a revision, a new address an alias and an event, an old story seen again an event when
        it was gone. Storing the same capture twice changes nothing but `last_seen_at`. `part` says which of the
        story's pages it is that was captured: the whole is read again when the story is next read.
        """
        known, why = self.same_story(article, content_sha256, came_from)
        if known is not None and (as_text(evidence.captured_at) or "") < known.captured_at:
            self._add_earlier(known, article, evidence, why)
            return Outcome.UNCHANGED, known.id
        if known is None:
            outcome, article_id = self._insert(article, content_sha256, evidence)
        else:
            if part is not None or known.parts > 1:
                return self._update_part(known, article, evidence, why, part or 1), known.id
            outcome, article_id = self._update(known, article, content_sha256, evidence, why)
        replace_parts(self._db, article_id, article)
        return outcome, article_id

    def _insert(self, article: Article, content_sha256: str, evidence: Evidence) -> tuple[Outcome, int]:
        self._db.conn.execute("DELETE FROM aliases WHERE url = ?", (article.url,))
        twin = self._known("content_sha256 = ?", content_sha256)
        now = as_text(evidence.captured_at)
        row = row_of(article, content_sha256, evidence) | {
            "first_seen_at": now,
            "last_changed_at": now,
            "last_seen_at": now,
            "duplicate_of": twin.id if twin else None,
        }
        article_id = int(self._db.table("articles").insert(row).last_pk or 0)
        add_revision(self._db, article_id, 1, article, content_sha256, evidence)
        return (Outcome.DUPLICATE if twin else Outcome.STORED), article_id

    def _update(
        self, known: Known, article: Article, content_sha256: str, evidence: Evidence, why: str
    ) -> tuple[Outcome, int]:
        row = row_of(article, content_sha256, evidence)
        when = as_text(evidence.captured_at) or ""
        row["last_seen_at"] = max(when, known.last_seen_at)
        outcome = Outcome.UNCHANGED
        if known.content_sha256 != content_sha256:
            outcome = Outcome.REVISED
            number = known.revision_count + 1
            row |= {"revision_count": number, "last_changed_at": as_text(evidence.captured_at)}
            add_revision(self._db, known.id, number, article, content_sha256, evidence)
        return self._put(known, row, outcome, article.url, evidence, why), known.id

    def _update_part(
        self, known: Known, article: Article, evidence: Evidence, why: str, part: int
    ) -> Outcome:
        """Take in one page of a story in pages. Its empty extractor version has the story told anew."""
        when = as_text(evidence.captured_at) or ""
        row = {"url": article.url, "extractor_version": "", "last_seen_at": max(when, known.last_seen_at)}
        is_new = part > known.parts or part in json.loads(known.missing_parts or "[]")
        is_edited = not is_new and not holds_page(self._db, known.id, article, part)
        row |= {"last_changed_at": when} if is_edited else {}
        outcome = Outcome.REVISED if is_edited else Outcome.UNCHANGED
        return self._put(known, row, outcome, article.url, evidence, why, is_first=part == 1)

    def _put(
        self,
        known: Known,
        row: dict[str, Any],
        outcome: Outcome,
        url: str,
        evidence: Evidence,
        why: str,
        *,
        is_first: bool = True,
    ) -> Outcome:
        """Write a story's row as a capture shows it: at this address and, if it is of the first page, still there."""
        if is_first and (known.gone_at is None or (as_text(evidence.captured_at) or "") >= known.gone_at):
            row |= {"status": "live", "gone_at": None, "missed_runs": 0, "missed_run_id": None}
            self._restored(known.id, evidence, url)
        self._db.conn.execute("DELETE FROM aliases WHERE url = ? AND article_id = ?", (url, known.id))
        self._db.table("articles").update(known.id, row)
        if known.url != url:
            moved = f"{known.url} → {url} ({why})"
            self._record(known.id, "moved", evidence.run_id, moved, at=evidence.captured_at)
            self.add_alias(known.id, known.url, why, at=datetime.fromisoformat(known.captured_at))
            outcome = Outcome.ALIAS if outcome is Outcome.UNCHANGED else outcome
        return outcome

    def _add_earlier(self, known: Known, article: Article, evidence: Evidence, why: str) -> None:
        """Take in a capture older than the one shown; the versions are told anew when the story is next read.

        Its empty extractor version sees to it that it is.
        """
        self._db.conn.execute(
            "UPDATE articles SET first_seen_at = min(first_seen_at, ?), extractor_version = '' WHERE id = ?",
            (as_text(evidence.captured_at), known.id),
        )
        if article.url == known.url:
            return
        if self.at(article.url) is None:
            moved = f"{article.url} → {known.url} ({why})"
            at = datetime.fromisoformat(known.first_seen_at)
            self._record(known.id, "moved", evidence.run_id, moved, at=at)
        self.add_alias(known.id, article.url, why, at=evidence.captured_at)

    def _record(self, article_id: int, kind: str, run_id: int, detail: str | None, *, at: datetime) -> None:
        self._db.conn.execute(
            "INSERT INTO events (article_id, run_id, kind, at, detail) VALUES (?, ?, ?, ?, ?)",
            (article_id, run_id, kind, as_text(at), detail),
        )

    def _restored(self, article_id: int, evidence: Evidence, url: str) -> None:
        """Record that a story is there again, when the last word on it was that it is not."""
        if self._last_word(article_id) in ABSENCES:
            self._record(article_id, "restored", evidence.run_id, url, at=evidence.captured_at)

    def _last_word(self, article_id: int) -> str | None:
        kinds = (*ABSENCES, "restored")
        row = self._db.conn.execute(
            f"SELECT kind FROM events WHERE article_id = ? AND kind IN ({', '.join('?' * len(kinds))}) "
            "ORDER BY id DESC LIMIT 1",
            (article_id, *kinds),
        ).fetchone()
        return row[0] if row else None

    def add_alias(self, article_id: int, url: str, why: str, *, at: datetime) -> None:
        """Record another address of a story, seen at an instant and whenever it was visited; its own current address is none."""
        visited = self._db.conn.execute(
            "SELECT min(fetched_at), max(fetched_at) FROM fetches WHERE url = ? AND article_id = ?",
            (url, article_id),
        ).fetchone()
        times = [time for time in (as_text(at), *visited) if time]
        self._db.conn.execute(
            """
            INSERT INTO aliases (url, article_id, evidence, first_seen_at, last_seen_at)
            SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM articles WHERE url = ?)
            ON CONFLICT (url) DO UPDATE SET first_seen_at = min(first_seen_at, excluded.first_seen_at),
                last_seen_at = max(last_seen_at, excluded.last_seen_at)
            """,
            (url, article_id, why, min(times), max(times), url),
        )

    # Life after the first capture

    def seen_unchanged(self, known: Known, evidence: Evidence) -> None:
        """Record that the site answered 304: still there, still the same. Before a later end that says nothing."""
        when = as_text(evidence.captured_at) or ""
        self._db.conn.execute(
            "UPDATE articles SET last_seen_at = max(last_seen_at, ?) WHERE id = ?", (when, known.id)
        )
        if known.gone_at is None or when >= known.gone_at:
            self._db.conn.execute(
                "UPDATE articles SET status = CASE status WHEN 'gone' THEN 'live' ELSE status END, gone_at = NULL, "
                "missed_runs = 0, missed_run_id = NULL WHERE id = ?",
                (known.id,),
            )
            self._restored(known.id, evidence, known.url)

    def missed(self, known: Known, url: str, run_id: int, kind: str, detail: str, *, at: datetime) -> None:
        """Record that an address no longer answers with the story; once a run at most.

        `kind` is the event: `missing` or `redirected`. Only the story's own address counts: an alias that stopped
        redirecting says nothing about it.
        """
        cursor = self._db.conn.execute(
            "UPDATE articles SET missed_runs = missed_runs + 1, missed_run_id = ? "
            "WHERE id = ? AND url = ? AND status = 'live' AND missed_run_id IS NOT ?",
            (run_id, known.id, url, run_id),
        )
        if cursor.rowcount and self._last_word(known.id) != kind:
            self._record(known.id, kind, run_id, detail, at=at)

    def protected(self, known: Known, url: str, run_id: int, *, at: datetime) -> None:
        """Record that a story can no longer be read without a password; what is archived stays readable."""
        if known.url == url and self._last_word(known.id) != "protected":
            self._record(known.id, "protected", run_id, url, at=at)

    def unpublished(self, url: str, run_id: int, *, at: datetime) -> None:
        """Record that a source which lists every story no longer lists the live one at an address."""
        known = self._known("url = ? AND status = 'live'", url)
        if known and self._last_word(known.id) not in ABSENCES:
            self._record(known.id, "unpublished", run_id, f"no list of the site names {url} any more", at=at)

    def confirm_gone(self, run_id: int, *, at: datetime) -> tuple[int, bool]:
        """Mark as gone what this run missed and an earlier one had missed too; return (how many, was it believed).

        Such a story is looked for again only after a while.

        When more than a fifth of all live stories went missing in one run, or of those visited though nothing spoke
        of their end, it is the site that is ill, not the stories: nothing is marked, and the run's misses are
        forgotten.
        """
        count = self._db.conn.execute
        missed = count("SELECT count(*) FROM articles WHERE missed_run_id = ?", (run_id,)).fetchone()[0]
        live = count("SELECT count(*) FROM articles WHERE status = 'live'").fetchone()[0]
        visited, unforeseen = count(
            "SELECT count(*), coalesce(sum(missed_run_id IS ?), 0) FROM fetches JOIN articles "
            "ON articles.url = fetches.url WHERE run_id = ? AND reason NOT IN ('unlisted', 'retry')",
            (run_id, run_id),
        ).fetchone()
        if is_mass(missed, live) or is_mass(unforeseen, visited):
            count(
                "UPDATE articles SET missed_runs = missed_runs - 1, missed_run_id = NULL WHERE missed_run_id = ?",
                (run_id,),
            )
            return missed, False
        rows = count(
            "SELECT id, url FROM articles WHERE missed_run_id = ? AND missed_runs >= ? AND status = 'live'",
            (run_id, MISSES_UNTIL_GONE),
        ).fetchall()
        for article_id, url in rows:
            count("UPDATE articles SET status = 'gone', gone_at = ? WHERE id = ?", (as_text(at), article_id))
            self._db.conn.execute(
                "UPDATE frontier SET due_at = ?, reason = 'revisit' WHERE url = ?",
                (as_precise_text(at + WHEN_GONE), url),
            )
            self._record(article_id, "gone", run_id, f"{url} missing in {MISSES_UNTIL_GONE} runs", at=at)
        return len(rows), True


def is_mass(missed: int, of: int) -> bool:
    """Tell whether so many went missing at once that it is the site that is ill."""
    return missed >= MASS_MINIMUM and missed > of * MASS_SHARE


def _differ(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one != other
