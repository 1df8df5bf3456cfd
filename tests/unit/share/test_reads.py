# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_share`` reads before it plans, and what it refuses if a read fails."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import read_targets
from ansible_collections.golden.images.plugins.module_utils._aws.read import SETTLING_GRACE_PERIOD
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._fanout import GRACE_PERIOD

from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, SOURCE_REGION, STRANGER
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import consumers as policy_consumers
from tests.unit.keys.policies import opened_to
from tests.unit.kms_grant.examples import A, B, root
from tests.unit.kms_grant.kms_in_memory import StoredKey
from tests.unit.share.examples import (
    IMAGE,
    PRIVATE,
    REGION,
    AnImage,
    Run,
    aws_before_the_copy,
    aws_with,
    key,
    shared,
    wanted,
    with_accounts,
)
from tests.unit.step_results import copy_result, grant_result

FOR_CONSUMER = with_accounts(CONSUMER)
OTHER_REGION, OTHER_IMAGE = "us-east-1", "ami-0000000b"
THE_IMAGE = f"DescribeImages {IMAGE}"
LAUNCH = f"DescribeImageAttribute {IMAGE}"
VOLUMES = ["DescribeSnapshotAttribute snap-a", "DescribeSnapshotAttribute snap-b"]
IMAGE_BLOCK, SNAPSHOT_BLOCK = "GetImageBlockPublicAccessState", "GetSnapshotBlockPublicAccessState"
NOT_THERE_YET: dict[str, Any] = {
    "images": {REGION: None},
    "source_image_id": SOURCE_ID,
    "source_region": SOURCE_REGION,
}


def image(**changes: Any) -> AnImage:
    """An image with two snapshots, one of which the consumer has."""
    return shared(FOR_CONSUMER, {"snap-a": FOR_CONSUMER, "snap-b": PRIVATE}, **changes)


@pytest.mark.parametrize(
    ("options", "reads"),
    [
        pytest.param({}, [THE_IMAGE, LAUNCH, *VOLUMES], id="all permissions"),
        pytest.param({"state": "absent"}, [THE_IMAGE, LAUNCH, *VOLUMES], id="unsharing"),
        pytest.param({"share_snapshots": False}, [THE_IMAGE, LAUNCH], id="without snapshots"),
        pytest.param(
            {"share_snapshots": False, "purge_launch_permissions": True},
            [THE_IMAGE, LAUNCH, *VOLUMES],
            id="a purge without share_snapshots",
        ),
        pytest.param(
            {"group": "all", "allow_public": True},
            [THE_IMAGE, LAUNCH, *VOLUMES, IMAGE_BLOCK, SNAPSHOT_BLOCK],
            id="public",
        ),
        pytest.param(
            {"group": "all", "state": "absent"}, [THE_IMAGE, LAUNCH, *VOLUMES], id="no longer public"
        ),
        pytest.param(
            {"group": "all", "allow_public": True, "share_snapshots": False},
            [THE_IMAGE, LAUNCH, IMAGE_BLOCK],
            id="public without snapshots",
        ),
        pytest.param(
            {"state": "absent", "snapshot_ids": ["snap-b"]},
            [THE_IMAGE, LAUNCH, VOLUMES[1]],
            id="a named snapshot",
        ),
        pytest.param(
            {"source_image_id": SOURCE_ID, "source_region": SOURCE_REGION},
            [THE_IMAGE, LAUNCH, *VOLUMES],
            id="the source of an image that exists is not read",
        ),
    ],
)
def test_what_is_read_of_an_image(options: dict[str, Any], reads: list[str]) -> None:
    run = Run(wanted(FOR_CONSUMER, **options), aws_with(image()))
    assert run.plan.refusals == ()
    assert sorted(run.ec2().calls) == sorted(reads)


def test_permissions_of_another_accounts_image_are_not_read() -> None:
    run = Run(wanted(FOR_CONSUMER), aws_with(image(owner_id=STRANGER)))
    assert [one.error_code for one in run.plan.refusals] == ["not_owner"]
    assert run.ec2().calls == [THE_IMAGE]


def refusal(run: Run) -> tuple[str, str, str | None]:
    """The code, the message and the region of the only failure of the reads."""
    with pytest.raises(ValidationError) as caught:
        assert run.seen
    (failure,) = caught.value.failures
    return failure.error_code, failure.message, failure.region


