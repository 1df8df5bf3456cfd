# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cleanup report as a document: images retired, waiting and kept, each with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..._reports.document import Changes, Column, Document, Table, compare_sentences
from ..decisions import KEEP, WAIT
from .actions import actions
from .items import MEANINGS, items
from .outcome import DECISIONS, DONE, STAGES
from .pictures import pictures
from .rows import FREED, IMAGE, OUTCOME, REASON, SIZE, amounts, costs, row, shown
from .wording import UPPER_BOUND, money, not_restorable, outcome_text


def document(content: Mapping[str, Any]) -> Document:
    """The document of a report."""
    found = tuple(items(content))
    planned = content["check_mode"]
    return Document(
        kind="cleanup",
        title="Image cleanup plan" if planned else "Image cleanup",
        status=content["status"],
        complete=content["status"] in ("done", "planned"),
        headline=" ".join(filter(None, (content["summary"], not_restorable(content)))),
        facts=tuple(_summary_facts(content)),
        items=found,
        actions=tuple(actions(content)),
        actions_title="Plan" if planned else "What was done",
        pictures=tuple(pictures(content)),
        tables=tuple(table for table in _tables(content, planned) if table.rows),
        records=_records(content),
        explanations={item.code: MEANINGS[item.code] for item in found},
    )


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """What changed since an earlier report.

    What was done then is not reported as gone. If one of the two has no images, they cannot be compared: then
    only what is done now is new.
    """
    since, now = before["written_at"], after["images"]
    earlier = [one for one in before["images"] if one["outcome"] != DONE]
    if not (before["images"] and now):
        earlier, now = [], [one for one in now if one["decision"] in STAGES]
    return compare_sentences(since, map(_sentence, earlier), map(_sentence, now))


def _sentence(image: Mapping[str, Any]) -> str:
    return f"{image['region']}: {image['image_id']} ({image['name']}) {outcome_text(image)}."


def _summary_facts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    sums = content["totals"]
    yield "Images evaluated", f"{sums['images']:,}"
    yield "Maximum size", _amount(sums["size_gib"], sums["monthly_cost"], content["currency"])
    if sums["freed_gib"]:
        yield "Maximum freed", _amount(sums["freed_gib"], sums["freed_monthly_cost"], content["currency"])
    if sums["freed_later_gib"]:
        yield "Part that the Recycle Bin retains for now", f"{sums['freed_later_gib']:,} GiB"
    if sums["unpriced_images"]:
        yield "Images in regions without a price", f"{sums['unpriced_images']:,}"


def _amount(gib: int, cost: float | None, currency: str | None) -> str:
    text = money(cost, currency)
    return f"{gib:,} GiB, {text} a month" if text else f"{gib:,} GiB"


def _tables(content: Mapping[str, Any], planned: bool) -> Iterator[Table]:
    yield _failures("Failures", content["failures"])
    yield _failures("Not readable", content["unreadable"])
    yield _regions(content)
    by_decision = {
        decision: [one for one in content["images"] if one["decision"] == decision] for decision in DECISIONS
    }
    yield Table(
        title="Images waiting",
        columns=(*IMAGE, OUTCOME, REASON, SIZE, *costs(content, "monthly_cost", "A month")),
        rows=tuple(shown(one) for one in by_decision[WAIT]),
        note="These wait for the date of their next stage, or their next stage is blocked.",
    )
    yield Table(
        title="Images kept",
        columns=(*IMAGE, REASON, SIZE, *costs(content, "monthly_cost", "A month")),
        rows=tuple(shown(one) for one in by_decision[KEEP]),
    )
    yield Table(
        title="Snapshots without an image",
        columns=(
            Column("region", "Region"),
            Column("snapshot_id", "Snapshot"),
            Column("outcome_text", "Outcome"),
        ),
        rows=tuple(
            {**one, "outcome_text": "would be deleted" if planned else "was deleted"}
            for one in content["orphan_snapshots"]
        ),
        note="The totals do not include them: it is not known which of their blocks other snapshots need.",
    )
    yield Table(
        title="KMS grants",
        columns=(Column("region", "Region"), Column("grant_id", "Grant"), Column("outcome_text", "Outcome")),
        rows=tuple(
            {**one, "outcome_text": "would be revoked" if planned else "was revoked"}
            for one in content["grants"]
        ),
    )
    yield from _key_access(content["kms_keys"])
    yield Table(
        title="Warnings",
        columns=(Column("text", "Warning"),),
        rows=tuple({"text": text} for text in content["warnings"]),
    )


def _key_access(keys: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    """The kept grants that no image is known to need, and the accounts that were not read."""
    place = (Column("region", "Region"), Column("kms_key_arn", "Key"))
    yield Table(
        title="KMS grants kept",
        columns=(
            *place,
            Column("principal", "Principal"),
            Column("reason", "Reason"),
            Column("resource_ids", "Volumes and snapshots"),
        ),
        rows=tuple({**key, **kept} for key in keys for kept in key["kept_access"]),
        note="No image is known to need them.",
    )
    yield Table(
        title="Accounts not read",
        columns=(*place, Column("account_id", "Account"), Column("reason", "Reason")),
        rows=tuple({**key, **unseen} for key in keys for unseen in key["unseen_accounts"]),
        note="These accounts keep grants that no image needs: what they have under the key is not known.",
    )


def _failures(title: str, failures: Sequence[Mapping[str, Any]]) -> Table:
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


def _regions(content: Mapping[str, Any]) -> Table:
    return Table(
        title="Totals by region",
        columns=(
            Column("region", "Region"),
            Column("images", "Images", numeric=True),
            *(Column(decision, decision.capitalize(), numeric=True) for decision in DECISIONS),
            SIZE,
            *costs(content, "monthly_cost", "A month"),
            FREED,
            *costs(content, "freed_monthly_cost", "Freed a month"),
        ),
        rows=tuple(
            {
                "region": region,
                **sums,
                **amounts(sums),
                **{decision: sums["by_decision"][decision]["images"] for decision in DECISIONS},
            }
            for region, sums in content["regions"].items()
        ),
        note=UPPER_BOUND,
    )


def _records(content: Mapping[str, Any]) -> Table:
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
            *costs(content, "monthly_cost", "A month"),
            FREED,
            *costs(content, "freed_monthly_cost", "Freed a month"),
        ),
        rows=tuple(row(one) for one in content["images"]),
    )
