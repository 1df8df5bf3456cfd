# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads from AWS, each answer turned into values of the model. Errors are botocore's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..model import PUBLIC, Device, Grant, Image, Key, Sharing, Snapshot
from ..tags import source_tag
from .errors import ClientError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, PaginatorConfigTypeDef
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sts import STSClient

# One page holds every own copy of a source that can sensibly exist; more pages are read all the same.
PAGE: PaginatorConfigTypeDef = {"PageSize": 1000}


_FILTER_VALUES = 200


@dataclass(frozen=True)
class Caller:
    """Whose credentials are used (STS GetCallerIdentity)."""

    account_id: str
    partition: str


def caller(sts: STSClient) -> Caller:
    """The account and the partition of the credentials."""
    identity = sts.get_caller_identity()
    return Caller(account_id=identity["Account"], partition=identity["Arn"].split(":")[1])


def regions(ec2: EC2Client) -> dict[str, str]:
    """All regions of the partition with their opt-in status (botocore shape ``Region``)."""
    answer = ec2.describe_regions(AllRegions=True)
    return {region["RegionName"]: region["OptInStatus"] for region in answer["Regions"]}


def image(ec2: EC2Client, image_id: str) -> Image | None:
    """The image with that id, None if it does not exist or is not visible to the caller."""
    try:
        answer = ec2.describe_images(ImageIds=[image_id], IncludeDisabled=True, IncludeDeprecated=True)
    except ClientError as exception:
        # Right after a copy that is to be expected, and then no error.
        if exception.response["Error"]["Code"] in ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"):
            return None
        raise
    return _image(answer["Images"][0]) if answer["Images"] else None


def named_images(ec2: EC2Client, image_ids: Iterable[str]) -> dict[str, Image]:
    """Those of the images that exist and that the caller sees, by id, whoever owns them."""
    values = sorted(set(image_ids))
    if not values:
        return {}
    # A filter, since one id that is not visible would make an error of all.
    pages = ec2.get_paginator("describe_images").paginate(
        Filters=[{"Name": "image-id", "Values": values}],
        IncludeDisabled=True,
        IncludeDeprecated=True,
        PaginationConfig=PAGE,
    )
    return {item["ImageId"]: _image(item) for page in pages for item in page["Images"]}


def images(ec2: EC2Client, filters: list[FilterTypeDef], owners: Sequence[str]) -> list[Image]:
    """Every image of the owners that matches, disabled and deprecated ones included.

    Never without owners: a filter alone finds strangers' look-alikes.
    """
    pages = ec2.get_paginator("describe_images").paginate(
        Filters=filters,
        Owners=list(owners),
        IncludeDisabled=True,
        IncludeDeprecated=True,
        PaginationConfig=PAGE,
    )
    return [_image(item) for page in pages for item in page["Images"]]


def copies(
    ec2: EC2Client, source_image_id: str, source_region: str, usable: Iterable[str]
) -> tuple[Image, ...]:
    """The caller's images that are copies of the source, pending and failed ones included.

    By this collection's tag; if that finds none in a state of ``usable``, also by the fields that AWS keeps,
    which images copied before 2024 lack.
    """
    mark = source_tag(source_image_id, source_region)
    own = images(ec2, [{"Name": f"tag:{key}", "Values": [value]} for key, value in mark.items()], ["self"])
    if any(item.state in usable for item in own):
        return tuple(own)
    others = copies_by_field(ec2, source_image_id, source_region)
    return tuple({item.image_id: item for item in (*own, *others)}.values())


def copies_by_field(ec2: EC2Client, source_image_id: str, source_region: str) -> tuple[Image, ...]:
    """The caller's images of which AWS itself says that they are copies of the source, whoever made them."""
    by_field: list[FilterTypeDef] = [
        {"Name": "source-image-id", "Values": [source_image_id]},
        {"Name": "source-image-region", "Values": [source_region]},
    ]
    # An image made from an instance also names the image that the instance was started from.
    return tuple(item for item in images(ec2, by_field, ["self"]) if item.source_image_id == source_image_id)


def snapshots(ec2: EC2Client, snapshot_ids: Sequence[str]) -> tuple[Snapshot, ...]:
    """Those of the snapshots that exist and are visible to the caller."""
    # A filter, since one id that is not visible would make an error of all; it takes 200 values (EC2 API
    # Reference, DescribeSnapshots).
    return tuple(
        snapshot
        for start in range(0, len(snapshot_ids), _FILTER_VALUES)
        for snapshot in _snapshots(
            ec2, [{"Name": "snapshot-id", "Values": list(snapshot_ids[start : start + _FILTER_VALUES])}]
        )
    )


def pending_snapshots(ec2: EC2Client, source_image_id: str, source_region: str) -> tuple[Snapshot, ...]:
    """The snapshots of a running copy, found by tag: a pending image may not list its own."""
    mark = source_tag(source_image_id, source_region)
    by_mark: list[FilterTypeDef] = [{"Name": f"tag:{key}", "Values": [value]} for key, value in mark.items()]
    return _snapshots(ec2, [*by_mark, {"Name": "status", "Values": ["pending"]}], OwnerIds=["self"])