@pytest.mark.parametrize(
    ("state", "seconds"), [("present", 30), ("absent", 0)], ids=["waited for", "not waited for"]
)
def test_missing_image_is_refused(clock: Clock, state: str, seconds: float) -> None:
    """Right after a copy, EC2 may not return the image yet."""
    started = clock.now
    run = Run(wanted(FOR_CONSUMER, state=state), aws_with(image(image_id=OTHER_IMAGE)))
    code, message, region = refusal(run)
    assert (code, region) == ("image_not_found", REGION)
    assert IMAGE in message
    assert clock.now - started == seconds


@pytest.mark.parametrize(
    ("operation", "options"),
    [
        ("DescribeImageAttribute", {}),
        ("DescribeSnapshotAttribute", {}),
        ("GetImageBlockPublicAccessState", {"group": "all", "allow_public": True}),
        ("GetSnapshotBlockPublicAccessState", {"group": "all", "allow_public": True}),
    ],
)
def test_failed_read_is_refused_with_its_region(operation: str, options: dict[str, Any]) -> None:
    aws = aws_with(image(), refuse={operation: "UnauthorizedOperation"})
    with pytest.raises(ValidationError) as caught:
        assert Run(wanted(FOR_CONSUMER, **options), aws).seen
    (failure,) = caught.value.failures
    assert (failure.error_code, failure.action, failure.region) == (
        *("UnauthorizedOperation", operation, REGION),
    )


def test_missing_source_is_refused() -> None:
    # Without its devices the plan would promise too little.
    run = Run(wanted(FOR_CONSUMER, **NOT_THERE_YET), aws_before_the_copy(None), check_mode=True)
    code, message, region = refusal(run)
    assert (code, region) == ("image_not_found", SOURCE_REGION)
    assert SOURCE_ID in message


def test_unreadable_source_is_refused() -> None:
    aws = aws_before_the_copy(shared(image_id=SOURCE_ID))
    aws.ec2_clients[SOURCE_REGION].refuse = {"DescribeImages": "UnauthorizedOperation"}
    run = Run(wanted(FOR_CONSUMER, **NOT_THERE_YET), aws, check_mode=True)
    assert refusal(run)[0] == "UnauthorizedOperation"


SNAPSHOTS = ["snap-0000000a", "snap-0000000b"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"images": {"cn-north-1": IMAGE}}, "images"),
        ({"images": None, "image_id": IMAGE, "region": "cn-north-1"}, "region"),
        ({"images": None, "snapshots": {"cn-north-1": SNAPSHOTS}, "state": "absent"}, "snapshots"),
        ({"images": None, "copy_result": copy_result({"cn-north-1": IMAGE})}, "copy_result"),
    ],
    ids=["images", "one image", "snapshots", "the result of an earlier task"],
)
def test_a_region_of_another_partition_is_refused_with_the_option_that_names_it(
    options: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        assert Run(wanted(FOR_CONSUMER, **options), aws_with(image())).seen
    assert [failure.action for failure in caught.value.failures] == [named]


def test_a_snapshot_of_another_account_is_refused() -> None:
    options = {"account_ids": [CONSUMER], "state": "absent", "snapshots": {REGION: SNAPSHOTS}}
    aws = aws_with(image(), snapshots={SNAPSHOTS[0]: FOR_CONSUMER})
    code, message, _region = refusal(Run(options, aws))
    assert code == "snapshot_not_found"
    assert message.startswith(f"{SNAPSHOTS[1]} is not a snapshot of account {OWNER}")


def test_unknown_snapshot_id_is_refused() -> None:
    options = wanted(FOR_CONSUMER, state="absent", snapshot_ids=["snap-a", "snap-z"])
    with pytest.raises(ValidationError, match="'snap-z' is not a snapshot of any of the images") as caught:
        assert Run(options, aws_with(image())).seen
    (failure,) = caught.value.failures
    assert failure.action == "snapshot_ids"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"share_snapshots": False}, id="all snapshots"),
        pytest.param({"snapshot_ids": ["snap-z"]}, id="a snapshot of the image that is not read"),
    ],
)
def test_best_effort_region_that_cannot_be_read_is_left_out(options: dict[str, Any]) -> None:
    images = {REGION: IMAGE, OTHER_REGION: OTHER_IMAGE}
    aws = aws_with({REGION: image(), OTHER_REGION: image(image_id=OTHER_IMAGE)})
    aws.ec2_clients[OTHER_REGION].refuse = {"DescribeImages": "UnauthorizedOperation"}
    best_effort = {"images": images, "state": "absent", "best_effort_regions": [f" {OTHER_REGION} "]}
    run = Run(wanted(FOR_CONSUMER, **best_effort, **options), aws)
    assert run.plan.refusals == ()
    assert [(one.region, one.error_code) for one in run.plan.tolerated] == [
        (OTHER_REGION, "UnauthorizedOperation")
    ]
    assert [item["region"] for item in run.results] == [REGION]


