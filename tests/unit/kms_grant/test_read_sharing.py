# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the sharing of the other images under a key."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.keys.needed import SharedUnderKey
from ansible_collections.golden.images.plugins.module_utils.kms_grant.read_sharing import read_shared
from ansible_collections.golden.images.plugins.module_utils.model import KeyRef, Sharing

from tests.unit.examples import ORG, OWNER, SOURCE_ID
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import consumers
from tests.unit.kms_grant.examples import A, B
from tests.unit.kms_grant.kms_in_memory import Ec2, World, refused, world
from tests.unit.kms_grant.runs import EU, US, planned, run, wanted, world_with_access
from tests.unit.wire import Wire

KEY, OTHER = key_arn("a", EU), key_arn("b", EU)
REF = KeyRef(EU, KEY)
LOSING = {REF: consumers(A)}


def to(*account_ids: str) -> list[dict[str, str]]:
    return [{"UserId": account_id} for account_id in account_ids]


def accounts(*account_ids: str) -> Sharing:
    return Sharing(account_ids=frozenset({OWNER, *account_ids}))


def with_images(**content: Any) -> tuple[World, Ec2]:
    aws = world(EU)
    aws.ec2_clients[EU] = ec2 = Ec2(**content)
    return aws, ec2


def shared(aws: World, **options: Any) -> SharedUnderKey:
    (found,) = read_shared(aws, wanted(B, **options), LOSING).values()  # type: ignore[arg-type]
    return found


def test_nothing_is_read_if_no_consumer_loses_access() -> None:
    aws = world(EU)
    assert read_shared(aws, wanted(A), {}) == {}  # type: ignore[arg-type]
    assert aws.opened == []
    run(aws, wanted(A))
    run(aws, wanted(A, purge=True))
    run(aws, wanted(B, present=False))
    assert "ec2" not in {service for service, _region in aws.opened}


def test_one_call_lists_the_images_and_one_their_keys() -> None:
    aws, ec2 = with_images(
        images={"ami-1": KEY, "ami-2": KEY, "ami-3": OTHER, "ami-4": None},
        launch={"ami-1": to(A), "ami-2": to(B), "ami-3": to(A), "ami-4": to(A)},
    )
    assert shared(aws) == SharedUnderKey({"ami-1": accounts(A), "ami-2": accounts(B)})
    assert ec2.calls[:2] == ["DescribeImages", "DescribeSnapshots"]
    # The launch permissions show that A needs the key: those of snapshots need not be read.
    assert sorted(ec2.calls[2:]) == ["DescribeImageAttribute ami-1", "DescribeImageAttribute ami-2"]


def test_permissions_of_snapshots_are_read_if_launch_permissions_do_not_settle_it() -> None:
    aws, ec2 = with_images(images={"ami-1": KEY}, volumes={"snap-of-ami-1": to(A)})
    assert shared(aws) == SharedUnderKey({"ami-1": accounts(A)})
    assert ec2.calls[2:] == ["DescribeImageAttribute ami-1", "DescribeSnapshotAttribute snap-of-ami-1"]


def test_images_that_the_access_is_for_do_not_count() -> None:
    content: dict[str, Any] = {
        "images": {"ami-1": KEY, "ami-2": KEY},
        "launch": {"ami-1": to(A), "ami-2": to(A)},
        "states": {"ami-1": "pending"},
    }
    aws, ec2 = with_images(**content)
    found = shared(
        aws, kms_key_ids={}, images={EU: "ami-1", US: None}, unshared_image_ids=frozenset({"ami-2"})
    )
    assert found == SharedUnderKey()
    assert ec2.calls == ["DescribeImages"]


@pytest.mark.parametrize(("state", "volumes"), [("disabled", to(A)), ("disabled", []), ("failed", [])])
def test_launch_permissions_that_cannot_exist_are_not_read(state: str, volumes: list[dict[str, str]]) -> None:
    aws, ec2 = with_images(images={"ami-1": KEY}, states={"ami-1": state}, volumes={"snap-of-ami-1": volumes})
    assert shared(aws) == SharedUnderKey({"ami-1": accounts(*(one["UserId"] for one in volumes))})
    assert "DescribeImageAttribute ami-1" not in ec2.calls


def test_a_pending_image_may_be_under_any_key() -> None:
    aws, _ec2 = with_images(images={"ami-1": KEY, "ami-2": OTHER}, states={"ami-2": "pending"})
    assert shared(aws).unread == ("ami-2 is pending.",)


def test_an_image_is_under_a_key_that_is_associated_with_its_snapshot() -> None:
    """botocore operation AssociateKmsKeyId: an independent way to access the snapshot's data."""
    aws, _ec2 = with_images(
        images={"ami-1": OTHER, "ami-2": KEY, "ami-3": OTHER},
        associated={"ami-1": [KEY]},
        launch={one: to(A) for one in ("ami-1", "ami-2", "ami-3")},
    )
    assert shared(aws).images_for(consumers(A)) == ("ami-1", "ami-2")


