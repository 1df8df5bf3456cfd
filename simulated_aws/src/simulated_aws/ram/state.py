# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource shares of all accounts, and the organizations that share with AWS RAM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..ec2.access import Caller
from ..organizations import memberships

PRINCIPAL, RESOURCE = "PRINCIPAL", "RESOURCE"
ASSOCIATED, ASSOCIATING = "ASSOCIATED", "ASSOCIATING"
DISASSOCIATING, DISASSOCIATED = "DISASSOCIATING", "DISASSOCIATED"
ACTIVE, DELETING, DELETED = "ACTIVE", "DELETING", "DELETED"


@dataclass
class Association:
    """A principal or a resource of a share. `external` is a principal outside of the organization."""

    kind: str
    entity: str
    created: datetime
    external: bool = False
    status: str = ASSOCIATED


@dataclass
class ResourceShare:
    """A resource share of an account in a Region, with its associations by kind and entity."""

    arn: str
    name: str
    owner: Caller
    allows_external: bool
    created: datetime
    status: str = ACTIVE
    tags: Mapping[str, str] = field(default_factory=dict)
    associations: dict[tuple[str, str], Association] = field(default_factory=dict)

    def entities(self, kind: str) -> set[str]:
        """The principals or the resources that are associated."""
        return {
            one.entity for one in self.associations.values() if (one.kind, one.status) == (kind, ASSOCIATED)
        }


SHARES: dict[str, ResourceShare] = {}
"""All resource shares by ARN, the deleted ones too: they stay visible for a while (RAM User Guide, Deleting a
resource share in AWS RAM)."""
TOKENS: dict[tuple[Caller, str], tuple[Mapping[str, Any], str]] = {}
"""Client token of an account in a Region to the request and the ARN of the share that it created."""
ENABLED: set[str] = set()
"""The ARNs of the organizations whose management account has enabled sharing."""


def shares_of(owner: Caller) -> Iterator[ResourceShare]:
    """The resource shares of an account in a Region."""
    return (share for share in SHARES.values() if share.owner == owner)


def shares_parameter(account_id: str, parameter_arn: str) -> bool:
    """Whether a parameter of another account is shared with this one.

    Sharing with an organization or an OU is sharing with all accounts below it (RAM User Guide, Terms and
    concepts: principals). An account that has not accepted its invitation has no access.
    """
    covering = {account_id, *memberships(account_id)}
    return any(
        share.status == ACTIVE
        and parameter_arn in share.entities(RESOURCE)
        and covering & share.entities(PRINCIPAL)
        for share in SHARES.values()
    )


def reset() -> None:
    """Delete everything."""
    SHARES.clear()
    TOKENS.clear()
    ENABLED.clear()
