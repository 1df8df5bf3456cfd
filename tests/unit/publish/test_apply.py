# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run makes of answers that AWS gives late, loses or refuses, and of what others change meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.unit.clock import Clock
from tests.unit.flow_run import FlowRun
from tests.unit.publish.account import (
    LABEL,
    NAME,
    NEW,
    OLD,
    TEMPLATE,
    Account,
    Parameter,
    Version,
    account,
    many,
    options,
    parameter,
    run_on,
    shown,
    template,
    version,
)

PUT, GET, LABELING = "PutParameter", "GetParameter", "LabelParameterVersion"
UNLABEL, ADD_TAGS = "UnlabelParameterVersion", "AddTagsToResource"
CREATE, MODIFY = "CreateLaunchTemplateVersion", "ModifyLaunchTemplate"
DENIED, EXISTS, GONE = "AccessDeniedException", "ParameterAlreadyExists", "ParameterNotFound"
CHANGED = "concurrent_change"
HELD, UNLABELED = {"parameter": parameter(version(2, OLD))}, {"parameter": parameter(version(2, NEW))}
TAGS = {"parameter_tags": {"team": "web"}}


def now(number: int, value: str = NEW) -> dict[str, Any]:
    """The answer of GetParameter: this version is the latest one."""
    return {"Parameter": shown(version(number, value))}


