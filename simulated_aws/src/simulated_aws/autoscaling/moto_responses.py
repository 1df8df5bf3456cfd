# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups with a service-linked role of their own, and their instance refreshes."""

from __future__ import annotations

from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

from ..exceptions import NotSimulated
from ..iam.service_linked_roles import assign
from . import instance_refreshes
from .instance_refreshes import Refresh

_MOST_RECORDS = 100
"""The largest page (botocore shape DescribeInstanceRefreshesType)."""


class StrictAutoScalingResponse(AutoScalingResponse):
    """Adds the service-linked roles and the instance refreshes of groups."""

    def create_auto_scaling_group(self) -> ActionResult:
        """Create a group, which launches in the name of its role (Auto Scaling User Guide, Service-linked
        roles).

        The message is that of AWS for a role that doesn't exist.
        """
        name, arn = self._get_param("AutoScalingGroupName"), self._get_param("ServiceLinkedRoleARN")
        if arn and not assign(self.current_account, self.partition, self.region, name, arn):
            message = "ARN specified for Service-Linked Role does not exist."
            raise AutoscalingClientError("ValidationError", message)
        answer = super().create_auto_scaling_group()
        if arn:
            group: Any = self.autoscaling_backend.autoscaling_groups[name]
            group.service_linked_role_arn = arn
        return answer

    def describe_auto_scaling_groups(self) -> ActionResult:
        """List groups; what an instance refresh has done by now shows in its group."""
        for group in self.autoscaling_backend.autoscaling_groups.values():
            for refresh in _refreshes_of(group):
                refresh.advance()
        return super().describe_auto_scaling_groups()

    def start_instance_refresh(self) -> ActionResult:
        """Start a refresh (botocore operation StartInstanceRefresh); one at a time for each group."""
        if self._get_param("Strategy", "Rolling") != "Rolling":
            raise NotSimulated("parameter Strategy")
        group = self._group()
        refreshes = self._advanced(group)
        if any(refresh.is_active for refresh in refreshes):
            message = "An Instance Refresh is already in progress and blocks the execution of this one."
            raise AutoscalingClientError("InstanceRefreshInProgress", message)
        preferences, desired = (
            self._get_param(name) or {} for name in ("Preferences", "DesiredConfiguration")
        )
        refreshes.insert(0, instance_refreshes.start(group, preferences, desired))
        return ActionResult({"InstanceRefreshId": refreshes[0].refresh_id})

    def describe_instance_refreshes(self) -> ActionResult:
        """List the refreshes of one group, the newest first (operation DescribeInstanceRefreshes).

        Their order is not documented.
        """
        most = self._get_int_param("MaxRecords", 50)
        if not 1 <= most <= _MOST_RECORDS:
            raise AutoscalingClientError("ValidationError", f"MaxRecords must be from 1 to {_MOST_RECORDS}.")
        named = self._get_param("InstanceRefreshIds") or []
        refreshes = self._advanced(self._group())
        found = [one for one in refreshes if not named or one.refresh_id in named]
        start = int(self._get_param("NextToken") or 0)
        page: dict[str, Any] = {"InstanceRefreshes": [one.view() for one in found[start : start + most]]}
        if len(found) > start + most:
            page["NextToken"] = str(start + most)
        return ActionResult(page)

    def _advanced(self, group: Any) -> list[Refresh]:
        refreshes = _refreshes_of(group)
        for refresh in refreshes:
            refresh.advance()
        return refreshes

    def _group(self) -> Any:
        name = self._get_param("AutoScalingGroupName")
        group = self.autoscaling_backend.autoscaling_groups.get(name)
        if group is None:
            message = f"AutoScalingGroup name not found - AutoScalingGroup {name} not found"
            raise AutoscalingClientError("ValidationError", message)
        return group


def _refreshes_of(group: Any) -> list[Refresh]:
    if not hasattr(group, "refreshes"):
        group.refreshes = []
    refreshes: list[Refresh] = group.refreshes
    return refreshes
