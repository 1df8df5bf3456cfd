# SPDX-License-Identifier: GPL-3.0-or-later

"""The source of each target, and what is read of several targets, merged."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils.copy.state import CopySeen
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.model import Key, Snapshot, Target

from tests.unit.copy.examples import seen, wanted
from tests.unit.examples import CONSUMER, OWNER, SOURCE_REGION, copied_image, source_image, target_in, volumes

EU, US = "eu-west-1", "us-west-2"
SNAPSHOTS = tuple(Snapshot(item, "completed", 100) for item in ("snap-1", "snap-2", "snap-3"))
FAILURE = Failure("m", "r", "c", "a")


def test_the_source_region() -> None:
    assert wanted().source_region_of(EU) == SOURCE_REGION
    assert wanted(source_images={EU: "ami-1"}).source_region_of(EU) == EU


def test_an_account_reads_the_source_in_its_region() -> None:
    assert wanted().reader_of(Target(CONSUMER, EU)) == Target(CONSUMER, SOURCE_REGION)
    assert wanted(source_images={EU: "ami-1"}).reader_of(Target(CONSUMER, EU)) == Target(CONSUMER, EU)


def test_the_source_of_a_region() -> None:
    own = source_image(image_id="ami-eu")
    saw = replace(seen(), sources={EU: own})
    assert saw.source_of(target_in(EU)) == own
    assert saw.source_of(target_in(US)) == source_image()


def test_the_snapshots_of_an_image() -> None:
    saw = seen(snapshots=SNAPSHOTS)
    image = copied_image(devices=volumes("snap-3", "snap-1"))
    assert saw.snapshots_of(target_in(EU), image) == (SNAPSHOTS[0], SNAPSHOTS[2])
    assert saw.snapshots_of(target_in(US), image) == ()


def test_merging_what_was_read_of_several_targets() -> None:
    image, key = copied_image(), Key("arn:key")
    one = replace(seen(image, snapshots=SNAPSHOTS), keys={target_in(EU): key})
    other = CopySeen(
        OWNER,
        source_image(),
        copies={target_in(US): ()},
        unread=(FAILURE,),
    )
    assert one.including([other]) == CopySeen(
        OWNER,
        source_image(),
        copies={target_in(EU): (image,), target_in(US): ()},
        snapshots={target_in(EU): SNAPSHOTS},
        keys={target_in(EU): key},
        unread=(FAILURE,),
    )


def test_targets_that_cannot_be_read_are_left_out_or_fail() -> None:
    optional, required = replace(FAILURE, region=US), replace(FAILURE, region=EU)
    saw = replace(
        seen(), copies={target_in(EU): (), target_in(US): (), target_in(SOURCE_REGION): ()}, unread=(FAILURE,)
    )
    left = saw.without({target_in(EU): required, target_in(US): optional}, {target_in(US)})
    assert left == replace(
        saw, copies={target_in(SOURCE_REGION): ()}, unread=(FAILURE, optional), failed=(required,)
    )


def test_encryption_by_default_matters_where_no_key_is_known() -> None:
    on = {target_in(EU): True, target_in(US): False, target_in(SOURCE_REGION): True}
    saw = replace(seen(), encryption_by_default=on, keys={target_in(SOURCE_REGION): Key("arn:key")})
    assert saw.encrypted_by_default == {target_in(EU)}


def test_the_targets_in_best_effort_regions() -> None:
    want = wanted(best_effort_regions=frozenset({US}))
    assert want.best_effort([target_in(EU), target_in(US), Target(CONSUMER, US)]) == {
        target_in(US),
        Target(CONSUMER, US),
    }


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param(Target(OWNER, SOURCE_REGION), True, id="owner, region of the source"),
        pytest.param(Target(OWNER, EU), False, id="another region"),
        pytest.param(Target(CONSUMER, SOURCE_REGION), False, id="another account"),
    ],
)
def test_where_the_source_is_the_image(target: Target, expected: bool) -> None:
    assert seen().is_source(target, SOURCE_REGION) is expected
