# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings as SARIF, checked with the schema of the standard and the requirements of GitHub code scanning.

``sarif-schema-2.1.0.json`` is from the OASIS repository oasis-tcs/sarif-spec, unchanged.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports import codes_page
from ansible_collections.golden.images.plugins.module_utils._reports.as_sarif import render_sarif
from ansible_collections.golden.images.plugins.module_utils._reports.document import Item
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, FormatChecker

from .examples import EU, OWNER, STRANGER, document

NOW = "2026-11-24T12:00:00+00:00"
SCHEMA = json.loads(Path(__file__).with_name("sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = Draft4Validator(SCHEMA, format_checker=FormatChecker())
# A path below the root of a repository: no scheme, no host, no directory above.
RELATIVE = re.compile(r"(?!/)(?:(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+(?:/|$))+(?<!/)")


def sarif(*items: Item) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(render_sarif(replace(document(), items=items), NOW))
    assert [error.message for error in VALIDATOR.iter_errors(content)] == []
    (run,) = content["runs"]
    assert isinstance(run, dict)
    return run


def test_the_schema_rejects_invalid_sarif() -> None:
    assert list(VALIDATOR.iter_errors({"version": "2.1.0", "runs": [{"tool": {}}]}))


def test_a_rule_for_each_code_and_the_worst_result_first() -> None:
    run = sarif(*document().items)
    driver = run["tool"]["driver"]
    assert driver["name"] == "golden.images"
    assert {rule["id"]: rule["defaultConfiguration"]["level"] for rule in driver["rules"]} == {
        "public": "error",
        "unknown_account": "error",
        "grant_without_share": "warning",
        "stale_principal": "note",
    }
    assert {
        rule["id"]: rule["fullDescription"]["text"] for rule in driver["rules"]
    } == document().explanations
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning", "note"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert run["automationDetails"]["id"] == "golden.images/audit/"
    assert run["invocations"] == [{"endTimeUtc": "2026-11-24T12:00:00Z", "executionSuccessful": True}]


def test_an_incomplete_report_is_not_successful() -> None:
    (run,) = json.loads(render_sarif(replace(document(), complete=False), NOW))["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False


def test_the_message_location_and_properties_of_a_result() -> None:
    item = Item(
        "unknown_account", "high", "It is shared.", "Unshare it.", OWNER, EU, "ami-1", "ami-1", STRANGER
    )
    (result,) = sarif(item)["results"]
    assert result["message"]["text"] == f"{OWNER}, {EU}: It is shared. Unshare it."
    assert result["locations"] == [
        {
            "logicalLocations": [{"fullyQualifiedName": f"{EU}/ami-1", "kind": "resource", "name": "ami-1"}],
            "physicalLocation": {
                "artifactLocation": {"uri": f"{OWNER}/{EU}/ami-1"},
                "region": {"startLine": 1},
            },
        }
    ]
    assert result["properties"]["principal"] == STRANGER


def test_a_message_names_account_and_region_once() -> None:
    (result,) = sarif(Item("a", "low", f"{EU} is not read.", "", OWNER, EU))["results"]
    assert result["message"]["text"] == f"{OWNER}: {EU} is not read."


def test_the_caller_and_the_version_of_the_run_are_evidence() -> None:
    writer = {"caller": f"arn:aws:iam::{OWNER}:user/auditor", "collection": "1.2.3"}
    run = json.loads(render_sarif(replace(document(), written_by=writer), NOW))["runs"][0]
    assert run["invocations"][0]["account"] == writer["caller"]
    assert run["tool"]["driver"]["version"] == "1.2.3"


def test_a_report_without_findings() -> None:
    run = sarif()
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])


def test_a_code_without_an_explanation() -> None:
    (rule,) = sarif(Item("not_explained", "low", "a", "b", None, None, None))["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"] == "not explained"


@pytest.mark.parametrize(
    ("page", "code", "address"),
    [
        ("", "public", None),
        ("https://git.example.net/docs/codes.md", "public", "https://git.example.net/docs/codes.md#public"),
        ("https://git.example.net/docs/codes.md", "AccessDenied", None),
    ],
)
def test_a_rule_links_to_the_cause_and_the_cure_of_its_code(
    page: str, code: str, address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes_page, "PAGE", page)
    (rule,) = sarif(Item(code, "high", "a", "b", None, None, None))["tool"]["driver"]["rules"]
    assert rule.get("helpUri") == address
    shown = rule["help"].get("markdown", "")
    assert shown.endswith(f"\n\n[Cause and remedy]({address})") if address else not shown


ITEM = Item("public", "high", "It is public.", "Close it.", OWNER, EU, "ami-1", "ami-1", "all")


def fingerprint(item: Item) -> str:
    (result,) = sarif(item)["results"]
    prints = result["partialFingerprints"]
    assert set(prints) == {"goldenImagesFinding/v1", "primaryLocationLineHash"}
    assert len(set(prints.values())) == 1
    return str(prints["primaryLocationLineHash"])


@pytest.mark.parametrize(
    ("change", "is_another"),
    [
        ({"message": "Every account can use it."}, False),
        ({"remedy": "Make it private."}, False),
        ({"severity": "low"}, False),
        ({"code": "unknown_account"}, True),
        ({"account_id": STRANGER}, True),
        ({"region": "us-east-1"}, True),
        ({"resource": "snap-1"}, True),
        ({"image_id": None}, True),
        ({"principal": None}, True),
    ],
)
def test_a_finding_keeps_its_fingerprint(change: dict[str, Any], is_another: bool) -> None:
    assert (fingerprint(replace(ITEM, **change)) != fingerprint(ITEM)) is is_another


def test_a_fingerprint_never_changes() -> None:
    """If it did, code scanning would close and reopen every alert."""
    assert fingerprint(ITEM) == "b520572298a9e5825a72dadf2b46be7a"


@given(*(st.none() | st.text(min_size=1) for _place in range(3)))
def test_a_location_is_a_relative_path_for_any_name(
    account_id: str | None, region: str | None, resource: str | None
) -> None:
    (result,) = sarif(Item("public", "high", "a", "b", account_id, region, resource))["results"]
    (location,) = result["locations"]
    assert RELATIVE.fullmatch(location["physicalLocation"]["artifactLocation"]["uri"])
    assert location["logicalLocations"][0]["fullyQualifiedName"]
