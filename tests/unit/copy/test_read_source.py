# SPDX-License-Identifier: GPL-3.0-or-later

"""Which image is the source of ``ami_copy_regions``, and the refusals if there is none."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Image, Snapshot

from tests.unit.copy.account import Run, World, copied_to
from tests.unit.examples import OWNER, SOURCE_ID, SOURCE_REGION, STRANGER, source_image, volumes


def image(image_id: str, created: str = "2026-01-01", **changes: Any) -> Image:
    """An image of this name and creation date, by default an available one of the owner."""
    return source_image(
        **{"image_id": image_id, "name": "g", "creation_date": created, "devices": (), **changes}
    )


def world_with(*images: Image) -> World:
    """An account that sees these images in the region of the source."""
    world = World()
    world.ec2_of(OWNER, SOURCE_REGION).add(*((one, ()) for one in images))
    return world


def source(world: World, **options: Any) -> Any:
    """The ID of the source, by default of the image that the name finds."""
    options = {"source_filters": {"name": "g"}, **options}
    return Run(copied_to(SOURCE_REGION, **options), world, check_mode=True).result["source_image_id"]


def refused(world: World, *regions: str, **options: Any) -> tuple[Failure, ...]:
    """The refusals, by default of the image ``SOURCE_ID``."""
    with pytest.raises(ValidationError) as caught:
        _ = Run(copied_to(*(regions or [SOURCE_REGION]), **options), world).seen
    assert all(failure.remedy for failure in caught.value.failures)
    return tuple(caught.value.failures)


def test_several_values_of_a_filter() -> None:
    world = world_with(image("ami-1", name="a"), image("ami-2", name="b"), image("ami-3", "2027", name="c"))
    assert source(world, source_filters={"name": ["a", "b"]}) == "ami-2"


def test_the_newest_usable_match_of_the_owners_is_the_source() -> None:
    world = world_with(
        image("ami-old", "2026-01-01"),
        image("ami-new", "2026-03-01", owner_id=STRANGER),
        image("ami-newer", "2026-04-01", state="failed"),
        image("ami-newest", "2026-05-01", state="disabled"),
    )
    assert source(world, source_owners=[STRANGER, "self"]) == "ami-new"
    assert source(world, source_owners=[STRANGER]) == "ami-new"
    assert source(world) == "ami-old"


def test_a_pending_match_is_newer_and_not_available() -> None:
    world = world_with(image("ami-old", "2026-01-01"), image("ami-new", "2026-03-01", state="pending"))
    (failure,) = refused(world, source_filters={"name": "g"})
    assert failure.message.startswith(f"The source image ami-new in {SOURCE_REGION} is pending")


PAST, FUTURE = "2026-01-01T00:00:00.000Z", "9999-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("changes", "chosen"),
    [
        pytest.param({"owner_id": STRANGER, "deprecation_time": PAST}, False, id="by its owner"),
        pytest.param({"owner_id": STRANGER, "deprecation_time": FUTURE}, True, id="later"),
        pytest.param({"owner_id": STRANGER}, True, id="never"),
        pytest.param({"deprecation_time": PAST}, True, id="own"),
    ],
)
def test_an_image_that_another_owner_has_deprecated_is_not_the_source(
    changes: dict[str, Any], chosen: bool
) -> None:
    """DescribeImages leaves it out by default (botocore shape DescribeImagesRequest, IncludeDeprecated)."""
    world = world_with(image("ami-old", "2025-01-01"), image("ami-new", "2026-03-01", **changes))
    assert source(world, source_owners=["self", STRANGER]) == ("ami-new" if chosen else "ami-old")


def test_if_all_matches_are_deprecated_by_their_owner_the_newest_is_named() -> None:
    world = world_with(
        *(
            image(f"ami-{day}", f"2026-03-0{day}", owner_id=STRANGER, deprecation_time=PAST)
            for day in (1, 3, 2)
        )
    )
    (failure,) = refused(world, source_filters={"name": "g"}, source_owners=[STRANGER])
    assert (failure.error_code, failure.action) == ("invalid_option", "source_filters")
    assert f"the newest, ami-3, since {PAST}" in failure.message
    assert "source_image_id: ami-3" in failure.remedy


@pytest.mark.parametrize("state", ["available", "disabled"])
def test_a_copy_of_another_match_is_not_the_source(state: str) -> None:
    def copy_of(place: str) -> dict[str, str]:
        return {"golden.images:source": place}

    world = world_with(
        image("ami-0a", "2026-01-01", tags=copy_of("eu-west-1/ami-1")),
        image("ami-0b", "2026-01-02", tags=copy_of(f"{SOURCE_REGION}/ami-0")),
        image("ami-1", "2026-01-03", state=state),
        image("ami-1-copy", "2026-01-04", tags=copy_of(f"{SOURCE_REGION}/ami-1")),
    )
    found = source(world, source_filters={"name": "g*"})
    assert found == ("ami-1" if state == "available" else "ami-0b")


def test_no_match_is_refused() -> None:
    (failure,) = refused(world_with(image("ami-1", name="other")), source_filters={"name": "g"})
    assert (failure.error_code, failure.action) == ("invalid_option", "source_filters")
    assert f"no image owned by self matches in {SOURCE_REGION}" in failure.message


def test_an_invisible_image_is_refused() -> None:
    world = world_with()
    (failure,) = refused(world)
    assert (failure.error_code, failure.action) == ("invalid_option", "source_image_id")
    world.ec2_of(OWNER, SOURCE_REGION).refuse["DescribeImages"] = "InvalidAMIID.NotFound"
    assert refused(world) == (failure,)


NAME = "/golden/web"
NAMED = {"source_parameter": NAME}


def named_by(value: str, *images: Image) -> World:
    """An account with these images, and this value of the parameter."""
    world = world_with(*images)
    world.parameters = {NAME: value}
    return world


def test_a_parameter_names_the_source() -> None:
    world = named_by(SOURCE_ID, image(SOURCE_ID))
    done = Run(copied_to(**NAMED), world)
    assert done.operations == ["CopyImage"]
    assert done.result["source_image_id"] == SOURCE_ID


def test_a_parameter_that_names_no_image_is_refused_beside_regions() -> None:
    of_region, of_parameter = refused(world_with(), SOURCE_REGION, "eu-west-9", **NAMED)
    assert (of_region.action, of_parameter.action) == ("regions", "source_parameter")
    assert f"source_parameter: {NAME} in {SOURCE_REGION} does not exist" in of_parameter.message


def test_the_value_of_another_kind_is_refused_and_not_shown() -> None:
    (failure,) = refused(named_by("hunter2"), **NAMED)
    assert "has a value that is not an AMI ID" in failure.message
    assert "hunter2" not in str(failure)


def test_an_invisible_image_of_a_parameter_is_refused() -> None:
    (failure,) = refused(named_by(SOURCE_ID), **NAMED)
    assert f"source_parameter: {NAME} names {SOURCE_ID}, which account {OWNER}" in failure.message


def test_a_denied_read_of_the_parameter_names_its_operation() -> None:
    world = world_with()
    world.parameters = None
    (failure,) = refused(world, **NAMED)
    assert (failure.error_code, failure.action) == ("AccessDeniedException", "GetParameter")


def test_a_denied_read_of_the_source_names_its_region() -> None:
    world = world_with()
    world.ec2_of(OWNER, SOURCE_REGION).refuse["DescribeImages"] = "UnauthorizedOperation"
    (failure,) = refused(world)
    assert (failure.error_code, failure.action) == ("UnauthorizedOperation", "DescribeImages")
    assert failure.message.startswith(f"The source could not be read in {SOURCE_REGION}: ")


def test_another_accounts_image_with_invisible_snapshots_is_refused() -> None:
    foreign = source_image(owner_id=STRANGER, devices=volumes("snap-a", "snap-b"))
    world = World()
    world.ec2_of(OWNER, SOURCE_REGION).add((foreign, [Snapshot("snap-a", "completed", 100)]))
    (failure,) = refused(world)
    assert failure.error_code == "missing_volume_permission"
    assert "snap-b" in failure.message
    assert "snap-a" not in failure.message


def test_invalid_regions_and_sources_are_reported_together() -> None:
    failures = refused(world_with(source_image(state="pending")), SOURCE_REGION, "eu-west-9")
    assert [one.action for one in failures] == ["regions", "source_image_id"]
