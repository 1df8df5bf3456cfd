# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked about the Recycle Bin, and until when is waited for what was taken out."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import OwnSnapshot
from ansible_collections.golden.images.plugins.module_utils.restore import read_recycle_bin as recycle_bin

from ..wire import Wire

BY_ID = [{"Name": "snapshot-id", "Values": ["snap-1", "snap-2"]}]


def test_what_is_in_the_bin_is_read_page_by_page(ec2: Wire) -> None:
    first = {"SnapshotId": "snap-1", "Description": "Copied"}
    ec2.expect(
        "list_snapshots_in_recycle_bin", {"MaxResults": 1000}, {"Snapshots": [first], "NextToken": "t"}
    )
    ec2.expect(
        "list_snapshots_in_recycle_bin",
        {"MaxResults": 1000, "NextToken": "t"},
        {"Snapshots": [{"SnapshotId": "snap-2"}]},
    )
    assert recycle_bin.binned_snapshots(ec2.client) == {"snap-1": "Copied", "snap-2": ""}


def test_snapshots_that_exist_with_their_tags_and_tiers(ec2: Wire) -> None:
    shown = {
        "SnapshotId": "snap-2",
        "Description": "d",
        "StorageTier": "archive",
        "Tags": [{"Key": "k", "Value": "v"}],
    }
    request = {"OwnerIds": ["self"], "Filters": BY_ID, "MaxResults": 1000}
    ec2.expect("describe_snapshots", request, {"Snapshots": [shown]})
    assert recycle_bin.standing_snapshots(ec2.client, ["snap-1", "snap-2"]) == {
        "snap-2": OwnSnapshot("snap-2", "d", {"k": "v"}, archived=True)
    }


def test_of_no_snapshots_nothing_is_asked(ec2: Wire) -> None:
    assert recycle_bin.standing_snapshots(ec2.client, []) == {}


def test_restored_snapshots_are_waited_for(ec2: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    naps = _naps(monkeypatch)
    for states in ([], ["pending", "completed"], ["completed", "completed"]):
        shown = [{"SnapshotId": "snap-1", "State": state} for state in states]
        ec2.expect("describe_snapshots", {"Filters": BY_ID}, {"Snapshots": shown})
    recycle_bin.await_snapshots(ec2.client, ["snap-1", "snap-2"])
    assert naps == [3, 3]


def test_a_restored_image_is_waited_for(ec2: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    naps = _naps(monkeypatch)
    request = {"ImageIds": ["ami-1"], "IncludeDisabled": True, "IncludeDeprecated": True}
    ec2.refuse("describe_images", request, "InvalidAMIID.NotFound")
    ec2.expect("describe_images", request, {"Images": [{"ImageId": "ami-1"}]})
    recycle_bin.await_image(ec2.client, "ami-1")
    assert naps == [3]


def test_before_it_is_shared_an_image_is_enabled(ec2: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    naps = _naps(monkeypatch)
    request = {"ImageIds": ["ami-1"], "IncludeDisabled": True, "IncludeDeprecated": True}
    for state in ("disabled", "available"):
        ec2.expect("describe_images", request, {"Images": [{"ImageId": "ami-1", "State": state}]})
    recycle_bin.await_available(ec2.client, "ami-1")
    assert naps == [3]


def _naps(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The seconds that a waiter would sleep."""
    naps: list[Any] = []
    monkeypatch.setattr("botocore.waiter.time.sleep", naps.append)
    return naps
