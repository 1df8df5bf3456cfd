# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The causes why an account does not launch an image: before the launch, and of a failed launch."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from .._denial import DENIED, is_unsettled, is_without_permission, remedy_of_launch
from .._failures import Failure
from .._finding import BlocksLaunch, Finding, consumer_unreadable
from .._model import SMALLEST_INSTANCE_TYPES, Image, Instance
from .._tags import PROBE_TAG
from .options import ProbeOptions
from .state import Cause, Probe, ProbeState


class Code(NamedTuple):
    """The general meaning and remedy of a code, for reports and docs/codes.md."""

    blocks_launch: BlocksLaunch
    meaning: str
    remedy: str


# Stable: scripts match on the codes.
CODES = {
    "consumer_unreadable": Code(
        BlocksLaunch.UNKNOWN,
        "The account could not be checked in that region.",
        "The finding has AWS's error. Check the role in that account and its trust policy, see "
        "[the policies](iam/README.md#verification-in-the-consumer-accounts).",
    ),
    "image_not_available": Code(
        BlocksLaunch.BLOCKING,
        "The state of the image is not available.",
        "Wait until it is, or set another image.",
    ),
    "instance_pending": Code(
        BlocksLaunch.UNKNOWN,
        "The instance was still pending at the end of the timeout.",
        "Raise the timeout. The finding has the ID of the instance, and the command that reads why it is "
        "pending, see [verifying](verifying.md#launching).",
    ),
    "instance_terminated": Code(
        BlocksLaunch.BLOCKING,
        "AWS accepted the launch and terminated the instance before it was running.",
        "The finding has AWS's reason in `error_code` and the remedy for it. Without a reason, check access "
        "to the keys first, see [encrypted images](encrypted-images.md#what-the-consumers-have-to-do).",
    ),
    "instance_unreadable": Code(
        BlocksLaunch.UNKNOWN,
        "AWS accepted the launch, and the state of the instance could not be read.",
        "Allow `ec2:DescribeInstances` in the account: "
        "[consumer-verify.json](iam/README.md#verification-in-the-consumer-accounts).",
    ),
    "key_not_usable": Code(
        BlocksLaunch.BLOCKING,
        "AWS terminated the instance because the account cannot use a KMS key.",
        "Grant the account access to the image's key, allow its use in the account, and check the account's "
        "own default key for EBS, see [encrypted images](encrypted-images.md#what-the-consumers-have-to-do).",
    ),
    "launch_denied": Code(
        BlocksLaunch.BLOCKING,
        "The account's role is not allowed to launch instances.",
        "Allow what the message names in the account: "
        "[consumer-verify.json](iam/README.md#verification-in-the-consumer-accounts).",
    ),
    "launch_failed": Code(
        BlocksLaunch.BLOCKING,
        "AWS did not accept the launch, or its response is missing or incomplete.",
        "The finding has AWS's error in `error_code`, and the remedy for it.",
    ),
    "missing_instance_type": Code(
        BlocksLaunch.UNKNOWN,
        "No default instance type fits the image's architecture, ENA support and instance type "
        "specification.",
        "Set an instance type that the image supports, see [verifying](verifying.md).",
    ),
    "missing_launch_permission": Code(
        BlocksLaunch.BLOCKING,
        "The account sees the image, but AWS finds no launch permission for it when the account launches it.",
        "Share the image with the account. If that was done just now, rerun: it can take a while to reach "
        "the account, see [verifying](verifying.md). A KMS key is not the cause.",
    ),
    "not_visible": Code(
        BlocksLaunch.BLOCKING,
        "The account cannot see the image.",
        "Share it, and check the account's Allowed AMIs settings, see [diagnosing](diagnosing.md).",
    ),
}
MEANINGS = {code: words.meaning for code, words in CODES.items()}
_KEYS = (
    "A KMS key cannot be used: grant the account access to the image's key (ami_kms_grant), allow its use in "
    "an IAM policy of the account, and check the account's own default key for EBS. A new grant can take 5 "
    "minutes: rerun after that."
)
# EC2 User Guide, "Instance terminates immediately": the reason of an instance that cannot use a key.
_KEY_FAILURE = "Client.InternalError"
_AGAIN = "Rerun. If it happens again, look in the account's CloudTrail who calls TerminateInstances."
_CAPACITY = "Set another instance_type or a subnet in another Availability Zone, or rerun later."
# The remedies by the reason of a termination (botocore shape StateReason, Message).
_REMEDIES = {
    _KEY_FAILURE: _KEYS,
    "Client.InvalidSnapshot.NotFound": "A snapshot of the image was deleted: copy the image again.",
    "Client.UserInitiatedShutdown": _AGAIN,
    "Client.VolumeLimitExceeded": "Request a higher quota for EBS storage in the account, or delete volumes.",
    "Server.InsufficientInstanceCapacity": _CAPACITY,
    "Server.InternalError": "Rerun later: this is an internal error of EC2.",
    "instance_terminated": _AGAIN,
}


