# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of a launch probe: their codes, what each means, and whether each blocks a launch."""

from __future__ import annotations

from ..finding import BlocksLaunch, Finding, consumer_unreadable
from .checks import precheck
from .options import ProbeOptions
from .state import Cause, Probe, ProbeSeen

# Stable: scripts match on the codes.
CODES = {
    "consumer_unreadable": BlocksLaunch.UNKNOWN,
    "image_not_available": BlocksLaunch.BLOCKING,
    "instance_pending": BlocksLaunch.UNKNOWN,
    "instance_terminated": BlocksLaunch.BLOCKING,
    "instance_unreadable": BlocksLaunch.UNKNOWN,
    "key_not_usable": BlocksLaunch.BLOCKING,
    "launch_denied": BlocksLaunch.BLOCKING,
    "launch_failed": BlocksLaunch.BLOCKING,
    "missing_instance_type": BlocksLaunch.UNKNOWN,
    "missing_launch_permission": BlocksLaunch.BLOCKING,
    "not_visible": BlocksLaunch.BLOCKING,
}
MEANINGS = {
    "consumer_unreadable": "The account could not be checked in that region.",
    "image_not_available": "The state of the image is not available.",
    "instance_pending": "The instance was still pending at the end of the timeout.",
    "instance_terminated": "AWS accepted the launch and terminated the instance before it was running.",
    "instance_unreadable": "AWS accepted the launch, and the state of the instance could not be read.",
    "key_not_usable": "AWS terminated the instance because the account cannot use a KMS key.",
    "launch_denied": "The account's role is not allowed to launch instances.",
    "launch_failed": "AWS did not accept the launch, or its response is missing or incomplete.",
    "missing_instance_type": (
        "No default instance type fits the image's architecture, ENA support and instance type specification."
    ),
    "missing_launch_permission": (
        "The account sees the image, but AWS finds no launch permission for it when the account launches it."
    ),
    "not_visible": "The account cannot see the image.",
}


def findings(
    options: ProbeOptions, seen: ProbeSeen, probe: Probe, launch: Cause | None
) -> tuple[Finding, ...]:
    """Why an account did not launch an image; ``launch`` is why its launch failed, if it did."""
    if probe.target in seen.problems:
        return (consumer_unreadable(probe.target, seen.problems[probe.target]),)
    refused = precheck(options, seen, probe)
    cause = Cause(refused.error_code, refused) if refused else launch
    return (_finding(probe, cause),) if cause else ()


def _finding(probe: Probe, cause: Cause) -> Finding:
    failure = cause.failure
    blocks_launch = CODES[cause.code]
    return Finding(
        cause.code,
        blocks_launch.severity,
        failure.message,
        failure.remedy,
        probe.target.account_id,
        probe.target.region,
        image_id=probe.image_id,
        blocks_launch=blocks_launch,
        error_code=failure.error_code if failure.error_code != cause.code else None,
    )
