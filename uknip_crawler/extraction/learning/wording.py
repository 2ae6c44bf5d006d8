"""Furniture among the story's own paragraphs, told by wording over all layouts of the archive.

A wording is furniture where it also stands in boxes, where it is on most pages of its layouts, or where it speaks to the
reader and names nobody. A line without an end mark (a label, a credit, a slogan) is furniture where its template comes
back. What newsrooms and police write under stories is story, however often it comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise, zip_longest

from uknip_crawler.extraction.learning.lines import ENGLISH, LINKED, Line, is_subheading, numberless
from uknip_crawler.extraction.learning.masking import NAME, NUMBER
from uknip_crawler.extraction.learning.rules import Rule, Wordings
from uknip_crawler.extraction.learning.templates import SLOTS, Templates
from uknip_crawler.models import BlockKind

MOST = "most pages"
LABEL, ASKS = "a page's own label", "asks the reader"
SEEN = "seen elsewhere"
"""Of what bare lines of two stories share: no rule, but it tells of a run of such lines, and of an offer."""
WHOLE = "template "
PARTS = frozenset({"bare: first words", "bare: last words"})
LIST, STEM = 4, 5
FACTS = 3
MAX_HEADING_WORDS, MAX_LABEL_WORDS, MAX_ASKING_WORDS = 8, 16, 50
OPENING = 2
"""Sentences of a story that teasers on other pages quote whole."""
BOLD_SHARE = 0.1
MIN_CUT_WORDS = 10
TAKEN = 1 / 3
"""Share of a body's words that wordings may take where nothing else says that they are furniture."""
_OPEN_END = (":", "”", '"', "’", ",")


def prepare(level: Sequence[Line], templates: Templates) -> None:
    """Find out which lines of a story's level are bare, and the templates of those."""
    alone = Counter(line.elements[-1] for line in level if line.elements)
    for line, below in zip_longest(level, level[1:]):
        prose = line.kind is BlockKind.PARAGRAPH and line.linked < LINKED and not line.is_echo
        closed = line.ends or line.is_cut or line.text.rstrip().endswith(_OPEN_END)
        goes_on = line.text[0].islower() or (below is not None and _is_wrapped(line.text, below.text))
        alone_there = not line.elements or alone[line.elements[-1]] == 1
        line.is_bare = prose and not closed and not goes_on and alone_there
        if line.is_bare:
            line.template = line.template or templates.of(line.text)


def _is_wrapped(text: str, below: str) -> bool:
    """Tell whether a sentence goes on below because the line was full, as in hard-wrapped mail: the next word would
    have made it longer than the line below. What stands above a whole paragraph was not."""
    return below[0].islower() and len(text) + 1 + len(below.split(" ", 1)[0]) > len(below)


def fixed_in(template: Iterable[str]) -> int:
    """Return how many words of a template are neither names nor numbers."""
    return sum(word not in (*SLOTS, ":") for word in template)


def bare_keys(line: Line) -> Iterator[str]:
    """Yield what recurs in bare lines: the template; of those without a verb the first three words and the last four."""
    template, fixed = line.template, [word not in (*SLOTS, ":") for word in line.template]
    if (
        fixed[:1] == [True] or sum(fixed) >= 3
    ):  # mere names and numbers are a line-up, or the story's own list
        yield WHOLE + " ".join(template)
    if line.tells:
        return
    if sum(fixed[:3]) >= 2 or (":" in template[:3] and any(fixed[:3])):
        yield "first words " + " ".join(template[:3])
    if sum(fixed[-4:]) >= 3 and len(template) >= 5:
        yield "last words " + " ".join(template[-4:])


