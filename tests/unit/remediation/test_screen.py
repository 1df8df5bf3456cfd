# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role remediate displays at its end, passes to the next job, and fails with."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.remediation.screen import screen
from ansible_collections.golden.images.plugins.module_utils.reports.screen import (
    WIDTH,
    Screen,
    Tone,
    columns_of,
)

EU, US = "eu-west-1", "us-east-1"
KEY = f"arn:aws:kms:{EU}:111111111111:key/12345678-1234-1234-1234-123456789012"
STRANGER = "999999999999"


def removal(resource: str = "ami-1", region: str = EU, principal: str = STRANGER) -> dict[str, Any]:
    return {
        "finding_codes": ["unknown_account"],
        "image_id": resource,
        "message": f"{region}: unshare {resource} from {principal}.",
        "principal": principal,
        "region": region,
        "resource": resource,
    }


def kept(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "message": "It needs the key.", "reason": "volumes", "volume_ids": ["vol-1"]}


def shown(*removals: dict[str, Any], check_mode: bool = False, **changes: Any) -> Screen:
    report = {
        "removals": list(removals),
        "remaining": [],
        "kept_access": [],
        "unseen_volumes": [],
        "problems": [],
        **changes,
    }
    found = screen(report, {"check_mode": check_mode}, None)
    assert all(columns_of(line.text) <= WIDTH for line in found.lines), found.text
    return found


def test_what_was_removed() -> None:
    found = shown(removal(), removal("ami-2", US, "all"))
    assert found.text.splitlines() == [
        "Removed 2 of 2 permissions.",
        "region     resource  principal     outcome  findings",
        f"eu-west-1  ami-1     {STRANGER}  removed  unknown_account",
        "us-east-1  ami-2     public        removed  unknown_account",
    ]
    assert found.lines[0].tone is Tone.GOOD
    assert found.failure == ""
    assert found.artifacts == {
        "failed_regions": [],
        "kept": 0,
        "remaining": 0,
        "removals": 2,
        "report_path": None,
        "status": "remediated",
    }


def test_nothing_to_remove() -> None:
    found = shown()
    assert found.text == "No access to remove."
    assert found.artifacts["status"] == "clean"


def test_check_mode() -> None:
    found = shown(removal(), check_mode=True, remaining=[removal()])
    assert found.text.splitlines()[0] == "Check mode: 1 permission would be removed."
    assert "planned" in found.text
    assert (found.artifacts["status"], found.artifacts["failed_regions"]) == ("planned", [])


def test_what_is_not_confirmed_is_first() -> None:
    problems = ["Not confirmed: ami-2.", "Refused."]
    found = shown(removal(), removal("ami-2", US), remaining=[removal("ami-2", US)], problems=problems)
    lines = found.text.splitlines()
    assert lines[0] == "1 of 2 permissions may not be removed yet."
    assert lines[2].startswith("us-east-1  ami-2")
    assert found.lines[2].tone is Tone.BAD
    assert lines[4:] == ["- Not confirmed: ami-2.", "- Refused."]
    assert found.failure == (
        "2 problems:\n- Not confirmed: ami-2.\n- Refused.\nRerun to complete the remaining removals."
    )
    assert (found.artifacts["status"], found.artifacts["failed_regions"]) == ("incomplete", [US])


def test_key_access_that_is_kept() -> None:
    found = shown(removal(KEY), removal(), kept_access=[kept(removal(KEY))])
    assert found.text.splitlines()[0] == "Removed 1 of 2 permissions."
    assert "key 12345678-1234\u2026" in found.text.splitlines()[2]
    assert " kept " in found.text.splitlines()[2]
    assert found.lines[-1].text == "- It needs the key."
    assert found.artifacts["kept"] == 1


def test_many_volumes_that_were_not_read() -> None:
    unseen = [{"message": f"Volumes of {number} were not read."} for number in range(7)]
    found = shown(removal(), unseen_volumes=unseen)
    assert found.text.splitlines()[-2:] == ["- Volumes of 4 were not read.", "2 more."]


@pytest.mark.parametrize("number", [1, 20, 100])
def test_many_removals(number: int) -> None:
    found = shown(*(removal(f"ami-{one}") for one in range(number)))
    rows = [line for line in found.text.splitlines() if line.startswith(EU)]
    assert len(rows) == min(number, 20)
    assert ("80 more" in found.text) == (number == 100)
