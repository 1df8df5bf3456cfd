# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the Recycle Bin, and waiting for what is restored from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.errors import IncompleteAnswer
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import OwnSnapshot
from ansible_collections.golden.images.plugins.module_utils.restore import read_recycle_bin as recycle_bin

from ..wire import Wire

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BY_ID = [{"Name": "snapshot-id", "Values": ["snap-1", "snap-2"]}]


def test_the_recycle_bin_is_read_page_by_page(ec2: Wire) -> None:
    first = {"SnapshotId": "snap-1", "Description": "Copied"}
    ec2.expect(
        "list_snapshots_in_recycle_bin", {"MaxResults": 1000}, {"Snapshots": [first], "NextToken": "t"}
    )
    ec2.expect(
        "list_snapshots_in_recycle_bin",
        {"MaxResults": 1000, "NextToken": "t"},
        {"Snapshots": [{"SnapshotId": "snap-2"}]},
    )
    assert recycle_bin.binned_snapshots(ec2.client, NOW) == {"snap-1": "Copied", "snap-2": ""}


def test_a_snapshot_whose_retention_has_expired_is_not_in_the_recycle_bin(ec2: Wire) -> None:
    """Whatever AWS still lists: it cannot be restored (botocore shape SnapshotRecycleBinInfo)."""
    exits = {"snap-1": NOW, "snap-2": NOW + timedelta(seconds=1)}
    listed = [{"SnapshotId": one, "RecycleBinExitTime": at} for one, at in exits.items()]
    ec2.expect("list_snapshots_in_recycle_bin", {"MaxResults": 1000}, {"Snapshots": listed})
    assert recycle_bin.binned_snapshots(ec2.client, NOW) == {"snap-2": ""}


def test_images_have_the_tags_of_the_user_if_aws_returns_any(ec2: Wire) -> None:
    request = {
        "Filters": [{"Name": "resource-id", "Values": ["ami-1", "ami-2", "ami-3"]}],
        "MaxResults": 1000,
    }
    in_bin = {"Key": "aws:recycle-bin:resource-in-bin", "Value": "true"}
    first = [{"ResourceId": "ami-1", "Key": "a", "Value": "1"}, {"ResourceId": "ami-1", **in_bin}]
    second = [{"ResourceId": "ami-3", **in_bin}, {"ResourceId": "ami-1", "Key": "b"}]
    ec2.expect("describe_tags", request, {"Tags": first, "NextToken": "t"})
    ec2.expect("describe_tags", {**request, "NextToken": "t"}, {"Tags": second})
    found = recycle_bin.binned_tags(ec2.client, ["ami-1", "ami-2", "ami-3"])
    assert found == {"ami-1": {"a": "1", "b": ""}, "ami-3": {}}


def test_tags_that_aws_does_not_show_are_not_known(ec2: Wire) -> None:
    request = {"Filters": [{"Name": "resource-id", "Values": ["ami-1"]}], "MaxResults": 1000}
    ec2.refuse("describe_tags", request, "UnauthorizedOperation")
    assert recycle_bin.binned_tags(ec2.client, ["ami-1"]) == {}


def test_no_request_without_images(ec2: Wire) -> None:
    assert recycle_bin.binned_tags(ec2.client, []) == {}


def test_existing_snapshots_have_their_tags_and_tiers(ec2: Wire) -> None:
    shown = {
        "SnapshotId": "snap-2",
        "Description": "d",
        "StorageTier": "archive",
        "Tags": [{"Key": "k", "Value": "v"}],
    }
    request = {"OwnerIds": ["self"], "Filters": BY_ID, "MaxResults": 1000}
    ec2.expect("describe_snapshots", request, {"Snapshots": [shown]})
    assert recycle_bin.existing_snapshots(ec2.client, ["snap-1", "snap-2"]) == {
        "snap-2": OwnSnapshot("snap-2", "d", {"k": "v"}, archived=True)
    }


def test_a_temporarily_restored_snapshot_is_archived(ec2: Wire) -> None:
    until = datetime(2027, 1, 2, tzinfo=UTC)
    shown = {"SnapshotId": "snap-1", "StorageTier": "standard", "RestoreExpiryTime": until}
    request = {"OwnerIds": ["self"], "Filters": BY_ID, "MaxResults": 1000}
    ec2.expect("describe_snapshots", request, {"Snapshots": [shown]})
    assert recycle_bin.existing_snapshots(ec2.client, ["snap-1", "snap-2"]) == {
        "snap-1": OwnSnapshot("snap-1", archived=True, restored_until=until)
    }


