# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a request may use an existing bucket: its Region, the expected owner, and other accounts.

Sources: S3 API Reference, "List of error codes"; botocore operation HeadBucket, and its handler
S3RegionRedirectorv2, which reads the Region of the bucket from the response; S3 User Guide, "Verifying bucket
ownership with bucket owner condition", and "How Amazon S3 authorizes a request": another account needs the
permission of both accounts. The caller's own policies are evaluated for all services alike. S3 API Reference,
GetObject, "Permissions": without s3:ListBucket, S3 denies access to an object that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from moto.s3.models import FakeBucket, s3_backends

from ..ec2.access import Caller
from ..ec2.authorization import refusal as policy_refusal
from ..ec2.authorization import request
from ..iam import policies
from ..iam.principals import Principal

OWNER_HEADER = "x-amz-expected-bucket-owner"
REGION_HEADER = "x-amz-bucket-region"


class Refusal(NamedTuple):
    """An error: HTTP status, code, message and headers."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = {}


class Access(NamedTuple):
    """A request: its caller, an IAM action such as `s3:PutObject`, a bucket and the key of an object."""

    principal: Principal
    region: str
    action: str
    bucket: str
    key: str
    expected_owner: str


def refusal(access: Access) -> Refusal | None:
    """The error of a request to a bucket; None if it may be handled, or there is no such bucket."""
    owner = s3_backends.bucket_accounts.get(access.bucket)
    if owner is None:
        return None
    partition, account_id = owner
    bucket = s3_backends[account_id][partition].buckets[access.bucket]
    if access.region != bucket.region_name:
        return Refusal(
            301,
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please "
            "send all future requests to this endpoint.",
            {REGION_HEADER: bucket.region_name},
        )
    if access.expected_owner not in ("", account_id):
        return Refusal(403, "AccessDenied", "Access Denied")
    if access.principal.account_id != account_id and not _shared(bucket, access):
        return Refusal(403, "AccessDenied", "Access Denied")
    is_missing = access.action == "s3:GetObject" and access.key not in bucket.keys
    if is_missing and access.principal.account_id == account_id:
        resource = f"arn:{partition}:s3:::{access.bucket}"
        if policy_refusal(request(Caller(account_id, access.region), "s3:ListBucket", resource)):
            return Refusal(403, "AccessDenied", "Access Denied")
    return None


def _shared(bucket: FakeBucket, access: Access) -> bool:
    """Whether the policy of the bucket allows another account's request."""
    text = bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy
    if not text:
        return False
    principal = access.principal
    statements = [
        (one, frozenset(_id(entry, principal) for entry in one.principals or ()))
        for one in policies.read(text, of_resource=True)
    ]
    resource = f"arn:{principal.partition}:s3:::{access.bucket}" + (f"/{access.key}" if access.key else "")
    asked = request(Caller(principal.account_id, access.region), access.action, resource)
    decision = policies.evaluate(statements, asked)
    return (decision.allows or decision.allows_account) and not decision.denies


def _id(entry: str, principal: Principal) -> str:
    """The ID of a principal in a policy: `*`, an account ID, or the unique ID of the caller."""
    if entry == principal.arn:
        return principal.unique_id
    return entry.split(":")[4] if entry.endswith(":root") else entry
