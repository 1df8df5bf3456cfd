# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images EC2 Image Builder's lifecycle policies retire, and of which images that is not known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .._model import ImageRef
from .._tags import SOURCE_TAG
from .options import CleanupOptions
from .state import CleanupState, Evidence, ImageBuild, LifecyclePolicy, unproven

# Image Builder tags each AMI that it distributes with the ARN of the build (Image Builder User Guide, "Tag
# resources from an Image Builder workflow"; botocore shape ImageBuildVersionArn).
ARN_TAG = "Ec2ImageBuilderArn"
_ARN = re.compile(r"arn:aws[^:]*:imagebuilder:([a-z0-9-]+):([0-9]{12}):image/.+")
_POLICIES = "ListLifecyclePolicies"


class Builder(NamedTuple):
    """The account and region in which Image Builder built an image, empty if its tag does not name them."""

    account_id: str
    region: str


def builder_regions(options: CleanupOptions, state: CleanupState) -> tuple[str, ...]:
    """The regions in which the account's Image Builder built own images of any region.

    Policies and builds are in the region of the pipeline, and apply to its images in all regions. There are
    no such regions if the policy also retires the images of Image Builder.
    """
    if options.include_image_builder:
        return ()
    return tuple(
        sorted({by.region for _ref, by in _built(state) if by.region and by.account_id == state.account_id})
    )


def managed_by_policy(state: CleanupState) -> frozenset[ImageRef]:
    """The images to which an enabled lifecycle policy applies: that policy retires them."""
    return frozenset(
        ref
        for builder in state.image_builder.values()
        for build in builder.builds
        if any(applies_to(policy, build) for policy in builder.policies)
        for ref in build.images
    )


def unknown_policies(options: CleanupOptions, state: CleanupState) -> dict[ImageRef, Evidence]:
    """The images of Image Builder whose lifecycle policies could not be read, with the reason.

    Nothing is unknown if the policy also retires the images of Image Builder.
    """
    if options.include_image_builder:
        return {}
    found = {}
    for ref, by in _built(state):
        builder = state.image_builder.get(by.region) if by.account_id == state.account_id else None
        if builder is None:
            whose = f"account {by.account_id}" if by.account_id else "an unknown account"
            found[ref] = unproven(
                _POLICIES,
                f"EC2 Image Builder of {whose} built it, and only that account can read its lifecycle "
                "policies. Set include_image_builder to retire its images.",
            )
        elif builder.unread is not None:
            found[ref] = builder.unread
    return found


def applies_to(policy: LifecyclePolicy, build: ImageBuild) -> bool:
    """Whether a policy selects a build, by recipe or by one of its tags.

    AWS does not document whether a build needs all tags of the selection. An image has the name and the
    version of its recipe (Image Builder API Reference, CreateImage).
    """
    by_recipe = any(
        _normalized(recipe.name) == _normalized(build.name) and _matches(recipe.version, build.version)
        for recipe in policy.recipes
    )
    return by_recipe or any(build.tags.get(key) == value for key, value in policy.tags.items())


def _built(state: CleanupState) -> Iterator[tuple[ImageRef, Builder]]:
    """The own images that Image Builder distributed. This collection's copies can have its tag, too."""
    for ref, own in state.images.items():
        arn = own.image.tags.get(ARN_TAG)
        if arn is None or SOURCE_TAG in own.image.tags:
            continue
        match = _ARN.fullmatch(arn)
        yield ref, Builder(match[2], match[1]) if match else Builder("", "")


def _normalized(name: str) -> str:
    """A name as ARNs have it (botocore shape CreateLifecyclePolicyRequest, name)."""
    return re.sub("[ _]", "-", name.lower())


def _matches(pattern: str, version: str) -> bool:
    """Whether ``1.x.x`` is a pattern of ``1.2.0/3``, which ends with the number of the build."""
    numbers = version.partition("/")[0].split(".")
    return all(part in ("x", number) for part, number in zip(pattern.split("."), numbers, strict=False))
