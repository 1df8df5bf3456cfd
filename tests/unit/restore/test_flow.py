# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_restore`` reads, performs and returns, also if AWS refuses a call."""

from __future__ import annotations

import io
import json
from collections import Counter
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import PublicAccessBlock, Sharing
from ansible_collections.golden.images.plugins.module_utils._restore.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._restore.options import RestoreOptions
from ansible_collections.golden.images.plugins.module_utils._restore.state import (
    RestoreState,
)
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome
from botocore.response import StreamingBody

from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, OWNER, STRANGER
from tests.unit.restore.examples import DATED, REF, record
from tests.unit.wire import Wire

AMI, SNAPSHOT = REF.image_id, "snap-1"
IMAGES = {REF: None}
NAMED = {
    "Filters": [{"Name": "image-id", "Values": [AMI]}],
    "IncludeDisabled": True,
    "IncludeDeprecated": True,
    "MaxResults": 1000,
}
BY_ID = [{"Name": "snapshot-id", "Values": [SNAPSHOT]}]
TAGS = {"Filters": [{"Name": "resource-id", "Values": [AMI]}], "MaxResults": 1000}
BY_IMAGE_ID = {"ImageIds": [AMI], "IncludeDisabled": True, "IncludeDeprecated": True}
RESTORING = {"Key": "golden.images:restoring", "Value": DATED}
EBS = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": SNAPSHOT, "Encrypted": False}}]
SHOWN = {"ImageId": AMI, "OwnerId": OWNER, "State": "available", "BlockDeviceMappings": EBS}


class Clients:
    """The clients of one region, with scripted answers."""

    default_region = REF.region

    def __init__(self) -> None:
        self.wires = {service: Wire(service) for service in ("ec2", "s3", "ssm", "sts")}
        who = {"UserId": "u", "Account": OWNER, "Arn": f"arn:aws:iam::{OWNER}:user/build"}
        self.wires["sts"].expect("get_caller_identity", {}, who)

    def open(self, _service: str, regions: list[str]) -> None:
        assert regions == [REF.region]

    def partition_of(self, region: str) -> str:
        return "aws" if region == REF.region else "aws-cn"

    def client(self, service: str, _region: str) -> Any:
        return self.wires[service].client

    def ec2(self, _region: str) -> Any:
        return self.wires["ec2"].client

    def rate_limited(self, _operation: str) -> Clients:
        return self

    def ssm(self, _region: str) -> Any:
        return self.wires["ssm"].client

    def sts(self, _region: str) -> Any:
        return self.wires["sts"].client

    def read(self, wanted: RestoreOptions) -> RestoreState:
        """What is seen. Every scripted answer is used."""
        ec2, s3, ssm, sts = (self.wires[one] for one in ("ec2", "s3", "ssm", "sts"))
        with ec2.spoken(), s3.spoken(), ssm.spoken(), sts.spoken():
            return FLOW.read(self, wanted)

    def apply(self, wanted: RestoreOptions, seen: RestoreState) -> tuple[Outcome, dict[str, Any]]:
        """The outcome of the plan, and the module's return values."""
        plan: Any = FLOW.plan(wanted, seen)
        assert plan.refusals == ()
        with self.wires["ec2"].spoken():
            outcome = FLOW.apply(self, wanted, seen, plan, lambda _line: None)
        return outcome, FLOW.result(wanted, seen, plan, outcome)


@pytest.fixture
def clients() -> Clients:
    return Clients()


@pytest.fixture
def wanted(tmp_path: Path) -> RestoreOptions:
    """The image, with its tombstone in a file."""
    path = tmp_path / "retired.jsonl"
    path.write_text(f"{json.dumps(record())}\n\n{{half\n", encoding="utf-8")
    return RestoreOptions(images=IMAGES, tombstone_path=str(path))


