# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists and numbers in messages."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._listing import count, join_texts, ordinal


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a, b"),
        (["a", "b", "c"], "a, b and 1 more"),
        (["a", "b", "c", "d"], "a, b and 2 more"),
    ],
)
def test_a_list_of_at_most_two(texts: list[str], text: str) -> None:
    assert join_texts(texts, 2) == text


def test_a_list_has_four_texts_by_default() -> None:
    assert join_texts(list("abcdef")) == "a, b, c, d and 2 more"


def test_a_number_has_its_noun() -> None:
    texts = [
        count(1, "image"),
        count(0, "image"),
        count(1005, "finding"),
        count(2, "family"),
        count(2, "day"),
    ]
    assert texts == ["1 image", "0 images", "1,005 findings", "2 families", "2 days"]


def test_a_rank_ends_as_it_is_spoken() -> None:
    texts = [ordinal(number) for number in (1, 2, 3, 4, 10, 11, 12, 13, 21, 22, 103, 111)]
    assert texts == [
        *("1st", "2nd", "3rd", "4th", "10th", "11th", "12th", "13th", "21st", "22nd", "103rd", "111th"),
    ]
