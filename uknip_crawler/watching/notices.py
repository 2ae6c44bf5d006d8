"""Notices of findings: by Apprise (https://github.com/caronc/apprise), or by any command."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence

from uknip_crawler.archive.findings import Kept
from uknip_crawler.errors import UknipError

COMMAND_SECONDS = 60


def text_of(findings: Sequence[Kept], site: str) -> tuple[str, str]:
    """Return a notice's subject, one line, and its text: what is so, since when, examples and the remedy."""
    begun = [one for one in findings if not one.ended_at]
    ended = [one for one in findings if one.ended_at]
    first, *others = begun or ended
    said = first.what if begun else f"well again: {first.name}"
    subject = f"uknip: {site}: {said}" + (f", and {len(others)} more" if others else "")
    lines = [line for one in begun for line in lines_of(one)]
    lines += [f"well again since {one.ended_at}: {one.name} ({one.what})" for one in ended]
    return subject, "\n".join(lines)


def lines_of(finding: Kept) -> list[str]:
    """Return what people read of a finding."""
    return [
        f"{finding.name}: {finding.what}; since {finding.since}",
        *(f"  {url}" for url in finding.examples),
        f"  → {finding.remedy}",
    ]


def send(addresses: Sequence[str], subject: str, body: str) -> None:
    """Send a notice by Apprise. Raises UknipError when it is not installed or a service does not take it."""
    try:
        import apprise
    except ImportError:
        raise UknipError(
            "Apprise is not installed: `uv tool install 'uknip[notices]'`, or take it out of uknip.toml"
        ) from None
    services = apprise.Apprise()
    for address in addresses:
        if not services.add(address):  # an address holds secrets: only its scheme is told
            raise UknipError(f"{address.partition(':')[0]}: no address that Apprise knows")
    if not services.notify(title=subject, body=body, body_format=apprise.NotifyFormat.TEXT):
        raise UknipError("a service did not take the notice; it is sent again after the next crawl")


def run_command(command: str, subject: str, body: str) -> None:
    """Run a command, without a shell, with the subject in UKNIP_SUBJECT and the text on its standard input.

    Raises UknipError when it cannot be run, fails, or takes longer than a minute.
    """
    try:
        done = subprocess.run(
            shlex.split(command),
            input=f"{subject}\n\n{body}\n",
            env={**os.environ, "UKNIP_SUBJECT": subject},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise UknipError(f"the command for notices could not be run: {error}") from None
    if done.returncode:
        raise UknipError(
            f"the command for notices ended with {done.returncode}: {done.stderr.strip()[-200:]}"
        )
