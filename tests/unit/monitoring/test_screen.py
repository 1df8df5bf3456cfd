# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role monitor displays at its end, passes to the next job, and fails with."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._monitoring.screen import screen
from ansible_collections.golden.images.plugins.module_utils._reports.screen import (
    WIDTH,
    Screen,
    Tone,
    count_columns,
)

EU, US = "eu-west-1", "us-east-1"


def shown(*regions: str, check_mode: bool = False, **changes: Any) -> Screen:
    report = {
        "regions": list(regions),
        "log_group_regions": [US],
        "failures": [],
        "pending_subscriptions": {},
        "unread_trails": {},
        "state": "present",
        **changes,
    }
    found = screen(report, {"check_mode": check_mode}, None)
    assert all(count_columns(line.text) <= WIDTH for line in found.lines), found.text
    return found


def test_every_region_is_configured() -> None:
    found = shown(EU, US)
    assert found.text.splitlines() == [
        "Monitoring configured in 2 regions.",
        "region     alarm  outcome",
        "eu-west-1  -      configured",
        "us-east-1  yes    configured",
    ]
    assert found.failure == ""
    assert found.artifacts == {"failed_regions": [], "report_path": None, "status": "configured"}


def test_it_is_removed() -> None:
    found = shown(EU, state="absent")
    assert found.text.splitlines()[0] == "Monitoring removed in 1 region."
    assert found.artifacts["status"] == "removed"
    # Without a log group, the filters of an earlier run are not found.
    filters = "Metric filters were looked for only in the log group"
    assert filters not in found.text
    assert filters in shown(EU, state="absent", log_group_regions=[]).text


def test_check_mode_says_what_it_cannot_know() -> None:
    found = shown(EU, check_mode=True)
    assert found.text.splitlines()[0] == "Check mode: monitoring would be configured in 1 region."
    assert "would be configured" in found.text.splitlines()[2]
    assert "amazon.aws.cloudwatchevent_rule does not support check mode." in " ".join(found.text.split())
    assert found.artifacts["status"] == "planned"


def failed(region: str, message: str = "No.") -> dict[str, str]:
    return {"region": region, "task": "Create alarm", "message": message}


def test_a_region_that_failed_is_first() -> None:
    found = shown(EU, US, failures=[failed(US)])
    assert found.text.splitlines() == [
        "Monitoring configured in 1 of 2 regions.",
        "region     alarm  outcome",
        "us-east-1  yes    failed",
        "eu-west-1  -      configured",
        "- us-east-1: Create alarm failed. No.",
    ]
    assert found.lines[2].tone is Tone.BAD
    assert found.failure == (
        "1 of 2 regions failed.\n- us-east-1: Create alarm failed. No.\n"
        "The other regions are complete. Rerun to complete the remaining regions."
    )
    assert found.artifacts["failed_regions"] == [US]


def test_the_region_is_named_once() -> None:
    found = shown(EU, failures=[failed(EU, f"2 problems:\n- {EU}: One.\n- {EU}: Two.")])
    assert found.failure.splitlines()[1:4] == [
        f"- {EU}: Create alarm failed. 2 problems:",
        "- One.",
        "- Two.",
    ]


def test_no_other_region_is_claimed_to_be_complete() -> None:
    lacking = "Task failed: Module failed: 'CreateTopicResult'"
    found = shown(EU, US, failures=[failed(EU, lacking), failed(US, lacking)])
    assert found.failure == (
        "2 of 2 regions failed.\n"
        "- eu-west-1, us-east-1: Create alarm failed. The response has no CreateTopicResult. "
        "It probably does not come from AWS. Check the network, the proxy and AWS_ENDPOINT_URL.\n"
        "Rerun to complete the failed regions: completed work is kept."
    )


def test_a_failure_before_the_first_change() -> None:
    denied = "An error occurred (AccessDenied) when calling the GetCallerIdentity operation: No"
    for state, word in (("present", "configured"), ("absent", "removed")):
        found = shown(EU, US, failures=[failed("", denied)], state=state)
        head = f"Monitoring was not {word}: a step before the first change failed."
        assert found.failure == (
            f"{head}\n- Create alarm failed. {denied}. "
            "docs/iam/monitor.json has all permissions that the credentials need."
        )
        assert found.text.splitlines()[0] == head
        assert "outcome" not in found.text
        assert found.artifacts == {"failed_regions": [], "report_path": None, "status": "incomplete"}


def test_subscriptions_that_are_not_confirmed_are_a_warning() -> None:
    mail = {"protocol": "email", "endpoint": "security@example.org"}
    page = {"protocol": "https", "endpoint": "https://me:secret@events.example.org/secret?key=secret"}
    found = shown(EU, US, pending_subscriptions={EU: [mail, page], US: [mail]})
    assert found.text.splitlines()[0] == "Monitoring configured in 2 regions."
    assert " ".join(line.text.strip() for line in found.lines if line.tone is Tone.WARNING) == (
        "Not confirmed, and without messages until the recipients follow the link that SNS has sent: email "
        "security@example.org in eu-west-1, us-east-1; https events.example.org in eu-west-1. SNS deletes "
        "these subscriptions after two days."
    )
    assert "secret" not in found.text
    assert not [line for line in shown(EU, pending_subscriptions={EU: []}).lines if line.tone is Tone.WARNING]


def test_trails_that_cannot_be_read_are_a_warning() -> None:
    arn = "arn:aws:cloudtrail:us-east-1:999999999999:trail/organization"
    found = shown(EU, US, unread_trails={EU: [arn], US: [arn]})
    assert found.text.splitlines()[0] == "Monitoring configured in 2 regions."
    warning = " ".join(line.text.strip() for line in found.lines if line.tone is Tone.WARNING)
    assert warning.startswith("Not known whether all events come: ")
    assert f"that depends on {arn} in eu-west-1, us-east-1. Ask its owner" in warning
    assert found.artifacts["status"] == "configured"
    assert not [line for line in shown(EU, unread_trails={EU: []}).lines if line.tone is Tone.WARNING]


@pytest.mark.parametrize("number", [20, 100])
def test_many_regions(number: int) -> None:
    regions = [f"eu-west-{one}" for one in range(number)]
    rows = [line for line in shown(*regions).text.splitlines() if line.startswith("eu-west-")]
    assert len(rows) == (number if number == 20 else 0)
    all_failed = shown(*regions, failures=[failed(region) for region in regions])
    assert ("80 more" in all_failed.text) == (number == 100)


def test_where_the_failures_are_that_are_not_shown() -> None:
    regions = [f"eu-west-{one}" for one in range(9)]
    found = shown(*regions, failures=[failed(region, f"{region[-1]} is bad.") for region in regions])
    rest = "4 more in the messages of the failed tasks."
    assert found.lines[-1].text.strip() == rest
    assert found.failure.splitlines()[-2].strip() == rest
    unchanged = shown(*regions, failures=[failed("", f"{region[-1]} is bad.") for region in regions])
    assert unchanged.failure.splitlines()[-1].strip() == rest


def test_many_regions_are_one_row() -> None:
    assert "100 regions  0      configured" in shown(*(f"eu-west-{one}" for one in range(100))).text
