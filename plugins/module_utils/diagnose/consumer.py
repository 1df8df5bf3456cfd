# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the launching account can see an image, and the result of its dry run of the launch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from .. import denial
from ..failures import Failure, cut
from ..finding import BlocksLaunch, Finding, consumer_unreadable
from . import allowed_images, subnets
from .findings import finding
from .owner import covering, is_shared
from .state import DRY_RUN_SUCCEEDED, AllowedImages, Case, ConsumerSeen, OwnerSeen

VISIBLE, AUTHORIZED = "visible", "authorized"

_ALLOW_LAUNCH = "Allow {action} in its IAM policy, or set consumer_role_name to the role that launches."
_OTHER_NETWORK = (
    "If the role may launch in another subnet, or with other security groups only, set these (subnet_ids, "
    "security_group_ids)."
)
# Characters of AWS's reason within a remedy.
_LONGEST_REASON = 250
_CHANGED = "If the image was changed just now, wait and diagnose again; else see the other findings."
# EC2 API Reference, "Error codes"; OptInRequired: the terms of an AWS Marketplace product are not accepted.
_ABOUT_IMAGE = {
    "InvalidAMIID.NotFound": _CHANGED,
    "InvalidAMIID.Unavailable": _CHANGED,
    "OptInRequired": "Accept the terms of the product in AWS Marketplace, in that account.",
}


def level(consumer: ConsumerSeen | None) -> str | None:
    """``visible`` if the account can see the image, ``authorized`` if its dry run succeeded, else None."""
    if consumer is None or consumer.image is None:
        return None
    accepted = consumer.dry_run is not None and consumer.dry_run[0] == DRY_RUN_SUCCEEDED
    return AUTHORIZED if accepted else VISIBLE


def findings(
    case: Case, image_id: str, owner: OwnerSeen, consumer: ConsumerSeen, role: str | None, now: datetime
) -> Iterator[Finding]:
    """The findings from the launching account, except for those about keys."""
    if consumer.problem is not None:
        yield consumer_unreadable(case.target, consumer.problem)
    elif consumer.image is None:
        yield from _invisible(case, image_id, owner, consumer, now)
    else:
        if consumer.image.allowed is False:
            yield finding(
                "allowed_images_audit_mode",
                f"Allowed AMIs of account {case.account_id} are in audit mode in {case.image_target.region}: "
                f"once they are enabled, they hide {image_id}.",
                _allow(case, owner, consumer),
                BlocksLaunch.HARMLESS,
            )
        yield from _dry_run(case, image_id, consumer, role)


def _invisible(
    case: Case, image_id: str, owner: OwnerSeen, consumer: ConsumerSeen, now: datetime
) -> Iterator[Finding]:
    shared = is_shared(owner, case.account_id)
    settings = consumer.allowed_images
    on = settings is not None and settings.state == "enabled"
    own = owner.image is not None and owner.image.owner_id == case.account_id
    if settings is not None and on and not own:
        matches = _matches(settings, owner, now)
        if not matches:
            yield _hidden(case, image_id, owner, consumer, certain=matches is False)
        if matches is False:
            return
    if owner.launch is not None and shared is None and settings is not None:
        yield finding(
            "outside_organization",
            f"{image_id} is shared through {covering(owner.launch)} only, and account {case.account_id} "
            "cannot see it: the account is in none of them.",
            f"Share it with {case.account_id} itself (ami_share), or move the account.",
        )
    elif shared is not False and (owner.image is not None or owner.problem is not None):
        yield _not_visible(case, image_id, bool(shared), consumer.allowed_images_problem)


def _matches(settings: AllowedImages, owner: OwnerSeen, now: datetime) -> allowed_images.Truth:
    """Whether the settings let the account see the owner's image, None if they cannot be evaluated."""
    if owner.image is None:
        return None
    return allowed_images.matches_any(settings.criteria, owner.image, now, settings.all_read)


def _hidden(case: Case, image_id: str, owner: OwnerSeen, consumer: ConsumerSeen, certain: bool) -> Finding:
    """A finding about Allowed AMIs; criteria that cannot be evaluated are no certain cause."""
    reason = "no criterion matches it" if certain else "whether a criterion matches it is unknown"
    return finding(
        "hidden_by_allowed_images",
        f"Allowed AMIs of account {case.account_id} {'hide' if certain else 'may hide'} {image_id} "
        f"in {case.image_target.region}: {reason}.",
        _allow(case, owner, consumer),
        BlocksLaunch.BLOCKING if certain else BlocksLaunch.UNKNOWN,
    )


def _not_visible(case: Case, image_id: str, shared: bool, problem: Failure | None) -> Finding:
    why = " although it is shared with it" if shared else ""
    remedies = [
        "Wait and diagnose again: AWS documents no limit for how long a change takes to propagate."
        if shared
        else f"Let the image's owner share it with {case.account_id}.",
        *([_settings_unknown(problem)] if problem is not None else []),
    ]
    return finding(
        "not_visible",
        f"Account {case.account_id} cannot see {image_id} in {case.image_target.region}{why}.",
        " ".join(remedies),
    )


