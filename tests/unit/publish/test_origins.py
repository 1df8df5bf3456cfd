# SPDX-License-Identifier: GPL-3.0-or-later

"""The original source of an image, and which of two images is older."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.model import Image, ImageRef, ImagesByTarget
from ansible_collections.golden.images.plugins.module_utils.publish.origins import (
    compare,
    compared_images,
    first_views,
    is_older,
    new_image,
    origin_of,
    published_image,
)
from ansible_collections.golden.images.plugins.module_utils.publish.state import Origin

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, SOURCE_REGION, target_in
from tests.unit.publish.account import (
    NAME,
    NEW,
    OLD,
    REGION,
    TEMPLATE,
    codes,
    image,
)
from tests.unit.publish.examples import (
    ABROAD,
    found,
    parameter,
    planned,
    seen,
    template,
    version,
    wanted,
)

SOURCE, OTHER = ImageRef(SOURCE_REGION, SOURCE_ID), ImageRef(SOURCE_REGION, "ami-0000000000000000f")
COPY = ImageRef(REGION, NEW)
MAY, JUNE, JULY = (datetime(2026, month, 1, 12, tzinfo=UTC) for month in (5, 6, 7))


def dated(ref: ImageRef, moment: datetime | None, **changes: Any) -> Image:
    """An image of this ID that was created then, by default no copy."""
    text = moment.isoformat() if moment else ""
    return image(ref.image_id, **{"tags": {}, "creation_date": text, **changes})


def test_the_source_of_a_copy_counts() -> None:
    views = {COPY: [image(creation_date=JULY.isoformat())], SOURCE: [dated(SOURCE, MAY)]}
    assert origin_of(COPY, views, {}) == Origin(SOURCE, MAY, MAY)
    assert origin_of(SOURCE, views, {}) == Origin(SOURCE, MAY, MAY)


def test_copies_of_copies_are_followed_by_what_aws_records() -> None:
    """(botocore shape Image: SourceImageId and SourceImageRegion.)"""
    recorded = {"source_image_id": OTHER.image_id, "source_region": OTHER.region}
    views = {
        COPY: [image(creation_date=JULY.isoformat())],
        SOURCE: [dated(SOURCE, JUNE, **recorded)],
        OTHER: [dated(OTHER, MAY)],
    }
    assert origin_of(COPY, views, {}) == Origin(OTHER, MAY, MAY)
    # Without a region, the source is in the same one.
    same = {COPY: [dated(COPY, JULY, source_image_id=OLD)], ImageRef(REGION, OLD): [dated(COPY, MAY)]}
    assert origin_of(COPY, same, {}) == Origin(ImageRef(REGION, OLD), MAY, MAY)


def test_the_tag_counts_before_what_aws_records() -> None:
    views = {COPY: [image(source_image_id=OLD)], SOURCE: [dated(SOURCE, MAY)]}
    assert origin_of(COPY, views, {}).ref == SOURCE
    wrong = {COPY: [dated(COPY, MAY, tags={"golden.images:source": "no-region"})]}
    assert origin_of(COPY, wrong, {}) == Origin(COPY, MAY, MAY)


def test_a_source_that_is_not_visible_is_not_younger_than_its_copy() -> None:
    views = {COPY: [image(creation_date=JULY.isoformat())]}
    unseen = origin_of(COPY, views, {})
    assert unseen == Origin(SOURCE, None, JULY, f"{SOURCE_ID} in {SOURCE_REGION} is not visible")
    assert origin_of(COPY, views, {SOURCE: "Denied."}).problem == "Denied."
    assert origin_of(COPY, {}, {}).not_after is None


def test_tags_in_a_circle_and_a_date_that_is_missing() -> None:
    views = {
        COPY: [dated(COPY, MAY, source_image_id=OLD)],
        ImageRef(REGION, OLD): [dated(ImageRef(REGION, OLD), JUNE, source_image_id=NEW)],
    }
    found = origin_of(COPY, views, {})
    assert (found.created, found.problem) == (None, f"the sources of {NEW} are a circle")
    undated = origin_of(COPY, {COPY: [dated(COPY, None)]}, {})
    assert (undated.created, undated.problem) == (None, f"AWS does not return when {NEW} was created")


@pytest.mark.parametrize(
    ("new", "published", "older"),
    [
        (Origin(SOURCE, MAY, MAY), Origin(OTHER, JUNE, JUNE), True),
        (Origin(SOURCE, JUNE, JUNE), Origin(OTHER, MAY, MAY), False),
        (Origin(SOURCE, MAY, MAY), Origin(OTHER, MAY, MAY), False),
        # The same source, of whatever age.
        (Origin(SOURCE), Origin(SOURCE, MAY, MAY), False),
        # A date that is not known has a limit: that of the oldest copy.
        (Origin(SOURCE, None, MAY), Origin(OTHER, JUNE, JUNE), True),
        (Origin(SOURCE, JULY, JULY), Origin(OTHER, None, JUNE), False),
        (Origin(SOURCE, None, JULY), Origin(OTHER, JUNE, JUNE), None),
        (Origin(SOURCE, MAY, MAY), Origin(OTHER, None, JUNE), None),
        (Origin(SOURCE, MAY, MAY), Origin(OTHER), None),
        (Origin(SOURCE), Origin(OTHER, MAY, MAY), None),
    ],
)
def test_which_one_is_older(new: Origin, published: Origin, older: bool | None) -> None:
    assert is_older(new, published) is older


def test_the_published_image_is_another_one_that_the_parameter_has() -> None:
    assert published_image(target_in(), found(parameter=parameter(version(1, OLD)))) == ImageRef(REGION, OLD)
    assert published_image(target_in(), found(parameter=parameter(version(1, NEW)))) is None
    assert published_image(target_in(), found(parameter=parameter(version(1, "text")))) is None
    # The image of a launch template may be anybody's, such as the one that the golden image was built from.
    assert published_image(target_in(), found(templates={TEMPLATE: template(OLD)})) is None


def test_images_whose_ages_matter() -> None:
    here = found(parameter=parameter(version(1, OLD)))
    assert list(compared_images(wanted(), {target_in(): here})) == [COPY, ImageRef(REGION, OLD)]
    assert list(compared_images(wanted(), {target_in(): found()})) == []
    # A planned copy is as old as its source, if that is known.
    unknown = found(image_id=None, image=None, parameter=parameter(version(1, OLD)))
    source = {"source_image_id": SOURCE_ID, "source_region": SOURCE_REGION}
    assert new_image(wanted(**source), target_in(), unknown) == SOURCE
    assert new_image(wanted(source_image_id=SOURCE_ID), target_in(), unknown) is None
    assert list(compared_images(wanted(), {target_in(): unknown})) == []


def test_a_view_without_tags_does_not_show_that_an_image_is_no_copy() -> None:
    bare = image(OLD, tags={})
    targets = {ABROAD: found(named={NEW: image(source_image_id=SOURCE_ID, tags={}), OLD: bare})}
    assert [*first_views(targets, OWNER)] == [COPY]
    assert [*first_views({ABROAD: found(named={OLD: image(OLD, tags={}, owner_id=CONSUMER)})}, OWNER)] == [
        ImageRef(REGION, OLD)
    ]
    assert [*first_views({target_in(): found(named={OLD: bare})}, OWNER)] == [ImageRef(REGION, OLD)]


def origins(new: Origin, published: Origin) -> dict[str, Any]:
    return {"origins": {COPY: new, ImageRef(REGION, OLD): published}}


def test_an_older_image_is_refused_and_both_are_named() -> None:
    here, want = found(parameter=parameter(version(1, OLD))), wanted()
    ages = origins(Origin(SOURCE, MAY, MAY), Origin(ImageRef(REGION, OLD), JUNE, JUNE))
    target = planned(want, here, **ages)
    (refusal,) = target.refusals
    assert refusal.error_code == "older_than_published"
    assert refusal.message == (
        f"{NEW} (a copy of {SOURCE_ID} in {SOURCE_REGION}, created 2026-05-01 12:00:00 UTC) is older than "
        f"{OLD} (created 2026-06-01 12:00:00 UTC), which {NAME} has."
    )
    assert "publish_older: true" in (refusal.remedy or "")
    assert codes([planned(want, here)]) == []
    newer = origins(Origin(SOURCE, JULY, JULY), Origin(ImageRef(REGION, OLD), JUNE, JUNE))
    assert (codes([planned(want, here, **newer)]), planned(want, here, **newer).warnings) == ([], ())


@pytest.mark.parametrize("problem", ["ami-1 is not visible", "ami-1 is not visible."])
def test_an_age_that_is_not_known_is_a_warning(problem: str) -> None:
    here = found(parameter=parameter(version(1, OLD)))
    ages = origins(Origin(SOURCE, None, JULY, problem), Origin(OTHER, JUNE, JUNE))
    target = planned(wanted(), here, **ages)
    assert target.refusals == ()
    (warning,) = target.warnings
    assert warning == (
        f"Whether {NEW} (a copy of {SOURCE_ID} in {SOURCE_REGION}, created 2026-07-01 12:00:00 UTC at the "
        f"latest) is older than {OLD} (a copy of {OTHER.image_id} in {SOURCE_REGION}, created 2026-06-01 "
        f"12:00:00 UTC), which {NAME} has, is not known: ami-1 is not visible."
    )


def test_nothing_is_compared_with_an_unknown_new_image() -> None:
    unknown = found(image_id=None, image=None, parameter=parameter(version(1, OLD)))
    want = wanted(images=ImagesByTarget({(None, REGION): None}))
    assert compare(want, seen(unknown), target_in()) is None
