# SPDX-License-Identifier: GPL-3.0-or-later

"""The outcome of a verification, in the forms that ``ami_verify`` returns it in."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._verification.outcome import (
    VerificationOutcome,
    list_messages,
)

from tests.unit.verification.examples import EU, WEB, seen, verified

REPORT = verified("authorized", [seen(WEB, EU, "visible")], regions=[EU], accounts=[WEB])
KEPT = {"error_code": "key_use_uncertain", "message": "Not published.", "regions": [EU], "remedy": "Set it."}
RAN = {"verified_regions": [EU]}
FAILED = {"msg": "Long message, and policies.", "verified_regions": []}


@pytest.mark.parametrize("result", [{**FAILED, "report": REPORT}, {**FAILED, **REPORT, "report": None}])
def test_what_was_not_proven_is_the_summary_of_the_report(result: dict[str, Any]) -> None:
    outcome = VerificationOutcome.from_dict(result)
    assert outcome == VerificationOutcome(REPORT["results"], "authorized", REPORT["summary"])
    assert WEB in outcome.error
    assert list_messages([result]) == [REPORT["summary"]]


def test_a_task_that_was_refused_has_its_own_message() -> None:
    refused = {"msg": "No such option.", "report": REPORT}
    assert VerificationOutcome.from_dict(refused).error == "No such option."
    assert list_messages([refused]) == ["No such option."]


@pytest.mark.parametrize("result", [{}, RAN, {**RAN, "report": {"results": [], "summary": ""}}])
def test_what_has_not_failed_has_no_message(result: dict[str, Any]) -> None:
    assert VerificationOutcome.from_dict(result) == VerificationOutcome()
    assert list_messages([result]) == []


def test_regions_that_are_kept_back_have_a_message_of_their_own() -> None:
    kept = {**RAN, "report": {"results": [], "summary": "", "kept_back": KEPT}}
    assert VerificationOutcome.from_dict(kept).kept_back == KEPT
    failed = {**FAILED, "report": {"summary": "1 account.", "kept_back": KEPT}}
    assert list_messages([{"msg": "No key."}, kept, failed]) == [
        "No key.",
        "Not published. Set it.",
        "1 account.",
        "Not published. Set it.",
    ]
