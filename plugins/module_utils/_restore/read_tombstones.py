# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the tombstones of images from where ``ami_cleanup`` wrote them: a file, S3, Parameter Store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._aws import errors
from .._aws.answers import require_member, unless_gone
from .._aws.clients import Clients
from .._aws.errors import ClientError
from .._aws.parameters import is_missing
from .._cleanup.tombstone import (
    Tombstone,
    TombstoneHistory,
    add_bucket_owner_hint,
    find_object_folder,
    group_by_image,
    name_parameter,
    read_tombstone,
)
from .._failures import Failure, ValidationError, invalid_value
from .._fanout import map_parallel
from .._model import ImageRef, Target
from .._wording import file_reason
from .options import RestoreOptions

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

Reader = Callable[[ImageRef], Iterable[str]]


def read_tombstones(
    clients: Clients, options: RestoreOptions, account_id: str
) -> tuple[Mapping[ImageRef, TombstoneHistory], tuple[str, ...]]:
    """Return the account's tombstones of the images, and a warning for each text that is no tombstone.

    Raises:
        ValidationError: a place that the user named cannot be read, or has another account's tombstone of one
            of the images: who wrote it decides whom the image would be shared with.
    """
    texts: list[tuple[str, str]] = []
    if options.tombstone_path:
        texts += read_lines(options.tombstone_path)
    if options.tombstone_s3_uri:
        reader = _make_s3_reader(
            clients, options.tombstone_s3_uri, options.tombstone_s3_bucket_owner or account_id
        )
        texts += _read_each(clients, options, account_id, "tombstone_s3_uri", reader)
    if options.tombstone_ssm_path:
        texts += _read_each(
            clients,
            options,
            account_id,
            "tombstone_ssm_path",
            _make_ssm_reader(clients, options.tombstone_ssm_path),
        )
    tombstones: list[Tombstone] = []
    unreadable, foreign = [], []
    for place, text in texts:
        tombstone = read_tombstone(text)
        if tombstone is None:
            unreadable.append(f"{place} is not a valid tombstone and is skipped.")
        elif tombstone.ref in options.images:
            tombstones.append(tombstone)
            if tombstone.account_id != account_id:
                foreign.append(
                    _report_foreign_tombstone(place, tombstone, Target(account_id, tombstone.ref.region))
                )
    if foreign:
        raise ValidationError(foreign)
    return group_by_image(tombstones), tuple(unreadable)


def _report_foreign_tombstone(place: str, tombstone: Tombstone, target: Target) -> Failure:
    return Failure.at(
        target,
        "images",
        "foreign_tombstone",
        f"{place} is a tombstone of account {tombstone.account_id}, not of account {target.account_id}.",
        f"Restore the image with credentials of account {tombstone.account_id}. If it belongs to "
        f"{target.account_id}, find out who wrote the tombstone, and remove it.",
    )


def read_objects(s3: Any, bucket: str, prefix: str, owner: str) -> tuple[str, ...]:
    """Return the text of every object below ``prefix``, with U+FFFD for what is not UTF-8.

    ``owner`` is the account that the bucket must belong to: S3 finds a bucket by its name, which another
    account can have by now. An object that was deleted since it was listed has no text.
    """
    of_owner = {"Bucket": bucket, "ExpectedBucketOwner": owner}
    pages = s3.get_paginator("list_objects_v2").paginate(**of_owner, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    # botocore operation GetObject, errors.
    answers = (unless_gone(partial(s3.get_object, **of_owner, Key=key), ("NoSuchKey",)) for key in keys)
    bodies = (answer["Body"].read() for answer in answers if answer is not None)
    return tuple(body.decode(errors="replace") for body in bodies)


def read_versions(ssm: SSMClient, name: str) -> tuple[str, ...]:
    """Return the value of every version of a parameter, none if it does not exist.

    Each tombstone overwrites the previous one, and only the earlier one may have the permissions.
    """
    try:
        pages = ssm.get_paginator("get_parameter_history").paginate(Name=name)
        return tuple(
            require_member(item, "Value", "GetParameterHistory")
            for page in pages
            for item in require_member(page, "Parameters", "GetParameterHistory")
        )
    except ClientError as exception:
        if not is_missing(exception):
            raise
        return ()


def read_lines(path: str) -> list[tuple[str, str]]:
    """Return the lines of the file ``tombstone_path`` that are not blank, each after its place."""
    lines = enumerate(read_text(path).splitlines(), start=1)
    return [(f"Line {number} of {path}", line) for number, line in lines if line.strip()]


def read_text(path: str) -> str:
    """Return the text of the file ``tombstone_path``, with U+FFFD for what is not UTF-8.

    Raises:
        ValidationError: it cannot be read.
    """
    try:
        # A damaged line, such as half a character of a killed run, does not prevent the use of the others.
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError) as exception:
        problem, remedy = f"{path}: {file_reason(exception)}.", "Make it readable, or set another file."
        raise ValidationError([invalid_value("tombstone_path", problem, remedy)]) from exception


def _make_s3_reader(clients: Clients, uri: str, owner: str) -> Reader:
    clients.open("s3", [clients.default_region])
    s3 = clients.client("s3", clients.default_region)
    return lambda ref: read_objects(s3, *find_object_folder(uri, ref), owner)


def _make_ssm_reader(clients: Clients, path: str) -> Reader:
    limited = clients.rate_limited("GetParameterHistory")
    limited.open("ssm", [clients.default_region])
    ssm = limited.ssm(clients.default_region)
    return lambda ref: read_versions(ssm, name_parameter(path, ref))


def _read_each(
    clients: Clients, options: RestoreOptions, account_id: str, option: str, reader: Reader
) -> list[tuple[str, str]]:
    done, failed = map_parallel(options.images, reader)
    if failed:
        raise ValidationError(
            add_bucket_owner_hint(
                errors.failure(exception, Target(account_id, clients.default_region), option)
            )
            for exception in failed.values()
        )
    return [(f"A text in {option} for {ref}", text) for ref, texts in done.items() for text in texts]
