# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a cleanup as a document: what goes, what waits, what stays and why, and what that frees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...reports.document import Changes, Column, Document, Table, changes_between
from ..decisions import KEEP, WAIT
from .items import MEANINGS, items
from .outcome import DECISIONS, DONE, NOT_DONE, STAGES
from .wording import UPPER_BOUND, fate, money

_DATE = len("2026-11-24")
_UNUSED = "No rule keeps it, and nothing was found that uses it."
_UNDONE = "See what failed, the warnings, and whether it is still there."
_IMAGE = (
    Column("region", "Region"),
    Column("name", "Name"),
    Column("image_id", "Image"),
    Column("family", "Family"),
    Column("creation_date", "Made"),
)
_FATE, _WHY = Column("fate", "What becomes of it"), Column("why", "Why")
_SIZE, _FREED = Column("size_gib", "GiB", numeric=True), Column("freed_gib", "GiB freed", numeric=True)


def document(content: Mapping[str, Any]) -> Document:
    """The document of what ``cleanup.cleanup`` returned."""
    found = tuple(items(content))
    planned = content["status"] == "planned"
    return Document(
        kind="cleanup",
        title="Plan of a cleanup of images" if planned else "Cleanup of images",
        status=content["status"],
        complete=content["status"] in ("done", "planned"),
        headline=content["summary"],
        facts=tuple(_facts(content)),
        items=found,
        tables=tuple(table for table in _tables(content, planned) if table.rows),
        records=_records(content),
        explanations={item.code: MEANINGS[item.code] for item in found},
    )


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """What was decided anew since an earlier report.

    What that one had done is over, and is not said to be so no more. Where one of the two knows of no images
    there is nothing to compare: then only what is done now is new.
    """
    since, now = before["written_at"], after["images"]
    earlier = [one for one in before["images"] if one["outcome"] != DONE]
    if not (before["images"] and now):
        earlier, now = [], [one for one in now if one["decision"] in STAGES]
    return changes_between(since, map(_sentence, earlier), map(_sentence, now))


def _sentence(image: Mapping[str, Any]) -> str:
    return f"{image['region']}: {image['image_id']} ({image['name']}) {fate(image)}."


def _facts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    sums = content["totals"]
    yield "Images considered", str(sums["images"])
    yield "Size at most", _amount(sums["size_gib"], sums["monthly_cost"], content["currency"])
    yield "Freed at most", _amount(sums["freed_gib"], sums["freed_monthly_cost"], content["currency"])
    if sums["freed_later_gib"]:
        yield "Of these once the Recycle Bin lets go", f"{sums['freed_later_gib']} GiB"
    if sums["unpriced_images"]:
        yield "Images in regions without a price", str(sums["unpriced_images"])


def _amount(gib: int, cost: float | None, currency: str | None) -> str:
    text = money(cost, currency)
    return f"{gib} GiB, {text} a month" if text else f"{gib} GiB"


def _tables(content: Mapping[str, Any], planned: bool) -> Iterator[Table]:
    yield _failures(content["failures"])
    yield _regions(content)
    by_decision = {
        decision: [one for one in content["images"] if one["decision"] == decision] for decision in DECISIONS
    }
    retired = [one for stage in STAGES for one in by_decision[stage]]
    yield Table(
        title="What would be done" if planned else "What was decided",
        columns=(
            *_IMAGE,
            *(_FATE, _WHY, _SIZE, _FREED),
            *_costs(content, "freed_monthly_cost", "Freed a month"),
            Column("snapshots", "Snapshots"),
            Column("recoverable_until", "Recoverable until"),
            Column("next", "Then"),
        ),
        rows=tuple(_shown(one) for one in retired),
        note=UPPER_BOUND,
    )
    yield Table(
        title="What waits",
        columns=(*_IMAGE, _FATE, _WHY, _SIZE, *_costs(content, "monthly_cost", "A month")),
        rows=tuple(_shown(one) for one in by_decision[WAIT]),
        note="What waits for the date of its next stage, or for what stands against it.",
    )
    yield Table(
        title="What stays, and why",
        columns=(*_IMAGE, _WHY, _SIZE, *_costs(content, "monthly_cost", "A month")),
        rows=tuple(_shown(one) for one in by_decision[KEEP]),
    )
    yield Table(
        title="Snapshots of former images",
        columns=(Column("region", "Region"), Column("snapshot_id", "Snapshot"), Column("fate", "Fate")),
        rows=tuple(
            {**one, "fate": "would be deleted" if planned else "was deleted"}
            for one in content["orphan_snapshots"]
        ),
        note="They are in no sum: which part of them other snapshots need is not known.",
    )
    yield Table(
        title="Grants on keys",
        columns=(Column("region", "Region"), Column("grant_id", "Grant"), Column("fate", "Fate")),
        rows=tuple(
            {**one, "fate": "would be revoked" if planned else "was revoked"} for one in content["grants"]
        ),
    )
    yield Table(
        title="Warnings",
        columns=(Column("text", "Warning"),),
        rows=tuple({"text": text} for text in content["warnings"]),
    )


