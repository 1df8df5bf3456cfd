# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of an audit report; what was not read never looks clean."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.report.content import audit, is_unread
from ansible_collections.golden.images.plugins.module_utils._audit.state import Problem, RegionState
from ansible_collections.golden.images.plugins.module_utils._model import Device, Grant, KeyState, Sharing

from tests.unit.audit.examples import (
    ENCRYPTED,
    EU,
    IMAGE,
    PRIVATE,
    PUBLIC,
    US,
    accounts,
    audit_of,
    orgs,
    refused,
    region,
    under_key,
    unread,
)
from tests.unit.audit.report.examples import policy, report
from tests.unit.examples import ORG, OWNER, SOURCE_ID, volumes
from tests.unit.keys.policies import consumers, opened_to
from tests.unit.kms_grant.examples import KEY, A, B, made, root

# As AWS writes it: EC2 User Guide, "Troubleshoot launch issues".
ENCODED = "You are not authorized. Encoded authorization failure message: 4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abc"


def test_an_account_without_findings_is_clean() -> None:
    content = report(region(), region())
    assert content["status"] == "clean"
    assert content["counts"] == {"high": 0, "medium": 0, "low": 0}
    assert content["summary"] == "0 findings.\n2 images in 2 regions audited, 0 of them shared."
    assert (content["failures"], content["findings"], content["not_checked"]) == ([], [], [])
    assert content["account_id"] == OWNER


def test_an_account_without_images_is_not_called_clean() -> None:
    content = report(region(images=(), sharing={}, volume_permissions={}))
    assert content["status"] == "empty"
    assert content["summary"] == (
        "0 findings.\n0 images in 1 region audited, 0 of them shared.\n"
        "The account owns no image there: check the account of the credentials, and the regions."
    )


def test_large_numbers_are_written_as_on_the_screen() -> None:
    result = audit_of(region(PUBLIC))
    many = {**result, "findings": result["findings"][:1] * 1200, "results": result["results"] * 1000}
    assert audit(many, policy())["summary"] == (
        "1,200 findings (1,200 high).\n1,000 images in 1 region audited, 1,000 of them shared."
    )


def test_findings_are_counted_by_severity_and_region() -> None:
    content = report(region(PUBLIC), region(volume=accounts(A)))
    assert content["status"] == "findings"
    assert content["counts"] == {"high": 2, "medium": 1, "low": 0}
    assert content["summary"].startswith("3 findings (2 high, 1 medium).\n2 images in 2 regions audited, 2")
    assert content["regions"] == {
        EU: {
            "counts": {"high": 1, "medium": 0, "low": 0},
            "image_block_managed_by": None,
            "image_block_public_access": "block-new-sharing",
            "images": 1,
            "read": True,
            "shared_images": 1,
            "snapshot_block_managed_by": None,
            "snapshot_block_public_access": "block-new-sharing",
        },
        US: {
            "counts": {"high": 1, "medium": 1, "low": 0},
            "image_block_managed_by": None,
            "image_block_public_access": "block-new-sharing",
            "images": 1,
            "read": True,
            "shared_images": 1,
            "snapshot_block_managed_by": None,
            "snapshot_block_public_access": "block-new-sharing",
        },
    }


