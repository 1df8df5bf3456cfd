# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a region in bulk: own images and snapshots, and what uses them there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from ..aws import read
from ..aws.answers import required, unless_gone
from ..aws.errors import AWS_ERRORS, ClientError, code_of, failure
from ..aws.managed_resources import hides_managed
from ..aws.parameters import is_missing
from ..model import ImageRef
from ..plan import batches
from ..tags import tag_map
from . import read_image_tasks, read_launchers
from .stages import parse
from .state import Evidence, OwnImage, OwnSnapshot, RegionState, RetentionRule, unread, unreadable
from .tombstone import is_tombstone_parameter
from .usage import (
    LIVING_STATES,
    BulkReads,
    Instance,
    LaunchConfiguration,
    Launcher,
    Parameter,
    Pin,
    TemplateVersion,
    missing_pins,
    selectors,
    snapshot_uses,
    unresolved,
    uses,
)

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ssm import SSMClient

    from ..aws.clients import Clients

Found = TypeVar("Found")

# The only versions that can be read of all launch templates at once (EC2 API Reference,
# DescribeLaunchTemplateVersions). DescribeImageReferences finds uses in the others.
_VERSIONS = ["$Latest", "$Default"]
_VERSIONS_OPERATION = "DescribeLaunchTemplateVersions"
# EC2 API Reference, "Error codes": a group or fleet cannot launch a version that does not exist.
_NO_VERSION = re.compile(r"InvalidLaunchTemplate(Id|Name)\.(VersionNotFound|NotFound)")
# The reads of uses that can leave out resources of AWS services.
_WITH_MANAGED = ("DescribeInstances", "DescribeLaunchTemplateVersions")
# botocore shape Snapshot: only copies have TransferType, and a copy's volume ID is arbitrary. It is this one,
# also of copies that are older than TransferType.
_VOLUME_OF_COPIES = "vol-ffffffff"
# A snapshot that was restored from the archive is about to be used: it is kept for this time.
_RESTORED_FOR = timedelta(days=14)
_TIERS = "DescribeSnapshotTierStatus"
_ARCHIVING = "archival-in-progress"
_RESTORES = ("permanent-restore-in-progress", "permanent-restore-completed")
# SSM API Reference: parameters per page of DescribeParameters, versions per page of GetParameterHistory, and
# parameters per GetParameters.
_PARAMETER_PAGE = 50
_PARAMETER_BATCH = 10
# EC2 does not resolve a SecureString (Systems Manager User Guide, "Native parameter support for AMI IDs").
_TEXTS = ["String", "StringList"]
_BINNED = {"EC2_IMAGE": "images", "EBS_SNAPSHOT": "snapshots"}


def services() -> tuple[str, ...]:
    """The services that ``region`` calls."""
    return ("autoscaling", "ec2", "rbin", "ssm")


class Attempts:
    """Makes reads, and collects those that failed."""

    def __init__(self) -> None:
        self.problems: list[Evidence] = []

    def __call__(self, action: str, reader: Callable[[], tuple[Found, ...]]) -> tuple[Found, ...]:
        """What the reader returns; nothing if it fails."""
        try:
            return reader()
        except AWS_ERRORS as exception:
            self.problems.append(unread(failure(exception, None, action)))
            return ()


def region(clients: Clients, name: str, *, tombstone_path: str | None = None) -> RegionState:
    """Read everything that can be read of a region in bulk.

    Tombstones below ``tombstone_path``, a path of Parameter Store in the home region, are no uses. What
    cannot be read of the uses counts as use of all images. Snapshots, their locks and the Recycle Bin show no
    use: without one of them, nothing can be deleted, and all else goes on.

    Raises:
        ClientError, BotoCoreError: the images cannot be read.
    """
    ec2 = clients.ec2(name)
    tombstones = tombstone_path if name == clients.default_region else None
    images = own_images(ec2, name)
    attempt = Attempts()
    bulk = launches(clients, name, attempt)
    tasks = (
        *attempt("DescribeStoreImageTasks", lambda: read_image_tasks.store_tasks(ec2)),
        *attempt("DescribeExportImageTasks", lambda: read_image_tasks.export_tasks(ec2)),
    )
    bulk = with_parameters(clients, name, attempt, replace(bulk, tasks=tasks), tombstones)
    deletions = Attempts()
    locks = dict(deletions("DescribeLockedSnapshots", lambda: snapshot_locks(ec2)))
    archiving = deletions("DescribeSnapshotTierStatus", lambda: unsettled_snapshots(ec2, datetime.now(UTC)))
    snapshots = deletions("DescribeSnapshots", lambda: own_snapshots(ec2, locks, archiving))
    binned = deletions("ListImagesInRecycleBin", lambda: binned_images(ec2))
    retention = Attempts()
    rules = retention("ListRules", lambda: retention_rules(clients.client("rbin", name)))
    return RegionState(
        images=images,
        uses=uses(bulk),
        unread=(*attempt.problems, *unresolved(bulk)),
        deletions_unread=tuple(deletions.problems),
        snapshots={one.snapshot_id: one for one in snapshots},
        snapshot_uses=snapshot_uses(bulk),
        rules=rules,
        rules_unread=tuple(retention.problems),
        binned=frozenset(dict(binned)),
    )


