# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies that other accounts own: what is read with which account's credentials, and what is not read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import attempts, caller
from ansible_collections.golden.images.plugins.module_utils.aws.read import SETTLING_GRACE_PERIOD, Caller
from ansible_collections.golden.images.plugins.module_utils.copy import flow
from ansible_collections.golden.images.plugins.module_utils.copy import inspect as copy_inspect
from ansible_collections.golden.images.plugins.module_utils.copy import read_access as copy_access
from ansible_collections.golden.images.plugins.module_utils.copy import read_source as copy_source
from ansible_collections.golden.images.plugins.module_utils.copy import read_targets as copy_targets
from ansible_collections.golden.images.plugins.module_utils.copy import wait as copy_wait
from ansible_collections.golden.images.plugins.module_utils.copy.access import REQUIRED_OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.copy.state import CopyWanted
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.keys.encryption import Encryption
from ansible_collections.golden.images.plugins.module_utils.model import (
    Grant,
    Image,
    Key,
    Sharing,
    Snapshot,
    Target,
)
from ansible_collections.golden.images.plugins.module_utils.plan import KNOWN_AFTER_APPLY

from tests.unit.clock import Clock
from tests.unit.copy.aws_in_steps import refused
from tests.unit.copy.examples import wanted
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, SOURCE_REGION, copied_image, source_image, volumes
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import policy_of

OTHER = "222222222222"
EU, US = "eu-west-1", "us-west-2"
BOTH = (CONSUMER, OTHER)
KEY = key_arn("golden", SOURCE_REGION)
PLAIN = source_image()
ENCRYPTED = source_image(devices=volumes("snap-source", encrypted=True))
FULL = tuple(Grant(f"grant-{item}", f"arn:aws:iam::{item}:root", REQUIRED_OPERATIONS) for item in BOTH)


@dataclass
class Aws:
    """AWS of several accounts, standing for ``aws.read``: a client is its account and region.

    ``blind`` maps accounts to the number of reads that do not return the source; ``snapshotless`` and
    ``keyless`` accounts have no access to its snapshots and its key. ``launch`` are the accounts that its
    owner has shared it with.
    """

    source: Image = PLAIN
    copies_of: dict[Target, tuple[Image, ...]] = field(default_factory=dict)
    blind: dict[str, int] = field(default_factory=dict)
    snapshotless: frozenset[str] = frozenset()
    keyless: frozenset[str] = frozenset()
    launch: frozenset[str] = frozenset()
    grants_made: tuple[Grant, ...] = FULL
    unassumable: frozenset[str] = frozenset()
    associated: tuple[str, ...] = ()
    reads: list[tuple[str, Target]] = field(default_factory=list)

    def _record(self, what: str, who: Target) -> None:
        self.reads.append((what, who))
        if who.account_id in self.unassumable:
            raise refused("AccessDenied", "AssumeRole")

    def caller(self, _sts: object) -> Caller:
        return Caller(OWNER, "aws")

    def regions(self, _ec2: object) -> dict[str, str]:
        return dict.fromkeys([SOURCE_REGION, EU, US], "opted-in")

    def image(self, ec2: Target, image_id: str) -> Image | None:
        self._record("image", ec2)
        if self.blind.get(ec2.account_id, 0) > 0:
            self.blind[ec2.account_id] -= 1
            return None
        return self.source if image_id == SOURCE_ID else source_image(image_id=image_id)

    def settled_image(self, ec2: Target, image_id: str) -> Image | None:
        return self.image(ec2, image_id)

    def visible_image(self, ec2: Target, image_id: str) -> Image | None:
        return self.image(ec2, image_id)

    def copies(self, ec2: Target, _source_id: str, _source_region: str, _usable: object) -> tuple[Image, ...]:
        self._record("copies", ec2)
        return self.copies_of.get(ec2, ())

    def visible_snapshots(self, ec2: Target, snapshot_ids: Sequence[str]) -> tuple[Snapshot, ...]:
        if not snapshot_ids:
            return ()
        self._record("snapshots", ec2)
        if ec2.account_id in self.snapshotless:
            return ()
        return tuple(
            Snapshot(
                item,
                "completed",
                100,
                KEY if self.source.encrypted else None,
                associated_key_arns=self.associated,
            )
            for item in snapshot_ids
        )

    snapshots = visible_snapshots

    def key(self, kms: Target, key_id: str) -> Key:
        self._record(f"key {key_id}", kms)
        return Key(key_arn("theirs", kms.region, kms.account_id))

    def may_describe_key(self, kms: Target, _key_arn: str) -> bool:
        self._record("describe key", kms)
        return kms.account_id not in self.keyless

    def grants(self, kms: Target, _key_arn: str) -> tuple[Grant, ...]:
        self._record("grants", kms)
        return self.grants_made

    def key_policies(self, kms: Target, _key_arn: str) -> str:
        self._record("policy", kms)
        return policy_of()

    def launch_permissions(self, ec2: Target, _image_id: str) -> Sharing:
        self._record("launch permissions", ec2)
        return Sharing(account_ids=self.launch)

    def volume_permissions(self, ec2: Target, _snapshot_id: str) -> Sharing:
        self._record("volume permissions", ec2)
        return Sharing(account_ids=self.launch)

    def encryption_by_default(self, ec2: Target) -> bool:
        self._record("by default", ec2)
        return False

    def by(self, account_id: str) -> list[tuple[str, str]]:
        """What was read with an account's credentials, and in which regions, sorted."""
        return sorted((what, who.region) for what, who in self.reads if who.account_id == account_id)


