# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``report_upload``: writes the files of a report to S3.

An object is written as a whole or not at all (botocore operation PutObject). No access control list is set,
and no header for encryption: the bucket's default encryption applies, which a header would replace. No
presigned URL is made, because it is a credential. (``amazon.aws.s3_object`` does all three.)
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..aws import errors
from ..aws.caller import add_region_remedy, first_call, identify
from ..aws.clients import Clients
from ..aws.errors import AWS_ERRORS, ClientError, code_of
from ..failures import Failure, Refused
from ..plan import PlanWithoutTargets
from ..progress import Report
from ..runner import Flow, Outcome
from ..wording import file_reason
from .location import console_url
from .options import UploadOptions
from .plan import file_failure, plan
from .state import Bucket, UploadSeen

_REGION_HEADER = "x-amz-bucket-region"


def read_state(clients: Clients, wanted: UploadOptions) -> UploadSeen:
    """Read what can be known of the bucket, and the report's files.

    Raises:
        Refused: S3 cannot be reached, the credentials cannot be read or are not valid, or a file cannot be
            read.
    """
    region = clients.default_region
    owner = wanted.report_s3_bucket_owner or identify(clients).account_id
    with first_call("HeadBucket"):
        clients.open("s3", [region])
        bucket = _bucket(clients.client("s3", region), wanted.location.bucket, owner, region)
    return UploadSeen(bucket, {} if wanted.check_mode else read_contents(wanted))


def _bucket(s3: Any, name: str, owner: str, region: str) -> Bucket:
    """The bucket as HeadBucket returns it.

    It needs s3:ListBucket, and 403 can mean that this is not allowed, or that the bucket belongs to another
    account (botocore operation HeadBucket): writing may be allowed nevertheless. So only 404 is certain. The
    SDK follows to the region of the bucket, which even a refusal names.
    """
    try:
        answer = s3.head_bucket(Bucket=name, ExpectedBucketOwner=owner)
    except ClientError as exception:
        headers = exception.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return Bucket(owner, headers.get(_REGION_HEADER, region), code_of(exception) == "404")
    return Bucket(owner, answer.get("BucketRegion", region))


def read_contents(wanted: UploadOptions) -> dict[str, bytes]:
    """Return the contents of the files that exist, by path.

    Raises:
        Refused: a file cannot be read.
    """
    found = {}
    for path in wanted.files.values():
        try:
            found[path] = Path(path).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as exception:
            raise Refused([file_failure(wanted, f"{path}: {file_reason(exception)}")]) from exception
        except ValueError as exception:
            raise Refused([file_failure(wanted, "its path contains a NUL character")]) from exception
    return found


def apply(
    clients: Clients, wanted: UploadOptions, seen: UploadSeen, plan: PlanWithoutTargets, report: Report
) -> Outcome:
    """Write the objects."""
    return _put(clients, wanted, seen, plan)


def _put(clients: Clients, wanted: UploadOptions, seen: UploadSeen, plan: PlanWithoutTargets) -> Outcome:
    """Write the objects, until one cannot be written."""
    s3 = clients.client("s3", clients.default_region)
    for number, action in enumerate(plan.actions):
        try:
            s3.put_object(
                Bucket=action.location.bucket,
                Key=action.key,
                Body=action.body,
                ContentType=action.content_type,
                ExpectedBucketOwner=seen.bucket.owner,
            )
        except AWS_ERRORS as exception:
            failed = add_region_remedy(clients, errors.failure(exception, None, "PutObject"))
            return Outcome(plan.actions[:number], (_failure(failed, wanted, seen),))
    return Outcome(plan.actions)


def upload(clients: Clients, wanted: UploadOptions, bucket: Bucket) -> Outcome:
    """Upload the files as they are now; in check mode, only plan it."""
    try:
        seen = UploadSeen(bucket, {} if wanted.check_mode else read_contents(wanted))
    except Refused as refused:
        return Outcome(failures=refused.failures)
    planned = plan(wanted, seen)
    if wanted.check_mode or planned.refusals:
        return Outcome(planned.actions, planned.refusals)
    return _put(clients, wanted, seen, planned)


def _failure(found: Failure, wanted: UploadOptions, seen: UploadSeen) -> Failure:
    remedy = found.remedy
    if found.error_code == "AccessDenied":
        remedy += (
            f" The bucket must belong to account {seen.bucket.owner}: set report_s3_bucket_owner if it "
            "belongs to another one."
        )
    text = f"The report was not uploaded to {wanted.location.uri}: {found.message}"
    return replace(found, message=text, remedy=remedy)


def result(
    wanted: UploadOptions, seen: UploadSeen, plan: PlanWithoutTargets, outcome: Outcome
) -> dict[str, Any]:
    """Where the report is, or would be."""
    return place(wanted, seen.bucket)


def place(wanted: UploadOptions, bucket: Bucket) -> dict[str, Any]:
    """Return where the report is, or would be."""
    return {
        "report_s3_uri": wanted.location.uri,
        "report_url": console_url(wanted.location, bucket.region),
    }


FLOW: Flow[UploadOptions, UploadSeen] = Flow(
    UploadOptions,
    read_state,
    plan,
    apply,
    result,
    # Nothing that was there is read.
    diff=lambda *_values: {},
)