def test_an_unreadable_region_is_reported_with_the_others() -> None:
    content = report(region(), unread={US: refused(US)})
    assert content["status"] == "incomplete"
    assert content["regions"][US] == {
        "counts": {"high": 1, "medium": 0, "low": 0},
        "image_block_managed_by": None,
        "image_block_public_access": None,
        "images": None,
        "read": False,
        "shared_images": None,
        "snapshot_block_managed_by": None,
        "snapshot_block_public_access": None,
    }
    assert content["regions"][EU]["read"] is True
    assert content["summary"].endswith(
        f"Not everything could be read: us-east-1 in account {OWNER}: You are not authorized "
        "(UnauthorizedOperation). Allow DescribeImages."
    )
    assert content["failures"] == [
        {
            "account_id": OWNER,
            "action": "DescribeImages",
            "error_code": "UnauthorizedOperation",
            "message": "You are not authorized.",
            "region": US,
            "remedy": "Allow DescribeImages.",
            "source": "aws",
        }
    ]


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        pytest.param({}, "The audit has not run.", id="nothing was done"),
        pytest.param({"skipped": True, "changed": False}, "The audit has not run.", id="it was skipped"),
        pytest.param({"failed": True, "msg": "Crashed."}, "Crashed.", id="it crashed"),
        pytest.param({"failed": False, "msg": "Crashed."}, "Crashed.", id="it crashed, and that was ignored"),
        pytest.param(
            {"msg": "No.", "failures": [refused(None, "GetCallerIdentity").to_dict()]},
            "You are not authorized (UnauthorizedOperation). Allow GetCallerIdentity.",
            id="the credentials were refused",
        ),
    ],
)
def test_an_audit_that_failed_never_looks_clean(returned: dict[str, Any], says: str) -> None:
    content = audit(returned, policy())
    assert content["status"] == "incomplete"
    assert content["summary"].startswith("Nothing was audited. ")
    assert says in content["summary"]
    # An operation is no resource.
    assert content["findings"][0]["resource"] == (content["failures"][0]["account_id"] or "")
    assert len(content["failures"]) == 1
    assert (content["images"], content["regions"]) == ([], {})
    assert [one["code"] for one in content["findings"]] == ["account_unreadable"]
    assert content["counts"] == {"high": 1, "medium": 0, "low": 0}


@pytest.mark.parametrize("status", ["failed", "findings"])
def test_findings_that_fail_the_audit_are_not_read_failures(status: str) -> None:
    content = report(region(PUBLIC), fail_on="low" if status == "failed" else "none")
    assert content["status"] == "findings"
    assert content["failures"] == []
    assert content == report(region(PUBLIC))


@pytest.mark.parametrize(
    ("seen", "unknown"),
    [
        pytest.param(region(), [], id="all was read"),
        pytest.param(under_key(PRIVATE), [], id="with the key"),
        pytest.param(region(volume_permissions={}), ["snapshots"], id="snapshots were not read"),
        pytest.param(region(image=ENCRYPTED), ["keys"], id="keys were not checked"),
        pytest.param(
            region(image=replace(IMAGE, devices=(*IMAGE.devices, Device("/dev/sdc", None, encrypted=True)))),
            [],
            id="an encrypted volume without a snapshot needs no key of the image",
        ),
        pytest.param(
            region(
                volume_permissions={},
                image=replace(IMAGE, devices=IMAGE.devices[:1]),
                problems=(unread("snapshot_unreadable", "snap-00000001"),),
            ),
            ["snapshots"],
            id="a snapshot could not be read",
        ),
        pytest.param(
            region(image=ENCRYPTED, problems=(unread("key_unreadable", "DescribeSnapshots"),)),
            ["keys"],
            id="the keys could not be listed",
        ),
        pytest.param(
            under_key(PRIVATE, keys={}, problems=(unread("key_unreadable", KEY.arn),)),
            ["keys"],
            id="a key could not be read",
        ),
        pytest.param(
            region(
                image=replace(ENCRYPTED, devices=volumes("snap-00000001", "snap-00000002", encrypted=True)),
                key_of={"snap-00000001": KEY.arn},
                keys={KEY.arn: KeyState(KEY)},
                problems=(unread("key_unreadable", "snap-00000002"),),
            ),
            ["keys"],
            id="one of two snapshots has no key",
        ),
        pytest.param(
            region(sharing={}, problems=(unread("image_unreadable", SOURCE_ID),)),
            ["launch permissions"],
            id="the image could not be read",
        ),
    ],
)
def test_what_is_not_known(seen: RegionState, unknown: list[str]) -> None:
    content = report(seen)
    assert content["images"][0]["unknown"] == unknown
    assert content["not_checked"] == []
    assert (content["status"] == "incomplete") is bool(seen.problems)


