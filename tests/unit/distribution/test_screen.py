# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role distribute displays at its end, and what it passes to the next job."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._distribution.screen import screen
from ansible_collections.golden.images.plugins.module_utils._reports.screen import (
    WIDTH,
    Screen,
    Tone,
    count_columns,
)

from tests.unit.distribution.examples import (
    EU,
    US,
    copied,
    copy,
    failure,
    reported,
    shared,
    verification,
)
from tests.unit.examples import OWNER, SOURCE_ID

CONSUMER = "222222222222"


def shown(
    copies: dict[str, Any],
    shares: dict[str, Any] | None = None,
    check_mode: bool = False,
    account_ids: tuple[str, ...] = (CONSUMER,),
    path: str | None = "report.json",
    publishes: bool = False,
    results: dict[str, Any] | None = None,
    **steps: Any,
) -> Screen:
    found = screen(
        reported(copies, {}, shares or {}, **steps),
        {
            "check_mode": check_mode,
            "copy_result": copies,
            "account_ids": account_ids,
            "parameter": "/golden/web" if publishes else "",
            **(results or {}),
        },
        path,
    )
    assert all(count_columns(line.text) <= WIDTH for line in found.lines), found.text
    return found


def published(*regions: str) -> dict[str, Any]:
    return {
        "results": [
            {
                "account_id": "1",
                "image_id": "ami-1",
                "label": "v4",
                "launch_templates": {},
                "parameter": "/golden/web",
                "region": region,
            }
            for region in regions
        ]
    }


def verified(region: str, reached: bool, **more: Any) -> dict[str, Any]:
    findings = [] if reached else [{"code": "x", "message": "No.", "remedy": "", "severity": "high"}]
    return {
        "account_id": CONSUMER,
        "image_id": "ami-1",
        "region": region,
        "reached": reached,
        "level": "visible",
        "findings": findings,
        **more,
    }


def test_every_region_is_well() -> None:
    found = shown(
        copied(US, EU, results=[copy(US, origin="source", kms_key_arn=None), copy(EU)]),
        shared(US, EU),
        publishes=True,
        verify_result=verification(verified(US, True), verified(EU, True), level="authorized"),
        publish_result=published(US, EU),
    )
    assert found.text.splitlines() == [
        f"Distributed {SOURCE_ID} to 2 regions.",
        "region     image          copy    key  shared  verified  published",
        "us-east-1  ami-us-east-1  source       1/1     1/1       yes",
        "eu-west-1  ami-eu-west-1  copied  ok   1/1     1/1       yes",
        "Shared with 1 account.",
        "Level authorized means: a dry run succeeds, and the role can use the keys.",
        "Published in 1 account as /golden/web, label v4.",
        "Report: report.json",
    ]
    assert {line.tone for line in found.lines} == {Tone.GOOD, Tone.PLAIN}
    assert found.artifacts == {
        "copies": "[]",
        "failed_regions": [],
        "images": {US: f"ami-{US}", EU: f"ami-{EU}"},
        "report_path": "report.json",
        "source_image_id": SOURCE_ID,
        "source_region": US,
        "status": "distributed",
    }


def publication(*account_ids: str) -> dict[str, Any]:
    (one,) = published(EU)["results"]
    return {"results": [{**one, "account_id": account_id} for account_id in account_ids]}


@pytest.mark.parametrize(
    ("account_ids", "check_mode", "text", "tone"),
    [
        ((OWNER, CONSUMER, "333333333333"), False, "yes", Tone.PLAIN),
        ((OWNER, CONSUMER, "333333333333"), True, "planned", Tone.PLAIN),
        ((OWNER, CONSUMER), False, "2/3", Tone.BAD),
        ((OWNER, CONSUMER), True, "2/3", Tone.PLAIN),
        ((CONSUMER, "333333333333"), False, "2/3", Tone.BAD),
        ((), False, "no", Tone.BAD),
    ],
)
def test_published_is_a_region_of_which_all_accounts_have_the_image(
    account_ids: tuple[str, ...], check_mode: bool, text: str, tone: Tone
) -> None:
    found = shown(
        copied(EU),
        shared(EU),
        check_mode,
        publishes=True,
        publish_result=publication(*account_ids),
        publish_account_ids=[CONSUMER, "333333333333"],
    )
    assert found.lines[2].text.split()[-1] == text
    assert found.lines[2].tone is tone


