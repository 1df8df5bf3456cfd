# SPDX-License-Identifier: GPL-3.0-or-later

"""No combination of options removes a usable image, a source, or what this collection did not make."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._copy.options import CopyOptions
from ansible_collections.golden.images.plugins.module_utils._copy.plan import plan
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._plan import Action

from tests.unit.copy.examples import REGION, seen_in
from tests.unit.copy.test_options import params
from tests.unit.examples import (
    SOURCE_ID,
    SOURCE_REGION,
    adopted_image,
    copied_image,
    source_image,
    volumes,
)

pytestmark = pytest.mark.exhaustive

BOTH = (False, True)
SOURCES: tuple[dict[str, Any], ...] = (
    {"source_image_id": SOURCE_ID},
    {"source_image_id": "-"},
    {"source_image_id": "ami-*"},
    {"source_image_id": None, "source_filters": {}},
    {"source_image_id": None, "source_filters": {"name": "golden-*"}},
    {"source_image_id": None, "source_filters": {"name": "golden-*"}, "source_owners": []},
    {"source_image_id": None, "source_filters": {"name": "*"}, "source_owners": [""]},
)
REGIONS: tuple[list[Any], ...] = ([], [""], [REGION], [REGION, SOURCE_REGION], ["everywhere"])
TAGS: tuple[Any, ...] = (None, {}, {"a": "1"}, {"golden.images:source": "x"}, {"aws:x": "1"})
COPIES = {
    "failed": copied_image("ami-failed", "failed", tags={"a": "0", "b": "2"}),
    "disabled": copied_image("ami-disabled", "disabled"),
    "available": copied_image("ami-own", tags={"a": "0", "b": "2"}, devices=volumes("snap-own")),
    "adopted": adopted_image("ami-adopted", tags={"a": "0", "b": "2"}),
    "foreign failed": adopted_image("ami-foreign", "failed", tags={"b": "2"}),
}
HELD = ((), *((one,) for one in COPIES.values()), (COPIES["failed"], COPIES["available"]))
CHANGES = {"CopyImage", "CreateTags", "DeleteTags", "DeregisterImage"}


def test_every_combination_of_options_changes_only_own_copies() -> None:
    tried = planned = acted = 0
    choices: tuple[Any, ...] = (SOURCES, REGIONS, TAGS, BOTH, BOTH, (None, False, True))
    worlds = [*product(BOTH, HELD)]
    for source, regions, tags, purge, copy_tags, encrypted in product(*choices):
        tried += len(worlds)
        options = {
            **source,
            "regions": regions,
            "tags": tags,
            "purge_tags": purge,
            "copy_tags": copy_tags,
            "encrypted": encrypted,
        }
        try:
            wanted = CopyOptions.read(params(**options), False)
        except ValidationError:
            continue
        for encrypted_source, held in worlds:
            planned += 1
            origin = source_image(devices=volumes("snap-source", encrypted=encrypted_source), tags={"c": "3"})
            found = {one: (held if one == REGION else (origin,)) for one in wanted.regions}
            made = plan(wanted, seen_in(found, source=origin))
            for action in () if made.refusals else made.actions:
                acted += 1
                _check(action, options)
    assert (tried, planned, acted) == (29400, 2016, 1032)


def _check(action: Action, options: dict[str, Any]) -> None:
    assert action.operation in CHANGES
    assert action.target.region == REGION
    if action.operation == "CopyImage":
        assert action.parameters["SourceImageId"] == SOURCE_ID
        assert not any("Permission" in name for name in action.parameters)
        assert action.parameters.get("Encrypted", False) or not (options["encrypted"] or False)
    elif action.operation == "DeregisterImage":
        assert action.resource == "ami-failed"
    else:
        assert action.resource in {"ami-own", "snap-own", "ami-failed"}
        assert action.operation == "CreateTags" or options["purge_tags"]
