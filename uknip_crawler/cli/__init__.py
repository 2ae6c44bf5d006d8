"""The command line: `uknip COMMAND`, one module a command, imported only when it runs."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from uknip_crawler import __version__
from uknip_crawler.cli.program import NAME, Named, help_as_typed, program
from uknip_crawler.errors import StorageError, UknipError

_COMPLETION = "_UKNIP_COMPLETE"
_COMMANDS = {
    "demo": "the whole job on the bundled sample site, offline",
    "init": "say once what an archive is of and how its site is asked",
    "config": "what crawls of an archive go by, and where it was said",
    "crawl": "crawl a site, or bring its archive up to date",
    "sites": "draft the rules of another site from what it offers",
    "schedule": "have crawls run by themselves: systemd or cron",
    "fleet": "many sites, crawled by Scrapyd on many machines",
    "import-warc": "take in pages that other crawlers captured",
    "status": "is all well, what the archive holds, how its last run went",
    "history": "one story's life: addresses, revisions, what changed",
    "duplicates": "stories that are copies of one another",
    "coverage": "what the site lists against what we hold, and what is missing why",
    "why": "everything that ever happened to one address",
    "export": "write tables as csv, json, jsonl, parquet or a data package, captures as wacz",
    "browse": "read and search the archive in the browser",
    "layouts": "what was learned of the site's pages, and your word on it",
    "quarantine": "what was held back as no story, and your word on it",
    "reextract": "read the captures again with today's rules",
    "audit": "compare what we hold with the site's own content",
    "merge": "join archives of the same site",
    "rebuild": "make the database again from the captures alone",
    "doctor": "what is wrong with this machine or archive, and the remedy",
    "verify": "check database, search index and captures",
    "redact": "take stories out of the archive for good",
    "backup": "copy the database, also while a crawl runs",
}


class _Context(click.Context):
    """Shows help pages with their examples as the user types them."""

    def get_help(self) -> str:
        return help_as_typed(super().get_help())


class _Commands(click.Group):
    """Lists commands without importing them: Scrapy alone takes a second."""

    context_class = _Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(
            f"uknip_crawler.cli.{cmd_name.replace('-', '_')}"
        ).command
        command.context_class = _Context
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="uknip")
def cli() -> None:
    """Archive the news site uknip.co.uk: crawl it politely, keep every page as received, read clean
    articles, follow them for years.

    \b
    Try it without a network:    uknip demo
    A first real crawl:          uknip crawl --limit 50
    Then look:                   uknip browse
    """


def _named(context: click.Context, parameter: click.Parameter, directory: Path) -> Path:
    is_typed = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    Named.archive(directory if is_typed else None)
    return directory


archive_option = click.option(
    "--archive",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default="archive",
    envvar="UKNIP_ARCHIVE",
    show_default=True,
    show_envvar=True,
    callback=_named,
    help="Folder of the archive.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


def in_parts(parts: int, missing: list[int]) -> str:
    """Say in how many pages a story stands on the site, and which of them are missing from its text."""
    return f"in {parts} pages" + (f", missing: {', '.join(map(str, missing))}" if missing else "")


def _terminated(signum: int, _: Any) -> None:
    raise SystemExit(128 + signum)


def main() -> None:
    """Run the command line; every error of ours is one line on stderr and its own exit status."""
    signal.signal(signal.SIGTERM, _terminated)
    completes = _COMPLETION in os.environ  # then the shell wants the bare name
    try:
        cli.main(
            standalone_mode=False,
            prog_name=NAME if completes else program(),
            complete_var=_COMPLETION,
        )
    except click.exceptions.Exit as exit_:
        sys.exit(exit_.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except UknipError as error:
        _fail(str(error), error.exit_status)
    except Exception as error:
        if (problem := _damage(error)) is None:
            raise
        _fail(
            f"the archive's database cannot be read ({problem}): check it with `uknip verify`",
            StorageError.exit_status,
        )


def _fail(message: str, exit_status: int) -> NoReturn:
    from uknip_crawler.cli.output import fail  # draws progress bars, which most commands do not need

    fail(message, exit_status)


def _damage(error: Exception) -> str | None:
    """Return what SQLite says of a database it cannot read; None for what is our own fault."""
    from uknip_crawler.archive.database import (
        damage,  # a quarter of a second, which most commands do not need
    )

    return damage(error)
