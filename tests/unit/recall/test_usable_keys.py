# SPDX-License-Identifier: GPL-3.0-or-later

"""A pointer moves only to an image whose keys its account can use, as far as their owner can see."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.errors import ClientError
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._keys.access import NEEDED
from ansible_collections.golden.images.plugins.module_utils._model import (
    Grant,
    Image,
    ImageRef,
    Key,
    KeyState,
    Sharing,
    Snapshot,
)
from ansible_collections.golden.images.plugins.module_utils._parameter_share import sharing_of
from ansible_collections.golden.images.plugins.module_utils._recall import read_keys
from ansible_collections.golden.images.plugins.module_utils._recall.plan import RecallPlan, plan
from ansible_collections.golden.images.plugins.module_utils._recall.state import ImageKeys
from ansible_collections.golden.images.plugins.module_utils._recall.usable_keys import (
    EarlierImage,
    list_earlier_images,
)

from tests.unit.examples import CONSUMER, OWNER, volumes
from tests.unit.recall.examples import (
    AWAY,
    BAD,
    GOOD,
    HERE,
    HOME,
    OTHER,
    THERE,
    image,
    options,
    parameter,
    state_of,
    unit_of,
)

OTHER_ACCOUNT = "444455556666"
ORGANIZATION = f"arn:aws:organizations::{OWNER}:organization/o-a1b2c3d4e5"
REF = ImageRef(AWAY, GOOD)
ENCRYPTED = replace(image(GOOD), devices=volumes("snap-1", encrypted=True))
KEY = Key(f"arn:aws:kms:{AWAY}:{OWNER}:key/golden")
FOREIGN = Key(f"arn:aws:kms:{AWAY}:{OTHER_ACCOUNT}:key/central")
GRANT = Grant("1", f"arn:aws:iam::{CONSUMER}:root", NEEDED)
DENIED = Failure.at(HERE, "DescribeKey", "AccessDeniedException", "No.", "Allow it.")


def policy(principal: Any, **condition: Any) -> str:
    """A key policy with one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Statement": [{**statement, **({"Condition": condition} if condition else {})}]})


ALONE = policy({"AWS": f"arn:aws:iam::{OWNER}:root"})
BY_ORGANIZATION = policy("*", StringEquals={"aws:PrincipalOrgID": "o-a1b2c3d4e5"})
USABLE = KeyState(KEY, (GRANT,), ALONE)
DISABLED = replace(KEY, state="PendingDeletion")


def planned(known: ImageKeys | None, earlier: Image = ENCRYPTED) -> RecallPlan:
    """The plan of a recall in the owner's account and another one, with what was read of the keys."""
    units = [
        unit_of(parameter(GOOD, BAD), target=target, launch_templates=(), images=(earlier,))
        for target in (HERE, THERE)
    ]
    return plan(options(), state_of(*units, keys={} if known is None else {REF: known}))


def moved(found: RecallPlan) -> list[str]:
    """The accounts whose parameters move."""
    puts = (item for item in found.actions if item.to_dict()["action"] == "PutParameter")
    return sorted(item.target.account_id for item in puts)


BOTH = [CONSUMER, OWNER]


@pytest.mark.parametrize(
    ("known", "accounts", "codes"),
    [
        (ImageKeys((USABLE,)), BOTH, []),
        (ImageKeys((KeyState(KEY, (), policy({"AWS": CONSUMER})),)), BOTH, []),
        (ImageKeys((KeyState(KEY, (), ALONE),)), [OWNER], ["missing_key_access"]),
        # The account needs all keys.
        (
            ImageKeys((USABLE, KeyState(replace(KEY, arn=f"{KEY.arn}-2"), (), ALONE))),
            [OWNER],
            ["missing_key_access"],
        ),
        # Once, and not for each account.
        (ImageKeys((KeyState(DISABLED, (GRANT,), ALONE),)), [], ["key_not_enabled"]),
        (ImageKeys((KeyState(replace(FOREIGN, state="Disabled")),)), [], ["key_not_enabled"]),
        (ImageKeys(failure=DENIED), [], ["AccessDeniedException"]),
        (ImageKeys((USABLE,), failure=DENIED), [], ["AccessDeniedException"]),
    ],
)
def test_a_target_that_cannot_use_the_earlier_image_stays(
    known: ImageKeys, accounts: list[str], codes: list[str]
) -> None:
    found = planned(known)
    assert (moved(found), [item.error_code for item in found.failures]) == (accounts, codes)
    assert (found.refusals, found.warnings) == ((), ())
    left = sorted(left.key.target.account_id for left in found.left)
    assert left == [account for account in BOTH if account not in accounts]
    assert all(GOOD in item.message and "rerun" in item.remedy for item in found.failures)


