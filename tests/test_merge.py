"""Archives of one site are joined."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from crawling import NOW, Archived, crawl, tables
from processes import uknip


@pytest.fixture(scope="module")
def three(archived: Archived, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with archives of one site: `a` and `b` went their own ways from a first crawl on, `c` began later."""
    folder = tmp_path_factory.mktemp("three")
    with archived(folder / "a", 30) as site:
        shutil.copytree(folder / "a", folder / "b")
        site.newsroom.work(NOW + timedelta(days=1))
        crawl(site, folder / "a")
        site.newsroom.work(NOW + timedelta(days=2))
        crawl(site, folder / "b")
        crawl(site, folder / "c")
    return folder


def joined(three: Path, to: Path, first: str, *others: str) -> Path:
    shutil.copytree(three / first, to)
    done = uknip("merge", *(str(three / other) for other in others), "--archive", str(to), "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    print(done.stdout, done.stderr)
    return to


def test_order_makes_no_difference(three: Path, tmp_path: Path) -> None:
    """Nor steps."""
    ab = joined(three, tmp_path / "ab", "a", "b", "c")
    ba = joined(three, tmp_path / "ba", "c", "b", "a")
    one, other = tables(ab), tables(ba)
    for table in one:
        assert one[table] == other[table], table
    done = uknip("verify", "--archive", str(ab))
    assert done.returncode == 0, done.stdout