@pytest.mark.parametrize(("state", "seconds"), [("present", SETTLING_GRACE_PERIOD), ("absent", GRACE_PERIOD)])
def test_best_effort_region_has_time_until_its_image_is_available(
    grace_periods: Callable[[ModuleType], list[float]], state: str, seconds: float
) -> None:
    waited = grace_periods(read_targets)
    options = wanted(FOR_CONSUMER, state=state, best_effort_regions=[REGION])
    assert Run(options, aws_with(image())).seen
    assert waited == [seconds]


def test_image_that_is_refused_in_a_best_effort_region_is_left_out() -> None:
    options = wanted(FOR_CONSUMER, best_effort_regions=[REGION])
    run = Run(options, aws_with(image(state="failed")))
    assert (run.plan.refusals, run.plan.actions) == ((), ())
    assert [one.error_code for one in run.plan.tolerated] == ["image_not_available"]
    assert run.results == []


WANTED, OTHER = key_arn("wanted"), key_arn("other")
MANAGED = key("aws-ebs", manager="AWS")
FOREIGN = key_arn("theirs", account_id=STRANGER)
GRANTED = key("wanted", grantees=[root(A)])
USABLE = grant_result(consumers=[A], results=[{"kms_keys": [{"access_known": True, "kms_key_arn": WANTED}]}])
GRANTS, POLICIES = ["DescribeKey wanted", "ListGrants wanted"], ["GetKeyPolicy wanted"]
# AWS RAM's policy is read with the other one.
ALL_OF = [*GRANTS, *POLICIES, *POLICIES, *POLICIES]


def reading_keys(*arns: str | None, stored: tuple[StoredKey, ...] = (), **options: Any) -> Run:
    """A run for an account on an image with a snapshot under each of these keys, None being unencrypted."""
    ids = {f"snap-{number}": arn for number, arn in enumerate(arns)}
    found = shared(PRIVATE, dict.fromkeys(ids, PRIVATE), keys={one: arn for one, arn in ids.items() if arn})
    return Run(wanted(with_accounts(A), **options), aws_with(found, *stored))


def asked(run: Run) -> list[str]:
    """The calls to KMS, each with the name of its key."""
    assert run.seen
    return [
        f"{operation} {given['KeyId'].rsplit('/', 1)[1]}"
        for operation, given in run.aws.regions[REGION].calls
    ]


@pytest.mark.parametrize(
    ("run", "calls", "warned"),
    [
        pytest.param(reading_keys(None), [], False, id="not encrypted"),
        pytest.param(reading_keys(WANTED), ALL_OF, True, id="no grant: the policies are read"),
        pytest.param(reading_keys(WANTED, stored=(GRANTED,)), GRANTS, False, id="a grant: no policy is read"),
        pytest.param(
            reading_keys(WANTED, stored=(key("wanted", grantees=[root(B)]),)),
            ALL_OF,
            True,
            id="another account's grant",
        ),
        pytest.param(
            reading_keys(WANTED, stored=(key("wanted", policy=opened_to(policy_consumers(A))),)),
            [*GRANTS, *POLICIES],
            False,
            id="the policy gives access",
        ),
        pytest.param(
            reading_keys(WANTED, stored=(key("wanted", ram_policy=opened_to(policy_consumers(A))),)),
            ALL_OF,
            False,
            id="AWS RAM's policy gives access",
        ),
        pytest.param(reading_keys(WANTED, WANTED, stored=(GRANTED,)), GRANTS, False, id="a key is read once"),
        pytest.param(reading_keys(FOREIGN), ["DescribeKey theirs"], False, id="another account's"),
        pytest.param(
            reading_keys(WANTED, None, OTHER, stored=(GRANTED, key("other", grantees=[root(A)]))),
            ["DescribeKey other", "ListGrants other", *GRANTS],
            False,
            id="each key of the image",
        ),
        pytest.param(
            reading_keys(WANTED, OTHER, grant_results=[USABLE]),
            [one.replace("wanted", "other") for one in ALL_OF],
            True,
            id="a key that is known to be usable is not read",
        ),
    ],
)
def test_keys_are_read_to_warn_of_consumers_without_access(run: Run, calls: list[str], warned: bool) -> None:
    assert asked(run) == calls
    assert any("cannot use the key" in one for one in run.plan.warnings) is warned
    assert not any("Cannot check" in one for one in run.plan.warnings)


