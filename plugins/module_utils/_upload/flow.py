# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the files of a report to S3.

An object is written as a whole or not at all (botocore operation PutObject). No access control list is set,
and no header for encryption: the bucket's default encryption applies, which a header would replace. No
presigned URL is made, because it is a credential. (``amazon.aws.s3_object`` does all three.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .._aws import errors
from .._aws.caller import add_region_remedy, first_call, identify
from .._aws.clients import Clients
from .._aws.errors import AWS_ERRORS, ClientError, code_of
from .._failures import Failure, ValidationError, cut, invalid_option
from .._runner import Outcome
from .._wording import file_reason
from .location import Destination, PutObject, location_of

_REGION_HEADER = "x-amz-bucket-region"


def find_destination(clients: Clients, uri: str, owner: str | None) -> Destination:
    """Return the folder of a valid URI with what can be known of its bucket before an object is written.

    ``owner`` is the account that the bucket must belong to, by default that of the credentials.

    Raises:
        ValidationError: there is no such bucket, S3 cannot be reached, or the credentials cannot be read or
            are not valid.
    """
    region, bucket = clients.default_region, location_of(uri).bucket
    owner = owner or identify(clients).account_id
    with first_call("HeadBucket"):
        clients.open("s3", [region])
        region = _bucket_region(clients.client("s3", region), bucket, owner) or region
    return Destination(location_of(uri), owner, region)


def _bucket_region(s3: Any, bucket: str, owner: str) -> str | None:
    """Return the region of a bucket as HeadBucket returns it; None if it does not.

    It needs s3:ListBucket, and 403 can mean that this is not allowed, or that the bucket belongs to another
    account (botocore operation HeadBucket): writing may be allowed nevertheless. So only 404 is certain. The
    SDK follows to the region of the bucket, which even a refusal names.

    Raises:
        ValidationError: there is no such bucket.
    """
    try:
        region: str | None = s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=owner).get("BucketRegion")
    except ClientError as exception:
        if code_of(exception) == "404":
            raise ValidationError([_no_bucket(bucket)]) from exception
        headers = exception.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        region = headers.get(_REGION_HEADER)
    return region


def _no_bucket(bucket: str) -> Failure:
    return invalid_option(
        "report_s3_uri",
        f"report_s3_uri: there is no bucket {bucket}.",
        "Create it, or set the URI of another bucket.",
    )


def upload(clients: Clients, files: Mapping[str, str], destination: Destination) -> Outcome:
    """Write an object for each of the files that exists; ``files`` are paths by the name of the object.

    Each run writes all: to know whether they are the same already, the credentials would have to be allowed
    to read all reports.
    """
    written: list[PutObject] = []
    for name, path in files.items():
        try:
            body = Path(path).read_bytes()
        except FileNotFoundError:
            # The files of an earlier run with the same report, which somebody has deleted.
            continue
        except OSError as exception:
            return Outcome(tuple(written), (_unreadable(destination, f"{path}: {file_reason(exception)}"),))
        action = PutObject(destination, name)
        try:
            _put(clients, action, body)
        except AWS_ERRORS as exception:
            failed = add_region_remedy(clients, errors.failure(exception, None, "PutObject"))
            return Outcome(tuple(written), (_failure(failed, destination),))
        written.append(action)
    return Outcome(tuple(written))


def _put(clients: Clients, action: PutObject, body: bytes) -> None:
    clients.client("s3", clients.default_region).put_object(
        Bucket=action.destination.location.bucket,
        Key=action.key,
        Body=body,
        ContentType=action.content_type,
        ExpectedBucketOwner=action.destination.owner,
    )


def _unreadable(destination: Destination, reason: str) -> Failure:
    return Failure(
        f"The report was not uploaded to {destination.location.uri}: {cut(reason, 300)}.",
        "Write the report to a path that can be read.",
        "file_error",
        "report_s3_uri",
    )


def _failure(found: Failure, destination: Destination) -> Failure:
    remedy = found.remedy
    if found.error_code == "AccessDenied":
        remedy += (
            f" The bucket must belong to account {destination.owner}: set report_s3_bucket_owner if it "
            "belongs to another one."
        )
    text = f"The report was not uploaded to {destination.location.uri}: {found.message}"
    return replace(found, message=text, remedy=remedy)
