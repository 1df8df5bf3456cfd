# SPDX-License-Identifier: GPL-3.0-or-later

"""No combination of options makes a restored image public, shares it wider than before, or removes it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, PublicAccessBlock, Sharing
from ansible_collections.golden.images.plugins.module_utils._plan import Action
from ansible_collections.golden.images.plugins.module_utils._restore.options import RestoreOptions
from ansible_collections.golden.images.plugins.module_utils._restore.plan import plan

from tests.unit.examples import SOURCE_ID, as_read

from .examples import LAUNCH, RESTORING_TAG, VOLUMES, binned, found, image, last_tombstone, seen, tombstone

pytestmark = pytest.mark.exhaustive

BOTH = (False, True)
REGION = "eu-west-1"
REF = ImageRef(REGION, SOURCE_ID)
IMAGES: tuple[Any, ...] = (
    {REGION: SOURCE_ID},
    [f"{REGION}/{SOURCE_ID}"],
    f"{REGION}/{SOURCE_ID}",
    {},
    [],
    "[]",
    [""],
    [None],
    [SOURCE_ID],
    {REGION: None},
    {REGION: "*"},
    {"": SOURCE_ID},
)
_SHOWN = replace(image(), image_id=SOURCE_ID)
HELD = (
    found(_SHOWN),
    found(replace(_SHOWN, state="available")),
    found(replace(_SHOWN, state="available", tags=RESTORING_TAG)),
    found(replace(_SHOWN, state="available", tags={"family": "web"})),
    binned(),
)
PUBLIC_VOLUMES = {"snap-1": Sharing(public=True), "snap-2": Sharing()}
TOMBSTONES = (
    (),
    (replace(tombstone(), ref=REF),),
    (replace(tombstone(launch=replace(LAUNCH, public=True), volume_permissions=PUBLIC_VOLUMES), ref=REF),),
    (replace(tombstone(launch=Sharing(public=True)), ref=REF), replace(last_tombstone(), ref=REF)),
)
CHANGES = {
    "CreateTags",
    "DeleteTags",
    "DisableImageDeprecation",
    "EnableImage",
    "EnableImageDeprecation",
    "ModifyImageAttribute",
    "ModifySnapshotAttribute",
    "RestoreImageFromRecycleBin",
    "RestoreSnapshotFromRecycleBin",
}


def test_every_combination_of_options_restores_only_what_was_there() -> None:
    tried = planned = acted = 0
    choices: tuple[Any, ...] = (
        IMAGES,
        BOTH,
        BOTH,
        (None, "", "retired.jsonl"),
        HELD,
        TOMBSTONES,
        (None, "unblocked"),
    )
    for images, permissions, allowed, path, held, tombstones, block in product(*choices):
        tried += 1
        options = {
            "images": images,
            "restore_permissions": permissions,
            "allow_public": allowed,
            "tombstone_path": path,
        }
        try:
            wanted = RestoreOptions.read(as_read(RestoreOptions.argument_spec(), options), False)
        except ValidationError:
            continue
        planned += 1
        blocked = PublicAccessBlock(block) if block else None
        here = replace(held, image_block=blocked, snapshot_block=blocked)
        saw = replace(seen(here, *tombstones), images={REF: here}, histories={})
        if tombstones:
            saw = replace(saw, histories={REF: next(iter(seen(here, *tombstones).histories.values()))})
        made = plan(wanted, saw)
        for action in () if made.refusals else made.actions:
            acted += 1
            _check(action, options, tombstones)
    assert (tried, planned, acted) == (5760, 960, 1656)


def _check(action: Action, options: dict[str, Any], tombstones: tuple[Any, ...]) -> None:
    assert action.operation in CHANGES
    assert set(str(action.resource).split(", ")) <= {SOURCE_ID, *VOLUMES}
    for key in ("LaunchPermission", "CreateVolumePermission"):
        for change, entries in action.parameters.get(key, {}).items():
            assert change == "Add"
            assert options["restore_permissions"]
            added = {value for entry in entries for value in entry.values()}
            assert added <= _held_before(tombstones)
            assert "all" not in added or options["allow_public"]
    if action.operation == "RestoreImageFromRecycleBin" and not options["allow_public"]:
        assert tombstones[-1].stage == "deregister", "it is not known whether it was public"
    if action.operation == "DeleteTags":
        assert all(tag["Key"].startswith("golden.images:") for tag in action.parameters["Tags"])


def _held_before(tombstones: tuple[Any, ...]) -> set[str]:
    sharings = [sharing for one in tombstones for sharing in (one.launch, *one.volume_permissions.values())]
    return {
        value
        for one in sharings
        for value in (*one.account_ids, *one.org_arns, *one.org_unit_arns, *(["all"] if one.public else []))
    }
