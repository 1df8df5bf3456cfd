# SPDX-License-Identifier: GPL-3.0-or-later

"""No combination of options makes an image public, or unshares it from all, by accident."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Sharing
from ansible_collections.golden.images.plugins.module_utils._plan import Action

from tests.unit.examples import CONSUMER, ORG, STRANGER, UNIT
from tests.unit.share.examples import IMAGE, REGION, Run, aws_with, shared

pytestmark = pytest.mark.exhaustive

CONSUMERS: tuple[dict[str, Any], ...] = (
    {"account_ids": []},
    {"account_ids": [CONSUMER]},
    {"account_ids": [], "org_arns": [ORG]},
    {"account_ids": [], "org_unit_arns": [UNIT]},
)
HELD = (
    Sharing(),
    Sharing(frozenset({CONSUMER, STRANGER}), frozenset({ORG}), frozenset({UNIT})),
    Sharing(frozenset({STRANGER}), public=True),
)
BOTH = (False, True)


def test_every_combination_of_options_does_only_what_it_names() -> None:
    tried = planned = 0
    combinations = product(("present", "absent"), (None, "all"), BOTH, BOTH, BOTH, BOTH, CONSUMERS, HELD)
    for state, group, allowed, purge, allow_empty, snapshots, consumers, held in combinations:
        tried += 1
        options = {
            "images": {REGION: IMAGE},
            "state": state,
            "group": group,
            "allow_public": allowed,
            "purge_launch_permissions": purge,
            "allow_empty_purge": allow_empty,
            "share_snapshots": snapshots,
            **consumers,
        }
        try:
            plan = Run(options, aws_with(shared(held, {"snap-1": held.accounts_only()}))).plan
        except ValidationError:
            continue
        planned += 1
        named = {one for ids in consumers.values() for one in ids} | ({"all"} if group else set())
        for action in plan.actions:
            _check(action, options, named)
    assert (tried, planned) == (768, 444)


def _check(action: Action, options: dict[str, object], named: set[str]) -> None:
    key = "LaunchPermission" if action.operation == "ModifyImageAttribute" else "CreateVolumePermission"
    for change, entries in action.parameters[key].items():
        principals = {value for entry in entries for value in entry.values()}
        if change == "Add":
            assert options["state"] == "present"
            assert principals <= named
            assert "all" not in principals or options["allow_public"]
        elif options["state"] == "absent":
            assert principals <= named
        else:
            assert options["purge_launch_permissions"]
            assert not principals & named
            assert named or options["allow_empty_purge"]
