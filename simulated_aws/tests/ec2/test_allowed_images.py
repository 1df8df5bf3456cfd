# SPDX-License-Identifier: GPL-3.0-or-later
"""Allowed AMIs: an account that hides other accounts' images from its own users."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulated_aws.ec2 import state

from .conftest import CONSUMER, OWNER, STRANGER, build, error_code, image_id, names

ONE = {"MinCount": 1, "MaxCount": 1}
SHARED = {"golden": {"sharing": {"accounts": ["consumer"]}}}


def allow(ec2: Any, *criteria: dict[str, Any], mode: str = "enabled") -> None:
    ec2.replace_image_criteria_in_allowed_images_settings(ImageCriteria=list(criteria))
    ec2.enable_allowed_images_settings(AllowedImagesSettingsState=mode)


def test_nothing_is_hidden_at_first(client: Any) -> None:
    settings = client().get_allowed_images_settings()
    assert (settings["State"], settings.get("ImageCriteria", []), settings["ManagedBy"]) == (
        "disabled",
        [],
        "account",
    )


@pytest.mark.parametrize(
    ("criteria", "allowed"),
    [
        ([{"ImageProviders": [OWNER]}], True),
        ([{"ImageProviders": [STRANGER]}], False),
        ([{"ImageProviders": ["none"]}], False),
        ([{"ImageProviders": ["amazon"]}], False),
        ([{"ImageNames": ["gold*"]}], True),
        ([{"ImageNames": ["silver-?"]}], False),
        ([{"ImageProviders": [OWNER], "ImageNames": ["silver"]}], False),
        ([{"ImageNames": ["silver"]}, {"ImageProviders": [OWNER]}], True),
        ([{"CreationDateCondition": {"MaximumDaysSinceCreated": 1}}], True),
        ([{"DeprecationTimeCondition": {"MaximumDaysSinceDeprecated": 0}}], True),
        ([{"MarketplaceProductCodes": ["abc"]}], False),
    ],
)
def test_what_the_criteria_allow(client: Any, criteria: list[dict[str, Any]], allowed: bool) -> None:
    """Any criterion must fit, each in all its parts (botocore shape ImageCriterion)."""
    image = image_id(build(images=SHARED))
    ec2 = client(CONSUMER)
    allow(ec2, *criteria)
    assert names(ec2.describe_images()) == (["golden"] if allowed else [])
    code = "DryRunOperation" if allowed else "InvalidAMIID.NotFound"
    assert error_code(ec2.run_instances, ImageId=image, DryRun=True, **ONE) == code
    if not allowed:
        assert error_code(ec2.describe_images, ImageIds=[image]) == code
        assert error_code(ec2.run_instances, ImageId=image, **ONE) == code
        copy = {"Name": "copy", "SourceImageId": image, "SourceRegion": "us-east-1"}
        assert error_code(ec2.copy_image, **copy) == code
    # Each account and Region has settings of its own, which never go for the account's own images.
    assert names(client().describe_images()) == ["golden"]
    allow(client(), *criteria)
    assert names(client().describe_images()) == ["golden"]


def test_deprecated_and_old_images_may_be_left_out(client: Any, clock: Any) -> None:
    image = image_id(build(images=SHARED))
    client().enable_image_deprecation(ImageId=image, DeprecateAt=state.now() + timedelta(days=1))
    ec2 = client(CONSUMER)
    clock.forward(hours=70)
    for condition, maximum, days, seen in (
        ("DeprecationTimeCondition", "MaximumDaysSinceDeprecated", 0, False),
        ("DeprecationTimeCondition", "MaximumDaysSinceDeprecated", 1, False),
        ("DeprecationTimeCondition", "MaximumDaysSinceDeprecated", 2, True),
        ("CreationDateCondition", "MaximumDaysSinceCreated", 2, False),
        ("CreationDateCondition", "MaximumDaysSinceCreated", 3, True),
    ):
        allow(ec2, {condition: {maximum: days}})
        assert bool(ec2.describe_images(IncludeDeprecated=True)["Images"]) is seen, (condition, days)


@pytest.mark.parametrize(
    ("wanted", "allowed"),
    [
        ({"WatermarkKey": f"{OWNER}:appr*"}, True),
        ({"WatermarkKey": f"{OWNER}:other"}, False),
        ({"WatermarkKey": "*", "SourceImageRegion": "us-*"}, True),
        ({"WatermarkKey": "*", "SourceImageRegion": "eu-*"}, False),
        ({"MaximumDaysSinceSourceImageCreated": 5}, True),
        ({"MaximumDaysSinceSourceImageCreated": 4}, False),
        ({"MaximumDaysSinceWatermarkCreated": 0}, False),
        ({"MaximumDaysSinceWatermarkCreated": 1}, True),
    ],
)
def test_a_watermark_must_fit_a_filter(
    client: Any, clock: Any, wanted: dict[str, Any], allowed: bool
) -> None:
    """(botocore shapes ImageCriterion, ImageWatermarks, and ImageWatermarkFilterRequest.)"""
    golden = {**SHARED["golden"], "watermarks": ["approved"], "age_days": 4}
    build(images={"golden": golden, "plain": {**SHARED["golden"]}})
    clock.forward(hours=12)
    allow(client(CONSUMER), {"ImageWatermarks": [wanted]})
    assert names(client(CONSUMER).describe_images()) == (["golden"] if allowed else [])


FIXABLE = {"days": 3, "severity": "high", "fix_days": {"high": 9, "low": 20}}


@pytest.mark.parametrize(
    ("scan", "condition", "allowed"),
    [
        (None, {"MaximumSeverityLabel": "critical"}, False),
        (None, {"MaxDaysSinceLowFixAvailable": 9}, False),
        ({"days": 3}, {"MaximumSeverityLabel": "informational"}, True),
        (FIXABLE, {"MaximumSeverityLabel": "high"}, True),
        (FIXABLE, {"MaximumSeverityLabel": "medium"}, False),
        (FIXABLE, {"MaxDaysSinceLastFindingScan": 4}, True),
        (FIXABLE, {"MaxDaysSinceLastFindingScan": 2}, False),
        (FIXABLE, {"MaxDaysSinceHighFixAvailable": 10}, True),
        (FIXABLE, {"MaxDaysSinceHighFixAvailable": 8}, False),
        (FIXABLE, {"MaxDaysSinceCriticalFixAvailable": 0}, True),
    ],
)
def test_scan_results_must_fit_a_condition(
    client: Any, scan: dict[str, Any] | None, condition: dict[str, Any], allowed: bool
) -> None:
    """(botocore shapes ScanResultCondition and ScanResults.)"""
    build(images={"golden": {**SHARED["golden"], "scan": scan}})
    allow(client(CONSUMER), {"ScanResultCondition": condition})
    assert names(client(CONSUMER).describe_images()) == (["golden"] if allowed else [])


def test_the_results_of_a_scan_are_shown_to_all_that_can_use_the_image(client: Any) -> None:
    """(botocore shape ScanResults.)"""
    build(images={"golden": {**SHARED["golden"], "scan": FIXABLE}})
    (shown,) = client(CONSUMER).describe_images(Owners=[OWNER])["Images"]
    found = shown["ScanResults"]
    assert found["HighestFindingSeverityLabel"] == "high"
    assert found["FindingScanDate"] - found["LowFixAvailableSince"] == timedelta(days=17)
    assert "CriticalFixAvailableSince" not in found


def test_audit_mode_hides_nothing_and_reports(client: Any) -> None:
    """(botocore operation EnableAllowedImagesSettings.)"""
    image = image_id(build(images=SHARED))
    ec2 = client(CONSUMER)
    assert "ImageAllowed" not in ec2.describe_images()["Images"][0]
    allow(ec2, {"ImageProviders": ["none"]}, mode="audit-mode")
    assert ec2.describe_images()["Images"][0]["ImageAllowed"] is False
    filters = [{"Name": "image-allowed", "Values": ["true"]}]
    assert ec2.describe_images(Filters=filters)["Images"] == []
    assert error_code(ec2.run_instances, ImageId=image, DryRun=True, **ONE) == "DryRunOperation"
    ec2.disable_allowed_images_settings()
    settings = ec2.get_allowed_images_settings()
    assert (settings["State"], settings["ImageCriteria"]) == ("disabled", [{"ImageProviders": ["none"]}])


@pytest.mark.parametrize(
    "criteria",
    [
        [{"ImageProviders": ["unknown"]}],
        [{"ImageProviders": ["none", OWNER]}],
        [{"ImageNames": ["a:b"]}],
        [{"ImageProviders": [OWNER]}] * 11,
        [{"ImageProviders": [f"{number:012}" for number in range(201)]}],
        [{"ImageWatermarks": [{"WatermarkKey": "*"}] * 51}],
        [{"ScanResultCondition": {"MaximumSeverityLabel": "worst"}}],
    ],
)
def test_invalid_criteria(client: Any, criteria: list[dict[str, Any]]) -> None:
    call = client().replace_image_criteria_in_allowed_images_settings
    assert error_code(call, ImageCriteria=criteria) == "InvalidParameterValue"


def test_a_state_that_there_is_not(client: Any) -> None:
    call = client().enable_allowed_images_settings
    assert error_code(call, AllowedImagesSettingsState="on") == "InvalidParameterValue"
