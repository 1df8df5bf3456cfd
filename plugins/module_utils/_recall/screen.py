# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ``recall`` displays and passes to the next job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._failures import NOTHING_CHANGED
from .._listing import count
from .._model import PUBLIC
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
    join_messages,
    limit_artifacts,
    list_failed_regions,
    list_failed_rows,
    name_outcome,
    name_principal,
    read_module_message,
    wrap_text,
)
from .breaking import ALL, describe_uses, name_regions
from .decide import REGION_FAILED

_COLUMNS = (
    Column("region", "region"),
    Column("account", "account"),
    Column("name", "name"),
    Column("image", "image"),
    Column("outcome", "outcome"),
)
_BREAKING = (
    Column("consumer", "loses it"),
    Column("region", "region"),
    Column("uses", "launches next"),
    Column("outcome", "outcome"),
)
_NEXT = (
    "Instances that run the release go on: report_adoption.yml shows them. recall_state: absent takes the "
    "recall back."
)
_GOOD = ("planned", "recalled", "blocked", "taken_back")

Result = Mapping[str, Any]


def screen(result: Result, context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the parameters and launch templates with the image that each names now, failures first.

    ``result`` is that of ``ami_recall``. ``context`` has the ``source_image_id`` and the ``state`` that the
    role was given, ``check_mode``, and as ``block`` the result of the task that blocks the images, empty
    before it has run.
    """
    block = context["block"]
    tasks, status = (result, block), _name_status(result, block, context)
    failed = tuple(failure for task in tasks for failure in task.get("failures") or ())
    full_list = report_path or f"the fact {context['role']}_failures"
    message = join_messages(read_module_message(task, full_list) for task in tasks)
    if any(task.get("changed") for task in tasks):
        # A task that was refused says this, and another one has made changes.
        message = message.replace(f"\n{NOTHING_CHANGED}", "")
    pointers = result.get("results") or ()
    images = result.get("images") or ()
    blocked = (*(result.get("blocked") or ()), *(block.get("blocked") or ()))
    shown = (*pointers, *_list_blocked(images, blocked))
    bad, good = _divide_rows(failed, shown, context["check_mode"])
    place = result.get("tombstone")
    lines = (
        *_render_headline(pointers, images, blocked, {**context, "status": status}),
        *format_table(_COLUMNS, tuple(collapse_rows(bad, good))),
        *_render_breaking(block, context["check_mode"] and any(item["changed"] for item in pointers)),
        *(wrap_text(f"Tombstone: {place}") if place else ()),
        *(wrap_text(_NEXT) if status in ("recalled", "blocked") else ()),
        *format_failures(failed, full_list, message),
    )
    artifacts = {
        "failed_regions": list_failed_regions(failed),
        "report_path": report_path,
        "source_image_id": context["source_image_id"],
        "status": status,
        "tombstone": place,
    }
    return Screen(lines, limit_artifacts(artifacts), message)


def _name_status(result: Result, block: Result, context: Mapping[str, Any]) -> str:
    """Return the status of the role, which has failed if a task has a message."""
    if "msg" in result or "msg" in block:
        return "incomplete" if result.get("changed") or block.get("changed") else "failed"
    if context["check_mode"]:
        return "planned"
    if context["state"] == "absent":
        return "taken_back"
    return "blocked" if block.get("blocked") else "recalled"


def _render_headline(
    pointers: Sequence[Result],
    images: Sequence[Result],
    blocked: Sequence[Result],
    context: Mapping[str, Any],
) -> Iterator[Line]:
    status, is_recall = context["status"], context["state"] != "absent"
    is_good, is_changed = status in _GOOD, any(item["changed"] for item in (*pointers, *images, *blocked))
    tagged = count(sum(item["changed"] for item in images), "image")
    moved = count(sum(item["changed"] for item in pointers), "pointer")
    counts = f"{tagged} {'tagged' if is_recall else 'untagged'}, {moved} moved"
    if blocked:
        number = count(sum(item["changed"] for item in blocked), "image")
        counts = f"{counts}, {number} {'blocked' if is_recall else 'opened again'}"
    if status == "failed" and not context["check_mode"]:
        # An earlier run may have tagged and moved all of them. A task that was refused, or crashed, has no
        # results: its message says what is known.
        counts = "no change confirmed" if pointers or images else "see below"
    if not blocked and context["block"].get("failures"):
        counts = f"{counts}, no image blocked"
    release, label = context["source_image_id"], "" if is_good else f"{str(status).capitalize()}: "
    what = f"Recall of {release}" if is_recall else f"Taking back the recall of {release}"
    if is_good and not is_changed:
        end = "complete" if is_recall else "taken back"
        text = f"Nothing to change: Recall of {release} is {end}."
    elif context["check_mode"]:
        # Check mode finds failures, too, and has changed nothing either.
        text = f"{label}Check mode: {what} would be: {counts}."
    else:
        text = f"{label}{what}: {counts}."
    yield from wrap_text(text, Tone.GOOD if is_good else Tone.BAD)


def _render_breaking(block: Result, is_early: bool) -> Iterator[Line]:
    """Yield a table of who cannot launch the images any more, the worst first, and how to confirm them.

    ``is_early`` is whether check mode has planned to move pointers, after which less may launch them.
    """
    breaking = block.get("breaking") or ()
    rows = [row for item in breaking[:MOST_ROWS] for row in _make_breaking_rows(item, is_early)]
    if len(breaking) > MOST_ROWS:
        rows.append(Row({"consumer": f"{len(breaking) - MOST_ROWS} more"}, Tone.BAD))
    yield from format_table(_BREAKING, rows)
    # Also those that are confirmed: the variable replaces the list. What may move first need not be.
    consumers = [
        item["consumer"]
        for item in breaking
        if item["confirmed"] or item["regions_not_looked_at"] or not is_early
    ]
    if all(item["confirmed"] for item in breaking if item["consumer"] in consumers):
        return
    if len(consumers) <= MOST_ROWS or PUBLIC in consumers:
        yield from wrap_text("To block all the same, although that can break them, set this variable:")
        # In one line, however long: it is there to be copied.
        yield Line(f"recall_accept_breaking: {json.dumps([ALL] if PUBLIC in consumers else consumers)}")
    else:
        yield from wrap_text(
            f"recall_accept_breaking: the fact recall_breaking, which -v shows, has all {len(consumers)} "
            "consumers."
        )


def _make_breaking_rows(item: Result, is_early: bool) -> Iterator[Row]:
    """Yield a row of what launches the images, and one of where that was not looked at."""
    tone = Tone.PLAIN if item["confirmed"] else Tone.BAD
    outcome = "confirmed" if item["confirmed"] else "stops the block"
    consumer, unread = name_principal(item["consumer"]), item["regions_not_looked_at"]
    if item["uses"]:
        first = "may move first" if is_early and not item["confirmed"] else outcome
        regions, uses = name_regions(item["regions"]), describe_uses(item["uses"])
        yield Row({"consumer": consumer, "outcome": first, "region": regions, "uses": uses}, tone)
    if unread:
        unknown = {"region": name_regions(unread), "uses": "not looked at"}
        yield Row({"consumer": consumer, "outcome": outcome, **unknown}, tone)


def _divide_rows(
    failed: Sequence[Result], shown: Sequence[Result], is_plan: bool
) -> tuple[list[Row], list[Row]]:
    """Return the rows of failures, and the others. What stays because its region failed is the row of it."""
    staying = [item for item in shown if item["left"] == REGION_FAILED]
    places = {(item["region"], item["account_id"]) for item in staying}
    others = [failure for failure in failed if (failure["region"], failure["account_id"]) not in places]
    bad = [*list_failed_rows(others), *(replace(_make_row(item, is_plan), tone=Tone.BAD) for item in staying)]
    return bad, [_make_row(item, is_plan) for item in shown if item not in staying]


def _list_blocked(images: Sequence[Result], blocked: Sequence[Result]) -> Iterator[dict[str, Any]]:
    """Yield what the table has of images: all of consumers, and those of the owner that are left.

    Where no image of the owner exists any more, each of its images is left.
    """
    owners = {item["account_id"] for item in images}
    for item in blocked:
        is_copy = item["account_id"] not in owners if owners else not item["left"]
        if is_copy or item["left"]:
            yield {**item, "name": "own image" if is_copy else None}


def _make_row(item: Result, is_plan: bool) -> Row:
    """Return the row of a parameter or launch template, or of an image that is left."""
    # What is left has no image after: it names what it named before.
    position = item.get("after") or item.get("before") or item
    image_id, version = position.get("image_id"), position.get("version")
    cells = {
        "region": item["region"],
        "account": item["account_id"],
        "name": item.get("name"),
        "image": image_id if version is None else f"{image_id} ({version})",
        "outcome": f"left: {item['left']}" if item["left"] else name_outcome(item["changed"], is_plan),
    }
    return Row(cells)
