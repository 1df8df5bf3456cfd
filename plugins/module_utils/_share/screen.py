# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ``share`` displays and passes to the next job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._listing import count
from .._reports.document import Column
from .._reports.screen import (
    Line,
    Row,
    Screen,
    Tone,
    collapse_rows,
    count_consumers,
    format_failures,
    format_table,
    has_no_change,
    limit_artifacts,
    list_failed_regions,
    list_failed_rows,
    name_outcome,
    name_status,
    read_module_message,
    wrap_text,
)
from .permissions import permissions_in

_COLUMNS = (
    Column("region", "region"),
    Column("image", "image"),
    Column("shared", "shared with"),
    Column("without_key", "cannot use key"),
    Column("outcome", "outcome"),
)


def screen(result: Mapping[str, Any], context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the images and with how many each is shared after the run, or would be in check mode.

    Regions that failed are first, then what is public or cannot be launched. ``result`` is that of
    ``ami_share``. ``context`` has the ``role`` and ``check_mode``.
    """
    status = name_status(result, "shared", context["check_mode"])
    problems = result.get("failures") or ()
    results = result.get("results") or ()
    rest = report_path or f"the fact {context['role']}_failures"
    message = read_module_message(result, rest)
    incomplete = _incomplete_regions(result)
    groups = result.get("launch_permissions") or ()
    rows = [
        _row(
            item,
            permissions_in(item["region"], groups),
            is_plan=context["check_mode"],
            is_incomplete=item["region"] in incomplete,
        )
        for item in results
    ]
    by_tone = [[row for row in rows if row.tone is tone] for tone in (Tone.BAD, Tone.WARNING, Tone.PLAIN)]
    first = [*_rows_of_failed_regions(result), *by_tone[0], *by_tone[1]]
    lines = (
        *_headline(result, status),
        *format_table(_COLUMNS, tuple(collapse_rows(first, by_tone[2]))),
        *format_failures(problems, rest, message),
    )
    artifacts = {
        "failed_regions": list_failed_regions(problems),
        "images": {item["region"]: item["image_id"] for item in results},
        "report_path": report_path,
        "status": status,
    }
    return Screen(lines, limit_artifacts(artifacts), message)


def _incomplete_regions(result: Mapping[str, Any]) -> set[str]:
    """Return the regions in which AWS rejected some of the consumers."""
    failed = set(list_failed_regions(result.get("failures") or ()))
    return failed & {item["region"] for item in result.get("results") or ()}


def _rows_of_failed_regions(result: Mapping[str, Any]) -> list[Row]:
    """Return the rows of the other regions that failed."""
    incomplete = _incomplete_regions(result)
    return list_failed_rows(
        [failure for failure in result.get("failures") or () if failure["region"] not in incomplete]
    )


def _headline(result: Mapping[str, Any], status: str) -> Iterator[Line]:
    images = result.get("results") or ()
    number = count(len(images), "image")
    keys = _describe_keys(images)
    tone = Tone.WARNING if keys else Tone.GOOD
    if status in ("planned", "shared") and has_no_change(images):
        verb = "is" if len(images) == 1 else "are"
        yield from wrap_text(f"Nothing to change: {number} {verb} shared already{keys or '.'}", tone)
    elif status == "planned":
        yield from wrap_text(f"Check mode: {number} would be shared{keys or '.'}", tone)
    elif status == "shared":
        yield from wrap_text(f"Shared {number}{keys or '.'}", tone)
    else:
        all_images = count(len(images) + len(_rows_of_failed_regions(result)), "image")
        incomplete = len(_incomplete_regions(result) & {item["region"] for item in images})
        done = f"{len(images) - incomplete} of {all_images}" if images else "no image"
        with_all = " with all accounts" if incomplete else ""
        yield from wrap_text(f"{status.capitalize()}: {done} shared{with_all}.", Tone.BAD)


def _describe_keys(images: Iterable[Mapping[str, Any]]) -> str:
    """Return the end of a headline: where consumers cannot use the key, else where that is not known."""
    if number := sum(bool(image.get("consumers_without_key")) for image in images):
        key = "its key" if number == 1 else "the keys"
        return f", but launches fail in {count(number, 'region')}: consumers cannot use {key}."
    if number := sum(_is_key_unread(image) for image in images):
        key = "its key" if number == 1 else "the keys"
        return f". It is not known in {count(number, 'region')} whether the consumers can use {key}."
    return ""


def _is_key_unread(image: Mapping[str, Any]) -> bool:
    """Whether the image exists, and it is not known whether the consumers can use its key."""
    return bool(image["image_id"]) and image.get("consumers_without_key", 0) is None


def _row(
    image: Mapping[str, Any], permissions: Mapping[str, Any], *, is_plan: bool, is_incomplete: bool
) -> Row:
    public, unread, without_key = (
        bool(permissions["public"]),
        _is_key_unread(image),
        image.get("consumers_without_key") or 0,
    )
    is_doubtful = public or unread or without_key
    return Row(
        {
            "region": image["region"],
            "image": image["image_id"] or "(new)",
            "shared": "the public" if public else count_consumers(permissions),
            "without_key": "not known" if unread else count(without_key, "consumer") if without_key else "",
            "outcome": "incomplete" if is_incomplete else name_outcome(image["changed"], is_plan),
        },
        Tone.BAD if is_incomplete else Tone.WARNING if is_doubtful else Tone.PLAIN,
    )
