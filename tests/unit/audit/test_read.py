# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's reads: each call once, and findings about what it may not read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit import read as audit
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from ansible_collections.golden.images.plugins.module_utils._aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils._fanout import round_robin
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from tests.unit.audit.account import (
    EU,
    FOREIGN,
    KEY,
    WEST,
    Account,
    item,
    run,
    sharing,
    snapshots,
    unreadable,
    unused,
)
from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, OWNER, STRANGER
from tests.unit.keys.policies import policy_of

KEYS = {"snap-a": KEY, "snap-b": KEY, "snap-c": KEY}
OWN = {"OwnerIds": ["self"], "MaxResults": 1000}
FORMER = {
    "Filters": [
        {
            "Name": "description",
            "Values": ["Created by CreateImage(*", "Copied for DestinationAmi *"],
        }
    ]
}


def test_every_page_of_the_own_images() -> None:
    launched = "2026-11-20T00:00:00.000Z"
    pages = [
        {"Images": [item("ami-2")], "NextToken": "more"},
        {"Images": [item("ami-1", LastLaunchedTime=launched, State="disabled")]},
    ]
    aws = Account(describe_images=pages)
    found = run(aws, check_keys=False).results
    assert [(one["image_id"], one["state"], one["last_launched_time"]) for one in found] == [
        ("ami-1", "disabled", launched),
        ("ami-2", "available", None),
    ]
    first, second = (request for method, request in aws.calls if method == "describe_images")
    listing = {
        "Owners": ["self"],
        "Filters": [],
        "IncludeDeprecated": True,
        "IncludeDisabled": True,
        "MaxResults": 100,
    }
    assert (first, second) == (listing, {**listing, "NextToken": "more"})


def test_each_call_is_made_once() -> None:
    keys = {"snap-a": KEY, "snap-b": KEY, "snap-c": FOREIGN}
    aws = Account(item("ami-1", "snap-a", "snap-b"), item("ami-2", "snap-b", "snap-c"), keys=keys)
    found = run(aws)
    assert found.plan.failures == ()
    assert set(aws.asked.values()) == {1}
    assert sum(one.startswith("describe_snapshot_attribute") for one in aws.asked) == 3
    # Another account's key cannot be read, so no call is made for it.
    assert [one for one in aws.asked if "key" in one and STRANGER in one] == []
    assert [one["sharing"]["account_ids"] for one in found.results] == [[CONSUMER]] * 2
    assert {name: (one["kms_key_arn"], one["public"]) for name, one in snapshots(found).items()} == {
        name: (key, True) for name, key in keys.items()
    }
    own, foreign = sorted(found.result["kms_keys"], key=lambda one: bool(STRANGER in one["kms_key_arn"]))
    assert (own["kms_key_arn"], len(own["grants"])) == (KEY, 1)
    assert (foreign["kms_key_arn"], foreign["grants"]) == (FOREIGN, [])
    region = found.result["regions"][EU]
    assert (region["image_block_public_access"], region["snapshot_block_public_access"]) == (
        "block-new-sharing",
        "unblocked",
    )


def test_permissions_are_read_by_paced_clients() -> None:
    aws = Account(item("ami-1", "snap-a"))
    assert run(aws, check_keys=False).plan.failures == ()
    assert {(method, pace) for method, pace in aws.paces if method.endswith("_attribute")} == {
        ("describe_image_attribute", "DescribeImageAttribute"),
        ("describe_snapshot_attribute", "DescribeSnapshotAttribute"),
    }


def test_snapshots_that_no_image_uses_are_read_once() -> None:
    aws = Account(item("ami-1", "snap-a"), unused=["snap-a", "snap-old"])
    found = run(aws, check_keys=False)
    assert (snapshots(found).keys(), unused(found)) == ({"snap-a"}, {"snap-old": True})
    assert set(aws.asked.values()) == {1}
    assert sorted(one for one in aws.asked if "unused" in one) == [
        "list unused snapshots by filter",
        "list unused snapshots public",
    ]


def test_an_image_that_becomes_available_during_the_audit_is_read_with_its_snapshots() -> None:
    """A pending copy does not list its snapshots yet; reading all permissions takes minutes."""
    aws = Account(
        item("ami-1", State="pending"),
        item("ami-2", "snap-b"),
        later=[item("ami-1", "snap-a", "snap-b", "snap-c")],
        unused=["snap-a", "snap-old"],
        keys=KEYS,
    )
    found = run(aws)
    assert [(one["image_id"], one["state"]) for one in found.results] == [
        ("ami-1", "available"),
        ("ami-2", "available"),
    ]
    assert unused(found).keys() == {"snap-old"}
    assert {name: one["kms_key_arn"] for name, one in snapshots(found).items()} == KEYS
    assert {one["public"] for one in snapshots(found).values()} == {True}
    assert (sharing(found), unreadable(found)) == ({"ami-1": True, "ami-2": True}, [])
    # Those that may have been read too early are read again.
    twice = {one for one, number in aws.asked.items() if number > 1}
    assert twice == {"describe_image_attribute ami-1", "describe_snapshot_attribute snap-a"}


