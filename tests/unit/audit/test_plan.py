# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's findings, results and failures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.state import (
    AuditState,
    Listed,
    Problem,
    RegionState,
)
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._model import Key, KeyState
from ansible_collections.golden.images.plugins.modules import ami_share_audit
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.examples import (
    EU,
    IMAGE,
    NOW,
    PRIVATE,
    PUBLIC,
    US,
    account_of,
    accounts,
    allowing,
    audit_of,
    audit_result,
    codes,
    orgs,
    region,
    under_key,
)
from tests.unit.examples import ORG, OWNER, SOURCE_ID, UNIT, source_image, target_in, volumes
from tests.unit.flow_run import FlowRun
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import ORG_ID, consumers, opened_to, policy_of
from tests.unit.keys.policies import UNIT as UNIT_IDS
from tests.unit.kms_grant.examples import KEY, A, B, foreign, made, root, scaling_role

DISABLED = replace(IMAGE, state="disabled")


BOTH = accounts(A) | orgs(ORG)


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        pytest.param(region(), {}, id="private"),
        pytest.param(region(accounts(OWNER), accounts(OWNER)), {}, id="its owner"),
        pytest.param(region(accounts(A), accounts(A)), allowing(A, B), id="accounts"),
        pytest.param(region(orgs(ORG)), allowing(orgs(ORG)), id="an organization"),
        pytest.param(region(orgs(units=[UNIT])), allowing(orgs(units=[UNIT])), id="a unit"),
        pytest.param(region(orgs(units=[UNIT])), allowing(orgs(ORG)), id="the unit's organization"),
        pytest.param(region(orgs(ORG), accounts(A)), allowing(BOTH), id="a snapshot for one of many"),
        pytest.param(region(BOTH), allowing(BOTH), id="both ways"),
        pytest.param(region(image=DISABLED), {}, id="disabled, and private"),
        pytest.param(under_key(PRIVATE), {}, id="a key for the owner"),
        pytest.param(under_key(accounts(A), made(root(A))), allowing(A), id="a grant"),
        pytest.param(
            under_key(accounts(A), made(root(A)), made(scaling_role(A))), allowing(A), id="for Auto Scaling"
        ),
        pytest.param(under_key(accounts(A), policy=opened_to(consumers(A))), allowing(A), id="a statement"),
        pytest.param(
            under_key(orgs(ORG), policy=opened_to(consumers(org_ids=(ORG_ID,)))),
            allowing(orgs(ORG)),
            id="a statement for an organization",
        ),
        pytest.param(
            under_key(orgs(units=[UNIT]), policy=opened_to(consumers(units=(UNIT_IDS,)))),
            allowing(orgs(ORG)),
            id="a statement for a unit",
        ),
        pytest.param(under_key(PRIVATE, foreign(root(A))), allowing(A), id="another program's grant"),
    ],
)
def test_a_clean_account(seen: RegionState, wanted: dict[str, Any]) -> None:
    plan = audit_of(seen, **{**wanted, "fail_on": "low"})
    assert codes(plan) == []
    assert plan["failures"] == []


def failure(action: str) -> Failure:
    """Why something could not be read."""
    return Failure("You may not.", "Allow it.", "UnauthorizedOperation", action, target_in().region, OWNER)


BLOCKS = tuple(
    Problem("block_public_access_unreadable", action, failure(action))
    for action in ("GetImageBlockPublicAccessState", "GetSnapshotBlockPublicAccessState")
)


@pytest.mark.parametrize(
    ("seen", "deciding"),
    [
        pytest.param(region(), [], id="nothing is public"),
        pytest.param(region(PUBLIC), ["GetImageBlockPublicAccessState"], id="an image"),
        pytest.param(region(PRIVATE, PUBLIC), ["GetSnapshotBlockPublicAccessState"], id="a snapshot"),
        pytest.param(
            replace(region(), unused={"snap-00000009": PUBLIC}),
            ["GetSnapshotBlockPublicAccessState"],
            id="an unused snapshot",
        ),
    ],
)
def test_block_public_access_only_matters_to_what_is_public(seen: RegionState, deciding: list[str]) -> None:
    plan = audit_of(replace(seen, problems=BLOCKS))
    assert [one["action"] for one in plan["failures"]] == deciding
    assert [one["resource"] for one in plan["findings"] if one["code"] == BLOCKS[0].code] == deciding
    run = FlowRun(ami_share_audit.FLOW, {}, aws=None)
    run.seen = account_of(replace(seen, problems=BLOCKS))
    assert len(run.plan.warnings) == 2 - len(deciding)


def test_permissions_that_could_not_be_read_may_be_public() -> None:
    unread = Problem("image_unreadable", SOURCE_ID, failure("DescribeImageAttribute"), SOURCE_ID)
    plan = audit_of(replace(region(), problems=(unread, *BLOCKS)))
    assert [one["action"] for one in plan["failures"]] == [
        "DescribeImageAttribute",
        "GetImageBlockPublicAccessState",
    ]


def test_what_could_not_be_read_is_a_finding_and_a_failure() -> None:
    far = target_in("us-west-2")
    problems = tuple(
        Problem(code, resource, failure(action), SOURCE_ID if code != "key_unreadable" else None)
        for code, resource, action in (
            ("image_unreadable", SOURCE_ID, "DescribeImageAttribute"),
            ("snapshot_unreadable", "snap-00000001", "DescribeSnapshotAttribute"),
            ("snapshot_unreadable", "snap-00000002", "DescribeSnapshotAttribute"),
            ("key_unreadable", KEY.arn, "DescribeKey"),
        )
    )
    seen = RegionState(images=(Listed(IMAGE),), problems=problems)
    unread = replace(failure("DescribeImages"), region=far.region)
    plan = audit_of(seen, fail_on="low", unread={far.region: unread})
    assert sorted((item["code"], item["resource"]) for item in plan["findings"]) == sorted(
        [("region_unreadable", far.region), *((item.code, item.resource) for item in problems)]
    )
    # Each error once per region, for any number of resources.
    assert [(item["region"], item["action"]) for item in plan["failures"]] == [
        (target_in().region, "DescribeImageAttribute"),
        (target_in().region, "DescribeKey"),
        (target_in().region, "DescribeSnapshotAttribute"),
        (far.region, "DescribeImages"),
    ]
    (shown,) = audit_of(seen)["results"]
    assert shown["sharing"] is None
    assert shown["snapshots"][0]["public"] is None
    assert shown["snapshots"][0]["account_ids"] is None


