# SPDX-License-Identifier: GPL-3.0-or-later

"""How the options of ``ami_copy_regions`` are converted, and which are refused before any AWS call."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._copy.options import CopyOptions
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import ConsumerRole

from tests.unit.examples import SOURCE_ID, SOURCE_REGION, as_read
from tests.unit.step_results import copy_result, share_result

BY_FILTER = {"source_image_id": None, "source_filters": {"name": "golden-*"}}


def params(**changes: Any) -> dict[str, Any]:
    """The parameters that Ansible passes for a simple task."""
    task = {
        "source_image_id": SOURCE_ID,
        "source_region": SOURCE_REGION,
        "regions": ["eu-west-1", "us-west-2"],
        "region": None,
    }
    return as_read(CopyOptions.argument_spec(), {**task, **changes})


def refused(**changes: Any) -> list[str]:
    """The options that are refused."""
    with pytest.raises(ValidationError) as caught:
        CopyOptions.read(params(**changes), False)
    assert all(failure.remedy for failure in caught.value.failures)
    return [failure.action for failure in caught.value.failures]


def test_a_simple_task() -> None:
    wanted = CopyOptions.read(params(), False)
    assert wanted.source_image_id == SOURCE_ID
    assert wanted.first_source_region == SOURCE_REGION
    assert wanted.regions == ("eu-west-1", "us-west-2")
    assert wanted.source_owners == ("self",)
    assert wanted.tags is None
    assert wanted.wait


def test_every_option_is_converted() -> None:
    wanted = CopyOptions.read(
        params(
            source_image_id=None,
            source_filters={"name": "golden-*", "ena-support": True},
            source_owners=["self", "444455556666"],
            best_effort_regions=["us-west-2"],
            name="n-{region}",
            description="d",
            tags={"build": 7},
            copy_tags=True,
            snapshot_tags={},
            purge_tags=True,
            completion_duration_minutes=30,
            wait=False,
            wait_timeout=60,
        ),
        False,
    )
    assert wanted.source_image_id is None
    assert wanted.source_filters == {"name": ("golden-*",), "ena-support": ("true",)}
    assert wanted.source_owners == ("self", "444455556666")
    assert wanted.best_effort_regions == ("us-west-2",)
    assert (wanted.name, wanted.description) == ("n-{region}", "d")
    assert (wanted.tags, wanted.copy_tags, wanted.snapshot_tags, wanted.purge_tags) == (
        {"build": "7"},
        True,
        {},
        True,
    )
    assert wanted.completion_duration_minutes == 30
    assert (wanted.wait, wanted.wait_timeout) == (False, 60)


def test_source_region_defaults_to_region() -> None:
    assert (
        CopyOptions.read(params(source_region=None, region="ap-south-1"), False).first_source_region
        == "ap-south-1"
    )
    assert CopyOptions.read(params(region="ap-south-1"), False).first_source_region == SOURCE_REGION


def test_space_around_a_region_is_dropped() -> None:
    wanted = CopyOptions.read(params(regions=["eu-west-1", " us-west-2 "], best_effort_regions=[]), False)
    assert wanted.regions == ("eu-west-1", "us-west-2")
    assert wanted.best_effort_regions == ()


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        pytest.param({"source_image_id": "ami-xyz"}, ["source_image_id"], id="not an AMI ID"),
        pytest.param({**BY_FILTER, "source_filters": {}}, ["source_filters"], id="any image would match"),
        pytest.param(
            {**BY_FILTER, "source_filters": {"tag:version": 1.1}},
            ["source_filters"],
            id="another image would match",
        ),
        pytest.param(
            {**BY_FILTER, "source_owners": []}, ["source_owners"], id="any account's image would match"
        ),
        pytest.param(
            {**BY_FILTER, "source_owners": ["1402434204"]},
            ["source_owners"],
            id="an owner that YAML has changed",
        ),
        pytest.param(
            {**BY_FILTER, "source_owners": ["0123456789012"]}, ["source_owners"], id="an owner of 13 digits"
        ),
        pytest.param({**BY_FILTER, "source_owners": [""]}, ["source_owners"], id="blank owner"),
        pytest.param({"source_region": None}, ["source_region"], id="no source region"),
        pytest.param({"regions": []}, ["regions"], id="no regions"),
        pytest.param({"regions": ["", " "]}, ["regions", "regions"], id="blank regions"),
        pytest.param(
            {"best_effort_regions": ["sa-east-1"]}, ["best_effort_regions"], id="not one of regions"
        ),
        pytest.param({"kms_key_ids": {"sa-east-1": "alias/a"}}, ["kms_key_ids"], id="a key of no region"),
        pytest.param({"encrypted": False, "kms_key_id": "alias/a"}, ["encrypted"], id="a key for nothing"),
        pytest.param({"completion_duration_minutes": 0}, ["completion_duration_minutes"], id="0 minutes"),
        pytest.param(
            {"completion_duration_minutes": 20}, ["completion_duration_minutes"], id="not a multiple of 15"
        ),
        pytest.param({"completion_duration_minutes": 2895}, ["completion_duration_minutes"], id="too long"),
        pytest.param({"wait_timeout": 0}, ["wait_timeout"], id="0 seconds"),
        pytest.param({"wait_timeout": -5}, ["wait_timeout"], id="negative seconds"),
        pytest.param({"tags": {"aws:x": "1"}}, ["tags"], id="reserved tag"),
        pytest.param(
            {"snapshot_tags": {"golden.images:source": "1"}}, ["snapshot_tags"], id="the collection's own tag"
        ),
        pytest.param(
            {"regions": [], "wait_timeout": 0, "tags": {"": "x"}},
            ["regions", "tags", "wait_timeout"],
            id="all at once",
        ),
    ],
)
def test_invalid_options_are_refused(changes: dict[str, Any], options: list[str]) -> None:
    assert refused(**changes) == options


def test_a_description_that_is_not_ascii_is_refused_with_its_characters() -> None:
    with pytest.raises(ValidationError) as caught:
        CopyOptions.read(params(description="Golden \u2013 f\u00fcr {region} \u2013"), False)
    (failure,) = caught.value.failures
    assert failure.action == "description"
    assert failure.message.endswith("(got '\u2013' (U+2013), '\u00fc' (U+00FC)).")
    assert CopyOptions.read(params(description="Golden - fuer {region} ~"), False).description


@pytest.mark.parametrize("minutes", [15, 30, 2880])
def test_valid_durations(minutes: int) -> None:
    wanted = CopyOptions.read(params(completion_duration_minutes=minutes), False)
    assert wanted.completion_duration_minutes == minutes


# Copies into accounts.

EACH = {"source_image_id": None, "source_images": {"eu-west-1": SOURCE_ID, "us-west-2": SOURCE_ID}}


def test_accounts_and_their_role() -> None:
    wanted = CopyOptions.read(
        params(
            account_ids=["012345678901", "222222222222", "012345678901"],
            consumer_role_name="golden-consumer",
            external_id="golden-7f3a",
        ),
        False,
    )
    assert wanted.account_ids == ("012345678901", "222222222222")
    assert wanted.consumer_role == ConsumerRole("golden-consumer", "golden-7f3a")
    assert "golden-7f3a" not in repr(wanted)
    # Copies in the own account need no role.
    assert CopyOptions.read(params(consumer_role_name="golden-consumer"), False).consumer_role is None


def test_a_source_in_each_region_needs_no_source_region() -> None:
    wanted = CopyOptions.read(params(**EACH, source_region=None), False)
    assert wanted.source_images == EACH["source_images"]
    assert [wanted.source_region_of(region) for region in wanted.regions] == list(wanted.regions)


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        pytest.param({"account_ids": [12345678901]}, ["account_ids"], id="a number"),
        pytest.param({"account_ids": ["12345"]}, ["account_ids"], id="not an account ID"),
        pytest.param(
            {**EACH, "regions": ["eu-west-1", "sa-east-1"]}, ["source_images"], id="no source in a region"
        ),
        pytest.param({**EACH, "source_images": {}}, ["source_images", "source_region"], id="no sources"),
        pytest.param(
            {**EACH, "source_images": {"eu-west-1": None, "us-west-2": SOURCE_ID}},
            ["source_images"],
            id="null",
        ),
        pytest.param(
            {"copy_result": copy_result({"us-west-2": SOURCE_ID, "eu-west-1": None})},
            ["copy_result"],
            id="a copy that is only planned",
        ),
        pytest.param({"copy_result": copy_result({})}, ["copy_result"], id="no copy"),
        pytest.param(
            {
                "copy_result": copy_result({"eu-west-1": SOURCE_ID}),
                "share_result": share_result(failed_regions=["eu-west-1"]),
            },
            ["copy_result"],
            id="no copy is shared",
        ),
        pytest.param(
            {"copy_result": copy_result({"eu-west-1": SOURCE_ID}), "share_result": {"failed_regions": 7}},
            ["share_result"],
            id="not a result",
        ),
    ],
)
def test_invalid_options_of_copies_into_accounts_are_refused(
    changes: dict[str, Any], options: list[str]
) -> None:
    source = {"source_region": None} if {"source_images", "copy_result"} & changes.keys() else {}
    assert sorted(refused(**source, **changes)) == options


@pytest.mark.parametrize("check_mode", [True, False])
def test_copies_of_an_earlier_task_are_assumed_ready_only_in_check_mode(check_mode: bool) -> None:
    earlier = {"copy_result": copy_result({"eu-west-1": SOURCE_ID}), "source_region": None}
    assert CopyOptions.read(params(**earlier, source_image_id=None), check_mode).source_is_ready is check_mode
    assert not CopyOptions.read(params(), check_mode).source_is_ready


def test_in_check_mode_a_source_may_be_only_planned() -> None:
    images = {"eu-west-1": None, "us-west-2": SOURCE_ID}
    assert CopyOptions.read(params(**{**EACH, "source_images": images}), True).source_images == images
