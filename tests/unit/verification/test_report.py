# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of a verification report; no level counts as a higher one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.verification.report import (
    LEVELS,
    PROOFS,
    level_sentence,
    level_text,
    verification,
)

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID

EU, US = "eu-west-1", "us-east-1"
FOUND = {
    "code": "key_not_usable",
    "error_code": "Client.InternalError",
    "message": "No key (Client.InternalError).",
    "remedy": "Grant it.",
    "severity": "high",
}
NO_KEY = {**FOUND, "blocks_launch": "blocking", "message": "No key."}


def row(level: str | None, region: str = EU, account_id: str = CONSUMER, *findings: Any) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "can_launch": "yes",
        "findings": list(findings),
        "image_id": SOURCE_ID,
        "instance_id": "i-1",
        "level": level,
        "region": region,
    }


def result(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"results": list(rows), "failures": [], **changes}


def report(level: str, *results: Any, regions: tuple[str, ...] = (EU,), accounts: Any = (CONSUMER,)) -> Any:
    return verification(level, regions, accounts, results)


@pytest.mark.parametrize("level", [None, *LEVELS])
@pytest.mark.parametrize("wanted", LEVELS)
def test_a_level_is_reached_by_itself_and_by_those_that_prove_more(wanted: str, level: str | None) -> None:
    content = report(wanted, result(row(level)))
    reached = level is not None and LEVELS.index(level) >= LEVELS.index(wanted)
    assert content["results"] == [
        {
            "account_id": CONSUMER,
            "findings": [],
            "image_id": SOURCE_ID,
            "key_use": None,
            "level": level,
            "principal": None,
            "reached": reached,
            "region": EU,
            "uncertain": False,
        }
    ]
    assert content["status"] == ("verified" if reached else "failed")
    assert content["failed_regions"] == ([] if reached else [EU])
    assert bool(content["summary"]) is not reached


def test_the_highest_level_counts_and_each_finding_is_listed_once() -> None:
    diagnosed, probed = (
        result(row("authorized", EU, CONSUMER, NO_KEY)),
        result(row("visible", EU, CONSUMER, NO_KEY)),
    )
    (found,) = report("launched", diagnosed, probed)["results"]
    assert (found["level"], found["findings"]) == ("authorized", [FOUND])
    assert "No key (Client.InternalError). Grant it." in report("launched", diagnosed, probed)["summary"]


def test_a_running_instance_overrides_findings() -> None:
    (found,) = report("launched", result(row("authorized", EU, CONSUMER, NO_KEY)), result(row("launched")))[
        "results"
    ]
    assert (found["reached"], found["findings"]) == (True, [])


def test_notes_are_no_findings() -> None:
    (found,) = report(
        "visible", result(row("visible", EU, CONSUMER, {**NO_KEY, "blocks_launch": "harmless"}))
    )["results"]
    assert found["findings"] == []


REFUSED = {
    "account_id": CONSUMER,
    "action": "AssumeRole",
    "error_code": "AccessDenied",
    "message": "Not you.",
    "region": None,
    "remedy": "Trust.",
    "request_id": "r-1",
    "source": "aws",
}


def test_an_account_without_results_has_not_reached_it() -> None:
    diagnosed = result(row("authorized", EU, OWNER), row("authorized", US, OWNER), failures=[REFUSED])
    content = report("visible", diagnosed, regions=(EU, US), accounts=(CONSUMER, " ", OWNER))
    unheard = [found for found in content["results"] if found["account_id"] == CONSUMER]
    assert [(found["region"], found["level"], found["reached"]) for found in unheard] == [
        (EU, None, False),
        (US, None, False),
    ]
    assert {
        (finding["code"], finding["error_code"], finding["severity"])
        for found in unheard
        for finding in found["findings"]
    } == {("operation_failed", "AccessDenied", "high")}
    assert content["failed_regions"] == [EU, US]
    assert content["status"] == "incomplete"
    assert "Not you (AccessDenied). Trust." in content["summary"]


@pytest.mark.parametrize(
    ("results", "says"),
    [
        pytest.param([{"failed": True, "msg": "Crashed."}], "Crashed.", id="a task crashed"),
        pytest.param([], "is not known.", id="nothing was done"),
        pytest.param([{"failed": True, "failures": [REFUSED]}], "Not you", id="it was refused"),
    ],
)
@pytest.mark.parametrize("accounts", [(CONSUMER,), ()])
def test_without_results_all_have_failed(results: list[Any], says: str, accounts: Any) -> None:
    content = report("visible", *results, regions=(EU, US), accounts=accounts)
    assert content["status"] == "failed"
    assert content["failed_regions"] == [EU, US]
    if accounts or results:
        assert says in content["summary"]


