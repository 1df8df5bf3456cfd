# SPDX-License-Identifier: GPL-3.0-or-later

"""With the state absent, named consumers lose the parameter, and nobody and nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError

from tests.unit.examples import CONSUMER, ORG, OWNER, STRANGER, UNIT
from tests.unit.publish.account import (
    NAME,
    NEW,
    REGION,
    account,
    options,
    parameter,
    plan_of,
    run_on,
    version,
)
from tests.unit.publish.ram_in_memory import Ram, StoredShare
from tests.unit.publish.test_resource_share import ARN, OLD, OTHER, REMOVE, SHARE, shared, stored

ROLE = f"arn:aws:iam::{STRANGER}:role/web"


def absent(*consumers: str, **changes: Any) -> dict[str, Any]:
    given = {"publish_share": [*(consumers or (STRANGER,))], "publish_older": False, "state": "absent"}
    return options(**given, **changes)


CASES: dict[str, tuple[list[StoredShare], list[str], list[list[str]], list[str]]] = {
    "an account": ([stored(CONSUMER, STRANGER, ORG)], [STRANGER], [[STRANGER]], [CONSUMER, ORG]),
    "an account of an organization": ([stored(ORG)], [STRANGER], [], [ORG]),
    "an organization and a unit": ([stored(CONSUMER, ORG, UNIT)], [ORG, UNIT], [[ORG, UNIT]], [CONSUMER]),
    "its roles": ([stored(CONSUMER, ROLE)], [STRANGER], [[ROLE]], [CONSUMER]),
    "who is not in it": ([stored(CONSUMER)], [STRANGER], [], [CONSUMER]),
    "the last one": ([stored(STRANGER)], [STRANGER], [[STRANGER]], []),
    "no share": ([], [STRANGER], [], []),
    "invited, and failed": (
        [stored(principals={STRANGER: "ASSOCIATING", ORG: "FAILED", CONSUMER: "ASSOCIATED"})],
        [STRANGER, ORG],
        [[STRANGER], [ORG]],
        [CONSUMER],
    ),
    "removed before": ([stored(principals={STRANGER: "DISASSOCIATED"})], [STRANGER], [], []),
    "two shares of runs at once": (
        [stored(STRANGER), StoredShare("arn:z", SHARE, {STRANGER: "ASSOCIATED"}, {ARN: "ASSOCIATED"})],
        [STRANGER],
        [[STRANGER], [STRANGER]],
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_only_those_who_are_named_lose_the_parameter(case: str) -> None:
    there, named, calls, left = CASES[case]
    here = shared(*there)
    target = plan_of(absent(*named), here)
    assert [(one.operation, one.parameters["principals"]) for one in target.actions] == [
        (REMOVE, one) for one in map(sorted, calls)
    ]
    assert (target.refusals, target.after["shared_with"]) == ((), sorted(left))
    kept = [f"{NAME} stays shared with {ORG}. Accounts that belong to it still read the parameter."]
    assert [*target.warnings] == (kept if ORG in left else [])
    run = run_on(absent(*named), here, check_mode=False)
    assert (run.outcome.failures, run.outcome.warnings) == ((), ())
    assert {*here.calls} <= {"GetParameter"}, "nothing is published"
    (result,) = run.result["results"]
    assert (result["shared_with"], result["label"], result["changed"]) == (sorted(left), None, bool(calls))
    again = run_on(absent(*named), here, check_mode=False)
    assert [*again.outcome.performed] == []


@pytest.mark.parametrize("now", [None, parameter(version(1, OLD)), parameter(version(1, "a secret"))])
def test_a_parameter_that_names_another_image_by_now_is_left(now: Any) -> None:
    here = account(parameter=now, ram=Ram([stored(STRANGER)]))
    target = plan_of(absent(), here)
    (warning,) = target.warnings
    assert (target.actions, "secret" in warning, target.before) == ((), False, target.after)
    if now is None:
        assert warning == f"Nobody loses {NAME}, which does not exist in account {OWNER}."
    else:
        assert warning == (
            f"{NAME} stays shared with {STRANGER}, because it does not name {NEW}. Set in images the image "
            "that it names."
        )


def test_a_share_that_does_not_have_the_parameter_gives_it_to_nobody() -> None:
    for resources in ({}, {OTHER: "ASSOCIATED"}, {ARN: "DISASSOCIATED"}):
        target = plan_of(absent(), shared(stored(STRANGER, resources=resources)))
        assert (target.actions, target.warnings) == ((), ())


@pytest.mark.parametrize(
    "share",
    [
        StoredShare("arn:other", "platform", {STRANGER: "ASSOCIATED"}, {ARN: "ASSOCIATED"}),
        stored(STRANGER, resources={ARN: "ASSOCIATED", OTHER: "ASSOCIATED"}),
    ],
    ids=["another name", "other resources"],
)
def test_a_share_that_is_not_the_collections_alone_is_left_and_named(share: StoredShare) -> None:
    target = plan_of(absent(), shared(share))
    (warning,) = target.warnings
    assert target.actions == ()
    assert f"{NAME} stays shared with {STRANGER}" in warning
    assert f"--region {REGION} --principals {STRANGER} --resource-share-arn {share.arn}" in warning


def test_who_still_has_it_after_a_while_fails_the_region() -> None:
    here = shared(stored(STRANGER), refuse={REMOVE: "OperationNotPermittedException"})
    run = run_on(absent(), here, check_mode=False)
    (failed,) = run.outcome.failures
    assert (failed.action, failed.region) == (REMOVE, REGION)


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"publish_share": []}, "publish_share"),
        ({"images": {}}, "images"),
        ({"verify_result": {"verified_regions": []}}, "verify_result"),
        ({"allow_empty_purge": True}, "allow_empty_purge"),
        ({"launch_template_base_version": "latest"}, "launch_template_base_version"),
        ({"publish_older": True}, "publish_older"),
        ({"source_region": REGION}, "source_region"),
        ({"wait_timeout": -1}, "wait_timeout"),
        ({"publish_share_purge": True}, "publish_share_purge"),
        ({"launch_templates": ["web"]}, "launch_templates"),
        ({"account_ids": [CONSUMER]}, "account_ids"),
        ({"tier": "Advanced"}, "tier"),
        ({"images": [{"account_id": CONSUMER, "region": REGION, "image_id": NEW}]}, "images"),
        ({"parameter": "golden/web"}, "parameter"),
    ],
)
def test_what_publishes_is_refused(changes: dict[str, Any], option: str) -> None:
    with pytest.raises(ValidationError) as caught:
        assert run_on({**absent(), **changes}, shared(stored(STRANGER))).wanted
    assert option in {failure.action for failure in caught.value.failures}


def test_without_consumers_it_says_that_the_parameter_is_not_deleted() -> None:
    with pytest.raises(ValidationError) as caught:
        assert run_on({**absent(), "publish_share": []}, shared(stored(STRANGER))).wanted
    (failure,) = caught.value.failures
    assert "aws ssm delete-parameter" in failure.remedy
