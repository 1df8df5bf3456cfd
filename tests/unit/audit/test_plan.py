# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit finds of images, their snapshots and their keys, and what it keeps silent about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.audit import plan as audit
from ansible_collections.golden.images.plugins.module_utils.audit.state import (
    AuditSeen,
    AuditWanted,
    Listed,
    Problem,
    RegionSeen,
    Rule,
)
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.finding import Severity
from ansible_collections.golden.images.plugins.module_utils.keys.grants import NAME_PREFIX
from ansible_collections.golden.images.plugins.module_utils.model import Key, Sharing
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.audit.examples import (
    ENCRYPTED,
    IMAGE,
    NOBODY,
    NOW,
    PUBLIC,
    accounts,
    allowing,
    audited,
    codes,
    orgs,
    region,
    under_key,
)
from tests.unit.examples import ORG, OWNER, SOURCE_ID, STRANGER, UNIT, place, source_image, volumes
from tests.unit.keys.examples import DEFAULT, key_arn
from tests.unit.keys.policies import ORG_ID, consumers, opened_to, policy_of
from tests.unit.keys.policies import UNIT as UNIT_IDS
from tests.unit.kms_grant.examples import DEPLOY, KEY, A, B, foreign, made, root, scaling_role

OTHER_ORG = "arn:aws:organizations::111122223333:organization/o-zzzzzzzzzz"
OTHER_UNIT = "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-22222222"
DISABLED = replace(IMAGE, state="disabled")
BOTH = accounts(A) | orgs(ORG)
STALE = "AROAEXAMPLEEXAMPLE"
THROUGH = "access_remains_through_organization"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(region(PUBLIC), [("public", SOURCE_ID, "all")], id="public"),
        pytest.param(
            region(accounts(A, B)),
            [("unknown_account", SOURCE_ID, A), ("unknown_account", SOURCE_ID, B)],
            id="accounts",
        ),
        pytest.param(region(orgs(ORG)), [("unknown_organization", SOURCE_ID, ORG)], id="an organization"),
        pytest.param(
            region(orgs(units=[UNIT])), [("unknown_organizational_unit", SOURCE_ID, UNIT)], id="a unit"
        ),
        pytest.param(
            region(BOTH),
            [
                (THROUGH, SOURCE_ID, A),
                ("unknown_account", SOURCE_ID, A),
                ("unknown_organization", SOURCE_ID, ORG),
            ],
            id="an account and an organization",
        ),
        pytest.param(region(volume=PUBLIC), [("snapshot_public", "snap-1", "all")], id="a public snapshot"),
        pytest.param(
            region(volume=accounts(A)),
            [("snapshot_wider_than_image", "snap-1", A), ("unknown_account", "snap-1", A)],
            id="a snapshot only",
        ),
        pytest.param(
            region(volume=accounts(A), image=DISABLED),
            [("shared_but_disabled", SOURCE_ID, None), ("unknown_account", "snap-1", A)],
            id="a snapshot of a disabled image",
        ),
    ],
)
def test_what_nobody_allowed(seen: RegionSeen, expected: list[Any]) -> None:
    assert codes(audited(seen)) == expected


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        pytest.param(region(), AuditWanted(), id="shared with nobody"),
        pytest.param(region(accounts(OWNER), accounts(OWNER)), AuditWanted(), id="its owner"),
        pytest.param(region(accounts(A), accounts(A)), allowing(A, B), id="accounts"),
        pytest.param(region(orgs(ORG)), AuditWanted(allowed=orgs(ORG)), id="an organization"),
        pytest.param(region(orgs(units=[UNIT])), AuditWanted(allowed=orgs(units=[UNIT])), id="a unit"),
        pytest.param(
            region(orgs(units=[UNIT])), AuditWanted(allowed=orgs(ORG)), id="the unit's organization"
        ),
        pytest.param(
            region(orgs(ORG), accounts(A)), AuditWanted(allowed=BOTH), id="a snapshot for one of many"
        ),
        pytest.param(region(BOTH), AuditWanted(allowed=BOTH), id="both ways"),
        pytest.param(region(image=DISABLED), AuditWanted(), id="disabled, and shared with nobody"),
        pytest.param(under_key(NOBODY), AuditWanted(), id="a key for the owner"),
        pytest.param(under_key(accounts(A), made(root(A))), allowing(A), id="a grant"),
        pytest.param(
            under_key(accounts(A), made(root(A)), made(scaling_role(A))), allowing(A), id="for Auto Scaling"
        ),
        pytest.param(under_key(accounts(A), policy=opened_to(consumers(A))), allowing(A), id="a statement"),
        pytest.param(
            under_key(orgs(ORG), policy=opened_to(consumers(org_ids=(ORG_ID,)))),
            AuditWanted(allowed=orgs(ORG)),
            id="a statement for an organization",
        ),
        pytest.param(
            under_key(orgs(units=[UNIT]), policy=opened_to(consumers(units=(UNIT_IDS,)))),
            AuditWanted(allowed=orgs(ORG)),
            id="a statement for a unit",
        ),
        pytest.param(under_key(NOBODY, foreign(root(A))), AuditWanted(), id="somebody else's grant"),
    ],
)
def test_a_clean_estate(seen: RegionSeen, wanted: AuditWanted) -> None:
    plan = audited(seen, replace(wanted, fail_on=Severity.LOW))
    assert codes(plan) == []
    assert plan.failures == ()


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(
            under_key(accounts(A, B), made(root(A))), [("missing_key_access", KEY.arn, B)], id="an account"
        ),
        pytest.param(under_key(orgs(ORG)), [("missing_key_access", KEY.arn, ORG)], id="an organization"),
        pytest.param(
            under_key(accounts(A), made(root(A)), made(root(B))),
            [("grant_without_share", KEY.arn, B)],
            id="a grant that was left",
        ),
        pytest.param(
            under_key(NOBODY, made(DEPLOY)), [("grant_without_share", KEY.arn, DEPLOY)], id="a role's grant"
        ),
        pytest.param(
            under_key(NOBODY, policy=opened_to(consumers(A, org_ids=(ORG_ID,), units=(UNIT_IDS,)))),
            [
                ("statement_without_share", KEY.arn, A),
                ("statement_without_share", KEY.arn, ORG_ID),
                ("statement_without_share", KEY.arn, UNIT_IDS[1]),
            ],
            id="statements that were left",
        ),
        pytest.param(
            under_key(NOBODY, foreign(STALE)), [("stale_principal", KEY.arn, STALE)], id="a deleted role"
        ),
        pytest.param(
            under_key(NOBODY, foreign(STALE, NAME_PREFIX + "x")),
            [("stale_principal", KEY.arn, STALE)],
            id="a deleted role of an own grant",
        ),
        pytest.param(
            under_key(NOBODY, policy=policy_of({"Effect": "Allow", "Principal": {"AWS": [STALE]}})),
            [("stale_principal", KEY.arn, STALE)],
            id="a deleted role in the policy",
        ),
        pytest.param(
            under_key(accounts(A), made(root(A)), key=replace(KEY, state="Disabled")),
            [("key_not_enabled", KEY.arn, None)],
            id="a disabled key",
        ),
        pytest.param(
            under_key(NOBODY, key=DEFAULT), [("default_key", DEFAULT.arn, None)], id="the default key"
        ),
        pytest.param(
            under_key(accounts(A), key=Key(key_arn(account_id=STRANGER))),
            [("key_of_other_account", key_arn(account_id=STRANGER), None)],
            id="somebody else's key",
        ),
    ],
)
def test_keys(seen: RegionSeen, expected: list[Any]) -> None:
    assert codes(audited(seen, AuditWanted(allowed=accounts(A, B) | orgs(ORG)))) == expected


