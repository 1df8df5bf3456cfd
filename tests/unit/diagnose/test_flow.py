# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_share_diagnose``, its reads in each account, and its result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import attempts, caller
from ansible_collections.golden.images.plugins.module_utils.aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils.diagnose import flow
from ansible_collections.golden.images.plugins.module_utils.diagnose.plan import plan
from ansible_collections.golden.images.plugins.module_utils.diagnose.state import (
    ConsumerSeen,
    DiagnosisSeen,
    OwnerSeen,
)
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.keys.access import KeyDryRun
from ansible_collections.golden.images.plugins.module_utils.model import Image, Key, Sharing, Target
from ansible_collections.golden.images.plugins.module_utils.runner import Outcome

from tests.unit.clock import Clock
from tests.unit.copy.aws_in_steps import refused
from tests.unit.diagnose.examples import (
    ENCRYPTED,
    IMAGE_NOT_VISIBLE,
    SHARED,
    UNDECIDED,
    UNREADABLE,
    consumer,
    encrypted,
    owner,
)
from tests.unit.examples import CONSUMER, ORG, OWNER, SOURCE_ID, STRANGER, as_read, source_image
from tests.unit.keys.examples import DEFAULT, key_arn
from tests.unit.kms_grant.examples import KEY, made, root

EU, US = "eu-west-1", "us-east-1"
OTHER = "ami-0fedcba9876543210"
PARAMS: dict[str, Any] = {
    "images": {EU: SOURCE_ID, US: OTHER},
    "image_id": None,
    "region": None,
    "account_ids": [CONSUMER],
    "consumer_role_name": "golden",
    "external_id": None,
    "subnet_ids": {},
    "security_group_ids": {},
    "launch_tags": None,
    "instance_type": None,
    "fail_on": "none",
}


class Account(str):
    """The clients of an account: its ID."""

    __slots__ = ()

    def client(self, service: str, region: str) -> str:
        return f"{service} of {self} in {region}"

    def kms(self, region: str) -> str:
        return self.client("kms", region)

    def ec2(self, _region: str) -> Account:
        return self


class World:
    """A fake of AWS: the answers in both accounts, and the calls made."""

    default_region = "us-east-1"

    def __init__(self, owner_side: OwnerSeen, consumer_side: ConsumerSeen | Exception) -> None:
        self.owner_side, self.consumer_side = owner_side, consumer_side
        self.asked: Counter[tuple[str, str, str]] = Counter()
        self.opened: list[tuple[str, tuple[str, ...]]] = []
        self.requests: list[tuple[str, Mapping[str, Any], list[str]]] = []

    def image(self, _ec2: Account, _image_id: str) -> Image | None:
        """The account sees the image as soon as ``consumer_side`` does."""
        return getattr(self.consumer_side, "image", None)

    # The clients.

    def open(self, service: str, regions: list[str]) -> None:
        self.opened.append((service, tuple(sorted(set(regions)))))

    def sts(self, region: str) -> str:
        return region

    @contextmanager
    def as_account(self, account_id: str) -> Any:
        yield Account(account_id)

    def identity(self, account_id: str, region: str) -> None:
        self.asked["identity", account_id, region] += 1
        if isinstance(self.consumer_side, Exception):
            raise self.consumer_side

    # aws.read and aws.diagnosis.

    def caller(self, _sts: str) -> Caller:
        return Caller(OWNER, "aws", f"arn:aws:sts::{OWNER}:assumed-role/deploy/ci")

    def role_arn(self, account_id: str) -> str | None:
        return None if account_id == OWNER else f"arn:aws:iam::{account_id}:role/golden"

    def owner(self, account_id: str, target: Target, image_id: str, others: list[str]) -> OwnerSeen:
        assert (account_id, image_id) == (target.account_id, PARAMS["images"].get(target.region, SOURCE_ID))
        assert target.region not in others
        self.asked["owner", target.account_id, target.region] += 1
        return self.owner_side

    def keys(self, account_id: str, target: Target, seen: OwnerSeen) -> OwnerSeen:
        self.asked["keys", account_id, target.region] += 1
        return seen

    def consumer(
        self,
        account_id: str,
        target: Target,
        _image_id: str,
        keys: list[str],
        request: Callable[[Any], Mapping[str, Any]],
        grantee: str,
    ) -> ConsumerSeen:
        self.asked["consumer", account_id, target.region] += 1
        self.requests.append((target.region, request(source_image(architecture="arm64")), keys))
        assert grantee == f"arn:aws:iam::{account_id}:root"
        if isinstance(self.consumer_side, Exception):
            raise self.consumer_side
        return self.consumer_side

    def once_usable(self, kms: str, arns: list[str], grantee: str, seen: ConsumerSeen) -> ConsumerSeen:
        self.asked["repeated", kms, grantee] += 1
        return replace(seen, keys=dict.fromkeys(arns, KeyDryRun(frozenset({"Decrypt"}))))

    def with_simulations(self, iam: str, principal: str, seen: ConsumerSeen) -> ConsumerSeen:
        self.asked["simulation", iam, principal] += 1
        return replace(seen, dry_run=(principal, ""))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, attempts)


