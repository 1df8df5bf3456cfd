# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images belong together, and which are the latest."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.families import (
    LONGEST_KEY,
    ORIGIN_CREATED_TAG,
    ORIGIN_IMAGE_TAG,
    ORIGIN_NAME_TAG,
    ORIGIN_TAG_PREFIX,
    FamilyBy,
    block_until_tagged,
    find_families,
    find_family_of_name,
    find_latest,
    list_inherited_tags,
    warn_of_unmatched_options,
)
from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import render_time
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import OwnImage
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef

from tests.unit.cleanup.examples import own

HERE, THERE = "eu-west-1", "us-east-1"
BY_TAG = FamilyBy(tag="family")
BY_NAME = FamilyBy(name_pattern=re.compile(r"(\w+)-[0-9.]+"))
BY_SOURCE = FamilyBy(source=True)
KEEPS_FAMILY = {ORIGIN_TAG_PREFIX + "family": "web"}


def copy_of(image_id: str, source: str, region: str = HERE, **changes: Any) -> OwnImage:
    """A copy without a family's tag and with a name of its own."""
    return own(
        image_id, **{"tags": {}, "name": "x", "source_image_id": source, "source_region": region, **changes}
    )


def placed(here: list[OwnImage], there: list[OwnImage] | None = None) -> dict[ImageRef, OwnImage]:
    regions = {HERE: here, THERE: there or []}
    return {ImageRef(name, one.image.image_id): one for name, images in regions.items() for one in images}


@pytest.mark.parametrize(
    ("by", "changes", "family"),
    [
        (BY_TAG, {}, "web"),
        (BY_TAG, {"tags": {}}, None),
        (BY_TAG, {"tags": {"family": ""}}, None),
        (BY_NAME, {"name": "web-1.2"}, "web"),
        (BY_NAME, {"name": "my web-1.2"}, None),
        (FamilyBy(name_pattern=re.compile("web-.*")), {"name": "web-1.2"}, "web-.*"),
        (FamilyBy(tag="family", name_pattern=re.compile("(x)")), {"name": "x"}, "web"),
        (FamilyBy(tag="other", name_pattern=re.compile("(x)")), {"name": "x"}, "x"),
        (BY_SOURCE, {}, "eu-west-1/ami-1"),
        (BY_SOURCE, {"base": ImageRef(HERE, "ami-base")}, "eu-west-1/ami-base"),
        (FamilyBy(tag="family", source=True), {}, "web"),
        (BY_TAG, {"tags": {"family": "web", "aws:dlm:lifecycle-policy-id": "policy-1"}}, None),
        (BY_TAG, {"tags": {"family": "web", "aws:backup:source-resource": "i-1"}}, None),
        (BY_SOURCE, {"base": ImageRef(HERE, "ami-base"), "alias": "aws-backup-vault"}, None),
        (BY_SOURCE, {"alias": "aws-marketplace"}, "eu-west-1/ami-1"),
        (BY_TAG, {"name": "AwsBackup_i-1_1"}, None),
        (BY_TAG, {"name": "web AwsBackup_i-1_1"}, "web"),
        # Tags of the user, and of a service that manages no images.
        (BY_TAG, {"tags": {"family": "web", "dlm:managed": "x", "my-aws:backup:tag": "x"}}, "web"),
        (BY_TAG, {"tags": {"family": "web", "aws:cloudformation:stack-name": "x"}}, "web"),
    ],
)
def test_family(by: FamilyBy, changes: dict[str, Any], family: str | None) -> None:
    ref = ImageRef(HERE, "ami-1")
    assert find_families(placed([own(**changes)]), by, ()).get(ref) == family


@pytest.mark.parametrize(
    ("by", "name", "family"),
    [
        (BY_NAME, "web-1.2", "web"),
        (BY_NAME, "web", None),
        (BY_TAG, "web-1.2", None),
        (BY_SOURCE, "web", None),
    ],
)
def test_the_family_of_an_image_of_which_only_the_name_is_known(
    by: FamilyBy, name: str, family: str | None
) -> None:
    assert find_family_of_name(by, name) == family


