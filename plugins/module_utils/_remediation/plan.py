# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans the permissions to remove for the chosen findings of an audit, and for what follows from them.

Only a finding makes a removal, so nothing that is allowed is removed. A principal that loses an image also
loses its key, if nothing under the key is shared with it then. What the chosen codes would find after the
removals is removed in the same run, so that a second run has nothing left to do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .._arns import account_of
from .._audit.cause import Remediation
from .._audit.causes import CAUSES, NOT_ALLOWED, cause_of, snapshot_wider_than_image, unused_key_access
from .._failures import Failure, invalid_option
from .._finding import Finding
from .._keys import policy_statements as key_policy
from .._keys.needed import names_of
from .._keys.policy_statements import PolicyConsumers
from .._listing import count, join_texts
from .._model import PUBLIC, Sharing
from .._plan import PlanWithoutTargets
from .departure import Departure, OtherAccess, depart, refuse_selection, select
from .kept import KeptAccess, kept_access
from .options import RemediationOptions
from .state import (
    KEYS_OF_REGION,
    PARAMETER_CONSUMER,
    PARAMETERS_UNREADABLE,
    AuditedAccount,
    Loss,
    Named,
    Removal,
    Resource,
    Scope,
    resource_of,
    sharing_of,
)

GRANT, STATEMENT, WIDER = (
    unused_key_access.GRANT.code,
    unused_key_access.STATEMENT.code,
    snapshot_wider_than_image.CAUSE.code,
)
# Those that removing permissions fixes. The first ones may be about accounts that are allowed and will get an
# image whose key or snapshot they have.
REPAIRABLE = (
    *(code for code, cause in CAUSES.items() if cause.remediation is Remediation.IF_SELECTED),
    *NOT_ALLOWED,
)
# The groups of removals and the principals that a refusal names: a message with more would be cut.
_GROUPS, _EXAMPLES = 4, 2
# The snapshots without an image that an audit reads.
_WITHOUT_IMAGE = (
    " A snapshot that no image uses must be public, or CreateImage or CopyImage must have made it."
)


@dataclass(frozen=True)
class RemediationPlan(PlanWithoutTargets):
    """The removals in a stable order, and the findings about what could not be read. It has no actions.

    ``kept`` and ``other`` are what consumers that leave keep.
    """

    removals: tuple[Removal, ...] = ()
    unreadable: tuple[Finding, ...] = ()
    kept: tuple[KeptAccess, ...] = ()
    other: tuple[OtherAccess, ...] = ()


def plan(options: RemediationOptions, audited: AuditedAccount) -> RemediationPlan:
    """Plan all removals, or none if they are too many."""
    if options.only_check:
        return RemediationPlan(refusals=tuple(_refuse_codes(options.finding_codes)))
    if options.expected_removals is not None:
        kept = kept_access(options.revoke_results)
        needed = {(access.resource, access.principal) for access in kept if access.is_needed}
        left = (
            item
            for item in options.expected_removals
            if item.key not in needed and audited.holds(*item.key) is not False
        )
        return RemediationPlan(tuple(left))
    scope = select(options.images, options.name_patterns, audited)
    departure = Departure()
    if leaving := options.consumers:
        departure = depart(leaving, audited, scope, revoke_in_use=options.revoke_in_use)
        removals = _in_order(_make_removal(audited, *loss, ()) for loss in departure.losses)
    else:
        removals = _removals(options, audited, scope)
    if refusals := (
        *refuse_selection(leaving, options.name_patterns, audited),
        *_refuse_codes(options.finding_codes),
        *_refuse_missing(options.images, audited),
        *_refuse_too_many(options.max_removals, removals),
    ):
        return RemediationPlan(refusals=refusals)
    unreadable = tuple(
        finding
        for finding in audited.findings
        if _is_incomplete(finding, options) and scope.covers(_unread_resource(finding))
    )
    return RemediationPlan(removals, unreadable, departure.kept, departure.other)


def _is_incomplete(finding: Finding, options: RemediationOptions) -> bool:
    """Whether what could not be read may have access to remove. Parameters matter only if they are fixed."""
    if finding.code == PARAMETERS_UNREADABLE:
        return PARAMETER_CONSUMER in options.finding_codes
    return cause_of(finding.code).remediation is Remediation.INCOMPLETE


def _unread_resource(finding: Finding) -> Resource:
    """Return what could not be read.

    The key of a snapshot may be any key of the region, and a parameter may name any image of it.
    """
    resource = resource_of(finding)
    if finding.code == PARAMETERS_UNREADABLE:
        return Resource(finding.region, finding.region)
    is_any_key = finding.code == "key_unreadable" and resource.kind == "snapshot"
    return Resource(finding.region, KEYS_OF_REGION) if is_any_key else resource


