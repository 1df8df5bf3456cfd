# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role recall shows of images that are blocked, opened again, or not blocked."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._recall.screen import screen
from ansible_collections.golden.images.plugins.module_utils._reports.screen import Tone

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.recall.examples import AWAY, BAD, GOOD, HOME, OTHER, SOURCE, TEMPLATE_ID

FAILURE = {
    "account_id": None,
    "action": "accept_breaking",
    "error_code": "launches_would_break",
    "message": "1 account would launch it.",
    "region": None,
    "remedy": "Confirm it.",
}


def blocked(changed: bool = True, left: str | None = None) -> dict[str, Any]:
    """An image in the result."""
    return {"account_id": OWNER, "changed": changed, "image_id": BAD, "left": left, "region": AWAY}


def breaking(consumer: str, confirmed: bool = False, uses: int = 1, unread: int = 0) -> dict[str, Any]:
    """A consumer in the result."""
    return {
        "confirmed": confirmed,
        "consumer": consumer,
        "regions": [AWAY] * uses,
        "regions_not_looked_at": [HOME] * unread,
        "uses": [{"kind": "launch_template", "names": [f"web ({TEMPLATE_ID}) version 3"], "number": 1}]
        * uses,
    }


def show(
    block: dict[str, Any],
    state: str = "present",
    check_mode: bool = False,
    **result: Any,
) -> str:
    """The text of the screen; ``block`` is the result of the task that blocks."""
    given = {"results": [], "images": [], "failures": [], **result}
    context = {
        "block": block,
        "check_mode": check_mode,
        "role": "recall",
        "source_image_id": SOURCE,
        "state": state,
    }
    return screen(given, context, None).text


def join_lines(text: str) -> str:
    """The text as one line."""
    return " ".join(text.split())


def test_what_stops_a_block_is_a_table_with_the_worst_first() -> None:
    many = [breaking(f"{number:012}", uses=0, unread=1) for number in range(30)]
    block = {"breaking": [breaking(CONSUMER), *many], "failures": [FAILURE], "msg": "It breaks."}
    lines = show(block, changed=True).splitlines()
    assert lines[0].startswith("Incomplete: Recall of ")
    (first,) = (line for line in lines if CONSUMER in line)
    assert "launch template web" in first
    assert any(f"({TEMPLATE_ID}) version 3" in line for line in lines)
    assert max(map(len, lines)) <= 80
    assert any("000000000000" in line and "not looked at" in line for line in lines)
    assert any(line.startswith("11 more") for line in lines)
    assert any(FAILURE["message"] in line for line in lines)
    assert "the fact recall_breaking, which -v shows, has all 31 consumers" in join_lines("\n".join(lines))


def test_the_headline_counts_images() -> None:
    shown = show({"blocked": [blocked(), blocked(False)], "breaking": []})
    assert "1 image blocked." in join_lines(shown)
    shown = show({}, "absent", blocked=[blocked()])
    assert "1 image opened again." in join_lines(shown)
    assert show({"blocked": [blocked(False)]}).startswith("Nothing to change")
    left = show({}, "absent", blocked=[blocked(False, "is disabled, not by the recall")])
    assert "left: is disabled, not by the recall" in join_lines(left)


def test_a_rerun_that_fails_does_not_deny_what_an_earlier_run_did() -> None:
    block = {"failures": [FAILURE], "msg": "It breaks."}
    image = {"account_id": OWNER, "changed": False, "image_id": BAD, "region": AWAY}
    shown = join_lines(show(block, results=[{**POINTER, "changed": False}], images=[image]))
    assert shown.startswith(f"Failed: Recall of {SOURCE}: no change confirmed, no image blocked.")
    written = show({}, results=[{**POINTER, "changed": False}], msg="No label.", changed=True)
    assert join_lines(written).startswith(
        f"Incomplete: Recall of {SOURCE}: 0 images tagged, 0 pointers moved."
    )
    # What a crash changed is not known.
    assert join_lines(show({}, msg="It crashed.")).startswith(f"Failed: Recall of {SOURCE}: see below.")