def test_an_aws_managed_key_has_no_grants_to_read() -> None:
    assert asked(reading_keys(MANAGED.arn, stored=(MANAGED,))) == ["DescribeKey aws-ebs"]


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(reading_keys(None), id="not encrypted"),
        pytest.param(reading_keys(WANTED, state="absent"), id="unsharing"),
        pytest.param(reading_keys(WANTED, grant_results=[USABLE]), id="known to be usable"),
        pytest.param(
            Run(
                wanted(with_accounts(A)),
                aws_with(shared(keys={"snap-1": WANTED}, associated={"snap-1": OTHER})),
            ),
            id="another key is associated",
        ),
        pytest.param(
            Run(
                wanted(with_accounts(A), **NOT_THERE_YET),
                aws_before_the_copy(shared(image_id=SOURCE_ID, keys={"snap-1": WANTED})),
                check_mode=True,
            ),
            id="only planned",
        ),
    ],
)
def test_no_client_of_kms_is_opened_where_no_key_is_read(run: Run) -> None:
    assert run.seen
    assert "kms" not in {service for service, _region in run.aws.opened}


@pytest.mark.parametrize(
    ("copied", "granted", "is_read"),
    [
        pytest.param({"keys": {REGION: WANTED}}, [USABLE], False, id="usable"),
        pytest.param({"keys": {REGION: WANTED}}, [], True, id="nobody knows who can use it"),
        pytest.param({"keys": {REGION: WANTED}, "state": "pending"}, [USABLE], True, id="it may change"),
        pytest.param({}, [USABLE], True, id="the key is not known"),
        pytest.param({"keys": {REGION: OTHER}}, [USABLE], True, id="another key"),
        pytest.param({"keys": {OTHER_REGION: WANTED}}, [USABLE], True, id="another region's"),
    ],
)
def test_keys_that_earlier_tasks_have_read_are_not_read_again(
    copied: dict[str, Any], granted: list[dict[str, Any]], is_read: bool
) -> None:
    options = {
        "account_ids": [A],
        "copy_result": copy_result({REGION: IMAGE}, **copied),
        "grant_results": granted,
    }
    run = Run(options, aws_with(shared(PRIVATE, {"snap-0": PRIVATE}, keys={"snap-0": WANTED})))
    assert run.plan.refusals == ()
    assert any(call.startswith("DescribeSnapshots") for call in run.ec2().calls) is is_read


def test_each_key_of_a_copy_must_be_usable() -> None:
    copied = copy_result({REGION: IMAGE}, {REGION: WANTED})
    copied["results"][0]["snapshot_kms_key_arns"].append(OTHER)
    options = {"account_ids": [A], "copy_result": copied, "grant_results": [USABLE]}
    found = shared(
        PRIVATE, dict.fromkeys(("snap-0", "snap-1"), PRIVATE), keys={"snap-0": WANTED, "snap-1": OTHER}
    )
    run = Run(options, aws_with(found))
    assert [call.rsplit(" ", 1)[1] for call in asked(run)] == ["other"] * 5


@pytest.mark.parametrize("operation", ["DescribeSnapshots", "DescribeKey", "ListGrants", "GetKeyPolicy"])
def test_a_key_that_cannot_be_read_is_a_warning(operation: str) -> None:
    run = reading_keys(WANTED)
    for client in (run.ec2(), run.aws.regions[REGION]):
        client.refuse = {operation: "AccessDeniedException"}
    (text,) = run.plan.warnings
    assert text.startswith(f"{REGION}: Cannot check whether the consumers can use the key of {IMAGE}: ")
    assert operation in text
    assert run.plan.refusals == ()
    assert [found["consumers_without_key"] for found in run.result["results"]] == [None]
