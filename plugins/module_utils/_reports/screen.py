# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a role as text for a terminal: tables, failures and paths in lines of 80 columns.

The packages of capabilities build the lines of their roles from these parts.
"""

from __future__ import annotations

import json
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate, product
from typing import Any

from .._causes import Cause, Occurrence, find_causes
from .._failures import RESULT, find_rejected, list_items, list_problems, with_code
from .._listing import count
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
_INDENT = "  "
# Columns of a text that has several lines.
_NARROWEST = 8
# What is broken last, because it is copied as a whole, and its columns: those of a KMS key's ID, and those of
# an image's or a snapshot's.
_IDS, _ID, _IMAGE_ID = frozenset({"account", "image", "principal", "region", "resource"}), 40, 22
_DIVIDING = "/:_-"


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
    """A line of at most ``WIDTH`` columns; only one that is there to be copied can be longer."""

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


def wrap_text(text: str, tone: Tone = Tone.PLAIN, indent: str = "") -> Iterator[Line]:
    """Yield a text in lines of 80 columns, the further ones indented."""
    yield from (Line(line, tone) for line in _wrap(to_one_line(text), WIDTH, indent, indent + _INDENT))


def _wrap(text: str, width: int, first_indent: str = "", indent: str = "") -> list[str]:
    """Return the text in lines of so many columns. Only a word that is longer than a line is broken."""
    lines, is_empty = [first_indent], True
    for word in text.split():
        if is_empty or count_columns(f"{lines[-1]} {word}") > width:
            lines += [] if is_empty else [indent]
            *parts, rest = _break_word(word, width - count_columns(lines[-1]), width - count_columns(indent))
            for part in parts:
                lines[-1] += part
                lines.append(indent)
            lines[-1] += rest
        else:
            lines[-1] += f" {word}"
        is_empty = False
    return [] if is_empty else lines


def _break_word(word: str, first_width: int, width: int) -> Iterator[str]:
    """Yield the parts of a word that fit into lines, if possible after a sign that divides ARNs and codes."""
    left = first_width
    while count_columns(word) > left:
        ends = [*accumulate(map(_columns_of_character, word))]
        fitting = max(1, bisect_right(ends, left))
        divided = max(word.rfind(sign, 0, fitting) for sign in _DIVIDING) + 1
        end = divided if divided > fitting // 2 else fitting
        yield word[:end]
        word, left = word[end:], width
    yield word


def format_table(columns: Sequence[Column], rows: Sequence[Row]) -> Iterator[Line]:
    """Yield the titles and the rows, as wide as their texts; columns without a text are left out.

    If the lines are longer than 80 columns, the spaces between the cells are fewer, and then the widest
    texts have several lines.
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
    words = {
        column.key: max(map(count_columns, " ".join(text[column.key] for text in texts).split()), default=0)
        for column in visible
    }
    _shrink(widths, {column.key: count_columns(column.title) for column in visible}, words, gap)
    titles = {column.key: column.title for column in visible}
    yield from (Line(text) for text in _join_cells(visible, titles, widths, gap))
    for row, text in zip(rows, texts, strict=True):
        yield from (Line(line, row.tone) for line in _join_cells(visible, text, widths, gap))


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


def name_status(result: Mapping[str, Any], done: str, is_plan: bool) -> str:
    """Return the status of a role whose one module returned ``result``; ``done`` is that of a success.

    A result without a message is one of a module that did not fail.
    """
    if "msg" in result:
        return "incomplete" if result.get("results") else "failed"
    return "planned" if is_plan else done


