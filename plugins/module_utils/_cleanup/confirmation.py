# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The actions that two plans agree on: the first plan, and one from evidence that is read again.

An example::

    image   first plan   second plan     performed
    ami-1   deregister   deregister      the second plan's actions
    ami-2   deregister   keep (in use)   nothing; it is reported as skipped
    ami-3   deregister   (not found)     nothing
    ami-4   keep         deregister      nothing; that is left to the next run

It is safe to perform less than planned: the next run finds what is left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from .._model import ImageRef
from .._plan import Action
from .decisions import WAIT, Decision
from .options import CleanupOptions
from .plan import CleanupPlan, decide
from .stages import DEREGISTER
from .state import CleanupState, Permissions

_CHANGED = "Its permissions, or those of a snapshot, were changed during the run. The next run decides."
_ENABLED = "It was enabled during the run. The next run decides."


class Confirmed(NamedTuple):
    """The part of a plan that is performed.

    ``skipped`` are the second plan's decisions on images that the first plan disables or deregisters, where
    they differ.
    """

    plan: CleanupPlan
    skipped: tuple[Decision, ...]


def confirm(first: CleanupPlan, second: CleanupPlan) -> Confirmed:
    """Return the second plan without what the first one decides otherwise."""
    plans = _Plans(first, second)
    targets = tuple(
        replace(target, actions=tuple(_list_confirmed_actions(target.actions, plans, target.target.region)))
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


def decide_spared(
    options: CleanupOptions, state: CleanupState, spared: Mapping[ImageRef, Permissions]
) -> Iterator[Decision]:
    """Yield the decisions on the images that the last look spared, from the permissions that it has read.

    In this run, none of them is disabled or deregistered any more.
    """
    if not spared:
        return
    usage = {
        ref: replace(
            state.usage[ref],
            sharing=permissions.image,
            unread=permissions.unread,
            references=(*state.usage[ref].references, *permissions.gone),
        )
        for ref, permissions in spared.items()
    }
    snapshots = {
        snapshot: usage
        for permissions in spared.values()
        for snapshot, usage in permissions.snapshots.items()
    }
    looked = replace(
        state, usage={**state.usage, **usage}, snapshot_usage={**state.snapshot_usage, **snapshots}
    )
    for decision in decide(options, looked):
        if decision.ref in spared and decision.is_destructive:
            reason = _ENABLED if spared[decision.ref].is_enabled else _CHANGED
            reasons = (*decision.reasons, reason)
            yield replace(decision, kind=WAIT, reasons=reasons, snapshots=(), recoverable_until=None)
        elif decision.ref in spared:
            yield decision


@dataclass(frozen=True)
class _Plans:
    """The two plans, with the questions about what they agree on."""

    first: CleanupPlan
    second: CleanupPlan

    @cached_property
    def decided_first(self) -> dict[ImageRef, Decision]:
        """Return the first plan's decision on each image."""
        return {decision.ref: decision for decision in self.first.decisions}

    @cached_property
    def disputed(self) -> frozenset[ImageRef]:
        """Return the images that the second plan decides otherwise, or that the first one lacks."""
        return frozenset(
            decision.ref
            for decision in self.second.decisions
            if decision.ref not in self.decided_first
            or self.decided_first[decision.ref].kind != decision.kind
        )

    @cached_property
    def planned_first(self) -> frozenset[tuple[object, ...]]:
        """Return the first plan's actions."""
        return frozenset((action.target, action.operation, action.resource) for action in self.first.actions)

    def list_left_out(self, region: str) -> frozenset[str]:
        """Return the disputed images of a region, and their snapshots in either plan."""
        disputed = (
            decision
            for decision in (*self.first.decisions, *self.second.decisions)
            if decision.ref in self.disputed and decision.ref.region == region
        )
        return frozenset(
            resource
            for decision in disputed
            for resource in (
                decision.ref.image_id,
                *(snapshot.snapshot_id for snapshot in decision.snapshots),
            )
        )

    def has_disputed_deregistration(self, region: str) -> bool:
        """Whether the region keeps an image that only the second plan deregisters: it may need a grant."""
        return any(
            decision.kind == DEREGISTER and decision.ref in self.disputed and decision.ref.region == region
            for decision in self.second.decisions
        )

    def is_agreed(self, action: Action) -> bool:
        """Whether a snapshot may be deleted, or a grant revoked; other actions depend on their images alone.

        What only the second plan deletes or revokes is left to the next run.
        """
        if action.operation not in ("DeleteSnapshot", "RevokeGrant"):
            return True
        if (action.target, action.operation, action.resource) not in self.planned_first:
            return False
        revokes = action.operation == "RevokeGrant"
        return not (revokes and self.has_disputed_deregistration(action.target.region))


def _list_confirmed_actions(actions: Collection[Action], plans: _Plans, region: str) -> Iterator[Action]:
    """Yield the actions in both plans, without the disputed images and their snapshots."""
    left_out = plans.list_left_out(region)
    for action in actions:
        if not plans.is_agreed(action):
            continue
        if "Resources" in action.parameters:
            resources = [resource for resource in action.parameters["Resources"] if resource not in left_out]
            if resources:
                parameters = {**action.parameters, "Resources": resources}
                yield replace(action, parameters=parameters, resource=", ".join(resources))
        elif action.resource not in left_out:
            yield action
