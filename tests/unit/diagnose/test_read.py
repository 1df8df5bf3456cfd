# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads of a shared image in both accounts, with as few requests as possible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import dry_run, read_visible
from ansible_collections.golden.images.plugins.module_utils.aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils.diagnose import read as diagnosis
from ansible_collections.golden.images.plugins.module_utils.diagnose.state import (
    AllowedImages,
    ConsumerSeen,
    OwnerSeen,
)
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.keys.access import KeyDryRun, Simulation
from ansible_collections.golden.images.plugins.module_utils.model import (
    Grant,
    Key,
    KeySeen,
    PublicAccessBlock,
    Sharing,
    Target,
)
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.unit.aws.test_read import ARN, metadata
from tests.unit.diagnose.examples import TRIED, of_encrypted
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER, target_in
from tests.unit.wire import Wire

ROOT = f"arn:aws:iam::{CONSUMER}:root"
BY_ID = {"ImageIds": [SOURCE_ID], "IncludeDisabled": True, "IncludeDeprecated": True}
SNAPSHOTS = {
    "OwnerIds": ["self"],
    "Filters": [{"Name": "snapshot-id", "Values": ["snap-1"]}],
    "MaxResults": 1000,
}
SHARED = Sharing(frozenset({CONSUMER}))


class Clients:
    """One region's clients, which answer from a script; other regions are empty."""

    def __init__(self, ec2: Wire, kms: Wire) -> None:
        self._ec2, self._kms = ec2, kms

    def ec2(self, _region: str) -> Any:
        return self._ec2.client

    def kms(self, _region: str) -> Any:
        return self._kms.client


@pytest.fixture
def ec2() -> Iterator[Wire]:
    with Wire("ec2").spoken() as wire:
        yield wire


@pytest.fixture
def kms() -> Iterator[Wire]:
    with Wire("kms").spoken() as wire:
        yield wire


@pytest.fixture
def clients(ec2: Wire, kms: Wire) -> Any:
    return Clients(ec2, kms)


def shown(**members: Any) -> dict[str, Any]:
    disk = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-1", "Encrypted": True}}
    plain = {
        "ImageId": SOURCE_ID,
        "OwnerId": OWNER,
        "State": "available",
        "Architecture": "arm64",
        "BlockDeviceMappings": [disk],
    }
    return {"Images": [{**plain, **members}]}


def answer(ec2: Wire, *, public: bool = False) -> None:
    """A region's EC2 answers to the owner."""
    launch = {"Group": "all"} if public else {"UserId": CONSUMER}
    ec2.expect("describe_images", BY_ID, shown())
    ec2.expect(
        "describe_image_attribute",
        {"ImageId": SOURCE_ID, "Attribute": "launchPermission"},
        {"LaunchPermissions": [launch]},
    )
    ec2.expect(
        "describe_snapshot_attribute",
        {"SnapshotId": "snap-1", "Attribute": "createVolumePermission"},
        {"CreateVolumePermissions": [{"UserId": CONSUMER}]},
    )
    if public:
        blocked = {"ImageBlockPublicAccessState": "block-new-sharing"}
        ec2.expect("get_image_block_public_access_state", {}, blocked)


@pytest.mark.parametrize("public", [False, True])
def test_what_the_owner_reads(clients: Any, ec2: Wire, public: bool) -> None:
    answer(ec2, public=public)
    found = diagnosis.owner(clients, target_in(), SOURCE_ID, ["us-east-1"])
    assert found.image is not None
    assert found.launch == (Sharing(public=True) if public else SHARED)
    assert (found.volume_permissions, found.snapshot_block) == ({"snap-1": SHARED}, None)
    assert found.image_block == (PublicAccessBlock("block-new-sharing") if public else None)


