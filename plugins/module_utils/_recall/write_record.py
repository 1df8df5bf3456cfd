# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the record of a recall, durably: to a file, or to S3."""

from __future__ import annotations

import fcntl
from dataclasses import replace

from .._aws import errors
from .._aws.answers import required
from .._aws.clients import Clients
from .._cleanup.tombstone import add_bucket_owner_hint
from .._cleanup.write_tombstones import append_lines
from .._failures import Failure, ValidationError
from .._model import Target
from .._wording import LONGEST_PATH, file_reason, shorten
from .options import RecallOptions
from .read_record import find_object, name_place, read_file, read_record
from .record import Record, Stored, render_record

# S3 User Guide, "How to prevent object overwrites with conditional writes", and botocore shape
# PutObjectRequest, IfMatch: the object is not the expected one, or another request writes it meanwhile.
_REPLACED = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")


def write_record(
    clients: Clients, options: RecallOptions, record: Record, stored: Stored, remedy: str
) -> tuple[Stored, tuple[Failure, ...]]:
    """Write the record in place of ``stored``, and return what is stored then, and why it is not written.

    A record that another run has written since is not replaced: it may have the only state before a recall.
    ``remedy`` says what a failure means.
    """
    if options.tombstone_s3_uri:
        return _put_object(clients, options, record, stored, remedy)
    path = options.tombstone_path or ""
    try:
        with open(path, "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if read_file(options, record.account_id).record != stored.record:
                return stored, (_report_other(options, record, remedy),)
            failures = append_lines(path, [render_record(record)], record.account_id, remedy)
    except ValidationError as refused:
        return stored, tuple(refused.failures)
    except OSError as exception:
        message = f"tombstone_path: {shorten(path, LONGEST_PATH)}: {file_reason(exception)}."
        action = f"Make the file writable, or set another tombstone_path. {remedy}"
        return stored, (
            Failure(message, action, "tombstone_not_written", "tombstone_path", account_id=record.account_id),
        )
    return (stored if failures else Stored(record)), failures


def _put_object(
    clients: Clients, options: RecallOptions, record: Record, stored: Stored, remedy: str
) -> tuple[Stored, tuple[Failure, ...]]:
    region, text = clients.default_region, render_record(record)
    bucket, key = find_object(options, record.account_id)
    condition = {"IfMatch": stored.etag} if stored.etag else {"IfNoneMatch": "*"}
    try:
        clients.open("s3", [region])
        # An object is written as a whole or not at all (botocore operation PutObject).
        answer = clients.client("s3", region).put_object(
            Bucket=bucket,
            Key=key,
            Body=text.encode(),
            ContentType="application/json",
            ExpectedBucketOwner=options.tombstone_s3_bucket_owner or record.account_id,
            **condition,
        )
        return Stored(record, required(answer, "ETag", "PutObject")), ()
    except errors.AWS_ERRORS as exception:
        failure = errors.failure(exception, Target(record.account_id, region), "tombstone_s3_uri")
    if failure.error_code in _REPLACED:
        try:
            now = read_record(clients, options, record.account_id)
        except ValidationError as refused:
            return stored, tuple(refused.failures)
        # The answer to an earlier attempt of this call may have been lost. Without such an attempt, the same
        # record is that of another run, which was started in the same second.
        is_own = failure.repeated and now.record == record
        return (now, ()) if is_own else (stored, (_report_other(options, record, remedy),))
    message = f"tombstone_s3_uri: {name_place(options, record.account_id)}: {failure.message}"
    failure = replace(failure, message=message, remedy=f"{failure.remedy} {remedy}")
    return stored, (add_bucket_owner_hint(failure),)


def _report_other(options: RecallOptions, record: Record, remedy: str) -> Failure:
    place = shorten(name_place(options, record.account_id), LONGEST_PATH)
    return Failure(
        f"{place}: another run has written the record of this recall at the same time.",
        f"Wait until that run has ended, and rerun. {remedy}",
        "concurrent_change",
        "tombstone_s3_uri" if options.tombstone_s3_uri else "tombstone_path",
        account_id=record.account_id,
    )
