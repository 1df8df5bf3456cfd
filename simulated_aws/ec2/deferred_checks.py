# SPDX-License-Identifier: GPL-3.0-or-later
"""Where others may say no to a copy or a launch after EC2 has accepted it.

EC2 checks the rights to keys only after it has answered: the copy then ends `failed`, the instance goes from
`pending` to `terminated` (EBS User Guide, Share the KMS key used to encrypt a shared EBS snapshot).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from .state import Image, Snapshot, StateReason


@dataclass(frozen=True)
class CopyAttempt:
    """An accepted CopyImage: who copies what from where, and the ARN of the copy's key if it gets one."""

    account_id: str
    region: str
    source: Image
    snapshots: tuple[Snapshot, ...]
    kms_key_id: str | None


@dataclass(frozen=True)
class LaunchAttempt:
    """An accepted RunInstances: who launches what, with the snapshots behind the image.

    `volume_keys` are the ids of the instance's encrypted volumes, and the ARN each key was named by.
    """

    account_id: str
    region: str
    image: Image
    snapshots: tuple[Snapshot, ...]
    volume_keys: dict[str, str]


Attempt = TypeVar("Attempt", CopyAttempt, LaunchAttempt)
DeferredCheck = Callable[[Attempt], StateReason | None]

COPY_CHECKS: list[DeferredCheck[CopyAttempt]] = []
LAUNCH_CHECKS: list[DeferredCheck[LaunchAttempt]] = []


def first_failure(vetoes: Iterable[DeferredCheck[Attempt]], attempt: Attempt) -> StateReason | None:
    """The first reason given against the attempt, or None when nobody objects."""
    return next((reason for veto in vetoes if (reason := veto(attempt))), None)
