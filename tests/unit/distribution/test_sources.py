# SPDX-License-Identifier: GPL-3.0-or-later

"""Which options select the source of a distribution."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._distribution.sources import (
    KEYS,
    File,
    check_forms,
    list_manifests,
    select_sources,
)

IMAGE = "ami-0123456789abcdef0"
NOTHING = {**dict.fromkeys([*KEYS, "report_path", "report_dir", "report_s3_uri"]), "sources": {}}
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
    assert list_manifests({**NOTHING, "packer_manifest": "m.json"}) == {"m.json"}
    assert list_manifests(NOTHING) == frozenset()


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
    (source,), failures = select_sources(options, FILES)
    assert failures == ()
    assert {key: source[key] for key in KEYS} == {key: options[key] for key in KEYS}
    assert source["source"] == ""


@pytest.mark.parametrize("more", [{}, {"source_region": "us-east-1"}, {"packer_build": "web"}])
def test_the_image_of_a_manifest_has_its_id_and_region(more: dict[str, Any]) -> None:
    (source,), failures = select_sources({**NOTHING, "packer_manifest": "m.json", **more}, FILES)
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
            ["packer_build: requires packer_manifest (got 'web')."],
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
    _sources, failures = select_sources({**NOTHING, **given}, FILES)
    assert [failure.message for failure in failures] == problems
    assert all(failure.remedy for failure in failures)


OTHER = "ami-0fedcba9876543210"
WEB, DB = {"source_image_id": IMAGE}, {"source_parameter": "/build/db"}
SEVERAL = {**NOTHING, "source_region": "us-east-1", "sources": {"web": WEB, "db": DB}}


def test_sources_have_what_is_theirs_and_else_what_is_the_roles() -> None:
    web = {**WEB, "source_region": "eu-west-1", "tags": {"a": "2", "c": "3"}}
    options = {
        **SEVERAL,
        "name": "{source_name}-copy",
        "tags": {"a": "1", "b": "1"},
        "report_dir": "/reports/",
        "sources": {"web": web, "db": DB},
    }
    (first, second), failures = select_sources(options, FILES)
    assert failures == ()
    assert [first["source"], second["source"]] == ["web", "db"]
    assert [first["source_region"], second["source_region"]] == ["eu-west-1", "us-east-1"]
    assert [first["name"], second["name"]] == ["{source_name}-copy"] * 2
    assert [first["tags"], second["tags"]] == [{"a": "2", "b": "1", "c": "3"}, {"a": "1", "b": "1"}]
    assert [first["report_dir"], second["report_dir"]] == ["/reports/web", "/reports/db"]
    assert [first["source_parameter"], second["source_parameter"]] == [None, "/build/db"]


def test_builds_are_in_the_manifest_of_the_role() -> None:
    options = {**NOTHING, "packer_manifest": "m.json", "sources": {"a": {"packer_build": "web"}}}
    (source,), failures = select_sources(options, FILES)
    assert failures == ()
    assert (source["source_image_id"], source["source_region"]) == (IMAGE, "us-east-1")
    assert list_manifests({**NOTHING, "sources": {"a": {"packer_manifest": "m.json"}}}) == {"m.json"}


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        (
            {"source_image_id": IMAGE, "report_path": "/report.json"},
            [
                f"source_image_id: it cannot be combined with sources (got '{IMAGE}').",
                "report_path: it cannot have the reports of several sources (got '/report.json').",
            ],
        ),
        ({"sources": {"a": {}}}, ["sources: 'a', source_image_id: no source is set."]),
        ({"sources": {"a/b": WEB}}, ["sources: 'a/b' is not a name for a source."]),
        ({"sources": {"a": {**WEB, "image": "x"}}}, ["sources: 'a' has the unknown option image."]),
        (
            {"sources": {"a": {**WEB, **DB}}},
            ["sources: 'a', source_parameter: it cannot be combined with source_image_id (got '/build/db')."],
        ),
        (
            {"sources": {"a": {"packer_manifest": "gone.json"}, "b": {"packer_build": "x"}}},
            [
                "sources: 'a', packer_manifest: gone.json: No such file or directory.",
                "sources: 'b', source_image_id: no source is set.",
                "sources: 'b', packer_build: requires packer_manifest (got 'x').",
            ],
        ),
        ({"sources": {"a": WEB, "b": WEB}}, ["sources: 'a' and 'b' are the same image."]),
        (
            {"name": "golden"},
            ["sources: 'web' and 'db' would have copies of the same name 'golden'."],
        ),
        (
            {"publish_parameter": "/golden", "launch_templates": ["web"]},
            [
                "sources: 'web' and 'db' would be published in the same parameter /golden.",
                "sources: 'web' and 'db' would be published in the same launch template web.",
            ],
        ),
        (
            {"sources": {"a-b": WEB, "a.b": DB}},
            ["sources: 'a-b' and 'a.b' are the same name in environment variables."],
        ),
    ],
)
def test_sources_that_cannot_be_distributed_together(given: dict[str, Any], problems: list[str]) -> None:
    _sources, failures = select_sources({**SEVERAL, **given}, FILES)
    assert [failure.message for failure in failures] == problems
    assert all(failure.remedy for failure in failures)


@pytest.mark.parametrize(
    ("sources", "text"),
    [
        ({"web": "ami-1"}, "sources: 'web' is not a dictionary (got 'ami-1')."),
        ({1: {}}, "sources: 1 is not text."),
        ({"web": {"tags": ["a"]}}, "sources: 'web', 'tags': it is not a dictionary (got [\"a\"])."),
        ({"web": {"name": 5}}, "sources: 'web', 'name': it is not text (got 5)."),
        ({"web": {"launch_templates": "web"}}, "sources: 'web', 'launch_templates': it is not a list"),
    ],
)
def test_another_form_is_refused(sources: dict[Any, Any], text: str) -> None:
    (failure,) = check_forms(sources)
    assert failure.message.startswith(text)
    assert (failure.action, failure.error_code) == ("sources", "invalid_option")


def test_what_is_not_set_has_any_form() -> None:
    assert check_forms({"web": {"tags": None, "name": "x", "launch_templates": ["web"]}}) == ()
