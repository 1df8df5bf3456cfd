# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy that denies a request, by AWS's messages (IAM User Guide, "Troubleshoot access denied ...")."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._denial import (
    FAILS_AGAIN,
    Denial,
    denied_action,
    describe,
    is_unsettled,
    is_without_permission,
    read_denial,
    remedy,
    remedy_of_launch,
)

USER = "User: arn:aws:sts::222222222222:assumed-role/golden/release is not authorized to perform:"
SCP = "arn:aws:organizations::333333333333:policy/o-a1b2c3d4e5/service_control_policy/p-examplepolicy"
# KMS, for a key of another account.
UNNAMED = (
    f"{USER} kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/1 because the resource does not "
    "exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly "
    "denies access"
)

OF_THE_RESOURCE = (
    "The policy of the resource must allow it, too: of a KMS key, its key policy, which can leave that to "
    "IAM policies."
)
OF_THE_ORGANIZATION = "of the account's organization, or do what it requires: no IAM policy overrides it."


def launching(why: str) -> str:
    """EC2's message (aws/karpenter-provider-aws#7370)."""
    return (
        f"You are not authorized to perform this operation. {USER} ec2:RunInstances on resource: "
        f"arn:aws:ec2:us-east-2:123456789012:instance/* {why}. Encoded authorization failure message: g4oZPB"
    )


@pytest.mark.parametrize(
    ("why", "expected"),
    [
        ("with an explicit deny in a service control policy", Denial("service control policy", True)),
        (
            f"with an explicit deny in a service control policy: {SCP}",
            Denial("service control policy", True, SCP),
        ),
        ("with an explicit deny in a resource control policy", Denial("resource control policy", True)),
        ("with an explicit deny in an identity-based policy", Denial("identity-based policy", True)),
        ("with an explicit deny in a resource-based policy", Denial("resource-based policy", True)),
        ("with an explicit deny in a permissions boundary", Denial("permissions boundary", True)),
        ("with an explicit deny in a VPC endpoint policy", Denial("VPC endpoint policy", True)),
        (
            "because no identity-based policy allows the ec2:RunInstances action",
            Denial("identity-based policy", False),
        ),
        (
            "because no service control policy allows the ec2:RunInstances action",
            Denial("service control policy", False),
        ),
        (
            "because no permissions boundary allows the ec2:RunInstances action",
            Denial("permissions boundary", False),
        ),
        ("", None),
    ],
)
def test_read_denial(why: str, expected: Denial | None) -> None:
    assert read_denial(launching(why)) == expected


def test_a_key_policy_may_be_missing_where_kms_names_no_policy() -> None:
    message = "User: arn:aws:iam::111122223333:user/golden is not authorized to perform: kms:CreateGrant on "
    assert remedy(message + "arn:aws:kms:eu-west-1:111122223333:key/1", "Allow it.") == (
        f"Allow it. {OF_THE_RESOURCE}"
    )
    by_iam = f"{message}arn because no identity-based policy allows the kms:CreateGrant action"
    assert remedy(by_iam, "Allow it.") == "Allow it."


def test_a_message_that_names_no_policy() -> None:
    assert read_denial(UNNAMED) is None
    assert describe(UNNAMED) == ""
    assert remedy(UNNAMED, "Allow it.") == f"Allow it. {OF_THE_RESOURCE}"


@pytest.mark.parametrize(
    ("why", "expected"),
    [
        ("because no identity-based policy allows the ec2:RunInstances action", "Allow it."),
        (
            "because no resource-based policy allows the ec2:RunInstances action",
            f"Allow it. {OF_THE_RESOURCE}",
        ),
        (
            "with an explicit deny in an identity-based policy",
            "Change the statement that denies it in the identity-based policy: it overrides any allow.",
        ),
        (
            f"with an explicit deny in a service control policy: {SCP}",
            f"Change the service control policy ({SCP}) {OF_THE_ORGANIZATION}",
        ),
        (
            "because no service control policy allows the ec2:RunInstances action",
            f"Change the service control policy {OF_THE_ORGANIZATION}",
        ),
        (
            "with an explicit deny in a permissions boundary",
            "Change the permissions boundary of the role or user.",
        ),
    ],
)
def test_remedy(why: str, expected: str) -> None:
    assert remedy(launching(why), "Allow it.") == expected


@pytest.mark.parametrize(
    ("why", "ends"),
    [
        (
            "with an explicit deny in a service control policy",
            "Ask. If it requires tags of launches, set launch_tags.",
        ),
        ("with an explicit deny in an identity-based policy", "set launch_tags."),
        ("because no identity-based policy allows the ec2:RunInstances action", "Ask."),
        ("", "Ask."),
    ],
)
def test_a_statement_that_denies_a_launch_may_require_tags(why: str, ends: str) -> None:
    assert remedy_of_launch(launching(why), "Ask.").endswith(ends)


@pytest.mark.parametrize(
    ("why", "expected"),
    [
        (
            f"with an explicit deny in a service control policy: {SCP}",
            f" with an explicit deny in the service control policy ({SCP})",
        ),
        (
            "with an explicit deny in an identity-based policy",
            " with an explicit deny in the identity-based policy",
        ),
        (
            "because no session policy allows the ec2:RunInstances action",
            " because no session policy allows it",
        ),
    ],
)
def test_described(why: str, expected: str) -> None:
    assert describe(launching(why)) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("UnauthorizedOperation", True),
        ("ExpiredTokenException", True),
        ("CredentialRetrievalError", True),
        ("LoginRefreshRequired", True),
        ("NoCredentialsError", True),
        ("UnauthorizedSSOTokenError", True),
        ("EndpointConnectionError", False),
        ("ThrottlingException", False),
    ],
)
def test_reads_that_fail_again_as_they_are(code: str, expected: bool) -> None:
    assert (code in FAILS_AGAIN) is expected


def test_the_denied_action_is_the_one_that_the_message_names() -> None:
    message = f"{USER} ec2:CreateTags on resource: arn:aws:ec2:us-east-1:111122223333:instance/*"
    assert denied_action(message, "ec2:RunInstances") == "ec2:CreateTags"
    assert denied_action("Access Denied", "ec2:RunInstances") == "ec2:RunInstances"


@pytest.mark.parametrize(
    ("code", "message", "without", "unsettled"),
    [
        ("AuthFailure", "Not authorized for images: [ami-1]", True, True),
        ("AuthFailure", "Not authorized for image:ami-1", False, False),
        ("AuthFailure", "AWS was not able to validate the provided access credentials", False, False),
        ("UnauthorizedOperation", "Not authorized for images: [ami-1]", False, False),
        ("InvalidAMIID.NotFound", "No.", False, True),
        ("InvalidAMIID.Unavailable", "No.", False, True),
        ("InvalidSubnetID.NotFound", "No.", False, False),
    ],
)
def test_a_launch_without_permission_and_one_that_may_be_too_early(
    code: str, message: str, without: bool, unsettled: bool
) -> None:
    """(Orange-Cyberdefense/GOAD#304, hashicorp/otto#68.)"""
    assert is_without_permission(code, message) is without
    assert is_unsettled(code, message) is unsettled
