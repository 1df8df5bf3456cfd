# SPDX-License-Identifier: GPL-3.0-or-later
"""Deferred checks: checks of a copy or a launch that EC2 makes after it has accepted the request.

EC2 checks permissions for keys only after its response: the copy then ends as `failed`, the instance goes
from `pending` to `terminated` (EBS User Guide, Share the KMS key used to encrypt a shared EBS snapshot).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from .state import Image, Snapshot, StateReason


@dataclass(frozen=True)
class CopyAttempt:
    """An accepted CopyImage: account, destination Region, source, and the ARN of the copy's key, if any."""

    account_id: str
    region: str
    source: Image
    snapshots: tuple[Snapshot, ...]
    kms_key_id: str | None


@dataclass(frozen=True)
class LaunchAttempt:
    """An accepted RunInstances: account, Region, image, and the image's snapshots.

    `volume_keys` maps the IDs of the instance's encrypted volumes to the ARNs of their keys.
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


def first_failure(checks: Iterable[DeferredCheck[Attempt]], attempt: Attempt) -> StateReason | None:
    """The reason of the first check that fails; None if all pass."""
    return next((reason for check in checks if (reason := check(attempt))), None)
