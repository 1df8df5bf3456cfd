# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cleanup report as a document: images retired, waiting and kept, each with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..._reports.document import Changes, Column, Document, Table, compare_sentences
from ..._reports.groups import group_items
from ..decisions import KEEP, WAIT
from .actions import list_actions
from .items import COMMAND_NOTE, MEANINGS, find_command, list_items
from .outcome import DECISIONS, DONE, STAGES
from .pictures import draw_pictures
from .rows import (
    FREED,
    IMAGE,
    OUTCOME,
    REASON,
    SIZE,
    list_cost_columns,
    make_record,
    make_row,
    render_amounts,
)
from .wording import UPPER_BOUND, render_lost_images, render_money, render_outcome


def build_document(content: Mapping[str, Any]) -> Document:
    """Return the document of a report."""
    findings = tuple(list_items(content))
    is_plan = content["check_mode"]
    return Document(
        kind="cleanup",
        title="Image cleanup plan" if is_plan else "Image cleanup",
        status=content["status"],
        complete=content["status"] in ("done", "planned"),
        headline=" ".join(filter(None, (content["summary"], render_lost_images(content)))),
        facts=tuple(_list_facts(content)),
        items=findings,
        groups=group_items(
            findings, MEANINGS, command=find_command, command_note=lambda _items: COMMAND_NOTE
        ),
        actions=tuple(list_actions(content)),
        actions_title="Plan" if is_plan else "What was done",
        pictures=tuple(draw_pictures(content)),
        tables=tuple(table for table in _make_tables(content, is_plan) if table.rows),
        records=_make_record_table(content),
        explanations={item.code: MEANINGS[item.code] for item in findings},
    )


