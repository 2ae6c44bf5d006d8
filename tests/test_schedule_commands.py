"""`uknip schedule` as a user types it: put in place, looked at, taken away; and the line that cron starts."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from capabilities import need_programs
from crawling import crawl, newsroom, rows
from processes import uknip

from uknip_crawler.archive import Archive
from uknip_crawler.demo import SampleSite

STUB_SYSTEMCTL = """\
#!/bin/sh
echo "$@" >> "$STUBS/systemctl.log"
case "$*" in
  *" enable "*) test -z "$REFUSES" || { echo "Failed to connect to bus" >&2; exit 1; } ;;
  *is-enabled*) grep -q " enable " "$STUBS/systemctl.log" && echo enabled ;;
  *NextElapse*) echo "Sun 2026-03-15 02:17:00 UTC" ;;
esac
"""
STUB_CRONTAB = """\
#!/bin/sh
case "$1" in
  -l) test -e "$STUBS/table" && cat "$STUBS/table" || { echo "no crontab for archivist" >&2; exit 1; } ;;
  -) test -z "$REFUSES" && cat > "$STUBS/table" || { echo "disk quota exceeded" >&2; exit 1; } ;;
esac
"""


@pytest.fixture(scope="module")
def site() -> Iterator[SampleSite]:
    """A small site, served throughout."""
    with SampleSite(newsroom(6)) as served:
        yield served


@pytest.fixture(scope="module")
def archive(site: SampleSite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its archive, in a folder that shells and cron would take apart."""
    directory = tmp_path_factory.mktemp("kept") / "the 'news' 100% $HOME"
    crawl(site, directory)
    return directory


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a home, and stand-ins of systemctl and crontab before the machine's own on the PATH."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in {"systemctl": STUB_SYSTEMCTL, "crontab": STUB_CRONTAB}.items():
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    for name, value in {"PATH": f"{programs}:/usr/bin:/bin", "HOME": tmp_path, "STUBS": tmp_path}.items():
        monkeypatch.setenv(name, str(value))
    for name in ("UKNIP_CONTACT", "XDG_CONFIG_HOME", "REFUSES"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def schedule(directory: Path, *options: str, expect: int = 0) -> str:
    done = uknip("schedule", "--archive", str(directory), *options)
    assert done.returncode == expect, done.stderr
    return done.stderr if expect == 2 or done.stderr.startswith("uknip: `") else done.stdout


def shell_line(shown: str) -> str:
    """Return what cron gives to the shell: the line after its five fields, with percent signs as they were."""
    (line,) = (line for line in shown.splitlines() if line and not line.startswith("#"))
    return line.split(" ", 5)[5].replace("\\%", "%")


def started_by_cron(line: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as cron does, with nothing but crontab(5)'s environment."""
    bare = ["env", "-i", f"HOME={home}", "LOGNAME=archivist", "PATH=/usr/bin:/bin", "SHELL=/bin/sh"]
    return subprocess.run(
        [*bare, "/bin/sh", "-c", line], cwd=home, capture_output=True, text=True, check=False, timeout=300
    )


def test_the_cron_line_crawls_in_a_bare_environment_and_says_nothing(archive: Path, machine: Path) -> None:
    """From another folder, without a PATH to speak of; and is as silent when another run holds the lock."""
    line = shell_line(schedule(archive, "--cron", "--delay", "0", "--contact", "50% 'me' <me@uni.example>"))
    before = rows(archive, "SELECT max(id) FROM runs")[0][0]
    done = started_by_cron(line, machine)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    ((run, exit_status),) = rows(archive, "SELECT id, exit_status FROM runs WHERE id > ?", before)
    assert exit_status == 0
    with Archive(archive):
        held = started_by_cron(line, machine)
    assert (held.returncode, held.stdout, held.stderr) == (0, "", "")
    assert rows(archive, "SELECT max(id) FROM runs") == [(run,)]


def test_the_cron_line_prints_what_goes_wrong(tmp_path: Path, machine: Path) -> None:
    """So that cron mails it: a site that is down, a database that is none, a program that is gone."""
    directory = tmp_path / "news"
    with SampleSite(newsroom(6)) as site:
        crawl(site, directory, "--limit", "1")
    line = shell_line(schedule(directory, "--cron", "--delay", "0"))
    hurried = line.replace(" crawl ", " crawl -s UKNIP_RETRY_BACKOFF_SECONDS=0.05 ")
    assert hurried != line
    down = started_by_cron(hurried, machine)
    assert down.returncode == 4
    assert down.stdout.endswith("exit status 4\n")
    assert site.base_url in down.stdout
    (directory / "uknip.db").write_bytes(b"no database" * 100)
    damaged = started_by_cron(line, machine)
    assert damaged.returncode == 5
    assert "cannot open the archive" in damaged.stdout
    directory.rename(tmp_path / "elsewhere")
    directory.mkdir()
    unmounted = started_by_cron(line, machine)
    assert unmounted.returncode == 2
    assert "is its disk mounted?" in unmounted.stdout
    assert list(directory.iterdir()) == []
    gone = started_by_cron(line.replace("/python", "/no-python"), machine)
    assert gone.returncode == 127
    assert "exit status 127" in gone.stdout


def test_a_timer_is_installed_looked_at_and_removed(archive: Path, machine: Path) -> None:
    """Two archives beside each other: what is done to one leaves the other alone."""
    other = Path(shutil.copytree(archive, machine / "second"))
    schedule(archive, "--status", expect=3)
    schedule(archive, "--user", "--install", "--every", "30m", "--images")
    schedule(other, "--user", "--install")
    units = machine / ".config/systemd/user"
    assert len(list(units.iterdir())) == 4
    (status,) = json.loads(schedule(archive, "--status", "--json"))
    assert (status["form"], status["is_enabled"], status["next_at"]) == (
        "user",
        True,
        "Sun 2026-03-15 02:17:00 UTC",
    )
    service, timer = (Path(place).read_text("utf-8") for place in status["places"])
    assert "--images" in service
    assert "/30:00" in timer
    schedule(archive, "--user", "--install", "--every", "1d")
    assert "/30:00" not in Path(status["places"][1]).read_text("utf-8")
    assert "taken away" in schedule(archive, "--remove")
    assert "was not scheduled" in schedule(archive, "--remove")
    assert [path.name.startswith("uknip-second-") for path in units.iterdir()] == [True, True]
    asked = (machine / "systemctl.log").read_text().splitlines()
    assert {line.split()[0] for line in asked} == {"--user"}
    name = Path(status["places"][1]).name
    assert [line for line in asked if "able --now" in line and name in line] == [
        f"--user enable --now {name}",
        f"--user enable --now {name}",
        f"--user disable --now {name}",
    ]


def test_a_crontab_block_is_installed_looked_at_and_removed(archive: Path, machine: Path) -> None:
    """The lines of others stay, byte for byte, also those that are no UTF-8; and real cron takes the table."""
    others = b"MAILTO=me\n# caf\xe9\n0 4 * * 1 backup > /dev/null\n"
    (machine / "table").write_bytes(others)
    schedule(archive, "--cron", "--install", "--every", "30m")
    schedule(archive, "--cron", "--install", "--every", "6h")
    table = (machine / "table").read_bytes()
    assert table.startswith(others)
    assert table.count(b"BEGIN uknip") == 1
    assert b"-23/6 * * * out=" in table
    assert json.loads(schedule(archive, "--status", "--json"))[0]["form"] == "cron"
    refused = schedule(archive, "--user", "--install", expect=2)
    assert "is scheduled already (cron)" in refused
    schedule(archive, "--remove")
    assert (machine / "table").read_bytes() == others


def test_cron_itself_finds_no_fault_in_the_table(archive: Path, tmp_path: Path) -> None:
    """By the dry run of Debian's crontab."""
    need_programs("crontab")
    table = tmp_path / "table"
    shown = uknip("schedule", "--archive", str(archive), "--cron", "--every", "15m").stdout
    table.write_text(shown, "utf-8")
    checked = subprocess.run(["crontab", "-n", str(table)], capture_output=True, text=True, check=False)
    if "invalid option" in checked.stderr:
        pytest.skip("this crontab has no dry run")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("form", ["--user", "--cron"])
def test_a_machine_that_refuses_is_told_in_one_line(
    form: str, archive: Path, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing stays behind that looks installed."""
    monkeypatch.setenv("REFUSES", "1")
    told = schedule(archive, form, "--install", expect=3)
    assert told.count("\n") == 1
    assert "failed: " in told
    assert not list((machine / ".config").rglob("uknip*"))
    assert not (machine / "table").exists()


def test_a_schedule_that_cannot_be_replaced_stays_as_it_was(
    archive: Path, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Better the old one than none."""
    schedule(archive, "--user", "--install", "--every", "30m")
    units = machine / ".config/systemd/user"
    before = {path.name: path.read_bytes() for path in units.iterdir()}
    monkeypatch.setenv("REFUSES", "1")
    schedule(archive, "--user", "--install", "--every", "1d", expect=3)
    assert {path.name: path.read_bytes() for path in units.iterdir()} == before


def test_a_machine_without_the_program_is_told_what_else_there_is(
    archive: Path, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither systemd nor cron."""
    monkeypatch.setenv("PATH", str(machine))
    assert "systemctl is not installed: there is no systemd here" in schedule(
        archive, "--user", "--install", expect=2
    )
    assert "crontab is not installed: there is no cron here" in schedule(
        archive, "--cron", "--install", expect=2
    )


def test_a_crontab_that_cannot_be_read_is_not_replaced(archive: Path, machine: Path) -> None:
    """It may be full of lines."""
    (machine / "table").write_text("0 4 * * 1 backup\n")
    (machine / "programs/crontab").write_text(
        "#!/bin/sh\ntest $1 = -l || rm $STUBS/table\necho busy >&2; exit 1\n"
    )
    schedule(archive, "--cron", "--install", expect=3)
    assert (machine / "table").read_text() == "0 4 * * 1 backup\n"


def test_showing_changes_nothing(archive: Path, machine: Path) -> None:
    """Not the machine, and not the archive."""
    shown = schedule(archive, "--user", "--every", "30m")
    assert "OnCalendar=" in shown
    schedule(archive, "--cron")
    assert {path.name for path in machine.iterdir()} <= {"programs", "systemctl.log"}
    assert not (machine / "systemctl.log").exists()


def test_what_holds_no_archive_is_not_scheduled(tmp_path: Path, machine: Path) -> None:
    """A crawl of it would begin from nothing, and of the wrong site."""
    assert "nothing to keep up to date" in schedule(tmp_path / "nowhere", "--install", expect=2)
    assert not (tmp_path / "nowhere").exists()