@pytest.mark.parametrize(("archiving", "archived"), [(("snap-1", "snap-9"), True), (("snap-9",), False)])
def test_a_snapshot_that_is_being_archived_is_archived(
    ec2: Wire, archiving: tuple[str, ...], archived: bool
) -> None:
    """EBS User Guide, "Archive an Amazon EBS snapshot": it can be used until the archival is complete."""
    request = {"OwnerIds": ["self"], "Filters": BY_ID, "MaxResults": 1000}
    ec2.expect("describe_snapshots", request, {"Snapshots": [{"SnapshotId": "snap-1"}]})
    found = recycle_bin.existing_snapshots(ec2.client, ["snap-1", "snap-2"], archiving)
    assert found == {"snap-1": OwnSnapshot("snap-1", archived=archived)}


def test_no_request_without_snapshots(ec2: Wire) -> None:
    assert recycle_bin.existing_snapshots(ec2.client, []) == {}


def test_wait_until_restored_snapshots_are_complete(ec2: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    delays = _delays(monkeypatch)
    for states in ([], ["pending", "completed"], ["completed", "completed"]):
        shown = [{"SnapshotId": "snap-1", "State": state} for state in states]
        ec2.expect("describe_snapshots", {"OwnerIds": ["self"], "Filters": BY_ID}, {"Snapshots": shown})
    recycle_bin.wait_for_snapshots(ec2.client, ["snap-1", "snap-2"])
    assert delays == [3, 3]


def test_wait_until_a_restored_image_is_listed(ec2: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    delays = _delays(monkeypatch)
    request = {"ImageIds": ["ami-1"], "IncludeDisabled": True, "IncludeDeprecated": True}
    ec2.refuse("describe_images", request, "InvalidAMIID.NotFound")
    ec2.expect("describe_images", request, {"Images": [{"ImageId": "ami-1"}]})
    recycle_bin.wait_for_image(ec2.client, "ami-1")
    assert delays == [3]


def test_wait_until_an_enabled_image_is_available(ec2: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    delays = _delays(monkeypatch)
    request = {"ImageIds": ["ami-1"], "IncludeDisabled": True, "IncludeDeprecated": True}
    for state in ("disabled", "available"):
        ec2.expect("describe_images", request, {"Images": [{"ImageId": "ami-1", "State": state}]})
    recycle_bin.wait_until_available(ec2.client, "ami-1")
    assert delays == [3]


def _delays(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The seconds that a waiter would wait."""
    delays: list[Any] = []
    monkeypatch.setattr("botocore.waiter.time.sleep", delays.append)
    return delays


@pytest.mark.parametrize(("answer", "member"), [({}, "Snapshots"), ({"Snapshots": [{}]}, "SnapshotId")])
def test_an_incomplete_response_is_no_lost_snapshot(ec2: Wire, answer: dict[str, Any], member: str) -> None:
    ec2.expect("list_snapshots_in_recycle_bin", {"MaxResults": 1000}, answer)
    with pytest.raises(IncompleteAnswer, match=f"ListSnapshotsInRecycleBin lacks {member}"):
        recycle_bin.binned_snapshots(ec2.client, NOW)
    request = {"OwnerIds": ["self"], "Filters": BY_ID, "MaxResults": 1000}
    ec2.expect("describe_snapshots", request, answer)
    with pytest.raises(IncompleteAnswer, match=f"DescribeSnapshots lacks {member}"):
        recycle_bin.existing_snapshots(ec2.client, ["snap-1", "snap-2"])


def test_what_is_public_and_what_could_not_be_read(ec2: Wire) -> None:
    of_image = {"ImageId": "ami-1", "Attribute": "launchPermission"}
    public = [{"Group": "all"}]
    ec2.expect("describe_image_attribute", of_image, {"LaunchPermissions": public})
    for snapshot, entries in (("snap-1", [{"UserId": "222222222222"}]), ("snap-2", public)):
        request = {"SnapshotId": snapshot, "Attribute": "createVolumePermission"}
        ec2.expect("describe_snapshot_attribute", request, {"CreateVolumePermissions": entries})
    unread = {"SnapshotId": "snap-3", "Attribute": "createVolumePermission"}
    ec2.refuse("describe_snapshot_attribute", unread, "UnauthorizedOperation")
    found = recycle_bin.public_resources(ec2.client, ["ami-1", "snap-1", "snap-2", "snap-3"])
    assert found == (["ami-1", "snap-2"], ["snap-3"])
