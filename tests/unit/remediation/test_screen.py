# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role remediate displays at its end, passes to the next job, and fails with."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._remediation.screen import screen
from ansible_collections.golden.images.plugins.module_utils._reports.screen import (
    WIDTH,
    Screen,
    Tone,
    count_columns,
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
    return {**one, "message": "It needs the key.", "reason": "volumes", "resource_ids": ["vol-1"]}


def shown(
    *removals: dict[str, Any], check_mode: bool = False, role: str = "remediate", **changes: Any
) -> Screen:
    report = {
        "removals": list(removals),
        "remaining": [],
        "kept_access": [],
        "dependents": [],
        "unseen_accounts": [],
        "failed": [],
        "unreadable": [],
        **changes,
    }
    found = screen(report, {"check_mode": check_mode, "role": role}, None)
    assert all(count_columns(line.text) <= WIDTH for line in found.lines), found.text
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


@pytest.mark.parametrize("check_mode", [True, False])
def test_nothing_was_found_in_what_could_be_read(check_mode: bool) -> None:
    found = shown(unreadable=["us-west-2: not read."], check_mode=check_mode)
    assert found.text.splitlines()[0] == "No access was found to remove in what could be read."
    assert (found.lines[0].tone, found.artifacts["status"]) == (Tone.BAD, "incomplete")


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("planned", [True, False])
def test_all_access_is_kept(check_mode: bool, planned: bool) -> None:
    access = [removal(KEY), removal(KEY, principal="888888888888")]
    found = shown(*(access if planned else ()), kept_access=[*map(kept, access)], check_mode=check_mode)
    assert found.text.splitlines()[0] == "No access is removed: 2 permissions are kept."
    assert found.lines[0].tone is Tone.WARNING
    one = shown(kept_access=[kept(removal(KEY))])
    assert one.text.splitlines()[0] == "No access is removed: 1 permission is kept."


def test_check_mode() -> None:
    found = shown(removal(), check_mode=True, remaining=[removal()])
    assert found.text.splitlines()[0] == "Check mode: 1 permission would be removed."
    assert "planned" in found.text
    assert (found.artifacts["status"], found.artifacts["failed_regions"]) == ("planned", [])


def failed(message: str, region: str = EU) -> dict[str, Any]:
    failure = {
        "message": message,
        "region": region,
        "remedy": "Ask.",
        "error_code": "X",
        "source": "collection",
    }
    return {"msg": f"{region}: {message} Ask. Rerun.", "failures": [failure]}


def test_what_is_not_confirmed_is_first_in_the_table_and_last_of_the_problems() -> None:
    unreadable = ["us-west-2: not read."]
    found = shown(
        removal(),
        removal("ami-2", US),
        remaining=[removal("ami-2", US)],
        failed=[failed("Refused.", US), {"msg": "Crashed."}],
        unreadable=unreadable,
    )
    lines = found.text.splitlines()
    assert lines[0] == "1 of 2 permissions are not confirmed as removed."
    assert lines[2].startswith("us-east-1  ami-2")
    assert found.lines[2].tone is Tone.BAD
    problems = [
        f"- {US}: Refused. Ask.",
        "- Crashed.",
        "- us-west-2: not read.",
        f"- Not confirmed: {US}: unshare ami-2 from {STRANGER}.",
    ]
    assert lines[4:] == problems
    assert found.failure == "\n".join(["4 problems:", *problems, "Rerun to complete the remaining removals."])
    assert (found.artifacts["status"], found.artifacts["failed_regions"]) == ("incomplete", [US])


def test_many_principals_of_one_image_are_one_row_and_one_problem() -> None:
    removals = [removal(principal=f"{number:012}") for number in range(400)]
    found = shown(*removals, remaining=removals, failed=[failed("Refused.")])
    assert found.text.splitlines()[:3] == [
        "400 of 400 permissions are not confirmed as removed.",
        "region     resource  principal       outcome        findings",
        "eu-west-1  ami-1     400 principals  not confirmed  unknown_account",
    ]
    names = "000000000000, 000000000001, 000000000002"
    assert found.failure.splitlines() == [
        "2 problems:",
        "- eu-west-1: Refused. Ask.",
        f"- Not confirmed: {EU}: remove the access of 400 principals to ami-1: {names} and 397 more.",
        "Rerun to complete the remaining removals.",
    ]


def test_where_the_problems_are_that_are_not_shown() -> None:
    removals = [removal(f"ami-{number}") for number in range(30)]
    found = shown(*removals, remaining=removals)
    rest = "25 more in the fact remediate_remaining and the output of -vvv."
    assert found.failure.splitlines()[-2].strip() == rest
    # The message has the line, so the screen does not show it above.
    assert [line.tone for line in found.lines if "more in the" in line.text] == [Tone.FAILURE]


def test_key_access_that_is_kept() -> None:
    found = shown(removal(KEY), removal(), kept_access=[kept(removal(KEY))])
    assert found.text.splitlines()[0] == "Removed 1 of 2 permissions."
    assert f"key {KEY.rpartition('/')[2]} " in found.text.splitlines()[2]
    assert " kept " in found.text.splitlines()[2]
    assert [line.text for line in found.lines[-2:]] == [
        "- It needs the key.",
        "To revoke kept access: remediate_revoke_in_use: true.",
    ]
    assert found.artifacts["kept"] == 1
    different = [{**kept(removal(KEY)), "message": f"{number} needs the key."} for number in range(7)]
    many = shown(removal(), kept_access=different)
    assert many.lines[-2].text.strip() == "2 more in the fact remediate_kept_access."


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, "- 0 keeps the key."),
        (3, "- 0 keeps the key. The same for 1, 2."),
        (6, "- 0 keeps the key. The same for 1, 2, 3 and 2 more (the fact unshare_other_access)."),
    ],
)
def test_what_is_the_same_for_several_accounts_is_displayed_once(number: int, expected: str) -> None:
    other = [{"message": f"{one} keeps the key.", "principal": f"{one}"} for one in range(number)]
    lines = shown(removal(), role="unshare", other_access=other).text.splitlines()[3:]
    assert " ".join(line.strip() for line in lines) == expected


