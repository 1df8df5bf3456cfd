# SPDX-License-Identifier: GPL-3.0-or-later

"""The CopyImage request: names, descriptions, tags, and the idempotency token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.copy import request as copy_request
from ansible_collections.golden.images.plugins.module_utils.copy.state import CopyWanted
from ansible_collections.golden.images.plugins.module_utils.model import Image, Target
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.copy.examples import REGION, planned, seen, wanted
from tests.unit.examples import MARK, SOURCE_ID, SOURCE_REGION, STRANGER, source_image, target_in


def request(
    want: CopyWanted | None = None,
    source: Image | None = None,
    target: Target | None = None,
    predecessor_ids: tuple[str, ...] = (),
) -> Mapping[str, Any]:
    return copy_request.copy_request(
        want or wanted(), source or source_image(), target or target_in(), predecessor_ids
    )


def tags_of(kind: str, want: CopyWanted, source: Image | None = None) -> dict[str, str]:
    specifications = request(want, source)["TagSpecifications"]
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


def test_the_planned_copy_makes_this_request() -> None:
    (action,) = planned(wanted(name="x-{region}"), seen()).actions
    assert action.parameters == request(wanted(name="x-{region}"))


def test_completion_duration_is_requested_only_if_set() -> None:
    key = "SnapshotCopyCompletionDurationMinutes"
    assert key not in request()
    assert request(wanted(completion_duration_minutes=30))[key] == 30


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
    assert copy_request.name_for(wanted(name=template), source, REGION) == expected
    assert copy_request.description_for(wanted(description=template), source, REGION) == expected


def test_by_default_a_source_named_like_a_placeholder_keeps_its_name() -> None:
    assert copy_request.name_for(wanted(), source_image(name="{region}"), REGION) == f"{{region}}-{SOURCE_ID}"


@pytest.mark.parametrize(
    ("source_description", "description", "expected"),
    [
        pytest.param("Golden", None, "Golden", id="the source's"),
        pytest.param("", None, f"Copy of {SOURCE_ID} from us-east-1", id="the source's ID and region"),
        pytest.param("{region}", None, "{region}", id="the source's, literally"),
        pytest.param("Golden", "Mine", "Mine", id="the user's"),
        pytest.param("Golden", "", "", id="the user's, though empty"),
    ],
)
def test_descriptions(source_description: str, description: str | None, expected: str) -> None:
    source = source_image(description=source_description)
    assert copy_request.description_for(wanted(description=description), source, REGION) == expected


AWS_NAMES = st.text(alphabet="abcXYZ019()[] ./-'@_", min_size=3, max_size=128)


@given(name=AWS_NAMES)
def test_the_default_name_of_any_source_is_valid(name: str) -> None:
    assert copy_request.NAME.fullmatch(copy_request.name_for(wanted(), source_image(name=name), REGION))


@given(name=AWS_NAMES)
def test_the_default_name_differs_between_sources_with_the_same_name(name: str) -> None:
    first = copy_request.name_for(wanted(), source_image(name=name), REGION)
    second = copy_request.name_for(
        wanted(), source_image(name=name, image_id="ami-fedcba98765432100"), REGION
    )
    assert first != second


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("ab", id="short"),
        pytest.param("", id="empty"),
        pytest.param("n" * 129, id="long"),
        pytest.param("{source_name}" * 20, id="long after replacement"),
        pytest.param("golden:web", id="colon"),
        pytest.param("golden\n", id="line break"),
        pytest.param("göldén", id="accent"),
        pytest.param("golden-{regio}", id="mistyped placeholder"),
    ],
)
def test_an_invalid_name_is_refused(name: str) -> None:
    (failure,) = planned(wanted(name=name), seen()).refusals
    assert (failure.action, failure.region) == ("name", REGION)


@pytest.mark.parametrize("name", ["abc", "n" * 128, "A (b) [c] d.e/f-g'h@i_j"])
def test_a_valid_name_is_not_refused(name: str) -> None:
    assert planned(wanted(name=name), seen()).refusals == ()


@pytest.mark.parametrize(("length", "refused"), [(255, False), (256, True)])
def test_a_long_description_is_refused(length: int, refused: bool) -> None:
    failures = planned(wanted(description="d" * length), seen()).refusals
    assert [failure.action for failure in failures] == (["description"] if refused else [])


def test_the_name_is_not_checked_where_the_copy_exists(existing: Image) -> None:
    assert planned(wanted(name="a", description="d" * 300), seen(existing)).refusals == ()


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
    want = wanted(**{option: {f"key{number}": "x" for number in range(count)}})
    failures = planned(want, seen()).refusals
    assert [failure.action for failure in failures] == ([option] if refused else [])


def test_copied_tags_count_towards_the_quota() -> None:
    source = source_image(tags={f"s{number}": "x" for number in range(30)})
    want = wanted(tags={f"w{number}": "x" for number in range(20)}, copy_tags=True)
    assert [failure.action for failure in planned(want, seen(source=source)).refusals] == ["tags"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, None, id="not requested: unchanged"),
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
def test_image_tags(changes: dict[str, Any], expected: dict[str, str] | None) -> None:
    source = source_image(
        tags={"role": "web", "a": "0", "aws:x": "1", "golden.images:source": "eu-west-1/ami-origin"}
    )
    want = wanted(**changes)
    assert copy_request.image_tags(want, source) == expected
    assert tags_of("image", want, source) == {**(expected or {}), **MARK}


def test_snapshots_get_snapshot_tags_and_the_source_tag() -> None:
    want = wanted(tags={"on": "image"}, copy_tags=True, snapshot_tags={"on": "snapshot"})
    assert tags_of("snapshot", want, source_image(tags={"role": "web"})) == {"on": "snapshot", **MARK}


def token(**changes: Any) -> str:
    return str(request(**changes)["ClientToken"])


def test_the_token_is_valid() -> None:
    assert len(token()) == 64
    assert token().isascii()


def test_the_same_request_has_the_same_token() -> None:
    first = token(want=wanted(tags={"a": "1", "b": "2"}), predecessor_ids=("ami-1", "ami-2"))
    second = token(want=wanted(tags={"b": "2", "a": "1"}), predecessor_ids=("ami-2", "ami-1"))
    assert first == second


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"target": target_in("eu-west-2")}, id="region"),
        pytest.param({"target": Target(STRANGER, REGION)}, id="account"),
        pytest.param({"source": source_image(image_id="ami-fedcba98765432100")}, id="source"),
        pytest.param({"want": wanted(source_region="us-west-2")}, id="source region"),
        pytest.param({"want": wanted(name="other")}, id="name"),
        pytest.param({"want": wanted(description="other")}, id="description"),
        pytest.param({"want": wanted(tags={"a": "1"})}, id="tags"),
        pytest.param({"want": wanted(snapshot_tags={"a": "1"})}, id="snapshot tags"),
        pytest.param({"want": wanted(completion_duration_minutes=15)}, id="duration"),
        pytest.param({"predecessor_ids": ("ami-1",)}, id="a failed copy"),
    ],
)
def test_another_request_has_another_token(changes: dict[str, Any]) -> None:
    assert token(**changes) != token()


def test_every_failed_copy_changes_the_token() -> None:
    deaths = [(), ("ami-1",), ("ami-2",), ("ami-1", "ami-2")]
    assert len({token(predecessor_ids=ids) for ids in deaths}) == len(deaths)


def test_what_is_not_in_the_request_does_not_change_the_token() -> None:
    other = wanted(regions=(REGION, "eu-west-2"), wait=False, wait_timeout=5, purge_tags=True)
    assert token(want=other) == token()
    assert token(source=replace(source_image(), creation_date="2026-01-01T00:00:00.000Z")) == token()


def test_the_token_includes_the_regions_failed_copies() -> None:
    failed = [replace(source_image(), image_id=f"ami-{state}", state=state) for state in ("failed", "error")]
    gone = replace(source_image(), image_id="ami-gone", state="deregistered")
    (action,) = planned(wanted(), seen(*failed, gone)).actions
    assert action.parameters["ClientToken"] == token(predecessor_ids=("ami-failed", "ami-error", "ami-gone"))