class Accounts:
    """Stands for ``AssumedAccounts``."""

    def __init__(self, _clients: object, _caller: object, _role: object, _region: str) -> None:
        pass

    def open(self, _service: str, _regions: object) -> None:
        pass

    def clients(self, account_id: str) -> Any:
        def at(region: str) -> Target:
            return Target(account_id, region)

        return SimpleNamespace(ec2=at, kms=at)

    @contextmanager
    def as_account(self, account_id: str) -> Iterator[Any]:
        yield self.clients(account_id)

    def role_arn(self, account_id: str) -> str:
        return f"arn:aws:iam::{account_id}:role/golden-consumer"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock.of(monkeypatch, attempts)
    monkeypatch.setattr(flow, "AssumedAccounts", Accounts)
    return clock


def read(monkeypatch: pytest.MonkeyPatch, aws: Aws, want: CopyWanted) -> Any:
    for module in (caller, copy_inspect, copy_source, copy_targets, copy_access, copy_wait):
        monkeypatch.setattr(module, "read", aws)
    own = SimpleNamespace(
        open=lambda _service, _regions: None,
        sts=lambda region: Target(OWNER, region),
        ec2=lambda region: Target(OWNER, region),
    )
    return flow.read_state(own, want)  # type: ignore[arg-type]


def into(*account_ids: str, **changes: Any) -> CopyWanted:
    return wanted(**{"regions": (EU, US), "account_ids": account_ids, **changes})


def refusals(want: CopyWanted, seen: Any) -> list[tuple[str, str, str]]:
    return [(item.account_id, item.region, item.error_code) for item in flow.plan(want, seen).refusals]


def test_targets_are_all_accounts_and_regions_and_the_own_account_only_if_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    want = into(*BOTH)
    plan = flow.plan(want, read(monkeypatch, Aws(), want))
    assert [(action.target, action.operation) for action in plan.actions] == [
        (Target(account_id, region), "CopyImage") for account_id in sorted(BOTH) for region in (EU, US)
    ]
    tokens = {action.parameters["ClientToken"] for action in plan.actions}
    assert len(tokens) == len(plan.actions)
    assert set(plan.before) == {f"{account_id} {region}" for account_id in BOTH for region in (EU, US)}

    named = into(OWNER, CONSUMER)
    accounts = {target.account_id for target in read(monkeypatch, Aws(), named).copies}
    assert accounts == {OWNER, CONSUMER}


