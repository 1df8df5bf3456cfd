# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeImageReferences (EC2 User Guide, Identify your resources referencing specified AMIs)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from ..access import Caller
from ..errors import Ec2Error, invalid_value, missing_parameter
from ..ids import require_image_id
from ..image_references import (
    CONTAINER_RECIPE,
    IMAGE_RECIPE,
    INSTANCE,
    INSTANCE_STATES,
    PARAMETER,
    TEMPLATE,
    Reference,
    of_instances,
    of_parameters,
    of_recipes,
    of_templates,
)
from ..pagination import page
from .registry import action

MOST_IMAGES = 10
"""Maximum per request (EC2 API Reference, DescribeImageReferences)."""
DEFAULT_DEPTH = "10"
DEEPEST = 10_000
"""Versions of a template (botocore shape ResourceTypeOption)."""

RESOURCE_TYPES = (INSTANCE, TEMPLATE, PARAMETER, IMAGE_RECIPE, CONTAINER_RECIPE)
_OPTIONS = {INSTANCE: "state-name", TEMPLATE: "version-depth"}


@dataclass(frozen=True)
class Row:
    """A reference and its position in the response."""

    serial: int
    reference: Reference


@action("DescribeImageReferences")
def describe_image_references(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the caller's resources that reference the images."""
    image_ids = params["ImageIds"]
    if len(image_ids) > MOST_IMAGES:
        raise invalid_value("imageId", f"{len(image_ids)} ids", f"At most {MOST_IMAGES} per request.")
    for image_id in image_ids:
        require_image_id(image_id)
    scopes = _scopes(params)
    found = (
        reference
        for resource_type in RESOURCE_TYPES
        if resource_type in scopes
        for reference in _read(caller, resource_type, scopes[resource_type])
        if reference.image_id in image_ids
    )
    rows, next_token = page((Row(*numbered) for numbered in zip(count(1), found, strict=False)), params, "")
    references = [
        {"ImageId": one.image_id, "ResourceType": one.resource_type, "Arn": one.arn}
        for one in (row.reference for row in rows)
    ]
    return {"NextToken": next_token, "ImageReferences": references}


def _scopes(params: dict[str, Any]) -> dict[str, list[str]]:
    """Resource type to the values of its option; named types take precedence over the defaults."""
    named = params.get("ResourceTypes", [])
    if not (named or params.get("IncludeAllResourceTypes")):
        raise missing_parameter("ResourceType")
    scopes: dict[str, list[str]] = {}
    if params.get("IncludeAllResourceTypes"):
        scopes = {resource_type: [] for resource_type in RESOURCE_TYPES}
    for one in named:
        resource_type = one.get("ResourceType", "")
        if resource_type not in RESOURCE_TYPES:
            raise invalid_value("resourceType", resource_type)
        scopes[resource_type] = _option(resource_type, one.get("ResourceTypeOptions", []))
    return scopes


def _option(resource_type: str, options: list[dict[str, Any]]) -> list[str]:
    if not options:
        return []
    if len(options) > 1 or options[0].get("OptionName") != _OPTIONS.get(resource_type):
        message = f"These options are not valid for the resource type {resource_type}"
        raise Ec2Error("InvalidParameterCombination", message)
    values: list[str] = options[0].get("OptionValues", [])
    if resource_type == TEMPLATE:
        require_depth(values)
    elif not values or not set(values) <= set(INSTANCE_STATES):
        raise invalid_value("optionValue", values)
    return values


def require_depth(values: list[str]) -> None:
    """Reject anything but a single number of versions."""
    if len(values) != 1 or not values[0].isdecimal() or not 1 <= int(values[0]) <= DEEPEST:
        raise invalid_value("optionValue", values, f"Expecting a number from 1 to {DEEPEST}.")


def _read(caller: Caller, resource_type: str, option: list[str]) -> Iterator[Reference]:
    readers: dict[str, Callable[[], Iterator[Reference]]] = {
        INSTANCE: lambda: of_instances(caller, option or INSTANCE_STATES),
        TEMPLATE: lambda: of_templates(caller, int((option or [DEFAULT_DEPTH])[0])),
        PARAMETER: lambda: of_parameters(caller),
        IMAGE_RECIPE: lambda: of_recipes(caller, IMAGE_RECIPE),
        CONTAINER_RECIPE: lambda: of_recipes(caller, CONTAINER_RECIPE),
    }
    return readers[resource_type]()
