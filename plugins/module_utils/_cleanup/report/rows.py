# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The columns and rows of tables of images in a cleanup report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._listing import ordinal
from ..._reports.document import Column
from ..._reports.values import render_date
from .outcome import NOT_DONE, STAGES
from .wording import render_money, render_outcome

_UNUSED = "No rule keeps it, and no use was found."
_NOT_DONE = "Check the failures, the warnings, and whether the image still exists."
IMAGE = (
    Column("region", "Region"),
    Column("name", "Name"),
    Column("image_id", "Image"),
    Column("family", "Family"),
    Column("creation_date", "Created"),
)
NEWEST = Column("newest", "Newest in family")
OUTCOME, REASON = Column("outcome_text", "Outcome"), Column("reason", "Reason")
SIZE, FREED = Column("size_gib", "GiB", numeric=True), Column("freed_gib", "GiB freed", numeric=True)


def render_amounts(sums: Mapping[str, Any]) -> dict[str, str]:
    """Return costs as text, to the cent."""
    return {key: render_money(sums[key], None) for key in ("monthly_cost", "freed_monthly_cost")}


def list_cost_columns(content: Mapping[str, Any], key: str, title: str) -> tuple[Column, ...]:
    """Return a column of costs, if there are prices."""
    currency = content["currency"]
    return (Column(key, f"{title} ({currency})", numeric=True),) if currency else ()


def make_row(image: Mapping[str, Any]) -> dict[str, Any]:
    """Return an image as a row of an HTML table."""
    return {
        **make_record(image),
        **render_amounts(image),
        "creation_date": render_date(image["creation_date"]),
        "newest": ordinal(image["rank"]) if image["rank"] else "",
    }


def make_record(image: Mapping[str, Any]) -> dict[str, Any]:
    """Return an image as a row, with texts for lists and objects."""
    return {
        **image,
        "evidence": [_render_evidence(item) for item in image["evidence"]],
        "outcome_text": render_outcome(image),
        "next": _render_next(image),
        "snapshots": [_render_snapshot(snapshot) for snapshot in image["snapshots"]],
        "reason": _render_reason(image),
    }


def _render_next(image: Mapping[str, Any]) -> str:
    """Return the next stage and its date; empty without one."""
    return f"{image['next_stage']} on {render_date(image['next_stage_at'])}" if image["next_stage"] else ""


def _render_reason(image: Mapping[str, Any]) -> str:
    """Return the rules that keep the image, what blocks its next stage, and its uses."""
    if image["decision"] in STAGES:
        why = _NOT_DONE if image["outcome"] == NOT_DONE else _UNUSED
        return " ".join([why, *image["reasons"]])
    uses = [f"{_render_evidence(item)}." for item in image["evidence"]]
    return " ".join([*image["reasons"], *uses])


def _render_evidence(item: Mapping[str, Any]) -> str:
    return " ".join(part for part in (item["kind"], item["subject"], item["detail"]) if part).rstrip(".")


def _render_snapshot(snapshot: Mapping[str, Any]) -> str:
    return (
        f"{snapshot['snapshot_id']} is kept: {snapshot['keep_reason']}"
        if snapshot["keep_reason"]
        else str(snapshot["snapshot_id"])
    )