@pytest.mark.parametrize(
    ("account_ids", "text"),
    [
        ((OWNER,), "Published in the owner's account as /golden/web, label v4."),
        ((OWNER, CONSUMER), "Published in 1 account and the owner's as /golden/web, label v4."),
        ((CONSUMER, "333333333333"), "Published in 2 accounts as /golden/web, label v4."),
    ],
)
def test_how_many_accounts_the_image_is_published_in(account_ids: tuple[str, ...], text: str) -> None:
    found = shown(copied(EU), shared(EU), publishes=True, publish_result=publication(*account_ids))
    assert text in found.text.splitlines()


def test_the_owner_needs_no_permission() -> None:
    found = shown(copied(EU), shared(EU), account_ids=(OWNER, CONSUMER))
    assert found.lines[2].text.endswith(" 1/1")


def test_how_long_copies_took() -> None:
    started = copied(results=[copy(US, state="pending"), copy(EU, origin="found")])
    waited = copied(results=[copy(US, origin="found", copy_seconds=421), copy(EU, copy_seconds=90)])
    found = screen(
        reported(waited, {}, shared(US, EU)),
        {"check_mode": False, "copy_result": started, "wait_result": waited},
        None,
    )
    assert [line.text.split("  ")[2] for line in found.lines[2:4]] == ["copied 7m", "reused"]


def test_regions_with_a_problem_are_first() -> None:
    regions = [copy(US), copy(EU, state="failed", image_id=None, kms_key_arn=None)]
    found = shown(copied(US, results=regions, failures=[failure(EU)]), shared(US))
    assert found.text.splitlines() == [
        f"Partial: 1 of 2 regions done with {SOURCE_ID}.",
        "region     image          copy    key  shared",
        "eu-west-1  -              failed       0/1",
        "us-east-1  ami-us-east-1  copied  ok   1/1",
        "To be shared with 1 account.",
        "Key use not checked.",
        "- eu-west-1 in account 111122223333: No (Refused). Ask.",
        "Report: report.json",
    ]
    assert [line.tone for line in found.lines[:4]] == [Tone.BAD, Tone.PLAIN, Tone.BAD, Tone.PLAIN]
    assert found.artifacts["failed_regions"] == [EU]
    assert found.artifacts["status"] == "partial"


def test_a_region_that_could_not_be_read_has_failed() -> None:
    found = shown(copied(US, failures=[failure(EU)]), shared(US))
    assert found.lines[0].text == f"Partial: 1 of 2 regions done with {SOURCE_ID}."
    assert found.artifacts["failed_regions"] == [EU]
    refused = shown({"results": [], "failures": [failure(EU), {**failure(EU), "region": None}]})
    assert refused.lines[0].text == "Failed: no region was completed."
    assert refused.artifacts["failed_regions"] == [EU]


@pytest.mark.parametrize(
    ("steps", "publishes"),
    [
        pytest.param({"verify_result": verification(verified(EU, False))}, False, id="not verified"),
        pytest.param({"publish_result": published()}, True, id="not published"),
        pytest.param({"publish_result": {"failures": [failure(EU)]}}, False, id="a failure"),
    ],
)
def test_what_is_missing_is_a_problem(steps: dict[str, Any], publishes: bool) -> None:
    found = shown(copied(EU), shared(EU), publishes=publishes, **steps)
    assert found.artifacts["failed_regions"] == [EU]
    assert found.lines[2].tone is Tone.BAD


def unverified(*results: dict[str, Any], **more: Any) -> list[str]:
    """The lines about accounts that are not verified."""
    found = shown(copied(EU, US), shared(EU, US), verify_result=verification(*results), **more)
    lines = [line.text for line in found.lines]
    start = next((number for number, text in enumerate(lines) if text.startswith("not verified")), len(lines))
    return lines[start : lines.index("Report: report.json")]


def test_accounts_that_are_not_verified_have_their_regions_and_findings() -> None:
    denied = {"code": "kms_denied", "message": "No key.", "remedy": "Grant it.", "severity": "high"}
    assert unverified(
        verified(EU, False, findings=[denied, denied, {**denied, "code": "quota"}]),
        verified(US, False, findings=[denied, {**denied, "code": "quota"}]),
        verified(EU, False, account_id="012345678901", level=None, findings=[]),
        verified(US, True, account_id="012345678901"),
    ) == [
        "not verified  region                level    findings",
        "222222222222  eu-west-1, us-east-1  visible  kms_denied, quota",
        "012345678901  eu-west-1             unknown  -",
    ]


