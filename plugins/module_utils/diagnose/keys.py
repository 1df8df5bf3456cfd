# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an account can use the keys of an image, by grants, key policies and the account's dry runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from .. import arns, denial
from ..failures import Failure
from ..finding import BlocksLaunch, Finding
from ..keys import access as key_access
from ..keys import policy_statements as key_policy
from ..keys.access import Access, KeyDryRun, Simulation
from ..keys.grants import NEW_GRANT_TIMEOUT, OPERATIONS
from ..keys.policy_evaluation import Consumer, principals_in_account
from ..keys.simulation import permissions
from ..model import Image, KeySeen, Sharing
from .findings import finding
from .state import Case, ConsumerSeen, OwnerSeen

_NEW = timedelta(seconds=NEW_GRANT_TIMEOUT)
_NOT_ASKED = Simulation("", problem="")
# The policies in AWS's messages of denials that IAM simulates or this run reads. IAM does not evaluate the
# conditions of service control policies (IAM User Guide, "IAM policy testing with the IAM policy simulator"),
# and no resource control, session or endpoint policy.
_READ_POLICIES = frozenset({"identity-based policy", "permissions boundary", "resource-based policy"})
PROVEN, UNCERTAIN, REFUSED = "proven", "uncertain", "refused"
_GRANT_ACCESS = (
    "Grant the account access to the key: rerun golden.images.distribute_ami with the account in "
    "distribute_account_ids, or use ami_kms_grant."
)
_ENABLE = "Enable the key, or cancel its deletion; or copy the image under another key (ami_copy_regions)."
_LAUNCH = "Only a launch shows whether it can use the key (ami_launch_probe)."
_ALLOW_IN_IAM = (
    "Allow it in an IAM policy of the role in that account; docs/encrypted-images.md has one. "
    "A service control policy, a permissions boundary, or a resource control policy of the key owner's "
    "organization may deny it, too. Only a launch shows whether it works (ami_launch_probe)."
)
_NO_DRY_RUNS = "this botocore does not support dry runs of KMS: update botocore and boto3."
_SIMULATE = "Or allow the role iam:SimulatePrincipalPolicy on itself, so that IAM can tell."


@dataclass(frozen=True)
class _KeyAccess:
    """One account's access to one key, as far as the key's grants and policy decide it."""

    case: Case
    key: KeySeen
    consumer: Consumer
    is_own: bool = False
    """Whether image and key belong to the account: who in it may use the key is up to its own policies."""

    @property
    def arn(self) -> str:
        """The key."""
        return self.key.key.arn

    @property
    def account(self) -> str:
        """The account, for a sentence."""
        return f"account {self.case.account_id}"

    @cached_property
    def decisions(self) -> Mapping[str, Access]:
        """The decision on each operation that a launch needs, as EC2 calls it for the account."""
        return {operation: key_access.access(self.key, self.consumer, operation) for operation in OPERATIONS}

    @property
    def denied(self) -> list[str]:
        """The operations that are not allowed, implicitly or by an explicit deny."""
        return sorted(item for item, decision in self.decisions.items() if decision is Access.DENIED)

    @property
    def undetermined(self) -> list[str]:
        """The operations that depend on conditions which cannot be evaluated."""
        return sorted(item for item, decision in self.decisions.items() if decision is Access.UNKNOWN)

    @cached_property
    def roles(self) -> frozenset[str]:
        """The account's roles and users that grants or the key policy name."""
        by_grants = {key_policy.short(grant.grantee) for grant in self.key.grants} - {self.case.account_id}
        policy = self.key.policy
        named = principals_in_account(policy, self.case.account_id) if policy is not None else set()
        return frozenset(by_grants | named)

    def owner_decision(self, operation: str) -> Access:
        """What the key's owner decides on a direct call; unknown of an own key, whose policy names roles."""
        return Access.UNKNOWN if self.is_own else self.direct_decision(operation)

    def direct_decision(self, operation: str) -> Access:
        """The decision if the account itself calls the operation, as its dry runs do."""
        return key_access.access(self.key, self.consumer, operation, through_ec2=False)

    def holds_through_ec2(self, operation: str) -> bool:
        """Whether an operation that KMS allows the account directly is allowed through EC2, too."""
        return key_access.holds_through_ec2(self.key, self.consumer, operation)


