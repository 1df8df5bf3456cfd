# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ``recall`` displays and passes to the next job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._listing import count, join_texts
from .._reports.document import Column
from .._reports.screen import (
    MOST_ROWS,
    Line,
    Row,
    Screen,
    Tone,
    collapse_rows,
    format_failures,
    format_table,
    has_no_change,
    join_messages,
    limit_artifacts,
    list_failed_regions,
    list_failed_rows,
    name_outcome,
    read_module_message,
    wrap_text,
)

_COLUMNS = (
    Column("region", "region"),
    Column("account", "account"),
    Column("name", "name"),
    Column("image", "image"),
    Column("outcome", "outcome"),
)
_BREAKING = (
    Column("consumer", "cannot launch it any more"),
    Column("region", "region"),
    Column("uses", "launches it next"),
    Column("outcome", "outcome"),
)
_GOOD = ("planned", "recalled", "blocked", "taken_back")

# Regions, and uses, that a row names.
_NAMED = 3

Result = Mapping[str, Any]


def screen(result: Result, context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the parameters and launch templates with the image that each names now, failures first.

    ``result`` is that of ``ami_recall``. ``context`` has the ``source_image_id`` and the ``state`` that the
    role was given, its ``status`` and ``check_mode``, and the result of the task that blocks (``block``).
    """
    block = context.get("block") or {}
    failed = (*(result.get("failures") or ()), *(block.get("failures") or ()))
    full_list = report_path or f"the fact {context['role']}_failures"
    messages = (read_module_message(each, full_list) for each in (result, block))
    message = join_messages(text for text in messages if text)
    pointers, images = result.get("results") or (), result.get("images") or ()
    blocked = (*(result.get("blocked") or ()), *(block.get("blocked") or ()))
    rows = [_make_row(item, context["check_mode"]) for item in pointers]
    rows += [_make_left_row(item) for item in blocked if item["left"]]
    place = result.get("tombstone")
    lines = (
        *_render_headline(pointers, images, blocked, context),
        *format_table(_COLUMNS, tuple(collapse_rows(list_failed_rows(failed), rows))),
        *_render_breaking(block.get("breaking") or (), context["check_mode"]),
        *(wrap_text(f"Tombstone: {place}") if place else ()),
        *format_failures(failed, full_list, message),
    )
    artifacts = {
        "failed_regions": list_failed_regions(failed),
        "report_path": report_path,
        "source_image_id": context["source_image_id"],
        "status": context["status"],
        "tombstone": place,
    }
    return Screen(lines, limit_artifacts(artifacts), message)


def _render_headline(
    pointers: Sequence[Result],
    images: Sequence[Result],
    blocked: Sequence[Result],
    context: Mapping[str, Any],
) -> Iterator[Line]:
    status, is_recall = context["status"], context["state"] != "absent"
    tagged = count(sum(item["changed"] for item in images), "image")
    moved = count(sum(item["changed"] for item in pointers), "pointer")
    counts = f"{tagged} {'tagged' if is_recall else 'untagged'}, {moved} moved"
    if blocked:
        number = count(sum(item["changed"] for item in blocked), "image")
        counts = f"{counts}, {number} {'blocked' if is_recall else 'opened again'}"
    what = f"{'Recall' if is_recall else 'End of the recall'} of {context['source_image_id']}"
    if status in _GOOD and has_no_change((*pointers, *images, *blocked)):
        text, tone = f"Nothing to change: {what} is complete.", Tone.GOOD
    elif status == "planned":
        text, tone = f"Check mode: {what} would be: {counts}.", Tone.GOOD
    else:
        is_good = status in _GOOD
        text = f"{what}: {counts}." if is_good else f"{str(status).capitalize()}: {what}: {counts}."
        tone = Tone.GOOD if is_good else Tone.BAD
    yield from wrap_text(text, tone)


def _render_breaking(breaking: Sequence[Result], is_plan: bool) -> Iterator[Line]:
    """Yield a table of who cannot launch the images any more, the worst first."""
    rows = [
        Row(
            {
                "consumer": item["consumer"],
                "outcome": "confirmed"
                if item["confirmed"]
                else "moves first, or stops the block"
                if is_plan and item["looked_at"]
                else "stops the block",
                "region": join_texts(item["regions"], _NAMED),
                "uses": _describe_uses(item["uses"]) if item["looked_at"] else "not looked at",
            },
            Tone.PLAIN if item["confirmed"] else Tone.BAD,
        )
        for item in breaking[:MOST_ROWS]
    ]
    if len(breaking) > MOST_ROWS:
        rows.append(Row({"consumer": f"{len(breaking) - MOST_ROWS} more"}, Tone.BAD))
    yield from format_table(_BREAKING, rows)


def _describe_uses(uses: Sequence[Result]) -> str:
    names = dict.fromkeys(
        f"{item['kind'].replace('_', ' ')} {name}" for item in uses for name in item["names"]
    )
    return join_texts([*names], _NAMED)


def _make_row(pointer: Result, is_plan: bool) -> Row:
    cells = {
        "region": pointer["region"],
        "account": pointer["account_id"],
        "name": pointer["name"],
        # What is left has no image after: it names what it named before.
        "image": _render_position(pointer["after"] or pointer["before"]),
        "outcome": f"left: {pointer['left']}"
        if pointer["left"]
        else name_outcome(pointer["changed"], is_plan),
    }
    return Row(cells)


def _make_left_row(image: Result) -> Row:
    cells = {
        "region": image["region"],
        "account": image["account_id"],
        "image": image["image_id"],
        "outcome": f"left: {image['left']}",
    }
    return Row(cells)


def _render_position(position: Result | None) -> str | None:
    if position is None:
        return None
    version = position["version"]
    return position["image_id"] if version is None else f"{position['image_id']} ({version})"
