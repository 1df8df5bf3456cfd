# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of a module in each mode, its result, messages and warnings."""

from __future__ import annotations

import gc
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, ClassVar, NoReturn

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.amazon.aws.plugins.module_utils import botocore
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.golden.images.plugins.module_utils import _runner as runner
from ansible_collections.golden.images.plugins.module_utils._aws import clients
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, ValidationError, summary
from ansible_collections.golden.images.plugins.module_utils._option import Options
from ansible_collections.golden.images.plugins.module_utils._plan import Action, Plan, TargetPlan
from ansible_collections.golden.images.plugins.module_utils._runner import Flow, Outcome

from tests.unit.examples import target_in

EU, US = target_in("eu-west-1"), target_in("us-west-2")
COPY = Action(EU, "CopyImage", {"Name": "golden", "SourceImageId": "ami-1", "SourceRegion": "us-west-2"})
TAG = Action(US, "CreateTags", {"Resources": ["ami-1"], "Tags": [{"Key": "a", "Value": "1"}]}, "ami-1")
PLAN = Plan(
    (
        TargetPlan(EU, (COPY,), before={"state": None}, after={"state": "available"}),
        TargetPlan(US, (TAG,), before={"tags": {}}, after={"tags": {"a": "1"}}),
    )
)
DIFF = {
    "prepared": "eu-west-1: + copy of ami-1 from us-west-2 as golden\nus-west-2: + tag a=1 on ami-1\n",
    "state_before": PLAN.before,
    "state_after": PLAN.after,
}
NOTHING_TO_DO = Plan((TargetPlan(EU, before={"state": "available"}, after={"state": "available"}),))
BAD_NAME = Failure("The name is bad.", "Fix it.", "invalid_option", "name")
NO_KEY = Failure("There is no key.", "Make one.", "NotFoundException", "DescribeKey", "us-west-2", "1" * 12)
QUOTA = Failure("Too many copies.", "Wait.", "ResourceLimitExceeded", "CopyImage", "us-west-2", "1" * 12)
REFUSED_PLAN = Plan(
    (
        TargetPlan(EU, (COPY,), refusals=(BAD_NAME,), warnings=("Old.",)),
        TargetPlan(US, refusals=(NO_KEY,), tolerated=(QUOTA,)),
    )
)
SPEC: dict[str, Any] = {"progress_path": {"type": "path"}, "report_s3_uri": {"type": "str"}}


class Ended(Exception):
    """Raised at the end of the module, as AnsibleModule raises SystemExit."""

    def __init__(self, failed: bool, result: Mapping[str, Any]) -> None:
        super().__init__(result)
        self.failed = failed
        self.result = dict(result)


class FakeModule:
    """The attributes of a module that the runner may use. Others, such as ``warn``, raise AttributeError."""

    attached: ClassVar[dict[str, str]] = {"page.css": "a { color: red }"}

    def __init__(
        self,
        arguments: dict[str, Any],
        params: dict[str, Any],
        check_mode: bool,
        diff: bool,
        verbosity: int,
    ) -> None:
        self.arguments = arguments
        self.argument_spec = arguments["argument_spec"]
        self.params = params
        self.check_mode = check_mode
        self._diff = diff
        self._verbosity = verbosity

    def exit_json(self, **result: Any) -> NoReturn:
        raise Ended(False, result)

    def fail_json(self, **result: Any) -> NoReturn:
        raise Ended(True, result)


@dataclass
class Steps:
    """A flow that records the arguments of its steps, and returns the given values."""

    plan: Any = PLAN
    outcome: Outcome = field(default_factory=lambda: Outcome(performed=PLAN.actions))
    refusing: Mapping[str, tuple[Failure, ...]] = field(default_factory=dict)
    report_lines: tuple[str, ...] = ()
    needs_aws: bool = True
    only_reads: bool = False
    diff_verbosity: int = 0
    nothing_done: str = ""
    policy: str = ""
    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    collecting: dict[str, bool] = field(default_factory=dict)

    def flow(
        self, spec: Mapping[str, Any] = SPEC, rules: Mapping[str, Any] = MappingProxyType({})
    ) -> Flow[Any, str]:
        steps: Any = self

        class Recorded(Options):
            """Options with this argument spec, which have no values."""

            argument_rules = rules

            @classmethod
            def argument_spec(cls) -> dict[str, Any]:
                return dict(spec)

            @classmethod
            def read(cls, *given: Any) -> Any:
                return steps._step("wanted", given, "WANTED")

        return Flow(
            options=Recorded,
            read=lambda *given: self._step("read", given, "SEEN"),
            plan=lambda *given: self._step("plan", given, self.plan),
            apply=self._apply,
            result=lambda *given: self._step("result", given, {"images": {"eu-west-1": "ami-1"}}),
            needs_aws=self.needs_aws,
            only_reads=self.only_reads,
            diff_verbosity=self.diff_verbosity,
            policy=self.policy,
            explain_nothing_done=lambda _options, _result: self.nothing_done,
        )

    def _step(self, name: str, given: tuple[Any, ...], answer: Any) -> Any:
        self.calls.append((name, given))
        self.collecting[name] = gc.isenabled()
        if name in self.refusing:
            raise ValidationError(self.refusing[name])
        return answer

    def _apply(self, *given: Any) -> Outcome:
        *values, report = given
        for line in self.report_lines:
            report(line)
        return self._step("apply", tuple(values), self.outcome)

    @property
    def names(self) -> list[str]:
        return [name for name, _given in self.calls]

    def given(self, name: str) -> tuple[Any, ...]:
        """The arguments of the only call of the step."""
        (given,) = [given for step, given in self.calls if step == name]
        return given


