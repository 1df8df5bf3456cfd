# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan: what is to be done, as a value that can be shown, compared, and performed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .failures import Failure
from .model import Target

KNOWN_AFTER_APPLY = "(known after apply)"


@dataclass(frozen=True)
class Action:
    """One AWS call that changes something, as it will go over the wire.

    ``operation`` and ``parameters`` are botocore's (``CopyImage``, ``SourceImageId``…);
    ``resource`` is the id of what changes, None if the call creates it.
    """

    target: Target
    operation: str
    parameters: Mapping[str, Any]
    resource: str | None = None
    service: str = "ec2"

    def as_result(self) -> dict[str, str | None]:
        """The action as modules list it in ``actions``."""
        return {
            "account_id": self.target.account_id,
            "action": self.operation,
            "region": self.target.region,
            "resource": self.resource,
        }


@dataclass(frozen=True)
class TargetPlan:
    """What happens in one target, and how it looks before and after.

    A refusal stops the whole plan; what is tolerated (of a best-effort target) only leaves this target out.
    """

    target: Target
    actions: tuple[Action, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    refusals: tuple[Failure, ...] = ()
    tolerated: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The plans of all targets."""

    targets: tuple[TargetPlan, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action, target by target, in the order in which each target performs its own."""
        return tuple(action for target in self.targets for action in target.actions)

    @property
    def refusals(self) -> tuple[Failure, ...]:
        """Every reason not to perform this plan."""
        return tuple(failure for target in self.targets for failure in target.refusals)

    @property
    def tolerated(self) -> tuple[Failure, ...]:
        """Every reason why a target is left out."""
        return tuple(failure for target in self.targets for failure in target.tolerated)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Every warning once; where only some targets warn, each warning names them."""
        names = self._names()
        places: dict[str, list[str]] = {}
        for target in self.targets:
            for warning in target.warnings:
                places.setdefault(warning, []).append(names[target.target])
        everywhere = len(self.targets)
        return tuple(
            text if len(found) == everywhere else f"{', '.join(found)}: {text}"
            for text, found in places.items()
        )

    @property
    def before(self) -> dict[str, Any]:
        """The state before, by the targets' names."""
        names = self._names()
        return {names[target.target]: dict(target.before) for target in self.targets}

    @property
    def after(self) -> dict[str, Any]:
        """The state that performing the plan leaves, by the targets' names."""
        names = self._names()
        return {names[target.target]: dict(target.after) for target in self.targets}

    def _names(self) -> dict[Target, str]:
        return names_of(target.target for target in self.targets)


@dataclass(frozen=True, kw_only=True)
class ReadOnlyPlan:
    """A plan that changes nothing in AWS: what a flow found, in the form that the runner takes."""

    actions: tuple[Any, ...] = ()
    refusals: tuple[Failure, ...] = ()
    tolerated: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


def names_of(targets: Iterable[Target]) -> dict[Target, str]:
    """What to call targets: by their regions or, where they are several accounts', with the account."""
    given = list(targets)
    one = len({target.account_id for target in given}) <= 1
    return {target: target.region if one else f"{target.account_id} {target.region}" for target in given}
