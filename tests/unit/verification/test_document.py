# SPDX-License-Identifier: GPL-3.0-or-later

"""The document of a verification: marks, lists and changes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._diagnose.checks import MEANINGS as DIAGNOSED
from ansible_collections.golden.images.plugins.module_utils._launch_probe.causes import MEANINGS as PROBED
from ansible_collections.golden.images.plugins.module_utils._reports.document import Changes, Item, Mark
from ansible_collections.golden.images.plugins.module_utils._reports.formats import NAMES, render_all
from ansible_collections.golden.images.plugins.module_utils._reports.steps import MEANINGS as FAILED
from ansible_collections.golden.images.plugins.module_utils._verification.document import (
    MEANINGS,
    build_document,
    compare_reports,
)
from ansible_collections.golden.images.plugins.module_utils._verification.key_use import (
    describe_key_use_of_distribution,
)

from tests.unit.reports.examples import PAGE_FILES
from tests.unit.verification.examples import BATCH, EU, LEVELS, NO_KEY, US, WEB, seen, verified

NOW = "2026-11-24T12:00:00+00:00"


def report(wanted: str, *results: dict[str, Any]) -> dict[str, Any]:
    return verified(wanted, results)


def test_every_account_and_image_has_its_mark() -> None:
    shown = build_document(
        report(
            "launched",
            seen(WEB, EU, "launched"),
            seen(BATCH, EU, "authorized", NO_KEY),
            seen(WEB, US, "visible"),
            seen(BATCH, US, None),
        )
    )
    assert shown.matrix is not None
    assert shown.matrix.columns == (WEB, BATCH)
    assert [(dict(row.labels), dict(row.cells)) for row in shown.matrix.rows] == [
        ({"region": EU, "image_id": f"ami-{EU}"}, {WEB: Mark.FULL, BATCH: Mark.PARTIAL}),
        ({"region": US, "image_id": f"ami-{US}"}, {WEB: Mark.SLIGHT, BATCH: Mark.BROKEN}),
    ]
    assert list(shown.matrix.legend) == [Mark.FULL, Mark.PARTIAL, Mark.SLIGHT, Mark.BROKEN]
    assert (shown.kind, shown.status) == ("verification", "incomplete")
    assert shown.headline == (
        "3 of 4 verifications did not reach the level launched. 2 of them: "
        f"{MEANINGS['level_not_reached']} 1 of them: {MEANINGS['missing_key_access']}"
    )


def test_the_headline_names_three_causes() -> None:
    codes = ("not_shared", "not_visible", "launch_denied", "missing_subnet", "missing_subnet")
    results = [
        seen(f"{number:012}", EU, "visible", {**NO_KEY, "code": code}) for number, code in enumerate(codes)
    ]
    headline = build_document(verified("launched", results, regions=[EU], accounts=[])).headline
    assert headline.endswith("And 1 other cause.")
    assert f"2 of them: {MEANINGS['missing_subnet']}" in headline
    assert not any(code in headline for code in codes)


def test_a_group_has_the_command_for_what_the_account_lacks() -> None:
    shown = build_document(report("launched", seen(WEB, EU, "visible"), seen(BATCH, EU, "visible", NO_KEY)))
    commands = {group.code: group.command for group in shown.groups}
    assert commands["missing_key_access"].startswith(
        "ansible localhost --check -m golden.images.ami_kms_grant"
    )
    assert BATCH in commands["missing_key_access"]
    assert WEB not in commands["missing_key_access"]
    assert commands["level_not_reached"] == ""


def test_a_verification_of_nothing_is_not_green() -> None:
    assert build_document(verified("visible", [], regions=[], accounts=[])).empty
    assert not build_document(report("visible", seen(WEB, EU, "visible"))).empty


def test_what_is_reached_everywhere_has_no_other_mark() -> None:
    results = [seen(account, region, "visible") for account in (WEB, BATCH) for region in (EU, US)]
    shown = build_document(report("visible", *results))
    assert shown.headline == "All 4 verifications reached the level visible."
    assert shown.matrix is not None
    assert [*shown.matrix.legend] == [Mark.FULL]


@pytest.mark.parametrize("wanted", LEVELS)
def test_an_account_at_the_level_has_a_full_mark(wanted: str) -> None:
    results = [seen(str(place) * 12, EU, level) for place, level in enumerate(LEVELS)]
    matrix = build_document(verified(wanted, results, regions=[EU], accounts=[])).matrix
    assert matrix is not None
    (row,) = matrix.rows
    full = [mark is Mark.FULL for mark in row.cells.values()]
    assert full == [place >= LEVELS.index(wanted) for place in range(len(LEVELS))]
    assert set(row.cells.values()) <= set(matrix.legend)


def test_only_accounts_below_the_level_are_findings() -> None:
    content = report("authorized", seen(WEB, EU, "launched", NO_KEY), seen(BATCH, EU, "visible", NO_KEY))
    assert dict(build_document(content).facts) == {
        "Level": "authorized: a dry run succeeds, and the role can use the keys",
        "Accounts": "2",
        "Images": "2",
    }
    unknown, *others = build_document(content).items
    # Nothing is known about the other region.
    assert (unknown.code, unknown.account_id, unknown.region) == ("level_not_reached", WEB, US)
    assert [(item.code, item.account_id, item.region) for item in others] == [
        ("missing_key_access", BATCH, EU),
        ("level_not_reached", BATCH, US),
    ]
    image_id = f"ami-{EU}"
    assert others[0] == Item(
        "missing_key_access",
        "medium",
        "There is no grant.",
        "Grant it.",
        BATCH,
        EU,
        image_id,
        image_id,
        BATCH,
    )


def test_other_failures_are_findings() -> None:
    left = {
        "account_id": WEB,
        "action": "TerminateInstances",
        "error_code": None,
        "message": "i-1 may be running.",
        "region": EU,
        "remedy": None,
    }
    result = {"results": [seen(WEB, EU, "launched")], "failures": [left]}
    content = verified("launched", result, regions=[EU], accounts=[WEB])
    assert build_document(content).items == (
        Item("operation_failed", "high", "i-1 may be running.", "", WEB, EU, "TerminateInstances"),
    )


def test_every_code_of_a_verification_is_explained() -> None:
    shown = build_document(report("launched"))
    own = {"level_not_reached", "key_use_uncertain"}
    assert {*shown.explanations} == {*DIAGNOSED, *PROBED, *FAILED, *own}
    assert all(text.endswith(".") for text in shown.explanations.values())
    assert {item.code for item in shown.items} <= {*shown.explanations}


def test_changes_are_changes_of_levels() -> None:
    before = report("launched", seen(WEB, EU, "launched"), seen(BATCH, EU, "authorized"))
    after = report("launched", seen(WEB, EU, "launched"), seen(BATCH, EU, "launched"))
    assert compare_reports({"written_at": NOW, **before}, after) == Changes(
        NOW,
        (f"{EU}: {BATCH} reached launched with ami-{EU}.",),
        (f"{EU}: {BATCH} reached authorized with ami-{EU}, not launched.",),
    )
    assert compare_reports({"written_at": NOW, **after}, after) == Changes(NOW)


def test_all_formats_can_be_written() -> None:
    made = dict(
        render_all(build_document(report("launched", seen(WEB, EU, "visible", NO_KEY))), NOW, PAGE_FILES)
    )
    assert set(made) == {*NAMES[1:]}
    assert f'"{EU}","ami-{EU}","{WEB}","visible","false","missing_key_access"' in made["report.csv"]
    assert '"id": "golden.images/verification/"' in made["report.sarif"]
    assert "Level that each account reached with each image" in made["report.html"]


def test_an_uncertain_account_has_a_mark_and_its_finding() -> None:
    doubt = {**NO_KEY, "code": "direct_key_use_denied", "blocks_launch": "unknown"}
    key = {"key_use": "proven", "principal": f"arn:aws:iam::{WEB}:role/launcher"}
    proven = [{**seen(WEB, EU, "authorized"), **key}, {**seen(WEB, US, "authorized"), **key}]
    uncertain = [
        {**seen(BATCH, region, "authorized", doubt), **key, "key_use": "uncertain"} for region in (EU, US)
    ]
    before = report("authorized", *proven, uncertain[0], {**uncertain[1], "key_use": "proven"})
    content = report("authorized", *proven, *uncertain)
    shown = build_document(content)
    assert shown.headline == (
        "Verified 2/4, 2 uncertain at the level authorized. 2 of them: " + MEANINGS["direct_key_use_denied"]
    )
    assert shown.status == "uncertain"
    assert shown.matrix is not None
    assert [dict(row.cells)[BATCH] for row in shown.matrix.rows] == [Mark.PARTIAL] * 2
    assert "uncertain" in shown.matrix.legend[Mark.PARTIAL]
    assert [(item.code, item.region) for item in shown.items] == [
        ("direct_key_use_denied", EU),
        ("direct_key_use_denied", US),
    ]
    assert "the role launcher" in dict(shown.facts)["Keys"]
    changed = compare_reports({**before, "written_at": NOW}, content)
    said = f"{US}: {BATCH} sees ami-{US}, and whether it can use its keys is uncertain."
    assert list(changed.added) == [said]


def test_uncertain_accounts_beside_others_below_the_level() -> None:
    doubt = {**NO_KEY, "code": "direct_key_use_denied", "blocks_launch": "unknown"}
    uncertain = {**seen(BATCH, US, "authorized", doubt), "key_use": "uncertain"}
    given = [seen(WEB, EU, "authorized"), seen(BATCH, EU, "visible", NO_KEY), seen(WEB, US, "authorized")]
    assert build_document(report("authorized", *given, uncertain)).headline == (
        "2 of 4 verifications did not reach the level authorized. 1 of them is uncertain. "
        f"1 of them: {MEANINGS['direct_key_use_denied']} 1 of them: {MEANINGS['missing_key_access']}"
    )


@pytest.mark.parametrize(
    ("level", "principals", "said"),
    [
        ("visible", ["role/app/web"], "Key use not checked."),
        ("authorized", ["role/app/web"], "the role app/web in each account, not of Auto Scaling's"),
        ("authorized", ["role/app/web", "user/ann"], "the role app/web, user ann in each"),
    ],
)
def test_a_page_says_whose_use_of_keys_it_is(level: str, principals: list[str], said: str) -> None:
    results = [
        seen(account, EU, "authorized", key_use="proven", principal=f"arn:aws:iam::{account}:{one}")
        for account, one in zip((WEB, BATCH), principals, strict=False)
    ]
    assert said in dict(build_document(report(level, *results)).facts)["Keys"]
    unused = [{**one, "key_use": None} for one in results]
    assert "Keys" not in dict(build_document(report(level, *unused)).facts)


@pytest.mark.parametrize(
    ("key", "verified", "expected"),
    [
        ("arn:key", [], ["Key use not checked."]),
        (None, [], []),
        ("arn:key", [{"key_use": "not_checked", "principal": None}], ["Key use not checked."]),
    ],
)
def test_the_report_of_a_distribution_says_so_too(
    key: str | None, verified: list[Any], expected: list[str]
) -> None:
    report = {"regions": [{"kms_key_arn": key}], **({"verified": verified} if verified else {})}
    assert describe_key_use_of_distribution(report) == expected
