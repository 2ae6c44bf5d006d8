"""The commands as a user types them: what they print, what they return, what they say when something is wrong."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from crawling import NOW, Archived, crawl, rows
from processes import uknip
from sqlite_utils import Database

from uknip_crawler.archive import DATABASE, open_readonly
from uknip_crawler.archive.reports.addresses import known_of, story_at
from uknip_crawler.demo.newsroom import Work
from uknip_crawler.sites import load_site


@pytest.fixture(scope="module")
def lived(archived: Archived, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Work, str]:
    """An archive of a site that was crawled, worked on, and crawled again: folder, work, base URL without slash."""
    directory = tmp_path_factory.mktemp("lived")
    with archived(directory, 30) as site:
        work = site.newsroom.work(NOW + timedelta(days=1))
        crawl(site, directory)
        return directory, work, site.base_url.rstrip("/")


@pytest.fixture
def spoiled(lived: tuple[Path, Work, str], tmp_path: Path) -> Path:
    """A copy of that archive to damage."""
    return Path(shutil.copytree(lived[0], tmp_path / "copy"))


def test_status_tells_what_is_there(lived: tuple[Path, Work, str]) -> None:
    """In words and as JSON."""
    directory, work, _ = lived
    assert f"{30 + len(work.published)} articles" in uknip("status", "--archive", str(directory)).stdout
    status = json.loads(uknip("status", "--archive", str(directory), "--json").stdout)
    assert status["articles"] == 30 + len(work.published)
    assert status["edited"] == len(work.edited)
    assert status["aliases"] == len(work.moved)
    assert status["last_run"]["exit_status"] == 0


def test_history_shows_what_an_edit_changed(lived: tuple[Path, Work, str]) -> None:
    """The correction stands between marks, in the text around it."""
    directory, work, base_url = lived
    (edit,) = (edit for edit in work.edited if edit.kind == "correction")
    shown = uknip("history", base_url + edit.path, "--archive", str(directory))
    assert shown.returncode == 0
    assert "revision 2" in shown.stdout
    (before, after) = rows(
        directory,
        "SELECT revisions.body FROM revisions JOIN articles ON articles.id = article_id WHERE url = ? ORDER BY number",
        base_url + edit.path,
    )
    old, new = (
        next(word for word, other in zip(one[0].split(), two[0].split(), strict=True) if word != other)
        for one, two in ((before, after), (after, before))
    )
    assert f"[-{old}-]" in shown.stdout
    assert f"{{+{new}+}}" in shown.stdout


@pytest.mark.fault("W03")
def test_history_finds_a_story_by_its_old_address(lived: tuple[Path, Work, str]) -> None:
    """Or by the end of it; and tells the move, and the other section that came with it."""
    directory, work, base_url = lived
    [move] = [move for move in work.moved if move.kind == "section"]
    for address in (base_url + move.old_path, move.old_path.rstrip("/").rpartition("/")[2]):
        story = json.loads(uknip("history", address, "--archive", str(directory), "--json").stdout)
        assert story["url"] == base_url + move.new_path
        assert [event["kind"] for event in story["events"]] == ["moved", "metadata"]


FORMS = (
    "{base}{path}",
    "{host}{path}",
    "http:/{host}{path}",
    "HTTP://{host}{path}",
    "//{host}{path}",
    "{base}{path}?utm_source=feed&fbclid=x#more",
    "{base}{bare}",
    "{path}",
    "{path}?utm_medium=mail",
    "{relative}",
    "{slug}",
    "{slug}/?utm_source=feed",
    "{base}{path}amp/",
)
"""How people have an address at hand."""


def test_a_story_is_named_by_any_form_of_any_of_its_addresses(lived: tuple[Path, Work, str]) -> None:
    """Its own and those it has left; and another host's is none."""
    directory, work, base = lived
    [move] = [move for move in work.moved if move.kind == "section"]
    site = load_site(base)
    db = open_readonly(directory)
    [(wanted,)] = db.execute("SELECT id FROM articles WHERE url = ?", (base + move.new_path,)).fetchall()
    for path in (move.new_path, move.old_path):
        bare = path.rstrip("/")
        words = {"base": base, "host": base.removeprefix("http://"), "path": path, "bare": bare}
        words |= {"relative": path.strip("/"), "slug": bare.rpartition("/")[2]}
        for form in FORMS:
            text = form.format(**words)
            assert story_at(db.conn, site, text) == wanted, text
            known = known_of(db, site, text)
            assert known["visits"], text
            assert known["story"]["headline"], text
    for other in ("https://elsewhere.example" + move.new_path, "", "/", base, "nothing", "/2/", "//[x", "\0"):
        assert story_at(db.conn, site, other) is None, other
    db.close()


def test_every_command_takes_an_address_alike_and_says_what_was_redacted(
    lived: tuple[Path, Work, str], spoiled: Path
) -> None:
    """Before and after; an address that can be none of the site's is a mistake of the command's line."""
    _, work, _ = lived
    at_hand = work.edited[0].path.strip("/") + "?utm_source=x"
    where = ("--archive", str(spoiled))
    for command in (("history",), ("why",), ("duplicates",), ("redact", "--dry-run")):
        assert uknip(*command, at_hand, *where).returncode == 0, command
        refused = uknip(*command, "https://elsewhere.example/x/", *where)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), command
    done = uknip("redact", at_hand, "--reason", "asked in May", "--yes", *where)
    assert done.returncode == 0, done.stderr
    for command in ("history", "duplicates"):
        told = uknip(command, at_hand, *where)
        assert (told.returncode, told.stdout) == (2, "")
        assert f"{at_hand} was redacted 20" in told.stderr
        assert "asked in May" in told.stderr
    assert "  redacted 20" in uknip("why", at_hand, *where).stdout
    assert json.loads(uknip("why", at_hand, "--json", *where).stdout)["redacted"]["reason"] == "asked in May"
    assert "redacted before" in uknip("redact", "--dry-run", at_hand, *where).stdout


