# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeKey, key states, AWS managed keys, and the actions that moto implements."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from .conftest import (
    AUDITOR,
    CONSUMER,
    OUTSIDER,
    OWNER,
    ROOTS,
    USE,
    client_of,
    error_code,
    message,
    put_policy,
)


def names_of(key: str) -> dict[str, str]:
    return {
        "id": key.rpartition("/")[2],
        "arn": key,
        "alias": "alias/golden",
        "alias arn": key.partition(":key/")[0] + ":alias/golden",
    }


@pytest.mark.parametrize("kind", ["id", "arn", "alias", "alias arn"])
def test_a_key_has_four_names(aws: SimulatedAws, key: str, kind: str) -> None:
    """(botocore shape DescribeKeyRequest, KeyId.)"""
    found = aws.client("kms", "owner").describe_key(KeyId=names_of(key)[kind])["KeyMetadata"]
    assert found["Arn"] == key
    assert (found["KeyManager"], found["KeyState"], found["KeySpec"], found["KeyUsage"]) == (
        "CUSTOMER",
        "Enabled",
        "SYMMETRIC_DEFAULT",
        "ENCRYPT_DECRYPT",
    )
    assert (found["AWSAccountId"], found["MultiRegion"], found["Enabled"]) == (OWNER, False, True)
    assert "SigningAlgorithms" not in found


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("id", "NotFoundException"),
        ("alias", "NotFoundException"),
        ("arn", None),
        ("alias arn", None),
    ],
)
def test_a_key_of_another_account_has_its_arns_only(
    aws: SimulatedAws, key: str, kind: str, code: str | None
) -> None:
    put_policy(aws, key, {"Principal": {"AWS": ROOTS[CONSUMER]}, "Action": "kms:DescribeKey"})
    kms = aws.client("kms", "consumer")
    name = names_of(key)[kind]
    if code:
        assert error_code(kms.describe_key, KeyId=name) == code
    else:
        assert kms.describe_key(KeyId=name)["KeyMetadata"]["Arn"] == key


def test_whether_a_key_exists_is_hidden_from_other_accounts(aws: SimulatedAws, key: str) -> None:
    kms = aws.client("kms", "outsider")
    existing = message(kms.describe_key, KeyId=key)
    absent = message(kms.describe_key, KeyId=key[:-4] + "0000")
    assert existing.replace(key[-4:], "0000") == absent
    assert "the resource does not exist in this Region" in existing
    assert error_code(kms.describe_key, KeyId=key) == "AccessDeniedException"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("alias/none", "NotFoundException"),
        ("0c1d8aa4-0000-4000-8000-000000000000", "NotFoundException"),
        ("golden", "NotFoundException"),
        ("arn:aws:kms:eu-west-1:111111111111:alias/golden", "NotFoundException"),
        ("arn:aws:s3:::bucket", "InvalidArnException"),
        ("k" * 2049, "ValidationException"),
    ],
)
def test_what_names_no_key(aws: SimulatedAws, name: str, code: str) -> None:
    """(botocore operation DescribeKey: its errors.)"""
    assert error_code(aws.client("kms", "owner").describe_key, KeyId=name) == code


def test_an_alias_is_invalid_where_a_key_id_is_required(aws: SimulatedAws) -> None:
    """(botocore shapes ListGrantsRequest, GetKeyPolicyRequest: key ID or key ARN.)"""
    kms = aws.client("kms", "owner")
    assert error_code(kms.list_grants, KeyId="alias/golden") == "NotFoundException"
    assert error_code(kms.get_key_policy, KeyId="alias/golden") == "NotFoundException"


STATES = {
    "Disabled": lambda kms, key: kms.disable_key(KeyId=key),
    "PendingDeletion": lambda kms, key: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7),
}


