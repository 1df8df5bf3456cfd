# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the record of a recall from where ``ami_recall`` wrote it: a file, or S3."""

from __future__ import annotations

import os
from functools import partial

from .._aws import errors
from .._aws.answers import required, unless_gone
from .._aws.clients import Clients
from .._cleanup.tombstone import add_bucket_owner_hint
from .._failures import Failure, ValidationError, invalid_option
from .._model import Target
from .._reports.flow import check_appended_file
from .._restore.read_tombstones import read_text
from .._wording import LONGEST_PATH, shorten
from .options import RecallOptions
from .record import Stored, find_damaged, find_record, name_object


def name_place(options: RecallOptions, account_id: str) -> str:
    """Return where the record is: the path of a file, or the URI of an object."""
    if not options.tombstone_s3_uri:
        return options.tombstone_path or ""
    return "s3://{}/{}".format(*find_object(options, account_id))


def find_object(options: RecallOptions, account_id: str) -> tuple[str, str]:
    """Return the bucket and the key of the object of the record."""
    bucket, _slash, prefix = (options.tombstone_s3_uri or "").removeprefix("s3://").partition("/")
    return bucket, name_object(prefix, account_id, options.source)


def read_record(clients: Clients, options: RecallOptions, account_id: str) -> Stored:
    """Return the record of the release, if there is one.

    Raises:
        ValidationError: it cannot be read, or is damaged, or the file cannot be written either.
    """
    if options.tombstone_s3_uri:
        return _read_object(clients, options, account_id)
    problem, remedy = check_appended_file(options.tombstone_path or "")
    if problem:
        raise ValidationError([invalid_option("tombstone_path", f"tombstone_path: {problem}", remedy)])
    return read_file(options, account_id)


def read_file(options: RecallOptions, account_id: str) -> Stored:
    """Return the record of the release in the file, if there is one.

    Raises:
        ValidationError: the file cannot be read, or the last record of the release in it is damaged.
    """
    path = options.tombstone_path or ""
    text = read_text(path) if os.path.exists(path) else ""
    lines = text.splitlines()
    # The last line has no end if a run was killed while it wrote it, before its first change.
    complete = lines if text.endswith("\n") else lines[:-1]
    damaged = find_damaged(complete, account_id, options.source)
    if damaged is not None:
        raise ValidationError(
            [
                _report_damaged(
                    "tombstone_path",
                    f"line {damaged + 1} of {shorten(path, LONGEST_PATH)} is a damaged record of the recall "
                    f"of {options.source_image_id}.",
                    "Repair the line. If a run was killed while it wrote it, remove it.",
                )
            ]
        )
    return Stored(find_record(lines, account_id, options.source))


def _read_object(clients: Clients, options: RecallOptions, account_id: str) -> Stored:
    region = clients.default_region
    bucket, key = find_object(options, account_id)
    owner = options.tombstone_s3_bucket_owner or account_id
    try:
        clients.open("s3", [region])
        s3 = clients.client("s3", region)
        request = {"Bucket": bucket, "Key": key, "ExpectedBucketOwner": owner}
        # botocore operation GetObject, errors. S3 User Guide, "Required permissions for Amazon S3 API
        # operations": without s3:ListBucket, S3 denies access to an object that does not exist.
        answer = unless_gone(partial(s3.get_object, **request), ("NoSuchKey",))
        if answer is None:
            return Stored()
        text = required(answer, "Body", "GetObject").read().decode(errors="replace")
        etag = required(answer, "ETag", "GetObject")
    except errors.AWS_ERRORS as exception:
        failure = errors.failure(exception, Target(account_id, region), "tombstone_s3_uri")
        raise ValidationError([add_bucket_owner_hint(failure)]) from exception
    record = find_record([text], account_id, options.source)
    if record is None:
        raise ValidationError(
            [
                _report_damaged(
                    "tombstone_s3_uri",
                    f"{shorten(name_place(options, account_id), LONGEST_PATH)} is no record of the recall of "
                    f"{options.source_image_id}, and would be overwritten.",
                    "Look at it and remove it, or set another folder.",
                )
            ]
        )
    return Stored(record, etag)


def _report_damaged(option: str, problem: str, remedy: str) -> Failure:
    return Failure(f"{option}: {problem}", remedy, "tombstone_not_read", option)