def judge(
    level: Sequence[Line], known: Wordings, templates: Templates, *, may_be_empty: bool = False
) -> dict[Line, Rule]:
    """Return the lines of a story's level that are furniture, and why; they tell already whether they are new or
    another story's. A further page of a story `may_be_empty` but for furniture."""
    prepare(level, templates)
    if known.boxed:
        for line in level:
            line.template = line.template or templates.of(line.text)
            line.is_boxed = " ".join(line.template) in known.boxed
    lists = _enumerations(level)
    opening = [line for line in level if line.is_prose][:OPENING]
    why: dict[Line, Rule] = {}
    own: list[Line] = []  # from the end, so that of each line it is known what of the story follows
    for index in reversed(range(len(level))):
        line = level[index]
        rule = None if line in lists else _why_not(level, index, opening, known, templates, own[-1:])
        if rule is not None:
            why[line] = rule
        else:
            own.append(line)
    _judge_runs(level, lists, why)
    _judge_fact_boxes(level, lists, why, known)
    return why if may_be_empty else _within_measure(level, _unless_asking(level, why))


def _unless_asking(level: Sequence[Line], why: dict[Line, Rule]) -> dict[Line, Rule]:
    """Give a body back what only asks something of the reader, where it is a good part: the newsroom's own appeal."""
    taken = sum(line.words for line, rule in why.items() if rule.why == ASKS)
    if 2 * taken <= sum(line.words for line in level):
        return why
    return {line: rule for line, rule in why.items() if rule.why != ASKS}


def by_language(line: Line, *, in_archive: bool) -> Rule | None:
    """Return why a line that nothing is known of is furniture in any newsroom of the language, or None. Labels are it
    on single pages, too; who pays, and who asks, only where the archive has more pages of the site."""
    if line.kind not in (BlockKind.PARAGRAPH, BlockKind.HEADING) or line.words > MAX_ASKING_WORDS:
        return None
    rule = _by_language(line, numberless(line.text), in_archive=in_archive)
    return None if rule is None or line.is_story_line else rule


def _by_language(line: Line, said: str, *, in_archive: bool) -> Rule | None:
    if line.words <= MAX_LABEL_WORDS and ENGLISH.labels.fullmatch(said):
        return Rule(LABEL, 1, 1)
    if not in_archive:
        return None
    pays = not line.ends and line.words <= MAX_LABEL_WORDS
    if pays and NAME in line.template and ENGLISH.payers.match(said):
        return Rule(LABEL, 1, 1)
    is_told = any(mark in line.text for mark in '“”"')
    asks = line.kind is BlockKind.PARAGRAPH and not is_told
    return Rule(ASKS, 1, 1) if asks and ENGLISH.asks.search(said) else None


WORDINGS = frozenset(
    {"in boxes", MOST, "all pages", "to the reader", "one layout", "opens stories", "cut", LABEL, ASKS}
)
"""Rules that take a line by its wording alone."""


def may_go(line: Line, known: Wordings, templates: Templates) -> bool:
    """Tell whether a rule of wording may take a line, whatever stands around it."""
    if line.masked in known.lines or line.key in known.keys:
        return True
    if line.is_cut and line.words >= MIN_CUT_WORDS:
        return known.cut_is_teaser
    if line.ends:
        return False
    line.template = templates.of(line.text)
    if " ".join(line.template) in known.boxed:
        return True
    return " ".join(line.template) not in known.listed and any(one in known.bare for one in bare_keys(line))


