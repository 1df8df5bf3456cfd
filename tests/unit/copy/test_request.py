# SPDX-License-Identifier: GPL-3.0-or-later

"""The CopyImage request: names, descriptions, tags, and the idempotency token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Image
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.copy.account import OTHER_REGION, Run, copied_to, holding, into, planned
from tests.unit.copy.examples import REGION
from tests.unit.examples import (
    CONSUMER,
    MARK,
    OWNER,
    SOURCE_ID,
    SOURCE_REGION,
    STRANGER,
    copied_image,
    source_image,
)
from tests.unit.step_results import copy_result

OTHER_ID = "ami-fedcba98765432100"


def request(
    options: Mapping[str, Any] | None = None, source: Image | None = None, *images: Image
) -> Mapping[str, Any]:
    """The parameters of the planned CopyImage in a region with these images."""
    actions = planned(options or copied_to(), holding(*images, source=source)).actions
    (copy,) = (one for one in actions if one.operation == "CopyImage")
    return copy.parameters


def tags_of(kind: str, options: Mapping[str, Any], source: Image | None = None) -> dict[str, str]:
    specifications = request(options, source)["TagSpecifications"]
    (found,) = [item["Tags"] for item in specifications if item["ResourceType"] == kind]
    return {tag["Key"]: tag["Value"] for tag in found}


def test_a_simple_request() -> None:
    parameters = dict(request())
    assert parameters.pop("ClientToken")
    mark = [{"Key": "golden.images:source", "Value": f"{SOURCE_REGION}/{SOURCE_ID}"}]
    assert parameters == {
        "Description": "Golden web server",
        "Name": f"golden-web-{SOURCE_ID}",
        "SourceImageId": SOURCE_ID,
        "SourceRegion": SOURCE_REGION,
        "TagSpecifications": [
            {"ResourceType": "image", "Tags": mark},
            {"ResourceType": "snapshot", "Tags": mark},
        ],
    }


def test_completion_duration_is_requested_only_if_set() -> None:
    key = "SnapshotCopyCompletionDurationMinutes"
    assert key not in request()
    assert request(copied_to(completion_duration_minutes=30))[key] == 30


@pytest.mark.parametrize(
    ("template", "source_name", "expected"),
    [
        pytest.param("golden", "golden-web", "golden", id="no placeholder"),
        pytest.param("g-{region}", "golden-web", "g-eu-west-1", id="region"),
        pytest.param("{source_name}/{region}", "golden-web", "golden-web/eu-west-1", id="source name"),
        pytest.param("g {source_image_id}", "golden-web", f"g {SOURCE_ID}", id="source id"),
        pytest.param("{region}{region}", "golden-web", "eu-west-1eu-west-1", id="twice"),
        pytest.param(
            "{source_name}", "{region}", "{region}", id="placeholder in the source's name is literal"
        ),
        pytest.param("{source_name}", "a\\1b", "a\\1b", id="backslash in the source's name is literal"),
        pytest.param("{other}", "golden-web", "{other}", id="other braces are literal"),
        pytest.param("{{region}}", "golden-web", "{eu-west-1}", id="there is no escaping"),
    ],
)
def test_names_and_descriptions_from_templates(template: str, source_name: str, expected: str) -> None:
    source = source_image(name=source_name)
    assert request(copied_to(name=template), source)["Name"] == expected
    assert request(copied_to(description=template), source)["Description"] == expected


def test_by_default_a_source_named_like_a_placeholder_keeps_its_name() -> None:
    assert request(copied_to(), source_image(name="{region}"))["Name"] == f"{{region}}-{SOURCE_ID}"


@pytest.mark.parametrize(
    ("source_description", "description", "expected"),
    [
        pytest.param("Golden", None, "Golden", id="the source's"),
        pytest.param("", None, f"Copy of {SOURCE_ID} from us-east-1", id="the source's ID and region"),
        pytest.param("{region}", None, "{region}", id="the source's, literally"),
        pytest.param("Golden", "Mine", "Mine", id="the user's"),
        pytest.param("Golden", "", "Golden", id="an empty one is not set"),
    ],
)
def test_descriptions(source_description: str, description: str | None, expected: str) -> None:
    source = source_image(description=source_description)
    assert request(copied_to(description=description), source)["Description"] == expected


AWS_NAMES = st.text(alphabet="abcXYZ019()[] ./-'@_", min_size=3, max_size=128)


@example(name="n" * 128)
@given(name=AWS_NAMES)
def test_the_default_name_of_any_source_is_valid(name: str) -> None:
    assert planned(copied_to(), holding(source=source_image(name=name))).refusals == ()


@example(name="n" * 128)
@given(name=AWS_NAMES)
def test_the_default_name_differs_between_sources_with_the_same_name(name: str) -> None:
    first = request(copied_to(), source_image(name=name))["Name"]
    other = source_image(name=name, image_id=OTHER_ID)
    assert first != request(copied_to(source_image_id=OTHER_ID), other)["Name"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("ab", id="short"),
        pytest.param("n" * 129, id="long"),
        pytest.param("{source_name}" * 20, id="long after replacement"),
        pytest.param("golden:web", id="colon"),
        pytest.param("gol\nden", id="line break"),
        pytest.param("göldén", id="accent"),
        pytest.param("golden-{regio}", id="mistyped placeholder"),
    ],
)
def test_an_invalid_name_is_refused(name: str) -> None:
    (failure,) = planned(copied_to(name=name), holding()).refusals
    assert (failure.action, failure.region) == ("name", REGION)


@pytest.mark.parametrize("name", ["abc", "n" * 128, "A (b) [c] d.e/f-g'h@i_j"])
def test_a_valid_name_is_not_refused(name: str) -> None:
    assert planned(copied_to(name=name), holding()).refusals == ()


@pytest.mark.parametrize(("length", "refused"), [(255, False), (256, True)])
def test_a_long_description_is_refused(length: int, refused: bool) -> None:
    failures = planned(copied_to(description="d" * length), holding()).refusals
    assert [failure.action for failure in failures] == (["description"] if refused else [])


def test_the_name_is_not_checked_where_the_copy_exists(existing: Image) -> None:
    assert planned(copied_to(name="a", description="d" * 300), holding(existing)).refusals == ()


@pytest.fixture
def existing() -> Image:
    return source_image(image_id="ami-copy", tags=MARK)


@pytest.mark.parametrize(
    ("option", "count", "refused"),
    [
        pytest.param("tags", 49, False, id="50 on the image with the own tag"),
        pytest.param("tags", 50, True, id="51 on the image with the own tag"),
        pytest.param("snapshot_tags", 49, False, id="50 on a snapshot with the own tag"),
        pytest.param("snapshot_tags", 50, True, id="51 on a snapshot with the own tag"),
    ],
)
def test_more_tags_than_the_quota_are_refused(option: str, count: int, refused: bool) -> None:
    want = copied_to(**{option: {f"key{number}": "x" for number in range(count)}})
    failures = planned(want, holding()).refusals
    assert [failure.action for failure in failures] == ([option] if refused else [])


def test_copied_tags_count_towards_the_quota() -> None:
    source = source_image(tags={f"s{number}": "x" for number in range(30)})
    want = copied_to(tags={f"w{number}": "x" for number in range(20)}, copy_tags=True)
    assert [failure.action for failure in planned(want, holding(source=source)).refusals] == ["tags"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, {}, id="not requested"),
        pytest.param({"tags": {}}, {}, id="no tags"),
        pytest.param({"tags": {"a": "1"}}, {"a": "1"}, id="the user's"),
        pytest.param({"copy_tags": True}, {"role": "web", "a": "0"}, id="the source's"),
        pytest.param(
            {"copy_tags": True, "tags": {"a": "1"}},
            {"role": "web", "a": "1"},
            id="the user's tags take precedence",
        ),
    ],
)
def test_image_tags(changes: dict[str, Any], expected: dict[str, str]) -> None:
    source = source_image(
        tags={"role": "web", "a": "0", "aws:x": "1", "golden.images:source": "eu-west-1/ami-origin"}
    )
    want = copied_to(**changes)
    assert tags_of("image", want, source) == {**expected, **MARK}


def test_snapshots_get_snapshot_tags_and_the_source_tag() -> None:
    want = copied_to(tags={"on": "image"}, copy_tags=True, snapshot_tags={"on": "snapshot"})
    assert tags_of("snapshot", want, source_image(tags={"role": "web"})) == {"on": "snapshot", **MARK}


def token(*images: Image, source: Image | None = None, **options: Any) -> str:
    return str(request(copied_to(**options), source, *images)["ClientToken"])


def failed(*image_ids: str) -> tuple[Image, ...]:
    """Failed copies."""
    return tuple(copied_image(one, "failed") for one in image_ids)


def test_the_token_is_valid() -> None:
    assert len(token()) == 64
    assert token().isascii()


def test_the_same_request_has_the_same_token() -> None:
    first = token(*failed("ami-1", "ami-2"), tags={"a": "1", "b": "2"})
    second = token(*failed("ami-2", "ami-1"), tags={"b": "2", "a": "1"})
    assert first == second


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"name": "other"}, id="name"),
        pytest.param({"description": "other"}, id="description"),
        pytest.param({"tags": {"a": "1"}}, id="tags"),
        pytest.param({"snapshot_tags": {"a": "1"}}, id="snapshot tags"),
        pytest.param({"completion_duration_minutes": 15}, id="duration"),
    ],
)
def test_another_request_has_another_token(options: dict[str, Any]) -> None:
    assert token(**options) != token()


def test_another_source_has_another_token() -> None:
    other = source_image(image_id=OTHER_ID)
    assert token(source=other, source_image_id=OTHER_ID) != token()
    world = holding()
    world.ec2_of(OWNER, OTHER_REGION).add((source_image(devices=()), ()))
    (action,) = planned(copied_to(source_region=OTHER_REGION), world).actions
    assert action.parameters["ClientToken"] != token()


def test_each_account_and_region_has_its_own_token() -> None:
    accounts = into(CONSUMER, STRANGER, source_region=None)
    accounts["copy_result"] = copy_result(dict.fromkeys(accounts["regions"]))
    plan = Run(accounts, holding(), check_mode=True).plan
    tokens = {action.parameters["ClientToken"] for action in plan.actions}
    assert len(tokens | {token()}) == 5


def test_every_failed_copy_changes_the_token() -> None:
    deaths = [(), ("ami-1",), ("ami-2",), ("ami-1", "ami-2")]
    assert len({token(*failed(*ids)) for ids in deaths}) == len(deaths)


@pytest.mark.parametrize("state", ["failed", "error", "invalid", "deregistered"])
def test_every_state_of_a_failed_copy_changes_the_token(state: str) -> None:
    assert token(copied_image("ami-1", state)) == token(*failed("ami-1")) != token()


def test_what_is_not_in_the_request_does_not_change_the_token() -> None:
    assert token(wait=False, wait_timeout=5, purge_tags=True) == token()
    assert token(source=source_image(creation_date="2026-01-01T00:00:00.000Z")) == token()
