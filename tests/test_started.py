"""However the program was started: what it tells to type is typed so, and what it logs is as it was asked."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from crawling import Archived, crawl
from processes import uknip

import uknip_crawler.cli
from uknip_crawler.cli.program import invocation

LAUNCHER = "#!{python}\nfrom uknip_crawler.cli import main\nmain()\n"
"""What an installer makes of `[project.scripts]`."""
BARE = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """A folder with the program in it, as an environment has one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    launcher = folder / "uknip"
    launcher.write_text(LAUNCHER.format(python=sys.executable))
    launcher.chmod(0o755)
    return folder


def start(*words: str, **variables: str) -> str:
    """Return what a process of its own says on standard error."""
    environment = BARE | {"PYTHONPATH": str(Path(uknip_crawler.cli.__file__).parents[2])} | variables
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False).stderr


def test_a_hint_is_typed_as_the_program_was(bin_folder: Path) -> None:
    """By its name where it is on the path, else by its place, or as a module."""
    on_path = start("uknip", "status", PATH=f"{bin_folder}:{BARE['PATH']}")
    assert (
        on_path
        == "uknip: no archive in archive: run `uknip crawl` first, or name another with --archive DIR\n"
    )
    assert f"run `{bin_folder}/uknip crawl` first" in start(f"{bin_folder}/uknip", "status")
    assert f"run `{sys.executable} -m uknip_crawler crawl` first" in start(
        sys.executable, "-m", "uknip_crawler", "status"
    )
    under_uv = start(
        "uknip", "crawl", "--dealy", PATH=f"{bin_folder}:{BARE['PATH']}", UV_RUN_RECURSION_DEPTH="1"
    )
    assert "Try 'uv run uknip crawl --help' for help." in under_uv


@pytest.mark.skipif(shutil.which("uv") is None, reason="needs uv")
def test_uv_run_is_told_from_its_environment() -> None:
    """As uv says it today."""
    told = subprocess.run(
        ["uv", "run", "--no-project", "--no-sync", "printenv", "UV_RUN_RECURSION_DEPTH"],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("UV_RUN")},
    )
    assert told.stdout == "1\n", told.stderr


@pytest.mark.parametrize(
    ("argument", "original", "environment", "typed"),
    [
        ("/opt/my tools/uknip", ["/opt/python", "/opt/my tools/uknip"], {}, "'/opt/my tools/uknip'"),
        ("/x/uknip_crawler/__main__.py", ["python3", "-m", "uknip_crawler"], {}, "python3 -m uknip_crawler"),
        (
            "/x/uknip_crawler/__main__.py",
            ["python", "-m", "uknip_crawler"],
            {"UV_RUN_RECURSION_DEPTH": "1"},
            "uv run python -m uknip_crawler",
        ),
    ],
)
def test_a_start_of_any_other_kind_is_told_in_words_that_a_shell_reads(
    argument: str, original: list[str], environment: dict[str, str], typed: str
) -> None:
    """Blanks are quoted."""
    assert invocation(argument, original, environment | {"PATH": "/usr/bin:/bin"}) == typed


def test_a_hint_is_about_the_archive_that_was_named(tmp_path: Path) -> None:
    """Else it would begin another one; an archive of the environment needs no word."""
    named = uknip("status", "--archive", "my news", cwd=tmp_path)
    assert "run `uknip crawl --archive 'my news'` first" in named.stderr
    around = uknip("status", cwd=tmp_path, environment=os.environ | {"UKNIP_ARCHIVE": "elsewhere"})
    assert "no archive in elsewhere: run `uknip crawl` first" in around.stderr
    remedies = [
        one["remedy"]
        for one in json.loads(uknip("doctor", "--json", "--archive", "x", cwd=tmp_path).stdout)["findings"]
    ]
    assert "run `uknip crawl --archive x`, or name another with --archive DIR" in remedies


