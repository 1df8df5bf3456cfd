# SPDX-License-Identifier: GPL-3.0-or-later

"""Which criteria of Allowed AMIs fit an image; botocore shape ImageCriterion."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._diagnose.allowed_images import Truth, matches_any
from ansible_collections.golden.images.plugins.module_utils._model import ScanResults, Watermark

from tests.unit.diagnose.examples import NOW
from tests.unit.examples import OWNER, STRANGER, source_image


def ago(days: int) -> datetime:
    """So many days before now."""
    return NOW - timedelta(days=days)


IMAGE = source_image(
    name="golden-web-2026.11",
    creation_date="2026-11-20T00:00:00.000Z",
    deprecation_time="2026-11-22T00:00:00.000Z",
    product_codes=("abc",),
    watermarks=(
        Watermark(f"{OWNER}:approved", "eu-west-1", ago(9), ago(2)),
        Watermark(f"{STRANGER}:scanned", "us-east-1", ago(5), ago(4)),
    ),
    scan=ScanResults(ago(3), "high", {"High": ago(9), "Low": ago(20)}),
)


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        pytest.param([], None, id="none: not documented"),
        pytest.param([{"ImageProviders": [STRANGER, OWNER]}], True, id="the owner"),
        pytest.param([{"ImageProviders": [STRANGER]}], False, id="another"),
        pytest.param([{"ImageProviders": ["none"]}], False, id="no provider"),
        pytest.param([{"ImageProviders": ["amazon"]}], None, id="amazon: unknown"),
        pytest.param([{"ImageProviders": ["aws-marketplace", OWNER]}], True, id="the owner among others"),
        pytest.param([{"ImageNames": ["golden-*"]}], True, id="a name"),
        pytest.param([{"ImageNames": ["golden-?"]}], False, id="one character"),
        pytest.param([{"ImageNames": ["golden.web*"]}], False, id="a dot is a dot"),
        pytest.param([{"MarketplaceProductCodes": ["abc", "def"]}], True, id="a product"),
        pytest.param([{"MarketplaceProductCodes": ["def"]}], False, id="another product"),
        pytest.param([{"CreationDateCondition": {"MaximumDaysSinceCreated": 4}}], True, id="young enough"),
        pytest.param([{"CreationDateCondition": {"MaximumDaysSinceCreated": 3}}], False, id="too old"),
        pytest.param(
            [{"DeprecationTimeCondition": {"MaximumDaysSinceDeprecated": 2}}], True, id="not long deprecated"
        ),
        pytest.param(
            [{"DeprecationTimeCondition": {"MaximumDaysSinceDeprecated": 1}}], False, id="too long deprecated"
        ),
        pytest.param(
            [{"DeprecationTimeCondition": {"MaximumDaysSinceDeprecated": 0}}], False, id="deprecated at all"
        ),
        pytest.param([{"DeprecationTimeCondition": {"Newer": 0}}], None, id="deprecated, unknown condition"),
        pytest.param([{"CreationDateCondition": {"Newer": 0}}], None, id="created, unknown condition"),
        pytest.param([{"Newer": [{"Key": "a:b"}]}], None, id="an unknown part"),
        pytest.param(
            [{"ImageProviders": [OWNER], "ImageNames": ["db-*"]}], False, id="all parts of a criterion"
        ),
        pytest.param(
            [{"Newer": [{"Key": "a:b"}], "ImageNames": ["db-*"]}],
            False,
            id="one part that does not fit",
        ),
        pytest.param([{"ImageNames": ["db-*"]}, {"ImageProviders": [OWNER]}], True, id="any criterion"),
        pytest.param([{"ImageProviders": ["amazon"]}, {"ImageNames": ["db-*"]}], None, id="perhaps one"),
        pytest.param([{"ImageProviders": [OWNER], "ImageNames": []}], True, id="an empty part is none"),
    ],
)
def test_what_fits(criteria: list[dict[str, Any]], expected: Truth) -> None:
    assert matches_any(criteria, IMAGE, NOW) is expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param([{"WatermarkKey": f"{OWNER}:app*"}], True, id="a key"),
        pytest.param([{"WatermarkKey": f"{OWNER}:app?"}], False, id="another key"),
        pytest.param([{"WatermarkKey": "a:b"}, {"WatermarkKey": "*:scanned"}], True, id="any filter"),
        pytest.param(
            [{"WatermarkKey": "*:approved", "SourceImageRegion": "eu-*"}], True, id="a key and a region"
        ),
        pytest.param(
            [{"WatermarkKey": "*:approved", "SourceImageRegion": "us-*"}],
            False,
            id="the key of one and the region of another",
        ),
        pytest.param(
            [{"WatermarkKey": "*:approved", "MaximumDaysSinceSourceImageCreated": 9}], True, id="young image"
        ),
        pytest.param(
            [{"WatermarkKey": "*:approved", "MaximumDaysSinceSourceImageCreated": 8}], False, id="old image"
        ),
        pytest.param(
            [{"WatermarkKey": "*:approved", "MaximumDaysSinceWatermarkCreated": 2}], True, id="young mark"
        ),
        pytest.param(
            [{"WatermarkKey": "*:approved", "MaximumDaysSinceWatermarkCreated": 1}], False, id="old mark"
        ),
        pytest.param([{"WatermarkKey": "*:approved", "Newer": 1}], None, id="an unknown field"),
        pytest.param([{"WatermarkKey": "a:b", "Newer": 1}], False, id="a field that excludes all"),
    ],
)
def test_watermarks(wanted: list[dict[str, Any]], expected: Truth) -> None:
    """(botocore shapes ImageCriterion, ImageWatermarks, and ImageWatermarkFilterResponse.)"""
    assert matches_any([{"ImageWatermarks": wanted}], IMAGE, NOW) is expected


@pytest.mark.parametrize(
    "wanted",
    [
        {"WatermarkKey": "a:b"},
        {"SourceImageRegion": "eu-*"},
        {"MaximumDaysSinceSourceImageCreated": 1},
        {"MaximumDaysSinceWatermarkCreated": 1},
    ],
)
def test_what_a_watermark_does_not_say_is_unknown(wanted: dict[str, Any]) -> None:
    image = source_image(watermarks=(Watermark("", "", None, None),))
    assert matches_any([{"ImageWatermarks": [wanted]}], image, NOW) is None


def test_without_watermarks_none_fits() -> None:
    assert matches_any([{"ImageWatermarks": [{"Newer": 1}]}], source_image(), NOW) is False


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param({"MaximumSeverityLabel": "critical"}, True, id="a higher severity"),
        pytest.param({"MaximumSeverityLabel": "high"}, True, id="the severity"),
        pytest.param({"MaximumSeverityLabel": "medium"}, False, id="a lower severity"),
        pytest.param({"MaximumSeverityLabel": "newer"}, None, id="an unknown severity"),
        pytest.param({"MaxDaysSinceLastFindingScan": 3}, True, id="a new scan"),
        pytest.param({"MaxDaysSinceLastFindingScan": 2}, False, id="an old scan"),
        pytest.param({"MaxDaysSinceHighFixAvailable": 9}, True, id="a new fix"),
        pytest.param({"MaxDaysSinceHighFixAvailable": 8}, False, id="an old fix"),
        pytest.param({"MaxDaysSinceCriticalFixAvailable": 0}, True, id="no fix of that severity"),
        pytest.param(
            {"MaxDaysSinceHighFixAvailable": 9, "MaxDaysSinceLowFixAvailable": 9}, False, id="one of two"
        ),
        pytest.param({"Newer": 1}, None, id="an unknown condition"),
        pytest.param({"Newer": 1, "MaximumSeverityLabel": "low"}, False, id="unknown, and one that fails"),
    ],
)
def test_scan_results(condition: dict[str, Any], expected: Truth) -> None:
    """(botocore shape ScanResultCondition.)"""
    assert matches_any([{"ScanResultCondition": condition}], IMAGE, NOW) is expected


@pytest.mark.parametrize(
    ("scan", "condition", "expected"),
    [
        pytest.param(None, {"MaximumSeverityLabel": "critical"}, False, id="never scanned"),
        pytest.param(None, {"MaxDaysSinceLowFixAvailable": 9}, False, id="never scanned, a fix"),
        pytest.param(ScanResults(), {"MaximumSeverityLabel": "informational"}, True, id="no findings"),
        pytest.param(ScanResults(), {"MaxDaysSinceLastFindingScan": 9}, None, id="without the time"),
        pytest.param(ScanResults(None, "newer"), {"MaximumSeverityLabel": "low"}, None, id="unknown"),
    ],
)
def test_scan_results_that_are_incomplete(
    scan: ScanResults | None, condition: dict[str, Any], expected: Truth
) -> None:
    """(botocore shape ScanResults.)"""
    image = source_image(scan=scan)
    assert matches_any([{"ScanResultCondition": condition}], image, NOW) is expected


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [([{"ImageProviders": [OWNER]}], None), ([{"ImageProviders": [STRANGER]}], False), ([{}], None)],
)
def test_criteria_that_the_installed_botocore_reads_in_part(
    criteria: list[dict[str, Any]], expected: Truth
) -> None:
    """What it leaves out can only exclude the image (botocore 1.41.0, shape ImageCriterion)."""
    assert matches_any(criteria, IMAGE, NOW, all_read=False) is expected


def test_what_is_not_deprecated_fits() -> None:
    condition = {"DeprecationTimeCondition": {"MaximumDaysSinceDeprecated": 0}}
    assert matches_any([condition], source_image(), NOW) is True
    tomorrow = source_image(deprecation_time="2026-11-25T00:00:00.000Z")
    assert matches_any([condition], tomorrow, NOW) is True
