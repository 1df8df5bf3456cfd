# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of the keys of snapshots to delete."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.inspect_keys import (
    read_key_usage,
    read_resources,
)
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import (
    CleanupSeen,
    ImageUsage,
    OwnSnapshot,
    SnapshotUsage,
    unreadable,
)
from ansible_collections.golden.images.plugins.module_utils.keys.needed import ConsumerResources
from ansible_collections.golden.images.plugins.module_utils.model import (
    ConsumerRole,
    ImageRef,
    KeyRef,
    Sharing,
    SnapshotRef,
)

from tests.unit.cleanup.examples import NOW, REGION, UsageScript, own, region_state, wanted
from tests.unit.examples import CONSUMER, OWNER
from tests.unit.kms_grant.kms_in_memory import Ec2, world
from tests.unit.wire import Wire

NEWEST = own("ami-new", 1)
SEEN = CleanupSeen(OWNER, NOW, {REGION: region_state(own("ami-1"), NEWEST)})
BY_CONSUMER = Sharing(account_ids=frozenset({CONSUMER}))
SHARED = {"LaunchPermissions": [{"UserId": CONSUMER}]}
KEY = KeyRef(REGION, f"arn:aws:kms:{REGION}:{OWNER}:key/golden")


def grant(name: str) -> dict[str, Any]:
    return {"GrantId": f"g-{name}", "GranteePrincipal": "x", "Operations": ["Decrypt"], "Name": name}


def test_of_a_key_with_own_grants_is_read_with_whom_the_images_are_shared_that_stay() -> None:
    kms, script = Wire("kms"), UsageScript().permissions(SHARED, "ami-new").volume(None, "snap-ami-new")
    # Whoever may call CreateGrant selects the name.
    by_consumer = {**grant("golden-images:2"), "IssuingAccount": f"arn:aws:iam::{CONSUMER}:root"}
    kms.expect(
        "list_grants",
        {"KeyId": KEY.key_arn, "Limit": 100},
        {"Grants": [grant("golden-images:1"), grant("theirs"), by_consumer]},
    )
    with kms.spoken(), script.wire.spoken():
        usage = read_key_usage(script.clients(kms), SEEN, {KEY: (NEWEST,)})[KEY]
    assert [one.grant_id for one in usage.grants] == ["g-golden-images:1"]
    assert (usage.sharing, usage.unread) == ({"ami-new": BY_CONSUMER}, ())


def test_of_snapshots_without_a_staying_image_only_those_shared_with_a_grantee_are_read() -> None:
    """(botocore operation DescribeSnapshots: account IDs of restorable users.)"""
    under = {
        one: OwnSnapshot(one, kms_key_id=KEY.key_arn)
        for one in ("snap-ami-new", "snap-1", "snap-2", "snap-3", "snap-known")
    }
    other = {"snap-4": OwnSnapshot("snap-4", kms_key_id="other")}
    region = replace(SEEN.regions[REGION], snapshots={**under, **other})
    known = {SnapshotRef(REGION, "snap-known"): SnapshotUsage(BY_CONSUMER)}
    saw = replace(SEEN, regions={REGION: region}, snapshot_usage=known)
    kms, script = Wire("kms"), UsageScript().permissions(SHARED, "ami-new").volume(None, "snap-ami-new")
    to_consumer = {**grant("golden-images:1"), "GranteePrincipal": f"arn:aws:iam::{CONSUMER}:root"}
    kms.expect("list_grants", {"KeyId": KEY.key_arn, "Limit": 100}, {"Grants": [to_consumer]})
    listed = [{"SnapshotId": one, "State": "completed"} for one in ("snap-1", "snap-ami-new", "snap-4")]
    script.wire.expect(
        "describe_snapshots",
        {
            "OwnerIds": ["self"],
            "RestorableByUserIds": [CONSUMER],
            "Filters": [{"Name": "encrypted", "Values": ["true"]}],
            "MaxResults": 1000,
        },
        {"Snapshots": listed},
    )
    script.volume({"CreateVolumePermissions": [{"UserId": CONSUMER}]}, "snap-1")
    with kms.spoken(), script.wire.spoken():
        usage = read_key_usage(script.clients(kms), saw, {KEY: (NEWEST,)})[KEY]
    assert usage.snapshots == {"snap-1": BY_CONSUMER, "snap-known": BY_CONSUMER}


