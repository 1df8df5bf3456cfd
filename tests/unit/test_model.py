# SPDX-License-Identifier: GPL-3.0-or-later

"""Sharing is a set of whom; an image knows its snapshots."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils.model import Sharing, Target, used_by

from tests.unit.examples import ORG, UNIT, source_image, volumes

A, B, C = "222222222222", "333333333333", "444444444444"
SOME = Sharing(frozenset({A, B}), frozenset({ORG}), frozenset(), public=True)
OTHER = Sharing(frozenset({B, C}), frozenset(), frozenset({UNIT}))


def test_sharing_is_joined_intersected_and_subtracted_in_every_part() -> None:
    assert Sharing(frozenset({A, B, C}), frozenset({ORG}), frozenset({UNIT}), public=True) == SOME | OTHER
    assert Sharing(frozenset({B})) == SOME & OTHER
    assert Sharing(frozenset({A}), frozenset({ORG}), public=True) == SOME - OTHER
    assert Sharing(frozenset({C}), frozenset(), frozenset({UNIT})) == OTHER - SOME
    assert SOME - Sharing(public=True) == Sharing(frozenset({A, B}), frozenset({ORG}))


@pytest.mark.parametrize(
    ("sharing", "somebody"),
    [
        (Sharing(), False),
        (Sharing(frozenset({A})), True),
        (Sharing(org_arns=frozenset({ORG})), True),
        (Sharing(org_unit_arns=frozenset({UNIT})), True),
        (Sharing(public=True), True),
    ],
)
def test_sharing_is_true_if_it_names_anybody(sharing: Sharing, somebody: bool) -> None:
    assert bool(sharing) is somebody


def test_entities_that_count_against_the_quota() -> None:
    assert (SOME | OTHER).entities == 5


def test_snapshots_carry_accounts_and_public_alone() -> None:
    assert (SOME | OTHER).accounts_only() == Sharing(frozenset({A, B, C}), public=True)


def test_sharing_in_a_stable_order() -> None:
    assert (SOME | OTHER).as_result() == {
        "account_ids": [A, B, C],
        "org_arns": [ORG],
        "org_unit_arns": [UNIT],
        "public": True,
    }


def test_the_snapshots_of_an_image_are_each_named_once() -> None:
    image = source_image(devices=volumes("snap-2", None, "snap-1", "snap-2"))
    assert image.snapshot_ids == ("snap-2", "snap-1")


@pytest.mark.parametrize(
    ("devices", "encrypted"),
    [
        ((), False),
        (volumes("snap-1"), False),
        (volumes("snap-1") + volumes("snap-2", encrypted=True), True),
    ],
    ids=["no volume", "plain", "one encrypted"],
)
def test_one_encrypted_volume_makes_an_image_encrypted(devices: tuple[object, ...], encrypted: bool) -> None:
    assert source_image(devices=devices).encrypted is encrypted


OWNER_HERE, A_HERE, B_HERE = (Target(account, "eu-west-1") for account in ("1", "2", "3"))
OWNER_THERE = Target("1", "us-east-1")


@pytest.mark.parametrize(
    ("places", "used"),
    [
        pytest.param((OWNER_HERE, OWNER_THERE), (OWNER_HERE, OWNER_THERE), id="only the owner has images"),
        pytest.param((OWNER_HERE, A_HERE, B_HERE), (A_HERE,), id="its own goes first"),
        pytest.param((OWNER_HERE, B_HERE), (OWNER_HERE,), id="another consumer's copy is not meant"),
        pytest.param((B_HERE,), (B_HERE,), id="unless there is no other"),
        pytest.param((OWNER_THERE, A_HERE), (OWNER_THERE, A_HERE), id="each region for itself"),
        pytest.param((), (), id="nothing"),
    ],
)
def test_what_an_account_is_to_use(places: tuple[Target, ...], used: tuple[Target, ...]) -> None:
    assert used_by("2", places, ("2", "3")) == used


def test_hundreds_of_accounts_are_not_searched_one_by_one() -> None:
    class Listed(tuple[str, ...]):
        def __contains__(self, item: object) -> bool:
            raise AssertionError(f"{item} is searched for in a list.")

    places = [Target("1", "eu"), Target("2", "eu")]
    assert used_by("3", places, Listed(("2", "3"))) == (Target("1", "eu"),)