def has_no_change(results: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there are results and none of them has a change."""
    return bool(results) and not any(result["changed"] for result in results)


def format_failures(
    problems: Sequence[Mapping[str, Any]], rest: str, messages: str = "", tone: Tone = Tone.BAD
) -> Iterator[Line]:
    """Yield at most five causes with all places, message and remedy, each whole.

    ``rest`` is the place that has all of them, here and below: the report, or a fact of the role. ``tone`` is
    the tone of failures on the screen.

    Failures that are also in the ``messages`` of failing tasks are in the registered text, not on the screen;
    if all five are, so is the line that counts the others.
    """
    causes, known = _find_causes(problems, rest), to_one_line(messages.replace(RESULT, rest))
    tones = [Tone.FAILURE if to_one_line(cause.text) in known else tone for cause in causes]
    for cause, own_tone in list(zip(causes, tones, strict=True))[:MOST_FAILURES]:
        yield from wrap_text(f"- {cause.place}{cause.text}", own_tone)
    yield from format_further(len(causes) - MOST_FAILURES, rest, _tone_of_further(tones, tone))


def _tone_of_further(tones: Sequence[Tone], displayed: Tone) -> Tone:
    is_displayed = all(tone is Tone.FAILURE for tone in tones[:MOST_FAILURES])
    return Tone.FAILURE if is_displayed else displayed


def format_failure_message(head: str, problems: Sequence[Mapping[str, Any]], rest: str) -> str:
    """Return the message of a failing role: ``head``, up to five causes, and the place of the others.

    Without ``head``, the message begins with the number of causes if there are several.
    """
    texts = [f"{cause.place}{cause.text}" for cause in _find_causes(problems, rest)]
    if not head:
        return list_problems(texts, rest)
    items, further = list_items(texts, rest)
    return "\n".join([head, *items, *further])


def join_messages(messages: Iterable[str]) -> str:
    """Return the messages of a failing role as one, without the empty ones."""
    return "\n".join(message for message in messages if message)


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


def name_principal(principal: str) -> str:
    """Return the ID of an account, organization or organizational unit; of a role or a user, the ARN."""
    if principal == PUBLIC:
        return "public"
    return principal.rpartition("/")[2] if ":organizations:" in principal else principal


def name_resource(resource: str) -> str:
    """Return the ID of an image, a snapshot or a KMS key."""
    _arn, is_key, key = resource.partition(":key/")
    return f"key {key}" if is_key else resource


def _join_cells(
    columns: Sequence[Column], texts: Mapping[str, str], widths: Mapping[str, int], gap: int
) -> Iterator[str]:
    """Yield the lines of a row: as many as its longest cell has."""
    cells = [(column, _wrap(texts[column.key], widths[column.key]), widths[column.key]) for column in columns]
    for number in range(max(1, *(len(lines) for _column, lines, _width in cells))):
        parts = []
        for column, lines, width in cells:
            text = lines[number] if number < len(lines) else ""
            padding = " " * (width - count_columns(text))
            parts.append(padding + text if column.numeric else text + padding)
        yield (" " * gap).join(parts).rstrip()


def _total(widths: Mapping[str, int], gap: int) -> int:
    return sum(widths.values()) + gap * (len(widths) - 1)


def _shrink(widths: dict[str, int], titles: Mapping[str, int], words: Mapping[str, int], gap: int) -> None:
    """Make the widest columns narrower until the line fits, none than its title.

    ``words`` has the columns of the longest word of each column.
    """
    least = _find_least(widths, titles, words, gap)
    while (excess := _total(widths, gap) - WIDTH) > 0:
        spare = {key: width - least[key] for key, width in widths.items() if width > least[key]}
        if not spare:
            widths[max(widths, key=lambda key: widths[key])] -= excess
            return
        widest = max(spare, key=lambda key: (spare[key], widths[key]))
        widths[widest] -= 1


def _find_least(
    widths: Mapping[str, int], titles: Mapping[str, int], words: Mapping[str, int], gap: int
) -> dict[str, int]:
    """Return the least width of each column.

    It has whole IDs and words if that fits, else all IDs, else those of images and words, and so on.
    """
    least: dict[str, int] = {}
    for id_width, whole_words in product((_ID, _IMAGE_ID, _NARROWEST), (True, False)):
        for key, width in widths.items():
            word = min(words[key], _ID) if whole_words else _NARROWEST
            least[key] = min(width, max(titles[key], id_width if key in _IDS else word))
        if _total(least, gap) <= WIDTH:
            break
    return least


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
    if note := differences.get("note"):
        yield from wrap_text(note)
        return
    added, removed = differences["added"], differences["removed"]
    since = str(differences["since"])[: len("2026-11-24 12:00")].replace("T", " ")
    if not (added or removed):
        yield from wrap_text(f"Nothing has changed since {since}.")
        return
    yield from wrap_text(f"Since {since}: {len(added)} new, {len(removed)} gone.")
    texts = [*(f"+ {text}" for text in added), *(f"- {text}" for text in removed)]
    for text in texts[:MOST_FAILURES]:
        yield from wrap_text(text)
    yield from format_further(len(texts) - MOST_FAILURES, path or OUTPUT, Tone.PLAIN)


def _find_causes(problems: Sequence[Mapping[str, Any]], rest: str) -> tuple[Cause, ...]:
    """Return the causes of failures or findings: messages with their remedies, each with all its places."""
    return find_causes(
        (
            Occurrence(
                f"{_message(failure)} {failure.get('remedy') or ''}".strip(),
                failure.get("region"),
                find_rejected(str(failure.get("message") or "")) or failure.get("account_id"),
            )
            for failure in problems
        ),
        rest,
    )


def _message(failure: Mapping[str, Any]) -> str:
    message = str(failure.get("message") or "")
    return with_full_stop(
        with_code(message, failure.get("error_code")) if failure.get("source") == "aws" else message
    )