def test_nothing_is_said_of_what_was_not_read() -> None:
    assert shown(removal(), dependents=None, unseen_accounts=None).text == shown(removal()).text


def test_many_volumes_that_were_not_read() -> None:
    unseen = [{"message": f"Volumes of {number} were not read."} for number in range(7)]
    found = shown(removal(), unseen_accounts=unseen)
    assert found.text.splitlines()[-2:] == [
        "- Volumes of 4 were not read.",
        "  2 more in the fact remediate_unseen_accounts.",
    ]


@pytest.mark.parametrize("number", [1, 20, 100])
def test_many_removals(number: int) -> None:
    found = shown(*(removal(f"ami-{one}") for one in range(number)))
    rows = [line for line in found.text.splitlines() if line.startswith(EU)]
    assert len(rows) == min(number, 20)
    assert ("80 more in  remediate_removals " in found.text) == (number == 100)


def test_who_is_unshared_has_no_findings_and_hears_what_stops_working() -> None:
    removals = [{**removal(), "finding_codes": []}, {**removal(KEY), "finding_codes": []}]
    other = {"message": "3 images in 2 regions stay shared with o-1."}
    found = shown(*removals, role="unshare", other_access=[other])
    text = " ".join(found.text.split())
    assert text.startswith("Removed 2 of 2 permissions. region resource principal outcome eu-west-1 ami-1")
    assert "cannot launch encrypted images again" in text
    assert "- 3 images in 2 regions stay shared with o-1." in text
    assert (found.artifacts["status"], found.failure) == ("unshared", "")
    kept_key = kept(removals[1])
    kept_one = shown(*removals, role="unshare", kept_access=[kept_key]).text
    assert "encrypted images" not in kept_one
    assert "To revoke kept access: unshare_revoke_in_use: true." in kept_one
    assert "encrypted images" not in shown(removals[0], role="unshare").text


def test_problems_of_the_role_unshare_name_its_fact() -> None:
    found = shown(*[removal(f"ami-{number}") for number in range(40)], role="unshare")
    assert found.failure == ""
    remaining = [removal(f"ami-{number}") for number in range(40)]
    assert "the fact unshare_remaining" in shown(*remaining, role="unshare", remaining=remaining).text
