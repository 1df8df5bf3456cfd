# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the owner's images are a release, and which release an image is of that an account uses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._adoption.releases import (
    find_origin,
    find_source,
    list_sources,
    worst_severity,
)
from ansible_collections.golden.images.plugins.module_utils._adoption.state import Origin
from ansible_collections.golden.images.plugins.module_utils._adoption.trace import list_untraced, trace
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, ScanResults
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG

from tests.unit.adoption.examples import (
    CONSUMER,
    EU,
    MIDDLE,
    NEW,
    NEW_US,
    OF_AMAZON,
    OLD,
    OLD_US,
    OTHER_CONSUMER,
    OWNER,
    US,
    WATERMARK,
    ago,
    catalog,
    marked,
    options,
    own,
    three_releases,
    used,
)

COPY, COPY_OF_COPY, GONE = (
    ImageRef(EU, "ami-000000c1"),
    ImageRef(US, "ami-000000c2"),
    ImageRef(EU, "ami-0000dead"),
)


def test_copies_of_one_image_are_one_release() -> None:
    found = catalog().releases
    assert [(one.ref, one.images) for one in found] == [
        (NEW, (NEW, NEW_US)),
        (MIDDLE, (MIDDLE,)),
        (OLD, (OLD, OLD_US)),
    ]
    assert [one.created for one in found] == [ago(days=2), ago(days=30), ago(days=90)]
    assert {one.family for one in found} == {"web"}


def test_a_release_without_its_first_image() -> None:
    """The copies that are left name it, and so does an instance of it that still runs."""
    images = three_releases()
    del images[OLD]
    found = catalog(images)
    assert found.releases[-1].ref == OLD
    assert found.release_of[OLD].images == (OLD_US,)


def test_the_tag_of_a_copy_tells_its_source_where_aws_does_not() -> None:
    tags = {"family": "web", "golden.images:source": f"{EU}/{NEW.image_id}"}
    found = catalog({**three_releases(), NEW_US: own(NEW_US.image_id, 1, tags=tags)})
    assert found.release_of[NEW_US].ref == NEW


def test_an_image_made_from_an_instance_of_an_earlier_release_is_a_release_of_its_own() -> None:
    found = catalog({**three_releases(), NEW: own(NEW.image_id, 2, base=MIDDLE)})
    assert found.releases[0].ref == NEW


@pytest.mark.parametrize(
    ("given", "families"),
    [
        ({"family_tag": "family"}, {"web", "db"}),
        ({"family_tag": "family", "families": ("db",)}, {"db"}),
        ({"family_tag": None, "family_name_pattern": "(web)-.*"}, {"web"}),
        ({"family_tag": None, "family_watermark": WATERMARK}, {WATERMARK}),
        ({"family_tag": None, "family_by_source": True}, {f"{EU}/{NEW.image_id}", f"{US}/ami-0000dddd"}),
        ({"family_tag": "no-such-tag"}, set()),
    ],
)
def test_what_gives_a_family(given: dict[str, Any], families: set[str]) -> None:
    images = {
        NEW: own(NEW.image_id, 2, watermarks=(marked(NEW),)),
        ImageRef(US, "ami-0000dddd"): own("ami-0000dddd", 2, name="db-1", tags={"family": "db"}),
    }
    assert {one.family for one in catalog(images, **given).releases} == families


@pytest.mark.parametrize(
    ("changes", "withdrawn"),
    [
        ({}, ""),
        ({"state": "disabled"}, "disabled"),
        ({"deprecation_time": "2026-11-24T11:59:00.000Z"}, "deprecated"),
        ({"deprecation_time": "2026-11-25T00:00:00.000Z"}, ""),
    ],
)
def test_a_release_is_withdrawn_with_its_last_image(changes: dict[str, str], withdrawn: str) -> None:
    found = catalog(three_releases(new=changes))
    assert found.releases[0].withdrawn == withdrawn
    assert [one.ref for one in found.newer(found.release_of[OLD])] == [*([] if withdrawn else [NEW]), MIDDLE]
    one_left = {**three_releases(new=changes), NEW_US: own(NEW_US.image_id, 1, NEW)}
    assert catalog(one_left).releases[0].withdrawn == ""


