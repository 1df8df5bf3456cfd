# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the record of a recall, durably: to a file, or to S3."""

from __future__ import annotations

from dataclasses import replace

from .._aws import errors
from .._aws.clients import Clients
from .._cleanup.tombstone import add_bucket_owner_hint
from .._cleanup.write_tombstones import append_lines
from .._failures import Failure
from .._model import Target
from .options import RecallOptions
from .read_record import name_place, split_uri
from .record import Record, name_object, render_record


def write_record(
    clients: Clients, options: RecallOptions, record: Record, remedy: str
) -> tuple[Failure, ...]:
    """Write the record, and return why it could not be written; ``remedy`` says what that means."""
    if not options.tombstone_s3_uri:
        path = options.tombstone_path or ""
        return append_lines(path, [render_record(record)], record.account_id, remedy)
    region = clients.default_region
    bucket, prefix = split_uri(options.tombstone_s3_uri)
    try:
        clients.open("s3", [region])
        # An object is written as a whole or not at all (botocore operation PutObject).
        clients.client("s3", region).put_object(
            Bucket=bucket,
            Key=name_object(prefix, record.source),
            Body=render_record(record).encode(),
            ContentType="application/json",
            ExpectedBucketOwner=options.tombstone_s3_bucket_owner or record.account_id,
        )
    except errors.AWS_ERRORS as exception:
        failure = errors.failure(exception, Target(record.account_id, region), "tombstone_s3_uri")
        message = f"tombstone_s3_uri: {name_place(options)}: {failure.message}"
        failure = replace(failure, message=message, remedy=f"{failure.remedy} {remedy}")
        return (add_bucket_owner_hint(failure),)
    return ()
