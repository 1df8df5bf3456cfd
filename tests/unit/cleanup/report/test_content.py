# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a cleanup: only completed actions count as done or as freed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.content import build_content
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.prices import Prices
from hypothesis import given
from hypothesis import strategies as st

from .examples import CALLS, EU, OVER_THE_LIMIT, US, call, calls, cleaned, failure, one

NO_PRICES = Prices()
PRICES = Prices({EU: Decimal("0.05"), "default": Decimal("0.10")}, "EUR")

OLD, OLDER = one("ami-1", "deregister"), one("ami-2", "deregister", US, size_gib=100)
OFF, SOON = one("ami-3", "disable"), one("ami-4", "deprecate")
WAITS = one("ami-5", "wait", next_stage="disable", next_stage_at="2027-02-22T01:02:03+00:00")
KEPT = one("ami-6", "keep", evidence=[{"detail": "running", "kind": "instance", "subject": "i-1"}])
ALL = (OLD, OLDER, OFF, SOON, WAITS, KEPT)
A_PLAN = "This is a plan, nothing was changed: "
ONE_DONE = "1 of 2 images was deregistered, which frees at most 8 GiB."
NOT_READ = {"unreadable": [failure("DescribeFleets", region=US)]}
FAILED_READS = f"Incomplete, because these reads failed: DescribeFleets in {US}."
MARKED = "no stage would be applied to 2 images. 1 image would be tagged with the dates of stages."
ONE_LEFT = "The decision on 1 image was not applied."


def report(given: dict[str, Any], prices: Prices = NO_PRICES, is_plan: bool = False) -> dict[str, Any]:
    return build_content(given, prices, is_plan)


def outcomes(content: dict[str, Any]) -> dict[str, str]:
    return {image["image_id"]: image["outcome"] for image in content["images"]}


@pytest.mark.parametrize(
    ("given", "is_plan", "status"),
    [
        (cleaned(*ALL), False, "done"),
        (cleaned(*ALL), True, "planned"),
        (cleaned(), False, "done"),
        (cleaned(*ALL, failures=[failure("DisableImage")]), False, "incomplete"),
        (cleaned(*ALL, failed=True), False, "incomplete"),
        (cleaned(*ALL, unreadable=[failure("DescribeFleets")]), False, "incomplete"),
        (cleaned(*ALL, unreadable=[failure("DescribeFleets")]), True, "incomplete"),
        (OVER_THE_LIMIT, False, "refused"),
        (OVER_THE_LIMIT, True, "refused"),
        ({}, False, "failed"),
        ({}, True, "failed"),
        ({"skipped": True, "changed": False}, False, "failed"),
        ({"failed": True, "msg": "MODULE FAILURE", "rc": 1}, False, "failed"),
        # Where the task's own failed_when has had the last word.
        ({"failed": False, "failed_when_result": False, "msg": "MODULE FAILURE"}, True, "failed"),
    ],
)
def test_a_failure_never_looks_like_a_success(given: dict[str, Any], is_plan: bool, status: str) -> None:
    content = report(given, is_plan=is_plan)
    assert content["status"] == status
    assert bool(content["images"]) is (bool(given.get("results")))
    if status in ("refused", "failed"):
        assert content["failures"]
        assert all(problem["message"] for problem in content["failures"])
        assert content["totals"]["freed_gib"] == 0
        begins = {"refused": "Nothing was changed.", "failed": "It is not known what was changed."}
        assert content["summary"].startswith(begins[status])
    if status == "planned":
        assert content["summary"].startswith(A_PLAN)


def test_what_a_crash_said_is_kept() -> None:
    (problem,) = report({"failed": False, "msg": "MODULE FAILURE"})["failures"]
    assert problem["message"] == "MODULE FAILURE"