def test_a_release_is_recalled_with_its_first_image() -> None:
    recalled = {"tags": {"family": "web", RECALLED_TAG: "2026-11-24T10:00:00Z"}, "state": "disabled"}
    images = {**three_releases(new=recalled), NEW_US: own(NEW_US.image_id, 1, NEW)}
    assert catalog(images).releases[0].withdrawn == "recalled"


@pytest.mark.parametrize("state", ["pending", "failed", "error", "invalid"])
def test_an_image_that_could_never_be_launched_is_no_release(state: str) -> None:
    assert catalog(three_releases(new={"state": state})).releases[0].ref == MIDDLE


def test_a_release_without_a_date_is_the_oldest() -> None:
    images = {NEW: own(NEW.image_id, 2), OLD: own(OLD.image_id, 90)}
    undated = {**images, OLD: type(images[OLD])(images[OLD].image, None)}
    found = catalog(undated)
    assert [one.ref for one in found.newer(found.release_of[OLD])] == [NEW]
    assert found.newer(found.release_of[NEW]) == ()


def test_the_worst_severity_of_inspector() -> None:
    scan = ScanResults(highest_severity="Medium"), ScanResults(highest_severity="CRITICAL")
    images = {
        NEW: own(NEW.image_id, 2, scan=scan[0]),
        NEW_US: own(NEW_US.image_id, 1, NEW, scan=scan[1]),
        OLD: own(OLD.image_id, 90, scan=ScanResults()),
    }
    assert [one.severity for one in catalog(images).releases] == ["CRITICAL", None]
    assert worst_severity(["LOW", "SOMETHING_NEW"]) == "SOMETHING_NEW"


@pytest.mark.parametrize(
    ("image", "origins", "given", "expected"),
    [
        pytest.param({"ref": NEW}, {}, {}, ("release", NEW), id="own image of the owner"),
        pytest.param({"ref": OLD_US}, {}, {}, ("release", OLD), id="copy of the owner"),
        pytest.param(
            {"ref": COPY, "owner_id": CONSUMER}, {COPY: OLD}, {}, ("release", OLD), id="copy of the account"
        ),
        pytest.param(
            {"ref": COPY_OF_COPY, "owner_id": CONSUMER},
            {COPY_OF_COPY: COPY, COPY: OLD_US},
            {},
            ("release", OLD),
            id="copy of a copy",
        ),
        pytest.param(
            {"ref": GONE, "owner_id": CONSUMER, "watermarks": (marked(MIDDLE),)},
            {},
            {},
            ("release", MIDDLE),
            id="watermark of a release",
        ),
        pytest.param(
            {"ref": GONE, "owner_id": CONSUMER, "watermarks": (marked(MIDDLE, days=30), marked(NEW))},
            {},
            {},
            ("release", NEW),
            id="made from a release that was made from another one",
        ),
        pytest.param(
            {"ref": GONE, "owner_id": CONSUMER, "watermarks": (marked(GONE, days=200),)},
            {},
            {"family_watermark": WATERMARK},
            ("release", GONE),
            id="watermark of the family, whose release is gone",
        ),
        pytest.param(
            {"ref": GONE, "owner_id": CONSUMER, "watermarks": (marked(GONE, key="111122223333:other"),)},
            {},
            {"family_watermark": WATERMARK},
            ("unknown_origin", None),
            id="watermark of another family",
        ),
        pytest.param(
            {"ref": GONE, "name": "web-0", "created": ago(days=200)},
            {},
            {"family_tag": None, "family_name_pattern": "(web)-.*"},
            ("release", GONE),
            id="deregistered by the owner, with the name of the family",
        ),
        pytest.param({"ref": GONE}, {}, {}, ("unknown_release", None), id="deregistered by the owner"),
        pytest.param(
            {"ref": GONE, "owner_id": CONSUMER},
            {},
            {},
            ("unknown_origin", None),
            id="deregistered by the account",
        ),
        pytest.param(
            {"ref": COPY, "owner_id": CONSUMER},
            {COPY: GONE},
            {},
            ("unknown_origin", None),
            id="copy of an image that is gone",
        ),
        pytest.param(
            {"ref": COPY, "owner_id": CONSUMER},
            {},
            {},
            ("unknown_origin", None),
            id="imported by the account",
        ),
        pytest.param({"ref": GONE, **OF_AMAZON}, {}, {}, ("other", None), id="of somebody else"),
    ],
)
def test_the_release_of_a_used_image(
    image: dict[str, Any], origins: dict[ImageRef, ImageRef | None], given: dict[str, Any], expected: Any
) -> None:
    families = options(**given).forms_families
    found = trace(used(**image), CONSUMER, catalog(**given), origins, families)
    assert (found.standing, found.release and found.release.ref) == expected


