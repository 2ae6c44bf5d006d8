"""Reading the site's sitemaps: those that robots.txt names, else those that WordPress would have."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urljoin

from uknip_crawler.discovery import absolute, sitemap
from uknip_crawler.spiders.documents import parsing
from uknip_crawler.spiders.intake import Intake
from uknip_crawler.urls import slug

_MAX_SITEMAPS = 500
_MAX_DEPTH = 3


@dataclass(frozen=True, slots=True)
class _Named:
    """A file to read: what an index says of its last change, how deep it hangs, and whether the site names it."""

    url: str
    changed_at: datetime | None = None
    depth: int = 0
    by_site: bool = True


class Sitemaps:
    """The sitemaps of one run."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._archive = intake.archive
        self._documents = intake.documents

    async def read(self, *, full: bool) -> bool:
        """Take in what the sitemaps list; return whether they list every story and all of them were read."""
        if named := self._named_in_robots():
            read = [await self._tree(_Named(url), full=full) for url in named]
            # a news sitemap lists two days by definition, whatever else it is: https://www.sitemaps.org/protocol.html
            lists_all = (
                listed and "news" not in slug(url) for (_, listed), url in zip(read, named, strict=True)
            )
            return any(lists_all) and all(is_whole for is_whole, _ in read)
        for path in sitemap.CANDIDATES:
            url = urljoin(self._intake.site.base_url, path.lstrip("/"))
            is_whole, listed = await self._tree(_Named(url, by_site=False), full=full)
            if is_whole and listed:
                return True
        return False

    def _named_in_robots(self) -> list[str]:
        """Return the sitemaps that robots.txt names, once each; relative ones are below the site's folder."""
        base = self._intake.site.base_url
        printed = (
            absolute(line.strip().replace(" ", "%20"), base) for line in self._intake.crawl.robots.sitemaps
        )
        # a line that names the home page names nothing: `//`, `/`
        addresses = dict.fromkeys(address for address in printed if address and address != base)
        named = [address for address in addresses if self._intake.is_ours(address, "sitemap")]
        if len(named) > _MAX_SITEMAPS:
            self._intake.troubles.append(
                f"robots.txt: only the first {_MAX_SITEMAPS} of {len(named):,} sitemaps"
            )
        return named[:_MAX_SITEMAPS]

    async def _tree(self, root: _Named, *, full: bool) -> tuple[bool, int]:
        """Read an index and all that hangs below it; return whether everything was read, and how many it lists."""
        began = self._intake.clock()
        queue = deque([root])
        seen: set[str] = set()
        reread: list[str] = []
        complete, listed = True, 0
        while queue and len(seen) < _MAX_SITEMAPS:
            one = queue.popleft()
            if one.url in seen or sitemap.is_about_posts(one.url) is False:
                continue
            if one.depth > _MAX_DEPTH:
                self._intake.troubles.append(
                    f"sitemap {one.url}: more than {_MAX_DEPTH} indexes deep, not read"
                )
                complete = False
                break
            seen.add(one.url)
            held, below, is_whole = await self._file(one, reread, full=full)
            listed += held
            queue += below
            complete = complete and is_whole
        if queue and len(seen) >= _MAX_SITEMAPS:
            self._intake.troubles.append(
                f"sitemap {root.url}: only the first {_MAX_SITEMAPS} files were read"
            )
        complete = complete and not queue
        if complete and not self._intake.run.since:
            for url in reread:
                complete = self._intake.retract(url, url, began) and complete
        return complete, listed

    async def _file(self, one: _Named, reread: list[str], *, full: bool) -> tuple[int, list[_Named], bool]:
        """Take in a file; return how many addresses it lists, the files it names, and whether it was read whole.

        What a feed lists is not counted: it names the newest stories only.
        """
        url = one.url
        known = self._archive.sources.get(url, "sitemap")
        if self._intake.is_absent(known, full=full):
            return 0, [], False
        stamp = one.changed_at.isoformat() if one.changed_at else None
        is_read = known.status in ("complete", "unchanged") and stamp and known.cursor == stamp
        # a deletion leaves some sitemaps' dates as they were
        if is_read and not full and not self._intake.is_old(known.last_read_at):
            return known.listed, [], True
        answer = await self._documents.get(url, "sitemap", parsing(sitemap.parse, url), conditional=not full)
        if answer.status == "unchanged":
            self._intake.save(answer.source or known, "unchanged", cursor=stamp)
            return (known.listed if known.kind == "sitemap" else 0), [], True
        if answer.value is None:
            self._intake.failed(known, answer, named=one.by_site)
            return 0, [], False
        read = answer.value
        if known.listed and not read.entries and "news" not in slug(url):
            said = f"lists nothing where it listed {known.listed:,} addresses"
            self._intake.failed(known, replace(answer, status="failed", detail=said), named=True)
            return 0, [], False
        source = replace(answer.source or known, listed=len(read.entries))
        below: list[_Named] = []
        if read.kind == "index":
            below = [_Named(entry.url, entry.modified_at, one.depth + 1) for entry in read.entries]
            below = [named for named in below if self._intake.is_ours(named.url, "sitemap")]
            # an index is always read in full: the conditional answer would hide its sitemaps' dates
            source = replace(source, etag=None, last_modified=None)
        else:
            self._take(read, url)
        if not read.complete:
            source, stamp = replace(source, etag=None, last_modified=None), None
            self._intake.troubles.append(f"sitemap {url}: cut short, or not all of it can be read")
        elif read.kind == "urlset":
            reread.append(url)
        status = "complete" if read.complete else "partial"
        if read.kind == "feed":
            source = replace(source, kind="feed")
        self._intake.save(source, status, cursor=stamp)
        return (len(read.entries) if read.kind == "urlset" else 0), below, read.complete

    def _take(self, read: sitemap.Sitemap, url: str) -> None:
        if read.kind == "feed":
            self._intake.add(read.entries, "feed", None, is_post=True, doubts_dates=True)
        else:
            is_post = bool(sitemap.is_about_posts(url))
            self._intake.add(read.entries, "sitemap", url, is_post=is_post, doubts_dates=True)
