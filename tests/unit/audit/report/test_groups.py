# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of an audit by cause, each with a sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.causes import CAUSES
from ansible_collections.golden.images.plugins.module_utils._audit.report.groups import group_findings
from ansible_collections.golden.images.plugins.module_utils._reports.document import Group, Item

EU, US = "eu-west-1", "us-east-1"
A, B = "111111111111", "222222222222"


def image(image_id: str, name: str, region: str = EU) -> dict[str, Any]:
    return {"image_id": image_id, "name": name, "region": region}


def item(code: str, image_id: str, principal: str | None = None, region: str = EU) -> Item:
    return Item(
        code,
        CAUSES[code].severity.label,
        f"About {image_id}.",
        "Do it.",
        None,
        region,
        image_id,
        image_id,
        principal,
    )


IMAGES = [
    image("ami-1", "golden-data-2026.8.1"),
    image("ami-2", "golden-data-2026.10.1"),
    image("ami-3", "golden-data-2026.8.1", US),
    image("ami-4", "golden-web-2026.8.1"),
]


def of(*items: Item) -> list[Group]:
    return [*group_findings(items, IMAGES)]


def test_accounts_that_lack_the_key_of_a_family() -> None:
    places = (("ami-1", EU), ("ami-2", EU), ("ami-3", US))
    (group,) = of(*(item("missing_key_access", one, who, region) for one, region in places for who in (A, B)))
    assert group.title == "2 accounts lack the key of 3 golden-data images in 2 regions."
    assert (group.number, len(group.rows), dict(group.notes)["Who"]) == (6, 3, f"{A}, {B}")
    assert [row["name"] for row in group.rows] == [
        "golden-data-2026.8.1",
        "golden-data-2026.10.1",
        "golden-data-2026.8.1",
    ]


def test_a_title_says_if_it_does_not_hold_for_every_combination() -> None:
    (group,) = of(item("missing_key_access", "ami-1", A), item("missing_key_access", "ami-2", B))
    assert group.title == "2 accounts lack the key of some of 2 golden-data images in eu-west-1."
    assert [row["principals"] for row in group.rows] == [[A], [B]]


def test_families_and_principals_are_causes() -> None:
    groups = of(item("missing_key_access", "ami-1", A), item("missing_key_access", "ami-4", A))
    assert [one.title for one in groups] == [
        f"{A} lacks the key of golden-data-2026.8.1 in eu-west-1.",
        f"{A} lacks the key of golden-web-2026.8.1 in eu-west-1.",
    ]
    (group,) = of(item("unknown_account", "ami-1", A), item("unknown_account", "ami-4", A))
    assert group.title == f"{A} is not allowed, but can use 2 images of 2 families in eu-west-1."


def test_products_on_the_same_operating_system_are_causes_of_their_own() -> None:
    images = [
        image("ami-1", "ubuntu-22.04-web-2026.8.1"),
        image("ami-2", "ubuntu-22.04-web-2026.8.1-ami-0123456789abcdef0", US),
        image("ami-3", "ubuntu-22.04-db-2026.8.1"),
    ]
    where = (("ami-1", EU), ("ami-2", US), ("ami-3", EU))
    groups = group_findings([item("missing_key_access", one, A, region) for one, region in where], images)
    assert [one.title for one in groups] == [
        f"{A} lacks the key of 2 ubuntu-22.04-web images in 2 regions.",
        f"{A} lacks the key of ubuntu-22.04-db-2026.8.1 in eu-west-1.",
    ]


