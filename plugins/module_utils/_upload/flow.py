# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the files of a report to S3.

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
from .._failures import Failure, ValidationError, invalid_option
from .._runner import Outcome
from .._wording import file_reason
from .location import Destination, PutObject, parse_uri

_REGION_HEADER = "x-amz-bucket-region"


def find_destination(clients: Clients, uri: str, owner: str | None) -> Destination:
    """Return the folder of a valid URI, with the region of its bucket if it can be read.

    ``owner`` is the account that the bucket must belong to, by default that of the credentials.

    Raises:
        ValidationError: there is no such bucket, S3 cannot be reached, or the credentials cannot be read or
            are not valid.
    """
    region, bucket = clients.default_region, parse_uri(uri).bucket
    owner = owner or identify(clients).account_id
    with first_call("HeadBucket"):
        clients.open("s3", [region])
        region = _bucket_region(clients.client("s3", region), bucket, owner) or region
    return Destination(parse_uri(uri), owner, region)


def _bucket_region(s3: Any, bucket: str, owner: str) -> str | None:
    """Return the region of a bucket as HeadBucket returns it; None if it does not.

    Only 404 is certain: 403 can mean that s3:ListBucket is not allowed, or that the bucket belongs to another
    account (botocore operation HeadBucket), although writing may be allowed. The SDK repeats the request in
    the region of the bucket, which even a refusal names.

    Raises:
        ValidationError: there is no such bucket.
    """
    try:
        region: str | None = s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=owner).get("BucketRegion")
    except ClientError as exception:
        if code_of(exception) == "404":
            raise ValidationError([_report_missing_bucket(bucket)]) from exception
        headers = exception.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        region = headers.get(_REGION_HEADER)
    return region


def _report_missing_bucket(bucket: str) -> Failure:
    return invalid_option(
        "report_s3_uri",
        f"report_s3_uri: there is no bucket {bucket}.",
        "Create it, or set the URI of another bucket.",
    )


def upload(clients: Clients, files: Mapping[str, str], destination: Destination) -> Outcome:
    """Write an object for each file that exists; ``files`` are paths by the name of the object.

    Each run writes all of them: a comparison would need the permission to read all reports.
    """
    written: list[PutObject] = []
    for name, path in files.items():
        try:
            body = Path(path).read_bytes()
        except FileNotFoundError:
            # A file of an earlier run with the same report may have been deleted since.
            continue
        except OSError as exception:
            return Outcome(
                tuple(written), (_report_unreadable_file(destination, f"{path}: {file_reason(exception)}"),)
            )
        action = PutObject(destination, name)
        try:
            _put(clients, action, body)
        except AWS_ERRORS as exception:
            failure = add_region_remedy(clients, errors.failure(exception, None, "PutObject"))
            return Outcome(tuple(written), (_add_remedy(failure, destination),))
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


def _report_unreadable_file(destination: Destination, reason: str) -> Failure:
    return Failure(
        f"The report was not uploaded to {destination.location.uri}: {reason}.",
        "Write the report to a path that can be read.",
        "file_error",
        "report_s3_uri",
    )


def _add_remedy(failure: Failure, destination: Destination) -> Failure:
    remedy = failure.remedy
    if failure.error_code == "AccessDenied":
        remedy += (
            f" The bucket must belong to account {destination.owner}: set report_s3_bucket_owner if it "
            "belongs to another one."
        )
    text = f"The report was not uploaded to {destination.location.uri}: {failure.message}"
    return replace(failure, message=text, remedy=remedy)
