"""How this program was started, so that every command that it tells to type can be typed as it stands."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

NAME = "uknip"
_IN_PROSE = re.compile(rf"`{NAME} ([^`]+)`")
_IN_HELP = re.compile(rf"(?:(?<=`)|(?<=  )){NAME}(?= [a-z])")


def invocation(argument: str, original: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return what the user typed before the command: `uknip`, `uv run uknip`, `python -m uknip_crawler`, `./bin/uknip`.

    `argument` and `original` are `sys.argv[0]` and `sys.orig_argv`. `uv run` tells its children how deep they are
    (https://docs.astral.sh/uv/reference/environment/), and puts its environment's programs first on their path.
    """
    if Path(argument).name == "__main__.py":
        typed = f"{_word(original[0])} -m uknip_crawler"
    else:
        found = shutil.which(NAME, path=environment.get("PATH"))
        is_on_path = argument == NAME or (found is not None and _is_same(found, argument))
        typed = NAME if is_on_path else shlex.quote(argument)
    return f"uv run {typed}" if environment.get("UV_RUN_RECURSION_DEPTH") else typed


def _word(interpreter: str) -> str:
    """Return an interpreter by its name alone where that is the one on the path."""
    found = shutil.which(Path(interpreter).name)
    return Path(interpreter).name if found and _is_same(found, interpreter) else shlex.quote(interpreter)


def _is_same(one: str, other: str) -> bool:
    return Path(one).absolute() == Path(other).absolute()


@cache
def program() -> str:
    """Return what this process's user typed before the command."""
    return invocation(sys.argv[0], sys.orig_argv, os.environ)


class Named:
    """The archive that the running command was told on its line: what it tells to type is about the same one."""

    option = ""

    @classmethod
    def archive(cls, directory: Path | None) -> None:
        cls.option = "" if directory is None else f" --archive {shlex.quote(str(directory))}"


def as_typed(text: str) -> str:
    """Return a message with its commands (`uknip …` between backticks) as this process's user types them."""
    return _IN_PROSE.sub(_command, text)


def _command(found: re.Match[str]) -> str:
    option = "" if "--archive" in found[1] else Named.option
    return f"`{program()} {found[1]}{option}`"


def help_as_typed(text: str) -> str:
    """Return a help page with its examples and the commands in its prose as this process's user types them."""
    return _IN_HELP.sub(lambda _: program(), text)
