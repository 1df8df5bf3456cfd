# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_verify``: prove that accounts can launch images, by a diagnosis and, if required, by launches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._aws.clients import Clients
from .._diagnose.flow import FLOW as DIAGNOSIS
from .._failures import Failure, ValidationError, invalid_value
from .._launch_probe.flow import FLOW as PROBE
from .._listing import join_texts
from .._option import Options
from .._plan import PlanWithoutTargets
from .._progress import Report
from .._reports.flow_result import Reporting
from .._runner import Flow, Outcome, PlanLike
from .._wording import escape_invisible
from . import document
from .options import VerifyOptions
from .report import build_report, list_problems

# Accounts that a message names.
_NAMED = 3
# The keys of the report that are also in the result. The failures of the steps have another name there,
# since not all of them fail the task.
_REPORTED = frozenset(
    {"failed_regions", "kept_back", "level", "results", "status", "summary", "uncertain_regions"}
)
_STEP_FAILURES = "step_failures"


@dataclass(frozen=True)
class Step:
    """The diagnosis or the launches, with its state, or with failures if it could not begin."""

    flow: Flow[Any, Any]
    options: Options
    current: Any = None
    failures: tuple[Failure, ...] = ()

    @classmethod
    def read(cls, clients: Clients, flow: Flow[Any, Any], options: Options) -> Step:
        """Read the state that the step needs."""
        try:
            return cls(flow, options, flow.read(clients, options))
        except ValidationError as error:
            return cls(flow, options, failures=tuple(error.failures))

    def plan(self) -> PlanLike | None:
        """Return the plan, None if the step could not begin."""
        return None if self.failures else self.flow.plan(self.options, self.current)

    def result(self, clients: Clients, plan: PlanLike | None, report: Report) -> dict[str, Any]:
        """Return the step's results and failures as its module does; check mode launches nothing."""
        if plan is None:
            return _result(self.failures)
        is_applied = self.flow.only_reads or not self.options.check_mode
        outcome = (
            self.flow.apply(clients, self.options, self.current, plan, report) if is_applied else Outcome()
        )
        result = self.flow.result(self.options, self.current, plan, outcome)
        return _result((*plan.failures, *outcome.failures), result["results"])


def _result(failures: Iterable[Failure], results: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    visible = (
        replace(failure, message=escape_invisible(failure.message), remedy=escape_invisible(failure.remedy))
        for failure in failures
    )
    return {"failures": [failure.to_dict() for failure in visible], "results": results}


@dataclass(frozen=True, kw_only=True)
class VerifyPlan(PlanWithoutTargets):
    """The plan of each step, which has no actions of its own: every instance is terminated."""

    steps: tuple[PlanLike | None, ...]


@dataclass(frozen=True)
class Judgement(Outcome):
    """The outcome, with the content of the report, and the regions whose images can be published.

    Every account can launch the image in these regions, or check mode cannot tell.
    """

    report: Mapping[str, Any] = field(default_factory=dict)
    verified_regions: Sequence[str] = ()


def read_state(clients: Clients, options: VerifyOptions) -> tuple[Step, ...]:
    """Diagnose each account, then read the state for launches; a step that cannot begin stops no other.

    Raises:
        ValidationError: another host of the play would verify the accounts, too, or a region is missing.
    """
    if refusals := tuple(_refuse_other_hosts_accounts(options)):
        raise ValidationError(refusals)
    diagnosis = Step.read(clients, DIAGNOSIS, options.diagnosis)
    if missing := [failure for failure in diagnosis.failures if failure.error_code == "invalid_option"]:
        raise ValidationError(missing)
    return (diagnosis, *([Step.read(clients, PROBE, options)] if options.launches else []))


def _refuse_other_hosts_accounts(options: VerifyOptions) -> Iterator[Failure]:
    """Yield the refusal of accounts of other hosts, in which every host would launch instances."""
    own = options.host_account_id
    others = [account for account in options.account_ids if own not in (None, account)]
    if others:
        yield invalid_value(
            "account_ids",
            f"the account_id of this host is {own}, and every host of the play would verify "
            f"{join_texts(others, _NAMED)}.",
            "Remove it: each host verifies the account of its account_id.",
        )


def plan(_options: VerifyOptions, current: tuple[Step, ...]) -> VerifyPlan:
    """Plan the diagnosis and the launches."""
    plans = tuple(step.plan() for step in current)
    return VerifyPlan(
        steps=plans, warnings=tuple(text for step_plan in plans if step_plan for text in step_plan.warnings)
    )


def apply(
    clients: Clients, options: VerifyOptions, current: tuple[Step, ...], plan: VerifyPlan, report: Report
) -> Judgement:
    """Launch the images, and judge which level is proven."""
    results = [
        step.result(clients, step_plan, report) for step, step_plan in zip(current, plan.steps, strict=True)
    ]
    return _judge(options, results, is_unread=bool(results[0]["failures"]))


def _judge(options: VerifyOptions, results: Iterable[Mapping[str, Any]], is_unread: bool) -> Judgement:
    """Judge which level the steps have proven; ``is_unread`` is whether an account could not be read.

    A level that check mode cannot prove is no failure, unless an account could not be read.
    """
    regions = sorted(options.by_target.regions)
    is_plan = options.check_mode and not is_unread
    is_access_planned = is_plan and options.access_is_planned
    report = build_report(
        options.provable_level,
        regions,
        options.account_ids,
        results,
        None if is_access_planned else options.publish_uncertain,
    )
    rows = report["results"]
    kept_back = report["kept_back"]["regions"] if "kept_back" in report else []
    is_excused = is_access_planned or (is_plan and any(row["image_id"] is None for row in rows))
    if is_excused or report["status"] in ("verified", "uncertain"):
        return Judgement(report=report, verified_regions=_exclude(regions, kept_back))
    failures = tuple(list_problems(report["level"], rows, report["failures"]))
    verified = _exclude(regions, [*report["failed_regions"], *kept_back])
    return Judgement(failures=failures, report=report, verified_regions=verified)


def _exclude(regions: Iterable[str], left_out: Collection[str]) -> list[str]:
    return [region for region in regions if region not in left_out]


def result(
    _options: VerifyOptions, _current: tuple[Step, ...], _plan: VerifyPlan, outcome: Any
) -> dict[str, Any]:
    """Return the module's own values."""
    values = {_STEP_FAILURES if name == "failures" else name: value for name, value in outcome.report.items()}
    return {"kept_back": None, **values, "verified_regions": [*outcome.verified_regions]}


def content(options: VerifyOptions, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report of a result; a refused task has proven no level."""
    if _STEP_FAILURES not in result:
        return dict(_judge(options, [result], is_unread=True).report)
    reported = {name: result[name] for name in sorted(_REPORTED) if result[name] is not None}
    return {**reported, "failures": result[_STEP_FAILURES]}


FLOW: Flow[VerifyOptions, tuple[Step, ...]] = Flow(
    VerifyOptions,
    read_state,
    plan,
    apply,
    result,
    # Every instance is terminated: a run leaves no change.
    only_reads=True,
    diff=lambda *_values: {},
    attaches="_page",
    report=Reporting(
        content, document.build_document, document.compare_reports, _REPORTED | {_STEP_FAILURES}
    ),
    policy="verification-in-the-consumer-accounts",
)
