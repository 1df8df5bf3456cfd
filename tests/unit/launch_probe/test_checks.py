# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused before anything is launched."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.launch_probe.checks import precheck
from ansible_collections.golden.images.plugins.module_utils.launch_probe.plan import launches, plan
from ansible_collections.golden.images.plugins.module_utils.launch_probe.state import Probe
from ansible_collections.golden.images.plugins.module_utils.model import ImagesByTarget

from tests.unit.examples import CONSUMER, SOURCE_ID

from .examples import HERE, PROBE, REGION, THERE, image, seen, wanted

NO_ROLE = Failure("No.", "Ask.", "AccessDenied", "AssumeRole", REGION, CONSUMER)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"images": {PROBE: None}}, "not_visible", id="not visible"),
        pytest.param({"images": {PROBE: image(state="disabled")}}, "image_not_available", id="disabled"),
        pytest.param(
            {"images": {PROBE: image(architecture="arm64_mac")}},
            "missing_instance_type",
            id="instance type",
        ),
        pytest.param({"problems": {HERE: NO_ROLE}}, "AccessDenied", id="the role cannot be assumed"),
    ],
)
def test_an_account_that_fails_the_precheck_does_not_stop_the_others(
    changes: dict[str, Any], code: str
) -> None:
    want = wanted()
    saw = seen(want)
    images = {**saw.images, **changes.get("images", {})}
    saw = seen(want, **{**changes, "images": images})
    failure = precheck(want, saw, PROBE)
    assert failure is not None
    assert (failure.error_code, failure.region, failure.account_id) == (code, REGION, CONSUMER)
    assert failure.remedy
    assert [*launches(want, saw)] == [Probe(THERE, SOURCE_ID)]
    assert plan(want, saw).warnings == ()
    (warning,) = plan(wanted(only_planned=True), saw).warnings
    assert failure.text() in warning


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
    failure = precheck(wanted(), seen(wanted(), shown), PROBE)
    assert failure is not None
    assert text in failure.message
    assert "instance_type" in failure.remedy
    want = wanted(instance_type="g5.xlarge")
    assert precheck(want, seen(want, shown), PROBE) is None


def test_an_available_image_and_a_planned_copy_pass() -> None:
    want = wanted()
    assert precheck(want, seen(want), PROBE) is None
    want = wanted(images=ImagesByTarget({(None, REGION): None}))
    assert precheck(want, seen(want), Probe(HERE, None)) is None