def test_a_key_that_may_still_be_needed_is_left_alone() -> None:
    through = under_key(orgs(ORG), made(root(B)), policy=opened_to(consumers(org_ids=(ORG_ID,))))
    unread = Problem("image_unreadable", ENCRYPTED.image_id, failure("DescribeImageAttribute"))
    hidden = replace(under_key(NOBODY, made(root(B))), sharing={}, problems=(unread,))
    snapshot = replace(under_key(NOBODY, made(root(B))), volumes={"snap-1": accounts(B)})
    for seen in (through, hidden, snapshot):
        assert "grant_without_share" not in [code for code, _where, _who in codes(audited(seen))]


def failure(action: str) -> Failure:
    """Why something could not be read."""
    return Failure("You may not.", "Allow it.", "UnauthorizedOperation", action, place().region, OWNER)


@pytest.mark.parametrize(
    ("image", "rule", "fits"),
    [
        pytest.param({"name": "edge-1"}, {"name_pattern": "edge-*"}, True, id="a name"),
        pytest.param({"name": "Edge-1"}, {"name_pattern": "edge-*"}, False, id="another case"),
        pytest.param({"name": "my-edge-1"}, {"name_pattern": "edge-*"}, False, id="only a part"),
        pytest.param({"tags": {"for": "all", "x": "y"}}, {"tags": {"for": "all"}}, True, id="a tag"),
        pytest.param({"tags": {"for": "some"}}, {"tags": {"for": "all"}}, False, id="another value"),
        pytest.param(
            {"name": "edge-1"}, {"name_pattern": "edge-*", "tags": {"a": "b"}}, False, id="one of both"
        ),
    ],
)
def test_rules_add_to_what_is_allowed(image: dict[str, Any], rule: dict[str, Any], fits: bool) -> None:
    seen = region(accounts(A, B) | PUBLIC, PUBLIC, replace(IMAGE, **image))
    wanted = allowing(A, rules=(Rule(accounts(B) | PUBLIC, **rule),))
    expected = ["public", "unknown_account", "snapshot_public"]
    assert [item[0] for item in codes(audited(seen, wanted))] == ([] if fits else expected)


