# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds references to images in an account: its instances, launch templates and parameters in moto."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from moto.ec2.models import ec2_backends
from moto.ssm.models import ssm_backends

from ..settings import SETTINGS
from . import state
from .access import Caller
from .regions import partition_of

INSTANCE, TEMPLATE, PARAMETER = "ec2:Instance", "ec2:LaunchTemplate", "ssm:Parameter"
IMAGE_RECIPE, CONTAINER_RECIPE = "imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe"
INSTANCE_STATES = ("pending", "running", "shutting-down", "terminated", "stopping", "stopped")
IMAGE_ID = re.compile(r"\bami-(?:[0-9a-f]{17}|[0-9a-f]{8})\b")
IMAGE_DATA_TYPE = "aws:ec2:image"


class Reference(NamedTuple):
    """A resource that references an image, and since when."""

    image_id: str
    resource_type: str
    arn: str
    since: datetime


def of_instances(caller: Caller, states: Collection[str]) -> Iterator[Reference]:
    """The account's instances in these states."""
    for instance in ec2_backends[caller.account_id][caller.region].all_instances():
        if instance.state in states:
            arn = _arn(caller, "ec2", f"instance/{instance.id}")
            yield Reference(instance.image_id, INSTANCE, arn, _aware(instance.launch_time))


def of_templates(caller: Caller, depth: int) -> Iterator[Reference]:
    """The account's launch templates, once for each image in their latest `depth` versions."""
    for template in ec2_backends[caller.account_id][caller.region].launch_templates.values():
        arn = _arn(caller, "ec2", f"launch-template/{template.id}")
        since: dict[str, datetime] = {}
        for version in template.versions[-depth:]:
            since.setdefault(version.image_id, _aware(version.create_time))
        for image_id, moment in since.items():
            yield Reference(image_id, TEMPLATE, arn, moment)


def of_parameters(caller: Caller) -> Iterator[Reference]:
    """The account's parameters with data type aws:ec2:image; by a setting, others that name images too."""
    for name in ssm_backends[caller.account_id][caller.region]._parameters:
        parameter = ssm_backends[caller.account_id][caller.region].get_parameter(name)
        if parameter is None:
            continue
        image_ids = [str(parameter.value)] if parameter.data_type == IMAGE_DATA_TYPE else []
        if SETTINGS.references_in_text_parameters and parameter.data_type != IMAGE_DATA_TYPE:
            image_ids = sorted(set(IMAGE_ID.findall(str(parameter.value))))
        arn = _arn(caller, "ssm", f"parameter/{name.removeprefix('/')}")
        for image_id in image_ids:
            yield Reference(image_id, PARAMETER, arn, _aware(parameter.last_modified_date))


def of_recipes(caller: Caller, resource_type: str) -> Iterator[Reference]:
    """The account's recipes of one type."""
    for recipe in state.account_region(*caller).recipes.values():
        if recipe.resource_type == resource_type:
            yield Reference(recipe.image_id, resource_type, recipe.arn, recipe.created)


def _aware(moment: datetime) -> datetime:
    """Add UTC to a time without a time zone, as moto's are."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _arn(caller: Caller, service: str, resource: str) -> str:
    return f"arn:{partition_of(caller.region)}:{service}:{caller.region}:{caller.account_id}:{resource}"
