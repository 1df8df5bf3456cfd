# SPDX-License-Identifier: GPL-3.0-or-later

"""Validation and comparison of tags, and the tags of this collection."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils import _tags as tags
from ansible_collections.golden.images.plugins.module_utils._model import Target
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import MARK, SOURCE_ID, SOURCE_REGION, adopted_image, copied_image


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(("role", "web"), id="ordinary"),
        pytest.param(("k" * 128, "v" * 256), id="as long as AWS allows"),
        pytest.param(("k", ""), id="empty value"),
        pytest.param(("awsome", "yes"), id="begins with aws but not with aws:"),
        pytest.param(("golden", "images:"), id="begins almost like this collection's tags"),
    ],
)
def test_valid_tags_are_not_refused(pair: tuple[str, str]) -> None:
    assert list(tags.tag_problems(dict([pair]))) == []


@pytest.mark.parametrize(
    ("pair", "complaint"),
    [
        pytest.param(("aws:name", "x"), "begins with 'aws:'", id="AWS's prefix"),
        pytest.param(("AWS:name", "x"), "begins with 'aws:'", id="AWS's prefix in capitals"),
        pytest.param(
            ("golden.images:source", "x"), "begins with 'golden.images:'", id="this collection's tag"
        ),
        pytest.param(("", "x"), "empty", id="no key"),
        pytest.param(("k" * 129, "x"), "too long", id="long key"),
        pytest.param(("k", "v" * 257), "too long", id="long value"),
        pytest.param(("k\x01", "v"), "control character", id="a control character in a key"),
        pytest.param(("k", "v\x00"), "control character", id="a control character in a value"),
    ],
)
def test_an_invalid_tag_is_refused(pair: tuple[str, str], complaint: str) -> None:
    ((problem, remedy),) = tags.tag_problems({"fine": "yes", **dict([pair])})
    assert complaint in problem
    assert remedy


@pytest.mark.parametrize(("length", "refused"), [(120, False), (121, True)])
def test_a_prefix_counts_towards_the_length_of_a_key(length: int, refused: bool) -> None:
    problems = list(tags.tag_problems({"k" * length: "v"}, prefix="prefix8/"))
    assert bool(problems) is refused
    assert all("1 to 120 characters" in remedy for _problem, remedy in problems)


def test_every_invalid_tag_is_a_problem() -> None:
    assert len(list(tags.tag_problems({"aws:a": "x", "aws:b": "x", "k" * 129: "x"}))) == 3


@pytest.mark.parametrize(("count", "refused"), [(0, False), (50, False), (51, True)])
def test_a_resource_can_have_fifty_tags(count: int, refused: bool) -> None:
    failures = tags.check_tag_count("tags", {str(number): "x" for number in range(count)})
    assert bool(failures) is refused


def test_tags_of_aws_do_not_count() -> None:
    """(EC2 User Guide, "Tag restrictions".)"""
    of_aws = {"aws:dlm:lifecycle-policy-id": "p", "aws:backup:source-resource": "r"}
    full = {str(number): "x" for number in range(50)}
    assert not tags.check_tag_count("tags", {**full, **of_aws})
    (failure,) = tags.check_tag_count("tags", {**full, **of_aws, "one": "more"})
    assert "51 tags" in failure.message


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param("2026-12-01T23:40:05Z", "was recalled at 2026-12-01T23:40:05Z.", id="since when"),
        pytest.param("", "was recalled.", id="a tag without a value, set by hand"),
    ],
)
def test_a_recalled_image_is_refused(value: str, said: str) -> None:
    recalled = {"role": "web", tags.RECALLED_TAG: value}
    (failure,) = tags.refuse_recalled(SOURCE_ID, recalled, Target("111122223333", "eu-west-1"), "CopyImage")
    assert (failure.action, failure.error_code) == ("CopyImage", "image_recalled")
    assert (failure.account_id, failure.region) == ("111122223333", "eu-west-1")
    assert failure.message == f"{SOURCE_ID} {said}"
    assert "state: absent" in failure.remedy


def test_other_images_are_not_refused() -> None:
    assert not tags.refuse_recalled(SOURCE_ID, MARK, Target("111122223333", "eu-west-1"), "CopyImage")


def test_the_source_tag() -> None:
    assert tags.source_tag(SOURCE_ID, SOURCE_REGION) == MARK


@pytest.mark.parametrize(
    ("image", "own"),
    [
        pytest.param(copied_image(), True, id="with the tag"),
        pytest.param(adopted_image(), False, id="without a tag"),
        pytest.param(
            adopted_image(tags={"golden.images:source": f"eu-west-1/{SOURCE_ID}"}), False, id="other region"
        ),
        pytest.param(
            adopted_image(tags={"golden.images:source": f"{SOURCE_REGION}/ami-other"}),
            False,
            id="other source",
        ),
    ],
)
def test_an_own_copy_has_the_source_tag(image: object, own: bool) -> None:
    assert tags.is_own_copy(image, SOURCE_ID, SOURCE_REGION) is own  # type: ignore[arg-type]


def test_copies_of_a_listed_image_in_its_own_region_are_left_out() -> None:
    source, copy = adopted_image(image_id=SOURCE_ID), copied_image(image_id="ami-copy")
    copy_of_copy = adopted_image(image_id="ami-2", tags={"golden.images:source": f"{SOURCE_REGION}/ami-copy"})
    assert tags.without_copies([copy_of_copy, copy, source], SOURCE_REGION) == [source]
    assert tags.without_copies([copy_of_copy, copy], SOURCE_REGION) == [copy]
    assert tags.without_copies([copy, source], "eu-west-1") == [copy, source]


def test_tags_of_aws_and_of_this_collection_are_not_copied() -> None:
    assert tags.user_tags({"aws:x": "1", **MARK, "role": "web"}) == {"role": "web"}


@pytest.mark.parametrize(
    ("current", "wanted", "missing"),
    [
        pytest.param({}, {"a": "1"}, {"a": "1"}, id="absent"),
        pytest.param({"a": "0"}, {"a": "1"}, {"a": "1"}, id="other value"),
        pytest.param({"a": "1", "b": "2"}, {"a": "1"}, {}, id="present"),
        pytest.param({}, {"a": ""}, {"a": ""}, id="an empty value is not an absent tag"),
    ],
)
def test_differing_tags(current: dict[str, str], wanted: dict[str, str], missing: dict[str, str]) -> None:
    assert tags.differing_tags(current, wanted) == missing


def test_a_purge_keeps_tags_of_this_collection_shared_tags_and_aws_tags() -> None:
    current = {**MARK, "ec2:SharedTag/version": "1", "aws:x": "1", "z": "1", "old": "1", "role": "web"}
    assert tags.surplus_keys(current, {"role": "db"}) == ["old", "z"]


KEYS = st.sampled_from(["a", "b", "c", "aws:x", "golden.images:source", "ec2:SharedTag/v"])
TAGS = st.dictionaries(KEYS, st.sampled_from(["1", "2"]))


@given(current=TAGS, wanted=st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["1", "2"])))
def test_after_differing_and_surplus_tags_are_applied_the_wanted_tags_remain(
    current: dict[str, str], wanted: dict[str, str]
) -> None:
    after = {**current, **tags.differing_tags(current, wanted)}
    for key in tags.surplus_keys(after, wanted):
        del after[key]
    kept = {key: value for key, value in current.items() if ":" in key}
    assert after == {**kept, **wanted}


def test_the_tags_of_a_list() -> None:
    assert tags.tag_map([{"Key": "team", "Value": "a"}, {"Key": "empty", "Value": ""}]) == {
        "team": "a",
        "empty": "",
    }


def test_the_tags_of_a_launch_are_on_all_that_it_creates() -> None:
    expected = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert tags.of_launch({"b": "2", "a": "1"}) == [
        {"ResourceType": kind, "Tags": expected} for kind in ("instance", "network-interface", "volume")
    ]


def test_the_tag_list_is_ordered_by_key() -> None:
    assert tags.tag_list({"b": "2", "a": "1"}) == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
