# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role verify displays at its end, passes to the next job, and fails with."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.screen import (
    WIDTH,
    Screen,
    Tone,
    count_columns,
)
from ansible_collections.golden.images.plugins.module_utils._verification.screen import screen

from tests.unit.verification.examples import BATCH, EU, NO_KEY, US, WEB, seen, verified


def shown(report: dict[str, Any], check_mode: bool = False, path: str | None = "verification") -> Screen:
    found = screen(report, {"changes": None, "check_mode": check_mode}, path)
    assert all(count_columns(line.text) <= WIDTH for line in found.lines), found.text
    return found


def report(*results: dict[str, Any], level: str = "authorized") -> dict[str, Any]:
    return verified(level, results)


def every(regions: list[str], accounts: list[str], level: str) -> dict[str, Any]:
    results = [seen(account, region, level) for region in regions for account in accounts]
    return verified("authorized", results, regions=regions, accounts=accounts)


DRY_RUN = "Level authorized means: a dry run succeeds, and the role can use the keys."


@pytest.mark.parametrize(
    ("number", "headline"),
    [
        (1, "Verified ami-eu-west-0 in eu-west-0: 2 of 2 accounts."),
        (20, "Verified: 2 accounts in 20 regions."),
        (100, "Verified: 2 accounts in 100 regions."),
    ],
)
def test_what_is_verified_is_one_line_and_what_that_proves_another(number: int, headline: str) -> None:
    regions = [f"eu-west-{one}" for one in range(number)]
    found = shown(every(regions, [WEB, BATCH], "launched"))
    assert found.text.splitlines() == [headline, DRY_RUN, "Report: verification"]
    assert [line.tone for line in found.lines[:2]] == [Tone.GOOD, Tone.PLAIN]
    assert found.failure == ""
    assert found.artifacts["status"] == "verified"
    assert found.artifacts["images"] == {region: f"ami-{region}" for region in regions}


def test_accounts_that_launch_copies_of_their_own_have_no_image_in_common() -> None:
    results = [{**seen(account, EU, "launched"), "image_id": f"ami-{account}"} for account in (WEB, BATCH)]
    found = shown(verified("launched", results, regions=[EU]))
    assert found.text.splitlines()[:2] == [
        "Verified: 2 accounts in eu-west-1.",
        "Level launched means: an instance runs.",
    ]


def test_accounts_below_the_level_are_rows_with_their_findings() -> None:
    found = shown(
        report(seen(WEB, EU, "launched"), seen(BATCH, EU, "visible", NO_KEY), seen(WEB, US, "authorized"))
    )
    assert found.text.splitlines() == [
        "2 of 4 verifications are not authorized.",
        "region     account       image          level    findings",
        f"eu-west-1  {BATCH}  ami-eu-west-1  visible  missing_key_access",
        f"us-east-1  {BATCH}  -              unknown  -",
        f"- eu-west-1: {BATCH}: ami-eu-west-1 is visible, not authorized. There is no",
        "  grant. Grant it.",
        f"- us-east-1: {BATCH}: whether the image is visible is not known.",
        "Report: verification",
    ]
    assert found.failure == (
        "2 of 4 verifications are not authorized.\n"
        f"- eu-west-1: {BATCH}: ami-eu-west-1 is visible, not authorized. There is no grant. Grant it.\n"
        f"- us-east-1: {BATCH}: whether the image is visible is not known."
    )
    assert found.artifacts["failed_regions"] == [EU, US]
    assert found.artifacts["images"] == {}


def test_an_account_that_does_not_see_the_image_is_not_visible_once() -> None:
    hidden = [seen(WEB, region, None, NO_KEY) for region in (EU, US)]
    found = shown(report(*hidden, level="visible"))
    line = f"- eu-west-1: {WEB}: ami-{EU} is not visible. There is no grant. Grant it. The same in us-east-1."
    assert line in found.failure.splitlines()


@pytest.mark.parametrize("number", [20, 100])
def test_many_accounts_below_the_level(number: int) -> None:
    found = shown(every([f"eu-west-{one}" for one in range(number)], [WEB], "visible"))
    rows = [line for line in found.text.splitlines() if line.startswith("eu-west-")]
    assert len(rows) == 20
    assert ("and 80 more" in found.text) == (number == 100)


def test_planned_copies_are_not_verified_in_check_mode() -> None:
    planned = report({**seen(WEB, EU, None), "image_id": None})
    found = shown(planned, check_mode=True)
    assert found.lines[0].text == (
        "Check mode: 2 accounts would be verified in 2 regions, once the images exist."
    )
    assert found.failure == ""


def test_what_existing_images_lack_is_shown_in_check_mode() -> None:
    planned = {**seen(WEB, EU, None), "image_id": None}
    found = shown(report(planned, seen(WEB, US, "authorized"), seen(BATCH, US, None, NO_KEY)), True, None)
    assert found.text.splitlines() == [
        "Check mode: 2 accounts would be verified in 2 regions, once the images exist.",
        "Images that exist: 1 of 2 verifications is not authorized.",
        "region     account       image          level        findings",
        f"us-east-1  {BATCH}  ami-us-east-1  not visible  missing_key_access",
    ]
    # An earlier task may have planned to share them.
    assert found.failure == ""
    assert {line.tone for line in found.lines[1:]} <= {Tone.WARNING, Tone.PLAIN}


def test_nothing_was_verified() -> None:
    option = {"action": "images", "message": "images: none.", "region": None, "remedy": "Set it."}
    nothing = verified("authorized", {"failed": True, "failures": [option]}, regions=[], accounts=[])
    found = shown(nothing, path=None)
    assert found.text.splitlines() == ["Nothing was verified.", "- images: none. Set it."]
    assert found.failure == "Nothing was verified.\n- images: none. Set it."