@dataclass
class Ran:
    """The result of the module, and its warnings."""

    failed: bool
    result: dict[str, Any]
    warnings: list[str]
    module: FakeModule


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a flow as a module, with a placeholder for the AWS clients."""

    def run(
        steps: Steps,
        check_mode: bool = False,
        diff: bool = False,
        verbosity: int = 0,
        params: dict[str, Any] | None = None,
        **rules: Any,
    ) -> Ran:
        warnings: list[str] = []
        modules: list[FakeModule] = []

        def module_class(_base: object, _spec: object, _is_aws: bool) -> Callable[..., FakeModule]:
            def make(**arguments: Any) -> FakeModule:
                modules.append(
                    FakeModule(
                        arguments,
                        params or {"progress_path": None},
                        check_mode,
                        diff,
                        verbosity,
                    )
                )
                return modules[0]

            return make

        monkeypatch.setattr(runner, "_find_module_class", module_class)
        monkeypatch.setattr(runner, "_connect", lambda module: ("CLIENTS of", module))
        monkeypatch.setattr(runner, "warn", warnings.append)
        with pytest.raises(Ended) as caught:
            runner.run(steps.flow(rules=rules))
        return Ran(caught.value.failed, caught.value.result, warnings, modules[0])

    return run


def test_each_step_gets_the_results_of_the_steps_before(run: Run) -> None:
    steps = Steps()
    params = {"progress_path": None, "name": "golden"}
    ran = run(steps, params=params)
    clients = ("CLIENTS of", ran.module)
    assert steps.calls == [
        ("wanted", (params, False)),
        ("read", (clients, "WANTED")),
        ("plan", ("WANTED", "SEEN")),
        ("apply", (clients, "WANTED", "SEEN", PLAN)),
        ("result", ("WANTED", "SEEN", PLAN, steps.outcome)),
    ]
    assert not ran.failed
    assert ran.warnings == []
    assert ran.result == {
        "images": {"eu-west-1": "ami-1"},
        "actions": [COPY.to_dict(), TAG.to_dict()],
        "changed": True,
        "failures": [],
    }


def test_values_are_not_searched_for_cycles(run: Run) -> None:
    """Clients have cycles, and thousands of calls are made with them: what reads and changes is searched."""
    steps = Steps()
    run(steps)
    assert steps.collecting == {"wanted": True, "read": True, "plan": False, "apply": True, "result": False}
    assert gc.isenabled()


def test_a_process_is_searched_for_cycles_again_after_a_refusal(run: Run) -> None:
    run(Steps(refusing={"plan": (BAD_NAME,)}))
    assert gc.isenabled()


def test_the_module_gets_its_options_and_rules(run: Run) -> None:
    ran = run(Steps(), mutually_exclusive=[("a", "b")])
    assert ran.module.arguments == {
        "argument_spec": SPEC,
        "supports_check_mode": True,
        "mutually_exclusive": [("a", "b")],
    }


def test_failures_that_a_later_task_fails_for_are_in_the_result_with_their_message(run: Run) -> None:
    ran = run(Steps(outcome=Outcome(failures=(QUOTA,), fails=False)))
    assert not ran.failed
    assert ran.result["failures"] == [QUOTA.to_dict()]
    assert ran.result["msg"].startswith(summary([QUOTA]))


DENIED = Failure("No.", "Allow it.", "UnauthorizedOperation", "CopyImage", source="aws")
POLICY = "docs/iam/README.md#sharing has a policy with all actions: AWS names one at a time."
ALL_AT_ONCE = "bootstrap/check_accounts.py names all that are missing, in every account."


def test_the_message_about_a_denied_call_names_the_policy(run: Run) -> None:
    def message(**values: Any) -> str:
        return str(run(Steps(**values)).result["msg"])

    denied = Outcome(failures=(DENIED,))
    assert f"{POLICY} Before a distribution, {ALL_AT_ONCE}" in message(policy="sharing", outcome=denied)
    refused = message(policy="cleanup", refusing={"read": (DENIED,)})
    assert refused.endswith(f"{POLICY.replace('sharing', 'cleanup')}\nThis task changed nothing.")
    assert "docs/iam" not in message(policy="sharing", outcome=Outcome(failures=(QUOTA,)))
    assert "docs/iam" not in message(outcome=denied)
    of_role = replace(DENIED, action="AssumeRole")
    assert "docs/iam" not in message(policy="sharing", refusing={"read": (of_role,)})


def test_the_policies_that_modules_name_exist() -> None:
    headings = re.findall("^## (.*)$", Path("docs/iam/README.md").read_text("utf-8"), re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    names = [path.stem for path in Path("plugins/modules").glob("*.py")]
    modules = [import_module(f"ansible_collections.golden.images.plugins.modules.{name}") for name in names]
    assert {module.FLOW.policy for module in modules} <= {*anchors, ""}


RERUN = "Rerun to complete the remaining regions."


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        pytest.param(Outcome(tolerated=(QUOTA,)), ["Nothing is shared."], id="best effort"),
        pytest.param(
            Outcome(failures=(QUOTA,), fails=False),
            [summary([QUOTA]), RERUN, "Nothing is shared."],
            id="left to a later task",
        ),
        pytest.param(Outcome(failures=(QUOTA,)), [summary([QUOTA]), RERUN], id="it has failed anyway"),
    ],
)
def test_a_task_that_has_done_nothing_fails(run: Run, outcome: Outcome, message: list[str]) -> None:
    ran = run(Steps(outcome=outcome, nothing_done="Nothing is shared."))
    assert ran.failed
    assert ran.result["msg"].split("\n") == message
    assert ran.result["failures"] == [QUOTA.to_dict()]


def test_a_repeated_action_is_listed_once_with_its_number(run: Run) -> None:
    plan = Plan((TargetPlan(EU, actions=(COPY, TAG, COPY)),))
    ran = run(Steps(plan=plan), check_mode=True)
    assert ran.result["actions"] == [{**COPY.to_dict(), "count": 2}, TAG.to_dict()]


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_plan_without_actions_is_no_change(run: Run, check_mode: bool) -> None:
    ran = run(Steps(plan=NOTHING_TO_DO, outcome=Outcome()), check_mode=check_mode)
    assert not ran.failed
    assert ran.result["changed"] is False
    assert ran.result["actions"] == []


@pytest.mark.parametrize("diff", [False, True])
def test_check_mode_plans_and_does_not_apply(run: Run, diff: bool) -> None:
    steps = Steps(outcome=Outcome(failures=(QUOTA,)))
    ran = run(steps, check_mode=True, diff=diff)
    assert steps.names == ["wanted", "read", "plan", "result"]
    assert steps.given("wanted")[1] is True
    assert steps.given("result")[3] == Outcome()
    assert not ran.failed
    assert ran.result["changed"] is True
    assert ran.result["actions"] == [COPY.to_dict(), TAG.to_dict()]
    assert ran.result["failures"] == []


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_flow_that_only_reads_fails_for_failed_reads_in_check_mode_too(run: Run, check_mode: bool) -> None:
    steps = Steps(plan=NOTHING_TO_DO, outcome=Outcome(failures=(NO_KEY,)), only_reads=True)
    ran = run(steps, check_mode=check_mode)
    assert ran.failed
    assert ran.result["changed"] is False
    assert ran.result["failures"] == [NO_KEY.to_dict()]
    assert ran.result["images"] == {"eu-west-1": "ami-1"}
    # No hint to rerun, because it only reads.
    assert ran.result["msg"] == summary([NO_KEY])


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_failure_of_the_plan_fails_the_task_and_stops_nothing(run: Run, check_mode: bool) -> None:
    @dataclass(frozen=True)
    class Failing(Plan):
        failures: tuple[Failure, ...] = ()

    steps = Steps(plan=Failing(PLAN.targets, failures=(NO_KEY,)))
    ran = run(steps, check_mode=check_mode)
    assert ran.failed
    assert ("apply" in steps.names) is not check_mode
    assert ran.result["actions"] == [COPY.to_dict(), TAG.to_dict()]
    assert ran.result["failures"] == [NO_KEY.to_dict()]
    assert ran.result["msg"] == summary([NO_KEY])


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("parts", "reached"),
    [
        pytest.param({"refusing": {"wanted": (BAD_NAME, NO_KEY)}}, ["wanted"], id="options"),
        pytest.param({"refusing": {"read": (BAD_NAME, NO_KEY)}}, ["wanted", "read"], id="state"),
        pytest.param({"plan": REFUSED_PLAN}, ["wanted", "read", "plan"], id="plan"),
    ],
)
def test_a_refusal_changes_nothing_and_lists_all_failures(
    run: Run, parts: dict[str, Any], reached: list[str], check_mode: bool
) -> None:
    steps = Steps(**parts)
    ran = run(steps, check_mode=check_mode, diff=True)
    assert steps.names == reached
    assert ran.failed
    assert ran.warnings == []
    assert ran.result == {
        "msg": (
            "2 problems:\n"
            "- The name is bad. Fix it.\n"
            "- us-west-2 in account 111111111111: There is no key. Make one.\n"
            "This task changed nothing."
        ),
        "changed": False,
        "failures": [BAD_NAME.to_dict(), NO_KEY.to_dict()],
    }


@pytest.mark.parametrize(
    ("performed", "changed"),
    [
        pytest.param((COPY,), True, id="with actions"),
        pytest.param((), False, id="without actions"),
    ],
)
def test_a_failure_fails_the_task_and_returns_the_successful_actions(
    run: Run, performed: tuple[Action, ...], changed: bool
) -> None:
    ran = run(Steps(outcome=Outcome(performed, failures=(QUOTA,))), diff=True)
    assert ran.failed
    assert ran.result == {
        "msg": f"{summary([QUOTA])}\nRerun to complete the remaining regions.",
        "images": {"eu-west-1": "ami-1"},
        "actions": [action.to_dict() for action in performed],
        "changed": changed,
        "failures": [QUOTA.to_dict()],
        "diff": DIFF,
    }


TOLERATING = Plan((TargetPlan(EU, (COPY,)), TargetPlan(US, tolerated=(NO_KEY,))))


@pytest.mark.parametrize(
    ("plan", "outcome", "expected"),
    [
        pytest.param(TOLERATING, Outcome((COPY,)), (NO_KEY,), id="skipped by the plan"),
        pytest.param(PLAN, Outcome((COPY,), tolerated=(QUOTA,)), (QUOTA,), id="failed later"),
        pytest.param(TOLERATING, Outcome((COPY,), tolerated=(QUOTA,)), (NO_KEY, QUOTA), id="both"),
    ],
)
def test_a_tolerated_failure_is_a_warning(
    run: Run, plan: Plan, outcome: Outcome, expected: tuple[Failure, ...]
) -> None:
    ran = run(Steps(plan=plan, outcome=outcome))
    assert not ran.failed
    assert ran.result["changed"] is True
    assert ran.result["failures"] == [failure.to_dict() for failure in expected]
    (warning,) = ran.warnings
    assert warning.startswith("Best-effort regions skipped: ")
    assert all(failure.text() in warning for failure in expected)


def test_tolerated_failures_follow_those_that_fail_the_task(run: Run) -> None:
    ran = run(Steps(outcome=Outcome(failures=(QUOTA,), tolerated=(NO_KEY,))))
    assert ran.failed
    assert ran.result["failures"] == [QUOTA.to_dict(), NO_KEY.to_dict()]
    assert NO_KEY.text() not in ran.result["msg"]
    assert len(ran.warnings) == 1


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("diff", [False, True])
def test_the_diff_is_returned_in_diff_mode(run: Run, check_mode: bool, diff: bool) -> None:
    result = run(Steps(), check_mode=check_mode, diff=diff).result
    assert result.get("diff") == (DIFF if diff else None)
    assert ("diff" in result) is diff


@pytest.mark.parametrize(("verbosity", "shown"), [(0, False), (1, True)])
def test_a_flow_can_keep_its_diff_for_verbose_runs(run: Run, verbosity: int, shown: bool) -> None:
    result = run(Steps(diff_verbosity=1), diff=True, verbosity=verbosity).result
    assert ("diff" in result) is shown


CLEARING = "\x9b2J"


def test_messages_and_warnings_do_not_control_the_terminal(run: Run) -> None:
    failure = replace(QUOTA, message=f"Too many {CLEARING}copies.", remedy=f"Wait{CLEARING}.")
    plan = Plan((TargetPlan(EU, warnings=(f"{CLEARING} is old.",), tolerated=(failure,)),))
    ran = run(Steps(plan=plan, outcome=Outcome(failures=(failure,), warnings=(CLEARING,))))
    assert len(ran.warnings) == 3
    assert not any("\x9b" in text for text in [*ran.warnings, str(ran.result)])
    assert "Too many \u27e8U+009B\u27e92Jcopies." in ran.result["msg"]
    refused = run(Steps(refusing={"read": (failure,)})).result
    assert "\x9b" not in str(refused)


WARNING = Plan((TargetPlan(EU, (COPY,), warnings=("The earlier copy is failed.",)),))


@pytest.mark.parametrize(
    ("check_mode", "outcome", "expected"),
    [
        pytest.param(False, Outcome(warnings=("Slow.",)), ["The earlier copy is failed.", "Slow."], id="run"),
        pytest.param(True, Outcome(warnings=("Slow.",)), ["The earlier copy is failed."], id="check mode"),
        pytest.param(
            False,
            Outcome(warnings=("Slow.",), failures=(QUOTA,)),
            ["The earlier copy is failed.", "Slow."],
            id="also when the task fails",
        ),
    ],
)
def test_warnings_of_the_plan_and_of_its_outcome(
    run: Run, check_mode: bool, outcome: Outcome, expected: list[str]
) -> None:
    assert run(Steps(plan=WARNING, outcome=outcome), check_mode=check_mode).warnings == expected


def test_progress_is_written_to_the_file_of_the_option(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "progress"
    run(Steps(report_lines=("eu-west-1 10 %", "eu-west-1 available")), params={"progress_path": str(file)})
    assert file.read_text(encoding="utf-8") == "eu-west-1 10 %\neu-west-1 available\n"


@pytest.mark.parametrize(
    "params", [{"progress_path": None}, {"name": "golden"}], ids=["not set", "no option"]
)
def test_progress_is_not_written_without_a_file(run: Run, params: dict[str, Any]) -> None:
    assert not run(Steps(report_lines=("eu-west-1 10 %",)), params=params).failed


def test_a_flow_without_aws_gets_no_clients(run: Run) -> None:
    steps = Steps(needs_aws=False)
    run(steps)
    assert steps.given("read")[0] is steps.given("apply")[0] is None


def test_an_upload_gets_clients(run: Run) -> None:
    steps = Steps(needs_aws=False)
    ran = run(steps, params={"report_s3_uri": "s3://reports/web"})
    assert steps.given("read")[0] == ("CLIENTS of", ran.module)


@pytest.mark.parametrize(("is_aws", "expected"), [(True, AnsibleAWSModule), (False, AnsibleModule)])
def test_only_what_takes_credentials_uses_the_module_class_with_their_options(
    is_aws: bool, expected: type
) -> None:
    assert issubclass(runner._find_module_class(AnsibleModule, {}, is_aws), expected)


UPLOADS: Mapping[str, Any] = {"report_s3_uri": {"type": "str"}}
OF_ANOTHER: Mapping[str, Any] = {"report": {"type": "dict", "context": {"options": UPLOADS}}}


@pytest.mark.parametrize(
    ("needs_aws", "spec", "arguments", "expected"),
    [
        pytest.param(True, {}, {}, True, id="it always needs AWS"),
        pytest.param(False, {}, {"region": "eu-west-1"}, False, id="it never does"),
        pytest.param(False, UPLOADS, {"report_s3_uri": None, "_ansible_diff": True}, False, id="no upload"),
        pytest.param(False, UPLOADS, {"report_s3_uri": "s3://reports"}, True, id="an upload"),
        pytest.param(False, UPLOADS, {"region": "eu-west-1"}, True, id="an option of amazon.aws"),
        pytest.param(False, OF_ANOTHER, {"report": {}}, False, id="no upload by another module"),
        pytest.param(False, OF_ANOTHER, {"report": {"report_s3_uri": "s3://reports"}}, True, id="its upload"),
    ],
)
def test_a_module_that_may_upload_takes_credentials_only_if_they_can_be_given(
    needs_aws: bool, spec: Mapping[str, Any], arguments: Mapping[str, Any], expected: bool
) -> None:
    flow = Steps(needs_aws=needs_aws).flow(spec)
    assert runner._uses_credentials(flow, arguments) is expected
    # A process of its own has the options, whatever is given.
    assert flow.takes_credentials is (needs_aws or bool(spec))


def test_a_botocore_that_would_leave_something_out_is_refused() -> None:
    class Refusal(Exception):
        pass

    class Module:
        def require_botocore_at_least(self, oldest: str, *, reason: str) -> None:
            raise Refusal(f"{oldest} {reason}")

    with pytest.raises(Refusal, match=r"1\.41\.0 to read all that AWS returns"):
        runner._connect(Module())


def test_a_profile_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        botocore, "get_aws_connection_info", lambda _module: (None, None, {"profile_name": "x"})
    )
    module = SimpleNamespace(params={}, require_botocore_at_least=lambda *_oldest, **_reason: None)
    with pytest.raises(ValidationError) as refused:
        runner._connect(module)
    (failure,) = refused.value.failures
    assert (failure.error_code, failure.action) == ("ProfileNotFound", "profile")
    assert "(x)" in failure.message
    assert "AWS_PROFILE" in failure.remedy


def test_a_flow_that_only_checks_options_plans_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps()
    options, refused = steps.flow().options, [BAD_NAME]

    def check(_clients: object, given: object) -> None:
        if refused and given == "WANTED":
            raise ValidationError(refused)

    flow = runner.check_flow(options, check)
    monkeypatch.setattr(Steps, "flow", lambda _steps, **_declared: flow)
    ran = run(steps)
    assert (ran.failed, ran.result["failures"]) == (True, [BAD_NAME.to_dict()])
    refused.clear()
    ran = run(steps)
    assert (ran.failed, ran.result) == (False, {"actions": [], "changed": False, "failures": []})


HERE_SPEC: dict[str, Any] = {
    "images": {"type": "list", "elements": "int", "default": [1]},
    "external_id": {"type": "str", "no_log": True},
}


def test_a_module_runs_in_this_process() -> None:
    """With its options converted, its defaults, and no log of them."""
    steps = Steps(NOTHING_TO_DO, Outcome(), needs_aws=False)
    arguments = {"images": ["7"], "_ansible_check_mode": True}
    found = runner.run_here(steps.flow(HERE_SPEC), arguments)
    assert found == {"actions": [], "changed": False, "failures": [], "images": {"eu-west-1": "ami-1"}}
    params, check_mode = steps.given("wanted")
    assert (params["images"], params["external_id"], check_mode) == ([7], None, True)
    assert arguments == {"images": ["7"], "_ansible_check_mode": True}


def test_a_module_that_calls_aws_runs_in_this_process_with_its_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_connect", lambda module: ("CLIENTS in", module.params["region"]))
    steps = Steps()
    given, rules = (
        {"images": ["7"], "region": "eu-west-1"},
        {"mutually_exclusive": [("images", "external_id")]},
    )
    found = runner.run_here(steps.flow(HERE_SPEC, rules), given)
    assert found["changed"] is True
    assert "invocation" not in found
    assert steps.given("read")[0] == ("CLIENTS in", "eu-west-1")
    found = runner.run_here(steps.flow(HERE_SPEC, rules), {**given, "external_id": "hunter2"})
    assert found["failed"] is True
    assert "mutually exclusive" in found["msg"]


@pytest.mark.parametrize("refusing", [{}, {"wanted": (BAD_NAME,)}])
def test_a_result_in_this_process_can_have_the_options(refusing: dict[str, tuple[Failure, ...]]) -> None:
    steps = Steps(refusing=refusing, needs_aws=False)
    given = {"images": ["7"], "external_id": "hunter2"}
    found = runner.run_here(steps.flow(HERE_SPEC), given, with_invocation=True)
    options = found["invocation"]["module_args"]
    assert options["images"] == [7]
    assert options["external_id"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


@pytest.mark.parametrize("refusing", [{}, {"wanted": (BAD_NAME,)}])
def test_no_result_repeats_one_that_the_module_was_given(refusing: dict[str, tuple[Failure, ...]]) -> None:
    steps = Steps(refusing=refusing, needs_aws=False)
    spec = {**HERE_SPEC, "copy_result": {"type": "dict"}}
    given = {"images": ["7"], "copy_result": {"results": []}}
    found = runner.run_here(steps.flow(spec), given, with_invocation=True)
    assert found["invocation"]["module_args"] == {"external_id": None, "images": [7]}
    assert steps.given("wanted")[0]["copy_result"] == {"results": []}


def test_an_option_that_cannot_be_read_fails_in_this_process_as_in_its_own() -> None:
    steps = Steps(needs_aws=False)
    found = runner.run_here(steps.flow(HERE_SPEC), {"images": ["many"], "external_id": 1.1})
    assert steps.calls == []
    assert (found["failed"], found["changed"]) == (True, False)
    assert found["msg"] == (
        "2 problems:\n"
        "- images: item 1: must be a whole number (got 'many').\n"
        "- external_id: YAML reads the value as a number, perhaps not as it was written; use text. Write it "
        'in double quotes, in a survey too, for example "1.10". In extra variables at a launch in AWX, put '
        "single quotes around these: '\"1.10\"'.\n"
        "This task changed nothing."
    )
    assert [(one["action"], one["error_code"]) for one in found["failures"]] == [
        ("images", "invalid_option"),
        ("external_id", "invalid_option"),
    ]


def test_a_hidden_option_replaces_no_part_of_a_message() -> None:
    text = "The role golden-consumer cannot be assumed."
    failure = Failure(text, "Allow it.", "AccessDenied", "AssumeRole")
    steps = Steps(refusing={"wanted": (failure,)}, needs_aws=False)
    found = runner.run_here(steps.flow(HERE_SPEC), {"external_id": "golden"}, with_invocation=True)
    assert found["failures"][0]["message"] == text
    assert found["invocation"]["module_args"]["external_id"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ('wJalr/"XUtn\u00e9', "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"),
        ({"a": ['of wJalr/"XUtn\u00e9.']}, {"a": ["of ********."]}),
        ({"a": [1, None, True]}, {"a": [1, None, True]}),
        (4711, "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"),
        ({"wJalr"}, {"wJalr"}),
        ({"of 4711"}, {"of ********"}),
    ],
)
def test_secrets_of_ansible_are_hidden_in_each_value(value: Any, hidden: Any) -> None:
    assert runner._remove_secrets({'wJalr/"XUtn\u00e9', "4711"}, value) == hidden


def test_a_value_without_secrets_is_not_copied() -> None:
    value = {"a": [1, "b"]}
    assert runner._remove_secrets({"c"}, value) is value


# External IDs that AWS accepts, and that are also parts of the IDs in a result.
ORDINARY_IDS = ["ab", "12345", "1234567", "444455556666", "ami-0123456789abcdef0", "eu-west-1"]


@pytest.mark.parametrize("needs_aws", [False, True])
@pytest.mark.parametrize("external_id", ORDINARY_IDS)
def test_an_external_id_changes_no_value_of_a_result(
    external_id: str, needs_aws: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_connect", lambda _module: None)
    image_id, target = "ami-0123456789abcdef0", replace(EU, account_id="444455556666")
    message = "AWS rejected arn:aws:iam::444455556666:role/ab: No."
    denied = Failure.at(target, "CreateGrant", "consumer_rejected", message, "Wait.")
    tag = replace(TAG, target=target, resource=image_id)
    plan = Plan((TargetPlan(target, (tag,), after={"account_ids": [target.account_id]}),))
    steps = Steps(plan, Outcome((tag,), (denied,)), needs_aws=needs_aws)
    values = {"images": {"eu-west-1": image_id}, "size": 1234567, "account_ids": ["444455556666"]}
    spec = {**HERE_SPEC, "account_ids": {"type": "list", "elements": "str"}}
    flow = replace(steps.flow(spec), result=lambda *_given: values)
    given = {"account_ids": ["444455556666"], "_ansible_diff": True}
    expected = runner.run_here(flow, given, with_invocation=True)
    found = runner.run_here(flow, {**given, "external_id": external_id}, with_invocation=True)
    hidden = found["invocation"]["module_args"].pop("external_id")
    assert hidden == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert expected["invocation"]["module_args"].pop("external_id") is None
    assert found == expected
    assert found["failures"][0]["message"] == message


def test_the_result_of_a_process_has_its_values_and_no_external_id(
    capsys: pytest.CaptureFixture[str],
) -> None:
    steps = Steps(NOTHING_TO_DO, Outcome(), needs_aws=False)
    flow = replace(steps.flow(HERE_SPEC), result=lambda *_given: {"account_ids": ["111122223333"]})
    with patch_module_args({"external_id": "1111"}), pytest.raises(SystemExit):
        runner.run(flow)
    output = capsys.readouterr().out
    result = json.loads(output)
    assert result["account_ids"] == ["111122223333"]
    assert '"1111"' not in output
    # Newer versions of ansible-core leave the invocation out unless the controller asks for it.
    hidden = {"external_id": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}
    assert result.get("invocation", {}).get("module_args", hidden)["external_id"] == hidden["external_id"]
    assert steps.given("wanted")[0]["external_id"] == "1111"


def test_libraries_and_models_are_loaded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(clients, "preload", lambda: loaded.append("models"))
    monkeypatch.setattr(runner, "_import_aws_module", lambda: loaded.append("amazon.aws"))
    runner.preload()
    assert sorted(loaded) == ["amazon.aws", "models"]


# Options in every form. The module is Ansible's own, with its real validation of the argument spec.

ACCOUNT, OTHER = "012345671234", "222222222222"
TYPES_SPEC: dict[str, Any] = {
    "text": {"type": "str"},
    "path": {"type": "path"},
    "count": {"type": "int", "default": 7},
    "price": {"type": "float", "default": 0.5},
    "flag": {"type": "bool", "default": True},
    "level": {"type": "str", "choices": ["low", "High"], "default": "low"},
    "names": {"type": "list", "elements": "str", "default": ["own"], "aliases": ["name"]},
    "sizes": {"type": "list", "elements": "int", "default": []},
    "levels": {"type": "list", "elements": "str", "choices": ["low", "High"], "default": []},
    "ids": {"type": "list", "elements": "str", "default": [], "context": {"elements": "account_id"}},
    "images": {"type": "dict"},
    "tags": {"type": "dict", "context": {"elements": "str"}},
    "places": {"type": "raw"},
    "results": {"type": "list", "elements": "dict", "default": []},
    "rules": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "ids": {"type": "list", "elements": "str", "default": [], "context": {"elements": "account_id"}},
            "public": {"type": "bool", "default": False},
        },
    },
    "secret": {"type": "str", "no_log": True},
}
RULE = {"ids": [ACCOUNT], "public": True}


def read_params(**given: Any) -> Mapping[str, Any]:
    """The parameters that the flow of a module gets."""
    steps = Steps(NOTHING_TO_DO, Outcome(), needs_aws=False)
    found = runner.run_here(steps.flow(TYPES_SPEC), given)
    assert not found.get("failed"), found["msg"]
    params, _check_mode = steps.given("wanted")
    return dict(params)


def refused_params(**given: Any) -> dict[str, Any]:
    """The result of a module that refuses these options before any step."""
    steps = Steps(needs_aws=False)
    found = runner.run_here(steps.flow(TYPES_SPEC), given, with_invocation=True)
    assert steps.calls == []
    assert (found["failed"], found["changed"]) == (True, False)
    assert found["msg"].endswith("\nThis task changed nothing.")
    return found


FORMS: list[tuple[str, Any, Any]] = [
    ("text", "web", "web"),
    ("text", " web\n", "web"),
    ("text", '"1.10"', "1.10"),
    ("text", 7, "7"),
    ("path", " /tmp/x ", "/tmp/x"),
    ("count", "5", 5),
    ("count", " 5 ", 5),
    ("count", "5.0", 5),
    ("count", 5.0, 5),
    ("price", "0.05", 0.05),
    ("price", 1, 1.0),
    ("flag", "false", False),
    ("flag", " no ", False),
    ("flag", 0, False),
    ("flag", "1.0", True),
    ("level", "high", "High"),
    ("level", " LOW ", "low"),
    ("names", ["a", " b "], ["a", "b"]),
    ("names", [], []),
    ("names", "[]", []),
    ("names", "a", ["a"]),
    ("names", "a, b,", ["a", "b"]),
    ("names", "a\r\nb\n", ["a", "b"]),
    ("names", "- a\n- 1.10", ["a", "1.10"]),
    ("names", '["a", "b"]', ["a", "b"]),
    ("names", "[a, 012]", ["a", "012"]),
    ("names", 7, ["7"]),
    ("sizes", "1, 2.0", [1, 2]),
    ("sizes", ["1", 2], [1, 2]),
    ("levels", "LOW\nhigh", ["low", "High"]),
    ("ids", f"{ACCOUNT}, {OTHER}", [ACCOUNT, OTHER]),
    ("ids", f"- {ACCOUNT}\n- {OTHER}", [ACCOUNT, OTHER]),
    ("ids", [222222222222], [OTHER]),
    ("ids", 222222222222, [OTHER]),
    ("images", {"eu-west-1": None}, {"eu-west-1": None}),
    ("images", "eu-west-1: ami-1", {"eu-west-1": "ami-1"}),
    ("images", '{"eu-west-1": "ami-1", "us-east-1": null}', {"eu-west-1": "ami-1", "us-east-1": None}),
    ("images", {}, {}),
    ("images", "{}", {}),
    ("tags", "version: 1.10\nbuild: 012", {"version": "1.10", "build": "012"}),
    ("tags", {"n": 1, "empty": "", "null": None}, {"n": "1", "empty": "", "null": None}),
    ("places", {"eu-west-1": "ami-1"}, {"eu-west-1": "ami-1"}),
    ("places", [{"account_id": 222222222222}], [{"account_id": 222222222222}]),
    ("places", "- account_id: 012345671234", [{"account_id": ACCOUNT}]),
    ("places", "ami-1, ami-2", ["ami-1", "ami-2"]),
    ("results", [{"text": " 1 "}], [{"text": " 1 "}]),
    ("results", '[{"kms_keys": []}]', [{"kms_keys": []}]),
    ("rules", [{"ids": ACCOUNT, "public": "yes"}], [RULE]),
    ("rules", f"- ids: {ACCOUNT}\n  public: on", [RULE]),
    ("rules", f'[{{"ids": ["{ACCOUNT}"], "public": true}}]', [RULE]),
    ("rules", [{"ids": ""}], [{"ids": [], "public": False}]),
    ("secret", " hunter2 ", "hunter2"),
]


@pytest.mark.parametrize(("option", "given", "meant"), FORMS)
def test_an_option_is_taken_in_every_form(option: str, given: Any, meant: Any) -> None:
    value = read_params(**{option: given})[option]
    assert value == meant
    assert isinstance(value, type(meant))
    assert json.dumps(value) == json.dumps(meant)


@pytest.mark.parametrize("option", TYPES_SPEC)
@pytest.mark.parametrize("blank", [None, "", " \n "])
def test_an_option_that_is_blank_is_not_given(option: str, blank: str | None) -> None:
    assert read_params(**{option: blank})[option] == TYPES_SPEC[option].get("default")


def test_a_blank_option_is_required_or_exclusive_as_one_that_is_missing() -> None:
    spec = {"name": {"type": "str", "required": True}, "other": {"type": "str"}}
    rules = {"mutually_exclusive": [("name", "other")]}
    steps = Steps(NOTHING_TO_DO, Outcome(), needs_aws=False)
    found = runner.run_here(steps.flow(spec, rules), {"name": " "})
    assert found["msg"] == "missing required arguments: name"
    assert not runner.run_here(steps.flow(spec, rules), {"name": "a", "other": ""}).get("failed")


def test_an_alias_is_read_and_named() -> None:
    assert read_params(name="a, b")["names"] == ["a", "b"]
    assert refused_params(name=["a", None])["failures"][0]["message"] == "name: item 2 is empty."


UNREADABLE: list[tuple[str, Any, str]] = [
    ("text", 1.1, "YAML reads this as a number, 1.1"),
    ("text", True, "YAML reads this as a boolean, true"),
    ("path", 1.1, "YAML reads this as a number, 1.1"),
    ("count", "few", "must be a whole number (got 'few')"),
    ("count", 5.5, "must be a whole number (got 5.5)"),
    ("count", float("inf"), "must be a whole number"),
    ("price", "cheap", "must be a number (got 'cheap')"),
    ("flag", "perhaps", "must be true or false (got 'perhaps')"),
    ("level", "medium", "must be one of low, High (got 'medium')"),
    ("names", ["a", None], "item 2 is empty"),
    ("names", ["a", " "], "item 2 is empty"),
    ("names", {"a": "b"}, 'must be a list (got {"a": "b"})'),
    ("names", "a\n- b", "the item '- b' is ambiguous"),
    ("ids", 1402434204, "(012345671234 becomes 1402434204)"),
    ("ids", [12345678901], "12345678901 is a number without 12 digits"),
    ("images", "ami-1", "must be a mapping (got 'ami-1')"),
    ("images", ["ami-1"], 'must be a mapping (got ["ami-1"])'),
    ("tags", {"version": 1.1}, "'version': YAML reads this as a number, 1.1"),
    ("places", 7, "must be a mapping or a list (got 7)"),
    ("results", "web", "must be a list of mappings (got 'web')"),
    ("rules", {"public": True}, "must be a list of mappings"),
    ("rules", [{"public": "perhaps"}], "item 1, public: must be true or false (got 'perhaps')"),
    ("rules", ["web"], "item 1 must be a mapping (got 'web')"),
]


@pytest.mark.parametrize(("option", "given", "part"), UNREADABLE)
def test_an_option_that_cannot_be_read_is_refused_with_its_name(option: str, given: Any, part: str) -> None:
    (failure,) = refused_params(**{option: given})["failures"]
    assert (failure["action"], failure["error_code"]) == (option, "invalid_option")
    assert failure["message"].startswith(f"{option}: ")
    assert part in failure["message"]


def test_ansible_refuses_what_the_reader_leaves_to_it() -> None:
    steps = Steps(needs_aws=False)
    for given, part in (
        ({"results": [{}, None]}, "results: must be a list of mappings (got [{}, null])."),
        ({"unknown": 1}, "Unsupported parameters"),
        ({"rules": [{"pubic": True}]}, "rules: 'pubic' is not one of ids, public. Correct it to public."),
    ):
        found = runner.run_here(steps.flow(TYPES_SPEC), given)
        assert (found["failed"], part in found["msg"]) == (True, True)
    assert steps.calls == []


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        (1.1, "YAML reads the value as a number, perhaps"),
        (["hunter2"], "the value is not text."),
        ({"a": "hunter2"}, "the value is not text."),
    ],
)
def test_a_secret_that_cannot_be_read_is_not_shown(secret: Any, problem: str) -> None:
    found = str(refused_params(secret=secret, text=1.5))
    assert f"secret: {problem}" in found
    assert "hunter2" not in found
    assert "(got" not in found


class Untouched(dict[str, Any]):
    """A mapping in a large result: reading it takes time."""

    def __iter__(self) -> NoReturn:
        raise AssertionError("It was read.")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise AssertionError("It was copied.")

    items = keys = values = __iter__  # type: ignore[assignment]


def test_results_of_other_tasks_are_neither_read_nor_copied() -> None:
    large = Untouched(findings=[])
    assert read_params(images={"audit": large})["images"]["audit"] is large
    assert read_params(places={"audit": large})["places"]["audit"] is large


def test_without_pyyaml_json_and_separated_text_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    read = read_params(names="a, b\nc", images='{"a": "b"}', places="ami-1, ami-2", rules="[]", tags="{}")
    assert [read[name] for name in ("names", "images", "places")] == [
        ["a", "b", "c"],
        {"a": "b"},
        ["ami-1", "ami-2"],
    ]
    for option in ("names", "images", "tags", "places", "rules"):
        (failure,) = refused_params(**{option: "- a: b"})["failures"]
        assert failure["message"].startswith(f"{option}: YAML text needs PyYAML")
        assert failure["remedy"] == "Write JSON, or run the task on localhost."