@pytest.mark.parametrize(
    ("given", "is_plan", "summary"),
    [
        (
            cleaned(*ALL),
            False,
            "2 of 6 images were deregistered, 1 disabled and 1 deprecated, which frees at most 108 GiB.",
        ),
        (
            cleaned(OLD, KEPT),
            True,
            f"{A_PLAN}1 of 2 images would be deregistered, which would free at most 8 GiB.",
        ),
        (cleaned(OFF, KEPT), False, "1 of 2 images was disabled."),
        (cleaned(KEPT, WAITS), False, "Nothing was done to 2 images."),
        (cleaned(KEPT), True, f"{A_PLAN}nothing would be done to 1 image."),
        (
            cleaned(KEPT, WAITS, actions=[call("CreateTags", EU, "ami-5, ami-6")]),
            False,
            "No stage was applied to 2 images. 2 images were tagged with the dates of stages.",
        ),
        (
            cleaned(KEPT, WAITS, actions=[call("CreateTags", EU, "ami-5"), call("DeleteTags", EU, "ami-6")]),
            True,
            f"{A_PLAN}{MARKED} 1 resource would be untagged.",
        ),
        (
            cleaned(
                KEPT,
                actions=[call("CreateImageUsageReport", EU, "ami-6"), call("RevokeGrant", EU, "g-1")],
            ),
            False,
            "No stage was applied to 1 image. 1 usage report was requested. 1 grant was revoked.",
        ),
        (
            cleaned(OFF, KEPT, actions=[*calls(OFF), call("CreateTags", EU, "ami-3")]),
            False,
            "1 of 2 images was disabled.",
        ),
        (
            cleaned(KEPT, actions=[call("DeleteSnapshot", EU, "snap-9")]),
            False,
            "Nothing was done to 1 image. 1 snapshot without an image was deleted.",
        ),
        (
            cleaned(OLD, OLDER, actions=calls(OLD), failures=[failure("DeregisterImage", region=US)]),
            False,
            f"Some steps failed. {ONE_DONE} {ONE_LEFT} {US}: No. Allow it.",
        ),
        (
            cleaned(OLD, OLDER, actions=calls(OLD), **NOT_READ),
            False,
            f"{FAILED_READS} {ONE_DONE} {ONE_LEFT}",
        ),
        (
            cleaned(KEPT, **NOT_READ),
            True,
            f"{FAILED_READS} {A_PLAN}nothing would be done to 1 image.",
        ),
        (
            cleaned(OLD, KEPT, actions=[]),
            False,
            f"Nothing was done to 2 images. {ONE_LEFT}",
        ),
        (
            OVER_THE_LIMIT,
            False,
            f"Nothing was changed. {OVER_THE_LIMIT['failures'][0]['message']} Allow it.",
        ),
        (
            {**OVER_THE_LIMIT, "failures": [failure("a"), failure("b")]},
            False,
            "Nothing was changed. There are 2 failures. The first: eu-west-1: No. Allow it.",
        ),
    ],
)
def test_the_summary_says_it_in_a_sentence(given: dict[str, Any], is_plan: bool, summary: str) -> None:
    assert report(given, is_plan=is_plan)["summary"] == summary


def test_what_was_decided_counts_as_done_only_if_the_call_was_made() -> None:
    made = [one for one in calls(*ALL) if one["resource"] not in ("ami-2", "ami-3")]
    content = report(cleaned(*ALL, actions=made))
    assert outcomes(content) == {
        "ami-1": "done",
        "ami-2": "not_done",
        "ami-3": "not_done",
        "ami-4": "done",
        "ami-5": "no_action",
        "ami-6": "no_action",
    }
    assert content["totals"]["by_decision"]["deregister"] == {
        "done": 1,
        "images": 2,
        "monthly_cost": None,
        "not_done": 1,
        "size_gib": 108,
    }
    assert (content["regions"][EU]["freed_gib"], content["regions"][US]["freed_gib"]) == (8, 0)


def test_the_same_id_in_another_region_is_another_image() -> None:
    here, there = one("ami-1", "deregister"), one("ami-1", "deregister", US)
    content = report(cleaned(here, there, actions=calls(there)))
    assert [(image["region"], image["outcome"]) for image in content["images"]] == [
        (EU, "not_done"),
        (US, "done"),
    ]


GOES = {"keep_reason": "", "retention_days": 0, "size_gib": 5, "snapshot_id": "snap-1"}
STAYS = {"keep_reason": "image ami-9 uses it", "retention_days": 0, "size_gib": 3, "snapshot_id": "snap-2"}

LEFT = failure(
    "DeleteSnapshot", "Snapshot snap-1 of ami-1 could not be deleted.", error_code="snapshot_not_deleted"
)


@pytest.mark.parametrize(
    ("snapshots", "more", "failures", "outcomes", "freed"),
    [
        ([GOES], [], [], ["done"], 5),
        # AWS deleted the image and not its snapshot.
        (
            [GOES],
            [],
            [LEFT],
            ["not_done"],
            0,
        ),
        ([GOES], [], [{**LEFT, "region": US}], ["done"], 5),
        ([GOES, STAYS], [call("DeleteSnapshot", EU, "snap-1")], [], ["done", "no_action"], 5),
        ([GOES, STAYS], [], [], ["not_done", "no_action"], 0),
        # Those under a key with grants to revoke are deleted one by one, after the grants.
        ([GOES], [call("DeleteSnapshot", EU, "snap-1")], [failure("RevokeGrant")], ["done"], 5),
        ([GOES], [], [failure("RevokeGrant")], ["not_done"], 0),
        ([GOES], [], [failure("DeleteSnapshot")], ["not_done"], 0),
        ([GOES], [], [failure("DeleteSnapshot", region=US)], ["done"], 5),
        ([STAYS], [], [], ["no_action"], 0),
        ([], [], [], [], 0),
    ],
)
def test_only_snapshots_that_went_free_anything(
    snapshots: list[Any], more: list[Any], failures: list[Any], outcomes: list[str], freed: int
) -> None:
    image = one("ami-1", "deregister", snapshots=snapshots)
    content = report(cleaned(image, actions=[*calls(image), *more], failures=failures))
    (found,) = content["images"]
    assert [snapshot["outcome"] for snapshot in found["snapshots"]] == outcomes
    assert (found["outcome"], found["freed_gib"], content["totals"]["freed_gib"]) == ("done", freed, freed)
    assert content["orphan_snapshots"] == []


