# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read each target's parameter, launch templates, and the images they name with their original sources."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from .._aws import errors, read
from .._aws.accounts import AssumedAccounts
from .._aws.answers import require_member
from .._aws.caller import preferred_region
from .._aws.clients import Clients
from .._aws.errors import ClientError
from .._aws.parameters import current, is_missing
from .._aws.read_visible import until_visible
from .._aws.resource_shares import other_shares, own_shares
from .._denial import DENIED
from .._failures import Failure, TargetFailed, ValidationError
from .._fanout import map_parallel
from .._model import Image, ImageRef, Target
from .._option import is_image_id
from .._parameter_share import parameter_arn, share_name
from .._tags import tag_map
from .launches import enables_hibernation
from .options import PublishOptions
from .origins import collect_views, list_compared_images, trace_origin
from .read_launch_templates import read_instance_types, read_launch_templates
from .state import (
    Origin,
    Parameter,
    ParameterVersion,
    TargetState,
    is_settled,
    label_for,
    label_of,
    versions_to_launch,
)

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ssm import SSMClient

# Systems Manager API Reference, GetParameterHistory: the largest page; there are at most 100 versions.
_PAGE = 50


def open_clients(
    clients: Clients, caller: read.Caller, options: PublishOptions, targets: Collection[Target]
) -> AssumedAccounts:
    """Open the clients of all accounts; refuse an account that there is no role for."""
    accounts, failures = open_each(clients, caller, options, targets)
    if failures:
        raise ValidationError(failures.values())
    return accounts


def open_each(
    clients: Clients, caller: read.Caller, options: PublishOptions, targets: Collection[Target]
) -> tuple[AssumedAccounts, dict[str, Failure]]:
    """Open the clients of all accounts, and return the failures of those that there is no role for.

    All accounts use one set of clients: one for each of 500 accounts in 20 regions would need gigabytes.
    ``clients`` can read how the own account shares its images, in its regions.
    """
    account_ids = sorted({target.account_id for target in targets})
    regions = sorted({target.region for target in targets})
    own_regions = sorted({target.region for target in targets if target.account_id == caller.account_id})
    role = options.consumer_role if {*account_ids} - {caller.account_id} else None
    accounts = AssumedAccounts(clients, caller, role, preferred_region(clients, options.all_regions))
    failures: dict[str, Failure] = {}
    for account_id in account_ids:
        try:
            with accounts.as_account(account_id):
                pass
        except TargetFailed as exception:
            failures[account_id] = exception.failure
    clients.open("ec2", own_regions)
    for service in ("ec2", "ssm"):
        accounts.open(service, regions)
    if options.for_account(caller.account_id, caller.account_id).changes_share:
        accounts.open("ram", own_regions)
    return accounts, failures


def read_target(
    clients: Clients, owner: Clients | None, options: PublishOptions, target: Target, image_id: str | None
) -> TargetState:
    """Read the parameter, templates and images of a target; errors are botocore's.

    ``owner`` are the clients of the image's account if ``clients`` are of another account; None for the own
    account, and if the image's account is not known.
    """
    ec2, ssm = clients.ec2(target.region), clients.ssm(target.region)
    parameter = _read_parameter(ssm, options.parameter)
    if parameter is not None and options.parameter_tags:
        parameter = replace(parameter, tags=_read_tags(ssm, options.parameter))
    if options.is_rollback and parameter is not None:
        labeled = parameter.version_with_label(label_for(options.source_image_id or ""))
        image_id = labeled.value if labeled else None
    templates = read_launch_templates(ec2, options.launch_templates, target)
    # A parameter of another kind, and a template without an image or with a parameter, name no image.
    versions = [item for template in templates.values() for item in (template.default, template.latest)]
    named = {version.image_id or "" for version in versions}
    named |= {parameter.latest.value if parameter else "", image_id or ""}
    not_labeled = options.is_rollback and image_id is None
    unlabeled = _list_unlabeled_values(parameter) if not_labeled else ()
    itself = _find_source_itself(options, parameter) if not_labeled else None
    named |= {*unlabeled, itself or ""}
    images = read.named_images(ec2, filter(is_image_id, named))
    if unlabeled:
        image_id = _find_copy_of_source(
            owner.ec2(target.region) if owner else None, options, unlabeled, images
        )
    image_id = image_id or itself
    if image_id and image_id not in images and owner is not None and not options.as_if_shared:
        images |= _read_shared_image(ec2, owner.ec2(target.region), image_id, target.account_id)
    return TargetState(image_id, images.get(image_id or ""), parameter, templates, images)


