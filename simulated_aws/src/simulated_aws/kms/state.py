# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulated KMS stores for moto's keys: policies, grants and grant tokens."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from moto.kms.models import Key

from ..settings import SETTINGS
from . import key_policies
from .grants import Grant, Grants
from .key_policies import KeyPolicy

LOCK = threading.RLock()
"""Every action holds it while it reads or changes the state below."""


@dataclass
class Record:
    """The policies and the grants of a key; `ram_policy` is the one that AWS RAM manages."""

    policy: KeyPolicy
    ram_policy: KeyPolicy | None = None
    grants: Grants = field(default_factory=Grants)
    former_policy: KeyPolicy | None = None
    written: float = 0.0
    stale_reads: int = 0

    def put_policy(self, policy: KeyPolicy) -> None:
        """Replace the policy, which takes effect at once and is read later."""
        if not self._is_former_read():
            self.former_policy = self.policy
        self.policy, self.written, self.stale_reads = policy, now(), 0

    def policy_to_read(self) -> KeyPolicy:
        """The policy that GetKeyPolicy returns: for a while still the former one, or both in turn."""
        if self.former_policy is None or not self._is_former_read():
            return self.policy
        self.stale_reads += 1
        new = SETTINGS.key_policy_reads_alternate and self.stale_reads % 2 == 0
        return self.policy if new else self.former_policy

    def _is_former_read(self) -> bool:
        return now() < self.written + SETTINGS.key_policy_visible_after_seconds

    @property
    def effective_policy(self) -> KeyPolicy:
        """A policy with the statements of both (botocore operation GetKeyPolicy)."""
        if self.ram_policy is None:
            return self.policy
        return replace(self.policy, statements=(*self.policy.statements, *self.ram_policy.statements))


class TokenUse(NamedTuple):
    """The grant of a grant token."""

    record: Record
    grant: Grant


_records: dict[str, Record] = {}
_tokens: dict[str, TokenUse] = {}


def record(key: Key) -> Record:
    """The record of a key; that of a new key has the policy with which moto created it."""
    known = _records.get(key.arn)
    if known is None:
        known = _records[key.arn] = Record(key_policies.read(key.policy))
    return known


def records(region: str) -> list[tuple[str, Record]]:
    """The records of a Region, by key ARN; only keys that have been used have one."""
    return [(arn, one) for arn, one in _records.items() if arn.split(":", 4)[3] == region]


def all_records() -> list[tuple[str, Record]]:
    """The records of all Regions, by key ARN."""
    return list(_records.items())


def new_token(of: Record, grant: Grant) -> str:
    """Create another token for a grant."""
    token = secrets.token_urlsafe(96)
    _tokens[token] = TokenUse(of, grant)
    return token


def token_use(token: str) -> TokenUse | None:
    """The grant of a grant token; None for an unknown token."""
    return _tokens.get(token)


def reset() -> None:
    """Delete all records and tokens."""
    with LOCK:
        _records.clear()
        _tokens.clear()


def now() -> float:
    """Unix time in seconds; the only clock of the simulated KMS."""
    return time.time()