def findings(case: Case, owner: OwnerSeen, consumer: ConsumerSeen | None) -> Iterator[Finding]:
    """The findings about every key of an image; none for an image that is missing or not encrypted."""
    image = owner.image
    if image is None:
        return
    dry_runs = consumer.keys if consumer is not None else {}
    for key in owner.keys:
        yield from _of_key(case, image, owner, key, consumer)
    for arn, problem in unread(case, owner, consumer).items():
        yield _unreadable(case, arn, f"{problem.message} {problem.remedy}", problem.error_code)
    for arn, snapshot in owner.undecided_keys.items():
        if not _may_use(dry_runs.get(arn)):
            yield _unreadable(case, arn, key_access.other_access(snapshot))
    for arn, dry_run in dry_runs.items():
        if dry_run.unusable is not None:
            yield finding(
                "key_not_enabled",
                f"Account {case.account_id} cannot use {arn}, under which {image.image_id} is encrypted: "
                f"{dry_run.unusable}",
                _ENABLE,
            )


def use(owner: OwnerSeen, consumer: ConsumerSeen | None, found: Iterable[Finding]) -> str | None:
    """Whether the account's role or user can use the keys of an image, by the ``found`` findings about them.

    ``proven``, ``refused``, or ``uncertain`` if the findings or the keys do not tell. None if the account was
    not asked or does not see the image, or if the image is not encrypted.
    """
    if consumer is None or consumer.image is None or not consumer.image.encrypted:
        return None
    blocking = {item.blocks_launch for item in found}
    if BlocksLaunch.BLOCKING in blocking:
        return REFUSED
    is_tried = all(key.key.aws_managed or key.key.arn in consumer.keys for key in owner.keys)
    is_known = bool(owner.keys or owner.undecided_keys or owner.key_problems) and is_tried
    return UNCERTAIN if BlocksLaunch.UNKNOWN in blocking or not is_known else PROVEN


def awaiting_grants(case: Case, owner: OwnerSeen, consumer: ConsumerSeen, now: datetime) -> list[str]:
    """The keys that KMS refuses to the account as long as a new grant to it may not be usable yet.

    What else explains the refusal, as IAM simulates it, does not change with the grant.
    """
    return [
        key.key.arn
        for key in of_account(owner.keys, case.account_id)
        if (dry_run := consumer.keys.get(key.key.arn)) is not None
        and any(grant.created is not None and now - grant.created < _NEW for grant in key.grants)
        and _may_lack_grant(_KeyAccess(case, key, Consumer(account_id=case.account_id)), dry_run)
    ]


def _may_lack_grant(access: _KeyAccess, dry_run: KeyDryRun) -> bool:
    """Whether KMS refuses all, and nothing but a grant that is not usable yet is known to be the reason."""
    simulation = dry_run.simulation or _NOT_ASKED
    return (
        bool(dry_run.refused)
        and not dry_run.allowed
        and not any(map(_is_explicit, dry_run.refused.values()))
        and not _denied_through_ec2(dry_run.refused, simulation)
        and not _is_explained(access, dry_run.refused, simulation)
    )


def unread(case: Case, owner: OwnerSeen, consumer: ConsumerSeen | None) -> dict[str, Failure]:
    """The keys that could not be read as far as the diagnosis needs it, and why.

    The account's dry runs can show the same. For the owner of the image, its own key need only be described:
    what it may do with its keys is up to its IAM policies.
    """
    image = owner.image
    if image is None:
        return {}
    own = {key.key.arn for key in owner.keys if image.owner_id == case.account_id == key.key.account_id}
    dry_runs = consumer.keys if consumer is not None else {}
    return {
        arn: problem
        for arn, problem in owner.key_problems.items()
        if arn not in own and not _may_use(dry_runs.get(arn))
    }


def _may_use(dry_run: KeyDryRun | None) -> bool:
    return dry_run is not None and dry_run.allows_all


