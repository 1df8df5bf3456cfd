# SPDX-License-Identifier: GPL-3.0-or-later

"""The removals for each finding, the refusals, and what could not be read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.golden.images.plugins.module_utils.audit.findings import CODES, NOT_ALLOWED
from ansible_collections.golden.images.plugins.module_utils.audit.state import (
    IMAGE_BLOCK,
    AuditSeen,
    Listed,
    Problem,
    RegionSeen,
)
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.remediation.kept import KeptAccess
from ansible_collections.golden.images.plugins.module_utils.remediation.plan import (
    REPAIRABLE,
    RemediationPlan,
)
from ansible_collections.golden.images.plugins.module_utils.remediation.scope import Named
from ansible_collections.golden.images.plugins.module_utils.remediation.state import Resource
from ansible_collections.golden.images.plugins.module_utils.remediation.tasks import (
    unshare_tasks,
)

from tests.unit.audit.examples import IMAGE, NOW, PRIVATE, PUBLIC, accounts, allowing, orgs, region, under_key
from tests.unit.examples import ORG, OWNER, SOURCE_ID, UNIT, target_in
from tests.unit.keys.policies import ORG_ID, consumers, opened_to
from tests.unit.keys.policies import UNIT as UNIT_IDS
from tests.unit.kms_grant.examples import DEPLOY, KEY, A, B, foreign, made, root, scaling_role
from tests.unit.remediation.examples import audited, remediated

REGION, FAR = target_in().region, "us-west-2"


OTHER = replace(IMAGE, image_id="ami-00000000", name="other")


GRANT, STATEMENT = "grant_without_share", "statement_without_share"


def account_of(*regions: RegionSeen, **changes: Any) -> AuditSeen:
    """The account with one or two regions."""
    return AuditSeen(OWNER, NOW, dict(zip([target_in(), target_in(FAR)], regions, strict=False)), **changes)


def removed(plan: RemediationPlan) -> list[tuple[str, str, list[str]]]:
    """The removals: resource, principal and codes of the findings."""
    return [(item.resource.resource_id, item.principal, list(item.codes)) for item in plan.removals]


@pytest.mark.parametrize(
    ("seen", "codes", "expected"),
    [
        pytest.param(region(PUBLIC), ["public"], [(SOURCE_ID, "all", ["public"])], id="public"),
        pytest.param(
            region(PUBLIC, PUBLIC),
            ["snapshot_public"],
            [("snap-1", "all", ["snapshot_public"])],
            id="a public snapshot, and not the image",
        ),
        pytest.param(
            region(accounts(A, B), accounts(B)),
            ["unknown_account"],
            [(SOURCE_ID, B, ["unknown_account"]), ("snap-1", B, ["unknown_account"])],
            id="an account, from the image and the snapshot",
        ),
        pytest.param(
            region(orgs(ORG, units=[UNIT])),
            ["unknown_organizational_unit"],
            [(SOURCE_ID, UNIT, ["unknown_organizational_unit"])],
            id="a unit, and not the organization",
        ),
        pytest.param(
            region(orgs(ORG)),
            ["unknown_organization"],
            [(SOURCE_ID, ORG, ["unknown_organization"])],
            id="org",
        ),
        pytest.param(
            region(volume=accounts(A, B)),
            REPAIRABLE,
            [
                ("snap-1", A, ["snapshot_wider_than_image"]),
                ("snap-1", B, ["snapshot_wider_than_image", "unknown_account"]),
            ],
            id="two findings, one removal",
        ),
        pytest.param(
            under_key(PRIVATE, made(root(A)), foreign(root(A)), made(DEPLOY)),
            [GRANT],
            [(KEY.arn, A, [GRANT]), (KEY.arn, DEPLOY, [GRANT])],
            id="grants of this collection",
        ),
        pytest.param(
            under_key(PRIVATE, made(root(A)), policy=opened_to(consumers(A, org_ids=(ORG_ID,)))),
            [STATEMENT],
            [(KEY.arn, A, [GRANT, STATEMENT]), (KEY.arn, ORG_ID, [STATEMENT])],
            id="a statement with the grant",
        ),
        pytest.param(
            under_key(accounts(B), made(root(B)), made(scaling_role(B)), made(root(A))),
            ["unknown_account"],
            [
                (SOURCE_ID, B, ["unknown_account"]),
                (KEY.arn, B, [GRANT]),
                (KEY.arn, scaling_role(B), [GRANT]),
            ],
            id="the key access of accounts that lose the image only",
        ),
        pytest.param(
            under_key(orgs(units=[UNIT]), made(root(A)), policy=opened_to(consumers(units=(UNIT_IDS,)))),
            ["unknown_organizational_unit"],
            [
                (SOURCE_ID, UNIT, ["unknown_organizational_unit"]),
                (KEY.arn, UNIT_IDS[1], [STATEMENT]),
            ],
            id="the key access of the unit",
        ),
        pytest.param(
            under_key(
                orgs(ORG), made(root(A)), policy=opened_to(consumers(org_ids=(ORG_ID,), units=(UNIT_IDS,)))
            ),
            [],
            [
                (SOURCE_ID, ORG, ["unknown_organization"]),
                (KEY.arn, ORG_ID, [STATEMENT]),
                (KEY.arn, UNIT_IDS[1], [STATEMENT]),
            ],
            id="the key access of the organization and its units, not of an allowed account",
        ),
        pytest.param(
            under_key(PUBLIC, made(root(A)), policy=opened_to(consumers(org_ids=(ORG_ID,)))),
            ["public", STATEMENT],
            [(SOURCE_ID, "all", ["public"]), (KEY.arn, ORG_ID, [STATEMENT])],
            id="what a next audit would find by the chosen codes",
        ),
        pytest.param(
            replace(under_key(PRIVATE, made(root(A))), volume_permissions={"snap-1": accounts(A)}),
            [],
            [],
            id="allowed, but the image is not shared yet",
        ),
        pytest.param(region(accounts(A)), [], [], id="no findings"),
    ],
)
def test_removals(seen: RegionSeen, codes: list[str], expected: list[Any]) -> None:
    plan = remediated(account_of(seen), allowing(A), codes=tuple(codes))
    assert plan.refusals == ()
    assert removed(plan) == expected


def failure(action: str, region: str = REGION) -> Failure:
    """Why something could not be read."""
    return Failure("You may not.", "Allow it.", "UnauthorizedOperation", action, region, OWNER)


def test_what_could_not_be_read_is_reported_and_the_rest_is_fixed() -> None:
    problems = (
        Problem("image_unreadable", OTHER.image_id, failure("DescribeImageAttribute"), OTHER.image_id),
        Problem("snapshot_unreadable", "snap-2", failure("DescribeSnapshotAttribute"), SOURCE_ID),
        Problem("block_public_access_unreadable", IMAGE_BLOCK, failure(IMAGE_BLOCK)),
    )
    seen = under_key(accounts(A), made(root(A)), images=(Listed(IMAGE), Listed(OTHER)), problems=problems)
    seen = replace(seen, volume_permissions={"snap-1": accounts(A)}, sharing={SOURCE_ID: accounts(A)})
    plan = remediated(account_of(seen))
    # The other image may need the key.
    assert removed(plan) == [
        (SOURCE_ID, A, ["unknown_account"]),
        ("snap-1", A, ["unknown_account"]),
    ]
    assert {item.code for item in plan.unreadable} == {"image_unreadable", "snapshot_unreadable"}
    (task,) = unshare_tasks(plan.removals, audited(account_of(seen)))[:1]
    assert task["share_snapshots"] is False
    named = remediated(account_of(seen), named=(Named(OTHER.image_id),))
    assert {item.resource for item in named.unreadable} == {OTHER.image_id, "snap-2"}


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        pytest.param(("unknwon_account",), "not the code of a finding", id="unknown"),
        pytest.param(("missing_key_access",), "is not fixed by removing permissions", id="fixed by granting"),
        pytest.param(
            ("shared_but_disabled",), "is not fixed by removing permissions", id="permissions may be allowed"
        ),
    ],
)
def test_codes_that_are_refused(codes: tuple[str, ...], said: str) -> None:
    (refusal,) = remediated(account_of(region()), codes=("public", *codes)).refusals
    assert said in refusal.message
    assert all(code in refusal.remedy for code in REPAIRABLE)


def test_more_than_the_cap_is_refused_with_examples() -> None:
    many = [f"2{number:011d}" for number in range(8)]
    seen = account_of(under_key(accounts(*many), *(made(root(one)) for one in many)))
    assert len(remediated(seen, max_removals=16).removals) == 16
    plan = remediated(seen, max_removals=15)
    assert (plan.removals, plan.unreadable) == ((), ())
    (refusal,) = plan.refusals
    names = f"{many[0]}, {many[1]} and 6 more"
    assert refusal.message == (
        "max_removals: the plan has 16 removals, and at most 15 are allowed: "
        f"8 removals of images from {names} (unknown_account); "
        f"8 removals of keys from {names} (grant_without_share)."
    )
    assert "set max_removals to 16 in check mode" in refusal.remedy


def test_a_refusal_of_many_removals_begins_with_what_is_public() -> None:
    policy = opened_to(consumers(org_ids=(ORG_ID,)))
    under = under_key(accounts(A), made(root(A)), made(root(B)), policy=policy)
    seen = account_of(under, region(PUBLIC, PUBLIC))
    codes = ("unknown_account", "public", "snapshot_public", GRANT, STATEMENT)
    (refusal,) = remediated(seen, codes=codes, max_removals=0).refusals
    assert refusal.message == (
        "max_removals: the plan has 6 removals, and at most 0 are allowed: "
        "1 image from the public (public); 1 snapshot from the public (snapshot_public); "
        f"2 removals of keys from {A}, {B} (grant_without_share); 1 image from {A} (unknown_account); "
        "and 1 more."
    )


def test_the_message_of_a_removal() -> None:
    seen = account_of(under_key(PUBLIC | accounts(B), made(root(B))))
    _account, public, revoked = remediated(seen).removals
    assert public.message == f"{REGION}: unshare {SOURCE_ID} (golden-web) from the public: public"
    assert revoked.message == f"{REGION}: revoke access to {KEY.arn} from {B}: {GRANT}"
    (snapshot,) = remediated(account_of(region(volume=PUBLIC))).removals
    assert f"unshare snap-1, a snapshot of {SOURCE_ID}, from the public" in snapshot.message
    assert snapshot.as_result() == {
        "finding_codes": ["snapshot_public"],
        "image_id": SOURCE_ID,
        "message": snapshot.message,
        "principal": "all",
        "region": REGION,
        "resource": "snap-1",
    }


def still_planned(plan: RemediationPlan, seen: AuditSeen) -> list[str]:
    """The removals of an earlier plan that are not done, or unknown."""
    return [item.resource.resource_id for item in remediated(seen, planned=plan.removals).removals]


def test_removals_that_are_not_done() -> None:
    before = account_of(
        replace(under_key(accounts(B), made(root(B))), volume_permissions={"snap-1": accounts(B)})
    )
    first = remediated(before)
    everything = [SOURCE_ID, "snap-1", KEY.arn]
    assert still_planned(first, before) == everything
    assert still_planned(first, account_of(under_key(PRIVATE))) == []
    assert still_planned(first, account_of(under_key(accounts(B)))) == [SOURCE_ID]
    assert still_planned(first, account_of(under_key(PRIVATE, made(root(B))))) == [KEY.arn]
    # What could not be read may still exist.
    assert still_planned(first, account_of(unread={target_in(): failure("DescribeImages")})) == everything
    unread = replace(under_key(PRIVATE), sharing={}, volume_permissions={}, keys={})
    assert still_planned(first, account_of(unread)) == everything
    # A deregistered image is not shared.
    assert still_planned(first, account_of(RegionSeen())) == [KEY.arn]


def test_access_that_is_needed_is_not_expected_to_be_removed() -> None:
    before = account_of(
        replace(under_key(accounts(B), made(root(B))), volume_permissions={"snap-1": accounts(B)})
    )
    first = remediated(before)
    key = Resource(target_in().region, KEY.arn)

    def expected(*kept: KeptAccess) -> list[str]:
        return [
            one.resource.resource_id for one in remediated(before, planned=first.removals, kept=kept).removals
        ]

    assert expected(KeptAccess(key, B, "It has volumes.", resource_ids=("vol-1",))) == [SOURCE_ID, "snap-1"]
    # It may not be needed: a rerun can tell.
    assert expected(KeptAccess(key, B, "Not read.")) == [SOURCE_ID, "snap-1", KEY.arn]
    assert expected(KeptAccess(key, OWNER, "", ("ami-1",))) == [SOURCE_ID, "snap-1", KEY.arn]


def test_every_code_is_documented() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "remediating.md"
    text = page.read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert sorted(documented) == sorted(code for code in CODES if not code.endswith("_unreadable"))
    fixable = text.split("## What it does not fix")[0]
    named = re.findall(r"^\| `(\w+)` \|", fixable, re.MULTILINE)
    assert sorted(named) == sorted(REPAIRABLE)
    assert sorted(named[:6]) == sorted(NOT_ALLOWED)


def test_a_snapshot_that_no_image_uses_is_unshared() -> None:
    seen = AuditSeen(OWNER, NOW, {target_in(): replace(region(), unused={"snap-old": accounts(A, B)})})
    (removal,) = remediated(seen, allowing(A)).removals
    assert (removal.resource.resource_id, removal.principal, removal.image_id) == ("snap-old", B, None)
    assert removal.message == f"{REGION}: unshare snap-old, which no image uses, from {B}: unknown_account"
    only = Named("snap-old", REGION)
    assert remediated(seen, allowing(A), named=(only,)).removals == (removal,)


def test_the_role_accepts_the_codes_that_removing_permissions_fixes() -> None:
    role = Path(__file__).parents[3] / "roles" / "remediate" / "meta" / "variables.yml"
    variables = yaml.safe_load(role.read_text(encoding="utf-8"))["variables"]
    assert variables["remediate_finding_codes"]["choices"] == sorted(REPAIRABLE)
