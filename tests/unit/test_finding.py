# SPDX-License-Identifier: GPL-3.0-or-later

"""A finding as modules return it, as a failure, and in the order of a result."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._finding import (
    BlocksLaunch,
    Finding,
    Severity,
    consumer_unreadable,
)
from ansible_collections.golden.images.plugins.module_utils._model import Target

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID

REGION = "eu-west-1"
AUDITED = Finding(
    "unknown_account",
    Severity.HIGH,
    "It is shared.",
    "Unshare it.",
    OWNER,
    REGION,
    "snap-1",
    SOURCE_ID,
    CONSUMER,
)
DIAGNOSED = Finding(
    "not_shared",
    Severity.HIGH,
    "It is not shared.",
    "Share it.",
    CONSUMER,
    REGION,
    image_id=SOURCE_ID,
    blocks_launch=BlocksLaunch.BLOCKING,
)


def test_an_audit_finding_names_its_resource_and_principal() -> None:
    assert AUDITED.to_dict() == {
        "account_id": OWNER,
        "code": "unknown_account",
        "image_id": SOURCE_ID,
        "message": "It is shared.",
        "principal": CONSUMER,
        "region": REGION,
        "remedy": "Unshare it.",
        "resource": "snap-1",
        "severity": "high",
    }


def test_a_diagnosis_finding_says_whether_it_blocks_a_launch_and_has_an_error_code() -> None:
    assert DIAGNOSED.to_dict() == {
        "account_id": CONSUMER,
        "blocks_launch": "blocking",
        "code": "not_shared",
        "error_code": None,
        "image_id": SOURCE_ID,
        "message": "It is not shared.",
        "region": REGION,
        "remedy": "Share it.",
        "severity": "high",
    }


def test_an_audit_finding_is_read_back() -> None:
    assert Finding.read(AUDITED.to_dict()) == AUDITED
    with pytest.raises(KeyError, match="resource"):
        Finding.read(DIAGNOSED.to_dict())


def test_a_finding_as_a_failure() -> None:
    assert AUDITED.as_failure("fail_on") == Failure(
        "It is shared.", "Unshare it.", "unknown_account", "fail_on", REGION, OWNER
    )


def test_an_account_that_could_not_be_checked() -> None:
    problem = Failure("No role.", "Trust it.", "AccessDenied", "AssumeRole", REGION, CONSUMER)
    found = consumer_unreadable(Target(CONSUMER, REGION), problem)
    assert (found.code, found.severity, found.blocks_launch, found.error_code) == (
        "consumer_unreadable",
        Severity.MEDIUM,
        BlocksLaunch.UNKNOWN,
        "AccessDenied",
    )
    assert found.message == f"Account {CONSUMER} cannot be checked in {REGION}: No role."
    assert (found.remedy, found.account_id, found.region) == ("Trust it.", CONSUMER, REGION)


def test_a_finding_is_as_severe_as_its_effect_on_a_launch() -> None:
    assert {one: one.severity for one in BlocksLaunch} == {
        BlocksLaunch.BLOCKING: Severity.HIGH,
        BlocksLaunch.UNKNOWN: Severity.MEDIUM,
        BlocksLaunch.HARMLESS: Severity.LOW,
    }


def test_findings_are_ordered_by_place_then_code() -> None:
    without_image = replace(AUDITED, image_id=None)
    other_code = replace(AUDITED, code="snapshot_wider_than_image")
    other_region = replace(AUDITED, region="us-east-1")
    ordered = [without_image, other_code, AUDITED, other_region]
    shuffled = [AUDITED, other_region, without_image, other_code]
    assert sorted(shuffled, key=lambda item: item.order) == ordered
