# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``monitoring_verify``: whether AWS has what the role ``monitor`` has created or deleted in a region.

It also finds events that cannot come, because no trail logs them.

The modules that the role runs trust each response. botocore reads a web page of a proxy with the HTTP status
200 as an empty, successful response, although the change has never reached AWS.
"""

from __future__ import annotations

from typing import Any

from ..._failures import Failure
from ..._plan import PlanWithoutTargets
from ..._runner import Flow, Outcome, change_nothing
from .differences import find_differences
from .options import MonitoringVerifyOptions
from .state import MonitoringState
from .trails import find_lost_events, list_unread_trails
from .wait import read_until_settled


def plan(options: MonitoringVerifyOptions, current: MonitoringState) -> PlanWithoutTargets:
    """Plan no actions; fail for differences from the options, and for events that cannot come."""
    differences = find_differences(options, current)
    word = "configured" if options.present else "removed"
    names = ", ".join(difference.text for difference in differences)
    text = f"Monitoring is not {word} as requested: {names}."
    remedy = " ".join(dict.fromkeys(text for difference in differences for text in difference.remedies))
    differing = Failure.at(options.target, "monitoring", "monitoring_differs", text, remedy)
    failures = (*([differing] if differences else ()), *find_lost_events(options, current), *current.failures)
    return PlanWithoutTargets(failures=failures)


def result(
    options: MonitoringVerifyOptions, current: MonitoringState, plan: PlanWithoutTargets, outcome: Outcome
) -> dict[str, Any]:
    """Return the keys that are specific to this module."""
    pending = sorted(
        {
            subscription
            for attributes in current.resources.values()
            for subscription in (attributes or {}).get("pending", ())
        }
    )
    subscriptions = [{"protocol": protocol, "endpoint": endpoint} for protocol, endpoint in pending]
    return {"pending_subscriptions": subscriptions, "unread_trails": [*list_unread_trails(options, current)]}


FLOW: Flow[MonitoringVerifyOptions, MonitoringState] = Flow(
    MonitoringVerifyOptions,
    read_until_settled,
    plan,
    change_nothing,
    result,
    only_reads=True,
    policy="monitoring",
)
