# SPDX-License-Identifier: GPL-3.0-or-later

"""A release that was recalled is copied to no region, and its tag is not copied to an image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._copy.options import CopyOptions
from ansible_collections.golden.images.plugins.module_utils._copy.request import copy_request
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Image
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG, tag_map

from tests.unit.copy.account import OTHER_REGION, Run, World, aws_with, copied_to, into
from tests.unit.copy.examples import REGION
from tests.unit.examples import (
    CONSUMER,
    MARK,
    OWNER,
    SOURCE_ID,
    SOURCE_REGION,
    STRANGER,
    adopted_image,
    copied_image,
    source_image,
    target_in,
)

TIME = "2026-12-01T23:40:05Z"
RECALLED = {RECALLED_TAG: TIME}
ROLE = {"role": "web"}
BOTH = (REGION, OTHER_REGION)
EVERYWHERE = {"best_effort_regions": [*BOTH]}


def recalled(image: Image) -> Image:
    return replace(image, tags={**image.tags, **RECALLED})


def refused(done: Run) -> tuple[Failure, ...]:
    """The refusals of the reads, or of the plan, which tolerates none of them."""
    try:
        plan = done.plan
    except ValidationError as error:
        return error.failures
    assert plan.tolerated == ()
    return plan.refusals


@pytest.mark.parametrize("best_effort", [{}, EVERYWHERE])
def test_a_source_that_was_recalled_is_refused(best_effort: dict[str, Any]) -> None:
    (failure,) = refused(Run(copied_to(*BOTH, **best_effort), aws_with(recalled(source_image()))))
    assert (failure.error_code, failure.action) == ("image_recalled", "source_image_id")
    assert (failure.region, failure.account_id) == (SOURCE_REGION, OWNER)
    assert failure.message == f"{SOURCE_ID} was recalled at {TIME}."


def test_a_recalled_source_is_refused_however_it_is_selected() -> None:
    world = aws_with(recalled(source_image()))
    world.parameters = {"/golden/source": SOURCE_ID}
    for options in ({"source_parameter": "/golden/source"}, {"source_filters": {"name": "golden-*"}}):
        assert [one.error_code for one in refused(Run(copied_to(**options), world))] == ["image_recalled"]


@pytest.mark.parametrize(
    "images",
    [
        pytest.param([recalled(copied_image())], id="own"),
        pytest.param([recalled(copied_image(state="pending"))], id="pending"),
        pytest.param([recalled(copied_image(state="disabled"))], id="disabled since"),
        pytest.param([recalled(copied_image(state="failed"))], id="failed"),
        pytest.param([recalled(adopted_image())], id="not made by the collection"),
        pytest.param([copied_image("ami-newer"), recalled(copied_image())], id="beside another one"),
    ],
)
@pytest.mark.parametrize("best_effort", [{}, EVERYWHERE])
@pytest.mark.parametrize("owner", [OWNER, STRANGER])
def test_a_release_is_not_copied_again_if_a_copy_of_it_was_recalled(
    images: list[Image], best_effort: dict[str, Any], owner: str
) -> None:
    """The tags of another account's source are not visible."""
    world = aws_with(source_image(owner_id=owner), *((image, ()) for image in images))
    done = Run(copied_to(*BOTH, **best_effort), world)
    (failure,) = refused(done)
    assert (failure.error_code, failure.action) == ("image_recalled", "CopyImage")
    assert (failure.region, failure.account_id) == (REGION, OWNER)
    (target,) = (one for one in done.plan.targets if one.target.region == REGION)
    assert target.actions == ()


def test_a_copy_in_another_account_counts_there() -> None:
    world = aws_with(source_image())
    world.share(CONSUMER)
    world.ec2_of(CONSUMER, REGION).add((recalled(replace(copied_image(), owner_id=CONSUMER)), ()))
    (failure,) = refused(Run(into(CONSUMER), world))
    assert (failure.error_code, failure.account_id) == ("image_recalled", CONSUMER)
    assert failure.message.startswith(f"Account {CONSUMER}: ami-copy was recalled")


@pytest.mark.parametrize("best_effort", [{}, EVERYWHERE])
def test_of_sources_by_region_the_recalled_one_is_refused(best_effort: dict[str, Any]) -> None:
    world = World()
    for region, image in ((REGION, source_image()), (OTHER_REGION, recalled(source_image()))):
        world.ec2_of(OWNER, region).add((image, ()))
    each = {"source_images": dict.fromkeys(BOTH, SOURCE_ID), "source_region": None}
    (failure,) = refused(Run(into(CONSUMER, **each, **best_effort), world))
    assert (failure.error_code, failure.region) == ("image_recalled", OTHER_REGION)


def test_a_copy_does_not_inherit_the_tag() -> None:
    """Only a recall sets it; a source that has it when it is read is refused."""
    request = copy_request(
        CopyOptions(source_region=SOURCE_REGION, copy_tags=True),
        recalled(source_image(tags=ROLE)),
        target_in(),
        (),
    )
    tags = {one["ResourceType"]: tag_map(one["Tags"]) for one in request["TagSpecifications"]}
    assert tags == {"image": {**ROLE, **MARK}, "snapshot": MARK}
    # AWS copies all tags of the source if this is set (botocore shape CopyImageRequest).
    assert "CopyImageTags" not in request
