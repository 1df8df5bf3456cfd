# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outcome of a verification, read from the registered result of ``ami_verify``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class VerificationOutcome:
    """What a verification has proven.

    ``rows`` are the accounts with the level that each reached, ``level`` is the required one. ``error`` is
    the message of a task that was refused, or the summary of what another one has not proven; empty if all is
    proven. ``kept_back`` is that of the result; empty if nothing is kept from being published.
    """

    rows: Sequence[Mapping[str, Any]] = ()
    level: str | None = None
    error: str = ""
    kept_back: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, result: Mapping[str, Any]) -> VerificationOutcome:
        """Return the outcome in a result with or without ``return_report``; that of no result is empty."""
        report = result.get("report") or result
        error = result.get("msg") or ""
        # A task that was refused has verified nothing, and returns no list of regions.
        if error and "verified_regions" in result:
            error = report.get("summary") or ""
        return cls(report.get("results") or (), report.get("level"), error, report.get("kept_back") or {})

    def list_messages(self) -> Iterator[str]:
        """Yield what is not proven, and what is therefore not published."""
        if self.error:
            yield self.error
        if self.kept_back:
            yield f"{self.kept_back['message']} {self.kept_back['remedy']}"


def list_messages(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the messages of registered results; of a verification, what it has not proven."""
    messages: list[str] = []
    for result in results:
        if "verified_regions" in result:
            messages += VerificationOutcome.from_dict(result).list_messages()
        elif result.get("msg"):
            messages.append(result["msg"])
    return messages
