# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images in the file of Packer's post-processor ``manifest``.

Its documentation (developer.hashicorp.com/packer/docs/post-processors/manifest) has an example of the file.
Each run of Packer appends its builds and sets ``last_run_uuid``. The ``artifact_id`` of a build of AMIs is
``region:ami-…``, or several of them with commas between (packer-plugin-amazon, builder/common/artifact.go).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._listing import join_texts
from .._option import IMAGE_ID_FORM, REGION_FORM
from .._variables import Unreadable

_IMAGE = re.compile(rf"({REGION_FORM.pattern}):({IMAGE_ID_FORM.pattern})")
_FORM = "Use the file that Packer's post-processor manifest writes."
# Names that a message lists.
_MOST = 5


@dataclass(frozen=True)
class Build:
    """A build that made AMIs: the name of its source, its builder, and region to AMI ID."""

    name: str
    builder_type: str
    run_uuid: str
    images: Mapping[str, str]

    @property
    def full_name(self) -> str:
        """The name as a template has it, such as ``amazon-ebs.web``; two builders can share the short one."""
        return f"{self.builder_type}.{self.name}"

    def has_name(self, name: str) -> bool:
        """Whether it is the build of this name, short or full."""
        return name in (self.name, self.full_name)


@dataclass(frozen=True)
class Manifest:
    """The builds that made AMIs, in their order, and the UUID of the last run of Packer."""

    builds: tuple[Build, ...]
    last_run_uuid: str


def manifest(text: str) -> Manifest:
    """The manifest in a text. Builds of other kinds, such as containers, are left out.

    Raises:
        Unreadable: it is not a valid manifest.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("it is not JSON.", _FORM) from None
    items = document.get("builds") if isinstance(document, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Unreadable("it is not a Packer manifest: it has no list of builds.", _FORM)
    builds = (_build(item) for item in items)
    return Manifest(tuple(build for build in builds if build.images), str(document.get("last_run_uuid", "")))


def _build(item: Mapping[str, Any]) -> Build:
    parts = str(item.get("artifact_id", "")).split(",")
    found = [_IMAGE.fullmatch(part.strip()) for part in parts]
    return Build(
        str(item.get("name", "")),
        str(item.get("builder_type", "")),
        str(item.get("packer_run_uuid", "")),
        {one[1]: one[2] for one in found if one} if all(found) else {},
    )


def image_of(
    found: Manifest, run_uuid: str | None, build_name: str | None, region: str | None
) -> tuple[str, str]:
    """The AMI ID and its region, of one build of a run of Packer, by default of the last run.

    Raises:
        Unreadable: it has no such image, or several.
    """
    build = _one(found, run_uuid or found.last_run_uuid, build_name)
    if region is None and len(build.images) == 1:
        ((region, image_id),) = build.images.items()
        return image_id, region
    places = _listed(build.images)
    if region is None:
        raise Unreadable(f"{build.full_name} has images in {places}.", "Set source_region to one of them.")
    if region not in build.images:
        problem = f"{build.full_name} has no image in {region}, only in {places}."
        raise Unreadable(problem, "Set source_region to one of them.")
    return build.images[region], region


def _one(found: Manifest, run_uuid: str, name: str | None) -> Build:
    """The one build of that name in a run."""
    of_run = [build for build in found.builds if build.run_uuid == run_uuid]
    if not of_run:
        raise Unreadable(f"its run {run_uuid or 'without a UUID'} has no AMI.", _other_run(found.builds))
    named = [build for build in of_run if name is None or build.has_name(name)]
    if not named:
        others = [build for build in found.builds if name is not None and build.has_name(name)]
        remedy = _other_run(others) if others else "Set packer_build to one of them."
        names = _listed(build.full_name for build in of_run)
        raise Unreadable(f"its run {run_uuid} has no build '{name}', only {names}.", remedy)
    # A template with two of these post-processors writes each build twice.
    if any(build.images != named[0].images for build in named):
        names = _listed(build.full_name for build in named)
        raise Unreadable(
            f"its run {run_uuid} has the builds {names}.",
            "Set packer_build to one of them, or list them in sources to distribute several.",
        )
    return named[0]


def _other_run(builds: Iterable[Build]) -> str:
    uuids = _listed(build.run_uuid for build in reversed([*builds]))
    return f"Set packer_run_uuid to one of {uuids}." if uuids else "Build an AMI with Packer first."


def _listed(names: Iterable[str]) -> str:
    return join_texts(list(dict.fromkeys(names)), _MOST)
