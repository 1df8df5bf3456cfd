# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the role monitor."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._monitoring.flow import FLOW

from tests.unit.examples import as_read

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GIVEN: dict[str, Any] = {
    "regions": ["eu-west-1", "us-east-1"],
    "log_group_name": "aws-cloudtrail-logs/trail",
    "log_group_regions": ["us-east-1"],
    "metric_namespace": "Custom/EC2",
    "alarm_name": "AMI sharing!",
    "rule_name": "golden-images-sharing",
    "topic_name": "golden-images-sharing",
    "queue_name": None,
    "subscriptions": [{"protocol": "email", "endpoint": "security@example.org"}],
    "kms_key_arns": [KEY],
    "excluded_principal_arns": ["arn:aws:iam::111122223333:role/ci/golden"],
    "event_pattern": None,
    "filter_patterns": [],
}


def test_options_that_are_valid_are_accepted() -> None:
    FLOW.options.read(GIVEN, False)
    FLOW.options.read({**GIVEN, "log_group_name": None, "log_group_regions": []}, False)
    FLOW.options.read(
        {**GIVEN, "queue_name": "golden-images", "subscriptions": [], "kms_key_arns": []}, False
    )


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("regions", [], "at least one region"),
        ("regions", ["us-east-1", "EU west"], "'EU west' is not a region"),
        ("log_group_regions", ["us-west-2"], "us-west-2 is not in the option regions"),
        ("log_group_name", "a b", "'a b' is not a valid log group name"),
        ("metric_namespace", "AWS/EC2", "'AWS/EC2' begins with AWS/"),
        ("metric_namespace", "a:b", "'a:b' is not a valid metric namespace"),
        ("metric_namespace", "Größe", "'Größe' is not a valid metric namespace"),
        ("alarm_name", "a\nb", "b' is not a valid alarm name"),
        ("alarm_name", "a" * 256, "aaa'\u2026 (256 characters) is not a valid alarm name"),
        ("rule_name", "a/b", "'a/b' is not a valid rule name"),
        ("topic_name", "golden.fifo", "'golden.fifo' is not a valid topic name"),
        ("queue_name", "a/b", "'a/b' is not a valid queue name"),
        ("subscriptions", "me@example.org", "must be a list of mappings (got 'me@example.org')"),
        ("subscriptions", [{"protocol": "email"}], '{"protocol": "email"} has no protocol or endpoint'),
        ("subscriptions", [{"protocol": ["sms"], "endpoint": "x"}], '["sms"] is not supported'),
        ("subscriptions", [{"protocol": "pigeon", "endpoint": "x"}], "'pigeon' is not supported"),
        ("subscriptions", [{"protocol": "https", "endpoint": "http://x"}], "'http://x' is not an endpoint"),
        ("kms_key_arns", ["alias/golden"], "'alias/golden' is not the ARN of a KMS key"),
        ("kms_key_arns", [""], "item 1 is empty"),
        ("excluded_principal_arns", ["golden"], "'golden' is not the ARN of an IAM role or user"),
        (
            "excluded_principal_arns",
            ["arn:aws:iam::111122223333:root"],
            ":root' is not the ARN of an IAM role",
        ),
        (
            "excluded_principal_arns",
            ["arn:aws:sts::111122223333:assumed-role/golden/x"],
            "golden/x' is not the ARN of an IAM role or user",
        ),
    ],
)
def test_an_option_that_is_not_valid_is_refused(option: str, value: Any, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        FLOW.options.read(as_read(FLOW.options.argument_spec(), {**GIVEN, option: value}), False)
    (failure,) = caught.value.failures
    assert failure.action == option
    assert says in failure.message


def test_principals_that_make_a_pattern_too_long_are_refused() -> None:
    def failures(**changes: Any) -> list[tuple[str, str]]:
        try:
            FLOW.options.read({**GIVEN, **changes}, False)
        except ValidationError as refused:
            return [(failure.action, failure.message) for failure in refused.failures]
        return []

    assert failures(filter_patterns=["x" * 1024, "x"]) == []
    ((action, message),) = failures(filter_patterns=["x", "x" * 1025])
    assert action == "excluded_principal_arns"
    assert 'role/ci/golden"], the pattern of a metric filter has 1025 characters' in message
    ((action, message),) = failures(kms_key_arns=[], event_pattern={"detail": "x" * 2048})
    assert (action, "the event pattern has 2061 characters" in message) == ("excluded_principal_arns", True)


@pytest.mark.parametrize("name", [None, ""])
def test_regions_of_a_log_group_without_its_name_are_refused(name: str | None) -> None:
    with pytest.raises(ValidationError) as caught:
        FLOW.options.read({**GIVEN, "log_group_name": name}, False)
    assert [one.message for one in caught.value.failures] == [
        "log_group_regions: needs the option log_group_name."
    ]


def test_the_event_pattern_of_each_region_has_its_own_keys() -> None:
    keys = [KEY.replace("1234abcd", f"{number:08}") for number in range(40)]
    elsewhere = [key.replace("eu-west-1", "us-east-1") for key in keys]
    room = (2048 - len('{"detail":{"$or":[{"resources":{"ARN":[]}}]}}') + 1) // len(f'"{KEY}",')

    def failures(*listed: str) -> list[str]:
        pattern = {"detail": {"$or": [{"resources": {"ARN": [*listed]}}]}}
        try:
            FLOW.options.read({**GIVEN, "kms_key_arns": [*listed], "event_pattern": pattern}, False)
        except ValidationError as refused:
            return [failure.message for failure in refused.failures]
        return []

    assert failures(*keys[:room], *elsewhere[:room]) == []
    (message,) = failures(*keys[:room], *elsewhere[: room + 1])
    assert message.startswith(f"kms_key_arns: with {room + 1} keys in us-east-1, the event pattern has 2")
