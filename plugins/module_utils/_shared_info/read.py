# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the images that other accounts share, and tests the access to their keys by dry runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .._aws import dry_run as dry_runs
from .._aws import read
from .._aws.answers import require_member
from .._aws.errors import AWS_ERRORS, ClientError, ParamValidationError, code_of, failure, message_of
from .._model import ENABLED_STATES
from .._plan import batches
from .._tags import tag_map
from .options import SharedInfoOptions
from .state import OwnKeyAccess, RegionKeys, SharedImage

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef
    from mypy_boto3_kms import KMSClient

# The errors of a denied call. KMS does not reveal whether a key exists that the caller cannot describe (KMS
# API Reference, DescribeKey).
_DENIED = ("AccessDeniedException", "NotFoundException")
_OLD_BOTOCORE = "This botocore does not support dry runs of KMS operations: update botocore and boto3."


def read_images(ec2: EC2Client, options: SharedInfoOptions) -> tuple[SharedImage, ...]:
    """Return every image in the region that matches and that the caller may launch, its own included.

    Image IDs are passed as a filter: with ImageIds, one ID of another region would fail the whole call.
    """
    owners: dict[str, Any] = {"Owners": list(options.owners)} if options.owners else {}
    by_id: dict[str, SharedImage] = {}
    for filters in _filters(options):
        pages = ec2.get_paginator("describe_images").paginate(
            ExecutableUsers=list(options.executable_users),
            Filters=filters,
            IncludeDeprecated=options.include_deprecated,
            PaginationConfig=read.PAGE,
            **owners,
        )
        images = [_image(item) for page in pages for item in require_member(page, "Images", "DescribeImages")]
        by_id.update({image.image_id: image for image in images})
    return tuple(by_id.values())


def read_keys(ec2: EC2Client, kms: KMSClient, snapshot_ids: Iterable[str], account: str) -> RegionKeys:
    """Return the keys of the snapshots that are shared with the caller, and the access to each key.

    ``account`` is the ARN of the caller's account. The key of a snapshot that is not shared cannot be read.
    """
    snapshots = read.snapshots_shared_with(ec2, sorted(set(snapshot_ids)))
    of_snapshot = {item.snapshot_id: item.kms_key_id for item in snapshots if item.kms_key_id}
    return RegionKeys(
        of_snapshot,
        {arn: _test_access(kms, arn, account) for arn in sorted(set(of_snapshot.values()))},
        undecided={item.snapshot_id: item for item in snapshots if item.associated_key_arns},
    )


def _filters(options: SharedInfoOptions) -> Iterator[list[FilterTypeDef]]:
    filters: list[FilterTypeDef] = [
        {"Name": name, "Values": list(values)} for name, values in sorted(options.filters.items())
    ]
    if not options.image_ids:
        yield filters
    for batch in batches(options.image_ids, read.FILTER_VALUES):
        yield [*filters, {"Name": "image-id", "Values": list(batch)}]


def _image(item: Mapping[str, Any]) -> SharedImage:
    volumes = [mapping["Ebs"] for mapping in item.get("BlockDeviceMappings", []) if "Ebs" in mapping]
    encrypted = [volume for volume in volumes if volume.get("Encrypted")]
    # A volume that is created empty needs no key of the image's; a pending image may not list its snapshots.
    pending = item.get("State") == "pending"
    return SharedImage(
        image_id=require_member(item, "ImageId", "DescribeImages"),
        owner_id=require_member(item, "OwnerId", "DescribeImages"),
        name=item.get("Name", ""),
        owner_alias=item.get("ImageOwnerAlias"),
        state=require_member(item, "State", "DescribeImages"),
        description=item.get("Description", ""),
        architecture=item.get("Architecture", ""),
        platform=item.get("PlatformDetails"),
        creation_date=item.get("CreationDate"),
        deprecation_time=item.get("DeprecationTime"),
        public=item.get("Public", False),
        encrypted=any(pending or volume.get("SnapshotId") for volume in encrypted),
        snapshot_ids=_snapshot_ids(volumes),
        encrypted_snapshots=_snapshot_ids(encrypted),
        product_codes=tuple(
            require_member(code, "ProductCodeId", "DescribeImages") for code in item.get("ProductCodes", [])
        ),
        tags=tag_map(item.get("Tags", [])),
    )


def _snapshot_ids(volumes: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(volume["SnapshotId"] for volume in volumes if volume.get("SnapshotId")))


def _test_access(kms: KMSClient, arn: str, account: str) -> OwnKeyAccess:
    """Return what the caller can do with a key, by dry runs, which change nothing and do not use the key."""
    denied: dict[str, str] = {}
    state = None
    try:
        state = _state(kms, arn, denied)
        if state is not None and state not in ENABLED_STATES:
            return OwnKeyAccess(state)
        for name, request in dry_runs.requests(kms, arn, account).items():
            if (message := _denial(request)) is not None:
                denied[name] = message
    except ParamValidationError:
        return OwnKeyAccess(problem=_OLD_BOTOCORE)
    except ClientError as exception:
        error = f"{code_of(exception)}: {message_of(exception)}"
        if code_of(exception) in dry_runs.NOT_ENABLED:
            # Also where DescribeKey, which returns the state, is denied.
            return OwnKeyAccess(state, denied, unusable=error)
        return OwnKeyAccess(problem=error)
    except AWS_ERRORS as exception:
        return OwnKeyAccess(problem=failure(exception, None, "DescribeKey").message)
    return OwnKeyAccess(state, denied)


def _state(kms: KMSClient, arn: str, denied: dict[str, str]) -> str | None:
    """Return the key's state; None if DescribeKey is denied, which is added to ``denied``."""
    try:
        key = require_member(kms.describe_key(KeyId=arn), "KeyMetadata", "DescribeKey")
        return str(require_member(key, "KeyState", "DescribeKey"))
    except ClientError as exception:
        if code_of(exception) in _DENIED:
            denied["DescribeKey"] = message_of(exception)
            return None
        raise


def _denial(request: Callable[[], object]) -> str | None:
    """Return AWS's message if it denies the dry run, None if it allows it."""
    try:
        request()
    except ClientError as exception:
        code = code_of(exception)
        if code == dry_runs.ALLOWED:
            return None
        if code in _DENIED:
            return message_of(exception)
        raise
    # A dry run always ends in an error. Any other answer proves nothing.
    return "AWS returned no error for the dry run."
