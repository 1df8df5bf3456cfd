# SPDX-License-Identifier: GPL-3.0-or-later

"""Which calls read the usage of images and snapshots, and that a refused one counts as use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup import inspect_images
from ansible_collections.golden.images.plugins.module_utils.cleanup.inspect_images import (
    read_image_usage,
    read_snapshot_usage,
)
from ansible_collections.golden.images.plugins.module_utils.cleanup.next_reads import next_reads
from ansible_collections.golden.images.plugins.module_utils.cleanup.options import CleanupWanted
from ansible_collections.golden.images.plugins.module_utils.cleanup.stages import Clocks
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import (
    CleanupSeen,
    Evidence,
    ImageUsage,
    SnapshotUsage,
    unreadable,
)
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.model import (
    ConsumerRole,
    ImageRef,
    Sharing,
    SnapshotRef,
)
from botocore.exceptions import ClientError

from tests.unit.cleanup import examples
from tests.unit.cleanup.examples import (
    NOW,
    REGION,
    USED,
    ScriptedClients,
    UsageScript,
    own,
    region_state,
    wanted,
)
from tests.unit.examples import CONSUMER, OWNER, STRANGER
from tests.unit.wire import Wire

OLD, NEWEST = own("ami-1"), own("ami-new", 1)
REF, SNAPSHOT = ImageRef(REGION, "ami-1"), SnapshotRef(REGION, "snap-ami-1")
SEEN = CleanupSeen(OWNER, NOW, {REGION: region_state(OLD, NEWEST)})
BY_CONSUMER = Sharing(account_ids=frozenset({CONSUMER}))
NAMED = {"ImageReferences": [{"ImageId": "ami-1", "ResourceType": "ssm:Parameter", "Arn": "arn:x"}]}
COPYING = Evidence("running_copy", "ami-9", REGION)
SHARED = {"LaunchPermissions": [{"UserId": CONSUMER}]}


def read(script: UsageScript, asked: CleanupWanted | None = None, saw: CleanupSeen = SEEN) -> CleanupSeen:
    """What was seen once the usage of the old image is read by the script."""
    asked = asked or wanted()
    images = next_reads(asked, saw, [REF]).images
    with script.wire.spoken():
        usage, snapshot_usage = read_image_usage(script.clients(), asked, saw, images)
    return replace(saw, usage=usage, snapshot_usage=snapshot_usage)


def test_an_image_that_nothing_keeps_is_read_with_its_snapshots() -> None:
    volume = {"CreateVolumePermissions": [{"UserId": CONSUMER}]}
    saw = read(UsageScript().references().permissions().volume(volume))
    assert saw.usage == {REF: ImageUsage()}
    assert saw.snapshot_usage == {SNAPSHOT: SnapshotUsage(BY_CONSUMER)}


@pytest.mark.parametrize(
    ("script", "asked"),
    [
        (UsageScript().references(NAMED).permissions(), None),
        (UsageScript().references("refuse").permissions(), None),
        (UsageScript().references().permissions("refuse"), None),
        (UsageScript().references().permissions(SHARED), None),
        (UsageScript().references().permissions(), wanted(clocks=Clocks(deregister=9))),
    ],
    ids=["named", "references refused", "permissions refused", "shared", "not due"],
)
def test_the_snapshots_of_an_image_that_stays_for_now_are_not_read(
    script: UsageScript, asked: CleanupWanted | None
) -> None:
    assert read(script, asked).snapshot_usage == {}


def test_what_is_refused_counts_as_use() -> None:
    slow = "RequestLimitExceeded: Slow down."
    for script in (
        UsageScript().references("refuse").permissions(),
        UsageScript().references().permissions("refuse"),
    ):
        (usage,) = read(script).usage.values()
        assert [(one.kind, one.detail, one.firm) for one in usage.unread] == [("unreadable", slow, False)]
    saw = read(UsageScript().references().permissions().volume("refuse"))
    assert saw.snapshot_usage == {SNAPSHOT: SnapshotUsage(unread=slow)}


LISTED = {
    "Filters": [{"Name": "image-id", "Values": ["ami-1"]}],
    "IncludeDisabled": True,
    "IncludeDeprecated": True,
    "MaxResults": 1000,
    "Owners": ["self"],
}
ATTRIBUTE = {"ImageId": "ami-1", "Attribute": "launchPermission"}


@pytest.mark.parametrize(
    ("listed", "is_gone"),
    [([], True), ([{"State": "deregistered"}], True), ([{"State": "available"}], False)],
)
def test_an_image_that_was_deregistered_since_it_was_listed_stays_and_is_not_unreadable(
    listed: list[dict[str, Any]], is_gone: bool
) -> None:
    script = UsageScript().references()
    script.wire.refuse("describe_image_attribute", ATTRIBUTE, "InvalidAMIID.Unavailable")
    images = [{"ImageId": "ami-1", "OwnerId": OWNER, **one} for one in listed]
    script.wire.expect("describe_images", LISTED, {"Images": images})
    (usage,) = read(script).usage.values()
    gone = Evidence("gone", "ami-1", "deregistered since it was listed")
    assert usage.references == ((gone,) if is_gone else ())
    assert [one.kind for one in usage.unread] == ([] if is_gone else ["unreadable"])


def test_an_image_whose_existence_cannot_be_read_is_unreadable() -> None:
    script = UsageScript().references()
    script.wire.refuse("describe_image_attribute", ATTRIBUTE, "InvalidAMIID.Unavailable")
    script.wire.refuse("describe_images", LISTED, "RequestLimitExceeded")
    (usage,) = read(script).usage.values()
    assert [one.kind for one in usage.unread] == ["unreadable"]


def references_of(*image_ids: str) -> dict[str, Any]:
    return {**examples.ANY_REFERENCES, "ImageIds": list(image_ids)}


def test_one_image_that_is_gone_makes_no_other_one_unreadable() -> None:
    """Whether DescribeImageReferences refuses such an ID is not documented."""
    saw = CleanupSeen(OWNER, NOW, {REGION: region_state(OLD, own("ami-2"), NEWEST)})
    script, other = UsageScript(), ImageRef(REGION, "ami-2")
    method = "describe_image_references"
    script.wire.refuse(method, references_of("ami-1", "ami-2"), "InvalidAMIID.NotFound")
    script.wire.refuse(method, references_of("ami-1"), "InvalidAMIID.NotFound")
    script.wire.expect(method, references_of("ami-2"), {"ImageReferences": []})
    script.permissions().permissions(SHARED, "ami-2")
    reports = {"ImageUsageReports": []}
    script.wire.expect("describe_image_usage_reports", {"ImageIds": ["ami-2"]}, reports)
    with script.wire.spoken():
        usage, _of_snapshots = read_image_usage(
            script.clients(), wanted(include_shared=True), saw, {REF: (), other: ()}
        )
    assert ([one.kind for one in usage[REF].unread], usage[other].unread) == (["unreadable"], ())


def test_a_report_of_an_image_that_is_gone_makes_no_other_one_unreadable() -> None:
    saw = CleanupSeen(OWNER, NOW, {REGION: region_state(OLD, own("ami-2"), NEWEST)})
    script, other = UsageScript(), ImageRef(REGION, "ami-2")
    script.wire.expect("describe_image_references", references_of("ami-1", "ami-2"), {"ImageReferences": []})
    script.permissions(SHARED).permissions(SHARED, "ami-2")
    method = "describe_image_usage_reports"
    for image_ids in (["ami-1", "ami-2"], ["ami-1"]):
        script.wire.refuse(method, {"ImageIds": image_ids}, "InvalidAMIID.NotFound")
    script.wire.expect(method, {"ImageIds": ["ami-2"]}, {"ImageUsageReports": []})
    with script.wire.spoken():
        usage, _of_snapshots = read_image_usage(
            script.clients(), wanted(include_shared=True), saw, {REF: (), other: ()}
        )
    assert ([one.kind for one in usage[REF].unread], usage[other].unread) == (["unreadable"], ())


@pytest.mark.parametrize(("home", "is_used"), [(REGION, False), ("us-east-1", True)])
def test_tombstones_in_the_home_region_are_no_use(home: str, is_used: bool) -> None:
    arn = f"arn:aws:ssm:{REGION}:{OWNER}:parameter/golden/{REGION}/ami-1"
    named = {"ImageReferences": [{"ImageId": "ami-1", "ResourceType": "ssm:Parameter", "Arn": arn}]}
    asked = replace(wanted(), tombstone_ssm_path="/golden")
    script = UsageScript().references(named).permissions()
    clients = script.clients()
    clients.default_region = home
    with script.wire.spoken():
        usage, _snapshots = read_image_usage(clients, asked, SEEN, {REF: ()})
    assert bool(usage[REF].references) is is_used


def test_reports_are_read_of_shared_images_if_these_are_included() -> None:
    script = UsageScript().references().permissions(SHARED).volume()
    script.wire.expect("describe_image_usage_reports", {"ImageIds": ["ami-1"]}, {"ImageUsageReports": []})
    (usage,) = read(script, wanted(include_shared=True)).usage.values()
    assert (usage.sharing, usage.report, usage.unread) == (BY_CONSUMER, None, ())
    script = UsageScript().references().permissions(SHARED).volume()
    script.wire.refuse("describe_image_usage_reports", {"ImageIds": ["ami-1"]}, "UnauthorizedOperation")
    (usage,) = read(script, wanted(include_shared=True)).usage.values()
    assert [one.subject for one in usage.unread] == ["DescribeImageUsageReports"]


def test_an_image_that_only_its_owner_may_launch_is_read_like_one_that_is_not_shared() -> None:
    """No usage report is read of it, and no role is assumed in the owner's account."""
    of_owner = {"LaunchPermissions": [{"UserId": OWNER}]}
    for asked in (wanted(), wanted(include_shared=True, consumer_role=ConsumerRole("golden"))):
        saw = read(UsageScript().references().permissions(of_owner).volume(), asked)
        # The tombstone has the permission.
        assert saw.usage == {REF: ImageUsage(sharing=Sharing(account_ids=frozenset({OWNER})))}
        assert saw.snapshot_usage == {SNAPSHOT: SnapshotUsage()}


