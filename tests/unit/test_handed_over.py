# SPDX-License-Identifier: GPL-3.0-or-later

"""What an earlier job hands over as images."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.handed_over import handed_over
from ansible_collections.golden.images.plugins.module_utils.variables import Variable

from tests.unit.examples import CONSUMER, OWNER

EU, US = "eu-west-1", "us-east-1"
AMI, OTHER = "ami-0123456789abcdef0", "ami-0fedcba9876543210"
VARIABLES = (Variable("verify_images", type="images"), Variable("verify_subnet_ids", type="dict"))
ARTIFACTS = {"status": "partial", "images": {EU: AMI}, "failed_regions": [EU, US]}
REPORT = {
    "status": "partial",
    "regions": [
        {"account_id": OWNER, "region": EU, "image_id": AMI, "shared": True},
        {"account_id": None, "region": US, "image_id": None, "shared": False, "earlier": {"image_id": OTHER}},
    ],
}


def taken(images: Any) -> tuple[Any, list[str], tuple[str, ...]]:
    """The images, the problems and the warnings."""
    values, failures, warnings = handed_over(VARIABLES, {"verify_images": images})
    return values["verify_images"], [one.message for one in failures], warnings


@pytest.mark.parametrize("images", [{EU: AMI}, [{"account_id": OWNER, "region": EU, "image_id": AMI}], None])
def test_plain_images_stay_as_they_are(images: Any) -> None:
    assert taken(images) == (images, [], ())


def test_only_images_are_read() -> None:
    given = {"verify_images": {EU: AMI}, "verify_subnet_ids": {"status": "failed"}}
    assert handed_over(VARIABLES, given) == (given, (), ())


def test_the_ready_regions_of_artifacts_are_taken_and_the_others_named() -> None:
    images, problems, (warning,) = taken(ARTIFACTS)
    assert (images, problems) == ({EU: AMI}, [])
    # In the other region something has failed, and it has its image.
    assert warning.startswith("verify_images: left out, ")
    assert warning.endswith(f": {US}.")
    assert taken({**ARTIFACTS, "status": "distributed", "failed_regions": []}) == ({EU: AMI}, [], ())


def test_regions_that_uncertain_accounts_keep_back_are_named() -> None:
    uncertain = {**ARTIFACTS, "status": "uncertain", "failed_regions": [], "uncertain_regions": [US]}
    images, problems, (warning,) = taken(uncertain)
    assert (images, problems) == ({EU: AMI}, [])
    assert warning.endswith(f": {US}.")


@pytest.mark.parametrize("yes", [True, "true"], ids=["as a value", "as the text of a survey"])
def test_the_ready_regions_of_a_report_are_taken_and_the_others_named(yes: Any) -> None:
    ready = {**REPORT["regions"][0], "shared": yes}  # type: ignore[dict-item]
    images, problems, (warning,) = taken({**REPORT, "regions": [ready, REPORT["regions"][1]]})
    # The earlier image of a region is not that of this distribution.
    assert (images, problems) == ([ready], [])
    assert warning.endswith(f": {US}.")
    owned = {"account_id": CONSUMER, "region": EU, "image_id": OTHER}
    images, _problems, _warnings = taken({**REPORT, "consumer_images": [owned]})
    assert images == [REPORT["regions"][0], owned]


@pytest.mark.parametrize("result", [ARTIFACTS, REPORT, {"status": "failed"}])
def test_the_result_of_a_job_that_has_failed_is_refused(result: dict[str, Any]) -> None:
    _images, (problem,), warnings = taken({**result, "status": "failed"})
    assert problem.startswith("verify_images: this is the result of a job that has failed")
    assert warnings == ()
