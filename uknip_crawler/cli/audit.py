"""`uknip audit`: compare what we hold with the site's own content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from uknip_crawler.archive import open_readonly
from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.logs import log_options
from uknip_crawler.cli.output import conclude, fail
from uknip_crawler.cli.process import run
from uknip_crawler.configuration import Configuration, settle
from uknip_crawler.errors import UsageError

WORST = 10
DIFF_LINES = 6
Row = dict[str, Any]


@click.command()
@click.option(
    "--sample", type=click.IntRange(1, 1000), default=50, show_default=True, help="Stories to compare."
)
@click.option(
    "--delay",
    type=click.FloatRange(min=0),
    show_default="the archive's own, else 1.0",
    help="Seconds between requests.",
)
@click.option("--contact", help="How the site can reach you, as in `uknip crawl`.")
@archive_option
@json_option
@log_options
def command(sample: int, delay: float | None, contact: str | None, directory: Path, as_json: bool) -> None:
    """Ask the site for its own content of some archived stories (WordPress REST, else a full-text feed) and say how
    well ours agrees: precision, recall, the share that is exactly the same, and the worst ten. Half of the sample is
    the newest stories, half is spread over the archive; stories edited since their capture are counted, not compared.

    \b
    uknip audit
    uknip audit --sample 200

    Exit status: 0 measured, 3 the site offers no story's content, 4 it asked to wait or was down.
    """
    from uknip_crawler.spiders.audit import AuditSpider

    base_url = _base_url(directory)
    settled = settle(directory, Configuration(base_url, contact, delay))
    spider = run(
        AuditSpider,
        base_url,
        {"DOWNLOAD_DELAY": settled.delay.value, "UKNIP_CONTACT": settled.contact.value or ""},
        {"archive": str(directory), "sample": sample},
    )
    if spider.audit is None:
        reason = (
            spider.crawl.stop.reason
            if spider.crawl.stop.exit_status
            else "it offers no story's own content, by REST or feed"
        )
        fail(
            f"{spider.crawl.site.base_url}: nothing to compare: {reason}", spider.crawl.stop.exit_status or 3
        )
    found = _read(directory, spider.audit)
    conclude(_text(found), found, 0, as_json=as_json)


def _base_url(directory: Path) -> str:
    db = open_readonly(directory)
    try:
        rows = list(
            db.query(
                "SELECT base_url FROM runs WHERE EXISTS (SELECT 1 FROM articles) ORDER BY id DESC LIMIT 1"
            )
        )
    finally:
        db.close()
    if not rows:
        raise UsageError(f"{directory}: no stories yet; run `uknip crawl` first")
    return str(rows[0]["base_url"])


def _read(directory: Path, audit: int) -> Row:
    db = open_readonly(directory)
    try:
        (found,) = db.query("SELECT * FROM audits WHERE id = ?", [audit])
        worst = db.query(
            "SELECT url, s.precision, s.recall, diff FROM audit_stories AS s JOIN articles AS a ON a.id = article_id "
            "WHERE audit_id = ? AND NOT is_exact ORDER BY s.precision + s.recall, url LIMIT ?",
            [audit, WORST],
        )
        return {**found, "worst": list(worst)}
    finally:
        db.close()


def _text(found: Row) -> str:
    lines = [
        f"{found['compared']} of {found['sampled']} stories compared with the site's own content ({found['source']})"
    ]
    if found["compared"]:
        lines.append(
            f"  precision {found['precision']:.1%}, recall {found['recall']:.1%}, "
            f"exactly the same {found['exact_share']:.1%}"
        )
    if found["edited_since"] or found["not_offered"]:
        lines.append(
            f"  {found['edited_since']} edited since their capture, {found['not_offered']} not offered"
        )
    for story in found["worst"]:
        lines.append(f"\n{story['url']}  precision {story['precision']:.1%}, recall {story['recall']:.1%}")
        lines += [f"  {line[:160]}" for line in story["diff"].splitlines()[:DIFF_LINES]]
    return "\n".join(lines)
