# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint that each protocol takes (botocore operation Subscribe), and who confirms a subscription."""

from __future__ import annotations

import re
from collections.abc import Mapping

from moto.sns.exceptions import SNSInvalidParameter

_ROLE = "SubscriptionRoleArn"
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")
# SNS Developer Guide, "Subscription confirmation": these receive a token that confirms the subscription.
_CONFIRMED_BY_RECIPIENT = frozenset({"http", "https", "email", "email-json"})
# RFC 2606: no name in the domain .invalid exists, so that no message ever arrives.
_NOBODY = re.compile(r"(?:.*@|https?://)(?:[^/:@]+\.)?invalid(?:[:/].*)?")
_FORMS = {
    "http": (re.compile(r"http://\S+"), "Endpoint must match the specified protocol"),
    "https": (re.compile(r"https://\S+"), "Endpoint must match the specified protocol"),
    "email": (_MAIL, "Email address"),
    "email-json": (_MAIL, "Email address"),
    "sms": (re.compile(r"\+?[0-9./-]+"), "Invalid SMS endpoint: {endpoint}"),
    "sqs": (re.compile(r"arn:[^:]+:sqs:[^:]+:[0-9]{12}:[^:/]+"), "SQS endpoint ARN"),
    "application": (
        re.compile(r"arn:[^:]+:sns:[^:]+:[0-9]{12}:endpoint/.+"),
        "Application endpoint arn invalid:{endpoint}",
    ),
    "lambda": (re.compile(r"arn:[^:]+:lambda:[^:]+:[0-9]{12}:function:.+"), "Lambda endpoint ARN"),
    "firehose": (re.compile(r"arn:[^:]+:firehose:[^:]+:[0-9]{12}:deliverystream/.+"), "Endpoint"),
}


def is_confirmed(protocol: str, endpoint: str) -> bool:
    """Whether the recipient has confirmed the subscription: all do at once, other than those in .invalid."""
    return protocol not in _CONFIRMED_BY_RECIPIENT or _NOBODY.fullmatch(endpoint) is None


def require(protocol: str, endpoint: str, attributes: Mapping[str, str]) -> None:
    """Reject an unknown protocol, an endpoint of another form, and a delivery stream without its role."""
    if protocol not in _FORMS:
        raise SNSInvalidParameter(f"Invalid parameter: Does not support this protocol string: {protocol}")
    form, problem = _FORMS[protocol]
    if not form.fullmatch(endpoint):
        raise SNSInvalidParameter(f"Invalid parameter: {problem.format(endpoint=endpoint)}")
    if protocol == "firehose" and not attributes.get(_ROLE):
        raise SNSInvalidParameter(f"Invalid parameter: {_ROLE} is required for protocol firehose")
