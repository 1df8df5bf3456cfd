# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's reads: each call once, and problems for what it may not read."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.audit import read as audit
from ansible_collections.golden.images.plugins.module_utils.audit.state import AuditWanted, RegionSeen
from ansible_collections.golden.images.plugins.module_utils.aws import read
from ansible_collections.golden.images.plugins.module_utils.aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils.aws.errors import IncompleteAnswer
from ansible_collections.golden.images.plugins.module_utils.fanout import round_robin
from ansible_collections.golden.images.plugins.module_utils.model import PublicAccessBlock, Sharing, Target
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER, target_in
from tests.unit.wire import Wire, answering

HERE, THERE = target_in(), target_in("us-west-2")
LISTING = {
    "Owners": ["self"],
    "Filters": [],
    "IncludeDeprecated": True,
    "IncludeDisabled": True,
    "MaxResults": 100,
}
KEY, FOREIGN = (f"arn:aws:kms:eu-west-1:{account}:key/1" for account in (OWNER, STRANGER))
SHARED = Sharing(frozenset({CONSUMER}))
NEW, UNBLOCKED = PublicAccessBlock("block-new-sharing"), PublicAccessBlock("unblocked")


def item(image_id: str = SOURCE_ID, *snapshot_ids: str, **changes: Any) -> dict[str, Any]:
    """An image as DescribeImages returns it."""
    return {
        "ImageId": image_id,
        "OwnerId": OWNER,
        "State": "available",
        "Name": "golden",
        "BlockDeviceMappings": [
            {"DeviceName": f"/dev/sd{number}", "Ebs": {"SnapshotId": one, "Encrypted": True}}
            for number, one in enumerate(snapshot_ids)
        ],
        **changes,
    }


def test_every_page_of_the_own_images(ec2: Wire) -> None:
    launched = "2026-11-20T00:00:00.000Z"
    ec2.expect("describe_images", LISTING, {"Images": [item("ami-2")], "NextToken": "more"})
    ec2.expect(
        "describe_images",
        {**LISTING, "NextToken": "more"},
        {"Images": [item("ami-1", LastLaunchedTime=launched, State="disabled")]},
    )
    found = list(audit.images(ec2.client))
    assert [(one.image.image_id, one.image.state, one.last_launched) for one in found] == [
        ("ami-2", "available", None),
        ("ami-1", "disabled", launched),
    ]


