# SPDX-License-Identifier: GPL-3.0-or-later

"""An account's resource shares of AWS RAM in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore.validate import validate_parameters

from tests.unit.kms_grant.kms_in_memory import model_of, refused

ASSOCIATED = "ASSOCIATED"


@dataclass
class StoredShare:
    """A resource share; principals and resources have their status."""

    arn: str
    name: str
    principals: dict[str, str] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    external: bool = False
    status: str = "ACTIVE"


@dataclass
class Ram:
    """The shares of an account in the only region.

    ``refuse`` maps operations to error codes, ``lost`` are operations whose answer is lost after they have
    had their effect. ``invited`` are principals outside of the organization. ``becomes`` are the statuses
    that entities get when they are added, one for each read that follows; the last one stays.
    """

    shares: list[StoredShare] = field(default_factory=list)
    refuse: Mapping[str, str] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()
    invited: frozenset[str] = frozenset()
    becomes: dict[str, list[str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    requests: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def get_paginator(self, name: str) -> Any:
        operation, member, items = {
            "get_resource_shares": ("GetResourceShares", "resourceShares", self._listed),
            "get_resource_share_associations": (
                "GetResourceShareAssociations",
                "resourceShareAssociations",
                self._associations,
            ),
        }[name]

        def paginate(**parameters: Any) -> Iterator[dict[str, Any]]:
            del parameters["PaginationConfig"]
            self._called(operation, parameters)
            # AWS may return an empty page although there are more.
            yield {member: []}
            yield from ({member: [one]} for one in items(parameters))

        return SimpleNamespace(paginate=paginate)

    def create_resource_share(self, **parameters: Any) -> dict[str, Any]:
        self._called("CreateResourceShare", parameters)
        share = StoredShare(
            f"arn:aws:ram:eu-west-1:111122223333:resource-share/{len(self.shares)}",
            parameters["name"],
            external=parameters["allowExternalPrincipals"],
        )
        self.shares.append(share)
        return self._add("CreateResourceShare", share, parameters)

    def associate_resource_share(self, **parameters: Any) -> dict[str, Any]:
        self._called("AssociateResourceShare", parameters)
        (share,) = (one for one in self.shares if one.arn == parameters["resourceShareArn"])
        return self._add("AssociateResourceShare", share, parameters)

    def disassociate_resource_share(self, **parameters: Any) -> dict[str, Any]:
        self._called("DisassociateResourceShare", parameters)
        (share,) = (one for one in self.shares if one.arn == parameters["resourceShareArn"])
        for entity in parameters["principals"]:
            if share.principals[entity] in ("DISASSOCIATING", "DISASSOCIATED"):
                raise refused("UnknownResourceException", "DisassociateResourceShare")
            share.principals[entity] = "DISASSOCIATED"
        if "DisassociateResourceShare" in self.lost:
            raise refused("InternalError", "DisassociateResourceShare")
        return {}

    def delete_resource_share(self, **parameters: Any) -> dict[str, Any]:
        self._called("DeleteResourceShare", parameters)
        (share,) = (one for one in self.shares if one.arn == parameters["resourceShareArn"])
        share.status = "DELETING"
        if "DeleteResourceShare" in self.lost:
            raise refused("InternalError", "DeleteResourceShare")
        return {"returnValue": True}

    def _add(self, operation: str, share: StoredShare, parameters: Mapping[str, Any]) -> dict[str, Any]:
        for entity in parameters.get("principals", ()):
            share.principals[entity] = "ASSOCIATING" if entity in self.invited else ASSOCIATED
        share.resources.update(dict.fromkeys(parameters.get("resourceArns", ()), ASSOCIATED))
        if operation in self.lost:
            raise refused("InternalError", operation)
        return {}

    def _listed(self, parameters: Mapping[str, Any]) -> list[Any]:
        assert parameters["resourceOwner"] == "SELF"
        return [
            {
                "resourceShareArn": share.arn,
                "name": share.name,
                "status": share.status,
                "allowExternalPrincipals": share.external,
            }
            for share in self.shares
            # AWS does not document that its filter takes whole names.
            if share.name.startswith(parameters["name"])
        ]

    def _associations(self, parameters: Mapping[str, Any]) -> list[Any]:
        kind = parameters["associationType"]
        if "resourceArn" in parameters:
            assert kind == "RESOURCE"
            return [
                {"associatedEntity": entity, "resourceShareArn": share.arn, "status": status}
                | {"resourceShareName": share.name}
                for share in self.shares
                for entity, status in share.resources.items()
                if entity == parameters["resourceArn"]
            ]
        # Without names, AWS returns the associations of all shares.
        arns = parameters.get("resourceShareArns", [share.arn for share in self.shares])
        return [
            {
                "associatedEntity": entity,
                "resourceShareArn": share.arn,
                "status": status,
                "external": entity in self.invited,
                "statusMessage": "No access." if status == "FAILED" else "",
            }
            for share in self.shares
            if share.arn in arns
            for entity, stored in (share.principals if kind == "PRINCIPAL" else share.resources).items()
            for status in [self._status(entity, stored)]
        ]

    def _status(self, entity: str, status: str) -> str:
        following = self.becomes.get(entity, [])
        return following.pop(0) if len(following) > 1 else (following or [status])[0]

    def _called(self, operation: str, parameters: Mapping[str, Any]) -> None:
        validate_parameters(parameters, model_of("ram").operation_model(operation).input_shape)
        self.calls.append(operation)
        self.requests[operation] = parameters
        if code := self.refuse.get(operation):
            raise refused(code, operation)