@pytest.mark.parametrize(
    ("state", "operation", "params", "code"),
    [
        (
            "Disabled",
            "create_grant",
            {"GranteePrincipal": ROOTS[CONSUMER], "Operations": USE},
            "DisabledException",
        ),
        ("Disabled", "encrypt", {"Plaintext": b"x"}, "DisabledException"),
        ("Disabled", "describe_key", {}, None),
        ("Disabled", "list_grants", {}, None),
        ("Disabled", "get_key_policy", {}, None),
        ("Disabled", "enable_key", {}, None),
        (
            "PendingDeletion",
            "create_grant",
            {"GranteePrincipal": ROOTS[CONSUMER], "Operations": USE},
            "KMSInvalidStateException",
        ),
        ("PendingDeletion", "encrypt", {"Plaintext": b"x"}, "KMSInvalidStateException"),
        ("PendingDeletion", "enable_key", {}, "KMSInvalidStateException"),
        ("PendingDeletion", "schedule_key_deletion", {}, "KMSInvalidStateException"),
        ("PendingDeletion", "describe_key", {}, None),
        ("PendingDeletion", "list_grants", {}, None),
        ("PendingDeletion", "get_key_policy", {}, None),
        ("PendingDeletion", "cancel_key_deletion", {}, None),
    ],
)
def test_a_state_forbids(
    aws: SimulatedAws, key: str, state: str, operation: str, params: dict[str, Any], code: str | None
) -> None:
    """(KMS Developer Guide, Key states of AWS KMS keys, the table and its notes.)"""
    kms = aws.client("kms", "owner")
    STATES[state](kms, key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == state
    call = getattr(kms, operation)
    if code:
        assert error_code(call, KeyId=key, **params) == code
    else:
        call(KeyId=key, **params)


def test_deletion_is_cancelled_only_while_it_is_pending(aws: SimulatedAws, key: str) -> None:
    assert error_code(aws.client("kms", "owner").cancel_key_deletion, KeyId=key) == "KMSInvalidStateException"


ALIAS_CALLS = [
    ("create_alias", {"AliasName": "golden", "TargetKeyId": "id"}, "ValidationException"),
    ("create_alias", {"AliasName": "alias/aws/golden", "TargetKeyId": "id"}, "NotAuthorizedException"),
    ("create_alias", {"AliasName": "alias/new", "TargetKeyId": "alias"}, "ValidationException"),
    ("create_alias", {"AliasName": "alias/new", "TargetKeyId": "alias arn"}, "ValidationException"),
    ("update_alias", {"AliasName": "alias/golden", "TargetKeyId": "alias"}, "ValidationException"),
    ("delete_alias", {"AliasName": "golden"}, "ValidationException"),
    ("delete_alias", {"AliasName": "alias/unknown"}, "NotFoundException"),
]


@pytest.mark.parametrize(("operation", "params", "code"), ALIAS_CALLS, ids=str)
def test_what_is_no_alias(
    aws: SimulatedAws, key: str, operation: str, params: dict[str, str], code: str
) -> None:
    """(KMS Developer Guide, Aliases; botocore shape CreateAliasRequest.)"""
    kms = aws.client("kms", "owner")
    named = {name: names_of(key).get(value, value) for name, value in params.items()}
    before = kms.list_aliases(KeyId=key)["Aliases"]
    assert error_code(getattr(kms, operation), **named) == code
    assert kms.list_aliases(KeyId=key)["Aliases"] == before


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("enable_key_rotation", {}),
        ("get_key_rotation_status", {}),
        ("disable_key", {}),
        ("schedule_key_deletion", {}),
        ("tag_resource", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        ("update_key_description", {"Description": "new"}),
    ],
)
def test_a_key_to_manage_is_not_named_by_its_alias(
    aws: SimulatedAws, key: str, operation: str, params: dict[str, Any]
) -> None:
    """(botocore shape EnableKeyRotationRequest, KeyId, and so on: the key ID or key ARN.)"""
    call = getattr(aws.client("kms", "owner"), operation)
    assert error_code(call, KeyId=names_of(key)["alias"], **params) == "NotFoundException"
    call(KeyId=key, **params)