def test_an_image_of_the_owner_of_no_family_is_another_one() -> None:
    ref = ImageRef(EU, "ami-0000eeee")
    images = {**three_releases(), ref: own("ami-0000eeee", 3, tags={})}
    found = trace(used(ref), CONSUMER, catalog(images), {}, options().forms_families)
    assert found.standing == "other"


@pytest.mark.parametrize(
    ("image", "origins", "tagged", "expected"),
    [
        pytest.param({"owner_id": CONSUMER}, {COPY: NEW}, (), (NEW, "ancestry"), id="copy"),
        pytest.param(
            {"owner_id": CONSUMER},
            {COPY: COPY_OF_COPY, COPY_OF_COPY: NEW},
            (),
            (NEW, "ancestry"),
            id="copy of a copy",
        ),
        pytest.param({"owner_id": CONSUMER}, {COPY: NEW}, (COPY,), (NEW, "tag"), id="tagged"),
        pytest.param(
            {"owner_id": CONSUMER},
            {COPY: COPY_OF_COPY, COPY_OF_COPY: NEW},
            (COPY_OF_COPY,),
            (NEW, "tag"),
            id="copy of a tagged one",
        ),
        pytest.param({"owner_id": CONSUMER}, {COPY: GONE}, (), (GONE, "ancestry"), id="copy of what is gone"),
        pytest.param(
            {"owner_id": CONSUMER, "watermarks": (marked(OLD, days=9), marked(NEW, days=2))},
            {},
            (),
            (NEW, "watermark"),
            id="newest watermark",
        ),
        pytest.param(
            {"owner_id": CONSUMER, "watermarks": (marked(OLD, days=9), marked(GONE, days=2))},
            {COPY: NEW},
            (COPY,),
            (OLD, "watermark"),
            id="watermark before tag",
        ),
        # A fix that was built from an instance of the release keeps its watermark.
        pytest.param(
            {"owner_id": CONSUMER, "watermarks": (marked(OLD, days=9),)},
            {COPY: NEW},
            (),
            (NEW, "ancestry"),
            id="ancestry before watermark",
        ),
        # It may be such a fix that is deregistered, or is in a region that was not read.
        pytest.param(
            {"owner_id": CONSUMER, "watermarks": (marked(OLD, days=9),)},
            {COPY: GONE},
            (),
            (GONE, "ancestry"),
            id="ancestry that is not known before watermark",
        ),
        pytest.param({"owner_id": CONSUMER}, {}, (), None, id="imported"),
        pytest.param({"owner_id": OTHER_CONSUMER}, {COPY: NEW}, (), None, id="of another account"),
        pytest.param({"owner_id": OWNER}, {COPY: NEW}, (), None, id="of the owner"),
    ],
)
def test_what_an_accounts_own_image_comes_from(
    image: dict[str, Any],
    origins: dict[ImageRef, ImageRef | None],
    tagged: tuple[ImageRef, ...],
    expected: Any,
) -> None:
    families = options().forms_families
    found = trace(used(COPY, **image), CONSUMER, catalog(), origins, families, tagged=tagged).origin
    assert (found and (found.ref, found.evidence)) == expected


