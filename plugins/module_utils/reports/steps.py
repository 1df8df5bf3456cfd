# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reports take from the results of the modules that they report on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

# Of a refusal the message ends in the request, encoded anew each time (STS API Reference,
# DecodeAuthorizationMessage).
_ENCODED = re.compile(r"\s*Encoded authorization failure message: \S+")
# Which request failed differs from run to run although the failure is the same.
_FAILURE_FACTS = ("account_id", "action", "error_code", "message", "region", "remedy", "source")


def failures(steps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What failed in any of the steps.

    A task that ended without a list of failures, in a syntax error say, still failed. Messages are stable.
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
    """The message without what differs from run to run although the failure is the same."""
    return _ENCODED.sub("", message)
