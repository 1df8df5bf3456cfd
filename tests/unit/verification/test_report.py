# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of a verification report; no level counts as a higher one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID
from tests.unit.verification.examples import EU, LEVELS, US, verified

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


def report(
    level: str, *results: Any, regions: tuple[str, ...] = (EU,), accounts: Any = (CONSUMER,), **options: Any
) -> Any:
    return verified(level, *(results or ({},)), regions=regions, accounts=accounts, **options)


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


@pytest.mark.parametrize(("code", "expected"), [("InvalidSubnetID.NotFound", 1), ("Unsupported", 2)])
def test_what_a_launch_says_is_not_said_again_by_its_dry_run(code: str, expected: int) -> None:
    tried = {**NO_KEY, "code": "dry_run_inconclusive", "error_code": "InvalidSubnetID.NotFound"}
    failed = {**NO_KEY, "code": "launch_failed", "error_code": code}
    other = {**NO_KEY, "error_code": code}
    diagnosed, probed = (
        result(row("visible", EU, CONSUMER, other, tried)),
        result(row("visible", EU, CONSUMER, failed)),
    )
    (found,) = report("launched", diagnosed, probed)["results"]
    codes = [finding["code"] for finding in found["findings"]]
    assert codes == [NO_KEY["code"], *["dry_run_inconclusive"] * (expected - 1), "launch_failed"]


def test_a_running_instance_overrides_findings() -> None:
    (found,) = report("launched", result(row("authorized", EU, CONSUMER, NO_KEY)), result(row("launched")))[
        "results"
    ]
    assert (found["reached"], found["findings"]) == (True, [])


@pytest.mark.parametrize("wanted", LEVELS)
@pytest.mark.parametrize("read", [True, False, None])
def test_only_an_account_that_reads_the_parameter_can_launch_by_it(wanted: str, read: bool | None) -> None:
    diagnosed = {
        **row("visible" if read is False else "authorized", EU, CONSUMER, NO_KEY),
        "parameter_read": read,
    }
    launches = [result(row("launched"))] if wanted == "launched" else []
    content = report(wanted, result(diagnosed), *launches)
    (found,) = content["results"]
    assert found["reached"] is (read is not False or wanted == "visible")
    # A launch by the image's ID overrides other findings only.
    assert bool(found["findings"]) is (read is False or wanted != "launched")
    assert content["status"] == ("verified" if found["reached"] else "failed")


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
    content = report("visible", diagnosed, regions=(EU, US), accounts=(CONSUMER, OWNER))
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


def test_an_account_that_could_not_be_read_is_unknown() -> None:
    denied = {**NO_KEY, "code": "consumer_unreadable", "message": "AWS denied AssumeRole.", "remedy": "Ask."}
    content = report("visible", result(row(None, EU, CONSUMER, denied, NO_KEY)))
    assert content["summary"].endswith(
        f"{CONSUMER}: whether {SOURCE_ID} is visible is not known. "
        "AWS denied AssumeRole (Client.InternalError). Ask. No key (Client.InternalError). Grant it."
    )
    # A launch probe alone has no result of an account whose role it cannot assume.
    failed = {"account_id": CONSUMER, "action": "AssumeRole", "error_code": "AccessDenied", "region": EU}
    probed = report("visible", {"failures": [{**failed, "message": "Denied.", "remedy": "Ask."}]})
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
    image, other = "ami-0123456789abcdef0", "ami-0123456789abcdef1"
    lacking = [denied(EU, image), denied(US, other), denied(EU, image, OWNER)]
    content = report("launched", result(*lacking), accounts=(CONSUMER, OWNER))
    assert content["summary"] == (
        f"eu-west-1: {CONSUMER}: {image} is visible, not launched. {image} in eu-west-1 has no key "
        "(Client.InternalError). Grant it. The same 2 more times, in us-east-1 and for account "
        f"{OWNER}."
    )


def test_two_images_in_one_region_keep_their_ids() -> None:
    lacking = [denied(EU, "ami-1"), denied(EU, "ami-3"), denied(US, "ami-2")]
    summary = report("launched", result(*lacking))["summary"]
    assert all(image_id in summary for image_id in ("ami-1", "ami-2", "ami-3"))


