# SPDX-License-Identifier: GPL-3.0-or-later

"""The codes of an audit's findings, their severities and their documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.golden.images.plugins.module_utils.audit.findings import (
    CODES,
    MEANINGS,
    UNREADABLE,
    WORST,
    finding,
    same_resources,
    urgency,
)
from ansible_collections.golden.images.plugins.module_utils.finding import Finding, Severity

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, target_in


def test_a_finding_has_the_severity_of_its_code() -> None:
    found = finding(target_in(), "default_key", "arn:key", "It is.", "Copy it.", SOURCE_ID, CONSUMER)
    assert found == Finding(
        "default_key",
        Severity.LOW,
        "It is.",
        "Copy it.",
        OWNER,
        target_in().region,
        "arn:key",
        SOURCE_ID,
        CONSUMER,
    )


def test_an_unknown_code_is_an_error() -> None:
    with pytest.raises(KeyError, match="Nonsense"):
        finding(target_in(), "Nonsense", SOURCE_ID, "It is.", "Fix it.")


def test_codes_of_what_could_not_be_read() -> None:
    assert {
        "account_unreadable",
        "block_public_access_unreadable",
        "image_unreadable",
        "key_unreadable",
        "region_unreadable",
        "snapshot_unreadable",
        "unused_snapshots_unreadable",
    } == UNREADABLE


def test_access_of_everyone_is_the_most_urgent_and_what_was_not_read_the_least() -> None:
    assert sorted(CODES, key=urgency)[: len(WORST)] == [*WORST]
    assert {code for code in CODES if urgency(code) == max(map(urgency, CODES))} == UNREADABLE


def test_the_documentation_explains_every_code_as_reports_do() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "auditing.md"
    told = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert told == [(code, severity.name.lower(), MEANINGS[code]) for code, severity in sorted(CODES.items())]
    assert MEANINGS.keys() == CODES.keys()


def test_principals_with_the_same_images_have_one_set_of_resources() -> None:
    used = [(holder, ("eu-west-1", image)) for holder in ("a", "b", "c") for image in ("ami-1", "ami-2")]
    found = same_resources([*used, ("c", ("us-east-1", "ami-3"))])
    assert found["a"] == {("eu-west-1", "ami-1"), ("eu-west-1", "ami-2")}
    assert found["b"] is found["a"]
    assert found["c"] == found["a"] | {("us-east-1", "ami-3")}
