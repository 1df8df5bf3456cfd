# SPDX-License-Identifier: GPL-3.0-or-later

"""The labels by which a rollback finds an image."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Image

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.publish.account import account, image, options, run_on


def id_of(name: str) -> str:
    """The ID of an image: ``1`` is that of a region, ``1-own`` the copy of it that another account owns."""
    number, _dash, own = name.partition("-")
    return f"ami-{'b' if own else 'a'}{int(number):016x}"


# The source of each image, and the image whose ID all labels have, or each label its own.
CASES: dict[str, tuple[dict[str, str | None], str | dict[str, str]]] = {
    "original": ({"1": None, "2": "1"}, "1"),
    "copy": ({"1": "0"}, "0"),
    "promoted": ({"1": "0", "2": "1", "3": "1"}, "1"),
    "copies of copies": ({"3": "2", "2": "1", "1": "0"}, "1"),
    "source elsewhere": ({"1": "0", "2": "0"}, "0"),
    "circle": ({"1": "2", "2": "1"}, {"1": "1", "2": "2"}),
    "accounts' own copies": ({"1": "0", "2": "0", "1-own": "1", "2-own": "2"}, "0"),
    "accounts' own copies of a promoted one": ({"1": "0", "2": "1", "2-own": "2"}, "1"),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("by_tag", [True, False], ids=["tag", "AWS"])
def test_images_that_are_published_together_have_the_label_of_their_common_source(
    case: str, by_tag: bool
) -> None:
    sources, expected = CASES[case]

    def view(name: str, source: str | None) -> Image:
        tag = {"golden.images:source": f"us-east-1/{id_of(source)}"} if by_tag and source else {}
        recorded = "" if by_tag or source is None else id_of(source)
        owner = CONSUMER if name.endswith("-own") else OWNER
        return image(id_of(name), tags=tag, source_image_id=recorded, owner_id=owner)

    named = {id_of(name): view(name, source) for name, source in sources.items()}
    images: list[dict[str, Any]] = [
        {
            "account_id": CONSUMER if name.endswith("-own") else OWNER,
            "image_id": id_of(name),
            "region": f"eu-west-{name[0]}",
        }
        for name in sources
    ]
    given = options(images=images, consumer_role_name="golden-consumer", require_shared=False)
    results = run_on(given, account(named=named, consumer=account(named=named))).results
    by_name = expected if isinstance(expected, dict) else dict.fromkeys(sources, expected)
    assert {one["image_id"]: one["label"] for one in results} == {
        id_of(name): f"source-{id_of(label)}" for name, label in by_name.items()
    }
