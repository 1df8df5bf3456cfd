# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an account does not launch an image: a finding of the result, beside which the others are launched."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._launch_probe.plan import plan
from ansible_collections.golden.images.plugins.module_utils._launch_probe.state import Cause

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID

from .examples import HERE, PROBE, REGION, image, launched, results, seen, wanted

ENDED = "Client.InternalError"
KEY = Failure("It ended.", "Grant it.", ENDED, "RunInstances", REGION, CONSUMER, source="aws")
NO_ROLE = Failure("No role.", "Trust it.", "AccessDenied", "AssumeRole", REGION, CONSUMER, source="aws")


def test_a_finding_has_a_severity_and_the_code_of_aws() -> None:
    want = wanted()
    first, _other = results(want, seen(want), Cause("key_not_usable", KEY))
    assert first["findings"] == [
        {
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
    ]


@pytest.mark.parametrize("cause", [None, Cause("key_not_usable", KEY)], ids=["before", "and a failed launch"])
@pytest.mark.parametrize(
    ("changes", "codes", "severity"),
    [
        pytest.param({"images": {PROBE: None}}, ("not_visible", None), "high", id="hidden"),
        pytest.param(
            {"images": {PROBE: image(state="disabled")}}, ("image_not_available", None), "high", id="disabled"
        ),
        pytest.param(
            {"images": {PROBE: image(architecture="arm64_mac")}},
            ("missing_instance_type", None),
            "medium",
            id="no instance type",
        ),
        pytest.param(
            {"problems": {HERE: NO_ROLE}}, ("consumer_unreadable", "AccessDenied"), "medium", id="no role"
        ),
    ],
)
def test_what_prevents_a_launch_is_the_only_finding_and_does_not_stop_the_others(
    changes: dict[str, Any], codes: tuple[str, str | None], severity: str, cause: Cause | None
) -> None:
    want = wanted()
    saw = seen(want)
    saw = seen(want, **{**changes, "images": {**saw.images, **changes.get("images", {})}})
    first, other = results(want, saw, cause)
    (found,) = first["findings"]
    assert (found["code"], found["error_code"], found["severity"]) == (*codes, severity)
    assert (found["account_id"], found["region"]) == (CONSUMER, REGION)
    assert found["remedy"]
    assert other["findings"] == []
    assert [account for account, _region, _parameters in launched(want, saw)] == [OWNER]
    # In check mode, nothing fails. Outside, the task does.
    assert plan(want, saw).warnings == ()
    (warning,) = plan(wanted(check_mode=True), saw).warnings
    assert found["message"].rpartition(": ")[2].rstrip(".") in warning


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"architecture": "arm64_mac"}, "arm64_mac"),
        ({"architecture": ""}, "unknown architecture"),
        ({"ena_support": False}, "does not support ENA"),
        ({"supported_types": ("g5.*",)}, "excludes the default type t3.nano"),
    ],
)
def test_an_image_without_a_default_instance_type_is_launched_only_with_one_that_is_set(
    changes: dict[str, Any], text: str
) -> None:
    shown = image(**changes)
    want = wanted()
    (found,) = results(want, seen(want, shown))[0]["findings"]
    assert text in found["message"]
    assert "instance_type" in found["remedy"]
    want = wanted(instance_type="g5.xlarge")
    assert results(want, seen(want, shown))[0]["findings"] == []


def test_an_image_that_can_be_launched_and_a_planned_copy_have_no_findings() -> None:
    want = wanted()
    assert [one["findings"] for one in results(want, seen(want))] == [[], []]
    want = wanted(images={(None, REGION): None})
    assert [one["findings"] for one in results(want, seen(want))] == [[], []]
    assert len(launched(want, seen(want))) == 2


@pytest.mark.parametrize(("named", "used"), [(None, None), ("t3.micro", "t3.micro")])
def test_the_instance_type_of_a_planned_copy_is_unknown_unless_it_is_set(
    named: str | None, used: str | None
) -> None:
    want = wanted(images={(None, REGION): None}, instance_type=named)
    assert results(want, seen(want))[0]["instance_type"] == used
