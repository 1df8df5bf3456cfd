# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_share`` from options to result."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import attempts, read_targets
from ansible_collections.golden.images.plugins.module_utils.aws.read import SETTLING_GRACE_PERIOD
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.fanout import GRACE_PERIOD
from ansible_collections.golden.images.plugins.module_utils.model import Sharing
from ansible_collections.golden.images.plugins.module_utils.progress import reporter
from ansible_collections.golden.images.plugins.module_utils.runner import Outcome
from ansible_collections.golden.images.plugins.module_utils.share.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.share.state import Shared, ShareSeen

from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, OWNER, STRANGER, target_in
from tests.unit.share.examples import (
    IMAGE,
    PRIVATE,
    PUBLIC,
    REGION,
    clients_of,
    expect_caller,
    expect_image,
    expect_launch,
    shared,
    wanted,
    with_accounts,
)
from tests.unit.wire import Wire

SILENT = reporter(None, print)
OTHER_REGION = "us-east-1"
OTHER_IMAGE = "ami-other"


def test_unknown_snapshot_id_is_refused(sts: Wire, ec2: Wire) -> None:
    expect_caller(sts)
    expect_image(ec2)
    expect_launch(ec2, CONSUMER)
    with pytest.raises(Refused, match="'snap-z' is not a snapshot of any of the images") as caught:
        FLOW.read(clients_of(sts, ec2), wanted(present=False, snapshot_ids=frozenset({"snap-z"})))
    (failure,) = caught.value.failures
    assert failure.action == "snapshot_ids"


@pytest.mark.parametrize("snapshot_ids", [frozenset(), frozenset({"snap-z"})])
def test_best_effort_region_that_cannot_be_read_is_left_out(
    sts: Wire, ec2: Wire, snapshot_ids: frozenset[str]
) -> None:
    expect_caller(sts)
    expect_image(ec2)
    expect_launch(ec2, CONSUMER)
    with Wire("ec2").spoken() as other:
        request = {"ImageIds": [OTHER_IMAGE], "IncludeDisabled": True, "IncludeDeprecated": True}
        other.refuse("describe_images", request, "UnauthorizedOperation")
        clients = clients_of(sts, ec2)
        clients.ec2 = lambda region: (ec2 if region == REGION else other).client
        want = wanted(
            with_accounts(CONSUMER),
            images={REGION: IMAGE, OTHER_REGION: OTHER_IMAGE},
            present=False,
            share_snapshots=bool(snapshot_ids),
            # A snapshot of the image that is not read.
            snapshot_ids=snapshot_ids,
            best_effort_regions=frozenset({OTHER_REGION}),
        )
        seen = FLOW.read(clients, want)
    plan: Any = FLOW.plan(want, seen)
    assert plan.refusals == ()
    assert [(one.region, one.error_code) for one in plan.tolerated] == [
        (OTHER_REGION, "UnauthorizedOperation")
    ]
    assert [item["region"] for item in FLOW.result(want, seen, plan, Outcome())["results"]] == [REGION]


@pytest.mark.parametrize(("present", "seconds"), [(True, SETTLING_GRACE_PERIOD), (False, GRACE_PERIOD)])
def test_best_effort_region_has_time_until_its_image_is_available(
    sts: Wire, ec2: Wire, grace_periods: Callable[[ModuleType], list[float]], present: bool, seconds: float
) -> None:
    waited = grace_periods(read_targets)
    expect_caller(sts)
    want = wanted(images={REGION: None}, present=present, best_effort_regions=frozenset({REGION}))
    FLOW.read(clients_of(sts, ec2), want)
    assert waited == [seconds]


def test_image_that_is_refused_in_a_best_effort_region_is_left_out() -> None:
    want = wanted(with_accounts(CONSUMER), best_effort_regions=frozenset({REGION}))
    seen = ShareSeen(OWNER, {target_in(REGION): shared(PRIVATE, {}, state="pending")})
    plan: Any = FLOW.plan(want, seen)
    assert (plan.refusals, plan.actions) == ((), ())
    assert [one.error_code for one in plan.tolerated] == ["image_not_available"]
    assert FLOW.result(want, seen, plan, Outcome())["results"] == []


