# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: which calls go wrong, and how."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

KINDS = {
    "error": frozenset({"code", "message", "status"}),
    "drop": frozenset({"when"}),
    "delay": frozenset({"seconds"}),
    "freeze": frozenset({"when"}),
}
"""The kinds, and which of a fault's fields belong to one kind only."""

_MATCHED = ("service", "action", "region", "account_id")


@dataclass
class Fault:
    """Makes matching calls go wrong.

    `error` answers with code, message and HTTP status instead of taking effect. `drop` closes the connection
    without an answer, `freeze` gives none until released; both before or after the call took effect.
    `delay` holds the answer up for some seconds. A call matches if it has the service, action, Region and
    account that the fault names; an empty one is any. The first `after` matching calls go well, then `times`
    calls go wrong, or all if it is 0. A throttled call matches too.
    """

    kind: str
    service: str = ""
    action: str = ""
    region: str = ""
    account_id: str = ""
    after: int = 0
    times: int = 1
    code: str = "InternalError"
    message: str = "An internal error has occurred."
    status: int = 500
    when: str = "before"
    seconds: float = 0.0
    matched: int = 0
    """How many calls matched so far."""

    @classmethod
    def read(cls, document: object) -> Fault:
        """A fault from its JSON object; ValueError with one sentence if it isn't one."""
        if not isinstance(document, Mapping):
            raise ValueError(f"a fault is an object with at least a kind, not {document!r}")
        kind = document.get("kind")
        if kind not in KINDS:
            raise ValueError(f"the kind of a fault is one of {', '.join(KINDS)}, not {kind!r}")
        known = {"kind", *_MATCHED, "after", "times", *KINDS[kind]}
        unknown = sorted(set(document) - known)
        if unknown:
            raise ValueError(
                f"a fault of kind {kind} has no {', '.join(unknown)}; it has {', '.join(sorted(known))}"
            )
        fault = cls(**{name: _typed(name, value) for name, value in document.items()})
        if fault.when not in ("before", "after"):
            raise ValueError(f"`when` of a fault is before or after, not {fault.when!r}")
        return fault

    def matches(self, call: Mapping[str, str]) -> bool:
        """Whether a call with this service, action, region and account_id is one of the fault's."""
        return all(getattr(self, name) in ("", call[name]) for name in _MATCHED)

    def is_due(self) -> bool:
        """Whether the call counted last is one that goes wrong."""
        return self.matched > self.after and (not self.times or self.matched <= self.after + self.times)

    def view(self) -> dict[str, Any]:
        """The fault as a JSON object: what belongs to its kind, and how many calls matched."""
        shown = {"kind", *_MATCHED, "after", "times", "matched", *KINDS[self.kind]}
        return {name: value for name, value in asdict(self).items() if name in shown}


class Faults:
    """All faults, in the order they were added; the first that is due takes the call."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._released = asyncio.Event()

    def add(self, fault: Fault) -> None:
        """Let the fault strike from now on."""
        self._faults.append(fault)

    def view(self) -> list[dict[str, Any]]:
        """All faults as JSON objects."""
        return [fault.view() for fault in self._faults]

    def clear(self) -> None:
        """Remove all faults and release what is frozen."""
        self._faults.clear()
        self.release()

    def release(self) -> None:
        """Let every frozen call go on; calls that freeze later wait for the next release."""
        self._released.set()
        self._released = asyncio.Event()

    def count(self, call: Mapping[str, str]) -> Fault | None:
        """Count a call against every fault it matches; the first one that it is a victim of."""
        if not self._faults:
            return None
        due_fault = None
        for fault in self._faults:
            if not fault.matches(call):
                continue
            fault.matched += 1
            if due_fault is None and fault.is_due():
                due_fault = fault
        return due_fault

    async def freeze(self, gone: asyncio.Event) -> bool:
        """Wait for the release, or for the caller to hang up; True if it was released."""
        released = self._released
        waits = [asyncio.ensure_future(released.wait()), asyncio.ensure_future(gone.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        # Who hung up before the release may be heard of only after it.
        await asyncio.sleep(_HANGING_UP)
        return released.is_set() and not gone.is_set()


_HANGING_UP = 0.05
"""Seconds in which the event loop surely reads what the sockets hold already."""

_TYPES = {one.name: one.type for one in fields(Fault)}
_ACCEPTED: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float)}


def _typed(name: str, value: Any) -> Any:
    wanted = _ACCEPTED[str(_TYPES[name])]
    negative = isinstance(value, (int, float)) and value < 0
    if not isinstance(value, wanted) or isinstance(value, bool) or negative:
        raise ValueError(f"`{name}` of a fault can't be {value!r}")
    return value
