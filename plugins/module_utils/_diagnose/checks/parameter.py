# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the account can launch the image by the parameter of the image's owner.

The account's own read decides: it is the call that a launch makes. What the owner reads explains a refusal,
and stands alone where the account was not checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ... import _arns as arns
from ... import _denial as denial
from ..._failures import Failure
from ..._finding import BlocksLaunch, Finding
from ..._listing import join_texts
from ..._parameter_share import (
    ASSOCIATED,
    ASSOCIATING,
    Association,
    ResourceShare,
    explain_status,
    explain_unassociated,
)
from ..check import PARAMETER, Cause, Check, Evidence
from ..state import ParameterContent, ParameterRead, ParameterView

# Consumers that a message names.
_NAMED = 3
_ADVANCED = "Advanced"

_NOT_FOUND = Cause(
    code="parameter_not_found",
    table=PARAMETER,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The account that owns the image has no parameter of that name in the region.",
    remedy="Publish the image (`ami_publish`), or correct `parameter`",
)
_OTHER_IMAGE = Cause(
    code="parameter_names_other_image",
    table=PARAMETER,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The parameter names another image, or none. Launches by it do not launch this image.",
    remedy="Publish the image (`ami_publish`), or diagnose the one that is published",
)
_NOT_ADVANCED = Cause(
    code="parameter_not_advanced",
    table=PARAMETER,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The parameter is not of the advanced tier, and AWS shares no other one.",
    remedy="Publish with `publish_share` (`ami_publish`), which makes it an advanced one; AWS charges for it",
)
_NOT_SHARED = Cause(
    code="parameter_not_shared",
    table=PARAMETER,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="No resource share of the image's owner includes the parameter and the account.",
    remedy="Publish with the account in `publish_share` (`ami_publish`)",
)
_INVITED = Cause(
    code="parameter_invitation_pending",
    table=PARAMETER,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The account is outside of the owner's organization, and has not accepted the invitation.",
    remedy="Accept it in that account (`aws ram accept-resource-share-invitation`)",
)
_INCOMPLETE = Cause(
    code="parameter_share_incomplete",
    table=PARAMETER,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="AWS RAM has not added the account or the parameter to the resource share, or is removing it.",
    remedy="Wait, and diagnose again; publish again (`ami_publish`) if the status stays",
)
_THROUGH_ORGANIZATION = Cause(
    code="parameter_access_unknown",
    table=PARAMETER,
    blocks_launch=BlocksLaunch.UNKNOWN,
    meaning="The parameter is shared only with organizations, organizational units or roles, and the account "
    "was not checked.",
    remedy="Set `consumer_role_name`, so that the account itself reads the parameter",
)
_OUTSIDE = Cause(
    code="outside_parameter_share",
    table=PARAMETER,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The parameter is shared only with organizations, organizational units or roles, and the account "
    "cannot read it.",
    remedy="Share it with the account itself (`publish_share`), or enable sharing with the organization "
    "(`aws ram enable-sharing-with-aws-organization`)",
)
_DENIED = Cause(
    code="parameter_read_denied",
    table=PARAMETER,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The account's role is not allowed to read the parameter, which is shared with the account.",
    remedy="Allow `ssm:GetParameters` on the parameter's ARN in its IAM policy",
)
_NOT_VISIBLE = Cause(
    code="parameter_not_visible",
    table=PARAMETER,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The account cannot read the parameter, although it is shared with the account.",
    remedy="Wait: AWS documents no limit for propagation",
)
_UNREADABLE = Cause(
    code="parameter_unreadable",
    table=PARAMETER,
    blocks_launch=BlocksLaunch.UNKNOWN,
    meaning="The parameter or its resource shares could not be read.",
    details="The task fails. There is no such finding if the account itself reads the parameter.",
    remedy="The finding has AWS's error and its remedy: follow it, and diagnose again",
)


@dataclass(frozen=True)
class _Way:
    """A share that has the parameter, and a principal in it that is the account or may include it."""

    share: ResourceShare
    resource: Association
    principal: Association

    @property
    def is_open(self) -> bool:
        """Whether AWS RAM gives access by it."""
        return self.resource.status == self.principal.status == ASSOCIATED


def reads_image(evidence: Evidence) -> bool | None:
    """Whether the account reads the image in the parameter; None if it was not asked."""
    read = _read_of(evidence)
    return None if read is None else read.content is not None and _names(read.content, evidence)


