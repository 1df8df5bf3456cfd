# SPDX-License-Identifier: GPL-3.0-or-later

"""The causes of an audit's findings."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils._audit.cause import Evidence
from ansible_collections.golden.images.plugins.module_utils._audit.causes import CAUSES, UNREADABLE, urgency
from ansible_collections.golden.images.plugins.module_utils._audit.report.groups import same_resources
from ansible_collections.golden.images.plugins.module_utils._finding import Finding, Severity

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, target_in


def test_a_finding_has_the_code_and_the_severity_of_its_cause() -> None:
    evidence = Evidence("arn:key", "It is.", "Copy it.", SOURCE_ID, CONSUMER)
    assert CAUSES["default_key"].finding(target_in(), evidence) == Finding(
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


def test_codes_of_what_could_not_be_read() -> None:
    assert {
        "account_unreadable",
        "block_public_access_unreadable",
        "image_unreadable",
        "key_unreadable",
        "parameters_unreadable",
        "region_unreadable",
        "snapshot_unreadable",
        "unused_snapshots_unreadable",
    } == UNREADABLE


def test_access_of_everyone_is_the_most_urgent_and_what_was_not_read_the_least() -> None:
    assert sorted(CAUSES, key=urgency)[:3] == ["public", "snapshot_public", "key_public"]
    assert {code for code in CAUSES if urgency(code) == max(map(urgency, CAUSES))} == UNREADABLE


def test_a_code_of_another_version_is_as_urgent_as_most() -> None:
    assert urgency("of_another_version") == urgency("default_key")


def test_principals_with_the_same_images_have_one_set_of_resources() -> None:
    used = [(holder, ("eu-west-1", image)) for holder in ("a", "b", "c") for image in ("ami-1", "ami-2")]
    found = same_resources([*used, ("c", ("us-east-1", "ami-3"))])
    assert found["a"] == {("eu-west-1", "ami-1"), ("eu-west-1", "ami-2")}
    assert found["b"] is found["a"]
    assert found["c"] == found["a"] | {("us-east-1", "ami-3")}
