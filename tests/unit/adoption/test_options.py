# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that do not fit each other: one error with the field and the fix, before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.adoption.examples import CONSUMER, OTHER_CONSUMER, WATERMARK, options


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({}, []),
        ({"family_tag": None, "family_watermark": WATERMARK}, []),
        ({"family_tag": None, "family_by_source": True}, []),
        ({"family_tag": None}, ["family_tag"]),
        ({"account_ids": ()}, ["account_ids"]),
        ({"account_ids": (), "depth": "launches"}, ["account_ids"]),
        ({"account_ids": (), "depth": "usage_reports"}, []),
        ({"account_ids": (CONSUMER, OTHER_CONSUMER)}, ["consumer_role_name"]),
        ({"account_ids": (CONSUMER, OTHER_CONSUMER), "consumer_role_name": "golden"}, []),
        ({"account_ids": (CONSUMER, OTHER_CONSUMER), "depth": "usage_reports"}, []),
        ({"account_ids": (), "depth": "config", "config_aggregator": "all"}, []),
        ({"account_ids": (), "depth": "config"}, ["config_aggregator"]),
        ({"config_aggregator": "all"}, ["config_aggregator"]),
        ({"config_aggregator_region": "eu-west-1"}, ["config_aggregator_region"]),
        (
            {"depth": "config", "config_aggregator": "all", "config_aggregator_account_id": OTHER_CONSUMER},
            ["consumer_role_name"],
        ),
        ({"report_s3_uri": "s3://reports/adoption/"}, ["report_s3_uri"]),
    ],
)
def test_options_that_do_not_fit_are_refused_by_name(given: dict[str, Any], refused: list[str]) -> None:
    problems = list(options(**given).problems())
    assert [problem.option for problem in problems] == refused
    assert all(problem.remedy for problem in problems)
