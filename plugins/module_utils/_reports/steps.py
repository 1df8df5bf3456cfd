# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures in the results of modules, in a form that is the same in every run, and as findings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .._failures import with_code
from .._wording import with_full_stop
from .document import Item

# The message of a denied request ends with the request, encoded differently each time (STS API Reference,
# DecodeAuthorizationMessage).
_ENCODED = re.compile(r"\s*Encoded authorization failure message: \S+")
# Without the request ID, which differs between runs with the same failure.
_FAILURE_FACTS = ("account_id", "action", "error_code", "message", "region", "remedy", "source")
# The form of this collection's own codes.
_OWN = re.compile(r"[a-z]+(_[a-z]+)*")
_FAILED = "operation_failed"
MEANINGS = {_FAILED: "A call to AWS or a task failed, with an error for which this collection has no code."}
"""The meaning of the code of a failure that has no code of this collection."""


def collect_failures(steps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the failures of all steps, with stable messages.

    A task that failed without a list of failures, for example with a syntax error, counts as one failure.
    """
    results = list(steps)
    with_failures = [failure for step in results for failure in step.get("failures", ())]
    without_failures = [
        {"action": None, "message": step.get("msg", "")}
        for step in results
        if step.get("failed") and "failures" not in step
    ]
    return [
        {
            **{fact: failure.get(fact) for fact in _FAILURE_FACTS},
            "message": strip_request(str(failure.get("message") or "")),
        }
        for failure in (*with_failures, *without_failures)
    ]


def strip_request(message: str) -> str:
    """Return the message without the part that differs between runs with the same failure."""
    return _ENCODED.sub("", message)


def to_finding(failure: Mapping[str, Any]) -> dict[str, Any]:
    """Return the code and the texts of the finding about a failure that ``collect_failures`` returned."""
    error_code = failure["error_code"]
    return {
        "code": error_code if _is_own(error_code) else _FAILED,
        "error_code": error_code,
        "message": explain(failure["message"], error_code),
        "remedy": failure["remedy"] or "",
    }


def to_item(failure: Mapping[str, Any], severity: str, principal: str | None = None) -> Item:
    """Return the finding about a failure that ``collect_failures`` returned."""
    texts = {**failure, **to_finding(failure)}
    return Item.of(texts, severity=severity, resource=failure["action"], principal=principal)


def explain(message: str, error_code: str | None) -> str:
    """Return the stable message of a finding, with the error code if it is one of AWS or botocore."""
    if error_code is None or _is_own(error_code):
        return strip_request(message)
    return with_full_stop(with_code(strip_request(message), error_code))


def _is_own(error_code: str | None) -> bool:
    return error_code is not None and _OWN.fullmatch(error_code) is not None
