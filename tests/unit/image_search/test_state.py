# SPDX-License-Identifier: GPL-3.0-or-later

"""A search in the words of an error message."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._image_search.state import Search

IMAGE = "ami-0123456789abcdef0"


@pytest.mark.parametrize(
    ("search", "described"),
    [
        (Search(name="golden-*"), "an image with the name 'golden-*'"),
        (
            Search(name="golden-*", tags={"b": "2", "a": "1"}, architecture="arm64"),
            "an image with the name 'golden-*' and the tag a=1 and the tag b=2 and the architecture arm64",
        ),
        (Search(image_id=IMAGE), IMAGE),
        (Search(image_id=IMAGE, parameter="/golden/web"), f"{IMAGE} of the parameter /golden/web"),
    ],
)
def test_described(search: Search, described: str) -> None:
    assert search.describe() == described
