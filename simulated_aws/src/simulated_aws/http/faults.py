# SPDX-License-Identifier: GPL-3.0-or-later
"""Fault injection: which calls fail, and how."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..ec2.ids import ACCOUNT_ID
from ..ec2.regions import partition_of
from . import operations

KINDS = {
    "error": frozenset({"code", "message", "status"}),
    "drop": frozenset({"when"}),
    "delay": frozenset({"seconds", "when"}),
    "freeze": frozenset({"when"}),
    "page": frozenset({"status"}),
    "denied": frozenset(),
    "expired": frozenset(),
}
"""The kinds of faults, and the fields that only faults of this kind have."""

_MATCHED = ("service", "action", "region", "account_id")
_SELECTED = (*_MATCHED, "changes")


@dataclass
class Fault:
    """Makes matching calls fail.

    `error` responds with code, message and HTTP status, and the call has no effect. `drop` closes the
    connection without a response; `freeze` responds only after a release, `delay` some seconds later; all
    three before or after the call takes effect (`when`). `page` responds with an HTML page, as a proxy or a
    gateway does, and the call has no effect. `denied` responds as if no policy of the principal allowed the
    action, `expired` as if the credentials had expired.
    A call matches if it has the service, action, Region and account of the fault; an empty field matches any,
    and an action that ends with `*` matches all that begin so, such as `PUT /bucket/*` for objects.
    With `changes` it matches only if it would change something (`changes.is_change`).
    The first `after` matching calls succeed, the next `times` calls fail (0: all of them). Throttled calls
    match too.
    """

    kind: str
    service: str = ""
    action: str = ""
    region: str = ""
    account_id: str = ""
    changes: bool = False
    after: int = 0
    times: int = 1
    code: str = "InternalError"
    message: str = ""
    status: int = 500
    when: str = "before"
    seconds: float = 0.0
    matched: int = 0
    """The number of calls that have matched."""

    @classmethod
    def read(cls, document: object) -> Fault:
        """Read a fault from a JSON object. Raises ValueError if it is invalid."""
        if not isinstance(document, Mapping):
            raise ValueError(f"a fault must be an object with at least the member kind, not {document!r}")
        kind = document.get("kind")
        if kind not in KINDS:
            raise ValueError(f"the kind of a fault must be one of {', '.join(KINDS)}, not {kind!r}")
        known = {"kind", *_SELECTED, "after", "times", *KINDS[kind]}
        unknown = sorted(set(document) - known)
        if unknown:
            raise ValueError(
                f"a fault of kind {kind} can't have {', '.join(unknown)}; members: {', '.join(sorted(known))}"
            )
        fault = cls(**{name: _typed(name, value) for name, value in document.items()})
        if fault.when not in ("before", "after"):
            raise ValueError(f"`when` of a fault must be before or after, not {fault.when!r}")
        fault._check_selection()
        if kind == "error" and not fault.message:
            fault.message = f"Injected fault {fault.code}"
        return fault

    def _check_selection(self) -> None:
        """Refuse what no call can match, with ValueError."""
        if self.region and partition_of(self.region) is None:
            raise ValueError(f"`region` of a fault: AWS has no Region {self.region}")
        if self.account_id and not ACCOUNT_ID.fullmatch(self.account_id):
            raise ValueError(f"`account_id` of a fault must be an ID of 12 digits, not {self.account_id!r}")
        if self.action and not operations.exists(self.action, self.service):
            nobody = f"the service {self.service} has no" if self.service else "no simulated service has"
            raise ValueError(
                f"`action` of a fault: {nobody} {self.action}; S3, Image Builder and the Recycle Bin have "
                "method and path, such as PUT /bucket/*"
            )

    def matches(self, call: Mapping[str, str], is_change: bool) -> bool:
        """Whether a call with this service, action, region and account_id matches the fault."""
        if self.changes and not is_change:
            return False
        if self.action.endswith("*") and call["action"].startswith(self.action[:-1]):
            call = {**call, "action": self.action}
        return all(getattr(self, name) in ("", call[name]) for name in _MATCHED)

    def is_due(self) -> bool:
        """Whether the last call that matched fails."""
        return self.matched > self.after and (not self.times or self.matched <= self.after + self.times)

    def view(self) -> dict[str, Any]:
        """The fault as a JSON object: the fields of its kind, and the number of calls that matched."""
        shown = {"kind", *_SELECTED, "after", "times", "matched", *KINDS[self.kind]}
        return {name: value for name, value in asdict(self).items() if name in shown}


class Faults:
    """All faults in the order they were added; the first one that is due applies to a call."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._released = asyncio.Event()

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        self._faults.append(fault)

    def view(self) -> list[dict[str, Any]]:
        """All faults as JSON objects."""
        return [fault.view() for fault in self._faults]

    def clear(self) -> None:
        """Remove all faults and release frozen calls."""
        self._faults.clear()
        self.release()

    def release(self) -> None:
        """Release all frozen calls; later calls freeze until the next release."""
        self._released.set()
        self._released = asyncio.Event()

    def count(self, call: Mapping[str, str], is_change: bool = False) -> Fault | None:
        """Count a call for every fault that it matches; return the first fault that is due, if any."""
        if not self._faults:
            return None
        due_fault = None
        for fault in self._faults:
            if not fault.matches(call, is_change):
                continue
            fault.matched += 1
            if due_fault is None and fault.is_due():
                due_fault = fault
        return due_fault

    async def freeze(self, gone: asyncio.Event) -> bool:
        """Wait until the call is released or the client disconnects; True if it was released."""
        released = self._released
        waits = [asyncio.ensure_future(released.wait()), asyncio.ensure_future(gone.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        # A disconnect before the release may be noticed only after it.
        await asyncio.sleep(_DISCONNECT_SECONDS)
        return released.is_set() and not gone.is_set()


_DISCONNECT_SECONDS = 0.05
"""Seconds that the event loop certainly needs no longer than to notice a disconnect."""

_TYPES = {one.name: one.type for one in fields(Fault)}
_ACCEPTED: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
}


def _typed(name: str, value: Any) -> Any:
    wanted = _ACCEPTED[str(_TYPES[name])]
    negative = isinstance(value, (int, float)) and value < 0
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted) or negative:
        raise ValueError(f"invalid `{name}` of a fault: {value!r}")
    return value
