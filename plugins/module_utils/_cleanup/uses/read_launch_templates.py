# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of launch templates that launch images."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..._aws.answers import require_member
from ..._aws.errors import ClientError, code_of
from .read import Place, Read, Source
from .read_launchers import list_mapped_snapshots
from .users import Pin, TemplateVersion, list_missing_pins

_KIND = "launch_template"
_OPERATION = "DescribeLaunchTemplateVersions"
# The only versions that can be read of all launch templates at once (EC2 API Reference,
# DescribeLaunchTemplateVersions). DescribeImageReferences finds uses in the others.
_VERSIONS = ["$Latest", "$Default"]
# EC2 API Reference, "Error codes": a group or fleet cannot launch a version that does not exist.
_NO_VERSION = re.compile(r"InvalidLaunchTemplate(Id|Name)\.(VersionNotFound|NotFound)")


def _read_latest_and_default(place: Place) -> Iterator[TemplateVersion]:
    """Yield the latest and the default version of every launch template, hidden ones as with instances."""
    # EC2 API Reference, DescribeLaunchTemplateVersions: at most 200 versions per page.
    pages = place.ec2.get_paginator("describe_launch_template_versions").paginate(
        Versions=_VERSIONS, PaginationConfig={"PageSize": 200}
    )
    for page in pages:
        yield from _parse_versions(page)


def _read_pinned(place: Place) -> Iterator[TemplateVersion]:
    """Yield the versions that groups and fleets pin, as far as they exist."""
    for pin in list_missing_pins(place.users):
        yield from _read_pinned_version(place, pin)


def _read_pinned_version(place: Place, pin: Pin) -> Iterator[TemplateVersion]:
    request: Any = {("LaunchTemplateId" if pin.by_id else "LaunchTemplateName"): pin.template}
    try:
        answer = place.ec2.describe_launch_template_versions(**request, Versions=[str(pin.version)])
    except ClientError as exception:
        if not _NO_VERSION.match(code_of(exception)):
            raise
        return
    yield from _parse_versions(answer)


def _parse_versions(answer: Mapping[str, Any]) -> Iterator[TemplateVersion]:
    return map(_parse_version, require_member(answer, "LaunchTemplateVersions", _OPERATION))


def _parse_version(item: Mapping[str, Any]) -> TemplateVersion:
    data = require_member(item, "LaunchTemplateData", _OPERATION)
    number = require_member(item, "VersionNumber", _OPERATION)
    return TemplateVersion(
        _KIND,
        require_member(item, "LaunchTemplateId", _OPERATION),
        (data.get("ImageId", ""),),
        snapshot_ids=list_mapped_snapshots(data),
        detail=f"version {number}",
        version=number,
        given_name=item.get("LaunchTemplateName", ""),
    )


SOURCE = Source(
    _KIND,
    "latest and default versions, and those that groups and fleets pin",
    (Read(_read_latest_and_default, ("ec2:DescribeLaunchTemplateVersions",)),),
    (Read(_read_pinned, ("ec2:DescribeLaunchTemplateVersions",)),),
    can_be_hidden=True,
)
