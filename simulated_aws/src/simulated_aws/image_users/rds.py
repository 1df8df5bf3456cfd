# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom engine versions of RDS Custom, and one version of AWS's, which moto lacks.

(botocore operations CreateCustomDBEngineVersion and DescribeDBEngineVersions.)
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.rds import urls
from moto.rds.responses import RDSResponse

from ..ec2.access import Caller
from .operations import page, resources

_OF_AWS = {"Engine": "mysql", "EngineVersion": "8.4.7", "Status": "available"}


class RdsResponseWithVersions(RDSResponse):
    """Adds the operations of engine versions."""

    def create_custom_db_engine_version(self) -> ActionResult:
        """Create a custom engine version, which is available at once."""
        engine, version = self.params["Engine"], self.params["EngineVersion"]
        made: dict[str, Any] = {"Engine": engine, "EngineVersion": version, "Status": "available"}
        if image_id := self.params.get("ImageId"):
            made["Image"] = {"ImageId": image_id, "Status": "available"}
        self._versions()[f"{engine} {version}"] = made
        return ActionResult(made)

    def describe_db_engine_versions(self) -> ActionResult:
        """List the engine versions, or those of some engines; those that are not available on request."""
        filters = {one["Name"]: one["Values"] for one in self.params.get("Filters", [])}
        if filters.keys() - {"engine"}:
            raise NotImplementedError("filters other than engine")
        versions = [_OF_AWS, *self._versions().values()]
        found = [
            one
            for one in versions
            if one["Engine"] in filters.get("engine", [one["Engine"]])
            and (self.params.get("IncludeAll") or one["Status"] == "available")
        ]
        shown, following = page(found, self.params, int(self.params.get("MaxRecords", 100)), "Marker")
        return ActionResult({"DBEngineVersions": shown, **following})

    def _versions(self) -> dict[str, dict[str, Any]]:
        return resources(Caller(self.current_account, self.region), "rds_custom_engine_version")


def patch_moto() -> None:
    """Patch moto. Call it before the first request; further calls have no effect."""
    urls.url_paths["{0}/$"] = RdsResponseWithVersions.dispatch