def _why_not(
    level: Sequence[Line],
    index: int,
    opening: Collection[Line],
    known: Wordings,
    templates: Templates,
    follows: Sequence[Line],
) -> Rule | None:
    """Return why a line is furniture, or None; `follows` is the next line that is not, if there is one."""
    line, is_opening = level[index], level[index] in opening
    if line.is_echo:
        return None
    if line.linked and len(NUMBER.findall(line.text)) >= max(2, line.words - 1):
        return Rule("page numbers", 1, 1, is_sure=True)
    below = level[index + 1] if index + 1 < len(level) else None
    next_other = below is not None and (below.other_story is not None or below.is_boxed)
    subheading = is_subheading([line, *follows] if not next_other else level[index:], 0)
    subheading = subheading and not (below is not None and below.is_boxed and line.is_boxed)
    if line.other_story and index and line.kind is not BlockKind.QUOTE and not subheading:
        return Rule(line.other_story, 1, 1, is_sure=True)
    leads = below is not None and below.other_story is not None and line.text.endswith(":")
    if leads and line.words <= MAX_HEADING_WORDS and not (subheading or line.tells):
        return Rule("label of other stories", 1, 1, is_sure=True)
    rule = known.lines.get(line.masked) or known.keys.get(line.key)
    if rule is None and line.is_boxed and not (line.is_story_line or line.tells or subheading):
        rule = known.boxed[" ".join(line.template)]
        rule = rule if rule.is_sure else None
    is_told = line.kind is BlockKind.QUOTE and rule is not None and rule.why != MOST  # somebody's words
    if (
        rule
        and not is_told
        and not (is_opening and rule.may_open)
        and not (subheading and not _beats(rule, line))
    ):
        return rule
    cut = line.is_cut and index and line.kind is BlockKind.PARAGRAPH and line.words >= MIN_CUT_WORDS
    if cut and known.cut_is_teaser and not any(mark in line.text for mark in '“”"'):
        return Rule("cut", 1, 1, is_sure=True)
    if not (line.kind is BlockKind.HEADING and subheading):
        line.template = line.template or templates.of(line.text)
        if rule := by_language(line, in_archive=index > 0 and bool(templates.names)):
            return rule
        if index and _is_offer(line, known, templates) and not _is_told_of(line, _stems_told(level)):
            return Rule(LABEL, 1, 1)
    label = line.is_bare and not line.is_story_line and " ".join(line.template) not in known.listed
    if not label:
        return None
    shared = next((one for one in bare_keys(line) if one in known.bare and known.bare[one].why != SEEN), None)
    if shared is None:
        return None
    if not shared.startswith(WHOLE) and (_may_head(line, follows) or _is_of_story(line, shared, level)):
        return None
    return None if subheading and not _beats(known.bare[shared], line) else known.bare[shared]


def _is_offer(line: Line, known: Wordings, templates: Templates) -> bool:
    """Tell whether a bare line is what a shop says of its prices; of what may be the story's own event other stories
    must have the like."""
    said = numberless(line.text)
    if not (templates.names and line.is_bare and NAME in line.template and not line.tells):
        return False
    return ENGLISH.offers.search(said) is not None and (
        not ENGLISH.events.search(said) or _is_seen(line, known)
    )


def _is_seen(line: Line, known: Wordings) -> bool:
    """Tell whether bare lines of other stories are put like this one, if only in part."""
    return any(shared in known.bare for shared in bare_keys(line))


def _beats(rule: Rule, subheading: Line) -> bool:
    """Tell whether a rule holds for what is set as a subheading: newsrooms head many stories alike, but hardly a
    tenth of any layout's in bold paragraphs."""
    return rule.why == MOST or (subheading.kind is not BlockKind.HEADING and rule.share >= BOLD_SHARE)


def _may_head(line: Line, follows: Sequence[Line]) -> bool:
    """Tell whether a bare line that names nobody may be a subheading set like any paragraph: it stands above a whole
    line of the story, if only above what leads to a list."""
    nameless = not any(slot in line.template for slot in SLOTS) and not NUMBER.search(line.text)
    return nameless and any(below.is_core or (below.is_new and not below.is_bare) for below in follows)


def _is_of_story(line: Line, shared: str, level: Sequence[Line]) -> bool:
    """Tell whether what a line has besides words shared with other pages is what this story is about: most of its
    words come in the sentences."""
    told = _stems_told(level)
    own = [word for word in line.key.split() if len(word) > 3 and word not in shared.split(" ")]
    return bool(own) and 2 * sum(word[:STEM] in told for word in own) >= len(own)


def _stems_told(level: Sequence[Line]) -> set[str]:
    """Return the stems of the words in a story's sentences."""
    return {word[:STEM] for other in level if other.is_prose for word in other.key.split()}


def _is_told_of(line: Line, told: Collection[str]) -> bool:
    """Tell whether most words of a bare line, names and numbers aside, come in the story's sentences."""
    own = [word for word in line.template if len(word) > 3]
    return bool(own) and 2 * sum(word[:STEM] in told for word in own) > len(own)


def _enumerations(level: Sequence[Line]) -> set[Line]:
    """Return bare lines of one shape that come three times on the page: a list of people or places, the story's."""
    shapes = Counter(line.template for line in level if line.is_bare)
    named = {shape for shape, n in shapes.items() if n >= 3 and sum(shape.count(slot) for slot in SLOTS) >= 2}
    return {line for line in level if line.is_bare and line.template in named}