def test_a_bug_ends_the_reading() -> None:
    class Broken(ScriptedClients):
        def ec2(self, _region: str) -> Any:
            raise KeyError("no client")

    clients: Any = Broken(Wire("ec2"))
    with pytest.raises(Refused):
        read_image_usage(clients, wanted(), SEEN, {REF: ()})
    with pytest.raises(Refused):
        read_snapshot_usage(clients, SEEN, [SNAPSHOT])


def test_snapshots_are_read_alone_as_well() -> None:
    script = UsageScript().volume({"CreateVolumePermissions": [{"UserId": CONSUMER}]})
    with script.wire.spoken():
        found = read_snapshot_usage(script.clients(), SEEN, [SNAPSHOT])
    assert found == {SNAPSHOT: SnapshotUsage(BY_CONSUMER)}


def test_without_anything_to_read_no_call_is_made() -> None:
    nowhere: Any = None
    assert read_image_usage(nowhere, wanted(), SEEN, {}) == ({}, {})
    assert read_snapshot_usage(nowhere, SEEN, []) == {}


class Accounts:
    """One account whose role can be assumed, and one whose role cannot."""

    def __init__(self, *_arguments: Any) -> None:
        pass

    def clients(self, account_id: str) -> Any:
        if account_id == STRANGER:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "AssumeRole")
        return UsageScript().clients()


