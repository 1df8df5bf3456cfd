# SPDX-License-Identifier: GPL-3.0-or-later

"""Places of tombstones, and which images have lost their permissions."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils.model import Target
from ansible_collections.golden.images.plugins.module_utils.restore.state import (
    TombstonePlaces,
    has_lost_permissions,
)

from tests.unit.examples import OWNER

from .examples import CHOSEN_TAG, DISABLED_TAG, REF, RESTORING_TAG, found, image, seen


def test_places_are_named_in_a_message() -> None:
    assert not TombstonePlaces()
    assert TombstonePlaces(ssm_path="/retired")
    places = TombstonePlaces("retired.jsonl", "s3://bucket/folder", "/retired")
    assert places.named() == "retired.jsonl, s3://bucket/folder, /retired"


def test_the_target_is_the_account_and_region() -> None:
    assert seen(found()).target(REF) == Target(OWNER, REF.region)


@pytest.mark.parametrize(
    ("state", "tags", "lost"),
    [
        ("disabled", {}, True),
        ("available", {}, False),
        ("available", CHOSEN_TAG, False),
        ("available", DISABLED_TAG, True),
        ("available", RESTORING_TAG, True),
    ],
)
def test_permissions_are_lost_while_disabled_or_tagged(state: str, tags: dict[str, str], lost: bool) -> None:
    assert has_lost_permissions(image(state, tags=tags)) == lost