def of_account(keys: Iterable[KeySeen], account_id: str) -> tuple[KeySeen, ...]:
    """The keys with only those grants whose grantee is the account, or a role or user in it."""
    return tuple(
        replace(key, grants=tuple(item for item in key.grants if _is_within(item.grantee, account_id)))
        for key in keys
    )


def _is_within(principal: str, account_id: str) -> bool:
    return arns.account_of(principal) == account_id


def _of_key(
    case: Case, image: Image, owner: OwnerSeen, key: KeySeen, consumer: ConsumerSeen | None
) -> Iterator[Finding]:
    arn = key.key.arn
    if not key.key.is_enabled:
        yield finding(
            "key_not_enabled",
            f"{arn}, under which {image.image_id} is encrypted, is in the state {key.key.state}.",
            _ENABLE,
        )
    own = image.owner_id == case.account_id
    dry_run = consumer.keys.get(arn) if consumer is not None else None
    if key.key.aws_managed:
        if not own:
            yield _default_key(image, arn)
    elif key.key.account_id != image.owner_id:
        if not _may_use(dry_run):
            why = (
                f"It belongs to account {key.key.account_id}, and only that account can read who may use it."
            )
            yield _unreadable(case, arn, why)
    elif key.key.is_enabled and (own or arn not in owner.key_problems):
        access = _KeyAccess(case, key, _consumer(case, owner.launch, consumer), own)
        if not own and (found := _evaluate_owner_policies(access, dry_run)) is not None:
            yield found
        if dry_run is not None:
            yield from _evaluate_dry_run(access, dry_run)


def _consumer(case: Case, launch: Sharing | None, seen: ConsumerSeen | None) -> Consumer:
    """The account, with its organization if that follows from the account seeing the image.

    An image that is shared with one organization or organizational unit only, and that the account sees,
    shows that the account is in it.
    """
    plain = Consumer(account_id=case.account_id)
    if launch is None or seen is None or seen.image is None:
        return plain
    if launch.public or case.account_id in launch.account_ids:
        return plain
    organizations = {key_policy.organization_id(arn) for arn in launch.org_arns} | {
        key_policy.unit_ids(arn)[0] for arn in launch.org_unit_arns
    }
    if len(organizations) != 1:
        return plain
    units = [key_policy.unit_ids(arn)[1] for arn in launch.org_unit_arns]
    unit_id = units[0] if len(units) == 1 and not launch.org_arns else None
    return Consumer(case.account_id, organizations.pop(), unit_id)


def _default_key(image: Image, arn: str) -> Finding:
    return finding(
        "default_key",
        f"{image.image_id} is encrypted under {arn}, an AWS managed key: no other account can use it.",
        "Copy the image under a customer managed key (kms_key_id of ami_copy_regions, within a region with "
        "reencrypt_source: true), grant access to that key (ami_kms_grant) and share the copy (ami_share).",
    )


def _unreadable(case: Case, arn: str, why: str, error_code: str | None = None) -> Finding:
    return finding(
        "key_unreadable",
        f"Whether account {case.account_id} may use {arn} is unknown: {why}",
        "Allow these credentials to call DescribeKey, ListGrants and GetKeyPolicy, or ask the key's owner.",
        BlocksLaunch.UNKNOWN,
        error_code=error_code,
    )


@dataclass(frozen=True)
class _Lacking:
    """The operations of a launch that grants, the key policy and the account's dry runs do not allow."""

    denied: list[str]
    explicitly_denied: list[str]
    undetermined: list[str]
    is_contradicted: bool
    """KMS allows operations that the owner sees no permission for: the denied ones may be allowed, too."""


