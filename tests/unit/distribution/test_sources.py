# SPDX-License-Identifier: GPL-3.0-or-later

"""Which options select the source of a distribution."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.distribution.sources import (
    SELECTORS,
    File,
    files,
    selected,
)

IMAGE = "ami-0123456789abcdef0"
NOTHING = dict.fromkeys([*SELECTORS, "packer_run_uuid", "packer_build", "source_region"])
BUILD = {
    "name": "web",
    "builder_type": "amazon-ebs",
    "artifact_id": f"us-east-1:{IMAGE}",
    "packer_run_uuid": "run",
}
FILES = {
    "m.json": File(json.dumps({"builds": [BUILD], "last_run_uuid": "run"})),
    "gone.json": File(problem="No such file or directory"),
}


def test_the_files_that_are_needed() -> None:
    assert files({**NOTHING, "packer_manifest": "m.json"}) == {"m.json"}
    assert files(NOTHING) == frozenset()


@pytest.mark.parametrize(
    "given",
    [
        {"source_image_id": IMAGE},
        {"source_parameter": "/build/web"},
        {"source_filters": {"name": "web-*"}},
    ],
)
def test_what_selects_an_image_in_aws_stays(given: dict[str, Any]) -> None:
    options = {**NOTHING, **given, "source_region": "us-east-1"}
    assert selected(options, FILES) == (options, ())


@pytest.mark.parametrize("more", [{}, {"source_region": "us-east-1"}, {"packer_build": "web"}])
def test_the_image_of_a_manifest_has_its_id_and_region(more: dict[str, Any]) -> None:
    source, failures = selected({**NOTHING, "packer_manifest": "m.json", **more}, FILES)
    assert failures == ()
    assert (source["source_image_id"], source["source_region"]) == (IMAGE, "us-east-1")


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({"source_region": "us-east-1"}, ["source_image_id: no source is set."]),
        ({"source_image_id": IMAGE}, ["source_region: it is required and not set."]),
        (
            {"source_image_id": IMAGE, "packer_manifest": "m.json"},
            ["packer_manifest: it cannot be combined with source_image_id (got 'm.json')."],
        ),
        (
            {"source_parameter": "/web", "source_filters": {"name": "x"}, "source_region": "us-east-1"},
            ['source_filters: it cannot be combined with source_parameter (got {"name": "x"}).'],
        ),
        (
            {"source_image_id": IMAGE, "source_region": "us-east-1", "packer_build": "web"},
            ["packer_build: without packer_manifest, nothing has it (got 'web')."],
        ),
        (
            {"packer_manifest": "gone.json"},
            ["packer_manifest: gone.json: No such file or directory."],
        ),
        (
            {"packer_manifest": "m.json", "source_region": "eu-west-1"},
            ["packer_manifest: m.json: amazon-ebs.web has no image in eu-west-1, only in us-east-1."],
        ),
    ],
)
def test_what_selects_no_image_is_refused(given: dict[str, Any], problems: list[str]) -> None:
    _source, failures = selected({**NOTHING, **given}, FILES)
    assert [failure.message for failure in failures] == problems
    assert all(failure.remedy for failure in failures)
