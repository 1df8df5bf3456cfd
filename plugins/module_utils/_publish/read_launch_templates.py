# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read launch templates and the instance types that they can launch; errors are botocore's."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .._aws import read
from .._aws.answers import require_member
from .._aws.errors import ClientError, IncompleteAnswer, code_of
from .._model import RESOLVE, Target
from .._parameter_names import name_in_arn
from .._plan import batches
from .state import InstanceType, LaunchTemplate, TemplateVersion

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef

# EC2 API Reference, DescribeLaunchTemplateVersions: the largest page.
_VERSIONS_PAGE = 200
_READ_VERSIONS = "DescribeLaunchTemplateVersions"
# botocore shape DITMaxResults: the largest page.
_TYPES_PAGE = 100
_READ_TYPES = "DescribeInstanceTypes"
_ID = re.compile(r"lt-(?:[0-9a-f]{8}|[0-9a-f]{17})")
# EC2 API Reference, "Error codes for the Amazon EC2 API"; a name that none can have is not found either.
_MISSING = (
    *("InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.Malformed"),
    *("InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateName.MalformedException"),
)


def read_launch_templates(
    ec2: EC2Client, names: Collection[str], target: Target
) -> dict[str, LaunchTemplate]:
    """Read the existing launch templates of a target, by the requested names or IDs.

    One template is read by itself. For several, all templates of the region are read, 200 in a response,
    which is faster than one call for each.
    """
    if not names:
        return {}
    selector: dict[str, Any] = {}
    if len(names) == 1:
        (name,) = names
        selector = {"LaunchTemplateId" if is_id(name) else "LaunchTemplateName": name}
    pages = ec2.get_paginator("describe_launch_template_versions").paginate(
        **selector, Versions=["$Default", "$Latest"], PaginationConfig={"PageSize": _VERSIONS_PAGE}
    )
    try:
        items: list[Mapping[str, Any]] = [
            item for page in pages for item in require_member(page, "LaunchTemplateVersions", _READ_VERSIONS)
        ]
    except ClientError as exception:
        if code_of(exception) in _MISSING:
            return {}
        raise
    versions: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for item in items:
        versions[require_member(item, "LaunchTemplateId", _READ_VERSIONS)].append(item)
        versions[require_member(item, "LaunchTemplateName", _READ_VERSIONS)].append(item)
    return {name: _parse_template(versions[name], target) for name in names if name in versions}


def is_id(name: str) -> bool:
    """Whether the text is an ID and not a name."""
    return _ID.fullmatch(name) is not None


def _parse_template(items: list[Mapping[str, Any]], target: Target) -> LaunchTemplate:
    defaults = [item for item in items if item.get("DefaultVersion")]
    if not defaults:
        raise IncompleteAnswer(_READ_VERSIONS, "DefaultVersion")
    versions = [_parse_version(item, target) for item in items]
    latest = max(versions, key=lambda version: version.number)
    template_id = require_member(defaults[0], "LaunchTemplateId", _READ_VERSIONS)
    return LaunchTemplate(template_id, _parse_version(defaults[0], target), latest)


def _parse_version(item: Mapping[str, Any], target: Target) -> TemplateVersion:
    number = int(require_member(item, "VersionNumber", _READ_VERSIONS))
    data: Mapping[str, Any] = require_member(item, "LaunchTemplateData", _READ_VERSIONS)
    named = data.get("ImageId", "").removeprefix(RESOLVE)
    return TemplateVersion(number, data, name_in_arn(named, target.account_id, target.region))


def read_instance_types(ec2: EC2Client, versions: Iterable[TemplateVersion]) -> dict[str, InstanceType]:
    """Read the types of the region that these versions name; all types if one has requirements.

    The request has a filter, because it would fail with an unknown type in InstanceTypes.
    """
    versions_read = list(versions)
    names = sorted({version.instance_type for version in versions_read if version.instance_type})
    filters_of_requests: list[list[FilterTypeDef]] = [
        [{"Name": "instance-type", "Values": list(batch)}] for batch in batches(names, read.FILTER_VALUES)
    ]
    if any(version.requirements for version in versions_read):
        filters_of_requests = [[]]
    paginator = ec2.get_paginator("describe_instance_types")
    types = (
        _parse_type(item)
        for filters in filters_of_requests
        for page in paginator.paginate(Filters=filters, PaginationConfig={"PageSize": _TYPES_PAGE})
        for item in require_member(page, "InstanceTypes", _READ_TYPES)
    )
    return {item.name: item for item in types}


def _parse_type(item: Mapping[str, Any]) -> InstanceType:
    return InstanceType(
        name=require_member(item, "InstanceType", _READ_TYPES),
        architectures=frozenset(item.get("ProcessorInfo", {}).get("SupportedArchitectures", ())),
        boot_modes=frozenset(item.get("SupportedBootModes", ())),
        ena_support=item.get("NetworkInfo", {}).get("EnaSupport", ""),
        tpm_support=item.get("NitroTpmSupport", ""),
        vcpus=item.get("VCpuInfo", {}).get("DefaultVCpus"),
        memory_mib=item.get("MemoryInfo", {}).get("SizeInMiB"),
        bare_metal=item.get("BareMetal"),
        burstable=item.get("BurstablePerformanceSupported"),
        virtualizations=frozenset(item.get("SupportedVirtualizationTypes", ())),
        root_device_types=frozenset(item.get("SupportedRootDeviceTypes", ())),
    )
