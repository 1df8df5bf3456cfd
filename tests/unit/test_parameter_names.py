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
    ("name", "remedy"),
    [
        ("", "Use a name such as /golden/web."),
        ("/", "Use a name such as /golden/web."),
        ("golden/web", "Begin it with a /, since it has levels: /golden/web."),
        ("/golden/", "Leave out the / at its end and each / that follows another one."),
        ("/golden//web", "Leave out the / at its end and each / that follows another one."),
        ("golden w\u00e9b", "It has ' ' '\u00e9': use letters, digits and . - _ / only."),
        ("/AWS/x", "AWS reserves names that begin with aws or ssm: begin it with another word."),
        ("ssm-golden", "AWS reserves names that begin with aws or ssm: begin it with another word."),
        ("/1" * 16, "It has 16 levels: use at most 15."),
    ],
)
def test_a_name_that_is_not_valid_is_refused_with_the_rule_that_it_breaks(name: str, remedy: str) -> None:
    assert name_problem(name, []) == (f"'{name}' is not a valid parameter name.", remedy)


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
