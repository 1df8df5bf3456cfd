# SPDX-License-Identifier: GPL-3.0-or-later

"""The text and the returned form of failures."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import (
    Failure,
    Source,
    TargetFailed,
    ValidationError,
    combine_regions,
    cut,
    incomplete_response,
    invalid_option,
    invalid_value,
    summary,
)
from ansible_collections.golden.images.plugins.module_utils._model import Target

QUOTA = Failure("Too many copies.", "Wait.", "ResourceLimitExceeded", "CopyImage")


def in_region(region: str | None, message: str = "Too many copies.") -> Failure:
    return Failure(message, "Wait.", "ResourceLimitExceeded", "CopyImage", region=region)


@pytest.mark.parametrize(
    ("failures", "text"),
    [
        pytest.param([QUOTA], "Too many copies. Wait.", id="one"),
        pytest.param([in_region("eu-west-1")], "eu-west-1: Too many copies. Wait.", id="one region"),
        pytest.param(
            [in_region("eu-west-1"), in_region("us-east-1")],
            "eu-west-1, us-east-1: Too many copies. Wait.",
            id="regions with the same failure share a line",
        ),
        pytest.param(
            [in_region("eu-west-1"), in_region("us-east-1", "No key."), in_region("us-west-2")],
            "2 problems:\n- eu-west-1, us-west-2: Too many copies. Wait.\n- us-east-1: No key. Wait.",
            id="a list",
        ),
        pytest.param(
            [
                invalid_option("tags", "tags: bad.", "Fix it."),
                invalid_option("name", "name: bad.", "Fix it."),
            ],
            "2 problems:\n- tags: bad. Fix it.\n- name: bad. Fix it.",
            id="options, in their order",
        ),
    ],
)
def test_summary(failures: list[Failure], text: str) -> None:
    assert summary(failures) == text


def test_texts_that_differ_in_the_region_only_are_one() -> None:
    alias = "Alias arn:aws:kms:{}:1:alias/golden is not found."
    texts = [
        ("eu-west-1", alias.format("eu-west-1")),
        (None, "No."),
        ("us-east-1", alias.format("us-east-1")),
    ]
    assert combine_regions(texts) == (
        (alias.format("{region}"), ("eu-west-1", "us-east-1")),
        ("No.", ()),
    )
    assert combine_regions(texts[:1]) == ((texts[0][1], ("eu-west-1",)),)


@pytest.mark.parametrize(
    ("text", "general"),
    [
        ("Not found in {}.", "Not found there."),
        ("A copy in {} of ami-1", "A copy there of ami-1"),
        ("In {}: no.", "In {{region}}: no."),
        ("in {}-a, login {}", "in {{region}}-a, login {{region}}"),
        ("A role in {}x", "A role in {{region}}x"),
    ],
)
def test_what_is_in_several_regions_is_there(text: str, general: str) -> None:
    regions = ("eu-west-1", "us-east-1")
    texts = [(region, text.format(region, region)) for region in regions]
    assert combine_regions(texts) == ((general.format(), regions),)


def test_a_failure_as_a_sentence() -> None:
    assert in_region("eu-west-1").sentence() == "eu-west-1: Too many copies. Wait."
    assert QUOTA.sentence() == "Too many copies. Wait."
    assert Failure("Gone.", "", "X", "Y").sentence() == "Gone."
    assert Failure("It does not exist", "Check it.", "X", "Y").sentence() == "It does not exist. Check it."
    assert Failure("It does not exist", "", "X", "Y").sentence() == "It does not exist"


def test_the_rejection_of_a_consumer() -> None:
    failure = Failure(
        "No.", "r", "InvalidArnException", "CreateGrant", "eu-west-1", request_id="req-1", source="aws"
    )
    rejected = failure.to_rejection("111122223333", "Remove it.")
    assert rejected.to_dict() == {
        **failure.to_dict(),
        "error_code": "consumer_rejected",
        "message": "AWS rejected 111122223333: No.",
        "remedy": "Remove it.",
    }
    assert rejected.rejects("111122223333")
    assert not rejected.rejects("11112222333")
    assert not failure.rejects("111122223333")


def test_a_failure_as_modules_return_it() -> None:
    failure = Failure("m", "r", "Code", "CopyImage", "eu-west-1", "111122223333", "req-1", "aws")
    assert failure.to_dict() == {
        "account_id": "111122223333",
        "action": "CopyImage",
        "error_code": "Code",
        "message": "m",
        "region": "eu-west-1",
        "remedy": "r",
        "request_id": "req-1",
        "source": "aws",
    }
    assert Failure.from_result(failure.to_dict()) == failure


def test_a_failure_of_a_report() -> None:
    row = {"message": "m", "remedy": "r", "error_code": "Code", "action": "CopyImage", "source": "aws"}
    placed = {"region": "eu-west-1", "account_id": "111122223333"}
    found = Failure.from_result({**row, **placed})
    assert found == Failure("m", "r", "Code", "CopyImage", "eu-west-1", "111122223333", source="aws")
    assert found.text() == "m (Code). r"
    only_text = {**dict.fromkeys([*row, *placed]), "message": "Crashed."}
    assert Failure.from_result(only_text) == Failure("Crashed.", "", "", "")


def test_an_invalid_option() -> None:
    failure = invalid_option("name", "name: too short.", "Take 3.", region="eu-west-1")
    assert failure.to_dict() == {
        "account_id": None,
        "action": "name",
        "error_code": "invalid_option",
        "message": "name: too short.",
        "region": "eu-west-1",
        "remedy": "Take 3.",
        "request_id": None,
        "source": "collection",
    }


def test_the_problem_of_an_invalid_value_is_cut() -> None:
    failure = invalid_value("name", f"'{'x' * 1000}' is too long.", "Take 3.")
    assert (failure.error_code, failure.action, failure.remedy) == ("invalid_option", "name", "Take 3.")
    assert failure.message.startswith("name: 'xxx")
    assert failure.message.endswith("x' is too long.")
    assert len(failure.message) <= len("name: ") + 270


def test_an_incomplete_response() -> None:
    failure = incomplete_response("CopyImage", "ImageId", Target("111111111111", "eu-west-1"))
    assert failure.sentence().startswith("eu-west-1: AWS's response to CopyImage lacks ImageId. Rerun.")
    assert (failure.error_code, failure.action) == ("incomplete_response", "CopyImage")
    assert failure.account_id == "111111111111"
    assert incomplete_response("CopyImage", "ImageId").region is None


def test_a_refusal_keeps_and_lists_every_failure() -> None:
    refused = ValidationError(item for item in (in_region("eu-west-1"), in_region("us-east-1", "No key.")))
    assert len(refused.failures) == 2
    assert str(refused).startswith("2 problems:")


def test_a_failed_target_has_its_failure_as_message() -> None:
    assert str(TargetFailed(in_region("eu-west-1"))) == "eu-west-1: Too many copies. Wait."


@pytest.mark.parametrize(
    ("text", "longest", "expected"),
    [
        ("short", 5, "short"),
        ("0123456789abcdef", 11, "012345 … ef"),
        ("Check that this role has this external ID", 30, "Check that this … ID"),
        ("", 5, ""),
    ],
)
def test_a_long_text_is_cut_in_the_middle(text: str, longest: int, expected: str) -> None:
    assert cut(text, longest) == expected


def test_a_long_message_is_cut_and_keeps_its_remedy() -> None:
    failure = Failure("x" * 10_000, "Fix it.", "invalid_option", "name")
    assert len(failure.text()) <= 500
    assert failure.text().endswith(" Fix it.")
    assert failure.to_dict()["message"] == failure.message


@pytest.mark.parametrize("message", ["No.", "x " * 150, "x " * 5_000])
@pytest.mark.parametrize("remedy", ["", "Fix it.", "Fix " * 5_000])
@pytest.mark.parametrize(
    "regions", [[None], ["ap-southeast-1"], [f"ap-southeast-{one}" for one in range(40)]]
)
def test_no_line_is_longer_than_500_characters(message: str, remedy: str, regions: list[str | None]) -> None:
    for source in ("aws", "collection"):
        failures = [Failure(message, remedy, "Code", "X", region, source=source) for region in regions]
        (line,) = summary(failures).splitlines()
        assert len(line) <= 500
        assert line.startswith(f"{regions[0]}" if regions[0] else message[:2])


def test_the_traceback_of_a_bug_is_not_cut() -> None:
    bug = Failure("x" * 10_000, "Report it.", "unexpected_error", "CopyImage")
    assert len(bug.text()) > 10_000


@pytest.mark.parametrize(("error_code", "most"), [("invalid_option", 20), ("InternalFailure", 5)])
def test_a_summary_of_many_problems_is_limited(error_code: str, most: int) -> None:
    failures = [Failure(f"{number} is bad.", "", error_code, "ids") for number in range(500)]
    lines = summary(failures).splitlines()
    assert lines[0] == "500 problems:"
    assert lines[-1] == f"{500 - most} more in the failures of the task's result, which -vvv shows."
    assert len(lines) == most + 2
    assert summary(failures, "the report").endswith(f"\n{500 - most} more in the report.")


@pytest.mark.parametrize(("length", "listed"), [(150, 20), (400, 8)])
def test_a_summary_of_long_problems_is_limited(length: int, listed: int) -> None:
    failures = [
        Failure(f"{number:02}{'x' * (length - 2)}", "", "invalid_option", "ids") for number in range(20)
    ]
    text = summary(failures)
    assert len([line for line in text.splitlines() if line.startswith("- ")]) == listed
    assert (f"{20 - listed} more in the failures" in text) is (listed < 20)


def test_a_summary_begins_with_a_traceback_even_if_it_is_long() -> None:
    bugs = [Failure(letter * 10_000, "", "unexpected_error", "CopyImage") for letter in "ab"]
    assert "a" * 10_000 in summary(bugs)
    assert summary(bugs).endswith("\n1 more in the failures of the task's result, which -vvv shows.")


def test_a_failure_of_many_regions_names_some() -> None:
    failures = [Failure("Bad.", "", "bad", "ids", f"region-{number:02}") for number in range(34)]
    assert summary(failures).endswith("region-19 and 14 more: Bad.")


@pytest.mark.parametrize(
    ("message", "source", "text"),
    [
        ("You are not authorized.", "aws", "You are not authorized (Denied). Allow it."),
        ("Not authorized", "aws", "Not authorized (Denied). Allow it."),
        ("Denied: no", "aws", "Denied: no. Allow it."),
        ("", "aws", "(Denied). Allow it."),
        ("No network.", "sdk", "No network. Allow it."),
    ],
)
def test_a_message_of_aws_has_its_code(message: str, source: Source, text: str) -> None:
    assert Failure(message, "Allow it.", "Denied", "CopyImage", source=source).text() == text
