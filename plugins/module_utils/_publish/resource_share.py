# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the resource share of AWS RAM through which other accounts read the own account's parameter.

Only parameters of the advanced tier can be shared (Systems Manager User Guide, "Working with shared
parameters in Parameter Store"). Principals are only added, unless the user has selected a purge.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from .._listing import join_texts
from .._model import Sharing, Target
from .._parameter_share import (
    DISASSOCIATING,
    ResourceShare,
    consumers_of,
    explain_status,
    explain_unassociated,
    holders_of,
    is_organization,
    parameter_arn,
    pending,
    share_name,
    sharing_of,
)
from .._plan import Action
from .._variables import ACCOUNT_ID
from .options import ADVANCED, PublishOptions
from .state import PublishState

# Consumers that a message names.
_NAMED = 5


def plan_calls(
    options: PublishOptions, current: PublishState, target: Target
) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    """Return the calls before the parameter is published, and those after it.

    Nobody who is not named gets what is published. Who is named and has the parameter through an organization
    that is not named gets it before that one loses it, if all that have it then had it before.
    """
    adding, removing = (
        tuple(_plan_share(options, current, target)),
        tuple(_plan_removal(options, current, target)),
    )
    parameter = current.targets[target].parameter
    is_advanced = parameter is not None and parameter.latest.tier == ADVANCED
    if removing and is_advanced and not any("resourceArns" in action.parameters for action in adding):
        return (*adding, *removing), ()
    return removing, adding


def _plan_share(options: PublishOptions, current: PublishState, target: Target) -> Iterator[Action]:
    """Yield the call that adds missing principals to the share of the parameter, or creates the share.

    ``options`` are those of the target: without ``publish_share``, nothing is shared.
    """
    missing = _missing(options, current, target)
    share = _live_share(options, current, target)
    arn = parameter_arn(current.partition, target, options.parameter)
    if not options.publish_share:
        return
    if share is None:
        request = _creation(options, current, target, arn)
        yield Action(target, "CreateResourceShare", request, options.parameter, "ram")
        return
    resources = [] if arn in share.resource_arns else [arn]
    if missing or resources:
        parameters = {
            "resourceShareArn": share.arn,
            **({"resourceArns": resources} if resources else {}),
            **({"principals": missing} if missing else {}),
        }
        yield Action(target, "AssociateResourceShare", parameters, options.parameter, "ram")


def _plan_removal(options: PublishOptions, current: PublishState, target: Target) -> Iterator[Action]:
    """Yield the calls that take the parameter back from those who are not named, if that is selected.

    Whom AWS is removing already, or could not remove, have a call of their own, which AWS may refuse.
    A share without consumers is deleted, unless those who are named are added to it.
    """
    if not options.purges_share:
        return
    named = {*options.publish_share}
    kept = _live_share(options, current, target) if named else None
    for share in _live_shares(current, target):
        present, doubtful = share.consumers - named, share.holders - share.consumers - named
        for unnamed in filter(None, (present, doubtful)):
            parameters = {"resourceShareArn": share.arn, "principals": sorted(unnamed)}
            yield Action(target, "DisassociateResourceShare", parameters, options.parameter, "ram")
        if share != kept and not share.consumers & named:
            deletion = {"resourceShareArn": share.arn}
            yield Action(target, "DeleteResourceShare", deletion, options.parameter, "ram")


def plan_taking_back(options: PublishOptions, current: PublishState, target: Target) -> Iterator[Action]:
    """Yield the calls that remove ``publish_share`` from the parameter's own resource shares.

    Their roles and users are removed, too. None is removed where the parameter does not name the image, and
    none from a share with other resources, which is not this collection's.
    """
    if not _names_image(current, target):
        return
    for share in _own_shares_alone(options, current, target):
        leaving = _leaving(options, share)
        for principals in filter(None, (leaving & share.consumers, leaving - share.consumers)):
            parameters = {"resourceShareArn": share.arn, "principals": sorted(principals)}
            yield Action(target, "DisassociateResourceShare", parameters, options.parameter, "ram")


def warn_of_taking_back(options: PublishOptions, current: PublishState, target: Target) -> Iterator[str]:
    """Yield why consumers that are to lose the parameter keep it."""
    state, name = current.targets[target], options.parameter
    if state.parameter is None:
        yield f"Nobody loses {name}, which does not exist in account {target.account_id}."
        return
    arn = parameter_arn(current.partition, target, name)
    shares = [
        *(share for share in _live_shares(current, target) if share.may_give(arn)),
        *state.other_shares,
    ]
    if not _names_image(current, target):
        if named := sorted(frozenset().union(*(_leaving(options, share) for share in shares))):
            yield (
                f"{name} stays shared with {join_texts(named, _NAMED)}, because it does not name "
                f"{state.image_id}. Set in images the image that it names."
            )
        return
    alone = list(_own_shares_alone(options, current, target))
    for share in shares:
        if share not in alone and (leaving := sorted(_leaving(options, share))):
            yield (
                f"{name} stays shared with {join_texts(leaving, _NAMED)}: "
                f"{_take_back_elsewhere(share, leaving, target.region)}."
            )
    groups = {item for share in shares for item in share.holders if is_organization(item)}
    if kept := sorted(groups - {*options.publish_share}):
        yield (
            f"{name} stays shared with {join_texts(kept, _NAMED)}. Accounts that belong to it still read the "
            "parameter."
        )


def describe_taking_back(
    options: PublishOptions, current: PublishState, target: Target, is_after: bool
) -> dict[str, Any]:
    """Return who has the parameter through its own resource shares, before the plan or after it."""
    arn = parameter_arn(current.partition, target, options.parameter)
    kept = consumers_of(_live_shares(current, target), arn)
    if is_after and _names_image(current, target):
        kept = frozenset().union(
            *(
                share.consumers - (_leaving(options, share) if _has_only(share, arn) else frozenset())
                for share in _live_shares(current, target)
                if arn in share.resource_arns
            )
        )
    return {"shared_with": sorted(kept)}


def _names_image(current: PublishState, target: Target) -> bool:
    state = current.targets[target]
    return state.parameter is not None and state.parameter.latest.value == state.image_id


def _own_shares_alone(
    options: PublishOptions, current: PublishState, target: Target
) -> Iterator[ResourceShare]:
    """Yield the own shares that have the parameter and no other resource."""
    arn = parameter_arn(current.partition, target, options.parameter)
    for share in _live_shares(current, target):
        if share.may_give(arn) and _has_only(share, arn):
            yield share


def _has_only(share: ResourceShare, arn: str) -> bool:
    return not share.resource_arns - {arn}


def _leaving(options: PublishOptions, share: ResourceShare) -> frozenset[str]:
    """Return the principals of a share that are consumers to remove, or a role or user of one."""
    named = {*options.publish_share}
    return frozenset(item for item in share.holders if {*sharing_of([item]).names} & named)


def _creation(options: PublishOptions, current: PublishState, target: Target, arn: str) -> dict[str, Any]:
    """Return the parameters of CreateResourceShare.

    The token is a hash of the others and of the deleted shares of that name: two runs at once create one
    share, and a share that was deleted is created again (botocore shape ``CreateResourceShareRequest``).
    """
    request = {
        "name": share_name(options.parameter),
        "resourceArns": [arn],
        "principals": sorted(options.publish_share),
        "allowExternalPrincipals": options.publish_share_external,
    }
    dead = sorted(share.arn for share in current.targets[target].shares if not share.is_live)
    identity = json.dumps([request, dead], sort_keys=True)
    return {**request, "clientToken": hashlib.sha256(identity.encode()).hexdigest()}


def find_conflict(options: PublishOptions, current: PublishState, target: Target) -> tuple[str, str] | None:
    """Return why the parameter must not be shared, and what to do; None if it may be.

    Who is added to a share gets all its resources, and a resource that is added is shared with all its
    principals. A purge removes those of own shares first.
    """
    if not options.changes_share:
        return None
    arn, state = parameter_arn(current.partition, target, options.parameter), current.targets[target]
    own = _live_shares(current, target)
    for share in own:
        if others := sorted(share.resource_arns - {arn}):
            has = f"has other resources than {options.parameter}: {join_texts(others, _NAMED)}"
            remedy = f"It is not this collection's. Rename or delete {share.arn}, or remove these from it."
            return f"The resource share {share.name} {has}.", remedy
    # A share keeps the ARN of a parameter that was deleted.
    kept = () if options.purges_share else own
    for share in (*kept, *state.other_shares):
        unnamed = sorted(share.holders - options.named_consumers)
        is_new = state.parameter is None or (share in own and arn not in share.resource_arns)
        if unnamed and is_new:
            has = (
                f"has consumers that publish_share does not name, and {options.parameter} would be new for "
                f"them: {join_texts(unnamed, _NAMED)}"
            )
            remedy = f"Name them, or {_how_to_remove(options, share, unnamed, share in own, target.region)}."
            return f"The resource share {share.name} {has}.", remedy
    return None


def find_difference(options: PublishOptions, current: PublishState, target: Target) -> tuple[str, str] | None:
    """Return why accounts cannot be added to the share as requested, and what to do; None if they can be.

    An account outside of the organization is refused or invited by what the existing share allows.
    """
    share = _live_share(options, current, target)
    accounts = [item for item in _missing(options, current, target) if ACCOUNT_ID.fullmatch(item)]
    if share is None or not accounts or share.allows_external == options.publish_share_external:
        return None
    verb, value, flag = (
        ("allows", "true", "no-allow") if share.allows_external else ("forbids", "false", "allow")
    )
    problem = (
        f"The resource share {share.name} {verb} accounts outside of the organization, unlike "
        f"publish_share_external, and {join_texts(accounts, _NAMED)} would be added."
    )
    remedy = (
        f"Set publish_share_external: {value}, or change the share: aws ram update-resource-share --region "
        f"{target.region} --resource-share-arn {share.arn} --{flag}-external-principals"
    )
    return problem, remedy


def warn_of_share(options: PublishOptions, current: PublishState, target: Target) -> Iterator[str]:
    """Yield who has the parameter without being named, and who has no access although they are named."""
    if not options.changes_share:
        return
    arn, name = parameter_arn(current.partition, target, options.parameter), options.parameter
    shares = [share for share in _live_shares(current, target) if share.may_give(arn)]
    leaving: set[str] = set()
    for share in (*shares, *current.targets[target].other_shares):
        if share in shares and options.purges_share:
            continue
        ending = {item.entity for item in share.principals if item.status == DISASSOCIATING}
        leaving |= ending - options.named_consumers
        unnamed = sorted(share.holders - ending - options.named_consumers)
        if not unnamed:
            continue
        has = f"{name} stays shared with {join_texts(unnamed, _NAMED)}, which publish_share does not name."
        how = _how_to_remove(options, share, unnamed, share in shares, target.region)
        yield f"{has} Name them, or {how}."
    if leaving:
        yield f"AWS RAM is still taking {name} back from {join_texts(sorted(leaving), _NAMED)}. Rerun."
    having = [share for share in shares if arn in share.resource_arns]
    if unassociated := explain_unassociated(name, arn, having):
        yield f"{unassociated} Rerun, in case AWS is still adding it."
    yield from list_pending(pending(having, options.publish_share))
    yield from _warn_of_image(options, current.targets[target].launch)


def _how_to_remove(
    options: PublishOptions, share: ResourceShare, unnamed: list[str], is_own: bool, region: str
) -> str:
    """Return how who is not named is removed from the share: the collection changes only its own ones."""
    if not is_own:
        return _take_back_elsewhere(share, unnamed, region)
    if options.publish_share_purge:
        rejected = join_texts(sorted(options.rejected_account_ids), _NAMED)
        return (
            f"correct the accounts that AWS rejected, {rejected}, and rerun: publish_share_purge removes "
            "nobody before that"
        )
    return "set publish_share_purge: true"


def _take_back_elsewhere(share: ResourceShare, unnamed: list[str], region: str) -> str:
    """Return how principals are removed from a share that this collection does not change."""
    return (
        f"take it back from the resource share {share.name}: aws ram disassociate-resource-share "
        f"--region {region} --principals {' '.join(unnamed[:_NAMED])} --resource-share-arn {share.arn}"
    )


def _warn_of_image(options: PublishOptions, launch: Sharing | None) -> Iterator[str]:
    """Yield the accounts that the image is surely not shared with: organizations may have the others."""
    if launch is None or launch.public or launch.org_arns or launch.org_unit_arns:
        return
    accounts = sorted(item for item in options.publish_share if ACCOUNT_ID.fullmatch(item))
    if without := [item for item in accounts if item not in launch.account_ids]:
        yield (
            f"The image is not shared with {join_texts(without, _NAMED)}, which cannot launch it by the "
            "parameter. Share it with them (ami_share), or remove them from publish_share."
        )


def list_pending(consumers: dict[str, str]) -> Iterator[str]:
    """Yield what principals without access yet wait for, given their status."""
    for status in sorted(set(consumers.values())):
        names = [name for name, of_name in consumers.items() if of_name == status]
        yield f"{join_texts(names, _NAMED)} cannot read the parameter: {explain_status(status)}."


def describe_share(
    options: PublishOptions, current: PublishState, target: Target, is_after: bool
) -> dict[str, Any]:
    """Return who the parameter is shared with, before the plan or after it; empty if that was not read."""
    if not options.changes_share:
        return {}
    arn, named = parameter_arn(current.partition, target, options.parameter), {*options.publish_share}
    unnamed = holders_of(_live_shares(current, target), arn) - named
    consumers = shared_with(options, current, target) | unnamed
    if is_after:
        consumers = frozenset(named).union(() if options.purges_share else consumers)
    return {"shared_with": sorted(consumers)}


def shared_with(options: PublishOptions, current: PublishState, target: Target) -> frozenset[str]:
    """Return the principals that the parameter is shared with through its resource share."""
    arn = parameter_arn(current.partition, target, options.parameter)
    return consumers_of(_live_shares(current, target), arn)


def _missing(options: PublishOptions, current: PublishState, target: Target) -> list[str]:
    return sorted({*options.publish_share} - shared_with(options, current, target))


def _live_shares(current: PublishState, target: Target) -> list[ResourceShare]:
    shares = current.targets[target].shares
    return sorted((share for share in shares if share.is_live), key=lambda share: share.arn)


def _live_share(options: PublishOptions, current: PublishState, target: Target) -> ResourceShare | None:
    """Return the share to add to. If two runs at once have created several, one that serves best already."""
    arn = parameter_arn(current.partition, target, options.parameter)

    def lacks(share: ResourceShare) -> tuple[bool, bool]:
        return arn not in share.resource_arns, not share.consumers & {*options.publish_share}

    return min(_live_shares(current, target), key=lacks, default=None)