def launches(clients: Clients, name: str, attempt: Attempts) -> BulkReads:
    """What launches instances in the clients' account and a region: all but the parameters."""
    ec2, autoscaling = clients.ec2(name), clients.client("autoscaling", name)
    attempt.problems += hidden(ec2)
    groups = attempt("DescribeAutoScalingGroups", lambda: read_launchers.groups(autoscaling))
    launchers = (
        *groups,
        *attempt("DescribeInstanceRefreshes", lambda: read_launchers.refreshes(autoscaling, groups)),
        *attempt("DescribeFleets", lambda: read_launchers.fleets(ec2)),
        *attempt("DescribeSpotFleetRequests", lambda: read_launchers.spot_fleets(ec2)),
        *attempt("DescribeSpotInstanceRequests", lambda: read_launchers.spot_requests(ec2)),
    )
    templates = attempt("DescribeLaunchTemplateVersions", lambda: template_versions(ec2))
    pins = missing_pins(launchers, templates)
    return BulkReads(
        instances=attempt("DescribeInstances", lambda: instances(ec2)),
        templates=(
            *templates,
            *attempt("DescribeLaunchTemplateVersions", lambda: pinned_versions(ec2, pins)),
        ),
        configurations=attempt(
            "DescribeLaunchConfigurations", lambda: launch_configurations(autoscaling, groups)
        ),
        launchers=launchers,
    )


def with_parameters(
    clients: Clients, name: str, attempt: Attempts, bulk: BulkReads, tombstone_path: str | None = None
) -> BulkReads:
    """The reads, with the parameters of the clients' account in the region, and those that the reads name."""
    ssm = clients.ssm(name)
    latest = attempt("DescribeParameters", lambda: parameters(ssm, tombstone_path))
    labeled = attempt("GetParameterHistory", lambda: labeled_versions(ssm, latest))
    bulk = replace(bulk, parameters=(*latest, *labeled))
    named = attempt("GetParameter", lambda: selected_parameters(ssm, selectors(bulk)))
    return replace(bulk, parameters=(*bulk.parameters, *named))


def hidden(ec2: EC2Client) -> tuple[Evidence, ...]:
    """What an older botocore cannot read: instances and launch templates that AWS services manage."""
    return tuple(
        unreadable(operation, problem, "Update botocore and boto3.")
        for operation in _WITH_MANAGED
        if (problem := hides_managed(ec2, operation))
    )


def own_images(ec2: EC2Client, region_name: str) -> tuple[OwnImage, ...]:
    """Every image that the account owns in the region, in any state."""
    pages = ec2.get_paginator("describe_images").paginate(
        Owners=["self"], IncludeDeprecated=True, IncludeDisabled=True, PaginationConfig=read.PAGE
    )
    return tuple(
        _own_image(item, region_name) for page in pages for item in required(page, "Images", "DescribeImages")
    )


def snapshot_locks(ec2: EC2Client) -> tuple[tuple[str, str], ...]:
    """Every locked snapshot of the account in the region, with the state and the end of its lock."""
    operation = "DescribeLockedSnapshots"
    return tuple(
        (required(item, "SnapshotId", operation), _lock(item))
        for page in read.pages(ec2.describe_locked_snapshots, MaxResults=read.PAGE["PageSize"])
        for item in required(page, "Snapshots", operation)
        # A lock in an unknown state is one.
        if item.get("LockState") != "expired"
    )


