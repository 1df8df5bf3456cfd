# SPDX-License-Identifier: GPL-3.0-or-later

"""A member that an answer lacks is a failed read, not a bug and not an empty value."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.answers import require_member, unless_gone
from ansible_collections.golden.images.plugins.module_utils._aws.errors import AWS_ERRORS, failure
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.session import Session

from tests.unit.examples import OWNER, target_in
from tests.unit.wire import Wire


@pytest.mark.parametrize("value", [[], "", 0, False, "ami-1"])
def test_a_member_that_the_answer_has(value: object) -> None:
    assert require_member({"X": value}, "X", "DescribeImages") == value


def test_a_member_that_the_answer_lacks() -> None:
    with pytest.raises(AWS_ERRORS, match=r"^AWS's response to DescribeKey lacks KeyState\.$") as caught:
        require_member({"KeyId": "1234abcd"}, "KeyState", "DescribeKey")
    found = failure(caught.value, target_in("eu-west-1"), "CopyImage").to_dict()
    remedy = found.pop("remedy")
    assert found == {
        "account_id": OWNER,
        "action": "DescribeKey",
        "error_code": "incomplete_response",
        "message": "AWS's response to DescribeKey lacks KeyState.",
        "region": "eu-west-1",
        "request_id": None,
        "source": "collection",
    }
    assert remedy is not None
    assert "update botocore" in remedy


def test_what_is_gone_has_no_answer() -> None:
    wire = Wire("rbin")
    wire.expect("get_rule", {"Identifier": "r-1"}, {"Identifier": "r-1"})
    for code in ("ResourceNotFoundException", "AccessDeniedException"):
        wire.refuse("get_rule", {"Identifier": "r-1"}, code)
    gone = ("ResourceNotFoundException",)

    def read() -> str | None:
        answer = unless_gone(lambda: wire.client.get_rule(Identifier="r-1"), gone)
        return None if answer is None else str(answer["Identifier"])

    with wire.spoken():
        assert (read(), read()) == ("r-1", None)
        with pytest.raises(ClientError, match="AccessDeniedException"):
            read()


@pytest.mark.parametrize(
    ("service", "operation", "body", "expected"),
    [
        ("ec2", "DescribeImages", b"<DescribeImagesResponse><imagesSet/></DescribeImagesResponse>", []),
        ("ec2", "DescribeImages", b"<DescribeImagesResponse></DescribeImagesResponse>", None),
        ("kms", "ListGrants", b'{"Grants": []}', []),
        ("kms", "ListGrants", b"{}", None),
    ],
)
def test_botocore_omits_a_list_that_the_answer_lacks(
    service: str, operation: str, body: bytes, expected: list[object] | None
) -> None:
    model = Session().get_service_model(service)
    parser = create_parser(model.metadata["protocol"])
    response = {"status_code": 200, "headers": {}, "body": body}
    answer = parser.parse(response, model.operation_model(operation).output_shape)
    member = "Images" if service == "ec2" else "Grants"
    assert answer.get(member) == expected