@pytest.mark.parametrize("readable", [True, False])
def test_block_public_access_is_read_for_what_is_public_and_hides_nothing_else(
    clients: Any, ec2: Wire, readable: bool
) -> None:
    ec2.expect("describe_images", BY_ID, shown())
    public = [{"Group": "all"}]
    ec2.expect(
        "describe_image_attribute",
        {"ImageId": SOURCE_ID, "Attribute": "launchPermission"},
        {"LaunchPermissions": public},
    )
    ec2.expect(
        "describe_snapshot_attribute",
        {"SnapshotId": "snap-1", "Attribute": "createVolumePermission"},
        {"CreateVolumePermissions": public},
    )
    if readable:
        blocked = {"ImageBlockPublicAccessState": "block-new-sharing", "ManagedBy": "declarative-policy"}
        ec2.expect("get_image_block_public_access_state", {}, blocked)
        ec2.expect("get_snapshot_block_public_access_state", {}, {"State": "unblocked"})
    else:
        ec2.refuse("get_image_block_public_access_state", {}, "UnauthorizedOperation")
        ec2.refuse("get_snapshot_block_public_access_state", {}, "InvalidAction")
    found = diagnosis.owner(clients, target_in(), SOURCE_ID, [])
    assert (found.image_block, found.snapshot_block) == (
        (PublicAccessBlock("block-new-sharing", "declarative-policy"), PublicAccessBlock("unblocked"))
        if readable
        else (diagnosis.UNREAD, diagnosis.UNREAD)
    )
    assert (found.launch, found.volume_permissions) == (
        Sharing(public=True),
        {"snap-1": Sharing(public=True)},
    )


def test_a_region_without_allowed_images_hides_none(clients: Any, ec2: Wire) -> None:
    ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    ec2.refuse("get_allowed_images_settings", {}, "InvalidAction")
    found = diagnosis.consumer(clients, target_in(), SOURCE_ID, [], lambda _image: {}, ROOT)
    assert found == ConsumerSeen(allowed_images=AllowedImages("disabled"))


def test_another_accounts_image_needs_no_further_calls(clients: Any, ec2: Wire) -> None:
    ec2.expect("describe_images", BY_ID, shown(OwnerId=STRANGER))
    found = diagnosis.owner(clients, target_in(), SOURCE_ID, [])
    assert found.image is not None
    assert (found.image.owner_id, found.launch) == (STRANGER, None)
    assert diagnosis.keys(clients, target_in(), found) == found


def test_the_region_of_a_misplaced_image(clients: Any, ec2: Wire) -> None:
    ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    ec2.expect("describe_images", BY_ID, shown())
    found = diagnosis.owner(clients, target_in(), SOURCE_ID, ["us-west-2", "us-east-1"])
    assert found == OwnerSeen(elsewhere=("us-east-1",))


def test_an_unreadable_region_hides_no_other(clients: Any, ec2: Wire) -> None:
    ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    ec2.refuse("describe_images", BY_ID, "AuthFailure")
    ec2.expect("describe_images", BY_ID, shown())
    found = diagnosis.owner(clients, target_in(), SOURCE_ID, ["us-west-2", "us-east-1"])
    assert found == OwnerSeen(elsewhere=("us-east-1",))


def owned(clients: Any, ec2: Wire, key_id: str) -> OwnerSeen:
    """The owner's side, and a snapshot under that key."""
    answer(ec2)
    seen = diagnosis.owner(clients, target_in(), SOURCE_ID, [])
    snapshot = {"SnapshotId": "snap-1", "State": "completed", "KmsKeyId": key_id}
    ec2.expect("describe_snapshots", SNAPSHOTS, {"Snapshots": [snapshot]})
    return seen


def test_what_the_owner_reads_about_keys(clients: Any, ec2: Wire, kms: Wire) -> None:
    seen = owned(clients, ec2, ARN)
    kms.expect("describe_key", {"KeyId": ARN}, metadata())
    grant = {"GrantId": "g", "GranteePrincipal": ROOT, "Operations": ["Decrypt"]}
    kms.expect("list_grants", {"KeyId": ARN, "Limit": 100}, {"Grants": [grant], "Truncated": False})
    kms.expect("get_key_policy", {"KeyId": ARN, "PolicyName": "default"}, {"Policy": "{}"})
    kms.refuse("get_key_policy", {"KeyId": ARN, "PolicyName": "AWS_RAM"}, "NotFoundException")
    found = diagnosis.keys(clients, target_in(), seen)
    assert found.keys == (KeySeen(Key(ARN), (Grant("g", ROOT, frozenset({"Decrypt"})),), "{}"),)
    assert found.key_problems == {}