def list_unread(evidence: Evidence) -> Iterator[Failure]:
    """Yield what could not be read of the parameter, unless the account's own read decides."""
    view, read = evidence.owner.parameter, _read_of(evidence)
    if view is None or (read is not None and read.content is not None):
        return
    if view.problem is not None:
        yield view.problem
    if read is not None and read.problem is not None:
        yield read.problem


def _find(evidence: Evidence) -> Iterator[Finding]:
    view, read = evidence.owner.parameter, _read_of(evidence)
    if view is None:
        return
    if read is not None and read.content is not None:
        if not _names(read.content, evidence):
            yield _report_other_image(evidence, view, read.content)
        return
    for problem in list_unread(evidence):
        yield _UNREADABLE.finding(
            f"Whether account {evidence.account_id} can launch by {view.arn} is unknown: {problem.message}",
            problem.remedy,
            error_code=problem.error_code,
        )
    if view.content is None and view.problem is None:
        yield _report_missing(evidence, view)
        return
    if view.content is not None and not _names(view.content, evidence):
        yield _report_other_image(evidence, view, view.content)
    yield from _explain(evidence, view, read)


def _read_of(evidence: Evidence) -> ParameterRead | None:
    return evidence.checked.parameter if evidence.checked is not None else None


def _names(content: ParameterContent, evidence: Evidence) -> bool:
    return content.image_id == evidence.image_id


def _report_missing(evidence: Evidence, view: ParameterView) -> Finding:
    owner_id, image = evidence.case.image_target.account_id, evidence.owner.image
    if image is not None and image.owner_id != owner_id:
        return _UNREADABLE.finding(
            f"Whether account {evidence.account_id} can launch by {view.name} of account {image.owner_id} is "
            f"unknown: the parameter was read in account {owner_id}.",
            f"Set account_id of the image to {image.owner_id}, and consumer_role_name to a role there.",
        )
    return _NOT_FOUND.finding(
        f"Account {owner_id} has no parameter {view.name} in {evidence.region}.",
        "Publish the image (golden.images.publish_ami, or ami_publish), or correct the name. One that was "
        "published just now is missing until AWS has validated it: diagnose again.",
    )


def _report_other_image(evidence: Evidence, view: ParameterView, content: ParameterContent) -> Finding:
    names = f"names {content.image_id}" if content.image_id else content.obstacle
    return _OTHER_IMAGE.finding(
        f"{view.arn} {names}: launches by it do not launch {evidence.image_id}.",
        f"Publish {evidence.image_id} (golden.images.publish_ami, or ami_publish), or diagnose the image "
        "that is published.",
    )


def _explain(evidence: Evidence, view: ParameterView, read: ParameterRead | None) -> Iterator[Finding]:
    """Yield why the account does not, or may not, get the parameter that its owner has."""
    is_own = evidence.account_id == evidence.case.image_target.account_id
    ways = list(_list_ways(view, evidence.account_id))
    usable = [way for way in ways if way.is_open]
    if view.problem is None and not is_own and not usable:
        yield _report_missing_access(evidence, view, ways)
        return
    if read is not None and read.refusal is not None and _is_of_account(read.refusal):
        yield _report_denial(evidence, view, read.refusal)
        return
    if view.problem is not None or (read is not None and read.problem is not None):
        return
    direct = [way for way in ways if way.principal.entity == evidence.account_id]
    is_direct = is_own or any(way.is_open for way in direct)
    if read is None:
        if not is_direct:
            yield _report_unknown(evidence, view, usable)
    elif is_direct:
        yield _report_not_visible(evidence, view, read)
    elif direct:
        # No organization gives it access, and its own way is not open: it may have to accept an invitation.
        yield _report_missing_access(evidence, view, direct)
    else:
        yield _report_outside(evidence, view, usable)


def _list_ways(view: ParameterView, account_id: str) -> Iterator[_Way]:
    for share in view.shares:
        for resource in share.resources:
            for principal in share.principals if resource.entity == view.arn else ():
                if principal.may_have_access and _may_include(principal.entity, account_id):
                    yield _Way(share, resource, principal)


def _may_include(principal: str, account_id: str) -> bool:
    """Whether a principal of a share is the account, one of its roles or users, or an organization."""
    if not arns.is_arn(principal):
        return principal == account_id
    return arns.parse(principal).service == "organizations" or arns.account_of(principal) == account_id


def _is_of_account(refusal: Failure) -> bool:
    """Whether a policy of the account or its organization denies the read, not the lack of a share."""
    found = denial.read_denial(refusal.message)
    return found is not None and (found.explicit or found.policy != "resource-based policy")


