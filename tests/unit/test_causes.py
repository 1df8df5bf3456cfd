# SPDX-License-Identifier: GPL-3.0-or-later

"""Which texts are one cause, and how its regions and accounts are named."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.golden.images.plugins.module_utils._causes import Occurrence, find_causes

EU, US, AP = "eu-west-1", "us-east-1", "ap-southeast-1"
A, B, C = "111111111111", "222222222222", "012345678901"
REGIONS = [f"eu-west-{number}" for number in range(1, 21)]
ACCOUNTS = [f"{900_000_000_000 + number}" for number in range(12)]
KEY = "arn:aws:kms:{}:{}:key/2323d1d4-1755-44d3-a2cf-f4df3395196{}"


def lines(occurrences: Sequence[Occurrence], rest: str = "report.json") -> list[str]:
    return [cause.place + cause.text for cause in find_causes(occurrences, rest)]


@pytest.mark.parametrize(
    ("occurrences", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([Occurrence("No.")], ["No."], id="no place"),
        pytest.param([Occurrence("No."), Occurrence("No.")], ["No."], id="twice"),
        pytest.param([Occurrence("No.", EU)], [f"{EU}: No."], id="a region"),
        pytest.param([Occurrence("No.", EU, A)], [f"{EU} in account {A}: No."], id="a region of an account"),
        pytest.param([Occurrence("No.", None, A)], [f"account {A}: No."], id="an account"),
        pytest.param([Occurrence(f"{A} may not.", EU, A)], [f"{EU}: {A} may not."], id="a named account"),
        pytest.param(
            [Occurrence("No.", EU, A), Occurrence("No.", US, A), Occurrence("Yes?", US, A)],
            [f"{EU}, {US} in account {A}: No.", f"{US} in account {A}: Yes?"],
            id="two causes",
        ),
        pytest.param(
            [Occurrence("No.", region, account) for region in (EU, US) for account in (A, B)],
            [f"{EU}, {US} in accounts {A}, {B}: No."],
            id="regions and accounts",
        ),
        pytest.param(
            [Occurrence(f"No key in {region}.", region) for region in (EU, US)],
            [f"{EU}, {US}: No key there."],
            id="there",
        ),
        pytest.param(
            [Occurrence(f"No key in {EU}.", EU, account) for account in (A, B)],
            [f"{EU} in accounts {A}, {B}: No key in {EU}."],
            id="one region has its name",
        ),
        pytest.param(
            [Occurrence(f"No {KEY.format(region, A, 1)}.", region) for region in (EU, US, AP)],
            [f"{EU}: No {KEY.format(EU, A, 1)}. The same in {US}, {AP}."],
            id="a region within an ARN",
        ),
        pytest.param(
            [Occurrence(f"No {KEY.format(AP, A, number)}.", region) for number, region in ((1, EU), (2, US))],
            [f"{EU}: No {KEY.format(AP, A, 1)}. The same in {US}."],
            id="another key",
        ),
        pytest.param(
            [
                Occurrence(f"{account} cannot see ami-0000000{number}.", region, account)
                for number, region in enumerate((EU, US))
                for account in (A, B, C)
            ],
            [f"{EU}: {A} cannot see ami-00000000. The same in {US} and for accounts {B}, {C}."],
            id="accounts within the text",
        ),
        pytest.param(
            [
                Occurrence(f"{account} no.", region, account)
                for region, account in ((EU, A), (US, B), (AP, B))
            ],
            [f"{EU}: {A} no. The same 2 more times, in {US}, {AP} and for account {B}."],
            id="not each account in each region",
        ),
        pytest.param(
            [Occurrence(f"ami-0000000{number} no.", EU) for number in (1, 2)],
            [f"{EU}: ami-00000001 no.", f"{EU}: ami-00000002 no."],
            id="two images of a region",
        ),
        pytest.param(
            [
                Occurrence(f"No. Encoded authorization failure message: {region}xYz", region)
                for region in (EU, US)
            ],
            [f"{EU}: No. Encoded authorization failure message: {EU}xYz The same in {US}."],
            id="an encoded request",
        ),
        pytest.param(
            [Occurrence(f"AWS rejected {arn}: No.", EU, arn) for arn in ("arn:o/a", "arn:o/b")],
            [f"{EU}: AWS rejected arn:o/a: No. The same for arn:o/b."],
            id="consumers that are no accounts",
        ),
    ],
)
def test_causes(occurrences: list[Occurrence], expected: list[str]) -> None:
    assert lines(occurrences) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (10, f"{', '.join(REGIONS[:10])}: No."),
        (11, "11 regions: No. All of them are in report.json."),
    ],
)
def test_up_to_ten_regions_are_named(number: int, expected: str) -> None:
    assert lines([Occurrence("No.", region) for region in REGIONS[:number]]) == [expected]


def test_more_than_ten_accounts_are_counted() -> None:
    of_accounts = [Occurrence("No.", EU, account) for account in ACCOUNTS]
    assert lines(of_accounts) == [f"{EU} in 12 accounts: No. All of them are in report.json."]
    rejected = [
        Occurrence(f"AWS rejected {account}: No.", region, account)
        for region in REGIONS
        for account in ACCOUNTS
    ]
    first = f"{REGIONS[0]}: AWS rejected {ACCOUNTS[0]}: No."
    others = "in 19 other regions and for 11 other accounts, all in report.json."
    assert lines(rejected) == [f"{first} The same {others}"]
    assert lines(rejected[:-1]) == [f"{first} The same 238 more times, {others}"]
