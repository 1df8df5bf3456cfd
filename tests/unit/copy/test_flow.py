# SPDX-License-Identifier: GPL-3.0-or-later

"""Which keys ``ami_copy_regions`` reads before it copies, and how it checks the keys of finished copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import caller
from ansible_collections.golden.images.plugins.module_utils.aws.read import Caller
from ansible_collections.golden.images.plugins.module_utils.copy import flow
from ansible_collections.golden.images.plugins.module_utils.copy import inspect as copy_inspect
from ansible_collections.golden.images.plugins.module_utils.copy import plan as planner
from ansible_collections.golden.images.plugins.module_utils.copy import read_source as copy_source
from ansible_collections.golden.images.plugins.module_utils.copy import read_targets as copy_targets
from ansible_collections.golden.images.plugins.module_utils.copy import wait as copy_wait
from ansible_collections.golden.images.plugins.module_utils.copy.state import CopySeen, CopyWanted
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.keys.encryption import Encryption
from ansible_collections.golden.images.plugins.module_utils.model import Image, Key, Snapshot
from ansible_collections.golden.images.plugins.module_utils.progress import reporter

from tests.unit.clock import Clock
from tests.unit.copy.aws_in_steps import Reads, Region, refused
from tests.unit.copy.examples import REGION, wanted
from tests.unit.examples import OWNER, SOURCE_ID, SOURCE_REGION, copied_image, target_in, volumes
from tests.unit.keys.examples import (
    ANY_KEY,
    BY_DEFAULT,
    DEFAULT,
    ENCRYPTED,
    KEY_TAG,
    OTHER,
    PLAIN,
    UNDER_KEY,
    WANTED,
    found,
    saw,
)

OTHER_REGION = "us-west-2"


@dataclass
class Reading:
    """Stands for ``aws.read``: one region with these images, whose keys and settings are read.

    Nothing can be read in the regions ``unreadable``.
    """

    source: Image
    images: tuple[tuple[Image, list[Snapshot]], ...] = ()
    others: tuple[tuple[Image, list[Snapshot]], ...] = ()
    by_default: bool = False
    missing: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    reads: list[str] = field(default_factory=list)

    def caller(self, _sts: object) -> Caller:
        return Caller(OWNER, "aws")

    def regions(self, _ec2: object) -> dict[str, str]:
        return dict.fromkeys([SOURCE_REGION, REGION, OTHER_REGION], "opted-in")

    def image(self, _ec2: object, _image_id: str) -> Image:
        return self.source

    def copies(self, ec2: object, *_which: object) -> tuple[Image, ...]:
        if ec2 in self.unreadable:
            raise refused("UnauthorizedOperation", "DescribeImages")
        return tuple(image for image, _snapshots in self.images)

    def copies_by_field(self, *_which: object) -> tuple[Image, ...]:
        self.reads.append("by field")
        return tuple(image for image, _snapshots in (*self.images, *self.others))

    def snapshots(self, _ec2: object, snapshot_ids: Sequence[str]) -> tuple[Snapshot, ...]:
        self.reads += [f"snapshot {item}" for item in snapshot_ids]
        images = (*self.images, *self.others)
        return tuple(item for _image, items in images for item in items if item.snapshot_id in snapshot_ids)

    def key(self, _kms: object, key_id: str) -> Key:
        self.reads.append(f"key {key_id}")
        if key_id in self.missing:
            raise refused("NotFoundException", "DescribeKey")
        if key_id in self.denied:
            raise refused("AccessDeniedException", "DescribeKey")
        return {"alias/golden": WANTED, "alias/aws/ebs": DEFAULT}[key_id]

    def encryption_by_default(self, _ec2: object) -> bool:
        self.reads.append("by default")
        return self.by_default

    def default_key_id(self, _ec2: object) -> str:
        self.reads.append("default key")
        return "alias/aws/ebs"


def read_with(
    monkeypatch: pytest.MonkeyPatch, reading: Reading, want: CopyWanted
) -> tuple[CopySeen, set[str]]:
    """The state that was read, and the services for which clients were made."""
    for module in (caller, copy_inspect, copy_source, copy_targets):
        monkeypatch.setattr(module, "read", reading)
    opened: set[str] = set()
    clients = SimpleNamespace(
        open=lambda service, _regions: opened.add(service),
        ec2=lambda region: region,
        kms=lambda _region: None,
        sts=lambda _region: None,
    )
    return flow.read_state(clients, want), opened  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("existing", "reads", "expected"),
    [
        pytest.param((found("ami-1", DEFAULT),), ["key alias/aws/ebs"], (DEFAULT.arn,), id="AWS managed"),
        pytest.param((found("ami-1", WANTED),), ["key alias/golden"], (), id="customer managed"),
        pytest.param((found("ami-1", None),), [], None, id="not encrypted"),
        pytest.param((), [], None, id="no copy yet"),
    ],
)
def test_the_keys_of_an_image_that_will_be_shared(
    monkeypatch: pytest.MonkeyPatch,
    existing: tuple[tuple[Image, list[Snapshot]], ...],
    reads: list[str],
    expected: tuple[str, ...] | None,
) -> None:
    names = {DEFAULT.arn: "alias/aws/ebs", WANTED.arn: "alias/golden"}

    class ByArn(Reading):
        def key(self, kms: object, key_id: str) -> Key:
            return super().key(kms, names[key_id])

    reading = ByArn(ENCRYPTED, existing)
    seen, opened = read_with(monkeypatch, reading, wanted(require_shareable=True))
    assert seen.aws_managed_keys.get(target_in()) == expected
    assert ("kms" in opened) is bool(reads)
    assert [item for item in reading.reads if item.startswith("key")] == reads


def test_the_requested_key_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(ENCRYPTED, (found("ami-1", WANTED),))
    want = wanted(require_shareable=True, encryption=UNDER_KEY)
    seen, _opened = read_with(monkeypatch, reading, want)
    assert seen.aws_managed_keys == {target_in(): ()}
    assert [item for item in reading.reads if item.startswith("key")] == ["key alias/golden"]


DEFAULT_READS = ["default key", "key alias/aws/ebs"]


@pytest.mark.parametrize(
    ("encryption", "reading", "reads", "key", "by_default"),
    [
        pytest.param(ANY_KEY, Reading(PLAIN), ["by default"], None, False, id="a plain copy"),
        pytest.param(
            ANY_KEY, Reading(PLAIN, by_default=True), ["by default"], None, True, id="encryption by default"
        ),
        pytest.param(
            ANY_KEY,
            Reading(PLAIN, (found("ami-1", None),), by_default=True),
            [],
            None,
            False,
            id="nothing to copy",
        ),
        pytest.param(
            ANY_KEY, Reading(ENCRYPTED, by_default=True), [], None, False, id="no key: refused later"
        ),
        pytest.param(UNDER_KEY, Reading(PLAIN), ["key alias/golden"], WANTED, False, id="kms_key_id"),
        pytest.param(
            Encryption(keys={REGION: "alias/golden"}),
            Reading(PLAIN),
            ["key alias/golden"],
            WANTED,
            False,
            id="kms_key_ids",
        ),
        pytest.param(
            UNDER_KEY,
            Reading(PLAIN, (found("ami-1", OTHER), found("ami-2", None))),
            ["snapshot ami-1-0", "key alias/golden", "by field"],
            WANTED,
            False,
            id="encrypted copies, none under the requested key",
        ),
        pytest.param(
            UNDER_KEY,
            Reading(PLAIN, (found("ami-1", WANTED),), (found("ami-2", WANTED),)),
            ["snapshot ami-1-0", "key alias/golden"],
            WANTED,
            False,
            id="an own copy under the key: others are not read",
        ),
        pytest.param(
            BY_DEFAULT, Reading(ENCRYPTED), DEFAULT_READS, DEFAULT, False, id="the default, allowed"
        ),
        pytest.param(
            BY_DEFAULT,
            Reading(PLAIN, by_default=True),
            ["by default", *DEFAULT_READS],
            DEFAULT,
            False,
            id="encryption by default, default key allowed",
        ),
        pytest.param(BY_DEFAULT, Reading(PLAIN), ["by default"], None, False, id="allowed, not needed"),
        pytest.param(
            BY_DEFAULT,
            Reading(ENCRYPTED, (found("ami-1", OTHER),)),
            ["snapshot ami-1-0"],
            None,
            False,
            id="allowed, and a copy exists under another key",
        ),
    ],
)
def test_reads_of_keys(
    monkeypatch: pytest.MonkeyPatch,
    encryption: Encryption,
    reading: Reading,
    reads: list[str],
    key: Key | None,
    by_default: bool,
) -> None:
    reading.reads.clear()
    seen, _opened = read_with(monkeypatch, reading, wanted(encryption=encryption))
    assert reading.reads == reads
    assert seen.keys.get(target_in()) == key
    assert seen.encrypted_by_default == (frozenset({target_in()}) if by_default else frozenset())


@pytest.mark.parametrize(
    ("others", "adopted"),
    [(WANTED, "ami-2"), (OTHER, None)],
)
def test_another_copy_under_the_requested_key_is_adopted_beside_own_ones_under_other_keys(
    monkeypatch: pytest.MonkeyPatch, others: Key, adopted: str | None
) -> None:
    image, snapshots = found("ami-2", others)
    untagged = (replace(image, tags={}), snapshots)
    want = wanted(encryption=UNDER_KEY)
    seen, _opened = read_with(monkeypatch, Reading(PLAIN, (found("ami-1", OTHER),), (untagged,)), want)
    existing = planner.existing_copy(want, seen, target_in())
    assert (existing.image_id if existing else None) == adopted
    assert [action.operation for action in planner.plan(want, seen).actions] == ["CopyImage"] * (not adopted)


@pytest.mark.parametrize(("encryption", "opened"), [(ANY_KEY, False), (UNDER_KEY, True), (BY_DEFAULT, True)])
def test_kms_clients_are_made_only_if_keys_are_read(
    monkeypatch: pytest.MonkeyPatch, encryption: Encryption, opened: bool
) -> None:
    _seen, services = read_with(monkeypatch, Reading(PLAIN), wanted(encryption=encryption))
    assert ("kms" in services) is opened


def test_a_missing_key_in_a_region_is_refused_before_any_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading = Reading(PLAIN, missing=frozenset({"alias/golden"}))
    with pytest.raises(Refused) as caught:
        read_with(monkeypatch, reading, wanted(encryption=UNDER_KEY))
    (failure,) = caught.value.failures
    assert (failure.error_code, failure.action, failure.region) == (
        "NotFoundException",
        "DescribeKey",
        REGION,
    )
    assert "alias in this region" in failure.remedy


def test_a_key_that_only_ec2_may_use_is_requested_by_its_arn(monkeypatch: pytest.MonkeyPatch) -> None:
    """(KMS Developer Guide, AWS KMS condition keys: kms:ViaService.)"""
    want = wanted(encryption=Encryption(key=WANTED.arn))
    seen, _opened = read_with(monkeypatch, Reading(PLAIN, denied=frozenset({WANTED.arn})), want)
    plan = planner.plan(want, seen)
    assert [action.parameters["KmsKeyId"] for action in plan.actions] == [WANTED.arn]
    (warning,) = plan.warnings
    assert WANTED.arn in warning
    assert "kms:ViaService" in warning


def test_an_alias_of_a_key_that_cannot_be_described_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(PLAIN, denied=frozenset({"alias/golden"}))
    with pytest.raises(Refused) as caught:
        read_with(monkeypatch, reading, wanted(encryption=UNDER_KEY))
    assert [failure.error_code for failure in caught.value.failures] == ["AccessDeniedException"]


def test_a_region_that_cannot_be_read_is_refused_unless_it_is_best_effort(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading = Reading(PLAIN, unreadable=frozenset({OTHER_REGION}))
    want = wanted(regions=(REGION, OTHER_REGION))
    with pytest.raises(Refused) as caught:
        read_with(monkeypatch, reading, want)
    assert [(one.error_code, one.region) for one in caught.value.failures] == [
        ("UnauthorizedOperation", OTHER_REGION)
    ]
    want = wanted(regions=(REGION, OTHER_REGION), best_effort_regions=frozenset({OTHER_REGION}))
    seen, _opened = read_with(monkeypatch, reading, want)
    plan = planner.plan(want, seen)
    assert [action.target.region for action in plan.actions] == [REGION]
    assert [(one.error_code, one.region) for one in plan.tolerated] == [
        ("UnauthorizedOperation", OTHER_REGION)
    ]


def test_decrypting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused) as caught:
        read_with(monkeypatch, Reading(ENCRYPTED), wanted(encryption=Encryption(encrypted=False)))
    assert [failure.action for failure in caught.value.failures] == ["encrypted"]


@pytest.mark.parametrize(
    ("reencrypt", "reads"),
    [
        pytest.param(False, ["snapshot snap-source", "key alias/golden"], id="source used unchanged"),
        pytest.param(
            True,
            ["snapshot snap-source", "snapshot ami-1-0", "key alias/golden"],
            id="source copied in its region",
        ),
    ],
)
def test_copies_in_the_sources_region_are_read_only_to_reencrypt(
    monkeypatch: pytest.MonkeyPatch, reencrypt: bool, reads: list[str]
) -> None:
    reading = Reading(ENCRYPTED, (found("ami-1", WANTED),))
    encryption = Encryption(key="alias/golden", reencrypt_source=reencrypt)
    seen, _opened = read_with(monkeypatch, reading, wanted(regions=(SOURCE_REGION,), encryption=encryption))
    assert reading.reads == reads
    assert len(seen.copies[target_in(SOURCE_REGION)]) == reencrypt


# The keys of finished copies.


def ready(**changes: Any) -> Image:
    return copied_image("ami-2", devices=volumes("snap-2", encrypted=True), **changes)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock.of(monkeypatch, copy_wait)
    monkeypatch.setattr(copy_wait, "read", Reads)
    return clock


def copied(region: Region, seen: CopySeen, **changes: Any) -> tuple[dict[str, Any], Any]:
    """The module's own result, and the outcome of the plan."""
    want = wanted(encryption=UNDER_KEY, **changes)
    plan = flow.plan(want, seen)
    clients = SimpleNamespace(ec2=lambda _region: region)
    outcome = flow.apply(clients, want, seen, plan, reporter(None, print))  # type: ignore[arg-type]
    return flow.result(want, seen, plan, outcome), outcome