def test_a_key_does_not_decide_alone_if_another_is_associated(clients: Any, ec2: Wire) -> None:
    """botocore operation AssociateKmsKeyId."""
    answer(ec2)
    seen = diagnosis.owner(clients, target_in(), SOURCE_ID, [])
    keys = {"KmsKeyId": ARN, "AssociatedKmsKeys": [{"KmsKeyId": "arn:other"}]}
    snapshot = {"SnapshotId": "snap-1", "State": "completed", **keys}
    ec2.expect("describe_snapshots", SNAPSHOTS, {"Snapshots": [snapshot]})
    found = diagnosis.keys(clients, target_in(), seen)
    assert (found.keys, found.key_problems) == ((), {})
    assert found.undecided_keys[ARN].associated_key_arns == ("arn:other",)


@pytest.mark.parametrize("of", ["AWS", STRANGER])
def test_another_accounts_keys_need_no_further_calls(clients: Any, ec2: Wire, kms: Wire, of: str) -> None:
    arn = ARN.replace(OWNER, STRANGER) if of == STRANGER else ARN
    seen = owned(clients, ec2, arn)
    manager = "AWS" if of == "AWS" else "CUSTOMER"
    kms.expect("describe_key", {"KeyId": arn}, metadata(Arn=arn, KeyManager=manager))
    assert diagnosis.keys(clients, target_in(), seen).keys == (KeySeen(Key(arn, aws_managed=of == "AWS")),)


def test_a_key_that_may_not_be_read_is_a_problem_of_that_key(clients: Any, ec2: Wire, kms: Wire) -> None:
    seen = owned(clients, ec2, ARN)
    kms.refuse("describe_key", {"KeyId": ARN}, "AccessDeniedException")
    found = diagnosis.keys(clients, target_in(), seen)
    assert found.keys == ()
    assert found.key_problems[ARN].error_code == "AccessDeniedException"


def test_a_key_whose_grants_may_not_be_read_is_described(clients: Any, ec2: Wire, kms: Wire) -> None:
    seen = owned(clients, ec2, ARN)
    kms.expect("describe_key", {"KeyId": ARN}, metadata())
    kms.refuse("list_grants", {"KeyId": ARN, "Limit": 100}, "AccessDeniedException")
    found = diagnosis.keys(clients, target_in(), seen)
    assert found.keys == (KeySeen(Key(ARN)),)
    assert found.key_problems[ARN].action == "ListGrants"


def test_a_snapshot_without_a_key_id_is_a_problem(clients: Any, ec2: Wire) -> None:
    answer(ec2)
    seen = diagnosis.owner(clients, target_in(), SOURCE_ID, [])
    ec2.expect("describe_snapshots", SNAPSHOTS, {"Snapshots": []})
    found = diagnosis.keys(clients, target_in(), seen)
    assert found.keys == ()
    assert list(found.key_problems) == ["snap-1"]


def test_what_an_account_sees(clients: Any, ec2: Wire) -> None:
    ec2.expect("describe_images", BY_ID, shown(ImageAllowed=True))
    dry = {"ImageId": SOURCE_ID, "InstanceType": "t4g.nano", "MinCount": 1, "MaxCount": 1, "DryRun": True}
    ec2.refuse("run_instances", dry, "DryRunOperation", "It would.")
    found = diagnosis.consumer(
        clients, target_in(), SOURCE_ID, [], lambda _image: {"InstanceType": "t4g.nano"}, ROOT
    )
    assert found.image is not None
    assert found.image.allowed is True
    assert found.dry_run == ("DryRunOperation", "It would.")
    assert (found.keys, found.allowed_images) == ({}, None)