def test_permissions_of_a_late_image_that_could_not_be_read_at_first() -> None:
    aws = Account(
        item("ami-1", State="pending"),
        later=[item("ami-1", "snap-a", "snap-b")],
        unused=["snap-a", "snap-b"],
        refused={"describe_snapshot_attribute snap-a": "UnauthorizedOperation"},
    )
    found = run(aws, check_keys=False)
    assert unreadable(found) == [("snapshot_unreadable", "snap-a", "ami-1")]
    read = {name for name, one in snapshots(found).items() if one["public"] is not None}
    assert (unused(found), read) == ({}, {"snap-b"})


def test_a_private_snapshot_that_no_image_uses_takes_no_further_call() -> None:
    aws = Account(unused=["snap-old"], volume=[])
    assert unused(run(aws)) == {"snap-old": False}
    assert "list images by snapshot" not in aws.asked


def test_shared_snapshots_are_not_unused_if_their_images_cannot_be_read_again() -> None:
    refused = {"list images by snapshot": "RequestLimitExceeded"}
    found = run(Account(item("ami-1"), unused=["snap-a"], refused=refused))
    assert unreadable(found) == [("unused_snapshots_unreadable", EU, None)]
    assert [one.error_code for one in found.plan.failures] == ["RequestLimitExceeded"]
    assert (unused(found), snapshots(found)) == ({}, {})


def unused_requests(aws: Account) -> list[Any]:
    return [request for method, request in aws.calls if method == "describe_snapshots"]


def test_how_unused_snapshots_are_found() -> None:
    aws = Account(volume=[])
    assert run(aws, check_keys=False).results == []
    assert unused_requests(aws) == [{**OWN, "RestorableByUserIds": ["all"]}, {**OWN, **FORMER}]


@pytest.mark.parametrize("block", [{"State": "block-all-sharing"}, "UnauthorizedOperation"], ids=str)
def test_where_public_snapshots_may_be_hidden_all_that_could_be_public_are_read(block: Any) -> None:
    """botocore operation EnableSnapshotBlockPublicAccess: their attributes still say that they are public."""
    aws = Account(unused=["snap-hidden"], get_snapshot_block_public_access_state=block, volume=[])
    assert unused(run(aws, check_keys=False)) == {"snap-hidden": False}
    could_be = {**OWN, "Filters": [{"Name": "encrypted", "Values": ["false"]}]}
    assert unused_requests(aws) == [could_be, {**OWN, **FORMER}]


def test_the_keys_that_are_associated_with_snapshots_are_read_too() -> None:
    found = run(Account(item("ami-1", "snap-a"), keys=KEYS, associated=[FOREIGN]))
    assert {one["kms_key_arn"] for one in found.result["kms_keys"]} == {KEY, FOREIGN}
    (snapshot,) = snapshots(found).values()
    assert (snapshot["kms_key_arn"], snapshot["associated_kms_key_arns"]) == (KEY, [FOREIGN])


def test_no_call_is_made_for_what_is_not_checked() -> None:
    aws = Account(item("ami-1", "snap-a"), keys=KEYS)
    found = run(aws, check_snapshots=False, check_keys=False)
    assert (snapshots(found)["snap-a"]["public"], found.result["kms_keys"]) == (None, [])
    assert [one for one in aws.asked if "snapshot" in one] == ["get_snapshot_block_public_access_state"]


def test_an_aws_managed_key_needs_no_further_calls() -> None:
    aws = Account(item("ami-1", "snap-a"), keys=KEYS, manager="AWS")
    (key,) = run(aws).result["kms_keys"]
    assert key["aws_managed"]
    assert not any(one.startswith("list_grants") for one in aws.asked)


