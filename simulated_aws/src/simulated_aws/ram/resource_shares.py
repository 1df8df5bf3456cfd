# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of resource shares (AWS RAM API Reference). Only parameters can be shared.

Associations take effect, and end, at once; on AWS they can be `ASSOCIATING` for some time. The first read
still shows what has ended, as `DISASSOCIATING` or `DELETING`. Invitations cannot be accepted: an account that
gets one stays `ASSOCIATING`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..ec2 import state as ec2_state
from ..ec2.access import Caller
from ..ec2.regions import partition_of
from ..exceptions import NotSimulated
from ..organizations import memberships
from ..organizations.membership import management_account, targets
from ..ssm import shared_parameters
from ..ssm.parameter_checks import ADVANCED
from . import state
from .errors import RamError, not_permitted, not_valid, unknown
from .state import (
    ASSOCIATING,
    DISASSOCIATED,
    DISASSOCIATING,
    PRINCIPAL,
    RESOURCE,
    Association,
    ResourceShare,
)

Operation = Callable[[Caller, Mapping[str, Any]], dict[str, Any]]

_ACCOUNT = re.compile(r"\d{12}")
_ORGANIZATION = re.compile(r"arn:[\w-]+:organizations::\d{12}:organization/(o-\w+)")
_UNIT = re.compile(r"arn:[\w-]+:organizations::\d{12}:ou/(o-\w+)/(ou-[\w-]+)")
_OTHER = re.compile(r"arn:[\w-]+:iam::\d{12}:(role|user)/.+|[a-z0-9-]+\.amazonaws\.com")
_PAGE = 100