def test_an_account_in_which_no_role_acts_is_unknown() -> None:
    content = report("visible", result(row(None)))
    assert content["summary"].endswith(
        f"{CONSUMER}: whether {SOURCE_ID} is visible is not known, because no role in the account is named."
    )
    hidden = report("visible", result(row(None, EU, CONSUMER, NO_KEY)))
    assert f"{CONSUMER}: {SOURCE_ID} is not visible. No key" in hidden["summary"]
    assert [level_text(*one["results"]) for one in (content, hidden)] == ["unknown", "not visible"]


def test_an_account_that_could_not_be_read_is_unknown() -> None:
    denied = {**NO_KEY, "code": "consumer_unreadable", "message": "AWS denied AssumeRole.", "remedy": "Ask."}
    content = report("visible", result(row(None, EU, CONSUMER, denied, NO_KEY)))
    assert level_text(*content["results"]) == "unknown"
    assert content["summary"].endswith(
        f"{CONSUMER}: whether {SOURCE_ID} is visible is not known. "
        "AWS denied AssumeRole (Client.InternalError). Ask. No key (Client.InternalError). Grant it."
    )
    # A launch probe alone has no result of an account whose role it cannot assume.
    failed = {"account_id": CONSUMER, "action": "AssumeRole", "error_code": "AccessDenied", "region": EU}
    probed = report("visible", {"failures": [{**failed, "message": "Denied.", "remedy": "Ask."}]})
    assert level_text(*probed["results"]) == "unknown"
    assert probed["summary"].endswith(
        "whether the image is visible is not known. Denied (AccessDenied). Ask."
    )


def test_the_same_failure_makes_the_same_report() -> None:
    first, second = (
        report(
            "launched",
            result({**row("visible"), "instance_id": one}, failures=[{**REFUSED, "request_id": one}]),
        )
        for one in ("1", "2")
    )
    assert first == second


def test_a_region_with_one_failure_is_failed_and_others_are_not() -> None:
    rows = [row("launched", EU), row("visible", EU, OWNER), row("launched", US), row("launched", US, OWNER)]
    content = report("launched", result(*rows), regions=(EU, US), accounts=(CONSUMER, OWNER))
    assert content["failed_regions"] == [EU]
    assert content["summary"].count(OWNER) == 1
    assert CONSUMER not in content["summary"]


NO_SUBNET = {
    "account_id": None,
    "action": "subnet_ids",
    "error_code": "no_subnet",
    "message": "No subnet.",
    "region": None,
    "remedy": "",
    "source": "collection",
}


def test_the_reason_for_no_launch_is_listed_with_other_successes() -> None:
    content = report("launched", result(row("authorized")), {"failed": True, "failures": [NO_SUBNET]})
    assert content["results"][0]["level"] == "authorized"
    assert content["summary"].count("No subnet.") == 1


def test_the_task_error_is_the_reason_where_no_finding_is() -> None:
    role = {**REFUSED, "region": EU}
    content = report("launched", result(row("authorized")), result(row("visible"), failures=[role]))
    assert [found["message"] for found in content["results"][0]["findings"]] == ["Not you (AccessDenied)."]
    assert content["summary"].count("Not you (AccessDenied). Trust.") == 1


def test_a_region_without_results_is_not_verified() -> None:
    content = report("visible", result(row("visible")), regions=(EU, US), accounts=())
    assert content["failed_regions"] == [US]
    assert content["status"] == "incomplete"
    assert US in content["summary"]


@pytest.mark.parametrize("level", ["launched", "authorized"])
def test_an_instance_that_may_still_run_is_not_a_success(level: str) -> None:
    left = {
        **REFUSED,
        "action": "TerminateInstances",
        "message": "i-1 could not be terminated.",
        "region": EU,
    }
    content = report("launched", result(row(level), failures=[left]))
    assert content["status"] == ("incomplete" if level == "launched" else "failed")
    assert content["failed_regions"] == ([] if level == "launched" else [EU])
    assert content["summary"].count("i-1 could not be terminated (AccessDenied).") == 1


def test_a_failure_that_was_not_required_is_listed_and_fails_nothing() -> None:
    content = report("launched", result(row("launched"), failures=[REFUSED]))
    assert content["status"] == "verified"
    assert "Not you (AccessDenied). Trust." in content["summary"]


def test_the_encoded_message_of_an_error_changes_no_report() -> None:
    """Its message ends in the request, encoded differently each time (STS, DecodeAuthorizationMessage)."""

    def refused(encoded: str) -> Any:
        message = f"You are not authorized. Encoded authorization failure message: {encoded}"
        finding = {**NO_KEY, "code": "launch_denied", "message": message}
        failure = {"action": "RunInstances", "message": message, "account_id": CONSUMER, "region": US}
        return report("launched", result(row("visible", EU, CONSUMER, finding), failures=[failure]))

    assert refused("4Gm-x") == refused("9Zq_y")
    assert "You are not authorized (Client.InternalError)." in refused("4Gm-x")["summary"]


