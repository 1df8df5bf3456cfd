# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the record of a recall from where ``ami_recall`` wrote it: a file, or S3."""

from __future__ import annotations

import os

from .._aws import errors
from .._aws.clients import Clients
from .._cleanup.tombstone import add_bucket_owner_hint
from .._failures import Failure, ValidationError
from .._model import Target
from .._restore.read_tombstones import read_lines, read_objects
from .._wording import LONGEST_PATH, shorten
from .options import RecallOptions
from .record import Record, find_record, name_object


def name_place(options: RecallOptions) -> str:
    """Return where the record is: the path of a file, or the URI of an object."""
    if not options.tombstone_s3_uri:
        return options.tombstone_path or ""
    bucket, prefix = split_uri(options.tombstone_s3_uri)
    return f"s3://{bucket}/{name_object(prefix, options.source)}"


def split_uri(uri: str) -> tuple[str, str]:
    """Return the bucket and the prefix of an S3 URI."""
    bucket, _slash, prefix = uri.removeprefix("s3://").partition("/")
    return bucket, prefix


def read_record(clients: Clients, options: RecallOptions, account_id: str) -> Record | None:
    """Return the record of the release; None if there is none.

    Raises:
        ValidationError: it cannot be read, the object is no record, or it is of another account.
    """
    texts = _read_object(clients, options, account_id) if options.tombstone_s3_uri else _read_file(options)
    record = find_record(texts, options.source)
    place = shorten(name_place(options), LONGEST_PATH)
    if options.tombstone_s3_uri and texts and record is None:
        raise ValidationError(
            [
                Failure(
                    f"tombstone_s3_uri: {place} is no record of a recall, and would be overwritten.",
                    "Look at it and remove it, or set another folder.",
                    "tombstone_not_read",
                    "tombstone_s3_uri",
                )
            ]
        )
    if record is not None and record.account_id != account_id:
        raise ValidationError(
            [
                Failure(
                    f"{place} has the recall of {options.source_image_id} by account "
                    f"{record.account_id}, not by account {account_id}.",
                    f"Use credentials of account {record.account_id}, or another tombstone.",
                    "foreign_tombstone",
                    "source_image_id",
                )
            ]
        )
    return record


def _read_file(options: RecallOptions) -> list[str]:
    path = options.tombstone_path or ""
    return [line for _place, line in read_lines(path)] if os.path.exists(path) else []


def _read_object(clients: Clients, options: RecallOptions, account_id: str) -> list[str]:
    region = clients.default_region
    bucket, prefix = split_uri(options.tombstone_s3_uri or "")
    owner = options.tombstone_s3_bucket_owner or account_id
    try:
        clients.open("s3", [region])
        return [
            *read_objects(clients.client("s3", region), bucket, name_object(prefix, options.source), owner)
        ]
    except errors.AWS_ERRORS as exception:
        failure = errors.failure(exception, Target(account_id, region), "tombstone_s3_uri")
        raise ValidationError([add_bucket_owner_hint(failure)]) from exception
