# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of the files for other tools, and which existing texts they may replace."""

from __future__ import annotations

import json

import pytest
from ansible_collections.golden.images.plugins.module_utils.distribution.output import (
    Images,
    format_of,
    name_problem,
    repeated_names,
)

HOME, AWAY = "ami-00000000000000001", "ami-00000000000000002"
ONE = Images({"us-east-1": HOME, "eu-west-1": AWAY})
SEVERAL = Images(by_source={"web-arm64": {"us-east-1": HOME}, "db": {"eu-west-1": AWAY}})


def text(path: str, images: Images) -> str:
    found = format_of(path)
    assert found is not None
    return found.text(images)


@pytest.mark.parametrize("path", ["images.auto.tfvars.json", "/x/terraform.tfvars.json"])
def test_terraform_gets_one_variable(path: str) -> None:
    assert json.loads(text(path, ONE)) == {"golden_images": {"us-east-1": HOME, "eu-west-1": AWAY}}
    assert json.loads(text(path, SEVERAL)) == {
        "golden_images_by_source": {"web-arm64": {"us-east-1": HOME}, "db": {"eu-west-1": AWAY}}
    }


@pytest.mark.parametrize("path", ["images.env", "x/.env"])
def test_an_environment_file_has_a_line_for_each_image(path: str) -> None:
    assert text(path, ONE) == f"AMI_EU_WEST_1={AWAY}\nAMI_US_EAST_1={HOME}\n"
    assert text(path, SEVERAL) == f"AMI_DB_EU_WEST_1={AWAY}\nAMI_WEB_ARM64_US_EAST_1={HOME}\n"


def test_json_has_the_images() -> None:
    assert json.loads(text("images.json", ONE)) == {"images": {"us-east-1": HOME, "eu-west-1": AWAY}}
    assert json.loads(text("images.json", SEVERAL)).keys() == {"images_by_source"}


def test_a_name_that_says_no_format() -> None:
    assert name_problem("images.txt") == "images.txt does not end with .tfvars.json, .env, .json."
    assert name_problem("images.json") is None


@pytest.mark.parametrize("path", ["a.auto.tfvars.json", "a.env", "a.json"])
@pytest.mark.parametrize("images", [ONE, SEVERAL, Images()])
def test_an_own_text_and_an_empty_one_may_be_replaced(path: str, images: Images) -> None:
    found = format_of(path)
    assert found is not None
    assert found.is_own(found.text(images))
    assert found.is_own("")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.auto.tfvars.json", '{"golden_images": {}, "region": "us-east-1"}'),
        ("a.auto.tfvars.json", '{"images": {}}'),
        ("a.env", f"AMI_EU_WEST_1={AWAY}\nPASSWORD=hunter2\n"),
        ("a.env", "# comment\n"),
        ("a.json", '{"name": "web"}'),
        ("a.json", "[]"),
        ("a.json", "{"),
        ("a.json", "[" * 100_000),
    ],
)
def test_another_text_may_not(path: str, content: str) -> None:
    found = format_of(path)
    assert found is not None
    assert not found.is_own(content)


def test_sources_that_an_environment_file_cannot_tell_apart() -> None:
    assert [*repeated_names(["web-arm", "db", "web_arm"])] == [("web-arm", "web_arm")]
    assert [*repeated_names(["web", "db"])] == []
