# SPDX-License-Identifier: GPL-3.0-or-later
"""The service-linked role of Auto Scaling."""

from __future__ import annotations

from moto.iam.models import iam_backends

from .principals import Principal

AUTO_SCALING = "autoscaling.amazonaws.com"
_SESSION = "AutoScaling"


def auto_scaling(account_id: str, partition: str = "aws") -> Principal:
    """AWSServiceRoleForAutoScaling of an account; created if it doesn't exist, as Auto Scaling does.

    (Auto Scaling User Guide, Service-linked roles for Amazon EC2 Auto Scaling.)
    """
    backend = iam_backends[account_id][partition]
    role = next((one for one in list(backend.roles.values()) if _is_of_auto_scaling(one.arn)), None)
    role = role or backend.create_service_linked_role(AUTO_SCALING, "", "")
    return Principal(account_id, role.arn, role.id, _SESSION)


def is_auto_scaling(principal: Principal) -> bool:
    """Whether it is a service-linked role of Auto Scaling."""
    return _is_of_auto_scaling(principal.arn)


def _is_of_auto_scaling(arn: str) -> bool:
    return f":role/aws-service-role/{AUTO_SCALING}/" in arn
