# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads of single images and snapshots: references, permissions, usage reports, and use in other accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._aws import read
from .._aws.answers import require_member
from .._aws.errors import AWS_ERRORS, ClientError, failure
from .._model import ImageRef, Sharing
from .._plan import batches
from .sharing import ALL_VERSIONS, READS_REPORTS, TEMPLATES
from .state import COPY, Evidence, OwnImage, SnapshotUsage, UsageReport
from .tombstone import is_tombstone_parameter
from .uses.read import Attempts, Place, read_users
from .uses.read_all import OF_CONSUMERS
from .uses.read_instances import LIVING_STATES
from .uses.users import list_snapshot_uses, list_unresolved, list_uses

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from .._aws.clients import Clients

# EC2 API Reference, DescribeImageReferences: images per request.
REFERENCE_BATCH = 10
# botocore shape ImageUsageResourceTypeOptionRequest.
_DEFAULT_VERSIONS = 20
_REPORTS, _ENTRIES = READS_REPORTS
_PARAMETER = "ssm:Parameter"
_RESOURCES: list[Any] = [
    {
        "ResourceType": "ec2:Instance",
        "ResourceTypeOptions": [{"OptionName": "state-name", "OptionValues": LIVING_STATES}],
    },
    {
        "ResourceType": "ec2:LaunchTemplate",
        "ResourceTypeOptions": [{"OptionName": "version-depth", "OptionValues": [str(ALL_VERSIONS)]}],
    },
    {"ResourceType": _PARAMETER},
    {"ResourceType": "imagebuilder:ImageRecipe"},
    {"ResourceType": "imagebuilder:ContainerRecipe"},
]


def read_references(
    ec2: EC2Client, image_ids: Sequence[str], tombstone_path: str | None = None
) -> dict[str, tuple[Evidence, ...]]:
    """Return the own resources that refer to each image, for at most ``REFERENCE_BATCH`` images.

    Tombstones below ``tombstone_path`` are no uses. AWS does not document in which parameters it looks for
    images.
    """
    operation = "DescribeImageReferences"
    evidence_by_image: dict[str, list[Evidence]] = {image_id: [] for image_id in image_ids}
    pages = ec2.get_paginator("describe_image_references").paginate(
        ImageIds=list(image_ids), ResourceTypes=_RESOURCES, PaginationConfig=read.PAGE
    )
    for page in pages:
        for item in require_member(page, "ImageReferences", operation):
            kind, arn = (
                require_member(item, "ResourceType", operation),
                require_member(item, "Arn", operation),
            )
            if kind != _PARAMETER or not is_tombstone_parameter(tombstone_path, arn):
                evidence_by_image[require_member(item, "ImageId", operation)].append(Evidence(kind, arn))
    return {image_id: tuple(items) for image_id, items in evidence_by_image.items()}


def read_launch_permissions(ec2: EC2Client, own: OwnImage) -> Sharing:
    """Return the launch permissions of an image, without a call if its state allows none."""
    return read.launch_permissions(ec2, own.image.image_id) if own.image.may_be_shared else Sharing()


def read_snapshot_usage(ec2: EC2Client, snapshot_id: str) -> SnapshotUsage:
    """Return the accounts that can create volumes from a snapshot; none if it is gone."""
    return SnapshotUsage(
        read.permissions(ec2, read.SNAPSHOT_PERMISSIONS, snapshot_id, ("InvalidSnapshot.NotFound",))
    )


def read_uses(
    clients: Clients, region: str, images: Mapping[str, Sequence[str]]
) -> dict[str, tuple[Evidence, ...]]:
    """Return the uses of each image in the clients' account and a region.

    A failed read counts as use of all images. ``images`` maps image IDs to the snapshots of the image, which
    are deleted with it: a resource that creates volumes from one of them uses the image, too. Parameters are
    read as in the own account: AWS does not document which of them DescribeImageReferences finds.
    """
    attempt = Attempts()
    referenced: dict[str, tuple[Evidence, ...]] = {}
    try:
        for batch in batches(list(images), REFERENCE_BATCH):
            referenced.update(_read_existing_references(clients.ec2(region), batch))
    except AWS_ERRORS as exception:
        attempt.problems.append(to_evidence(exception, "DescribeImageReferences"))
    users = read_users(Place(clients, region), OF_CONSUMERS, attempt)
    used, of_snapshots = list_uses(users), list_snapshot_uses(users)
    problems = (*attempt.problems, *list_unresolved(users))
    return {
        image_id: (
            *referenced.get(image_id, ()),
            *used.get(image_id, ()),
            *(
                Evidence("snapshot", f"{snapshot_id} in {user}")
                for snapshot_id in snapshot_ids
                for user in of_snapshots.get(snapshot_id, ())
            ),
            *problems,
        )
        for image_id, snapshot_ids in images.items()
    }


