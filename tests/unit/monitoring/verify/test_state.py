# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources that the role monitor wants, and those that AWS has."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.state import MonitoringState

from .examples import ALARM, RULE, TOPIC, TRAIL, wanted


def test_a_resource_is_named_with_its_kind() -> None:
    assert str(TOPIC) == "topic sharing"


def test_a_trail_is_named_without_its_region_and_account() -> None:
    assert TRAIL.name == "all"


def test_resources_by_kind() -> None:
    found = wanted(queue_name=None)
    assert found.kinds == {"topic", "metric filter", "alarm", "rule"}
    assert found.names_of("metric filter") == ("all",)
    assert found.names_of("queue") == ()


def test_a_later_read_replaces_what_was_read_before() -> None:
    failure = Failure("No.", "", "x", "DescribeRule")
    seen = MonitoringState({TOPIC: None, ALARM: {"Threshold": 0}, RULE: None}, (), (TRAIL,))
    later = seen.with_newer(MonitoringState({TOPIC: {"policy": {}}}, (failure,)), {"topic", "rule"})
    assert later == MonitoringState({TOPIC: {"policy": {}}, ALARM: {"Threshold": 0}}, (failure,), (TRAIL,))
