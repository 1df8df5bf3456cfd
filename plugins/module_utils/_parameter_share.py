# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource shares of AWS RAM through which this collection shares published parameters.

Each parameter has one in each region. It is recognized by its name, which is derived from the parameter's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from . import _arns as arns
from ._model import Sharing, Target

# IAM policies limit the shares that a role may change by this prefix (Service Authorization Reference,
# AssociateResourceShare: ram:ResourceShareName).
SHARE_PREFIX = "golden-images-"
_READABLE = 60
_OTHER_CHARACTERS = re.compile(r"[^A-Za-z0-9]+")
# botocore shape ResourceShareAssociationStatus. A principal that is suspended is still in the share.
ASSOCIATED, ASSOCIATING, FAILED = "ASSOCIATED", "ASSOCIATING", "FAILED"
DISASSOCIATING, DISASSOCIATED = "DISASSOCIATING", "DISASSOCIATED"
_PRESENT = frozenset({ASSOCIATED, ASSOCIATING, "RESTORING", "SUSPENDED", "SUSPENDING"})
# botocore shape ResourceShareStatus: the others are failed or deleted shares, which share nothing.
_LIVE = frozenset({"ACTIVE", "PENDING"})


@dataclass(frozen=True)
class Association:
    """A principal or a resource of a resource share (botocore shape ``ResourceShareAssociation``).

    ``is_external`` is a principal outside of the organization, which gets an invitation.
    """

    entity: str
    status: str = ASSOCIATED
    is_external: bool = False
    message: str = ""

    @property
    def is_present(self) -> bool:
        """Whether the entity is in the share, or is being added to it."""
        return self.status in _PRESENT

    @property
    def may_have_access(self) -> bool:
        """Whether AWS has not ended the association: also while it removes it, or if that has failed.

        AWS does not document that access ends before ``DISASSOCIATED``, nor whether an addition or a removal
        has failed.
        """
        return self.status != DISASSOCIATED


@dataclass(frozen=True)
class ResourceShare:
    """A resource share (botocore shape ``ResourceShare``) with its associations."""

    arn: str
    name: str
    status: str = "ACTIVE"
    allows_external: bool = False
    resources: tuple[Association, ...] = ()
    principals: tuple[Association, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether the share exists: AWS also returns shares that are deleted."""
        return self.status in _LIVE

    @property
    def resource_arns(self) -> frozenset[str]:
        """Return the resources that are in the share."""
        return _present(self.resources)

    def may_give(self, arn: str) -> bool:
        """Whether principals may still have this resource through the share."""
        return any(item.entity == arn and item.may_have_access for item in self.resources)

    @property
    def consumers(self) -> frozenset[str]:
        """Return the principals that are in the share: account IDs and ARNs."""
        return _present(self.principals)

    @property
    def holders(self) -> frozenset[str]:
        """Return the principals that may still have what is in the share."""
        return frozenset(item.entity for item in self.principals if item.may_have_access)


def _present(associations: Iterable[Association]) -> frozenset[str]:
    return frozenset(item.entity for item in associations if item.is_present)


def parameter_arn(partition: str, target: Target, name: str) -> str:
    """Return the ARN of a parameter, by which other accounts read it. A leading slash is no part of it."""
    path = name.removeprefix("/")
    return f"arn:{partition}:ssm:{target.region}:{target.account_id}:parameter/{path}"


def share_name(parameter: str) -> str:
    """Return the name of the resource share of a parameter: readable, and different for each parameter."""
    path = parameter.removeprefix("/")
    readable = _OTHER_CHARACTERS.sub("-", path)[:_READABLE].strip("-")
    return f"{SHARE_PREFIX}{readable}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


def consumers_of(shares: Iterable[ResourceShare], arn: str) -> frozenset[str]:
    """Return the principals that shares with this parameter give access to, or have invited."""
    return frozenset().union(
        *(share.consumers for share in shares if share.is_live and arn in share.resource_arns)
    )


def holders_of(shares: Iterable[ResourceShare], arn: str) -> frozenset[str]:
    """Return the principals that may still have the parameter through these shares."""
    return frozenset().union(*(share.holders for share in shares if share.is_live and share.may_give(arn)))


def sharing_of(principals: Iterable[str]) -> Sharing:
    """Return principals of resource shares by their kind. A role or a user counts as its account.

    Any other principal, such as a service, counts as an account, which nobody allows.
    """
    accounts, organizations, units = set[str](), set[str](), set[str]()
    for principal in principals:
        kind = arns.parse(principal).resource.partition("/")[0] if arns.is_arn(principal) else ""
        if kind == "organization":
            organizations.add(principal)
        elif kind == "ou":
            units.add(principal)
        else:
            accounts.add(arns.account_of(principal) or principal)
    return Sharing(frozenset(accounts), frozenset(organizations), frozenset(units))


def is_organization(principal: str) -> bool:
    """Whether a principal of a resource share is an organization or an organizational unit."""
    return arns.is_arn(principal) and arns.parse(principal).service == "organizations"


def explain_status(status: str) -> str:
    """Return why a principal with this status in a share has no access, as the end of a sentence."""
    if status == ASSOCIATING:
        return (
            "AWS has not added it yet, or it has not accepted the invitation that AWS RAM sends to accounts "
            "outside of the organization (aws ram accept-resource-share-invitation)"
        )
    return f"its status in the resource share is {status}"


def explain_unassociated(name: str, arn: str, shares: Iterable[ResourceShare]) -> str:
    """Return a sentence if no consumer can read the parameter through these shares; else an empty text."""
    having = [share for share in shares if any(item.entity == arn for item in share.resources)]
    statuses = {item.status for share in having for item in share.resources if item.entity == arn}
    if not statuses or ASSOCIATED in statuses:
        return ""
    names = ", ".join(dict.fromkeys(share.name for share in having))
    return (
        f"Nobody can read {name} through the resource share {names}: its status there is "
        f"{', '.join(sorted(statuses))}."
    )


def pending(shares: Iterable[ResourceShare], consumers: Collection[str]) -> dict[str, str]:
    """Return those of these principals that have no access yet, with AWS's status."""
    principals = [item for share in shares if share.is_live for item in share.principals]
    associated = {item.entity for item in principals if item.status == ASSOCIATED}
    return {
        item.entity: item.status
        for item in sorted(principals, key=lambda item: item.entity)
        if item.is_present and item.entity in consumers and item.entity not in associated
    }
