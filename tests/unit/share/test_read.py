# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_share`` reads about each image."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import attempts
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.model import PublicAccessBlock, Sharing
from ansible_collections.golden.images.plugins.module_utils.share.flow import read_state
from ansible_collections.golden.images.plugins.module_utils.share.state import Shared

from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, SOURCE_REGION, STRANGER, target_in
from tests.unit.share.examples import (
    IMAGE,
    PUBLIC,
    REGION,
    clients_of,
    expect_caller,
    expect_image,
    expect_launch,
    wanted,
    with_accounts,
)
from tests.unit.wire import Wire

FOR_CONSUMER = with_accounts(CONSUMER)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, attempts)


def read_shared(sts: Wire, ec2: Wire, **changes: Any) -> Shared:
    """The state of the only region."""
    want = wanted(**{"sharing": FOR_CONSUMER, **changes})
    expect_caller(sts)
    return read_state(clients_of(sts, ec2), want).images[target_in(REGION)]


def expect_volumes(ec2: Wire) -> None:
    """Expect the question for each snapshot's permissions; the consumer has those of the first."""
    for snapshot_id, who in (("snap-a", [{"UserId": CONSUMER}]), ("snap-b", [])):
        request = {"SnapshotId": snapshot_id, "Attribute": "createVolumePermission"}
        ec2.expect("describe_snapshot_attribute", request, {"CreateVolumePermissions": who})


def test_image_with_its_snapshots(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2)
    expect_volumes(ec2)
    expect_launch(ec2, CONSUMER)
    shared = read_shared(sts, ec2)
    assert shared.image.image_id == IMAGE
    assert shared.launch == FOR_CONSUMER
    assert shared.volume_permissions == {"snap-a": FOR_CONSUMER, "snap-b": Sharing()}
    assert (shared.image_block, shared.snapshot_block) == (None, None)


def test_volume_permissions_are_not_read_without_share_snapshots(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2)
    expect_launch(ec2, CONSUMER)
    assert read_shared(sts, ec2, share_snapshots=False).volume_permissions == {}


def test_volume_permissions_are_read_for_a_purge_without_share_snapshots(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2)
    expect_volumes(ec2)
    expect_launch(ec2, CONSUMER)
    found = read_shared(sts, ec2, share_snapshots=False, purge=True)
    assert found.volume_permissions == {"snap-a": FOR_CONSUMER, "snap-b": Sharing()}


@pytest.mark.parametrize("share_snapshots", [True, False])
def test_block_public_access_is_read_for_public_sharing(sts: Wire, ec2: Wire, share_snapshots: bool) -> None:
    expect_image(ec2)
    if share_snapshots:
        expect_volumes(ec2)
    expect_launch(ec2, CONSUMER)
    ec2.expect("get_image_block_public_access_state", {}, {"ImageBlockPublicAccessState": "unblocked"})
    if share_snapshots:
        ec2.expect("get_snapshot_block_public_access_state", {}, {"State": "block-all-sharing"})
    shared = read_shared(sts, ec2, sharing=PUBLIC, share_snapshots=share_snapshots)
    assert shared.image_block == PublicAccessBlock("unblocked")
    assert shared.snapshot_block == (PublicAccessBlock("block-all-sharing") if share_snapshots else None)


def test_permissions_of_another_accounts_image_are_not_read(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2, owner_id=STRANGER)
    assert read_shared(sts, ec2).image.owner_id == STRANGER


def test_an_image_to_unshare_is_read_once(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2, found=False)
    with pytest.raises(Refused):
        read_shared(sts, ec2, present=False)


@pytest.mark.usefixtures("clock")
def test_missing_image_is_refused(sts: Wire, ec2: Wire) -> None:
    for _number in range(16):
        expect_image(ec2, found=False)
    with pytest.raises(Refused) as caught:
        read_shared(sts, ec2)
    (failure,) = caught.value.failures
    assert failure.error_code == "image_not_found"
    assert (failure.region, failure.account_id) == (REGION, OWNER)
    assert IMAGE in failure.message


def test_failed_read_is_refused_with_its_region(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2)
    expect_volumes(ec2)
    request = {"ImageId": IMAGE, "Attribute": "launchPermission"}
    ec2.refuse("describe_image_attribute", request, "UnauthorizedOperation")
    with pytest.raises(Refused) as caught:
        read_shared(sts, ec2)
    (failure,) = caught.value.failures
    assert (failure.error_code, failure.action, failure.region) == (
        "UnauthorizedOperation",
        "DescribeImageAttribute",
        REGION,
    )