def _list_unlabeled_values(parameter: Parameter | None) -> tuple[str, ...]:
    """Return the values without a label that may be the image of an interrupted rollback.

    A label on the oldest version of a full parameter keeps AWS from deleting that version for a new one. A
    rollback to this version removes the label first, so that no version has it until the new one is labeled.
    """
    if parameter is None or not parameter.is_full:
        return ()
    return tuple(item.value for item in (parameter.versions[0], parameter.latest) if not item.labels)


def _find_source_itself(options: PublishOptions, parameter: Parameter | None) -> str | None:
    """Return the source image itself, if the parameter had it.

    Its label does not matter: a copy that was published without its own copies has the label of its source.
    """
    source = options.source_image_id
    return source if source and parameter is not None and parameter.has_value(source) else None


def _find_copy_of_source(
    owner: EC2Client | None, options: PublishOptions, image_ids: Collection[str], images: Mapping[str, Image]
) -> str | None:
    """Return the first image that is a copy of the source, by the tag that only its owner sees."""
    label = label_for(options.source_image_id or "")
    owned = read.named_images(owner, filter(is_image_id, image_ids)) if owner else {}
    for image_id in image_ids:
        views = [known[image_id] for known in (owned, images) if image_id in known]
        if views and label_of(image_id, views) == label:
            return image_id
    return None


def add_shares(
    clients: Clients, options: PublishOptions, target: Target, state: TargetState, partition: str
) -> TargetState:
    """Add the resource shares of the parameter, if they may change; errors are botocore's."""
    if not options.for_account(target.account_id, target.account_id).changes_share:
        return state
    ram = clients.client("ram", target.region)
    shares = own_shares(ram, share_name(options.parameter))
    others = other_shares(ram, parameter_arn(partition, target, options.parameter), shares)
    return replace(state, shares=shares, other_shares=others)


def read_shared(
    clients: Clients, options: PublishOptions, target: Target, image_id: str | None, partition: str
) -> TargetState:
    """Read the parameter's value and its resource shares, for consumers that lose it; errors are botocore's.

    It is read by its ARN, which a name with and one without a leading slash have in common.
    """
    now = current(clients.ssm(target.region), parameter_arn(partition, target, options.parameter))
    version = None if now is None else ParameterVersion(now.version, now.value, now.type, now.data_type)
    state = TargetState(image_id, parameter=Parameter((version,)) if version else None)
    return add_shares(clients, options, target, state, partition)


def add_sharing(clients: Clients, options: PublishOptions, target: Target, state: TargetState) -> TargetState:
    """Add the image's launch permissions to a target of the own account, if needed; errors are botocore's."""
    image = state.image
    if image is None or not options.require_shared or is_settled(options, state):
        return state
    if image.owner_id != target.account_id or image.state != "available":
        return state
    sharing = read.launch_permissions(clients.ec2(target.region), image.image_id)
    return replace(state, launch=sharing)


def add_launches(
    clients: Clients, options: PublishOptions, target: Target, state: TargetState
) -> TargetState:
    """Add the state that launches by changed templates depend on; errors are botocore's."""
    if is_settled(options, state):
        return state
    versions = [
        version for template in state.templates.values() for version in versions_to_launch(options, template)
    ]
    named = [version for version in versions if version.instance_type or version.requirements]
    ec2 = clients.ec2(target.region)
    if named:
        state = replace(state, types=read_instance_types(ec2, named))
    if any(map(enables_hibernation, versions)):
        state = replace(state, encrypts=_read_encryption_by_default(ec2))
    return state


def _read_encryption_by_default(ec2: EC2Client) -> bool | None:
    """Whether the account encrypts EBS volumes by default; None if the caller may not read that."""
    try:
        return read.encryption_by_default(ec2)
    except errors.ClientError as exception:
        if errors.code_of(exception) not in DENIED:
            raise
        return None