@pytest.mark.parametrize(
    ("known", "earlier", "reason"),
    [
        (ImageKeys((KeyState(KEY, (), BY_ORGANIZATION),)), ENCRYPTED, "the keys let single roles, organiz"),
        (ImageKeys((KeyState(FOREIGN),)), ENCRYPTED, f"only account {OTHER_ACCOUNT} can read"),
        # Nobody reads the key of an image that the account owns itself.
        (None, replace(ENCRYPTED, owner_id=CONSUMER), f"these images are not of account {OWNER}"),
    ],
)
def test_what_is_not_proven_is_a_warning(known: ImageKeys | None, earlier: Image, reason: str) -> None:
    found = planned(known, earlier)
    assert found.failures == ()
    assert CONSUMER in moved(found)
    (warning,) = (text for text in found.warnings if CONSUMER in text)
    assert reason in warning


def test_of_a_key_of_another_account_the_own_account_sees_no_more() -> None:
    (warning,) = planned(ImageKeys((KeyState(FOREIGN),))).warnings
    assert f"{', '.join(BOTH)} can use" in warning


@pytest.mark.parametrize(
    ("key", "consumers", "refused", "warned"),
    [
        (USABLE, [CONSUMER], "", ""),
        (USABLE, [CONSUMER, OTHER_ACCOUNT], f"{OTHER_ACCOUNT} cannot use {KEY.arn}", ""),
        (KeyState(KEY, (), BY_ORGANIZATION), [ORGANIZATION], "", ""),
        # Only AWS Organizations tells whether the accounts of the grants are all of the organization.
        (USABLE, [ORGANIZATION], "", "the keys do not let all accounts of org"),
        (KeyState(FOREIGN), [ORGANIZATION], "", f"{OWNER}, {ORGANIZATION} can use"),
    ],
)
def test_consumers_of_a_shared_parameter_use_the_keys_too(
    key: KeyState, consumers: list[str], refused: str, warned: str
) -> None:
    unit = unit_of(parameter(GOOD, BAD), launch_templates=(), images=(ENCRYPTED,))
    found = plan(
        options(),
        state_of(replace(unit, consumers=sharing_of(consumers)), keys={REF: ImageKeys((key,))}),
    )
    assert [item.error_code for item in found.failures] == (["missing_key_access"] if refused else [])
    assert all(refused in item.message for item in found.failures)
    assert [warned in text for text in found.warnings] == ([True] if warned else [])
    assert moved(found) == ([] if refused else [OWNER])


def test_further_keys_of_snapshots_are_named() -> None:
    (warning,) = planned(ImageKeys((USABLE,), "further keys are associated")).warnings
    assert warning.endswith(": further keys are associated.")


def test_only_encrypted_images_of_the_owner_that_pointers_go_back_to_are_read() -> None:
    def unit(target: Any, *values: str, images: tuple[Image, ...] = (ENCRYPTED,)) -> Any:
        return unit_of(parameter(*values), target=target, launch_templates=(), images=images)

    moving = [unit(HERE, GOOD, BAD), unit(THERE, GOOD, BAD)]
    expected = {REF: EarlierImage(ENCRYPTED, Sharing(frozenset({CONSUMER})))}
    assert list_earlier_images(OWNER, moving) == expected
    shared = replace(unit(HERE, GOOD, BAD), consumers=sharing_of([OTHER_ACCOUNT, ORGANIZATION]))
    everybody = sharing_of([CONSUMER, OTHER_ACCOUNT, ORGANIZATION])
    assert list_earlier_images(OWNER, [shared, moving[1]]) == {REF: EarlierImage(ENCRYPTED, everybody)}
    others = [
        unit(HERE, BAD),
        unit(HERE, BAD, GOOD),
        unit(HERE, GOOD, BAD, images=()),
        unit(HERE, GOOD, BAD, images=(replace(ENCRYPTED, owner_id=CONSUMER),)),
    ]
    assert list_earlier_images(OWNER, others) == {}