def _lacking(access: _KeyAccess, dry_run: KeyDryRun | None) -> _Lacking:
    allowed = _allowed(dry_run)
    proven = {item for item in allowed if access.holds_through_ec2(item)}
    explicitly = key_access.denied_operations(access.key, access.consumer, set(access.denied) - proven)
    # The owner does not see what allows these to the account, perhaps through EC2 as well.
    unseen = {item for item in allowed if access.direct_decision(item) is Access.DENIED} - set(explicitly)
    denied = [item for item in access.denied if item not in unseen]
    return _Lacking(
        denied=denied,
        explicitly_denied=explicitly,
        undetermined=sorted({*access.undetermined, *(unseen & set(access.denied))} - proven),
        is_contradicted=0 < len(denied) < len(access.denied) and not _is_certain(denied, dry_run),
    )


def _evaluate_owner_policies(access: _KeyAccess, dry_run: KeyDryRun | None) -> Finding | None:
    """The finding about what the key's grants and policy do not allow: the first row that applies.

    =====================================================  ====================================
    Policies or the account's dry runs allow all of it     none, or key_for_roles_only (harmless)
    They allow a part, and none of the rest is certain     key_access_unknown
    A statement explicitly denies CreateGrant or Decrypt   key_denied_by_policy
    CreateGrant and Decrypt are denied                     missing_key_access, or
                                                           key_for_roles_only (unknown)
    CreateGrant is denied                                  missing_create_grant
    Decrypt is denied                                      missing_key_operations
    A statement explicitly denies another operation        key_denied_by_policy (unknown)
    Another operation is denied                            missing_key_operations (unknown)
    An operation is undetermined                           key_access_unknown
    =====================================================  ====================================
    """
    lacking = _lacking(access, dry_run)
    denied, explicitly = set(lacking.denied), set(lacking.explicitly_denied)
    if not (denied or lacking.undetermined):
        return _for_roles_only(access, BlocksLaunch.HARMLESS) if access.denied and access.roles else None
    if lacking.is_contradicted:
        return _contradicted(access, lacking.denied)
    if explicitly & key_access.NEEDED:
        return _denied_by_policy(access, lacking.explicitly_denied, BlocksLaunch.BLOCKING)
    if denied >= key_access.NEEDED:
        return _for_roles_only(access, BlocksLaunch.UNKNOWN) if access.roles else _no_access(access)
    if "CreateGrant" in denied:
        return _no_create_grant(access)
    if "Decrypt" in denied:
        return _missing_operations(access, lacking.denied, BlocksLaunch.BLOCKING)
    if explicitly:
        return _denied_by_policy(access, lacking.explicitly_denied, BlocksLaunch.UNKNOWN)
    if denied:
        return _missing_operations(access, lacking.denied, BlocksLaunch.UNKNOWN)
    return _undetermined(access, lacking.undetermined, dry_run)


def _denied_by_policy(access: _KeyAccess, operations: list[str], blocks_launch: BlocksLaunch) -> Finding:
    return finding(
        "key_denied_by_policy",
        f"The policy of {access.arn} denies {', '.join(operations)} to {access.account}.",
        "Change the statement that denies it; an explicit deny overrides any grant.",
        blocks_launch,
    )


def _no_access(access: _KeyAccess) -> Finding:
    return finding(
        "missing_key_access",
        f"Account {access.case.account_id} may not use {access.arn}: no grant and no key policy statement "
        "allows it.",
        _GRANT_ACCESS,
    )


def _no_create_grant(access: _KeyAccess) -> Finding:
    return finding(
        "missing_create_grant",
        f"Account {access.case.account_id} may use {access.arn}, but EBS cannot use it for the account, "
        "which lacks CreateGrant (in a grant that also has Decrypt); without it no instance starts.",
        _GRANT_ACCESS,
    )


def _missing_operations(access: _KeyAccess, operations: list[str], blocks_launch: BlocksLaunch) -> Finding:
    return finding(
        "missing_key_operations",
        f"Account {access.case.account_id} lacks {', '.join(operations)} on {access.arn}, which AWS lists "
        "as needed for a launch.",
        _GRANT_ACCESS,
        blocks_launch,
    )


def _undetermined(access: _KeyAccess, operations: list[str], dry_run: KeyDryRun | None) -> Finding:
    ask_the_account = "Set consumer_role_name, so that the account itself is checked."
    return finding(
        "key_access_unknown",
        f"Whether {access.account} may use {access.arn} ({', '.join(operations)}) depends on "
        "conditions of the key policy that cannot be evaluated, or on the account's organization.",
        f"{ask_the_account if dry_run is None else _LAUNCH} Or: {_GRANT_ACCESS}",
        BlocksLaunch.UNKNOWN,
    )


