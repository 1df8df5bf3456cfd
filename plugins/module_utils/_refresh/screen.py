# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text that the role ``refresh`` displays, and the artifacts for the next job."""

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
    limit_artifacts,
    list_failed_regions,
    list_failed_rows,
    name_status,
    read_module_message,
    wrap_text,
)

_COLUMNS = (
    Column("region", "region"),
    Column("account", "account"),
    Column("group", "group"),
    Column("image", "image"),
    Column("instances", "instances"),
    Column("outcome", "outcome"),
)
_GOOD = ("planned", "successful", "unchanged")

Result = Mapping[str, Any]


def screen(result: Result, context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the groups with what came of their refreshes, failures first.

    ``result`` is that of ``ami_instance_refresh``. ``context`` has the ``role`` and ``check_mode``.
    """
    status = name_status(result, "refreshed", context["check_mode"])
    failures, results = result.get("failures") or (), result.get("results") or ()
    rest = report_path or f"the fact {context['role']}_failures"
    message = read_module_message(result, rest)
    bad = [_make_row(item) for item in results if item["status"] not in _GOOD]
    # Groups that were refused have no results.
    bad = bad or list_failed_rows(failures)
    good = [_make_row(item) for item in results if item["status"] in _GOOD]
    lines = (
        *_render_headline(results, status),
        *format_table(_COLUMNS, tuple(collapse_rows(bad, good))),
        *format_failures(failures, rest, message),
    )
    artifacts = {
        "failed_regions": list_failed_regions(failures),
        "report_path": report_path,
        "status": status,
    }
    return Screen(lines, limit_artifacts(artifacts), message)


def _render_headline(results: Sequence[Result], status: str) -> Iterator[Line]:
    is_good = status in ("planned", "refreshed")
    planned = [item for item in results if item["status"] == "planned"]
    done = [item for item in results if item["status"] == "successful"]
    kept = sum(sum(item["images"].values()) - _count_image(item) for item in results)
    if planned:
        text = f"Check mode: {' '.join(_describe_planned(planned))}"
    elif is_good and not done:
        only = "" if kept else " only"
        text = f"Nothing to change: {count(len(results), 'group')} with instances of the image{only}."
    elif not results:
        text = "no instances replaced."
    else:
        text = f"Instances replaced in {len(done)} of {count(len(results), 'group')}."
    tone = Tone.GOOD
    if not is_good:
        text, tone = f"{status.capitalize()}: {text}", Tone.BAD
    elif kept and not planned:
        text, tone = f"{text} {count(kept, 'instance')} kept without the image.", Tone.WARNING
    yield from wrap_text(text, tone)


def _describe_planned(planned: Sequence[Result]) -> Iterator[str]:
    """Yield what would be done with groups; those with the ID of a refresh are being refreshed already."""
    active = [item for item in planned if item["refresh_id"]]
    starts = len(planned) - len(active)
    if starts:
        instances = count(sum(item["instances_to_replace"] for item in planned), "instance")
        yield f"{instances} of {count(starts, 'group')} would be replaced."
    if active:
        are = "is" if len(active) == 1 else "are"
        yield f"{count(len(active), 'group')} {are} being refreshed already, and would be waited for."


def _count_image(item: Result) -> int:
    return int(item["images"].get(item["image_id"], 0))


def _make_row(item: Result) -> Row:
    """Return the row of a group, with how many of its instances run the image."""
    images = item["images"]
    cells = {
        "region": item["region"],
        "account": item["account_id"],
        "group": item["auto_scaling_group"],
        "image": item["image_id"],
        "instances": f"{_count_image(item)} of {sum(images.values())}",
        "outcome": str(item["status"]).replace("_", " "),
    }
    return Row(cells) if item["status"] in _GOOD else Row(cells, Tone.BAD)