def test_only_what_aws_records_is_more_than_a_tag() -> None:
    tag = {"golden.images:source": f"{EU}/{GONE.image_id}"}
    bare = own(COPY.image_id, 1, tags=tag)
    for image, expected in (
        (bare, Origin(GONE, "tag")),
        (replace(bare, base=NEW), Origin(NEW, "ancestry")),
        (own(COPY.image_id, 1, NEW, tags=tag), Origin(NEW, "ancestry")),
        (own(COPY.image_id, 1, tags={}), None),
    ):
        assert find_source(image) == expected


def test_origins_in_a_circle_end() -> None:
    origins: dict[ImageRef, ImageRef | None] = {COPY: COPY_OF_COPY, COPY_OF_COPY: COPY}
    use = used(COPY, owner_id=CONSUMER)
    assert trace(use, CONSUMER, catalog(), origins, options().forms_families).standing == "unknown_origin"


def test_only_images_that_may_be_of_the_account_are_read_next() -> None:
    uses = [
        used(NEW),
        used(GONE, owner_id=OWNER),
        used(GONE, **OF_AMAZON),
        used(COPY, owner_id=CONSUMER),
        used(COPY_OF_COPY, owner_id=""),
        used(PUBLIC, owner_id=OTHER_CONSUMER, is_public=True),
    ]
    assert list_untraced(uses, CONSUMER, catalog(), {}) == (COPY, COPY_OF_COPY)
    assert list_untraced(uses, CONSUMER, catalog(), {COPY: GONE, COPY_OF_COPY: NEW_US}) == (GONE,)
    assert list_untraced(uses, CONSUMER, catalog(), {COPY: None, COPY_OF_COPY: None}) == ()


PUBLIC = ImageRef(EU, "ami-0000f00d")


def of_public() -> dict[ImageRef, Any]:
    """Releases of which the newest is a copy of a public image."""
    return {**three_releases(), NEW: own(NEW.image_id, 2, PUBLIC)}


@pytest.mark.parametrize("foreign", [(), (PUBLIC,)])
@pytest.mark.parametrize(
    ("image", "origins", "standings"),
    [
        pytest.param({"ref": PUBLIC, **OF_AMAZON}, {}, {"other"}, id="the source itself"),
        pytest.param({"ref": PUBLIC, **OF_AMAZON}, {PUBLIC: None}, {"other"}, id="the source, read"),
        pytest.param({"ref": COPY, "owner_id": CONSUMER}, {COPY: PUBLIC, PUBLIC: None}, {"other"}, id="copy"),
        pytest.param(
            {"ref": COPY, "owner_id": CONSUMER}, {COPY: PUBLIC}, {"unknown_origin"}, id="copy of what is gone"
        ),
        pytest.param({"ref": COPY, "owner_id": CONSUMER}, {COPY: NEW}, {"release"}, id="copy of the release"),
    ],
)
def test_the_image_of_somebody_else_that_a_release_was_copied_from_is_not_the_release(
    image: dict[str, Any], origins: Any, standings: set[str], foreign: tuple[ImageRef, ...]
) -> None:
    found = trace(used(**image), CONSUMER, catalog(of_public(), foreign), origins, options().forms_families)
    assert {found.standing} == standings


def test_sources_that_the_owner_does_not_have_are_looked_up() -> None:
    assert list_sources(of_public(), options().forms_families) == (PUBLIC,)
    assert list_sources(of_public(), options(families=("db",)).forms_families) == ()


def test_a_source_of_somebody_else_is_no_image_of_the_release() -> None:
    assert PUBLIC in catalog(of_public()).release_of
    assert PUBLIC not in catalog(of_public(), (PUBLIC,)).release_of
    assert catalog(of_public(), (PUBLIC,)).release_of[NEW].images == (NEW, NEW_US)


def test_a_launch_of_the_source_of_a_release_is_read_next() -> None:
    """Only the account's view tells whether a source that the owner cannot see is somebody else's."""
    assert list_untraced([used(PUBLIC, owner_id="")], CONSUMER, catalog(of_public()), {}) == (PUBLIC,)


