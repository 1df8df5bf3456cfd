# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a role as text for a terminal: tables, failures and paths in lines of 80 columns.

Knows no capability: the rooms make the lines of their roles from these parts.
"""

from __future__ import annotations

import json
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate, takewhile
from typing import Any

from .._failures import LONGEST_MESSAGE, RESULT, combine_regions, with_code
from .._failures import cut as shortened
from .._listing import count, join_texts
from .._model import PUBLIC
from .._wording import escape_invisible, with_full_stop
from .document import Column
from .values import text_of

# They are in columns of tables, for which AWS's abbreviation of an organizational unit is short enough.
_CONSUMERS = (("account_ids", "account"), ("org_arns", "organization"), ("org_unit_arns", "OU"))

WIDTH = 80
"""The columns of a line."""
MOST_ROWS = 20
"""The rows of a table; more are counted."""
OUTPUT = "the output of -vvv"
"""Where everything is that has no other place."""
MOST_FAILURES = 5
MOST_BYTES = 64 * 1024
"""The size of the artifacts as JSON. AWX stores them with the job and adds them to the variables of each
later job of the workflow. Neither AWX (awx/main/tasks/callback.py) nor ansible-runner limits it."""
_INDENT, _ELLIPSIS = "  ", "\u2026"
# The shortest text that an ID or a name is cut to: "ami-0d6" and the ellipsis.
_NARROWEST = 8
# The columns that are cut last, and the longest ID, "snap-" and 17 digits: half an ID is of little use.
_IDS, _ID = frozenset({"account", "image", "region", "resource"}), 22
# The columns of a key's ID.
_KEY = 14
# The characters of a failure in the lines, and in the message of a role that fails.
_SHOWN, _TOLD = 320, 480
# Lines of the message of a role.
_MOST_LINES = 40
# The beginning of a failure by which it is found in the message of a task: longer ones are cut in the middle.
_BEGINNING = 80


class Tone(StrEnum):
    """What a line is about; on a terminal each has a color."""

    PLAIN = "plain"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    FAILURE = "failure"
    """A failure that the message of a task that fails has, too: Ansible displays that."""


@dataclass(frozen=True)
class Line:
    """A line of at most ``WIDTH`` columns."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Row:
    """A row of a table: texts by the keys of the columns."""

    cells: Mapping[str, Any]
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Screen:
    """What a role displays at its end, and what it passes to the next job of a workflow.

    ``failure`` is the message that the role fails with after the lines, empty if it does not.
    """

    lines: tuple[Line, ...]
    artifacts: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""

    @property
    def text(self) -> str:
        """Return the lines as one text."""
        return "\n".join(line.text for line in self.lines)