def create_resource_share(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """CreateResourceShare; a client token that was used returns the share that it created."""
    _refuse_unknown(params, "permissionArns", "sources", "permissionTemplateParameters")
    token = params.get("clientToken")
    if token and (caller, token) in state.TOKENS:
        former, arn = state.TOKENS[caller, token]
        if dict(former) != dict(params):
            raise RamError("IdempotentParameterMismatchException", "The parameters differ.")
        return {"resourceShare": _view(state.SHARES[arn]), "clientToken": token}
    share = ResourceShare(
        arn=f"arn:{partition_of(caller.region)}:ram:{caller.region}:{caller.account_id}:"
        f"resource-share/{uuid.uuid4()}",
        name=params["name"],
        owner=caller,
        allows_external=params.get("allowExternalPrincipals", True),
        created=ec2_state.now(),
        tags={tag["key"]: tag.get("value", "") for tag in params.get("tags", ())},
    )
    _associate(share, params)
    state.SHARES[share.arn] = share
    if token:
        state.TOKENS[caller, token] = (dict(params), share.arn)
    return {"resourceShare": _view(share)}


def associate_resource_share(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """AssociateResourceShare."""
    _refuse_unknown(params, "sources")
    share = _share(caller, params["resourceShareArn"])
    return {"resourceShareAssociations": [_association(share, one) for one in _associate(share, params)]}


def disassociate_resource_share(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """DisassociateResourceShare; what was removed stays visible as `DISASSOCIATED`.

    AWS answers with `DISASSOCIATING` (AWS CLI Command Reference, disassociate-resource-share, Output). The
    code for what is not associated is not documented.
    """
    _refuse_unknown(params, "sources")
    share = _share(caller, params["resourceShareArn"])
    named = [(PRINCIPAL, one) for one in params.get("principals", ())]
    named += [(RESOURCE, one) for one in params.get("resourceArns", ())]
    removed = [share.associations.get(one) for one in named]
    for (_kind, entity), association in zip(named, removed, strict=True):
        if association is None or association.status in (DISASSOCIATING, DISASSOCIATED):
            raise unknown(f"{entity} is not associated with the resource share.")
    for association in filter(None, removed):
        association.status = DISASSOCIATING
    return {
        "resourceShareAssociations": [_association(share, one) for one in filter(None, removed)],
    }


def delete_resource_share(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteResourceShare; the share stays visible as `DELETED`."""
    share = _share(caller, params["resourceShareArn"])
    share.status = state.DELETING
    for association in share.associations.values():
        association.status = DISASSOCIATED
    return {"returnValue": True}


def get_resource_shares(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """GetResourceShares of the caller's own."""
    _refuse_unknown(params, "tagFilters", "permissionArn", "permissionVersion")
    if params["resourceOwner"] != "SELF":
        raise NotSimulated(f"GetResourceShares of {params['resourceOwner']}")
    arns, name, status = (params.get(one) for one in ("resourceShareArns", "name", "resourceShareStatus"))
    shares = [
        share
        for share in state.shares_of(caller)
        if (not arns or share.arn in arns) and name in (None, share.name) and status in (None, share.status)
    ]
    found = [_view(share) for share in shares]
    for share in shares:
        share.status = state.DELETED if share.status == state.DELETING else share.status
    return _page("resourceShares", found, params)


def get_resource_share_associations(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """GetResourceShareAssociations."""
    kind, status = params["associationType"], params.get("associationStatus")
    if kind not in (PRINCIPAL, RESOURCE):
        raise NotSimulated(f"GetResourceShareAssociations of the type {kind}")
    entity = params.get("principal" if kind == PRINCIPAL else "resourceArn")
    if params.get("resourceArn" if kind == PRINCIPAL else "principal"):
        raise not_valid(f"You cannot specify this parameter if the association type is {kind}.")
    arns = params.get("resourceShareArns")
    for arn in arns or ():
        if arn not in state.SHARES or state.SHARES[arn].owner != caller:
            raise unknown(f"ResourceShare {arn} could not be found.")
    associations = [
        (share, one)
        for share in state.shares_of(caller)
        if not arns or share.arn in arns
        for one in share.associations.values()
        if one.kind == kind and entity in (None, one.entity) and status in (None, one.status)
    ]
    found = [_association(share, one) for share, one in associations]
    for _share_of, one in associations:
        one.status = DISASSOCIATED if one.status == DISASSOCIATING else one.status
    return _page("resourceShareAssociations", found, params)


def enable_sharing_with_aws_organization(caller: Caller, _params: Mapping[str, Any]) -> dict[str, Any]:
    """EnableSharingWithAwsOrganization, by the management account only."""
    if management_account(caller.account_id) not in (None, caller.account_id) or not memberships(
        caller.account_id
    ):
        raise not_permitted("The management account of an organization must call this operation.")
    state.ENABLED.update(memberships(caller.account_id))
    return {"returnValue": True}


def _associate(share: ResourceShare, params: Mapping[str, Any]) -> list[Association]:
    """Add principals and resources to a share: all of them, or none if one is refused."""
    added = [_principal(share, one) for one in params.get("principals", ())]
    added += [_parameter(share, one) for one in params.get("resourceArns", ())]
    for association in added:
        present = share.associations.get((association.kind, association.entity))
        if present is not None and present.status == DISASSOCIATING:
            # Which error AWS returns for this state is not documented.
            raise RamError("InvalidStateTransitionException", f"{association.entity} is {DISASSOCIATING}.")
    for association in added:
        present = share.associations.get((association.kind, association.entity))
        if present is None or present.status == DISASSOCIATED:
            share.associations[association.kind, association.entity] = association
    return added


def _principal(share: ResourceShare, text: str) -> Association:
    """The association of a principal.

    Sources: RAM User Guide, "Errors when trying to share with accounts outside of my organization"; Systems
    Manager User Guide, "Working with shared parameters", prerequisites: to share with an organization or an
    OU, sharing with AWS Organizations must be enabled, and other consumers receive an invitation.
    The messages for organizations and OUs are moto's, and that of hashicorp/terraform-provider-aws#28848.
    """
    owner = share.owner.account_id
    own = memberships(owner) & state.ENABLED
    if _ACCOUNT.fullmatch(text):
        if own & memberships(text):
            return Association(PRINCIPAL, text, ec2_state.now())
        if not share.allows_external:
            raise not_valid(
                f"Principal {text} is not in your AWS organization. You do not have permission to add "
                "external AWS accounts to a resource share."
            )
        return Association(PRINCIPAL, text, ec2_state.now(), external=True, status=ASSOCIATING)
    if found := _ORGANIZATION.fullmatch(text):
        if text not in own:
            raise unknown(f"Organization {found[1]} could not be found.")
        return Association(PRINCIPAL, text, ec2_state.now())
    if found := _UNIT.fullmatch(text):
        if not own or found[2] not in targets(owner):
            raise unknown(f"OrganizationalUnit {found[2]} in unknown organization could not be found.")
        return Association(PRINCIPAL, text, ec2_state.now())
    if _OTHER.fullmatch(text):
        raise NotSimulated(f"a resource share with the principal {text}")
    raise not_valid(f"Principal ID {text} is malformed. Verify the ID and try again.")


def _parameter(share: ResourceShare, arn: str) -> Association:
    """The association of a parameter; it must be an advanced one (botocore operation PutResourcePolicy).

    AWS documents neither code nor message for another tier.
    """
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise RamError("MalformedArnException", f"The specified resource ARN {arn} is not valid.")
    if parts[2] != "ssm" or not parts[5].startswith("parameter/"):
        raise NotSimulated(f"a resource share of {arn}")
    parameter = shared_parameters.stored(arn)
    if shared_parameters.is_of_other(share.owner, arn) or parameter is None:
        raise unknown(f"The resource {arn} could not be found.")
    if parameter.tier != ADVANCED:
        raise not_permitted(f"{arn} is not in the advanced parameter tier: you cannot share it.")
    return Association(RESOURCE, arn, ec2_state.now())


def _share(caller: Caller, arn: str) -> ResourceShare:
    share = state.SHARES.get(arn)
    if share is None or share.owner != caller or share.status != state.ACTIVE:
        raise unknown(f"ResourceShare {arn} could not be found.")
    return share


def _refuse_unknown(params: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if params.get(name):
            raise NotSimulated(f"parameter {name}")


def _page(name: str, items: Sequence[Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """One page. An empty one follows each that is full: "These operations can occasionally return an empty
    set of results even when there are more results available" (botocore operation GetResourceShares).
    """
    token, size = params.get("nextToken", "after:0"), params.get("maxResults", _PAGE)
    kind, _colon, number = token.partition(":")
    if kind not in ("after", "empty") or not number.isdecimal():
        raise RamError("InvalidNextTokenException", f"The token {token} is not valid.")
    start = int(number)
    if kind == "empty":
        return {name: [], "nextToken": f"after:{start}"}
    more = {"nextToken": f"empty:{start + size}"} if len(items) > start + size else {}
    return {name: list(items[start : start + size]), **more}


def _view(share: ResourceShare) -> dict[str, Any]:
    return {
        "allowExternalPrincipals": share.allows_external,
        "creationTime": share.created.timestamp(),
        "featureSet": "STANDARD",
        "lastUpdatedTime": share.created.timestamp(),
        "name": share.name,
        "owningAccountId": share.owner.account_id,
        "resourceShareArn": share.arn,
        "status": share.status,
        "tags": _tag_list(share.tags.items()),
    }


def _association(share: ResourceShare, association: Association) -> dict[str, Any]:
    return {
        "associatedEntity": association.entity,
        "associationType": association.kind,
        "creationTime": association.created.timestamp(),
        "external": association.external,
        "lastUpdatedTime": association.created.timestamp(),
        "resourceShareArn": share.arn,
        "resourceShareName": share.name,
        "status": association.status,
    }


def _tag_list(tags: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags]
