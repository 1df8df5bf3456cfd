# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an account did not launch an image: findings with codes of this collection, AWS's code beside them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.finding import BlocksLaunch, Severity
from ansible_collections.golden.images.plugins.module_utils.launch_probe.findings import (
    CODES,
    MEANINGS,
    findings,
)
from ansible_collections.golden.images.plugins.module_utils.launch_probe.state import Cause

from tests.unit.examples import CONSUMER, SOURCE_ID

from .examples import HERE, PROBE, REGION, image, seen, wanted

ENDED = "Client.InternalError"
KEY = Failure("It ended.", "Grant it.", ENDED, "RunInstances", REGION, CONSUMER, source="aws")
NO_ROLE = Failure("No role.", "Trust it.", "AccessDenied", "AssumeRole", REGION, CONSUMER, source="aws")


def test_a_finding_has_a_severity_and_the_code_of_aws() -> None:
    want = wanted()
    (found,) = findings(want, seen(want), PROBE, Cause("key_not_usable", KEY))
    assert found.as_result() == {
        "account_id": CONSUMER,
        "blocks_launch": "blocking",
        "code": "key_not_usable",
        "error_code": ENDED,
        "image_id": SOURCE_ID,
        "message": "It ended.",
        "region": REGION,
        "remedy": "Grant it.",
        "severity": "high",
    }


@pytest.mark.parametrize(
    ("changes", "codes", "severity"),
    [
        pytest.param({"images": {PROBE: None}}, ("not_visible", None), Severity.HIGH, id="hidden"),
        pytest.param(
            {"images": {PROBE: image(state="disabled")}},
            ("image_not_available", None),
            Severity.HIGH,
            id="disabled",
        ),
        pytest.param(
            {"images": {PROBE: image(architecture="arm64_mac")}},
            ("missing_instance_type", None),
            Severity.MEDIUM,
            id="no instance type",
        ),
        pytest.param(
            {"problems": {HERE: NO_ROLE}},
            ("consumer_unreadable", "AccessDenied"),
            Severity.MEDIUM,
            id="no role",
        ),
    ],
)
def test_what_prevents_a_launch_is_the_only_finding(
    changes: dict[str, Any], codes: tuple[str, str | None], severity: Severity
) -> None:
    want = wanted()
    for launch in (None, Cause("key_not_usable", KEY)):
        (found,) = findings(want, seen(want, **changes), PROBE, launch)
        assert (found.code, found.error_code, found.severity) == (*codes, severity)
        assert (found.account_id, found.region) == (CONSUMER, REGION)


def test_an_image_that_was_launched_has_no_findings() -> None:
    want = wanted()
    assert findings(want, seen(want), PROBE, None) == ()


def test_every_code_has_a_meaning_and_an_effect() -> None:
    assert list(MEANINGS) == list(CODES) == sorted(CODES)
    assert BlocksLaunch.HARMLESS not in CODES.values()