@pytest.mark.parametrize(
    ("by", "options"),
    [
        (FamilyBy(tag="family"), []),
        (FamilyBy(tag="famly"), ["family_tag"]),
        (FamilyBy(name_pattern=re.compile("web .*")), []),
        # The whole name has to match.
        (FamilyBy(name_pattern=re.compile("web")), ["family_name_pattern"]),
        (FamilyBy(tag="famly", name_pattern=re.compile("db")), ["family_tag", "family_name_pattern"]),
        (FamilyBy(source=True), []),
    ],
)
def test_an_option_that_matches_no_image_is_named(by: FamilyBy, options: list[str]) -> None:
    found = warn_of_unmatched_options(placed([own("ami-1")]), by)
    assert [text.partition(":")[0] for text in found] == options


def test_images_that_a_policy_manages_have_no_family() -> None:
    images = placed([own("ami-1"), own("ami-2")])
    assert find_families(images, BY_TAG, {ImageRef(HERE, "ami-1")}) == {ImageRef(HERE, "ami-2"): "web"}


@pytest.mark.parametrize("by", [BY_TAG, FamilyBy(name_pattern=re.compile("(web) .*"))])
def test_copies_of_copies_follow_their_source_through_regions(by: FamilyBy) -> None:
    images = placed([own("ami-1"), copy_of("ami-3", "ami-2", THERE)], [copy_of("ami-2", "ami-1")])
    assert find_families(images, by, ()) == dict.fromkeys(images, "web")


def test_by_source_what_is_made_of_instances_follows_their_image_and_copies_too() -> None:
    base = ImageRef(THERE, "ami-base")
    images = placed([own("ami-1", base=base), own("ami-2", base=base)], [copy_of("ami-3", "ami-2")])
    assert find_families(images, BY_SOURCE, ()) == dict.fromkeys(images, "us-east-1/ami-base")


def test_images_that_name_each_other_as_source_end_the_search() -> None:
    images = placed([copy_of("ami-1", "ami-2"), copy_of("ami-2", "ami-1")])
    assert find_families(images, BY_TAG, ()) == {}
    assert set(find_families(images, BY_SOURCE, ())) == set(images)


def names(refs: frozenset[ImageRef]) -> list[str]:
    return sorted(ref.image_id for ref in refs)


@pytest.mark.parametrize(
    ("here", "count", "kept"),
    [
        ([own("ami-1", 3), own("ami-2", 2), own("ami-3", 1)], 1, ["ami-3"]),
        ([own("ami-1", 3), own("ami-2", 2), own("ami-3", 1)], 2, ["ami-2", "ami-3"]),
        ([own("ami-1", 3), own("ami-2", 2)], 5, ["ami-1", "ami-2"]),
        ([own("ami-1", 3), own("ami-2", 2)], 0, []),
        # What cannot be launched does not count as long as something else can.
        (
            [own("ami-1", 3), own("ami-2", 2, state="disabled"), own("ami-3", 1, state="pending")],
            1,
            ["ami-1"],
        ),
        ([own("ami-1", 3, state="failed"), own("ami-2", 2, state="disabled")], 1, ["ami-2"]),
        # Families are apart.
        ([own("ami-1", 3), own("ami-2", 2, tags={"family": "db"})], 1, ["ami-1", "ami-2"]),
    ],
)
def test_latest(here: list[OwnImage], count: int, kept: list[str]) -> None:
    images = placed(here)
    assert names(find_latest(images, find_families(images, BY_TAG, ()), count)) == kept


