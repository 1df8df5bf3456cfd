# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads of single images and snapshots: references, permissions, usage reports, and use in other accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._aws import read
from .._aws.answers import required
from .._aws.errors import AWS_ERRORS, ClientError, failure
from .._model import ImageRef, Sharing
from .._plan import batches
from .sharing import ALL_VERSIONS, READS_REPORTS, TEMPLATES
from .state import COPY, Evidence, OwnImage, SnapshotUsage, UsageReport
from .state import unread as as_evidence
from .tombstone import is_tombstone_parameter
from .uses.read import Attempts, Place, read_users
from .uses.read_all import OF_CONSUMERS
from .uses.read_instances import LIVING_STATES
from .uses.users import snapshot_uses, unresolved, uses

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


def references(
    ec2: EC2Client, image_ids: Sequence[str], tombstone_path: str | None = None
) -> dict[str, tuple[Evidence, ...]]:
    """Image ID to the account's own resources that refer to it, for at most ``REFERENCE_BATCH`` images.

    Tombstones below ``tombstone_path`` are no uses. AWS does not document in which parameters it looks for
    images.
    """
    operation = "DescribeImageReferences"
    found: dict[str, list[Evidence]] = {image_id: [] for image_id in image_ids}
    pages = ec2.get_paginator("describe_image_references").paginate(
        ImageIds=list(image_ids), ResourceTypes=_RESOURCES, PaginationConfig=read.PAGE
    )
    for page in pages:
        for item in required(page, "ImageReferences", operation):
            kind, arn = required(item, "ResourceType", operation), required(item, "Arn", operation)
            if kind != _PARAMETER or not is_tombstone_parameter(tombstone_path, arn):
                found[required(item, "ImageId", operation)].append(Evidence(kind, arn))
    return {image_id: tuple(evidence) for image_id, evidence in found.items()}


def launch_permissions(ec2: EC2Client, own: OwnImage) -> Sharing:
    """The launch permissions of an image, without a call if its state allows none."""
    return read.launch_permissions(ec2, own.image.image_id) if own.image.may_be_shared else Sharing()


def snapshot_usage(ec2: EC2Client, snapshot_id: str) -> SnapshotUsage:
    """The accounts that can create volumes from a snapshot; none if it is gone."""
    return SnapshotUsage(
        read.permissions(ec2, read.SNAPSHOT_PERMISSIONS, snapshot_id, ("InvalidSnapshot.NotFound",))
    )


def used_in(
    clients: Clients, region: str, images: Mapping[str, Sequence[str]]
) -> dict[str, tuple[Evidence, ...]]:
    """Image ID to its uses in the clients' account and a region. A failed read counts as use of all.

    ``images`` maps image IDs to the snapshots of the image. What creates volumes from one of these uses the
    image, too: the snapshots are deleted with it. Parameters are read as in the own account: AWS does not
    document which of them DescribeImageReferences finds.
    """
    attempt = Attempts()
    found: dict[str, tuple[Evidence, ...]] = {}
    try:
        for batch in batches(list(images), REFERENCE_BATCH):
            found.update(_references(clients.ec2(region), batch))
    except AWS_ERRORS as exception:
        attempt.problems.append(unread(exception, "DescribeImageReferences"))
    users = read_users(Place(clients, region), OF_CONSUMERS, attempt)
    named, of_snapshots = uses(users), snapshot_uses(users)
    problems = (*attempt.problems, *unresolved(users))
    return {
        image_id: (
            *found.get(image_id, ()),
            *named.get(image_id, ()),
            *(
                Evidence("snapshot", f"{one} in {user}")
                for one in snapshot_ids
                for user in of_snapshots.get(one, ())
            ),
            *problems,
        )
        for image_id, snapshot_ids in images.items()
    }


def _references(ec2: EC2Client, image_ids: Sequence[str]) -> dict[str, tuple[Evidence, ...]]:
    """As ``references``. An image that AWS does not find, or not any more, says nothing about the others."""
    try:
        return references(ec2, image_ids)
    except ClientError as exception:
        if not read.may_be_gone(exception):
            raise
        if len(image_ids) == 1:
            return {image_ids[0]: (unread(exception, "DescribeImageReferences"),)}
        return {image_id: _references(ec2, [image_id])[image_id] for image_id in image_ids}


