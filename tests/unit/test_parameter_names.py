# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of parameters."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils.parameter_names import name_problem

# With arn:aws:ssm:us-east-2:111122223333:parameter/, 45 characters, it has the 1,011 that a name may have.
LONGEST = "x" * 966


@pytest.mark.parametrize(
    "name", ["golden", "/golden", "/golden/web-1.2_3", "/1" * 15, LONGEST, f"/{LONGEST}", "/golden/aws"]
)
def test_names_that_are_valid(name: str) -> None:
    assert name_problem(name, ["us-east-2"]) == ("", "")


@pytest.mark.parametrize(
    "name",
    ["", "/", "golden/web", "/golden/", "/golden//web", "golden web", "/AWS/x", "ssm-golden", "/1" * 16],
)
def test_names_that_are_not_valid(name: str) -> None:
    problem, remedy = name_problem(name, [])
    assert problem == f"'{name}' is not a valid parameter name."
    assert "at most 15 levels" in remedy


def test_a_name_counts_with_its_arn_in_the_region_with_the_longest_name() -> None:
    assert name_problem(LONGEST, ["ap-southeast-1", "us-east-2"]) == (
        f"'{LONGEST}' is too long: it has 966 characters after the leading /.",
        "Use at most 961: with its ARN, a name has at most 1011 characters.",
    )
