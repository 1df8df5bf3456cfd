# SPDX-License-Identifier: GPL-3.0-or-later

"""No combination of options publishes an image that is not named or not shared, or removes anything."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Sharing
from ansible_collections.golden.images.plugins.module_utils._plan import Action

from tests.unit.examples import CONSUMER, SOURCE_ID
from tests.unit.publish.account import (
    LABEL,
    NAME,
    NEW,
    OLD,
    REGION,
    SHARED,
    TEMPLATE,
    Account,
    account,
    image,
    parameter,
    run_on,
    template,
    version,
)

pytestmark = pytest.mark.exhaustive

BOTH = (False, True)
IMAGES: tuple[dict[str, Any], ...] = (
    {"images": {REGION: NEW}},
    {"images": {REGION: None}},
    {"images": {}},
    {"images": None},
    {"images": None, "regions": [REGION]},
    {"images": None, "regions": [REGION], "source_image_id": SOURCE_ID},
    {"images": None, "regions": [], "source_image_id": SOURCE_ID},
    {"images": {REGION: NEW}, "regions": [REGION]},
)
PARAMETERS = (
    None,
    parameter(version(1, OLD)),
    parameter(version(1, NEW, LABEL), version(2, OLD)),
    parameter(version(1, OLD, type="SecureString", data_type="text")),
)
STATES = ("available", "disabled", "pending")
SHARINGS = (Sharing(), SHARED, Sharing(public=True))
CHANGES = {
    "AddTagsToResource",
    "CreateLaunchTemplateVersion",
    "LabelParameterVersion",
    "ModifyLaunchTemplate",
    "PutParameter",
    "UnlabelParameterVersion",
}


def test_every_combination_of_options_publishes_only_what_it_names() -> None:
    tried = planned = acted = 0
    names = NAME, "//", "/", "/aws/golden", "golden images"
    choices: tuple[Any, ...] = (IMAGES, names, ([], [TEMPLATE], [""]), BOTH, BOTH)
    worlds = [*product(PARAMETERS, STATES, SHARINGS)]
    for images, name, templates, shared, into in product(*choices):
        tried += len(worlds)
        options = {
            **images,
            "parameter": name,
            "launch_templates": templates,
            "require_shared": shared,
            "account_ids": [CONSUMER] if into else [],
            "consumer_role_name": "golden-consumer",
        }
        for held, state, sharing in worlds:
            here = account(
                image=image(state=state),
                launch=sharing,
                parameter=held,
                templates={TEMPLATE: template()},
                named={OLD: image(OLD)},
            )
            try:
                made = run_on(options, replace(here, consumer=here), False).plan
            except ValidationError as refused:
                if any(one.region for one in refused.failures):
                    raise
                break
            planned += 1
            for action in () if made.refusals else made.actions:
                acted += 1
                _check(action, options, here)
    assert (tried, planned, acted) == (17280, 576, 360)


def _check(action: Action, options: dict[str, Any], here: Account) -> None:
    assert action.operation in CHANGES
    assert action.resource in {options["parameter"], *options["launch_templates"]} or action.service == "ec2"
    assert here.image is not None
    assert here.image.state == "available"
    assert here.parameter is None or here.parameter.versions[-1].type == "String"
    assert not options["require_shared"] or here.launch != Sharing()
    if action.operation == "PutParameter":
        assert action.parameters["Name"] == options["parameter"]
        assert action.parameters["Value"] == NEW
        assert action.parameters["DataType"] == "aws:ec2:image"
    if action.operation in ("CreateLaunchTemplateVersion", "ModifyLaunchTemplate"):
        assert options["launch_templates"]
