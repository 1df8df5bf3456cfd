# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading and checking the options of ``ami_publish``."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.model import ConsumerRole, ImagesByTarget
from ansible_collections.golden.images.plugins.module_utils.publish.options import wanted_from
from ansible_collections.golden.images.plugins.modules.ami_publish import ARGUMENT_SPEC

from tests.unit.examples import CONSUMER, SOURCE_ID, SOURCE_REGION, as_read

REGION = "eu-west-1"
NAME = "/golden/web"
ROLLBACK = {"images": None, "source_image_id": SOURCE_ID, "regions": [REGION, REGION]}


def params(**changes: Any) -> dict[str, Any]:
    """The module's parameters for a minimal task."""
    given = {"images": {REGION: SOURCE_ID}, "parameter": NAME, "region": None, **changes}
    return as_read(ARGUMENT_SPEC, given)


def refused(check_mode: bool = False, **changes: Any) -> list[str]:
    """The options that are refused."""
    with pytest.raises(Refused) as caught:
        wanted_from(params(**changes), check_mode)
    assert all(failure.remedy for failure in caught.value.failures)
    return [failure.action for failure in caught.value.failures]


def test_a_minimal_task() -> None:
    wanted = wanted_from(params(), False)
    assert wanted.images == ImagesByTarget({(None, REGION): SOURCE_ID})
    assert (wanted.parameter, wanted.is_rollback, wanted.all_regions) == (NAME, False, (REGION,))
    assert (wanted.tier, wanted.require_shared, wanted.as_if_shared) == (None, True, False)
    assert wanted.consumer_role is None


def test_every_option_is_read() -> None:
    wanted = wanted_from(
        params(
            images=[{"account_id": CONSUMER, "region": REGION, "image_id": None}],
            tier="Advanced",
            parameter_tags={"version": 1},
            launch_templates=["web", "web"],
            launch_template_base_version="latest",
            source_image_id=SOURCE_ID,
            source_region=SOURCE_REGION,
            account_ids=[CONSUMER, CONSUMER],
            consumer_role_name="golden-consumer",
            external_id="hush",
            require_shared=False,
            publish_older=True,
            wait_timeout=7,
        ),
        True,
    )
    assert wanted.images == ImagesByTarget({(CONSUMER, REGION): None})
    assert wanted.tier == "Advanced"
    assert wanted.parameter_tags == {"version": "1"}
    assert wanted.launch_templates == ("web",)
    assert wanted.launch_template_base_version == "latest"
    assert (wanted.source_image_id, wanted.source_region) == (SOURCE_ID, SOURCE_REGION)
    assert wanted.account_ids == (CONSUMER,)
    assert wanted.consumer_role == ConsumerRole("golden-consumer", "hush")
    assert "hush" not in repr(wanted)
    assert (wanted.require_shared, wanted.as_if_shared) == (False, True)
    assert (wanted.wait_timeout, wanted.publish_older) == (7, True)


def test_a_rollback() -> None:
    wanted = wanted_from(params(**ROLLBACK), False)
    assert (wanted.is_rollback, wanted.all_regions) == (True, (REGION,))


def test_only_check_mode_assumes_that_images_will_be_shared() -> None:
    assert not wanted_from(params(require_shared=False), False).as_if_shared


def test_one_image_and_empty_strings() -> None:
    wanted = wanted_from(
        params(images=None, image_id=SOURCE_ID, region=REGION, source_image_id="", source_region=""), False
    )
    assert wanted.images == ImagesByTarget({(None, REGION): SOURCE_ID})
    assert (wanted.source_image_id, wanted.source_region) == (None, None)


REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"images": None}, ["images"]),
    ({"images": {}}, ["images"]),
    ({"images": "ami"}, ["images"]),
    ({"images": {REGION: None}}, ["images"]),
    ({**ROLLBACK, "regions": []}, ["regions"]),
    ({**ROLLBACK, "source_image_id": ""}, ["source_image_id"]),
    ({**ROLLBACK, "source_image_id": "", "regions": []}, ["images"]),
    ({**ROLLBACK, "source_image_id": "source-x"}, ["source_image_id"]),
    ({"regions": [REGION]}, ["regions"]),
    ({"account_ids": [12345678901]}, ["account_ids"]),
    ({"parameter_tags": {"aws:x": "y"}}, ["parameter_tags"]),
    ({"parameter_tags": {"a,b": "y"}}, ["parameter_tags"]),
    ({"parameter_tags": {"a": "y\tz"}}, ["parameter_tags"]),
    ({"parameter_tags": {f"key{number}": "" for number in range(51)}}, ["parameter_tags"]),
    ({"source_region": "EU west"}, ["source_region"]),
    ({"wait_timeout": -1}, ["wait_timeout"]),
    ({"parameter": "golden/web", "wait_timeout": -1}, ["parameter", "wait_timeout"]),
]


@pytest.mark.parametrize(("changes", "options"), REFUSED, ids=str)
def test_options_that_are_not_valid_are_refused(changes: dict[str, Any], options: list[str]) -> None:
    assert refused(**changes) == options


@pytest.mark.parametrize("name", ["golden", "/golden", "/a" * 15, " /golden/web.1_x-y "])
def test_valid_parameter_names(name: str) -> None:
    assert wanted_from(params(parameter=name), False).parameter == name.strip()


@pytest.mark.parametrize("name", ["/", "a/b", "/a//b", "/a/", "/a" * 16, "/a b", "/aws/x", "SSMx", "/x:1"])
def test_parameter_names_that_are_not_valid(name: str) -> None:
    assert refused(parameter=name) == ["parameter"]
