# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the record of a recall, and write it durably: a file, or an object in S3."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from .._aws import errors
from .._aws.answers import require_member, unless_gone
from .._aws.clients import Clients
from .._cleanup.tombstone import add_bucket_owner_hint
from .._cleanup.write_tombstones import append_lines
from .._failures import Failure, ValidationError, invalid_option
from .._model import Target
from .._reports.flow import check_appended_file
from .._restore.read_tombstones import read_text
from .._wording import LONGEST_PATH, file_reason, shorten
from .options import RecallOptions
from .record import Record, Stored, find_damaged, find_record, name_object, render_record

# S3 User Guide, "How to prevent object overwrites with conditional writes", and botocore shape
# PutObjectRequest, IfMatch: the object is not the expected one, or another request writes it meanwhile.
_REPLACED = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")


def name_place(options: RecallOptions, account_id: str) -> str:
    """Return where the record is: the path of a file, or the URI of an object."""
    if not options.tombstone_s3_uri:
        return options.tombstone_path or ""
    item = _name_object(options, account_id)
    return f"s3://{item['Bucket']}/{item['Key']}"


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
    return _read_file(options, account_id)


def write_record(
    clients: Clients, options: RecallOptions, record: Record, stored: Stored, remedy: str
) -> tuple[Stored, tuple[Failure, ...]]:
    """Write the record in place of ``stored``, and return what is stored then, and why it is not written.

    A record that another run has written since is not replaced: it may have the only state before a recall.
    ``remedy`` says what a failure means.
    """
    write = _put_object if options.tombstone_s3_uri else _append_to_file
    try:
        return write(clients, options, record, stored, remedy)
    except ValidationError as refused:
        return stored, tuple(refused.failures)


def _read_file(options: RecallOptions, account_id: str) -> Stored:
    path = options.tombstone_path or ""
    text = read_text(path) if os.path.exists(path) else ""
    lines = text.splitlines()
    # The last line has no end if a run was killed while it wrote it, before its first change.
    complete = lines if text.endswith("\n") else lines[:-1]
    damaged = find_damaged(complete, account_id, options.source)
    if damaged is not None:
        raise _report_damaged(
            options,
            f"line {damaged + 1} of {shorten(path, LONGEST_PATH)} is a damaged record of the recall of "
            f"{options.source_image_id}.",
            "Repair the line. If a run was killed while it wrote it, remove it.",
        )
    return Stored(find_record(lines, account_id, options.source))


def _append_to_file(
    _clients: Clients, options: RecallOptions, record: Record, stored: Stored, remedy: str
) -> tuple[Stored, tuple[Failure, ...]]:
    path = options.tombstone_path or ""
    try:
        with open(path, "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _read_file(options, record.account_id).record != stored.record:
                return stored, (_report_other(options, record, remedy),)
            failures = append_lines(path, [render_record(record)], record.account_id, remedy)
    except OSError as exception:
        message = f"tombstone_path: {shorten(path, LONGEST_PATH)}: {file_reason(exception)}."
        action = f"Make the file writable, or set another tombstone_path. {remedy}"
        return stored, (
            Failure(message, action, "tombstone_not_written", "tombstone_path", account_id=record.account_id),
        )
    return (stored if failures else Stored(record)), failures


def _name_object(options: RecallOptions, account_id: str) -> dict[str, str]:
    """Return the parameters of S3's calls that name the object of the record."""
    bucket, _slash, prefix = (options.tombstone_s3_uri or "").removeprefix("s3://").partition("/")
    return {
        "Bucket": bucket,
        "Key": name_object(prefix, account_id, options.source),
        "ExpectedBucketOwner": options.tombstone_s3_bucket_owner or account_id,
    }


def _read_object(clients: Clients, options: RecallOptions, account_id: str) -> Stored:
    region, item = clients.default_region, _name_object(options, account_id)
    try:
        clients.open("s3", [region])
        # botocore operation GetObject, errors. S3 User Guide, "Required permissions for Amazon S3 API
        # operations": without s3:ListBucket, S3 denies access to an object that does not exist.
        answer = unless_gone(partial(clients.client("s3", region).get_object, **item), ("NoSuchKey",))
        if answer is None:
            return Stored()
        text = require_member(answer, "Body", "GetObject").read().decode(errors="replace")
        etag = require_member(answer, "ETag", "GetObject")
    except errors.AWS_ERRORS as exception:
        failure = errors.failure(exception, Target(account_id, region), "tombstone_s3_uri")
        raise ValidationError([add_bucket_owner_hint(failure)]) from exception
    record = find_record([text], account_id, options.source)
    if record is None:
        raise _report_damaged(
            options,
            f"{shorten(name_place(options, account_id), LONGEST_PATH)} is no record of the recall of "
            f"{options.source_image_id}, and would be overwritten.",
            "Look at it and remove it, or set another folder.",
        )
    return Stored(record, etag)


def _put_object(
    clients: Clients, options: RecallOptions, record: Record, stored: Stored, remedy: str
) -> tuple[Stored, tuple[Failure, ...]]:
    region, item = clients.default_region, _name_object(options, record.account_id)
    condition: Mapping[str, Any] = {"IfMatch": stored.etag} if stored.etag else {"IfNoneMatch": "*"}
    body = render_record(record).encode()
    try:
        clients.open("s3", [region])
        # An object is written as a whole or not at all (botocore operation PutObject).
        answer = clients.client("s3", region).put_object(
            **item, **condition, Body=body, ContentType="application/json"
        )
        return Stored(record, require_member(answer, "ETag", "PutObject")), ()
    except errors.AWS_ERRORS as exception:
        failure = errors.failure(exception, Target(record.account_id, region), "tombstone_s3_uri")
    if failure.error_code in _REPLACED:
        now = read_record(clients, options, record.account_id)
        # The answer to an earlier attempt of this call may have been lost. Without such an attempt, the same
        # record is that of another run, which was started in the same second.
        is_own = failure.repeated and now.record == record
        return (now, ()) if is_own else (stored, (_report_other(options, record, remedy),))
    message = f"tombstone_s3_uri: {name_place(options, record.account_id)}: {failure.message}"
    failure = replace(failure, message=message, remedy=f"{failure.remedy} {remedy}")
    return stored, (add_bucket_owner_hint(failure),)


def _report_damaged(options: RecallOptions, problem: str, remedy: str) -> ValidationError:
    option = options.tombstone_option
    return ValidationError([Failure(f"{option}: {problem}", remedy, "tombstone_not_read", option)])


def _report_other(options: RecallOptions, record: Record, remedy: str) -> Failure:
    place = shorten(name_place(options, record.account_id), LONGEST_PATH)
    return Failure(
        f"{place}: another run has written the record of this recall at the same time.",
        f"Wait until that run has ended, and rerun. {remedy}",
        "concurrent_change",
        options.tombstone_option,
        account_id=record.account_id,
    )
