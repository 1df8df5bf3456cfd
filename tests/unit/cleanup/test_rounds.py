# SPDX-License-Identifier: GPL-3.0-or-later

"""Which calls are made together, and which images are looked at before them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup import rounds
from ansible_collections.golden.images.plugins.module_utils._cleanup.rounds import (
    DEREGISTER_IMAGE,
    ROUND,
    Round,
    list_rounds,
)
from ansible_collections.golden.images.plugins.module_utils._plan import Action
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import target_in

MARK = [{"Key": "golden.images:cleanup-image-ids", "Value": "ami-1"}]
DATE = [{"Key": "golden.images:cleanup-disabled", "Value": "2026-11-24T12:00:00Z"}]


def act(operation: str, resource: str) -> Action:
    return Action(target_in(), operation, {"ImageId": resource}, resource)


def tag(tags: list[dict[str, str]], *resources: str) -> Action:
    return Action(
        target_in(), "CreateTags", {"Resources": list(resources), "Tags": tags}, ", ".join(resources)
    )


def rendered(*planned: Action, depends_on: Mapping[str, set[str]] | None = None) -> list[str]:
    """Each round: the images to look at, and its groups of calls."""
    return [_text(one) for one in list_rounds(planned, depends_on or {})]


def _text(one: Round) -> str:
    looks = [f"look {' '.join(str(action.resource) for action in one.retiring)}"] if one.retiring else []
    groups = [
        f"{group[0].operation} {' '.join(str(action.resource) for action in group)}" for group in one.groups
    ]
    return "; ".join([*looks, *groups])


IMAGES = ("ami-1", "ami-2", "ami-3")


@pytest.mark.parametrize(
    ("planned", "depends_on", "expected"),
    [
        pytest.param([], {}, [], id="nothing"),
        pytest.param(
            [act("CreateImageUsageReport", "ami-1"), tag(DATE, "ami-1"), act("DeleteSnapshot", "snap-1")],
            {},
            ["CreateImageUsageReport ami-1", "CreateTags ami-1", "DeleteSnapshot snap-1"],
            id="nothing that an image is looked at for",
        ),
        pytest.param(
            [act("DisableImage", one) for one in IMAGES] + [tag(DATE, *IMAGES)],
            {},
            [
                "look ami-1 ami-2; DisableImage ami-1 ami-2",
                "look ami-3; DisableImage ami-3",
                "CreateTags ami-1, ami-2, ami-3",
            ],
            id="dates when all are disabled",
        ),
        pytest.param(
            [tag(MARK, "snap-1", "snap-2", "snap-3"), *(act("DeregisterImage", one) for one in IMAGES)],
            {f"snap-{number}": {f"ami-{number}"} for number in (1, 2, 3)},
            [
                "look ami-1 ami-2; CreateTags snap-1, snap-2; DeregisterImage ami-1 ami-2",
                "look ami-3; CreateTags snap-3; DeregisterImage ami-3",
            ],
            id="marks with their images",
        ),
        pytest.param(
            [tag(MARK, "snap-1"), *(act("DeregisterImage", one) for one in IMAGES)],
            {"snap-1": {"ami-1", "ami-3"}},
            [
                "look ami-1 ami-2; DeregisterImage ami-1 ami-2",
                "look ami-3; CreateTags snap-1; DeregisterImage ami-3",
            ],
            id="a snapshot of two images is marked with the last",
        ),
        pytest.param(
            [
                tag(MARK, "snap-1", "snap-2"),
                act("DisableImage", "ami-1"),
                act("DisableImage", "ami-2"),
                act("DeregisterImage", "ami-3"),
            ],
            {"snap-1": {"ami-3"}, "snap-2": {"ami-3", "ami-4"}},
            [
                "look ami-1 ami-2; DisableImage ami-1 ami-2",
                "look ami-3; CreateTags snap-1, snap-2; DeregisterImage ami-3",
            ],
            id="a mark waits for other operations, but not for an image that is not deregistered",
        ),
        pytest.param(
            [tag(MARK, "snap-9"), act("DeregisterImage", "ami-1")],
            {"snap-9": {"ami-9"}},
            ["CreateTags snap-9", "look ami-1; DeregisterImage ami-1"],
            id="a mark of no image here",
        ),
    ],
)
def test_rounds(
    planned: list[Action],
    depends_on: dict[str, set[str]],
    expected: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "ROUND", 2)
    assert rendered(*planned, depends_on=depends_on) == expected


@given(st.integers(0, 3 * ROUND), st.integers(1, 12), st.integers(0, 3))
def test_no_call_is_lost_and_each_snapshot_is_marked_before_its_last_image_goes(
    images: int, marked_together: int, neighbors: int
) -> None:
    """A snapshot can be part of several images."""
    depends_on = {
        f"snap-{number}": {f"ami-{min(other, images - 1)}" for other in range(number, number + neighbors + 1)}
        for number in range(images)
    }
    snapshots = list(depends_on)
    marks = [
        tag(MARK, *snapshots[start : start + marked_together]) for start in range(0, images, marked_together)
    ]
    looked_at: set[str] = set()
    gone: set[str] = set()
    marked: set[str] = set()
    deregistering = [act(DEREGISTER_IMAGE, f"ami-{number}") for number in range(images)]
    for one in list_rounds([*marks, *deregistering], depends_on):
        assert len(one.retiring) <= ROUND
        looked_at |= {str(action.resource) for action in one.retiring}
        for group in one.groups:
            for action in group:
                if action.operation == DEREGISTER_IMAGE:
                    assert action in one.retiring
                    gone.add(str(action.resource))
                    continue
                new = set(action.parameters["Resources"])
                assert not new & marked
                marked |= new
                assert all(depends_on[snapshot] <= looked_at for snapshot in new)
        assert all(snapshot in marked for snapshot, of in depends_on.items() if of <= gone)
    assert (gone, marked) == ({f"ami-{number}" for number in range(images)}, set(snapshots))