def read(
    monkeypatch: pytest.MonkeyPatch, world: World, check_mode: bool = False, **changes: Any
) -> DiagnosisSeen:
    monkeypatch.setattr(caller, "read", world)
    monkeypatch.setattr(flow, "reads", world)
    monkeypatch.setattr(flow, "read", world)
    monkeypatch.setattr(flow, "AssumedAccounts", lambda *_given: world)
    return flow.read_state(
        world, flow.wanted_from(as_read(flow.ARGUMENT_SPEC, {**PARAMS, **changes}), check_mode)
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        pytest.param({"account_ids": []}, "account_ids", id="no account"),
        pytest.param({"account_ids": [12345678901]}, "account_ids", id="a number"),
        pytest.param({"images": {EU: None}}, "images", id="a copy that is only planned"),
        pytest.param({"images": {}}, "images", id="no image"),
        pytest.param({"subnet_ids": {EU: "vpc-1"}}, "subnet_ids", id="not a subnet"),
        pytest.param({"launch_tags": {"aws:x": "1"}}, "launch_tags", id="a tag of AWS"),
        pytest.param({"launch_tags": {"a": []}}, "launch_tags", id="not a tag"),
    ],
)
def test_invalid_options_are_refused(changes: dict[str, Any], option: str) -> None:
    with pytest.raises(Refused) as caught:
        flow.wanted_from(as_read(flow.ARGUMENT_SPEC, {**PARAMS, **changes}), False)
    assert option in {failure.action for failure in caught.value.failures}


def test_each_image_and_each_account_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(owner(), consumer())
    read(monkeypatch, world, account_ids=[CONSUMER, STRANGER, CONSUMER])
    assert set(world.asked.values()) == {1}
    assert sum(kind == "owner" for kind, *_target in world.asked) == 2
    assert sum(kind == "consumer" for kind, *_target in world.asked) == 4


def test_without_a_role_only_the_owner_account_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(owner(), consumer())
    seen = read(monkeypatch, world, consumer_role_name=None)
    assert {kind for kind, *_target in world.asked} == {"owner"}
    assert seen.consumers == {}


@pytest.mark.parametrize(
    ("of_owner", "asked", "tried"),
    [(owner(), False, []), (encrypted(), True, [KEY.arn])],
)
def test_kms_is_called_only_for_encrypted_images(
    monkeypatch: pytest.MonkeyPatch, of_owner: OwnerSeen, asked: bool, tried: list[str]
) -> None:
    world = World(of_owner, consumer())
    read(monkeypatch, world)
    assert (("kms", (EU, US)) in world.opened) is asked
    assert [keys for _region, _request, keys in world.requests] == [tried, tried]


FOREIGN = Key(key_arn("theirs", account_id=STRANGER))
UNREAD = owner(
    image=ENCRYPTED,
    key_problems={KEY.arn: UNREADABLE, "snap-1": UNREADABLE},
    undecided_keys={"arn:2": UNDECIDED},
)


@pytest.mark.parametrize(
    ("of_owner", "account_id", "tried"),
    [
        pytest.param(encrypted(), OWNER, [KEY.arn], id="its own key"),
        pytest.param(
            encrypted(key_problems={KEY.arn: UNREADABLE}), OWNER, [KEY.arn], id="its own, in part unreadable"
        ),
        pytest.param(encrypted(key=FOREIGN), OWNER, [FOREIGN.arn], id="a key of another account"),
        pytest.param(encrypted(key=FOREIGN), STRANGER, [FOREIGN.arn], id="its own key, not its image"),
        pytest.param(UNREAD, OWNER, [KEY.arn, "arn:2"], id="the owner, keys that were not read"),
        pytest.param(UNREAD, CONSUMER, [KEY.arn, "arn:2"], id="a consumer, keys that were not read"),
        pytest.param(
            encrypted(key_problems={KEY.arn: UNREADABLE}), CONSUMER, [KEY.arn], id="a consumer, read in part"
        ),
        pytest.param(encrypted(key=replace(KEY, state="Disabled")), CONSUMER, [], id="a disabled key"),
        pytest.param(encrypted(key=DEFAULT), CONSUMER, [], id="aws/ebs"),
    ],
)
def test_the_keys_that_an_account_tries(
    monkeypatch: pytest.MonkeyPatch, of_owner: OwnerSeen, account_id: str, tried: list[str]
) -> None:
    world = World(of_owner, consumer())
    read(monkeypatch, world, images={EU: SOURCE_ID}, account_ids=[account_id])
    assert [keys for _region, _request, keys in world.requests] == [tried]


