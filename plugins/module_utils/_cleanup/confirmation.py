# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What two plans agree on: the first one, and one of the evidence read again before anything is removed.

An example::

    image   first plan   second plan     performed
    ami-1   deregister   deregister      the second plan's actions
    ami-2   deregister   keep (in use)   nothing; it is reported as skipped
    ami-3   deregister   (not found)     nothing
    ami-4   keep         deregister      nothing; that is left to the next run

It is safe to perform less than planned: the next run finds what is left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from .._model import ImageRef
from .._plan import Action
from .decisions import Decision
from .plan import CleanupPlan
from .stages import DEREGISTER


class Confirmed(NamedTuple):
    """What is left of a plan.

    ``skipped`` are the second plan's decisions on images that the first plan disables or deregisters, where
    they differ.
    """

    plan: CleanupPlan
    skipped: tuple[Decision, ...]


def confirmed(first: CleanupPlan, second: CleanupPlan) -> Confirmed:
    """The second plan, reduced to what the first one decides the same."""
    plans = _Plans(first, second)
    targets = tuple(
        replace(target, actions=tuple(_confirmed_actions(target.actions, plans, target.target.region)))
        for target in second.targets
    )
    skipped = (
        decision
        for decision in second.decisions
        if decision.ref in plans.disputed
        and decision.ref in plans.decided_first
        and plans.decided_first[decision.ref].is_destructive
    )
    return Confirmed(replace(second, targets=targets), tuple(skipped))


@dataclass(frozen=True)
class _Plans:
    """The two plans, to ask what they agree on."""

    first: CleanupPlan
    second: CleanupPlan

    @cached_property
    def decided_first(self) -> dict[ImageRef, Decision]:
        """The first plan's decision on each image."""
        return {decision.ref: decision for decision in self.first.decisions}

    @cached_property
    def disputed(self) -> frozenset[ImageRef]:
        """The images that the second plan decides otherwise, or that only it decides on."""
        return frozenset(
            decision.ref
            for decision in self.second.decisions
            if decision.ref not in self.decided_first
            or self.decided_first[decision.ref].kind != decision.kind
        )

    @cached_property
    def planned_first(self) -> frozenset[tuple[object, ...]]:
        """The first plan's actions."""
        return frozenset((one.target, one.operation, one.resource) for one in self.first.actions)

    def left_out(self, region: str) -> frozenset[str]:
        """The disputed images of a region, and their snapshots in either plan."""
        disputed = (
            decision
            for decision in (*self.first.decisions, *self.second.decisions)
            if decision.ref in self.disputed and decision.ref.region == region
        )
        return frozenset(
            resource
            for decision in disputed
            for resource in (decision.ref.image_id, *(one.snapshot_id for one in decision.snapshots))
        )

    def has_disputed_deregistration(self, region: str) -> bool:
        """Whether an image stays in the region that the second plan deregisters: it may need a grant."""
        return any(
            decision.kind == DEREGISTER and decision.ref in self.disputed and decision.ref.region == region
            for decision in self.second.decisions
        )

    def agree_on(self, action: Action) -> bool:
        """Whether a snapshot may be deleted, or a grant revoked; other actions depend on their images alone.

        What only the second plan deletes or revokes is left to the next run.
        """
        if action.operation not in ("DeleteSnapshot", "RevokeGrant"):
            return True
        if (action.target, action.operation, action.resource) not in self.planned_first:
            return False
        revokes = action.operation == "RevokeGrant"
        return not (revokes and self.has_disputed_deregistration(action.target.region))


def _confirmed_actions(actions: Collection[Action], plans: _Plans, region: str) -> Iterator[Action]:
    """The actions that both plans agree on, without the disputed images and their snapshots."""
    left_out = plans.left_out(region)
    for action in actions:
        if not plans.agree_on(action):
            continue
        if "Resources" in action.parameters:
            resources = [one for one in action.parameters["Resources"] if one not in left_out]
            if resources:
                parameters = {**action.parameters, "Resources": resources}
                yield replace(action, parameters=parameters, resource=", ".join(resources))
        elif action.resource not in left_out:
            yield action