def test_an_invisible_image_may_be_hidden(clients: Any, ec2: Wire) -> None:
    ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    settings = {
        "State": "enabled",
        "ImageCriteria": [{"ImageProviders": ["amazon"]}],
        "ManagedBy": "declarative-policy",
    }
    ec2.expect("get_allowed_images_settings", {}, settings)
    found = diagnosis.consumer(clients, target_in(), SOURCE_ID, [ARN], lambda _image: {}, ROOT)
    assert found == ConsumerSeen(
        allowed_images=AllowedImages("enabled", ({"ImageProviders": ["amazon"]},), "declarative-policy")
    )


@pytest.mark.parametrize("member", ["ImageWatermarks", "ScanResultCondition", "ScanResults"])
def test_criteria_that_the_installed_botocore_cannot_read_in_full(
    clients: Any, ec2: Wire, monkeypatch: pytest.MonkeyPatch, member: str
) -> None:
    """botocore 1.41.0 knows neither these criteria nor these members of images."""
    model = ec2.client.meta.service_model
    whole = model.shape_for

    def older(shape: str) -> Any:
        members = whole(shape).members
        return SimpleNamespace(members={name: one for name, one in members.items() if name != member})

    monkeypatch.setattr(model, "shape_for", older)
    ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    ec2.expect("get_allowed_images_settings", {}, {"State": "enabled", "ImageCriteria": []})
    found = diagnosis.consumer(clients, target_in(), SOURCE_ID, [ARN], lambda _image: {}, ROOT)
    assert found == ConsumerSeen(allowed_images=AllowedImages("enabled", all_read=False))


def test_settings_that_may_not_be_read_hide_nothing_else(clients: Any, ec2: Wire) -> None:
    ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    ec2.refuse("get_allowed_images_settings", {}, "UnauthorizedOperation")
    assert unread_settings(clients).error_code == "UnauthorizedOperation"
    ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    ec2.refuse("get_allowed_images_settings", {}, "InternalError")
    assert unread_settings(clients).error_code == "InternalError"


def unread_settings(clients: Any) -> Failure:
    """Why the settings could not be read, of an account that is otherwise known not to see the image."""
    seen = diagnosis.consumer(clients, target_in(), SOURCE_ID, [], lambda _image: {}, ROOT)
    assert seen.allowed_images_problem is not None
    assert seen == ConsumerSeen(allowed_images_problem=seen.allowed_images_problem)
    return seen.allowed_images_problem


def timed_out(**_request: Any) -> None:
    raise ReadTimeoutError(endpoint_url="https://ec2.example.com")


def role_expired(**_request: Any) -> None:
    raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "No."}}, "AssumeRole")


def test_settings_that_time_out_hide_nothing_else(
    clients: Any, ec2: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ec2.client, "get_allowed_images_settings", timed_out)
    ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    assert unread_settings(clients).error_code == "ReadTimeoutError"


def test_an_image_that_is_seen_stays_so_if_its_dry_run_times_out(
    clients: Any, ec2: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ec2.client, "run_instances", timed_out)
    ec2.expect("describe_images", BY_ID, shown())
    found = diagnosis.consumer(clients, target_in(), SOURCE_ID, [], lambda _image: {}, ROOT)
    assert found.image is not None
    assert found.dry_run is None
    assert found.dry_run_problem is not None
    assert (found.dry_run_problem.action, found.dry_run_problem.error_code) == (
        "RunInstances",
        "ReadTimeoutError",
    )


def test_a_dry_run_that_is_throttled_has_the_remedy_for_that(clients: Any, ec2: Wire) -> None:
    ec2.expect("describe_images", BY_ID, shown())
    dry = {"ImageId": SOURCE_ID, "MinCount": 1, "MaxCount": 1, "DryRun": True}
    ec2.refuse("run_instances", dry, "RequestLimitExceeded")
    problem = diagnosis.consumer(clients, target_in(), SOURCE_ID, [], lambda _image: {}, ROOT).dry_run_problem
    assert problem is not None
    assert (problem.error_code, problem.remedy) == (
        "RequestLimitExceeded",
        "Rerun later: completed work is kept.",
    )


