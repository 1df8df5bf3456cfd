# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether any trail logs the events that the role ``monitor`` waits for.

EventBridge gets calls from CloudTrail only if a trail logs them (EventBridge User Guide, "Events from AWS
services": a trail with logging enabled is required), and a log group only from a trail that delivers to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._failures import Failure
from ..._listing import join_texts
from .options import MonitoringVerifyOptions
from .selectors import logs_changes
from .state import MonitoringState, Trail

# Characters of the reasons, so that the remedy is never cut.
_EC2 = "ec2.amazonaws.com"


def find_lost_events(options: MonitoringVerifyOptions, current: MonitoringState) -> tuple[Failure, ...]:
    """Return failures for the rule and for the alarm if no trail logs their events."""
    return () if current.trails is None else tuple(_list_failures(options, current.trails))


def list_unread_trails(options: MonitoringVerifyOptions, current: MonitoringState) -> tuple[str, ...]:
    """Return the ARNs of unreadable trails that alone decide whether some events come."""
    return tuple(
        sorted(
            {
                trail.arn
                for source in options.event_sources
                if not any(_logs(trail, source) for trail in current.trails or ())
                for trail in current.trails or ()
                if _logs(trail, source) is None
            }
        )
    )


def _list_failures(options: MonitoringVerifyOptions, trails: Sequence[Trail]) -> Iterator[Failure]:
    lost = [
        source
        for source in sorted(options.event_sources)
        if all(_logs(trail, source) is False for trail in trails)
    ]
    if lost:
        reasons = "; ".join(_explain_no_log(trail, lost) for trail in trails) or "no trail covers the region"
        yield Failure.at(
            options.target,
            "monitoring",
            "events_not_logged",
            f"The rule gets no events of {join_texts(lost)}: {reasons}.",
            "Let a trail log their write management events in this region, see docs/monitoring.md.",
        )
    if options.log_group_name and _EC2 not in lost and (reason := _explain_no_delivery(options, trails)):
        (alarm,) = options.names_of("alarm")
        yield Failure.at(
            options.target,
            "monitoring",
            "events_not_logged",
            f"Alarm {alarm} gets no events: {reason}.",
            "Let a trail deliver to the log group, or leave out the option log_group_name: the rule reports "
            "without it.",
        )


def _logs(trail: Trail, source: str) -> bool | None:
    """Whether the trail logs changes by a service; None if that is not known."""
    if not trail.is_logging:
        return False
    return None if trail.selectors is None else logs_changes(trail.selectors, source)


def _explain_no_log(trail: Trail, sources: Sequence[str]) -> str:
    if not trail.is_logging:
        return f"trail {trail.name} is not logging"
    return f"trail {trail.name} logs no changes by {join_texts(sources)}"


def _explain_no_delivery(options: MonitoringVerifyOptions, trails: Sequence[Trail]) -> str:
    """Return why no trail delivers changes by EC2 to the log group; empty if one does."""
    place = (options.target.region, options.target.account_id, options.log_group_name)
    delivering = [trail for trail in trails if trail.log_group == place and _logs(trail, _EC2) is not False]
    if not delivering:
        return f"no trail that logs changes by {_EC2} delivers to the log group {options.log_group_name}"
    if all(trail.delivery_error for trail in delivering):
        return "; ".join(f"trail {trail.name} cannot deliver: {trail.delivery_error}" for trail in delivering)
    return ""
