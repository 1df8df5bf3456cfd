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
from ansible_collections.golden.images.plugins.module_utils.remediation.plan import (
    RemediationPlan,
)
from ansible_collections.golden.images.plugins.module_utils.remediation.scope import Named

from tests.unit.audit.examples import IMAGE, NOW, PRIVATE, accounts, region, under_key
from tests.unit.examples import OWNER, SOURCE_ID, place
from tests.unit.kms_grant.examples import KEY, B, made, root
from tests.unit.remediation.examples import remediated

REGION, FAR = place().region, "us-west-2"


OTHER = replace(IMAGE, image_id="ami-00000000", name="other")


GRANT, STATEMENT = "grant_without_share", "statement_without_share"


def account_of(*regions: RegionSeen, **changes: Any) -> AuditSeen:
    """The account with one or two regions."""
    return AuditSeen(OWNER, NOW, dict(zip([place(), place(FAR)], regions, strict=False)), **changes)


def removed(plan: RemediationPlan) -> list[tuple[str, str, list[str]]]:
    """The removals: resource, principal and codes of the findings."""
    return [(item.place.resource, item.principal, list(item.codes)) for item in plan.removals]


def test_access_to_a_key_that_another_image_needs_stays() -> None:
    two = {"images": (Listed(IMAGE), Listed(OTHER)), "volumes": {"snap-1": PRIVATE, "snap-2": PRIVATE}}
    both = {SOURCE_ID: accounts(B), OTHER.image_id: accounts(B)}
    seen = account_of(under_key(PRIVATE, made(root(B)), **two, sharing=both))
    one = remediated(seen, named=(Named(SOURCE_ID),))
    assert removed(one) == [(SOURCE_ID, B, ["unknown_account"])]
    assert (KEY.arn, B, [GRANT]) in removed(remediated(seen))


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
