# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read resource shares of AWS RAM; errors are botocore's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from .._parameter_share import Association, ResourceShare
from .answers import require_member
from .errors import ClientError, code_of

# botocore shape MaxResults of GetResourceShares and GetResourceShareAssociations: the largest page.
_PAGE = {"PageSize": 500}
# An error of botocore operation GetResourceShareAssociations: the parameter may not exist yet.
_UNKNOWN = "UnknownResourceException"
_SHARES, _ASSOCIATIONS = "GetResourceShares", "GetResourceShareAssociations"


def own_shares(ram: Any, name: str) -> tuple[ResourceShare, ...]:
    """Return the account's own resource shares of this name with what is in them, also deleted ones.

    Whether the filter takes whole names only is not documented (botocore operation GetResourceShares, name).
    The paginators go on after empty pages (botocore operation GetResourceShares, NextToken).
    """
    pages = ram.get_paginator("get_resource_shares").paginate(
        resourceOwner="SELF", name=name, PaginationConfig=_PAGE
    )
    items = [
        item
        for page in pages
        for item in require_member(page, "resourceShares", _SHARES)
        if require_member(item, "name", _SHARES) == name
    ]
    return tuple(_parse_share(ram, item) for item in items)


def other_shares(ram: Any, arn: str, known: Iterable[ResourceShare]) -> tuple[ResourceShare, ...]:
    """Return the account's further resource shares that have this resource, with their principals."""
    own = {share.arn for share in known}
    pages = ram.get_paginator("get_resource_share_associations").paginate(
        associationType="RESOURCE", resourceArn=arn, PaginationConfig=_PAGE
    )
    try:
        items = [
            item
            for page in pages
            for item in require_member(page, "resourceShareAssociations", _ASSOCIATIONS)
        ]
    except ClientError as exception:
        if code_of(exception) != _UNKNOWN:
            raise
        return ()
    shares = [
        ResourceShare(
            require_member(item, "resourceShareArn", _ASSOCIATIONS),
            item.get("resourceShareName", ""),
            resources=(_parse_association(item),),
        )
        for item in items
    ]
    return tuple(
        replace(share, principals=_associations(ram, share.arn, "PRINCIPAL"))
        for share in shares
        if share.arn not in own and share.may_give(arn)
    )


def list_associations(ram: Any, kind: str) -> tuple[tuple[str, Association], ...]:
    """Return what is in all own resource shares, each with the ARN of its share.

    ``kind`` is ``RESOURCE`` or ``PRINCIPAL``. Without names, AWS returns those of all shares that the account
    owns (botocore operation GetResourceShareAssociations).
    """
    pages = ram.get_paginator("get_resource_share_associations").paginate(
        associationType=kind, PaginationConfig=_PAGE
    )
    return tuple(
        (require_member(item, "resourceShareArn", _ASSOCIATIONS), _parse_association(item))
        for page in pages
        for item in require_member(page, "resourceShareAssociations", _ASSOCIATIONS)
    )


def _parse_share(ram: Any, item: dict[str, Any]) -> ResourceShare:
    share = ResourceShare(
        require_member(item, "resourceShareArn", _SHARES),
        require_member(item, "name", _SHARES),
        require_member(item, "status", _SHARES),
        # The default of CreateResourceShare.
        item.get("allowExternalPrincipals", True),
    )
    if not share.is_live:
        return share
    return ResourceShare(
        share.arn,
        share.name,
        share.status,
        share.allows_external,
        _associations(ram, share.arn, "RESOURCE"),
        _associations(ram, share.arn, "PRINCIPAL"),
    )


def _associations(ram: Any, arn: str, kind: str) -> tuple[Association, ...]:
    pages = ram.get_paginator("get_resource_share_associations").paginate(
        associationType=kind, resourceShareArns=[arn], PaginationConfig=_PAGE
    )
    return tuple(
        _parse_association(item)
        for page in pages
        for item in require_member(page, "resourceShareAssociations", _ASSOCIATIONS)
    )


def _parse_association(item: dict[str, Any]) -> Association:
    return Association(
        require_member(item, "associatedEntity", _ASSOCIATIONS),
        require_member(item, "status", _ASSOCIATIONS),
        item.get("external", False),
        item.get("statusMessage", ""),
    )