def _judge_runs(level: Sequence[Line], lists: Collection[Line], why: dict[Line, Rule]) -> None:
    """A run of bare lines of which half are known furniture goes as one, but for what still is prose."""
    follows = dict(pairwise(level))
    led_to = _led_to(level, why)
    for bare, group in groupby(level, lambda line: line.is_bare):
        run = [line for line in group if line not in lists]
        if not bare or len(run) < 2 or run[0] is level[0]:
            continue
        known = sum(line in why for line in run)
        if 2 * known >= len(run) and known > 1:
            below = follows.get(run[-1])
            heads = below is not None and below.is_core  # the last may be a subheading set like any paragraph
            # and so may the first, with a box between it and its text
            first = [
                line for line in run[:1] if line not in why and _may_head(line, _next_own(level, run, why))
            ]
            among = run[len(first) : -1 if heads else None]
            if not led_to.isdisjoint(run):  # the story's own list, with a box above, in or below it
                places = [place for place, line in enumerate(among) if line in why]
                among = among[places[0] : places[-1]]
            for line in among:
                if not line.tells:
                    why.setdefault(line, Rule("run", 1, 1))
        elif len(run) >= LIST:
            for line in run:
                if line in why and why[line].why in PARTS:
                    del why[line]


def _judge_fact_boxes(
    level: Sequence[Line], lists: Collection[Line], why: dict[Line, Rule], known: Wordings
) -> None:
    """A run of bare lines of several shapes that nothing leads to, of which most are known or at least seen on other
    stories' pages: a box of facts that has lost its frame. What the story's sentences speak of is its own list."""
    above: Line | None = None
    led_to = _led_to(level, why)
    for bare, group in groupby(level, lambda line: line.is_bare and line not in lists and not line.tells):
        run = [*group]
        is_own = above is None or above.is_bare or not led_to.isdisjoint(run)
        if bare and len(run) >= FACTS and not is_own:
            seen = [line in why or _is_whole_seen(line, known) for line in run]
            shapes = {line.template for line in run}
            stems = _stems_told(level)
            told = sum(_is_told_of(line, stems) for line in run)
            is_list = any(" ".join(line.template) in known.listed for line in run)
            if 2 * sum(seen) >= len(run) and len(shapes) >= FACTS and 2 * told < len(run) and not is_list:
                own = _next_own(level, run, why)
                # the last may be a subheading set like any paragraph, seen on other pages as such, and so may the first
                # that is longer than a box's own name
                ends = (run[-1], *(line for line in run[:1] if line.words >= LIST))
                seen = [
                    here and (line in why or line not in ends or not _may_head(line, own))
                    for line, here in zip(run, seen, strict=True)
                ]
                for line in run[seen.index(True) : len(run) - seen[::-1].index(True)]:
                    why.setdefault(line, Rule("run", 1, 1))
        above = run[-1]


def _led_to(level: Sequence[Line], why: Mapping[Line, Rule]) -> set[Line]:
    """Return the lines of the story's own that follow one which announces them."""
    own = [line for line in level if line not in why]
    return {below for above, below in pairwise(own) if above.text.rstrip().endswith(":")}


def _is_whole_seen(line: Line, known: Wordings) -> bool:
    return WHOLE + " ".join(line.template) in known.bare


def _next_own(level: Sequence[Line], run: Sequence[Line], why: Mapping[Line, Rule]) -> list[Line]:
    """Return the first line below a run that is not furniture, if there is one."""
    below = level[level.index(run[-1]) + 1 :]
    return next(([line] for line in below if line not in why), [])


def _within_measure(level: Sequence[Line], why: dict[Line, Rule]) -> dict[Line, Rule]:
    """Give a body back what only comes back on other pages, where hardly anything of its own would be left: twenty
    notices from one template are twenty stories."""
    if any(line.is_new and line not in why for line in level):
        return why
    taken = sum(line.words for line, rule in why.items() if not rule.is_sure)
    if taken <= TAKEN * sum(line.words for line in level):
        return why
    return {line: rule for line, rule in why.items() if rule.is_sure}