@pytest.mark.parametrize("is_plan", [True, False])
def test_a_snapshot_of_several_images_is_freed_once(is_plan: bool) -> None:
    """Images can be registered of the same snapshot (RegisterImage)."""
    images = [one(name, "deregister", place, snapshots=[GOES]) for place in (EU, US) for name in ("a", "b")]
    content = report(cleaned(*images), is_plan=is_plan)
    assert [image["freed_gib"] for image in content["images"]] == [5, 0, 5, 0]
    assert content["totals"]["freed_gib"] == 10


def test_revoked_grants_are_listed() -> None:
    content = report(cleaned(KEPT, actions=[call("RevokeGrant", EU, "g-1")]), is_plan=True)
    assert content["grants"] == [{"grant_id": "g-1", "outcome": "planned", "region": EU}]


def test_what_the_recycle_bin_keeps_is_freed_later() -> None:
    # Whether the image itself can be had back, too, is another question.
    (snapshot,) = OLD["snapshots"]
    binned = {**OLD, "snapshots": [{**snapshot, "retention_days": 7}]}
    content = report(cleaned(binned, OLDER))
    assert (content["totals"]["freed_gib"], content["totals"]["freed_later_gib"]) == (108, 8)
    assert "8 GiB of them after their retention in the Recycle Bin" in content["summary"]


def test_prices_are_those_of_the_table() -> None:
    content = report(cleaned(*ALL), PRICES)
    assert (content["currency"], content["prices"]) == ("EUR", {EU: 0.05, "default": 0.1})
    assert [
        (one["image_id"], one["monthly_cost"], one["freed_monthly_cost"]) for one in content["images"]
    ] == [
        ("ami-1", 0.4, 0.4),
        ("ami-3", 0.4, 0.0),
        ("ami-4", 0.4, 0.0),
        ("ami-5", 0.4, 0.0),
        ("ami-6", 0.4, 0.0),
        ("ami-2", 10.0, 10.0),
    ]
    assert (content["totals"]["monthly_cost"], content["totals"]["freed_monthly_cost"]) == (12.0, 10.4)
    assert "frees at most 108 GiB (10.40 EUR a month)" in content["summary"]


def test_a_region_without_a_price_has_no_cost_and_is_counted() -> None:
    content = report(cleaned(*ALL), Prices({EU: Decimal("0.05")}, "USD"))
    assert content["regions"][US]["monthly_cost"] is None
    assert content["totals"]["monthly_cost"] == 2.0
    assert content["totals"]["unpriced_images"] == 1
    without = report(cleaned(*ALL))
    assert (without["currency"], without["totals"]["monthly_cost"]) == (None, None)
    assert without["totals"]["unpriced_images"] == 0


def test_the_same_plan_is_the_same_report() -> None:
    """Times relative to now, and the encoding that AWS changes with each refusal, are left out."""

    def plan(moment: str, code: str) -> dict[str, Any]:
        text = f"Denied. Encoded authorization failure message: {code}"
        unread = {"detail": text, "kind": "unreadable", "subject": "DescribeInstances"}
        later = [{"due": f"2027-03-24T{moment}+00:00", "stage": "deregister"}]
        images = (
            {**WAITS, "next_stage_at": f"2027-02-22T{moment}+00:00", "later_stages": later},
            {**OLD, "recoverable_until": f"2026-12-01T{moment}+00:00"},
            {**KEPT, "evidence": [unread], "reasons": [text]},
        )
        return report(cleaned(*images, warnings=[text]), is_plan=True)

    assert plan("01:02:03", "abc") == plan("11:12:13", "def")
    assert plan("01:02:03", "abc")["images"][0]["recoverable_until"] == "2026-12-01"


def test_the_gravest_comes_first_in_each_region() -> None:
    images = report(cleaned(*reversed(ALL)))["images"]
    assert [one["image_id"] for one in images] == ["ami-1", "ami-3", "ami-4", "ami-5", "ami-6", "ami-2"]


def test_an_image_without_a_creation_date_is_listed_first_of_its_family() -> None:
    undated = {**KEPT, "creation_date": None, "image_id": "ami-9"}
    images = report(cleaned(KEPT, undated))["images"]
    assert [one["image_id"] for one in images] == ["ami-9", KEPT["image_id"]]
    assert images[0]["creation_date"] is None


