# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide whether the events that the role ``monitor`` waits for can come at all.

EventBridge gets calls from CloudTrail only if a trail logs them (EventBridge User Guide, "Events from AWS
services": a trail with logging enabled is required), and a log group only from a trail that delivers to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._failures import Failure, cut
from ..._listing import join_texts
from .options import MonitoringVerifyOptions
from .selectors import logs_changes
from .state import Trail, VerifySeen

# Characters of the reasons, so that the remedy is never cut.
_LONGEST = 250
_EC2 = "ec2.amazonaws.com"


def events_that_cannot_come(wanted: MonitoringVerifyOptions, seen: VerifySeen) -> tuple[Failure, ...]:
    """Return a failure for the rule, and one for the alarm, that nothing can trigger."""
    return () if seen.trails is None else tuple(_failures(wanted, seen.trails))


def unread_trails(wanted: MonitoringVerifyOptions, seen: VerifySeen) -> tuple[str, ...]:
    """Return the ARNs of trails of which alone it depends, unreadably, whether some events come."""
    return tuple(
        sorted(
            {
                trail.arn
                for source in wanted.event_sources
                if not any(_logs(trail, source) for trail in seen.trails or ())
                for trail in seen.trails or ()
                if _logs(trail, source) is None
            }
        )
    )


def _failures(wanted: MonitoringVerifyOptions, trails: Sequence[Trail]) -> Iterator[Failure]:
    lost = [
        source
        for source in sorted(wanted.event_sources)
        if all(_logs(trail, source) is False for trail in trails)
    ]
    if lost:
        reasons = "; ".join(_reason(trail, lost) for trail in trails) or "no trail covers the region"
        yield Failure.at(
            wanted.target,
            "monitoring",
            "events_not_logged",
            f"The rule gets no events of {join_texts(lost)}: {cut(reasons, _LONGEST)}.",
            "Let a trail log their write management events in this region, see docs/monitoring.md.",
        )
    if wanted.log_group_name and _EC2 not in lost and (reason := _undelivered(wanted, trails)):
        (alarm,) = wanted.named("alarm")
        yield Failure.at(
            wanted.target,
            "monitoring",
            "events_not_logged",
            f"Alarm {cut(alarm, _LONGEST)} gets no events: {cut(reason, _LONGEST)}.",
            "Let a trail deliver to the log group, or leave out the option log_group_name: the rule reports "
            "without it.",
        )


def _logs(trail: Trail, source: str) -> bool | None:
    """Return whether the trail logs changes by a service; None if that is not known."""
    if not trail.is_logging:
        return False
    return None if trail.selectors is None else logs_changes(trail.selectors, source)


def _reason(trail: Trail, sources: Sequence[str]) -> str:
    if not trail.is_logging:
        return f"trail {trail.name} is not logging"
    return f"trail {trail.name} logs no changes by {join_texts(sources)}"


def _undelivered(wanted: MonitoringVerifyOptions, trails: Sequence[Trail]) -> str:
    """Return why no trail delivers changes by EC2 to the log group; empty if one does."""
    place = (wanted.target.region, wanted.target.account_id, wanted.log_group_name)
    delivering = [one for one in trails if one.log_group == place and _logs(one, _EC2) is not False]
    if not delivering:
        return f"no trail that logs changes by {_EC2} delivers to the log group {wanted.log_group_name}"
    if all(one.delivery_error for one in delivering):
        return "; ".join(f"trail {one.name} cannot deliver: {one.delivery_error}" for one in delivering)
    return ""