def expect_registered(
    ec2: Wire,
    *launch: dict[str, str],
    block: str | None = None,
    **shown: Any,
) -> None:
    """Expect all reads of a registered image, with the state of block public access if it is read."""
    ec2.expect("describe_images", NAMED, {"Images": [{**SHOWN, **shown}]})
    if shown.get("State") == "disabled":
        asked = [{"Name": "last-tiering-operation", "Values": ["archival-in-progress"]}]
        request = {"Filters": asked, "MaxResults": 1000}
        ec2.expect("describe_snapshot_tier_status", request, {"SnapshotTierStatuses": []})
    own = {"OwnerIds": ["self"], "Filters": BY_ID, "MaxResults": 1000}
    ec2.expect("describe_snapshots", own, {"Snapshots": [{"SnapshotId": SNAPSHOT}]})
    if block:
        answer = {"ImageBlockPublicAccessState": block}
        ec2.expect("get_image_block_public_access_state", {}, answer)
    if shown.get("State") != "disabled":
        request = {"ImageId": AMI, "Attribute": "launchPermission"}
        ec2.expect("describe_image_attribute", request, {"LaunchPermissions": list(launch)})
    request = {"SnapshotId": SNAPSHOT, "Attribute": "createVolumePermission"}
    ec2.expect("describe_snapshot_attribute", request, {"CreateVolumePermissions": []})


def expect_binned(ec2: Wire, **shown: datetime) -> None:
    """Expect all reads of an image in the Recycle Bin with its snapshot."""
    ec2.expect("describe_images", NAMED, {"Images": []})
    image = {"ImageId": AMI, "RecycleBinEnterTime": datetime(2026, 11, 1, 1, tzinfo=UTC), **shown}
    ec2.expect("list_images_in_recycle_bin", {"MaxResults": 1000}, {"Images": [image]})
    binned = [{"SnapshotId": SNAPSHOT}, {"SnapshotId": "snap-other"}]
    if not shown:
        ec2.expect("describe_tags", TAGS, {"Tags": [{"ResourceId": AMI, "Key": "family", "Value": "web"}]})
    ec2.expect("list_snapshots_in_recycle_bin", {"MaxResults": 1000}, {"Snapshots": binned})
    own = {"OwnerIds": ["self"], "Filters": BY_ID, "MaxResults": 1000}
    ec2.expect("describe_snapshots", own, {"Snapshots": []})


def expect_restored(ec2: Wire, **shown: Any) -> None:
    """Expect the calls that restore the snapshot, then the image, and that tag it unless it is shown so."""
    ec2.expect("restore_snapshot_from_recycle_bin", {"SnapshotId": SNAPSHOT}, {})
    completed = {"Snapshots": [{"SnapshotId": SNAPSHOT, "State": "completed"}]}
    ec2.expect("describe_snapshots", {"OwnerIds": ["self"], "Filters": BY_ID}, completed)
    ec2.expect("restore_image_from_recycle_bin", {"ImageId": AMI}, {"Return": True})
    ec2.expect("describe_images", BY_IMAGE_ID, {"Images": [{**SHOWN, **shown}]})
    if not shown:
        ec2.expect("create_tags", {"Resources": [AMI], "Tags": [RESTORING]})


def test_a_missing_tombstone_file_is_refused_before_any_call(wanted: RestoreOptions, tmp_path: Path) -> None:
    asked = replace(wanted, tombstone_path=str(tmp_path / "missing"))
    with pytest.raises(ValidationError, match="does not exist") as caught:
        FLOW.read(None, asked)
    assert [failure.action for failure in caught.value.failures] == ["tombstone_path"]


def test_an_image_whose_retention_in_the_recycle_bin_has_expired_is_lost(
    clients: Clients, wanted: RestoreOptions
) -> None:
    """Nothing comes out of the Recycle Bin before it is known that all can."""
    expect_binned(clients.wires["ec2"], RecycleBinExitTime=datetime(2026, 11, 2, tzinfo=UTC))
    plan = FLOW.plan(wanted, clients.read(wanted))
    assert [one.error_code for one in plan.refusals] == ["image_lost"]
    assert plan.actions == ()


def test_launch_permissions_of_a_disabled_image_are_not_read(
    clients: Clients, wanted: RestoreOptions
) -> None:
    expect_registered(clients.wires["ec2"], State="disabled")
    seen = clients.read(wanted)
    assert seen.images[REF].image is not None
    assert seen.images[REF].volume_permissions == {SNAPSHOT: Sharing()}
    shared = seen.histories[REF].shared
    assert shared is not None
    assert shared.launch.account_ids == {CONSUMER}
    (unreadable,) = seen.unreadable
    assert unreadable.startswith("Line 3 of ")