def test_an_instance_that_may_still_be_running() -> None:
    left = {"action": "TerminateInstances", "message": "i-1 runs.", "region": EU, "remedy": "Stop it."}
    result = {"results": [seen(WEB, EU, "launched")], "failures": [{**left, "account_id": WEB}]}
    found = shown(verified("launched", result, regions=[EU], accounts=[WEB]))
    assert found.lines[0].text == "All 1 are launched, but the verification is incomplete."
    assert f"- eu-west-1 in account {WEB}: i-1 runs. Stop it." in found.failure


def test_the_last_host_of_a_play_passes_the_result_of_all() -> None:
    good, bad = every([EU, US], [WEB], "launched"), every([EU], [BATCH], "visible")
    found = screen(good, {"check_mode": False, "host_reports": [good, bad]}, None)
    assert found.failure == ""
    artifacts = dict(found.artifacts)
    text = artifacts.pop("text")
    assert text.splitlines()[0] == "1 of 3 verifications is not authorized."
    assert f"eu-west-1  {BATCH}  ami-eu-west-1  visible" in text
    assert artifacts == {
        "failed_regions": [EU],
        "images": {US: f"ami-{US}"},
        "level": "authorized",
        "report_path": None,
        "status": "incomplete",
        "uncertain_regions": [],
    }


def test_a_host_without_a_report_leaves_no_region_verified() -> None:
    good = every([EU, US], [WEB], "launched")
    context = {"check_mode": False, "host_reports": [good]}
    artifacts = screen(good, {**context, "host_count": 2}, None).artifacts
    assert (artifacts["status"], artifacts["images"]) == ("incomplete", {})
    assert artifacts["failed_regions"] == [EU, US]
    assert screen(good, {**context, "host_count": 1}, None).artifacts["status"] == "verified"


def test_only_the_last_host_of_a_play_passes_on_artifacts() -> None:
    """The others have no reports of the hosts: each of 500 would read and sort those of all."""
    good = verified("visible", [seen(WEB, EU, "visible")], regions=[EU], accounts=[WEB])
    context = {"check_mode": False, "host_reports": [], "host_count": 2}
    assert screen(good, context, None).artifacts == {}
    assert screen(good, {**context, "host_count": 1}, None).artifacts["status"] == "verified"


DOUBT = {
    **NO_KEY,
    "code": "direct_key_use_denied",
    "message": "KMS denies it.",
    "remedy": "Allow it.",
    "blocks_launch": "unknown",
}


def keyed(account_id: str, region: str, key_use: str, *findings: dict[str, Any]) -> dict[str, Any]:
    principal = f"arn:aws:iam::{account_id}:role/launcher"
    return {**seen(account_id, region, "authorized", *findings), "key_use": key_use, "principal": principal}


PROVEN = [keyed(WEB, EU, "proven"), keyed(BATCH, EU, "proven"), keyed(WEB, US, "proven")]
OF_ROLE = [
    "Key use is that of the role launcher in each account, not of Auto Scaling's or",
    "  another role there.",
]


def test_uncertain_accounts_are_counted_apart_and_fail_nothing() -> None:
    found = shown(report(*PROVEN, keyed(BATCH, US, "uncertain", DOUBT)))
    assert found.text.splitlines() == [
        "Verified 3/4, 1 uncertain: 2 accounts in 2 regions.",
        DRY_RUN,
        *OF_ROLE,
        "region     account       image          level      findings",
        f"us-east-1  {BATCH}  ami-us-east-1  uncertain  direct_key_use_denied",
        f"- us-east-1 in account {BATCH}: KMS denies it. Allow it.",
        "Report: verification",
    ]
    assert found.failure == ""
    assert {line.tone for line in found.lines} == {Tone.WARNING, Tone.PLAIN}
    assert found.artifacts["status"] == "uncertain"
    assert (found.artifacts["failed_regions"], found.artifacts["uncertain_regions"]) == ([], [US])
    assert found.artifacts["images"] == {EU: "ami-eu-west-1"}


def test_an_account_that_kms_refuses_fails_beside_uncertain_ones() -> None:
    found = shown(
        report(*PROVEN[:2], keyed(WEB, US, "refused", NO_KEY), keyed(BATCH, US, "uncertain", DOUBT))
    )
    assert found.lines[0].text == "1 of 4 verifications is not authorized. 1 is uncertain."
    assert "ami-us-east-1 is visible, not authorized. There is no grant. Grant it." in found.failure
    assert "KMS denies" not in found.failure
    assert f"- us-east-1 in account {BATCH}: KMS denies it. Allow it." in found.text


def test_whose_use_of_keys_is_proven() -> None:
    assert shown(report(*PROVEN, keyed(BATCH, US, "proven"))).text.splitlines()[1:4] == [DRY_RUN, *OF_ROLE]
    visible = shown(report(*PROVEN, keyed(BATCH, US, "proven"), level="visible"))
    assert visible.text.splitlines()[1:3] == [
        "Level visible means: the account sees the image.",
        "Key use not checked.",
    ]


def test_hosts_that_are_verified_and_uncertain_are_uncertain_together() -> None:
    reports = [
        verified("authorized", [one], regions=[EU], accounts=[account])
        for account, one in ((WEB, PROVEN[0]), (BATCH, keyed(BATCH, EU, "uncertain", DOUBT)))
    ]
    context = {"changes": None, "check_mode": False, "host_reports": reports}
    found = screen(reports[0], context, None).artifacts
    assert (found["status"], found["uncertain_regions"], found["images"]) == ("uncertain", [EU], {})