DRY_RUN = {"ImageId": SOURCE_ID, "MinCount": 1, "MaxCount": 1, "DryRun": True}
SUBNETS = {"Filters": [{"Name": "state", "Values": ["available"]}], "MaxResults": 1000}
TARGET = Target(CONSUMER, "eu-west-1")
SUCCEEDED = ("DryRunOperation", "No.")


def subnet(name: str, zone: str, **members: Any) -> dict[str, Any]:
    given = {"VpcId": "vpc-1", "OwnerId": CONSUMER, "AvailabilityZone": f"eu-west-1{zone}", **members}
    return {"SubnetId": f"subnet-{name}", **given}


def without_default_vpc(
    clients: Any, ec2: Wire, *found: dict[str, Any], answers: dict[str, str], code: str = "VPCIdNotSpecified"
) -> ConsumerSeen:
    """What is seen of an account with these subnets, where the dry run in each has this error code."""
    ec2.expect("describe_images", BY_ID, shown())
    ec2.refuse("run_instances", DRY_RUN, code)
    ec2.expect("describe_subnets", SUBNETS, {"Subnets": list(found)})
    for name, answer in answers.items():
        ec2.refuse("run_instances", {**DRY_RUN, "SubnetId": f"subnet-{name}"}, answer)
    return diagnosis.consumer(clients, TARGET, SOURCE_ID, [], lambda _image: {}, ROOT)


@pytest.mark.parametrize("code", ["VPCIdNotSpecified", "MissingInput"])
def test_a_dry_run_without_a_default_subnet_is_repeated_in_one(clients: Any, ec2: Wire, code: str) -> None:
    found = without_default_vpc(
        clients,
        ec2,
        subnet("2", "b"),
        subnet("1", "a", OwnerId=OWNER, AvailableIpAddressCount=3),
        subnet("3", "b", Ipv6Native=True, OutpostArn="arn:outpost", AvailableIpAddressCount=0),
        answers={"2": "DryRunOperation"},
        code=code,
    )
    assert (found.dry_run, found.dry_run_problem) == (SUCCEEDED, None)
    assert (found.subnet_ids, found.subnets_problem) == (("subnet-2",), None)


def test_a_dry_run_in_a_subnet_waits_for_an_image_that_was_just_shared(
    clients: Any, ec2: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "SETTLING_INTERVAL", 0.0)
    ec2.expect("describe_images", BY_ID, shown())
    ec2.refuse("run_instances", DRY_RUN, "VPCIdNotSpecified")
    ec2.expect("describe_subnets", SUBNETS, {"Subnets": [subnet("1", "a")]})
    for answer in ("InvalidAMIID.NotFound", "DryRunOperation"):
        ec2.refuse("run_instances", {**DRY_RUN, "SubnetId": "subnet-1"}, answer)
    found = diagnosis.consumer(clients, TARGET, SOURCE_ID, [], lambda _image: {}, ROOT)
    assert (found.dry_run, found.subnet_ids) == (SUCCEEDED, ("subnet-1",))


def test_all_that_is_known_of_a_subnet_decides_the_order(clients: Any, ec2: Wire) -> None:
    found = without_default_vpc(
        clients,
        ec2,
        subnet("1", "a", OutpostArn="arn:outpost"),
        subnet("2", "a", VpcId="vpc-2", Ipv6Native=True),
        subnet("3", "a", VpcId="vpc-3", AvailableIpAddressCount=0),
        subnet("4", "b", VpcId="vpc-4", OwnerId=OWNER),
        subnet("5", "b", VpcId="vpc-5"),
        {"SubnetId": "subnet-6"},
        answers=dict.fromkeys(("5", "3", "2", "1", "4", "6"), "Unsupported"),
    )
    assert found.dry_run == ("Unsupported", "No.")
    assert found.subnet_ids == tuple(f"subnet-{name}" for name in "532146")


