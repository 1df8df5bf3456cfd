# SPDX-License-Identifier: GPL-3.0-or-later

"""Which event selectors log the calls that change something in EC2 or KMS."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.selectors import logs_changes

EC2, KMS = "ec2.amazonaws.com", "kms.amazonaws.com"
MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}


@pytest.mark.parametrize(
    ("selectors", "ec2", "kms"),
    [
        ([{}], True, True),
        ([{"ReadWriteType": "All", "IncludeManagementEvents": True}], True, True),
        ([{"ReadWriteType": "WriteOnly"}], True, True),
        ([{"ReadWriteType": "ReadOnly"}], False, False),
        ([{"IncludeManagementEvents": False}], False, False),
        ([{"ExcludeManagementEventSources": []}], True, True),
        ([{"ExcludeManagementEventSources": [KMS]}], True, False),
        ([{"ReadWriteType": "ReadOnly"}, {"ReadWriteType": "WriteOnly"}], True, True),
    ],
)
def test_basic_selectors(selectors: list[Any], ec2: bool, kms: bool) -> None:
    answer = {"EventSelectors": selectors}
    assert (logs_changes(answer, EC2), logs_changes(answer, KMS)) == (ec2, kms)


@pytest.mark.parametrize(
    ("fields", "ec2", "kms"),
    [
        ([MANAGEMENT], True, True),
        ([{"Field": "eventCategory", "Equals": ["Data"]}], False, False),
        ([MANAGEMENT, {"Field": "readOnly", "Equals": ["false"]}], True, True),
        ([MANAGEMENT, {"Field": "readOnly", "Equals": ["true"]}], False, False),
        ([MANAGEMENT, {"Field": "eventSource", "NotEquals": [KMS, "rdsdata.amazonaws.com"]}], True, False),
        ([MANAGEMENT, {"Field": "eventSource", "Equals": ["s3.amazonaws.com", KMS]}], False, True),
        ([MANAGEMENT, {"Field": "eventSource", "StartsWith": ["ec2."]}], True, False),
        ([MANAGEMENT, {"Field": "eventSource", "EndsWith": [".amazonaws.com"]}], True, True),
        ([MANAGEMENT, {"Field": "eventSource", "NotStartsWith": ["ec2."]}], False, True),
        ([MANAGEMENT, {"Field": "eventSource", "NotEndsWith": [".amazonaws.com"]}], False, False),
        # One operator that selects is enough, and no operator that deselects may match.
        ([{"Field": "eventSource", "Equals": [EC2], "StartsWith": ["kms."]}], True, True),
        ([{"Field": "eventSource", "EndsWith": [".com"], "NotEquals": [KMS]}], True, False),
        ([MANAGEMENT, {"Field": "eventType", "NotEquals": ["AwsServiceEvent"]}], True, True),
        # It depends on the call.
        ([MANAGEMENT, {"Field": "eventName", "NotEquals": ["CreateGrant"]}], None, None),
        ([{"Field": "readOnly", "Equals": ["true"]}, {"Field": "eventName", "Equals": ["x"]}], False, False),
    ],
)
def test_advanced_selectors(fields: list[Any], ec2: bool | None, kms: bool | None) -> None:
    answer = {"AdvancedEventSelectors": [{"Name": "of management", "FieldSelectors": fields}]}
    assert (logs_changes(answer, EC2), logs_changes(answer, KMS)) == (ec2, kms)


def test_one_advanced_selector_is_enough() -> None:
    data = {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}
    some = {"FieldSelectors": [MANAGEMENT, {"Field": "eventName", "Equals": ["CreateGrant"]}]}
    assert logs_changes({"AdvancedEventSelectors": [data, some]}, EC2) is None
    assert logs_changes({"AdvancedEventSelectors": [data, some, {"FieldSelectors": [MANAGEMENT]}]}, EC2)


@pytest.mark.parametrize("answer", [{}, {"EventSelectors": []}, {"AdvancedEventSelectors": [{}]}])
def test_an_answer_without_selectors_says_nothing(answer: dict[str, Any]) -> None:
    assert logs_changes(answer, EC2) is None
