# SPDX-License-Identifier: GPL-3.0-or-later

"""The text and the returned form of failures."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import (
    Failure,
    Source,
    TargetFailed,
    ValidationError,
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


def test_a_long_value_of_an_option_is_cut_at_its_end() -> None:
    failure = invalid_value("name", f"'{'x' * 1000}' is too long.", "Take 3.")
    assert (failure.error_code, failure.action, failure.remedy) == ("invalid_option", "name", "Take 3.")
    assert failure.message == f"name: '{'x' * 200}'\u2026 (1,000 characters) is too long."


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


def test_the_words_of_aws_and_the_remedy_are_whole() -> None:
    words, remedy = " ".join(f"word{number}" for number in range(200)), "Fix it. " * 60
    (cause,) = summary(
        Failure(words, remedy, "Code", "X", region, source="aws") for region in ("eu-west-1", "us-east-1")
    ).splitlines()
    assert cause == f"eu-west-1, us-east-1: {words} (Code). {remedy.strip()}"


def test_a_message_that_is_longer_than_any_of_aws_is_cut_at_its_end_and_keeps_its_remedy() -> None:
    failure = Failure("x" * 10_000, "Fix it.", "invalid_option", "name")
    assert failure.text() == f"{'x' * 2500}\u2026 (10,000 characters). Fix it."
    assert failure.to_dict()["message"] == failure.message


def test_the_traceback_of_a_bug_is_not_cut() -> None:
    bug = Failure("x" * 10_000, "Report it.", "unexpected_error", "CopyImage")
    assert len(bug.text()) > 10_000


@pytest.mark.parametrize(("error_code", "most"), [("invalid_option", 20), ("InternalFailure", 5)])
def test_a_summary_of_many_problems_is_limited(error_code: str, most: int) -> None:
    failures = [Failure(f"{number} is bad.", "", error_code, "ids") for number in range(500)]
    lines = summary(failures).splitlines()
    assert lines[0] == f"{most} of 500 problems:"
    assert lines[-1] == f"{500 - most} more in the failures of the task's result, which -vvv shows."
    assert len(lines) == most + 2
    assert summary(failures, "the report").endswith(f"\n{500 - most} more in the report.")


@pytest.mark.parametrize(("length", "listed"), [(150, 20), (400, 8)])
def test_a_summary_of_long_problems_has_as_many_as_fit(length: int, listed: int) -> None:
    failures = [
        Failure(f"{number:02}{'x' * (length - 2)}", "", "invalid_option", "ids") for number in range(20)
    ]
    text = summary(failures)
    assert [len(line) for line in text.splitlines() if line.startswith("- ")] == [length + 2] * listed
    assert (f"{20 - listed} more in the failures" in text) is (listed < 20)
    assert text.startswith("20 problems:" if listed == 20 else f"{listed} of 20 problems:")


def test_a_summary_begins_with_a_traceback_even_if_it_is_long() -> None:
    bugs = [Failure(letter * 10_000, "", "unexpected_error", "CopyImage") for letter in "ab"]
    assert summary(bugs).startswith(f"1 of 2 problems:\n- {'a' * 10_000}\n")
    assert summary(bugs).endswith("\n1 more in the failures of the task's result, which -vvv shows.")


def test_no_problem_is_no_text() -> None:
    assert summary([]) == ""


def test_a_summary_names_the_accounts() -> None:
    failures = [Failure("Bad.", "", "bad", "X", region, "111122223333") for region in ("a-1", "b-1")]
    assert summary(failures) == "a-1, b-1 in account 111122223333: Bad."
    rejected = [
        Failure(f"No value {one}.", "Ask.", "X", "Y", region, "111122223333").to_rejection(one, "Remove it.")
        for region in ("a-1", "b-1")
        for one in ("222222222222", "333333333333")
    ]
    assert summary(rejected) == (
        "a-1: AWS rejected 222222222222: No value 222222222222. Remove it. "
        "The same in b-1 and for account 333333333333."
    )


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
