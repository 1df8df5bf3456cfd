# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether AWS would accept a launch by the account: the result of its dry run."""

from __future__ import annotations

from collections.abc import Iterator

from ... import _denial as denial
from ..._failures import Failure
from ..._finding import BlocksLaunch, Finding
from .. import subnets
from ..check import ACCOUNT, Cause, Check, Evidence
from ..state import DRY_RUN_SUCCEEDED, ConsumerView

_MISSING_SUBNET = Cause(
    code="missing_subnet",
    table=ACCOUNT,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The account has no available subnet in the region, so it can launch no image there.",
    details="There is none in a default VPC, and none in another one.",
    remedy="Create a subnet there, or share one with the account; or leave out the account or the region",
)
_DENIED = Cause(
    code="launch_denied",
    table=ACCOUNT,
    blocks_launch=BlocksLaunch.BLOCKING,
    otherwise=BlocksLaunch.UNKNOWN,
    meaning="The account's role is not allowed to launch instances.",
    details="Unknown if that may concern only the subnets that the diagnosis has chosen.",
    remedy=(
        "Allow `ec2:RunInstances` in its IAM policy; if a policy requires tags, set `launch_tags`; if it "
        "allows other subnets only, set `subnet_ids`"
    ),
)
_MISSING_PERMISSION = Cause(
    code="missing_launch_permission",
    table=ACCOUNT,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning=(
        "The account sees the image, but AWS finds no launch permission for it when the account launches it."
    ),
    remedy="If the image was shared just now, wait; else share it (`ami_share`)",
)
_REFUSED = Cause(
    code="launch_refused",
    table=ACCOUNT,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="AWS would reject a launch of the image by the account.",
    remedy="Wait, see the other findings, or accept the AWS Marketplace terms",
)
_INCONCLUSIVE = Cause(
    code="dry_run_inconclusive",
    table=ACCOUNT,
    blocks_launch=BlocksLaunch.UNKNOWN,
    meaning=(
        "The dry run failed because of its network or its instance type, or the account's subnets could not "
        "be read."
    ),
    details="The subnets are read if the account has no default VPC.",
    remedy=(
        "Allow `ec2:DescribeSubnets` if the finding says so; else set `subnet_ids`, `security_group_ids` and "
        "`instance_type` to what the account can use"
    ),
)
_ALLOW_LAUNCH = "Allow {action} in its IAM policy, or set consumer_role_name to the role that launches."
_OTHER_NETWORK = (
    "If the role may launch in another subnet, or with other security groups only, set these (subnet_ids, "
    "security_group_ids)."
)
_CHANGED = "If the image was changed just now, wait and diagnose again; else see the other findings."
# EC2 API Reference, "Error codes"; OptInRequired: the terms of an AWS Marketplace product are not accepted.
_ABOUT_IMAGE = {
    "InvalidAMIID.NotFound": _CHANGED,
    "InvalidAMIID.Unavailable": _CHANGED,
    "OptInRequired": "Accept the terms of the product in AWS Marketplace, in that account.",
}


def _find(evidence: Evidence) -> Iterator[Finding]:
    checked = evidence.checked
    if checked is None or checked.image is None:
        return
    code, message = checked.dry_run or ("", "RunInstances was not called.")
    if code != DRY_RUN_SUCCEEDED:
        yield _explain_failure(evidence, checked, code, message)