class Scripted:
    """A region's EC2 and KMS for many threads: answers by operation and resource.

    ``later`` are the images as they are once all permissions have been read.
    """

    def __init__(self, images: list[dict[str, Any]], **answers: Any) -> None:
        self.asked: Counter[str] = Counter()
        self._images = images
        self._answers = answers
        self.volume: list[dict[str, str]] = [{"Group": "all"}]

    def get_paginator(self, name: str) -> Any:
        return SimpleNamespace(paginate=lambda **request: [self._page(name, request)])

    def _page(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        if name == "describe_snapshots" and request.get("Filters", [{}])[0].get("Name") != "snapshot-id":
            assert request["OwnerIds"] == ["self"]
            scope = "public" if request.get("RestorableByUserIds") == ["all"] else "of deregistered images"
            self._note(f"list unused snapshots {scope}")
            return {"Snapshots": [{"SnapshotId": one} for one in self._answers.get("unused", ())]}
        if name == "describe_images" and request["Filters"]:
            self._note("list images by snapshot")
            (snapshots,) = (one["Values"] for one in request["Filters"])
            return {
                "Images": [
                    one
                    for one in self._answers.get("later", self._images)
                    if any(
                        mapping["Ebs"]["SnapshotId"] in snapshots for mapping in one["BlockDeviceMappings"]
                    )
                ]
            }
        self._note(name)
        if name == "describe_images":
            return {"Images": self._images}
        if name == "list_grants":
            grant = {"GrantId": "g", "GranteePrincipal": CONSUMER, "Operations": ["Decrypt"]}
            return {"Grants": [grant]}
        (ids,) = (one["Values"] for one in request["Filters"])
        keys = self._answers.get("keys", {})
        return {
            "Snapshots": [
                {
                    "SnapshotId": one,
                    "State": "completed",
                    "KmsKeyId": keys[one],
                    "AssociatedKmsKeys": [{"KmsKeyId": arn} for arn in self._answers.get("associated", ())],
                }
                for one in ids
                if one in keys
            ]
        }

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            named = (str(request[one]) for one in request if one.endswith("Id") or one == "PolicyName")
            self._note(" ".join([name, *named, *request.get("SnapshotIds", ())]))
            if request.get("PolicyName") == "AWS_RAM":
                raise refusal("NotFoundException")
            return {
                "get_image_block_public_access_state": {"ImageBlockPublicAccessState": "block-new-sharing"},
                "get_snapshot_block_public_access_state": {"State": "unblocked"},
                "describe_image_attribute": {"LaunchPermissions": [{"UserId": CONSUMER}]},
                "describe_snapshot_attribute": {"CreateVolumePermissions": self.volume},
                "describe_key": {
                    "KeyMetadata": {
                        "Arn": KEY,
                        "KeyState": "Enabled",
                        "KeySpec": "SYMMETRIC_DEFAULT",
                        "KeyUsage": "ENCRYPT_DECRYPT",
                        "KeyManager": self._answers.get("manager", "CUSTOMER"),
                    }
                },
                "get_key_policy": {"Policy": "{}"},
                "describe_snapshots": {"Snapshots": []},
            }[name]

        return call

    def _note(self, what: str) -> None:
        self.asked[what] += 1
        for text, exception in self._answers.get("refused", {}).items():
            if what.startswith(text):
                raise exception


def refusal(code: str) -> ClientError:
    """An error from AWS."""
    return ClientError({"Error": {"Code": code, "Message": "No."}}, "Some")


def look(wanted: AuditWanted | None = None, **regions: Scripted) -> tuple[dict[Target, RegionSeen], Any]:
    """The state of these regions."""
    by_name = {name.replace("_", "-"): scripted for name, scripted in regions.items()}
    clients = SimpleNamespace(open=lambda _service, _regions: None, ec2=by_name.get, kms=by_name.get)
    clients.paced = lambda _action: clients
    targets = [target_in(name) for name in by_name]
    return audit.regions(clients, targets, wanted or AuditWanted())  # type: ignore[arg-type]


def test_each_call_is_made_once() -> None:
    keys = {"snap-a": KEY, "snap-b": KEY, "snap-c": FOREIGN}
    aws = Scripted([item("ami-1", "snap-a", "snap-b"), item("ami-2", "snap-b", "snap-c")], keys=keys)
    seen, failed = look(eu_west_1=aws)
    assert failed == {}
    assert set(aws.asked.values()) == {1}
    assert sum(one.startswith("describe_snapshot_attribute") for one in aws.asked) == 3
    # Another account's key cannot be read, so no call is made for it.
    assert [one for one in aws.asked if "key" in one and STRANGER in one] == []
    region = seen[HERE]
    assert region.sharing == {"ami-1": SHARED, "ami-2": SHARED}
    assert region.volume_permissions == dict.fromkeys(keys, Sharing(public=True))
    assert region.key_of == keys
    assert set(region.keys) == {KEY, FOREIGN}
    assert region.keys[KEY].policy == "{}"
    assert len(region.keys[KEY].grants) == 1
    assert (region.image_block, region.snapshot_block) == (NEW, UNBLOCKED)
    assert region.problems == ()


def test_snapshots_that_no_image_uses_are_read_once() -> None:
    aws = Scripted([item("ami-1", "snap-a")], unused=["snap-a", "snap-old"])
    seen, _failed = look(AuditWanted(check_keys=False), eu_west_1=aws)
    assert (seen[HERE].volume_permissions.keys(), seen[HERE].unused) == (
        {"snap-a"},
        {"snap-old": Sharing(public=True)},
    )
    assert set(aws.asked.values()) == {1}
    assert sorted(one for one in aws.asked if "unused" in one) == [
        "list unused snapshots of deregistered images",
        "list unused snapshots public",
    ]


def test_an_image_that_becomes_available_during_the_audit_is_read_with_its_snapshots() -> None:
    """A pending copy does not list its snapshots yet; reading all permissions takes minutes."""
    pending = item("ami-1", State="pending")
    aws = Scripted(
        [pending, item("ami-2", "snap-b")],
        later=[item("ami-1", "snap-a", "snap-b", "snap-c")],
        unused=["snap-a", "snap-old"],
        keys={"snap-a": KEY, "snap-b": KEY, "snap-c": KEY},
    )
    seen, failed = look(eu_west_1=aws)
    assert failed == {}
    region = seen[HERE]
    assert [(one.image.image_id, one.image.state) for one in region.images] == [
        ("ami-1", "available"),
        ("ami-2", "available"),
    ]
    assert region.unused.keys() == {"snap-old"}
    assert region.volume_permissions.keys() == region.key_of.keys() == {"snap-a", "snap-b", "snap-c"}
    assert (region.sharing.keys(), region.problems) == ({"ami-1", "ami-2"}, ())
    # Those that may have been read too early are read again.
    twice = {one for one, number in aws.asked.items() if number > 1}
    assert twice == {"describe_image_attribute ami-1", "describe_snapshot_attribute snap-a"}


def test_permissions_of_a_late_image_that_could_not_be_read_at_first() -> None:
    refused = {"describe_snapshot_attribute snap-a": refusal("UnauthorizedOperation")}
    aws = Scripted(
        [item("ami-1", State="pending")],
        later=[item("ami-1", "snap-a", "snap-b")],
        unused=["snap-a", "snap-b"],
        refused=refused,
    )
    seen, _failed = look(AuditWanted(check_keys=False), eu_west_1=aws)
    (problem,) = seen[HERE].problems
    assert (problem.code, problem.resource, problem.image_id) == ("snapshot_unreadable", "snap-a", "ami-1")
    assert (seen[HERE].unused, seen[HERE].volume_permissions.keys()) == ({}, {"snap-b"})


def test_a_private_snapshot_that_no_image_uses_takes_no_further_call() -> None:
    aws = Scripted([], unused=["snap-old"], refused={"list images by snapshot": AssertionError()})
    aws.volume = []
    seen, _failed = look(eu_west_1=aws)
    assert seen[HERE].unused == {"snap-old": Sharing()}


def test_shared_snapshots_are_not_unused_if_their_images_cannot_be_read_again() -> None:
    refused = {"list images by snapshot": refusal("RequestLimitExceeded")}
    seen, failed = look(eu_west_1=Scripted([item("ami-1")], unused=["snap-a"], refused=refused))
    assert failed == {}
    (problem,) = seen[HERE].problems
    assert (problem.code, problem.resource) == ("unused_snapshots_unreadable", HERE.region)
    assert problem.failure.error_code == "RequestLimitExceeded"
    assert (seen[HERE].unused, seen[HERE].volume_permissions) == ({}, {})


def test_how_unused_snapshots_are_found(ec2: Wire) -> None:
    request = {"OwnerIds": ["self"], "MaxResults": 1000}
    public, former = {"SnapshotId": "snap-public"}, {"SnapshotId": "snap-former"}
    ec2.expect("describe_snapshots", {**request, "RestorableByUserIds": ["all"]}, {"Snapshots": [public]})
    descriptions = ["Created by CreateImage(*", "Copied for DestinationAmi *"]
    filters = [{"Name": "description", "Values": descriptions}]
    ec2.expect(
        "describe_snapshots",
        {**request, "Filters": filters},
        {"Snapshots": [public, former, {"SnapshotId": "snap-used"}]},
    )
    found = audit.unused_snapshots(ec2.client, {"snap-used"}, NEW)
    assert list(found) == ["snap-public", "snap-former"]


@pytest.mark.parametrize("block", [PublicAccessBlock("block-all-sharing"), None], ids=["hidden", "unread"])
def test_where_public_snapshots_may_be_hidden_all_that_could_be_public_are_read(
    ec2: Wire, block: PublicAccessBlock | None
) -> None:
    """botocore operation EnableSnapshotBlockPublicAccess: their attributes still say that they are public."""
    request = {"OwnerIds": ["self"], "MaxResults": 1000}
    could_be = [{"Name": "encrypted", "Values": ["false"]}]
    ec2.expect(
        "describe_snapshots", {**request, "Filters": could_be}, {"Snapshots": [{"SnapshotId": "snap-hidden"}]}
    )
    descriptions = ["Created by CreateImage(*", "Copied for DestinationAmi *"]
    filters = [{"Name": "description", "Values": descriptions}]
    former = {"Snapshots": [{"SnapshotId": "snap-former"}]}
    ec2.expect("describe_snapshots", {**request, "Filters": filters}, former)
    assert list(audit.unused_snapshots(ec2.client, (), block)) == ["snap-hidden", "snap-former"]


def test_the_keys_that_are_associated_with_snapshots_are_read_too() -> None:
    aws = Scripted([item("ami-1", "snap-a")], keys={"snap-a": KEY}, associated=[FOREIGN])
    seen, _failed = look(eu_west_1=aws)
    assert set(seen[HERE].keys) == {KEY, FOREIGN}
    assert (seen[HERE].key_of, seen[HERE].associated_keys) == ({"snap-a": KEY}, {"snap-a": (FOREIGN,)})


def test_no_call_is_made_for_what_is_not_checked() -> None:
    aws = Scripted([item("ami-1", "snap-a")], keys={"snap-a": KEY})
    seen, _failed = look(AuditWanted(check_snapshots=False, check_keys=False), eu_west_1=aws)
    assert [one for one in aws.asked if "snapshot" in one] == ["get_snapshot_block_public_access_state"]
    assert (seen[HERE].volume_permissions, seen[HERE].keys) == ({}, {})


def test_an_aws_managed_key_needs_no_further_calls() -> None:
    aws = Scripted([item("ami-1", "snap-a")], keys={"snap-a": KEY}, manager="AWS")
    seen, _failed = look(eu_west_1=aws)
    assert seen[HERE].keys[KEY].key.aws_managed
    assert "list_grants" not in aws.asked


@pytest.mark.parametrize(
    ("call", "code", "resource", "image_id"),
    [
        ("describe_image_attribute ami-1", "image_unreadable", "ami-1", "ami-1"),
        ("describe_snapshot_attribute snap-b", "snapshot_unreadable", "snap-b", "ami-1"),
        ("describe_snapshots", "key_unreadable", "DescribeSnapshots", None),
        ("list unused snapshots", "unused_snapshots_unreadable", HERE.region, None),
        ("describe_key", "key_unreadable", KEY, None),
        ("list_grants", "key_unreadable", KEY, None),
        ("get_key_policy", "key_unreadable", KEY, None),
        (
            "get_image_block",
            "block_public_access_unreadable",
            "GetImageBlockPublicAccessState",
            None,
        ),
    ],
)
def test_what_may_not_be_read_is_a_problem_and_hides_nothing_else(
    call: str, code: str, resource: str, image_id: str | None
) -> None:
    images = [item("ami-1", "snap-a", "snap-b"), item("ami-2", "snap-b")]
    keys = dict.fromkeys(["snap-a", "snap-b"], KEY)
    aws = Scripted(images, keys=keys, refused={call: refusal("UnauthorizedOperation")})
    seen, failed = look(eu_west_1=aws)
    assert failed == {}
    (problem,) = seen[HERE].problems
    assert (problem.code, problem.resource, problem.image_id) == (code, resource, image_id)
    assert (problem.failure.region, problem.failure.error_code) == (HERE.region, "UnauthorizedOperation")
    assert len(seen[HERE].sharing) == (1 if image_id == resource else 2)
    assert len(seen[HERE].volume_permissions) == (1 if resource == "snap-b" else 2)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("describe_image_attribute ami-1", "InvalidAMIID.Unavailable"),
        ("describe_image_attribute ami-1", "InvalidAMIID.NotFound"),
        ("describe_snapshot_attribute snap-a", "InvalidSnapshot.NotFound"),
    ],
)
def test_missing_resources_are_private(monkeypatch: pytest.MonkeyPatch, call: str, code: str) -> None:
    monkeypatch.setattr(read, "_PROBABLY_GONE_TIMEOUT", 0.0)
    aws = Scripted([item("ami-1", "snap-a")], keys={"snap-a": KEY}, refused={call: refusal(code)})
    seen, failed = look(eu_west_1=aws)
    assert failed == {}
    assert seen[HERE].problems == ()
    assert Sharing() in (seen[HERE].sharing["ami-1"], seen[HERE].volume_permissions["snap-a"])


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
            {"refused": {"describe_snapshots snap-b": refusal("InvalidSnapshot.NotFound")}}, [], id="deleted"
        ),
        pytest.param(
            {"refused": {"describe_snapshots snap-b": refusal("Unavailable")}},
            [("Unavailable", "No.")],
            id="not known whether it is deleted",
        ),
    ],
)
def test_an_encrypted_snapshot_without_a_key_is_a_problem(
    answers: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    images = [item("ami-1", "snap-a", "snap-b"), item("ami-2", "snap-b")]
    seen, failed = look(eu_west_1=Scripted(images, **{"keys": {"snap-a": KEY}, **answers}))
    assert failed == {}
    problems = seen[HERE].problems
    assert [(one.failure.error_code, one.failure.message) for one in problems] == expected
    assert {(one.code, one.resource, one.image_id) for one in problems} <= {
        ("key_unreadable", "snap-b", "ami-1")
    }
    assert (seen[HERE].key_of, set(seen[HERE].keys)) == ({"snap-a": KEY}, {KEY})


def test_a_region_that_cannot_be_reached_hides_no_other() -> None:
    gone = EndpointConnectionError(endpoint_url="https://example.com")
    far = Scripted([], refused={"describe_images": gone})
    seen, failed = look(eu_west_1=Scripted([item("ami-1")]), us_west_2=far)
    assert failed == {THERE: gone}
    assert list(seen[HERE].sharing) == ["ami-1"]


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


def test_paced_clients_adapt_to_the_rate_unless_the_user_says_otherwise() -> None:
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "secret"}

    def retries(config: Config | None) -> Any:
        paced = Clients(Connection(credentials=keys, config=config)).paced("DescribeImageAttribute")
        paced.open("ec2", ["eu-west-1"])
        return paced.ec2("eu-west-1").meta.config.retries

    assert retries(None) == {"mode": "adaptive", "total_max_attempts": 8}
    assert retries(Config(retries={"mode": "legacy", "max_attempts": 1}))["mode"] == "legacy"
    assert retries(Config(user_agent_extra="mine"))["mode"] == "adaptive"


