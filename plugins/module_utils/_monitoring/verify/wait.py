# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until AWS returns the changes of the role."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic, sleep

from ..._aws.clients import Clients
from .differences import find_differences
from .options import MonitoringVerifyOptions
from .read import read
from .read_trails import read_trails
from .state import MonitoringState

# Seconds within which AWS should return a change. SNS, CloudWatch, CloudWatch Logs and EventBridge document
# no delay of reads: the "short period of time" of EventBridge's PutRule and PutTargets is about events.
SETTLING_TIMEOUT = 10.0
# SQS API Reference, SetQueueAttributes and DeleteQueue: both can take up to 60 seconds.
_QUEUE_TIMEOUT = 70.0
_INTERVAL = 2.0


def read_until_settled(clients: Clients, options: MonitoringVerifyOptions) -> MonitoringState:
    """Read the resources, and repeat that for a while for those that differ from the options.

    A failed read ends it, because the region has failed then. Trails are read once: the role does not change
    them.
    """
    started = monotonic()
    trails, failures = read_trails(clients, options)
    current = read(clients, options, options.kinds)
    current = replace(current, trails=trails, failures=(*failures, *current.failures))
    while not current.failures and (
        kinds := {difference.resource.kind for difference in find_differences(options, current)}
    ):
        timeout = _QUEUE_TIMEOUT if kinds == {"queue"} else SETTLING_TIMEOUT
        if monotonic() - started >= timeout:
            break
        sleep(_INTERVAL)
        current = current.with_newer(read(clients, options, kinds), kinds)
    return current
