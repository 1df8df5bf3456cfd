# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan: the actions of a module as a value, to display, compare and perform."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ._failures import CONSUMER_REJECTED, IMAGE_RECALLED, Failure
from ._model import Target

Item = TypeVar("Item")

KNOWN_AFTER_APPLY = "(known after apply)"
# Operation to the parameter with the permissions that it adds and removes.
PERMISSION_LISTS = {
    "ModifyImageAttribute": "LaunchPermission",
    "ModifySnapshotAttribute": "CreateVolumePermission",
}


@dataclass(frozen=True)
class Action:
    """One AWS call that changes a resource.

    ``operation`` and ``parameters`` are botocore's (``CopyImage``, ``SourceImageId``…). ``resource`` is the
    ID of the resource, None if the call creates it. ``caller`` is another account than the target's if only
    that account can make the call.
    """

    target: Target
    operation: str
    parameters: Mapping[str, Any]
    resource: str | None = None
    service: str = "ec2"
    caller: str | None = None

    def to_dict(self) -> dict[str, str | None]:
        """Return the action as modules return it in ``actions``."""
        return {
            "account_id": self.target.account_id,
            "action": self.operation,
            "region": self.target.region,
            "resource": self.resource,
        }


@dataclass(frozen=True)
class Performed:
    """Outcome of actions in one target: ``answers`` are AWS's responses to the performed ``actions``."""

    actions: tuple[Action, ...] = ()
    answers: tuple[Mapping[str, Any], ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether no further action is performed: one has failed, apart from entries that AWS rejects."""
        return any(failure.error_code != CONSUMER_REJECTED for failure in self.failures)


@dataclass(frozen=True)
class TargetPlan:
    """Actions in one target, and its state before and after.

    ``refusals`` stop the whole plan. ``tolerated`` failures (of a best-effort target) skip this target only.
    """

    target: Target
    actions: tuple[Action, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    refusals: tuple[Failure, ...] = ()
    tolerated: tuple[Failure, ...] = ()

    def tolerate(self, best_effort_regions: Collection[str]) -> TargetPlan:
        """Return the plan. In a best-effort region, it does nothing instead of refusing the whole plan.

        An image that was recalled is refused there, too: nothing of its release is to go anywhere.
        """
        if not self.refusals or self.target.region not in best_effort_regions:
            return self
        if any(refusal.error_code == IMAGE_RECALLED for refusal in self.refusals):
            return self
        return replace(self, actions=(), after=self.before, refusals=(), tolerated=self.refusals)


@dataclass(frozen=True)
class Plan:
    """Plans of all targets."""

    targets: tuple[TargetPlan, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """Return all actions by target, in the order of execution in each target."""
        return tuple(action for target in self.targets for action in target.actions)

    @property
    def refusals(self) -> tuple[Failure, ...]:
        """Return the failures that stop the plan."""
        return tuple(failure for target in self.targets for failure in target.refusals)

    @property
    def tolerated(self) -> tuple[Failure, ...]:
        """Return the failures that skip a target."""
        return tuple(failure for target in self.targets for failure in target.tolerated)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Return the failures that fail the task but stop nothing."""
        return ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the warnings without duplicates. A warning that not all targets have names its targets."""
        names = self._names()
        places: dict[str, list[str]] = {}
        for target in self.targets:
            for warning in target.warnings:
                places.setdefault(warning, []).append(names[target.target])
        everywhere = len(self.targets)
        return tuple(
            text if len(affected) == everywhere else f"{', '.join(affected)}: {text}"
            for text, affected in places.items()
        )

    @property
    def before(self) -> dict[str, Any]:
        """Return the state before the actions, by target name."""
        names = self._names()
        return {names[target.target]: dict(target.before) for target in self.targets}

    @property
    def after(self) -> dict[str, Any]:
        """Return the state after the actions, by target name."""
        names = self._names()
        return {names[target.target]: dict(target.after) for target in self.targets}

    def _names(self) -> dict[Target, str]:
        return names_of(target.target for target in self.targets)


@dataclass(frozen=True, kw_only=True)
class PlanWithoutTargets:
    """A plan that is not made by target, with the fields that the runner needs.

    Most of its flows change nothing in AWS and plan no actions. The upload of a report plans objects.
    """

    actions: tuple[Any, ...] = ()
    refusals: tuple[Failure, ...] = ()
    tolerated: tuple[Failure, ...] = ()
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    targets: tuple[TargetPlan, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Return the items in batches of at most ``size``, one for each request."""
    return (items[start : start + size] for start in range(0, len(items), size))


def names_of(targets: Iterable[Target]) -> dict[Target, str]:
    """Return the display names of targets: the region, after the account if there are several accounts."""
    listed = list(targets)
    is_one_account = len({target.account_id for target in listed}) <= 1
    return {
        target: target.region if is_one_account else f"{target.account_id} {target.region}"
        for target in listed
    }
