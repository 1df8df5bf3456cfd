# SPDX-License-Identifier: GPL-3.0-or-later
"""ListGrants and ListRetirableGrants."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from itertools import islice
from typing import Any

from ...iam import principals
from .. import authorization, state
from ..errors import KmsError, not_valid
from ..grants import Grant
from .registry import Caller, action, authorize

DEFAULT_LIMIT, HIGHEST_LIMIT = 50, 100
"""botocore shape ListGrantsRequest, Limit."""

_GRANT_ID = re.compile(r"[0-9a-f]{64}")


@action("ListGrants")
def list_grants(caller: Caller, params: dict[str, Any]) -> str:
    """List the grants of a key in the order of their creation, by grant ID or grantee if given."""
    found = authorize(caller, "ListGrants", params["KeyId"])
    grants: Iterable[Grant] = state.record(found.key).grants.after(_serial(params))
    if "GrantId" in params:
        wanted = require_grant_id(params["GrantId"])
        grants = (grant for grant in grants if grant.id == wanted)
    # The name of a service is no ARN: one comparison is enough for both filters.
    if grantee := params.get("GranteePrincipal") or params.get("GranteeServicePrincipal"):
        now = state.now()
        grants = (grant for grant in grants if grant.shown_grantee(now) == grantee)
    return _page(grants, params)


@action("ListRetirableGrants")
def list_retirable_grants(caller: Caller, params: dict[str, Any]) -> str:
    """List the grants that a principal of the caller's account can retire, on all keys in the Region."""
    if "RetiringPrincipal" not in params:
        raise not_valid("You must specify RetiringPrincipal or RetiringServicePrincipal")
    arn = params["RetiringPrincipal"]
    retiring = principals.find(arn)
    if retiring is None:
        raise KmsError("InvalidArnException", f"ARN does not refer to a valid principal: {arn}")
    if retiring.account_id != caller.principal.account_id:
        raise authorization.denied(caller.principal, "ListRetirableGrants", arn)
    after = _serial(params)
    grants = sorted(
        (
            grant
            for _, record in state.records(caller.region)
            for grant in record.grants.after(after)
            if grant.terms.retiring and grant.terms.retiring.shown() == arn
        ),
        key=lambda grant: grant.serial,
    )
    return _page(grants, params)


def require_grant_id(grant_id: str) -> str:
    """Return a grant ID if it is valid, else raise InvalidGrantIdException."""
    if not _GRANT_ID.fullmatch(grant_id):
        raise KmsError("InvalidGrantIdException", f"Invalid grant ID {grant_id}")
    return grant_id


def _page(grants: Iterable[Grant], params: dict[str, Any]) -> str:
    limit = params.get("Limit", DEFAULT_LIMIT)
    if limit > HIGHEST_LIMIT:
        raise not_valid(f"Limit must be from 1 to {HIGHEST_LIMIT}")
    now = state.now()
    found = list(islice((grant for grant in grants if grant.is_listed(now)), limit + 1))
    truncated = len(found) > limit
    found = found[:limit]
    # Grants cache their JSON: writing a hundred takes as long as the rest of the request.
    listed = ",".join([grant.view(now) for grant in found])
    if not truncated:
        return f'{{"Grants":[{listed}],"Truncated":false}}'
    marker = base64.urlsafe_b64encode(f"after:{found[-1].serial}".encode()).decode()
    return f'{{"Grants":[{listed}],"NextMarker":"{marker}","Truncated":true}}'


def _serial(params: dict[str, Any]) -> int:
    """Serial number of the last grant before this page; it stays valid if grants are added or removed."""
    marker = params.get("Marker")
    if marker is None:
        return 0
    try:
        mark, serial = base64.urlsafe_b64decode(marker.encode()).decode().split(":")
        if mark == "after":
            return int(serial)
    except (binascii.Error, ValueError):
        raise KmsError("InvalidMarkerException", "The marker is invalid") from None
    raise KmsError("InvalidMarkerException", "The marker is invalid")
