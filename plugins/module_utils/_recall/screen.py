# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ``recall`` displays and passes to the next job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._listing import count
from .._reports.document import Column
from .._reports.screen import (
    Line,
    Row,
    Screen,
    Tone,
    collapse_rows,
    format_failures,
    format_table,
    has_no_change,
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
_GOOD = ("planned", "recalled", "taken_back")

Result = Mapping[str, Any]


def screen(result: Result, context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the parameters and launch templates with the image that each names now, failures first.

    ``result`` is that of ``ami_recall``. ``context`` has the ``source_image_id`` and the ``state`` that the
    role was given, its ``status`` and ``check_mode``.
    """
    failed = result.get("failures") or ()
    full_list = report_path or f"the fact {context['role']}_failures"
    message = read_module_message(result, full_list)
    pointers, images = result.get("results") or (), result.get("images") or ()
    rows = [_make_row(item, context["check_mode"]) for item in pointers]
    place = result.get("tombstone")
    lines = (
        *_render_headline(pointers, images, context),
        *format_table(_COLUMNS, tuple(collapse_rows(list_failed_rows(failed), rows))),
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
    pointers: Sequence[Result], images: Sequence[Result], context: Mapping[str, Any]
) -> Iterator[Line]:
    status, is_recall = context["status"], context["state"] != "absent"
    tagged = count(sum(item["changed"] for item in images), "image")
    moved = count(sum(item["changed"] for item in pointers), "pointer")
    counts = f"{tagged} {'tagged' if is_recall else 'untagged'}, {moved} moved."
    what = f"{'Recall' if is_recall else 'End of the recall'} of {context['source_image_id']}"
    if status in _GOOD and has_no_change((*pointers, *images)):
        text, tone = f"Nothing to change: {what} is complete.", Tone.GOOD
    elif status == "planned":
        text, tone = f"Check mode: {what} would be: {counts}", Tone.GOOD
    else:
        is_good = status in _GOOD
        text = f"{what}: {counts}" if is_good else f"{str(status).capitalize()}: {what}: {counts}"
        tone = Tone.GOOD if is_good else Tone.BAD
    yield from wrap_text(text, tone)


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


def _render_position(position: Result | None) -> str | None:
    if position is None:
        return None
    version = position["version"]
    return position["image_id"] if version is None else f"{position['image_id']} ({version})"
