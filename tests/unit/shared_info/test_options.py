# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading and checking the options of ``ami_shared_info``."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._shared_info.options import SharedInfoOptions

from tests.unit.examples import OWNER, SOURCE_ID, as_read


def params(**changes: Any) -> dict[str, Any]:
    """The module's parameters for a minimal task."""
    return as_read(SharedInfoOptions.argument_spec(), {"region": None, **changes})


def test_a_minimal_task() -> None:
    assert SharedInfoOptions.read(params(), False) == SharedInfoOptions()


def test_every_option_is_read() -> None:
    given = params(
        executable_users=["all", "self", "all"],
        owners=[OWNER, "amazon"],
        image_ids=[SOURCE_ID, SOURCE_ID],
        filters={"is-public": True, "name": ["a*", 7], "state": "available"},
        regions=["eu-west-1", "eu-west-1"],
        include_deprecated=False,
        check_key_access=False,
    )
    assert SharedInfoOptions.read(given, True) == SharedInfoOptions(
        check_mode=True,
        executable_users=("all", "self"),
        owners=(OWNER, "amazon"),
        image_ids=(SOURCE_ID,),
        filters={"is-public": ("true",), "name": ("a*", "7"), "state": ("available",)},
        regions=("eu-west-1",),
        include_deprecated=False,
        check_key_access=False,
    )


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        pytest.param({"executable_users": []}, ["executable_users"], id="empty"),
        pytest.param({"executable_users": ["all"]}, ["owners"], id="public images of any owner"),
        pytest.param({"executable_users": ["all"], "owners": [" "]}, ["owners"], id="a blank owner"),
        pytest.param({"owners": ["self"]}, ["owners"], id="self"),
        pytest.param({"owners": [12345678901]}, ["owners"], id="a number"),
        pytest.param({"owners": ["1234"]}, ["owners"], id="too short"),
        pytest.param({"owners": ["Amazon Inc."]}, ["owners"], id="not an alias"),
        pytest.param({"image_ids": ["i-1"]}, ["image_ids"], id="not an image"),
        pytest.param({"filters": {"name": None}}, ["filters"], id="filter without a value"),
        pytest.param({"filters": {"name": []}}, ["filters"], id="filter by an empty list"),
        pytest.param({"filters": {"name": {"a": "b"}}}, ["filters"], id="filter by a mapping"),
        pytest.param(
            {"image_ids": [SOURCE_ID], "filters": {"image-id": SOURCE_ID}}, ["filters"], id="ids named twice"
        ),
        pytest.param(
            {"owners": ["self"], "image_ids": ["ami"], "filters": {"name": ""}, "executable_users": []},
            ["image_ids", "owners", "executable_users"],
            id="all at once",
        ),
    ],
)
def test_options_that_are_not_valid_are_refused(changes: dict[str, Any], options: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        SharedInfoOptions.read(params(**changes), False)
    assert sorted(failure.action for failure in caught.value.failures) == sorted(options)
    assert all(failure.remedy for failure in caught.value.failures)


def test_public_images_need_no_owner_if_their_ids_are_given() -> None:
    given = params(executable_users=["all"], image_ids=[SOURCE_ID])
    assert SharedInfoOptions.read(given, False).image_ids == (SOURCE_ID,)
