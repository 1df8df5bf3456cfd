# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints of subscriptions, as the options take and refuse them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._monitoring.flow import FLOW

from .test_options import GIVEN

LAMBDA = "arn:aws:lambda:eu-west-1:111122223333:function:notify"
QUEUE = "arn:aws-us-gov:sqs:us-gov-west-1:111122223333:security"
TAKEN = ("", "")
STREAM = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/x"


def refusal(subscription: dict[str, Any]) -> tuple[str, str]:
    """Why the options refuse a subscription, and the remedy; two empty texts if they take it."""
    try:
        FLOW.options.read({**GIVEN, "subscriptions": [subscription]}, False)
    except ValidationError as refused:
        (failure,) = refused.failures
        return failure.message.removeprefix("subscriptions: "), failure.remedy
    return TAKEN


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("http", "http://example.org:8080/sns?a=b"),
        ("https", "https://user:password@example.org"),
        ("email", "security+ami@example.org"),
        ("email-json", "security@example.org"),
        ("sms", "+1 (555) 123-4567"),
        ("sms", 15551234567),
        ("sqs", QUEUE),
        ("application", "arn:aws:sns:eu-west-1:111122223333:endpoint/APNS/app/1-2"),
        ("lambda", LAMBDA),
        ("lambda", f"{LAMBDA}:$LATEST"),
    ],
)
def test_an_endpoint_of_its_protocol(protocol: str, endpoint: Any) -> None:
    assert refusal({"protocol": protocol, "endpoint": endpoint}) == TAKEN


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("http", "https://example.org"),
        ("https", "http://example.org"),
        ("https", "https://"),
        ("email", "no mail"),
        ("email-json", "me@"),
        ("email", "me@example\x01.org"),
        ("sms", "+1 555 +1"),
        ("sms", "1" * 16),
        ("sms", "me"),
        ("sqs", f"{QUEUE}.fifo"),
        ("sqs", "https://sqs.eu-west-1.amazonaws.com/111122223333/security"),
        ("application", LAMBDA),
        ("lambda", "notify"),
    ],
)
def test_an_endpoint_of_another_form(protocol: str, endpoint: str) -> None:
    problem, remedy = refusal({"protocol": protocol, "endpoint": endpoint})
    assert problem == f"'{endpoint}' is not an endpoint of the protocol {protocol}."
    example = remedy.removeprefix("Use one such as ").removesuffix(".")
    assert refusal({"protocol": protocol, "endpoint": example}) == TAKEN


@pytest.mark.parametrize(
    ("subscription", "problem"),
    [
        ({"protocol": "email"}, '{"protocol": "email"} has no protocol or endpoint.'),
        ({"protocol": "pigeon", "endpoint": "x"}, "the protocol 'pigeon' is not supported."),
        ({"protocol": "firehose", "endpoint": STREAM}, "the protocol 'firehose' is not supported."),
        (
            {"protocol": "email", "endpoint": "x@y", "attributes": {}},
            '{"protocol": "email", "endpoint": "x@y", "attributes": {}} has the unknown key attributes.',
        ),
    ],
)
def test_what_is_no_subscription(subscription: dict[str, Any], problem: str) -> None:
    assert refusal(subscription)[0] == problem