class ManyImages(Clients):
    """The clients of a region with many images, each with a snapshot of its own.

    ``calls`` are the operations, each with that whose rate its client keeps, if any.
    """

    def __init__(self, image_ids: tuple[str, ...]) -> None:
        super().__init__()
        self.calls: list[tuple[str, str | None]] = []
        self._images = [
            {
                "ImageId": one,
                "OwnerId": OWNER,
                "State": "available",
                "BlockDeviceMappings": [
                    {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": one.replace("ami", "snap")}}
                ],
            }
            for one in image_ids
        ]
        self._pace: str | None = None

    def rate_limited(self, operation: str) -> Clients:
        paced = copy(self)
        paced._pace = operation
        return paced

    def ec2(self, _region: str) -> Any:
        client, pace = Wire("ec2").client, self._pace

        def call(operation: str, request: Any) -> Any:
            self.calls.append((operation, pace))
            if operation == "DescribeSnapshots":
                (named,) = request["Filters"]
                return {"Snapshots": [{"SnapshotId": one} for one in named["Values"]]}
            return {"Images": self._images, "LaunchPermissions": [], "CreateVolumePermissions": []}

        client._make_api_call = call
        return client


def test_many_images_are_read_at_the_rate_of_aws(wanted: RestoreOptions) -> None:
    """Snapshots in as few calls as possible, permissions by clients that keep the rate of each operation."""
    image_ids = tuple(f"ami-{number}" for number in range(3))
    clients = ManyImages(image_ids)
    many = replace(wanted, images={REF._replace(image_id=one): None for one in image_ids})
    seen = clients.read(many)
    assert [set(seen.images[one].volume_permissions) for one in many.images] == [
        {"snap-0"},
        {"snap-1"},
        {"snap-2"},
    ]
    assert Counter(clients.calls) == {
        ("DescribeImages", None): 1,
        ("DescribeSnapshots", None): 1,
        ("DescribeImageAttribute", "DescribeImageAttribute"): 3,
        ("DescribeSnapshotAttribute", "DescribeSnapshotAttribute"): 3,
    }


def test_volume_permissions_that_are_not_restored_are_not_read(clients: Clients) -> None:
    ec2 = clients.wires["ec2"]
    ec2.expect("describe_images", NAMED, {"Images": [SHOWN]})
    own = {"OwnerIds": ["self"], "Filters": BY_ID, "MaxResults": 1000}
    ec2.expect("describe_snapshots", own, {"Snapshots": [{"SnapshotId": SNAPSHOT}]})
    request = {"ImageId": AMI, "Attribute": "launchPermission"}
    ec2.expect("describe_image_attribute", request, {"LaunchPermissions": []})
    wanted = RestoreOptions(images=IMAGES, restore_permissions=False)
    seen = clients.read(wanted)
    assert {*seen.images[REF].snapshots} == {SNAPSHOT}
    _outcome, result = clients.apply(wanted, seen)
    assert result["results"][0]["volume_permissions"] is None


def test_attributes_of_another_accounts_image_are_not_read(clients: Clients, wanted: RestoreOptions) -> None:
    shown = {**SHOWN, "OwnerId": STRANGER}
    clients.wires["ec2"].expect("describe_images", NAMED, {"Images": [shown]})
    (refused,) = FLOW.plan(wanted, clients.read(wanted)).refusals
    assert refused.error_code == "not_owner"


def test_snapshots_in_the_recycle_bin_are_found_by_their_descriptions(clients: Clients) -> None:
    image_id = "ami-0123456789abcdef0"
    ec2 = clients.wires["ec2"]
    named = {**NAMED, "Filters": [{"Name": "image-id", "Values": [image_id]}]}
    ec2.expect(
        "describe_images", named, {"Images": [{**SHOWN, "ImageId": image_id, "State": "deregistered"}]}
    )
    ec2.expect("list_images_in_recycle_bin", {"MaxResults": 1000}, {"Images": [{"ImageId": image_id}]})
    tags = {**TAGS, "Filters": [{"Name": "resource-id", "Values": [image_id]}]}
    ec2.expect("describe_tags", tags, {"Tags": []})
    binned = [
        {"SnapshotId": "snap-1", "Description": f"Copied for DestinationAmi {image_id} from SourceAmi ami-1"},
        {"SnapshotId": "snap-2", "Description": "Copied for DestinationAmi ami-0fedcba9876543210 from"},
        {"SnapshotId": "snap-3"},
    ]
    ec2.expect("list_snapshots_in_recycle_bin", {"MaxResults": 1000}, {"Snapshots": binned})
    ref = REF._replace(image_id=image_id)
    found = clients.read(RestoreOptions(images={ref: None}, restore_permissions=False)).images[ref]
    assert (found.image, found.binned, found.binned_snapshots) == (None, True, ("snap-1",))


@pytest.mark.parametrize(
    ("reads", "warned"), [([1], False), ([0, 1], False), ([0] * 61, True)], ids=["at once", "late", "never"]
)
def test_an_image_from_the_recycle_bin_is_read_again_and_completed(
    clients: Clients,
    wanted: RestoreOptions,
    monkeypatch: pytest.MonkeyPatch,
    reads: list[int],
    warned: bool,
) -> None:
    """``reads`` say how many of the restored permissions each read returns."""
    Clock.of(monkeypatch, attempts)
    ec2 = clients.wires["ec2"]
    expect_binned(ec2)
    seen = clients.read(wanted)
    assert seen.images[REF].binned_at == datetime(2026, 11, 1, 1, tzinfo=UTC)
    planned: Any = FLOW.plan(wanted, seen)
    assert [action.operation for action in planned.actions] == [
        "RestoreSnapshotFromRecycleBin",
        "RestoreImageFromRecycleBin",
        "CreateTags",
        "DeleteTags",
        "DeleteTags",
    ]
    expect_restored(ec2)
    # Contrary to the documentation, the image has no launch permissions. AWS does not return the tag yet.
    expect_registered(ec2)
    permission = {"Add": [{"UserId": CONSUMER}]}
    ec2.expect("modify_image_attribute", {"ImageId": AMI, "LaunchPermission": permission})
    ec2.expect("delete_tags", {"Resources": [AMI], "Tags": [{"Key": RESTORING["Key"]}]})
    request = {"ImageId": AMI, "Attribute": "launchPermission"}
    for number in reads:
        returned = [{"UserId": CONSUMER}][:number]
        ec2.expect("describe_image_attribute", request, {"LaunchPermissions": returned})
    outcome, result = clients.apply(wanted, seen)
    assert outcome.failures == ()
    assert ("Reads do not show the new permissions" in " ".join(outcome.warnings)) == warned
    (one,) = result["results"]
    assert (one["previous_state"], one["changed"], one["tombstone"]) == ("recycle_bin", True, DATED)
    assert one["launch_permissions"]["account_ids"] == [CONSUMER]


def test_an_image_is_not_restored_if_its_snapshot_fails(clients: Clients, wanted: RestoreOptions) -> None:
    ec2 = clients.wires["ec2"]
    expect_binned(ec2)
    seen = clients.read(wanted)
    ec2.refuse("restore_snapshot_from_recycle_bin", {"SnapshotId": SNAPSHOT}, "UnauthorizedOperation")
    outcome, result = clients.apply(wanted, seen)
    assert [one.error_code for one in outcome.failures] == ["UnauthorizedOperation"]
    assert (outcome.performed, result["results"]) == ((), [])


def test_what_came_out_of_the_recycle_bin_is_closed_if_its_image_does_not(
    clients: Clients, wanted: RestoreOptions
) -> None:
    """EBS User Guide, "Considerations for Recycle Bin": it has the sharing that it had before."""
    ec2 = clients.wires["ec2"]
    expect_binned(ec2)
    wanted = replace(wanted, allow_public=True)
    seen = clients.read(wanted)
    ec2.expect("restore_snapshot_from_recycle_bin", {"SnapshotId": SNAPSHOT})
    complete = {"Snapshots": [{"SnapshotId": SNAPSHOT, "State": "completed"}]}
    ec2.expect("describe_snapshots", {"OwnerIds": ["self"], "Filters": BY_ID}, complete)
    ec2.refuse("restore_image_from_recycle_bin", {"ImageId": AMI}, "OperationNotPermitted")
    permissions = {"SnapshotId": SNAPSHOT, "Attribute": "createVolumePermission"}
    public = [{"Group": "all"}]
    ec2.expect("describe_snapshot_attribute", permissions, {"CreateVolumePermissions": public})
    ec2.expect("modify_snapshot_attribute", {**permissions, "CreateVolumePermission": {"Remove": public}})
    ec2.expect("describe_snapshot_attribute", permissions, {"CreateVolumePermissions": []})
    outcome, result = clients.apply(wanted, seen)
    (failure,) = outcome.failures
    assert failure.error_code == "OperationNotPermitted"
    assert f"opened {SNAPSHOT} and made it private again" in failure.remedy
    assert result["results"] == []


def test_an_image_that_is_restored_in_an_error_state_is_a_failure(
    clients: Clients, wanted: RestoreOptions
) -> None:
    ec2 = clients.wires["ec2"]
    expect_binned(ec2)
    seen = clients.read(wanted)
    expect_restored(ec2)
    expect_registered(ec2, State="error")
    outcome, result = clients.apply(wanted, seen)
    assert [one.error_code for one in outcome.failures] == ["image_not_retired"]
    assert [one.operation for one in outcome.performed] == [
        "RestoreSnapshotFromRecycleBin",
        "RestoreImageFromRecycleBin",
        "CreateTags",
    ]
    assert result["results"] == []


def test_an_image_from_the_recycle_bin_keeps_the_tag_of_an_incomplete_restore(
    clients: Clients, wanted: RestoreOptions
) -> None:
    ec2 = clients.wires["ec2"]
    expect_binned(ec2)
    seen = clients.read(wanted)
    tagged = {"Tags": [RESTORING]}
    expect_restored(ec2, **tagged)
    expect_registered(ec2, {"UserId": CONSUMER}, **tagged)
    ec2.expect("delete_tags", {"Resources": [AMI], "Tags": [{"Key": RESTORING["Key"]}]})
    outcome, result = clients.apply(wanted, seen)
    assert outcome.failures == ()
    assert [one["image_id"] for one in result["results"]] == [AMI]


@pytest.mark.parametrize(
    ("refusals", "listed", "performed", "failed"),
    [
        ([None], True, ["CreateTags", "DeleteTags"], []),
        (["InvalidAMIID.NotFound", None], True, ["CreateTags", "DeleteTags"], []),
        (["UnauthorizedOperation"] * 2, True, [], ["CreateTags"]),
        ([None], False, ["CreateTags"], ["RestoreImageFromRecycleBin"]),
    ],
    ids=["tagged", "tagged once it is listed", "denied", "never listed"],
)
def test_an_image_is_tagged_before_it_is_waited_for(
    clients: Clients,
    wanted: RestoreOptions,
    monkeypatch: pytest.MonkeyPatch,
    refusals: list[str | None],
    listed: bool,
    performed: list[str],
    failed: list[str],
) -> None:
    """``refusals`` are the codes with which AWS refuses to tag an image that it does not list yet."""
    monkeypatch.setattr("botocore.waiter.time.sleep", lambda _seconds: None)
    ec2 = clients.wires["ec2"]
    expect_binned(ec2)
    seen = clients.read(wanted)
    ec2.expect("restore_snapshot_from_recycle_bin", {"SnapshotId": SNAPSHOT}, {})
    completed = {"Snapshots": [{"SnapshotId": SNAPSHOT, "State": "completed"}]}
    ec2.expect("describe_snapshots", {"OwnerIds": ["self"], "Filters": BY_ID}, completed)
    ec2.expect("restore_image_from_recycle_bin", {"ImageId": AMI}, {"Return": True})
    # A failed read, too, is only made again after the tag is set.
    ec2.refuse("describe_images", BY_IMAGE_ID, "UnauthorizedOperation")
    tag = {"Resources": [AMI], "Tags": [RESTORING]}
    for number, code in enumerate(refusals):
        if code:
            ec2.refuse("create_tags", tag, code)
        else:
            ec2.expect("create_tags", tag)
        if number == 0:
            for images in [[], [SHOWN]] if listed else [[]] * 20:
                ec2.expect("describe_images", BY_IMAGE_ID, {"Images": images})
    if not failed:
        expect_registered(ec2, {"UserId": CONSUMER}, Tags=[RESTORING])
        ec2.expect("delete_tags", {"Resources": [AMI], "Tags": [{"Key": RESTORING["Key"]}]})
    outcome, _result = clients.apply(wanted, seen)
    restored = ["RestoreSnapshotFromRecycleBin", "RestoreImageFromRecycleBin"]
    assert [one.operation for one in outcome.performed] == [*restored, *performed]
    assert [one.action for one in outcome.failures] == failed


def test_nothing_is_shared_before_the_image_is_available(
    clients: Clients, wanted: RestoreOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.waiter.time.sleep", lambda _seconds: None)
    ec2 = clients.wires["ec2"]
    expect_registered(ec2, State="disabled", Tags=[{"Key": "golden.images:cleanup-disabled", "Value": DATED}])
    seen = clients.read(wanted)
    ec2.expect("create_tags", {"Resources": [AMI], "Tags": [RESTORING]})
    ec2.expect("enable_image", {"ImageId": AMI}, {"Return": True})
    for _ in range(20):
        ec2.expect("describe_images", BY_IMAGE_ID, {"Images": [{**SHOWN, "State": "disabled"}]})
    outcome, result = clients.apply(wanted, seen)
    assert [(one.action, one.region) for one in outcome.failures] == [("EnableImage", REF.region)]
    assert [one.operation for one in outcome.performed] == ["CreateTags", "EnableImage"]
    assert result["results"] == []


def test_tombstones_from_s3_and_parameter_store_are_merged(clients: Clients) -> None:
    key = f"web/{REF.region}/{AMI}/1.json"
    text = json.dumps(record()).encode()
    s3, ssm = clients.wires["s3"], clients.wires["ssm"]
    of_owner = {"Bucket": "retired", "ExpectedBucketOwner": OWNER}
    prefix = {**of_owner, "Prefix": f"web/{REF.region}/{AMI}/"}
    s3.expect("list_objects_v2", prefix, {"Contents": [{"Key": key}]})
    body = StreamingBody(io.BytesIO(text), len(text))
    s3.expect("get_object", {**of_owner, "Key": key}, {"Body": body})
    later = json.dumps(record(written_at="2026-11-20T00:00:00Z"))
    parameter = {"Name": f"/retired/{REF.region}/{AMI}"}
    ssm.expect("get_parameter_history", parameter, {"Parameters": [{"Value": later}, {"Value": "x"}]})
    expect_registered(clients.wires["ec2"], State="disabled")
    seen = clients.read(
        RestoreOptions(images=IMAGES, tombstone_s3_uri="s3://retired/web/", tombstone_ssm_path="/retired/")
    )
    assert [one.written_at for one in seen.histories[REF].tombstones] == [DATED, "2026-11-20T00:00:00Z"]
    assert seen.unreadable == (
        f"A text in tombstone_ssm_path for {REF} is not a valid tombstone and is skipped.",
    )


@pytest.mark.parametrize("place", [{"tombstone_s3_uri": "s3://retired/x"}, {"tombstone_ssm_path": "/r"}])
def test_a_place_in_another_partition_stops_the_module(clients: Clients, place: dict[str, str]) -> None:
    clients.default_region = "cn-north-1"
    with pytest.raises(ValidationError) as caught:
        clients.read(RestoreOptions(images=IMAGES, **place))
    assert [one.action for one in caught.value.failures] == [*place]


@pytest.mark.parametrize(("named", "owner"), [(None, OWNER), (STRANGER, STRANGER)])
def test_a_bucket_of_another_account_is_not_read(clients: Clients, named: str | None, owner: str) -> None:
    request = {"Bucket": "retired", "Prefix": f"{REF.region}/{AMI}/", "ExpectedBucketOwner": owner}
    clients.wires["s3"].refuse("list_objects_v2", request, "AccessDenied", "Access Denied")
    options = RestoreOptions(images=IMAGES, tombstone_s3_uri="s3://retired", tombstone_s3_bucket_owner=named)
    with pytest.raises(ValidationError) as caught:
        clients.read(options)
    (failure,) = caught.value.failures
    assert failure.remedy == (
        "Allow s3:ListBucket in the IAM policy of the credentials used. The bucket must belong to the "
        "account of the credentials, or to the account that tombstone_s3_bucket_owner names."
    )


def test_a_place_that_cannot_be_read_stops_the_module(clients: Clients) -> None:
    ssm = clients.wires["ssm"]
    ssm.refuse("get_parameter_history", {"Name": f"/r/{REF.region}/{AMI}"}, "AccessDeniedException")
    with pytest.raises(ValidationError) as caught:
        clients.read(RestoreOptions(images=IMAGES, tombstone_ssm_path="/r"))
    assert [one.error_code for one in caught.value.failures] == ["AccessDeniedException"]


def test_block_public_access_is_read_before_an_image_becomes_public(clients: Clients, tmp_path: Path) -> None:
    path = tmp_path / "retired.jsonl"
    public = {"account_ids": [], "public": True}
    path.write_text(json.dumps(record(launch_permissions=public)), encoding="utf-8")
    ec2 = clients.wires["ec2"]
    expect_registered(ec2, State="disabled", block="unblocked")
    seen = clients.read(RestoreOptions(images=IMAGES, tombstone_path=str(path), allow_public=True))
    assert (seen.images[REF].image_block, seen.images[REF].snapshot_block) == (
        PublicAccessBlock("unblocked"),
        None,
    )
