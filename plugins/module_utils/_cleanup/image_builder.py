# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images that lifecycle policies of EC2 Image Builder retire, and those whose policies are not known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .._model import ImageRef
from .._tags import SOURCE_TAG
from .options import CleanupOptions
from .state import CleanupState, Evidence, ImageBuild, LifecyclePolicy

# Image Builder tags each AMI that it distributes with the ARN of the build (Image Builder User Guide, "Tag
# resources from an Image Builder workflow"; botocore shape ImageBuildVersionArn).
ARN_TAG = "Ec2ImageBuilderArn"
_ARN = re.compile(r"arn:aws[^:]*:imagebuilder:([a-z0-9-]+):([0-9]{12}):image/.+")
_POLICIES = "ListLifecyclePolicies"


class Builder(NamedTuple):
    """The account and region in which Image Builder built an image; empty if its tag does not name them."""

    account_id: str
    region: str


def list_builder_regions(options: CleanupOptions, state: CleanupState) -> tuple[str, ...]:
    """Return the regions in which the account's Image Builder built images of any region.

    Policies and builds are in the region of the pipeline, and apply to its images in all regions. They need
    not be read if the cleanup also retires the images of Image Builder.
    """
    if options.include_image_builder:
        return ()
    return tuple(
        sorted(
            {
                origin.region
                for _ref, origin in _list_built_images(state)
                if origin.region and origin.account_id == state.account_id
            }
        )
    )


def find_managed_images(state: CleanupState) -> frozenset[ImageRef]:
    """Return the images that an enabled lifecycle policy retires."""
    return frozenset(
        ref
        for builder in state.image_builder.values()
        for build in builder.builds
        if any(is_selected(policy, build) for policy in builder.policies)
        for ref in build.images
    )


def find_unknown_policies(options: CleanupOptions, state: CleanupState) -> dict[ImageRef, Evidence]:
    """Return why the lifecycle policies of images of Image Builder are not known.

    They need not be known if the cleanup also retires the images of Image Builder.
    """
    if options.include_image_builder:
        return {}
    reasons = {}
    for ref, origin in _list_built_images(state):
        builder = state.image_builder.get(origin.region) if origin.account_id == state.account_id else None
        if builder is None:
            owner = f"account {origin.account_id}" if origin.account_id else "an unknown account"
            reasons[ref] = Evidence.unproven(
                _POLICIES,
                f"EC2 Image Builder of {owner} built it, and only that account can read its lifecycle "
                "policies. Set include_image_builder to retire its images.",
            )
        elif builder.unread is not None:
            reasons[ref] = builder.unread
    return reasons


def is_selected(policy: LifecyclePolicy, build: ImageBuild) -> bool:
    """Whether a policy selects a build, by recipe or by one of its tags.

    AWS does not document whether a build needs all tags of the selection. An image has the name and the
    version of its recipe (Image Builder API Reference, CreateImage).
    """
    by_recipe = any(
        _normalize(recipe.name) == _normalize(build.name) and _is_match(recipe.version, build.version)
        for recipe in policy.recipes
    )
    return by_recipe or any(build.tags.get(key) == value for key, value in policy.tags.items())


def _list_built_images(state: CleanupState) -> Iterator[tuple[ImageRef, Builder]]:
    """Yield the own images that Image Builder distributed, but not this collection's copies of them."""
    for ref, own in state.images.items():
        arn = own.image.tags.get(ARN_TAG)
        if arn is None or SOURCE_TAG in own.image.tags:
            continue
        match = _ARN.fullmatch(arn)
        yield ref, Builder(match[2], match[1]) if match else Builder("", "")


def _normalize(name: str) -> str:
    """Return a name as ARNs have it (botocore shape CreateLifecyclePolicyRequest, name)."""
    return re.sub("[ _]", "-", name.lower())


def _is_match(pattern: str, version: str) -> bool:
    """Whether ``1.x.x`` is a pattern of ``1.2.0/3``, which ends with the number of the build."""
    numbers = version.partition("/")[0].split(".")
    return all(part in ("x", number) for part, number in zip(pattern.split("."), numbers, strict=False))