NEW = copied_image("ami-2", "pending", tags={KEY_TAG: WANTED.arn})


@pytest.mark.parametrize(
    ("got", "code"),
    [
        pytest.param(WANTED.arn, None, id="the requested key"),
        pytest.param(OTHER.arn, "wrong_key", id="another key"),
    ],
)
def test_the_key_of_a_finished_copy_is_checked(got: str, code: str | None) -> None:
    region = Region([None], second=[NEW, ready()], keys={"snap-2": got})
    result, outcome = copied(region, saw(key=WANTED))
    assert [failure.error_code for failure in outcome.failures] == ([code] if code else [])
    assert all(got in failure.message and "ami-2" in failure.message for failure in outcome.failures)
    assert result["kms_key_arns"] == {REGION: got}
    assert result["images"] == {REGION: "ami-2"}


def test_a_finished_copy_without_encryption_is_a_failure() -> None:
    plain = copied_image("ami-2", devices=volumes("snap-2"), tags={KEY_TAG: WANTED.arn})
    result, outcome = copied(Region([None], second=[NEW, plain]), saw(key=WANTED))
    assert [failure.error_code for failure in outcome.failures] == ["wrong_key"]
    assert "not encrypted" in outcome.failures[0].message
    assert result["kms_key_arns"] == {REGION: None}


