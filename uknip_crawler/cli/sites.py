"""`uknip sites new`: the rules of a site drafted from what it offers."""

from __future__ import annotations

from pathlib import Path

import click

from uknip_crawler import __version__
from uknip_crawler.cli.output import echo
from uknip_crawler.errors import StorageError, UsageError
from uknip_crawler.sites.drafting import draft
from uknip_crawler.sites.files import FOLDER_VARIABLE


@click.command()
@click.argument("what", metavar="new", type=click.Choice(["new"]))
@click.argument("base_url", metavar="URL")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the rules; a file that is there stays.  [standard output]",
)
@click.option(
    "--contact",
    envvar="UKNIP_CONTACT",
    show_envvar=True,
    help="Your address or web page, put into the user agent.",
)
@click.option(
    "--delay", type=click.FloatRange(min=0), default=1.0, show_default=True, help="Seconds between requests."
)
def command(what: str, base_url: str, output: Path | None, contact: str | None, delay: float) -> None:
    """Draft the rules of a site from what it offers: its robots.txt, front page, REST, feed and sitemap, in at most six
    requests. Names, time zone, hosts of pictures, and the forms of its stories' addresses; what was found stands in
    comments. Look it over, and put it as a *.toml into a folder that UKNIP_SITES names: crawls of that site then go by
    it, and by the general rules besides.

    \b
    uknip sites new https://news.example/
    uknip sites new news.example -o sites/news.toml --contact me@uni.ac.uk
    UKNIP_SITES=sites uknip crawl https://news.example/ --archive news

    Exit status: 0 drafted, 2 usage, 4 robots.txt cannot be had, 5 the file cannot be written.
    """
    from uknip_crawler.surveying import survey  # what reads lists is slow to import

    if output is not None and output.exists():
        raise UsageError(
            f"{output} is there: name another with -o FILE, or draft to standard output and compare"
        )
    agent = f"uknip/{__version__} (news archive for research{f'; {contact}' if contact else ''})"
    rules = draft(survey(base_url, agent, delay=delay))
    if output is None:
        echo(rules.rstrip("\n"))
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(rules, "utf-8")
    except OSError as error:
        raise StorageError(f"cannot write {output}: {error.strerror or error}") from error
    echo(f"{output}: look it over; crawls go by it with {FOLDER_VARIABLE}={output.parent}")
