# SPDX-License-Identifier: GPL-3.0-or-later

"""The use of keys in a verification: counted apart, whose it is, and what it keeps from being published."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.verification.key_use import (
    counts,
    doubts,
    is_failed,
    is_uncertain,
    kept_back,
    lowered,
    of_row,
    sentences,
    sentences_of,
)

A, B = "012345678901", "123456789012"
EU, US = "eu-west-1", "us-east-1"
SETTING = "distribute_publish_uncertain"
REACHED, FAILED = {"reached": True, "uncertain": False}, {"reached": False, "uncertain": False}


def uncertain(account_id: str = A, region: str = EU, **more: Any) -> dict[str, Any]:
    finding = {"message": "KMS denies it.", "remedy": "Allow it."}
    return {
        "account_id": account_id,
        "findings": [finding],
        "key_use": "uncertain",
        "principal": f"arn:aws:iam::{account_id}:role/app/launcher",
        "reached": False,
        "region": region,
        "uncertain": True,
        **more,
    }


@pytest.mark.parametrize(
    ("level", "key_use", "expected"),
    [
        ("authorized", "proven", "authorized"),
        ("authorized", None, "authorized"),
        ("authorized", "uncertain", "visible"),
        ("authorized", "refused", "visible"),
        ("visible", "refused", "visible"),
        ("launched", "refused", "launched"),
        (None, "refused", None),
    ],
)
def test_nothing_is_authorized_without_its_keys(
    level: str | None, key_use: str | None, expected: str
) -> None:
    assert lowered(level, key_use) == expected


def test_only_the_use_of_keys_can_be_uncertain() -> None:
    assert is_uncertain("authorized", "authorized", "uncertain")
    assert not is_uncertain("authorized", "authorized", "refused")
    assert not is_uncertain("authorized", "visible", "uncertain")
    assert not is_uncertain("launched", "authorized", "uncertain")
    assert not is_uncertain("visible", "authorized", "uncertain")
    assert [is_failed(one) for one in (REACHED, FAILED, uncertain(), {"reached": False})] == [
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("wanted", "level", "key_use", "expected"),
    [
        ("authorized", "visible", "uncertain", "uncertain"),
        ("visible", "visible", "uncertain", "not_checked"),
        ("launched", "launched", "uncertain", "proven"),
        ("launched", "visible", "refused", "refused"),
        ("visible", "visible", None, None),
        ("launched", "launched", None, None),
    ],
)
def test_what_a_row_shows(wanted: str, level: str, key_use: str | None, expected: str | None) -> None:
    assert of_row(wanted, level, key_use) == expected


def test_the_uncertain_ones_are_counted_apart() -> None:
    assert counts([REACHED] * 49 + [uncertain()]) == "49/50, 1 uncertain"
    assert counts([REACHED, FAILED]) == "1/2"


def test_each_doubt_has_its_place_and_remedy() -> None:
    assert doubts([REACHED, FAILED, uncertain()]) == [
        {"region": EU, "message": "KMS denies it.", "remedy": "Allow it."}
    ]


def test_whose_use_of_keys_it_is() -> None:
    (said,) = sentences([uncertain(), uncertain(B)])
    assert said.startswith("Key use is that of the role app/launcher in each account, not of Auto Scaling's")
    user = uncertain(principal=f"arn:aws:iam::{A}:user/ann")
    assert "the role app/launcher, user ann in each" in sentences([uncertain(), user])[0]
    assert sentences([uncertain(key_use="not_checked")]) == ["Key use not checked."]
    assert sentences([{**REACHED, "key_use": None, "principal": "arn:aws:iam::1:role/a"}]) == []


@pytest.mark.parametrize(
    ("key", "verified", "expected"),
    [
        ("arn:key", [], ["Key use not checked."]),
        (None, [], []),
        ("arn:key", [uncertain(key_use="not_checked")], ["Key use not checked."]),
    ],
)
def test_a_distribution_without_verification_says_so(
    key: str | None, verified: list[Any], expected: list[str]
) -> None:
    report = {"regions": [{"kms_key_arn": key}], **({"verified": verified} if verified else {})}
    assert sentences_of(report) == expected


def test_an_uncertain_account_keeps_its_regions_back() -> None:
    kept = kept_back([uncertain(), uncertain(region=US), {**REACHED, "region": "x"}], False, SETTING)
    assert kept["regions"] == [EU, US]
    assert kept["message"] == (
        f"The image is not published in {EU}, {US}: whether account {A} can use its keys is uncertain."
    )
    assert kept["remedy"].endswith(f'set {SETTING}: ["{A}"].')
    assert kept["error_code"] == "key_use_uncertain"


def test_accepted_accounts_keep_nothing_back_and_stay_in_the_setting() -> None:
    rows = [uncertain(), uncertain(B, US)]
    assert kept_back(rows, True, SETTING) == {}
    assert kept_back(rows, [A, B], SETTING) == {}
    kept = kept_back(rows, [A], SETTING)
    assert kept["regions"] == [US]
    assert kept["remedy"].endswith(f'set {SETTING}: ["{A}", "{B}"].')


def test_the_setting_for_many_accounts_is_short() -> None:
    kept = kept_back([uncertain(f"{number:012}") for number in range(11)], [], SETTING)
    assert "whether 11 accounts can use its keys" in kept["message"]
    assert kept["remedy"].endswith(f"set {SETTING}: true.")
