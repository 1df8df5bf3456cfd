# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The instance types of launch templates: what is read of them. Errors are botocore's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..aws import read
from ..aws.answers import required
from ..plan import batches
from .state import InstanceType, TemplateVersion

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef

# botocore shape DITMaxResults: the most that a page holds.
_PAGE = 100
_OPERATION = "DescribeInstanceTypes"


def instance_types(ec2: EC2Client, versions: Iterable[TemplateVersion]) -> dict[str, InstanceType]:
    """Read the types that these versions name and the region offers; all of them for requirements.

    A filter, because one type in InstanceTypes that does not exist fails the whole request.
    """
    listed = list(versions)
    names = sorted({version.instance_type for version in listed if version.instance_type})
    by_name: list[list[FilterTypeDef]] = [
        [{"Name": "instance-type", "Values": list(batch)}] for batch in batches(names, read.FILTER_VALUES)
    ]
    if any(version.requirements for version in listed):
        by_name = [[]]
    paginator = ec2.get_paginator("describe_instance_types")
    found = (
        _instance_type(item)
        for filters in by_name
        for page in paginator.paginate(Filters=filters, PaginationConfig={"PageSize": _PAGE})
        for item in required(page, "InstanceTypes", _OPERATION)
    )
    return {one.name: one for one in found}


def _instance_type(item: Mapping[str, Any]) -> InstanceType:
    return InstanceType(
        name=required(item, "InstanceType", _OPERATION),
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
