# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cleanup came to, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..decisions import WAIT
from ..stages import DEPRECATE, DEREGISTER, DISABLE
from .outcome import DONE, NOT_DONE, PLANNED, STAGES

PAST = {DEREGISTER: "deregistered", DISABLE: "disabled", DEPRECATE: "deprecated"}

_DATE = len("2026-11-24")

UPPER_BOUND = (
    "Sizes are those of the volumes. Snapshots are incremental: they hold this at most, and at most this is "
    "freed. Only deregistering frees anything."
)


def headline(content: Mapping[str, Any]) -> str:
    """The report in a few sentences."""
    status, failures = content["status"], content["failures"]
    if status == "refused":
        return f"Nothing was changed. {_problems(failures)}"
    if status == "failed":
        return f"What was done is not known. {_problems(failures)}"
    deeds = f"{_deeds(content)}{_freed(content)}."
    sentences = [f"This is a plan, nothing was changed: {deeds}"]
    if status != "planned":
        sentences = [deeds[0].upper() + deeds[1:]]
    left = len(content["orphan_snapshots"])
    if left:
        verb = "would be" if status == "planned" else _were(left)
        sentences.append(f"{count(left, 'snapshot')} that former images left {verb} deleted.")
    missed = sum(found["not_done"] for found in content["totals"]["by_decision"].values())
    if missed and status != "planned":
        sentences.append(f"Of {count(missed, 'image')} what was decided was not done.")
    if status == "incomplete":
        sentences.insert(0, "Not all could be done.")
        sentences.append(_problems(failures))
    return " ".join(sentences)


def fate(image: Mapping[str, Any]) -> str:
    """What becomes of an image, as the end of a sentence about it."""
    decision, outcome = image["decision"], image["outcome"]
    if outcome == PLANNED:
        return f"would be {PAST[decision]}"
    if outcome == DONE:
        return f"was {PAST[decision]}"
    if outcome == NOT_DONE:
        return f"was to be {PAST[decision]}, which was not done"
    return waiting(image) if decision == WAIT else "is kept"


def waiting(image: Mapping[str, Any]) -> str:
    """What is next for an image, as the end of a sentence about it."""
    if image["next_stage"]:
        return f"is to be {PAST[image['next_stage']]} on {str(image['next_stage_at'])[:_DATE]}"
    return "is due and cannot go" if image["reasons"] else "has reached the last stage"


def count(number: int, what: str) -> str:
    """So many of something."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def money(amount: float | None, currency: str | None) -> str:
    """An amount to the cent, with its currency; empty where it is not known."""
    return "" if amount is None else f"{amount:,.2f} {currency or ''}".strip()


def _deeds(content: Mapping[str, Any]) -> str:
    """What is done to how many images."""
    planned = content["status"] == "planned"
    images, found = content["totals"]["images"], content["totals"]["by_decision"]
    counts = {stage: found[stage]["images" if planned else "done"] for stage in STAGES}
    deeds = [f"{number} {PAST[stage]}" for stage, number in counts.items() if number]
    if deeds:
        number, _space, deed = deeds[0].partition(" ")
        verb = "would be" if planned else _were(int(number))
        deeds[0] = f"{number} of {count(images, 'image')} {verb} {deed}"
    if not deeds:
        return f"nothing {'would be' if planned else 'was'} done to {count(images, 'image')}"
    *first, last = deeds
    return f"{', '.join(first)} and {last}" if first else last


def _freed(content: Mapping[str, Any]) -> str:
    sums = content["totals"]
    gib, later = sums["freed_gib"], sums["freed_later_gib"]
    if not gib:
        return ""
    cost = money(sums["freed_monthly_cost"], content["currency"])
    text = f", which {'would free' if content['status'] == 'planned' else 'frees'} {gib} GiB at most"
    text += f" ({cost} a month)" if cost else ""
    return text + (f", {later} GiB of them when the Recycle Bin lets go of them" if later else "")


def _problems(failures: Sequence[Mapping[str, Any]]) -> str:
    if len(failures) != 1:
        return f"There are {len(failures)} problems."
    place = f"{failures[0]['region']}: " if failures[0]["region"] else ""
    return f"{place}{failures[0]['message']} {failures[0]['remedy'] or ''}".strip()


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
