# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of an audit by cause, each with a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.audit.findings import CODES
from ansible_collections.golden.images.plugins.module_utils.audit.report.causes import causes
from ansible_collections.golden.images.plugins.module_utils.reports.document import Group, Item

EU, US = "eu-west-1", "us-east-1"
A, B = "111111111111", "222222222222"


def image(image_id: str, name: str, region: str = EU) -> dict[str, Any]:
    return {"image_id": image_id, "name": name, "region": region}


def item(code: str, image_id: str, principal: str | None = None, region: str = EU) -> Item:
    return Item(
        code, CODES[code].label, f"About {image_id}.", "Do it.", None, region, image_id, image_id, principal
    )


IMAGES = [
    image("ami-1", "golden-data-2026.8.1"),
    image("ami-2", "golden-data-2026.10.1"),
    image("ami-3", "golden-data-2026.8.1", US),
    image("ami-4", "golden-web-2026.8.1"),
]


def of(*items: Item) -> list[Group]:
    return [*causes(items, IMAGES)]


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


def test_public_images() -> None:
    (group,) = of(item("public", "ami-1", "all"))
    assert group.title == ("golden-data-2026.8.1 in eu-west-1: public, so every AWS account can launch it.")
    (group,) = of(item("public", "ami-1", "all"), item("public", "ami-2", "all"))
    assert group.title.endswith("every AWS account can launch them.")


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_group_of_one_and_of_several(code: str) -> None:
    assert [one.number for one in of(item(code, "ami-1", A))] == [1]
    (group,) = of(item(code, "ami-1", A), item(code, "ami-2", A))
    assert group.number == 2
    assert "{" not in group.title
