"""What tells of a story is found in every spelling that web pages know, and what tells of others is left alone."""

from __future__ import annotations

import html
import json

import pytest

from uknip_crawler.jobs.redaction.mentions import Mention, mentions
from uknip_crawler.jobs.redaction.traces import Traces

HEADLINE = "Kent’s oldest ferry sinks in Ramsgate harbour, café owner says"
BODY = (
    "The ferry went down at its moorings shortly before dawn on Sunday.\n\n"
    "“She was my whole life,” said the owner, who had bought her from a museum for one pound in the nineties."
)
OPENING = BODY.split("\n\n")[0]
ADDRESS = "https://uknip.co.uk/news/kent/kents-oldest-ferry-sinks-in-ramsgate-harbour-cafe-owner-says/"
SLUG = "kents-oldest-ferry-sinks-in-ramsgate-harbour-cafe-owner-says"


@pytest.fixture
def traces() -> Traces:
    made = Traces()
    made.add(headlines=[HEADLINE], texts=[BODY], addresses=[ADDRESS])
    return made


@pytest.mark.parametrize(
    "text",
    [
        HEADLINE,
        HEADLINE.upper(),
        html.escape(HEADLINE).replace("’", "&rsquo;").replace("é", "&eacute;"),
        HEADLINE.replace("’", "&#8217;").replace("é", "&#xe9;"),
        json.dumps(HEADLINE),
        HEADLINE.replace("oldest", "<em>oldest</em>").replace("sinks", '<a href="/x/">sinks</a>'),
        f'<img alt="{HEADLINE}">',
        HEADLINE.encode("cp1252").decode("utf-8", "surrogateescape"),
        HEADLINE.encode().decode("cp1252"),
        BODY.split("\n\n")[1],
        BODY.split("\n\n")[0].removesuffix("on Sunday.") + "[…]",
        f'<a href="{ADDRESS}?utm_source=x">',
        json.dumps({"link": ADDRESS}).replace("/", "\\/"),
        f"https://uknip.co.uk/wp-content/uploads/{SLUG}-1024x683.jpg",
    ],
)
def test_a_trace_is_blacked_out_in_any_spelling(traces: Traces, text: str) -> None:
    """Markup, length and everything around it stay."""
    black = traces.blacken(f"<p>Before</p>{text}<p>After</p>")
    assert len(black) == len(f"<p>Before</p>{text}<p>After</p>")
    assert black.startswith("<p>Before</p>")
    assert black.endswith("<p>After</p>")
    lowered = black.lower()
    assert not any(word in lowered for word in ("oldest", "ramsgate", "shortly", "moorings", "museum", SLUG))


@pytest.mark.parametrize(
    "text",
    [
        "The ferry company has been approached for comment.",
        "A café owner in Ramsgate says the harbour is busy.",
        "https://uknip.co.uk/news/kent/oldest-ferry-in-kent/",
        "",
        "<p>" * 1000,
    ],
)
def test_what_only_shares_words_is_left_alone(traces: Traces, text: str) -> None:
    """The very object comes back: nothing need be written."""
    assert traces.blacken(text) is text


def test_what_other_stories_say_too_stays_theirs(traces: Traces) -> None:
    """Stock phrases of a story that stays; a copy's own headline."""
    traces.spare("Barge sinks", "The ferry went down at its moorings shortly before dawn, a year ago.")
    kept = "<p>The ferry went down at its moorings shortly before dawn</p>"
    assert traces.blacken(kept) is kept
    assert "museum" not in traces.blacken(BODY)
    traces.spare(HEADLINE, "Another text.")
    assert traces.blacken(HEADLINE) is HEADLINE


def test_a_short_headline_may_be_anybodys_words() -> None:
    """It goes where no other story has those words in its text."""
    traces = Traces()
    traces.add(headlines=["Fire in Dover"])
    assert traces.blacken("<h3>Fire in Dover</h3>") == "<h3>xxxx xx xxxxx</h3>"
    traces.spare("Three held", "They were held after the fire in Dover last week.")
    assert traces.blacken("<h3>Fire in Dover</h3>") == "<h3>Fire in Dover</h3>"


def test_the_address_of_a_copy_stays_whole(traces: Traces) -> None:
    """The copy's address begins with the story's, and its slug has the words of the headline."""
    copy = ADDRESS.rstrip("/") + "-2/"
    assert traces.spare_address(copy, stays=True)
    assert traces.blacken(f'<a href="{copy}">') == f'<a href="{copy}">'
    assert SLUG not in traces.blacken(f'<a href="{ADDRESS}">')


def test_a_short_slug_goes_with_its_path_only() -> None:
    """`statement` alone could be anything."""
    traces = Traces()
    traces.add(addresses=["https://uknip.co.uk/news/kent/statement/"])
    assert traces.blacken("a statement was made") == "a statement was made"
    assert traces.blacken('href="/news/kent/statement/"') == 'href="/xxxx/xxxx/xxxxxxxxx/"'


def test_lists_lose_the_entry_and_nothing_else(traces: Traces) -> None:
    """REST, feed, sitemap."""
    other = "https://uknip.co.uk/news/kent/barge-sinks-off-dover/"
    posts = [{"id": 1, "link": ADDRESS, "title": HEADLINE}, {"id": 2, "link": other}]
    assert json.loads(traces.without_entries(json.dumps(posts))) == [posts[1]]
    for name, field in (("item", "link"), ("url", "loc")):
        entries = [f"<{name}><{field}>{address}</{field}></{name}>" for address in (ADDRESS, other)]
        assert traces.without_entries("".join(entries)) == entries[1]


def test_mentions_are_found_by_the_address_alone() -> None:
    """With what is said there: nobody need remember the story."""

    def concerns(url: str) -> bool:
        return url.rstrip("/") == ADDRESS.rstrip("/")

    post = {"link": ADDRESS, "title": {"rendered": HEADLINE}, "content": {"rendered": f"<p>{BODY}</p>"}}
    (address, told) = mentions(json.dumps([post]), concerns)
    assert address == Mention(ADDRESS)
    assert (told.headline, BODY in told.text) == (HEADLINE, True)
    dated = f"<pubDate>Sat, 14 Mar 2026 09:30:00 +0000</pubDate><description>{OPENING}</description>"
    item = f"<rss><item>{dated}<title><![CDATA[{HEADLINE}]]></title><link>{ADDRESS}</link></item></rss>"
    (_, told) = mentions(item, concerns)
    assert (told.headline, OPENING in told.text, "Mar" in told.text) == (HEADLINE, True, False)
    page = f"<html><body><div><h3><a href='{ADDRESS}'>{HEADLINE}</a></h3><p>{OPENING}</p><p>14 March 2026 by the Newsroom</p></div></body></html>"
    found = list(mentions(page, concerns))
    assert found[1].headline == HEADLINE
    assert found[2].text == OPENING
    assert list(mentions(page, lambda url: False)) == []


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, "<item>", "<", "\0", "[1, null]", "<html>\ud800"])
def test_hostile_documents_mention_nothing(text: str) -> None:
    """And raise nothing."""
    assert list(mentions(text, lambda url: True)) == []
