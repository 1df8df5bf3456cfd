# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role share displays at its end and passes to the next job."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, invalid_value, summary
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._reports.screen import (
    WIDTH,
    Screen,
    Tone,
    count_columns,
)
from ansible_collections.golden.images.plugins.module_utils._share.screen import screen

EU, US = "eu-west-1", "us-east-1"
REFUSED = {"account_id": None, "message": "No.", "region": US, "remedy": "Ask."}


def shared(region: str, *accounts: str, **changes: Any) -> dict[str, Any]:
    permissions = {"account_ids": list(accounts), "org_arns": [], "org_unit_arns": [], "public": False}
    return {
        "changed": True,
        "image_id": f"ami-{region}",
        "launch_permissions": {**permissions, **changes.pop("permissions", {})},
        "region": region,
        **changes,
    }


def shown(*results: dict[str, Any], status: str = "shared", role: str = "share", **report: Any) -> Screen:
    given = {"check_mode": status == "planned", "role": role}
    groups = [{**one.pop("launch_permissions"), "regions": [one["region"]]} for one in results]
    failed = {"msg": "It failed."} if status in ("failed", "incomplete") else {}
    result = {"launch_permissions": groups, "results": list(results), "failures": [], **failed, **report}
    found = screen(result, given, None)
    assert found.artifacts["status"] == status
    assert all(count_columns(line.text) <= WIDTH for line in found.lines), found.text
    return found


def test_images_are_shared() -> None:
    found = shown(shared(EU, "1", "2"), shared(US, "1", permissions={"org_arns": ["x"]}, changed=False))
    assert found.text.splitlines() == [
        "Shared 2 images.",
        "region     image          shared with                   outcome",
        "eu-west-1  ami-eu-west-1  2 accounts                    changed",
        "us-east-1  ami-us-east-1  1 account and 1 organization  unchanged",
    ]
    assert found.artifacts == {
        "failed_regions": [],
        "images": {EU: f"ami-{EU}", US: f"ami-{US}"},
        "report_path": None,
        "status": "shared",
    }


def test_a_region_that_failed_is_first() -> None:
    found = shown(shared(EU, "1"), status="incomplete", failures=[REFUSED], msg="us-east-1: No. Ask.\nRerun.")
    assert found.text.splitlines()[0] == "Incomplete: 1 of 2 images shared."
    assert found.text.splitlines()[2].startswith("us-east-1")
    assert found.lines[2].tone is Tone.BAD
    # The task that fails has it in its message.
    assert (found.lines[-1].text, found.lines[-1].tone) == ("- us-east-1: No. Ask.", Tone.FAILURE)
    assert found.failure == "us-east-1: No. Ask.\nRerun."
    assert found.artifacts["failed_regions"] == [US]


def test_a_region_in_which_aws_rejected_an_account_has_one_row() -> None:
    rejected = {**REFUSED, "region": EU}
    found = shown(
        shared(EU, "1"),
        shared("sa-east-1"),
        status="incomplete",
        failures=[rejected, {**rejected, "message": "Neither."}, REFUSED],
        msg="No.",
    )
    assert found.text.splitlines()[0] == "Incomplete: 1 of 3 images shared with all accounts."
    rows = [line.text.split() for line in found.lines[2:5]]
    assert [(row[0], row[-1]) for row in rows] == [
        (US, "failed"),
        (EU, "incomplete"),
        ("sa-east-1", "changed"),
    ]
    assert [line.tone for line in found.lines[2:5]] == [Tone.BAD, Tone.BAD, Tone.PLAIN]
    assert found.artifacts["failed_regions"] == [EU, US]


def test_public_images_are_named() -> None:
    found = shown(shared(EU, permissions={"public": True}))
    assert "the public" in found.text
    assert found.lines[-1].tone is Tone.WARNING