def test_each_account_reads_one_source_once_with_its_own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(ENCRYPTED)
    want = into(CONSUMER, encryption=Encryption(key="alias/theirs"))
    seen = read(monkeypatch, aws, want)
    assert aws.by(CONSUMER) == sorted(
        [
            *(("copies", region) for region in (EU, US)),
            *(("key alias/theirs", region) for region in (EU, US)),
            *((what, SOURCE_REGION) for what in ("image", "snapshots", "describe key")),
        ]
    )
    # The owner reads the source and its key, and nothing in the consumers' regions.
    assert {where for _what, where in aws.by(OWNER)} == {SOURCE_REGION}
    assert {key.account_id for key in seen.keys.values()} == {CONSUMER}


def test_permissions_are_not_read_where_the_copies_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {Target(CONSUMER, region): (copied_image(owner_id=CONSUMER),) for region in (EU, US)}
    aws = Aws(copies_of=there, blind={CONSUMER: 99})
    want = into(CONSUMER)
    assert flow.plan(want, read(monkeypatch, aws, want)).actions == ()
    assert aws.by(CONSUMER) == [("copies", EU), ("copies", US)]


@pytest.mark.parametrize(
    ("aws", "codes"),
    [
        pytest.param(Aws(blind={CONSUMER: 99}), ["missing_launch_permission"], id="image"),
        pytest.param(Aws(snapshotless=frozenset({CONSUMER})), ["missing_volume_permission"], id="snapshots"),
        pytest.param(
            Aws(ENCRYPTED, keyless=frozenset({CONSUMER}), grants_made=FULL[1:]),
            ["missing_key_access"],
            id="key",
        ),
        pytest.param(
            Aws(ENCRYPTED, keyless=frozenset({CONSUMER}), grants_made=FULL[1:], associated=("arn:other",)),
            [],
            id="a key beside which another gives access",
        ),
        pytest.param(
            Aws(
                ENCRYPTED,
                blind={CONSUMER: 99},
                keyless=frozenset({CONSUMER}),
                snapshotless=frozenset({CONSUMER}),
                grants_made=FULL[1:],
            ),
            ["missing_launch_permission", "missing_volume_permission", "missing_key_access"],
            id="everything",
        ),
    ],
)
def test_missing_access_of_one_account_is_refused_for_all_its_copies_at_once(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, aws: Aws, codes: list[str]
) -> None:
    want = into(*BOTH, encryption=Encryption(key="alias/theirs"))
    started = clock.now
    found = refusals(want, read(monkeypatch, aws, want))
    assert found == [(CONSUMER, region, code) for region in (EU, US) for code in codes]
    assert clock.now == started