def test_what_was_read_of_an_image_before_is_not_read_again_for_its_key() -> None:
    kms = Wire("kms")
    kms.expect("list_grants", {"KeyId": KEY.key_arn, "Limit": 100}, {"Grants": [grant("golden-images:1")]})
    saw = replace(
        SEEN,
        usage={ImageRef(REGION, "ami-new"): ImageUsage(sharing=BY_CONSUMER)},
        snapshot_usage={SnapshotRef(REGION, "snap-ami-new"): SnapshotUsage(Sharing(public=True))},
    )
    clients = UsageScript().clients(kms)
    with kms.spoken():
        usage = read_key_usage(clients, saw, {KEY: (NEWEST,)})[KEY]
    assert usage.sharing == {"ami-new": BY_CONSUMER | Sharing(public=True)}


def test_a_key_that_cannot_be_read_says_so_and_one_without_own_grants_needs_no_more() -> None:
    kms = Wire("kms")
    kms.refuse("list_grants", {"KeyId": KEY.key_arn, "Limit": 100}, "AccessDeniedException")
    kms.expect("list_grants", {"KeyId": KEY.key_arn, "Limit": 100}, {"Grants": [grant("theirs")]})
    clients = UsageScript().clients(kms)
    with kms.spoken():
        (problem,) = read_key_usage(clients, SEEN, {KEY: (NEWEST,)})[KEY].unread
        assert problem == unreadable("ListGrants", f"{KEY.key_arn}: AccessDeniedException: No.")
        assert problem.remedy == "Allow ListGrants in the IAM policy of the credentials used."
        assert read_key_usage(clients, SEEN, {KEY: (NEWEST,)})[KEY].sharing == {}
    assert read_key_usage(clients, SEEN, {}) == {}


@pytest.mark.parametrize("is_gone", [True, False])
def test_an_image_that_was_deregistered_since_it_was_listed_needs_no_key(is_gone: bool) -> None:
    kms, script = Wire("kms"), UsageScript()
    kms.expect("list_grants", {"KeyId": KEY.key_arn, "Limit": 100}, {"Grants": [grant("golden-images:1")]})
    attribute = {"ImageId": "ami-new", "Attribute": "launchPermission"}
    script.wire.refuse("describe_image_attribute", attribute, "InvalidAMIID.Unavailable")
    listed = {
        "Filters": [{"Name": "image-id", "Values": ["ami-new"]}],
        "IncludeDisabled": True,
        "IncludeDeprecated": True,
        "MaxResults": 1000,
        "Owners": ["self"],
    }
    image = {"ImageId": "ami-new", "OwnerId": OWNER, "State": "pending"}
    script.wire.expect("describe_images", listed, {"Images": [] if is_gone else [image]})
    if is_gone:
        script.volume(None, "snap-ami-new")
    with kms.spoken(), script.wire.spoken():
        usage = read_key_usage(script.clients(kms), SEEN, {KEY: (NEWEST,)})[KEY]
    assert usage.sharing == ({"ami-new": Sharing()} if is_gone else {})
    assert bool(usage.unread) is not is_gone


def test_accounts_are_read_with_the_consumer_role() -> None:
    aws = world(REGION)
    aws.consumer_ec2 = {CONSUMER: {REGION: Ec2(key_of_volumes={"vol-1": KEY.key_arn})}}
    aws.open("sts", [REGION])
    clients: Any = aws
    asked = replace(wanted(), revoke_grants=True, consumer_role=ConsumerRole("golden", "word"))
    losing = {KEY: frozenset({CONSUMER})}
    assert read_resources(clients, asked, SEEN, losing) == {KEY: ConsumerResources({CONSUMER: ("vol-1",)})}
    assert aws.assumed == [(f"arn:aws:iam::{CONSUMER}:role/golden", "word", REGION)]
    (unseen,) = read_resources(clients, wanted(), SEEN, losing).values()
    assert unseen.unseen == {CONSUMER: "consumer_role_name is not set."}
    assert read_resources(clients, asked, SEEN, {}) == {}
