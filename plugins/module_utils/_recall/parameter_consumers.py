# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge whether those who read the owner's parameter through AWS RAM can launch the earlier image.

The owner assumes no role in their accounts, so only the launch permissions of the image tell. Only AWS
Organizations tells which accounts are in an organization or a unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .._failures import Failure
from .._keys.policy_statements import organization_id, unit_ids
from .._listing import join_texts
from .._model import Sharing
from .._publish.options import STANDARD
from .record import PARAMETER
from .state import RecallState, Unit

# Consumers that a message names.
_NAMED = 5
_OPTION = "require_shared"
WITHOUT = f"set {_OPTION}: false (recall_{_OPTION} of the role)"


@dataclass(frozen=True)
class Uncovered:
    """The consumers that an image is not shared with, and those that it may be shared with."""

    missing: frozenset[str] = frozenset()
    undecided: frozenset[str] = frozenset()


def select_shareable(account_id: str, units: Iterable[Unit]) -> list[Unit]:
    """Return the units of the owner whose parameter moves and may be shared.

    Only parameters of the advanced tier can be shared (Systems Manager User Guide, "Working with shared
    parameters in Parameter Store").
    """

    def is_selected(unit: Unit) -> bool:
        parameter = unit.state.parameter
        return (
            unit.target.account_id == account_id
            and not unit.failures
            and any(pointer.key.kind == PARAMETER for pointer in unit.pointers)
            and parameter is not None
            and parameter.latest.tier != STANDARD
            and parameter.latest.value != unit.state.image_id
        )

    return list(filter(is_selected, units))


def find_uncovered(launch: Sharing, consumers: Sharing) -> Uncovered:
    """Return the consumers that launch permissions name neither themselves nor by their organization.

    The ARN of a unit has the ID of its organization, but not those of the units that contain it. An account
    may be in any organization and unit that is named. Of an organization or a unit, single accounts, or units
    of the same organization, may be named instead of itself.
    """
    if launch.public:
        return Uncovered()
    organizations = {organization_id(arn) for arn in launch.org_arns}
    of_units = {unit_ids(arn)[0] for arn in launch.org_unit_arns}
    left = consumers - launch
    arns = {
        **{arn: organization_id(arn) for arn in left.org_arns},
        **{arn: unit_ids(arn)[0] for arn in left.org_unit_arns},
    }
    groups = {arn: org_id for arn, org_id in arns.items() if org_id not in organizations}
    may_have_groups = {arn for arn, org_id in groups.items() if launch.account_ids or org_id in of_units}
    may_have_accounts = left.account_ids if organizations or of_units else frozenset()
    undecided = may_have_accounts | may_have_groups
    return Uncovered(left.account_ids.union(groups) - undecided, undecided)


def refuse_not_shared(unit: Unit) -> Iterator[Failure]:
    """Yield the failure of a unit whose earlier image some consumers of its parameter cannot launch."""
    if missing := _compare(unit).missing:
        yield Failure.at(
            unit.target,
            _OPTION,
            "missing_launch_permission",
            f"The earlier image {unit.state.image_id} is not shared with "
            f"{join_texts(sorted(missing), _NAMED)}, which {unit.options.parameter} is shared with through "
            "AWS RAM.",
            f"Share it with them (ami_share), or {WITHOUT}, after which they cannot launch what the "
            "parameter names. Then rerun.",
        )


def warn_of_undecided(current: RecallState, moving: Iterable[Unit]) -> Iterator[str]:
    """Yield a warning for each reason why it is not proven that consumers can launch the earlier images."""
    reasons: dict[str, set[str]] = {}
    for unit in moving:
        image, undecided = unit.state.image, _compare(unit).undecided
        reason = "only AWS Organizations tells which accounts are in an organization or a unit"
        if image is not None and image.owner_id != current.account_id:
            undecided, reason = unit.consumers.names, f"these are not of account {current.account_id}"
        reasons.setdefault(reason, set()).update(undecided)
    for reason, consumers in reasons.items():
        if consumers:
            names = join_texts(sorted(consumers), _NAMED)
            yield f"It is not proven that the earlier images are shared with {names}: {reason}."


def _compare(unit: Unit) -> Uncovered:
    """Return the consumers that the image of a unit is not, or may not be shared with.

    The launch permissions of another account's image are not known.
    """
    if unit.state.launch is None:
        return Uncovered()
    return find_uncovered(unit.state.launch.without(unit.target.account_id), unit.consumers)
