# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of parameters."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._parameter_names import (
    is_named,
    name_in_arn,
    name_problem,
)

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
    problem, remedy = name_problem(LONGEST, ["ap-southeast-1", "us-east-2"])
    assert problem.endswith("… (966 characters) is too long: it has 966 characters after the leading /.")
    assert remedy == "Use at most 961: with its ARN, a name has at most 1011 characters."


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("arn:aws:ssm:us-east-2:111122223333:parameter/golden/web", "golden/web"),
        ("arn:aws-cn:ssm:us-east-2:111122223333:parameter/golden", "golden"),
        ("arn:aws:ssm:us-east-2:111122223333:parameter/golden/web:3", ""),
        ("arn:aws:ssm:us-east-2:111122223333:parameter/golden/web:label", ""),
        ("arn:aws:ssm:us-east-1:111122223333:parameter/golden/web", ""),
        ("arn:aws:ssm:us-east-2:444455556666:parameter/golden/web", ""),
        ("arn:aws:s3:us-east-2:111122223333:parameter/golden/web", ""),
        ("arn:aws:ssm:us-east-2:111122223333:document/golden/web", ""),
        ("/golden/web", ""),
        ("", ""),
    ],
)
def test_the_name_in_the_arn_of_an_own_parameter(text: str, name: str) -> None:
    assert name_in_arn(text, "111122223333", "us-east-2") == name


@pytest.mark.parametrize(
    ("name", "by", "expected"),
    [
        ("/golden/web", "golden/web", True),
        ("golden", "golden", True),
        ("/golden/web", "golden/db", False),
        ("/golden/web", "", False),
    ],
)
def test_a_leading_slash_is_no_part_of_an_arn(name: str, by: str, expected: bool) -> None:
    assert is_named(name, by) is expected