def _for_roles_only(access: _KeyAccess, blocks_launch: BlocksLaunch) -> Finding:
    return finding(
        "key_for_roles_only",
        f"In {access.account}, only these principals may be able to use {access.arn}: "
        f"{', '.join(sorted(access.roles))}.",
        f"Launch as one of these. Or: {_GRANT_ACCESS}",
        blocks_launch,
    )


def _contradicted(access: _KeyAccess, denied: list[str]) -> Finding:
    """The owner does not see everything that gives access: the rest may be allowed, too."""
    return finding(
        "key_access_unknown",
        f"No grant and no statement of the key policy allows {', '.join(denied)} on {access.arn} to "
        f"{access.account}, but KMS allows it other operations that these do not allow either.",
        f"{_LAUNCH} Or: {_GRANT_ACCESS}",
        BlocksLaunch.UNKNOWN,
    )


def _is_certain(denied: list[str], dry_run: KeyDryRun | None) -> bool:
    """Whether KMS refused one of the operations to the account as well.

    That it refuses CreateGrant in a direct call is not certain (KMS Developer Guide,
    "kms:GrantIsForAWSResource").
    """
    refused = set(dry_run.refused if dry_run is not None else ()) - {"CreateGrant"}
    return any(permission in denied for item in refused for permission in permissions(item))


def _allowed(dry_run: KeyDryRun | None) -> frozenset[str]:
    """The operations of a launch that the account's dry runs show to be allowed in direct calls."""
    if dry_run is None:
        return frozenset()
    allowed = {permission for item in dry_run.allowed for permission in permissions(item)}
    if "GenerateDataKeyWithoutPlaintext" in allowed:
        # A launch needs data keys without plaintext only.
        allowed.add("GenerateDataKey")
    return OPERATIONS & allowed


def _evaluate_dry_run(access: _KeyAccess, dry_run: KeyDryRun) -> Iterator[Finding]:
    """The findings about operations that KMS refused to the account, or that it could not try."""
    if dry_run.problem is not None or not dry_run.supported:
        yield finding(
            "key_unreadable",
            f"Account {access.case.account_id} could not test its access to {access.arn}: "
            f"{dry_run.problem or _NO_DRY_RUNS}",
            _LAUNCH,
            BlocksLaunch.UNKNOWN,
        )
    refused = {
        item: message for item, message in sorted(dry_run.refused.items()) if _adds_information(access, item)
    }
    simulation = dry_run.simulation or _NOT_ASKED
    if denied := _denied_through_ec2(refused, simulation):
        yield _denied_by_role(access, denied, simulation)
    elif refused and not _is_explained(access, refused, simulation):
        yield _refused(access, refused, simulation)


def _denied_through_ec2(refused: Iterable[str], simulation: Simulation) -> list[str]:
    """The permissions that the role's own policies deny through EC2 as well."""
    needed = (item for operation in refused for item in permissions(operation))
    return [item for item in needed if simulation.through_ec2.get(item) is Access.DENIED]


def _is_explained(access: _KeyAccess, refused: Mapping[str, str], simulation: Simulation) -> bool:
    """Whether the role's policies allow all through EC2, and the refusals are about direct calls only.

    If its policies and those of the key's owner allow a direct call that KMS refuses, something else does:
    a resource control policy of the owner's organization, for example. So it is if KMS names such a policy,
    whatever the others say. ``refused`` are KMS's messages by operation.
    """
    return _is_allowed_through_ec2(refused, simulation) and all(
        not _is_by_unseen_policy(message)
        and any(
            Access.DENIED in (simulation.directly.get(item), access.owner_decision(item))
            for item in permissions(operation)
        )
        for operation, message in refused.items()
    )


