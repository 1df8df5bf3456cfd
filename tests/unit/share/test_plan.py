# SPDX-License-Identifier: GPL-3.0-or-later

"""Which permissions are added and removed, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Sharing
from ansible_collections.golden.images.plugins.module_utils._plan import KNOWN_AFTER_APPLY
from ansible_collections.golden.images.plugins.module_utils._share.flow import FLOW

from tests.unit.examples import CONSUMER, ORG, OWNER, SOURCE_ID, SOURCE_REGION, UNIT, target_in
from tests.unit.share.examples import (
    IMAGE,
    PRIVATE,
    PUBLIC,
    REGION,
    AnImage,
    Run,
    accounts,
    aws_before_the_copy,
    aws_with,
    changes_of,
    planned,
    run,
    shared,
    wanted,
    with_accounts,
)

A, B, C = "222222222222", "333333333333", "444444444444"
ADD, REMOVE = "Add", "Remove"


@pytest.mark.parametrize(
    ("want", "current", "expected"),
    [
        pytest.param(wanted(with_accounts(A)), with_accounts(A, B), [], id="additive, already shared"),
        pytest.param(
            wanted(with_accounts(A)),
            with_accounts(B),
            [("snap-1", ADD, [A]), (IMAGE, ADD, [A])],
            id="additive, others stay",
        ),
        pytest.param(
            wanted(with_accounts(A), purge_launch_permissions=True),
            with_accounts(A, B),
            [(IMAGE, REMOVE, [B]), ("snap-1", REMOVE, [B])],
            id="purge removes others",
        ),
        pytest.param(
            wanted(with_accounts(A), purge_launch_permissions=True),
            with_accounts(B),
            [("snap-1", ADD, [A]), (IMAGE, ADD, [A]), (IMAGE, REMOVE, [B]), ("snap-1", REMOVE, [B])],
            id="purge adds before it removes",
        ),
        pytest.param(
            wanted(PRIVATE, purge_launch_permissions=True, allow_empty_purge=True),
            with_accounts(A, B),
            [(IMAGE, REMOVE, [A, B]), ("snap-1", REMOVE, [A, B])],
            id="purge without consumers",
        ),
        pytest.param(
            wanted(with_accounts(OWNER), purge_launch_permissions=True, allow_empty_purge=True),
            with_accounts(A),
            [(IMAGE, REMOVE, [A]), ("snap-1", REMOVE, [A])],
            id="purge with the owner",
        ),
        pytest.param(
            wanted(with_accounts(A, C), state="absent"),
            with_accounts(A, B),
            [(IMAGE, REMOVE, [A]), ("snap-1", REMOVE, [A])],
            id="absent removes named accounts",
        ),
        pytest.param(
            wanted(with_accounts(A), state="absent", snapshot_ids=["snap-1"]),
            with_accounts(A, B),
            [("snap-1", REMOVE, [A])],
            id="absent from a snapshot only",
        ),
        pytest.param(wanted(with_accounts(C), state="absent"), with_accounts(A), [], id="absent already"),
        pytest.param(wanted(PRIVATE), with_accounts(A), [], id="no consumer"),
    ],
)
def test_accounts(want: dict[str, Any], current: Sharing, expected: list[tuple[str, str, list[str]]]) -> None:
    plan = planned(want, shared(current, {"snap-1": current}))
    assert changes_of(plan.actions) == expected
    assert all(action.target == target_in(REGION) for action in plan.actions)
    assert plan.refusals == ()


@pytest.mark.parametrize(
    ("want", "current", "expected"),
    [
        pytest.param(
            wanted(Sharing(org_arns=frozenset({ORG}), org_unit_arns=frozenset({UNIT}))),
            PRIVATE,
            [(IMAGE, ADD, [ORG, UNIT])],
            id="added to the image only",
        ),
        pytest.param(
            wanted(Sharing(frozenset({A}), frozenset({ORG}), frozenset({UNIT}))),
            PRIVATE,
            [("snap-1", ADD, [A]), (IMAGE, ADD, [A, ORG, UNIT])],
            id="together with accounts",
        ),
        pytest.param(
            wanted(Sharing(org_arns=frozenset({ORG})), state="absent"),
            Sharing(org_arns=frozenset({ORG}), org_unit_arns=frozenset({UNIT})),
            [(IMAGE, REMOVE, [ORG])],
            id="unshared from the organization only",
        ),
        pytest.param(
            wanted(Sharing(org_unit_arns=frozenset({UNIT})), purge_launch_permissions=True),
            Sharing(org_arns=frozenset({ORG})),
            [(IMAGE, ADD, [UNIT]), (IMAGE, REMOVE, [ORG])],
            id="purge with the unit",
        ),
    ],
)
def test_organizations(
    want: dict[str, Any], current: Sharing, expected: list[tuple[str, str, list[str]]]
) -> None:
    assert changes_of(planned(want, shared(current)).actions) == expected


@pytest.mark.parametrize(
    ("want", "current", "expected"),
    [
        pytest.param(
            wanted(PUBLIC), PRIVATE, [(IMAGE, ADD, ["all"]), ("snap-1", ADD, ["all"])], id="published"
        ),
        pytest.param(
            wanted(Sharing(frozenset({A}), public=True), purge_launch_permissions=True),
            with_accounts(B),
            [
                ("snap-1", ADD, [A]),
                (IMAGE, ADD, [A]),
                (IMAGE, ADD, ["all"]),
                (IMAGE, REMOVE, [B]),
                ("snap-1", ADD, ["all"]),
                ("snap-1", REMOVE, [B]),
            ],
            id="published beside accounts",
        ),
        pytest.param(wanted(PUBLIC), PUBLIC, [], id="public already"),
        pytest.param(
            wanted(with_accounts(A)), PUBLIC, [("snap-1", ADD, [A]), (IMAGE, ADD, [A])], id="stays public"
        ),
        pytest.param(
            wanted(PUBLIC, state="absent"),
            Sharing(frozenset({A}), public=True),
            [(IMAGE, REMOVE, ["all"]), ("snap-1", REMOVE, ["all"])],
            id="no longer public",
        ),
        pytest.param(
            wanted(with_accounts(A), purge_launch_permissions=True),
            Sharing(frozenset({A}), public=True),
            [(IMAGE, REMOVE, ["all"]), ("snap-1", REMOVE, ["all"])],
            id="purge removes public",
        ),
    ],
)
def test_public(want: dict[str, Any], current: Sharing, expected: list[tuple[str, str, list[str]]]) -> None:
    assert changes_of(planned(want, shared(current, {"snap-1": current})).actions) == expected


def test_request_parameters() -> None:
    want = wanted(Sharing(frozenset({A}), frozenset({ORG}), frozenset({UNIT})), shared_tags={"version": "1"})
    actions = planned(want, shared()).actions
    assert [(action.operation, action.parameters) for action in actions] == [
        (
            "ModifySnapshotAttribute",
            {
                "Attribute": "createVolumePermission",
                "CreateVolumePermission": {"Add": [{"UserId": A}]},
                "SnapshotId": "snap-1",
            },
        ),
        ("CreateTags", {"Resources": [IMAGE], "Tags": [{"Key": "ec2:SharedTag/version", "Value": "1"}]}),
        (
            "ModifyImageAttribute",
            {
                "ImageId": IMAGE,
                "LaunchPermission": {
                    "Add": [{"UserId": A}, {"OrganizationArn": ORG}, {"OrganizationalUnitArn": UNIT}]
                },
            },
        ),
    ]


def test_request_parameters_of_public_sharing() -> None:
    actions = planned(wanted(PUBLIC), shared()).actions
    assert actions[0].parameters["LaunchPermission"] == {"Add": [{"Group": "all"}]}
    assert actions[1].parameters["CreateVolumePermission"] == {"Add": [{"Group": "all"}]}


def test_each_snapshot_is_compared_separately() -> None:
    found = shared(
        with_accounts(A), {"snap-1": with_accounts(A), "snap-2": PRIVATE, "snap-3": with_accounts(B)}
    )
    plan = planned(wanted(with_accounts(A), purge_launch_permissions=True), found)
    assert changes_of(plan.actions) == [
        ("snap-2", ADD, [A]),
        ("snap-3", ADD, [A]),
        ("snap-3", REMOVE, [B]),
    ]


@pytest.mark.parametrize(
    ("named", "current", "expected"),
    [
        pytest.param(
            with_accounts(A, C), with_accounts(A, B), [("snap-1", REMOVE, [B])], id="others removed"
        ),
        pytest.param(with_accounts(A), with_accounts(A), [], id="named ones stay"),
        pytest.param(with_accounts(A), PRIVATE, [], id="none added"),
        pytest.param(with_accounts(A), PUBLIC, [("snap-1", REMOVE, ["all"])], id="no longer public"),
        pytest.param(PUBLIC, PUBLIC, [], id="public stays"),
        pytest.param(PUBLIC, PRIVATE, [], id="not made public"),
    ],
)
def test_purge_without_share_snapshots_only_removes_access_to_snapshots(
    named: Sharing, current: Sharing, expected: list[tuple[str, str, list[str]]]
) -> None:
    want = wanted(named, share_snapshots=False, purge_launch_permissions=True)
    plan = planned(want, shared(named, {"snap-1": current}))
    assert changes_of(plan.actions) == expected
    assert plan.refusals == ()
    after = current & named
    assert plan.after["volume_permissions"] == {
        "snap-1": {"account_ids": sorted(after.account_ids), "public": after.public}
    }


def test_purge_without_share_snapshots_removes_access_to_the_image_first() -> None:
    want = wanted(with_accounts(A), share_snapshots=False, purge_launch_permissions=True)
    found = shared(with_accounts(B), {"snap-1": with_accounts(B)})
    assert changes_of(planned(want, found).actions) == [
        (IMAGE, ADD, [A]),
        (IMAGE, REMOVE, [B]),
        ("snap-1", REMOVE, [B]),
    ]


@pytest.mark.parametrize(
    ("want", "current", "rejected", "expected"),
    [
        pytest.param(wanted(with_accounts(A, C)), with_accounts(B), C, with_accounts(A, B), id="addition"),
        pytest.param(wanted(with_accounts(A)), PRIVATE, A, None, id="the only addition"),
        pytest.param(wanted(with_accounts(A, C)), with_accounts(A), C, with_accounts(A), id="not the only"),
        pytest.param(
            wanted(with_accounts(A), purge_launch_permissions=True),
            with_accounts(A, B),
            B,
            with_accounts(A, B),
            id="purge",
        ),
        pytest.param(
            wanted(with_accounts(A, B), state="absent"),
            with_accounts(A, B, C),
            B,
            with_accounts(B, C),
            id="B",
        ),
        pytest.param(
            wanted(with_accounts(A), state="absent"), with_accounts(A), A, None, id="the only removal"
        ),
    ],
)
def test_result_without_the_entries_that_aws_rejected(
    want: dict[str, Any], current: Sharing, rejected: str, expected: Sharing | None
) -> None:
    done = run(want, shared(current, {"snap-1": current}), rejected=frozenset({rejected}))
    assert {one.error_code for one in done.outcome.failures} == {"consumer_rejected"}
    assert [*done.permissions.values()] == (
        [
            (
                expected.to_dict(),
                {"snap-1": {"account_ids": sorted(expected.account_ids), "public": False}},
            )
        ]
        if expected
        else []
    )


@pytest.mark.parametrize(
    ("count", "image_calls", "snapshot_calls"),
    [
        pytest.param(500, 1, 1, id="500: one call for a snapshot"),
        pytest.param(501, 1, 2, id="501: two calls for a snapshot"),
        pytest.param(1_000, 1, 2, id="1,000: one call for the image, two for each snapshot"),
        pytest.param(10_000, 1, 20, id="10,000: one call for the image"),
        pytest.param(10_001, 2, 21, id="10,001: two calls for the image"),
    ],
)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_batches(count: int, image_calls: int, snapshot_calls: int, state: str) -> None:
    every_account = with_accounts(*accounts(count))
    current = PRIVATE if state == "present" else every_account
    found = shared(current, {"snap-1": current, "snap-2": current})
    actions = planned(wanted(every_account, state=state), found).actions
    per_resource = [resource for resource, _change, _who in changes_of(actions)]
    assert per_resource.count(IMAGE) == image_calls
    assert per_resource.count("snap-1") == per_resource.count("snap-2") == snapshot_calls
    for name in (IMAGE, "snap-1"):
        who = [
            entry for resource, _change, batch in changes_of(actions) if resource == name for entry in batch
        ]
        assert who == sorted(every_account.account_ids)


MANY = accounts(1_600)


@pytest.mark.parametrize(
    ("current", "named", "expected"),
    [
        pytest.param(MANY[:500], MANY[500:1_000], [(ADD, 500), (REMOVE, 500)], id="1,000"),
        pytest.param(MANY[:500], MANY[500:1_001], [(REMOVE, 500), (ADD, 501)], id="1,001"),
        pytest.param(MANY[:800], MANY[200:1_200], [(REMOVE, 200), (ADD, 400)], id="some stay"),
        pytest.param(MANY[:10], MANY[10:1_011], [(ADD, 1_001), (REMOVE, 10)], id="too many in any order"),
        pytest.param(MANY[:1_200], MANY[400:], [(REMOVE, 400), (ADD, 400)], id="a higher quota"),
    ],
)
def test_purge_stays_within_the_quota(
    current: tuple[str, ...], named: tuple[str, ...], expected: list[tuple[str, int]]
) -> None:
    plan = planned(
        wanted(with_accounts(*named), purge_launch_permissions=True), shared(with_accounts(*current), {})
    )
    assert [(change, len(who)) for _resource, change, who in changes_of(plan.actions)] == expected


def test_organization_is_added_before_accounts_that_it_may_cover_are_removed() -> None:
    named = Sharing(frozenset(MANY[800:]), frozenset({ORG}), public=True)
    plan = planned(wanted(named, purge_launch_permissions=True), shared(with_accounts(*MANY[:800]), {}))
    assert [(change, len(who)) for _resource, change, who in changes_of(plan.actions)] == [
        (ADD, 1),
        (ADD, 1),
        (REMOVE, 800),
        (ADD, 800),
    ]


@pytest.mark.parametrize(("count", "warned"), [(999, False), (1_000, True)])
def test_organization_that_exceeds_the_quota_before_accounts_are_removed(count: int, warned: bool) -> None:
    want = wanted(Sharing(org_arns=frozenset({ORG})), purge_launch_permissions=True)
    plan = planned(want, shared(with_accounts(*MANY[:count]), {}))
    assert [change for _resource, change, _who in changes_of(plan.actions)] == [ADD, REMOVE]
    found = [one for one in plan.warnings if one.startswith("The image is shared with 1001 entities before")]
    assert len(found) == warned


@pytest.mark.parametrize("changes", [{}, {"purge_launch_permissions": True}, {"state": "absent"}])
def test_owner_is_not_in_any_request(changes: dict[str, Any]) -> None:
    plan = planned(wanted(with_accounts(OWNER, A), **changes), shared(with_accounts(B), {"snap-1": PRIVATE}))
    assert all(OWNER not in who for _resource, _change, who in changes_of(plan.actions))
    assert f"{OWNER} owns the images and needs no permission: skipped." in plan.warnings


def test_shared_tags_are_written_before_the_image_is_shared() -> None:
    plan = planned(wanted(with_accounts(A), shared_tags={"b": "2", "a": "1"}), shared())
    assert changes_of(plan.actions) == [
        ("snap-1", ADD, [A]),
        (IMAGE, "CreateTags", ["ec2:SharedTag/a", "ec2:SharedTag/b"]),
        (IMAGE, ADD, [A]),
    ]


@pytest.mark.parametrize(
    ("current", "changes", "written"),
    [
        pytest.param({"ec2:SharedTag/a": "1"}, {}, [], id="there"),
        pytest.param({"ec2:SharedTag/a": "0"}, {}, ["ec2:SharedTag/a"], id="other value"),
        pytest.param({"a": "1"}, {}, ["ec2:SharedTag/a"], id="without prefix it is another tag"),
        pytest.param({}, {"state": "absent"}, [], id="not written with absent"),
        pytest.param(
            {"ec2:SharedTag/b": "2", "ec2:SharedTag/a": "1"},
            {"purge_launch_permissions": True},
            [],
            id="others stay",
        ),
    ],
)
def test_shared_tags(current: dict[str, str], changes: dict[str, Any], written: list[str]) -> None:
    plan = planned(wanted(with_accounts(A), shared_tags={"a": "1"}, **changes), shared(tags=current))
    tags = [keys for _resource, change, keys in changes_of(plan.actions) if change == "CreateTags"]
    assert tags == ([written] if written else [])


def test_before_and_after() -> None:
    found = shared(
        Sharing(frozenset({B}), frozenset({ORG})),
        {"snap-1": with_accounts(B)},
        tags={"ec2:SharedTag/old": "0", "role": "web"},
    )
    plan = planned(
        wanted(with_accounts(C, A), purge_launch_permissions=True, shared_tags={"new": "1"}), found
    )
    assert plan.before == {
        "image_id": IMAGE,
        "launch_permissions": {
            "account_ids": [B],
            "org_arns": [ORG],
            "org_unit_arns": [],
            "public": False,
        },
        "shared_tags": {"old": "0"},
        "volume_permissions": {"snap-1": {"account_ids": [B], "public": False}},
    }
    assert plan.after == {
        "image_id": IMAGE,
        "launch_permissions": {"account_ids": [A, C], "org_arns": [], "org_unit_arns": [], "public": False},
        "shared_tags": {"old": "0", "new": "1"},
        "volume_permissions": {"snap-1": {"account_ids": [A, C], "public": False}},
    }


def test_regions_are_planned_separately_in_a_stable_order() -> None:
    images = {"us-west-2": "ami-0000000a", "ap-south-1": "ami-0000000b", "eu-west-1": "ami-0000000c"}
    aws = aws_with(
        {
            "us-west-2": shared(image_id=images["us-west-2"]),
            "ap-south-1": shared(
                with_accounts(A), {"snap-1": with_accounts(A)}, image_id=images["ap-south-1"]
            ),
            "eu-west-1": shared(image_id=images["eu-west-1"], volumes_of={}),
        },
    )
    plan = Run(wanted(with_accounts(A), images=images), aws).plan
    assert [target.target.region for target in plan.targets] == ["ap-south-1", "eu-west-1", "us-west-2"]
    assert [(action.target.region, action.resource) for action in plan.actions] == [
        ("eu-west-1", images["eu-west-1"]),
        ("us-west-2", "snap-1"),
        ("us-west-2", images["us-west-2"]),
    ]


NOT_THERE_YET: dict[str, Any] = {
    "images": {REGION: None},
    "source_image_id": SOURCE_ID,
    "source_region": SOURCE_REGION,
}


def source(**changes: Any) -> AnImage:
    """The source of a copy that does not exist yet, which is shared with others."""
    disks = {"snap-s1": with_accounts(A), "snap-s2": PRIVATE}
    return shared(with_accounts(A), disks, image_id=SOURCE_ID, **changes)


def test_planned_copy_is_shared_like_a_new_image() -> None:
    aws = aws_before_the_copy(source(tags={"ec2:SharedTag/x": "1"}))
    plan = planned(wanted(with_accounts(A), **NOT_THERE_YET), aws)
    assert [(action.operation, action.resource) for action in plan.actions] == [
        ("ModifySnapshotAttribute", None),
        ("ModifySnapshotAttribute", None),
        ("ModifyImageAttribute", None),
    ]
    assert plan.refusals == ()
    assert plan.before["image_id"] == KNOWN_AFTER_APPLY
    assert plan.before["launch_permissions"]["account_ids"] == []
    assert plan.before["shared_tags"] == {}
    assert plan.after["volume_permissions"] == {
        "/dev/sda": {"account_ids": [A], "public": False},
        "/dev/sdb": {"account_ids": [A], "public": False},
    }


@pytest.mark.parametrize(
    ("options", "volumes"),
    [
        pytest.param({"share_snapshots": False}, [], id="without share_snapshots"),
        pytest.param(
            {"share_snapshots": False, "purge_launch_permissions": True},
            ["/dev/sda", "/dev/sdb"],
            id="a purge without share_snapshots",
        ),
    ],
)
def test_snapshots_of_a_planned_copy_that_are_not_shared(options: dict[str, Any], volumes: list[str]) -> None:
    plan = planned(wanted(with_accounts(A), **NOT_THERE_YET, **options), aws_before_the_copy(source()))
    assert [action.operation for action in plan.actions] == ["ModifyImageAttribute"]
    assert plan.after["volume_permissions"] == {one: {"account_ids": [], "public": False} for one in volumes}


def test_planned_copy_of_an_unknown_source_is_shared_without_snapshots() -> None:
    aws = aws_before_the_copy(None)
    plan = planned(wanted(with_accounts(A), images={REGION: None}), aws)
    assert [action.operation for action in plan.actions] == ["ModifyImageAttribute"]
    assert plan.after["volume_permissions"] == {}
    assert [aws.ec2_clients[region].calls for region in (REGION, SOURCE_REGION)] == [[], []]


def test_unsharing_a_planned_copy_changes_nothing() -> None:
    want = wanted(with_accounts(A), state="absent", **NOT_THERE_YET)
    assert planned(want, aws_before_the_copy(source())).actions == ()


def test_planned_copy_gets_shared_tags() -> None:
    want = wanted(with_accounts(CONSUMER), shared_tags={"a": "1"}, **NOT_THERE_YET)
    plan = planned(want, aws_before_the_copy(source()))
    assert "CreateTags" in [action.operation for action in plan.actions]
    assert plan.after["shared_tags"] == {"a": "1"}


def test_the_diff_has_each_consumer_once_before_and_after() -> None:
    regions = [REGION, "us-east-1"]
    found = {region: shared(with_accounts(A), {"snap-1": with_accounts(A)}) for region in regions}
    want = wanted(with_accounts(B), images=dict.fromkeys(regions, IMAGE), purge_launch_permissions=True)
    run = Run(want, aws_with(found), check_mode=True)
    diff = FLOW.diff(run.wanted, run.seen, run.plan)
    assert "prepared" in diff
    for name, account_id in (("state_before", A), ("state_after", B)):
        state = diff[name]
        assert {*state["images"]} == {*regions}
        (launch,), (volumes,) = state["launch_permissions"], state["volume_permissions"]
        assert (launch["account_ids"], launch["regions"]) == ([account_id], regions)
        assert (volumes["account_ids"], [*volumes["snapshots"]]) == ([account_id], regions)
