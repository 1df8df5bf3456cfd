# SPDX-License-Identifier: GPL-3.0-or-later
"""Rejects an update of a parameter that follows another one too closely.

botocore shape TooManyUpdates: "There are concurrent updates for a resource that supports one update at a
time", an error of PutParameter, LabelParameterVersion, UnlabelParameterVersion, AddTagsToResource and
RemoveTagsFromResource. That the updates of one client are concerned is field evidence
(airbnb/streamalert#682).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from ..ec2 import state
from ..ec2.access import Caller
from ..settings import SETTINGS
from .errors import ssm_error

_updated: dict[tuple[Caller, str], datetime] = {}


@contextmanager
def update_of(caller: Caller, name: str) -> Iterator[None]:
    """Perform an update of a parameter; TooManyUpdates while the last one is in progress."""
    last = _updated.get((caller, name))
    if last and state.now() < last + timedelta(seconds=SETTINGS.parameter_update_seconds):
        raise ssm_error("TooManyUpdates", "")
    yield
    _updated[caller, name] = state.now()


def reset() -> None:
    """Forget all updates."""
    _updated.clear()
