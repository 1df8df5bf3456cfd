# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an account may use the keys of an image: the owner's word, then the account's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ..finding import BlocksLaunch, Finding
from ..keys import access as key_access
from ..keys import policy_statements as key_policy
from ..keys.access import Access, KeyDryRun
from ..keys.grants import OPERATIONS
from ..keys.policy_evaluation import Consumer, principals_in_account
from ..model import Image, KeySeen, Sharing
from .findings import finding
from .state import Case, ConsumerSeen, OwnerSeen

_OPEN = "Open the key to the account (ami_kms_grant)."
_ITS_POLICIES = (
    "Allow it in an IAM policy of the role in that account; docs/encrypted-images.md has one. "
    "A service control policy or boundary may deny it, too."
)
# A dry run of ReEncrypt needs both.
_PARTS = {"ReEncrypt": ("ReEncryptFrom", "ReEncryptTo")}


def findings(case: Case, owner: OwnerSeen, consumer: ConsumerSeen | None) -> Iterator[Finding]:
    """What is found of every key of an image that is there; nothing for one that is not encrypted."""
    if owner.image is None:
        return
    for key in owner.keys:
        yield from _of_key(case, owner, key, consumer)
    for arn, problem in owner.key_problems.items():
        if owner.image.owner_id != case.account_id:
            tried = consumer.keys.get(arn) if consumer is not None else None
            yield from _unreadable(case, arn, f"{problem.message} {problem.remedy}", tried)


def _of_key(case: Case, owner: OwnerSeen, key: KeySeen, consumer: ConsumerSeen | None) -> Iterator[Finding]:
    arn, image = key.key.arn, owner.image
    if image is None:
        return
    if key.key.state != "Enabled":
        yield finding(
            "key_not_enabled",
            f"{arn}, under which {image.image_id} is encrypted, is in the state {key.key.state}.",
            "Enable the key, or cancel its deletion; or copy the image under another key (ami_copy_regions).",
        )
    if image.owner_id == case.account_id:
        return
    tried = consumer.keys.get(arn) if consumer is not None else None
    if key.key.aws_managed:
        yield _default_key(image, arn)
    elif key.key.account_id != image.owner_id:
        why = f"It belongs to account {key.key.account_id}, which alone is told who may use it."
        yield from _unreadable(case, arn, why, tried)
    elif key.key.state == "Enabled":
        who = _consumer(case, owner.launch, consumer)
        words = {operation: key_access.access(key, who, operation) for operation in OPERATIONS}
        yield from _owners_word(case, key, who, words, tried)
        if tried is not None:
            yield from _refusals(case, key, who, words, tried)


def of_account(keys: Iterable[KeySeen], account_id: str) -> tuple[KeySeen, ...]:
    """The keys with only those grants that are to an account or to somebody in it."""
    return tuple(
        replace(key, grants=tuple(item for item in key.grants if _is_within(item.grantee, account_id)))
        for key in keys
    )


def _is_within(principal: str, account_id: str) -> bool:
    return principal == account_id or (principal.count(":") >= 5 and principal.split(":")[4] == account_id)


def _consumer(case: Case, launch: Sharing | None, seen: ConsumerSeen | None) -> Consumer:
    """The account, and where it must be in an organization to see what is shared with that only."""
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
        f"{image.image_id} is encrypted under {arn}, which AWS manages: no other account can ever use it.",
        "Copy it under a customer-managed key (kms_key_id of ami_copy_regions, within a region with "
        "reencrypt_source: true), open that (ami_kms_grant) and share the copy (ami_share).",
    )


def _unreadable(case: Case, arn: str, why: str, tried: KeyDryRun | None) -> Iterator[Finding]:
    if tried is not None and not tried.refused and tried.problem is None:
        # The account's own word is enough.
        return
    yield finding(
        "key_unreadable",
        f"Whether account {case.account_id} may use {arn} cannot be seen: {why}",
        "Let these credentials call DescribeKey, ListGrants and GetKeyPolicy, or ask the key's owner.",
        BlocksLaunch.UNKNOWN,
    )


