# SPDX-License-Identifier: GPL-3.0-or-later
"""Estates: what a document becomes, and what it may not say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulated_aws import estate
from simulated_aws.ec2 import state
from simulated_aws.estate_document import EstateError
from simulated_aws.organizations import memberships
from simulated_aws.settings import SETTINGS

TWO_DISK_AMI = Path(estate.__file__).parent / "estates" / "two_disk_ami.yml"
ACCOUNTS = {"management": "100000000001", "images": "012345678901"}
IMAGE = {"account": "images", "region": "us-east-1", "devices": [{"device_name": "/dev/xvda", "size": 8}]}


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    estate.reset()
    yield
    estate.reset()


def test_the_two_disk_estate() -> None:
    built = estate.build(yaml.safe_load(TWO_DISK_AMI.read_text()))
    assert json.loads(json.dumps(built)) == built
    accounts = {name: account["account_id"] for name, account in built["accounts"].items()}
    assert any(account_id.startswith("0") for account_id in accounts.values())
    assert len(built["images"]["golden-web-2026.11.1"]["snapshot_ids"]) == 2
    units = built["organization"]["units"]
    assert memberships(accounts["data-dev"]) == {
        built["organization"]["arn"],
        units["workloads"]["arn"],
        units["workloads/nonprod"]["arn"],
        units["workloads/nonprod/dev"]["arn"],
    }
    assert memberships(accounts["sandbox"]) == {built["organization"]["arn"]}
    assert memberships(accounts["management"]) == {built["organization"]["arn"]}
    assert memberships(accounts["partner"]) == frozenset()
    root = f"{built['organization']['id']}/{built['organization']['root_id']}"
    nested = "/".join(
        units[path]["id"] for path in ("workloads", "workloads/nonprod", "workloads/nonprod/dev")
    )
    assert units["workloads/nonprod/dev"]["org_path"] == f"{root}/{nested}/"
    assert "ap-east-1" in SETTINGS.not_opted_in_regions


def test_access_keys_are_the_same_every_time() -> None:
    first = estate.build({"accounts": ACCOUNTS})["accounts"]
    estate.reset()
    assert estate.build({"accounts": ACCOUNTS})["accounts"] == first
    assert len({account["access_key_id"] for account in first.values()}) == 2


def test_an_image_is_shared_as_the_document_says() -> None:
    built = estate.build(
        {
            "accounts": ACCOUNTS,
            "organization": {"management_account": "management", "units": {"a": {"units": {"b": None}}}},
            "kms_keys": {"golden": {"account": "images", "regions": ["us-east-1"]}},
            "images": {
                "golden": {
                    **IMAGE,
                    "name": "golden-1",
                    "devices": [{"device_name": "/dev/xvda", "size": 8, "kms_key": "golden"}],
                    "sharing": {
                        "accounts": ["management"],
                        "units": ["a/b"],
                        "organization": True,
                        "public": True,
                        "snapshot_accounts": ["management"],
                    },
                }
            },
            "settings": {"copy_seconds": 3},
        }
    )
    region = state.region("us-east-1")
    image = region.images[built["images"]["golden"]["image_id"]]
    assert image.name == "golden-1"
    assert set(image.permissions) == {
        ("UserId", "100000000001"),
        ("OrganizationalUnitArn", built["organization"]["units"]["a/b"]["arn"]),
        ("OrganizationArn", built["organization"]["arn"]),
        ("Group", "all"),
    }
    snapshot = region.snapshots[image.snapshot_ids[0]]
    assert set(snapshot.permissions) == {("UserId", "100000000001")}
    assert snapshot.kms_key_id == built["kms_keys"]["golden"]["us-east-1"]
    assert SETTINGS.copy_seconds == 3


def test_reset_forgets_everything() -> None:
    document = yaml.safe_load(TWO_DISK_AMI.read_text())
    estate.build(document)
    estate.reset()
    assert state.region("us-east-1").images == {}
    assert SETTINGS.not_opted_in_regions == []
    assert memberships("111111111111") == frozenset()
    estate.build(document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"acounts": {}}, "acounts"),
        ({}, "no accounts"),
        ({"accounts": []}, "mapping"),
        ({"accounts": {"images": 12345678901}}, "quoted string of 12 digits"),
        ({"accounts": {"images": "1234"}}, "quoted string of 12 digits"),
        ({"accounts": {"a": "012345678901", "b": "012345678901"}}, "same id"),
        ({"organization": {"management_account": "nobody"}}, "no account nobody"),
        ({"organization": {"management_account": "management", "unit": {}}}, "unit"),
        ({"organization": {"management_account": "management", "accounts": ["management"]}}, "already"),
        ({"images": {"golden": {**IMAGE, "region": None}}}, "region must be a string"),
        ({"images": {"golden": {**IMAGE, "colour": "red"}}}, "image golden has unknown keys colour"),
        ({"images": {"golden": {**IMAGE, "devices": []}}}, "no device"),
        ({"images": {"golden": {**IMAGE, "devices": [{"device_name": "/dev/xvda"}]}}}, "no size"),
        ({"images": {"golden": {**IMAGE, "devices": [{"device_name": "a", "size": "8"}]}}}, "a number"),
        ({"images": {"golden": {**IMAGE, "devices": [{"device_name": "a", "size": True}]}}}, "a number"),
        ({"images": {"golden": {**IMAGE, "state": "new"}}}, "state"),
        ({"images": {"golden": {**IMAGE, "name": "a:b"}}}, "name"),
        ({"images": {"golden": {**IMAGE, "sharing": {"units": ["prod"]}}}}, "no unit prod"),
        ({"images": {"golden": {**IMAGE, "sharing": {"organization": True}}}}, "there is none"),
        (
            {"images": {"golden": {**IMAGE, "devices": [{"device_name": "a", "size": 8, "kms_key": "k"}]}}},
            "no KMS key k",
        ),
        ({"settings": {"copy_speed": 1}}, "copy_speed"),
        ({"not_opted_in_regions": "ap-east-1"}, "list of strings"),
    ],
)
def test_what_a_document_may_not_say(document: dict[str, Any], message: str) -> None:
    base = {} if set(document) <= {"acounts"} else {"accounts": ACCOUNTS}
    with pytest.raises(EstateError, match=message):
        estate.build({**base, **document})