DOUBT = {
    "code": "direct_key_use_denied",
    "message": "KMS denies it.",
    "remedy": "Allow it.",
    "severity": "medium",
}
ROLE = {"principal": f"arn:aws:iam::{CONSUMER}:role/launcher"}
UNCERTAIN = {"uncertain": True, "key_use": "uncertain", "findings": [DOUBT], **ROLE}
PROVEN = {"level": "authorized", "key_use": "proven", **ROLE}


def test_uncertain_accounts_are_counted_apart_and_shown_with_their_remedy() -> None:
    found = shown(
        copied(US, EU),
        shared(US, EU),
        verify_result=verification(
            *(verified(region, True, account_id="012345678901", **PROVEN) for region in (US, EU)),
            *(verified(region, False, **UNCERTAIN) for region in (US, EU)),
            level="authorized",
        ),
    )
    assert found.text.splitlines() == [
        f"Distributed {SOURCE_ID} to 2 regions.",
        "region     image          copy    key  shared  verified",
        "us-east-1  ami-us-east-1  copied  ok   1/1     1/2, 1 uncertain",
        "eu-west-1  ami-eu-west-1  copied  ok   1/1     1/2, 1 uncertain",
        "Shared with 1 account.",
        "Level authorized means: a dry run succeeds, and the role can use the keys.",
        "Key use is that of the role launcher in each account, not of Auto Scaling's or",
        "  another role there.",
        "not verified  region                level      findings",
        "222222222222  us-east-1, eu-west-1  uncertain  direct_key_use_denied",
        "- us-east-1, eu-west-1 in account 222222222222: KMS denies it. Allow it.",
        "Report: report.json",
    ]
    assert Tone.BAD not in {line.tone for line in found.lines}
    assert [line.tone for line in found.lines if "KMS denies" in line.text] == [Tone.WARNING]
    assert (found.artifacts["status"], found.artifacts["failed_regions"]) == ("distributed", [])


def test_regions_that_are_one_row_are_not_ok_if_an_account_is_uncertain() -> None:
    regions = [f"eu-west-{number}" for number in range(50)]
    verifications = [
        *(verified(region, True, **PROVEN) for region in regions[1:]),
        verified(regions[0], False, **UNCERTAIN),
    ]
    found = shown(copied(*regions), shared(*regions), verify_result=verification(*verifications))
    assert found.lines[2].text.split("  ")[-1].strip() == "49/50, 1 uncertain"


def test_a_region_that_is_kept_back_is_a_problem_with_the_setting_that_publishes_it() -> None:
    kept = {
        "error_code": "key_use_uncertain",
        "message": "The image is not published in eu-west-1.",
        "regions": [EU],
        "remedy": 'Set distribute_publish_uncertain: ["222222222222"].',
    }
    found = shown(
        copied(US, EU),
        shared(US, EU),
        publishes=True,
        verify_result=verification(
            verified(US, True, **PROVEN), verified(EU, False, **UNCERTAIN), kept_back=kept
        ),
        publish_result=published(US),
    )
    assert found.lines[0].text == f"Partial: 1 of 2 regions done with {SOURCE_ID}."
    assert [line.text.split()[-1] for line in found.lines[2:4]] == ["no", "yes"]
    text = " ".join(line.text.strip() for line in found.lines)
    assert 'eu-west-1. Set distribute_publish_uncertain: ["222222222222"].' in text
    assert found.artifacts["failed_regions"] == [EU]
    assert found.artifacts["status"] == "partial"


@pytest.mark.parametrize(("key", "number"), [("arn:key", 1), (None, 0)])
def test_the_use_of_keys_that_is_not_checked_is_said(key: str | None, number: int) -> None:
    results = [copy(EU, kms_key_arn=key)]
    assert shown(copied(EU, results=results), shared(EU)).text.count("Key use not checked.") == number
    checked = {**PROVEN, "key_use": key and "not_checked"}
    found = shown(
        copied(EU, results=results), shared(EU), verify_result=verification(verified(EU, True, **checked))
    )
    assert found.text.count("Key use not checked.") == number


@pytest.mark.parametrize(("reached", "number"), [(True, 1), (False, 0)])
def test_a_plan_has_the_level_if_a_region_is_verified(reached: bool, number: int) -> None:
    given = verification(verified(EU, reached), level="visible")
    found = shown(copied(EU), shared(EU), True, verify_result=given)
    assert found.text.count("Level visible means: the account sees the image.") == number


