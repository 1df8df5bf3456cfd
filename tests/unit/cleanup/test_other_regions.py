# SPDX-License-Identifier: GPL-3.0-or-later

"""What names an image in one region can use the image of that ID in another one."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import Evidence

from tests.unit.cleanup.examples import REGION, USED, own, planned, region_state, seen

ELSEWHERE = "us-east-1"
HERE = region_state(own("ami-1"), own("ami-new", 1))


def evidence_of(*elsewhere: object, **changes: object) -> dict[str, tuple[object, ...]]:
    """The evidence of the old image of each region, where the other region is like this."""
    made = planned(seen(HERE, region_state(*elsewhere, **changes)))  # type: ignore[arg-type]
    return {one.ref.region: one.evidence for one in made.decisions if one.ref.image_id == "ami-1"}


def test_a_use_in_a_region_without_such_an_image_is_one_of_the_image_elsewhere() -> None:
    uses = {"ami-1": (USED,)}
    assert evidence_of(uses=uses) == {REGION: (USED.with_region(ELSEWHERE),)}
    assert evidence_of(own("ami-1"), own("ami-new", 1), uses=uses) == {REGION: (), ELSEWHERE: (USED,)}


@pytest.mark.parametrize(
    ("action", "counts_elsewhere"),
    [
        ("DescribeParameters", True),
        ("GetParameters", True),
        ("GetParameterHistory", True),
        ("GetParameter", False),
        ("DescribeImages", False),
    ],
)
def test_only_parameters_that_could_not_be_read_may_use_images_of_other_regions(
    action: str, counts_elsewhere: bool
) -> None:
    unread = Evidence.unreadable(action, "denied")
    assert evidence_of(own("ami-1"), own("ami-new", 1), unread=(unread,)) == {
        ELSEWHERE: (unread,),
        REGION: (unread.with_region(ELSEWHERE),) * counts_elsewhere,
    }
