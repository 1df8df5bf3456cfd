# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_kms_grant``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from .._arns import is_arn, parse
from .._keys import policy_statements
from .._keys.grants import AUTO_SCALING_ROLE, OPERATIONS, auto_scaling_role
from .._keys.policy_statements import PolicyAccess, PolicyConsumers
from .._option import (
    FLAG,
    IMAGE_IDS,
    REGIONS,
    TEXTS,
    Kind,
    Problem,
    Refuse,
    choice,
    option,
    read_region,
    read_texts,
    texts_like,
)
from .._option_groups import (
    ConsumerRoleOptions,
    ImageOptions,
    ProgressOptions,
    RateOptions,
    SharedImageOptions,
    arns_like,
)
from .._step_results import (
    GRANT_RESULT,
    SHARE_RESULT,
    GrantResult,
    ShareResult,
)
from .._wording import render_value

# Auto Scaling User Guide, "Required AWS KMS key policy for use with encrypted volumes". A grant made through
# a grant holds at most the parent's operations, so the account that makes it needs all of them.
AUTO_SCALING_OPERATIONS = OPERATIONS | {"Encrypt"}
# IAM API Reference, patterns of RoleName and path, without the wildcards that no principal can contain (IAM
# User Guide, "AWS JSON policy elements: Principal"). The names of sessions: botocore shapes
# roleSessionNameType and userNameType of STS. Grants and policies can name both (botocore shape
# CreateGrantRequest, GranteePrincipal).
_CHARACTER = r"[A-Za-z0-9_+=,.@-]"
_NAME, _SESSION, _FEDERATED = f"{_CHARACTER}+", f"{_CHARACTER}{{2,64}}", f"{_CHARACTER}{{2,32}}"
_PATH = r"(?:(?!\.{1,2}/)[!-)+-.0->@-~]+/)*"
_PRINCIPAL = re.compile(
    rf"arn:aws[a-z-]*:(iam::[0-9]{{12}}:(role|user)/{_PATH}{_NAME}"
    rf"|sts::[0-9]{{12}}:(assumed-role/{_NAME}/{_SESSION}|federated-user/{_FEDERATED}))"
)
# botocore shape PrincipalIdType.
_LONGEST_GRANTEE = 256
# IAM API Reference, CreateServiceLinkedRole, CustomSuffix, and the longest name of a role.
_AUTO_SCALING_ROLE = re.compile(rf"(?=.{{1,64}}$){AUTO_SCALING_ROLE}(?:_{_CHARACTER}+)?")
# Organizations API Reference, patterns of the Id of Organization and of OrganizationalUnit.
_ORG_ID = re.compile(r"o-[a-z0-9]{10,32}")
_ORG_UNIT_ID = re.compile(r"ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")
# KMS Developer Guide, "Grant operations", for symmetric encryption keys.
_POSSIBLE_OPERATIONS = OPERATIONS | {
    "Encrypt",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "RetireGrant",
}


def _read_keys(given: Mapping[Any, Any] | None, refuse: Refuse) -> dict[str, str | None]:
    """Return a mapping of region to key, which is None where the image is not encrypted."""
    keys = {read_region(region, refuse): key for region, key in (given or {}).items()}
    for region, key in keys.items():
        if key is not None and not isinstance(key, str):
            refuse(
                f"{render_value(key)} is not a valid key for {region}.",
                "Use a key ID, an ARN or an alias such as alias/golden.",
            )
        elif key and (other := _find_other_region(key, region)):
            refuse(
                f"{key} is a key in {other}, not in {region}.",
                "Map each region to a key in it, or to an alias that exists in each region.",
            )
    return keys


def _find_other_region(key: str, region: str) -> str:
    """Return the region that the ARN of a key or an alias names in place of this one, else an empty text."""
    arn = parse(key) if is_arn(key) else None
    return arn.region if arn and arn.service == "kms" and arn.region != region else ""


def _read_operations(given: Any, refuse: Refuse) -> frozenset[str]:
    """Return operations of grants; by default those that launches and copies need."""
    operations = frozenset(read_texts(given, refuse)) or OPERATIONS
    if unknown := sorted(operations - _POSSIBLE_OPERATIONS):
        refuse(
            f"{', '.join(unknown)} is not a valid grant operation for a symmetric encryption key.",
            f"Valid operations are {', '.join(sorted(_POSSIBLE_OPERATIONS))}.",
        )
    return operations


_AUTO_SCALING_ROLE_NAMES = texts_like(
    _AUTO_SCALING_ROLE,
    "is not the name of a service-linked role for Auto Scaling.",
    f"Use {AUTO_SCALING_ROLE}, or a name with a suffix such as {AUTO_SCALING_ROLE}_web.",
)


def _read_auto_scaling_roles(given: Any, refuse: Refuse) -> tuple[str, ...]:
    """Return the names of service-linked roles for Auto Scaling, at least one."""
    names = _AUTO_SCALING_ROLE_NAMES.value(given, refuse)
    if not names:
        refuse("must contain at least one role (got []).", f"Add {AUTO_SCALING_ROLE}.")
    return names


