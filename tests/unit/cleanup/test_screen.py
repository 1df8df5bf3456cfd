# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role cleanup displays at its end, passes to the next job, and fails with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.content import build_content
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.prices import Prices
from ansible_collections.golden.images.plugins.module_utils._cleanup.screen import screen
from ansible_collections.golden.images.plugins.module_utils._reports.screen import (
    WIDTH,
    Screen,
    Tone,
    count_columns,
)

from tests.unit.cleanup.report.examples import (
    BLOCKED,
    EU,
    GOES,
    KEPT,
    OFF,
    OVER_THE_LIMIT,
    RUNS,
    UNREAD,
    US,
    WAITS,
    call,
    cleaned,
    failure,
    one,
)

PRICES = Prices({EU: Decimal("0.05"), US: Decimal("0.05")}, "EUR")


def shown(
    result: dict[str, Any], planned: bool = False, path: str | None = "cleanup", **results: Any
) -> Screen:
    report = build_content(result, PRICES, planned)
    found = screen(report, {"failures": result.get("failures", []), **results}, path)
    assert all(count_columns(line.text) <= WIDTH for line in found.lines), found.text
    return found


def test_stages_and_reasons() -> None:
    found = shown(cleaned(GOES, OFF, WAITS, BLOCKED, KEPT, RUNS))
    assert found.text.splitlines() == [
        "1 of 6 images was deregistered and 1 disabled.",
        "1 deregistered image may not be restorable: the Recycle Bin is not known to",
        "  retain it with all its snapshots.",
        "decision    images  done  GiB before  EUR a month before",
        "deregister       1     1           8                0.40",
        "disable          1     1           8                0.40",
        "wait             2                16                0.80",
        "keep             2                16                0.80",
        "Deregistered, since no rule keeps them, and no use was found:",
        "image  region     name           newest  created",
        "ami-1  eu-west-1  name of ami-1     1st  2026-01-02",
        "Disabled, since no rule keeps them, and no use was found:",
        "image  region     name           newest  created",
        "ami-2  us-east-1  name of ami-2     1st  2026-01-02",
        "kept  first reason of each",
        "   1  It is among the latest 1 of its family in its region.",
        "   1  It is in use: instance.",
        "blocked  first reason of each",
        "      1  It is protected from deregistration (enabled).",
        "waiting  for",
        "      1  to be disabled on 2027-02-22",
        "Report: cleanup",
    ]
    assert found.failure == ""
    assert found.artifacts == {
        "counts": {"deregister": 1, "disable": 1, "deprecate": 0, "wait": 2, "keep": 2},
        "deregistered": {EU: ["ami-1"]},
        "failed_regions": [],
        "freed_gib": 0,
        "report_path": "cleanup",
        "status": "done",
    }


def test_what_images_wait_for_in_a_plan() -> None:
    soon = [
        one(f"ami-{day}", "wait", next_stage="disable", next_stage_at=f"2026-12-{day}T05:00:00+00:00")
        for day in (10, 24, 17)
    ]
    text = shown(cleaned(*soon, one("ami-4", "wait")), planned=True).text
    assert text[text.index("waiting") :].splitlines() == [
        "waiting  for",
        "      3  to be disabled between 2026-12-10 and 2026-12-24",
        "      1  nothing: the last stage of the policy is reached",
        "Report: cleanup",
    ]


def test_the_plan_lists_twenty_images_of_each_stage_and_counts_the_others() -> None:
    goes = [one(f"ami-{number:017x}", "deregister", creation_date=None) for number in range(23)]
    lines = shown(cleaned(*goes, OFF), planned=True).text.splitlines()
    start = lines.index("To be deregistered, since no rule keeps them, and no use was found:")
    assert lines[start + 1] == "image                  region     name                           newest"
    assert lines[start + 2].split()[0] == "ami-00000000000000000"
    assert lines[start + 22 : start + 24] == [
        "  3 more in cleanup.",
        "To be disabled, since no rule keeps them, and no use was found:",
    ]


def test_an_image_that_was_not_retired_is_first() -> None:
    found = shown(cleaned(OFF, one("ami-9", "disable"), actions=[call("DisableImage", US, "ami-2")]))
    (row,) = (line for line in found.lines if "not done" in line.text)
    assert (row.text.split()[0], row.tone) == ("ami-9", Tone.BAD)
    rows = [line.text.split()[0] for line in found.lines if line.text.startswith("ami-")]
    assert rows == ["ami-9", "ami-2"]


def test_check_mode() -> None:
    found = shown(cleaned(GOES, OFF), planned=True)
    assert found.lines[0].text.startswith("Check mode: 1 of 2 images would be deregistered and 1 disabled")
    assert found.artifacts["status"] == "planned"
    assert found.artifacts["deregistered"] == {}
    assert "decision    images  GiB now  EUR a month now" in found.text.splitlines()
    assert "done" not in found.text


RETAINED = "2026-12-24T05:00:00+00:00"
GONE = [one(f"ami-{number}", "deregister") for number in (1, 2)]