def list_findings(
    options: ProbeOptions, current: ProbeState, probe: Probe, launch: Cause | None
) -> tuple[Finding, ...]:
    """Return the findings about an image that an account did not launch; ``launch`` is a failed launch."""
    if probe.target in current.problems:
        return (consumer_unreadable(probe.target, current.problems[probe.target]),)
    problem = precheck(options, current, probe)
    cause = Cause(problem.error_code, problem) if problem else launch
    return (_finding(probe, cause),) if cause else ()


def _finding(probe: Probe, cause: Cause) -> Finding:
    failure = cause.failure
    blocks_launch = CODES[cause.code].blocks_launch
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


def precheck(options: ProbeOptions, current: ProbeState, probe: Probe) -> Failure | None:
    """Return the failure that keeps an image from being launched in an account; None without one."""
    if probe.target in current.problems:
        return current.problems[probe.target]
    if probe.image_id is None:
        return None
    return _check_image(options, probe, current.images[probe])


def _check_image(options: ProbeOptions, probe: Probe, image: Image | None) -> Failure | None:
    if image is None:
        return Failure.at(
            probe.target,
            "DescribeImages",
            "not_visible",
            f"{probe.image_id} is not visible in account {probe.target.account_id}.",
            "Share it with the account (ami_share). The account's Allowed AMIs settings can hide it, too.",
        )
    if image.state != "available":
        return Failure.at(
            probe.target,
            "DescribeImages",
            "image_not_available",
            f"{image.image_id} is {image.state}.",
            "Wait until it is available, or set another image.",
        )
    if options.instance_type_of(image) is None:
        return Failure.at(
            probe.target,
            "instance_type",
            "missing_instance_type",
            _explain_no_default(image),
            "Set an instance_type that the image supports.",
        )
    return None


def _explain_no_default(image: Image) -> str:
    """Return the reason why an image has no default instance type."""
    default = SMALLEST_INSTANCE_TYPES.get(image.architecture)
    if default is None:
        return (
            f"There is no default instance type for {image.architecture or 'the unknown architecture'} of "
            f"{image.image_id}, only for {', '.join(sorted(SMALLEST_INSTANCE_TYPES))}."
        )
    if image.ena_support is False:
        return f"{image.image_id} does not support ENA, which the default instance type {default} requires."
    return f"The instance type specification of {image.image_id} excludes the default type {default}."


def explain_refusal(failure: Failure) -> Cause:
    """Return the cause of a failed RunInstances."""
    if is_without_permission(failure.error_code, failure.message):
        return Cause("missing_launch_permission", failure)
    if failure.error_code not in DENIED:
        return Cause("launch_failed", failure)
    return Cause("launch_denied", replace(failure, remedy=remedy_of_launch(failure.message, failure.remedy)))


def explain_end(options: ProbeOptions, probe: Probe, instance: Instance) -> Cause:
    """Return the cause of an instance that was terminated, or is still pending after the timeout."""
    if instance.state == "pending":
        return Cause("instance_pending", _report_pending(options, probe, instance))
    code = instance.reason_code or "instance_terminated"
    failure = Failure.at(
        probe.target,
        "RunInstances",
        code,
        f"The instance of {probe.image_id} is {instance.state}: {instance.reason or 'AWS gives no reason'}.",
        _REMEDIES.get(code, "Fix the cause that AWS reports, and rerun."),
    )
    return Cause(
        "key_not_usable" if code == _KEY_FAILURE else "instance_terminated",
        replace(failure, source="aws") if instance.reason_code else failure,
    )


def _report_pending(options: ProbeOptions, probe: Probe, instance: Instance) -> Failure:
    """Return the failure of an instance that does not start in time.

    It names the instance, because AWS returns the reason for about an hour after the termination (EC2 User
    Guide, "Terminate Amazon EC2 instances").
    """
    # The reason of most pending instances is only "pending".
    reason = f": {instance.reason}" if instance.reason and instance.reason_code != "pending" else "."
    look = f"aws ec2 describe-instances --region {probe.target.region}"
    return Failure.at(
        probe.target,
        "RunInstances",
        "instance_pending",
        f"The instance {instance.instance_id} of {probe.image_id} is still pending after "
        f"{options.wait_timeout} s (wait_timeout){reason}",
        f"Increase wait_timeout. For the cause, read the instance's StateReason within an hour: {look} "
        f"--instance-ids {instance.instance_id}. If it names only the termination, rerun, and read that of "
        f"the new instance while it is pending: {look} --filters Name=tag-key,Values={PROBE_TAG}.",
    )


def may_succeed_later(cause: Cause | None, waited: float, visible_within: float) -> bool:
    """Whether the same launch can succeed later than ``waited`` seconds after the first.

    A new grant on the key becomes usable within minutes. RunInstances finds an image, or its launch
    permission, within ``visible_within`` seconds after DescribeImages has shown the image.
    """
    if cause is None:
        return False
    if is_unsettled(cause.failure.error_code, cause.failure.message):
        return waited < visible_within
    return cause.code == "key_not_usable"
