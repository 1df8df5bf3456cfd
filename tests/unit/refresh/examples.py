# SPDX-License-Identifier: GPL-3.0-or-later

"""A group in one account and region, and what it launches."""

from __future__ import annotations

from typing import Any

from ansible_collections.golden.images.plugins.module_utils._model import Image, Target
from ansible_collections.golden.images.plugins.module_utils._refresh.options import RefreshOptions
from ansible_collections.golden.images.plugins.module_utils._refresh.plan import GroupPlan, plan_group
from ansible_collections.golden.images.plugins.module_utils._refresh.state import (
    Group,
    GroupInstance,
    TemplateVersion,
)

from tests.unit.examples import CONSUMER, as_read, source_image
from tests.unit.wire import Wire

REGION = "eu-west-1"
HERE = Target(CONSUMER, REGION)
GOOD, BAD = "ami-0123456789abcdef0", "ami-0fedcba9876543210"
TEMPLATE = "lt-0123456789abcdef0"
PARAMETER = "resolve:ssm:/golden/web"


def params(**changes: Any) -> dict[str, Any]:
    """The module's options."""
    given = {
        "account_ids": [CONSUMER],
        "auto_scaling_groups": ["web"],
        "consumer_role_name": "golden-consumer",
        "images": {REGION: GOOD},
        "region": None,
        **changes,
    }
    return as_read(RefreshOptions.argument_spec(), given)


def options(**changes: Any) -> RefreshOptions:
    """The options of one group in the consumer's account."""
    values: dict[str, Any] = {
        "account_ids": (CONSUMER,),
        "auto_scaling_groups": ("web",),
        "consumer_role_name": "golden-consumer",
        "images": {(None, REGION): GOOD},
        **changes,
    }
    return RefreshOptions(**values)


def version(number: int, image: str = GOOD, resolved: str | None = None, **data: Any) -> TemplateVersion:
    """A version with an AMI ID, or with a parameter that is ``resolved`` to one."""
    return TemplateVersion(number, {"ImageId": image, **data}, image if resolved is None else resolved)


def instance(name: str, image: str = BAD, number: int | None = 6, **changes: Any) -> GroupInstance:
    """An instance that a version of the template has launched."""
    return GroupInstance(f"i-{name}", image_id=image, version=number, **changes)


def group(**changes: Any) -> Group:
    """A group that follows the default version, 7, and has an instance of 7 and one of 6."""
    values: dict[str, Any] = {
        "name": "web",
        "template_id": TEMPLATE,
        "version": "$Default",
        "launched": version(7),
        "default": version(7),
        "instances": (instance("new", GOOD, 7), instance("old")),
        "desired_capacity": 2,
        **changes,
    }
    return Group(**values)


def fixed(**changes: Any) -> Group:
    """A group with the number of version 6, which has another image."""
    return group(**{"version": "6", "launched": version(6, BAD), **changes})


def image(**changes: Any) -> Image:
    """The image, as the account sees it."""
    return source_image(**{"image_id": GOOD, "state": "available", **changes})


def old_autoscaling() -> Any:
    """A client of a botocore that does not know the operators of groups."""
    client = Wire("autoscaling").client
    answer = client.meta.service_model.operation_model("DescribeAutoScalingGroups").output_shape
    del answer.members["AutoScalingGroups"].member.members["Operator"]
    return client


def planned(subject: Group, **changes: Any) -> GroupPlan:
    """The plan of a group with these options."""
    return plan_group(options(**changes), HERE, subject, GOOD)