def test_a_snapshot_of_several_images_is_judged_by_all_of_them() -> None:
    other = replace(IMAGE, image_id="ami-00000000", name="edge")
    two = region(
        accounts(A),
        accounts(A, B),
        images=(Listed(other), Listed(IMAGE)),
        sharing={SOURCE_ID: accounts(A), other.image_id: accounts(B)},
    )
    wanted = allowing(A, rules=(Rule(accounts(B), "edge"),))
    assert codes(audited(two, wanted)) == []
    stranger = replace(two, volumes={"snap-1": accounts(A, STRANGER)})
    (wider, unknown) = audited(stranger, wanted).findings
    assert (wider.code, unknown.code) == ("snapshot_wider_than_image", "unknown_account")
    assert wider.image_id == unknown.image_id == other.image_id


def test_what_could_not_be_read_is_a_finding_and_a_failure() -> None:
    far = place("us-west-2")
    problems = tuple(
        Problem(code, resource, failure(action), SOURCE_ID if code != "key_unreadable" else None)
        for code, resource, action in (
            ("image_unreadable", SOURCE_ID, "DescribeImageAttribute"),
            ("snapshot_unreadable", "snap-1", "DescribeSnapshotAttribute"),
            ("snapshot_unreadable", "snap-2", "DescribeSnapshotAttribute"),
            ("key_unreadable", KEY.arn, "DescribeKey"),
        )
    )
    seen = RegionSeen(images=(Listed(IMAGE),), problems=problems)
    unread = replace(failure("DescribeImages"), region=far.region)
    plan = audited(seen, AuditWanted(fail_on=Severity.LOW), unread={far: unread})
    assert sorted((item.code, item.resource) for item in plan.findings) == sorted(
        [("region_unreadable", far.region), *((item.code, item.resource) for item in problems)]
    )
    # Each refusal of a region once, however many resources it was about.
    assert [(item.region, item.action) for item in plan.failures] == [
        (place().region, "DescribeImageAttribute"),
        (place().region, "DescribeKey"),
        (place().region, "DescribeSnapshotAttribute"),
        (far.region, "DescribeImages"),
    ]
    (shown,) = audit.results(AuditSeen(OWNER, NOW, {place(): seen}), plan)
    assert shown["sharing"] is None
    assert shown["snapshots"][0]["public"] is None
    assert shown["snapshots"][0]["account_ids"] is None


@pytest.mark.parametrize(
    ("fail_on", "expected"),
    [
        pytest.param(None, [], id="none"),
        pytest.param(Severity.HIGH, ["unknown_account"], id="high"),
        pytest.param(Severity.MEDIUM, ["snapshot_wider_than_image", "unknown_account"], id="medium"),
    ],
)
def test_findings_fail_the_task_by_their_severity(fail_on: Severity | None, expected: list[str]) -> None:
    plan = audited(region(volume=accounts(A)), AuditWanted(fail_on=fail_on))
    assert [item.error_code for item in plan.failures] == expected
    assert {item.action for item in plan.failures} <= {"fail_on"}