@pytest.mark.parametrize("state", ["available", "disabled"])
def test_an_image_without_a_creation_date_takes_the_place_of_no_other(state: str) -> None:
    undated = replace(own("ami-9", state="available"), created=None)
    images = placed([own("ami-1", 3, state=state), own("ami-0", 5, state=state), undated])
    assert names(find_latest(images, find_families(images, BY_TAG, ()), 1)) == ["ami-1"]
    copied = placed([own("ami-1", 3), copy_of("ami-2", "ami-9", tags={"family": "web"}), undated])
    assert names(find_latest(copied, find_families(copied, BY_TAG, ()), 1)) == ["ami-1"]


def test_each_region_keeps_its_own_latest() -> None:
    images = placed([own("ami-1", 9), own("ami-2", 8)], [own("ami-3", 3), own("ami-4", 2)])
    assert names(find_latest(images, find_families(images, BY_TAG, ()), 1)) == ["ami-2", "ami-4"]


OLD, NEW = own("ami-old", 50), own("ami-new", 10)
EARLY_COPY = copy_of("ami-new-copy", "ami-new", days=9)
OF_OLD = {"family": "web", ORIGIN_CREATED_TAG: render_time(OLD.created)}
LATE_COPY = copy_of("ami-old-copy", "ami-old", days=1, tags={"family": "web"})


@pytest.mark.parametrize(
    ("here", "late_copy"),
    [
        ([OLD, NEW], LATE_COPY),
        # Its source is gone: a tag has the date, or there is none.
        (
            [NEW],
            copy_of(
                "ami-old-copy",
                "ami-old",
                days=1,
                tags={"family": "web", ORIGIN_CREATED_TAG: render_time(OLD.created)},
            ),
        ),
        ([NEW], LATE_COPY),
    ],
)
def test_a_copy_made_late_of_an_old_image_does_not_displace_the_newest(
    here: list[OwnImage], late_copy: OwnImage
) -> None:
    images = placed(here, [EARLY_COPY, late_copy])
    kept = find_latest(images, find_families(images, BY_TAG, ()), 1)
    assert names(kept) == ["ami-new", "ami-new-copy", "ami-old-copy"]


def test_a_copy_inherits_the_family_and_date_of_a_deregistered_source() -> None:
    images = placed([own("ami-1"), copy_of("ami-3", "ami-2", THERE)], [copy_of("ami-2", "ami-1")])
    first, third, second = images
    of = find_families(images, BY_TAG, ())
    tags = {**KEEPS_FAMILY, ORIGIN_CREATED_TAG: render_time(images[first].created)}
    assert list_inherited_tags(images, of, BY_TAG, {first}) == {second: tags, third: tags}
    assert list_inherited_tags(images, of, BY_TAG, {second}) == {third: tags}
    assert list_inherited_tags(images, of, BY_TAG, {third}) == {}


@pytest.mark.parametrize(
    ("by", "tags", "family"),
    [
        (BY_TAG, KEEPS_FAMILY, "web"),
        (FamilyBy(tag="family", name_pattern=re.compile("(x)")), KEEPS_FAMILY, "x"),
        (FamilyBy(tag="team"), KEEPS_FAMILY, None),
        (FamilyBy(name_pattern=re.compile("scratch-.*")), KEEPS_FAMILY, None),
        (FamilyBy(name_pattern=re.compile(".*y")), KEEPS_FAMILY, None),
        (BY_SOURCE, KEEPS_FAMILY, "us-east-1/ami-1"),
        (BY_NAME, {ORIGIN_NAME_TAG: "web-1.2"}, "web"),
        (FamilyBy(name_pattern=re.compile("web-.*")), {ORIGIN_NAME_TAG: "web-1.2"}, "web-.*"),
        (FamilyBy(name_pattern=re.compile("(db)-.*")), {ORIGIN_NAME_TAG: "web-1.2"}, None),
        (BY_TAG, {ORIGIN_NAME_TAG: "web-1.2"}, None),
        (BY_SOURCE, {ORIGIN_IMAGE_TAG: "eu-west-1/ami-0"}, "eu-west-1/ami-0"),
        (BY_TAG, {ORIGIN_IMAGE_TAG: "eu-west-1/ami-0"}, None),
        (BY_NAME, {ORIGIN_IMAGE_TAG: "eu-west-1/ami-0"}, None),
        # Without what gave it, a family belongs to no policy.
        (BY_TAG, {"golden.images:origin-family": "web"}, None),
        (BY_NAME, {"golden.images:origin-family": "web"}, None),
    ],
)
def test_an_inherited_family_is_that_of_the_options_that_would_have_given_it_to_the_origin(
    by: FamilyBy, tags: dict[str, str], family: str | None
) -> None:
    ref = ImageRef(HERE, "ami-2")
    left = placed([copy_of("ami-2", "ami-1", THERE, tags=tags)])
    assert find_families(left, by, ()).get(ref) == family
    # What an image inherited does not count as long as its source is there to show it by itself.
    assert find_families(placed([own("ami-1", tags=tags)]), BY_SOURCE, ()) == {
        ImageRef(HERE, "ami-1"): "eu-west-1/ami-1"
    }


