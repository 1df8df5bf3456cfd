# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of every API call, whether it was answered or not."""

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
    """One call. `time` is Unix time in seconds; `status` is None while, or if never, answered.

    `error_code` is empty for a success, `faulted` names the kind of fault that struck the call, or is empty.
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

    def view(self) -> dict[str, Any]:
        """The entry as a JSON object, without secrets."""
        return asdict(self) | {"parameters": _without_secrets(self.parameters)}


class Record:
    """Entries in the order of the calls' arrival; numbers start at 1 and go on after a clear."""

    def __init__(self) -> None:
        self._entries: list[RecordedCall] = []
        self._number = 0

    def begin(
        self, call: Call, account_id: str, user_agent: str, request_id: str, time: float
    ) -> RecordedCall:
        """Record a call that has just arrived; its outcome is filled in later."""
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
        """Entries numbered above `since` whose named attributes have the given values."""
        return [
            entry
            for entry in self._entries
            if entry.number > since and all(getattr(entry, name) == value for name, value in filters.items())
        ]

    def clear(self) -> None:
        """Forget all entries."""
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