def keyed(
    key_use: str | None, region: str = EU, account_id: str = CONSUMER, level: str = "authorized"
) -> Any:
    doubt = {**NO_KEY, "code": "direct_key_use_denied", "blocks_launch": "unknown"}
    findings = [doubt] if key_use == "uncertain" else [NO_KEY] if key_use == "refused" else []
    return {**row(level, region, account_id, *findings), "key_use": key_use, "principal": "arn:role"}


@pytest.mark.parametrize(
    ("wanted", "level", "key_use", "expected", "shown"),
    [
        # The level that is proven, whether it is sufficient, whether that is uncertain, and the status.
        ("authorized", "authorized", "proven", ("authorized", True, False, "verified"), "proven"),
        ("authorized", "authorized", None, ("authorized", True, False, "verified"), None),
        ("authorized", "authorized", "uncertain", ("visible", False, True, "uncertain"), "uncertain"),
        ("authorized", "authorized", "refused", ("visible", False, False, "failed"), "refused"),
        ("authorized", "visible", "uncertain", ("visible", False, False, "failed"), "uncertain"),
        ("authorized", None, "refused", (None, False, False, "failed"), "refused"),
        ("visible", "authorized", "refused", ("visible", True, False, "verified"), "not_checked"),
        ("visible", "authorized", "uncertain", ("visible", True, False, "verified"), "not_checked"),
        ("visible", "visible", "uncertain", ("visible", True, False, "verified"), "not_checked"),
        ("visible", "visible", None, ("visible", True, False, "verified"), None),
        ("launched", "authorized", "uncertain", ("visible", False, False, "failed"), "uncertain"),
        ("launched", "visible", "refused", ("visible", False, False, "failed"), "refused"),
        ("launched", "launched", "refused", ("launched", True, False, "verified"), "proven"),
        ("launched", "launched", "uncertain", ("launched", True, False, "verified"), "proven"),
        ("launched", "launched", None, ("launched", True, False, "verified"), None),
    ],
)
def test_the_use_of_keys_is_a_part_of_the_level(
    wanted: str, level: str, key_use: str | None, expected: tuple[str, bool, bool, str], shown: str | None
) -> None:
    content = report(wanted, result(keyed(key_use, level=level)))
    (found,) = content["results"]
    assert (found["level"], found["reached"], found["uncertain"], content["status"]) == expected
    assert content["uncertain_regions"] == ([EU] if expected[2] else [])
    assert content["failed_regions"] == ([] if expected[1] or expected[2] else [EU])
    assert (found["key_use"], found["principal"]) == (shown, "arn:role")


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


def test_a_diagnosis_alone_has_the_use_of_keys() -> None:
    diagnosed, probed = result(keyed("uncertain")), result(row("visible"))
    (found,) = report("launched", diagnosed, probed)["results"]
    assert (found["key_use"], found["principal"]) == ("uncertain", "arn:role")


def kept_back(*rows: Any, publish: Any) -> Any:
    """Why regions are not published, and what to do about it."""
    found = report("authorized", result(*rows), accounts=(), publish_uncertain=publish)
    return found.get("kept_back")


def test_an_uncertain_account_keeps_its_regions_back() -> None:
    rows = [keyed("uncertain"), keyed("uncertain", US), keyed("proven", "eu-west-2")]
    kept = kept_back(*rows, publish=False)
    assert (kept["regions"], kept["error_code"]) == ([EU, US], "key_use_uncertain")
    assert kept["message"] == (
        f"The image is not published in {EU}, {US}: whether account {CONSUMER} can use its keys is uncertain."
    )
    assert kept["remedy"].endswith(f'set publish_uncertain: ["{CONSUMER}"].')


@pytest.mark.parametrize("publish", [None, True, [CONSUMER, OWNER]])
def test_accepted_accounts_keep_nothing_back(publish: Any) -> None:
    assert kept_back(keyed("uncertain"), keyed("uncertain", US, OWNER), publish=publish) is None


def test_accepted_accounts_stay_in_the_setting() -> None:
    kept = kept_back(keyed("uncertain"), keyed("uncertain", US, OWNER), publish=[CONSUMER])
    assert kept["regions"] == [US]
    assert kept["remedy"].endswith(f'set publish_uncertain: ["{CONSUMER}", "{OWNER}"].')


def test_the_setting_for_many_accounts_is_short() -> None:
    kept = kept_back(*(keyed("uncertain", EU, f"{number:012}") for number in range(11)), publish=False)
    assert "whether 11 accounts can use its keys" in kept["message"]
    assert kept["remedy"].endswith("set publish_uncertain: true.")