def sentence(text: str, tone: Tone = Tone.PLAIN, indent: str = "", most: int = 0) -> Iterator[Line]:
    """Yield a text in lines of 80 columns, the further ones indented; ``most`` limits them if it is not 0."""
    inner = indent + _INDENT
    lines = textwrap.wrap(
        clean(text), WIDTH, initial_indent=indent, subsequent_indent=inner, break_on_hyphens=False
    )
    if any(columns_of(line) > WIDTH for line in lines):
        # Characters of two columns: half as many in each line.
        lines = textwrap.wrap(clean(text), WIDTH // 2, initial_indent=indent, subsequent_indent=inner)
    if most and len(lines) > most:
        lines = [*lines[: most - 1], cut(lines[most - 1], WIDTH - 1).removesuffix(_ELLIPSIS) + _ELLIPSIS]
    yield from (Line(line, tone) for line in lines)


def table(columns: Sequence[Column], rows: Sequence[Row]) -> Iterator[Line]:
    """Yield the titles and the rows, as wide as their texts; columns without a text are left out.

    If the lines are longer than 80 columns, spaces between the cells and then the widest texts are shortened.
    """
    texts = [{column.key: clean(text_of(row.cells.get(column.key))) for column in columns} for row in rows]
    shown = [column for column in columns if any(text[column.key] for text in texts)]
    if not shown:
        return
    widths = {
        column.key: max(columns_of(column.title), *(columns_of(text[column.key]) for text in texts))
        for column in shown
    }
    gap = 2 if _total(widths, 2) <= WIDTH else 1
    _shrink(widths, {column.key: columns_of(column.title) for column in shown}, gap)
    yield Line(_joined(shown, {column.key: column.title for column in shown}, widths, gap))
    for row, text in zip(rows, texts, strict=True):
        yield Line(_joined(shown, text, widths, gap), row.tone)


def collapsed(bad: Sequence[Row], good: Sequence[Row]) -> Iterator[Row]:
    """Yield the rows of a table whose first column is ``region``: those with a problem, then the others.

    If there are more than 20 rows with a problem, the rest are counted. If there are more than 20 rows, those
    without a problem are one row: with the texts that are the same in all of them, and how many regions,
    accounts and images these are.
    """
    yield from bad[:MOST_ROWS]
    if len(bad) > MOST_ROWS:
        yield Row({"region": f"{len(bad) - MOST_ROWS} more"}, Tone.BAD)
    if len(bad) + len(good) <= MOST_ROWS:
        yield from good
    elif good:
        yield Row(_common_cells([row.cells for row in good]))


def _common_cells(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the texts that rows have in common; the number of regions, accounts and images that differ."""
    same = {key: text for key, text in cells[0].items() if all(row.get(key) == text for row in cells)}
    # A new image has no ID yet, but is another one in each region.
    places = {"region": ("region",), "account": ("account",), "image": ("region", "image")}
    return same | {
        noun: counted(len({tuple(row[key] for key in keys) for row in cells}), noun)
        for noun, keys in places.items()
        if noun in cells[0] and noun not in same
    }


def failed_rows(problems: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return a row for each region and account that failed: ``region``, ``account`` and ``outcome``."""
    places = dict.fromkeys(
        (failure["region"], failure.get("account_id")) for failure in problems if failure["region"]
    )
    return [
        Row({"region": region, "account": account, "outcome": "failed"}, Tone.BAD)
        for region, account in places
    ]


def failed_regions(problems: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the regions of failures, each once."""
    return sorted({str(failure["region"]) for failure in problems if failure["region"]})


def outcome_of(changed: bool, is_plan: bool) -> str:
    """Return what happened to a region, or would."""
    if not changed:
        return "unchanged"
    return "planned" if is_plan else "changed"


def has_no_change(results: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether there are results and all are as they were: nothing was changed, or would be."""
    return bool(results) and not any(result["changed"] for result in results)


def failures(
    problems: Sequence[Mapping[str, Any]], rest: str, messages: str = "", tone: Tone = Tone.BAD
) -> Iterator[Line]:
    """Yield at most five failures with place, message and remedy; the same one in several regions once.

    ``rest`` is where all of them are, here and below: the report, or a fact of the role. ``tone`` is of those
    that are on the screen.

    Those that the ``messages`` of failing tasks have are only in the registered text, not on the screen, and
    with all that are shown, so is the line about the further ones.
    """
    texts, known = _failure_texts(problems), clean(messages)
    tones = [Tone.FAILURE if clean(text)[:_BEGINNING] in known else tone for _place, text in texts]
    for (place, text), own_tone in list(zip(texts, tones, strict=True))[:MOST_FAILURES]:
        yield from sentence(f"- {shortened(clean(place + text), _SHOWN)}", own_tone)
    yield from further(len(texts) - MOST_FAILURES, rest, _tone_of_further(tones, tone))


def _tone_of_further(tones: Sequence[Tone], displayed: Tone) -> Tone:
    is_displayed = all(tone is Tone.FAILURE for tone in tones[:MOST_FAILURES])
    return Tone.FAILURE if is_displayed else displayed


def failure_message(head: str, problems: Sequence[Mapping[str, Any]], rest: str) -> str:
    """Return the message of a failing role: ``head``, the first five failures, and where the others are."""
    texts = _failure_texts(problems)
    lines = [f"- {shortened(place + text, _TOLD)}" for place, text in texts[:MOST_FAILURES]]
    more = [line.text for line in further(len(texts) - MOST_FAILURES, rest, Tone.BAD)]
    return "\n".join([head, *lines, *more])


def one_message(messages: Iterable[str], rest: str) -> str:
    """Return several messages of a role that fails, in lines of one, without those that are empty.

    If they are long together, the longest lines are cut, and the last line says that ``rest`` has all.
    """
    whole = "\n".join(message for message in messages if message)
    if len(whole) <= LONGEST_MESSAGE:
        return whole
    lines = whole.split("\n")
    # A traceback can have so many that nothing would be left of each.
    shown = _fitted(lines if len(lines) <= _MOST_LINES else [whole])
    return "\n".join([*shown, f"All of it is in {rest}."])


def further(number: int, rest: str, tone: Tone) -> Iterator[Line]:
    """Yield how many more there are, and where; nothing if ``number`` is not positive."""
    if number > 0:
        yield from sentence(f"{number} more in {rest}.", tone, _INDENT)


def module_message(report: Mapping[str, Any], rest: str = RESULT) -> str:
    """Return the message of a module that failed, empty if it did not.

    ``rest`` is where a role has the failures that the message leaves out.
    """
    return str(report.get("msg") or "").replace(RESULT, rest)


def report_line(path: str | None) -> Iterator[Line]:
    """Yield the path of the report, in one line if it fits; nothing without a report."""
    if path:
        yield from unbroken("Report: ", path)


def unwritten_report(path: str | None) -> Iterator[Line]:
    """Yield the path of a report that check mode does not write; nothing without a report."""
    if path:
        yield from unbroken("Report (not in check mode): ", path)


def unbroken(label: str, path: str) -> Iterator[Line]:
    """Yield a path or a link in as few lines as possible: broken only where a line ends."""
    text = clean(path)
    whole = label + text
    if columns_of(whole) <= WIDTH:
        yield Line(whole)
        return
    yield Line(label.rstrip())
    width = WIDTH if text.isascii() else WIDTH // 2
    yield from (Line(text[start : start + width]) for start in range(0, len(text), width))


def limited(artifacts: Mapping[str, Any], most: int = MOST_BYTES) -> dict[str, Any]:
    """Return the artifacts, without the largest values if they exceed ``most``; ``omitted`` names these."""
    kept = dict(artifacts)
    omitted: list[str] = []
    while kept and _size({**kept, "omitted": omitted}) > most:
        largest = max(kept, key=lambda name: _size(kept[name]))
        del kept[largest]
        omitted.append(largest)
    return {**kept, "omitted": sorted(omitted)} if omitted else kept


def omitted_line(artifacts: Mapping[str, Any]) -> Iterator[Line]:
    """Yield what ``limited`` has left out; nothing if it has left out nothing."""
    if omitted := artifacts.get("omitted"):
        yield from sentence(f"Too large to pass to the next job: {', '.join(omitted)}.")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where needed, as on pages."""
    return count(number, noun)


def duration(seconds: int) -> str:
    """Return the largest units of a duration: ``8s``, ``7m``, ``1h 05m``."""
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{seconds}s"
    return f"{minutes}m" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02}m"


def clean(text: str) -> str:
    """Return the text in one line, with visible characters for those that could control the terminal."""
    return escape_invisible(" ".join(text.split()))


def columns_of(text: str) -> int:
    """Return how many columns a terminal needs for the text (Unicode Standard Annex 11)."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of_character, text))


def _columns_of_character(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Return the text, or its beginning and an ellipsis if it needs more columns than ``width``."""
    if columns_of(text) <= width:
        return text
    ends = accumulate(map(_columns_of_character, text))
    kept = sum(1 for _end in takewhile(lambda end: end < width, ends))
    return text[:kept] + _ELLIPSIS


def principal_name(principal: str) -> str:
    """Return the end of an ARN: the ID of an organization or organizational unit, or the name of a role."""
    return "public" if principal == PUBLIC else principal.rpartition("/")[2]


def resource_name(resource: str) -> str:
    """Return the ID of an image or a snapshot; of the ARN of a KMS key, the beginning of the key's ID."""
    _arn, is_key, key = resource.partition(":key/")
    return f"key {cut(key, _KEY)}" if is_key else resource


def _fitted(texts: Sequence[str]) -> list[str]:
    """Return the texts, the longest of them cut, so that a message can have all of them."""
    fitted, room = list(texts), LONGEST_MESSAGE
    shortest_first = sorted(range(len(fitted)), key=lambda place: len(fitted[place]))
    for number, place in enumerate(shortest_first):
        # What shorter texts leave is for the longer ones.
        fitted[place] = shortened(fitted[place], room // (len(fitted) - number))
        room -= len(fitted[place])
    return fitted


def _joined(columns: Sequence[Column], texts: Mapping[str, str], widths: Mapping[str, int], gap: int) -> str:
    cells = []
    for column in columns:
        text = cut(texts[column.key], widths[column.key])
        padding = " " * (widths[column.key] - columns_of(text))
        cells.append(padding + text if column.numeric else text + padding)
    return (" " * gap).join(cells).rstrip()


def _total(widths: Mapping[str, int], gap: int) -> int:
    return sum(widths.values()) + gap * (len(widths) - 1)


def _shrink(widths: dict[str, int], titles: Mapping[str, int], gap: int) -> None:
    """Shorten the widest columns until the line fits, none below its title."""
    while (excess := _total(widths, gap) - WIDTH) > 0:
        room = _room(widths, titles, _ID) or _room(widths, titles, _NARROWEST)
        if not room:
            widths[max(widths, key=lambda key: widths[key])] -= excess
            return
        widest = max(room, key=lambda key: (room[key], widths[key]))
        widths[widest] -= 1


def _room(widths: Mapping[str, int], titles: Mapping[str, int], of_ids: int) -> dict[str, int]:
    """Return by how much columns can be shortened, those with IDs to no less than ``of_ids``."""
    room = {
        key: width - max(titles[key], of_ids if key in _IDS else _NARROWEST) for key, width in widths.items()
    }
    return {key: columns for key, columns in room.items() if columns > 0}


def _size(value: Any) -> int:
    return len(json.dumps(value, default=str).encode())


def count_texts(counts: Iterable[tuple[int, str]]) -> str:
    """Return numbers with their nouns, those that are zero left out: ``12 accounts and 1 organization``."""
    texts = [counted(number, noun) for number, noun in counts if number]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def shared_with(permissions: Mapping[str, Any]) -> str:
    """Return how many accounts, organizations and organizational units the permissions of a module have."""
    return count_texts((len(permissions.get(kind) or ()), noun) for kind, noun in _CONSUMERS) or "no account"


def changes(differences: Mapping[str, Any] | None, path: str | None) -> Iterator[Line]:
    """Yield what differs from the previous report, if there is one: counts, and the first sentences."""
    if not differences:
        return
    added, removed = differences["added"], differences["removed"]
    since = str(differences["since"])[: len("2026-11-24 12:00")].replace("T", " ")
    if not (added or removed):
        yield from sentence(f"Nothing has changed since {since}.")
        return
    yield from sentence(f"Since {since}: {len(added)} new, {len(removed)} gone.")
    texts = [*(f"+ {text}" for text in added), *(f"- {text}" for text in removed)]
    for text in texts[:MOST_FAILURES]:
        yield from sentence(text, most=2)
    yield from further(len(texts) - MOST_FAILURES, path or OUTPUT, Tone.PLAIN)


def _failure_texts(problems: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the place of each failure, and what failed there with its remedy."""
    texts = (
        (failure.get("region"), f"{_message(failure)} {failure.get('remedy') or ''}".strip())
        for failure in problems
    )
    return [(f"{join_texts(regions)}: " if regions else "", text) for text, regions in combine_regions(texts)]


def _message(failure: Mapping[str, Any]) -> str:
    message = str(failure.get("message") or "")
    return with_full_stop(
        with_code(message, failure.get("error_code")) if failure.get("source") == "aws" else message
    )
