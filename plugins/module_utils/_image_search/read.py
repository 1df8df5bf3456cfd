# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the images that a search finds, and the parameter that names one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from .._arns import account_of
from .._aws import errors, read
from .._aws.parameters import current
from .._failures import Failure, ValidationError
from .._model import Image, Key
from .state import Search

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_ssm import SSMClient


def resolve_parameter(ssm: SSMClient, search: Search, region: str) -> Search:
    """Return the search for the image that the parameter names; a search without a parameter as it is.

    Raises:
        ValidationError: it cannot be read, there is no such parameter, or its value is not an AMI ID.
    """
    name = search.parameter
    if name is None:
        return search
    try:
        parameter = current(ssm, name)
    except errors.AWS_ERRORS as exception:
        raise ValidationError([errors.failure(exception, None, "GetParameter")]) from exception
    problem = "does not exist" if parameter is None else parameter.not_an_image()
    if parameter is None or problem:
        raise ValidationError([_unusable(region, f"The parameter {name} {problem}.")])
    return replace(search, image_id=parameter.value)


def images(ec2: EC2Client, search: Search) -> list[Image]:
    """Return the images that match, in every state, so that an error can say why none can be launched."""
    filters: list[FilterTypeDef] = [
        {"Name": f"tag:{key}", "Values": [value]} for key, value in sorted(search.tags.items())
    ]
    by_field = {"image-id": search.image_id, "name": search.name, "architecture": search.architecture}
    filters += [{"Name": name, "Values": [value]} for name, value in by_field.items() if value]
    return read.images(ec2, filters, search.owners)


def key_reader(client: Callable[[], KMSClient]) -> Callable[[str], Key]:
    """Return a reader of keys by ARN, which reads each once, with a client that it creates for the first."""
    kms = cache(client)
    return cache(lambda arn: read.key(kms(), arn))


def key_obstacle(ec2: EC2Client, read_key: Callable[[str], Key], image: Image, is_own: bool) -> str | None:
    """Return why a key of an image permits no launch; None if all permit it, or cannot be read.

    ``is_own`` is whether the image belongs to the account of the credentials. Policies do not decide: a
    launch calls KMS through EC2, which they may allow where they deny a direct call of these credentials.
    """
    try:
        snapshots = read.snapshots_shared_with(ec2, image.encrypted_snapshots)
    except errors.AWS_ERRORS:
        # The lookup documents that what cannot be read excludes no image.
        return None
    for snapshot in snapshots:
        # Each associated key gives access to the data as well.
        arn = None if snapshot.associated_key_arns else snapshot.kms_key_id
        if arn and (problem := _problem(read_key, arn, is_own and account_of(arn) == image.owner_id)):
            return f"has a key that cannot be used ({arn} {problem})"
    return None


def _problem(read_key: Callable[[str], Key], arn: str, is_own: bool) -> str | None:
    try:
        key = read_key(arn)
    except errors.ClientError as exception:
        # For a key of another account, KMS may return this without permission, too (KMS API Reference,
        # DescribeKey).
        is_gone = is_own and errors.code_of(exception) == "NotFoundException"
        return "does not exist any more" if is_gone else None
    except errors.AWS_ERRORS:
        return None
    return None if key.is_enabled else f"is in the state {key.state}"


def _unusable(region: str, message: str) -> Failure:
    return Failure(
        message=message,
        remedy="Check its name and the region, or publish an image into it (golden.images.ami_publish).",
        error_code="parameter_without_image",
        action="GetParameter",
        region=region,
    )
