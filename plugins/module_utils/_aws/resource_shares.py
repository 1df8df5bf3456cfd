# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read resource shares of AWS RAM; errors are botocore's."""

from __future__ import annotations

from typing import Any

from .._parameter_share import Association, ResourceShare
from .answers import required

# botocore shape MaxResults of GetResourceShares and GetResourceShareAssociations: the largest page.
_PAGE = {"PageSize": 500}
_SHARES, _ASSOCIATIONS = "GetResourceShares", "GetResourceShareAssociations"


def own_shares(ram: Any, name: str) -> tuple[ResourceShare, ...]:
    """Return the account's own resource shares of this name with what is in them, also deleted ones.

    The paginators go on after empty pages (botocore operation GetResourceShares, NextToken).
    """
    pages = ram.get_paginator("get_resource_shares").paginate(
        resourceOwner="SELF", name=name, PaginationConfig=_PAGE
    )
    items = [item for page in pages for item in required(page, "resourceShares", _SHARES)]
    return tuple(_parse_share(ram, item) for item in items)


def _parse_share(ram: Any, item: dict[str, Any]) -> ResourceShare:
    share = ResourceShare(
        required(item, "resourceShareArn", _SHARES),
        required(item, "name", _SHARES),
        required(item, "status", _SHARES),
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
        Association(
            required(item, "associatedEntity", _ASSOCIATIONS),
            required(item, "status", _ASSOCIATIONS),
            item.get("external", False),
            item.get("statusMessage", ""),
        )
        for page in pages
        for item in required(page, "resourceShareAssociations", _ASSOCIATIONS)
    )