def read_accounts(
    script: UsageScript, copies: Any, saw: CleanupSeen = SEEN, uses: tuple[Evidence, ...] = (USED,)
) -> ImageUsage:
    """The usage of the old image, where the account that can be read uses it and makes these copies."""

    def used_in(_clients: Any, _region: str, images: Any) -> Any:
        assert images == {"ami-1": ("snap-ami-1",)}
        return dict.fromkeys(images, uses)

    def pending_copies(_ec2: Any, _region: str) -> Any:
        if isinstance(copies, Exception):
            raise copies
        return copies

    asked = wanted(include_shared=True, consumer_role=ConsumerRole("golden"))
    with (
        patch.object(inspect_images, "Accounts", Accounts),
        patch.object(inspect_images.read_usage, "used_in", used_in),
        patch.object(inspect_images.read_usage, "pending_copies", pending_copies),
    ):
        return read(script, asked, saw).usage[REF]


@pytest.mark.parametrize(
    ("copies", "evidence"),
    [
        ({REF: (COPYING,)}, (USED, COPYING)),
        ({ImageRef("us-east-1", "ami-1"): (COPYING,)}, (USED,)),
        (
            ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "No."}}, "DescribeImages"),
            (USED, unreadable("DescribeImages", "UnauthorizedOperation: No.")),
        ),
    ],
)
def test_every_account_that_the_image_is_shared_with_is_read_and_a_refusal_counts_as_use(
    copies: Any, evidence: tuple[Evidence, ...]
) -> None:
    shared = {"LaunchPermissions": [{"UserId": CONSUMER}, {"UserId": STRANGER}]}
    script = UsageScript().references().permissions(shared).volume()
    script.wire.expect("describe_image_usage_reports", {"ImageIds": ["ami-1"]}, {"ImageUsageReports": []})
    consumers = read_accounts(script, copies).consumers
    assert consumers[CONSUMER] == evidence
    assert [(one.kind, one.subject, one.firm) for one in consumers[STRANGER]] == [
        ("unreadable", STRANGER, False)
    ]
    assert {one.account_id for found in consumers.values() for one in found} == {CONSUMER, STRANGER}