def test_history_of_nothing_is_one_line(lived: tuple[Path, Work, str]) -> None:
    """Status 2, and what to do."""
    shown = uknip("history", "https://uknip.co.uk/nothing/", "--archive", str(lived[0]))
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.count("\n") == 1
    assert shown.stderr.startswith("uknip: no story at")


def test_a_sound_archive_verifies(lived: tuple[Path, Work, str]) -> None:
    """Status 0."""
    shown = uknip("verify", "--archive", str(lived[0]))
    assert shown.returncode == 0, shown.stdout
    assert "0 problems" in shown.stdout


def damage_capture(directory: Path) -> str:
    path = max((directory / "warc").iterdir(), key=lambda one: one.stat().st_size)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    return path.name


def damage_text(directory: Path) -> str:
    db = Database(directory / DATABASE)
    url = str(db.execute("SELECT url FROM articles WHERE id = 3").fetchone()[0])
    db.execute("UPDATE articles SET body = body || 'x' WHERE id = 3")
    db.close()
    return url


def damage_index(directory: Path) -> str:
    db = Database(directory / DATABASE)
    db.execute("INSERT INTO articles_fts (articles_fts) VALUES ('delete-all')")
    db.close()
    return "search index"


def lose_captures(directory: Path) -> str:
    path = next((directory / "warc").iterdir())
    path.unlink()
    return path.name


def lose_a_revision(directory: Path) -> str:
    db = Database(directory / DATABASE)
    url = str(db.execute("SELECT url FROM articles WHERE id = 5").fetchone()[0])
    db.execute("DELETE FROM revisions WHERE article_id = 5")
    db.close()
    return url


@pytest.mark.parametrize(
    "damage", [damage_capture, damage_text, damage_index, lose_captures, lose_a_revision]
)
def test_verify_names_what_is_damaged(damage: object, spoiled: Path) -> None:
    """Status 5, and the file, index or article by name."""
    named = damage(spoiled)  # type: ignore[operator]
    shown = uknip("verify", "--archive", str(spoiled))
    assert shown.returncode == 5
    assert named in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("crawl", "ftp://uknip.co.uk/"), 2, "give the site's address"),
        (("crawl", "http://[x/"), 2, "not a well-formed address"),
        (("crawl", "--since", "yesterday"), 2, "--since yesterday"),
        (("crawl", "-s", "nonsense"), 2, "-s nonsense"),
        (("crawl", "--archive", "/proc/nowhere"), 5, "/proc/nowhere"),
        (("status", "--archive", "nowhere"), 2, "no archive in nowhere"),
        (("verify", "--archive", "nowhere"), 2, "no archive in nowhere"),
        (("browse", "--archive", "nowhere", "--no-open"), 2, "no archive in nowhere"),
        (("export", "csv", "--archive", "nowhere"), 2, "no archive in nowhere"),
    ],
)
def test_a_mistake_is_one_clear_line(
    arguments: tuple[str, ...], status: int, words: str, tmp_path: Path
) -> None:
    """What, where, what to do; no traceback; nothing left behind."""
    shown = uknip(*arguments, cwd=tmp_path)
    assert shown.returncode == status, shown.stderr
    assert words in shown.stderr
    assert shown.stderr.count("\n") == 1
    assert shown.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_option_is_told_with_help_at_hand(tmp_path: Path) -> None:
    """Click's own words, status 2."""
    shown = uknip("crawl", "--dealy", "3", cwd=tmp_path)
    assert shown.returncode == 2
    assert "--delay" in shown.stderr


def test_the_demo_does_the_whole_job(spoiled: Path, tmp_path: Path) -> None:
    """Crawl, export, the newsroom's work, crawl again; it ends by itself, its figures are the truth, and what an
    earlier demo left makes way."""
    archive = spoiled.rename(tmp_path / "demo-archive")
    (archive / "demo").touch()
    left = {"demo", DATABASE}
    shown = uknip("demo", "--stories", "20", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "20 new articles" in shown.stdout
    assert "3 revised, 3 moved" in shown.stdout
    assert "3 gone" in shown.stdout
    assert rows(archive, "SELECT count(*) FROM articles WHERE status = 'gone'") == [(3,)]
    assert rows(archive, "SELECT min(id), max(id) FROM runs") == [(1, 4)]
    assert len((tmp_path / "exports" / "demo.jsonl").read_text("utf-8").splitlines()) == 20
    assert left <= {path.name for path in archive.iterdir()}, "by which the next demo knows it for its own"


def test_the_demo_touches_no_archive_that_is_not_its_own(lived: tuple[Path, Work, str]) -> None:
    """Not even by request."""
    shown = uknip("demo", "--archive", str(lived[0]))
    assert shown.returncode == 2
    assert "was not made by the demo" in shown.stderr
    assert rows(lived[0], "SELECT count(*) > 30 FROM articles") == [(1,)]
