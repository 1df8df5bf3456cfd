# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's request handler for Organizations, with permission checks and pagination."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from moto.organizations.exceptions import DuplicateOrganizationalUnitException
from moto.organizations.models import OrganizationsBackend
from moto.organizations.responses import OrganizationsResponse

from .pagination import page
from .permissions import OrganizationsError, backend_for


class StrictOrganizationsResponse(OrganizationsResponse):
    """Checks permissions and paginates lists; reads and changes are moto's."""

    def call_action(self) -> Any:
        """Call moto, or return an error of Organizations."""
        try:
            backend_for(self.current_account, self.partition, self._get_action())
            return super().call_action()
        except OrganizationsError as error:
            body = json.dumps({"__type": error.code, "Message": error.message})
            return 400, {"status": "400"}, body

    @property
    def organizations_backend(self) -> OrganizationsBackend:
        """The backend of the organization, also for a delegated administrator."""
        return backend_for(self.current_account, self.partition, self._get_action())

    def create_organizational_unit(self) -> str:
        """CreateOrganizationalUnit; names are unique within a parent (botocore shape
        DuplicateOrganizationalUnitException).
        """
        backend, params = self.organizations_backend, self.request_params
        if any(one.parent_id == params["ParentId"] and one.name == params["Name"] for one in backend.ou):
            raise DuplicateOrganizationalUnitException
        return super().create_organizational_unit()

    def list_accounts(self) -> str:
        """ListAccounts."""
        return self._page("Accounts", [_account(one) for one in self.organizations_backend.accounts])

    def list_accounts_for_parent(self) -> str:
        """ListAccountsForParent: the direct children of the root or OU only."""
        backend = self.organizations_backend
        parent_id = self._parent_id(backend)
        found = [_account(one) for one in backend.accounts if one.parent_id == parent_id]
        return self._page("Accounts", found)

    def list_organizational_units_for_parent(self) -> str:
        """ListOrganizationalUnitsForParent: the direct children of the root or OU only."""
        backend = self.organizations_backend
        parent_id = self._parent_id(backend)
        found = [{"Id": one.id, "Arn": one.arn, "Name": one.name} for one in backend.ou]
        inside = {one.id for one in backend.ou if one.parent_id == parent_id}
        return self._page("OrganizationalUnits", [one for one in found if one["Id"] in inside])

    def list_roots(self) -> str:
        """ListRoots."""
        return self._page("Roots", self.organizations_backend.list_roots()["Roots"])

    def list_tags_for_resource(self) -> str:
        """ListTagsForResource; AWS does not document the page size."""
        tags = self.organizations_backend.list_tags_for_resource(ResourceId=self._get_param("ResourceId"))
        return self._page("Tags", tags["Tags"])

    def _parent_id(self, backend: OrganizationsBackend) -> str:
        return backend.validate_parent_id(self._get_param("ParentId"))

    def _page(self, name: str, items: Sequence[Any]) -> str:
        found, token = page(items, self.request_params)
        return json.dumps({name: found, **({"NextToken": token} if token else {})})


def _account(account: Any) -> dict[str, Any]:
    """An account as AWS returns it since September 2026: without Status (botocore shape Account)."""
    described: dict[str, Any] = account.describe()
    return {name: value for name, value in described.items() if name != "Status"}
