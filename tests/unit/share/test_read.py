# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_share`` asks AWS of each image, and of which images it asks no more."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.model import Sharing
from ansible_collections.golden.images.plugins.module_utils.share.flow import read_state
from ansible_collections.golden.images.plugins.module_utils.share.plan import Shared

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, SOURCE_REGION, STRANGER, place
from tests.unit.share.examples import IMAGE, PUBLIC, REGION, wanted, with_accounts
from tests.unit.wire import Wire

ARN = f"arn:aws:iam::{OWNER}:user/build"
FOR_CONSUMER = with_accounts(CONSUMER)


@pytest.fixture
def sts() -> Iterator[Wire]:
    with Wire("sts").spoken() as wire:
        wire.expect("get_caller_identity", {}, {"UserId": "u", "Account": OWNER, "Arn": ARN})
        yield wire


@pytest.fixture
def ec2() -> Iterator[Wire]:
    with Wire("ec2").spoken() as wire:
        yield wire


def read_shared(sts: Wire, ec2: Wire, **changes: Any) -> Shared:
    """What is seen of the one region."""
    clients = SimpleNamespace(
        default_region=REGION,
        open=lambda _service, _regions: None,
        sts=lambda _region: sts.client,
        ec2=lambda _region: ec2.client,
    )
    want = wanted(**{"sharing": FOR_CONSUMER, **changes})
    return read_state(clients, want).images[place(REGION)]  # type: ignore[arg-type]


def expect_image(ec2: Wire, image_id: str = IMAGE, owner_id: str = OWNER, found: bool = True) -> None:
    """Expect the question for an image, and find one with two volumes, or none."""
    devices = [
        {"DeviceName": f"/dev/sd{letter}", "Ebs": {"SnapshotId": f"snap-{letter}", "Encrypted": False}}
        for letter in ("a", "b")
    ]
    item = {"ImageId": image_id, "OwnerId": owner_id, "State": "available", "BlockDeviceMappings": devices}
    request = {"ImageIds": [image_id], "IncludeDisabled": True, "IncludeDeprecated": True}
    if found:
        ec2.expect("describe_images", request, {"Images": [item]})
    else:
        ec2.refuse("describe_images", request, "InvalidAMIID.NotFound")


def expect_volumes(ec2: Wire) -> None:
    """Expect the question for each snapshot's permissions; the consumer has those of the first."""
    for snapshot_id, who in (("snap-a", [{"UserId": CONSUMER}]), ("snap-b", [])):
        request = {"SnapshotId": snapshot_id, "Attribute": "createVolumePermission"}
        ec2.expect("describe_snapshot_attribute", request, {"CreateVolumePermissions": who})


def expect_launch(ec2: Wire) -> None:
    """Expect the question for the image's permissions, which are the consumer's."""
    request = {"ImageId": IMAGE, "Attribute": "launchPermission"}
    ec2.expect("describe_image_attribute", request, {"LaunchPermissions": [{"UserId": CONSUMER}]})


def test_an_image_with_its_snapshots(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2)
    expect_volumes(ec2)
    expect_launch(ec2)
    shared = read_shared(sts, ec2)
    assert shared.image.image_id == IMAGE
    assert shared.launch == FOR_CONSUMER
    assert shared.volumes == {"snap-a": FOR_CONSUMER, "snap-b": Sharing()}
    assert (shared.image_block, shared.snapshot_block) == (None, None)


def test_snapshots_that_are_not_to_be_shared_are_not_asked_about(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2)
    expect_launch(ec2)
    assert read_shared(sts, ec2, share_snapshots=False).volumes == {}


@pytest.mark.parametrize("share_snapshots", [True, False])
def test_before_publishing_what_blocks_it_is_read(sts: Wire, ec2: Wire, share_snapshots: bool) -> None:
    expect_image(ec2)
    if share_snapshots:
        expect_volumes(ec2)
    expect_launch(ec2)
    ec2.expect("get_image_block_public_access_state", {}, {"ImageBlockPublicAccessState": "unblocked"})
    if share_snapshots:
        ec2.expect("get_snapshot_block_public_access_state", {}, {"State": "block-all-sharing"})
    shared = read_shared(sts, ec2, sharing=PUBLIC, share_snapshots=share_snapshots)
    assert shared.image_block == "unblocked"
    assert shared.snapshot_block == ("block-all-sharing" if share_snapshots else None)