def snapshot(name: str, key_id: str | None = KEY.arn, *associated: str) -> Snapshot:
    """A snapshot under a key."""
    return Snapshot(name, "completed", 100, key_id, associated_key_arns=associated)


def read(
    monkeypatch: pytest.MonkeyPatch, *snapshots: Snapshot
) -> tuple[dict[ImageRef, ImageKeys], list[str]]:
    """Read the keys of two images in one region, and one in another, which is denied; and what was called."""
    calls: list[str] = []

    def describe(region: str, names: list[str]) -> tuple[Snapshot, ...]:
        calls.append(region)
        if region == HOME:
            raise ClientError({"Error": {"Code": "UnauthorizedOperation"}}, "DescribeSnapshots")
        return tuple(item for item in snapshots if item.snapshot_id in names)

    def read_key(_kms: Any, account_id: str, key_id: str, sharing: Sharing) -> KeyState:
        calls.append(f"{key_id} {account_id} {sorted(sharing.account_ids)}")
        if key_id != KEY.arn:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeKey")
        return USABLE

    monkeypatch.setattr(read_keys.read, "snapshots", describe)
    monkeypatch.setattr(read_keys, "read_key", read_key)
    clients: Any = SimpleNamespace(
        open=lambda *_names: None, ec2=lambda region: region, kms=lambda _region: None
    )
    images = {
        REF: EarlierImage(ENCRYPTED, Sharing(frozenset({CONSUMER}))),
        ImageRef(AWAY, OTHER): EarlierImage(
            replace(image(OTHER), devices=volumes("snap-2", encrypted=True)),
            Sharing(frozenset({OTHER_ACCOUNT})),
        ),
        ImageRef(HOME, GOOD): EarlierImage(ENCRYPTED, Sharing()),
    }
    return read_keys.read_keys(clients, OWNER, images), calls


def test_a_key_is_read_once_for_all_images_and_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    found, calls = read(monkeypatch, snapshot("snap-1"), snapshot("snap-2"))
    assert sorted(calls) == sorted([HOME, AWAY, f"{KEY.arn} {OWNER} {sorted([CONSUMER, OTHER_ACCOUNT])}"])
    assert found[REF] == found[ImageRef(AWAY, OTHER)] == ImageKeys((USABLE,))
    failure = found[ImageRef(HOME, GOOD)].failure
    assert failure is not None
    assert (failure.action, failure.region, failure.account_id) == ("DescribeSnapshots", HOME, OWNER)


def test_a_key_that_cannot_be_read_is_a_failure_of_its_images(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _calls = read(monkeypatch, snapshot("snap-1"), snapshot("snap-2", FOREIGN.arn))
    failure = found[ImageRef(AWAY, OTHER)].failure
    assert failure is not None
    assert failure.error_code == "AccessDeniedException"
    assert found[REF].failure is None


def test_of_a_key_that_only_its_owner_uses_the_state_is_enough() -> None:
    metadata = {
        "Arn": KEY.arn,
        "KeyManager": "CUSTOMER",
        "KeySpec": KEY.spec,
        "KeyState": KEY.state,
        "KeyUsage": KEY.usage,
    }
    kms: Any = SimpleNamespace(describe_key=lambda **_request: {"KeyMetadata": metadata})
    assert read_keys.read_key(kms, OWNER, KEY.arn, Sharing()) == KeyState(KEY)


@pytest.mark.parametrize(
    "snapshots", [(), (snapshot("snap-1", None),), (snapshot("snap-1", KEY.arn, FOREIGN.arn),)]
)
def test_what_does_not_decide_alone_is_unproven(
    monkeypatch: pytest.MonkeyPatch, snapshots: tuple[Snapshot, ...]
) -> None:
    found, _calls = read(monkeypatch, *snapshots)
    assert (found[REF].keys, found[REF].failure) == ((), None)
    assert found[REF].unproven
