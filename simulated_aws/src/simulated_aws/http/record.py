# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of all API calls, including those without a response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .api_calls import Call

_SECRET_MEMBERS = frozenset(
    {
        "NewPassword",
        "OldPassword",
        "Password",
        "Plaintext",
        "PresignedUrl",
        "SAMLAssertion",
        "SecretBinary",
        "SecretString",
        "TokenCode",
        "WebIdentityToken",
    }
)
_ENVELOPE = frozenset({"Action", "Version"})


@dataclass(slots=True)
class RecordedCall:
    """One call. `time` is Unix time in seconds; `status` is None if there is no response (yet).

    `error_code` is empty on success. `faulted` is the kind of the fault that was injected, or empty.
    `changes` is whether the call changes something if it succeeds.
    """

    number: int
    time: float
    account_id: str
    region: str
    service: str
    action: str
    parameters: Mapping[str, Any]
    user_agent: str
    request_id: str
    status: int | None = None
    error_code: str = ""
    faulted: str = ""
    changes: bool = False

    def view(self) -> dict[str, Any]:
        """The call as a JSON object, without secrets."""
        return asdict(self) | {"parameters": _without_secrets(self.parameters)}


class Record:
    """All calls in the order of arrival, numbered from 1; clearing does not restart the numbers."""

    def __init__(self) -> None:
        self._entries: list[RecordedCall] = []
        self._number = 0

    def begin(
        self, call: Call, account_id: str, user_agent: str, request_id: str, time: float
    ) -> RecordedCall:
        """Record a call on arrival; the caller sets its result later."""
        self._number += 1
        entry = RecordedCall(
            self._number,
            time,
            account_id,
            call.region,
            call.service,
            call.action,
            call.params,
            user_agent,
            request_id,
        )
        self._entries.append(entry)
        return entry

    def select(self, filters: Mapping[str, str], since: int) -> list[RecordedCall]:
        """Calls with a number greater than `since` whose attributes have the given values."""
        return [
            entry
            for entry in self._entries
            if entry.number > since and all(getattr(entry, name) == value for name, value in filters.items())
        ]

    def clear(self) -> None:
        """Delete all calls."""
        self._entries.clear()


def _without_secrets(parameters: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in parameters.items()
        if name not in _ENVELOPE and name.rpartition(".")[2] not in _SECRET_MEMBERS
    }
    if kept.get("Type") == "SecureString":
        kept.pop("Value", None)
    return kept