def test_without_wait_the_requested_key_is_returned() -> None:
    result, outcome = copied(Region([None]), saw(key=WANTED), wait=False)
    assert outcome.failures == ()
    assert result["kms_key_arns"] == {REGION: WANTED.arn}
    assert result["results"][0]["kms_key_arn"] == WANTED.arn


def test_the_key_of_an_existing_copy_is_returned() -> None:
    result, outcome = copied(Region([None]), saw(found("ami-1", WANTED), key=WANTED))
    assert (outcome.performed, outcome.failures) == ((), ())
    assert result["kms_key_arns"] == {REGION: WANTED.arn}


def test_in_check_mode_the_key_of_a_planned_copy_is_returned() -> None:
    want, seen = wanted(encryption=UNDER_KEY), saw(key=WANTED)
    result = flow.result(want, seen, flow.plan(want, seen), flow.Outcome())
    assert result["images"] == {REGION: None}
    assert result["kms_key_arns"] == {REGION: WANTED.arn}


def test_an_unencrypted_copy_has_no_key() -> None:
    want = wanted()
    seen = saw(found("ami-1", None))
    result = flow.result(want, seen, flow.plan(want, seen), flow.Outcome())
    assert result["kms_key_arns"] == {REGION: None}
    assert result["source_image_id"] == SOURCE_ID