def _refuse_codes(codes: Iterable[str]) -> Iterator[Failure]:
    """Refuse codes that do not exist, and codes of findings that removing permissions does not fix."""
    remedy = f"Use one of {', '.join(REPAIRABLE)}."
    for code in codes:
        if code not in CAUSES:
            yield invalid_option(
                "finding_codes", f"finding_codes: '{code}' is not the code of a finding.", remedy
            )
        elif code not in REPAIRABLE:
            problem = f"finding_codes: {code} is not fixed by removing permissions."
            yield invalid_option(
                "finding_codes", problem, f"{remedy} The remedy of the finding says how to fix it."
            )


def _removals(options: RemediationOptions, audited: AuditedAccount, scope: Scope) -> tuple[Removal, ...]:
    chosen = frozenset(options.finding_codes or NOT_ALLOWED)
    codes = _choose_findings(audited, chosen, scope)
    if WIDER in chosen:
        for resource, principal in _resulting_snapshot_exposure(audited, codes):
            if scope.covers(resource):
                codes.setdefault((resource, principal), set()).add(WIDER)
    for orphaned in _resulting_unused_key_access(audited, codes):
        key = orphaned.resource
        chosen_here = chosen if scope.covers(key) else frozenset()
        for principal in names_of(orphaned.unused):
            if principal in orphaned.losing or chosen_here & _codes_of_key(audited, key, principal):
                codes.setdefault((key, principal), set())
    # A grant and a statement for the same principal are removed together, whichever of them was chosen.
    for resource, principal in codes:
        if resource.kind == "key":
            codes[resource, principal] |= _codes_of_key(audited, resource, principal)
    return _in_order(
        _make_removal(audited, *item, tuple(sorted(own_codes))) for item, own_codes in codes.items()
    )


def _in_order(removals: Iterable[Removal]) -> tuple[Removal, ...]:
    return tuple(sorted(removals, key=lambda item: item.order))


def _choose_findings(
    audited: AuditedAccount, chosen: frozenset[str], scope: Scope
) -> dict[tuple[Resource, str], set[str]]:
    codes: dict[tuple[Resource, str], set[str]] = {}
    for finding in audited.findings:
        if finding.code in chosen and _is_removable(finding) and scope.covers(_in_scope_by(finding)):
            codes.setdefault((resource_of(finding), str(finding.principal)), set()).add(finding.code)
    return codes


def _in_scope_by(finding: Finding) -> Resource:
    """Return what decides whether a finding is in the scope: of a parameter, the image that it names."""
    is_parameter = finding.code == PARAMETER_CONSUMER and finding.image_id is not None
    return Resource(finding.region, str(finding.image_id)) if is_parameter else resource_of(finding)


def _is_removable(finding: Finding) -> bool:
    """Whether a finding is about a principal, and not a service in another tool's resource share."""
    if finding.principal is None:
        return False
    return finding.code != PARAMETER_CONSUMER or bool(sharing_of([finding.principal]))


def _make_removal(
    audited: AuditedAccount, resource: Resource, principal: str, codes: tuple[str, ...]
) -> Removal:
    """Return the removal with its message and its image, the first one if several use the resource."""
    users = audited.users.get(resource, ())
    image_id = resource.resource_id if resource.kind == "image" else users[0].resource_id if users else None
    if resource in audited.shared_parameters:
        image_id = audited.shared_parameters[resource].image_id
    who = "the public" if principal == PUBLIC else principal
    used = f"a snapshot of {image_id}" if users else "which no image uses"
    words = {
        "image": f"unshare {resource.resource_id} ({_name_of_image(audited, resource)}) from {who}",
        "snapshot": f"unshare {resource.resource_id}, {used}, from {who}",
        "key": f"revoke access to {resource.resource_id} from {who}",
        "parameter": f"take the parameter {resource.resource_id}, which names {image_id}, back from {who}",
    }
    message = ": ".join((resource.region, words[resource.kind], *([", ".join(codes)] if codes else [])))
    return Removal(resource, principal, codes, image_id, message)


def _codes_of_key(audited: AuditedAccount, resource: Resource, principal: str) -> set[str]:
    key = audited.keys[resource]
    parts = {GRANT: key.grantees, STATEMENT: key.named}
    return {code for code, consumers in parts.items() if principal in names_of(consumers)}


def _name_of_image(audited: AuditedAccount, resource: Resource) -> str:
    return audited.images[resource].name if resource in audited.images else ""