REFUSED = consumer(keys={KEY.arn: KeyDryRun(refused={"Decrypt": "No."})})


def test_iam_is_asked_in_one_region_about_what_kms_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(encrypted(), REFUSED)
    seen = read(monkeypatch, world, account_ids=[OWNER, CONSUMER])
    assert ("iam", (US,)) in world.opened
    # The role of a session has no path in the session's ARN.
    principals = {
        OWNER: f"arn:aws:iam::{OWNER}:role/deploy",
        CONSUMER: f"arn:aws:iam::{CONSUMER}:role/golden",
    }
    assert seen.principals == principals
    simulated = {(iam, arn) for kind, iam, arn in world.asked if kind == "simulation"}
    assert simulated == {(f"iam of {account} in {US}", arn) for account, arn in principals.items()}
    assert {(case.account_id, item.dry_run) for case, item in seen.consumers.items()} == {
        (account, (arn, "")) for account, arn in principals.items()
    }


def test_dry_runs_are_repeated_in_an_account_with_a_new_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(encrypted(replace(made(root(CONSUMER)), created=datetime.now(UTC))), REFUSED)
    seen = read(monkeypatch, world, images={EU: SOURCE_ID}, account_ids=[CONSUMER, STRANGER])
    assert [(kms, grantee) for kind, kms, grantee in world.asked if kind == "repeated"] == [
        (f"kms of {CONSUMER} in {EU}", root(CONSUMER))
    ]
    allowed = {case.account_id: bool(item.keys[KEY.arn].allowed) for case, item in seen.consumers.items()}
    assert allowed == {CONSUMER: True, STRANGER: False}