def test_a_public_image_is_first_of_many() -> None:
    others = [shared(f"eu-west-{number}", "1") for number in range(30)]
    found = shown(*others, shared(US, permissions={"public": True}))
    assert found.text.splitlines()[2].startswith(US)
    assert found.text.splitlines()[3].startswith("30 regions  30 images ")


def test_check_mode() -> None:
    found = shown(shared(EU, "1"), status="planned")
    assert found.text.splitlines()[0] == "Check mode: 1 image would be shared."
    assert found.text.endswith("planned")


def test_nothing_was_read() -> None:
    found = screen({"failed": True, "msg": "No."}, {"check_mode": False, "role": "share"}, None)
    assert found.text == "Failed: no image shared."
    assert found.failure == "No."


@pytest.mark.parametrize("number", [20, 100])
def test_many_regions(number: int) -> None:
    found = shown(*(shared(f"eu-west-{one}", "1") for one in range(number)))
    assert ("100 images" in found.text.splitlines()[-1]) == (number == 100)


def test_the_message_about_many_options_is_not_too_long() -> None:
    refused = [invalid_value("account_ids", f"'{one}{'x' * 400}' is bad.", "Set an ID.") for one in range(20)]
    found = shown(status="failed", failures=[one.to_dict() for one in refused], msg=summary(refused))
    assert len(found.failure) < 4_000
    lines = found.failure.splitlines()
    assert [line[:17] for line in lines[1:4]] == [f"- account_ids: '{number}" for number in range(3)]
    assert lines[-1] == f"{20 - len(lines[1:-1])} more in the fact share_failures."


def test_where_the_failures_are_that_are_not_shown() -> None:
    many = [Failure.at(Target("eu-1", None), "X", "bad", f"{number} is bad.", "") for number in range(9)]
    failures = [one.to_dict() for one in many]
    found = shown(status="failed", failures=failures, msg=summary(many))
    rest = "4 more in the fact share_failures."
    assert [found.lines[-1].text.strip(), found.failure.splitlines()[-1]] == [rest, rest]


@pytest.mark.parametrize(
    ("status", "changed", "beginning"),
    [
        ("shared", True, "Shared 2 images"),
        ("shared", False, "Nothing to change: 2 images are shared already"),
        ("planned", True, "Check mode: 2 images would be shared"),
    ],
)
def test_the_headline_says_that_launches_fail(status: str, changed: bool, beginning: str) -> None:
    found = shown(
        shared(EU, "1", "2", changed=changed, consumers_without_key=0),
        shared(US, "1", "2", changed=changed, consumers_without_key=2),
        status=status,
    )
    told = [line for line in found.lines if line.tone is Tone.WARNING]
    headline = " ".join(line.text.strip() for line in told[:-1])
    assert headline == f"{beginning}, but launches fail in 1 region: consumers cannot use its key."
    assert told[-1].text.split()[:4] == [US, f"ami-{US}", "2", "accounts"]
    assert "2 consumers" in told[-1].text
    assert "cannot use key" in found.text
    assert found.failure == ""


def test_regions_whose_keys_were_not_read_are_not_called_usable() -> None:
    regions = [shared(region, "1", consumers_without_key=None) for region in (EU, US)]
    found = shown(*regions)
    assert found.text.splitlines()[:2] == [
        "Shared 2 images. It is not known in 2 regions whether the consumers can use the",
        "  keys.",
    ]
    assert found.text.splitlines()[3].split()[-3:] == ["not", "known", "changed"]
    new = shown(shared(EU, "1", image_id=None, consumers_without_key=None), status="planned")
    assert "known" not in new.text


@pytest.mark.parametrize("status", ["planned", "shared"])
def test_what_is_shared_already_is_not_called_a_change(status: str) -> None:
    found = shown(shared(EU, "1", changed=False), shared(US, "1", changed=False), status=status)
    assert found.text.splitlines()[0] == "Nothing to change: 2 images are shared already."
    one = shown(shared(EU, "1", changed=False), shared(US, "1"), status=status)
    assert "Nothing to change" not in one.text
