# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody else has changed between the reads of a recall and its first call in a target."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._plan import Action
from ansible_collections.golden.images.plugins.module_utils._publish.state import TargetState
from ansible_collections.golden.images.plugins.module_utils._recall.read_changes import (
    find_changed,
    report_replaced,
)

from tests.unit.recall.examples import (
    BAD,
    GOOD,
    HERE,
    NAME,
    OTHER,
    TEMPLATE,
    TEMPLATE_ID,
    parameter,
    template,
)

STATE = TargetState(parameter=parameter(GOOD, BAD), templates={TEMPLATE: template(BAD, BAD)})
PUT = Action(HERE, "PutParameter", {}, NAME, "ssm")
MODIFY = Action(HERE, "ModifyLaunchTemplate", {}, TEMPLATE_ID)


def services(version: int, value: str, *images: str, default: int = 2) -> dict[str, Any]:
    """The clients of a target with this version of the parameter, and a template with these versions."""
    items = [
        {
            "DefaultVersion": number == default,
            "LaunchTemplateData": {"ImageId": image_id},
            "LaunchTemplateId": TEMPLATE_ID,
            "LaunchTemplateName": TEMPLATE,
            "VersionNumber": number,
        }
        for number, image_id in enumerate(images, start=1)
        if number in (default, len(images))
    ]
    pages = SimpleNamespace(paginate=lambda **_request: [{"LaunchTemplateVersions": items}])
    return {
        "ec2": SimpleNamespace(get_paginator=lambda _name: pages),
        "ssm": SimpleNamespace(
            get_parameter=lambda **_request: {"Parameter": {"Value": value, "Version": version}}
        ),
    }


def test_what_is_as_it_was_read_moves() -> None:
    assert find_changed(services(2, BAD, BAD, BAD), HERE, STATE, (PUT, MODIFY)) == {}
    # What does not move is not read.
    assert find_changed({"ec2": None, "ssm": None}, HERE, STATE, ()) == {}


@pytest.mark.parametrize("value", [OTHER, BAD])
def test_a_parameter_with_a_newer_version_stays(value: str) -> None:
    found = find_changed(services(3, value, BAD, BAD), HERE, STATE, (PUT, MODIFY))
    assert found.keys() == {NAME}
    assert (found[NAME].error_code, f"{value} in version 3" in found[NAME].message) == (
        "concurrent_change",
        True,
    )
    assert "Rerun" in found[NAME].remedy


@pytest.mark.parametrize("images", [(BAD, BAD, OTHER), ()])
def test_a_template_with_other_versions_stays(images: tuple[str, ...]) -> None:
    found = find_changed(services(2, BAD, *images), HERE, STATE, (PUT, MODIFY))
    assert {name: failure.error_code for name, failure in found.items()} == {TEMPLATE_ID: "concurrent_change"}
    assert (OTHER if images else "does not exist") in found[TEMPLATE_ID].message
    assert find_changed(services(2, BAD, BAD, BAD, default=1), HERE, STATE, (MODIFY,)).keys() == {TEMPLATE_ID}


@pytest.mark.parametrize(
    ("first", "version", "named"), [(3, 0, ""), (3, 3, ""), (3, 4, "version 3 "), (3, 6, "versions 3 to 5 ")]
)
@pytest.mark.parametrize(
    ("operation", "name", "command"),
    [
        ("PutParameter", NAME, f"ssm get-parameter --name {NAME}:3)"),
        ("ModifyLaunchTemplate", TEMPLATE_ID, f"--launch-template-id {TEMPLATE_ID} --versions 3)"),
    ],
)
def test_a_version_that_was_replaced_is_named(
    first: int, version: int, named: str, operation: str, name: str, command: str
) -> None:
    failures = report_replaced(HERE, operation, name, first, version)
    assert [(item.error_code, item.action, f"{name} got {named}" in item.message) for item in failures] == (
        [("concurrent_change", operation, True)] if named else []
    )
    assert all(command in item.remedy for item in failures)
