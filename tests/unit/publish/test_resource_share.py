# SPDX-License-Identifier: GPL-3.0-or-later

"""The parameter of the own account is shared through AWS RAM, and only with whom the options name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Sharing
from ansible_collections.golden.images.plugins.module_utils._parameter_share import share_name
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, ORG, OWNER, STRANGER, UNIT
from tests.unit.kms_grant.kms_in_memory import refused
from tests.unit.publish.account import (
    LABEL,
    NAME,
    NEW,
    REGION,
    Account,
    account,
    codes,
    operations,
    options,
    parameter,
    plan_of,
    run_on,
    version,
)
from tests.unit.publish.ram_in_memory import Ram, StoredShare
from tests.unit.step_results import copy_result, share_result

ARN = f"arn:aws:ssm:{REGION}:{OWNER}:parameter{NAME}"
OTHER = f"arn:aws:ssm:{REGION}:{OWNER}:parameter/other"
SHARE = share_name(NAME)
CREATE, ASSOCIATE = "CreateResourceShare", "AssociateResourceShare"
REMOVE, DELETE = "DisassociateResourceShare", "DeleteResourceShare"
PUBLISHED = parameter(version(1, NEW, LABEL, tier="Advanced"))
OLD = "ami-0aaaaaaaaaaaaaaaa"
READS = ["GetResourceShares", "GetResourceShareAssociations", "GetResourceShareAssociations"]


def stored(*principals: str, **changes: Any) -> StoredShare:
    """The share of the parameter with these principals."""
    content = {
        "principals": dict.fromkeys(principals, "ASSOCIATED"),
        "resources": {ARN: "ASSOCIATED"},
        **changes,
    }
    return StoredShare("arn:aws:ram:eu-west-1:111122223333:resource-share/own", SHARE, **content)


def shared(*shares: StoredShare, **ram: Any) -> Account:
    """An account in which the image is published, with these resource shares."""
    return account(parameter=PUBLISHED, ram=Ram([*shares], **ram))


# What is there, what is named, and what is added by which call.
CASES: dict[str, tuple[list[StoredShare], list[str], str, list[str], list[str]]] = {
    "no share": ([], [CONSUMER, ORG, UNIT], CREATE, [CONSUMER, ORG, UNIT], [ARN]),
    "another account": ([stored(CONSUMER)], [CONSUMER, STRANGER], ASSOCIATE, [STRANGER], []),
    "all there": ([stored(CONSUMER, ORG)], [ORG], "", [], []),
    "others stay": ([stored(STRANGER)], [CONSUMER], ASSOCIATE, [CONSUMER], []),
    "removed before": (
        [stored(principals={CONSUMER: "DISASSOCIATED", ORG: "FAILED"})],
        [CONSUMER, ORG],
        ASSOCIATE,
        [CONSUMER, ORG],
        [],
    ),
    "invited": ([stored(principals={CONSUMER: "ASSOCIATING"})], [CONSUMER], "", [], []),
    "suspended": ([stored(principals={CONSUMER: "SUSPENDED"})], [CONSUMER], "", [], []),
    "parameter removed": (
        [stored(CONSUMER, resources={ARN: "DISASSOCIATED", OTHER: "DISASSOCIATED"})],
        [CONSUMER, ORG],
        ASSOCIATE,
        # Whoever is in the share is not in a share with the parameter.
        [CONSUMER, ORG],
        [ARN],
    ),
    "deleted": ([stored(CONSUMER, status="DELETED")], [CONSUMER], CREATE, [CONSUMER], [ARN]),
    "failed": ([stored(CONSUMER, status="FAILED")], [CONSUMER], CREATE, [CONSUMER], [ARN]),
    "of another parameter": (
        [
            StoredShare(
                "arn:aws:ram:eu-west-1:111122223333:resource-share/x", "other", {CONSUMER: "ASSOCIATED"}
            )
        ],
        [CONSUMER],
        CREATE,
        [CONSUMER],
        [ARN],
    ),
    "two, of runs at once": (
        [stored(CONSUMER), StoredShare("arn:z", SHARE, {ORG: "ASSOCIATED"}, {ARN: "ASSOCIATED"})],
        [CONSUMER, ORG, UNIT],
        ASSOCIATE,
        [UNIT],
        [],
    ),
    "the owner needs none": ([], [OWNER], "", [], []),
}


@pytest.mark.parametrize("case", CASES)
def test_missing_principals_are_added_and_nothing_else(case: str) -> None:
    there, named, operation, principals, resources = CASES[case]
    here = shared(*there)
    target = plan_of(options(publish_share=named), here)
    assert (operations(target), target.refusals) == ([operation] if operation else [], ())
    for action in target.actions:
        assert (action.service, action.resource) == ("ram", NAME)
        assert action.parameters.get("principals", []) == principals
        assert action.parameters.get("resourceArns", []) == resources
    assert (target.before != target.after) == bool(operation)
    run = run_on(options(publish_share=named), here, check_mode=False)
    assert (run.outcome.failures, [one.operation for one in run.outcome.performed]) == (
        (),
        operations(target),
    )
    again = plan_of(options(publish_share=named), here)
    assert (again.actions, again.refusals, again.before) == ((), (), again.after)


def test_a_share_is_created_for_the_organization_only_unless_it_is_asked_for() -> None:
    def creation(**given: Any) -> dict[str, Any]:
        (action,) = plan_of(options(publish_share=[CONSUMER], **given), shared()).actions
        return dict(action.parameters)

    inside, outside = creation(), creation(publish_share_external=True)
    assert (inside["name"], inside["allowExternalPrincipals"]) == (SHARE, False)
    assert outside["allowExternalPrincipals"]
    # A repeated request creates no second share, and another one is not taken for it.
    assert creation()["clientToken"] == inside["clientToken"] != outside["clientToken"]
    dead = shared(stored(status="DELETED"))
    (after,) = plan_of(options(publish_share=[CONSUMER]), dead).actions
    assert after.parameters["clientToken"] != inside["clientToken"]


def test_the_parameter_is_shared_after_it_has_the_image_and_is_advanced() -> None:
    here = account(parameter=parameter(version(1, NEW, LABEL)))
    target = plan_of(options(publish_share=[CONSUMER]), here)
    assert operations(target) == ["PutParameter", "LabelParameterVersion", CREATE]
    assert target.actions[0].parameters["Tier"] == "Advanced"
    assert target.before["shared_with"] == []
    assert target.after["shared_with"] == [CONSUMER]
    assert target.after["parameter"]["tier"] == "Advanced"


def test_without_consumers_ram_is_not_called_and_the_tier_stays() -> None:
    here = account(parameter=parameter(version(1, NEW, LABEL)), ram=Ram([stored(CONSUMER)]))
    run = run_on(options(), here, check_mode=False)
    assert (run.plan.actions, run.outcome.performed, here.ram.calls) == ((), (), [])
    assert "shared_with" not in run.plan.targets[0].before


def test_the_parameters_of_other_accounts_are_not_shared() -> None:
    abroad = account(parameter=parameter(version(1, NEW, LABEL)))
    here = account(parameter=PUBLISHED, ram=Ram([stored(CONSUMER)]), consumer=abroad)
    given_options = options(
        publish_share=[CONSUMER, STRANGER], account_ids=[CONSUMER], consumer_role_name="golden-consumer"
    )
    run = run_on(given_options, here, check_mode=False)
    by_account = {one.target.account_id: operations(one) for one in run.plan.targets}
    assert by_account == {CONSUMER: [], OWNER: [ASSOCIATE]}
    assert abroad.ram.calls == []
    assert [(one["account_id"], one["shared_with"]) for one in run.results] == [
        (CONSUMER, []),
        (OWNER, [CONSUMER, STRANGER]),
    ]


REFUSED: dict[str, tuple[StoredShare, dict[str, Any], str, str]] = {
    "another resource": (
        stored(CONSUMER, resources={ARN: "ASSOCIATED", OTHER: "ASSOCIATED"}),
        {"publish_share": [CONSUMER]},
        "resource_share_conflict",
        OTHER,
    ),
    "only another resource": (
        stored(resources={OTHER: "ASSOCIATING"}),
        {"publish_share": [CONSUMER]},
        "resource_share_conflict",
        OTHER,
    ),
    "a principal that would get the parameter": (
        stored(STRANGER, resources={}),
        {"publish_share": [CONSUMER]},
        "resource_share_conflict",
        STRANGER,
    ),
    "accounts outside are allowed": (
        stored(ORG, external=True),
        {"publish_share": [CONSUMER]},
        "resource_share_differs",
        "--no-allow-external-principals",
    ),
    "accounts outside are not allowed": (
        stored(ORG),
        {"publish_share": [CONSUMER], "publish_share_external": True},
        "resource_share_differs",
        "--allow-external-principals",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_share_that_would_give_more_than_is_named_is_refused(case: str) -> None:
    there, named, code, said = REFUSED[case]
    here = shared(there)
    target = plan_of(options(**named), here)
    assert codes([target]) == [code]
    assert said in f"{target.refusals[0].message} {target.refusals[0].remedy}"
    assert (target.refusals[0].region, {*here.ram.calls}) == (REGION, {*READS})


@pytest.mark.parametrize("name", [SHARE, "platform"])
def test_a_new_parameter_is_not_given_to_consumers_of_a_deleted_one(name: str) -> None:
    """Resource shares keep the ARN of a parameter that was deleted."""
    left = StoredShare("arn:left", name, {STRANGER: "ASSOCIATED"}, {ARN: "ASSOCIATED"})
    here = account(ram=Ram([left]))
    target = plan_of(options(publish_share=[CONSUMER]), here)
    assert codes([target]) == ["resource_share_conflict"]
    assert STRANGER in target.refusals[0].message
    assert ("publish_share_purge" in target.refusals[0].remedy) == (name == SHARE)
    assert not plan_of(options(publish_share=[CONSUMER, STRANGER]), here).refusals
    assert not plan_of(options(), here).refusals


def test_an_organization_is_added_to_a_share_that_allows_accounts_outside() -> None:
    assert operations(plan_of(options(publish_share=[ORG]), shared(stored(external=True)))) == [ASSOCIATE]


# How AWS associates, in the order of the reads: what is waited for, warned of, and failed.
OUTCOMES: dict[str, tuple[dict[str, Any], list[str], str, str]] = {
    "at once": ({}, [], "", ""),
    "slowly": ({"becomes": {ARN: ["ASSOCIATING", "ASSOCIATING", "ASSOCIATED"]}}, [], "", ""),
    "an invitation": (
        {"invited": frozenset({STRANGER})},
        [],
        f"{STRANGER} cannot read the parameter: AWS has not added it yet",
        "",
    ),
    "the parameter fails": (
        {"becomes": {ARN: ["FAILED"]}},
        [(CREATE, "parameter_not_shared")],
        "",
        f"{NAME} is not in its resource share (FAILED: No access.)",
    ),
    "a principal fails": (
        {"becomes": {STRANGER: ["FAILED"]}},
        [(CREATE, "parameter_not_shared")],
        "",
        f"{NAME} is not shared with {STRANGER} (FAILED: No access.)",
    ),
    "never": (
        {"becomes": {STRANGER: ["ASSOCIATING"]}},
        [],
        f"{STRANGER} cannot read the parameter: AWS has not added it yet",
        "",
    ),
    "its answer is lost": ({"lost": frozenset({CREATE})}, [], "", ""),
    "refused": (
        {"refuse": {CREATE: "UnknownResourceException"}},
        [(CREATE, "UnknownResourceException")],
        "",
        "No.",
    ),
    "it was not created": (
        {"refuse": {CREATE: "InternalError"}},
        [(CREATE, "InternalError")],
        "",
        "No.",
    ),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_what_aws_has_not_shared_is_not_called_shared(case: str, clock: Clock) -> None:
    ram, failures, warning, message = OUTCOMES[case]
    here = shared(**ram)
    run = run_on(options(publish_share=[CONSUMER, STRANGER], wait_timeout=5), here, check_mode=False)
    assert [(one.action, one.error_code) for one in run.outcome.failures] == failures
    assert message in "".join(one.message for one in run.outcome.failures)
    assert warning in "".join(run.outcome.warnings)
    assert bool(run.outcome.warnings) == bool(warning)
    assert clock.now == {"slowly": 1.5, "never": 5}.get(case, 0)


def test_who_has_not_accepted_yet_is_named_in_each_run() -> None:
    here = shared(stored(principals={STRANGER: "ASSOCIATING", CONSUMER: "ASSOCIATED", UNIT: "SUSPENDED"}))
    target = plan_of(options(publish_share=[STRANGER, CONSUMER, UNIT]), here)
    assert len(target.warnings) == 2
    assert STRANGER in target.warnings[0]
    assert "accept" in target.warnings[0]
    assert (
        f"{UNIT} cannot read the parameter: its status in the resource share is SUSPENDED." in target.warnings
    )


def test_who_is_no_longer_named_but_keeps_the_parameter_is_named_in_each_run() -> None:
    here = shared(stored(CONSUMER, STRANGER, principals={CONSUMER: "ASSOCIATED", STRANGER: "SUSPENDED"}))
    target = plan_of(options(publish_share=[CONSUMER]), here)
    assert target.actions == ()
    (warning,) = target.warnings
    assert f"{NAME} stays shared with {STRANGER}, which publish_share does not name" in warning
    assert "set publish_share_purge: true" in warning
    assert (
        plan_of(options(publish_share=[CONSUMER, STRANGER]), shared(stored(CONSUMER, STRANGER))).warnings
        == ()
    )


def test_a_resource_share_of_another_name_with_the_parameter_is_named_and_left() -> None:
    def other(status: str = "ASSOCIATED", **principals: str) -> StoredShare:
        return StoredShare("arn:other", "platform", {STRANGER: "ASSOCIATED", **principals}, {ARN: status})

    here = shared(stored(CONSUMER), other())
    target = plan_of(options(publish_share=[CONSUMER]), here)
    assert (target.actions, target.refusals, target.after["shared_with"]) == ((), (), [CONSUMER])
    (warning,) = target.warnings
    assert f"{NAME} stays shared with {STRANGER}" in warning
    assert "platform" in warning
    command = (
        f"disassociate-resource-share --region {REGION} --principals {STRANGER} "
        "--resource-share-arn arn:other."
    )
    assert command in warning
    # A purge leaves it, too.
    purged = plan_of(options(publish_share=[CONSUMER], publish_share_purge=True), here)
    assert (purged.actions, purged.warnings) == ((), (warning,))
    # Who is named, is in it, and is not in the own share gets the own share, too.
    named = plan_of(options(publish_share=[CONSUMER, STRANGER]), shared(stored(CONSUMER), other()))
    assert (operations(named), named.warnings) == ([ASSOCIATE], ())
    gone = shared(stored(CONSUMER), other("DISASSOCIATED"))
    assert plan_of(options(publish_share=[CONSUMER]), gone).warnings == ()


# What is there, what is named, the calls with whom they name, and who then has the parameter.
PURGES: dict[str, tuple[list[StoredShare], dict[str, Any], list[tuple[str, list[str]]], list[str]]] = {
    "one of two": (
        [stored(CONSUMER, STRANGER)],
        {"publish_share": [CONSUMER]},
        [(REMOVE, [STRANGER])],
        [CONSUMER],
    ),
    "nothing": ([stored(CONSUMER)], {"publish_share": [CONSUMER]}, [], [CONSUMER]),
    "in exchange": (
        # An organization that is not named may have the account that is.
        [stored(ORG)],
        {"publish_share": [CONSUMER]},
        [(ASSOCIATE, [CONSUMER]), (REMOVE, [ORG])],
        [CONSUMER],
    ),
    "invited, suspended and failed": (
        [
            stored(
                principals={CONSUMER: "ASSOCIATED", STRANGER: "ASSOCIATING", ORG: "SUSPENDED", UNIT: "FAILED"}
            )
        ],
        {"publish_share": [CONSUMER]},
        # AWS may refuse the call for who has failed: it does not keep the others.
        [(REMOVE, [STRANGER, ORG]), (REMOVE, [UNIT])],
        [CONSUMER],
    ),
    "all": (
        [stored(CONSUMER, ORG)],
        {"allow_empty_purge": True},
        [(REMOVE, [CONSUMER, ORG]), (DELETE, [])],
        [],
    ),
    "all, with a named owner": (
        [stored(CONSUMER)],
        {"publish_share": [OWNER], "allow_empty_purge": True},
        [(REMOVE, [CONSUMER]), (DELETE, [])],
        [],
    ),
    "an empty share, of a run that was stopped": (
        [stored()],
        {"allow_empty_purge": True},
        [(DELETE, [])],
        [],
    ),
    "no share": ([], {"allow_empty_purge": True}, [], []),
    "two, of runs at once": (
        [stored(CONSUMER), StoredShare("arn:z", SHARE, {STRANGER: "ASSOCIATED"}, {ARN: "ASSOCIATED"})],
        {"publish_share": [CONSUMER]},
        [(REMOVE, [STRANGER]), (DELETE, [])],
        [CONSUMER],
    ),
    "two, of which one is superfluous": (
        [StoredShare("arn:a", SHARE, {STRANGER: "ASSOCIATED"}, {ARN: "ASSOCIATED"}), stored(CONSUMER)],
        {"publish_share": [CONSUMER, UNIT]},
        [(ASSOCIATE, [UNIT]), (REMOVE, [STRANGER]), (DELETE, [])],
        [CONSUMER, UNIT],
    ),
    "without the parameter": (
        [stored(STRANGER, resources={})],
        {"publish_share": [CONSUMER]},
        [(REMOVE, [STRANGER]), (ASSOCIATE, [CONSUMER])],
        [CONSUMER],
    ),
}


@pytest.mark.parametrize("case", PURGES)
def test_a_purge_takes_the_parameter_from_all_who_are_not_named(case: str) -> None:
    there, named, calls, left = PURGES[case]
    here = shared(*there)
    given_options = options(**named, publish_share_purge=True)
    target = plan_of(given_options, here)
    assert [(one.operation, one.parameters.get("principals", [])) for one in target.actions] == calls
    assert (target.refusals, target.after["shared_with"]) == ((), left)
    run = run_on(given_options, here, check_mode=False)
    assert (run.outcome.failures, run.outcome.warnings) == ((), ())
    assert [one.operation for one in run.outcome.performed] == operations(target)
    assert _access(here.ram) == {(one, ARN) for one in left}
    again = plan_of(given_options, here)
    assert (again.actions, again.refusals, again.before["shared_with"]) == ((), (), left)


def test_a_standard_parameter_is_shared_after_it_is_an_advanced_one() -> None:
    here = account(parameter=parameter(version(1, NEW, LABEL)), ram=Ram([stored(STRANGER)]))
    target = plan_of(options(publish_share=[CONSUMER], publish_share_purge=True), here)
    assert operations(target) == [REMOVE, "PutParameter", "LabelParameterVersion", ASSOCIATE]


def test_consumers_of_a_deleted_parameter_are_removed_before_it_is_published_again() -> None:
    here = account(ram=Ram([stored(STRANGER)]))
    target = plan_of(options(publish_share=[CONSUMER], publish_share_purge=True), here)
    assert target.refusals == ()
    assert operations(target) == [REMOVE, "PutParameter", "LabelParameterVersion", ASSOCIATE]


@pytest.mark.parametrize("named", [[], [OWNER]])
def test_the_parameter_is_taken_from_all_only_if_that_is_selected(named: list[str]) -> None:
    given_options = options(publish_share=named, publish_share_purge=True)
    here = shared(stored(CONSUMER))
    if named:
        (refusal,) = plan_of(given_options, here).refusals
    else:
        with pytest.raises(ValidationError) as refused:
            plan_of(given_options, here)
        (refusal,) = refused.value.failures
    assert (refusal.action, "allow_empty_purge: true" in refusal.remedy) == ("publish_share_purge", True)
    assert here.ram.shares[0].principals == {CONSUMER: "ASSOCIATED"}


def test_a_share_with_another_resource_is_not_purged() -> None:
    here = shared(stored(STRANGER, resources={ARN: "ASSOCIATED", OTHER: "ASSOCIATED"}))
    target = plan_of(options(publish_share_purge=True, allow_empty_purge=True), here)
    assert codes([target]) == ["resource_share_conflict"]


# How AWS removes: what fails, and what is then published.
REMOVALS: dict[str, tuple[dict[str, Any], str, str]] = {
    "at once": ({}, "", ""),
    "slowly": (
        {"becomes": {STRANGER: ["ASSOCIATED", "DISASSOCIATING", "DISASSOCIATING", "DISASSOCIATED"]}},
        "",
        "",
    ),
    "never": (
        {"becomes": {STRANGER: ["ASSOCIATED", "DISASSOCIATING"]}},
        "parameter_still_shared",
        f"{NAME} is shared with {STRANGER} (DISASSOCIATING)",
    ),
    "it fails": (
        {"becomes": {STRANGER: ["ASSOCIATED", "FAILED"]}},
        "parameter_still_shared",
        f"{NAME} is shared with {STRANGER} (FAILED)",
    ),
    "its answer is lost": ({"lost": frozenset({REMOVE})}, "", ""),
    "denied": ({"refuse": {REMOVE: "AccessDeniedException"}}, "AccessDeniedException", "No."),
    "unknown, and still there": (
        {"refuse": {REMOVE: "UnknownResourceException"}},
        "UnknownResourceException",
        "No.",
    ),
    "it was not made": ({"refuse": {REMOVE: "InternalError"}}, "InternalError", "No."),
    "another run was first": (
        {
            "refuse": {REMOVE: "UnknownResourceException"},
            "becomes": {STRANGER: ["ASSOCIATED", "DISASSOCIATED"]},
        },
        "",
        "",
    ),
}


@pytest.mark.parametrize("case", REMOVALS)
def test_nothing_is_published_before_aws_has_removed_all(case: str, clock: Clock) -> None:
    ram, code, message = REMOVALS[case]
    here = account(
        parameter=parameter(version(1, OLD, tier="Advanced")),
        ram=Ram([stored(CONSUMER, STRANGER)], **ram),
    )
    given_options = options(publish_share=[CONSUMER], publish_share_purge=True, wait_timeout=5)
    run = run_on(given_options, here, check_mode=False)
    assert [(one.action, one.error_code) for one in run.outcome.failures] == (
        [(REMOVE, code)] if code else []
    )
    assert message in "".join(one.message for one in run.outcome.failures)
    says_that = any("a purge publishes nothing here" in one.remedy for one in run.outcome.failures)
    assert says_that == (code == "parameter_still_shared")
    assert ("PutParameter" in here.calls) == (not code)
    assert clock.now == {"slowly": 1.5, "never": 5, "it fails": 5}.get(case, 0)


@pytest.mark.parametrize(("lost", "code"), [(True, ""), (False, "InternalError")])
def test_an_empty_share_that_cannot_be_deleted_keeps_nothing_from_being_published(
    lost: bool, code: str
) -> None:
    ram: dict[str, Any] = {"lost": frozenset({DELETE})} if lost else {"refuse": {DELETE: "InternalError"}}
    here = account(parameter=None, ram=Ram([stored()], **ram))
    run = run_on(options(publish_share_purge=True, allow_empty_purge=True), here, check_mode=False)
    assert [(one.action, one.error_code) for one in run.outcome.failures] == (
        [(DELETE, code)] if code else []
    )
    assert "PutParameter" in here.calls


def test_a_share_of_another_name_that_loses_the_parameter_is_no_conflict() -> None:
    other = StoredShare("arn:other", "platform", {STRANGER: "DISASSOCIATING"}, {ARN: "DISASSOCIATING"})
    target = plan_of(options(publish_share=[CONSUMER]), shared(stored(CONSUMER), other))
    (warning,) = target.warnings
    assert (target.refusals, f"still taking {NAME} back from {STRANGER}" in warning) == ((), True)


def test_who_is_still_being_removed_is_named() -> None:
    here = shared(stored(principals={CONSUMER: "ASSOCIATED", STRANGER: "DISASSOCIATING"}))
    (warning,) = plan_of(options(publish_share=[CONSUMER]), here).warnings
    assert f"AWS RAM is still taking {NAME} back from {STRANGER}" in warning


def test_who_is_named_is_not_called_leaving_although_aws_removes_them() -> None:
    here = shared(stored(principals={CONSUMER: "DISASSOCIATING"}))
    target = plan_of(options(publish_share=[CONSUMER]), here)
    assert (operations(target), target.warnings) == ([ASSOCIATE], ())


@pytest.mark.parametrize("status", ["DISASSOCIATING", "FAILED"])
def test_a_rerun_publishes_nothing_as_long_as_somebody_still_has_the_parameter(
    status: str, clock: Clock
) -> None:
    ram = Ram([stored(CONSUMER, STRANGER)], becomes={STRANGER: ["ASSOCIATED", status]})
    here = account(parameter=parameter(version(1, OLD, tier="Advanced")), ram=ram)
    given_options = options(publish_share=[CONSUMER], publish_share_purge=True, wait_timeout=5)
    # AWS refuses the call for who is not in the share any more.
    again = "parameter_still_shared" if status == "DISASSOCIATING" else "UnknownResourceException"
    for code in ("parameter_still_shared", again):
        run = run_on(given_options, here, check_mode=False)
        assert [one.error_code for one in run.outcome.failures] == [code]
        assert STRANGER in run.plan.targets[0].before["shared_with"]
        assert "PutParameter" not in here.calls
    assert clock.now == (10 if status == "DISASSOCIATING" else 5)
    ram.becomes = {STRANGER: [status, "DISASSOCIATED"]}
    run = run_on(given_options, here, check_mode=False)
    assert (run.outcome.failures, "PutParameter" in here.calls) == ((), True)
    assert REMOVE not in operations(plan_of(given_options, here))


@pytest.mark.parametrize(
    "fails",
    [{"refuse": {ASSOCIATE: "InvalidParameterException"}}, {"becomes": {CONSUMER: ["FAILED"]}}],
    ids=["refused", "failed"],
)
def test_an_addition_that_fails_keeps_nobody_in_the_share_and_publishes_nothing(
    fails: dict[str, Any],
) -> None:
    here = account(
        parameter=parameter(version(1, OLD, tier="Advanced")), ram=Ram([stored(STRANGER)], **fails)
    )
    given_options = options(publish_share=[CONSUMER], publish_share_purge=True)
    run = run_on(given_options, here, check_mode=False)
    assert [one.action for one in run.outcome.failures] == [ASSOCIATE]
    assert here.ram.shares[0].principals[STRANGER] == "DISASSOCIATED"
    assert REMOVE in [one.operation for one in run.outcome.performed]
    assert "PutParameter" not in here.calls


def test_an_addition_that_fails_keeps_an_organization_which_may_include_the_account() -> None:
    ram = Ram([stored(ORG)], refuse={ASSOCIATE: "ServerInternalException"})
    here = account(parameter=parameter(version(1, OLD, tier="Advanced")), ram=ram)
    given_options = options(publish_share=[CONSUMER], publish_share_purge=True)
    run = run_on(given_options, here, check_mode=False)
    assert REMOVE in [one.operation for one in run.plan.targets[0].actions]
    assert [one.action for one in run.outcome.failures] == [ASSOCIATE]
    assert here.ram.shares[0].principals[ORG] == "ASSOCIATED"
    assert not {REMOVE, "PutParameter"} & {*here.calls, *here.ram.calls}


def test_a_removal_that_fails_is_followed_by_other_removals_only() -> None:
    others = StoredShare("arn:z", SHARE, {ORG: "ASSOCIATED"}, {ARN: "ASSOCIATED"})
    here = account(
        parameter=None, ram=Ram([stored(STRANGER), others], refuse={REMOVE: "AccessDeniedException"})
    )
    run = run_on(options(publish_share=[CONSUMER], publish_share_purge=True), here, check_mode=False)
    assert [one.action for one in run.outcome.failures] == [REMOVE, REMOVE]
    assert not {"PutParameter", ASSOCIATE} & {*here.calls, *here.ram.calls}


@dataclass
class UnreadAfter(Ram):
    """Resource shares that cannot be read after the call of this operation."""

    operation: str = ""

    def _called(self, operation: str, parameters: Mapping[str, Any]) -> None:
        super()._called(operation, parameters)
        if operation == "GetResourceShares" and self.operation in self.calls:
            raise refused("ThrottlingException", operation)


@pytest.mark.parametrize("operation", [REMOVE, ASSOCIATE])
def test_what_was_performed_is_reported_although_its_effect_cannot_be_read(operation: str) -> None:
    there = stored(CONSUMER, STRANGER) if operation == REMOVE else stored(STRANGER)
    here = account(
        parameter=parameter(version(1, OLD, tier="Advanced")), ram=UnreadAfter([there], operation=operation)
    )
    given_options = options(publish_share=[CONSUMER], publish_share_purge=True)
    run = run_on(given_options, here, check_mode=False)
    assert [one.operation for one in run.outcome.performed] == operations(run.plan.targets[0])[
        : 1 if operation == REMOVE else 2
    ]
    assert {(one.action, one.error_code) for one in run.outcome.failures} == {
        ("GetResourceShares", "ThrottlingException")
    }
    assert "PutParameter" not in here.calls


def test_a_call_without_an_answer_and_the_read_that_fails_are_both_reported() -> None:
    ram = UnreadAfter([stored(CONSUMER, STRANGER)], operation=REMOVE, lost=frozenset({REMOVE}))
    here = shared()
    here.ram = ram
    given_options = options(publish_share=[CONSUMER], publish_share_purge=True)
    run = run_on(given_options, here, check_mode=False)
    assert [one.action for one in run.outcome.failures] == [REMOVE, "GetResourceShares"]


@pytest.mark.parametrize("named", [[STRANGER], [CONSUMER, STRANGER]])
def test_a_purge_that_is_left_out_for_a_rejected_account_is_said(named: list[str]) -> None:
    given_options = options(
        images=None,
        copy_result=copy_result({REGION: NEW}),
        share_result=share_result(rejected_account_ids=[STRANGER]),
        publish_share=named,
        publish_share_purge=True,
    )
    target = plan_of(given_options, shared(stored(CONSUMER, STRANGER, ORG)))
    assert (target.actions, target.refusals) == ((), ())
    (warning,) = target.warnings
    assert f"{NAME} stays shared with " in warning
    assert (CONSUMER in warning, ORG in warning) == (CONSUMER not in named, True)
    assert f"correct the accounts that AWS rejected, {STRANGER}, and rerun" in warning
    assert target.after["shared_with"] == sorted([CONSUMER, STRANGER, ORG])
    assert plan_of(given_options, shared(stored(STRANGER))).warnings == ()


def test_a_parameter_that_aws_ram_does_not_know_is_in_no_resource_share() -> None:
    unknown = {"GetResourceShareAssociations": "UnknownResourceException"}
    assert operations(plan_of(options(publish_share=[CONSUMER]), shared(refuse=unknown))) == [CREATE]
    with pytest.raises(ValidationError, match="AccessDeniedException"):
        plan_of(
            options(publish_share=[CONSUMER]),
            shared(refuse=dict.fromkeys(unknown, "AccessDeniedException")),
        )


@pytest.mark.parametrize("status", ["ASSOCIATING", "SUSPENDED"])
def test_a_parameter_that_is_not_in_its_share_yet_is_not_called_shared(status: str) -> None:
    """An earlier run was stopped while it waited."""
    target = plan_of(options(publish_share=[CONSUMER]), shared(stored(CONSUMER, resources={ARN: status})))
    assert target.actions == ()
    (warning,) = target.warnings
    assert f"Nobody can read {NAME} through the resource share {SHARE}" in warning
    assert f"its status there is {status}." in warning


# Who the image is shared with, who the parameter is shared with, and who is known to lack the image.
LAUNCHES: list[tuple[Sharing, list[str], str]] = [
    (Sharing(account_ids=frozenset({CONSUMER})), [CONSUMER, STRANGER], STRANGER),
    (Sharing(account_ids=frozenset({CONSUMER, STRANGER})), [CONSUMER, STRANGER], ""),
    # Whether an account is below an organization or a unit is not read.
    (Sharing(org_arns=frozenset({ORG})), [CONSUMER], ""),
    (Sharing(org_unit_arns=frozenset({UNIT})), [CONSUMER], ""),
    (Sharing(account_ids=frozenset({CONSUMER})), [ORG], ""),
    (Sharing(public=True), [CONSUMER], ""),
]


@pytest.mark.parametrize(("launch", "named", "without"), LAUNCHES)
def test_who_gets_the_parameter_without_the_image_is_named(
    launch: Sharing, named: list[str], without: str
) -> None:
    target = plan_of(options(publish_share=named), account(launch=launch))
    text = f"The image is not shared with {without}, which cannot launch it by the parameter"
    assert [text in warning for warning in target.warnings] == [True] * bool(without)


PRINCIPALS = st.dictionaries(
    st.sampled_from([CONSUMER, STRANGER, ORG, UNIT]),
    st.sampled_from(["ASSOCIATED", "ASSOCIATING", "FAILED", "DISASSOCIATED", "SUSPENDED"]),
)
RESOURCES = st.dictionaries(st.sampled_from([ARN, OTHER]), st.sampled_from(["ASSOCIATED", "DISASSOCIATED"]))


@given(
    st.lists(st.tuples(PRINCIPALS, RESOURCES, st.sampled_from(["ACTIVE", "DELETED"])), max_size=2),
    st.lists(st.sampled_from([CONSUMER, STRANGER, ORG, UNIT]), unique=True),
    st.booleans(),
)
def test_nobody_gets_what_is_not_named(shares: list[Any], named: list[str], purges: bool) -> None:
    """Whatever is there, a run gives access to whom it names only, and a purge takes it from others."""
    there = [
        StoredShare(f"arn:{number}", SHARE, dict(principals), dict(resources), status=status)
        for number, (principals, resources, status) in enumerate(shares)
    ]
    here = shared(*there)
    before = _access(here.ram)
    given_options = options(publish_share=named, publish_share_purge=purges, allow_empty_purge=True)
    run = run_on(given_options, here, check_mode=False)
    if run.plan.refusals:
        return
    assert run.outcome.failures == ()
    after, wanted = _access(here.ram), {(one, ARN) for one in named}
    assert wanted <= after
    assert after == wanted if purges else before <= after <= before | wanted
    assert plan_of(given_options, here).actions == ()


def _access(ram: Ram) -> set[tuple[str, str]]:
    present = ("ASSOCIATED", "ASSOCIATING", "SUSPENDED")
    return {
        (principal, resource)
        for share in ram.shares
        if share.status == "ACTIVE"
        for principal, of_principal in share.principals.items()
        for resource, of_resource in share.resources.items()
        if of_principal in present and of_resource in present
    }