def _report_missing_access(evidence: Evidence, view: ParameterView, ways: list[_Way]) -> Finding:
    """Return why no share gives the account access. A way that AWS is still opening comes first."""
    account_id, region = evidence.account_id, evidence.region
    opening = [way for way in ways if way.principal.entity == account_id] or ways
    invited = next((way for way in opening if _is_invited(way.principal)), None)
    if invited is not None:
        share = f"--region {region} --resource-share-arns {invited.share.arn}"
        return _INVITED.finding(
            f"Account {account_id} has not accepted the invitation to the resource share "
            f"{invited.share.name}, and cannot read {view.arn} before.",
            f"With that account's credentials, find the invitation (aws ram get-resource-share-invitations "
            f"{share}), and accept it (aws ram accept-resource-share-invitation --region {region} "
            "--resource-share-invitation-arn ARN).",
        )
    if opening:
        way = opening[0]
        unassociated = explain_unassociated(view.name, view.arn, [way.share])
        why = explain_status(way.principal.status)
        return _INCOMPLETE.finding(
            unassociated or f"Account {account_id} cannot read {view.arn}: {why}.",
            "Wait and diagnose again, in case AWS is still adding it. If the status stays, publish again "
            "with the account in publish_share (golden.images.publish_ami, or ami_publish).",
        )
    if view.tier not in (None, _ADVANCED):
        return _NOT_ADVANCED.finding(
            f"{view.arn} is a parameter of the tier {view.tier}, which cannot be shared with account "
            f"{account_id}.",
            f"Publish with {account_id} in publish_share (golden.images.publish_ami, or ami_publish): the "
            "parameter becomes an advanced one, for which AWS charges, and is shared.",
        )
    return _NOT_SHARED.finding(
        f"{view.arn} is not shared with account {account_id} through AWS RAM.",
        f"Publish with {account_id} in publish_share (golden.images.publish_ami, or ami_publish).",
    )


def _is_invited(principal: Association) -> bool:
    return principal.is_external and principal.status == ASSOCIATING


def _name_principals(usable: list[_Way]) -> str:
    return join_texts(sorted({way.principal.entity for way in usable}), _NAMED)


def _report_unknown(evidence: Evidence, view: ParameterView, usable: list[_Way]) -> Finding:
    return _THROUGH_ORGANIZATION.finding(
        f"{view.arn} is shared through {_name_principals(usable)} only. Whether account "
        f"{evidence.account_id} can read it is unknown.",
        "Set consumer_role_name, so that the account itself reads the parameter.",
    )


def _report_outside(evidence: Evidence, view: ParameterView, usable: list[_Way]) -> Finding:
    return _OUTSIDE.finding(
        f"{view.arn} is shared through {_name_principals(usable)} only, and account {evidence.account_id} "
        "cannot read it.",
        f"Publish with {evidence.account_id} in publish_share (golden.images.publish_ami, or ami_publish), "
        "or move the account. If it is in the organization, check with the management account that sharing "
        "is enabled: aws ram enable-sharing-with-aws-organization",
    )


def _report_denial(evidence: Evidence, view: ParameterView, refusal: Failure) -> Finding:
    who = (
        f"the role {evidence.role} of account {evidence.account_id}" if evidence.role else "these credentials"
    )
    return _DENIED.finding(
        f"{who[0].upper()}{who[1:]} may not read {view.arn}: {refusal.message}",
        denial.remedy(
            refusal.message,
            f"Allow ssm:GetParameters on {view.arn} in the IAM policy of {who}, or set consumer_role_name to "
            "the role that launches.",
        ),
        error_code=refusal.error_code,
    )


def _report_not_visible(evidence: Evidence, view: ParameterView, read: ParameterRead) -> Finding:
    why = f": {read.refusal.message}" if read.refusal is not None else "."
    is_own = evidence.account_id == evidence.case.image_target.account_id
    although = "owns it" if is_own else "has it in a resource share"
    return _NOT_VISIBLE.finding(
        f"Account {evidence.account_id} cannot read {view.arn}, although the account {although}{why}",
        "Wait and diagnose again: AWS documents no limit for how long a change takes to propagate. If it "
        "stays, allow ssm:GetParameters on that ARN in the IAM policy of the role that launches.",
        error_code=read.refusal.error_code if read.refusal is not None else None,
    )


CHECK = Check(
    (
        _NOT_FOUND,
        _OTHER_IMAGE,
        _NOT_ADVANCED,
        _NOT_SHARED,
        _INVITED,
        _INCOMPLETE,
        _THROUGH_ORGANIZATION,
        _OUTSIDE,
        _DENIED,
        _NOT_VISIBLE,
        _UNREADABLE,
    ),
    _find,
)
