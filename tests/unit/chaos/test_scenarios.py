# SPDX-License-Identifier: GPL-3.0-or-later

"""Every operation that changes something is made in a scenario; its undisturbed run shows what it makes."""

from __future__ import annotations

from checks.iam.permissions import PERMISSIONS
from tests.chaos.scenarios import SCENARIOS

READS = ("AssumeRole", "BatchGet", "Describe", "Get", "Head", "List", "Select")
NEVER_MADE = {
    "iam:SimulatePrincipalPolicy": "it only reads",
    "kms:Decrypt": "only as a dry run, which changes nothing",
    "kms:GenerateDataKeyWithoutPlaintext": "only as a dry run, which changes nothing",
    "kms:ReEncrypt": "only as a dry run, which changes nothing",
    "ssm:PutResourcePolicy": "by AWS RAM for the caller",
    "sqs:DeleteMessage": "by ansible.eda's source of events, for the rulebook",
    "sqs:ReceiveMessage": "by ansible.eda's source of events, for the rulebook",
}


def test_each_operation_that_changes_something_is_made_in_a_scenario() -> None:
    changing = {one for one in PERMISSIONS if not one.partition(":")[2].startswith(READS)}
    made = {one for scenario in SCENARIOS.values() for one in scenario.operations}
    assert changing - made == NEVER_MADE.keys()
    assert made <= changing
