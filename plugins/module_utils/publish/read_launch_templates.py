# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Launch templates: what is read of them. Errors are botocore's."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from ..aws.answers import required
from ..aws.errors import ClientError, IncompleteAnswer, code_of
from ..model import RESOLVE, Target
from ..parameter_names import name_in_arn
from .state import LaunchTemplate, TemplateVersion

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# EC2 API Reference, DescribeLaunchTemplateVersions: the most that a page holds.
_PAGE = 200
_OPERATION = "DescribeLaunchTemplateVersions"
_ID = re.compile(r"lt-(?:[0-9a-f]{8}|[0-9a-f]{17})")
# EC2 API Reference, "Error codes for the Amazon EC2 API"; a name that none can have is not found either.
_MISSING = (
    *("InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.Malformed"),
    *("InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateName.MalformedException"),
)


def launch_templates(ec2: EC2Client, names: Collection[str], target: Target) -> dict[str, LaunchTemplate]:
    """The launch templates of a target that exist, by the requested names or IDs.

    A single template is read by itself. Several can only be read together with all others, 200 in a response,
    which is still faster than one after the other.
    """
    if not names:
        return {}
    asked: dict[str, Any] = {}
    if len(names) == 1:
        (name,) = names
        asked = {"LaunchTemplateId" if is_id(name) else "LaunchTemplateName": name}
    pages = ec2.get_paginator("describe_launch_template_versions").paginate(
        **asked, Versions=["$Default", "$Latest"], PaginationConfig={"PageSize": _PAGE}
    )
    try:
        found: list[Mapping[str, Any]] = [
            item for page in pages for item in required(page, "LaunchTemplateVersions", _OPERATION)
        ]
    except ClientError as exception:
        if code_of(exception) in _MISSING:
            return {}
        raise
    versions: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for item in found:
        versions[required(item, "LaunchTemplateId", _OPERATION)].append(item)
        versions[required(item, "LaunchTemplateName", _OPERATION)].append(item)
    return {name: _template(versions[name], target) for name in names if name in versions}


def is_id(name: str) -> bool:
    """Whether this is an ID rather than a name."""
    return _ID.fullmatch(name) is not None


def _template(items: list[Mapping[str, Any]], target: Target) -> LaunchTemplate:
    defaults = [item for item in items if item.get("DefaultVersion")]
    if not defaults:
        raise IncompleteAnswer(_OPERATION, "DefaultVersion")
    versions = [_version(item, target) for item in items]
    latest = max(versions, key=lambda version: version.number)
    template_id = required(defaults[0], "LaunchTemplateId", _OPERATION)
    return LaunchTemplate(template_id, _version(defaults[0], target), latest)


def _version(item: Mapping[str, Any], target: Target) -> TemplateVersion:
    number = int(required(item, "VersionNumber", _OPERATION))
    data: Mapping[str, Any] = required(item, "LaunchTemplateData", _OPERATION)
    named = data.get("ImageId", "").removeprefix(RESOLVE)
    return TemplateVersion(number, data, name_in_arn(named, target.account_id, target.region))
