# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a shared image in its owner's account and in an account that would launch it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._aws import dry_run as dry_runs
from .._aws import errors, read
from .._aws.answers import require_member
from .._aws.read import Caller
from .._aws.read_visible import until_visible
from .._failures import Failure
from .._keys.access import KeyDryRun
from .._model import Image, KeyState, PublicAccessBlock, Target
from . import subnets
from .allowed_images import NEWER_MEMBERS, NEWER_PARTS
from .state import UNREAD, AllowedImages, ConsumerView, OwnerView, Subnet

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_kms import KMSClient

    from .._aws.clients import Clients


def read_owner(clients: Clients, target: Target, image_id: str, other_regions: Iterable[str]) -> OwnerView:
    """Read the image in its owner's account, without its keys, which ``read_keys`` reads.

    If it is not in the region, the other regions are searched.
    """
    ec2 = clients.ec2(target.region)
    image = read.image(ec2, image_id)
    if image is None:
        return OwnerView(elsewhere=_search(clients, image_id, other_regions))
    if image.owner_id != target.account_id:
        return OwnerView(image=image)
    launch = read.launch_permissions(ec2, image_id)
    volume_permissions = {item: read.volume_permissions(ec2, item) for item in image.snapshot_ids}
    public_volumes = any(sharing.public for sharing in volume_permissions.values())
    return OwnerView(
        image=image,
        launch=launch,
        volume_permissions=volume_permissions,
        image_block=_read_block(read.image_block, ec2) if launch.public else None,
        snapshot_block=_read_block(read.snapshot_block, ec2) if public_volumes else None,
    )


def read_keys(clients: Clients, target: Target, owner: OwnerView) -> OwnerView:
    """Add the keys of the image's snapshots, read in their owner's account."""
    if owner.image is None or owner.launch is None:
        return owner
    snapshots = read.snapshots(clients.ec2(target.region), owner.image.snapshot_ids)
    key_ids = sorted({item.kms_key_id for item in snapshots if item.kms_key_id})
    keys: list[KeyState] = []
    encrypted = {item.snapshot_id for item in owner.image.devices if item.encrypted and item.snapshot_id}
    problems = {
        snapshot_id: _report_unknown_key(target, snapshot_id)
        for snapshot_id in sorted(encrypted - {item.snapshot_id for item in snapshots if item.kms_key_id})
    }
    undecided = {item.kms_key_id: item for item in snapshots if item.kms_key_id and item.associated_key_arns}
    for key_id in (item for item in key_ids if item not in undecided):
        try:
            key = KeyState(read.key(clients.kms(target.region), key_id))
            keys.append(key)
            keys[-1] = _read_access(clients.kms(target.region), target, key)
        except errors.AWS_ERRORS as exception:
            problems[key_id] = errors.failure(exception, target, "DescribeKey")
    return replace(owner, keys=tuple(keys), key_problems=problems, undecided_keys=undecided)


def read_identity(clients: Clients, region: str) -> Caller:
    """Read the account of the credentials, which needs no permission (STS API Reference)."""
    return read.caller(clients.sts(region))


def read_consumer(
    clients: Clients,
    target: Target,
    image_id: str,
    key_arns: Iterable[str],
    request: Callable[[Image], Mapping[str, Any]],
    grantee: str,
) -> ConsumerView:
    """Read the image in an account that would launch it, with dry runs of the launch and of its use of keys.

    ``key_arns`` are the keys of the image that its owner can read; ``request`` returns the parameters of
    RunInstances for the image. ``grantee`` is the ARN of the account.
    """
    ec2 = clients.ec2(target.region)
    image = read.image(ec2, image_id)
    if image is None:
        return _read_settings(ec2, target)
    parameters = {"ImageId": image_id, **request(image), "is_available": image.state == "available"}
    dry_run, problem = _try_launch(ec2, target, parameters)
    view = ConsumerView(image=image, dry_run=dry_run, dry_run_problem=problem)
    if dry_run is not None and "SubnetId" not in parameters and subnets.is_missing(dry_run[0]):
        view = _try_in_subnets(ec2, target, parameters, view)
    return replace(
        view, keys={arn: dry_runs.key(clients.kms(target.region), arn, grantee) for arn in key_arns}
    )


def repeat_until_usable(
    kms: KMSClient, arns: Iterable[str], grantee: str, view: ConsumerView
) -> ConsumerView:
    """Repeat the dry runs of these keys until KMS allows an operation, for a limited time."""

    def look(waiting: tuple[str, ...]) -> dict[str, KeyDryRun]:
        tried = {arn: dry_runs.key(kms, arn, grantee) for arn in waiting}
        return {arn: item for arn, item in tried.items() if item.allowed}

    usable = until_visible(look, tuple(arns))
    settled = {arn: replace(item, simulation=view.keys[arn].simulation) for arn, item in usable.items()}
    return replace(view, keys={**view.keys, **settled})


def simulate_refusals(iam: Any, principal: str, view: ConsumerView) -> ConsumerView:
    """Add IAM's simulation of the operations that KMS refused the role or user directly."""
    keys = {
        arn: replace(item, simulation=dry_runs.simulate(iam, principal, arn, item.refused))
        if item.refused
        else item
        for arn, item in view.keys.items()
    }
    return replace(view, keys=keys)