def _ids_like(pattern: re.Pattern[str], example: str) -> Kind[tuple[str, ...]]:
    return texts_like(pattern, "is not a valid ID.", f"Use an ID like {example}.")


_SNAPSHOT_IDS = texts_like(
    re.compile(r"snap-(?:[0-9a-f]{8}|[0-9a-f]{17})"),
    "is not a valid snapshot ID.",
    "Use an ID such as snap-0123456789abcdef0.",
)


@dataclass(frozen=True, kw_only=True)
class GrantOptions(ProgressOptions, RateOptions, ConsumerRoleOptions, SharedImageOptions, ImageOptions):
    """The options of ``ami_kms_grant``.

    A key in ``kms_key_ids`` is None where the image is not encrypted. ``org_ids`` and ``org_unit_ids`` lose
    access; key policies contain these IDs, and the ARNs may no longer be known. The images in
    ``unshared_image_ids`` and the snapshots in ``unshared_snapshot_ids`` are unshared in the same run: their
    sharing keeps no consumer from losing access.
    With ``revoke_in_use`` no image does. ``copy_result`` has the keys and these images; the keys in
    ``grant_result``, of an earlier task for the same copies, are left out, and so are the regions that failed
    in ``share_result``. ``auto_scaling_roles`` are the names of the service-linked roles that get access in
    each account with ``auto_scaling``. What fails in ``best_effort_regions`` neither stops the others nor
    fails the task. What KMS refuses to single consumers fails it in any region, unless
    ``best_effort_consumers``.
    """

    argument_rules = MappingProxyType(
        {
            "mutually_exclusive": [("images", "image_id", "kms_key_ids", "copy_result")],
            "required_one_of": [("images", "image_id", "kms_key_ids", "copy_result")],
            "required_by": {
                "grant_result": ("copy_result",),
                "share_result": ("copy_result",),
                "consumer_copy_result": ("copy_result",),
            },
        }
    )

    kms_key_ids: Mapping[str, str | None] = option(Kind({"type": "dict", "no_log": False}, _read_keys))
    principals: tuple[str, ...] = option(arns_like(_PRINCIPAL, "arn:aws:iam::111122223333:role/deploy"))
    org_ids: tuple[str, ...] = option(_ids_like(_ORG_ID, "o-a1b2c3d4e5"))
    org_unit_ids: tuple[str, ...] = option(_ids_like(_ORG_UNIT_ID, "ou-ab12-11111111"))
    operations: frozenset[str] = option(Kind(TEXTS.spec, _read_operations))
    access_method: str = option(choice("auto", "grant", "key_policy"), default="auto")
    auto_scaling: bool = option(FLAG)
    auto_scaling_roles: tuple[str, ...] = option(
        Kind(TEXTS.spec, _read_auto_scaling_roles), default=[AUTO_SCALING_ROLE]
    )
    purge_grants: bool = option(FLAG)
    unshared_image_ids: tuple[str, ...] = option(IMAGE_IDS)
    unshared_snapshot_ids: tuple[str, ...] = option(_SNAPSHOT_IDS)
    revoke_in_use: bool = option(FLAG)
    best_effort_regions: tuple[str, ...] = option(REGIONS)
    best_effort_consumers: bool = option(FLAG)
    grant_result: GrantResult | None = option(GRANT_RESULT)
    share_result: ShareResult | None = option(SHARE_RESULT)

    def with_results(self) -> GrantOptions:
        """Return the options without the accounts that own all copies.

        Without a consumer that is left, nothing is purged: an account loses its access after its copies.
        """
        left = super().with_results()
        if left is self:
            return self
        return replace(
            left,
            auto_scaling=left.auto_scaling and bool(left.account_ids),
            purge_grants=left.purge_grants and bool(left.consumers or left.principals),
        )

    @property
    def region_option(self) -> str:
        """Return the option that names the regions."""
        if self.copy_result:
            return "copy_result"
        return "kms_key_ids" if self.kms_key_ids else super().region_option

    @cached_property
    def key_ids(self) -> Mapping[str, tuple[str, ...]]:
        """Return the keys of each region, unless images are named: none where the image is not encrypted."""
        if self.copy_result is None:
            return {region: (key,) if key else () for region, key in self.kms_key_ids.items()}
        keys = self.copy_result.left_by(self.share_result).kms_key_arns
        if self.grant_result is None:
            return keys
        known, failed = self.grant_result.kms_key_arns, self.grant_result.failed_regions
        new = {region: tuple(arn for arn in arns if arn not in known) for region, arns in keys.items()}
        return {region: arns for region, arns in new.items() if arns and region not in failed}

    @property
    def access_can_change(self) -> bool:
        """Whether the task is followed by a wait for copies, in which access may be revoked."""
        return not self.check_mode and self.copy_result is not None and self.copy_result.has_pending

    @property
    def parent_operations(self) -> frozenset[str]:
        """Return the operations of accounts; with ``auto_scaling``, also those of the Auto Scaling grant."""
        return self.operations | AUTO_SCALING_OPERATIONS if self.auto_scaling else self.operations

    def scaling_roles(self, partition: str, account_id: str) -> tuple[str, ...]:
        """Return the ARNs of ``auto_scaling_roles`` in an account, sorted."""
        return tuple(
            auto_scaling_role(partition, account_id, name) for name in sorted(self.auto_scaling_roles)
        )

    @cached_property
    def ignored_image_ids(self) -> frozenset[str]:
        """Return the images whose sharing keeps no access: the named ones, and those that are unshared."""
        copies = self.copy_result.images if self.copy_result else {}
        named = (image_id for image_id in (*self.by_region.values(), *copies.values()) if image_id)
        return frozenset((*self.unshared_image_ids, *named))

    # A key can have tens of thousands of grants, each of which is looked up among the named accounts.
    @cached_property
    def accounts(self) -> frozenset[str]:
        """Return the named accounts, as a set."""
        return frozenset(self.account_ids)

    @cached_property
    def accounts_and_principals(self) -> frozenset[str]:
        """Return the account IDs and ARNs that are named."""
        return self.accounts.union(self.principals)

    @property
    def grantees(self) -> frozenset[str]:
        """Return the account IDs and ARNs that get access by grant."""
        return frozenset() if self.access_method == "key_policy" else self.accounts_and_principals

    @cached_property
    def policy_consumers(self) -> PolicyConsumers:
        """Return the consumers that get access by key policy."""
        return PolicyConsumers(
            self.accounts_and_principals if self.access_method == "key_policy" else frozenset(),
            frozenset(policy_statements.organization_id(arn) for arn in self.org_arns),
            frozenset(policy_statements.unit_ids(arn) for arn in self.org_unit_arns),
        )

    @property
    def policy_access(self) -> PolicyAccess:
        """Return the access of the consumers in the key policy."""
        return PolicyAccess(self.policy_consumers, self.parent_operations, self.auto_scaling)

    @property
    def uses_policy(self) -> bool:
        """Whether key policies must be read."""
        return bool(self.policy_consumers) or self.purge_grants or not self.present

    def needs_grants(self, account_id: str) -> bool:
        """Whether grants are created or revoked; False without a consumer other than the account itself."""
        policy = self.policy_consumers
        others = (self.grantees | policy.principals) - {account_id}
        return bool(others or policy.org_ids or policy.units) or self.purge_grants or not self.present

    def for_principals(self, principals: Collection[str]) -> GrantOptions:
        """Return the same options for these account IDs and ARNs only."""
        return replace(
            self,
            account_ids=tuple(item for item in principals if not item.startswith("arn:")),
            principals=tuple(item for item in principals if item.startswith("arn:")),
        )

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        yield from self._grantee_problems()
        if self.names_images:
            yield from self.image_problems()
        if self.access_method == "grant" and (self.org_arns or self.org_unit_arns):
            yield Problem(
                "access_method",
                "a grant cannot name an organization or organizational unit.",
                "Use access_method: auto, which names them in the key policy.",
            )
        if self.present and self.auto_scaling and not (self.consumer_role and self.account_ids):
            yield Problem(
                "auto_scaling",
                "each account itself must create the grant for its Auto Scaling role.",
                "Set account_ids, and consumer_role_name to a role in them that may call kms:CreateGrant.",
            )
        yield from self.owner_problems()
        by_id = self.org_ids or self.org_unit_ids
        if by_id and self.present:
            yield Problem(
                "org_ids" if self.org_ids else "org_unit_ids",
                "access can be granted only by full ARN, an ID only revokes it.",
                "Set state: absent, or use the full ARN in org_arns or org_unit_arns.",
            )
        named = self.account_ids or self.principals or self.org_arns or self.org_unit_arns or by_id
        if not named and (self.purge_grants or not self.present):
            yield Problem("account_ids", "no consumer is set.", "Set the consumers that keep or lose access.")
        if self.purge_grants and not self.present:
            yield Problem("purge_grants", "it cannot be combined with state: absent.", "Remove one of them.")
        if not (self.names_images or self.kms_key_ids or self.copy_result):
            yield Problem("kms_key_ids", "no region is set.", "Map each region to its key, or use images.")

    def _grantee_problems(self) -> Iterator[Problem]:
        """Yield the principals that are too long for a grant, if grants are created."""
        if not self.present or self.access_method == "key_policy":
            return
        for principal in self.principals:
            if len(principal) > _LONGEST_GRANTEE:
                yield Problem(
                    "principals",
                    f"{render_value(principal)} has {len(principal)} characters; a grant can name "
                    f"{_LONGEST_GRANTEE}.",
                    "Use access_method: key_policy, or a role with a shorter path.",
                )
