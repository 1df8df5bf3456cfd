# SPDX-License-Identifier: GPL-3.0-or-later

"""What only roles read from their variables: misspelled names, groups of which one is set, earlier jobs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, invalid_option
from ansible_collections.golden.images.plugins.module_utils._role_variables import (
    OneOf,
    RoleVariables,
    find_unset,
    one_of_each,
    take_images,
    with_paths,
)
from ansible_collections.golden.images.plugins.module_utils._variables import Variable

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
    values, failures, warnings = take_images(VARIABLES, {"verify_images": images})
    return values["verify_images"], [one.message for one in failures], warnings


@pytest.mark.parametrize("images", [{EU: AMI}, [{"account_id": OWNER, "region": EU, "image_id": AMI}], None])
def test_plain_images_stay_as_they_are(images: Any) -> None:
    assert taken(images) == (images, [], ())


def test_only_images_are_read() -> None:
    given = {"verify_images": {EU: AMI}, "verify_subnet_ids": {"status": "failed"}}
    assert take_images(VARIABLES, given) == (given, (), ())


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


OUTPUTS = Variable("distribute_output_files", type="list", elements="path")
DECLARED = RoleVariables(
    "distribute_",
    (OUTPUTS, Variable("distribute_tags", type="dict"), Variable("distribute_regions")),
    other_names=frozenset({"distribute_images"}),
)


@pytest.mark.parametrize(
    ("name", "given", "remedy"),
    [
        ("distribute_tag", {}, "Correct it to distribute_tags, or"),
        ("distribute_output_paths", {}, "Correct it to distribute_output_files, or"),
        (
            "distribute_output_paths",
            {"distribute_output_files": ""},
            "Correct it to distribute_output_files, or",
        ),
        # Only what is not set can be meant.
        ("distribute_output_paths", {"distribute_output_files": []}, "Remove it, or rename it"),
        ("distribute_schedule", {}, "Remove it, or rename it"),
    ],
)
def test_a_name_that_the_role_does_not_know_is_refused(name: str, given: dict[str, Any], remedy: str) -> None:
    """Without that, the protection or the file that the user has set would be ignored."""
    (failure,) = DECLARED.find_unknown(["distribute_regions", name], given)
    assert failure.message == f"{name}: the role has no such variable."
    assert failure.remedy.startswith(remedy)


@pytest.mark.parametrize(
    "name",
    [
        "distribute_images",
        "distribute__images",
        "share_image",
        "distributed_tags",
        "redistribute_tag",
        "tags",
    ],
)
def test_facts_of_the_role_and_names_of_others_are_ignored(name: str) -> None:
    assert DECLARED.find_unknown([name], {}) == ()


def test_one_of_several_variables_must_be_set() -> None:
    (group,) = one_of_each([{"variables": ["a", "b"], "problem": "nothing is set.", "unless": {"c": False}}])

    def refused(*failures: Failure, **values: Any) -> list[str]:
        given = {"a": None, "b": [], "c": True, **values}
        return [failure.text() for failure in find_unset([group], given, failures)]

    assert refused() == ["a: nothing is set. Set a, b or c: false."]
    for values in ({"a": "x"}, {"b": ["y"]}, {"c": False}):
        assert refused(**values) == []
    # What cannot be read is refused already, and may be the one.
    for name in ("b", "c"):
        assert refused(invalid_option(name, f"{name}: must be a list.", "")) == []
    assert refused(invalid_option("d", "d: must be a list.", ""))
    (failure,) = find_unset([OneOf(("a",), "it is not set.")], {"a": ""}, ())
    assert (failure.action, failure.text()) == ("a", "a: it is not set. Set a.")


def test_paths_of_any_kind_are_made_absolute() -> None:
    variables = (
        Variable("file", type="path"),
        Variable("none", type="path"),
        Variable("files", type="list", elements="path"),
        Variable("name"),
    )
    values = {"file": "a", "none": None, "files": ["b", "c"], "name": "d"}
    assert with_paths(variables, values, "/tmp/{}".format) == {
        "file": "/tmp/a",
        "none": None,
        "files": ["/tmp/b", "/tmp/c"],
        "name": "d",
    }