def test_another_zone_may_offer_the_instance_type(clients: Any, ec2: Wire) -> None:
    answers = {"1": "Unsupported", "2": "UnauthorizedOperation", "3": "DryRunOperation"}
    found = without_default_vpc(
        clients, ec2, *(subnet(*pair) for pair in zip("1234", "abcd", strict=True)), answers=answers
    )
    assert (found.dry_run, found.subnet_ids) == (SUCCEEDED, ("subnet-1", "subnet-2", "subnet-3"))


def test_an_account_without_any_subnet(clients: Any, ec2: Wire) -> None:
    found = without_default_vpc(clients, ec2, answers={})
    assert (found.dry_run, found.subnet_ids) == (("VPCIdNotSpecified", "No."), ())


def test_all_pages_of_subnets_are_read(clients: Any, ec2: Wire) -> None:
    ec2.expect("describe_images", BY_ID, shown())
    ec2.refuse("run_instances", DRY_RUN, "VPCIdNotSpecified")
    ec2.expect("describe_subnets", SUBNETS, {"Subnets": [subnet("2", "b")], "NextToken": "more"})
    ec2.expect("describe_subnets", {**SUBNETS, "NextToken": "more"}, {"Subnets": [subnet("1", "a")]})
    ec2.refuse("run_instances", {**DRY_RUN, "SubnetId": "subnet-1"}, "DryRunOperation")
    found = diagnosis.consumer(clients, TARGET, SOURCE_ID, [], lambda _image: {}, ROOT)
    assert (found.dry_run, found.subnet_ids) == (SUCCEEDED, ("subnet-1",))


def test_subnets_that_may_not_be_read_are_a_problem(clients: Any, ec2: Wire) -> None:
    ec2.expect("describe_images", BY_ID, shown())
    ec2.refuse("run_instances", DRY_RUN, "VPCIdNotSpecified")
    ec2.refuse("describe_subnets", SUBNETS, "UnauthorizedOperation")
    found = diagnosis.consumer(clients, TARGET, SOURCE_ID, [], lambda _image: {}, ROOT)
    assert found.subnets_problem is not None
    problem = found.subnets_problem
    assert (problem.action, problem.error_code) == ("DescribeSubnets", "UnauthorizedOperation")
    assert (found.subnet_ids, found.dry_run) == (None, ("VPCIdNotSpecified", "No."))


@pytest.mark.parametrize("answer", [{}, {"Subnets": [{"VpcId": "vpc-1"}]}])
def test_an_incomplete_list_of_subnets_is_a_problem(clients: Any, ec2: Wire, answer: dict[str, Any]) -> None:
    ec2.expect("describe_images", BY_ID, shown())
    ec2.refuse("run_instances", DRY_RUN, "VPCIdNotSpecified")
    ec2.expect("describe_subnets", SUBNETS, answer)
    found = diagnosis.consumer(clients, TARGET, SOURCE_ID, [], lambda _image: {}, ROOT)
    assert found.subnets_problem is not None
    assert found.subnets_problem.action == "DescribeSubnets"


def test_a_throttled_dry_run_in_a_subnet_is_a_problem(clients: Any, ec2: Wire) -> None:
    answers = {"1": "Unsupported", "2": "RequestLimitExceeded"}
    found = without_default_vpc(
        clients, ec2, subnet("1", "a"), subnet("2", "b"), subnet("3", "c"), answers=answers
    )
    assert found.dry_run is None
    assert found.dry_run_problem is not None
    assert found.dry_run_problem.error_code == "RequestLimitExceeded"
    assert found.subnet_ids == ("subnet-1", "subnet-2")


