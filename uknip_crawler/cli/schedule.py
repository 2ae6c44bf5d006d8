"""`uknip schedule`: have crawls run by themselves, by systemd or cron."""

from __future__ import annotations

import os
import pwd
import sys
from dataclasses import asdict
from pathlib import Path

import click

from uknip_crawler.cli import archive_option, json_option
from uknip_crawler.cli.output import echo, json_text
from uknip_crawler.configuration import Configuration, settle
from uknip_crawler.errors import UsageError
from uknip_crawler.schedule.cadence import cadence
from uknip_crawler.schedule.installing import (
    Form,
    Scheduled,
    contents,
    install,
    remove,
    scheduled,
    usual_form,
)
from uknip_crawler.schedule.job import Job, shift_of

NOT_SCHEDULED = 3


@click.command()
@archive_option
@click.option(
    "--every",
    default="3h",
    show_default=True,
    metavar="SPAN",
    help="How often: minutes that divide an hour (30m), hours that divide a day (3h), 1d or 1w.",
)
@click.option("--delay", type=click.FloatRange(min=0), help="As in `uknip crawl`: seconds between requests.")
@click.option("--budget", type=click.IntRange(min=1), help="As in `uknip crawl`: at most so many requests.")
@click.option("--images/--no-images", default=None, help="As in `uknip crawl`: keep the stories' images too.")
@click.option("--contact", envvar="UKNIP_CONTACT", show_envvar=True, help="As in `uknip crawl`.")
@click.option("--system", "form", flag_value="system", help="By the machine's systemd; the usual for root.")
@click.option("--user", "form", flag_value="user", help="By your own systemd; the usual for everybody else.")
@click.option("--cron", "form", flag_value="cron", help="By your crontab; the usual where no systemd runs.")
@click.option("--install", "action", flag_value="install", help="Put it in place, instead of showing it.")
@click.option("--remove", "action", flag_value="remove", help="Take this archive's schedule away.")
@click.option("--status", "action", flag_value="status", help="Tell whether this archive is scheduled.")
@json_option
def command(
    directory: Path,
    every: str,
    delay: float | None,
    budget: int | None,
    images: bool | None,
    contact: str | None,
    form: str | None,
    action: str | None,
    as_json: bool,
) -> None:
    """Show, or put in place, what keeps this archive up to date by itself: a service and a timer of systemd, or a
    line of a crontab. Each archive has its own; installing again replaces it. What is not said here, each crawl takes
    from the archive (`uknip config`).

    \b
    uknip schedule --every 30m                       show what would be installed
    uknip schedule --every 3h --contact me@uni.ac.uk --install
    uknip schedule --status
    uknip schedule --remove

    Exit status: 0 done, 2 usage, 3 not scheduled (--status) or the machine refused, 5 a file cannot be written.
    """
    archive = directory.resolve()
    if action == "status":
        _tell_status(archive, as_json)
    elif action == "remove":
        removed = remove(archive)
        _tell(removed, as_json, "taken away ", f"{directory} was not scheduled")
    else:
        options = (
            *(("--contact", contact) if contact else ()),
            *(("--delay", f"{delay:g}") if delay is not None else ()),
            *(("--budget", str(budget)) if budget else ()),
            *(("--images" if images else "--no-images",) if images is not None else ()),
        )
        job = Job(
            archive, _crawl(archive, options), cadence(every, shift=shift_of(archive)), _also_writes(archive)
        )
        _show_or_install(job, Form(form) if form else usual_form(), action == "install", as_json)


def _also_writes(archive: Path) -> tuple[Path, ...]:
    metrics = settle(archive, Configuration()).metrics.value
    return (Path(metrics).parent,) if metrics else ()


def _crawl(archive: Path, options: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that crawls the archive wherever it is started from."""
    site = settle(archive, Configuration()).site
    if site.source == "default":
        raise UsageError(
            f"nothing to keep up to date in {archive}: run `uknip crawl` or `uknip init` first, or name another with --archive DIR"
        )
    # this interpreter by its own name: resolved, it would forget its environment
    return (
        sys.executable,
        "-m",
        "uknip_crawler",
        "crawl",
        site.value,
        "--archive",
        str(archive),
        "--existing",
        *options,
    )


def _show_or_install(job: Job, form: Form, installs: bool, as_json: bool) -> None:
    user = _owner(job.archive)
    files = contents(job, form, user)
    if installs:
        install(job, form, user)
    if as_json:
        echo(json_text({"form": form, "installed": installs, "files": files}))
    elif installs:
        echo(f"{job.archive}: crawled {job.cadence.spoken()}, by {', '.join(files)}")
        echo(f"  {_afterwards(job, form)}")
    else:
        echo("\n".join(f"# {place}\n{text}" for place, text in files.items()).rstrip())
        echo(f"uknip: nothing was changed: --install puts it in place (--{form})", err=True)


def _afterwards(job: Job, form: Form) -> str:
    if form is Form.CRON:
        return "cron mails what goes wrong to you, or to MAILTO; `uknip status` tells of the last run"
    journal = "journalctl --user" if form is Form.USER else "journalctl"
    told = f"`uknip schedule --status` tells when it is due, `{journal} -u {job.name}` what it said"
    me = pwd.getpwuid(os.geteuid()).pw_name
    if form is Form.USER and not Path("/var/lib/systemd/linger", me).exists():
        told += f"\n  it runs only while you are logged in, until you say `loginctl enable-linger {me}`"
    return told


def _owner(archive: Path) -> str:
    uid = archive.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a number without a name, as in containers
        return str(uid)


def _tell_status(archive: Path, as_json: bool) -> None:
    found = scheduled(archive)
    _tell(found, as_json, "scheduled ", f"{archive} is not scheduled")
    sys.exit(0 if any(one.is_enabled for one in found) else NOT_SCHEDULED)


def _tell(found: list[Scheduled], as_json: bool, what: str, nothing: str) -> None:
    if as_json:
        echo(json_text([asdict(one) for one in found]))
        return
    for one in found:
        state = "" if one.is_enabled else ", not enabled"
        due = f", next {one.next_at}" if one.next_at else ""
        echo(f"{what}({one.form}{state}{due}): {', '.join(one.places)}")
    if not found:
        echo(nothing)