def _owners_word(
    case: Case, key: KeySeen, who: Consumer, words: Mapping[str, Access], tried: KeyDryRun | None
) -> Iterator[Finding]:
    arn, account = key.key.arn, f"account {case.account_id}"
    shut = sorted(item for item, word in words.items() if word is Access.DENIED)
    unsure = sorted(item for item, word in words.items() if word is Access.UNKNOWN)
    if _settles([*shut, *unsure], tried) and all(_is_asked(key, who, item) for item in [*shut, *unsure]):
        # AWS's own word to the account goes before what its owner's side looks like.
        if shut and _within(case, key):
            yield _for_roles_only(case, key, BlocksLaunch.HARMLESS)
    elif against := key_access.denied_operations(key, who, shut):
        yield finding(
            "key_denied_by_policy",
            f"The policy of {arn} denies {', '.join(against)} to {account}.",
            "Change the statement that denies it; a grant cannot go before it.",
        )
    elif {"CreateGrant", "Decrypt"} <= set(shut):
        if _within(case, key):
            yield _for_roles_only(case, key, BlocksLaunch.UNKNOWN)
        else:
            yield finding(
                "missing_key_access",
                f"A{account[1:]} may not use {arn}: no grant and no statement of its policy lets it.",
                _OPEN,
            )
    elif "CreateGrant" in shut:
        yield finding(
            "missing_create_grant",
            f"A{account[1:]} may use {arn}, but may not let EBS use it: it lacks CreateGrant (in a grant "
            "that holds Decrypt as well), without which no instance starts.",
            _OPEN,
        )
    elif shut:
        blocks_launch = BlocksLaunch.BLOCKING if "Decrypt" in shut else BlocksLaunch.UNKNOWN
        yield finding(
            "missing_key_operations",
            f"A{account[1:]} lacks {', '.join(shut)} on {arn}, which AWS names among what a launch needs.",
            _OPEN,
            blocks_launch,
        )
    elif unsure:
        yield finding(
            "key_access_unknown",
            f"Whether {account} may use {arn} ({', '.join(unsure)}) depends on what cannot be seen: on "
            "conditions of its policy, or on the account's organization.",
            f"Name consumer_role_name, so that the account itself is asked. Or: {_OPEN}",
            BlocksLaunch.UNKNOWN,
        )


def _settles(unsure: Iterable[str], tried: KeyDryRun | None) -> bool:
    """Whether the account's own dry runs tell what the owner cannot."""
    if tried is None or tried.problem is not None:
        return False
    allowed = {part for item in tried.allowed for part in _PARTS.get(item, (item,))}
    # Both are for the same: data keys, of which a launch needs those without plaintext.
    allowed |= {"GenerateDataKey"} if "GenerateDataKeyWithoutPlaintext" in allowed else set()
    return set(unsure) <= allowed


def _is_asked(key: KeySeen, who: Consumer, operation: str) -> bool:
    """Whether a dry run, which asks directly, tells anything of what EC2 asks on the account's behalf."""
    return key_access.access(key, who, operation) is key_access.access(key, who, operation, through_ec2=False)


def _within(case: Case, key: KeySeen) -> frozenset[str]:
    """The roles and users of the account that grants or the policy name."""
    by_grants = {key_policy.short(grant.grantee) for grant in key.grants} - {case.account_id}
    named = principals_in_account(key.policy, case.account_id) if key.policy is not None else set()
    return frozenset(by_grants | named)


def _for_roles_only(case: Case, key: KeySeen, blocks_launch: BlocksLaunch) -> Finding:
    return finding(
        "key_for_roles_only",
        f"Of account {case.account_id} only {', '.join(sorted(_within(case, key)))} may use {key.key.arn}, "
        "if at all.",
        f"Launch as one of these. Or: {_OPEN}",
        blocks_launch,
    )


def _refusals(
    case: Case, key: KeySeen, who: Consumer, words: Mapping[str, Access], tried: KeyDryRun
) -> Iterator[Finding]:
    """What the account's dry runs add to the owner's word."""
    arn = key.key.arn
    if tried.problem is not None:
        yield finding(
            "key_unreadable",
            f"Account {case.account_id} could not try {arn}: {tried.problem}",
            "Only a launch tells (ami_launch_probe).",
            BlocksLaunch.HARMLESS,
        )
    told = sorted(item for item in tried.refused if _proves(key, who, words, item))
    others = [item for item in told if item != "CreateGrant"]
    if others:
        certain = all(words[part] is Access.ALLOWED for item in others for part in _PARTS.get(item, (item,)))
        yield finding(
            "key_access_denied",
            f"KMS refuses {', '.join(others)} on {arn} to the role in account {case.account_id}"
            + (", although the key's owner allows it." if certain else "."),
            _ITS_POLICIES,
            BlocksLaunch.BLOCKING if certain else BlocksLaunch.UNKNOWN,
        )
    elif told:
        yield finding(
            "create_grant_denied",
            f"KMS refuses CreateGrant on {arn} to the role in account {case.account_id}, asked directly. It "
            "may still be allowed to AWS services alone (kms:GrantIsForAWSResource).",
            _ITS_POLICIES,
            BlocksLaunch.UNKNOWN,
        )


def _proves(key: KeySeen, who: Consumer, words: Mapping[str, Access], operation: str) -> bool:
    """Whether a refusal tells something new.

    Not if the owner's side said so already, nor if the owner allows it to EC2 on the account's behalf only.
    """
    parts = _PARTS.get(operation, (operation,))
    return all(
        words[part] is not Access.DENIED
        and key_access.access(key, who, part, through_ec2=False) is not Access.DENIED
        for part in parts
    )