def _explain_failure(evidence: Evidence, checked: ConsumerView, code: str, message: str) -> Finding:
    launcher, image_id = _name_launcher(evidence), evidence.image_id
    place = evidence.region + _name_subnets(checked)
    problem = checked.dry_run_problem
    if checked.subnets_problem is not None:
        return _report_unread_subnets(evidence, launcher, checked.subnets_problem)
    if checked.subnet_ids == ():
        return _report_missing_subnet(evidence, code)
    if problem is not None:
        return _INCONCLUSIVE.finding(
            f"Whether {launcher} may launch {image_id} in {place} is unknown: {problem.message}",
            problem.remedy,
            error_code=problem.error_code,
        )
    if code in denial.DENIED:
        caller = f"The {launcher}" if evidence.role else "These credentials"
        return _report_denial(checked, f"{caller} may not launch {image_id} in {place}", code, message)
    if denial.is_without_permission(code, message):
        return _report_missing_permission(evidence, f"{image_id} by {launcher} in {place}", code, message)
    if code in _ABOUT_IMAGE:
        return _REFUSED.finding(
            f"AWS would reject a launch of {image_id} by {launcher} in {place}: {message}",
            _ABOUT_IMAGE[code],
            error_code=code,
        )
    return _INCONCLUSIVE.finding(
        f"Whether {launcher} may launch {image_id} in {place} is unknown: {code}: {message}",
        "Set a subnet, security groups and an instance type of that account and region "
        "(subnet_ids, security_group_ids, instance_type).",
        error_code=code or None,
    )


def _name_launcher(evidence: Evidence) -> str:
    account = f"account {evidence.account_id}"
    return f"role {evidence.role} of {account}" if evidence.role else account


def _name_subnets(checked: ConsumerView) -> str:
    """Return the subnets that the diagnosis has chosen, for the end of a place; empty without any."""
    return f" ({', '.join(checked.subnet_ids)})" if checked.subnet_ids else ""


def _report_unread_subnets(evidence: Evidence, launcher: str, problem: Failure) -> Finding:
    is_denied = problem.error_code in denial.DENIED
    allow = f"Allow ec2:DescribeSubnets in the IAM policy of {launcher}."
    cure = denial.remedy(problem.message, allow) if is_denied else problem.remedy
    return _INCONCLUSIVE.finding(
        f"Whether {launcher} may launch {evidence.image_id} in {evidence.region} is unknown: the account has "
        f"no default VPC there, and its subnets cannot be read: {problem.message}",
        f"{cure} Or set a subnet of that account and region (subnet_ids).",
        error_code=problem.error_code,
    )


def _report_missing_subnet(evidence: Evidence, code: str) -> Finding:
    return _MISSING_SUBNET.finding(
        f"Account {evidence.account_id} has no available subnet in {evidence.region}, neither in a default "
        f"VPC nor in another one, so it cannot launch {evidence.image_id} or any other image there.",
        "Create a subnet in that region, or share one with the account (AWS RAM). If the account is not "
        "to launch anything there, leave it or the region out.",
        error_code=code,
    )


def _report_denial(checked: ConsumerView, launch: str, code: str, message: str) -> Finding:
    """Return the finding about a denial, which is uncertain if other subnets may allow the launch."""
    allow = _ALLOW_LAUNCH.format(action=denial.denied_action(message, "ec2:RunInstances"))
    is_certain = not checked.subnet_ids or subnets.is_certain(message)
    return _DENIED.finding(
        f"{launch}: {message}",
        denial.remedy_of_launch(message, denial.remedy(message, allow))
        + (f" {_OTHER_NETWORK}" if checked.subnet_ids else ""),
        BlocksLaunch.BLOCKING if is_certain else BlocksLaunch.UNKNOWN,
        error_code=code,
    )


def _report_missing_permission(evidence: Evidence, launch: str, code: str, message: str) -> Finding:
    """Return the finding that AWS finds no launch permission, although the account sees the image."""
    return _MISSING_PERMISSION.finding(
        f"AWS would reject a launch of {launch}: {message}",
        f"If {evidence.image_id} was shared with account {evidence.account_id} just now, wait and diagnose "
        "again. Otherwise, let its owner share it (ami_share). No KMS key is the cause.",
        error_code=code,
    )


CHECK = Check((_MISSING_SUBNET, _DENIED, _MISSING_PERMISSION, _REFUSED, _INCONCLUSIVE), _find)
