# SPDX-License-Identifier: GPL-3.0-or-later

"""The diff of a cleanup: a line for each retired image, with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.changes import prepared
from ansible_collections.golden.images.plugins.module_utils.cleanup.changes import changes
from ansible_collections.golden.images.plugins.module_utils.cleanup.plan import plan
from ansible_collections.golden.images.plugins.module_utils.cleanup.stages import Clocks
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import CleanupSeen

from tests.unit.cleanup.examples import ago, own, region_state, seen, wanted
from tests.unit.examples import volumes

NEWEST = own("ami-new", 1, name="golden-web-4")
OLD = own("ami-1", 50, name="golden-web-3")
OLDER = own("ami-2", 120, name="golden-web-2", devices=volumes("snap-1", "snap-2"))


def text_of(saw: CleanupSeen, **wants: Any) -> list[str]:
    asked = wanted(**wants)
    made = plan(asked, saw)
    return prepared(changes(asked, saw, made), [one.target for one in made.targets]).splitlines()


@pytest.mark.parametrize(
    ("wants", "expected"),
    [
        (
            {},
            [
                "eu-west-1: - golden-web-3 deregister (2nd newest, 50 days old, with 1 snapshot)",
                "eu-west-1: - golden-web-2 deregister (3rd newest, 120 days old, with 2",
                "    snapshots)",
            ],
        ),
        (
            {"unused_for_days": 100, "clocks": Clocks(deprecate=0)},
            [
                "eu-west-1: - golden-web-2 deprecate (3rd newest, unused for 120 days)",
            ],
        ),
    ],
)
def test_each_image_with_its_reason(wants: dict[str, Any], expected: list[str]) -> None:
    assert text_of(seen(region_state(NEWEST, OLD, OLDER)), **wants) == expected


def test_a_launch_ends_the_time_without_use() -> None:
    used = own("ami-2", 120, name="golden-web-2", last_launched=ago(days=110))
    lines = text_of(seen(region_state(NEWEST, used)), unused_for_days=100, clocks=Clocks(disable=0))
    assert lines[0] == "eu-west-1: - golden-web-2 disable (2nd newest, unused for 110 days)"


def test_tags_of_images_that_stay_are_counted() -> None:
    marked = [
        own(f"ami-{one}", one, tags={"family": str(one), "golden.images:cleanup-chosen": "x"})
        for one in (5, 6)
    ]
    assert text_of(seen(region_state(*marked))) == ["eu-west-1: ~ cleanup tags of ami-5, ami-6"]
