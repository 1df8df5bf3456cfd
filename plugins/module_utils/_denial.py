# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the policy that denies a request, as far as AWS's message names it.

Source: IAM User Guide, "Troubleshoot access denied error messages". AWS names one type of policy, even if
several deny the request. For a key of another account, KMS usually names none, and so does not reveal
whether the key exists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# The codes with which AWS refuses a request that no policy allows: of the query protocol, of JSON, of EC2.
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
# Those with which it refuses credentials that have expired: of the query protocol and S3, of JSON, of EC2.
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
# Botocore's exceptions for credentials that it cannot find, read, get or renew. Older versions lack some.
NO_CREDENTIALS = frozenset(
    {
        *("CredentialRetrievalError", "NoCredentialsError", "PartialCredentialsError"),
        *("InfiniteLoopConfigError", "InvalidConfigError", "UnknownCredentialError"),
        *("LoginAuthorizationCodeError", "LoginError", "LoginInsufficientPermissions"),
        *("LoginRefreshRequired", "LoginTokenLoadError", "NoAuthTokenError", "TokenRetrievalError"),
        *("MissingDependencyException", "RefreshWithMFAUnsupportedError"),
        *("SSOError", "SSOTokenLoadError", "UnauthorizedSSOTokenError"),
    }
)
# Denied reads stay denied, and credentials stay expired.
FAILS_AGAIN = DENIED | EXPIRED | NO_CREDENTIALS

# EC2 Developer Guide, "Error codes for the Amazon EC2 API": an image that is not known, or pending.
UNSETTLED = frozenset({"InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"})
# Reported of launches: Orange-Cyberdefense/GOAD#304, hashicorp/otto#68.
_NO_PERMISSION = re.compile(r"Not authorized for images\b")

_POLICY = r"(?P<policy>[A-Za-z -]*?(?:policy|permissions boundary))"
_EXPLICIT = re.compile(rf"with an explicit deny in an? {_POLICY}(?:: (?P<arn>arn:\S*[^\s.,;]))?(?![A-Za-z])")
_IMPLICIT = re.compile(rf"because no {_POLICY} allows")

# Each takes the policy's ARN in parentheses, or nothing.
_REMEDIES = {
    "service control policy": (
        "Change the service control policy{arn} of the account's organization, or do what it requires: no "
        "IAM policy overrides it."
    ),
    "resource control policy": (
        "Change the resource control policy{arn} of the organization of the resource's owner: no IAM policy "
        "overrides it."
    ),
    "permissions boundary": "Change the permissions boundary{arn} of the role or user.",
    "session policy": "Change the session policy{arn} with which the role is assumed.",
    "VPC endpoint policy": "Change the policy of the VPC endpoint{arn} through which the request is sent.",
}


_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9]+)")
_OF_RESOURCE = (
    " The policy of the resource must allow it, too: of a KMS key, its key policy, which can leave that to "
    "IAM policies."
)


@dataclass(frozen=True)
class Denial:
    """Type of the policy that denies a request, as AWS names it, and its ARN if AWS returns that.

    ``explicit`` is whether a statement denies the request. Otherwise no statement allows it.
    """

    policy: str
    explicit: bool
    arn: str | None = None


_NO_RESOURCE_POLICY = Denial("resource-based policy", False)


def read_denial(message: str) -> Denial | None:
    """Return the denial that AWS's message describes; None if it names no policy."""
    if explicit := _EXPLICIT.search(message):
        return Denial(explicit["policy"], True, explicit["arn"])
    implicit = _IMPLICIT.search(message)
    return Denial(implicit["policy"], False) if implicit else None


def remedy(message: str, allow: str) -> str:
    """Return what to change so that AWS allows the request; ``allow`` if an IAM policy has to allow it.

    ``allow`` is also the result if the message names no policy. If the resource may lack a policy, that is
    added: IAM policies have no effect unless the key policy enables them (KMS Developer Guide, "Key policies
    in AWS KMS").
    """
    denial = read_denial(message)
    if denial is None:
        return allow + _OF_RESOURCE if denied_action(message, "").startswith("kms:") else allow
    if denial == _NO_RESOURCE_POLICY:
        return allow + _OF_RESOURCE
    arn = f" ({denial.arn})" if denial.arn else ""
    if denial.policy in _REMEDIES:
        return _REMEDIES[denial.policy].format(arn=arn)
    if denial.explicit:
        return f"Change the statement that denies it in the {denial.policy}{arn}: it overrides any allow."
    return allow


def remedy_of_launch(message: str, cure: str) -> str:
    """Return ``cure`` for a denied launch. The statement that denies it may only require tags."""
    denial = read_denial(message)
    is_explicit = denial is not None and denial.explicit
    return f"{cure} If it requires tags of launches, set launch_tags." if is_explicit else cure


def denied_action(message: str, default: str) -> str:
    """Return the action that AWS's message says is denied, ``default`` if it names none.

    It is not always the operation that was called: CopyImage and RunInstances with tags also need
    ec2:CreateTags.
    """
    match = _ACTION.search(message)
    return match[1] if match else default


def describe(message: str) -> str:
    """Return the denial for use in a sentence, with a leading space; empty if the message names no policy."""
    denial = read_denial(message)
    if denial is None:
        return ""
    arn = f" ({denial.arn})" if denial.arn else ""
    if denial.explicit:
        return f" with an explicit deny in the {denial.policy}{arn}"
    return f" because no {denial.policy} allows it"


def is_without_permission(code: str, message: str) -> bool:
    """Whether EC2 refuses a launch because the account has no launch permission for the image.

    The code says less: it is also that of credentials that are not valid.
    """
    return code == "AuthFailure" and _NO_PERMISSION.search(message) is not None


def is_unsettled(code: str, message: str) -> bool:
    """Whether EC2 may refuse an image that the account sees only because a change has not reached it yet."""
    return code in UNSETTLED or is_without_permission(code, message)
