# SPDX-License-Identifier: GPL-3.0-or-later

"""Which criteria of Allowed AMIs fit an image; botocore shape ImageCriterion."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.diagnose.allowed_images import Truth, matches_any

from tests.unit.diagnose.examples import NOW
from tests.unit.examples import OWNER, STRANGER, source_image

IMAGE = source_image(
    name="golden-web-2026.11",
    creation_date="2026-11-20T00:00:00.000Z",
    deprecation_time="2026-11-22T00:00:00.000Z",
    product_codes=("abc",),
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
        pytest.param([{"ImageWatermarks": [{"WatermarkKey": "a:b"}]}], None, id="an unknown part"),
        pytest.param(
            [{"ImageProviders": [OWNER], "ImageNames": ["db-*"]}], False, id="all parts of a criterion"
        ),
        pytest.param(
            [{"ImageWatermarks": [{"WatermarkKey": "a:b"}], "ImageNames": ["db-*"]}],
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


def test_what_is_not_deprecated_fits() -> None:
    condition = {"DeprecationTimeCondition": {"MaximumDaysSinceDeprecated": 0}}
    assert matches_any([condition], source_image(), NOW) is True
    tomorrow = source_image(deprecation_time="2026-11-25T00:00:00.000Z")
    assert matches_any([condition], tomorrow, NOW) is True