NOT_THERE_YET: dict[str, Any] = {
    "images": {REGION: None},
    "source_image_id": SOURCE_ID,
    "source_region": SOURCE_REGION,
}


def test_planned_copy_has_the_volumes_of_its_source(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2, SOURCE_ID)
    shared = read_shared(sts, ec2, **NOT_THERE_YET)
    assert not shared.exists
    assert shared.volume_permissions == {"snap-a": Sharing(), "snap-b": Sharing()}


def test_planned_copy_without_a_source_needs_no_read(sts: Wire, ec2: Wire) -> None:
    assert read_shared(sts, ec2, images={REGION: None}).volume_permissions == {}


def test_planned_copy_has_no_volumes_without_share_snapshots(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2, SOURCE_ID)
    assert read_shared(sts, ec2, share_snapshots=False, **NOT_THERE_YET).volume_permissions == {}


def test_planned_copy_has_volumes_for_a_purge_without_share_snapshots(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2, SOURCE_ID)
    shared = read_shared(sts, ec2, share_snapshots=False, purge=True, **NOT_THERE_YET)
    assert shared.volume_permissions == {"snap-a": Sharing(), "snap-b": Sharing()}


def test_missing_source_is_refused(sts: Wire, ec2: Wire) -> None:
    # Without its devices the plan would promise too little.
    expect_image(ec2, SOURCE_ID, found=False)
    with pytest.raises(Refused) as caught:
        read_shared(sts, ec2, **NOT_THERE_YET)
    (failure,) = caught.value.failures
    assert failure.error_code == "image_not_found"
    assert (failure.region, failure.account_id) == (SOURCE_REGION, OWNER)
    assert SOURCE_ID in failure.message


def test_unreadable_source_is_refused(sts: Wire, ec2: Wire) -> None:
    request = {"ImageIds": [SOURCE_ID], "IncludeDisabled": True, "IncludeDeprecated": True}
    ec2.refuse("describe_images", request, "UnauthorizedOperation")
    with pytest.raises(Refused) as caught:
        read_shared(sts, ec2, **NOT_THERE_YET)
    (failure,) = caught.value.failures
    assert (failure.error_code, failure.action) == ("UnauthorizedOperation", "DescribeImages")


def test_source_is_read_only_for_planned_copies(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2)
    expect_launch(ec2, CONSUMER)
    shared = read_shared(
        sts, ec2, share_snapshots=False, source_image_id=SOURCE_ID, source_region=SOURCE_REGION
    )
    assert shared.exists


def test_snapshots_without_an_image(sts: Wire, ec2: Wire) -> None:
    listed = {"OwnerIds": ["self"], "Filters": [{"Name": "snapshot-id", "Values": ["snap-a", "snap-b"]}]}
    found = [
        {"SnapshotId": one, "State": "completed", "Progress": "100%", "Encrypted": False}
        for one in ("snap-a", "snap-b")
    ]
    ec2.expect("describe_snapshots", {**listed, "MaxResults": 1000}, {"Snapshots": found})
    expect_volumes(ec2)
    shared = read_shared(sts, ec2, images={}, present=False, snapshots={REGION: ("snap-b", "snap-a")})
    assert shared.volume_permissions == {"snap-a": FOR_CONSUMER, "snap-b": Sharing()}
    assert (shared.image.image_id, shared.launch) == ("", Sharing())


def test_a_snapshot_of_another_account_is_refused(sts: Wire, ec2: Wire) -> None:
    listed = {"OwnerIds": ["self"], "Filters": [{"Name": "snapshot-id", "Values": ["snap-a"]}]}
    ec2.expect("describe_snapshots", {**listed, "MaxResults": 1000}, {"Snapshots": []})
    with pytest.raises(Refused, match="snap-a is not a snapshot of account") as caught:
        read_shared(sts, ec2, images={}, present=False, snapshots={REGION: ("snap-a",)})
    assert [failure.error_code for failure in caught.value.failures] == ["snapshot_not_found"]


def test_only_the_named_snapshots_are_read(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2)
    request = {"SnapshotId": "snap-b", "Attribute": "createVolumePermission"}
    ec2.expect("describe_snapshot_attribute", request, {"CreateVolumePermissions": []})
    expect_launch(ec2, CONSUMER)
    shared = read_shared(sts, ec2, present=False, snapshot_ids=frozenset({"snap-b"}))
    assert shared.volume_permissions == {"snap-b": Sharing()}