def test_a_key_or_permissions_that_an_answer_lacks_are_unreadable() -> None:
    refused = {
        "describe_key": IncompleteAnswer("DescribeKey", "KeyState"),
        "describe_image_attribute": IncompleteAnswer("DescribeImageAttribute", "LaunchPermissions"),
    }
    aws = Scripted([item("ami-1", "snap-a")], keys={"snap-a": KEY}, refused=refused)
    seen, failed = look(eu_west_1=aws)
    assert failed == {}
    found = {(one.code, one.failure.error_code, one.failure.message) for one in seen[HERE].problems}
    assert found == {
        ("key_unreadable", "incomplete_response", "AWS's response to DescribeKey lacks KeyState."),
        (
            "image_unreadable",
            "incomplete_response",
            "AWS's response to DescribeImageAttribute lacks LaunchPermissions.",
        ),
    }


@pytest.mark.parametrize(("answer", "member"), [({}, "Snapshots"), ({"Snapshots": [{}]}, "SnapshotId")])
def test_an_incomplete_response_hides_no_unused_snapshot(answer: dict[str, Any], member: str) -> None:
    with pytest.raises(IncompleteAnswer, match=f"DescribeSnapshots lacks {member}"):
        list(audit.unused_snapshots(answering("ec2", describe_snapshots=answer), (), NEW))


def test_keys_of_shared_snapshots_without_an_image_are_noted_but_not_read() -> None:
    """They show who needs a key of an image."""
    other = f"arn:aws:kms:eu-west-1:{OWNER}:key/2"
    aws = Scripted(
        [item("ami-1", "snap-a")],
        unused=["snap-left", "snap-other"],
        keys={"snap-a": KEY, "snap-left": KEY, "snap-other": other},
    )
    aws.volume = [{"UserId": CONSUMER}]
    seen, _failed = look(eu_west_1=aws)
    assert seen[HERE].key_of == {"snap-a": KEY, "snap-left": KEY, "snap-other": other}
    assert seen[HERE].keys.keys() == {KEY}
    assert aws.asked["describe_snapshots"] == 1
