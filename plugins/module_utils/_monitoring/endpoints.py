# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The protocols of subscriptions, and the endpoint that each takes (botocore operation Subscribe of SNS)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from .._wording import render_value

_FORM = "List mappings with protocol and endpoint."


class _Form(NamedTuple):
    """The form of an endpoint."""

    pattern: re.Pattern[str]
    example: str


def _arn(service: str, resource: str, example: str) -> _Form:
    prefix = rf"arn:aws[a-z-]*:{service}:[a-z0-9-]+:[0-9]{{12}}:"
    return _Form(re.compile(prefix + resource), f"arn:aws:{service}:eu-west-1:111122223333:{example}")


_MAIL = _Form(re.compile(r"[^@\s]+@[^@\s]+"), "security@example.org")
# Not firehose: it requires the attribute SubscriptionRoleArn, which community.aws.sns_topic cannot set.
_FORMS = {
    "http": _Form(re.compile(r"http://[^\s/]\S*"), "http://example.org/sns"),
    "https": _Form(re.compile(r"https://[^\s/]\S*"), "https://example.org/sns"),
    "email": _MAIL,
    "email-json": _MAIL,
    # community.aws.sns_topic removes what is neither a digit nor +. SNS Developer Guide, "Mobile phone
    # subscribers": E.164, which has at most 15 digits.
    "sms": _Form(re.compile(r"[^0-9+]*\+?(?:[^0-9+]*[0-9]){1,15}[^0-9+]*"), "+15551234567"),
    # SNS Developer Guide, "Amazon SNS FIFO topics": only a FIFO topic can have a FIFO queue as its endpoint.
    "sqs": _arn("sqs", r"[A-Za-z0-9_-]{1,80}", "security"),
    "application": _arn("sns", r"endpoint/\S+", "endpoint/APNS/app/1234abcd"),
    "lambda": _arn("lambda", r"function:[A-Za-z0-9_-]+(?::[A-Za-z0-9$_-]+)?", "function:notify"),
}


def check_subscription(subscription: Mapping[str, Any]) -> tuple[str, str]:
    """Return the problem with a subscription and its remedy; both empty if there is none."""
    protocol, endpoint = subscription.get("protocol"), subscription.get("endpoint")
    if not (protocol and endpoint):
        return f"{render_value(subscription)} has no protocol or endpoint.", _FORM
    if others := sorted(map(str, subscription.keys() - {"protocol", "endpoint"})):
        return f"{render_value(subscription)} has the unknown key {others[0]}.", _FORM
    form = _FORMS.get(str(protocol))
    if form is None:
        problem = f"the protocol {render_value(protocol)} is not supported."
        return problem, f"Use one of {', '.join(sorted(_FORMS))}."
    if not form.pattern.fullmatch(str(endpoint)) or not str(endpoint).isprintable():
        problem = f"{render_value(endpoint)} is not an endpoint of the protocol {protocol}."
        return problem, f"Use one such as {form.example}."
    return "", ""