def test_iam_is_not_asked_if_kms_refuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(encrypted(), consumer(keys={KEY.arn: KeyDryRun(frozenset({"Decrypt"}))}))
    read(monkeypatch, world)
    assert "iam" not in {service for service, _regions in world.opened}
    assert "simulation" not in {kind for kind, *_rest in world.asked}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, {"InstanceType": "t4g.nano"}, id="the default type"),
        pytest.param({"instance_type": "m7g.large"}, {"InstanceType": "m7g.large"}, id="a named one"),
        pytest.param(
            {
                "subnet_ids": {EU: {CONSUMER: "subnet-0123456789abcdef0"}},
                "security_group_ids": {EU: ["sg-0123456789abcdef0"]},
            },
            {
                "InstanceType": "t4g.nano",
                "SubnetId": "subnet-0123456789abcdef0",
                "SecurityGroupIds": ["sg-0123456789abcdef0"],
            },
            id="its network",
        ),
        pytest.param(
            {"launch_tags": {"CostCenter": "42"}},
            {
                "InstanceType": "t4g.nano",
                "TagSpecifications": [
                    {"ResourceType": kind, "Tags": [{"Key": "CostCenter", "Value": "42"}]}
                    for kind in ("instance", "network-interface", "volume")
                ],
            },
            id="its tags",
        ),
    ],
)
def test_the_launch_request(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    world = World(owner(), consumer())
    read(monkeypatch, world, **changes)
    (request,) = [request for region, request, _keys in world.requests if region == EU]
    # IMDSv2 as in a launch probe: a policy may deny other launches.
    assert request == {"MetadataOptions": {"HttpTokens": "required"}, **expected}


def test_a_role_that_cannot_be_assumed_is_tried_once_and_reported_for_each_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(owner(), refused("AccessDenied", "AssumeRole"))
    seen = read(monkeypatch, world)
    assert sum(count for (kind, *_target), count in world.asked.items() if kind == "consumer") == 1
    problems = [item.problem for item in seen.consumers.values()]
    assert [(problem.action, problem.region) for problem in problems if problem] == [
        ("AssumeRole", EU),
        ("AssumeRole", US),
    ]


@pytest.mark.parametrize(
    ("images", "asked"),
    [
        pytest.param({EU: None, US: None}, {"identity": 1}, id="only planned copies"),
        pytest.param({**PARAMS["images"], EU: None}, {"consumer": 1}, id="an image that is read"),
    ],
)
def test_a_role_that_cannot_be_assumed_is_reported_for_planned_copies(
    monkeypatch: pytest.MonkeyPatch, images: dict[str, str | None], asked: dict[str, int]
) -> None:
    world = World(owner(), refused("AccessDenied", "AssumeRole"))
    seen = read(monkeypatch, world, True, images=images)
    assert Counter(kind for kind, *_target in world.asked.elements() if kind != "owner") == asked
    made = plan(flow.wanted_from({**PARAMS, "images": images}, True), seen)
    assert [failure.action for failure in made.failures] == ["AssumeRole"]
    codes = [item.code for diagnosis in made.diagnoses for item in diagnosis.findings]
    assert codes.count("consumer_unreadable") == 1

    world = World(owner(), consumer())
    seen = read(monkeypatch, world, True, images={EU: None})
    assert (seen.consumers, set(world.asked.values())) == ({}, {1})


def test_an_unreachable_region_does_not_affect_others(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(owner(), refused("AuthFailure", "DescribeImages"))
    seen = read(monkeypatch, world)
    assert sum(count for (kind, *_target), count in world.asked.items() if kind == "consumer") == 2
    assert all(item.problem for item in seen.consumers.values())


def test_images_in_several_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(owner(), consumer())
    placed = [
        {"account_id": account_id, "region": EU, "image_id": SOURCE_ID} for account_id in (OWNER, STRANGER)
    ]
    seen = read(monkeypatch, world, images=placed)
    assert {target.account_id for target in seen.owners} == {OWNER, STRANGER}
    assert len(seen.consumers) == 2


def test_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = read(monkeypatch, World(owner(), IMAGE_NOT_VISIBLE))
    wanted = flow.wanted_from(PARAMS, False)
    planned = plan(wanted, seen)
    outcome = flow.FLOW.apply(None, wanted, seen, planned, None)  # type: ignore[arg-type]
    assert outcome == Outcome()
    result = flow.result(wanted, seen, planned, outcome)
    assert [one["region"] for one in result["results"]] == [EU, US]
    assert [(one["code"], one["region"], one["image_id"]) for one in result["findings"]] == [
        ("not_visible", EU, SOURCE_ID),
        ("not_visible", US, OTHER),
    ]
    assert flow.FLOW.only_reads


class Noticing(World):
    """The account sees the image in the third read; ``refuses`` is what reading it raises."""

    looks = 0
    refuses: Exception | None = None

    def image(self, _ec2: Account, _image_id: str) -> Image | None:
        if self.refuses:
            raise self.refuses
        self.looks += 1
        if self.looks < 2:
            return None
        self.consumer_side = consumer()
        return source_image()


@pytest.mark.parametrize("launch", [SHARED, Sharing(org_arns=frozenset({ORG}))])
def test_an_image_that_was_just_shared_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, launch: Any
) -> None:
    """That its owner reads the permission says nothing of the account's view."""
    world, started = Noticing(owner(launch), IMAGE_NOT_VISIBLE), clock.now
    (seen,) = read(monkeypatch, world, images={EU: SOURCE_ID}).consumers.values()
    assert (seen, clock.now) == (consumer(), started + 4)


@pytest.mark.parametrize("of_owner", [owner(Sharing()), OwnerSeen(problem=UNREADABLE), OwnerSeen()])
def test_an_image_is_not_waited_for_unless_it_is_known_to_be_shared(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, of_owner: OwnerSeen
) -> None:
    world, started = Noticing(of_owner, IMAGE_NOT_VISIBLE), clock.now
    (seen,) = read(monkeypatch, world, images={EU: SOURCE_ID}).consumers.values()
    assert (seen, clock.now) == (IMAGE_NOT_VISIBLE, started)


def test_an_image_that_cannot_be_read_again_stays_invisible(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    world = Noticing(owner(SHARED), IMAGE_NOT_VISIBLE)
    world.refuses = refused("RequestLimitExceeded", "DescribeImages")
    started = clock.now
    (seen,) = read(monkeypatch, world, images={EU: SOURCE_ID}).consumers.values()
    assert (seen, clock.now) == (IMAGE_NOT_VISIBLE, started + 30)