def test_the_ebs_key_is_created_at_its_first_use(aws: SimulatedAws) -> None:
    """(botocore operation DescribeKey: predefined aliases; KMS Developer Guide, AWS managed keys.)"""
    kms = aws.client("kms", "consumer")
    assert kms.list_keys()["Keys"] == []
    found = kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]
    assert found["KeyManager"] == "AWS"
    assert kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"] == found
    ec2 = aws.client("ec2", "consumer")
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == found["Arn"]
    other_region = aws.client("kms", "consumer", "us-west-2").describe_key(KeyId="alias/aws/ebs")
    assert other_region["KeyMetadata"]["Arn"] != found["Arn"]


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("put_key_policy", {"Policy": json.dumps({"Statement": []})}),
        ("create_grant", {"GranteePrincipal": ROOTS[CONSUMER], "Operations": USE}),
        ("disable_key", {}),
        ("schedule_key_deletion", {}),
    ],
)
def test_the_key_of_ebs_isnt_its_account_s_to_change(
    aws: SimulatedAws, operation: str, params: dict[str, Any]
) -> None:
    """(KMS Developer Guide, AWS managed keys: you can't manage them or change their key policies.)"""
    kms = aws.client("kms", "owner")
    key_id = kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["KeyId"]
    assert error_code(getattr(kms, operation), KeyId=key_id, **params) == "AccessDeniedException"
    assert "kms:ViaService" in kms.get_key_policy(KeyId=key_id)["Policy"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"KeySpec": "RSA_2048"}, "ValidationException"),
        ({"KeySpec": "RSA_1024", "KeyUsage": "SIGN_VERIFY"}, "ValidationException"),
        ({"Policy": "{"}, "MalformedPolicyDocumentException"),
        ({"Policy": json.dumps({"Statement": []})}, "MalformedPolicyDocumentException"),
    ],
)
def test_invalid_create_key_requests(aws: SimulatedAws, params: dict[str, Any], code: str) -> None:
    """(botocore operation CreateKey.)"""
    kms = aws.client("kms", "consumer")
    assert error_code(kms.create_key, **params) == code
    assert kms.list_keys()["Keys"] == []


def test_a_new_key_is_its_account_s(aws: SimulatedAws) -> None:
    kms = aws.client("kms", "consumer")
    made = kms.create_key(Description="own")["KeyMetadata"]
    kms.create_alias(AliasName="alias/own", TargetKeyId=made["KeyId"])
    assert kms.describe_key(KeyId="alias/own")["KeyMetadata"]["Arn"] == made["Arn"]
    assert error_code(aws.client("kms", "owner").describe_key, KeyId=made["Arn"]) == "AccessDeniedException"


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("create_key", {}),
        ("describe_key", {"KeyId": "alias/golden"}),
        ("disable_key", {"KeyId": None}),
        ("encrypt", {"KeyId": None, "Plaintext": b"x"}),
        ("list_grants", {"KeyId": None}),
        ("get_key_policy", {"KeyId": None}),
        ("create_grant", {"KeyId": None, "GranteePrincipal": AUDITOR, "Operations": USE}),
    ],
)
def test_a_key_policy_for_the_account_needs_an_iam_policy(
    aws: SimulatedAws, key: str, operation: str, params: dict[str, Any]
) -> None:
    """(KMS Developer Guide, Default key policy: allows access to the account and enables IAM policies.)"""
    kms = client_of(aws, aws.description()["users"]["auditor"]["owner"], "kms")
    named = {name: key if value is None else value for name, value in params.items()}
    assert error_code(getattr(kms, operation), **named) == "AccessDeniedException"


def test_moto_encrypts_and_decrypts_for_authorized_principals(aws: SimulatedAws, key: str) -> None:
    kms = aws.client("kms", "owner")
    blob = kms.encrypt(KeyId="alias/golden", Plaintext=b"secret")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    auditor = client_of(aws, aws.description()["users"]["auditor"]["owner"], "kms")
    assert error_code(auditor.decrypt, CiphertextBlob=blob) == "AccessDeniedException"
    kms.disable_key(KeyId=key)
    assert error_code(kms.decrypt, CiphertextBlob=blob) == "DisabledException"


def test_direct_use_of_another_account_s_key_is_said_not_to_be_simulated(aws: SimulatedAws, key: str) -> None:
    kms = aws.client("kms", "consumer")
    assert error_code(kms.encrypt, KeyId=key, Plaintext=b"x") == "UnknownOperationException"


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("describe_key", {}),
        ("list_grants", {}),
        ("get_key_policy", {}),
        ("put_key_policy", {"Policy": "{}"}),
        ("create_grant", {"GranteePrincipal": ROOTS[OUTSIDER], "Operations": USE}),
        ("revoke_grant", {"GrantId": "0" * 64}),
        ("disable_key", {}),
        ("schedule_key_deletion", {}),
        ("tag_resource", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
    ],
)
def test_an_outsider_is_denied_everywhere(
    aws: SimulatedAws, key: str, operation: str, params: dict[str, Any]
) -> None:
    put_policy(
        aws,
        key,
        {"Principal": {"AWS": ROOTS[CONSUMER]}, "Action": "kms:*"},
        {
            "Principal": "*",
            "Action": "kms:*",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": aws.description()["organization"]["id"]}},
        },
    )
    call = getattr(aws.client("kms", "outsider"), operation)
    assert error_code(call, KeyId=key, **params) == "AccessDeniedException"