def archiving_snapshots(ec2: EC2Client) -> tuple[str, ...]:
    """The IDs of the account's snapshots in the region whose archival is in progress.

    Until it is complete, which takes hours, DescribeSnapshots shows them like any other (EBS User Guide,
    "Archive an Amazon EBS snapshot").
    """
    return tuple(required(item, "SnapshotId", _TIERS) for item in _tiered(ec2, [_ARCHIVING]))


def unsettled_snapshots(ec2: EC2Client, now: datetime) -> tuple[str, ...]:
    """The same, and those that are restored from the archive permanently, or were in the last 14 days.

    A restore counts from its start (botocore shape SnapshotTierStatus, LastTieringStartTime), and always if
    that is not known.
    """
    return tuple(
        required(item, "SnapshotId", _TIERS)
        for item in _tiered(ec2, [_ARCHIVING, *_RESTORES])
        if item.get("LastTieringOperationStatus") != "permanent-restore-completed"
        or now - item.get("LastTieringStartTime", now) < _RESTORED_FOR
    )


def _tiered(ec2: EC2Client, statuses: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The tiers of the account's snapshots whose last archival or restore has one of the statuses."""
    pages = ec2.get_paginator("describe_snapshot_tier_status").paginate(
        Filters=[{"Name": "last-tiering-operation", "Values": list(statuses)}], PaginationConfig=read.PAGE
    )
    return (item for page in pages for item in required(page, "SnapshotTierStatuses", _TIERS))


def own_snapshots(
    ec2: EC2Client, locks: Mapping[str, str], archiving: Collection[str]
) -> tuple[OwnSnapshot, ...]:
    """Every snapshot that the account owns in the region.

    ``locks`` are by ID (``snapshot_locks``). A snapshot of ``archiving`` (``unsettled_snapshots``) counts as
    archived.
    """
    pages = ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], PaginationConfig=read.PAGE)
    return tuple(
        _own_snapshot(item, locks, archiving)
        for page in pages
        for item in required(page, "Snapshots", "DescribeSnapshots")
    )


def _own_snapshot(
    item: Mapping[str, Any], locks: Mapping[str, str], archiving: Collection[str]
) -> OwnSnapshot:
    snapshot_id = required(item, "SnapshotId", "DescribeSnapshots")
    archive = archive_of(item)
    return OwnSnapshot(
        snapshot_id=snapshot_id,
        description=item.get("Description", ""),
        tags=tag_map(item.get("Tags", [])),
        archived=archive["archived"] or snapshot_id in archiving,
        restored_until=archive["restored_until"],
        copied="TransferType" in item or item.get("VolumeId") == _VOLUME_OF_COPIES,
        locked=locks.get(snapshot_id, ""),
        kms_key_id=item.get("KmsKeyId"),
        associated_key_arns=read.associated_key_arns(item),
    )


