# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``monitoring_verify``: whether AWS has what the role ``monitor`` has created or deleted in a region.

And whether events can come: without a trail that logs them, the rule and the alarm never do anything.

The modules that the role runs believe each response. botocore reads a web page of a proxy as an empty
response, and with the HTTP status 200 as success, so that a change may never have reached AWS.
"""

from __future__ import annotations

from typing import Any

from ..._failures import Failure, cut
from ..._plan import PlanWithoutTargets
from ..._runner import Flow, Outcome, change_nothing
from .differences import differences
from .options import MonitoringVerifyOptions
from .state import VerifySeen
from .trails import events_that_cannot_come, unread_trails
from .wait import read_settled

# Characters of the list of what differs, so that the remedy is never cut.
_LONGEST = 300


def plan(wanted: MonitoringVerifyOptions, seen: VerifySeen) -> PlanWithoutTargets:
    """No actions; a failure for all that is not as it should be, and those for events that cannot come."""
    found = differences(wanted, seen)
    word = "configured" if wanted.present else "removed"
    names = cut(", ".join(one.text for one in found), _LONGEST)
    text = f"Monitoring is not {word} as requested: {names}."
    remedy = " ".join(dict.fromkeys(text for one in found for text in one.remedies))
    differing = Failure.at(wanted.target, "monitoring", "monitoring_differs", text, remedy)
    failures = (*([differing] if found else ()), *events_that_cannot_come(wanted, seen), *seen.failures)
    return PlanWithoutTargets(failures=failures)


def result(
    wanted: MonitoringVerifyOptions, seen: VerifySeen, plan: PlanWithoutTargets, outcome: Outcome
) -> dict[str, Any]:
    """The returned keys that are specific to this module."""
    pending = sorted({one for found in seen.resources.values() for one in (found or {}).get("pending", ())})
    subscriptions = [{"protocol": protocol, "endpoint": endpoint} for protocol, endpoint in pending]
    return {"pending_subscriptions": subscriptions, "unread_trails": [*unread_trails(wanted, seen)]}


FLOW: Flow[MonitoringVerifyOptions, VerifySeen] = Flow(
    MonitoringVerifyOptions,
    read_settled,
    plan,
    change_nothing,
    result,
    only_reads=True,
)