def _read_block(reader: Callable[[EC2Client], PublicAccessBlock], ec2: EC2Client) -> PublicAccessBlock:
    """Read block public access; a failed read is no failure, since it blocks no launch."""
    try:
        return reader(ec2)
    except errors.AWS_ERRORS:
        return UNREAD


def _try_launch(
    ec2: EC2Client, target: Target, request: Mapping[str, Any]
) -> tuple[tuple[str, str] | None, Failure | None]:
    """Return the answer to the dry run of a launch, or the failure, which keeps the other reads."""
    try:
        return dry_runs.launch(ec2, **request), None
    except errors.AWS_ERRORS as exception:
        problem = errors.failure(exception, target, "RunInstances")
        if problem.action == "AssumeRole":
            raise
        return None, problem


def _try_in_subnets(
    ec2: EC2Client, target: Target, request: Mapping[str, Any], view: ConsumerView
) -> ConsumerView:
    """Repeat the dry run in the account's subnets, one after the other until one decides."""
    try:
        chosen = subnets.choose(_read_subnets(ec2), target)
    except errors.AWS_ERRORS as exception:
        problem = errors.failure(exception, target, "DescribeSubnets")
        if problem.action == "AssumeRole":
            raise
        return replace(view, subnets_problem=problem)
    tried: dict[str, subnets.Answer] = {}
    for subnet_id in chosen:
        answer, failed = _try_launch(ec2, target, {**request, "SubnetId": subnet_id})
        if answer is None:
            return replace(view, dry_run=None, dry_run_problem=failed, subnet_ids=(*tried, subnet_id))
        tried[subnet_id] = answer
        if subnets.is_decided(answer):
            break
    answers = [*tried.values()]
    return replace(
        view, dry_run=subnets.decide(answers) if answers else view.dry_run, subnet_ids=tuple(tried)
    )


def _read_subnets(ec2: EC2Client) -> Iterator[Subnet]:
    """Yield the subnets that the account can use, including those that are shared with it."""
    # EC2 API Reference, DescribeSubnets: the filter state, and at most 1000 subnets in a page.
    pages = ec2.get_paginator("describe_subnets").paginate(
        Filters=[{"Name": "state", "Values": ["available"]}], PaginationConfig=read.PAGE
    )
    for page in pages:
        for item in require_member(page, "Subnets", "DescribeSubnets"):
            yield Subnet(
                subnet_id=require_member(item, "SubnetId", "DescribeSubnets"),
                vpc_id=item.get("VpcId", ""),
                zone=item.get("AvailabilityZone", ""),
                owner_id=item.get("OwnerId", ""),
                free_addresses=item.get("AvailableIpAddressCount"),
                is_ipv6_only=item.get("Ipv6Native", False),
                on_outpost="OutpostArn" in item,
            )


def _read_settings(ec2: EC2Client, target: Target) -> ConsumerView:
    """Read the Allowed AMIs settings of an account that cannot see the image, or the failure."""
    try:
        answer = ec2.get_allowed_images_settings()
    except errors.AWS_ERRORS as exception:
        problem = errors.failure(exception, target, "GetAllowedImagesSettings")
        if problem.action == "AssumeRole":
            raise
        if problem.error_code == "InvalidAction":
            # A region without these settings, which cannot be set there.
            return ConsumerView(allowed_images=AllowedImages("disabled"))
        return ConsumerView(allowed_images_problem=problem)
    settings = AllowedImages(
        answer.get("State", "disabled"),
        tuple(answer.get("ImageCriteria", ())),
        answer.get("ManagedBy", "account"),
        _reads_all_criteria(ec2),
    )
    return ConsumerView(allowed_images=settings)


def _reads_all_criteria(ec2: EC2Client) -> bool:
    """Whether this botocore returns all parts of criteria, and the members of images for them."""
    model: Any = ec2.meta.service_model
    criterion, image = ({*model.shape_for(name).members} for name in ("ImageCriterion", "Image"))
    return criterion >= NEWER_PARTS and image >= NEWER_MEMBERS


def _search(clients: Clients, image_id: str, regions: Iterable[str]) -> tuple[str, ...]:
    regions_with_image = []
    for region in regions:
        # A failed search of another region is no failure.
        with suppress(*errors.AWS_ERRORS):
            if read.image(clients.ec2(region), image_id) is not None:
                regions_with_image.append(region)
    return tuple(regions_with_image)


def _report_unknown_key(target: Target, snapshot_id: str) -> Failure:
    return Failure.at(
        target,
        "DescribeSnapshots",
        "snapshot_not_found",
        f"Account {target.account_id} cannot read which key encrypts {snapshot_id}.",
        "Check that the snapshot still exists and belongs to the account.",
    )


def _read_access(kms: KMSClient, target: Target, key: KeyState) -> KeyState:
    """Return the key with its grants and policy, if these decide who can use it."""
    if key.key.aws_managed or key.key.account_id != target.account_id:
        # Other accounts cannot use an AWS managed key; only a key's owner can read its grants and policy.
        return key
    return KeyState(key.key, read.grants(kms, key.key.arn), read.key_policies(kms, key.key.arn))