@pytest.mark.parametrize(
    ("call", "code", "resource", "image_id"),
    [
        ("describe_image_attribute ami-1", "image_unreadable", "ami-1", "ami-1"),
        ("describe_snapshot_attribute snap-b", "snapshot_unreadable", "snap-b", "ami-1"),
        ("describe_snapshots", "key_unreadable", "DescribeSnapshots", None),
        ("list unused snapshots", "unused_snapshots_unreadable", EU, None),
        ("describe_key", "key_unreadable", KEY, None),
        ("list_grants", "key_unreadable", KEY, None),
        ("get_key_policy", "key_unreadable", KEY, None),
        ("get_snapshot_block", "block_public_access_unreadable", "GetSnapshotBlockPublicAccessState", None),
    ],
)
def test_what_may_not_be_read_is_a_finding_and_hides_nothing_else(
    call: str, code: str, resource: str, image_id: str | None
) -> None:
    images = [item("ami-1", "snap-a", "snap-b"), item("ami-2", "snap-b")]
    found = run(Account(*images, keys=KEYS, refused={call: "UnauthorizedOperation"}))
    assert unreadable(found) == [(code, resource, image_id)]
    assert [(one.region, one.error_code) for one in found.plan.failures] == [(EU, "UnauthorizedOperation")]
    assert sharing(found) == {"ami-1": resource != "ami-1", "ami-2": True}
    public = {name: one["public"] for name, one in snapshots(found).items()}
    assert public == {"snap-a": True, "snap-b": None if resource == "snap-b" else True}


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param("{}", id="no statement"),
        pytest.param('{"Version": "2012-10-17"}', id="only a version"),
        pytest.param('{"Statement": null}', id="null"),
        pytest.param('{"Statement": ["x"]}', id="a text"),
        pytest.param("[]", id="a list"),
        pytest.param("", id="nothing"),
    ],
)
@pytest.mark.parametrize("name", ["default", "AWS_RAM"])
def test_a_key_with_a_policy_that_cannot_be_evaluated_is_unread(name: str, policy: str) -> None:
    policies = {"default": policy_of(), name: policy}

    def answer(request: dict[str, Any]) -> Any:
        read = request["PolicyName"]
        return {"Policy": policies[read]} if read in policies else "NotFoundException"

    found = run(Account(item("ami-1", "snap-a"), keys=KEYS, get_key_policy=answer))
    assert unreadable(found) == [("key_unreadable", KEY, None)]
    assert [(one.action, one.error_code) for one in found.plan.failures] == [
        ("GetKeyPolicy", "incomplete_response")
    ]
    assert found.result["kms_keys"] == []


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("describe_image_attribute ami-1", "InvalidAMIID.Unavailable"),
        ("describe_image_attribute ami-1", "InvalidAMIID.NotFound"),
        ("describe_snapshot_attribute snap-a", "InvalidSnapshot.NotFound"),
    ],
)
def test_missing_resources_are_private(monkeypatch: pytest.MonkeyPatch, call: str, code: str) -> None:
    Clock.of(monkeypatch, attempts)
    found = run(Account(item("ami-1", "snap-a"), keys=KEYS, refused={call: code}))
    assert found.plan.failures == ()
    (image,) = found.results
    (snapshot,) = image["snapshots"]
    private = (image["sharing"]["account_ids"], image["sharing"]["public"])
    assert (private == ([], False)) is ("image" in call)
    assert (snapshot["public"] is False) is ("snapshot" in call)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param(
            {}, [("incomplete_response", "AWS's response to DescribeSnapshots lacks snap-b.")], id="missing"
        ),
        pytest.param(
            {"keys": {"snap-a": KEY, "snap-b": None}},
            [("incomplete_response", "AWS's response to DescribeSnapshots lacks KmsKeyId.")],
            id="without a key",
        ),
        pytest.param(
            {"refused": {"describe_snapshots snap-b": "InvalidSnapshot.NotFound"}}, [], id="deleted"
        ),
        pytest.param(
            {"refused": {"describe_snapshots snap-b": "Unavailable"}},
            [("Unavailable", "No.")],
            id="not known whether it is deleted",
        ),
    ],
)
def test_an_encrypted_snapshot_without_a_key_is_a_finding(
    answers: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    images = [item("ami-1", "snap-a", "snap-b"), item("ami-2", "snap-b")]
    found = run(Account(*images, **{"keys": {"snap-a": KEY}, **answers}))
    assert [(one.error_code, one.message) for one in found.plan.failures] == expected
    assert unreadable(found) == [("key_unreadable", "snap-b", "ami-1")] * len(expected)
    assert {name: one["kms_key_arn"] for name, one in snapshots(found).items()} == {
        "snap-a": KEY,
        "snap-b": None,
    }


def test_a_region_that_cannot_be_reached_hides_no_other() -> None:
    aws = Account(item("ami-1"), describe_regions=in_regions(EU, WEST))
    gone = EndpointConnectionError(endpoint_url="https://example.com")
    aws.others = {WEST: Account(refused={"describe_images": gone})}
    found = run(aws, regions=[EU, WEST])
    assert unreadable(found) == [("region_unreadable", WEST, None)]
    assert [(one.region, one.error_code) for one in found.plan.failures] == [
        (WEST, "EndpointConnectionError")
    ]
    assert (sharing(found), list(found.result["regions"])) == ({"ami-1": True}, [EU])


def in_regions(*names: str) -> dict[str, Any]:
    return {"Regions": [{"RegionName": name, "OptInStatus": "opt-in-not-required"} for name in names]}


@pytest.mark.parametrize(
    ("kinds", "regions", "files", "threads"),
    [
        (1, 1, 1024, 64),
        (2, 1, 1024, 64),
        (1, 20, 1024, 8),
        (2, 20, 1024, 16),
        (2, 17, 256, 7),
        (2, 34, 40, 1),
        (1, 0, 1024, 64),
    ],
)
def test_threads_of_a_region(
    monkeypatch: pytest.MonkeyPatch, kinds: int, regions: int, files: int, threads: int
) -> None:
    monkeypatch.setattr(audit.resource, "getrlimit", lambda _name: (files, files))
    assert audit.threads_of_each(kinds, regions) == threads


def test_regions_take_turns() -> None:
    assert round_robin([["a1", "a2", "a3"], [], ["b1"], ["c1", "c2"]]) == [
        *("a1", "b1", "c1", "a2", "c2", "a3"),
    ]


def test_rate_limited_clients_repeat_more_often_unless_the_user_says_otherwise() -> None:
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "secret"}

    def retries(config: Config | None) -> Any:
        paced = Clients(Connection(credentials=keys, config=config)).rate_limited("DescribeImageAttribute")
        paced.open("ec2", ["eu-west-1"])
        return paced.ec2("eu-west-1").meta.config.retries

    assert retries(None) == {"mode": "standard", "total_max_attempts": 12}
    assert retries(Config(retries={"mode": "legacy", "max_attempts": 1}))["mode"] == "legacy"
    assert retries(Config(user_agent_extra="mine"))["total_max_attempts"] == 12