@pytest.mark.parametrize(
    ("copy", "foreign", "created"),
    [
        pytest.param({}, (), None, id="nothing has the date"),
        pytest.param({"watermarks": (marked(OLD, days=90),)}, (), ago(days=90), id="watermark"),
        pytest.param({"watermarks": (marked(MIDDLE, days=30),)}, (), None, id="watermark of another image"),
        pytest.param(
            {"tags": {"family": "web", "golden.images:origin-created": "2026-08-26T12:00:00Z"}},
            (),
            ago(days=90),
            id="tag of the cleanup",
        ),
        pytest.param({}, (OLD,), ago(days=1), id="copy of somebody else's image"),
        pytest.param(
            {
                "source_image_id": None,
                "source_region": None,
                "tags": {"family": "web", "golden.images:source": f"{EU}/{OLD.image_id}"},
            },
            (),
            None,
            id="only a tag names the first image",
        ),
    ],
)
def test_the_date_of_a_release_whose_first_image_is_gone(
    copy: dict[str, Any], foreign: tuple[ImageRef, ...], created: Any
) -> None:
    (found,) = catalog({OLD_US: own(OLD_US.image_id, 1, OLD, **copy)}, foreign).releases
    assert found.created == created


def test_an_image_of_the_owner_s_other_family_is_not_the_release_that_its_watermark_is_of() -> None:
    web = ImageRef(EU, "ami-0000eeee")
    watermarks = (marked(OLD),)
    images = {**three_releases(), web: own("ami-0000eeee", 3, tags={"family": "db"}, watermarks=watermarks)}
    released, families = catalog(images, families=("web",)), options(families=("web",)).forms_families
    for use, origins in (
        (used(web, watermarks=watermarks), {}),
        (used(COPY, owner_id=CONSUMER, watermarks=watermarks), {COPY: web}),
    ):
        assert trace(use, CONSUMER, released, origins, families).standing == "other"


@pytest.mark.parametrize(
    ("image", "account_ids", "standing"),
    [
        ({"owner_id": OTHER_CONSUMER}, (CONSUMER, OTHER_CONSUMER), "unknown_origin"),
        ({"owner_id": OTHER_CONSUMER}, (CONSUMER,), "unknown_origin"),
        ({"owner_id": OTHER_CONSUMER, "is_public": True}, (CONSUMER, OTHER_CONSUMER), "unknown_origin"),
        ({"owner_id": OTHER_CONSUMER, "is_public": True}, (CONSUMER,), "other"),
        ({"owner_id": OTHER_CONSUMER, "alias": "aws-backup-vault"}, (CONSUMER,), "unknown_origin"),
        ({"owner_id": OTHER_CONSUMER, "alias": "aws-marketplace"}, (CONSUMER,), "other"),
        (OF_AMAZON, (CONSUMER, OTHER_CONSUMER), "other"),
    ],
)
def test_an_image_that_another_account_shares(
    image: dict[str, Any], account_ids: tuple[str, ...], standing: str
) -> None:
    """A copy of a release may be what this account runs, whether the one that made it is listed or not."""
    given = options(account_ids=account_ids)
    found = trace(used(GONE, **image), CONSUMER, catalog(), {}, given.forms_families, given.account_ids)
    assert found.standing == standing


TAGGED = {"golden.images:source": f"{EU}/{NEW.image_id}"}


@pytest.mark.parametrize(
    ("image", "origin"),
    [
        pytest.param({"source": OLD, "tags": TAGGED}, OLD, id="a copy"),
        pytest.param({"base": OLD, "tags": TAGGED}, OLD, id="made from an instance"),
        pytest.param({"tags": TAGGED}, NEW, id="AWS recorded nothing"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_what_aws_recorded_goes_before_a_tag_that_anybody_can_set(
    image: dict[str, Any], origin: ImageRef | None
) -> None:
    assert find_origin(own(COPY.image_id, 1, **image), with_instances=True) == origin
    copied_from = None if "base" in image else origin
    assert find_origin(own(COPY.image_id, 1, **image), with_instances=False) == copied_from