def test_of_another_accounts_image_no_permissions_are_asked(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2, owner_id=STRANGER)
    assert read_shared(sts, ec2).image.owner_id == STRANGER


def test_an_image_that_is_not_there_is_refused(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2, found=False)
    with pytest.raises(Refused) as caught:
        read_shared(sts, ec2)
    (failure,) = caught.value.failures
    assert failure.error_code == "image_not_found"
    assert (failure.region, failure.account_id) == (REGION, OWNER)
    assert IMAGE in failure.message


def test_what_aws_refuses_to_tell_is_refused_with_its_region(sts: Wire, ec2: Wire) -> None:
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


def test_a_planned_copy_has_its_sources_volumes(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2, SOURCE_ID)
    shared = read_shared(sts, ec2, **NOT_THERE_YET)
    assert not shared.exists
    assert shared.volumes == {"snap-a": Sharing(), "snap-b": Sharing()}


def test_of_a_planned_copy_of_an_unnamed_source_nothing_is_asked(sts: Wire, ec2: Wire) -> None:
    assert read_shared(sts, ec2, images={REGION: None}).volumes == {}


def test_a_planned_copys_snapshots_are_left_alone_where_they_are_not_to_be_shared(
    sts: Wire, ec2: Wire
) -> None:
    expect_image(ec2, SOURCE_ID)
    assert read_shared(sts, ec2, share_snapshots=False, **NOT_THERE_YET).volumes == {}


def test_a_source_that_is_not_there_is_refused_rather_than_left_out(sts: Wire, ec2: Wire) -> None:
    # Without its devices the plan would promise too little.
    expect_image(ec2, SOURCE_ID, found=False)
    with pytest.raises(Refused) as caught:
        read_shared(sts, ec2, **NOT_THERE_YET)
    (failure,) = caught.value.failures
    assert failure.error_code == "image_not_found"
    assert (failure.region, failure.account_id) == (SOURCE_REGION, OWNER)
    assert SOURCE_ID in failure.message


def test_a_source_that_aws_refuses_to_show_is_refused(sts: Wire, ec2: Wire) -> None:
    request = {"ImageIds": [SOURCE_ID], "IncludeDisabled": True, "IncludeDeprecated": True}
    ec2.refuse("describe_images", request, "UnauthorizedOperation")
    with pytest.raises(Refused) as caught:
        read_shared(sts, ec2, **NOT_THERE_YET)
    (failure,) = caught.value.failures
    assert (failure.error_code, failure.action) == ("UnauthorizedOperation", "DescribeImages")


def test_a_source_that_no_null_image_needs_is_not_asked_for(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2)
    expect_launch(ec2)
    shared = read_shared(
        sts, ec2, share_snapshots=False, source_image_id=SOURCE_ID, source_region=SOURCE_REGION
    )
    assert shared.exists


def test_of_single_snapshots_only_those_are_asked_for(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2)
    request = {"SnapshotId": "snap-b", "Attribute": "createVolumePermission"}
    ec2.expect("describe_snapshot_attribute", request, {"CreateVolumePermissions": []})
    expect_launch(ec2)
    shared = read_shared(sts, ec2, present=False, snapshot_ids=frozenset({"snap-b"}))
    assert shared.volumes == {"snap-b": Sharing()}


def test_a_snapshot_of_none_of_the_images_is_refused(sts: Wire, ec2: Wire) -> None:
    expect_image(ec2)
    expect_launch(ec2)
    with pytest.raises(Refused, match="snap-z is of none of the images"):
        read_shared(sts, ec2, present=False, snapshot_ids=frozenset({"snap-z"}))