@pytest.mark.parametrize(
    ("by", "kept", "family"),
    [
        (BY_TAG, KEEPS_FAMILY, "web"),
        (FamilyBy(tag="family", name_pattern=re.compile("no")), KEEPS_FAMILY, "web"),
        (FamilyBy(name_pattern=re.compile("(web) .*")), {ORIGIN_NAME_TAG: "web ami-1"}, "web"),
        (BY_SOURCE, {ORIGIN_IMAGE_TAG: "eu-west-1/ami-1"}, "eu-west-1/ami-1"),
    ],
)
def test_a_family_survives_one_origin_after_the_other(
    by: FamilyBy, kept: dict[str, str], family: str
) -> None:
    """ami-1 is deregistered first, then ami-2, or the other way round."""
    first, second, third = (ImageRef(HERE, f"ami-{number}") for number in (1, 2, 3))
    chain = {first: own("ami-1"), second: copy_of("ami-2", "ami-1"), third: copy_of("ami-3", "ami-2")}
    for order in ((first, second), (second, first)):
        images, written = dict(chain), dict[str, str]()
        for gone in order:
            for ref, tags in list_inherited_tags(images, find_families(images, by, ()), by, {gone}).items():
                written |= tags
                image = replace(images[ref].image, tags={**images[ref].image.tags, **tags})
                images[ref] = replace(images[ref], image=image)
            del images[gone]
            assert find_families(images, by, ()) == dict.fromkeys(images, family)
        assert written == {**kept, ORIGIN_CREATED_TAG: render_time(own("ami-1").created)}


def test_tags_of_families_are_as_long_as_ec2_allows() -> None:
    """EC2 User Guide, "Tag restrictions": 128 characters in a key."""
    assert len(ORIGIN_TAG_PREFIX + "x" * LONGEST_KEY) == 128


def test_an_image_is_blocked_until_every_image_made_of_it_has_its_inherited_tags() -> None:
    images = placed([own("ami-1"), copy_of("ami-3", "ami-2", THERE)], [copy_of("ami-2", "ami-1")])
    first, third, second = images
    of = find_families(images, BY_TAG, ())
    tags = {**KEEPS_FAMILY, ORIGIN_CREATED_TAG: render_time(images[first].created)}
    of_second = {(second, key, value) for key, value in tags.items()}
    of_third = {(third, key, value) for key, value in tags.items()}

    def blocked(deregistering: set[ImageRef], written: set[tuple[ImageRef, str, str]]) -> set[ImageRef]:
        return set(block_until_tagged(images, of, BY_TAG, deregistering, written))

    assert blocked({first}, set()) == {first}
    assert blocked({first}, of_second) == {first}
    assert blocked({first}, of_second | of_third) == set()
    assert blocked({first, second}, set()) == {first, second}
    assert blocked({first, second}, of_third) == set()
