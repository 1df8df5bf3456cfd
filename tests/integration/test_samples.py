# SPDX-License-Identifier: GPL-3.0-or-later

"""Samples that no run could return are found; test_examples.py compares those of the modules with runs."""

from __future__ import annotations

from typing import Any

import pytest

from .samples import differing, is_like

pytestmark = pytest.mark.nightly

IMAGE, OTHER = "ami-0123456789abcdef0", "ami-0fedcba9876543210"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("sample", "value"),
    [
        (IMAGE, OTHER),
        (
            KEY,
            KEY.replace("eu-west-1:111122223333", "us-east-1:111111111111").replace("1234abcd", "0f0f0f0f"),
        ),
        ("2026-11-24T12:00:00Z", "2027-01-02T03:04:05Z"),
        (f"eu-west-1: {IMAGE} was kept for 3 days.", f"ap-southeast-2: {OTHER} was kept for 12 days."),
        (412, 0),
        (None, None),
        ([], []),
        (["available"], ["pending", "available"]),
        ({"eu-west-1": IMAGE}, {"us-east-1": OTHER, "sa-east-1": None}),
        ({"eu-west-1": None}, {"us-east-1": OTHER, "sa-east-1": None}),
        ({"images": [{"image_id": IMAGE}]}, {"images": [{"name": "web"}, {"image_id": OTHER}]}),
    ],
)
def test_a_sample_that_a_run_could_return_is_accepted(sample: Any, value: Any):
    assert is_like(sample, value)


@pytest.mark.parametrize(
    ("sample", "value"),
    [
        # Another kind of ID, and one that AWS does not form.
        (IMAGE, "snap-0123456789abcdef0"),
        ("ami-1", OTHER),
        ("1234", "111122223333"),
        (KEY, "1234abcd-12ab-34cd-56ef-1234567890ab"),
        # Other words.
        ("copied", "source"),
        ("The image is kept.", "The image was kept."),
        # Another format of times.
        ("2026-11-24T12:00:00Z", "2026-11-24T12:00:00.617Z"),
        ("2026-11-24T12:00:00Z", "2026-11-24T12:00:00+00:00"),
        # Another type.
        (1, "1"),
        (1, 1.5),
        (1, True),
        (False, True),
        (None, IMAGE),
        ([], None),
        ({}, []),
        # What is left out, or is there without need.
        ([], [IMAGE]),
        ([IMAGE], []),
        ([IMAGE, "available"], [IMAGE]),
        ({}, {"image_id": IMAGE}),
        ({"image_id": IMAGE}, {"image_id": IMAGE, "name": "web"}),
        ({"image_id": IMAGE, "name": "web"}, {"image_id": IMAGE}),
        ({"image_id": IMAGE}, {"eu-west-1": IMAGE}),
        (
            {"images": [{"image_id": IMAGE, "state": "failed"}]},
            {"images": [{"image_id": IMAGE, "state": "ok"}]},
        ),
    ],
)
def test_a_sample_that_no_run_could_return_is_refused(sample: Any, value: Any):
    assert not is_like(sample, value)


def test_the_parts_of_a_sample_are_from_one_element_of_one_run():
    documented = {"results": {"sample": [{"state": "available", "origin": "copied"}]}}
    apart = [
        {"results": [{"state": "available", "origin": "source"}, {"state": "failed", "origin": "copied"}]}
    ]
    assert [*differing(documented, apart)] == ["results"]
    assert [*differing(documented, [*apart, {"results": documented["results"]["sample"]}])] == []


def test_samples_are_compared_at_every_depth():
    documented = {
        "findings": {
            "contains": {
                "code": {"sample": "not_shared"},
                "remedy": {},
                "on": {"contains": {"id": {"sample": 1}}},
            }
        },
        "report": {"contains": {"status": {"sample": "clean"}}},
    }
    right = {"findings": [{"code": "not_shared", "on": {"id": 5}}], "report": {"status": "clean"}}
    wrong = {"findings": [{"code": "public", "on": {"id": "5"}}], "report": {"status": "findings"}}
    assert [*differing(documented, [wrong, right])] == []
    assert [*differing(documented, [wrong])] == ["findings.code", "findings.on.id", "report.status"]


def test_a_sample_of_a_key_that_no_run_has_returned_is_found():
    assert [*differing({"images": {"sample": []}, "name": {}}, [{}, {"images": None}])] == ["images"]
