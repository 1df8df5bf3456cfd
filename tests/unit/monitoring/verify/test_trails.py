# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether events can come, by the trails of a region."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.state import (
    MonitoringState,
    Trail,
)
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.trails import (
    find_lost_events,
    list_unread_trails,
)

from .examples import AS_WANTED, TRAIL, wanted

STOPPED = replace(TRAIL, is_logging=False, selectors=None)
READS = replace(TRAIL, selectors={"EventSelectors": [{"ReadWriteType": "ReadOnly"}]})
NO_KEYS = replace(
    TRAIL, selectors={"EventSelectors": [{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}
)
OF_ORGANIZATION = Trail("arn:aws:cloudtrail:us-east-1:999999999999:trail/organization", True)
ELSEWHERE = replace(TRAIL, log_group=("us-east-1", "111122223333", "trail"))
UNDELIVERED = "Alarm AMI sharing gets no events: no trail that logs changes by ec2.amazonaws.com delivers to"


def seen(*trails: Trail) -> MonitoringState:
    return MonitoringState(AS_WANTED, (), trails)


def texts(*trails: Trail, **changes: Any) -> list[str]:
    return [one.message for one in find_lost_events(wanted(**changes), seen(*trails))]


def test_one_trail_is_enough() -> None:
    assert texts(TRAIL) == []
    assert texts(STOPPED, READS, TRAIL) == []
    assert texts(ELSEWHERE, log_group_name=None) == []


@pytest.mark.parametrize(
    ("trails", "reason"),
    [
        ((), "no trail covers the region"),
        ((STOPPED,), "trail all is not logging"),
        ((READS,), "trail all logs no changes by ec2.amazonaws.com, kms.amazonaws.com"),
        ((replace(OF_ORGANIZATION, is_logging=False),), "trail organization is not logging"),
    ],
)
def test_no_event_can_come(trails: tuple[Trail, ...], reason: str) -> None:
    (failure,) = find_lost_events(wanted(), seen(*trails))
    assert failure.message == f"The rule gets no events of ec2.amazonaws.com, kms.amazonaws.com: {reason}."
    assert (failure.error_code, failure.region) == ("events_not_logged", "eu-west-1")
    assert "docs/monitoring.md" in failure.remedy


def test_events_of_keys_are_excluded() -> None:
    text = "The rule gets no events of kms.amazonaws.com: trail all logs no changes by kms.amazonaws.com."
    assert texts(NO_KEYS) == [text]
    pattern = {"detail": {"eventSource": ["ec2.amazonaws.com"]}}
    assert texts(NO_KEYS, event_pattern=pattern) == []


def test_the_log_group_gets_nothing() -> None:
    for trails in ([ELSEWHERE], [replace(TRAIL, log_group=None)], [TRAIL_TO_ANOTHER], [READS, ELSEWHERE]):
        (text,) = texts(*trails)
        assert text == f"{UNDELIVERED} the log group trail."
    failing = replace(TRAIL, delivery_error="Access denied")
    (text,) = texts(failing)
    assert text == "Alarm AMI sharing gets no events: trail all cannot deliver: Access denied."
    assert texts(failing, TRAIL) == []


TRAIL_TO_ANOTHER = replace(TRAIL, log_group=("eu-west-1", "111122223333", "trail-old"))


def test_a_trail_that_cannot_be_read_is_named_if_it_matters() -> None:
    both = wanted(log_group_name=None)
    assert find_lost_events(both, seen(OF_ORGANIZATION)) == ()
    assert list_unread_trails(both, seen(OF_ORGANIZATION)) == (OF_ORGANIZATION.arn,)
    assert list_unread_trails(both, seen(OF_ORGANIZATION, NO_KEYS)) == (OF_ORGANIZATION.arn,)
    assert list_unread_trails(both, seen(OF_ORGANIZATION, TRAIL)) == ()
    some = {"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventName", "Equals": ["x"]}]}]}
    assert list_unread_trails(both, seen(replace(TRAIL, selectors=some))) == (TRAIL.arn,)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_nothing_is_said_about_trails_that_were_not_read(state: str) -> None:
    unread = MonitoringState(AS_WANTED)
    assert find_lost_events(wanted(state=state), unread) == ()
    assert list_unread_trails(wanted(state=state), unread) == ()


def test_the_remedy_is_never_cut() -> None:
    many = [replace(STOPPED, arn=f"{TRAIL.arn}{number}{'x' * 100}") for number in range(5)]
    (failure,) = find_lost_events(wanted(alarm_name="a" * 255), seen(*many))
    assert failure.text().endswith("docs/monitoring.md.")
    (failure,) = find_lost_events(
        wanted(alarm_name="a" * 255, log_group_name="b" * 512), seen(replace(TRAIL, log_group=None))
    )
    assert failure.text().endswith(failure.remedy)
