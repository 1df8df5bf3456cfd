# SPDX-License-Identifier: GPL-3.0-or-later

"""Access that would be revoked is kept where another image or snapshot under the key may need it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._keys.needed import ConsumerResources
from ansible_collections.golden.images.plugins.module_utils._kms_grant.losses import warn_of_dependents

from tests.unit.examples import ORG, OWNER, SOURCE_ID, UNIT
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import ORG_ID, OTHER_ORG_ID, consumers, opened_to, own_access
from tests.unit.kms_grant.examples import (
    AUTO_SCALING_OPERATIONS,
    DEPLOY,
    EU,
    KEY,
    US,
    A,
    B,
    C,
    Run,
    aws_with,
    calls,
    foreign,
    key_of,
    made,
    root,
    scaling_role,
    wanted,
    world_with_access,
)
from tests.unit.kms_grant.kms_in_memory import Ec2, World, refused, world
from tests.unit.wire import Wire

OTHER = key_arn("b", EU)
UNIT_IDS = (ORG_ID, "ou-ab12-11111111")
LESS = ["Decrypt"]
SCALING = made(scaling_role(A), AUTO_SCALING_OPERATIONS)
PURGE = wanted(B, purge_grants=True)


def to(*account_ids: str) -> list[dict[str, str]]:
    return [{"UserId": account_id} for account_id in account_ids]


def kept(run: Run) -> dict[str, list[str]]:
    """The principals that keep access, with the images and snapshots that need it."""
    return {one["principal"]: one["image_ids"] + one["resource_ids"] for one in run.key["kept_access"]}


def revoked(run: Run) -> set[str]:
    """The grantees whose grants are revoked."""
    grants = {
        name: grant["GranteePrincipal"]
        for kms in run.aws.regions.values()
        for key in kms.keys.values()
        for name, grant in key.grants.items()
    }
    return {grants[one.parameters["GrantId"]] for one in run.plan.actions if one.operation == "RevokeGrant"}


@pytest.mark.parametrize(
    ("options", "grants", "policy", "losing"),
    [
        pytest.param(wanted(A), [made(root(B))], consumers(), [], id="additions"),
        pytest.param(wanted(A, purge_grants=True), [made(root(A))], consumers(), [], id="wanted"),
        pytest.param(PURGE, [made(root(A)), foreign(root(C))], consumers(), [A], id="purge"),
        pytest.param(wanted(A, state="absent"), [made(root(A))], consumers(), [A], id="absent"),
        pytest.param(
            wanted(A, state="absent"), [SCALING], consumers(), [scaling_role(A)], id="absent: its role"
        ),
        pytest.param(
            wanted(A, purge_grants=True, operations=LESS),
            [made(root(A))],
            consumers(),
            [A],
            id="fewer operations",
        ),
        pytest.param(
            wanted(A, purge_grants=True),
            [made(root(A), frozenset(LESS)), made(DEPLOY)],
            consumers(A),
            [],
            id="the account gets all of it by grant",
        ),
        pytest.param(
            wanted(A, purge_grants=True, access_method="key_policy"),
            [made(root(A), AUTO_SCALING_OPERATIONS), made(root(B))],
            consumers(A),
            [A, B],
            id="not all of it by policy",
        ),
        pytest.param(
            wanted(A, purge_grants=True), [SCALING], consumers(), [scaling_role(A)], id="no Auto Scaling"
        ),
        pytest.param(
            wanted(A, purge_grants=True, auto_scaling=True),
            [made(scaling_role(A), AUTO_SCALING_OPERATIONS, name="golden-images:old")],
            consumers(),
            [],
            id="Auto Scaling replaced",
        ),
        pytest.param(
            wanted(A, purge_grants=True, org_arns=[ORG]),
            [],
            consumers(B, org_ids=(ORG_ID, OTHER_ORG_ID), units=(UNIT_IDS,)),
            [B, OTHER_ORG_ID, UNIT_IDS[1]],
            id="purge of a policy",
        ),
        pytest.param(
            wanted(A, purge_grants=True, org_unit_arns=[UNIT], operations=LESS),
            [],
            consumers(units=(UNIT_IDS,)),
            [UNIT_IDS[1]],
            id="fewer operations of a unit",
        ),
        pytest.param(
            wanted(A, state="absent", org_ids=[ORG_ID], org_unit_ids=[UNIT_IDS[1]]),
            [],
            consumers(A, B, org_ids=(ORG_ID, OTHER_ORG_ID), units=(UNIT_IDS,)),
            [A, ORG_ID, UNIT_IDS[1]],
            id="absent in a policy",
        ),
        pytest.param(
            wanted(state="absent", org_arns=[ORG], org_unit_arns=[UNIT]),
            [],
            consumers(org_ids=(ORG_ID, OTHER_ORG_ID)),
            [ORG_ID],
            id="absent by ARN",
        ),
        pytest.param(
            wanted(A, purge_grants=True),
            [made("AROAEXAMPLE")],
            consumers("AROAOTHER"),
            ["AROAEXAMPLE"],
            id="a role that may be new",
        ),
    ],
)
def test_all_that_lose_access_keep_it_while_an_image_may_be_under_the_key(
    options: dict[str, Any], grants: list[Any], policy: Any, losing: list[str]
) -> None:
    aws = aws_with(*grants, policy=opened_to(policy), images={"ami-1": OTHER}, states={"ami-1": "pending"})
    run = Run(options, aws, check_mode=True)
    assert sorted(kept(run)) == sorted(losing)
    reasons = {one["reason"] for one in run.key["kept_access"]}
    assert all("ami-1 is pending." in reason for reason in reasons)
    # Images are read only if they decide something.
    assert ("DescribeImages" in aws.ec2_clients[EU].calls) is bool(losing)
    assert any("revoke_in_use" in warning for warning in run.plan.warnings) is bool(losing)
    at_once = Run({**options, "revoke_in_use": True}, aws, check_mode=True)
    assert (kept(at_once), len(aws.ec2_clients[EU].calls)) == ({}, 1 if losing else 0)


def test_a_role_of_the_policy_gets_no_auto_scaling_by_it() -> None:
    policy = opened_to(consumers(A), for_auto_scaling=True)
    aws = aws_with(made(root(A)), policy=policy, images={"ami-1": KEY.arn}, launch={"ami-1": to(A)})
    run = Run(wanted(A, purge_grants=True, access_method="key_policy"), aws)
    assert kept(run) == {A: ["ami-1"]}


# Image 1 is shared with A, image 2 was distributed to B under the same key with a purge.
HELD = (made(root(A)), made(root(B)), made(root(C)))
TWO = {"ami-1": KEY.arn, "ami-2": KEY.arn}


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        pytest.param({}, {}, id="no other image"),
        pytest.param({"images": TWO, "launch": {"ami-1": to(A)}}, {A: ["ami-1"]}, id="another image"),
        pytest.param(
            {"images": TWO, "launch": {"ami-1": to(A), "ami-2": to(A, C)}},
            {A: ["ami-1", "ami-2"], C: ["ami-2"]},
            id="two other images",
        ),
        pytest.param(
            {"images": TWO, "launch": {"ami-1": [{"OrganizationArn": ORG}]}},
            {A: ["ami-1"], C: ["ami-1"]},
            id="an organization: any account may be in it",
        ),
        pytest.param(
            {"images": TWO, "launch": {"ami-1": [{"OrganizationalUnitArn": UNIT}]}},
            {A: ["ami-1"], C: ["ami-1"]},
            id="a unit",
        ),
        pytest.param(
            {"images": {"ami-1": KEY.arn}, "volumes": {"snap-of-ami-1": to(A)}},
            {A: ["ami-1"]},
            id="a snapshot of an image that is not shared itself",
        ),
        pytest.param(
            {"images": {"ami-3": OTHER, "ami-4": None}, "launch": {"ami-3": to(A), "ami-4": to(A)}},
            {},
            id="under another key, or not encrypted",
        ),
        pytest.param(
            # botocore operation AssociateKmsKeyId: an independent way to access the snapshot's data.
            {"images": {"ami-1": OTHER}, "associated": {"ami-1": [KEY.arn]}, "launch": {"ami-1": to(A)}},
            {A: ["ami-1"]},
            id="a key that is associated with its snapshot",
        ),
        pytest.param(
            {"images": {"ami-1": None}, "with_empty": ("ami-1",), "launch": {"ami-1": to(A)}},
            {},
            id="a volume that is created empty is under no key",
        ),
        pytest.param(
            {"images": {"ami-1": OTHER}, "keyless": ("ami-1",), "launch": {"ami-1": to(A)}},
            {A: ["ami-1"]},
            id="a key that AWS does not return may be any",
        ),
        pytest.param(
            {
                "images": {"ami-1": KEY.arn},
                "states": {"ami-1": "disabled"},
                "volumes": {"snap-of-ami-1": to(A)},
            },
            {A: ["ami-1"]},
            id="a disabled image whose snapshot is shared",
        ),
        pytest.param(
            {"images": {"ami-1": KEY.arn}, "states": {"ami-1": "disabled"}, "launch": {"ami-1": to(A)}},
            {},
            id="launch permissions of a disabled image cannot exist",
        ),
        pytest.param(
            {"images": {"ami-1": KEY.arn}, "states": {"ami-1": "failed"}, "launch": {"ami-1": to(A)}},
            {},
            id="launch permissions of a failed image cannot exist",
        ),
        pytest.param(
            # botocore operation DescribeSnapshots: account IDs of restorable users.
            {
                "key_of_snapshots": {"snap-1": KEY.arn, "snap-2": OTHER, "snap-3": KEY.arn},
                "volumes": {"snap-1": to(A), "snap-2": to(C)},
            },
            {A: ["snap-1"]},
            id="a shared snapshot without an image",
        ),
        pytest.param(
            {"images": {"ami-1": KEY.arn}, "refuse": {"DescribeImages": "UnauthorizedOperation"}},
            {A: [], C: []},
            id="what cannot be read",
        ),
    ],
)
def test_purge_keeps_grants_that_others_need(images: dict[str, Any], expected: dict[str, list[str]]) -> None:
    run = Run(PURGE, aws_with(*HELD, **images))
    # A purge is expected to leave access that other images need: only what could not be read is a warning.
    assert any("is kept for" in warning for warning in run.plan.warnings) == ([] in expected.values())
    assert revoked(run) == {root(one) for one in (A, C) if one not in expected}
    assert kept(run) == expected
    # With revoke_in_use, all of them lose access whatever other images need.
    at_once = Run({**PURGE, "revoke_in_use": True}, aws_with(*HELD, **images))
    assert revoked(at_once) == {root(A), root(C)}
    assert (kept(at_once), at_once.plan.warnings) == ({}, ())


def test_an_image_whose_snapshot_is_not_returned_may_be_under_any_key(ec2: Wire) -> None:
    aws = aws_with(*HELD)
    aws.ec2_clients[EU] = ec2.client
    device = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": "snap-1", "Encrypted": True}}
    item = {"ImageId": SOURCE_ID, "OwnerId": OWNER, "State": "available", "BlockDeviceMappings": [device]}
    listed = {"Owners": ["self"], "IncludeDisabled": True, "IncludeDeprecated": True, "MaxResults": 1000}
    ec2.expect("describe_images", {"Filters": [], **listed}, {"Images": [item]})
    ids = [{"Name": "snapshot-id", "Values": ["snap-1"]}]
    ec2.expect(
        "describe_snapshots", {"Filters": ids, "OwnerIds": ["self"], "MaxResults": 1000}, {"Snapshots": []}
    )
    ec2.expect(
        "describe_image_attribute",
        {"ImageId": SOURCE_ID, "Attribute": "launchPermission"},
        {"LaunchPermissions": [{"OrganizationArn": ORG}]},
    )
    assert kept(Run(PURGE, aws, check_mode=True)) == {A: [SOURCE_ID], C: [SOURCE_ID]}


def test_reads_stop_where_it_is_known_that_access_is_needed() -> None:
    aws = aws_with(made(root(A)), images={**TWO, "ami-3": OTHER}, launch={"ami-1": to(A)})
    assert Run(PURGE, aws).seen
    calls_to_ec2 = aws.ec2_clients[EU].calls
    assert calls_to_ec2[:2] == ["DescribeImages", "DescribeSnapshots"]
    # The launch permissions show that A needs the key: neither snapshots nor other images need be read.
    assert sorted(calls_to_ec2[2:]) == ["DescribeImageAttribute ami-1", "DescribeImageAttribute ami-2"]
    aws = aws_with(made(root(A)), images={"ami-1": KEY.arn}, volumes={"snap-of-ami-1": to(A)})
    assert Run(PURGE, aws).seen
    assert aws.ec2_clients[EU].calls[2:] == [
        "DescribeImageAttribute ami-1",
        "DescribeSnapshotAttribute snap-of-ami-1",
    ]


def test_images_that_the_access_is_for_do_not_count(ec2: Wire) -> None:
    """A pending image, or one that is shared with the consumer, would otherwise keep the access."""
    unshared = "ami-00000002"
    aws = aws_with(made(root(A)), images={unshared: KEY.arn}, launch={unshared: to(A)})
    run = Run({**PURGE, "unshared_image_ids": [unshared]}, aws)
    assert (revoked(run), kept(run)) == ({root(A)}, {})
    aws = aws_with(made(root(A)))
    aws.ec2_clients[EU] = ec2.client
    device = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": "snap-1", "Encrypted": True}}
    item = {"ImageId": SOURCE_ID, "OwnerId": OWNER, "State": "available", "BlockDeviceMappings": [device]}
    known = {"IncludeDisabled": True, "IncludeDeprecated": True}
    ec2.expect("describe_images", {"ImageIds": [SOURCE_ID], **known}, {"Images": [item]})
    snapshot = {"SnapshotId": "snap-1", "State": "completed", "KmsKeyId": KEY.arn}
    ec2.expect("describe_snapshots", {"SnapshotIds": ["snap-1"]}, {"Snapshots": [snapshot]})
    listed = {"Filters": [], "Owners": ["self"], "MaxResults": 1000, **known}
    ec2.expect("describe_images", listed, {"Images": [{**item, "State": "pending"}]})
    restorable = {
        "Filters": [{"Name": "encrypted", "Values": ["true"]}],
        "OwnerIds": ["self"],
        "RestorableByUserIds": [A],
        "MaxResults": 1000,
    }
    ec2.expect("describe_snapshots", restorable, {"Snapshots": []})
    run = Run({**PURGE, "kms_key_ids": None, "images": {EU: SOURCE_ID}}, aws)
    assert revoked(run) == {root(A)}


def test_a_snapshot_that_is_unshared_in_the_same_run_does_not_count() -> None:
    old = "snap-00000001"
    aws = aws_with(made(root(A)), key_of_snapshots={old: KEY.arn}, volumes={old: to(A)})
    assert kept(Run(PURGE, aws)) == {A: [old]}
    run = Run({**PURGE, "unshared_snapshot_ids": [old]}, aws)
    assert (revoked(run), kept(run)) == ({root(A)}, {})


@pytest.mark.parametrize(
    ("operation", "content"),
    [
        ("DescribeImages", {}),
        ("DescribeSnapshots", {}),
        ("DescribeImageAttribute", {}),
        ("DescribeSnapshotAttribute snap-of-ami-1", {}),
        (
            "DescribeSnapshotAttribute snap-1",
            {"key_of_snapshots": {"snap-1": KEY.arn}, "volumes": {"snap-1": to(A)}},
        ),
    ],
)
def test_what_cannot_be_read_keeps_all_access(operation: str, content: dict[str, Any]) -> None:
    refuse = {operation: "UnauthorizedOperation"}
    aws = aws_with(made(root(A)), images={"ami-1": KEY.arn}, refuse=refuse, **content)
    (one,) = Run(wanted(A, state="absent"), aws).key["kept_access"]
    assert one["principal"] == A
    assert f"{operation.split(maxsplit=1)[0]}: No (UnauthorizedOperation). Allow " in one["reason"]


@pytest.mark.parametrize(
    ("code", "unread"),
    [("InvalidAMIID.NotFound", False), ("InvalidAMIID.Unavailable", True)],
)
def test_an_image_that_is_gone_is_not_shared(code: str, unread: bool) -> None:
    aws = aws_with(made(root(A)), images={"ami-1": KEY.arn}, refuse={"DescribeImageAttribute": code})
    assert bool(kept(Run(PURGE, aws))) is unread


def test_an_image_that_was_deregistered_since_it_was_listed_is_not_shared() -> None:
    aws = aws_with(made(root(A)), images={"ami-1": KEY.arn}, launch={"ami-1": to(A)})
    ec2 = aws.ec2_clients[EU]

    def deregistered(**_parameters: str) -> dict[str, Any]:
        ec2.states["ami-1"] = "deregistered"
        raise refused("InvalidAMIID.Unavailable", "DescribeImageAttribute")

    ec2.describe_image_attribute = deregistered
    assert kept(Run(PURGE, aws)) == {}


def test_other_regions_do_not_depend_on_one_that_cannot_be_read() -> None:
    aws = world_with_access(A, B)
    aws.ec2_clients[EU] = Ec2(refuse={"DescribeImages": "UnauthorizedOperation"})
    done = Run(wanted(B, regions=(EU, US), purge_grants=True), aws)
    assert [action.target.region for action in done.plan.actions] == [US]
    found = {one["region"]: key_of(done.result, one["kms_keys"][0])["kept_access"] for one in done.results}
    assert [one["principal"] for one in found[EU]] == [A]
    assert (found[US], done.outcome.failures) == ([], ())


def test_no_client_of_ec2_is_opened_if_no_consumer_loses_access() -> None:
    aws = world(EU)
    for options in (wanted(A), wanted(A, purge_grants=True), wanted(B, state="absent")):
        assert Run(options, aws).outcome.failures == ()
    assert "ec2" not in {service for service, _region in aws.opened}


def test_absent_keeps_statements_that_other_images_need() -> None:
    held = opened_to(consumers(A, B, org_ids=(ORG_ID, OTHER_ORG_ID), units=(UNIT_IDS,)))
    want = wanted(A, B, state="absent", org_ids=[ORG_ID, OTHER_ORG_ID], org_unit_ids=[UNIT_IDS[1]])

    def left(permissions: list[dict[str, str]]) -> Any:
        aws = aws_with(policy=held, images={"ami-1": KEY.arn}, launch={"ami-1": permissions})
        (put,) = Run(want, aws).plan.actions
        return own_access(put.parameters["Policy"]).consumers

    assert left([{"OrganizationalUnitArn": UNIT}]) == consumers(A, B, org_ids=(ORG_ID,), units=(UNIT_IDS,))
    assert left(to(B)) == consumers(B)


def test_purge_of_a_policy_keeps_what_other_images_need_beside_what_is_wanted() -> None:
    held = opened_to(consumers(A, C))
    aws = aws_with(policy=held, images={"ami-1": KEY.arn}, launch={"ami-1": to(A)})
    (put,) = Run({**PURGE, "access_method": "key_policy"}, aws).plan.actions
    assert own_access(put.parameters["Policy"]).consumers == consumers(A, B)


def test_replaced_access_is_revoked_whatever_is_shared() -> None:
    needed = {"images": {"ami-1": KEY.arn}, "launch": {"ami-1": to(A)}}
    held = made(root(A), frozenset(LESS))
    run = Run(wanted(A, purge_grants=True), aws_with(held, **needed))
    assert calls(run.plan.actions) == [("CreateGrant", root(A)), ("RevokeGrant", held.grant_id)]
    assert Run(wanted(A, state="absent"), aws_with(held, **needed)).plan.actions == ()


def test_a_grantee_that_is_shown_with_a_unique_id_is_one_of_its_account() -> None:
    new = made(DEPLOY, grantee="AROAEXAMPLE")
    want = wanted(state="absent", principals=[DEPLOY])
    needed_by = {
        one: Run(want, aws_with(new, images={"ami-1": KEY.arn}, launch={"ami-1": to(one)})) for one in (A, B)
    }
    assert needed_by[A].plan.actions == ()
    assert calls(needed_by[B].plan.actions) == [("RevokeGrant", new.grant_id)]


def test_warnings_name_the_images_where_access_was_to_be_revoked() -> None:
    aws = aws_with(made(root(A)), images={"ami-1": KEY.arn}, launch={"ami-1": to(A)})
    (warning,) = Run(wanted(A, state="absent"), aws).plan.warnings
    assert all(text in warning for text in (KEY.arn, A, "ami-1", "revoke_in_use"))


def test_warnings_name_some_of_many() -> None:
    many = [f"{number:012}" for number in range(7)]
    grants = [made(root(one)) for one in many]
    aws = aws_with(*grants, images={"ami-1": KEY.arn}, launch={"ami-1": to(*many)})
    (warning,) = Run(wanted(*many, state="absent"), aws).plan.warnings
    assert "000000000004 and 2 more: Other images" in warning
    assert "(ami-1)" in warning


def with_volume(aws: World, account_id: str, **content: Any) -> Ec2:
    """An account with volumes under the key, which is read by a role."""
    ec2 = Ec2(**{"key_of_volumes": {"vol-2": KEY.arn, "vol-1": KEY.arn, "vol-3": OTHER}, **content})
    aws.consumer_ec2[account_id] = {EU: ec2}
    return ec2


ROLE = {"consumer_role_name": "golden-consumer"}


def test_what_an_account_has_under_the_key_is_named_and_keeps_no_access() -> None:
    """Otherwise an account could keep its access by itself, with a snapshot."""
    aws = aws_with(made(root(A)), made(root(B)), made(DEPLOY, grant_id="g-deploy"))
    of_a = with_volume(aws, A, key_of_snapshots={"snap-1": KEY.arn}, binned=("snap-2",))
    with_volume(aws, B, refuse={"DescribeVolumes": "UnauthorizedOperation"})
    done = Run(wanted(A, B, OWNER, state="absent", principals=[DEPLOY], **ROLE), aws)
    assert revoked(done) == {root(A), root(B), DEPLOY}
    (named, unseen) = done.plan.warnings
    assert f"Access to {KEY.arn} is revoked for {A} (snap-1, snap-2, vol-1, vol-2): It has volumes" in named
    assert all(text in unseen for text in (KEY.arn, B))
    assert done.key["kept_access"] == []
    assert done.key["dependents"] == [
        {"account_id": A, "resource_ids": ["snap-1", "snap-2", "vol-1", "vol-2"]}
    ]
    ((account_id, reason),) = ((one["account_id"], one["reason"]) for one in done.key["unseen_accounts"])
    assert account_id == B
    assert "DescribeVolumes" in reason
    assert of_a.calls.count("DescribeVolumes") == 1


@pytest.mark.parametrize(("loses", "expected"), [(A, None), (B, [])])
def test_what_is_not_read_with_revoke_in_use_is_null(loses: str, expected: list[Any] | None) -> None:
    aws = aws_with(made(root(A)))
    of_a = with_volume(aws, A)
    done = Run(wanted(loses, state="absent", revoke_in_use=True, **ROLE), aws, check_mode=True)
    assert (done.key["dependents"], done.key["unseen_accounts"]) == (expected, expected)
    assert of_a.calls == []


def test_an_account_that_keeps_its_access_is_not_read() -> None:
    aws = aws_with(made(root(A)), made(root(B)), images={"ami-1": KEY.arn}, launch={"ami-1": to(B)})
    with_volume(aws, A)
    of_b = with_volume(aws, B)
    done = Run(wanted(C, purge_grants=True, **ROLE), aws, check_mode=True)
    assert [one["account_id"] for one in done.key["dependents"]] == [A]
    assert of_b.calls == []
    assert any(f"revoked for {A} (vol-1, vol-2)" in warning for warning in done.plan.warnings)


def test_nothing_is_read_if_all_keep_their_access() -> None:
    aws = aws_with(made(root(A)), images={"ami-1": OTHER}, states={"ami-1": "pending"})
    assert Run(wanted(A, state="absent", **ROLE), aws).plan.actions == ()
    assert aws.assumed == []
    assert "DescribeSnapshots" not in aws.ec2_clients[EU].calls[2:]


def test_images_are_listed_again_only_if_a_snapshot_is_shared() -> None:
    aws = aws_with(made(root(A)), key_of_snapshots={"snap-1": KEY.arn})
    assert revoked(Run(PURGE, aws)) == {root(A)}
    assert aws.ec2_clients[EU].calls == ["DescribeImages", "DescribeSnapshots"]


def test_without_a_role_the_plan_says_that_nothing_was_read() -> None:
    aws = aws_with(made(root(A)))
    done = Run(wanted(A, state="absent"), aws)
    (warning,) = done.plan.warnings
    assert A in warning
    assert "consumer_role_name is not set." in warning
    assert done.key["unseen_accounts"] == [{"account_id": A, "reason": "consumer_role_name is not set."}]
    assert aws.assumed == []


def test_ten_accounts_that_need_a_key_are_named_and_the_others_counted() -> None:
    volumes = {f"2{number:011d}": ("vol-1",) for number in range(12)}
    *named, more = warn_of_dependents(KEY.arn, ConsumerResources(by_account=volumes))
    assert [text.partition("revoked for ")[2][:12] for text in named] == [*volumes][:10]
    assert f"Access to {KEY.arn} is revoked for 2 more accounts with volumes or snapshots under it" in more
    assert len([*warn_of_dependents(KEY.arn, ConsumerResources(by_account={A: ("vol-1",), B: ()}))]) == 1