def _read_existing_references(ec2: EC2Client, image_ids: Sequence[str]) -> dict[str, tuple[Evidence, ...]]:
    """Return what ``read_references`` returns, also if some of the images are gone."""
    # An image that AWS does not find, or not any more, says nothing about the others.
    try:
        return read_references(ec2, image_ids)
    except ClientError as exception:
        if not read.may_be_gone(exception):
            raise
        if len(image_ids) == 1:
            return {image_ids[0]: (to_evidence(exception, "DescribeImageReferences"),)}
        return {image_id: _read_existing_references(ec2, [image_id])[image_id] for image_id in image_ids}


def read_pending_copies(ec2: EC2Client, region: str) -> dict[ImageRef, tuple[Evidence, ...]]:
    """Return the copies that the client's account is making in the region, by source."""
    operation = "DescribeImages"
    copies: dict[ImageRef, list[Evidence]] = defaultdict(list)
    pages = ec2.get_paginator("describe_images").paginate(
        Owners=["self"], Filters=[{"Name": "state", "Values": ["pending"]}], PaginationConfig=read.PAGE
    )
    for page in pages:
        for item in require_member(page, "Images", operation):
            source_id, source_region = item.get("SourceImageId"), item.get("SourceImageRegion")
            if source_id and source_region:
                copy_id = require_member(item, "ImageId", operation)
                copies[ImageRef(source_region, source_id)].append(Evidence(COPY, copy_id, region))
    return {source: tuple(items) for source, items in copies.items()}


def read_pending_reports(ec2: EC2Client, image_ids: Sequence[str]) -> frozenset[str]:
    """Return the images with a usage report that AWS has not created yet."""
    pages = ec2.get_paginator("describe_image_usage_reports").paginate(
        ImageIds=list(image_ids), Filters=[{"Name": "state", "Values": ["pending"]}]
    )
    return frozenset(
        require_member(item, "ImageId", _REPORTS) for page in pages for item in _list_reports(page)
    )


def _list_reports(page: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the usage reports in an answer of DescribeImageUsageReports."""
    reports: Sequence[Mapping[str, Any]] = require_member(page, "ImageUsageReports", _REPORTS)
    return reports


def read_usage_reports(ec2: EC2Client, image_ids: Sequence[str]) -> dict[str, UsageReport]:
    """Return the newest usage report of each image that has one."""
    newest: dict[str, Mapping[str, Any]] = {}
    for page in ec2.get_paginator("describe_image_usage_reports").paginate(ImageIds=list(image_ids)):
        for item in _list_reports(page):
            image_id, created = (
                require_member(item, "ImageId", _REPORTS),
                require_member(item, "CreationTime", _REPORTS),
            )
            earlier = newest.get(image_id)
            if earlier is None or created > require_member(earlier, "CreationTime", _REPORTS):
                newest[image_id] = item
    used: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    by_type: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    if newest:
        current = {require_member(item, "ReportId", _REPORTS) for item in newest.values()}
        entries = ec2.get_paginator("describe_image_usage_report_entries")
        for answer in entries.paginate(ImageIds=list(newest)):
            for entry in require_member(answer, "ImageUsageReportEntries", _ENTRIES):
                if require_member(entry, "ReportId", _ENTRIES) in current:
                    image_id = require_member(entry, "ImageId", _ENTRIES)
                    account_id = require_member(entry, "AccountId", _ENTRIES)
                    number = require_member(entry, "UsageCount", _ENTRIES)
                    used[image_id][account_id] += number
                    by_type[image_id][account_id, entry.get("ResourceType", "")] += number
    return {
        image_id: UsageReport(
            state=require_member(item, "State", _REPORTS),
            created=require_member(item, "CreationTime", _REPORTS),
            report_id=require_member(item, "ReportId", _REPORTS),
            resource_types=frozenset(
                require_member(resource_type, "ResourceType", _REPORTS)
                for resource_type in item.get("ResourceTypes", ())
            ),
            account_ids=frozenset(item.get("AccountIds", ())),
            template_versions=_count_template_versions(item),
            used_by=dict(used[image_id]),
            used_by_type=dict(by_type[image_id]),
        )
        for image_id, item in newest.items()
    }


def _count_template_versions(report: Mapping[str, Any]) -> int:
    """Return the number of versions of a launch template that a report covers, 0 if none."""
    for resource_type in report.get("ResourceTypes", ()):
        if require_member(resource_type, "ResourceType", _REPORTS) == TEMPLATES:
            # botocore shape ImageUsageResourceTypeOption: version-depth is the only option.
            options = resource_type.get("ResourceTypeOptions", ())
            if not options:
                return _DEFAULT_VERSIONS
            values = options[0].get("OptionValues")
            return int(values[0]) if values else 0
    return 0


def to_evidence(exception: Exception, action: str) -> Evidence:
    """Return a failed read as evidence, which counts as use."""
    return Evidence.of_failure(failure(exception, None, action))
