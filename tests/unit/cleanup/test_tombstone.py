# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cleanup writes down is what restoring reads, and which of several tombstones counts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.decisions import Verdict
from ansible_collections.golden.images.plugins.module_utils.cleanup.plan import plan
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import CloserLook, SnapshotLook
from ansible_collections.golden.images.plugins.module_utils.cleanup.tombstone import (
    Buried,
    Tombstone,
    by_image,
    read_tombstone,
)
from ansible_collections.golden.images.plugins.module_utils.cleanup.tombstone_writing import (
    tombstone as written,
)
from ansible_collections.golden.images.plugins.module_utils.model import ImageRef, Sharing, SnapshotRef

from tests.unit.examples import CONSUMER, ORG, OWNER, STRANGER, UNIT, volumes

from ..restore.examples import REF, last_tombstone, tombstone
from . import examples as retiring

LAUNCH = Sharing(frozenset({CONSUMER, STRANGER}), frozenset({ORG}), frozenset({UNIT}), public=True)
VOLUME = Sharing(account_ids=frozenset({CONSUMER}), public=True)
DESCRIBED = {
    "State": "available",
    "DeprecationTime": "2026-11-01T12:01:00.000Z",
    "ProductCodes": [{"ProductCodeId": "p-1", "ProductCodeType": "marketplace"}],
}


def record() -> dict[str, Any]:
    """What a cleanup writes of an image that it deregisters."""
    old = retiring.own("ami-1", devices=volumes("snap-ami-1", None))
    saw = retiring.seen(
        retiring.facts(replace(old, described=DESCRIBED), retiring.own("ami-new", 1)),
        looks={REF: CloserLook(sharing=LAUNCH)},
        snapshot_looks={SnapshotRef(REF.region, "snap-ami-1"): SnapshotLook(VOLUME)},
    )
    verdicts: tuple[Verdict, ...] = plan(retiring.wanted(include_shared=True), saw).verdicts
    (verdict,) = (one for one in verdicts if one.ref == REF)
    return written(saw, replace(verdict, decision="deregister"))


def test_what_a_cleanup_writes_down_is_read() -> None:
    assert read_tombstone(json.dumps(record())) == Tombstone(
        ref=REF,
        account_id=OWNER,
        written_at="2026-11-24T12:00:30Z",
        stage="deregister",
        state="available",
        name="web ami-1",
        launch=LAUNCH,
        volumes={"snap-ami-1": VOLUME},
        deleted=frozenset(),
        devices=volumes("snap-ami-1", None),
        tags=retiring.FAMILY,
        deprecation_time="2026-11-01T12:01:00.000Z",
        product_codes=("p-1",),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{half",
        "[]",
        "null",
        "7",
        *(
            json.dumps({key: value for key, value in record().items() if key != missing})
            for missing in ("image", "image_id", "launch_permissions", "snapshots", "written_at")
        ),
        json.dumps({**record(), "snapshots": [{"snapshot_id": "snap-1"}]}),
        json.dumps({**record(), "launch_permissions": []}),
    ],
)
def test_what_is_no_tombstone_is_none(text: str) -> None:
    assert read_tombstone(text) is None


def test_the_permissions_are_those_of_the_last_tombstone_that_was_written_before_the_image_was_disabled() -> (
    None
):
    first, last = tombstone(), last_tombstone()
    again = tombstone(written_at="2026-11-10T00:00:00Z", launch=Sharing())
    assert (Buried().last, Buried().shared, Buried().state) == (None, None, "available")
    assert (Buried((last,)).last, Buried((last,)).shared, Buried((last,)).state) == (last, None, "disabled")
    assert Buried((first, last)).shared == first
    assert Buried((first, again, last)).shared == again
    assert Buried((first,)).state == "disabled"
    assert Buried((tombstone(stage="deregister"),)).state == "available"


def test_an_images_tombstones_are_its_accounts_in_the_order_of_their_writing_each_once() -> None:
    other = tombstone(ref=ImageRef("us-east-1", REF.image_id))
    first, last = tombstone(), last_tombstone()
    found = by_image([last, first, last, other, tombstone(account_id=STRANGER, stage="x")], OWNER)
    assert found == {REF: Buried((first, last)), other.ref: Buried((other,))}
