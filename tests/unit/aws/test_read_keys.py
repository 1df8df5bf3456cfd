# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS says of keys, turned into values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import read
from ansible_collections.golden.images.plugins.module_utils.model import Grant, Key
from botocore.exceptions import ClientError

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.wire import Wire

ARN = f"arn:aws:kms:eu-west-1:{OWNER}:key/1234abcd"
ROOT = f"arn:aws:iam::{CONSUMER}:root"


@pytest.fixture
def kms() -> Iterator[Wire]:
    with Wire("kms").spoken() as wire:
        yield wire


def metadata(**members: Any) -> dict[str, Any]:
    plain = {
        "Arn": ARN,
        "KeyId": "1234abcd",
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyState": "Enabled",
        "KeyUsage": "ENCRYPT_DECRYPT",
    }
    return {"KeyMetadata": {**plain, **members}}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param({}, Key(ARN), id="a plain key"),
        pytest.param({"KeyManager": "AWS"}, Key(ARN, aws_managed=True), id="aws/ebs"),
        pytest.param({"KeyState": "PendingDeletion"}, Key(ARN, state="PendingDeletion"), id="to be deleted"),
        pytest.param(
            {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
            Key(ARN, spec="RSA_2048", usage="SIGN_VERIFY"),
            id="for signing",
        ),
    ],
)
@pytest.mark.parametrize("named", ["alias/golden", "1234abcd", ARN])
def test_a_key_whatever_it_is_called(kms: Wire, named: str, members: dict[str, str], expected: Key) -> None:
    kms.expect("describe_key", {"KeyId": named}, metadata(**members))
    assert read.key(kms.client, named) == expected


def test_a_key_that_may_be_described(kms: Wire) -> None:
    kms.expect("describe_key", {"KeyId": ARN}, metadata())
    assert read.may_describe_key(kms.client, ARN)


@pytest.mark.parametrize("code", ["AccessDeniedException", "NotFoundException"])
def test_a_key_that_may_not_be_described(kms: Wire, code: str) -> None:
    kms.refuse("describe_key", {"KeyId": ARN}, code)
    assert not read.may_describe_key(kms.client, ARN)


def test_whether_a_key_may_be_described_is_not_guessed(kms: Wire) -> None:
    kms.refuse("describe_key", {"KeyId": ARN}, "KMSInternalException")
    with pytest.raises(ClientError):
        read.may_describe_key(kms.client, ARN)


def test_the_owner_is_in_the_arn() -> None:
    assert Key(ARN).account_id == OWNER


def entry(grant_id: str, **members: Any) -> dict[str, Any]:
    return {
        "GrantId": grant_id,
        "GranteePrincipal": ROOT,
        "Operations": ["Decrypt", "CreateGrant"],
        **members,
    }


BOTH = frozenset({"Decrypt", "CreateGrant"})


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param({}, Grant("g-1", ROOT, BOTH), id="without a name"),
        pytest.param({"Name": "golden-images:0"}, Grant("g-1", ROOT, BOTH, "golden-images:0"), id="named"),
        pytest.param(
            {"Constraints": {"EncryptionContextSubset": {"a": "b"}}},
            Grant("g-1", ROOT, BOTH, constrained=True),
            id="constrained",
        ),
        pytest.param({"Constraints": {}}, Grant("g-1", ROOT, BOTH), id="constrained by nothing"),
        pytest.param(
            {"GranteePrincipal": "AROAEXAMPLE"}, Grant("g-1", "AROAEXAMPLE", BOTH), id="a deleted role"
        ),
    ],
)
def test_a_grant(kms: Wire, members: dict[str, Any], expected: Grant) -> None:
    kms.expect("list_grants", {"KeyId": ARN, "Limit": 100}, {"Grants": [entry("g-1", **members)]})
    assert read.grants(kms.client, ARN) == (expected,)


def test_every_page_of_grants_is_read(kms: Wire) -> None:
    kms.expect(
        "list_grants",
        {"KeyId": ARN, "Limit": 100},
        {"Grants": [entry("g-1")], "Truncated": True, "NextMarker": "more"},
    )
    # KMS may give a page without grants and go on.
    kms.expect(
        "list_grants",
        {"KeyId": ARN, "Limit": 100, "Marker": "more"},
        {"Grants": [], "Truncated": True, "NextMarker": "still"},
    )
    kms.expect("list_grants", {"KeyId": ARN, "Limit": 100, "Marker": "still"}, {"Grants": [entry("g-2")]})
    assert [grant.grant_id for grant in read.grants(kms.client, ARN)] == ["g-1", "g-2"]


def test_a_policy_is_the_text_that_aws_keeps(kms: Wire) -> None:
    text = '{ "Statement" :[]}\n'
    kms.expect("get_key_policy", {"KeyId": ARN, "PolicyName": "default"}, {"Policy": text})
    assert read.key_policy(kms.client, ARN) == text


@pytest.mark.parametrize("on", [True, False])
def test_encryption_by_default(ec2: Wire, on: bool) -> None:
    ec2.expect("get_ebs_encryption_by_default", {}, {"EbsEncryptionByDefault": on})
    assert read.encryption_by_default(ec2.client) is on


def test_the_default_key(ec2: Wire) -> None:
    ec2.expect("get_ebs_default_kms_key_id", {}, {"KmsKeyId": "alias/aws/ebs"})
    assert read.default_key_id(ec2.client) == "alias/aws/ebs"
