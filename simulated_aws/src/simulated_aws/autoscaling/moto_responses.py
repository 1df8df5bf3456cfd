# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups with a service-linked role of their own, and their instance refreshes.

A refresh stays in progress, and replaces nothing.
"""

from __future__ import annotations

import uuid
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

from ..ec2 import state
from ..iam.service_linked_roles import assign


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

    def start_instance_refresh(self) -> ActionResult:
        """Start a refresh (botocore operation StartInstanceRefresh); one at a time for each group."""
        refreshes = self._refreshes()
        if refreshes:
            message = "An Instance Refresh is already in progress and blocks the execution of this one."
            raise AutoscalingClientError("InstanceRefreshInProgress", message)
        refresh = {
            "AutoScalingGroupName": self._get_param("AutoScalingGroupName"),
            "InstanceRefreshId": str(uuid.uuid4()),
            "StartTime": state.now(),
            "Status": "InProgress",
        }
        desired = self._get_param("DesiredConfiguration")
        refreshes.append({**refresh, **({"DesiredConfiguration": desired} if desired else {})})
        return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})

    def describe_instance_refreshes(self) -> ActionResult:
        """List the refreshes of one group (botocore operation DescribeInstanceRefreshes)."""
        return ActionResult({"InstanceRefreshes": self._refreshes()})

    def _refreshes(self) -> list[dict[str, Any]]:
        name = self._get_param("AutoScalingGroupName")
        group: Any = self.autoscaling_backend.autoscaling_groups.get(name)
        if group is None:
            message = f"AutoScalingGroup name not found - AutoScalingGroup {name} not found"
            raise AutoscalingClientError("ValidationError", message)
        if not hasattr(group, "refreshes"):
            group.refreshes = []
        refreshes: list[dict[str, Any]] = group.refreshes
        return refreshes