def test_a_key_that_only_ec2_may_use_for_the_role_is_copied_after_a_wait(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """Grants may still propagate, or policies allow DescribeKey only through EC2 (kms:ViaService)."""
    aws = Aws(ENCRYPTED, keyless=frozenset({CONSUMER}), launch=frozenset(BOTH))
    want = into(*BOTH, encryption=Encryption(key="alias/theirs"))
    started = clock.now
    plan = flow.plan(want, read(monkeypatch, aws, want))
    assert (plan.refusals, plan.warnings) == ((), ())
    assert {action.target.account_id for action in plan.actions} == set(BOTH)
    assert clock.now - started == 30


def test_an_image_with_a_product_code_is_refused_in_every_other_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    want = into(OWNER, CONSUMER)
    aws = Aws(replace(PLAIN, product_codes=("abc123",)))
    found = refusals(want, read(monkeypatch, aws, want))
    assert found == [(CONSUMER, region, "product_code") for region in (EU, US)]


def test_best_effort_regions_with_missing_access_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    want = into(CONSUMER, best_effort_regions=frozenset({US}))
    seen = read(monkeypatch, Aws(blind={CONSUMER: 99}), want)
    assert refusals(want, seen) == [(CONSUMER, EU, "missing_launch_permission")]
    assert [item.region for item in flow.plan(want, seen).tolerated] == [US]


def test_access_that_was_just_granted_is_waited_for(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    started = clock.now
    want = into(*BOTH)
    seen = read(monkeypatch, Aws(blind={CONSUMER: 3}, launch=frozenset(BOTH)), want)
    assert refusals(want, seen) == []
    assert 0 < clock.now - started < 10


def test_granted_access_that_never_propagates_is_refused_in_the_end(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    started = clock.now
    want = into(CONSUMER)
    seen = read(monkeypatch, Aws(blind={CONSUMER: 999}, launch=frozenset(BOTH)), want)
    assert {code for _account, _region, code in refusals(want, seen)} == {"missing_launch_permission"}
    assert all("Allowed AMIs" in item.remedy for item in flow.plan(want, seen).refusals)
    assert clock.now - started <= 31


def test_failures_to_assume_a_role_name_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    want = into(*BOTH)
    with pytest.raises(Refused) as caught:
        read(monkeypatch, Aws(unassumable=frozenset({OTHER})), want)
    assert {(item.account_id, item.action) for item in caught.value.failures} == {(OTHER, "AssumeRole")}
    assert all(OTHER in item.message for item in caught.value.failures)


# An own source in each region.


def each_its_own(**changes: Any) -> CopyWanted:
    sources = {EU: "ami-00000000000000001", US: "ami-00000000000000002"}
    return into(
        CONSUMER, **{"source_images": sources, "source_image_id": None, "source_region": EU, **changes}
    )


def test_each_region_copies_its_own_source_within_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    aws, want = Aws(), each_its_own()
    plan = flow.plan(want, read(monkeypatch, aws, want))
    assert [
        (action.target.region, action.parameters["SourceRegion"], action.parameters["SourceImageId"])
        for action in plan.actions
    ] == [(EU, EU, want.source_images[EU]), (US, US, want.source_images[US])]
    assert {where for what, where in aws.by(CONSUMER) if what == "image"} == {EU, US}


@pytest.mark.parametrize("assumed", [True, False])
def test_copies_of_a_source_that_is_only_planned(monkeypatch: pytest.MonkeyPatch, assumed: bool) -> None:
    aws = Aws(blind={CONSUMER: 99})
    want = each_its_own(source_images={EU: None, US: None}, assume_source_ready=assumed)
    seen = read(monkeypatch, aws, want)
    plan = flow.plan(want, seen)
    assert plan.refusals == ()
    assert [action.parameters["SourceImageId"] for action in plan.actions] == [KNOWN_AFTER_APPLY] * 2
    assert aws.by(CONSUMER) == [("by default", EU), ("by default", US)]
    result = flow.result(want, seen, plan, flow.Outcome())
    assert result["images"] == [
        {"account_id": CONSUMER, "region": region, "image_id": None} for region in (EU, US)
    ]
    assert (result["source_image_id"], result["source_region"]) == (None, None)


def test_a_best_effort_region_has_time_until_its_source_is_available(
    monkeypatch: pytest.MonkeyPatch, grace_periods: Callable[[ModuleType], list[float]]
) -> None:
    waited = grace_periods(copy_source)
    read(monkeypatch, Aws(), each_its_own(best_effort_regions=frozenset({US})))
    assert waited == [SETTLING_GRACE_PERIOD]


def test_a_pending_source_is_refused_unless_it_is_assumed_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pending = Aws(source_image(state="pending"))
    sources = dict.fromkeys((EU, US), SOURCE_ID)
    with pytest.raises(Refused) as caught:
        read(monkeypatch, pending, each_its_own(source_images=sources))
    assert {item.action for item in caught.value.failures} == {"source_image_id"}
    want = each_its_own(source_images=sources, assume_source_ready=True)
    assert len(flow.plan(want, read(monkeypatch, pending, want)).actions) == 2


def test_a_best_effort_region_without_its_source_is_reported_for_every_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Missing(Aws):
        def image(self, ec2: Target, image_id: str) -> Image | None:
            return None if ec2.region == US else super().image(ec2, image_id)

    want = each_its_own(account_ids=BOTH, best_effort_regions=frozenset({US}))
    seen = read(monkeypatch, Missing(), want)
    assert {target.region for target in seen.copies} == {EU}
    assert [(item.account_id, item.region) for item in seen.unread] == [(item, US) for item in BOTH]
    # Also in check mode, which does not call apply.
    assert flow.plan(want, seen).tolerated == seen.unread