def test_help_shows_its_examples_as_they_are_typed(bin_folder: Path) -> None:
    """Of the program and of a command."""
    for words in ((), ("crawl",)):
        done = subprocess.run(
            [f"{bin_folder}/uknip", *words, "--help"],
            env=BARE | {"PYTHONPATH": str(Path(uknip_crawler.cli.__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.startswith(f"Usage: {bin_folder}/uknip")
        assert f" {bin_folder}/uknip crawl --limit 50" in done.stdout
        assert " uknip crawl" not in done.stdout


def test_commands_speak_in_one_way_only() -> None:
    """What goes by click.echo would tell commands that nobody can type."""
    folder = Path(uknip_crawler.cli.__file__).parent
    silent = {"output.py"}
    for module in folder.glob("*.py"):
        calls = [node.func for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call)]
        spoken = [call for call in calls if ast.unparse(call) in ("click.echo", "print")]
        assert not spoken or module.name in silent, module.name


@pytest.mark.parametrize(("shell", "asked"), [("bash", "bash"), ("zsh", "zsh"), ("fish", "fish")])
def test_shells_are_told_how_to_complete(shell: str, asked: str, bin_folder: Path) -> None:
    """By click's own script, whatever else the environment says; bash completes a command by it."""
    words = {"PATH": f"{bin_folder}:{BARE['PATH']}", "UV_RUN_RECURSION_DEPTH": "1"}
    words["PYTHONPATH"] = str(Path(uknip_crawler.cli.__file__).parents[2])
    script = subprocess.run(
        ["uknip"],
        env=BARE | words | {"_UKNIP_COMPLETE": f"{asked}_source"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert "uknip" in script
    assert "_UKNIP_COMPLETE" in script
    if shell == "bash":
        line = 'eval "$(_UKNIP_COMPLETE=bash_source uknip)"; COMP_WORDS=(uknip sch); COMP_CWORD=1; _uknip_completion uknip; echo "${COMPREPLY[@]}"'
        done = subprocess.run(
            ["bash", "-c", line], env=BARE | words, capture_output=True, text=True, check=False
        )
        assert done.stdout == "schedule\n", done.stderr


@pytest.fixture(scope="module")
def logged(
    archived: Archived, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, str, list[dict[str, object]]]:
    """A second crawl that logs in JSON, every visit: standard output, site, and the lines."""
    directory = tmp_path_factory.mktemp("logged")
    with archived(directory, 30) as site:
        site.newsroom.work(datetime(2026, 3, 14, 9, 30, tzinfo=UTC) + timedelta(days=1))
        done = uknip("crawl", "--archive", str(directory), "--delay", "0", "-v", "--log-format", "json")
        assert done.returncode == 0, done.stderr
        return done.stdout, site.base_url, [json.loads(line) for line in done.stderr.splitlines()]


KEYS = {"at", "level", "logger", "message"}


def test_a_log_for_machines_is_one_object_a_line(logged: tuple[str, str, list[dict[str, object]]]) -> None:
    """Each with the documented keys and no other, libraries included; the report stays on standard output."""
    output, base_url, lines = logged
    assert output.startswith(f"Run 2 of {base_url}: complete")
    assert all(KEYS <= set(line) <= KEYS | {"url", "outcome", "exit_status", "error"} for line in lines)
    assert {line["level"] for line in lines} <= {"debug", "info", "warning"}
    assert all(datetime.fromisoformat(str(line["at"])).tzinfo is not None for line in lines)
    visits = {line["url"]: line["outcome"] for line in lines if "url" in line}
    assert list(visits.values()).count("revised") == 3
    assert all(str(url).startswith(base_url) for url in visits)


def test_a_failure_is_a_line_of_the_log_too(tmp_path: Path) -> None:
    """With its exit status; for people it is as ever."""
    around = os.environ | {"UKNIP_LOG_FORMAT": "json"}
    done = uknip("reextract", cwd=tmp_path, environment=around)
    (line,) = (json.loads(text) for text in done.stderr.splitlines())
    assert (done.returncode, line["exit_status"], line["level"]) == (2, 2, "error")
    assert line["message"].startswith("no archive in archive: run `uknip crawl`")
    told = uknip("reextract", "-v", "-q", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (2, "uknip: -v and -q at once: say one of them\n")


def test_a_quiet_command_speaks_only_of_what_goes_wrong(archived: Archived, tmp_path: Path) -> None:
    """What went well is not printed, unless as JSON."""
    archived(tmp_path, 30)
    assert uknip("reextract", "-q", "--archive", str(tmp_path)).stdout == ""
    assert json.loads(uknip("reextract", "-q", "--json", "--archive", str(tmp_path)).stdout)["stories"] == 0
    with archived(tmp_path / "down", 30) as site:
        quiet = crawl(site, tmp_path / "down", "-q", "--limit", "1")
        assert quiet["exit_status"] == 0
    hurry = ("--delay", "0", "-s", "UKNIP_RETRY_BACKOFF_SECONDS=0.05")
    down = uknip("crawl", "-q", "--archive", str(tmp_path / "down"), *hurry)
    assert down.returncode == 4
    assert "the site asked to wait or was down" in down.stdout
