# SPDX-License-Identifier: GPL-3.0-or-later
"""Estates: keys, encryption by default, users and roles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulated_aws import estate, iam
from simulated_aws.ec2 import state
from simulated_aws.estate_document import EstateError
from simulated_aws.iam import principals
from simulated_aws.kms import keys
from simulated_aws.not_simulated import NotSimulated

ENCRYPTED_AMI = Path(estate.__file__).parent / "estates" / "encrypted_ami.yml"
OWNER, CONSUMER = "111111111111", "012345678901"
ACCOUNTS = {"owner": OWNER, "consumer": CONSUMER}
KEY: dict[str, Any] = {"account": "owner", "regions": ["us-east-1"]}


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    iam.install()
    estate.reset()
    yield
    estate.reset()


def build(**parts: Any) -> dict[str, Any]:
    built = estate.build({"accounts": ACCOUNTS, **parts})
    assert json.loads(json.dumps(built)) == built
    return built


def test_the_encrypted_estate() -> None:
    built = estate.build(yaml.safe_load(ENCRYPTED_AMI.read_text()))
    golden = built["kms_keys"]["golden"]
    assert len(golden) == 8
    assert len(set(golden.values())) == 8
    image = built["images"]["golden-web-2026.11.1"]
    snapshots = state.region("us-east-1").snapshots
    assert {snapshots[one].kms_key_id for one in image["snapshot_ids"]} == {golden["us-east-1"]}
    consumers = set(built["roles"]["golden-consumer"])
    assert consumers == set(built["service_linked_roles"]["autoscaling.amazonaws.com"])
    assert "outsider" not in consumers
    web = state.account_region(built["accounts"]["web-prod"]["account_id"], "us-east-1")
    assert (web.encryption_by_default, web.default_kms_key_id) == (
        True,
        built["kms_keys"]["web"]["us-east-1"],
    )


@pytest.mark.parametrize("wanted", ["Enabled", "Disabled", "PendingDeletion"])
def test_a_key_has_the_state_and_kind_of_the_document(wanted: str) -> None:
    parts = {"state": wanted, "spec": "RSA_2048", "usage": "ENCRYPT_DECRYPT", "alias": "alias/golden"}
    arn = build(kms_keys={"golden": {**KEY, **parts}})["kms_keys"]["golden"]["us-east-1"]
    key = keys.by_arn(arn)
    assert key is not None
    assert (key.key_state, key.key_spec, key.key_usage) == (wanted, "RSA_2048", "ENCRYPT_DECRYPT")
    found = keys.refer(OWNER, "us-east-1", "alias/golden", alias_allowed=True)
    assert found.key is key


def test_a_key_s_policy_may_name_the_document_s_roles() -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{CONSUMER}:role/golden-consumer"},
        "Action": "kms:DescribeKey",
        "Resource": "*",
    }
    roles = {"golden-consumer": {"accounts": ["consumer"], "trusts": ["owner"]}}
    key = {**KEY, "policy": {"Statement": [statement]}}
    assert build(roles=roles, kms_keys={"golden": key})["kms_keys"]["golden"]


def test_people_are_who_the_document_says() -> None:
    built = build(
        users={"auditor": {"accounts": ["owner", "consumer"]}},
        roles={"golden-consumer": {"accounts": ["consumer"], "trusts": ["owner"], "external_id": "e"}},
        service_linked_roles={"autoscaling.amazonaws.com": ["consumer"]},
    )
    auditor = built["users"]["auditor"]["consumer"]
    by_key = principals.of_access_key(auditor["access_key_id"])
    assert by_key == principals.find(auditor["arn"])
    administrator = principals.of_access_key(built["accounts"]["owner"]["access_key_id"])
    assert administrator is not None
    assert administrator.arn == f"arn:aws:iam::{OWNER}:user/administrator"
    role = principals.find(built["roles"]["golden-consumer"]["consumer"])
    assert role is not None
    assert role.unique_id.startswith("AROA")
    linked = built["service_linked_roles"]["autoscaling.amazonaws.com"]["consumer"]
    assert principals.find(linked) is not None
    keys_of_users = [one["access_key_id"] for one in built["users"]["auditor"].values()]
    assert len({*keys_of_users, *(one["access_key_id"] for one in built["accounts"].values())}) == 4


def test_an_account_built_again_keeps_its_administrator() -> None:
    first = build()["accounts"]
    assert build(users={"auditor": {"accounts": ["owner"]}})["accounts"] == first


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"kms_keys": {"golden": {**KEY, "state": "Off"}}}, "its state must be one of Enabled"),
        ({"kms_keys": {"golden": {**KEY, "spec": "RSA_1"}}}, "KMS key golden"),
        ({"kms_keys": {"golden": {**KEY, "policy": {"Statement": [{}]}}}}, "KMS key golden"),
        (
            {
                "kms_keys": {
                    "golden": {
                        **KEY,
                        "policy": {
                            "Statement": [
                                {"Effect": "Allow", "Principal": {"AWS": "888888888888"}, "Action": "kms:*"}
                            ]
                        },
                    }
                }
            },
            "invalid principals",
        ),
        ({"roles": {"r": {"accounts": ["nobody"], "trusts": ["owner"]}}}, "there is no account nobody"),
        ({"roles": {"r": {"accounts": ["owner"], "trusts": ["nobody"]}}}, "there is no account nobody"),
        ({"roles": {"r": {"accounts": ["owner"]}}}, "has no trusts"),
        ({"users": {"u": {"accounts": ["nobody"]}}}, "there is no account nobody"),
        ({"service_linked_roles": {"autoscaling.amazonaws.com": "owner"}}, "must be a list of accounts"),
        (
            {"ebs_encryption": [{"accounts": ["owner"], "regions": ["us-east-1"], "key": "k"}]},
            "unknown keys key",
        ),
        (
            {"ebs_encryption": [{"accounts": ["owner"], "regions": ["us-east-1"], "kms_key": "golden"}]},
            "there is no KMS key golden in us-east-1",
        ),
    ],
)
def test_what_a_document_may_not_say(parts: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EstateError, match=sentence):
        build(**parts)


def test_a_policy_that_isnt_simulated_is_no_estate() -> None:
    condition = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Condition": condition}
    with pytest.raises(NotSimulated, match="IpAddress"):
        build(kms_keys={"golden": {**KEY, "policy": {"Statement": [statement]}}})
