# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the images in the file of Packer's post-processor ``manifest``.

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
    """A build that made AMIs: the name of its source, its builder, and its AMI IDs by region."""

    name: str
    builder_type: str
    run_uuid: str
    images: Mapping[str, str]

    @property
    def full_name(self) -> str:
        """Return the name as in a template, ``amazon-ebs.web``; two builders can share the short name."""
        return f"{self.builder_type}.{self.name}"

    def has_name(self, name: str) -> bool:
        """Whether the build has this name, short or full."""
        return name in (self.name, self.full_name)


@dataclass(frozen=True)
class Manifest:
    """The builds that made AMIs, in their order, and the UUID of the last run of Packer."""

    builds: tuple[Build, ...]
    last_run_uuid: str


def parse_manifest(text: str) -> Manifest:
    """Return the manifest in a text, without builds of other kinds, such as containers.

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
    builds = (_parse_build(item) for item in items)
    return Manifest(tuple(build for build in builds if build.images), str(document.get("last_run_uuid", "")))


def _parse_build(item: Mapping[str, Any]) -> Build:
    parts = str(item.get("artifact_id", "")).split(",")
    matches = [_IMAGE.fullmatch(part.strip()) for part in parts]
    return Build(
        str(item.get("name", "")),
        str(item.get("builder_type", "")),
        str(item.get("packer_run_uuid", "")),
        {match[1]: match[2] for match in matches if match} if all(matches) else {},
    )


def select_image(
    manifest: Manifest, run_uuid: str | None, build_name: str | None, region: str | None
) -> tuple[str, str]:
    """Return the AMI ID and region of one build of a run of Packer, by default of the last run.

    Raises:
        Unreadable: it has no such image, or several.
    """
    build = _select_build(manifest, run_uuid or manifest.last_run_uuid, build_name)
    if region is None and len(build.images) == 1:
        ((region, image_id),) = build.images.items()
        return image_id, region
    places = _join_names(build.images)
    if region is None:
        raise Unreadable(f"{build.full_name} has images in {places}.", "Set source_region to one of them.")
    if region not in build.images:
        problem = f"{build.full_name} has no image in {region}, only in {places}."
        raise Unreadable(problem, "Set source_region to one of them.")
    return build.images[region], region


def _select_build(manifest: Manifest, run_uuid: str, name: str | None) -> Build:
    """Return the build of that name in a run."""
    builds_of_run = [build for build in manifest.builds if build.run_uuid == run_uuid]
    if not builds_of_run:
        raise Unreadable(
            f"its run {run_uuid or 'without a UUID'} has no AMI.", _advise_other_run(manifest.builds)
        )
    builds = [build for build in builds_of_run if name is None or build.has_name(name)]
    if not builds:
        others = [build for build in manifest.builds if name is not None and build.has_name(name)]
        remedy = _advise_other_run(others) if others else "Set packer_build to one of them."
        names = _join_names(build.full_name for build in builds_of_run)
        raise Unreadable(f"its run {run_uuid} has no build '{name}', only {names}.", remedy)
    # A template with two of these post-processors writes each build twice.
    if any(build.images != builds[0].images for build in builds):
        names = _join_names(build.full_name for build in builds)
        raise Unreadable(
            f"its run {run_uuid} has the builds {names}.",
            "Set packer_build to one of them, or list them in sources to distribute several.",
        )
    return builds[0]


def _advise_other_run(builds: Iterable[Build]) -> str:
    uuids = _join_names(build.run_uuid for build in reversed([*builds]))
    return f"Set packer_run_uuid to one of {uuids}." if uuids else "Build an AMI with Packer first."


def _join_names(names: Iterable[str]) -> str:
    return join_texts(list(dict.fromkeys(names)), _MOST)