def _is_allowed_through_ec2(refused: Iterable[str], simulation: Simulation) -> bool:
    """Whether the role's own policies allow all of these operations through EC2."""
    needed = (item for operation in refused for item in permissions(operation))
    return all(simulation.through_ec2.get(item) is Access.ALLOWED for item in needed)


def _is_by_unseen_policy(message: str) -> bool:
    """Whether KMS refuses for a policy that neither IAM's simulation nor this run reads as a whole."""
    found = denial.read_denial(message)
    return found is not None and found.policy not in _READ_POLICIES


def _denied_by_role(access: _KeyAccess, denied: list[str], simulation: Simulation) -> Finding:
    return finding(
        "key_use_denied",
        f"KMS denies {', '.join(denied)} on {access.arn} to {simulation.principal}, whose policies, as IAM "
        "simulates them, do not allow it through EC2 either.",
        _ALLOW_IN_IAM,
        BlocksLaunch.BLOCKING if key_access.NEEDED & {*denied} else BlocksLaunch.UNKNOWN,
    )


def _refused(access: _KeyAccess, refused: Mapping[str, str], simulation: Simulation) -> Finding:
    """The finding about refusals in direct calls, which need not be refusals through EC2."""
    others = [item for item in refused if item != "CreateGrant"]
    explicitly = {item: refused[item] for item in others if _is_explicit(refused[item])}
    if explicitly and not _is_explained(access, explicitly, simulation):
        needed = (permission for item in explicitly for permission in permissions(item))
        certain = all(access.decisions[item] is Access.ALLOWED for item in needed)
        # A policy that was not read may deny direct calls only.
        may_be_direct_only = _is_allowed_through_ec2(explicitly, simulation)
        is_blocking = certain and "Decrypt" in explicitly and not may_be_direct_only
        message = next(iter(explicitly.values()))
        return finding(
            "key_access_denied",
            f"KMS denies {', '.join(explicitly)} on {access.arn} to the role in {access.account}"
            f"{denial.described(message)}" + (", although the key's owner allows it." if certain else "."),
            _remedy(message, simulation),
            BlocksLaunch.BLOCKING if is_blocking else BlocksLaunch.UNKNOWN,
        )
    if others:
        message = refused[others[0]]
        return finding(
            "direct_key_use_denied",
            f"KMS denies {', '.join(others)} on {access.arn} to the role in {access.account} when it calls "
            f"KMS directly{denial.described(message)}. It may still be allowed through EC2 only "
            f"(kms:ViaService).{_why_unknown(simulation)}",
            _remedy(message, simulation),
            BlocksLaunch.UNKNOWN,
        )
    message = refused["CreateGrant"]
    return finding(
        "create_grant_denied",
        f"KMS denies CreateGrant on {access.arn} to the role in {access.account} when it calls KMS "
        f"directly{denial.described(message)}. It may still be allowed for AWS services only "
        f"(kms:GrantIsForAWSResource).{_why_unknown(simulation)}",
        _remedy(message, simulation),
        BlocksLaunch.UNKNOWN,
    )


def _remedy(message: str, simulation: Simulation) -> str:
    """What to change, or how IAM can tell whether anything has to be."""
    cure = denial.remedy(message, _ALLOW_IN_IAM)
    return cure if simulation.problem is None else f"{cure} {_SIMULATE}"


def _why_unknown(simulation: Simulation) -> str:
    """Why IAM's simulation does not settle it, as a sentence with a leading space; empty without one."""
    if simulation.problem is not None:
        return f" IAM could not simulate that: {simulation.problem}" if simulation.problem else ""
    return f" The policies of {simulation.principal} do not settle it, as IAM simulates them."


def _is_explicit(message: str) -> bool:
    """Whether AWS's message says that a statement denies the request.

    Otherwise no statement allows this request, and one may allow that of EC2 in a launch.
    """
    found = denial.read_denial(message)
    return found is not None and found.explicit


def _adds_information(access: _KeyAccess, operation: str) -> bool:
    """Whether a refused dry run shows more than the key's grants and policy, which may deny it, too."""
    return access.is_own or all(
        access.decisions[item] is not Access.DENIED for item in permissions(operation)
    )