@pytest.mark.parametrize("best_effort", [False, True])
def test_failed_region_is_not_in_the_results_and_others_complete(ec2: Wire, best_effort: bool) -> None:
    want = wanted(
        with_accounts(CONSUMER),
        images={REGION: IMAGE, OTHER_REGION: OTHER_IMAGE},
        share_snapshots=False,
        best_effort_regions=frozenset({OTHER_REGION} if best_effort else ()),
    )
    images = {
        target_in(region): shared(PRIVATE, {}, image_id=image_id)
        for region, image_id in ((REGION, IMAGE), (OTHER_REGION, OTHER_IMAGE))
    }
    seen = ShareSeen(OWNER, images)
    plan: Any = FLOW.plan(want, seen)
    entry = {"Add": [{"UserId": CONSUMER}]}
    ec2.expect("modify_image_attribute", {"ImageId": IMAGE, "LaunchPermission": entry})
    expect_launch(ec2, CONSUMER)
    with Wire("ec2").spoken() as other:
        other.refuse(
            "modify_image_attribute",
            {"ImageId": OTHER_IMAGE, "LaunchPermission": entry},
            "UnauthorizedOperation",
        )
        clients = SimpleNamespace(ec2=lambda region: (ec2 if region == REGION else other).client)
        outcome = FLOW.apply(clients, want, seen, plan, SILENT)
    assert outcome.performed == plan.targets[0].actions
    failures, others = (
        (outcome.tolerated, outcome.failures) if best_effort else (outcome.failures, outcome.tolerated)
    )
    assert [(item.region, item.error_code) for item in failures] == [(OTHER_REGION, "UnauthorizedOperation")]
    assert others == ()
    assert FLOW.result(want, seen, plan, outcome) == {
        "images": {REGION: IMAGE, OTHER_REGION: OTHER_IMAGE},
        "results": [
            {
                "account_id": OWNER,
                "changed": True,
                "image_id": IMAGE,
                "launch_permissions": with_accounts(CONSUMER).as_result(),
                "region": REGION,
                "shared_tags": {},
                "volume_permissions": {},
            }
        ],
    }


def _reject(ec2: Wire, entries: list[str], change: str = "Add", image_id: str = IMAGE) -> None:
    """Expect a change of launch permissions, and reject one of its entries."""
    users = {change: [{"UserId": one} for one in entries]}
    request = {"ImageId": image_id, "LaunchPermission": users}
    ec2.refuse("modify_image_attribute", request, "InvalidAMIAttributeItemValue")


@pytest.mark.parametrize("best_effort", [False, True])
def test_region_in_which_aws_rejects_one_account_is_in_the_results(ec2: Wire, best_effort: bool) -> None:
    want = wanted(
        with_accounts(CONSUMER, STRANGER),
        share_snapshots=False,
        best_effort_regions=frozenset({REGION} if best_effort else ()),
    )
    seen = ShareSeen(OWNER, {target_in(REGION): shared(with_accounts("444444444444"), {})})
    plan: Any = FLOW.plan(want, seen)
    _reject(ec2, sorted([CONSUMER, STRANGER]))
    for one in sorted([CONSUMER, STRANGER]):
        if one == STRANGER:
            _reject(ec2, [STRANGER])
        else:
            entry = {"Add": [{"UserId": one}]}
            ec2.expect("modify_image_attribute", {"ImageId": IMAGE, "LaunchPermission": entry})
    expect_launch(ec2, CONSUMER, "444444444444")
    outcome = FLOW.apply(SimpleNamespace(ec2=lambda _region: ec2.client), want, seen, plan, SILENT)
    assert [(one.region, one.error_code) for one in outcome.failures] == [(REGION, "consumer_rejected")]
    assert outcome.tolerated == ()
    (region,) = FLOW.result(want, seen, plan, outcome)["results"]
    assert region["launch_permissions"] == with_accounts(CONSUMER, "444444444444").as_result()
    assert region["changed"]


@pytest.mark.parametrize(
    ("current", "listed"),
    [pytest.param(PRIVATE, [], id="no other account"), pytest.param(with_accounts(CONSUMER), [CONSUMER])],
)
def test_region_in_which_aws_rejects_all_accounts_that_are_added(
    ec2: Wire, current: Sharing, listed: list[str]
) -> None:
    want = wanted(with_accounts(STRANGER, *listed), share_snapshots=False)
    seen = ShareSeen(OWNER, {target_in(REGION): shared(current, {})})
    plan: Any = FLOW.plan(want, seen)
    _reject(ec2, [STRANGER])
    outcome = FLOW.apply(SimpleNamespace(ec2=lambda _region: ec2.client), want, seen, plan, SILENT)
    results = FLOW.result(want, seen, plan, outcome)["results"]
    # Only where a named account has access.
    assert [(one["launch_permissions"]["account_ids"], one["changed"]) for one in results] == (
        [(listed, False)] if listed else []
    )


