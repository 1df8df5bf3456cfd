# SPDX-License-Identifier: GPL-3.0-or-later

"""Families, versions, the order in which people count, and numbers with nouns."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils.reports.naming import (
    count,
    family_of,
    image_order,
    natural,
    version_of,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "family", "version"),
    [
        ("golden-web-2026.11.1", "golden-web", "2026.11.1"),
        ("golden-web-2026.3.2-test", "golden-web", "2026.3.2-test"),
        ("golden_web_v3", "golden_web", "3"),
        ("golden web 7", "golden web", "7"),
        ("web2-4", "web2", "4"),
        ("golden-web", "golden-web", ""),
        ("2026-11", "2026-11", ""),
        ("", "", ""),
    ],
)
def test_families_and_versions(name: str, family: str, version: str) -> None:
    assert (family_of(name), version_of(name)) == (family, version)


def test_numbers_are_compared_as_numbers() -> None:
    names = ["web-2026.10", "web-2026.8", "web", "web-2026.8.1", "8", "web-\u00b2"]
    assert sorted(names, key=natural) == [
        "8",
        "web",
        "web-2026.8",
        "web-2026.8.1",
        "web-2026.10",
        "web-\u00b2",
    ]


def test_images_are_ordered_by_region_and_name() -> None:
    places = [("us-east-1", "web-1"), ("eu-west-1", "web-10"), ("eu-west-1", "web-9"), ("eu-west-1", None)]
    images = [{"region": region, "name": name, "image_id": "ami-1"} for region, name in places]
    found = [(image["region"], image["name"]) for image in sorted(images, key=image_order)]
    assert found == [("eu-west-1", None), ("eu-west-1", "web-9"), ("eu-west-1", "web-10"), places[0]]


@given(st.lists(st.text()))
def test_all_texts_can_be_ordered(texts: list[str]) -> None:
    assert [natural(text) for text in sorted(texts, key=natural)] == sorted(map(natural, texts))


def test_a_number_has_its_noun() -> None:
    texts = [
        count(1, "image"),
        count(0, "image"),
        count(1005, "finding"),
        count(2, "family"),
        count(2, "day"),
    ]
    assert texts == ["1 image", "0 images", "1,005 findings", "2 families", "2 days"]