def test_a_pointer_that_stays_is_the_row_of_its_failed_region() -> None:
    stays = {**POINTER, "changed": False, "left": "stays, because its region failed"}
    moved = {**POINTER, "region": HOME}
    failure = {**FAILURE, "account_id": OWNER, "region": AWAY}
    failures = [failure, {**failure, "account_id": CONSUMER}]
    result = screen(
        {"changed": True, "failures": failures, "images": [], "msg": "No.", "results": [moved, stays]},
        {"block": {}, "check_mode": False, "role": "recall", "source_image_id": SOURCE, "state": "present"},
        None,
    )
    rows = [line for line in result.lines if line.text.startswith((AWAY, HOME))]
    assert [(line.text.split()[1], line.tone) for line in rows] == [
        (CONSUMER, Tone.BAD),
        (OWNER, Tone.BAD),
        (OWNER, Tone.PLAIN),
    ]
    assert "failed" in rows[0].text
    assert "left: stays" in rows[1].text


def test_each_image_of_a_consumer_is_in_the_table() -> None:
    images = [{"account_id": OWNER, "changed": True, "image_id": BAD, "region": AWAY}]
    own = {**blocked(), "account_id": CONSUMER, "image_id": OTHER}
    left = {**own, "changed": False, "image_id": GOOD, "left": "is managed by AWS Backup"}
    for check_mode, outcome in ((False, "changed"), (True, "planned")):
        text = show({"blocked": [blocked(), own, left]}, images=images, check_mode=check_mode)
        assert "2 images blocked." in join_lines(text)
        (line,) = (line for line in text.splitlines() if OTHER in line)
        assert line.split() == [AWAY, CONSUMER, "own", "image", OTHER, outcome]
        assert "left: is managed by AWS Backup" in join_lines(text)
        assert BAD not in text
        assert max(map(len, text.splitlines())) <= 80


def test_an_image_of_a_consumer_is_in_the_table_although_the_owner_has_none_any_more() -> None:
    gone, opened = blocked(False, "does not exist any more"), {**blocked(), "account_id": CONSUMER}
    text = show({}, "absent", blocked=[gone, {**opened, "image_id": OTHER}])
    (line,) = (line for line in text.splitlines() if OTHER in line)
    assert line.split() == [AWAY, CONSUMER, "own", "image", OTHER, "changed"]
    assert "left: does not exist any more" in join_lines(text)


def test_failures_of_all_tasks_are_shown() -> None:
    refused = {"failures": [{**FAILURE, "message": "No role."}], "msg": "No role."}
    assert "No role." in join_lines(show(refused))
    assert "1 account would launch it." in join_lines(show(refused, failures=[FAILURE], msg="It fails."))


@pytest.mark.parametrize(
    ("block", "result", "context", "status"),
    [
        ({}, {}, {}, "recalled"),
        ({"blocked": []}, {}, {}, "recalled"),
        ({"blocked": [blocked(False)]}, {}, {}, "blocked"),
        ({}, {}, {"state": "absent"}, "taken_back"),
        ({}, {"changed": True}, {"check_mode": True, "state": "absent"}, "planned"),
        ({}, {"msg": "No."}, {"check_mode": True}, "failed"),
        ({"msg": "No."}, {"changed": False}, {}, "failed"),
        ({"msg": "No."}, {"changed": True}, {}, "incomplete"),
        ({"msg": "No.", "changed": True}, {"msg": "No."}, {}, "incomplete"),
    ],
)
def test_the_status_is_that_of_both_tasks(
    block: dict[str, Any], result: dict[str, Any], context: dict[str, Any], status: str
) -> None:
    given = {"block": block, "check_mode": False, "role": "recall", "source_image_id": SOURCE}
    assert screen(result, {**given, "state": "present", **context}, None).artifacts["status"] == status


