# SPDX-License-Identifier: GPL-3.0-or-later

"""Which keys an image has."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils.shared_info.state import KeysSeen, SharedImage

from tests.unit.examples import OWNER, SOURCE_ID


def test_an_image_has_the_keys_of_its_encrypted_snapshots_as_far_as_they_are_known() -> None:
    keys = KeysSeen({"snap-1": "key-b", "snap-2": "key-a", "snap-3": "key-b", "snap-other": "key-c"})
    image = SharedImage(
        SOURCE_ID, OWNER, encrypted=True, encrypted_snapshots=("snap-1", "snap-2", "snap-3", "snap-hidden")
    )
    assert keys.arns_of(image) == ["key-a", "key-b"]
    assert keys.arns_of(SharedImage(SOURCE_ID, OWNER)) == []
