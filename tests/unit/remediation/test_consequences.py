# SPDX-License-Identifier: GPL-3.0-or-later

"""What is removed because of other removals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.audit.state import (
    AuditSeen,
    AuditWanted,
    Listed,
    RegionSeen,
    Rule,
)
from ansible_collections.golden.images.plugins.module_utils.model import KeySeen
from ansible_collections.golden.images.plugins.module_utils.remediation.plan import (
    RemediationPlan,
)
from ansible_collections.golden.images.plugins.module_utils.remediation.scope import Named

from tests.unit.audit.examples import IMAGE, NOW, PRIVATE, accounts, region, under_key
from tests.unit.examples import OWNER, SOURCE_ID, target_in, volumes
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import policy_of
from tests.unit.kms_grant.examples import KEY, B, made, root
from tests.unit.remediation.examples import remediated

REGION, FAR = target_in().region, "us-west-2"


OTHER = replace(IMAGE, image_id="ami-00000000", name="other")


GRANT, STATEMENT = "grant_without_share", "statement_without_share"


def account_of(*regions: RegionSeen, **changes: Any) -> AuditSeen:
    """The account with one or two regions."""
    return AuditSeen(OWNER, NOW, dict(zip([target_in(), target_in(FAR)], regions, strict=False)), **changes)


def removed(plan: RemediationPlan) -> list[tuple[str, str, list[str]]]:
    """The removals: resource, principal and codes of the findings."""
    return [(item.resource.resource_id, item.principal, list(item.codes)) for item in plan.removals]


def test_access_to_a_key_that_another_image_needs_stays() -> None:
    two = {
        "images": (Listed(IMAGE), Listed(OTHER)),
        "volume_permissions": {"snap-1": PRIVATE, "snap-2": PRIVATE},
    }
    both = {SOURCE_ID: accounts(B), OTHER.image_id: accounts(B)}
    seen = account_of(under_key(PRIVATE, made(root(B)), **two, sharing=both))
    one = remediated(seen, named=(Named(SOURCE_ID),))
    assert removed(one) == [(SOURCE_ID, B, ["unknown_account"])]
    assert (KEY.arn, B, [GRANT]) in removed(remediated(seen))


def test_access_to_a_key_stays_that_is_associated_with_an_image_that_stays_shared() -> None:
    """botocore operation AssociateKmsKeyId: an independent way to access the snapshot's data."""
    second = replace(KEY, arn=key_arn("b"))
    seen = region(
        images=(
            Listed(replace(IMAGE, name="base-1", devices=volumes("snap-1", encrypted=True))),
            Listed(replace(OTHER, name="secret-1", devices=volumes("snap-2", encrypted=True))),
        ),
        sharing={SOURCE_ID: accounts(B), OTHER.image_id: accounts(B)},
        volume_permissions={"snap-1": PRIVATE, "snap-2": PRIVATE},
        key_of={"snap-1": KEY.arn, "snap-2": second.arn},
        keys={
            KEY.arn: KeySeen(KEY, (), policy_of()),
            second.arn: KeySeen(second, (made(root(B)),), policy_of()),
        },
    )
    policy = AuditWanted(rules=(Rule(accounts(B), "base-*"),))
    unshared = (OTHER.image_id, B, ["unknown_account"])
    associated = replace(seen, associated_keys={"snap-1": (second.arn,)})
    assert removed(remediated(account_of(associated), policy)) == [unshared]
    assert removed(remediated(account_of(seen), policy)) == [unshared, (second.arn, B, [GRANT])]


def test_a_snapshot_is_unshared_when_it_becomes_wider_than_its_image() -> None:
    two = region(
        images=(Listed(IMAGE), Listed(OTHER)),
        sharing={SOURCE_ID: accounts(B), OTHER.image_id: PRIVATE},
        volume=accounts(B),
    )
    # The rule for the other image allows the snapshot, but that image is not shared with the account.
    policy = AuditWanted(rules=(Rule(accounts(B), "other"),))
    expected = [(SOURCE_ID, B, ["unknown_account"]), ("snap-1", B, ["snapshot_wider_than_image"])]
    chosen = ("snapshot_wider_than_image", "unknown_account")
    assert removed(remediated(account_of(two), policy, codes=chosen)) == expected
    assert removed(remediated(account_of(two), policy)) == expected[:1]