def test_a_subnet_that_is_set_is_the_only_one(clients: Any, ec2: Wire) -> None:
    ec2.expect("describe_images", BY_ID, shown())
    ec2.refuse("run_instances", {**DRY_RUN, "SubnetId": "subnet-9"}, "VPCIdNotSpecified")
    request = {"SubnetId": "subnet-9"}
    found = diagnosis.consumer(clients, TARGET, SOURCE_ID, [], lambda _image: request, ROOT)
    assert (found.dry_run, found.subnet_ids) == (("VPCIdNotSpecified", "No."), None)


def test_the_keys_are_tried_whatever_the_subnets_are(
    clients: Any, ec2: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = KeyDryRun(frozenset({"Decrypt"}))
    monkeypatch.setattr(diagnosis.dry_runs, "key", lambda *_given: tried)
    ec2.expect("describe_images", BY_ID, shown())
    ec2.refuse("run_instances", DRY_RUN, "VPCIdNotSpecified")
    ec2.expect("describe_subnets", SUBNETS, {"Subnets": []})
    found = diagnosis.consumer(clients, TARGET, SOURCE_ID, [ARN], lambda _image: {}, ROOT)
    assert (found.subnet_ids, found.keys) == ((), {ARN: tried})


@pytest.mark.parametrize("method", ["get_allowed_images_settings", "run_instances"])
def test_a_role_that_cannot_be_assumed_is_no_result(
    clients: Any, ec2: Wire, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(ec2.client, method, role_expired)
    if method == "run_instances":
        ec2.expect("describe_images", BY_ID, shown())
    else:
        ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    with pytest.raises(ClientError):
        diagnosis.consumer(clients, target_in(), SOURCE_ID, [], lambda _image: {}, ROOT)


def test_the_identity_of_the_credentials() -> None:
    arn = f"arn:aws-cn:iam::{CONSUMER}:role/golden"
    with Wire("sts").spoken() as sts:
        sts.expect("get_caller_identity", {}, {"Account": CONSUMER, "Arn": arn, "UserId": "1"})
        clients: Any = SimpleNamespace(sts={"eu-west-1": sts.client}.get)
        assert diagnosis.identity(clients, "eu-west-1") == Caller(CONSUMER, "aws-cn")


def test_dry_runs_are_repeated_until_a_new_grant_is_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = KeyDryRun(refused={"Decrypt": "No."}, simulation=Simulation("arn:role"))
    answers = [refused, TRIED]
    tried = []

    def key(kms: str, arn: str, grantee: str) -> KeyDryRun:
        tried.append((kms, arn, grantee))
        return answers.pop(0)

    monkeypatch.setattr(diagnosis.dry_runs, "key", key)
    monkeypatch.setattr(read_visible, "attempts", lambda *_times: iter(range(1, 4)))
    seen = of_encrypted(keys={"arn:1": refused, "arn:2": refused})
    found = diagnosis.once_usable("kms", ["arn:1"], "root", seen)
    assert tried == [("kms", "arn:1", "root")] * 2
    assert found.keys == {"arn:1": replace(TRIED, simulation=refused.simulation), "arn:2": refused}

    answers[:] = [refused, refused]
    assert diagnosis.once_usable("kms", ["arn:1"], "root", seen) == seen


def test_iam_is_asked_about_the_keys_that_kms_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def simulate(iam: str, principal: str, arn: str, operations: Any) -> Simulation:
        asked.append((iam, principal, arn, sorted(operations)))
        return Simulation(principal)

    monkeypatch.setattr(diagnosis.dry_runs, "simulate", simulate)
    refused = KeyDryRun(refused={"Decrypt": "No.", "CreateGrant": "No."})
    seen = of_encrypted(keys={"arn:1": refused, "arn:2": TRIED})
    found = diagnosis.with_simulations("iam", "arn:role", seen)
    assert asked == [("iam", "arn:role", "arn:1", ["CreateGrant", "Decrypt"])]
    assert found.keys == {"arn:1": replace(refused, simulation=Simulation("arn:role")), "arn:2": TRIED}
    assert replace(found, keys=seen.keys) == seen