def test_region_in_which_something_else_fails_too_is_not_in_the_results(ec2: Wire) -> None:
    want = wanted(with_accounts(CONSUMER), purge=True, share_snapshots=False)
    held = with_accounts(CONSUMER, STRANGER)
    seen = ShareSeen(OWNER, {target_in(REGION): shared(held, {"snap-1": with_accounts(STRANGER)})})
    plan: Any = FLOW.plan(want, seen)
    _reject(ec2, [STRANGER], "Remove")
    request = {
        "Attribute": "createVolumePermission",
        "CreateVolumePermission": {"Remove": [{"UserId": STRANGER}]},
        "SnapshotId": "snap-1",
    }
    ec2.refuse("modify_snapshot_attribute", request, "UnauthorizedOperation")
    outcome = FLOW.apply(SimpleNamespace(ec2=lambda _region: ec2.client), want, seen, plan, SILENT)
    assert [one.error_code for one in outcome.failures] == ["consumer_rejected", "UnauthorizedOperation"]
    assert FLOW.result(want, seen, plan, outcome)["results"] == []


def test_a_snapshot_without_an_image_is_unshared(ec2: Wire) -> None:
    want = wanted(
        with_accounts(CONSUMER), images={}, present=False, snapshots={REGION: ("snap-old", "snap-private")}
    )
    volume_permissions = {"snap-old": with_accounts(CONSUMER), "snap-private": PRIVATE}
    seen = ShareSeen(OWNER, {target_in(REGION): Shared.without_image(OWNER, volume_permissions)})
    plan: Any = FLOW.plan(want, seen)
    request = {
        "Attribute": "createVolumePermission",
        "CreateVolumePermission": {"Remove": [{"UserId": CONSUMER}]},
        "SnapshotId": "snap-old",
    }
    ec2.expect("modify_snapshot_attribute", request)
    read_again = {"SnapshotId": "snap-old", "Attribute": "createVolumePermission"}
    ec2.expect("describe_snapshot_attribute", read_again, {"CreateVolumePermissions": []})
    outcome = FLOW.apply(SimpleNamespace(ec2=lambda _region: ec2.client), want, seen, plan, SILENT)
    assert (len(outcome.performed), outcome.failures) == (1, ())
    (region,) = FLOW.result(want, seen, plan, outcome)["results"]
    private = {"account_ids": [], "public": False}
    assert (region["image_id"], region["changed"]) == (None, True)
    assert region["volume_permissions"] == {"snap-old": private, "snap-private": private}


def test_region_without_changes_is_in_the_results() -> None:
    want = wanted(with_accounts(CONSUMER), share_snapshots=False)
    seen = ShareSeen(OWNER, {target_in(REGION): shared(with_accounts(CONSUMER), {})})
    plan: Any = FLOW.plan(want, seen)
    outcome = FLOW.apply(SimpleNamespace(), want, seen, plan, SILENT)
    assert outcome == Outcome()
    (region,) = FLOW.result(want, seen, plan, outcome)["results"]
    assert (region["changed"], region["image_id"]) == (False, IMAGE)


def test_a_region_that_does_not_end_says_what_may_be_public() -> None:
    want = wanted(PUBLIC)
    seen = ShareSeen(OWNER, {target_in(REGION): shared()})
    plan: Any = FLOW.plan(want, seen)

    def broken(_region: str) -> Any:
        raise RuntimeError

    outcome = FLOW.apply(SimpleNamespace(ec2=broken), want, seen, plan, SILENT)
    (failure,) = outcome.failures
    assert f"Check whether {IMAGE}, snap-1 are public: they may be." in failure.remedy


def test_what_is_public_in_a_region_without_a_result_is_named(
    ec2: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A removal that reads do not show is a failure of the region, in which all changes were made."""
    Clock.of(monkeypatch, attempts)
    want = wanted(PUBLIC, purge=True, share_snapshots=False)
    seen = ShareSeen(OWNER, {target_in(REGION): shared(with_accounts(STRANGER), {})})
    plan: Any = FLOW.plan(want, seen)
    opening, closing = (one.parameters for one in plan.actions)
    ec2.expect("modify_image_attribute", opening)
    ec2.expect("modify_image_attribute", closing)
    request = {"ImageId": IMAGE, "Attribute": "launchPermission"}
    ec2.refuse("describe_image_attribute", request, "UnauthorizedOperation")
    outcome = FLOW.apply(SimpleNamespace(ec2=lambda _region: ec2.client), want, seen, plan, SILENT)
    assert [one.error_code for one in outcome.failures] == ["UnauthorizedOperation"]
    assert outcome.warnings == (f"{REGION}: Public since this run: {IMAGE}.",)
    assert FLOW.result(want, seen, plan, outcome)["results"] == []
