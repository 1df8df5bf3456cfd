# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a cleanup in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..._listing import count
from ..._reports.values import render_date
from ..decisions import WAIT
from ..stages import DEPRECATE, DEREGISTER, DISABLE
from .outcome import DONE, NOT_DONE, PLANNED, STAGES

PAST = {DEREGISTER: "deregistered", DISABLE: "disabled", DEPRECATE: "deprecated"}

_MOST_CODES = 3

UPPER_BOUND = (
    "Sizes are those of the volumes. Snapshots are incremental: they take up at most this much, and at most "
    "this much is freed. Only deregistering frees storage."
)


def headline(content: Mapping[str, Any]) -> str:
    """The report in a few sentences."""
    status, failures = content["status"], content["failures"]
    if status == "refused":
        return f"Nothing was changed. {_failures_text(failures)}"
    if status == "failed":
        return f"It is not known what was changed. {_failures_text(failures)}"
    text = f"{_actions_text(content)}{_freed_text(content)}."
    is_plan = content["check_mode"]
    sentences = [f"This is a plan, nothing was changed: {text}" if is_plan else text[0].upper() + text[1:]]
    alone = len(content["orphan_snapshots"])
    if alone:
        verb = "would be" if is_plan else _was_or_were(alone)
        sentences.append(f"{count(alone, 'snapshot')} without an image {verb} deleted.")
    sentences += _further_sentences(content)
    missed = sum(found["not_done"] for found in content["totals"]["by_decision"].values())
    if missed and not is_plan:
        sentences.append(f"The decision on {count(missed, 'image')} was not applied.")
    if failures:
        sentences = ["Some steps failed.", *sentences, _failures_text(failures)]
    if content["unreadable"]:
        sentences = [_unreadable_text(content["unreadable"]), *sentences]
    return " ".join(sentences)


def not_restorable(content: Mapping[str, Any]) -> str:
    """The images and snapshots that are gone after the deregistration, as far as is known; empty for none."""
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
        (image["region"], one["snapshot_id"])
        for image in images
        for one in image["snapshots"]
        if one["outcome"] in (PLANNED, DONE)
    }
    what = count(len(images), "deregistered image")
    if content["check_mode"]:
        what = f"{count(len(images), 'image')} to deregister"
    also = f", with {count(len(snapshots), 'snapshot')}," if snapshots else ""
    all_of = "it with all its" if len(images) == 1 else "them with all their"
    return f"{what}{also} may not be restorable: the Recycle Bin is not known to retain {all_of} snapshots."


def outcome_text(image: Mapping[str, Any]) -> str:
    """What happens to an image, as the predicate of a sentence about it."""
    decision, outcome = image["decision"], image["outcome"]
    if outcome == PLANNED:
        return f"would be {PAST[decision]}"
    if outcome == DONE:
        return f"was {PAST[decision]}"
    if outcome == NOT_DONE:
        return f"should have been {PAST[decision]}, but was not"
    return waiting_text(image) if decision == WAIT else "is kept"


def waiting_text(image: Mapping[str, Any]) -> str:
    """What an image waits for, as the predicate of a sentence about it."""
    if image["next_stage"]:
        return f"will be {PAST[image['next_stage']]} on {render_date(image['next_stage_at'])}"
    return "is due for its next stage, which is blocked" if image["reasons"] else "has reached the last stage"


def money(amount: float | None, currency: str | None) -> str:
    """An amount to the cent, with its currency; empty if it is not known."""
    return "" if amount is None else f"{amount:,.2f} {currency or ''}".strip()


def _actions_text(content: Mapping[str, Any]) -> str:
    """What is done to how many images: ``2 of 6 images were deregistered, 1 disabled and 1 deprecated``."""
    planned = content["check_mode"]
    images, found = content["totals"]["images"], content["totals"]["by_decision"]
    counts = {stage: found[stage]["images" if planned else "done"] for stage in STAGES}
    (first, number), *others = [one for one in counts.items() if one[1]] or [("", 0)]
    if not number:
        verb = "would be" if planned else "was"
        what = f"no stage {verb} applied" if _further_sentences(content) else f"nothing {verb} done"
        return f"{what} to {count(images, 'image')}"
    verb = "would be" if planned else _was_or_were(number)
    *texts, last = [
        f"{number:,} of {count(images, 'image')} {verb} {PAST[first]}",
        *(f"{other:,} {PAST[stage]}" for stage, other in others),
    ]
    return f"{', '.join(texts)} and {last}" if texts else last


def _further_sentences(content: Mapping[str, Any]) -> list[str]:
    """What is changed apart from stages and snapshots."""
    tags = content["tags"]
    changes = (
        (tags["tagged"], "image", "tagged with the dates of stages"),
        (tags["untagged"], "resource", "untagged"),
        (content["usage_reports"], "usage report", "requested"),
        (len(content["grants"]), "grant", "revoked"),
    )
    return [
        f"{count(number, noun)} {'would be' if content['check_mode'] else _was_or_were(number)} {done}."
        for number, noun, done in changes
        if number
    ]


def _freed_text(content: Mapping[str, Any]) -> str:
    """How much storage that frees: ``, which frees at most 8 GiB (0.40 EUR a month)``. Empty for none."""
    sums = content["totals"]
    gib, later = sums["freed_gib"], sums["freed_later_gib"]
    if not gib:
        return ""
    cost = money(sums["freed_monthly_cost"], content["currency"])
    text = f", which {'would free' if content['check_mode'] else 'frees'} at most {gib:,} GiB"
    text += f" ({cost} a month)" if cost else ""
    return text + (f", {later:,} GiB of them after their retention in the Recycle Bin" if later else "")


def _failures_text(failures: Sequence[Mapping[str, Any]]) -> str:
    if len(failures) != 1:
        codes = Counter(str(one["error_code"]) for one in failures if one["error_code"])
        named = ", ".join(f"{code} ({number})" for code, number in codes.most_common(_MOST_CODES))
        return f"There are {len(failures)} failures{f': {named}' if named else ''}."
    place = f"{failures[0]['region']}: " if failures[0]["region"] else ""
    return f"{place}{failures[0]['message']} {failures[0]['remedy'] or ''}".strip()


def _unreadable_text(unreadable: Sequence[Mapping[str, Any]]) -> str:
    """What makes the cleanup incomplete, by operation with its regions, so that twenty regions stay short."""
    regions: dict[str, list[str]] = {}
    for one in unreadable:
        regions.setdefault(str(one["action"]), []).append(str(one["region"]))
    reads = "; ".join(f"{action} in {', '.join(found)}" for action, found in regions.items())
    return f"Incomplete, because these reads failed: {reads}."


def _was_or_were(number: int) -> str:
    return "was" if number == 1 else "were"
