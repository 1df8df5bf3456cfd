# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read values of the model from AWS. Errors are botocore's."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _arns as arns
from .._denial import UNSETTLED
from .._fanout import GRACE_PERIOD
from .._model import (
    UNREAD_GRANTEE,
    Device,
    Grant,
    Image,
    Key,
    PublicAccessBlock,
    ScanResults,
    Sharing,
    Snapshot,
    Watermark,
)
from .._plan import batches
from .._structure import as_list
from .._tags import source_tag, tag_map
from .answers import require_member, unless_gone
from .attempts import repeat_until
from .errors import AWS_ERRORS, ClientError, IncompleteAnswer, code_of

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, PaginatorConfigTypeDef
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sts import STSClient

IMAGE_PERMISSIONS, SNAPSHOT_PERMISSIONS = "DescribeImageAttribute", "DescribeSnapshotAttribute"
# One page is enough for all copies of a source in practice; further pages are read too.
PAGE: PaginatorConfigTypeDef = {"PageSize": 1000}
# EC2 API Reference, DescribeImages and DescribeSnapshots: the values of one filter.
FILTER_VALUES = 200
# Seconds for which EC2 is given to return an available image as available. It states no bound (EC2 Developer
# Guide, "Eventual consistency").
SETTLING_TIMEOUT = 30.0
# Seconds that an optional item whose work waits for that gets longer than all others
# (``fanout.map_parallel``).
SETTLING_GRACE_PERIOD = SETTLING_TIMEOUT + GRACE_PERIOD
SETTLING_INTERVAL = 2.0
# Seconds for which permissions are read again where "not found" most likely means "deleted since it was
# listed": long enough for a passing answer, short enough for hundreds.
_PROBABLY_GONE_TIMEOUT = 4.0
# EC2 Developer Guide, "Error codes for the Amazon EC2 API".
_NOT_FOUND = frozenset({"InvalidAMIID.NotFound", "InvalidSnapshot.NotFound"})

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Caller:
    """Account and partition of the credentials (STS GetCallerIdentity).

    ``arn`` is that of the user, or of the session of a role.
    """

    account_id: str
    partition: str
    arn: str = field(default="", compare=False)


def caller(sts: STSClient) -> Caller:
    """Return the account and the partition of the credentials."""
    identity = sts.get_caller_identity()
    arn = require_member(identity, "Arn", "GetCallerIdentity")
    return Caller(
        account_id=require_member(identity, "Account", "GetCallerIdentity"),
        partition=arns.parse(arn).partition,
        arn=arn,
    )


def regions(ec2: EC2Client) -> dict[str, str]:
    """Return all regions of the partition with their opt-in status (botocore shape ``Region``)."""
    answer = ec2.describe_regions(AllRegions=True)
    return {
        require_member(region, "RegionName", "DescribeRegions"): require_member(
            region, "OptInStatus", "DescribeRegions"
        )
        for region in require_member(answer, "Regions", "DescribeRegions")
    }