def _refuse_missing(images: Iterable[Named], audited: AuditedAccount) -> Iterator[Failure]:
    """Refuse images and snapshots that were not found, unless they may be among what could not be read."""
    unread = audited.unread_regions
    for named in images:
        hidden = unread | audited.unlisted if named.is_snapshot else unread
        may_be_unread = named.region in hidden if named.region is not None else bool(hidden)
        if not named.resources(audited) and not may_be_unread:
            yield invalid_option(
                "images",
                f"images: the audit did not find {named}.",
                "Use an image of the audited account, or a snapshot of one, in a region that was audited."
                + (_WITHOUT_IMAGE if named.is_snapshot else ""),
                named.region,
            )


def _refuse_too_many(most: int | None, removals: tuple[Removal, ...]) -> Iterator[Failure]:
    number = len(removals)
    if most is None or number <= most:
        return
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for removal in removals:
        groups[removal.resource.kind, removal.codes].append(removal.principal)
    # What is public first, then what would be removed most often.
    ranked = sorted(groups.items(), key=lambda item: (PUBLIC not in item[1], -len(item[1]), item[0]))
    texts = [_group_text(kind, codes, principals) for (kind, codes), principals in ranked[:_GROUPS]]
    if left := sum(len(principals) for _group, principals in ranked[_GROUPS:]):
        texts.append(f"and {left} more")
    yield invalid_option(
        "max_removals",
        # Only the role has the option, under this name.
        f"remediate_max_removals: the plan has {count(number, 'removal')}, and at most {most} are allowed: "
        f"{'; '.join(texts)}.",
        f"To see each of them, set remediate_max_removals to {number} in check mode. If all are intended, "
        "run with the same number without check mode.",
    )


def _group_text(kind: str, codes: tuple[str, ...], principals: Sequence[str]) -> str:
    """Return how many removals of a kind there are, from whom, and for which findings."""
    names = ["the public" if principal == PUBLIC else principal for principal in sorted({*principals})]
    # What several principals lose may be the same image.
    what = count(len(principals), kind) if len(names) == 1 else f"{len(principals)} removals of {kind}s"
    return f"{what} from {join_texts(names, _EXAMPLES)} ({', '.join(codes)})"


@dataclass(frozen=True)
class _OrphanedKeyAccess:
    """Access to a key that ``unused`` have although nothing under it is shared with them any more.

    ``losing`` are those of them that are, or are in, the principals that lose images or snapshots. The others
    had access only through an organization, or because an image was public.
    """

    resource: Resource
    unused: PolicyConsumers
    losing: frozenset[str]


def _resulting_snapshot_exposure(audited: AuditedAccount, losses: Iterable[Loss]) -> list[Loss]:
    """Return snapshots of unshared images, each with an account that can then launch none of its images."""
    lost = list(losses)
    after = audited.without(lost)
    images = {resource for resource, _principal in lost if resource.kind == "image"}
    snapshots = {snapshot for resource in images for snapshot in audited.images[resource].snapshots}
    return [(resource, account_id) for resource in snapshots for account_id in after.wider(resource)]


def _resulting_unused_key_access(audited: AuditedAccount, losses: Iterable[Loss]) -> list[_OrphanedKeyAccess]:
    """Return the key access that the losses leave unused and that was used before."""
    lost = [(resource, principal) for resource, principal in losses if resource.kind != "key"]
    after = audited.without(lost)
    losing: dict[Resource, set[str]] = {}
    for resource, principal in lost:
        # A snapshot that no image uses decides on no key.
        for image in (resource,) if resource.kind == "image" else audited.users.get(resource, ()):
            for key in audited.images[image].keys:
                losing.setdefault(key, set()).add(principal)
    orphaned = []
    for key in losing.keys() & audited.keys.keys():
        unused = after.unused_key_access(key) - audited.unused_key_access(key)
        among = _select_members(unused, sharing_of(losing[key]))
        orphaned.append(_OrphanedKeyAccess(key, unused, frozenset(names_of(among))))
    return orphaned


def _select_members(unused: PolicyConsumers, losing: Sharing) -> PolicyConsumers:
    """Return those of ``unused`` that are, or are in, one of ``losing``."""
    org_ids = {key_policy.organization_id(arn) for arn in losing.org_arns}
    org_ids |= {key_policy.unit_ids(arn)[0] for arn in losing.org_unit_arns}
    return PolicyConsumers(
        frozenset(
            principal for principal in unused.principals if account_of(principal) in losing.account_ids
        ),
        unused.org_ids & org_ids,
        frozenset(unit for unit in unused.units if unit[0] in org_ids),
    )
