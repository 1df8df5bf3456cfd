# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role restore displays at its end and passes to the next job."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, summary
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._reports.screen import (
    WIDTH,
    Screen,
    Tone,
    count_columns,
)
from ansible_collections.golden.images.plugins.module_utils._restore.screen import screen

EU, US = "eu-west-1", "us-east-1"
REFUSED = {"account_id": None, "message": "No.", "region": US, "remedy": "Ask."}


def restored(region: str = EU, image_id: str = "ami-1", **changes: Any) -> dict[str, Any]:
    return {
        "changed": True,
        "image_id": image_id,
        "launch_permissions": {"account_ids": ["1", "2"]},
        "previous_state": "recycle_bin",
        "region": region,
        "tombstone": "2026-11-24T12:00:00Z",
        **changes,
    }


def shown(*results: dict[str, Any], status: str = "restored", **report: Any) -> Screen:
    given = {"check_mode": status == "planned", "role": "restore"}
    failed = {"msg": "It failed."} if status in ("failed", "incomplete") else {}
    found = screen({"results": list(results), "failures": [], **failed, **report}, given, None)
    assert found.artifacts["status"] == status
    assert all(count_columns(line.text) <= WIDTH for line in found.lines), found.text
    return found


def test_images_and_their_permissions_are_restored() -> None:
    found = shown(
        restored(),
        restored(image_id="ami-2", previous_state="disabled", tombstone=None, launch_permissions=None),
    )
    assert found.text.splitlines() == [
        "Restored 2 images.",
        "region     image  was          shared with  tombstone   outcome",
        "eu-west-1  ami-1  recycle bin  2 accounts   2026-11-24  changed",
        "eu-west-1  ami-2  disabled                              changed",
    ]
    assert found.artifacts == {
        "failed_regions": [],
        "images": {EU: ["ami-1", "ami-2"]},
        "report_path": None,
        "status": "restored",
    }


PUBLIC = {"account_ids": [], "org_arns": ["a"], "org_unit_arns": [], "public": True}


@pytest.mark.parametrize("number", [1, 30])
def test_an_image_that_is_public_again_is_first(number: int) -> None:
    others = [restored(image_id=f"ami-{one}") for one in range(number)]
    found = shown(*others, restored(image_id="ami-open", launch_permissions=PUBLIC))
    row = found.text.splitlines()[2]
    assert " ".join(row.split()) == "eu-west-1 ami-open recycle bin the public 2026-11-24 changed"
    assert [line.tone for line in found.lines[1:4]] == [Tone.PLAIN, Tone.WARNING, Tone.PLAIN]


def test_all_consumers_are_counted() -> None:
    permissions = {"account_ids": [], "org_arns": ["a"], "org_unit_arns": ["b", "c"], "public": False}
    found = shown(restored(launch_permissions=permissions), restored(launch_permissions={"account_ids": []}))
    assert "1 organization and 2 OUs" in found.text
    assert "no account" in found.text


def test_a_region_that_failed() -> None:
    found = shown(restored(), status="incomplete", failures=[REFUSED])
    assert found.text.splitlines()[0] == "Incomplete: 1 image restored."
    assert found.text.splitlines()[2].split() == [US, "failed"]
    assert found.artifacts["failed_regions"] == [US]


def test_check_mode() -> None:
    assert shown(restored(), status="planned").text.startswith("Check mode: 1 image would be restored.")


@pytest.mark.parametrize("number", [20, 100])
def test_many_images(number: int) -> None:
    found = shown(*(restored(image_id=f"ami-{one}") for one in range(number)))
    assert ("eu-west-1  100 images" in found.text.splitlines()[-1]) == (number == 100)


def test_where_the_failures_are_that_are_not_shown() -> None:
    many = [Failure.at(Target("eu-1", None), "X", "bad", f"{number} is bad.", "") for number in range(9)]
    found = shown(status="failed", failures=[one.to_dict() for one in many], msg=summary(many))
    rest = "4 more in the fact restore_failures."
    assert [found.lines[-1].text.strip(), found.failure.splitlines()[-1]] == [rest, rest]


@pytest.mark.parametrize("status", ["planned", "restored"])
def test_what_is_restored_already_is_not_called_a_change(status: str) -> None:
    found = shown(restored(changed=False), status=status)
    assert found.text.splitlines()[0] == "Nothing to change: 1 image is restored already."
    assert "Nothing to change" not in shown(restored(changed=False), restored(US), status=status).text
