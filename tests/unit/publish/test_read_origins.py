# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images are read for the ages of images, and what a failed read leaves unknown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.model import ImageRef
from ansible_collections.golden.images.plugins.module_utils.publish.read_origins import read_origins
from ansible_collections.golden.images.plugins.module_utils.publish.state import Origin

from tests.unit.examples import OWNER, SOURCE_ID, SOURCE_REGION, target_in
from tests.unit.publish.account import (
    NEW,
    OLD,
    REGION,
    image,
)
from tests.unit.publish.examples import (
    ABROAD,
    found,
    parameter,
    version,
    wanted,
)
from tests.unit.wire import Wire

MAY, JUNE = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6))
ANOTHER = "ami-0000000000000000f"
COPY, PUBLISHED = ImageRef(REGION, NEW), ImageRef(REGION, OLD)
BOTH = {"named": {NEW: image(), OLD: image(OLD, tags={"golden.images:source": f"{SOURCE_REGION}/{ANOTHER}"})}}
UPDATED = found(parameter=parameter(version(1, OLD)), **BOTH)


@pytest.fixture
def ec2() -> Iterator[Wire]:
    with Wire("ec2").spoken() as wire:
        yield wire


class Opened:
    """Clients of one wire, and the regions that were opened."""

    def __init__(self, ec2: Wire) -> None:
        self.regions: list[str] = []
        self.clients: Any = SimpleNamespace(
            open=lambda _service, regions: self.regions.extend(regions), ec2=lambda _region: ec2.client
        )


def asked(*image_ids: str) -> dict[str, Any]:
    return {
        "Filters": [{"Name": "image-id", "Values": sorted(image_ids)}],
        "IncludeDisabled": True,
        "IncludeDeprecated": True,
        "MaxResults": 1000,
    }


def listed(image_id: str, moment: datetime, **changes: Any) -> dict[str, Any]:
    return {
        "ImageId": image_id,
        "OwnerId": OWNER,
        "State": "available",
        "CreationDate": moment.isoformat(),
        **changes,
    }


def test_the_sources_of_all_images_are_read_together(ec2: Wire) -> None:
    opened = Opened(ec2)
    sources = [listed(SOURCE_ID, JUNE), listed(ANOTHER, MAY)]
    ec2.expect("describe_images", asked(SOURCE_ID, ANOTHER), {"Images": sources})
    origins = read_origins(opened.clients, wanted(), OWNER, {target_in(): UPDATED})
    assert origins == {
        COPY: Origin(ImageRef(SOURCE_REGION, SOURCE_ID), JUNE, JUNE),
        PUBLISHED: Origin(ImageRef(SOURCE_REGION, ANOTHER), MAY, MAY),
    }
    assert opened.regions == [SOURCE_REGION]


def test_the_source_of_a_source_is_read_next(ec2: Wire) -> None:
    copied = listed(SOURCE_ID, JUNE, SourceImageId="ami-first", SourceImageRegion=SOURCE_REGION)
    ec2.expect("describe_images", asked(SOURCE_ID, ANOTHER), {"Images": [copied]})
    ec2.expect("describe_images", asked("ami-first"), {"Images": [listed("ami-first", MAY)]})
    origins = read_origins(Opened(ec2).clients, wanted(), OWNER, {target_in(): UPDATED})
    assert origins[COPY] == Origin(ImageRef(SOURCE_REGION, "ami-first"), MAY, MAY)
    unseen = origins[PUBLISHED]
    assert (unseen.created, unseen.problem) == (None, f"{ANOTHER} in {SOURCE_REGION} is not visible")


def test_an_image_of_which_another_account_sees_no_tags_is_read_as_its_owner(ec2: Wire) -> None:
    bare = {NEW: image(tags={}), OLD: image(OLD, tags={})}
    there = found(parameter=parameter(version(1, OLD)), named=bare)
    ec2.expect("describe_images", asked(NEW, OLD), {"Images": [listed(NEW, JUNE), listed(OLD, MAY)]})
    origins = read_origins(Opened(ec2).clients, wanted(), OWNER, {ABROAD: there})
    assert origins == {COPY: Origin(COPY, JUNE, JUNE), PUBLISHED: Origin(PUBLISHED, MAY, MAY)}


def test_what_cannot_be_read_is_unknown_with_the_reason(ec2: Wire) -> None:
    ec2.refuse("describe_images", asked(SOURCE_ID, ANOTHER), "UnauthorizedOperation")
    origins = read_origins(Opened(ec2).clients, wanted(), OWNER, {target_in(): UPDATED})
    assert {origin.created for origin in origins.values()} == {None}
    assert all(origin.problem and "not visible" not in origin.problem for origin in origins.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"publish_older": True},
        {"images": None, "regions": (REGION,), "source_image_id": SOURCE_ID},
    ],
    ids=["allowed", "rollback"],
)
def test_nothing_is_read_where_the_age_does_not_matter(ec2: Wire, changes: dict[str, Any]) -> None:
    opened = Opened(ec2)
    assert read_origins(opened.clients, wanted(**changes), OWNER, {target_in(): UPDATED}) == {}
    assert read_origins(opened.clients, wanted(), OWNER, {target_in(): found()}) == {}
    assert opened.regions == []


def test_a_bug_is_not_an_unknown_age() -> None:
    def broken(_region: str) -> Any:
        raise ZeroDivisionError

    clients: Any = SimpleNamespace(open=lambda _service, _regions: None, ec2=broken)
    with pytest.raises(ZeroDivisionError):
        read_origins(clients, wanted(), OWNER, {target_in(): UPDATED})
