# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulated KMS remembers about moto's keys: their policies and grants."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import NamedTuple

from moto.kms.models import Key

from . import key_policies
from .grants import Grant, Grants
from .key_policies import KeyPolicy

LOCK = threading.RLock()
"""Held by every action while it reads or changes what is below."""


@dataclass
class Record:
    """What is remembered about one key."""

    policy: KeyPolicy
    grants: Grants = field(default_factory=Grants)


class TokenUse(NamedTuple):
    """The grant that a grant token stands for."""

    record: Record
    grant: Grant


_records: dict[str, Record] = {}
_tokens: dict[str, TokenUse] = {}


def record(key: Key) -> Record:
    """What is remembered about a key; a new one has the policy that moto made it with."""
    known = _records.get(key.arn)
    if known is None:
        known = _records[key.arn] = Record(key_policies.read(key.policy))
    return known


def records(region: str) -> list[tuple[str, Record]]:
    """ARNs of a Region's keys that have been used, and what is remembered about them."""
    return [(arn, one) for arn, one in _records.items() if arn.split(":", 4)[3] == region]


def new_token(of: Record, grant: Grant) -> str:
    """A further token for a grant."""
    token = secrets.token_urlsafe(96)
    _tokens[token] = TokenUse(of, grant)
    return token


def token_use(token: str) -> TokenUse | None:
    """What a grant token stands for."""
    return _tokens.get(token)


def reset() -> None:
    """Forget everything."""
    with LOCK:
        _records.clear()
        _tokens.clear()


def now() -> float:
    """Unix time in seconds; the one clock of the simulated KMS."""
    return time.time()