def test_accounts_that_can_use_the_same_images_are_one_cause() -> None:
    strangers = [f"{number:012}" for number in range(400)]
    (group,) = of(*(item("unknown_account", "ami-1", who) for who in strangers))
    assert group.title == "400 accounts are not allowed, but can use golden-data-2026.8.1 in eu-west-1."
    assert (group.number, len(group.rows)) == (400, 1)
    assert dict(group.notes)["Who"] == ", ".join(strangers)

    # One of them can use another image, too.
    other = item("unknown_account", "ami-4", strangers[0])
    groups = of(other, *(item("unknown_account", "ami-1", who) for who in strangers))
    assert [(one.number, one.title[:14]) for one in groups] == [
        (399, "399 accounts a"),
        (2, f"{strangers[0]} i"),
    ]


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        (1, ["000000000000 is not allowed, but can use golden-0-1 in eu-west-1."]),
        (
            2,
            [
                "000000000000 is not allowed, but can use golden-0-1 in eu-west-1.",
                "000000000001 is not allowed, but can use golden-1-1 in us-east-1.",
            ],
        ),
        (4, ["4 accounts are not allowed, but each can use some of 4 golden images in 2 regions."]),
        (37, ["37 accounts are not allowed, but each can use some of 41 golden images in 2 regions."]),
        (990, ["990 accounts are not allowed, but each can use some of 1,100 golden images in 2 regions."]),
    ],
)
def test_accounts_with_no_image_in_common(accounts: int, expected: list[str]) -> None:
    # Each ninth account has two images, all others have one.
    places = [account for account in range(accounts) for _image in range(2 if account % 9 == 8 else 1)]
    images = [image(f"ami-{number}", f"golden-{number}-1", (EU, US)[number % 2]) for number in range(1100)]
    alone = [
        item("unknown_account", f"ami-{number}", f"{account:012}", (EU, US)[number % 2])
        for number, account in enumerate(places)
    ]
    groups = group_findings(alone, images)
    assert [group.title for group in groups] == expected
    # Each row has one image and its account.
    rows = [row for group in groups for row in group.rows]
    assert sorted(row["principals"] for row in rows) == [[f"{account:012}"] for account in places]

    # Accounts that an image was shared with at once stay apart.
    together = [item("unknown_account", "ami-shared", f"{2000 + number:012}") for number in range(400)]
    titles = {group.title for group in group_findings([*alone, *together], images)}
    assert titles == {*expected, "400 accounts are not allowed, but can use ami-shared in eu-west-1."}


@pytest.mark.parametrize(
    ("code", "noun"),
    [
        ("unknown_organization", "organizations"),
        ("unknown_organizational_unit", "organizational units"),
    ],
)
def test_organizations_are_not_called_accounts(code: str, noun: str) -> None:
    (group,) = of(*(item(code, "ami-1", f"arn:aws:organizations::{A}:{end}") for end in "ab"))
    assert group.title == f"2 {noun} are not allowed, but can use golden-data-2026.8.1 in eu-west-1."


def test_access_to_snapshots_is_not_called_access_to_images() -> None:
    used = replace(item("unknown_account", "ami-1", A), resource="snap-00000001")
    assert of(used)[0].title == (
        f"{A} is not allowed, but can read the snapshots of golden-data-2026.8.1 in eu-west-1."
    )
    unused = [
        replace(item("unknown_account", "", who), image_id=None, resource="snap-00000001") for who in (A, B)
    ]
    (group,) = of(*unused)
    assert group.title == (
        "2 accounts are not allowed, but can read snap-00000001 in eu-west-1, which no image uses."
    )
    public = [
        replace(item("snapshot_public", "", "all"), image_id=None, resource=f"snap-{number}")
        for number in (1, 2)
    ]
    (group,) = of(*public)
    assert group.title == (
        "2 snapshots in eu-west-1 that no image uses: public, so every AWS account can read them."
    )


def test_public_access_is_first_and_what_could_not_be_read_last() -> None:
    groups = of(
        item("account_unreadable", "ami-1"),
        item("image_unreadable", "ami-1"),
        item("image_unreadable", "ami-2"),
        item("unknown_account", "ami-1", A),
        item("key_public", "ami-1", "all"),
        item("public", "ami-1", "all"),
    )
    assert [group.code for group in groups] == [
        "public",
        "key_public",
        "unknown_account",
        "image_unreadable",
        "account_unreadable",
    ]


def test_public_images() -> None:
    (group,) = of(item("public", "ami-1", "all"))
    assert group.title == ("golden-data-2026.8.1 in eu-west-1: public, so every AWS account can launch it.")
    (group,) = of(item("public", "ami-1", "all"), item("public", "ami-2", "all"))
    assert group.title.endswith("every AWS account can launch them.")


@pytest.mark.parametrize("code", CAUSES)
def test_every_code_has_a_group_of_one_and_of_several(code: str) -> None:
    assert [one.number for one in of(item(code, "ami-1", A))] == [1]
    (group,) = of(item(code, "ami-1", A), item(code, "ami-2", A))
    assert group.number == 2
    assert "{" not in group.title
