# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the lifecycle policies of EC2 Image Builder, and the images that it built."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from .._aws import errors
from .._aws.answers import require_member, unless_gone
from .._aws.clients import Clients
from .._failures import ValidationError
from .._fanout import map_parallel
from .._model import ImageRef
from .state import CleanupState, Evidence, ImageBuild, ImageBuilder, LifecyclePolicy, Recipe

_ENABLED: Any = [
    {"name": "status", "values": ["ENABLED"]},
    {"name": "resourceType", "values": ["AMI_IMAGE"]},
]
# botocore, the service's shape of this name: a policy that was deleted since it was listed.
_GONE = ("ResourceNotFoundException",)
# botocore shape RestrictedInteger: the most items of a page.
_PAGE = {"PageSize": 100}


def read_image_builders(
    clients: Clients, state: CleanupState, regions: Collection[str]
) -> dict[str, ImageBuilder]:
    """Return the policies and builds of Image Builder in each of the regions.

    Raises:
        ValidationError: a read failed for another reason than that AWS refused it.
    """
    if not regions:
        return {}
    clients.open("imagebuilder", regions)
    done, failed = map_parallel(
        regions, lambda region: read_image_builder(clients.client("imagebuilder", region), state.account_id)
    )
    if failed:
        raise ValidationError(
            errors.failure(exception, state.target(region), "ListLifecyclePolicies")
            for region, exception in failed.items()
        )
    return done


def read_image_builder(imagebuilder: Any, account_id: str) -> ImageBuilder:
    """Return the enabled policies for AMIs, and if there are any, all builds with the account's AMIs.

    What AWS refuses to return is noted as unread.
    """
    try:
        policies = read_lifecycle_policies(imagebuilder)
        return ImageBuilder(policies, read_image_builds(imagebuilder, account_id) if policies else ())
    except errors.AWS_ERRORS as exception:
        return ImageBuilder(
            unread=Evidence.of_failure(errors.failure(exception, None, "ListLifecyclePolicies"))
        )


def read_lifecycle_policies(imagebuilder: Any) -> tuple[LifecyclePolicy, ...]:
    """Return the enabled policies with a rule that deprecates, disables or deletes AMIs."""
    pages = imagebuilder.get_paginator("list_lifecycle_policies").paginate(
        filters=_ENABLED, PaginationConfig=_PAGE
    )
    arns = [
        require_member(item, "arn", "ListLifecyclePolicies")
        for page in pages
        for item in page.get("lifecyclePolicySummaryList", ())
    ]
    all_answers = (
        unless_gone(partial(imagebuilder.get_lifecycle_policy, lifecyclePolicyArn=arn), _GONE) for arn in arns
    )
    answers = (answer for answer in all_answers if answer is not None)
    policies = (require_member(answer, "lifecyclePolicy", "GetLifecyclePolicy") for answer in answers)
    return tuple(_parse_policy(item) for item in policies if _has_amis(item))


def read_image_builds(imagebuilder: Any, account_id: str) -> tuple[ImageBuild, ...]:
    """Return the builds in the client's region, each with the account's AMIs in all regions."""
    # botocore shape ListImageBuildVersionsRequest: without an ARN, the builds of all images.
    pages = imagebuilder.get_paginator("list_image_build_versions").paginate(PaginationConfig=_PAGE)
    return tuple(
        _parse_build(item, account_id) for page in pages for item in page.get("imageSummaryList", ())
    )


def _has_amis(policy: Mapping[str, Any]) -> bool:
    """Whether a rule is for AMIs, and not only for Image Builder's own resources.

    (botocore shape LifecyclePolicyDetailAction, includeResources.)
    """
    actions = (rule["action"] for rule in policy.get("policyDetails", ()))
    return any(action.get("includeResources", {}).get("amis", False) for action in actions)


def _parse_policy(item: Mapping[str, Any]) -> LifecyclePolicy:
    selection = item.get("resourceSelection", {})
    recipes = tuple(
        Recipe(recipe["name"], recipe["semanticVersion"]) for recipe in selection.get("recipes", ())
    )
    return LifecyclePolicy(recipes, dict(selection.get("tagMap", {})))


def _parse_build(item: Mapping[str, Any], account_id: str) -> ImageBuild:
    amis = item.get("outputResources", {}).get("amis", ())
    return ImageBuild(
        item.get("name", ""),
        item.get("version", ""),
        dict(item.get("tags", {})),
        tuple(
            ImageRef(require_member(ami, "region", "ListImageBuildVersions"), ami["image"])
            for ami in amis
            if ami.get("accountId", account_id) == account_id and ami.get("image")
        ),
    )
