# SPDX-License-Identifier: GPL-3.0-or-later

"""An image whose original source is older than that of the published one is not published unasked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Image

from tests.unit.examples import CONSUMER, SOURCE_ID, SOURCE_REGION
from tests.unit.publish.account import (
    BACK,
    LABEL,
    NAME,
    NEW,
    OLD,
    PLANNED,
    REGION,
    TEMPLATE,
    Account,
    account,
    codes,
    image,
    options,
    parameter,
    plan_of,
    run_on,
    template,
    version,
)

MAY, JUNE, JULY = ("2026-05-01T12:00:00.000Z", "2026-06-01T12:00:00.000Z", "2026-07-01T12:00:00.000Z")
FIRST = "ami-0000000000000000f"


def dated(moment: str, image_id: str = NEW, tag: str = "", **changes: Any) -> Image:
    """An image that was created then, by default no copy; ``tag`` names its source."""
    tags = {"golden.images:source": tag} if tag else {}
    return image(image_id, creation_date=moment, tags=tags, **changes)


def published(*there: Image, **changes: Any) -> Account:
    """An account whose parameter has the old image, and that sees these images."""
    here = {one.image_id: one for one in there}
    return account(image=here.pop(NEW, None), parameter=parameter(), named=here, **changes)


COPY, OF_FIRST = (f"{SOURCE_REGION}/{one}" for one in (SOURCE_ID, FIRST))
OLD_JUNE = dated(JUNE, OLD)
OLDER, UNKNOWN, FINE = "older", "unknown", "fine"
# What is seen, what is known, and how many reads of images it takes.
CASES: dict[str, tuple[list[Image], str, int]] = {
    "no copies, and older": ([dated(MAY), OLD_JUNE], OLDER, 1),
    "no copies, and newer": ([dated(JULY), OLD_JUNE], FINE, 1),
    "as old": ([dated(JUNE), OLD_JUNE], FINE, 1),
    "a new copy of an older source": ([dated(JULY, tag=COPY), dated(MAY, SOURCE_ID), OLD_JUNE], OLDER, 2),
    "both are copies": (
        [
            dated(JULY, tag=COPY),
            dated(MAY, SOURCE_ID),
            dated(JULY, OLD, tag=OF_FIRST),
            dated(JUNE, FIRST),
        ],
        OLDER,
        2,
    ),
    "a copy of a copy, as AWS records it": (
        [
            dated(JULY, tag=COPY),
            dated(JULY, SOURCE_ID, source_image_id=FIRST, source_region=SOURCE_REGION),
            dated(MAY, FIRST),
            OLD_JUNE,
        ],
        OLDER,
        3,
    ),
    "a copy in the same region": (
        [dated(JULY, source_image_id=FIRST), dated(MAY, FIRST), OLD_JUNE],
        OLDER,
        2,
    ),
    "the tag counts before what AWS records": (
        [dated(JULY, tag=COPY, source_image_id=FIRST), dated(MAY, SOURCE_ID), dated(JULY, FIRST), OLD_JUNE],
        OLDER,
        2,
    ),
    "a tag that names no source": ([dated(MAY, tag="no-region"), OLD_JUNE], OLDER, 1),
    "copies of the same source, which is not visible": (
        [dated(MAY, tag=COPY), dated(JUNE, OLD, tag=COPY)],
        FINE,
        2,
    ),
    # A date that is not known has a limit: that of the oldest copy.
    "the copy of an unseen source is older": ([dated(MAY, tag=COPY), OLD_JUNE], OLDER, 2),
    "the copy of an unseen source is newer": ([dated(JULY, tag=COPY), OLD_JUNE], UNKNOWN, 2),
    "newer than the copy of an unseen source": ([dated(JULY), dated(JUNE, OLD, tag=COPY)], FINE, 2),
    "older than the copy of an unseen source": ([dated(MAY), dated(JUNE, OLD, tag=COPY)], UNKNOWN, 2),
    "the published image is not visible": ([dated(MAY)], UNKNOWN, 2),
    "no date": ([dated(""), OLD_JUNE], UNKNOWN, 1),
    "sources in a circle": (
        [
            dated(JULY, source_image_id=FIRST),
            dated(JULY, FIRST, source_image_id=NEW),
            OLD_JUNE,
        ],
        UNKNOWN,
        2,
    ),
}


def known(here: Account, **given: Any) -> str:
    """What a run knows about the ages, in the only target."""
    target = plan_of(options(publish_older=False, **given), here)
    if codes([target]) == ["older_than_published"]:
        return OLDER
    assert target.refusals == ()
    return UNKNOWN if any(one.startswith("Whether") for one in target.warnings) else FINE


@pytest.mark.parametrize("case", CASES)
def test_which_image_is_older(case: str) -> None:
    there, expected, reads = CASES[case]
    here = published(*there)
    assert known(here) == expected
    assert here.calls.count("DescribeImages") == reads


UNREAD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "allowed": ({"publish_older": True}, {"parameter": parameter()}),
    "rollback": (BACK, {"parameter": parameter(version(1, NEW, LABEL), version(2, OLD))}),
    "new parameter": ({"publish_older": False}, {}),
    "already published": ({"publish_older": False}, {"parameter": parameter(version(1, NEW))}),
    "another kind of parameter": ({"publish_older": False}, {"parameter": parameter(version(1, "text"))}),
    # The image of a launch template may be anybody's, such as the one that the golden image was built from.
    "a template's image": (
        {"publish_older": False, "launch_templates": [TEMPLATE]},
        {"templates": {TEMPLATE: template()}},
    ),
    "a planned copy of an image that was not named": (
        {"publish_older": False, **PLANNED, "source_image_id": SOURCE_ID},
        {"parameter": parameter()},
    ),
}


@pytest.mark.parametrize("case", UNREAD)
def test_sources_are_not_read_where_the_age_does_not_matter(case: str) -> None:
    want, here = UNREAD[case]
    there = account(named={OLD: dated(JUNE, OLD, tag=OF_FIRST)}, **here)
    target = plan_of(options(**want), there)
    assert (target.refusals, target.warnings) == ((), ())
    assert there.calls.count("DescribeImages") == 1


@pytest.mark.parametrize(("moment", "expected"), [(MAY, OLDER), (JULY, FINE)])
def test_a_planned_copy_is_as_old_as_its_source(moment: str, expected: str) -> None:
    source = dated(moment, SOURCE_ID)
    here = account(image=None, parameter=parameter(), named={OLD: OLD_JUNE, SOURCE_ID: source}, source=source)
    assert known(here, **PLANNED, source_image_id=SOURCE_ID) == expected


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (dated(JULY), OLDER),
        (dated(JULY, owner_id=CONSUMER), FINE),
        (dated(JULY, source_image_id=SOURCE_ID, source_region=SOURCE_REGION), OLDER),
    ],
    ids=["shared, without its tags", "a copy of its own", "what AWS records"],
)
def test_a_view_without_tags_does_not_show_that_an_image_is_no_copy(view: Image, expected: str) -> None:
    here = published(
        dated(JULY, tag=COPY), dated(MAY, SOURCE_ID), OLD_JUNE, consumer=published(view, OLD_JUNE)
    )
    images = [{"account_id": CONSUMER, "region": REGION, "image_id": NEW}]
    assert known(here, images=images, consumer_role_name="golden-consumer") == expected


def test_an_older_image_is_refused_and_both_are_named() -> None:
    here = published(dated(JULY, tag=COPY), dated(MAY, SOURCE_ID), OLD_JUNE)
    (refusal,) = plan_of(options(publish_older=False), here).refusals
    assert refusal.message == (
        f"{NEW} (a copy of {SOURCE_ID} in {SOURCE_REGION}, created 2026-05-01 12:00:00 UTC) is older than "
        f"{OLD} (created 2026-06-01 12:00:00 UTC), which {NAME} has."
    )
    assert "publish_older: true" in (refusal.remedy or "")


@pytest.mark.parametrize(
    ("there", "answers", "problem"),
    [
        ([dated(JULY, tag=COPY)], [], f"{SOURCE_ID} in {SOURCE_REGION} is not visible."),
        ([dated(JULY, tag=COPY)], [None, "UnauthorizedOperation"], "No."),
        (
            [dated(JULY, tag=COPY), dated("", SOURCE_ID)],
            [],
            f"AWS does not return when {SOURCE_ID} was created.",
        ),
    ],
)
def test_an_age_that_is_not_known_is_a_warning_with_the_reason(
    there: list[Image], answers: list[Any], problem: str
) -> None:
    here = published(*there, OLD_JUNE, answers={"DescribeImages": answers})
    (warning,) = plan_of(options(publish_older=False), here).warnings
    assert warning == (
        f"Whether {NEW} (a copy of {SOURCE_ID} in {SOURCE_REGION}, created 2026-07-01 12:00:00 UTC at the "
        f"latest) is older than {OLD} (created 2026-06-01 12:00:00 UTC), which {NAME} has, is not known: "
        f"{problem}"
    )


def test_sources_in_a_circle_are_named() -> None:
    there, _expected, _reads = CASES["sources in a circle"]
    (warning,) = plan_of(options(publish_older=False), published(*there)).warnings
    assert warning.endswith(f"is not known: the sources of {NEW} are a circle.")


@dataclass
class Broken(Account):
    """An account whose source region has a bug."""

    def ec2(self, region: str) -> Any:
        if region == SOURCE_REGION:
            raise ZeroDivisionError
        return super().ec2(region)


def test_a_bug_is_not_an_unknown_age() -> None:
    here = Broken(image=dated(JULY, tag=COPY), parameter=parameter(), named={OLD: OLD_JUNE})
    with pytest.raises(ZeroDivisionError):
        assert run_on(options(publish_older=False), here).seen