def compare_reports(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Return what changed since an earlier report.

    What was done then is not reported as gone. If one of the two reports has no images, they cannot be
    compared: only what is done now is new then.
    """
    since, now = before["written_at"], after["images"]
    earlier = [image for image in before["images"] if image["outcome"] != DONE]
    if not (before["images"] and now):
        earlier, now = [], [image for image in now if image["decision"] in STAGES]
    return compare_sentences(since, map(_render_sentence, earlier), map(_render_sentence, now))


def _render_sentence(image: Mapping[str, Any]) -> str:
    return f"{image['region']}: {image['image_id']} ({image['name']}) {render_outcome(image)}."


def _list_facts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    sums = content["totals"]
    yield "Images evaluated", f"{sums['images']:,}"
    yield "Maximum size", _render_amount(sums["size_gib"], sums["monthly_cost"], content["currency"])
    if sums["freed_gib"]:
        yield (
            "Maximum freed",
            _render_amount(sums["freed_gib"], sums["freed_monthly_cost"], content["currency"]),
        )
    if sums["freed_later_gib"]:
        yield "Part that the Recycle Bin retains for now", f"{sums['freed_later_gib']:,} GiB"
    if sums["unpriced_images"]:
        yield "Images in regions without a price", f"{sums['unpriced_images']:,}"


def _render_amount(gib: int, cost: float | None, currency: str | None) -> str:
    text = render_money(cost, currency)
    return f"{gib:,} GiB, {text} a month" if text else f"{gib:,} GiB"


def _make_tables(content: Mapping[str, Any], is_plan: bool) -> Iterator[Table]:
    yield _make_failure_table("Failures", content["failures"])
    yield _make_failure_table("Not readable", content["unreadable"])
    yield _make_region_table(content)
    by_decision = {
        decision: [image for image in content["images"] if image["decision"] == decision]
        for decision in DECISIONS
    }
    yield Table(
        title="Images waiting",
        columns=(*IMAGE, OUTCOME, REASON, SIZE, *list_cost_columns(content, "monthly_cost", "A month")),
        rows=tuple(make_row(image) for image in by_decision[WAIT]),
        note="These wait for the date of their next stage, or their next stage is blocked.",
    )
    yield Table(
        title="Images kept",
        columns=(*IMAGE, REASON, SIZE, *list_cost_columns(content, "monthly_cost", "A month")),
        rows=tuple(make_row(image) for image in by_decision[KEEP]),
    )
    yield Table(
        title="Snapshots without an image",
        columns=(
            Column("region", "Region"),
            Column("snapshot_id", "Snapshot"),
            Column("outcome_text", "Outcome"),
        ),
        rows=tuple(
            {**snapshot, "outcome_text": "would be deleted" if is_plan else "was deleted"}
            for snapshot in content["orphan_snapshots"]
        ),
        note="The totals do not include them: it is not known which of their blocks other snapshots need.",
    )
    yield Table(
        title="KMS grants",
        columns=(Column("region", "Region"), Column("grant_id", "Grant"), Column("outcome_text", "Outcome")),
        rows=tuple(
            {**grant, "outcome_text": "would be revoked" if is_plan else "was revoked"}
            for grant in content["grants"]
        ),
    )
    yield from _make_key_tables(content["kms_keys"])
    yield Table(
        title="Warnings",
        columns=(Column("text", "Warning"),),
        rows=tuple({"text": text} for text in content["warnings"]),
    )


def _make_key_tables(keys: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    """Yield the kept grants that no image is known to need, and the accounts that were not read."""
    place = (Column("region", "Region"), Column("kms_key_arn", "Key"))
    yield Table(
        title="KMS grants kept",
        columns=(
            *place,
            Column("principal", "Principal"),
            Column("reason", "Reason"),
            Column("resource_ids", "Volumes and snapshots"),
        ),
        rows=tuple({**key, **grantee} for key in keys for grantee in key["kept_access"]),
        note="No image is known to need them.",
    )
    yield Table(
        title="Accounts not read",
        columns=(*place, Column("account_id", "Account"), Column("reason", "Reason")),
        rows=tuple({**key, **account} for key in keys for account in key["unseen_accounts"]),
        note="These accounts keep grants that no image needs: what they have under the key is not known.",
    )


def _make_failure_table(title: str, failures: Sequence[Mapping[str, Any]]) -> Table:
    return Table(
        title=title,
        columns=(
            Column("region", "Region"),
            Column("action", "Call or option"),
            Column("error_code", "Error"),
            Column("message", "Message"),
            Column("remedy", "Remedy"),
        ),
        rows=tuple(failures),
    )


def _make_region_table(content: Mapping[str, Any]) -> Table:
    return Table(
        title="Totals by region",
        columns=(
            Column("region", "Region"),
            Column("images", "Images", numeric=True),
            *(Column(decision, decision.capitalize(), numeric=True) for decision in DECISIONS),
            SIZE,
            *list_cost_columns(content, "monthly_cost", "A month"),
            FREED,
            *list_cost_columns(content, "freed_monthly_cost", "Freed a month"),
        ),
        rows=tuple(
            {
                "region": region,
                **sums,
                **render_amounts(sums),
                **{decision: sums["by_decision"][decision]["images"] for decision in DECISIONS},
            }
            for region, sums in content["regions"].items()
        ),
        note=UPPER_BOUND,
    )


def _make_record_table(content: Mapping[str, Any]) -> Table:
    return Table(
        title="All images",
        columns=(
            *IMAGE,
            Column("decision", "Decision"),
            Column("outcome", "Outcome"),
            Column("reasons", "Reasons"),
            Column("evidence", "Evidence"),
            Column("next_stage", "Next stage"),
            Column("next_stage_at", "Next stage at"),
            Column("recoverable_until", "Recoverable until"),
            Column("snapshots", "Snapshots"),
            SIZE,
            *list_cost_columns(content, "monthly_cost", "A month"),
            FREED,
            *list_cost_columns(content, "freed_monthly_cost", "Freed a month"),
        ),
        rows=tuple(make_record(image) for image in content["images"]),
    )