def archive_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a snapshot of DescribeSnapshots is archived, and until when restored, for ``OwnSnapshot``.

    The storage tier of a temporarily restored snapshot is ``standard`` (EBS User Guide, "View archived
    snapshots"); only RestoreExpiryTime shows that it is archived.
    """
    restored_until = item.get("RestoreExpiryTime")
    archived = item.get("StorageTier") == "archive" or restored_until is not None
    return {"archived": archived, "restored_until": restored_until}


def instances(ec2: EC2Client) -> tuple[Instance, ...]:
    """Every instance that is not terminated, hidden ones included where botocore can read them."""
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": "instance-state-name", "Values": LIVING_STATES}],
        PaginationConfig=read.PAGE,
    )
    operation = "DescribeInstances"
    return tuple(
        Instance(
            required(item, "InstanceId", operation),
            required(item, "ImageId", operation),
            required(required(item, "State", operation), "Name", operation),
        )
        for page in pages
        for reservation in required(page, "Reservations", operation)
        for item in required(reservation, "Instances", operation)
    )


def template_versions(ec2: EC2Client) -> tuple[TemplateVersion, ...]:
    """The latest and the default version of every launch template, hidden ones as with instances."""
    # EC2 API Reference, DescribeLaunchTemplateVersions: at most 200 versions per page.
    pages = ec2.get_paginator("describe_launch_template_versions").paginate(
        Versions=_VERSIONS, PaginationConfig={"PageSize": 200}
    )
    return tuple(version for page in pages for version in _template_versions(page))


def pinned_versions(ec2: EC2Client, pins: Sequence[Pin]) -> tuple[TemplateVersion, ...]:
    """The versions of launch templates that groups and fleets pin, as far as they exist."""
    return tuple(version for pin in pins for version in _pinned_version(ec2, pin))


def launch_configurations(autoscaling: Any, groups: Sequence[Launcher]) -> tuple[LaunchConfiguration, ...]:
    """Every launch configuration, with the Auto Scaling groups that use it."""
    used_by: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        used_by[group.configuration].append(group.name)
    return tuple(
        LaunchConfiguration(
            item["LaunchConfigurationName"],
            item.get("ImageId", ""),
            tuple(used_by.get(item["LaunchConfigurationName"], ())),
            _mapped_snapshots(item),
        )
        for page in autoscaling.get_paginator("describe_launch_configurations").paginate()
        for item in page["LaunchConfigurations"]
    )


def parameters(ssm: SSMClient, tombstone_path: str | None = None) -> tuple[Parameter, ...]:
    """Every SSM parameter that is not encrypted, with its value.

    Tombstones below the path are left out: they name images, but do not use them.
    """
    pages = ssm.get_paginator("describe_parameters").paginate(
        ParameterFilters=[{"Key": "Type", "Values": _TEXTS}], PaginationConfig={"PageSize": _PARAMETER_PAGE}
    )
    found = [
        required(item, "Name", "DescribeParameters")
        for page in pages
        for item in required(page, "Parameters", "DescribeParameters")
    ]
    names = [one for one in found if not is_tombstone_parameter(tombstone_path, one)]
    answers = (ssm.get_parameters(Names=batch) for batch in batches(names, _PARAMETER_BATCH))
    return tuple(
        Parameter(
            required(item, "Name", "GetParameters"),
            required(item, "Value", "GetParameters"),
            required(item, "Version", "GetParameters"),
            item.get("DataType", "text"),
        )
        for answer in answers
        for item in required(answer, "Parameters", "GetParameters")
    )


def labeled_versions(ssm: SSMClient, latest: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """The earlier versions with a label of the parameters that name an image, by ``NAME:LABEL``.

    EC2 launches ``resolve:ssm:NAME:LABEL`` (EC2 User Guide, "Use a Systems Manager parameter instead of an
    AMI ID"), and a rollback publishes the version with the label of its source again. A parameter that is
    deleted in the meantime has none.
    """
    found = []
    operation = "GetParameterHistory"
    for one in latest:
        if not one.may_have_labels:
            continue
        pages = ssm.get_paginator("get_parameter_history").paginate(
            Name=one.name, PaginationConfig={"PageSize": _PARAMETER_PAGE}
        )
        try:
            found += [
                Parameter(f"{one.name}:{label}", required(item, "Value", operation), version, one.data_type)
                for page in pages
                for item in required(page, "Parameters", operation)
                if (version := required(item, "Version", operation)) != one.version
                for label in item.get("Labels", ())
            ]
        except ClientError as exception:
            if not is_missing(exception):
                raise
    return tuple(found)


def selected_parameters(ssm: SSMClient, names: Sequence[str]) -> tuple[Parameter, ...]:
    """Parameters by selector: ``NAME:VERSION``, ``NAME:LABEL``, or the ARN of a shared parameter.

    A selector of an own parameter that does not exist selects an empty value. A shared parameter that is not
    found may exist: it is left out.
    """
    found = []
    for name in names:
        try:
            parameter = required(ssm.get_parameter(Name=name), "Parameter", "GetParameter")
            found.append(Parameter(name, required(parameter, "Value", "GetParameter")))
        except ClientError as exception:
            if not is_missing(exception):
                raise
            if not name.startswith("arn:"):
                found.append(Parameter(name, ""))
    return tuple(found)


def binned_images(ec2: EC2Client, after: datetime | None = None) -> tuple[tuple[str, datetime | None], ...]:
    """The images in the Recycle Bin, each with the time when it was moved there, None if AWS omits it.

    They can only be restored with their snapshots. With ``after``, those are left out that AWS deletes by
    then, and may list nevertheless.
    """
    pages = ec2.get_paginator("list_images_in_recycle_bin").paginate(PaginationConfig=read.PAGE)
    operation = "ListImagesInRecycleBin"
    return tuple(
        (required(item, "ImageId", operation), item.get("RecycleBinEnterTime"))
        for page in pages
        for item in required(page, "Images", operation)
        if after is None or stays_in_bin(item, after)
    )


def stays_in_bin(item: Mapping[str, Any], after: datetime) -> bool:
    """Return whether what AWS lists in the Recycle Bin can be restored after this time.

    EBS User Guide, "Recover deleted Amazon EBS snapshots and EBS-backed AMIs with Recycle Bin": not once its
    retention period has expired (botocore shape ImageRecycleBinInfo, RecycleBinExitTime).
    """
    exits: datetime | None = item.get("RecycleBinExitTime")
    return exits is None or exits > after


def retention_rules(rbin: Any) -> tuple[RetentionRule, ...]:
    """The region's Recycle Bin rules for images and snapshots that are in effect."""
    found = []
    for resource_type in _BINNED:
        for page in rbin.get_paginator("list_rules").paginate(ResourceType=resource_type):
            ids = (required(item, "Identifier", "ListRules") for item in required(page, "Rules", "ListRules"))
            rules = (_rule(rbin, one) for one in ids)
            # A rule without a status retains nothing that is counted on.
            found += [_retention_rule(rule) for rule in rules if rule.get("Status") == "available"]
    return tuple(found)


def _rule(rbin: Any, identifier: str) -> Mapping[str, Any]:
    """Return a rule with its tags, which ListRules lacks; empty if it was deleted since it was listed."""
    # botocore operation GetRule, errors.
    return unless_gone(lambda: rbin.get_rule(Identifier=identifier), ("ResourceNotFoundException",)) or {}


def _pinned_version(ec2: EC2Client, pin: Pin) -> Iterator[TemplateVersion]:
    request: Any = {("LaunchTemplateId" if pin.by_id else "LaunchTemplateName"): pin.template}
    try:
        answer = ec2.describe_launch_template_versions(**request, Versions=[str(pin.version)])
    except ClientError as exception:
        if not _NO_VERSION.match(code_of(exception)):
            raise
        return
    yield from _template_versions(answer)


def _own_image(item: Mapping[str, Any], region_name: str) -> OwnImage:
    base = None
    if "SourceInstanceId" in item and "SourceImageId" in item:
        base = ImageRef(item.get("SourceImageRegion", region_name), item["SourceImageId"])
    return OwnImage(
        image=read.image_of(item),
        created=parse(item.get("CreationDate", "")),
        base=base,
        last_launched=parse(item.get("LastLaunchedTime", "")),
        protection=item.get("DeregistrationProtection", "disabled"),
        alias=item.get("ImageOwnerAlias", ""),
        described=item,
    )


def _template_versions(answer: Mapping[str, Any]) -> Iterator[TemplateVersion]:
    """The versions in an answer of DescribeLaunchTemplateVersions."""
    return map(_template_version, required(answer, "LaunchTemplateVersions", _VERSIONS_OPERATION))


def _template_version(item: Mapping[str, Any]) -> TemplateVersion:
    data = required(item, "LaunchTemplateData", _VERSIONS_OPERATION)
    return TemplateVersion(
        required(item, "LaunchTemplateId", _VERSIONS_OPERATION),
        required(item, "VersionNumber", _VERSIONS_OPERATION),
        data.get("ImageId", ""),
        _mapped_snapshots(data),
        item.get("LaunchTemplateName", ""),
    )


def _mapped_snapshots(launch: Mapping[str, Any]) -> tuple[str, ...]:
    """The snapshots that a launch template or configuration creates volumes from."""
    ebs = (mapping.get("Ebs", {}) for mapping in launch.get("BlockDeviceMappings", ()))
    return tuple(one["SnapshotId"] for one in ebs if one.get("SnapshotId"))


def _retention_rule(rule: Mapping[str, Any]) -> RetentionRule:
    def tags(member: str) -> Iterable[tuple[str, str]]:
        return ((one["ResourceTagKey"], one.get("ResourceTagValue", "")) for one in rule.get(member, ()))

    return RetentionRule(
        required(rule, "ResourceType", "GetRule"),
        required(rule, "RetentionPeriod", "GetRule")["RetentionPeriodValue"],
        tuple(tags("ResourceTags")),
        tuple(tags("ExcludeResourceTags")),
    )


def _lock(item: Mapping[str, Any]) -> str:
    until: datetime | None = item.get("LockExpiresOn")
    state = str(item.get("LockState", "locked"))
    return f"{state} until {until:%Y-%m-%d}" if until else state
