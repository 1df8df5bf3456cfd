# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a role as text for a terminal: tables, failures and paths in lines of 80 columns.

The packages of capabilities build the lines of their roles from these parts.
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
from .values import render_text

# They are in columns of tables, for which AWS's abbreviation of an organizational unit is short enough.
_CONSUMERS = (("account_ids", "account"), ("org_arns", "organization"), ("org_unit_arns", "OU"))

WIDTH = 80
"""The columns of a line."""
MOST_ROWS = 20
"""The rows of a table; more are counted."""
OUTPUT = "the output of -vvv"
"""The place of all failures of a role that writes no report."""
MOST_FAILURES = 5
MOST_BYTES = 64 * 1024
"""The size of the artifacts as JSON. AWX stores them with the job and adds them to the variables of each
later job of the workflow. Neither AWX (awx/main/tasks/callback.py) nor ansible-runner limits it."""
_INDENT, _ELLIPSIS = "  ", "\u2026"
# An ID or a name is not cut to fewer columns: "ami-0d6" and the ellipsis.
_NARROWEST = 8
# The columns that are cut last, and the longest ID, "snap-" and 17 digits: half an ID is of little use.
_IDS, _ID = frozenset({"account", "image", "region", "resource"}), 22
# The columns of a key's ID.
_KEY = 14
# The characters of a failure in the lines, and in the message of a role that fails.
_LONGEST_IN_LINES, _LONGEST_IN_MESSAGE = 320, 480
# Lines of the message of a role.
_MOST_LINES = 40
# A failure is found in a task's message by its first characters: longer ones are cut in the middle.
_BEGINNING = 80


class Tone(StrEnum):
    """The kind of a line, which has a color on a terminal."""

    PLAIN = "plain"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    FAILURE = "failure"
    """A failure that is also in the message of a failing task, which Ansible displays."""


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
    """The lines that a role displays at its end, and the artifacts for the next job of a workflow.

    The role then fails with the message ``failure``, unless it is empty.
    """

    lines: tuple[Line, ...]
    artifacts: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""

    @property
    def text(self) -> str:
        """Return the lines as one text."""
        return "\n".join(line.text for line in self.lines)


