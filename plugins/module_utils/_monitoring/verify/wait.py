# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until AWS returns what was changed before."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic, sleep

from ..._aws.clients import Clients
from .differences import differences
from .options import MonitoringVerifyOptions
from .read import read
from .read_trails import read_trails
from .state import VerifySeen

# Seconds for which AWS is given to return a change. SNS, CloudWatch, CloudWatch Logs and EventBridge document
# no delay of reads: the "short period of time" of EventBridge's PutRule and PutTargets is about events.
SETTLING_TIMEOUT = 10.0
# SQS API Reference, SetQueueAttributes and DeleteQueue: both can take up to 60 seconds.
_QUEUE_TIMEOUT = 70.0
_INTERVAL = 2.0


def read_settled(clients: Clients, wanted: MonitoringVerifyOptions) -> VerifySeen:
    """Read the resources, and those that are not as they should be again for a while.

    It ends at once if a read fails, because the region has failed then. Trails are read once: the role does
    not change them.
    """
    started = monotonic()
    trails, failures = read_trails(clients, wanted)
    seen = read(clients, wanted, wanted.kinds)
    seen = replace(seen, trails=trails, failures=(*failures, *seen.failures))
    while not seen.failures and (differing := {one.resource.kind for one in differences(wanted, seen)}):
        timeout = _QUEUE_TIMEOUT if differing == {"queue"} else SETTLING_TIMEOUT
        if monotonic() - started >= timeout:
            break
        sleep(_INTERVAL)
        seen = seen.updated(read(clients, wanted, differing), differing)
    return seen
