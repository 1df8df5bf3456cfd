# SPDX-License-Identifier: GPL-3.0-or-later

"""Places of tombstones, and the account and region of an image."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils.model import Target
from ansible_collections.golden.images.plugins.module_utils.restore.state import TombstonePlaces

from tests.unit.examples import OWNER

from .examples import REF, found, seen


def test_places_are_named_in_a_message() -> None:
    assert not TombstonePlaces()
    assert TombstonePlaces(ssm_path="/retired")
    places = TombstonePlaces("retired.jsonl", "s3://bucket/folder", "/retired")
    assert places.named() == "retired.jsonl, s3://bucket/folder, /retired"


def test_the_target_is_the_account_and_region() -> None:
    assert seen(found()).target(REF) == Target(OWNER, REF.region)
