# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that have the same in common stand together."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._grouping import group_in_common

Items = list[tuple[str, str, str]]
Groups = list[tuple[list[str], str, tuple[str, ...]]]


@pytest.mark.parametrize(
    ("items", "groups"),
    [
        ([], []),
        ([("a", "x", "eu"), ("b", "x", "eu")], [(["a", "b"], "x", ("eu",))]),
        ([("b", "x", "eu"), ("a", "x", "eu")], [(["b", "a"], "x", ("eu",))]),
        ([("a", "x", "eu"), ("b", "y", "eu")], [(["a"], "x", ("eu",)), (["b"], "y", ("eu",))]),
        (
            [("a", "x", "eu"), ("b", "x", "eu"), ("a", "x", "us"), ("c", "x", "us")],
            [(["a"], "x", ("eu", "us")), (["b"], "x", ("eu",)), (["c"], "x", ("us",))],
        ),
        (
            [("a", "x", "eu"), ("a", "y", "eu"), ("b", "x", "eu")],
            [(["a", "b"], "x", ("eu",)), (["a"], "y", ("eu",))],
        ),
    ],
    ids=["nothing", "the same", "in their order", "another detail", "other places", "two details"],
)
def test_names_with_a_detail_in_the_same_places_stand_together(items: Items, groups: Groups) -> None:
    assert group_in_common(items) == groups
