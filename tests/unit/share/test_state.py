# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known about a copy that does not exist yet, and about access that is only planned."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.model import Grant, Key, KeySeen, Sharing
from ansible_collections.golden.images.plugins.module_utils.plan import KNOWN_AFTER_APPLY
from ansible_collections.golden.images.plugins.module_utils.share.state import PlannedKey, Shared, ShareWanted

from tests.unit.examples import OWNER, source_image, volumes


def test_planned_copy_has_the_devices_of_its_source_and_is_not_shared() -> None:
    source = source_image(devices=volumes("snap-1", "snap-2"), tags={"role": "web"})
    found = Shared.planned(OWNER, source)
    assert not found.exists
    assert (found.image.image_id, found.image.owner_id) == (KNOWN_AFTER_APPLY, OWNER)
    assert found.image.devices == source.devices
    assert found.image.tags == {}
    assert found.launch == Sharing()
    assert found.volume_permissions == {"snap-1": Sharing(), "snap-2": Sharing()}


def test_snapshots_without_an_image_belong_to_the_account() -> None:
    found = Shared.without_image(OWNER, {"snap-1": Sharing(public=True)})
    assert (found.image.image_id, found.image.owner_id, found.exists) == ("", OWNER, True)
    assert (found.launch, found.volume_permissions) == (Sharing(), {"snap-1": Sharing(public=True)})


def test_planned_copy_of_an_unknown_source_has_no_volumes() -> None:
    assert Shared.planned(OWNER, None).volume_permissions == {}


PLANNED_GRANT = Grant("", "arn:planned", frozenset({"Decrypt"}))
STATEMENT = {"Sid": "planned"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (None, None),
        ({"Statement": [{"Sid": "own"}]}, [{"Sid": "own"}, STATEMENT]),
        ({"Statement": {"Sid": "own"}}, [{"Sid": "own"}, STATEMENT]),
    ],
)
def test_planned_access_is_added_to_the_key(policy: Any, expected: Any) -> None:
    key = KeySeen(Key("arn:key"), (), None if policy is None else json.dumps(policy))
    planned = ShareWanted({}, Sharing(), planned_keys={"arn:key": PlannedKey((PLANNED_GRANT,), (STATEMENT,))})
    after = planned.planned(key)
    assert after.grants == (PLANNED_GRANT,)
    assert (after.policy and json.loads(after.policy)["Statement"]) == expected
    other = KeySeen(Key("arn:other"))
    assert planned.planned(other) == other


@pytest.mark.parametrize(
    ("shares", "purges", "expected"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_a_purge_changes_snapshots_that_are_not_shared(shares: bool, purges: bool, expected: bool) -> None:
    wanted = ShareWanted({}, Sharing(), share_snapshots=shares, purge=purges)
    assert wanted.changes_snapshots is expected
