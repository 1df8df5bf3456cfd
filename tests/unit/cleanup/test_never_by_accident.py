# SPDX-License-Identifier: GPL-3.0-or-later

"""No combination of options, typo or empty list retires what is in use, kept, or the last of its family."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.families import (
    FamilyBy,
    find_families,
    list_inherited_tags,
)
from ansible_collections.golden.images.plugins.module_utils._cleanup.options import CleanupOptions
from ansible_collections.golden.images.plugins.module_utils._cleanup.plan import plan
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import OwnImage, OwnSnapshot
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef
from ansible_collections.golden.images.plugins.module_utils._plan import Action

from tests.unit.cleanup.examples import REGION, USED, own, region_state, report, seen, shared
from tests.unit.cleanup.test_options import params
from tests.unit.examples import CONSUMER

pytestmark = pytest.mark.exhaustive

BOTH = (False, True)
FAMILIES: tuple[dict[str, Any], ...] = (
    {"family_tag": None},
    {"family_tag": ""},
    {"family_tag": "family"},
    {"family_tag": "typo"},
    {"family_tag": None, "family_name_pattern": ""},
    {"family_tag": None, "family_name_pattern": "("},
    {"family_tag": None, "family_name_pattern": "(web|db).*"},
    {"family_tag": None, "family_name_pattern": ".*"},
    {"family_tag": None, "family_by_source": True},
)
NO_STAGE = {"deprecate_after_days": None, "disable_after_days": None, "deregister_after_days": None}
STAGES: tuple[dict[str, Any], ...] = (
    NO_STAGE,
    {**NO_STAGE, "deprecate_after_days": 0},
    {**NO_STAGE, "disable_after_days": 0},
    {**NO_STAGE, "deregister_after_days": 0},
    {**NO_STAGE, "deregister_after_days": -1},
)
SHARED_ALSO: tuple[dict[str, Any], ...] = ({}, {"include_shared": True, "trust_usage_reports": True})
LIMITS = ("", "0", "2", "10%", "100%", "1000%")
PROTECTED: tuple[list[str], ...] = ([], ["keep"], [""])
STATES: tuple[list[str], ...] = ([], ["available", "disabled"])

IMAGES = (
    *(own(f"ami-{number}", days=number) for number in range(1, 5)),
    own("ami-used", days=300),
    own("ami-shared", days=300),
    own("ami-keep", days=300, tags={"family": "web", "keep": "yes"}),
    own("ami-held", days=300),
    own("ami-alone", days=300, tags={"family": "db"}, name="db ami-alone"),
    own("ami-plain", days=300, tags={}, name="plain"),
)


def a_copy() -> OwnImage:
    """A copy of an image that a policy with families by tag has deregistered."""
    copy = own("ami-copy", days=300, name="copy", tags={}, source_image_id="ami-gone", source_region=REGION)
    origin, ref, by = ImageRef(REGION, "ami-gone"), ImageRef(REGION, "ami-copy"), FamilyBy(tag="family")
    images = {origin: own("ami-gone", days=310), ref: copy}
    tags = list_inherited_tags(images, find_families(images, by, ()), by, {origin})[ref]
    return replace(copy, image=replace(copy.image, tags=tags))


COPY = a_copy()
HELD = OwnSnapshot("snap-ami-held", tags={"keep": "yes"})
SNAPSHOTS = region_state(*IMAGES, COPY).snapshots
WORLD = seen(
    region_state(*IMAGES, COPY, uses={"ami-used": (USED,)}, snapshots={**SNAPSHOTS, HELD.snapshot_id: HELD}),
    usage={ImageRef(REGION, "ami-shared"): shared(CONSUMER, report=report())},
)
SELECTS_NO_COPY = (("typo", None), (None, "(web|db).*"))
RETIRES = {"DisableImage", "DeregisterImage", "EnableImageDeprecation"}
CHANGES = {*RETIRES, "CreateTags", "DeleteTags"}


def test_every_combination_of_options_retires_only_what_it_says() -> None:
    tried = planned = retired = 0
    choices: tuple[Any, ...] = (
        FAMILIES,
        STAGES,
        SHARED_ALSO,
        LIMITS,
        PROTECTED,
        STATES,
        (0, 2, -1),
        BOTH,
        BOTH,
    )
    for family, stages, also, limit, protect, states, latest, empty, orphans in product(*choices):
        tried += 1
        options = {
            **family,
            **stages,
            **also,
            "max_deletions": limit,
            "protect_tags": protect,
            "states": states,
            "keep_latest": latest,
            "allow_empty_family": empty,
            "orphan_snapshots": orphans,
            "tombstone_path": "retired.jsonl",
        }
        try:
            wanted = CleanupOptions.read(params(**options), False)
        except ValidationError:
            continue
        planned += 1
        made = plan(wanted, WORLD)
        actions = () if made.refusals else made.actions
        retired += len(changed := [action for action in actions if action.operation in RETIRES])
        assert {action.operation for action in actions} <= CHANGES
        _check(changed, options, len(made.decisions))
    assert (tried, planned, retired) == (38880, 1920, 3988)


def _check(changed: list[Action], options: dict[str, Any], evaluated: int) -> None:
    ids = {str(action.resource) for action in changed}
    assert "ami-used" not in ids
    assert "ami-keep" not in ids or not options["protect_tags"]
    deregistered = {action.resource for action in changed if action.operation == "DeregisterImage"}
    assert "ami-held" not in deregistered or not options["protect_tags"]
    by_other = (options["family_tag"], options.get("family_name_pattern")) in SELECTS_NO_COPY
    assert "ami-copy" not in ids or not by_other
    assert "ami-shared" not in ids or options.get("include_shared")
    gone = {str(one.resource) for one in changed if one.operation != "EnableImageDeprecation"}
    most = {"0": 0, "2": 2, "10%": evaluated // 10, "100%": evaluated}
    assert len(gone) <= most[options["max_deletions"]]
    if not options["allow_empty_family"]:
        before = Counter(_family(options, one.image.name) for one in IMAGES)
        left = Counter(_family(options, one.image.name) for one in IMAGES if one.image.image_id not in gone)
        assert set(left) == set(before)
        assert all(left[one] >= min(before[one], options["keep_latest"]) for one in before)


def _family(options: dict[str, Any], name: str) -> str:
    """The family of an image: a pattern without a group is one family of all that match."""
    return "all" if options.get("family_name_pattern") == ".*" else name.split(maxsplit=1)[0]
