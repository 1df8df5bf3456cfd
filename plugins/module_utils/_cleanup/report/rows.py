# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The columns and rows of tables of images in a cleanup report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._reports.document import Column
from ..._reports.values import render_date
from .outcome import NOT_DONE, STAGES
from .wording import money, outcome_text

_UNUSED = "No rule keeps it, and no use was found."
_NOT_DONE = "Check the failures, the warnings, and whether the image still exists."
IMAGE = (
    Column("region", "Region"),
    Column("name", "Name"),
    Column("image_id", "Image"),
    Column("family", "Family"),
    Column("creation_date", "Created"),
)
OUTCOME, REASON = Column("outcome_text", "Outcome"), Column("reason", "Reason")
SIZE, FREED = Column("size_gib", "GiB", numeric=True), Column("freed_gib", "GiB freed", numeric=True)


def amounts(found: Mapping[str, Any]) -> dict[str, str]:
    """Costs as text, to the cent."""
    return {key: money(found[key], None) for key in ("monthly_cost", "freed_monthly_cost")}


def costs(content: Mapping[str, Any], key: str, title: str) -> tuple[Column, ...]:
    """A column of costs, if there are prices."""
    currency = content["currency"]
    return (Column(key, f"{title} ({currency})", numeric=True),) if currency else ()


def shown(image: Mapping[str, Any]) -> dict[str, Any]:
    """An image as a row of an HTML table."""
    return {**row(image), **amounts(image), "creation_date": render_date(image["creation_date"])}


def row(image: Mapping[str, Any]) -> dict[str, Any]:
    """An image as a row, with texts for lists and objects."""
    return {
        **image,
        "evidence": [_evidence(found) for found in image["evidence"]],
        "outcome_text": outcome_text(image),
        "next": _next(image),
        "snapshots": [_snapshot(one) for one in image["snapshots"]],
        "reason": _reason(image),
    }


def _next(image: Mapping[str, Any]) -> str:
    """The next stage and its date; empty without one."""
    return f"{image['next_stage']} on {render_date(image['next_stage_at'])}" if image["next_stage"] else ""


def _reason(image: Mapping[str, Any]) -> str:
    """The rules that keep the image, what blocks its next stage, and its uses."""
    if image["decision"] in STAGES:
        return " ".join([_NOT_DONE if image["outcome"] == NOT_DONE else _UNUSED, *image["reasons"]])
    uses = [f"{_evidence(found)}." for found in image["evidence"]]
    return " ".join([*image["reasons"], *uses])


def _evidence(found: Mapping[str, Any]) -> str:
    return " ".join(part for part in (found["kind"], found["subject"], found["detail"]) if part).rstrip(".")


def _snapshot(one: Mapping[str, Any]) -> str:
    return (
        f"{one['snapshot_id']} is kept: {one['keep_reason']}"
        if one["keep_reason"]
        else str(one["snapshot_id"])
    )
