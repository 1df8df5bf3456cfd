# SPDX-License-Identifier: GPL-3.0-or-later

"""The outcome of a decision is that of its call."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.outcome import Outcomes

from .examples import EU, US, call, calls, cleaned, failure, one

GOES = one("ami-1", "deregister")
(SNAPSHOT,) = GOES["snapshots"]
KEPT = {**SNAPSHOT, "keep_reason": "image ami-9 uses it"}


@pytest.mark.parametrize(
    ("decision", "actions", "outcome"),
    [
        ("deregister", None, "done"),
        ("disable", None, "done"),
        ("deprecate", None, "done"),
        ("deregister", [], "not_done"),
        ("deregister", [call("DisableImage", EU, "ami-1")], "not_done"),
        ("deregister", [call("DeregisterImage", US, "ami-1")], "not_done"),
        ("wait", [], "no_action"),
        ("keep", [], "no_action"),
    ],
)
def test_a_decision_is_done_if_its_own_call_was_made(decision: str, actions: Any, outcome: str) -> None:
    image = one("ami-1", decision)
    given = cleaned(image, actions=calls(image) if actions is None else actions)
    assert Outcomes(given, is_plan=False).outcome(image) == outcome
    if outcome == "done":
        assert Outcomes(given, is_plan=True).outcome(image) == "planned"


@pytest.mark.parametrize(
    ("snapshot", "failures", "outcome"),
    [
        (SNAPSHOT, [], "done"),
        (KEPT, [], "no_action"),
        (SNAPSHOT, [failure("RevokeGrant")], "not_done"),
        (SNAPSHOT, [failure("RevokeGrant", region=US)], "done"),
        (
            SNAPSHOT,
            [failure("DeleteSnapshot", "Snapshot snap-of-ami-1 stays.", error_code="snapshot_not_deleted")],
            "not_done",
        ),
    ],
)
def test_a_snapshot_is_deleted_with_its_image_unless_something_is_against_it(
    snapshot: dict[str, Any], failures: list[Any], outcome: str
) -> None:
    found = Outcomes(cleaned(GOES, failures=failures), is_plan=False)
    assert found.snapshot_outcome({**GOES, "snapshots": [snapshot]}, snapshot) == outcome


def test_deleted_snapshots_of_no_image_and_revoked_grants_are_listed() -> None:
    actions = [
        call("DeleteSnapshot", EU, "snap-of-ami-1"),
        call("DeleteSnapshot", EU, "snap-9"),
        call("RevokeGrant", US, "g-1"),
    ]
    found = Outcomes(cleaned(GOES, actions=actions), is_plan=False)
    assert found.orphan_snapshots([GOES]) == [{"outcome": "done", "region": EU, "snapshot_id": "snap-9"}]
    assert found.grants() == [{"grant_id": "g-1", "outcome": "done", "region": US}]


def test_tags_count_once_for_each_resource_that_reached_no_stage() -> None:
    actions = [
        *calls(GOES),
        call("CreateTags", EU, "ami-1, ami-2, ami-3, snap-1"),
        call("CreateTags", US, "ami-2"),
        call("DeleteTags", EU, "ami-1, ami-3, ami-4, snap-4"),
        call("CreateImageUsageReport", EU, "ami-3"),
    ]
    found = Outcomes(cleaned(GOES, actions=actions), is_plan=False)
    assert (found.tags(), found.usage_reports()) == ({"tagged": 3, "untagged": 2}, 1)
    nothing = Outcomes(cleaned(), is_plan=False)
    assert (nothing.tags(), nothing.usage_reports()) == ({"tagged": 0, "untagged": 0}, 0)