@dataclass(frozen=True)
class Case:
    """What the account has, ``here``, and what a run with ``given`` options performs in it.

    ``answers`` are those to the next calls, and ``meanwhile`` are versions that another client puts between
    the plan and the changes. ``failed`` are operations with error codes. ``waited`` are seconds.
    """

    performed: Sequence[str] = ()
    here: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    meanwhile: tuple[Version, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    failed: Sequence[tuple[str, str]] = ()
    waited: float = 0

    def account(self) -> Account:
        return account(**self.here, answers={name: [*given] for name, given in self.answers.items()})

    def run(self, there: Account) -> FlowRun:
        """The run of the case in this account, without the waits of real time."""
        given = options(**{"require_shared": False, "wait_timeout": 60, **self.given})
        run = run_on(given, there, check_mode=False)
        run.after_read = lambda: self._change(there)
        return run

    def _change(self, there: Account) -> None:
        if self.meanwhile:
            held = there.parameter or Parameter(())
            there.parameter = replace(held, versions=(*held.versions, *self.meanwhile))


def one_second(*performed: str, **case: Any) -> Case:
    """A case that waits for one second at most, and does."""
    return Case(performed, given={**case.pop("given", {}), "wait_timeout": 1}, waited=1, **case)


LOST = ("InternalError", "ServiceUnavailable", "503")
REPEATED = ("InternalError", "ThrottlingException", "RequestLimitExceeded", "TooManyUpdates")
BUSY = ("TooManyUpdates", "ValidationException")
# A new parameter, one with another image, and one with the same image whose tier changes.
BEFORE: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "new": ({}, {}, 0),
    "changed": (HELD, {}, 2),
    "tier": ({"parameter": parameter(version(2, NEW, LABEL))}, {"tier": "Advanced"}, 2),
}
VALUES: dict[str, Case] = {
    **{
        f"{name}: is waited for": Case([PUT, LABELING], here, {GET: [answer] * 2}, given=given, waited=1.5)
        for name, (here, given, _number) in BEFORE.items()
        for answer in (now(2, NEW) if name == "tier" else now(2, OLD) if name == "changed" else GONE,)
    },
    **{
        f"{name}: its answer is lost, {code}": Case(
            [PUT, LABELING],
            here,
            {PUT: [code]},
            meanwhile=(version(number + 1, NEW),),
            given=given,
            waited=0.5,
        )
        for code in LOST
        for name, (here, given, number) in BEFORE.items()
    },
    **{
        f"{name}: it was not put, {code}": Case([PUT, LABELING], here, {PUT: [code]}, given=given, waited=0.5)
        for code in REPEATED
        for name, (here, given, _number) in BEFORE.items()
    },
    **{
        f"an interrupted run put it, {code}": Case(
            [LABELING], HELD, {PUT: [code, code], GET: [now(2, OLD)]}, (version(3, NEW),), waited=1.5
        )
        for code in BUSY
    },
    **{
        f"another value is being validated, {code}": Case(
            [PUT, LABELING], HELD, {PUT: [code]}, (version(3, OLD),), waited=0.5
        )
        for code in BUSY
    },
    "less and less often": Case([PUT, LABELING], HELD, {GET: [now(2, OLD)] * 5}, waited=0.5 + 1 + 2 + 3 + 3),
    "never validated": one_second(
        PUT, here=HELD, answers={GET: [now(2, OLD)] * 3}, failed=[(PUT, "parameter_not_validated")]
    ),
    "changed by others": Case([PUT], HELD, {GET: [now(4, OLD)]}, failed=[(PUT, CHANGED)]),
    "changed by others in the same version": Case([PUT], HELD, {GET: [now(3, OLD)]}, failed=[(PUT, CHANGED)]),
    "refused for long": one_second(
        here=HELD, answers={PUT: ["ValidationException"] * 3}, failed=[(PUT, "ValidationException")]
    ),
    "any other refusal is final": Case([], HELD, {PUT: [DENIED]}, failed=[(PUT, DENIED)]),
    "what was done before a failed look": Case([PUT], HELD, {GET: [DENIED]}, failed=[(GET, DENIED)]),
    "an answer without a version": Case([PUT], HELD, {PUT: [{}]}, failed=[(PUT, "incomplete_response")]),
}
CREATIONS: dict[str, Case] = {
    "with its tags in one call": Case([PUT, LABELING], given=TAGS),
    "others created it": Case([ADD_TAGS, LABELING], meanwhile=(version(1, NEW),), given=TAGS, waited=0.5),
    "others created it, no tags": Case([LABELING], meanwhile=(version(1, NEW),), waited=0.5),
    "others created it with another image": Case(
        [], meanwhile=(version(1, OLD), version(2, OLD)), given=TAGS, failed=[(PUT, CHANGED)], waited=0.5
    ),
    "others created it, and it is not readable yet": one_second(
        answers={GET: [GONE]}, meanwhile=(version(1, OLD),), failed=[(PUT, CHANGED)]
    ),
    "others created it, and it never becomes readable": one_second(
        answers={GET: [GONE] * 3}, meanwhile=(version(1, NEW),), failed=[(PUT, EXISTS)]
    ),
    "its answer is lost, and then it exists": Case(
        [PUT, ADD_TAGS, LABELING],
        answers={PUT: ["InternalError"], GET: [GONE]},
        meanwhile=(version(1, NEW),),
        given=TAGS,
        waited=1.5,
    ),
}
WITH_TEMPLATE = {"launch_templates": [TEMPLATE]}
TO_MODIFY = {"templates": {TEMPLATE: template(OLD, {"ImageId": NEW})}}
LABELS: dict[str, Case] = {
    "of the newest version": Case([LABELING], UNLABELED, {GET: [GONE, now(1, OLD)]}, waited=1.5),
    "of a version that is deleted": one_second(
        LABELING, here=UNLABELED, answers={GET: [GONE] * 3}, failed=[(LABELING, CHANGED)]
    ),
    "of a version that is deleted and created again": one_second(
        LABELING, here=UNLABELED, answers={GET: [now(1)] * 3}, failed=[(LABELING, CHANGED)]
    ),
    **{
        f"others put another image, {number}": Case(
            [LABELING],
            {**UNLABELED, **TO_MODIFY},
            {GET: [now(number, OLD)]},
            given=WITH_TEMPLATE,
            failed=[(LABELING, CHANGED)],
        )
        for number in (2, 3)
    },
    "the newer version takes none": Case(
        [LABELING],
        UNLABELED,
        {GET: [now(3)], LABELING: [None, "ParameterVersionLabelLimitExceeded"]},
        failed=[(LABELING, "ParameterVersionLabelLimitExceeded")],
    ),
    "the newest version cannot be read": Case([LABELING], UNLABELED, {GET: [DENIED]}, failed=[(GET, DENIED)]),
    "AWS ignores it": Case(
        [LABELING],
        UNLABELED,
        {LABELING: [{"InvalidLabels": [LABEL], "ParameterVersion": 2}]},
        failed=[(LABELING, "invalid_label")],
    ),
    "templates do not need it": Case(
        [MODIFY],
        {**UNLABELED, **TO_MODIFY},
        {LABELING: [DENIED]},
        given=WITH_TEMPLATE,
        failed=[(LABELING, DENIED)],
    ),
    "templates do not need tags": Case(
        [MODIFY],
        {"parameter": parameter(version(2, NEW, LABEL)), **TO_MODIFY},
        {ADD_TAGS: [DENIED]},
        given={**WITH_TEMPLATE, **TAGS},
        failed=[(ADD_TAGS, DENIED)],
    ),
    "it is put back where no value comes": Case(
        [UNLABEL, LABELING], {"parameter": many("source-ami-old")}, {PUT: [DENIED]}, failed=[(PUT, DENIED)]
    ),
    "it cannot be put back": Case(
        [UNLABEL],
        {"parameter": many("source-ami-old")},
        {PUT: [DENIED], LABELING: ["ParameterVersionNotFound"]},
        failed=[(PUT, DENIED)],
    ),
}
NEW_VERSION = {"parameter": parameter(version(2, NEW, LABEL)), "templates": {TEMPLATE: template()}}
VERSIONS: dict[str, Case] = {
    f"a new version of a template without a number: {answer}": Case(
        [CREATE],
        NEW_VERSION,
        {CREATE: [answer]},
        given=WITH_TEMPLATE,
        failed=[(CREATE, "incomplete_response")],
    )
    for answer in ({}, {"LaunchTemplateVersion": {}})
}
CASES = {**VALUES, **CREATIONS, **LABELS, **VERSIONS}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_performed_and_what_fails(case: Case, clock: Clock) -> None:
    there = case.account()
    run = case.run(there)
    failures = run.outcome.failures
    assert [(one.action, one.error_code) for one in failures] == list(case.failed)
    assert [one.operation for one in run.outcome.performed] == list(case.performed)
    assert clock.now == case.waited
    if not case.failed:
        assert there.parameter is not None
        latest = there.parameter.versions[-1]
        assert (latest.value, latest.labels) == (NEW, (LABEL,))
        assert there.parameter.tags == case.given.get("parameter_tags", {})
        assert [one["parameter_version"] for one in run.results] == [latest.number]


