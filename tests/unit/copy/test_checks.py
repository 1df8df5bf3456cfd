# SPDX-License-Identifier: GPL-3.0-or-later

"""Which regions and which sources are refused before anything is copied."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, ValidationError

from tests.unit.copy.account import Run, World, aws_with, copied_to, into
from tests.unit.copy.examples import REGION
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, SOURCE_REGION, STRANGER, source_image
from tests.unit.keys.examples import DEFAULT, ENCRYPTED, found

KNOWN = {
    "us-east-1": "opt-in-not-required",
    "eu-west-1": "opt-in-not-required",
    "eu-new-1": "opted-in",
    "ap-east-1": "opted-in",
    "me-south-1": "not-opted-in",
}


def refused(done: Run) -> tuple[Failure, ...]:
    """The refusals of the reads."""
    with pytest.raises(ValidationError) as caught:
        _ = done.seen
    assert all(one.remedy for one in caught.value.failures)
    return tuple(caught.value.failures)


def in_regions(options: dict[str, Any]) -> Run:
    """A run where AWS lists the regions ``KNOWN``."""
    world = World(KNOWN)
    world.ec2_of(OWNER, options["source_region"]).add((source_image(), ()))
    return Run(options, world)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(copied_to("eu-west-9"), [("regions", "no region 'eu-west-9'")], id="unknown"),
        pytest.param(
            copied_to("me-south-1"), [("regions", "not opted in to 'me-south-1'")], id="not opted in"
        ),
        pytest.param(
            copied_to("cn-north-1"),
            [("regions", "'cn-north-1' is in partition aws-cn, the credentials are for aws.")],
            id="other partition",
        ),
        pytest.param(
            copied_to("eu-west-1", "us-east-1", "eu-west-1"),
            [("regions", "'eu-west-1' is listed twice")],
            id="listed twice",
        ),
        pytest.param(
            copied_to(source_region="eu-north-9"),
            [("source_region", "no region 'eu-north-9'")],
            id="unknown source",
        ),
        pytest.param(
            copied_to("us-gov-west-1", "eu-west-8", "me-south-1", "eu-west-1", source_region="cn-north-1"),
            [
                ("source_region", "aws-cn"),
                ("regions", "aws-us-gov"),
                ("regions", "'eu-west-8'"),
                ("regions", "'me-south-1'"),
            ],
            id="all at once",
        ),
    ],
)
def test_regions(options: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    failures = refused(in_regions(options))
    assert [failure.action for failure in failures] == [option for option, _text in expected]
    for failure, (_option, text) in zip(failures, expected, strict=True):
        assert text in failure.message


def test_a_region_unknown_to_botocore_is_valid_if_aws_lists_it() -> None:
    plan = in_regions(copied_to("us-east-1", "eu-west-1", "ap-east-1", "eu-new-1")).plan
    assert plan.refusals == ()
    assert {action.target.region for action in plan.actions} == {"eu-west-1", "ap-east-1", "eu-new-1"}


def test_the_region_of_the_source_does_not_matter_where_each_region_has_its_own() -> None:
    sources = {"eu-west-9": SOURCE_ID}
    options = copied_to("eu-west-9", source_images=sources, source_region="eu-north-9")
    assert [one.action for one in refused(in_regions(options))] == ["regions"]


def test_an_image_under_an_aws_managed_key_cannot_be_shared() -> None:
    done = Run(copied_to(require_shareable=True), aws_with(ENCRYPTED, found("ami-1", DEFAULT)))
    (failure,) = done.plan.refusals
    assert (failure.error_code, failure.region) == ("default_key", REGION)
    assert "ami-1 is encrypted under the AWS managed key arn:aws:kms:" in failure.message
    assert "reencrypt_source: true" in failure.remedy


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        pytest.param({"state": "pending"}, f"{SOURCE_ID} in us-east-1 is pending.", id="pending"),
        pytest.param({"state": "disabled"}, "is disabled.", id="disabled"),
        pytest.param(
            {"state": "failed", "state_reason": "Snapshot gone"},
            "is failed (Snapshot gone).",
            id="with reason",
        ),
    ],
)
def test_a_source_that_is_not_available_is_refused(changes: dict[str, Any], text: str) -> None:
    (failure,) = refused(Run(copied_to(), aws_with(source_image(**changes))))
    assert failure.action == "source_image_id"
    assert text in failure.message


@pytest.mark.parametrize(("kind", "refuses"), [("instance-store", True), ("ebs", False), ("", False)])
def test_an_image_that_is_stored_in_s3_is_not_copied(kind: str, refuses: bool) -> None:
    """(EC2 User Guide, "Grant permissions to copy Amazon EC2 AMIs".)"""
    failures = Run(copied_to(), aws_with(source_image(root_device_type=kind))).plan.refusals
    assert [(one.error_code, one.region) for one in failures] == (
        [("instance_store_image", REGION)] if refuses else []
    )
    assert all(
        f"{SOURCE_ID} in {SOURCE_REGION} has an instance store root volume" in one.message for one in failures
    )


@pytest.mark.parametrize("state", ["available", "pending"])
def test_all_problems_of_another_accounts_source_are_reported_at_once(state: str) -> None:
    world = aws_with(source_image(owner_id=STRANGER, state=state))
    world.ec2_of(OWNER, SOURCE_REGION).snapshots.clear()
    *states, failure = refused(Run(copied_to(), world))
    assert [one.error_code for one in states] == (["invalid_option"] if state == "pending" else [])
    assert (failure.error_code, failure.action) == ("missing_volume_permission", "source_image_id")
    assert (failure.region, failure.account_id) == (SOURCE_REGION, None)
    assert "snap-source" in failure.message
    assert STRANGER in failure.remedy


@pytest.mark.parametrize("owner_id", [OWNER, STRANGER])
def test_a_source_whose_snapshots_can_be_read_is_copied(owner_id: str) -> None:
    assert Run(copied_to(), aws_with(source_image(owner_id=owner_id))).operations == ["CopyImage"]


@pytest.mark.parametrize("names_it", [True, False])
def test_failures_of_other_accounts_name_the_account_once(names_it: bool) -> None:
    said = f"No, {CONSUMER}." if names_it else "No."
    world = aws_with()
    world.ec2_of(CONSUMER).refuse["DescribeImages"] = "UnauthorizedOperation"
    world.ec2_of(CONSUMER).message = said
    failures = refused(Run(into(CONSUMER, regions=[REGION]), world))
    assert [one.message for one in failures] == [said if names_it else f"Account {CONSUMER}: No."]
    assert [one.account_id for one in failures] == [CONSUMER]


@pytest.mark.parametrize(
    ("consumers", "codes", "refuses"),
    [
        ([CONSUMER], ("abc123",), True),
        ([OWNER, CONSUMER], ("abc123",), True),
        ([OWNER], ("abc123",), False),
        ([], ("abc123",), False),
        ([CONSUMER], (), False),
    ],
)
# The copies belong to the own account, even if another account owns the source. The plan refuses that.
@pytest.mark.parametrize("owner_id", [OWNER, STRANGER])
def test_copies_that_consumers_cannot_copy(
    owner_id: str, consumers: list[str], codes: tuple[str, ...], refuses: bool
) -> None:
    world = aws_with(source_image(product_codes=codes, owner_id=owner_id))
    done = Run(copied_to(consumer_account_ids=consumers), world)
    if refuses:
        (failure,) = refused(done)
        assert (failure.error_code, failure.action) == ("product_code", "consumer_account_ids")
        return
    found_in_plan = [one.error_code for one in done.plan.refusals]
    assert found_in_plan == (["product_code"] if codes and owner_id == STRANGER else [])
