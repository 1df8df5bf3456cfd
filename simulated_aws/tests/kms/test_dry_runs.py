# SPDX-License-Identifier: GPL-3.0-or-later
"""Dry runs of cryptographic operations, and of launches, which need identity-based policies too."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from .conftest import (
    ALLOW_EC2_ONLY,
    CONSUMER,
    CONSUMER_ROLE,
    EXTERNAL_ID,
    ROOTS,
    USE,
    assume,
    client_of,
    outcome,
    put_policy,
)

WITHOUT = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
DRY = "DryRunOperationException"


def calls(kms: Any, key: str) -> dict[str, str]:
    """How a dry run of each operation ends."""
    return {
        "Decrypt": outcome(kms.decrypt, KeyId=key, **WITHOUT),
        "ReEncrypt": outcome(kms.re_encrypt, SourceKeyId=key, DestinationKeyId=key, **WITHOUT),
        "GenerateDataKeyWithoutPlaintext": outcome(
            kms.generate_data_key_without_plaintext, KeyId=key, KeySpec="AES_256", DryRun=True
        ),
        "GenerateDataKey": outcome(kms.generate_data_key, KeyId=key, KeySpec="AES_256", DryRun=True),
        "CreateGrant": outcome(
            kms.create_grant,
            KeyId=key,
            GranteePrincipal=ROOTS[CONSUMER],
            Operations=["Decrypt"],
            DryRun=True,
        ),
    }


@pytest.mark.parametrize(
    ("operations", "allowed"),
    [
        (None, set()),
        (USE, {"Decrypt", "ReEncrypt", "GenerateDataKeyWithoutPlaintext", "GenerateDataKey", "CreateGrant"}),
        (["Decrypt", "DescribeKey"], {"Decrypt"}),
        (["ReEncryptFrom"], set()),
        (["ReEncryptFrom", "ReEncryptTo"], {"ReEncrypt"}),
    ],
)
def test_another_account_may_ask(
    aws: SimulatedAws, key: str, operations: list[str] | None, allowed: set[str]
) -> None:
    """(KMS Developer Guide, Testing your permissions.)"""
    if operations:
        aws.client("kms", "owner").create_grant(
            KeyId=key, GranteePrincipal=ROOTS[CONSUMER], Operations=operations
        )
    kms = client_of(aws, assume(aws, "owner", CONSUMER_ROLE, ExternalId=EXTERNAL_ID), "kms")
    found = calls(kms, key)
    assert {name for name, code in found.items() if code == DRY} == allowed
    assert set(found.values()) <= {DRY, "AccessDeniedException"}


def test_the_state_of_the_key_counts(aws: SimulatedAws, key: str) -> None:
    kms = aws.client("kms", "owner")
    kms.disable_key(KeyId=key)
    assert set(calls(kms, key).values()) == {"DisabledException"}


def test_operations_for_aws_services_only_are_denied_directly(aws: SimulatedAws, key: str) -> None:
    """(KMS Developer Guide, kms:GrantIsForAWSResource and kms:ViaService.)"""
    via = {"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}}
    grants = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    put_policy(
        aws,
        key,
        {"Principal": {"AWS": ROOTS[CONSUMER]}, "Action": "kms:Decrypt", "Condition": via},
        {"Principal": {"AWS": ROOTS[CONSUMER]}, "Action": "kms:CreateGrant", "Condition": grants},
    )
    found = calls(aws.client("kms", "consumer"), key)
    assert (found["Decrypt"], found["CreateGrant"]) == ("AccessDeniedException", "AccessDeniedException")


def test_without_a_ciphertext_the_key_is_named(aws: SimulatedAws) -> None:
    """(botocore shape DecryptRequest, KeyId.)"""
    assert outcome(aws.client("kms", "owner").decrypt, **WITHOUT) == "ValidationException"


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        (ALLOW_EC2_ONLY, "DryRunOperation"),
        (
            {"Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]},
            "UnauthorizedOperation",
        ),
        (
            {
                "Statement": [
                    *ALLOW_EC2_ONLY["Statement"],
                    {"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*"},
                ]
            },
            "UnauthorizedOperation",
        ),
        (
            {
                "Statement": [
                    {"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "arn:aws:ec2:*::image/*"}
                ]
            },
            "UnauthorizedOperation",
        ),
    ],
)
def test_a_launch_needs_the_caller_s_own_policies(
    aws: SimulatedAws, policy: dict[str, Any], code: str
) -> None:
    """(Service Authorization Reference, Amazon EC2: RunInstances.)"""
    disk = {"device_name": "/dev/xvda", "size": 8}
    built = aws.load_fixture(
        {
            "accounts": {"consumer": CONSUMER},
            "users": {"launching": {"accounts": ["consumer"], "policy": policy}},
            "images": {"own": {"account": "consumer", "region": "us-east-1", "devices": [disk]}},
        }
    )
    ec2 = client_of(aws, built["users"]["launching"]["consumer"], "ec2")
    launch = {"ImageId": built["images"]["own"]["image_id"], "MinCount": 1, "MaxCount": 1}
    assert outcome(ec2.run_instances, DryRun=True, **launch) == code
    assert outcome(ec2.run_instances, **launch) == ("ok" if code == "DryRunOperation" else code)


@pytest.mark.parametrize(
    ("network", "code"),
    [
        ({}, "DryRunOperation"),
        ({"InstanceType": "t4g.nano"}, "InvalidParameterValue"),
        ({"SubnetId": "subnet-00000000000000000"}, "InvalidSubnetID.NotFound"),
        ({"SecurityGroupIds": ["sg-00000000000000000"]}, "InvalidGroup.NotFound"),
    ],
)
def test_a_dry_run_looks_at_the_network(aws: SimulatedAws, network: dict[str, Any], code: str) -> None:
    """(EC2 API Reference, Error codes.)"""
    disk = {"device_name": "/dev/xvda", "size": 8}
    built = aws.load_fixture(
        {
            "accounts": {"consumer": CONSUMER},
            "images": {"own": {"account": "consumer", "region": "us-east-1", "devices": [disk]}},
        }
    )
    ec2 = aws.client("ec2", "consumer")
    launch = {"ImageId": built["images"]["own"]["image_id"], "MinCount": 1, "MaxCount": 1, "DryRun": True}
    assert outcome(ec2.run_instances, **launch, **network) == code
    own = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    assert outcome(ec2.run_instances, SubnetId=own, **launch) == "DryRunOperation"
