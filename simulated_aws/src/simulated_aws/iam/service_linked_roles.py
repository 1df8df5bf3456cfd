# SPDX-License-Identifier: GPL-3.0-or-later
"""The service-linked roles of Auto Scaling, and which group has which of them."""

from __future__ import annotations

from moto.iam.models import Role, iam_backends

from .principals import Principal

AUTO_SCALING = "autoscaling.amazonaws.com"
_SESSION = "AutoScaling"
_DEFAULT = "AWSServiceRoleForAutoScaling"


def auto_scaling(account_id: str, partition: str, region: str, group: str) -> Principal:
    """The role that a group was created with, by default AWSServiceRoleForAutoScaling of its account.

    The default role is created if it doesn't exist, as Auto Scaling does (Auto Scaling User Guide,
    Service-linked roles for Amazon EC2 Auto Scaling).
    """
    default = f"arn:{partition}:iam::{account_id}:role/aws-service-role/{AUTO_SCALING}/{_DEFAULT}"
    arn = _roles_of_groups(account_id, partition).get((region, group), default)
    role = _role(account_id, partition, arn)
    role = role or iam_backends[account_id][partition].create_service_linked_role(AUTO_SCALING, "", "")
    return Principal(account_id, role.arn, role.id, _SESSION)


def assign(account_id: str, partition: str, region: str, group: str, arn: str) -> bool:
    """Let a group use a role of the account. Whether there is such a role."""
    found = _role(account_id, partition, arn) is not None
    if found:
        _roles_of_groups(account_id, partition)[region, group] = arn
    return found


def is_auto_scaling(principal: Principal) -> bool:
    """Whether it is a service-linked role of Auto Scaling."""
    return _is_of_auto_scaling(principal.arn)


def _role(account_id: str, partition: str, arn: str) -> Role | None:
    roles = list(iam_backends[account_id][partition].roles.values())
    return next((one for one in roles if one.arn == arn and _is_of_auto_scaling(arn)), None)


def _roles_of_groups(account_id: str, partition: str) -> dict[tuple[str, str], str]:
    """The roles by the Region and the name of the group; moto's reset forgets them."""
    found: dict[tuple[str, str], str] = vars(iam_backends[account_id][partition]).setdefault(
        "roles_of_groups", {}
    )
    return found


def _is_of_auto_scaling(arn: str) -> bool:
    return f":role/aws-service-role/{AUTO_SCALING}/" in arn