def pages(method: Callable[..., Any], **request: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every page of an operation with ``NextToken`` that botocore has no paginator for."""
    token: dict[str, str] = {}
    while True:
        page = method(**request, **token)
        yield page
        following = page.get("NextToken")
        if not following:
            return
        token = {"NextToken": following}


def image(ec2: EC2Client, image_id: str) -> Image | None:
    """Return the image with that ID, None if it does not exist or is not visible to the caller."""
    try:
        answer = ec2.describe_images(ImageIds=[image_id], IncludeDisabled=True, IncludeDeprecated=True)
    except ClientError as exception:
        # Expected right after a copy, so not an error.
        if code_of(exception) in UNSETTLED:
            return None
        raise
    items = _images(answer)
    return image_of(items[0]) if items else None


def settled_image(ec2: EC2Client, image_id: str) -> Image | None:
    """Return the image with that ID. Read it again for a while if it is pending or not found.

    After it has returned an image as available, EC2 may return it as pending, or not at all
    (hashicorp/packer#2659, #3377).
    """
    return _read_until(ec2, image_id, lambda image: image is not None and image.state != "pending")


def visible_image(ec2: EC2Client, image_id: str) -> Image | None:
    """Return the image with that ID, in any state. Read it again for a while if it is not found.

    A copy may not be visible for seconds after CopyImage has returned its ID (EC2 Developer Guide, "Eventual
    consistency in the Amazon EC2 API").
    """
    return _read_until(ec2, image_id, lambda image: image is not None)


def _read_until(ec2: EC2Client, image_id: str, is_enough: Callable[[Image | None], bool]) -> Image | None:
    return repeat_until(lambda: image(ec2, image_id), is_enough, SETTLING_TIMEOUT, SETTLING_INTERVAL)


def named_images(ec2: EC2Client, image_ids: Iterable[str]) -> dict[str, Image]:
    """Return the images that exist and are visible to the caller, of any owner, by ID."""
    paginator = ec2.get_paginator("describe_images")
    # A filter, because one ID in ImageIds that is not visible fails the whole request.
    images_read = (
        image_of(item)
        for batch in batches(sorted(set(image_ids)), FILTER_VALUES)
        for page in paginator.paginate(
            Filters=[{"Name": "image-id", "Values": list(batch)}],
            IncludeDisabled=True,
            IncludeDeprecated=True,
            PaginationConfig=PAGE,
        )
        for item in _images(page)
    )
    return {image.image_id: image for image in images_read}


def images(ec2: EC2Client, filters: list[FilterTypeDef], owners: Sequence[str]) -> list[Image]:
    """Return the images of the owners that match the filters, including disabled and deprecated ones.

    ``owners`` is required, because a filter alone also matches images of strangers.
    """
    pages = ec2.get_paginator("describe_images").paginate(
        Filters=filters,
        Owners=list(owners),
        IncludeDisabled=True,
        IncludeDeprecated=True,
        PaginationConfig=PAGE,
    )
    return [image_of(item) for page in pages for item in _images(page)]


def copies(
    ec2: EC2Client, source_image_id: str, source_region: str, usable: Iterable[str]
) -> tuple[Image, ...]:
    """Return the caller's images that are copies of the source, including pending and failed ones.

    Found by this collection's tag. If none of these is in a state of ``usable``, also by the source fields
    that AWS sets, which images copied before 2024 do not have.
    """
    tag = source_tag(source_image_id, source_region)
    own = images(ec2, [{"Name": f"tag:{key}", "Values": [value]} for key, value in tag.items()], ["self"])
    if any(item.state in usable for item in own):
        return tuple(own)
    others = copies_by_field(ec2, source_image_id, source_region)
    return tuple({item.image_id: item for item in (*own, *others)}.values())


def copies_by_field(ec2: EC2Client, source_image_id: str, source_region: str) -> tuple[Image, ...]:
    """Return the caller's images whose source fields name the source. Copies by any tool have them."""
    by_field: list[FilterTypeDef] = [
        {"Name": "source-image-id", "Values": [source_image_id]},
        {"Name": "source-image-region", "Values": [source_region]},
    ]
    # The source fields of an image created from an instance name the image of the instance.
    return tuple(item for item in images(ec2, by_field, ["self"]) if item.source_image_id == source_image_id)


def snapshots(ec2: EC2Client, snapshot_ids: Sequence[str], **scope: Any) -> tuple[Snapshot, ...]:
    """Return the snapshots that exist in ``scope``, by default among the caller's own.

    A filter alone searches all public snapshots of the region (botocore shape ``DescribeSnapshotsRequest``).
    """
    # A filter, because one ID in SnapshotIds that is not visible fails the whole request.
    return tuple(
        snapshot
        for batch in batches(snapshot_ids, FILTER_VALUES)
        for snapshot in _snapshots(
            ec2, [{"Name": "snapshot-id", "Values": list(batch)}], **(scope or {"OwnerIds": ["self"]})
        )
    )


def snapshots_shared_with(ec2: EC2Client, snapshot_ids: Sequence[str]) -> tuple[Snapshot, ...]:
    """Return the snapshots that the caller owns or that name its account in createVolumePermission.

    Public snapshots, which are never encrypted, are not included.
    """
    return snapshots(ec2, snapshot_ids, RestorableByUserIds=["self"])


def visible_snapshots(ec2: EC2Client, snapshot_ids: Sequence[str]) -> tuple[Snapshot, ...]:
    """Return the few snapshots that are visible to the caller, of any owner, public ones included."""
    if not snapshot_ids:
        return ()
    try:
        answer = ec2.describe_snapshots(SnapshotIds=list(snapshot_ids))
    except ClientError as exception:
        # By its documentation (operation DescribeSnapshots) AWS omits those that are not visible, in fact it
        # refuses the whole request.
        if code_of(exception) != "InvalidSnapshot.NotFound":
            raise
        if len(snapshot_ids) == 1:
            return ()
        middle = len(snapshot_ids) // 2
        return tuple(
            snapshot
            for part in (snapshot_ids[:middle], snapshot_ids[middle:])
            for snapshot in visible_snapshots(ec2, part)
        )
    return tuple(_snapshot(item) for item in require_member(answer, "Snapshots", "DescribeSnapshots"))


def pending_snapshots(ec2: EC2Client, source_image_id: str, source_region: str) -> tuple[Snapshot, ...]:
    """Return the snapshots of a running copy, by tag: a pending image may not list its snapshots."""
    tag = source_tag(source_image_id, source_region)
    by_tag: list[FilterTypeDef] = [{"Name": f"tag:{key}", "Values": [value]} for key, value in tag.items()]
    return _snapshots(ec2, [*by_tag, {"Name": "status", "Values": ["pending"]}], OwnerIds=["self"])


def permissions(ec2: EC2Client, operation: str, resource_id: str, gone: Collection[str] = ()) -> Sharing:
    """Return the permissions of an image or a snapshot, by the operation; none for a code of ``gone``."""
    reader = launch_permissions if operation == IMAGE_PERMISSIONS else volume_permissions
    seconds = _PROBABLY_GONE_TIMEOUT if gone else None
    return unless_gone(lambda: reader(ec2, resource_id, seconds), gone) or Sharing()


def launch_permissions(ec2: EC2Client, image_id: str, seconds: float | None = None) -> Sharing:
    """Return the launch permissions of an image. Only its owner can read them.

    ``_read_until_found`` waits for a new image.
    """
    answer = _read_until_found(
        lambda: ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission"), seconds
    )
    return Sharing.of_entries(require_member(answer, "LaunchPermissions", "DescribeImageAttribute"))


def volume_permissions(ec2: EC2Client, snapshot_id: str, seconds: float | None = None) -> Sharing:
    """Return the create volume permissions of a snapshot. Only its owner can read them.

    ``_read_until_found`` waits for a new snapshot.
    """
    answer = _read_until_found(
        lambda: ec2.describe_snapshot_attribute(SnapshotId=snapshot_id, Attribute="createVolumePermission"),
        seconds,
    )
    return Sharing.of_entries(require_member(answer, "CreateVolumePermissions", "DescribeSnapshotAttribute"))


def _read_until_found(request: Callable[[], Answer], seconds: float | None) -> Answer:
    """Return the answer of a read. Ask again for a while if the image or the snapshot is not found.

    Right after one call has returned a new one, the next may not find it (EC2 Developer Guide, "Eventual
    consistency in the Amazon EC2 API").
    """

    def call() -> tuple[list[Answer], ClientError | None]:
        try:
            return [request()], None
        except ClientError as exception:
            if code_of(exception) not in _NOT_FOUND:
                raise
            return [], exception

    timeout = SETTLING_TIMEOUT if seconds is None else seconds
    answers, not_found = repeat_until(call, lambda called: bool(called[0]), timeout, SETTLING_INTERVAL)
    if not_found is not None:
        raise not_found
    return answers[0]


def may_be_gone(exception: Exception) -> bool:
    """Whether AWS may refuse the read because an image was deregistered since it was listed."""
    return isinstance(exception, ClientError) and code_of(exception) in UNSETTLED


def is_gone(ec2: EC2Client, image_id: str, exception: Exception) -> bool:
    """Whether AWS refused the read of an own image, and DescribeImages does not return it either.

    Right after the deregistration, DescribeImages may return it as deregistered. False if it cannot be read.
    """
    if not may_be_gone(exception):
        return False
    try:
        own = images(ec2, [{"Name": "image-id", "Values": [image_id]}], ["self"])
    except AWS_ERRORS:
        return False
    return all(item.state == "deregistered" for item in own)


def key(kms: KMSClient, key_id: str) -> Key:
    """Return the key with that ID, ARN or alias in the client's region."""
    metadata = require_member(kms.describe_key(KeyId=key_id), "KeyMetadata", "DescribeKey")
    # botocore shape KeyMetadata requires KeyId only. Without one of these, the key's use cannot be judged.
    return Key(
        arn=require_member(metadata, "Arn", "DescribeKey"),
        state=require_member(metadata, "KeyState", "DescribeKey"),
        # Some examples of DescribeKey in the KMS API Reference lack KeySpec; its old name is the other one.
        spec=metadata.get("KeySpec") or require_member(metadata, "CustomerMasterKeySpec", "DescribeKey"),
        usage=require_member(metadata, "KeyUsage", "DescribeKey"),
        aws_managed=require_member(metadata, "KeyManager", "DescribeKey") == "AWS",
    )


def may_describe_key(kms: KMSClient, key_arn: str) -> bool:
    """Whether the caller may call DescribeKey on a key of any account."""
    try:
        kms.describe_key(KeyId=key_arn)
    except ClientError as exception:
        # KMS may return NotFoundException without permission to the key (KMS API Reference, DescribeKey).
        if code_of(exception) in ("AccessDeniedException", "NotFoundException"):
            return False
        raise
    return True


def is_grant_listed(kms: KMSClient, key_arn: str, grant_id: str) -> bool:
    """Whether AWS lists a grant. Does not read the key's other grants, maybe thousands."""
    # botocore shape ListGrantsRequest, GrantId: only this one.
    listed = require_member(kms.list_grants(KeyId=key_arn, GrantId=grant_id), "Grants", "ListGrants")
    return any(item.get("GrantId") == grant_id for item in listed)


def grants(kms: KMSClient, key_arn: str) -> tuple[Grant, ...]:
    """Return all grants on a key. The policy of another account's key must allow it (KMS API Reference)."""
    # KMS API Reference, ListGrants: at most 100 a page.
    pages = kms.get_paginator("list_grants").paginate(KeyId=key_arn, PaginationConfig={"PageSize": 100})
    return tuple(
        Grant(
            grant_id=require_member(item, "GrantId", "ListGrants"),
            # botocore shape GrantListEntry: a grant to a service has GranteeServicePrincipal instead, which
            # botocore 1.41 does not know.
            grantee=item.get("GranteeServicePrincipal") or item.get("GranteePrincipal", UNREAD_GRANTEE),
            operations=frozenset(require_member(item, "Operations", "ListGrants")),
            name=item.get("Name", ""),
            constrained=bool(item.get("Constraints")),
            source_arn=item.get("Constraints", {}).get("SourceArn"),
            created=item.get("CreationDate"),
            issuer=item.get("IssuingAccount"),
        )
        for page in pages
        for item in require_member(page, "Grants", "ListGrants")
    )


def key_policy(kms: KMSClient, key_arn: str) -> str:
    """Return the text of a key's policy. Only the account that owns the key can read it."""
    return _policy_named(kms, key_arn, "default")


def key_policies(kms: KMSClient, key_arn: str) -> str:
    """Return the text of a policy with the statements of both policies that a key can have.

    AWS RAM manages the second one, ``AWS_RAM``, for a key that is shared through it (botocore operation
    GetKeyPolicy): it gives access, and cannot be changed with PutKeyPolicy.
    """
    default = key_policy(kms, key_arn)
    try:
        by_ram = _policy_named(kms, key_arn, "AWS_RAM")
    except ClientError as exception:
        # ValidationException where KMS does not know this name, so that there is no such policy.
        if code_of(exception) not in ("NotFoundException", "ValidationException"):
            raise
        return default
    policy, other = json.loads(default), json.loads(by_ram)
    statements = [*as_list(policy["Statement"]), *as_list(other["Statement"])]
    return json.dumps({**policy, "Statement": statements})


def _policy_named(kms: KMSClient, key_arn: str, name: str) -> str:
    """Return the text of a policy of a key.

    One without statements says nothing of who can use the key, and counts as a failed read.
    """
    answer = kms.get_key_policy(KeyId=key_arn, PolicyName=name)
    policy = str(require_member(answer, "Policy", "GetKeyPolicy"))
    if not _has_statements(policy):
        raise IncompleteAnswer("GetKeyPolicy", "Policy.Statement")
    return policy


def _has_statements(policy: str) -> bool:
    """Whether a policy has the form of one: a document with a statement, or a list of them."""
    try:
        document = json.loads(policy)
    except ValueError:
        return False
    if not isinstance(document, Mapping):
        return False
    return all(isinstance(item, Mapping) for item in as_list(document.get("Statement")))


def volumes_by_key(ec2: EC2Client) -> dict[str, tuple[str, ...]]:
    """Return the encrypted volumes of the caller's account in this region, by the ARN of their key.

    There is no filter by key (EC2 API Reference, DescribeVolumes).
    """
    pages = ec2.get_paginator("describe_volumes").paginate(
        Filters=[{"Name": "encrypted", "Values": ["true"]}], PaginationConfig=PAGE
    )
    return _by_key(
        (
            (require_member(item, "KmsKeyId", "DescribeVolumes"),),
            require_member(item, "VolumeId", "DescribeVolumes"),
        )
        for page in pages
        for item in require_member(page, "Volumes", "DescribeVolumes")
    )


def snapshots_by_key(ec2: EC2Client) -> dict[str, tuple[str, ...]]:
    """Return the encrypted snapshots of the caller's account in this region, by the ARNs of their keys.

    A snapshot is under the key that encrypts it, and under those that are associated with it.
    """
    pages = ec2.get_paginator("describe_snapshots").paginate(
        OwnerIds=["self"], Filters=[{"Name": "encrypted", "Values": ["true"]}], PaginationConfig=PAGE
    )
    operation = "DescribeSnapshots"
    return _by_key(
        (
            (require_member(item, "KmsKeyId", operation), *associated_key_arns(item)),
            require_member(item, "SnapshotId", operation),
        )
        for page in pages
        for item in require_member(page, "Snapshots", operation)
    )


def _by_key(resources: Iterable[tuple[Iterable[str], str]]) -> dict[str, tuple[str, ...]]:
    """Return the resources by each of their keys."""
    by_key: dict[str, list[str]] = {}
    for key_arns, resource_id in resources:
        for key_arn in key_arns:
            by_key.setdefault(key_arn, []).append(resource_id)
    return {key_arn: tuple(ids) for key_arn, ids in by_key.items()}


def binned_snapshot_ids(ec2: EC2Client) -> tuple[str, ...]:
    """Return the IDs of the snapshots in the Recycle Bin of the caller's account in this region."""
    operation = "ListSnapshotsInRecycleBin"
    return tuple(
        require_member(item, "SnapshotId", operation)
        for page in ec2.get_paginator("list_snapshots_in_recycle_bin").paginate(PaginationConfig=PAGE)
        for item in require_member(page, "Snapshots", operation)
    )


def binned_volume_ids(ec2: EC2Client) -> tuple[str, ...]:
    """Return the IDs of the volumes in the Recycle Bin of the caller's account in this region."""
    operation = "ListVolumesInRecycleBin"
    # botocore shape ListVolumesInRecycleBinRequest: at most 500 a page.
    return tuple(
        require_member(item, "VolumeId", operation)
        for page in pages(ec2.list_volumes_in_recycle_bin, MaxResults=500)
        for item in require_member(page, "Volumes", operation)
    )


def snapshots_restorable_by(ec2: EC2Client, account_ids: Iterable[str]) -> tuple[Snapshot, ...]:
    """Return the caller's encrypted snapshots that are shared with one of these accounts.

    (botocore operation DescribeSnapshots: account IDs of restorable users, if the caller owns the snapshots.)
    """
    encrypted: list[FilterTypeDef] = [{"Name": "encrypted", "Values": ["true"]}]
    return tuple(
        snapshot
        for batch in batches(sorted(account_ids), FILTER_VALUES)
        for snapshot in _snapshots(ec2, encrypted, OwnerIds=["self"], RestorableByUserIds=list(batch))
    )


def encryption_by_default(ec2: EC2Client) -> bool:
    """Whether EBS encryption by default is on in this region."""
    answer = ec2.get_ebs_encryption_by_default()
    return bool(require_member(answer, "EbsEncryptionByDefault", "GetEbsEncryptionByDefault"))


def default_key_id(ec2: EC2Client) -> str:
    """Return the default KMS key of EBS in this region: an alias, ID or ARN."""
    return str(require_member(ec2.get_ebs_default_kms_key_id(), "KmsKeyId", "GetEbsDefaultKmsKeyId"))


def image_block(ec2: EC2Client) -> PublicAccessBlock:
    """Read block public access for AMIs in this region."""
    answer = ec2.get_image_block_public_access_state()
    state = require_member(answer, "ImageBlockPublicAccessState", "GetImageBlockPublicAccessState")
    return PublicAccessBlock(str(state), answer.get("ManagedBy"))


def snapshot_block(ec2: EC2Client) -> PublicAccessBlock:
    """Read block public access for snapshots in this region."""
    answer = ec2.get_snapshot_block_public_access_state()
    state = require_member(answer, "State", "GetSnapshotBlockPublicAccessState")
    return PublicAccessBlock(str(state), answer.get("ManagedBy"))


def _snapshots(ec2: EC2Client, filters: list[FilterTypeDef], **request: Any) -> tuple[Snapshot, ...]:
    pages = ec2.get_paginator("describe_snapshots").paginate(
        **request, Filters=filters, PaginationConfig=PAGE
    )
    return tuple(
        _snapshot(item) for page in pages for item in require_member(page, "Snapshots", "DescribeSnapshots")
    )


def _images(answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the items in an answer of DescribeImages."""
    items: Sequence[Mapping[str, Any]] = require_member(answer, "Images", "DescribeImages")
    return items


def image_of(item: Mapping[str, Any]) -> Image:
    """Return the image in an item of DescribeImages (botocore shape ``Image``)."""
    from_instance = "SourceInstanceId" in item
    return Image(
        image_id=require_member(item, "ImageId", "DescribeImages"),
        name=item.get("Name", ""),
        owner_id=require_member(item, "OwnerId", "DescribeImages"),
        state=require_member(item, "State", "DescribeImages"),
        devices=tuple(
            Device(
                name=require_member(mapping, "DeviceName", "DescribeImages"),
                snapshot_id=mapping["Ebs"].get("SnapshotId"),
                encrypted=mapping["Ebs"].get("Encrypted", False),
                size_gib=mapping["Ebs"].get("VolumeSize"),
            )
            for mapping in item.get("BlockDeviceMappings", [])
            if "Ebs" in mapping
        ),
        description=item.get("Description", ""),
        tags=tag_map(item.get("Tags", [])),
        state_reason=item.get("StateReason", {}).get("Message"),
        creation_date=item.get("CreationDate", ""),
        source_image_id=None if from_instance else item.get("SourceImageId"),
        source_region=None if from_instance else item.get("SourceImageRegion"),
        product_codes=tuple(
            require_member(code, "ProductCodeId", "DescribeImages") for code in item.get("ProductCodes", [])
        ),
        architecture=item.get("Architecture", ""),
        platform=item.get("PlatformDetails", ""),
        # botocore shape Image, Platform: blank for all others; the enum has Windows, EC2 returns windows.
        is_windows=item.get("Platform", "").lower() == "windows",
        deprecation_time=item.get("DeprecationTime"),
        allowed=item.get("ImageAllowed"),
        root_device=item.get("RootDeviceName", ""),
        root_device_type=item.get("RootDeviceType", ""),
        ena_support=item.get("EnaSupport"),
        supported_types=_types(item, "SupportedInstanceTypes"),
        unsupported_types=_types(item, "UnsupportedInstanceTypes"),
        watermarks=watermarks_of(item),
        scan=_scan_results(item["ScanResults"]) if item.get("ScanResults") else None,
        boot_mode=item.get("BootMode", ""),
        tpm_support=item.get("TpmSupport", ""),
        imds_support=item.get("ImdsSupport", ""),
        virtualization=item.get("VirtualizationType", ""),
    )


def watermarks_of(item: Mapping[str, Any]) -> tuple[Watermark, ...]:
    """Return the watermarks in an item with ``ImageWatermarks`` (botocore shape ``ImageWatermark``)."""
    return tuple(
        Watermark(
            key=watermark.get("WatermarkKey", ""),
            source_region=watermark.get("SourceImageRegion", ""),
            source_created=watermark.get("SourceImageCreationTime"),
            created=watermark.get("WatermarkCreationTime"),
            source_image_id=watermark.get("SourceImageId", ""),
        )
        for watermark in item.get("ImageWatermarks", ())
    )


def _scan_results(item: Mapping[str, Any]) -> ScanResults:
    """Return the results of a scan (botocore shape ``ScanResults``)."""
    # Of members such as HighFixAvailableSince.
    suffix = "FixAvailableSince"
    return ScanResults(
        scanned=item.get("FindingScanDate"),
        highest_severity=item.get("HighestFindingSeverityLabel"),
        fixes_since={name.removesuffix(suffix): at for name, at in item.items() if name.endswith(suffix)},
    )


def _types(item: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the names and patterns of instance types in an image's specification."""
    entries = item.get("InstanceTypeSpecification", {}).get(key, [])
    return tuple(entry["InstanceType"] for entry in entries if "InstanceType" in entry)


def _snapshot(item: Mapping[str, Any]) -> Snapshot:
    progress = item.get("Progress", "").rstrip("%")
    return Snapshot(
        snapshot_id=require_member(item, "SnapshotId", "DescribeSnapshots"),
        state=require_member(item, "State", "DescribeSnapshots"),
        percent=int(progress) if progress.isdigit() else 0,
        kms_key_id=item.get("KmsKeyId"),
        tags=tag_map(item.get("Tags", [])),
        associated_key_arns=associated_key_arns(item),
        completed=item.get("CompletionTime"),
    )


def associated_key_arns(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the additional keys in an item of DescribeSnapshots. Each of them gives access by itself."""
    return tuple(key["KmsKeyId"] for key in item.get("AssociatedKmsKeys", ()) if "KmsKeyId" in key)
