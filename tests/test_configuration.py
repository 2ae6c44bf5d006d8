"""An archive knows its site and how to ask it: said once, kept in a file, shown with where it comes from."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from crawling import FAST, crawl, newsroom, rows
from processes import uknip

from uknip_crawler.configuration import Configuration, read, settle, write
from uknip_crawler.demo import SampleSite
from uknip_crawler.errors import UsageError

CONTACT = 'Ada "the" Archivist <ada@uni.example>'


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have told their own contact."""
    monkeypatch.delenv("UKNIP_CONTACT", raising=False)


def filed(directory: Path) -> dict[str, object]:
    return tomllib.loads((directory / "uknip.toml").read_text("utf-8"))


def test_what_init_is_told_holds_and_is_shown_with_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a file that people read, before there is anything else."""
    made = uknip("init", "news.example", "--contact", CONTACT, "--images", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert filed(tmp_path / "archive") == {
        "site": "https://news.example/",
        "contact": CONTACT,
        "images": True,
    }
    monkeypatch.setenv("UKNIP_CONTACT", "other@uni.example")
    shown = json.loads(uknip("config", "--json", cwd=tmp_path).stdout)
    assert shown == {
        "file": "archive/uknip.toml",
        "site": {"value": "https://news.example/", "source": "file"},
        "contact": {"value": "other@uni.example", "source": "environment"},
        "delay": {"value": 1.0, "source": "default"},
        "images": {"value": True, "source": "file"},
        **{
            key: {"value": None, "source": "default"}
            for key in ("notices", "notice_command", "metrics", "ping", "dataset")
        },
    }
    lines = uknip("config", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        ["site", "https://news.example/"],
        ["contact", "other@uni.example"],
        ["delay", "1.0"],
        ["images", "yes"],
        ["notices", "none"],
        ["notice_command", "none"],
        ["metrics", "none"],
        ["ping", "none"],
        ["dataset", "none"],
    ]


def test_options_go_before_environment_before_file_before_what_is_usual(tmp_path: Path) -> None:
    """Also where an option says no, or nought."""
    write(tmp_path, Configuration("news.example", "file@x.example", 2.5, True))
    around = {"UKNIP_CONTACT": "around@x.example"}
    assert settle(tmp_path, Configuration(), {}).contact.value == "file@x.example"
    assert settle(tmp_path, Configuration(), {"UKNIP_CONTACT": ""}).contact.value == "file@x.example"
    assert settle(tmp_path, Configuration(), around).contact.value == "around@x.example"
    told = settle(tmp_path, Configuration(contact="me@x.example", delay=0.0, images=False), around)
    assert (told.contact.value, told.delay.value, told.images.value) == ("me@x.example", 0.0, False)
    usual = settle(tmp_path / "none", Configuration(), {})
    assert (usual.site.value, usual.contact.value, usual.delay.value, usual.images.value) == (
        "https://uknip.co.uk/",
        None,
        1.0,
        False,
    )


def test_what_people_wrote_into_the_file_stays(tmp_path: Path) -> None:
    """Comments and order, when a value changes."""
    before = "# ask Ada first\ndelay = 2 # as agreed in May\n\nsite = 'https://news.example/'\n"
    (tmp_path / "uknip.toml").write_text(before)
    assert uknip("init", "--archive", str(tmp_path), "--delay", "3.5").returncode == 0
    after = (tmp_path / "uknip.toml").read_text()
    assert after.replace("3.5", "2").replace('"', "'") == before
    assert [path.name for path in tmp_path.iterdir()] == ["uknip.toml"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("delays = 2", "'delays' is no setting: there are site, contact, delay, images"),
        ('"a\\nb" = 2', "is no setting"),
        ("delay = ", "not TOML"),
        ("delay = 1\ndelay = 2", "not TOML"),
        ("contact = 'caf\udce9'", "not TOML"),
        ("delay = -1", "seconds between requests"),
        ("delay = nan", "seconds between requests"),
        ("delay = true", "seconds between requests"),
        ("delay = '1'", "seconds between requests"),
        ("images = 'yes'", "true or false"),
        ('contact = "me\\r\\nCookie: x"', "one line of text"),
        ("site = 'ftp://news.example'", "the site's address"),
        ("site = ['https://news.example/']", "one line of text"),
        ("[site]\nurl = 'x'", "one line of text"),
    ],
)
def test_a_file_that_cannot_be_meant_is_one_line(text: str, words: str, tmp_path: Path) -> None:
    """Its place, what is wrong, what to do; and it is never written over."""
    (tmp_path / "uknip.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    for act in (lambda: read(tmp_path), lambda: write(tmp_path, Configuration(delay=3.0))):
        with pytest.raises(UsageError) as told:
            act()
        assert words in str(told.value)
        assert str(told.value).startswith(f"{tmp_path}/uknip.toml: ")
        assert "\n" not in str(told.value)
    assert (tmp_path / "uknip.toml").read_bytes() == text.encode("utf-8", "surrogateescape")


def test_a_damaged_file_stops_a_crawl_before_it_begins(tmp_path: Path) -> None:
    """Status 2, and nothing is made."""
    (tmp_path / "uknip.toml").write_text("delay = soon\n")
    for command in (("crawl",), ("config",), ("init",), ("schedule",)):
        done = uknip(*command, "--archive", str(tmp_path))
        assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, "")
        assert "uknip.toml: not TOML" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["uknip.toml"]


def test_an_archive_that_was_told_once_needs_no_address(tmp_path: Path) -> None:
    """The second crawl asks the same site as the first, by the contact of the first, and no other."""
    directory = tmp_path / "second"
    with SampleSite(newsroom(6)) as site:
        crawl(site, directory, "--contact", "ada@uni.example", "--limit", "3")
        assert filed(directory) == {"site": site.base_url, "contact": "ada@uni.example", "delay": 0.0}
        before = (directory / "uknip.toml").read_bytes()
        done = uknip("crawl", "--archive", str(directory), "--json")
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["base_url"] == site.base_url
        assert report["articles"] == 6
        assert (directory / "uknip.toml").read_bytes() == before
        refused = uknip("crawl", "https://news.example/", "--archive", str(directory))
        assert refused.returncode == 2
        assert f"archives {site.base_url}, not https://news.example/" in refused.stderr
        (directory / "uknip.toml").write_text("site = 'https://news.example/'\n")
        torn = uknip("crawl", "--archive", str(directory))
        assert torn.returncode == 2
        assert "site is https://news.example/, but the archive is of " + site.base_url in torn.stderr
    assert rows(directory, "SELECT count(*), count(DISTINCT base_url) FROM runs") == [(2, 1)]
    agents = [
        json.loads(settings)["USER_AGENT"] for (settings,) in rows(directory, "SELECT settings FROM runs")
    ]
    assert [agent.endswith("; ada@uni.example)") for agent in agents] == [True, True]


def test_a_site_that_was_mistyped_is_not_remembered(tmp_path: Path) -> None:
    """Nothing was found there, so the next crawl may name another."""
    with SampleSite(newsroom(6)) as gone:
        pass
    options = (*FAST, "-s", "RETRY_TIMES=0", "-s", "UKNIP_RETRY_BACKOFF_SECONDS=0")
    done = uknip("crawl", gone.base_url, "--archive", str(tmp_path / "a"), *options)
    assert done.returncode == 4, done.stderr
    assert not (tmp_path / "a" / "uknip.toml").exists()


def test_a_backup_and_a_rebuild_leave_the_file_alone(tmp_path: Path) -> None:
    """It is not the database's."""
    directory = tmp_path / "archive"
    with SampleSite(newsroom(6)) as site:
        crawl(site, directory, "--limit", "3")
    with (directory / "uknip.toml").open("a") as file:
        file.write("# mine\n")
    before = (directory / "uknip.toml").read_bytes()
    assert uknip("backup", str(tmp_path / "copy.db"), "--archive", str(directory)).returncode == 0
    (directory / "uknip.db").unlink()
    assert uknip("rebuild", "--archive", str(directory)).returncode == 0
    assert (directory / "uknip.toml").read_bytes() == before
    shown = json.loads(uknip("config", "--archive", str(directory), "--json").stdout)
    assert shown["site"] == {"value": site.base_url, "source": "file"}
