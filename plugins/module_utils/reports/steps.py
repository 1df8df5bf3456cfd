# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures in the results of modules, in a form that is the same in every run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

# The message of a denied request ends with the request, encoded differently each time (STS API Reference,
# DecodeAuthorizationMessage).
_ENCODED = re.compile(r"\s*Encoded authorization failure message: \S+")
# Without the request ID, which differs between runs with the same failure.
_FAILURE_FACTS = ("account_id", "action", "error_code", "message", "region", "remedy", "source")


def failures(steps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The failures of all steps, with stable messages.

    A task that failed without a list of failures, for example with a syntax error, counts as one failure.
    """
    given = list(steps)
    explained = [failure for step in given for failure in step.get("failures", ())]
    unexplained = [
        {"action": None, "message": step.get("msg", "")}
        for step in given
        if step.get("failed") and not step.get("failures")
    ]
    return [
        {
            **{fact: failure.get(fact) for fact in _FAILURE_FACTS},
            "message": stable(str(failure.get("message") or "")),
        }
        for failure in (*explained, *unexplained)
    ]


def stable(message: str) -> str:
    """The message without the part that differs between runs with the same failure."""
    return _ENCODED.sub("", message)