def denied(region: str, image_id: str, account_id: str = CONSUMER) -> dict[str, Any]:
    finding = {**NO_KEY, "message": f"{image_id} in {region} has no key"}
    return {**row("visible", region, account_id, finding), "image_id": image_id}


def test_what_an_account_lacks_in_several_regions_is_said_once() -> None:
    lacking = [denied(EU, "ami-1"), denied(US, "ami-2"), denied(EU, "ami-1", OWNER)]
    content = report("launched", result(*lacking), accounts=(CONSUMER, OWNER))
    text, why = "is visible, not launched.", "has no key (Client.InternalError). Grant it."
    assert content["summary"].splitlines() == [
        "2 problems:",
        f"- eu-west-1, us-east-1: {CONSUMER}: the image {text} The image there {why}",
        f"- eu-west-1: {OWNER}: ami-1 {text} ami-1 in eu-west-1 {why}",
    ]


def test_two_images_in_one_region_keep_their_ids() -> None:
    lacking = [denied(EU, "ami-1"), denied(EU, "ami-3"), denied(US, "ami-2")]
    summary = report("launched", result(*lacking))["summary"]
    assert all(image_id in summary for image_id in ("ami-1", "ami-2", "ami-3"))


@pytest.mark.parametrize("level", LEVELS)
def test_what_a_level_means(level: str) -> None:
    assert level_sentence(level) == f"Level {level} means: {PROOFS[level]}."


def keyed(
    key_use: str | None, region: str = EU, account_id: str = CONSUMER, level: str = "authorized"
) -> Any:
    doubt = {**NO_KEY, "code": "direct_key_use_denied", "blocks_launch": "unknown"}
    findings = [doubt] if key_use == "uncertain" else [NO_KEY] if key_use == "refused" else []
    return {**row(level, region, account_id, *findings), "key_use": key_use, "principal": "arn:role"}


@pytest.mark.parametrize(
    ("wanted", "level", "key_use", "expected"),
    [
        # The level that is proven, whether it is sufficient, whether that is uncertain, and the status.
        pytest.param("authorized", "authorized", "proven", ("authorized", True, False, "verified"), id="1"),
        pytest.param("authorized", "authorized", "uncertain", ("visible", False, True, "uncertain"), id="2"),
        pytest.param("authorized", "authorized", "refused", ("visible", False, False, "failed"), id="3"),
        pytest.param("authorized", "visible", "uncertain", ("visible", False, False, "failed"), id="4"),
        pytest.param("visible", "authorized", "refused", ("visible", True, False, "verified"), id="5"),
        pytest.param("visible", "authorized", "uncertain", ("visible", True, False, "verified"), id="6"),
        pytest.param("launched", "authorized", "uncertain", ("visible", False, False, "failed"), id="7"),
        pytest.param("launched", "launched", "uncertain", ("launched", True, False, "verified"), id="8"),
    ],
)
def test_the_use_of_keys_is_a_part_of_the_level(
    wanted: str, level: str, key_use: str, expected: tuple[str, bool, bool, str]
) -> None:
    content = report(wanted, result(keyed(key_use, level=level)))
    (found,) = content["results"]
    assert (found["level"], found["reached"], found["uncertain"], content["status"]) == expected
    assert content["uncertain_regions"] == ([EU] if expected[2] else [])
    assert content["failed_regions"] == ([] if expected[1] or expected[2] else [EU])
    assert found["principal"] == "arn:role"


def test_uncertain_accounts_are_counted_apart_from_failed_ones() -> None:
    rows = (
        keyed("uncertain"),
        keyed("refused", US),
        keyed("uncertain", US, OWNER),
        keyed("proven", EU, OWNER),
    )
    content = report("authorized", result(*rows), regions=(EU, US), accounts=(CONSUMER, OWNER))
    assert content["status"] == "incomplete"
    assert (content["failed_regions"], content["uncertain_regions"]) == ([US], [EU])
    assert "1 of" not in content["summary"]
    assert content["summary"].startswith(f"us-east-1: {CONSUMER}: {SOURCE_ID} is visible, not authorized.")
    assert level_text(content["results"][0]) == "uncertain"


def test_a_diagnosis_alone_has_the_use_of_keys() -> None:
    diagnosed, probed = result(keyed("uncertain")), result(row("visible"))
    (found,) = report("launched", diagnosed, probed)["results"]
    assert (found["key_use"], found["principal"]) == ("uncertain", "arn:role")
