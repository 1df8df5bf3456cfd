# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Explain failures of other collections' modules that the role ``monitor`` runs, with remedies."""

from __future__ import annotations

import re

from .._failures import CHECK_CREDENTIALS

# The beginning of Ansible's message about a module that ended with an exception.
_CRASH = re.compile(r"^(?:Task failed: )?(?:Action|Module) failed: ")
# The message of Python's KeyError is the key: a member of the answer.
_LACKING = re.compile(r"^'(?P<member>\w+)'\.?$")
# botocore's words for an error (botocore.exceptions, ClientError).
_ERROR = re.compile(
    r"An error occurred \((?P<code>[^)]*)\) when calling the (?P<operation>\w+) operation"
    r"[^:]*: (?P<text>.*)",
    re.DOTALL,
)
_PAGE = re.compile(r"<(?:!doctype|html)\b", re.IGNORECASE)
_DENIALS = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"}
)
_CREDENTIALS = re.compile(
    r"\b(?:ExpiredToken(?:Exception)?|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch)\b"
    r"|[Uu]nable to locate credentials"
)
_LATER = re.compile(r"\b(?:Throttl\w+|TooManyRequests\w*|RequestLimitExceeded|5\d\d|ServiceUnavailable)\b")
_NETWORK = "Check the network, the proxy and AWS_ENDPOINT_URL."
_ALLOW = "docs/iam/monitor.json has all permissions that the credentials need."
_RETRY = "Rerun later."
# AWS returns them in such a region, too: the account's credentials are not known there.
_NOT_VALID = frozenset({"InvalidClientTokenId", "UnrecognizedClientException"})
_REGIONS = (
    "Check monitor_regions and monitor_log_group_regions: AWS returns this for a region that the account has "
    "not enabled."
)


def explain(message: str) -> tuple[str, str]:
    """Return the message in plain words, and the remedy, which is empty if the message has no known cause.

    The modules read a web page of a proxy as a response of AWS: a member is missing, or the page is the
    message of an error.
    """
    text = _CRASH.sub("", message.strip())
    if lacking := _LACKING.match(text):
        return f"The response has no {lacking['member']}. It probably does not come from AWS.", _NETWORK
    error = _ERROR.search(text)
    code = error["code"] if error else ""
    if error and (code == "Unknown" or _PAGE.search(error["text"])):
        status = f" It is a web page with the HTTP status {code}." if code.isdigit() else ""
        return f"The response to {error['operation']} does not come from AWS.{status}", _NETWORK
    if code in _DENIALS:
        return text, _ALLOW
    if _CREDENTIALS.search(text):
        # A module of this collection has the remedy already.
        remedy = f"{_REGIONS} {CHECK_CREDENTIALS}" if code in _NOT_VALID else CHECK_CREDENTIALS
        return text, "" if CHECK_CREDENTIALS in text else remedy
    if error and _LATER.fullmatch(code):
        return text, _RETRY
    if "Could not connect to the endpoint URL" in text or "Connect timeout" in text:
        return text, _NETWORK
    return text, ""