def _read_shared_image(ec2: EC2Client, owner: EC2Client, image_id: str, account_id: str) -> dict[str, Image]:
    """Return the image as soon as the account sees it, if its owner has shared it; else none."""
    try:
        sharing = read.launch_permissions(owner, image_id)
    except errors.AWS_ERRORS:
        # The image is deregistered: the read in the owner's region fails, too.
        return {}
    covered = sharing.public or sharing.org_arns or sharing.org_unit_arns or account_id in sharing.account_ids
    return until_visible(lambda waiting: read.named_images(ec2, waiting), [image_id] if covered else [])


def needs_source(options: PublishOptions) -> bool:
    """Whether there are planned copies, of a source that is named."""
    planned = not options.is_rollback and None in options.by_target.images.values()
    return planned and None not in (options.source_image_id, options.source_region)


def read_source(clients: Clients, options: PublishOptions, account_id: str) -> Image | None:
    """Read the source of planned copies, if there are any and it is named."""
    if not needs_source(options) or options.source_image_id is None or options.source_region is None:
        return None
    target = Target(account_id, options.source_region)
    clients.open("ec2", [target.region])
    try:
        source = read.image(clients.ec2(target.region), options.source_image_id)
    except errors.AWS_ERRORS as exception:
        raise ValidationError([errors.failure(exception, target, "DescribeImages")]) from exception
    if source is None:
        raise ValidationError([errors.no_image(options.source_image_id, target)])
    return source


def _read_parameter(ssm: SSMClient, name: str) -> Parameter | None:
    """Return the parameter with all its versions and their labels; None if there is none of that name.

    A value that AWS is still validating is no version yet (botocore shape ``PutParameterRequest``,
    ``DataType``).
    """
    pages = ssm.get_paginator("get_parameter_history").paginate(
        Name=name, PaginationConfig={"PageSize": _PAGE}
    )
    try:
        versions = [
            ParameterVersion(
                version=require_member(item, "Version", "GetParameterHistory"),
                value=require_member(item, "Value", "GetParameterHistory"),
                type=require_member(item, "Type", "GetParameterHistory"),
                data_type=item.get("DataType", "text"),
                tier=item.get("Tier", "Standard"),
                labels=frozenset(item.get("Labels", ())),
            )
            for page in pages
            for item in require_member(page, "Parameters", "GetParameterHistory")
        ]
    except ClientError as exception:
        if is_missing(exception):
            return None
        raise
    return Parameter(tuple(sorted(versions, key=lambda item: item.version))) if versions else None


def _read_tags(ssm: SSMClient, name: str) -> dict[str, str]:
    """Return the tags of a parameter."""
    answer = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)
    return tag_map(require_member(answer, "TagList", "ListTagsForResource"))


def read_origins(
    clients: Clients, options: PublishOptions, account_id: str, targets: Mapping[Target, TargetState]
) -> dict[ImageRef, Origin]:
    """Read the original sources of new and published images that differ.

    An image that cannot be read has an unknown source, with the reason. Each round reads the next sources of
    all chains of copies.
    """
    if options.is_rollback or options.publish_older:
        return {}
    refs = dict.fromkeys(list_compared_images(options, targets))
    views = collect_views(targets, account_id)
    problems: dict[ImageRef, str] = {}
    refs_read: set[ImageRef] = set()
    while True:
        origins = {ref: trace_origin(ref, views, problems) for ref in refs}
        unread = {origin.ref for origin in origins.values() if origin.ref not in views} - refs_read
        if not unread:
            return origins
        refs_read |= unread
        for region, images in _read_images(clients, account_id, unread).items():
            if isinstance(images, Failure):
                problems |= {ref: images.message for ref in unread if ref.region == region}
            else:
                views |= {ImageRef(region, image_id): [image] for image_id, image in images.items()}


def _read_images(
    clients: Clients, account_id: str, refs: Collection[ImageRef]
) -> dict[str, Mapping[str, Image] | Failure]:
    """Return the visible images by region and ID, or the failure of a region."""
    clients.open("ec2", sorted({ref.region for ref in refs}))

    def look_up(region: str) -> Mapping[str, Image] | Failure:
        image_ids = [ref.image_id for ref in refs if ref.region == region]
        try:
            return read.named_images(clients.ec2(region), image_ids)
        except errors.AWS_ERRORS as exception:
            return errors.failure(exception, Target(account_id, region), "DescribeImages")

    done, failed = map_parallel(sorted({ref.region for ref in refs}), look_up)
    for exception in failed.values():
        raise exception
    return done