@pytest.mark.parametrize(
    ("images", "planned", "expected"),
    [
        (GONE, True, "2 images to deregister, with 2 snapshots, may not be restorable: "),
        (GONE, False, "2 deregistered images, with 2 snapshots, may not be restorable: "),
        (
            [GONE[0], {**GONE[1], "recoverable_until": RETAINED}],
            True,
            "1 image to deregister, with 1 snapshot, ",
        ),
        (
            [GONE[0], {**GONE[1], "snapshots": GONE[0]["snapshots"]}],
            True,
            "2 images to deregister, with 1 sn",
        ),
        ([{**GONE[0], "recoverable_until": RETAINED}, OFF, KEPT], True, ""),
    ],
)
def test_what_may_not_be_restorable(images: list[dict[str, Any]], planned: bool, expected: str) -> None:
    found = shown(cleaned(*images), planned)
    tones = [line.tone for line in found.lines if expected and line.text.startswith(expected)]
    assert tones == ([Tone.WARNING] if expected else [])
    assert ("Recycle Bin" in found.text) is bool(expected)


def test_an_image_that_was_not_deregistered_needs_no_restore() -> None:
    assert "Recycle Bin" not in shown({**cleaned(GOES), "actions": []}).text


@pytest.mark.parametrize(("image", "tone"), [(GOES, Tone.WARNING), (OFF, Tone.GOOD), (KEPT, Tone.GOOD)])
def test_a_plan_that_deregisters_is_a_warning(image: dict[str, Any], tone: Tone) -> None:
    assert shown(cleaned(image), planned=True).lines[0].tone is tone


@pytest.mark.parametrize("number", [1, 20, 100])
def test_a_reason_is_one_line_whatever_it_names(number: int) -> None:
    images = [
        one(
            f"ami-{count}",
            "keep",
            reasons=[
                f"Its snapshot snap-{count} is locked (governance).",
                f"It was created on 2026-01-{count}.",
            ],
        )
        for count in range(10, 10 + number)
    ]
    lines = shown(cleaned(*images)).text.splitlines()
    assert f"{number:>4}  Its snapshot \u2026 is locked (governance)." in lines


def test_many_reasons_are_counted_with_their_images() -> None:
    images = [one(f"ami-{count}", "keep", reasons=[f"Reason {'x' * count}."]) for count in range(12)]
    lines = shown(cleaned(*images, {**images[11], "image_id": "ami-12"})).text.splitlines()
    assert lines[3:5] == ["kept  first reason of each", f"   2  Reason {'x' * 11}."]
    assert "and 4 images for 4 other reasons" in lines


USED = {"detail": "running", "kind": "launch_template", "subject": "lt-1"}
UNPROVEN = {**UNREAD, "kind": "unproven"}


@pytest.mark.parametrize(
    ("reasons", "evidence", "expected"),
    [
        ([], [UNREAD], "Its use could not be read: DescribeInstances."),
        ([], [UNPROVEN], "AWS does not show whether it is in use."),
        (
            [],
            [UNPROVEN, UNREAD, {**UNREAD, "subject": "AssumeRole"}],
            "Its use could not be read: AssumeRole in a consumer account, DescribeInstances.",
        ),
        ([], [UNREAD, USED, {**USED, "kind": "instance"}], "It is in use: instance, launch template."),
        (["It is the latest.", "It is new."], [USED], "It is the latest."),
    ],
)
def test_an_image_counts_once_for_its_first_reason(
    reasons: list[str], evidence: list[dict[str, Any]], expected: str
) -> None:
    text = shown(cleaned(one("ami-1", "keep", reasons=reasons, evidence=evidence))).text
    assert f"kept first reason of each 1 {expected} " in " ".join(text.split())


def test_reasons_of_as_many_images_are_in_alphabetical_order() -> None:
    images = [one(f"ami-{text}", "keep", reasons=[f"Reason {text}."]) for text in "bca"]
    lines = shown(cleaned(*images)).text.splitlines()
    assert lines[-4:-1] == ["   1  Reason a.", "   1  Reason b.", "   1  Reason c."]


def test_a_step_that_failed() -> None:
    failed = failure("DeregisterImage", "Not now.")
    result = {**cleaned(GOES), "actions": [], "failures": [failed], "failed": True}
    found = shown(result)
    assert "- eu-west-1 in account 111122223333: Not now (AccessDenied). Allow it." in found.text
    assert found.failure == "eu-west-1 in account 111122223333: Not now (AccessDenied). Allow it."
    assert [line.tone for line in found.lines if line.text.startswith("deregister")] == [Tone.BAD]
    assert found.artifacts["failed_regions"] == [EU]


def test_too_many_deletions() -> None:
    found = shown(OVER_THE_LIMIT)
    assert found.text.splitlines()[0] == "Nothing was changed."
    assert "9 of 9 images would be disabled" in found.failure
    assert found.artifacts["status"] == "refused"


def test_without_a_report_it_is_not_known_what_was_changed() -> None:
    found = screen({}, {}, None)
    assert found.text == found.failure == "It is not known what was changed."


def test_a_cleanup_without_result() -> None:
    found = shown({"failed": True, "msg": "It broke."})
    assert found.failure == "It is not known what was changed.\n- It broke."


def test_warnings_are_limited() -> None:
    found = shown(cleaned(KEPT, warnings=[f"Warning {number}." for number in range(9)]))
    assert "- Warning 4." in found.text
    assert "4 more warnings in cleanup." in found.text