decisions = st.sampled_from([*CALLS, "wait", "keep"])


@st.composite
def runs(draw: st.DrawFn) -> tuple[dict[str, Any], Prices, bool]:
    """Any results, of which any calls were made, with any prices."""
    images = [
        one(
            f"ami-{number}",
            draw(decisions),
            draw(st.sampled_from([EU, US])),
            size_gib=draw(st.integers(0, 64_000)),
        )
        for number in range(draw(st.integers(0, 8)))
    ]
    for snapshot in (snapshot for image in images for snapshot in image["snapshots"]):
        snapshot["retention_days"] = draw(st.sampled_from([0, 7]))
    made = [one for one in calls(*images) if draw(st.booleans())]
    cents = st.decimals(0, 10, places=5)
    table = draw(st.dictionaries(st.sampled_from([EU, US, "default"]), cents))
    return cleaned(*images, actions=made), Prices(table, "USD"), draw(st.booleans())


@given(runs())
def test_totals_add_up_and_nothing_is_freed_that_was_not_deregistered(
    run: tuple[dict[str, Any], Prices, bool],
) -> None:
    given, prices, is_plan = run
    content = report(given, prices, is_plan)
    images, sums, regions = content["images"], content["totals"], list(content["regions"].values())
    assert sums["images"] == len(given["results"]) == sum(one["images"] for one in regions)
    for parts in (regions, list(sums["by_decision"].values())):
        assert sums["size_gib"] == sum(one["size_gib"] for one in parts)
    for key in ("freed_gib", "freed_later_gib", "unpriced_images"):
        assert sums[key] == sum(one[key] for one in regions)
    for decision, part in (("", sums), *sums["by_decision"].items()):
        own = [one for one in images if decision in ("", one["decision"])]
        assert is_rounded(part["monthly_cost"], own, "size_gib", prices)
    assert is_rounded(sums["freed_monthly_cost"], images, "freed_gib", prices)
    gone = {
        (one["region"], one["resource"]) for one in given["actions"] if one["action"] == "DeregisterImage"
    }
    for image in images:
        assert 0 <= image["freed_later_gib"] <= image["freed_gib"] <= image["size_gib"]
        if (image["region"], image["image_id"]) not in gone:
            assert not image["freed_gib"]
            assert not image["freed_monthly_cost"]
    sizes = {(one["region"], one["image_id"]): one["size_gib"] for one in given["results"]}
    assert sums["freed_gib"] == sum(sizes[place] for place in gone)


def is_rounded(amount: float | None, images: list[dict[str, Any]], size: str, prices: Prices) -> bool:
    """Whether an amount is the cost of these images, to the cent."""
    costs = [prices.cost(one["region"], one[size]) or Decimal() for one in images]
    return abs(Decimal(str(amount or 0)) - sum(costs)) <= Decimal("0.005")


def test_a_failed_read_is_not_listed_among_the_failures_too() -> None:
    failures = [failure("DisableImage"), *NOT_READ["unreadable"]]
    content = report(cleaned(*ALL, failures=failures, **NOT_READ))
    assert [one["action"] for one in content["failures"]] == ["DisableImage"]
    assert [one["action"] for one in content["unreadable"]] == ["DescribeFleets"]


def test_keys_are_reported_without_what_differs_from_run_to_run() -> None:
    denied = "You are not authorized. Encoded authorization failure message: abc-123"
    kept = {"principal": "222222222222", "image_ids": [], "reason": denied, "resource_ids": []}
    unseen = {"account_id": "222222222222", "reason": denied}
    key = {"kept_access": [kept], "kms_key_arn": "key-1", "region": EU, "unseen_accounts": [unseen]}
    (found,) = report(cleaned(OLD, kms_keys=[key]))["kms_keys"]
    assert (found["kms_key_arn"], found["kept_access"][0]["principal"]) == ("key-1", "222222222222")
    assert "abc-123" not in str(found)
    assert "You are not authorized." in found["unseen_accounts"][0]["reason"]
    assert report(cleaned(OLD))["kms_keys"] == []


def test_the_rank_of_an_image_is_in_its_family_and_region() -> None:
    images = [
        one("ami-1", "keep", creation_date="2026-01-01T00:00:00+00:00"),
        one("ami-2", "keep", creation_date="2026-02-01T00:00:00+00:00"),
        one("ami-3", "keep", US),
        one("ami-4", "keep", creation_date=None),
        one("ami-5", "keep", family=""),
    ]
    content = build_content(cleaned(*images), Prices(), is_plan=True)
    assert {image["image_id"]: image["rank"] for image in content["images"]} == {
        "ami-1": 2,
        "ami-2": 1,
        "ami-3": 1,
        "ami-4": 3,
        "ami-5": None,
    }
