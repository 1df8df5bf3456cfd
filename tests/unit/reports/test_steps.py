# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures in the results of modules, without values that differ between runs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.document import Item
from ansible_collections.golden.images.plugins.module_utils._reports.steps import (
    MEANINGS,
    collect_failures,
    explain,
    strip_request,
    to_finding,
    to_item,
)

DENIED = {
    "account_id": "111122223333",
    "action": "CopyImage",
    "error_code": "UnauthorizedOperation",
    "message": "You are not authorized. Encoded authorization failure message: abc123",
    "region": "eu-west-1",
    "remedy": "Allow CopyImage.",
    "request_id": "req-1",
    "source": "aws",
}
EMPTY = dict.fromkeys(("account_id", "action", "error_code", "region", "remedy", "source"))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([], [], id="no steps"),
        pytest.param([{"changed": True}, {"failures": []}], [], id="no failures"),
        pytest.param(
            [{"failed": True, "msg": "Failed.", "failures": [DENIED]}],
            [
                {
                    **EMPTY,
                    **{key: value for key, value in DENIED.items() if key != "request_id"},
                    "message": "You are not authorized.",
                }
            ],
            id="without the request",
        ),
        pytest.param(
            [{"failed": True, "msg": "Syntax error."}],
            [{**EMPTY, "message": "Syntax error."}],
            id="a task without a list of failures",
        ),
        pytest.param(
            [{"failed": True, "msg": "Nothing was left.", "failures": []}],
            [],
            id="a task that fails for what failed before",
        ),
        pytest.param(
            [{"failures": [{"message": "Skipped."}]}],
            [{**EMPTY, "message": "Skipped."}],
            id="a best-effort region of a task that did not fail",
        ),
    ],
)
def test_failures(steps: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert collect_failures(steps) == expected


def test_failures_keep_the_order_of_the_steps() -> None:
    steps = [{"failures": [{"message": "a"}]}, {"failures": [{"message": "b"}, {"message": "c"}]}]
    assert [failure["message"] for failure in collect_failures(steps)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("There is no key.", "There is no key."),
        ("Not authorized. Encoded authorization failure message: Ab-_9", "Not authorized."),
        ("Not authorized. Encoded authorization failure message: Ab Rerun.", "Not authorized. Rerun."),
        ("", ""),
    ],
)
def test_a_message_without_the_encoded_request(message: str, expected: str) -> None:
    assert strip_request(message) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {},
            {"code": "operation_failed", "message": "You are not authorized (UnauthorizedOperation)."},
            id="AWS's code is in the message",
        ),
        pytest.param(
            {"error_code": "consumer_rejected", "message": "AWS rejected it."},
            {"code": "consumer_rejected", "message": "AWS rejected it."},
            id="a code of this collection",
        ),
        pytest.param(
            {"error_code": None, "message": "Syntax error", "remedy": None},
            {"code": "operation_failed", "message": "Syntax error", "remedy": ""},
            id="no code",
        ),
    ],
)
def test_the_finding_about_a_failure(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    (failure,) = collect_failures([{"failures": [{**DENIED, **changes}]}])
    assert to_finding(failure) == {
        "error_code": failure["error_code"],
        "remedy": "Allow CopyImage.",
        **expected,
    }
    assert {"operation_failed"} == {*MEANINGS}


def test_the_item_of_a_failure() -> None:
    (failure,) = collect_failures([{"failures": [DENIED]}])
    assert to_item(failure, "high", principal="444455556666") == Item(
        code="operation_failed",
        severity="high",
        message="You are not authorized (UnauthorizedOperation).",
        remedy="Allow CopyImage.",
        account_id="111122223333",
        region="eu-west-1",
        resource="CopyImage",
        principal="444455556666",
    )


@pytest.mark.parametrize(
    ("message", "error_code", "expected"),
    [
        ("It ended. Encoded authorization failure message: Ab", None, "It ended."),
        ("It ended", "instance_terminated", "It ended"),
        ("It ended", "Client.InternalError", "It ended (Client.InternalError)."),
        ("Client.InternalError: it ended", "Client.InternalError", "Client.InternalError: it ended."),
    ],
)
def test_a_message_has_the_code_of_aws(message: str, error_code: str | None, expected: str) -> None:
    assert explain(message, error_code) == expected