@pytest.mark.parametrize(
    ("fail_on", "expected"),
    [
        pytest.param("none", [], id="none"),
        pytest.param("high", ["unknown_account"], id="high"),
        pytest.param("medium", ["snapshot_wider_than_image", "unknown_account"], id="medium"),
    ],
)
def test_findings_fail_the_task_by_their_severity(fail_on: str, expected: list[str]) -> None:
    plan = audit_of(region(volume=accounts(A)), fail_on=fail_on)
    assert [item["error_code"] for item in plan["failures"]] == expected
    assert {item["action"] for item in plan["failures"]} <= {"fail_on"}


def test_the_facts_of_an_image() -> None:
    old = replace(
        IMAGE, creation_date="2026-11-14T00:00:00.000Z", deprecation_time="2026-11-20T00:00:00.000Z"
    )
    copy = source_image(image_id="ami-11111111", name="a", source_image_id=SOURCE_ID, source_region=EU)
    here = region(
        accounts(A),
        accounts(B),
        images=(Listed(old, "2026-11-20T10:00:00.000Z"),),
        sharing={SOURCE_ID: accounts(A)},
    )
    there = region(image=replace(copy, devices=volumes("snap-00000009")))
    audited_there_first = AuditState(OWNER, NOW, {target_in(US): there, target_in(EU): here})
    found = audit_result(audited_there_first, {})
    first, second = found["results"]
    assert (first["region"], first["image_id"], first["age_days"], first["deprecated"]) == (
        *(EU, SOURCE_ID, 10, True),
    )
    assert first["last_launched_time"] == "2026-11-20T10:00:00.000Z"
    assert first["sharing"] == {"account_ids": [A], "org_arns": [], "org_unit_arns": [], "public": False}
    assert first["snapshots"][0] == {
        "account_ids": [B],
        "associated_kms_key_arns": [],
        "kms_key_arn": None,
        "public": False,
        "snapshot_id": "snap-00000001",
    }
    assert first["copies"] == [{"image_id": copy.image_id, "region": US}]
    assert first["source"] is None
    assert [item["code"] for item in first["findings"]] == [
        *("unknown_account", "snapshot_wider_than_image", "unknown_account"),
    ]
    assert second["source"] == {"image_id": SOURCE_ID, "region": EU}
    assert second["copies"] == second["findings"] == []
    assert list(found["regions"]) == [EU, US]
    assert found["regions"][US] == {
        "image_block_managed_by": None,
        "image_block_public_access": "block-new-sharing",
        "images": 1,
        "snapshot_block_managed_by": None,
        "snapshot_block_public_access": "block-new-sharing",
    }


def test_the_keys_of_an_image_are_returned_with_it_and_with_its_snapshots() -> None:
    seen = under_key(PRIVATE, associated_keys={"snap-00000001": ("arn:b", "arn:a")})
    (image,) = audit_of(seen)["results"]
    (snapshot,) = image["snapshots"]
    assert (image["kms_key_arns"], snapshot["kms_key_arn"]) == ([KEY.arn], KEY.arn)
    assert image["associated_kms_key_arns"] == snapshot["associated_kms_key_arns"] == ["arn:a", "arn:b"]


@given(
    st.permutations([IMAGE, replace(IMAGE, image_id="ami-00000001"), replace(IMAGE, image_id="ami-00000002")])
)
def test_the_order_does_not_depend_on_aws(images: Any) -> None:
    sharing = {image.image_id: accounts(A, B) for image in images}
    first = codes(audit_of(region(images=tuple(map(Listed, images)), sharing=sharing)))
    again = codes(audit_of(region(images=tuple(map(Listed, sorted(images, key=str))), sharing=sharing)))
    assert first == again
    assert len(first) == 6


def test_the_keys_are_returned_by_region_and_arn() -> None:
    first, second = key_arn("a"), key_arn("b")
    here = under_key(PRIVATE, keys={arn: KeyState(Key(arn), (), policy_of()) for arn in (second, first)})
    there_first = AuditState(OWNER, NOW, {target_in(US): under_key(PRIVATE), target_in(EU): here})
    shown = audit_result(there_first, {})["kms_keys"]
    assert [(item["region"], item["kms_key_arn"]) for item in shown] == [
        (EU, first),
        (EU, second),
        (US, KEY.arn),
    ]


def test_snapshots_that_no_image_uses_are_returned() -> None:
    here = replace(region(), unused={"snap-b": PUBLIC, "snap-a": accounts(A), "snap-c": PRIVATE})
    assert audit_of(here)["unused_snapshots"] == [
        {
            "account_id": OWNER,
            "account_ids": [A],
            "public": False,
            "region": target_in().region,
            "snapshot_id": "snap-a",
        },
        {
            "account_id": OWNER,
            "account_ids": [],
            "public": True,
            "region": target_in().region,
            "snapshot_id": "snap-b",
        },
        {
            "account_id": OWNER,
            "account_ids": [],
            "public": False,
            "region": target_in().region,
            "snapshot_id": "snap-c",
        },
    ]