def test_a_volume_that_is_created_empty_is_under_no_key() -> None:
    aws, _ec2 = with_images(images={"ami-1": None}, with_empty=("ami-1",), launch={"ami-1": to(A)})
    assert shared(aws) == SharedUnderKey()


def test_an_image_whose_own_key_is_not_returned_may_be_under_any_key() -> None:
    aws, _ec2 = with_images(images={"ami-1": OTHER}, keyless=("ami-1",), launch={"ami-1": to(A)})
    assert shared(aws).images_for(consumers(A)) == ("ami-1",)


def test_an_image_whose_key_is_not_known_may_be_under_any_key(ec2: Wire) -> None:
    aws = world(EU)
    aws.ec2_clients[EU] = ec2.client
    device = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": "snap-1", "Encrypted": True}}
    item = {"ImageId": SOURCE_ID, "OwnerId": OWNER, "State": "available", "BlockDeviceMappings": [device]}
    ec2.expect(
        "describe_images",
        {
            "Filters": [],
            "Owners": ["self"],
            "IncludeDisabled": True,
            "IncludeDeprecated": True,
            "MaxResults": 1000,
        },
        {"Images": [item]},
    )
    ids = [{"Name": "snapshot-id", "Values": ["snap-1"]}]
    ec2.expect(
        "describe_snapshots", {"Filters": ids, "OwnerIds": ["self"], "MaxResults": 1000}, {"Snapshots": []}
    )
    ec2.expect(
        "describe_image_attribute",
        {"ImageId": SOURCE_ID, "Attribute": "launchPermission"},
        {"LaunchPermissions": [{"OrganizationArn": ORG}]},
    )
    assert shared(aws).images_for(consumers(A)) == (SOURCE_ID,)


@pytest.mark.parametrize(
    "operation",
    [
        "DescribeImages",
        "DescribeSnapshots",
        "DescribeImageAttribute",
        "DescribeSnapshotAttribute snap-of-ami-1",
    ],
)
def test_what_cannot_be_read_is_in_the_result(operation: str) -> None:
    aws, _ec2 = with_images(images={"ami-1": KEY}, refuse={operation: "UnauthorizedOperation"})
    (problem,) = shared(aws).unread
    assert problem.startswith(f"{operation.split(maxsplit=1)[0]}: No (UnauthorizedOperation). Allow ")


@pytest.mark.parametrize(
    ("code", "unread"),
    [("InvalidAMIID.NotFound", False), ("InvalidAMIID.Unavailable", True)],
)
def test_an_image_that_is_gone_is_not_shared(code: str, unread: bool) -> None:
    aws, _ec2 = with_images(images={"ami-1": KEY}, refuse={"DescribeImageAttribute": code})
    assert bool(shared(aws).unread) is unread


def test_an_image_that_was_deregistered_since_it_was_listed_is_not_shared() -> None:
    aws, ec2 = with_images(images={"ami-1": KEY}, launch={"ami-1": to(A)})

    def deregistered(**_parameters: str) -> dict[str, Any]:
        ec2.states["ami-1"] = "deregistered"
        raise refused("InvalidAMIID.Unavailable", "DescribeImageAttribute")

    ec2.describe_image_attribute = deregistered  # type: ignore[method-assign]
    found = shared(aws)
    assert (found.unread, found.sharing) == ((), {"ami-1": accounts()})


def test_other_regions_do_not_depend_on_one_that_cannot_be_read() -> None:
    aws = world_with_access(A, B)
    aws.ec2_clients[EU] = Ec2(refuse={"DescribeImages": "UnauthorizedOperation"})
    result, outcome = run(aws, wanted(B, regions=(EU, US), purge=True))
    assert [action.target.region for action in outcome.performed] == [US]  # type: ignore[attr-defined]
    kept = {one["region"]: one["kms_keys"][0]["kept_access"] for one in result["results"]}
    assert [one["principal"] for one in kept[EU]] == [A]
    assert (kept[US], outcome.failures) == ([], ())


def test_access_that_another_image_needs_is_kept() -> None:
    aws = world_with_access(A, regions=(EU,))
    aws.ec2_clients[EU] = Ec2(images={"ami-1": KEY}, launch={"ami-1": to(A)})
    result, outcome = run(aws, wanted(B, purge=True))
    assert [action.operation for action in outcome.performed] == ["CreateGrant"]  # type: ignore[attr-defined]
    (key,) = result["results"][0]["kms_keys"]
    assert [(one["principal"], one["image_ids"]) for one in key["kept_access"]] == [(A, ["ami-1"])]
    _seen, plan = planned(aws, wanted(B, purge=True, revoke_in_use=True))
    assert [action.operation for action in plan.actions] == ["RevokeGrant"]  # type: ignore[attr-defined]