@pytest.mark.parametrize(
    ("options", "skipped"),
    [
        ({"check_snapshots": False}, ["snapshots"]),
        ({"check_keys": False}, ["keys"]),
        ({"check_snapshots": False, "check_keys": False}, ["keys", "snapshots"]),
    ],
)
def test_what_was_not_checked_is_said_without_any_image(options: dict[str, Any], skipped: list[str]) -> None:
    for seen in (RegionState(), region(volume_permissions={}, image=ENCRYPTED)):
        content = report(seen, **options)
        assert content["not_checked"] == skipped
        assert content["summary"].count("was not checked.") == len(skipped)


def test_each_user_of_a_key_is_listed_once_with_all_operations() -> None:
    grants = (
        made(root(A), frozenset({"Decrypt"}), "g-1"),
        made(root(A), frozenset({"DescribeKey"}), "g-2"),
        Grant("g-3", root(B), frozenset({"Decrypt"}), "theirs"),
    )
    policy = json.loads(opened_to(consumers(A, org_ids=("o-a1b2c3d4e5",))))
    decrypts = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    policy["Statement"] += [{**decrypts, "Principal": "*"}, {**decrypts, "Principal": {"AWS": root(A)}}]
    content = report(under_key(accounts(A), *grants, policy=json.dumps(policy)))
    (key,) = content["kms_keys"]
    users = [(one["principal"], one["through"], one["created_by_collection"]) for one in key["users"]]
    assert users == [
        (A, "key policy", False),
        (A, "key policy", True),
        ("all", "key policy", False),
        (root(A), "grant", True),
        (root(B), "grant", False),
        ("o-a1b2c3d4e5", "key policy", True),
    ]
    assert key["users"][3]["operations"] == ["Decrypt", "DescribeKey"]


def test_grants_to_instances_change_nothing() -> None:
    def launched(*instances: str) -> dict[str, Any]:
        # AWS KMS Developer Guide, "How Amazon EBS uses AWS KMS".
        role = f"arn:aws:sts::{OWNER}:assumed-role/aws:ec2-infrastructure"
        grants = [Grant(f"g-{one}", f"{role}/{one}", frozenset({"Decrypt"})) for one in instances]
        return report(under_key(accounts(A), *grants))

    first, second = launched("i-0123456789abcdef0"), launched("i-0fedcba9876543210", "i-00000000000000001")
    assert first == second
    assert first["kms_keys"][0]["users"][0]["principal"].endswith(":assumed-role/aws:ec2-infrastructure")


def test_the_same_state_makes_the_same_report() -> None:
    def of(number: str, **changes: Any) -> dict[str, Any]:
        failure = refused(US, message=f"{ENCODED}{number}", request_id=number)
        problem = Problem("image_unreadable", SOURCE_ID, replace(failure, region=EU), SOURCE_ID)
        given = audit_of(region(accounts(A), problems=(problem,)), unread={US: failure})
        for image in given["results"]:
            image.update(changes)
        return audit(given, policy())

    assert of("1", age_days=7, last_launched_time=None) == of("2", age_days=8, last_launched_time="today")
    assert "Encoded" not in json.dumps(of("1"))


def test_the_report_can_be_written_as_json() -> None:
    content = report(under_key(accounts(A), made(root(A))), region(orgs(ORG)), unread={"x": refused("x")})
    assert json.loads(json.dumps(content)) == content
    assert not {"written_at", "kind", "changes", "history"} & {*content}


def test_sharing_is_read_in_every_region() -> None:
    content = report(region(Sharing()), region(accounts(A)))
    assert [bool(image["shared_with"]) for image in content["images"]] == [False, True]


@pytest.mark.parametrize(("code", "expected"), [("key_unreadable", True), ("public", False)])
def test_an_unreadable_resource_is_a_finding(code: str, expected: bool) -> None:
    assert is_unread({"code": code}) is expected
