# SPDX-License-Identifier: GPL-3.0-or-later

"""Consumers of a shared parameter that are not allowed lose it, if that is selected."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._audit.state import (
    SHARES_READ,
    Problem,
    RegionState,
    SharedParameter,
)
from ansible_collections.golden.images.plugins.module_utils._model import Sharing
from ansible_collections.golden.images.plugins.module_utils._parameter_share import sharing_of

from tests.unit.audit.examples import IMAGE, accounts, refused, region
from tests.unit.examples import ORG, SOURCE_ID, STRANGER
from tests.unit.kms_grant.examples import A, B
from tests.unit.remediation.examples import FAR, HERE, remediated, removed, resources

CODE = "unknown_parameter_consumer"
NAME = "/golden/web"
AUDIT = {"check_parameters": True, "allowed_account_ids": [A]}
OTHER = replace(IMAGE, image_id="ami-00000000", name="other")


def sharing(*consumers: str, launch: Sharing | None = None, **changes: Any) -> RegionState:
    """An image that a parameter names, which is shared with these consumers."""
    parameter = SharedParameter(NAME, SOURCE_ID, sharing_of(consumers))
    return region(launch or accounts(), parameters=(parameter,), **changes)


def test_who_is_not_allowed_loses_the_parameter_and_nobody_else() -> None:
    done = remediated(sharing(A, B, ORG), audit=AUDIT, finding_codes=[CODE])
    assert removed(done) == [(NAME, B, [CODE]), (NAME, ORG, [CODE])]
    (task,) = done["parameter_tasks"]
    assert task == {
        "parameter": NAME,
        "images": {HERE: SOURCE_ID},
        "publish_share": [B, ORG],
        "per_region": [],
    }
    assert (done["unshare_tasks"], done["revoke_tasks"]) == ([], [])
    assert done["removals"][0]["message"] == (
        f"{HERE}: take the parameter {NAME}, which names {SOURCE_ID}, back from {B}: {CODE}"
    )


def test_regions_with_the_same_consumers_are_one_task_and_one_for_each_region() -> None:
    done = remediated(sharing(B), sharing(B), audit=AUDIT, finding_codes=[CODE])
    (task,) = done["parameter_tasks"]
    assert task["images"] == {HERE: SOURCE_ID, FAR: SOURCE_ID}
    assert [sorted(one["images"]) for one in task["per_region"]] == [[HERE], [FAR]]
    different = remediated(sharing(B), sharing(STRANGER), audit=AUDIT, finding_codes=[CODE])
    assert [one["publish_share"] for one in different["parameter_tasks"]] == [[B], [STRANGER]]


def test_it_is_removed_only_if_its_code_is_selected() -> None:
    seen = sharing(B, launch=accounts(B))
    assert removed(remediated(seen, audit=AUDIT)) == [(SOURCE_ID, B, ["unknown_account"])]
    # Images of others are left as they are.
    chosen = {"finding_codes": [CODE], "images": [OTHER.image_id]}
    both = region(parameters=seen.parameters, images=(*seen.images, replace(seen.images[0], image=OTHER)))
    assert removed(remediated(both, audit=AUDIT, **chosen)) == []
    assert removed(remediated(both, audit=AUDIT, **{**chosen, "images": [SOURCE_ID]})) == [(NAME, B, [CODE])]


def test_a_service_in_another_tools_share_is_left() -> None:
    assert removed(remediated(sharing("web.amazonaws.com"), audit=AUDIT, finding_codes=[CODE])) == []


def test_the_limit_counts_each_consumer() -> None:
    done = remediated(sharing(B, STRANGER), audit=AUDIT, finding_codes=[CODE], max_removals=1)
    assert (done["failed"], "2 removals" in done["msg"], CODE in done["msg"]) == (True, True, True)


def _unread(resource: str) -> RegionState:
    problem = Problem("parameters_unreadable", resource, refused(action="GetParameter"))
    return region(problems=(problem,))


def test_what_could_not_be_read_counts_only_if_parameters_are_remediated() -> None:
    for chosen, number in (([CODE], 1), (["unknown_account"], 0)):
        for images in ([], [SOURCE_ID]):
            done = remediated(_unread(NAME), audit=AUDIT, finding_codes=chosen, images=images)
            assert len(done["unreadable"]) == number, (chosen, images)


def test_what_remains_is_what_a_later_audit_finds() -> None:
    planned = remediated(sharing(B), audit=AUDIT, finding_codes=[CODE])["removals"]

    def left(seen: RegionState, **audit: Any) -> list[tuple[str, str]]:
        return resources(remediated(seen, audit={**AUDIT, **audit}, expected_removals=planned))

    assert left(sharing(A)) == []
    assert left(region()) == []
    assert left(sharing(B)) == [(HERE, NAME)]
    # What was not read may remain.
    assert left(sharing(A), check_parameters=False) == [(HERE, NAME)]
    assert left(_unread(NAME)) == [(HERE, NAME)]
    assert left(_unread(SHARES_READ)) == [(HERE, NAME)]
    assert left(_unread("/other")) == []
