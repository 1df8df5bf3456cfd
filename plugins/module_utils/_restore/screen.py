# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ``restore`` displays and passes to the next job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._reports.document import Column
from .._reports.screen import (
    Line,
    Row,
    Screen,
    Tone,
    collapsed,
    counted,
    failed_regions,
    failed_rows,
    failures,
    has_no_change,
    limited,
    module_message,
    one_message,
    outcome_of,
    sentence,
    shared_with,
    table,
)
from .._reports.values import date_of

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

    ``result`` is that of ``ami_restore``. ``context`` has the ``status`` and ``check_mode``.
    """
    failed = result.get("failures") or ()
    rest = report_path or f"the fact {context['role']}_failures"
    message = one_message([module_message(result, rest)], rest)
    restored = result.get("results") or ()
    rows = [_row(image, context["check_mode"]) for image in restored]
    public = [row for row in rows if row.tone is Tone.WARNING]
    others = [row for row in rows if row.tone is not Tone.WARNING]
    lines = (
        *_headline(restored, context),
        *table(_COLUMNS, tuple(collapsed([*failed_rows(failed), *public], others))),
        *failures(failed, rest, message),
    )
    images: dict[str, list[str]] = {}
    for image in restored:
        images.setdefault(image["region"], []).append(image["image_id"])
    artifacts = {
        "failed_regions": failed_regions(failed),
        "images": images,
        "report_path": report_path,
        "status": context["status"],
    }
    return Screen(lines, limited(artifacts), message)


def _headline(restored: Sequence[Mapping[str, Any]], context: Mapping[str, Any]) -> Iterator[Line]:
    images, status = counted(len(restored), "image"), context["status"]
    if status in ("planned", "restored") and has_no_change(restored):
        verb = "is" if len(restored) == 1 else "are"
        yield from sentence(f"Nothing to change: {images} {verb} restored already.", Tone.GOOD)
    elif status == "planned":
        yield from sentence(f"Check mode: {images} would be restored.", Tone.GOOD)
    elif status == "restored":
        yield from sentence(f"Restored {images}.", Tone.GOOD)
    else:
        yield from sentence(f"{str(status).capitalize()}: {images} restored.", Tone.BAD)


def _row(image: Mapping[str, Any], is_plan: bool) -> Row:
    permissions = image["launch_permissions"]
    is_public = bool(permissions and permissions.get("public"))
    cells = {
        "region": image["region"],
        "image": image["image_id"],
        "was": str(image["previous_state"]).replace("_", " "),
        "shared": "the public" if is_public else None if permissions is None else shared_with(permissions),
        "tombstone": date_of(image["tombstone"]),
        "outcome": outcome_of(image["changed"], is_plan),
    }
    return Row(cells, Tone.WARNING if is_public else Tone.PLAIN)