@pytest.mark.parametrize(
    ("block", "state", "has_next_step"),
    [
        ({}, "present", True),
        ({"blocked": [blocked()]}, "present", True),
        ({"failures": [FAILURE], "msg": "It breaks."}, "present", False),
        ({}, "absent", False),
    ],
)
def test_after_a_recall_the_next_step_is_named(
    block: dict[str, Any], state: str, has_next_step: bool
) -> None:
    shown = join_lines(show(block, state, results=[POINTER]))
    assert ("report_adoption.yml shows them" in shown) == has_next_step


def test_confirmed_consumers_are_shown_as_such() -> None:
    text = show({"blocked": [blocked()], "breaking": [breaking(CONSUMER, confirmed=True)]})
    assert "confirmed" in text
    assert "stops the block" not in text
    assert "recall_accept_breaking" not in text


POINTER = {
    "account_id": OWNER,
    "after": None,
    "before": None,
    "changed": True,
    "left": None,
    "name": "/golden/web",
    "region": AWAY,
}


def test_check_mode_does_not_say_that_something_was_done() -> None:
    block = {"breaking": [breaking(CONSUMER, unread=1)], "failures": [FAILURE], "msg": "It breaks."}
    shown = join_lines(show(block, check_mode=True, changed=True, results=[POINTER]))
    assert shown.startswith("Incomplete: Check mode: Recall of ")
    assert "would be: 0 images tagged, 1 pointer moved, no image blocked." in shown
    shown = join_lines(show({}, "absent", results=[POINTER]))
    assert shown.startswith(f"Taking back the recall of {SOURCE}: 0 images untagged, 1 pointer moved.")
    shown = join_lines(show({}, "absent"))
    assert shown == f"Nothing to change: Recall of {SOURCE} is taken back."


@pytest.mark.parametrize("changed", [True, False])
def test_a_refused_task_beside_one_with_changes_does_not_say_that_nothing_was_changed(changed: bool) -> None:
    block = {"failures": [], "msg": "accept_breaking: no.\nThis task changed nothing."}
    context = {"block": block, "check_mode": False, "role": "recall", "source_image_id": SOURCE}
    result = {"changed": changed, "failures": [], "images": [], "results": []}
    found = screen(result, {**context, "state": "present"}, None)
    assert found.failure == block["msg"].replace("\nThis task changed nothing." if changed else "", "")


def test_what_may_move_first_is_not_to_be_confirmed_yet() -> None:
    arn = "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5"
    items = [breaking(CONSUMER), breaking(arn, uses=0, unread=1)]
    lines = show({"breaking": items}, check_mode=True, results=[POINTER]).splitlines()
    assert f'recall_accept_breaking: ["{arn}"]' in lines
    text = show({"breaking": [breaking(CONSUMER)]}, check_mode=True, results=[POINTER])
    assert "may move first" in text
    assert "recall_accept_breaking" not in text


def test_only_what_check_mode_does_not_move_may_move_first() -> None:
    block = {"blocked": [], "breaking": [breaking(CONSUMER, unread=1)]}
    shown = show(block, check_mode=True, results=[POINTER])
    assert "may move first" in shown
    (unread,) = (line for line in shown.splitlines() if "not looked at" in line)
    assert "stops the block" in unread
    assert HOME in unread
    assert "2 regions" in show({"breaking": [breaking(CONSUMER, unread=2)]})
    assert "may move first" not in show(block, check_mode=True, results=[{**POINTER, "changed": False}])


def test_the_consumers_to_confirm_are_one_line_that_can_be_pasted() -> None:
    arn = "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-11111111"
    items = [breaking(CONSUMER, confirmed=True), breaking(arn, uses=0, unread=1)]
    lines = show({"breaking": items}).splitlines()
    assert f'recall_accept_breaking: ["{CONSUMER}", "{arn}"]' in lines
    assert any(line.startswith("ou-ab12-11111111 ") for line in lines)
    public = show({"breaking": [*items, breaking("all", uses=0, unread=1)]}).splitlines()
    assert 'recall_accept_breaking: ["all"]' in public
