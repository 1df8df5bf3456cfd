# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account's access to the keys of an image, by grants, key policies and its dry runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from .. import _arns as arns
from .._failures import Failure
from .._finding import BlocksLaunch, Finding
from .._keys import access as key_access
from .._keys import policy_statements as key_policy
from .._keys.access import Access, KeyDryRun
from .._keys.grants import OPERATIONS
from .._keys.policy_evaluation import Consumer, principals_in_account
from .._model import Image, KeyState, Sharing
from .key_use import PROVEN, REFUSED, UNCERTAIN
from .state import Case, ConsumerView, OwnerView

ONLY_A_LAUNCH_SHOWS = "Only a launch shows whether it can use the key (ami_launch_probe)."


@dataclass(frozen=True)
class KeyAccess:
    """The access of an account to a key, as far as the key's grants and policy decide it.

    ``is_own`` is whether image and key belong to the account, whose own policies then decide who may use it.
    """

    case: Case
    key: KeyState
    consumer: Consumer
    is_own: bool = False

    @property
    def arn(self) -> str:
        """Return the ARN of the key."""
        return self.key.key.arn

    @property
    def account(self) -> str:
        """Return the account, for a sentence."""
        return f"account {self.case.account_id}"

    @cached_property
    def decisions(self) -> Mapping[str, Access]:
        """Return the decision on each operation that a launch needs, as EC2 calls it for the account."""
        return {operation: key_access.access(self.key, self.consumer, operation) for operation in OPERATIONS}

    @property
    def denied(self) -> list[str]:
        """Return the operations that are not allowed, implicitly or by an explicit deny."""
        return sorted(item for item, decision in self.decisions.items() if decision is Access.DENIED)

    @property
    def undetermined(self) -> list[str]:
        """Return the operations that depend on conditions which cannot be evaluated."""
        return sorted(item for item, decision in self.decisions.items() if decision is Access.UNKNOWN)

    @cached_property
    def roles(self) -> frozenset[str]:
        """Return the account's roles and users that grants or the key policy name."""
        by_grants = {key_policy.short(grant.grantee) for grant in self.key.grants} - {self.case.account_id}
        policy = self.key.policy
        named = principals_in_account(policy, self.case.account_id) if policy is not None else set()
        return frozenset(by_grants | named)

    def owner_decision(self, operation: str) -> Access:
        """Return the decision of the key's owner on a direct call; unknown for the owner's own roles."""
        return Access.UNKNOWN if self.is_own else self.direct_decision(operation)

    def direct_decision(self, operation: str) -> Access:
        """Return the decision if the account itself calls the operation, as its dry runs do."""
        return key_access.access(self.key, self.consumer, operation, through_ec2=False)

    def holds_through_ec2(self, operation: str) -> bool:
        """Whether an operation that KMS allows the account directly is allowed through EC2, too."""
        return key_access.holds_through_ec2(self.key, self.consumer, operation)


@dataclass(frozen=True)
class KeyEvidence:
    """The known facts about one key of an image and one account that would launch the image.

    ``checked`` is the view of the account, None if it was not checked.
    """

    case: Case
    image: Image
    owner: OwnerView
    key: KeyState
    checked: ConsumerView | None

    @property
    def arn(self) -> str:
        """Return the ARN of the key."""
        return self.key.key.arn

    @property
    def is_own(self) -> bool:
        """Whether the image belongs to the account."""
        return self.image.owner_id == self.case.account_id

    @property
    def dry_run(self) -> KeyDryRun | None:
        """Return the account's dry runs of the key; None if there were none."""
        return self.checked.keys.get(self.arn) if self.checked is not None else None

    @property
    def is_of_third_account(self) -> bool:
        """Whether the key belongs to another account than the image, which alone can read its grants."""
        return not self.key.key.aws_managed and self.key.key.account_id != self.image.owner_id

    @property
    def is_decided(self) -> bool:
        """Whether grants, key policy and dry runs decide who can use the key, and are known."""
        is_read = self.is_own or self.arn not in self.owner.key_problems
        return (
            is_read
            and self.key.key.is_enabled
            and not self.key.key.aws_managed
            and not self.is_of_third_account
        )

    @cached_property
    def access(self) -> KeyAccess:
        """Return the account's access, as far as the key's grants and policy decide it."""
        consumer = _consumer(self.case, self.owner.launch, self.checked)
        return KeyAccess(self.case, self.key, consumer, self.is_own)


def _consumer(case: Case, launch: Sharing | None, checked: ConsumerView | None) -> Consumer:
    """Return the account, with its organization if the image's visibility proves that.

    An account that sees an image which is shared with one organization or organizational unit only, is in it.
    """
    plain = Consumer(account_id=case.account_id)
    if launch is None or checked is None or checked.image is None:
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


def judge_key_use(owner: OwnerView, checked: ConsumerView | None, findings: Iterable[Finding]) -> str | None:
    """Return whether the account's role or user can use the keys of an image, by the findings about them.

    It is ``proven``, ``refused``, or ``uncertain`` if findings and keys decide neither. It is None if the
    account was not checked or does not see the image, or if the image is not encrypted.
    """
    if checked is None or checked.image is None or not checked.image.encrypted:
        return None
    effects = {finding.blocks_launch for finding in findings}
    if BlocksLaunch.BLOCKING in effects:
        return REFUSED
    is_tried = all(key.key.aws_managed or key.key.arn in checked.keys for key in owner.keys)
    is_known = bool(owner.keys or owner.undecided_keys or owner.key_problems) and is_tried
    return UNCERTAIN if BlocksLaunch.UNKNOWN in effects or not is_known else PROVEN


def list_unread_keys(case: Case, owner: OwnerView, checked: ConsumerView | None) -> dict[str, Failure]:
    """Return the failures of keys that could not be read as far as the diagnosis needs it, by ARN.

    Keys that the account's dry runs may use are left out. For the owner of the image, it is enough that its
    own key could be described: its IAM policies decide about its keys.
    """
    image = owner.image
    if image is None:
        return {}
    own = {key.key.arn for key in owner.keys if image.owner_id == case.account_id == key.key.account_id}
    dry_runs = checked.keys if checked is not None else {}
    return {
        arn: problem
        for arn, problem in owner.key_problems.items()
        if arn not in own and not may_use(dry_runs.get(arn))
    }


def may_use(dry_run: KeyDryRun | None) -> bool:
    """Whether the account's dry runs show that it may use a key."""
    return dry_run is not None and dry_run.allows_all


def select_grants_of_account(keys: Iterable[KeyState], account_id: str) -> tuple[KeyState, ...]:
    """Return the keys with only those grants whose grantee is the account, or a role or user in it."""
    return tuple(
        replace(key, grants=tuple(item for item in key.grants if arns.account_of(item.grantee) == account_id))
        for key in keys
    )