def pending_copies(ec2: EC2Client, region: str) -> dict[ImageRef, tuple[Evidence, ...]]:
    """Source to its copies that the client's account is making in the region."""
    operation = "DescribeImages"
    found: dict[ImageRef, list[Evidence]] = defaultdict(list)
    pages = ec2.get_paginator("describe_images").paginate(
        Owners=["self"], Filters=[{"Name": "state", "Values": ["pending"]}], PaginationConfig=read.PAGE
    )
    for page in pages:
        for item in required(page, "Images", operation):
            source_id, source_region = item.get("SourceImageId"), item.get("SourceImageRegion")
            if source_id and source_region:
                copy_id = required(item, "ImageId", operation)
                found[ImageRef(source_region, source_id)].append(Evidence(COPY, copy_id, region))
    return {source: tuple(evidence) for source, evidence in found.items()}


def pending_reports(ec2: EC2Client, image_ids: Sequence[str]) -> frozenset[str]:
    """Those of the images that have a usage report that AWS has not created yet."""
    pages = ec2.get_paginator("describe_image_usage_reports").paginate(
        ImageIds=list(image_ids), Filters=[{"Name": "state", "Values": ["pending"]}]
    )
    return frozenset(required(item, "ImageId", _REPORTS) for page in pages for item in _reports(page))


def _reports(page: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The usage reports in an answer of DescribeImageUsageReports."""
    found: Sequence[Mapping[str, Any]] = required(page, "ImageUsageReports", _REPORTS)
    return found


def usage_reports(ec2: EC2Client, image_ids: Sequence[str]) -> dict[str, UsageReport]:
    """Image ID to its newest usage report, if there is one."""
    newest: dict[str, Mapping[str, Any]] = {}
    for page in ec2.get_paginator("describe_image_usage_reports").paginate(ImageIds=list(image_ids)):
        for item in _reports(page):
            image_id, created = required(item, "ImageId", _REPORTS), required(item, "CreationTime", _REPORTS)
            earlier = newest.get(image_id)
            if earlier is None or created > required(earlier, "CreationTime", _REPORTS):
                newest[image_id] = item
    used: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    if newest:
        current = {required(item, "ReportId", _REPORTS) for item in newest.values()}
        entries = ec2.get_paginator("describe_image_usage_report_entries")
        for answer in entries.paginate(ImageIds=list(newest)):
            for entry in required(answer, "ImageUsageReportEntries", _ENTRIES):
                if required(entry, "ReportId", _ENTRIES) in current:
                    account_id = required(entry, "AccountId", _ENTRIES)
                    used[required(entry, "ImageId", _ENTRIES)][account_id] += required(
                        entry, "UsageCount", _ENTRIES
                    )
    return {
        image_id: UsageReport(
            state=required(item, "State", _REPORTS),
            created=required(item, "CreationTime", _REPORTS),
            report_id=required(item, "ReportId", _REPORTS),
            resource_types=frozenset(
                required(one, "ResourceType", _REPORTS) for one in item.get("ResourceTypes", ())
            ),
            account_ids=frozenset(item.get("AccountIds", ())),
            template_versions=_template_versions(item),
            used_by=dict(used[image_id]),
        )
        for image_id, item in newest.items()
    }


def _template_versions(report: Mapping[str, Any]) -> int:
    """How many versions of each launch template a report covers, 0 if none."""
    for one in report.get("ResourceTypes", ()):
        if required(one, "ResourceType", _REPORTS) == TEMPLATES:
            # botocore shape ImageUsageResourceTypeOption: version-depth is the only option.
            options = one.get("ResourceTypeOptions", ())
            if not options:
                return _DEFAULT_VERSIONS
            values = options[0].get("OptionValues")
            return int(values[0]) if values else 0
    return 0


def unread(exception: Exception, action: str) -> Evidence:
    """A failed read as evidence: it counts as use."""
    return as_evidence(failure(exception, None, action))