NAMED: list[tuple[Case, tuple[str, ...], str]] = [
    (VALUES["never validated"], (NEW, "version 3", NAME, "1 seconds"), "Rerun, in case"),
    (VALUES["changed by others"], (OLD, "version 4", NAME), f"only if {NEW} is to replace {OLD}"),
    (
        CREATIONS["others created it with another image"],
        (NAME, OLD, "version 2"),
        f"only if {NEW} is to replace {OLD}",
    ),
    (LABELS["of a version that is deleted"], (NAME, "version 2"), "Look for the other client"),
    (
        LABELS["others put another image, 3"],
        (NAME, OLD, "version 3"),
        f"only if {NEW} is to replace {OLD}",
    ),
]


@pytest.mark.parametrize(("case", "texts", "remedy"), NAMED)
def test_a_failure_names_what_others_did(case: Case, texts: tuple[str, ...], remedy: str) -> None:
    (failure,) = case.run(case.account()).outcome.failures
    assert [text for text in texts if text not in failure.message] == []
    assert remedy in (failure.remedy or "")


@pytest.mark.parametrize(
    ("here", "reads", "labeled"), [(HELD, [4, 4], [4]), (UNLABELED, [3, 5, 5], [2, 3, 5])], ids=str
)
def test_each_version_that_others_put_with_the_same_image_takes_over_the_label(
    here: dict[str, Any], reads: list[int], labeled: list[int]
) -> None:
    case = Case(here=here, answers={GET: [now(number) for number in reads]})
    run = case.run(case.account())
    performed = [one for one in run.outcome.performed if one.operation == LABELING]
    assert [one.parameters["ParameterVersion"] for one in performed] == labeled
    assert (run.outcome.failures, run.results[0]["parameter_version"]) == ((), labeled[-1])


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_label_that_made_room_for_a_value_that_does_not_come_is_put_back(is_gone: bool) -> None:
    case = LABELS["it cannot be put back" if is_gone else "it is put back where no value comes"]
    there = case.account()
    warnings = case.run(there).outcome.warnings
    assert ["No." in one and "source-ami-old" in one for one in warnings] == [True] * is_gone
    assert (there.parameter == case.here["parameter"]) == (not is_gone)


def test_a_templates_new_version_becomes_the_default_and_its_warnings_are_told() -> None:
    warned = {"Errors": [{"Code": "x", "Message": "The key pair does not exist"}]}
    answer = {"LaunchTemplateVersion": {"VersionNumber": 7}, "Warning": warned}
    case = Case(here=NEW_VERSION, answers={CREATE: [answer], MODIFY: [{}]}, given=WITH_TEMPLATE)
    run = case.run(case.account())
    assert [one.operation for one in run.outcome.performed] == [CREATE, MODIFY]
    assert run.outcome.performed[-1].parameters["DefaultVersion"] == "7"
    assert run.results[0]["launch_templates"] == {TEMPLATE: 7}
    (warning,) = run.outcome.warnings
    assert "The key pair does not exist" in warning