def test_accounts_in_check_mode_are_not_yet_verified() -> None:
    assert unverified(verified(EU, False), check_mode=True) == []
    assert unverified(verified(EU, True)) == []


@pytest.mark.parametrize(
    ("accounts", "more"),
    [(1, []), (5, []), (6, ["  1 more in report.json."]), (99, ["  94 more in report.json."])],
)
def test_many_accounts_that_are_not_verified(accounts: int, more: list[str]) -> None:
    regions = [f"eu-west-{number}" for number in range(20)]
    lines = unverified(
        *(
            verified(region, False, account_id=f"{account:012}")
            for account in range(accounts)
            for region in regions
        )
    )
    shown_rows = min(accounts, 5)
    assert lines[1 : 1 + shown_rows] == [
        f"{account:012}  eu-west-0 and 19 more  visible  x" for account in range(shown_rows)
    ]
    assert lines[1 + shown_rows :] == more


def test_check_mode() -> None:
    planned = copied(US, EU, results=[copy(US, origin="source"), copy(EU, image_id=None, state=None)])
    found = shown(planned, shared(US, EU), check_mode=True, publishes=True, publish_result=published(US, EU))
    assert found.text.splitlines() == [
        f"Check mode: {SOURCE_ID} would be distributed to 2 regions.",
        "region     image          copy     key  shared   published",
        "us-east-1  ami-us-east-1  source   ok   1/1      planned",
        "eu-west-1  (new)          planned  ok   planned  planned",
        "Would be shared with 1 account.",
        "Would be published in 1 account as /golden/web, label v4.",
        "Report: report.json",
    ]


def granted(*regions: str) -> dict[str, Any]:
    """What ``ami_kms_grant`` returned that changes access in these regions, and in no other."""
    unchanged = {"changed": False, "region": "eu-north-1"}
    return {"results": [unchanged, *({"changed": True, "region": region} for region in regions)]}


def permitted(*regions: str) -> dict[str, Any]:
    """What ``ami_share`` returned that changes launch permissions in these regions, and tags elsewhere."""
    tagged = {"action": "CreateTags", "region": "eu-north-1"}
    return {
        "actions": [tagged, *({"action": "ModifyImageAttribute", "region": region} for region in regions)]
    }


def test_check_mode_counts_only_regions_in_which_nothing_fails() -> None:
    planned = copied(US, EU, failures=[failure(EU), failure("us-west-2")])
    found = shown(planned, shared(US, EU), check_mode=True)
    assert found.lines[0].text == f"Check mode: {SOURCE_ID} would be distributed to 1 of 3 regions."
    assert found.lines[0].tone is Tone.WARNING


@pytest.mark.parametrize(
    ("results", "cells"),
    [
        pytest.param({}, ["ok", "1/1"], id="all is done"),
        pytest.param({"grant_results": [{}, granted(EU)]}, ["planned", "1/1"], id="grants"),
        pytest.param({"share_result": permitted(EU)}, ["ok", "planned"], id="launch permissions"),
        pytest.param(
            {"grant_results": [granted(US)], "share_result": permitted(US)}, ["ok", "1/1"], id="elsewhere"
        ),
    ],
)
def test_what_an_existing_image_lacks_is_planned(results: dict[str, Any], cells: list[str]) -> None:
    found = shown(copied(EU, results=[copy(EU, origin="found")]), shared(EU), True, results=results)
    assert found.lines[2].text.split()[-2:] == cells


def test_what_a_run_has_changed_is_not_planned() -> None:
    results = {"grant_results": [granted(EU)], "share_result": permitted(EU)}
    found = shown(copied(EU), shared(EU), results=results)
    assert found.lines[2].text.split()[-2:] == ["ok", "1/1"]


@pytest.mark.parametrize(
    ("changed", "start", "cell"),
    [(True, {}, "copied"), (True, "reused", "copied"), (False, {}, "reused"), (False, "copied", "copied")],
)
def test_a_copy_that_an_earlier_task_has_started_is_not_reused(changed: bool, start: Any, cell: str) -> None:
    origins = {"copied": "copied", "reused": "found"}
    now = copied(EU, changed=changed, results=[copy(EU, origin="copied" if changed else "found")])
    before = copied(EU, results=[copy(EU, origin=origins[start])]) if start else {}
    found = shown(now, shared(EU), results={"start_result": before})
    assert cell in found.lines[2].text


