# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's request handler for CloudTrail, with what an account sees and reads of trails.

Trails, and the changes of them, are moto's. Records of calls are not made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from moto.cloudtrail.exceptions import TrailNotFoundException
from moto.cloudtrail.models import Trail, cloudtrail_backends
from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.exceptions import JsonRESTError

from ..organizations.membership import management_account

# botocore shape EventSelector: what a trail logs that was created without event selectors.
_DEFAULT = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}


class StrictCloudTrailResponse(CloudTrailResponse):
    """Shows organization trails to members, and refuses reads of trails as AWS does."""

    def describe_trails(self) -> str:
        """DescribeTrails: with shadow trails, those of other Regions and of the organization, too.

        A name is that of a trail of this account and Region; other trails are named by their ARN.
        """
        params = json.loads(self.body)
        trails = [*self._visible()]
        if params.get("includeShadowTrails") is False:
            trails = [one for one in trails if self._is_at_home(one)]
        if names := params.get("trailNameList"):
            trails = [one for one in trails if one.arn in names or self._is_named(one, names)]
        return json.dumps({"trailList": [_description(one) for one in trails]})

    def get_trail_status(self) -> str:
        """GetTrailStatus: a shadow trail, also one of the organization, has to be named by its ARN."""
        name = json.loads(self.body)["Name"]
        for trail in self._visible():
            if trail.arn == name or self._is_named(trail, [name]):
                return json.dumps(trail.status.description())
        raise TrailNotFoundException(account_id=self.current_account, name=name)

    def get_event_selectors(self) -> str:
        """GetEventSelectors: in the trail's home Region and account only.

        The error of a member of an organization: https://github.com/turbot/steampipe-plugin-aws/issues/577.
        That of another Region: https://github.com/aws/aws-cli/issues/3048.
        """
        name = json.loads(self.body)["TrailName"]
        if name.startswith("arn:") and name.split(":")[4] != self.current_account:
            raise JsonRESTError(
                "CloudTrailARNInvalidException",
                f"AccountID in ARN is wrong, you can only access resources with AccountID "
                f"{self.current_account}.",
            )
        for trail in self._visible():
            if self._is_at_home(trail) and name in (trail.arn, trail.trail_name):
                return json.dumps({"TrailARN": trail.arn, **_selectors(trail)})
        raise TrailNotFoundException(account_id=self.current_account, name=name)

    def put_event_selectors(self) -> str:
        """PutEventSelectors: event selectors replace advanced ones (botocore operation PutEventSelectors)."""
        params = json.loads(self.body)
        trail = self.cloudtrail_backend.get_trail(params["TrailName"])
        trail.event_selectors = params.get("EventSelectors") or []
        trail.advanced_event_selectors = params.get("AdvancedEventSelectors") or []
        return json.dumps({"TrailARN": trail.arn, **_selectors(trail)})

    def _visible(self) -> Iterator[Trail]:
        """The trails of this Region, and shadow trails (botocore shape DescribeTrailsRequest)."""
        accounts = {self.current_account, management_account(self.current_account) or self.current_account}
        for account in sorted(accounts):
            for region, backend in list(cloudtrail_backends[account].items()):
                for trail in list(backend.trails.values()):
                    is_here = trail.is_multi_region or region == self.region
                    if is_here and (account == self.current_account or trail.is_org_trail):
                        yield trail

    def _is_at_home(self, trail: Trail) -> bool:
        return (trail.account_id, trail.region_name) == (self.current_account, self.region)

    def _is_named(self, trail: Trail, names: list[str]) -> bool:
        return self._is_at_home(trail) and trail.trail_name in names


def _description(trail: Trail) -> Mapping[str, Any]:
    """The trail without the members that are not set (botocore operation DescribeTrails, trailList)."""
    has_selectors = bool(trail.event_selectors or trail.advanced_event_selectors)
    described = {**trail.description(include_region=True), "HasCustomEventSelectors": has_selectors}
    return {name: value for name, value in described.items() if value is not None}


def _selectors(trail: Trail) -> Mapping[str, Any]:
    if trail.advanced_event_selectors:
        return {"AdvancedEventSelectors": trail.advanced_event_selectors}
    return {"EventSelectors": trail.event_selectors or [_DEFAULT]}
