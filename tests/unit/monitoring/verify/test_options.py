# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of monitoring_verify."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Target

from .examples import ACCOUNT, ALARM, AS_WANTED, FILTER, QUEUE, REGION, RULE, TOPIC, wanted


def test_what_should_exist() -> None:
    found = wanted()
    assert found.target == Target(ACCOUNT, REGION)
    assert found.present
    assert [*found.resources] == [*AS_WANTED]
    assert found.resources[FILTER] == AS_WANTED[FILTER]


def test_what_does_not_exist_in_every_region() -> None:
    assert [*wanted(log_group_name=None, queue_name=None).resources] == [TOPIC, RULE]
    # It is deleted in every region.
    gone = wanted(log_group_name=None, state="absent")
    assert [*gone.resources] == [TOPIC, ALARM, QUEUE, RULE]
    assert not gone.present


def test_the_services_whose_events_are_expected() -> None:
    assert wanted().event_sources == {"ec2.amazonaws.com", "kms.amazonaws.com"}
    assert wanted(state="absent").event_sources == frozenset()


def test_phone_numbers_are_those_that_sns_returns() -> None:
    given = [
        {"protocol": "sms", "endpoint": "+1 (555) 0100"},
        {"protocol": "https", "endpoint": "https://a b"},
    ]
    assert wanted(subscriptions=given).subscriptions == (("sms", "+15550100"), ("https", "https://a b"))


@pytest.mark.parametrize("arn", ["", "sharing", "arn:aws:sqs:eu-west-1:1:x", "arn:aws:sns::1:x"])
def test_the_arn_must_be_of_a_topic(arn: str) -> None:
    with pytest.raises(ValidationError, match=r"topic_arn: .* is not the ARN of an SNS topic"):
        wanted(topic_arn=arn)