def test_reads_that_fail_for_the_same_reason_are_one_evidence() -> None:
    script = UsageScript().references().permissions(SHARED).volume()
    script.wire.expect("describe_image_usage_reports", {"ImageIds": ["ami-1"]}, {"ImageUsageReports": []})
    expired = ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "AssumeRole")
    refused = unreadable("AssumeRole", "AccessDenied: No.")
    usage = read_accounts(script, expired, uses=(refused, USED, refused))
    assert usage.consumers[CONSUMER] == (refused, USED)


def test_for_a_disabled_image_the_accounts_of_its_snapshots_are_read() -> None:
    """A disabled image has no launch permissions, so none are read, and no usage report."""
    saw = replace(SEEN, regions={REGION: region_state(own("ami-1", state="disabled"), NEWEST)})
    volume = {"CreateVolumePermissions": [{"UserId": CONSUMER}, {"UserId": STRANGER}, {"UserId": OWNER}]}
    usage = read_accounts(UsageScript().references().volume(volume), {}, saw)
    assert usage.sharing == Sharing()
    assert usage.consumers[CONSUMER] == (USED,)
    assert [one.kind for one in usage.consumers[STRANGER]] == ["unreadable"]
    assert set(usage.consumers) == {CONSUMER, STRANGER}


def test_accounts_are_not_read_where_shared_images_are_kept_in_any_case() -> None:
    asked = replace(wanted(), revoke_grants=True, consumer_role=ConsumerRole("golden"))
    usage = read(UsageScript().references().permissions(SHARED), asked).usage[REF]
    assert (usage.sharing, usage.consumers) == (BY_CONSUMER, {})
