# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_shared_info`` reads and returns, also without all permissions."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.runner import Outcome
from ansible_collections.golden.images.plugins.module_utils.shared_info import flow
from ansible_collections.golden.images.plugins.module_utils.shared_info.state import (
    SharedInfoSeen,
    SharedInfoWanted,
)

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID
from tests.unit.wire import Wire

HERE = "eu-west-1"
REGIONS = [{"RegionName": HERE, "OptInStatus": "opt-in-not-required"}]
DEVICE = {"DeviceName": "/dev/sda", "Ebs": {"SnapshotId": "snap-a", "Encrypted": True}}
IMAGE = {"ImageId": SOURCE_ID, "OwnerId": OWNER, "State": "available", "BlockDeviceMappings": [DEVICE]}
WANTED = SharedInfoWanted(("self",))


@pytest.fixture
def sts() -> Iterator[Wire]:
    arn = f"arn:aws:iam::{CONSUMER}:user/me"
    with Wire("sts").spoken() as wire:
        wire.expect("get_caller_identity", {}, {"UserId": "u", "Account": CONSUMER, "Arn": arn})
        yield wire


@pytest.fixture
def ec2() -> Iterator[Wire]:
    with Wire("ec2").spoken() as wire:
        yield wire


def read(sts: Wire, ec2: Wire, wanted: SharedInfoWanted = WANTED) -> SharedInfoSeen:
    clients = SimpleNamespace(
        default_region=HERE,
        partition_of=lambda region: "aws" if region == HERE else None,
        open=lambda _service, _regions: None,
        sts=lambda _region: sts.client,
        ec2=lambda _region: ec2.client,
        kms=lambda _region: None,
    )
    return flow.read_state(clients, wanted)  # type: ignore[arg-type]


def returned(wanted: SharedInfoWanted, seen: SharedInfoSeen) -> tuple[Outcome, dict[str, Any]]:
    plan = flow.plan(wanted, seen)
    assert plan.actions == ()
    outcome = flow.apply(None, wanted, seen, plan, print)  # type: ignore[arg-type]
    return outcome, flow.result(wanted, seen, plan, outcome)


def expect_images(ec2: Wire, *images: dict[str, Any]) -> None:
    ec2.expect("describe_regions", {"AllRegions": True}, {"Regions": REGIONS})
    request = {"ExecutableUsers": ["self"], "Filters": [], "IncludeDeprecated": True, "MaxResults": 1000}
    ec2.expect("describe_images", request, {"Images": [*images]})


SNAPSHOTS = {
    "RestorableByUserIds": ["self"],
    "Filters": [{"Name": "snapshot-id", "Values": ["snap-a"]}],
    "MaxResults": 1000,
}


def test_images_are_returned_if_their_snapshots_cannot_be_read(sts: Wire, ec2: Wire) -> None:
    expect_images(ec2, IMAGE)
    ec2.refuse("describe_snapshots", SNAPSHOTS, "UnauthorizedOperation", "Not you.")
    outcome, result = returned(WANTED, read(sts, ec2))
    assert outcome.failures == ()
    (found,) = result["results"]
    assert (found["image_id"], found["key_access"]) == (SOURCE_ID, "unknown")
    assert "Allow DescribeSnapshots" in found["key_access_reason"]


def test_snapshots_of_own_and_unencrypted_images_are_not_read(sts: Wire, ec2: Wire) -> None:
    expect_images(
        ec2, {**IMAGE, "BlockDeviceMappings": []}, {**IMAGE, "OwnerId": CONSUMER, "ImageId": "ami-mine"}
    )
    _outcome, result = returned(WANTED, read(sts, ec2))
    assert [(one["image_id"], one["key_access"]) for one in result["results"]] == [(SOURCE_ID, "not_needed")]
    assert (result["account_id"], result["regions"]) == (CONSUMER, [HERE])


def test_keys_are_not_read_without_check_key_access(sts: Wire, ec2: Wire) -> None:
    wanted = SharedInfoWanted(("self",), check_key_access=False)
    expect_images(ec2, IMAGE)
    _outcome, result = returned(wanted, read(sts, ec2, wanted))
    assert [one["key_access"] for one in result["results"]] == ["unknown"]


def test_a_region_that_cannot_be_read_is_a_failure(sts: Wire, ec2: Wire) -> None:
    ec2.expect("describe_regions", {"AllRegions": True}, {"Regions": REGIONS})
    request = {"ExecutableUsers": ["self"], "Filters": [], "IncludeDeprecated": True, "MaxResults": 1000}
    ec2.refuse("describe_images", request, "UnauthorizedOperation")
    outcome, result = returned(WANTED, read(sts, ec2))
    assert [(one.region, one.account_id, one.error_code) for one in outcome.failures] == [
        (HERE, CONSUMER, "UnauthorizedOperation")
    ]
    assert (result["regions"], result["results"]) == ([], [])


def test_the_module_stops_if_the_regions_cannot_be_listed(sts: Wire, ec2: Wire) -> None:
    ec2.refuse("describe_regions", {"AllRegions": True}, "UnauthorizedOperation")
    with pytest.raises(Refused) as caught:
        read(sts, ec2)
    assert [failure.action for failure in caught.value.failures] == ["DescribeRegions"]


def test_unknown_regions_are_refused(sts: Wire, ec2: Wire) -> None:
    ec2.expect("describe_regions", {"AllRegions": True}, {"Regions": REGIONS})
    with pytest.raises(Refused) as caught:
        read(sts, ec2, SharedInfoWanted(("self",), regions=("mars-1",)))
    assert [failure.action for failure in caught.value.failures] == ["regions"]
