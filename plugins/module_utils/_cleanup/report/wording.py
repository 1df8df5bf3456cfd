# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a cleanup in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._failures import join_remedy
from ..._listing import count
from ..._reports.values import render_date
from ..decisions import WAIT
from ..stages import DEPRECATE, DEREGISTER, DISABLE
from .outcome import DONE, NOT_DONE, PLANNED, STAGES

PAST = {DEREGISTER: "deregistered", DISABLE: "disabled", DEPRECATE: "deprecated"}

UPPER_BOUND = (
    "Sizes are those of the volumes. Snapshots are incremental: they take up at most this much, and at most "
    "this much is freed. Only deregistering frees storage."
)


def render_headline(content: Mapping[str, Any]) -> str:
    """Return the report in a few sentences."""
    status, failures = content["status"], content["failures"]
    if status == "refused":
        return f"Nothing was changed. {_render_failures(failures)}"
    if status == "failed":
        return f"It is not known what was changed. {_render_failures(failures)}"
    text = f"{_render_actions(content)}{_render_freed(content)}."
    is_plan = content["check_mode"]
    sentences = [f"This is a plan, nothing was changed: {text}" if is_plan else text[0].upper() + text[1:]]
    orphan_count = len(content["orphan_snapshots"])
    if orphan_count:
        verb = "would be" if is_plan else _choose_verb(orphan_count)
        sentences.append(f"{count(orphan_count, 'snapshot')} without an image {verb} deleted.")
    sentences += _list_further_sentences(content)
    not_done = sum(sums["not_done"] for sums in content["totals"]["by_decision"].values())
    if not_done and not is_plan:
        sentences.append(f"The decision on {count(not_done, 'image')} was not applied.")
    if failures:
        sentences = ["Some steps failed.", *sentences, _render_failures(failures)]
    if content["unreadable"]:
        sentences = [_render_unreadable(content["unreadable"]), *sentences]
    return " ".join(sentences)


def render_lost_images(content: Mapping[str, Any]) -> str:
    """Return the images and snapshots that may not be restorable; empty if there are none."""
    images = [
        image
        for image in content.get("images", ())
        if image["decision"] == DEREGISTER
        and image["outcome"] in (PLANNED, DONE)
        and image["recoverable_until"] is None
    ]
    if not images:
        return ""
    snapshots = {
        (image["region"], snapshot["snapshot_id"])
        for image in images
        for snapshot in image["snapshots"]
        if snapshot["outcome"] in (PLANNED, DONE)
    }
    subject = count(len(images), "deregistered image")
    if content["check_mode"]:
        subject = f"{count(len(images), 'image')} to deregister"
    if snapshots:
        subject += f", with {count(len(snapshots), 'snapshot')},"
    all_of = "it with all its" if len(images) == 1 else "them with all their"
    return f"{subject} may not be restorable: the Recycle Bin is not known to retain {all_of} snapshots."


def render_outcome(image: Mapping[str, Any]) -> str:
    """Return what happens to an image, as the predicate of a sentence about it."""
    decision, outcome = image["decision"], image["outcome"]
    if outcome == PLANNED:
        return f"would be {PAST[decision]}"
    if outcome == DONE:
        return f"was {PAST[decision]}"
    if outcome == NOT_DONE:
        return f"should have been {PAST[decision]}, but was not"
    return render_waiting(image) if decision == WAIT else "is kept"


def render_waiting(image: Mapping[str, Any]) -> str:
    """Return what an image waits for, as the predicate of a sentence about it."""
    if image["next_stage"]:
        return f"will be {PAST[image['next_stage']]} on {render_date(image['next_stage_at'])}"
    return "is due for its next stage, which is blocked" if image["reasons"] else "has reached the last stage"


def render_money(amount: float | None, currency: str | None) -> str:
    """Return an amount to the cent, with its currency; empty if it is not known."""
    return "" if amount is None else f"{amount:,.2f} {currency or ''}".strip()


def _render_actions(content: Mapping[str, Any]) -> str:
    """Return the numbers: ``2 of 6 images were deregistered, 1 disabled and 1 deprecated``."""
    is_plan = content["check_mode"]
    images, sums = content["totals"]["images"], content["totals"]["by_decision"]
    counts = {stage: sums[stage]["images" if is_plan else "done"] for stage in STAGES}
    (first, number), *others = [pair for pair in counts.items() if pair[1]] or [("", 0)]
    if not number:
        verb = "would be" if is_plan else "was"
        subject = f"no stage {verb} applied" if _list_further_sentences(content) else f"nothing {verb} done"
        return f"{subject} to {count(images, 'image')}"
    verb = "would be" if is_plan else _choose_verb(number)
    *texts, last = [
        f"{number:,} of {count(images, 'image')} {verb} {PAST[first]}",
        *(f"{count_of_stage:,} {PAST[stage]}" for stage, count_of_stage in others),
    ]
    return f"{', '.join(texts)} and {last}" if texts else last


def _list_further_sentences(content: Mapping[str, Any]) -> list[str]:
    """Return sentences about what changes apart from stages and snapshots."""
    tags = content["tags"]
    changes = (
        (tags["tagged"], "image", "tagged with the dates of stages"),
        (tags["untagged"], "resource", "untagged"),
        (content["usage_reports"], "usage report", "requested"),
        (len(content["grants"]), "grant", "revoked"),
    )
    return [
        f"{count(number, noun)} {'would be' if content['check_mode'] else _choose_verb(number)} {done}."
        for number, noun, done in changes
        if number
    ]


def _render_freed(content: Mapping[str, Any]) -> str:
    """Return the freed storage: ``, which frees at most 8 GiB (0.40 EUR a month)``; empty if none."""
    sums = content["totals"]
    gib, later = sums["freed_gib"], sums["freed_later_gib"]
    if not gib:
        return ""
    cost = render_money(sums["freed_monthly_cost"], content["currency"])
    text = f", which {'would free' if content['check_mode'] else 'frees'} at most {gib:,} GiB"
    text += f" ({cost} a month)" if cost else ""
    return text + (f", {later:,} GiB of them after their retention in the Recycle Bin" if later else "")


def _render_failures(failures: Sequence[Mapping[str, Any]]) -> str:
    if not failures:
        return "There are no failures."
    place = f"{failures[0]['region']}: " if failures[0]["region"] else ""
    first = place + join_remedy(failures[0]["message"], failures[0]["remedy"] or "")
    return first if len(failures) == 1 else f"There are {len(failures)} failures. The first: {first}"


def _render_unreadable(unreadable: Sequence[Mapping[str, Any]]) -> str:
    """Return the failed reads that make the cleanup incomplete, each with its regions."""
    regions: dict[str, list[str]] = {}
    for failure in unreadable:
        regions.setdefault(str(failure["action"]), []).append(str(failure["region"]))
    reads = "; ".join(f"{action} in {', '.join(names)}" for action, names in regions.items())
    return f"Incomplete, because these reads failed: {reads}."


def _choose_verb(number: int) -> str:
    return "was" if number == 1 else "were"