def wrap_text(text: str, tone: Tone = Tone.PLAIN, indent: str = "", most: int = 0) -> Iterator[Line]:
    """Yield a text in lines of 80 columns, the further ones indented; ``most`` limits them if it is not 0."""
    inner = indent + _INDENT
    lines = textwrap.wrap(
        to_one_line(text), WIDTH, initial_indent=indent, subsequent_indent=inner, break_on_hyphens=False
    )
    if any(count_columns(line) > WIDTH for line in lines):
        # Characters of two columns: half as many in each line.
        lines = textwrap.wrap(to_one_line(text), WIDTH // 2, initial_indent=indent, subsequent_indent=inner)
    if most and len(lines) > most:
        lines = [*lines[: most - 1], cut(lines[most - 1], WIDTH - 1).removesuffix(_ELLIPSIS) + _ELLIPSIS]
    yield from (Line(line, tone) for line in lines)


def format_table(columns: Sequence[Column], rows: Sequence[Row]) -> Iterator[Line]:
    """Yield the titles and the rows, as wide as their texts; columns without a text are left out.

    If the lines are longer than 80 columns, spaces between the cells and then the widest texts are shortened.
    """
    texts = [
        {column.key: to_one_line(render_text(row.cells.get(column.key))) for column in columns}
        for row in rows
    ]
    visible = [column for column in columns if any(text[column.key] for text in texts)]
    if not visible:
        return
    widths = {
        column.key: max(count_columns(column.title), *(count_columns(text[column.key]) for text in texts))
        for column in visible
    }
    gap = 2 if _total(widths, 2) <= WIDTH else 1
    _shrink(widths, {column.key: count_columns(column.title) for column in visible}, gap)
    yield Line(_join_cells(visible, {column.key: column.title for column in visible}, widths, gap))
    for row, text in zip(rows, texts, strict=True):
        yield Line(_join_cells(visible, text, widths, gap), row.tone)


def collapse_rows(bad: Sequence[Row], good: Sequence[Row]) -> Iterator[Row]:
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
    """Return the cells that all rows share, and the number of regions, accounts and images that differ."""
    same = {key: text for key, text in cells[0].items() if all(row.get(key) == text for row in cells)}
    # A new image has no ID yet, but is another one in each region.
    places = {"region": ("region",), "account": ("account",), "image": ("region", "image")}
    return same | {
        noun: count(len({tuple(row[key] for key in keys) for row in cells}), noun)
        for noun, keys in places.items()
        if noun in cells[0] and noun not in same
    }


def list_failed_rows(problems: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return a row for each region and account that failed: ``region``, ``account`` and ``outcome``."""
    places = dict.fromkeys(
        (failure["region"], failure.get("account_id")) for failure in problems if failure["region"]
    )
    return [
        Row({"region": region, "account": account, "outcome": "failed"}, Tone.BAD)
        for region, account in places
    ]


def list_failed_regions(problems: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the regions of failures, each once."""
    return sorted({str(failure["region"]) for failure in problems if failure["region"]})


def name_outcome(changed: bool, is_plan: bool) -> str:
    """Return the word for the outcome of a region: changed, planned or unchanged."""
    if not changed:
        return "unchanged"
    return "planned" if is_plan else "changed"


def has_no_change(results: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there are results and none of them has a change."""
    return bool(results) and not any(result["changed"] for result in results)


def format_failures(
    problems: Sequence[Mapping[str, Any]], rest: str, messages: str = "", tone: Tone = Tone.BAD
) -> Iterator[Line]:
    """Yield at most five failures with place, message and remedy; equal ones of several regions are one.

    ``rest`` is the place that has all of them, here and below: the report, or a fact of the role. ``tone`` is
    the tone of failures on the screen.

    Failures that are also in the ``messages`` of failing tasks are in the registered text, not on the screen;
    if all five are, so is the line that counts the others.
    """
    texts, known = _failure_texts(problems), to_one_line(messages)
    tones = [Tone.FAILURE if to_one_line(text)[:_BEGINNING] in known else tone for _place, text in texts]
    for (place, text), own_tone in list(zip(texts, tones, strict=True))[:MOST_FAILURES]:
        yield from wrap_text(f"- {shortened(to_one_line(place + text), _LONGEST_IN_LINES)}", own_tone)
    yield from format_further(len(texts) - MOST_FAILURES, rest, _tone_of_further(tones, tone))


def _tone_of_further(tones: Sequence[Tone], displayed: Tone) -> Tone:
    is_displayed = all(tone is Tone.FAILURE for tone in tones[:MOST_FAILURES])
    return Tone.FAILURE if is_displayed else displayed


def format_failure_message(head: str, problems: Sequence[Mapping[str, Any]], rest: str) -> str:
    """Return the message of a failing role: ``head``, five failures, and the place of the others."""
    texts = _failure_texts(problems)
    lines = [f"- {shortened(place + text, _LONGEST_IN_MESSAGE)}" for place, text in texts[:MOST_FAILURES]]
    more = [line.text for line in format_further(len(texts) - MOST_FAILURES, rest, Tone.BAD)]
    return "\n".join([head, *lines, *more])


def join_messages(messages: Iterable[str], rest: str) -> str:
    """Return the messages of a failing role as one, without the empty ones.

    If it is too long, the longest lines are cut, and the last line says that ``rest`` has all.
    """
    whole = "\n".join(message for message in messages if message)
    if len(whole) <= LONGEST_MESSAGE:
        return whole
    lines = whole.split("\n")
    # A traceback can have so many lines that each would be cut to nothing.
    fitted = _fit_texts(lines if len(lines) <= _MOST_LINES else [whole])
    return "\n".join([*fitted, f"All of it is in {rest}."])


def format_further(number: int, rest: str, tone: Tone) -> Iterator[Line]:
    """Yield the number of omitted lines and the place ``rest`` that has them; nothing for none."""
    if number > 0:
        yield from wrap_text(f"{number} more in {rest}.", tone, _INDENT)


def read_module_message(report: Mapping[str, Any], rest: str = RESULT) -> str:
    """Return the message of a module that failed, empty if it did not.

    ``rest`` is the place of the failures that the message omits.
    """
    return str(report.get("msg") or "").replace(RESULT, rest)


def format_report_path(path: str | None) -> Iterator[Line]:
    """Yield the path of the report, in one line if it fits; nothing without a report."""
    if path:
        yield from break_path("Report: ", path)


def format_unwritten_report(path: str | None) -> Iterator[Line]:
    """Yield the path of a report that check mode does not write; nothing without a report."""
    if path:
        yield from break_path("Report (not in check mode): ", path)


def break_path(label: str, path: str) -> Iterator[Line]:
    """Yield a path or a link in as few lines as possible."""
    text = to_one_line(path)
    whole = label + text
    if count_columns(whole) <= WIDTH:
        yield Line(whole)
        return
    yield Line(label.rstrip())
    width = WIDTH if text.isascii() else WIDTH // 2
    yield from (Line(text[start : start + width]) for start in range(0, len(text), width))


def limit_artifacts(artifacts: Mapping[str, Any], most: int = MOST_BYTES) -> dict[str, Any]:
    """Return the artifacts, without the largest values if they exceed ``most``; ``omitted`` names these."""
    kept = dict(artifacts)
    omitted: list[str] = []
    while kept and _size({**kept, "omitted": omitted}) > most:
        largest = max(kept, key=lambda name: _size(kept[name]))
        del kept[largest]
        omitted.append(largest)
    return {**kept, "omitted": sorted(omitted)} if omitted else kept


def format_omitted(artifacts: Mapping[str, Any]) -> Iterator[Line]:
    """Yield the names of the artifacts that ``limit_artifacts`` omitted; nothing if it omitted none."""
    if omitted := artifacts.get("omitted"):
        yield from wrap_text(f"Too large to pass to the next job: {', '.join(omitted)}.")


def format_duration(seconds: int) -> str:
    """Return the largest units of a duration: ``8s``, ``7m``, ``1h 05m``."""
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{seconds}s"
    return f"{minutes}m" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02}m"


def to_one_line(text: str) -> str:
    """Return the text in one line, with escapes for characters that could control the terminal."""
    return escape_invisible(" ".join(text.split()))


def count_columns(text: str) -> int:
    """Return the number of columns that a terminal needs for the text (Unicode Standard Annex 11)."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of_character, text))


def _columns_of_character(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Return the text, or its beginning and an ellipsis if it needs more columns than ``width``."""
    if count_columns(text) <= width:
        return text
    ends = accumulate(map(_columns_of_character, text))
    kept = sum(1 for _end in takewhile(lambda end: end < width, ends))
    return text[:kept] + _ELLIPSIS


def shorten_principal(principal: str) -> str:
    """Return the end of an ARN: the ID of an organization or organizational unit, or the name of a role."""
    return "public" if principal == PUBLIC else principal.rpartition("/")[2]


def shorten_resource(resource: str) -> str:
    """Return the ID of an image or a snapshot; of the ARN of a KMS key, the beginning of the key's ID."""
    _arn, is_key, key = resource.partition(":key/")
    return f"key {cut(key, _KEY)}" if is_key else resource


def _fit_texts(texts: Sequence[str]) -> list[str]:
    """Return the texts with the longest ones cut, so that all of them fit into a message."""
    fitted, left = list(texts), LONGEST_MESSAGE
    shortest_first = sorted(range(len(fitted)), key=lambda place: len(fitted[place]))
    for number, place in enumerate(shortest_first):
        # A longer text may use the characters that shorter ones leave.
        fitted[place] = shortened(fitted[place], left // (len(fitted) - number))
        left -= len(fitted[place])
    return fitted


def _join_cells(
    columns: Sequence[Column], texts: Mapping[str, str], widths: Mapping[str, int], gap: int
) -> str:
    cells = []
    for column in columns:
        text = cut(texts[column.key], widths[column.key])
        padding = " " * (widths[column.key] - count_columns(text))
        cells.append(padding + text if column.numeric else text + padding)
    return (" " * gap).join(cells).rstrip()


def _total(widths: Mapping[str, int], gap: int) -> int:
    return sum(widths.values()) + gap * (len(widths) - 1)


def _shrink(widths: dict[str, int], titles: Mapping[str, int], gap: int) -> None:
    """Shorten the widest columns until the line fits, none below its title."""
    while (excess := _total(widths, gap) - WIDTH) > 0:
        spare = _spare_columns(widths, titles, _ID) or _spare_columns(widths, titles, _NARROWEST)
        if not spare:
            widths[max(widths, key=lambda key: widths[key])] -= excess
            return
        widest = max(spare, key=lambda key: (spare[key], widths[key]))
        widths[widest] -= 1


def _spare_columns(widths: Mapping[str, int], titles: Mapping[str, int], id_width: int) -> dict[str, int]:
    """Return the characters that each column can lose; one with IDs keeps at least ``id_width``."""
    spare = {
        key: width - max(titles[key], id_width if key in _IDS else _NARROWEST)
        for key, width in widths.items()
    }
    return {key: columns for key, columns in spare.items() if columns > 0}


def _size(value: Any) -> int:
    return len(json.dumps(value, default=str).encode())


def join_counts(counts: Iterable[tuple[int, str]]) -> str:
    """Return the numbers that are not zero, with their nouns: ``12 accounts and 1 organization``."""
    texts = [count(number, noun) for number, noun in counts if number]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def count_consumers(permissions: Mapping[str, Any]) -> str:
    """Return the number of accounts, organizations and organizational units in launch permissions."""
    return join_counts((len(permissions.get(kind) or ()), noun) for kind, noun in _CONSUMERS) or "no account"


def format_changes(differences: Mapping[str, Any] | None, path: str | None) -> Iterator[Line]:
    """Yield the changes since the previous report, if there is one: counts, and the first sentences."""
    if not differences:
        return
    added, removed = differences["added"], differences["removed"]
    since = str(differences["since"])[: len("2026-11-24 12:00")].replace("T", " ")
    if not (added or removed):
        yield from wrap_text(f"Nothing has changed since {since}.")
        return
    yield from wrap_text(f"Since {since}: {len(added)} new, {len(removed)} gone.")
    texts = [*(f"+ {text}" for text in added), *(f"- {text}" for text in removed)]
    for text in texts[:MOST_FAILURES]:
        yield from wrap_text(text, most=2)
    yield from format_further(len(texts) - MOST_FAILURES, path or OUTPUT, Tone.PLAIN)


def _failure_texts(problems: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the regions of each failure as text, and its message with its remedy."""
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
