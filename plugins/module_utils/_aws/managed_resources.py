# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let EC2's answers include resources that AWS services manage (EKS, ECS, Lambda and others).

The account's visibility setting hides them, by default the new ones. A request with IncludeManagedResources
returns them nevertheless (botocore shapes DescribeVolumesRequest and others; EC2 API Reference,
ManagedResourceVisibilitySettings). Auto Scaling has a parameter of this name, too, and includes
them by default (botocore shape AutoScalingGroupNamesType).
"""

from __future__ import annotations

from typing import Any

_PARAMETER = "IncludeManagedResources"
# The first botocore whose model of EC2 has the parameter.
_BOTOCORE = "1.42.94"
_EVENT = "before-parameter-build.ec2"


def include_managed_resources(events: Any) -> None:
    """Let every read of EC2 include managed resources, as far as the installed botocore can.

    ``events`` are those of a session, for its later clients.
    """
    events.register(_EVENT, _include, unique_id="golden.images.managed_resources")


def hides_managed(ec2: Any, operation: str) -> str:
    """Return why an operation may leave out managed resources; empty if it includes them."""
    if _has_parameter(ec2.meta.service_model.operation_model(operation)):
        return ""
    return (
        "Resources that AWS services manage can be hidden: "
        f"botocore {_BOTOCORE} or newer is required to read them."
    )


def _include(params: dict[str, Any], model: Any, **_event: Any) -> None:
    """Set the parameter of a request that can have it (botocore's event ``before-parameter-build``)."""
    if _has_parameter(model):
        params[_PARAMETER] = True


def _has_parameter(operation_model: Any) -> bool:
    shape = operation_model.input_shape
    return shape is not None and _PARAMETER in shape.members