def test_the_facts_of_an_image() -> None:
    old = replace(
        IMAGE, creation_date="2026-11-14T00:00:00.000Z", deprecation_time="2026-11-20T00:00:00.000Z"
    )
    copy = source_image(
        image_id="ami-11111111", name="a", source_image_id=SOURCE_ID, source_region=place().region
    )
    here = region(
        accounts(A),
        accounts(B),
        images=(Listed(old, "2026-11-20T10:00:00.000Z"),),
        sharing={SOURCE_ID: accounts(A)},
    )
    there = region(image=replace(copy, devices=volumes("snap-9")))
    seen = AuditSeen(OWNER, NOW, {place("us-west-2"): there, place(): here})
    first, second = audit.results(seen, audit.plan(AuditWanted(), seen))
    assert (first["region"], first["image_id"], first["age_days"], first["deprecated"]) == (
        *(place().region, SOURCE_ID, 10, True),
    )
    assert first["last_launched_time"] == "2026-11-20T10:00:00.000Z"
    assert first["sharing"] == accounts(A).as_result()
    assert first["snapshots"][0] == {
        "account_ids": [B],
        "kms_key_arn": None,
        "public": False,
        "snapshot_id": "snap-1",
    }
    assert first["copies"] == [{"image_id": copy.image_id, "region": "us-west-2"}]
    assert first["source"] is None
    assert [item["code"] for item in first["findings"]] == [
        *("unknown_account", "snapshot_wider_than_image", "unknown_account"),
    ]
    assert second["source"] == {"image_id": SOURCE_ID, "region": place().region}
    assert second["copies"] == second["findings"] == []
    assert list(audit.regions(seen)) == [place().region, "us-west-2"]
    assert audit.regions(seen)["us-west-2"] == {
        "image_block_public_access": "block-new-sharing",
        "images": 1,
        "snapshot_block_public_access": "block-all-sharing",
    }


def test_the_facts_of_a_key() -> None:
    policy = opened_to(consumers(B, units=(UNIT_IDS,)))
    seen = AuditSeen(OWNER, NOW, {place(): under_key(accounts(A), made(root(A)), policy=policy)})
    (shown,) = audit.keys(seen)
    assert (shown["kms_key_arn"], shown["state"], shown["aws_managed"]) == (KEY.arn, "Enabled", False)
    (grant,) = shown["grants"]
    assert (grant["grantee"], grant["created_by_collection"]) == (root(A), True)
    assert "Decrypt" in grant["operations"]
    assert [(item["principals"], item["org_unit_ids"]) for item in shown["policy_statements"]] == [
        ([B], []),
        ([], [UNIT_IDS[1]]),
    ]
    assert shown["policy_statements"][1]["org_units"] == [{"org_id": UNIT_IDS[0], "org_unit_id": UNIT_IDS[1]}]


SHARINGS = st.builds(
    Sharing,
    st.frozensets(st.sampled_from([A, B, STRANGER, OWNER])),
    st.frozensets(st.sampled_from([ORG, OTHER_ORG])),
    st.frozensets(st.sampled_from([UNIT, OTHER_UNIT])),
    st.booleans(),
)


@given(SHARINGS, SHARINGS, SHARINGS)
def test_nothing_is_unknown_that_is_allowed(allowed: Sharing, launch: Sharing, volume: Sharing) -> None:
    seen = region(launch & allowed, (volume & allowed).accounts_only())
    found = [code for code, _resource, _principal in codes(audited(seen, AuditWanted(allowed=allowed)))]
    assert set(found) <= {"snapshot_wider_than_image"}


@given(SHARINGS, SHARINGS)
def test_all_that_is_not_allowed_is_found(allowed: Sharing, launch: Sharing) -> None:
    found = codes(audited(region(launch), AuditWanted(allowed=allowed)))
    named = {principal for code, _resource, principal in found if code.startswith(("unknown_", "public"))}
    unknown = launch - allowed
    units = frozenset() if ORG in allowed.org_arns else unknown.org_unit_arns
    expected = (unknown.account_ids - {OWNER}) | unknown.org_arns | units
    assert named == expected | ({"all"} if unknown.public else set())


@given(
    st.permutations([IMAGE, replace(IMAGE, image_id="ami-00000001"), replace(IMAGE, image_id="ami-00000002")])
)
def test_the_order_does_not_depend_on_aws(images: Any) -> None:
    sharing = {image.image_id: accounts(A, B) for image in images}
    first = codes(audited(region(images=tuple(map(Listed, images)), sharing=sharing)))
    again = codes(audited(region(images=tuple(map(Listed, sorted(images, key=str))), sharing=sharing)))
    assert first == again
    assert len(first) == 6