def _settings_unknown(problem: Failure) -> str:
    if problem.error_code in denial.DENIED:
        return "Allow the role GetAllowedImagesSettings: Allowed AMIs may hide it."
    why = cut(problem.text(), _LONGEST_REASON)
    return f"Allowed AMIs may hide it, and could not be read: {why}"


def _allow(case: Case, owner: OwnerSeen, consumer: ConsumerSeen) -> str:
    by = owner.image.owner_id if owner.image is not None else case.image_target.account_id
    if consumer.allowed_images is not None and consumer.allowed_images.managed_by == "declarative-policy":
        return f"Let the organization's declarative policy for EC2 allow images of account {by}."
    return (
        f"In account {case.account_id}, {case.image_target.region}, add a criterion with the image provider "
        f"{by} (ReplaceImageCriteriaInAllowedImagesSettings, which takes all criteria)."
    )


def _dry_run(case: Case, image_id: str, consumer: ConsumerSeen, role: str | None) -> Iterator[Finding]:
    code, message = consumer.dry_run or ("", "RunInstances was not called.")
    if code == DRY_RUN_SUCCEEDED:
        return
    who = f"role {role} of account {case.account_id}" if role else f"account {case.account_id}"
    where = case.image_target.region + _in_subnets(consumer)
    problem = consumer.dry_run_problem
    if consumer.subnets_problem is not None:
        yield _subnets_unread(case, image_id, who, consumer.subnets_problem)
    elif consumer.subnet_ids == ():
        yield _missing_subnet(case, image_id, code)
    elif problem is not None:
        yield finding(
            "dry_run_inconclusive",
            f"Whether {who} may launch {image_id} in {where} is unknown: {problem.message}",
            problem.remedy,
            BlocksLaunch.UNKNOWN,
            error_code=problem.error_code,
        )
    elif code in denial.DENIED:
        caller = f"The {who}" if role else "These credentials"
        yield _denied(consumer, f"{caller} may not launch {image_id} in {where}", code, message)
    elif denial.is_without_permission(code, message):
        yield _no_permission(case, image_id, f"{image_id} by {who} in {where}", code, message)
    elif code in _ABOUT_IMAGE:
        yield finding(
            "launch_refused",
            f"AWS would reject a launch of {image_id} by {who} in {where}: {message}",
            _ABOUT_IMAGE[code],
            error_code=code,
        )
    else:
        yield finding(
            "dry_run_inconclusive",
            f"Whether {who} may launch {image_id} in {where} is unknown: {code}: {message}",
            "Set a subnet, security groups and an instance type of that account and region "
            "(subnet_ids, security_group_ids, instance_type).",
            BlocksLaunch.UNKNOWN,
            error_code=code or None,
        )


def _no_permission(case: Case, image_id: str, launch: str, code: str, message: str) -> Finding:
    """The account sees the image and may not launch it, for half a minute already: no matter of a key."""
    return finding(
        "missing_launch_permission",
        f"AWS would reject a launch of {launch}: {message}",
        f"If {image_id} was shared with account {case.account_id} just now, wait and diagnose again. "
        "Otherwise, let its owner share it (ami_share). No KMS key is the cause.",
        error_code=code,
    )


def _in_subnets(consumer: ConsumerSeen) -> str:
    """The subnets that the diagnosis has chosen, in parentheses with a leading space; empty without any."""
    return f" ({', '.join(consumer.subnet_ids)})" if consumer.subnet_ids else ""


def _missing_subnet(case: Case, image_id: str, code: str) -> Finding:
    return finding(
        "missing_subnet",
        f"Account {case.account_id} has no available subnet in {case.image_target.region}, neither in a "
        f"default VPC nor in another one, so it cannot launch {image_id} or any other image there.",
        "Create a subnet in that region, or share one with the account (AWS RAM). If the account is not "
        "to launch anything there, leave it or the region out.",
        error_code=code,
    )


def _denied(consumer: ConsumerSeen, what: str, code: str, message: str) -> Finding:
    """A denied dry run. In subnets that the user did not set, the denial may be about these."""
    allow = _ALLOW_LAUNCH.format(action=denial.denied_action(message, "ec2:RunInstances"))
    is_certain = not consumer.subnet_ids or subnets.is_certain(message)
    return finding(
        "launch_denied",
        f"{what}: {message}",
        denial.remedy_of_launch(message, denial.remedy(message, allow))
        + (f" {_OTHER_NETWORK}" if consumer.subnet_ids else ""),
        BlocksLaunch.BLOCKING if is_certain else BlocksLaunch.UNKNOWN,
        error_code=code,
    )


def _subnets_unread(case: Case, image_id: str, who: str, problem: Failure) -> Finding:
    is_denied = problem.error_code in denial.DENIED
    allow = f"Allow ec2:DescribeSubnets in the IAM policy of {who}."
    cure = denial.remedy(problem.message, allow) if is_denied else problem.remedy
    return finding(
        "dry_run_inconclusive",
        f"Whether {who} may launch {image_id} in {case.image_target.region} is unknown: the account has no "
        f"default VPC there, and its subnets cannot be read: {problem.message}",
        f"{cure} Or set a subnet of that account and region (subnet_ids).",
        BlocksLaunch.UNKNOWN,
        error_code=problem.error_code,
    )