def launch_permissions(ec2: EC2Client, image_id: str) -> Sharing:
    """Who may launch the image; AWS tells its owner only."""
    answer = ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")
    return _sharing(answer.get("LaunchPermissions", []))


def volume_permissions(ec2: EC2Client, snapshot_id: str) -> Sharing:
    """Who may create volumes from the snapshot; AWS tells its owner only."""
    answer = ec2.describe_snapshot_attribute(SnapshotId=snapshot_id, Attribute="createVolumePermission")
    return _sharing(answer.get("CreateVolumePermissions", []))


def key(kms: KMSClient, key_id: str) -> Key:
    """The key that an id, ARN or alias names in the client's region."""
    metadata = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    return Key(
        arn=metadata["Arn"],
        state=metadata["KeyState"],
        spec=metadata["KeySpec"],
        usage=metadata["KeyUsage"],
        aws_managed=metadata["KeyManager"] == "AWS",
    )


def may_describe_key(kms: KMSClient, key_arn: str) -> bool:
    """Whether the caller may look at a key of some account, by its ARN."""
    try:
        kms.describe_key(KeyId=key_arn)
    except ClientError as exception:
        # KMS API Reference, DescribeKey: what the caller may not see can also be said not to exist.
        if exception.response["Error"]["Code"] in ("AccessDeniedException", "NotFoundException"):
            return False
        raise
    return True


def grants(kms: KMSClient, key_arn: str) -> tuple[Grant, ...]:
    """Every grant on a key; AWS tells its owner only."""
    # KMS API Reference, ListGrants: at most 100 a page.
    pages = kms.get_paginator("list_grants").paginate(KeyId=key_arn, PaginationConfig={"PageSize": 100})
    return tuple(
        Grant(
            grant_id=item["GrantId"],
            grantee=item["GranteePrincipal"],
            operations=frozenset(item["Operations"]),
            name=item.get("Name", ""),
            constrained=bool(item.get("Constraints")),
        )
        for page in pages
        for item in page["Grants"]
    )


def key_policy(kms: KMSClient, key_arn: str) -> str:
    """The text of a key's policy; AWS tells only within the key's account."""
    return kms.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]


def encryption_by_default(ec2: EC2Client) -> bool:
    """Whether the account encrypts every new volume and snapshot in this region, asked for or not."""
    return ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]


def default_key_id(ec2: EC2Client) -> str:
    """The key that EBS uses in this region where none is named: an alias, id or ARN."""
    return ec2.get_ebs_default_kms_key_id()["KmsKeyId"]


def image_block_state(ec2: EC2Client) -> str:
    """The account's block public access for AMIs in this region; ``unblocked`` is off."""
    return str(ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"])


def snapshot_block_state(ec2: EC2Client) -> str:
    """The account's block public access for snapshots in this region; ``unblocked`` is off."""
    return str(ec2.get_snapshot_block_public_access_state()["State"])


def _snapshots(ec2: EC2Client, filters: list[FilterTypeDef], **request: Any) -> tuple[Snapshot, ...]:
    pages = ec2.get_paginator("describe_snapshots").paginate(
        **request, Filters=filters, PaginationConfig=PAGE
    )
    return tuple(_snapshot(item) for page in pages for item in page["Snapshots"])


def image_of(item: Mapping[str, Any]) -> Image:
    """An image as DescribeImages lists it (botocore shape ``Image``)."""
    return _image(item)


def _image(item: Mapping[str, Any]) -> Image:
    from_instance = "SourceInstanceId" in item
    return Image(
        image_id=item["ImageId"],
        name=item.get("Name", ""),
        owner_id=item["OwnerId"],
        state=item["State"],
        devices=tuple(
            Device(
                name=mapping["DeviceName"],
                snapshot_id=mapping["Ebs"].get("SnapshotId"),
                encrypted=mapping["Ebs"].get("Encrypted", False),
            )
            for mapping in item.get("BlockDeviceMappings", [])
            if "Ebs" in mapping
        ),
        description=item.get("Description", ""),
        tags=_tags(item),
        state_reason=item.get("StateReason", {}).get("Message"),
        creation_date=item.get("CreationDate", ""),
        source_image_id=None if from_instance else item.get("SourceImageId"),
        source_region=None if from_instance else item.get("SourceImageRegion"),
        product_codes=tuple(code["ProductCodeId"] for code in item.get("ProductCodes", [])),
        architecture=item.get("Architecture", ""),
        deprecation_time=item.get("DeprecationTime"),
        allowed=item.get("ImageAllowed"),
    )


def _snapshot(item: Mapping[str, Any]) -> Snapshot:
    progress = item.get("Progress", "").rstrip("%")
    return Snapshot(
        snapshot_id=item["SnapshotId"],
        state=item["State"],
        percent=int(progress) if progress.isdigit() else 0,
        kms_key_id=item.get("KmsKeyId"),
        tags=_tags(item),
    )


def _tags(item: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])}


def _sharing(permissions: Iterable[Mapping[str, Any]]) -> Sharing:
    listed = list(permissions)

    def values(key: str) -> frozenset[str]:
        return frozenset(permission[key] for permission in listed if key in permission)

    return Sharing(
        account_ids=values("UserId"),
        org_arns=values("OrganizationArn"),
        org_unit_arns=values("OrganizationalUnitArn"),
        public=PUBLIC in values("Group"),
    )
