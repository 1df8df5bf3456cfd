# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the simulated AWS."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.settings import CopyFailure, Settings


def test_changes_and_reset() -> None:
    settings = Settings()
    settings.update(
        {
            "copy_seconds": 2,
            "copy_failures": [{"region": "us-east-1", "times": 3}],
            "not_opted_in_regions": ["ap-east-1"],
            "pending_image_lists_snapshots": True,
        }
    )
    assert settings.copy_seconds == 2.0
    assert settings.copy_failures == [CopyFailure("us-east-1", times=3)]
    settings.reset()
    assert settings == Settings()


@pytest.mark.parametrize(
    "change",
    [
        {"copy_second": 2},
        {"copy_seconds": "2"},
        {"copy_seconds": True},
        {"pending_image_lists_snapshots": 1},
        {"not_opted_in_regions": "ap-east-1"},
        {"copy_seconds": -1},
        {"usage_report_seconds": -0.5},
        {"copy_seconds_by_region": {"eu-west-1": -1}},
        {"copy_seconds_by_region": {"eu-west-1": "2"}},
        {"copy_failures": [{"code": "x"}]},
        {"copy_failures": [{"region": "*", "reason": "x"}]},
    ],
)
def test_a_rejected_change_changes_nothing(change: dict[str, Any]) -> None:
    settings = Settings()
    with pytest.raises(ValueError, match=next(iter(change))):
        settings.update({"image_sharing_quota": 1, **change})
    assert settings == Settings()


def test_defaults_are_not_shared() -> None:
    settings = Settings()
    settings.not_opted_in_regions.append("ap-east-1")
    settings.reset()
    assert settings.not_opted_in_regions == []
    assert Settings().not_opted_in_regions == []