def test_a_key_or_permissions_that_an_answer_lacks_are_unreadable() -> None:
    aws = Account(
        item("ami-1", "snap-a"), keys=KEYS, describe_key={"KeyMetadata": {}}, describe_image_attribute={}
    )
    found = run(aws)
    assert {one[0] for one in unreadable(found)} == {"key_unreadable", "image_unreadable"}
    assert {(one.action, one.error_code) for one in found.plan.failures} == {
        ("DescribeKey", "incomplete_response"),
        ("DescribeImageAttribute", "incomplete_response"),
    }


@pytest.mark.parametrize(("answer", "member"), [({}, "Snapshots"), ({"Snapshots": [{}]}, "SnapshotId")])
def test_an_incomplete_response_hides_no_unused_snapshot(answer: dict[str, Any], member: str) -> None:
    found = run(Account(describe_snapshots=answer), check_keys=False)
    assert unreadable(found) == [("unused_snapshots_unreadable", EU, None)]
    assert f"DescribeSnapshots lacks {member}" in found.plan.failures[0].message


def shared_if_unused(request: dict[str, Any]) -> dict[str, Any]:
    """The permissions of a snapshot: only those that no image uses are shared."""
    shared = [] if request["SnapshotId"] == "snap-a" else [{"UserId": CONSUMER}]
    return {"CreateVolumePermissions": shared}


@pytest.mark.parametrize("key", [KEY, f"arn:aws:kms:eu-west-1:{OWNER}:key/2"])
def test_keys_of_shared_snapshots_without_an_image_are_noted_but_not_read(key: str) -> None:
    """They show who needs a key of an image."""
    root = f"arn:aws:iam::{CONSUMER}:root"
    grant = {"GrantId": "g", "Name": "golden-images:x", "GranteePrincipal": root, "Operations": ["Decrypt"]}
    aws = Account(
        item("ami-1", "snap-a"),
        unused=["snap-left"],
        keys={"snap-a": KEY, "snap-left": key},
        list_grants={"Grants": [grant]},
        describe_image_attribute={"LaunchPermissions": []},
        describe_snapshot_attribute=shared_if_unused,
    )
    found = run(aws)
    assert [one["kms_key_arn"] for one in found.result["kms_keys"]] == [KEY]
    assert aws.asked["describe_snapshots"] == 1
    unneeded = [one["code"] for one in found.result["findings"] if one["code"] == "grant_without_share"]
    assert len(unneeded) == (key != KEY)
