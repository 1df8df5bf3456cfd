# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ``restore`` displays and passes to the next job."""

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
from .._reports.values import render_date

_COLUMNS = (
    Column("region", "region"),
    Column("image", "image"),
    Column("was", "was"),
    Column("shared", "shared with"),
    Column("tombstone", "tombstone"),
    Column("outcome", "outcome"),
)


def screen(result: Mapping[str, Any], context: Mapping[str, Any], report_path: str | None) -> Screen:
    """Return the images with their earlier state and the permissions that they have again.

    What failed is first, then what is public.

    ``result`` is that of ``ami_restore``. ``context`` has the ``role`` and ``check_mode``.
    """
    status = name_status(result, "restored", context["check_mode"])
    failed = result.get("failures") or ()
    full_list = report_path or f"the fact {context['role']}_failures"
    message = read_module_message(result, full_list)
    restored = result.get("results") or ()
    rows = [_make_row(image, context["check_mode"]) for image in restored]
    public = [row for row in rows if row.tone is Tone.WARNING]
    others = [row for row in rows if row.tone is not Tone.WARNING]
    lines = (
        *_render_headline(restored, status),
        *format_table(_COLUMNS, tuple(collapse_rows([*list_failed_rows(failed), *public], others))),
        *format_failures(failed, full_list, message),
    )
    images: dict[str, list[str]] = {}
    for image in restored:
        images.setdefault(image["region"], []).append(image["image_id"])
    artifacts = {
        "failed_regions": list_failed_regions(failed),
        "images": images,
        "report_path": report_path,
        "status": status,
    }
    return Screen(lines, limit_artifacts(artifacts), message)


def _render_headline(restored: Sequence[Mapping[str, Any]], status: str) -> Iterator[Line]:
    images = count(len(restored), "image")
    if status in ("planned", "restored") and has_no_change(restored):
        verb = "is" if len(restored) == 1 else "are"
        yield from wrap_text(f"Nothing to change: {images} {verb} restored already.", Tone.GOOD)
    elif status == "planned":
        yield from wrap_text(f"Check mode: {images} would be restored.", Tone.GOOD)
    elif status == "restored":
        yield from wrap_text(f"Restored {images}.", Tone.GOOD)
    else:
        yield from wrap_text(f"{status.capitalize()}: {images} restored.", Tone.BAD)


def _make_row(image: Mapping[str, Any], is_plan: bool) -> Row:
    permissions = image["launch_permissions"]
    is_public = bool(permissions and permissions.get("public"))
    cells = {
        "region": image["region"],
        "image": image["image_id"],
        "was": str(image["previous_state"]).replace("_", " "),
        "shared": "the public"
        if is_public
        else None
        if permissions is None
        else count_consumers(permissions),
        "tombstone": render_date(image["tombstone"]),
        "outcome": name_outcome(image["changed"], is_plan),
    }
    return Row(cells, Tone.WARNING if is_public else Tone.PLAIN)
