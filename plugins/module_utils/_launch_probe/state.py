# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of launch probes, and the cause of a failed one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .._failures import Failure
from .._model import Image, Instance, Target


@dataclass(frozen=True, order=True)
class Probe:
    """An image that an account launches; the ID is None for a planned copy."""

    target: Target
    image_id: str | None


@dataclass(frozen=True)
class ProbeState:
    """The state at the time ``now``: the accounts' images, and the instances of earlier probes.

    ``images`` has None for an image that is not visible in the account. ``problems`` has the targets that
    could not be read.
    """

    account_id: str
    partition: str
    now: datetime
    images: Mapping[Probe, Image | None] = field(default_factory=dict)
    instances: Mapping[Target, tuple[Instance, ...]] = field(default_factory=dict)
    problems: Mapping[Target, Failure] = field(default_factory=dict)


@dataclass(frozen=True)
class Cause:
    """A cause why an image does not run in an account: the code of the finding, and the failure."""

    code: str
    failure: Failure