def _failures(failures: Sequence[Mapping[str, Any]]) -> Table:
    return Table(
        title="What failed",
        columns=(
            Column("region", "Region"),
            Column("action", "Call or option"),
            Column("error_code", "Error"),
            Column("message", "Message"),
            Column("remedy", "What to do"),
        ),
        rows=tuple(failures),
    )


def _regions(content: Mapping[str, Any]) -> Table:
    return Table(
        title="Sums by region",
        columns=(
            Column("region", "Region"),
            Column("images", "Images", numeric=True),
            *(Column(decision, decision.capitalize(), numeric=True) for decision in DECISIONS),
            _SIZE,
            *_costs(content, "monthly_cost", "A month"),
            _FREED,
            *_costs(content, "freed_monthly_cost", "Freed a month"),
        ),
        rows=tuple(
            {
                "region": region,
                **sums,
                **_amounts(sums),
                **{decision: sums["by_decision"][decision]["images"] for decision in DECISIONS},
            }
            for region, sums in content["regions"].items()
        ),
        note=UPPER_BOUND,
    )


def _amounts(found: Mapping[str, Any]) -> dict[str, str]:
    """Costs as a page shows them, to the cent."""
    return {key: money(found[key], None) for key in ("monthly_cost", "freed_monthly_cost")}


def _costs(content: Mapping[str, Any], key: str, title: str) -> tuple[Column, ...]:
    """A column with money, if there are prices."""
    currency = content["currency"]
    return (Column(key, f"{title} ({currency})", numeric=True),) if currency else ()


def _shown(image: Mapping[str, Any]) -> dict[str, Any]:
    """An image as a page shows it."""
    return {**_row(image), **_amounts(image), "creation_date": image["creation_date"][:_DATE]}


def _row(image: Mapping[str, Any]) -> dict[str, Any]:
    """An image with texts for what a cell cannot hold."""
    return {
        **image,
        "evidence": [_evidence(found) for found in image["evidence"]],
        "fate": fate(image),
        "next": _next(image),
        "snapshots": [_snapshot(one) for one in image["snapshots"]],
        "why": _why(image),
    }


def _next(image: Mapping[str, Any]) -> str:
    """The stage that follows, and on which day."""
    return f"{image['next_stage']} on {str(image['next_stage_at'])[:_DATE]}" if image["next_stage"] else ""


def _why(image: Mapping[str, Any]) -> str:
    """The rules that keep the image, and what was found that uses it; what goes has neither."""
    if image["decision"] in STAGES:
        return _UNDONE if image["outcome"] == NOT_DONE else _UNUSED
    uses = [f"{_evidence(found)}." for found in image["evidence"]]
    return " ".join([*image["reasons"], *uses])


def _evidence(found: Mapping[str, Any]) -> str:
    return " ".join(part for part in (found["kind"], found["subject"], found["detail"]) if part).rstrip(".")


def _snapshot(one: Mapping[str, Any]) -> str:
    return (
        f"{one['snapshot_id']} stays: {one['keep_reason']}" if one["keep_reason"] else str(one["snapshot_id"])
    )


def _records(content: Mapping[str, Any]) -> Table:
    return Table(
        title="All images",
        columns=(
            *_IMAGE,
            Column("decision", "Decision"),
            Column("outcome", "Outcome"),
            Column("reasons", "Reasons"),
            Column("evidence", "Evidence"),
            Column("next_stage", "Next stage"),
            Column("next_stage_at", "When"),
            Column("recoverable_until", "Recoverable until"),
            Column("snapshots", "Snapshots"),
            _SIZE,
            *_costs(content, "monthly_cost", "A month"),
            _FREED,
            *_costs(content, "freed_monthly_cost", "Freed a month"),
        ),
        rows=tuple(_row(one) for one in content["images"]),
    )
