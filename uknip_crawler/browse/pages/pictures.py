"""Pictures kept in the archive: the wall, and the files themselves."""

from __future__ import annotations

from pathlib import Path

from uknip_crawler.browse.pages.asking import Ask, File, NotHere, Page

_PAGE_SIZE = 60
MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
"""What is sent as it is said to be; nothing that a browser could run."""


def show(ask: Ask) -> Page:
    """Show the kept pictures, newest first, each with what its story says of it."""
    before = ask.number("before", 2**62, most=2**62)
    kept = ask.rows(
        """SELECT id, sha256, width, height FROM images
        WHERE sha256 IS NOT NULL AND id < :before ORDER BY id DESC LIMIT :size""",
        before=before,
        size=_PAGE_SIZE + 1,
    )
    shown = kept[:_PAGE_SIZE]
    marks = ", ".join(str(row["id"]) for row in shown)
    texts = ask.rows(
        f"""SELECT image_id, article_id, caption, credit, alt, headline, published_at, url
        FROM article_images JOIN articles ON articles.id = article_id
        WHERE image_id IN ({marks}) AND status <> 'redacted' ORDER BY image_id, article_id DESC"""
    )
    of = {row["image_id"]: row for row in texts}  # the first story that showed it
    return Page(
        "pictures",
        {
            "pictures": [(row, of[row["id"]]) for row in shown if row["id"] in of],
            "next": shown[-1]["id"] if len(kept) > _PAGE_SIZE else None,
            "kept": ask.value("SELECT count(*) FROM images WHERE sha256 IS NOT NULL"),
            "known": ask.value("SELECT count(*) FROM images"),
        },
        keeps=("before",),
    )


def file(ask: Ask) -> File:
    """Return a kept picture by its digest. Raises NotHere when no story that may be shown has it."""
    digest = ask.path["sha256"]
    media_type = ask.value(
        """SELECT media_type FROM images WHERE sha256 = :digest AND EXISTS (SELECT 1 FROM article_images
        JOIN articles ON articles.id = article_id WHERE image_id = images.id AND status <> 'redacted')""",
        digest=digest,
    )
    path = kept_file(ask.archive / "images", digest)
    if media_type not in MEDIA_TYPES or path is None:
        raise NotHere("This picture is not kept.")
    return File(path.read_bytes(), media_type)


def kept_file(folder: Path, digest: str) -> Path | None:
    """Return the file that bears a digest as its name, whatever its ending, or None."""
    places = (*folder.glob(f"{digest}*"), *folder.glob(f"{digest[:2]}/{digest}*"))
    return next((path for path in places if path.is_file() and path.stem == digest), None)
