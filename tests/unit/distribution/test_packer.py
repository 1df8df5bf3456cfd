# SPDX-License-Identifier: GPL-3.0-or-later

"""Which image of Packer's manifest is the source, and what is said if it has none or several."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._distribution.packer import (
    Build,
    parse_manifest,
    select_image,
)
from ansible_collections.golden.images.plugins.module_utils._variables import Unreadable

FIRST, LAST = "6d5d3185-fa95-44e1-8775-9e64fe2e2d8f", "bc0a6c5e-8b8b-4b4b-9b0a-2f3b7a1f0c11"
ONE, TWO, THREE = "ami-00000000000000001", "ami-00000000000000002", "ami-00000000000000003"


def build(artifact_id: Any, name: str = "web", run: str = LAST, **fields: Any) -> dict[str, Any]:
    """A build as the post-processor writes it."""
    return {
        "name": name,
        "builder_type": "amazon-ebs",
        "build_time": 1507245986,
        "files": None,
        "artifact_id": artifact_id,
        "packer_run_uuid": run,
        "custom_data": {"branch": "main"},
        **fields,
    }


def text(*builds: dict[str, Any], last: str = LAST) -> str:
    return json.dumps({"builds": list(builds), "last_run_uuid": last})


HOME = f"us-east-1:{ONE}"
BOTH = f"eu-west-1:{TWO},{HOME}"
CONTAINER = build("sha256:1", "container", builder_type="docker")
RUNS = text(build(f"us-east-1:{THREE}", run=FIRST), build(f"us-east-1:{TWO}", "db", FIRST), build(HOME))


def test_the_builds_of_amis() -> None:
    found = parse_manifest(text(CONTAINER, build(BOTH), build(""), build(None), build(f"{HOME},x")))
    assert found.builds == (Build("web", "amazon-ebs", LAST, {"us-east-1": ONE, "eu-west-1": TWO}),)
    assert found.last_run_uuid == LAST


@pytest.mark.parametrize(
    ("content", "chosen", "image"),
    [
        (text(build(HOME)), {}, (ONE, "us-east-1")),
        (text(build(BOTH)), {"region": "eu-west-1"}, (TWO, "eu-west-1")),
        (text(CONTAINER, build(HOME)), {}, (ONE, "us-east-1")),
        (RUNS, {}, (ONE, "us-east-1")),
        (RUNS, {"run_uuid": FIRST, "build_name": "db"}, (TWO, "us-east-1")),
        (RUNS, {"run_uuid": FIRST, "build_name": "amazon-ebs.web"}, (THREE, "us-east-1")),
        # The manifest was written by two post-processors.
        (text(build(HOME), build(HOME)), {}, (ONE, "us-east-1")),
    ],
)
def test_the_image_of_a_build(content: str, chosen: dict[str, str], image: tuple[str, str]) -> None:
    options = {"run_uuid": None, "build_name": None, "region": None, **chosen}
    assert select_image(parse_manifest(content), **options) == image


@pytest.mark.parametrize(
    ("content", "chosen", "problem", "remedy"),
    [
        (text(), {}, f"its run {LAST} has no AMI", "Build an AMI with Packer first"),
        (text(CONTAINER), {}, f"its run {LAST} has no AMI", "Build an AMI"),
        (text(build(HOME), last=FIRST), {}, f"its run {FIRST} has no AMI", f"uuid to one of {LAST}."),
        (text(build(HOME)), {"run_uuid": "x"}, "its run x has no AMI", f"uuid to one of {LAST}."),
        (RUNS, {"build_name": "db"}, f"{LAST} has no build 'db', only amazon-ebs.web", f"of {FIRST}."),
        (RUNS, {"build_name": "x"}, f"its run {LAST} has no build 'x'", "Set packer_build to one of them"),
        (
            RUNS,
            {"run_uuid": FIRST},
            f"its run {FIRST} has the builds amazon-ebs.web, amazon-ebs.db.",
            "Set packer_build to one of them",
        ),
        (
            text(build(HOME), build(f"us-east-1:{TWO}", builder_type="amazon-instance")),
            {"build_name": "web"},
            "has the builds amazon-ebs.web, amazon-instance.web.",
            "Set packer_build",
        ),
        (text(build(BOTH)), {}, "amazon-ebs.web has images in eu-west-1, us-east-1.", "Set source_region"),
        (
            text(build(HOME)),
            {"region": "us-west-2"},
            "amazon-ebs.web has no image in us-west-2, only in us-east-1.",
            "Set source_region",
        ),
    ],
)
def test_no_image_or_several(content: str, chosen: dict[str, str], problem: str, remedy: str) -> None:
    options = {"run_uuid": None, "build_name": None, "region": None, **chosen}
    with pytest.raises(Unreadable) as caught:
        select_image(parse_manifest(content), **options)
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "it is not JSON."),
        ("[" * 100_000, "it is not JSON."),
        ("[]", "it has no list of builds"),
        ("{}", "it has no list of builds"),
        ('{"builds": [1]}', "it has no list of builds"),
    ],
)
def test_a_text_that_is_no_manifest(content: str, problem: str) -> None:
    with pytest.raises(Unreadable, match=problem):
        parse_manifest(content)


def test_many_names_are_cut() -> None:
    many = text(*(build(f"us-east-1:ami-{number:017x}", f"n{number}") for number in range(9)))
    with pytest.raises(Unreadable, match=r"amazon-ebs.n4 and 4 more\."):
        select_image(parse_manifest(many), None, None, None)