def test_a_plan_that_failed_to_share_plans_nothing() -> None:
    planned = copied(EU, results=[copy(EU, image_id=None, state=None)])
    found = shown(planned, {"failures": [failure(EU)]}, check_mode=True)
    assert found.lines[2].text.split()[-1] == "0/1"


def test_many_regions_of_a_plan() -> None:
    new = [f"eu-west-{one}" for one in range(1, 100)]
    copies = [copy(US, origin="source"), *(copy(region, image_id=None, state=None) for region in new)]
    found = shown(
        copied(US, results=copies), shared(US, *new), True, results={"grant_results": [granted(US, *new[1:])]}
    )
    assert found.lines[2].text.split() == ["100", "regions", "all", "well", *["planned"] * 3]


@pytest.mark.parametrize("number", [1, 20, 100])
def test_many_regions(number: int) -> None:
    regions = [f"eu-west-{one}" for one in range(1, number + 1)]
    found = shown(copied(*regions), shared(*regions))
    rows = [line.text for line in found.lines if line.text.startswith("eu-west-")]
    if number <= 20:
        assert len(rows) == number
    else:
        assert rows == []
        assert "100 regions  all well  copied  ok   1/1" in found.text
    assert len(found.artifacts["images"]) == number


def test_many_regions_with_problems() -> None:
    regions = [f"eu-west-{one}" for one in range(1, 101)]
    bad = [failure(region, message=f"No {number}.") for number, region in enumerate(regions[:60])]
    found = shown(copied(*regions, failures=bad), shared(*regions), path=None)
    lines = found.text.splitlines()
    assert lines[22].startswith("40 more     with a problem")
    assert lines[23].startswith("40 regions  all well")
    assert "  55 more in the output of -vvv." in lines
    assert len(lines) < 40


def test_consumer_copies_are_counted_and_passed_as_text() -> None:
    owned = [copy(EU, account_id="012345678901"), copy(US, account_id=CONSUMER, state="pending")]
    found = shown(copied(EU), shared(EU), consumer_copy_result={"results": owned})
    assert "1 of 2 copies in consumer accounts are available." in found.text
    assert json.loads(found.artifacts["copies"]) == [
        {"account_id": "012345678901", "image_id": f"ami-{EU}", "region": EU},
        {"account_id": CONSUMER, "image_id": f"ami-{US}", "region": US},
    ]


def test_nothing_was_distributed() -> None:
    found = shown({"failed": True, "failures": [{**failure(EU), "region": None}]}, path=None)
    assert found.text.splitlines() == [
        "Failed: no region was completed.",
        "- account 111122223333: No (Refused). Ask.",
    ]
    assert found.artifacts["status"] == "failed"


def test_copies_that_were_started_are_named_if_the_run_ends_before_they_are_shared() -> None:
    found = shown(copied(results=[copy(EU, state="pending")]))
    assert f"ami-{EU} in {EU} (pending). Rerun" in " ".join(found.text.split())
    planned = shown(copied(EU), shared(), check_mode=True)
    assert "Rerun" not in planned.text


def test_the_earlier_image_of_a_region_that_was_not_reached_is_named() -> None:
    report = reported(copied(EU, failures=[failure(US)]), {}, shared(EU), regions=[EU, US])
    kept = {"image_id": "ami-old", "source_image_id": "ami-1", "written_at": "2026-11-24T12:00:00+00:00"}
    report["regions"][1]["earlier"] = kept
    found = screen(report, {"check_mode": False, "copy_result": {}}, None)
    assert found.lines[0].text == f"Partial: 1 of 2 regions done with {SOURCE_ID}."
    assert f"Of earlier distributions: {US} has ami-old (ami-1, 2026-11-24)." in found.text
    # The next job takes the region that is ready, and knows the other one.
    assert (found.artifacts["images"], found.artifacts["failed_regions"]) == ({EU: f"ami-{EU}"}, [US])


def test_no_region_is_shared() -> None:
    found = shown(copied(EU), {"failures": [failure(EU)]})
    assert found.lines[0].text == f"Failed: {SOURCE_ID} is shared in no region."


def test_large_artifacts_say_what_they_leave_out() -> None:
    owned = [copy(EU, account_id=f"{number:012}") for number in range(2000)]
    found = shown(copied(EU), shared(EU), consumer_copy_result={"results": owned})
    assert found.artifacts["omitted"] == ["copies"]
    assert "Too large to pass to the next job: copies." in found.text
