# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a case: builds the world, strikes, looks at what is left, runs again, and compares the pictures."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from checks.iam.permissions import PERMISSIONS
from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall

from ..integration import probing
from ..integration.playbook import Ansible, Run, kill, tasks_of
from .cases import (
    FAIL,
    MEETING,
    NOT_OF_A_REGION,
    OF_ALL_REGIONS,
    SURVIVE,
    UNDISTURBED,
    UNMARKED,
    Case,
    Denied,
    Failed,
    operations,
)
from .invariants import RECYCLE_BIN, Moment, violations
from .picture import Picture, differences, labels, picture
from .scenarios import OWNER, OWNER_ROLE, SCENARIOS, Command, Setup, World, tombstones

TIMEOUT = 600
"""Seconds after which a run hangs: none takes a third of it on two idle cores."""
_PROCESS = re.compile(r"\bapp/(run-\d+)")
_OF_OTHERS = "APN/1.0 Ansible"
"""The user agent of the modules of amazon.aws and community.aws, which names no application."""
_CRASHES = (
    "Traceback (most recent call last)",
    "MODULE FAILURE",
    "Unexpected failure during module execution",
)
_THROTTLED = frozenset({"RequestLimitExceeded", "Throttling", "ThrottlingException"})
_STAYS_PRIVATE = (': permissions is [], not ["Group=all"]', ": public is false, not true")
_RESOURCE = re.compile(
    r"(?:Image|SourceImage|Snapshot|Resource|Instance|LaunchTemplate|Key|SourceKey|DestinationKey)Id(?:\.\d+)?"
    r"|(?:Role|Topic|Resource)Arn|AlarmNames?|(?:Queue|Rule|Launch[Tt]emplate|logGroup)Name|Name|Rule|QueueUrl"
)
"""The parameters that name the resource of a call."""


@dataclass(frozen=True)
class Undisturbed:
    """What a scenario does where nothing fails: pictures, calls, and whether it runs beside another one.

    ``steps`` are the actions of each task, of a scenario that ends with the step that failed in a region.
    """

    before: Picture
    after: Picture
    calls: Sequence[RecordedCall]
    beside: bool
    steps: Sequence[Sequence[Mapping[str, Any]]] = ()


class Running:
    """A started run. Its output is read all the time: a pipe without a reader is full at 64 KiB."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        pool = ThreadPoolExecutor(1)
        self._output = pool.submit(process.communicate)
        pool.shutdown(wait=False)

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    def kill(self) -> None:
        """Kill it with all its descendants."""
        kill(self.process)
        self._output.result()

    def finish(self) -> Run:
        """Wait for the end; a run that hangs is killed, and its exit code is -1."""
        try:
            stdout, stderr = self._output.result(TIMEOUT)
        except TimeoutError:
            self.kill()
            return Run(-1, "", f"hangs: no end after {TIMEOUT} seconds", ())
        return Run(self.process.returncode, stdout, stderr, tuple(tasks_of(stdout)))


class Stage:
    """A scenario in a simulated AWS, ready to run."""

    def __init__(self, aws: SimulatedAws, scenario: str, folder: Path) -> None:
        self.aws = aws
        world = World(aws, folder)
        self.setup: Setup = SCENARIOS[scenario].build(world)
        self.ansible = Ansible(aws.environment(OWNER), folder)
        self._keys = {
            arn: f"key {name} {region}" for name, arns in world.keys.items() for region, arn in arns.items()
        }
        self._first = [*aws.world(), *tombstones(self.setup)]
        self.before = self._picture(self._first)
        aws.clear_calls()
        self._started = 0

    def now(self) -> Picture:
        """The picture of this moment."""
        return self._picture([*self.aws.world(), *tombstones(self.setup)])

    def _picture(self, world: list[dict[str, Any]]) -> Picture:
        return picture(world, labels(self._first, world, keys=self._keys))

    def opened(self) -> list[str]:
        """The images and snapshots that are public and were not."""
        before = public_names(self._first)
        return [name for name in public_names(self.aws.world()) if name not in before]

    def start(self, command: Command | None = None, *, as_session: bool = False) -> Running:
        """Start the command of the scenario, or another one, also with credentials that expire."""
        ansible = self._as_session() if as_session else self.ansible
        self._started += 1
        # The user agents of its calls show which process made them (SDKs and Tools Reference Guide,
        # Application ID).
        named = {"AWS_SDK_UA_APP_ID": f"run-{self._started}"}
        ansible = Ansible(ansible.environment | named, ansible.folder)
        return Running((command or self.setup.command).start(ansible))

    def calls(self) -> list[RecordedCall]:
        """The calls of all runs."""
        return [call for call in self.aws.calls() if _process(call) is not None]

    def struck(self) -> set[str | None]:
        """The processes that a fault has struck."""
        return {_process(call) for call in self.calls() if call.faulted}

    def pass_deadlines(self) -> None:
        """Let the time pass until a rerun may terminate the test instances that a run has left."""
        living = [
            one for one in self.aws.world() if one["kind"] == "instance" and one["state"] != "terminated"
        ]
        for account_id, region in sorted({(one["account_id"], one["region"]) for one in living}):
            probing.pass_deadlines(self.aws, account_id, region)

    def _as_session(self) -> Ansible:
        """Ansible with the credentials of a session of the owner's role, which expire."""
        arn = f"arn:aws:iam::{self.aws.account_id(OWNER)}:role/{OWNER_ROLE}"
        sts = self.aws.client("sts", OWNER)
        keys = sts.assume_role(RoleArn=arn, RoleSessionName="release")["Credentials"]
        session = {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }
        return Ansible(self.ansible.environment | session, self.ansible.folder)

    def moment(self, undisturbed: Undisturbed) -> Moment:
        """Everything that the invariants look at."""
        named, together = frozenset(self.setup.named), frozenset(self.setup.together)
        names = labels(self._first, keys=self._keys)
        switched = frozenset(names[image_id] for image_id in self.setup.switched)
        return Moment(self.before, self.now(), undisturbed.after, named, together, switched)


def public_names(world: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is public. What is in the Recycle Bin can be used by nobody."""
    return [one["name"] for one in world if one.get("public") and not one["kind"].endswith(RECYCLE_BIN)]


def undisturbed(aws: SimulatedAws, scenario: str) -> Undisturbed:
    """Run a scenario without faults; RuntimeError if it fails, or changes something else than it declares."""
    with TemporaryDirectory() as folder:
        stage = Stage(aws, scenario, Path(folder))
        commands = [stage.setup.command, *([stage.setup.beside] if stage.setup.beside else [])]
        steps: list[Sequence[Mapping[str, Any]]] = []
        for command in commands:
            run = stage.start(command).finish()
            if run.code or run.failed:
                raise RuntimeError(f"{scenario} fails undisturbed: {run.failed} {_complaints(run)}")
            if stage.setup.ends_with_failed_step:
                steps += [task.result.get("actions", ()) for task in run.tasks if task.changed]
        calls = stage.calls()
        if (made := operations(calls)) != SCENARIOS[scenario].operations:
            raise RuntimeError(f"{scenario} makes {' '.join(sorted(made))}")
        return Undisturbed(stage.before, stage.now(), calls, stage.setup.beside is not None, steps)


def check(aws: SimulatedAws, case: Case, expected: Undisturbed) -> list[str]:
    """What is wrong with a case, a line each; nothing if all is right."""
    with TemporaryDirectory() as folder:
        stage = Stage(aws, case.scenario, Path(folder))
        try:
            return [*_check(stage, case, expected)]
        finally:
            aws.clear_faults()


def _check(stage: Stage, case: Case, expected: Undisturbed) -> Iterator[str]:
    aws = stage.aws
    # Reads show everything of a world that is older than the lag.
    time.sleep(case.lag)
    aws.update_settings(**case.settings)
    for fault in case.faults:
        aws.add_fault(**fault)
    runs = _first_runs(stage, case)
    calls = stage.calls()
    yield from check_strike(case, calls)
    yield from _outcome(case, runs, calls, expected)
    if runs and not case.is_left and not any(run.code for run in runs):
        yield from check_success(case, calls, expected, stage.now())
    yield from (f"interrupted: {one}" for one in violations(stage.moment(expected)))
    if runs:
        yield from check_public(stage.opened(), runs)
    aws.clear_faults()
    if not case.lag:
        aws.update_settings(request_rate_factor=1.0, session_seconds_factor=1.0)
    done = len(stage.calls())
    stage.pass_deadlines()
    for command in (stage.setup.command, stage.setup.beside):
        if command is not None:
            rerun = stage.start(command).finish()
            if rerun.code:
                yield f"rerun: exit code {rerun.code}: {_complaints(rerun)[:800]}"
            yield from _crashes("rerun", rerun)
    if case.family == UNDISTURBED and not stage.setup.repeats:
        yield from (f"rerun: makes {one}" for one in sorted(operations(stage.calls()[done:])))
    different = _different(case, expected, stage.now())
    yield from (f"end: {one}" for one in different if not is_closed_for_good(case, calls, one))
    yield from (f"end: {one}" for one in violations(stage.moment(expected)))


def _first_runs(stage: Stage, case: Case) -> list[Run]:
    """Run until the strike, or to the end: one process, or two."""
    if case.kill_at:
        of = {"action": case.kill_action} if case.kill_action else {"changes": True}
        stage.aws.add_fault("freeze", when=case.when, after=case.kill_at - 1, times=0, **of)
    if case.together and not case.faults:
        stage.aws.add_fault("freeze", changes=True, times=0)
    other = stage.setup.beside
    started = [stage.start(as_session=case.session)]
    if case.twice or other:
        started.append(stage.start(other))
    if case.kill_at:
        _await_frozen(stage, started)
        started[0].kill()
        return []
    if case.together:
        # A module reads everything before its first change.
        _await_frozen(stage, started)
        if case.faults:
            stage.aws.release()
        else:
            stage.aws.clear_faults()
    return [one.finish() for one in started]


def _await_frozen(stage: Stage, started: Sequence[Running]) -> None:
    """Wait until each process is held up, or one has ended, which `check_strike` reports."""
    deadline, seen = time.monotonic() + TIMEOUT, 0
    while time.monotonic() < deadline and not any(one.has_ended for one in started):
        matched = sum(fault["matched"] for fault in stage.aws.faults())
        # The record of all calls is long: only a further call that matches is a reason to read it.
        if matched > seen and len(stage.struck()) >= len(started):
            return
        seen = matched
        time.sleep(0.05)


def _process(call: RecordedCall) -> str | None:
    """The process that made a call; None for calls of this process, which builds and looks at the world.

    Other collections' modules make one call at a time: calls of theirs that are held up are of several.
    """
    if found := _PROCESS.search(call.user_agent):
        return found[1]
    return f"call {call.number}" if call.user_agent.startswith(_OF_OTHERS) else None


def check_strike(case: Case, calls: Sequence[RecordedCall]) -> Iterator[str]:
    """What was to strike and did not: such a case shows nothing."""
    faulted = [call for call in calls if call.faulted]
    struck = {_process(call) for call in faulted}
    if case.together and len(struck) < 2:
        yield "not both processes were held up at their first change"
    elif case.together and len(faulted) < len(case.faults):
        yield f"struck {len(faulted)} calls, not {len(case.faults)}"
    elif (case.faults or case.kill_at) and not struck:
        yield "struck no call"
    if case.throttled and not any(call.error_code in _THROTTLED for call in calls):
        yield "no call was throttled"


def check_success(
    case: Case, calls: Sequence[RecordedCall], expected: Undisturbed, now: Picture
) -> Iterator[str]:
    """What is unfinished although all runs say that they have succeeded."""
    if not expected.beside or case.scenario in MEETING:
        yield from (f"run: exit code 0, but {one}" for one in _different(case, expected, now))
    # What one run leaves to the other one's next run can depend on which of them is first.
    elif lacking := operations(expected.calls) - operations(calls):
        yield f"run: exit code 0, but never {', '.join(sorted(lacking))}"


def check_public(opened: Iterable[str], runs: Sequence[Run]) -> Iterator[str]:
    """What has become public and no run names: in its results, a failure or a warning."""
    results = [task.result.get("results", ()) for run in runs for task in run.tasks]
    said = json.dumps(results) + "".join(_complaints(run) for run in runs)
    yield from (f"public and not named: {one}" for one in opened if one not in said)


def is_closed_for_good(case: Case, calls: Sequence[RecordedCall], difference: str) -> bool:
    """Whether an image stays private because the run could not note on it that it was public."""
    unmarked = any(call.faulted and (case.scenario, call.action) in UNMARKED for call in calls)
    return unmarked and difference.startswith("image ") and difference.endswith(_STAYS_PRIVATE)


def _different(case: Case, expected: Undisturbed, now: Picture) -> list[str]:
    """What differs from the end of an undisturbed run.

    Two runs at the same time may both put a value into a parameter: PutParameter has no condition.
    """
    found = differences(expected.after, now)
    may_meet = case.twice or case.scenario in MEETING
    return [one for one in found if not (may_meet and ": versions is " in one)]


def _outcome(
    case: Case, runs: Sequence[Run], calls: Sequence[RecordedCall], expected: Undisturbed
) -> Iterator[str]:
    for run in runs:
        yield from _crashes("run", run)
        if case.expected == SURVIVE and run.code:
            yield f"run: exit code {run.code}: {_complaints(run)[:800]}"
        if case.expected == FAIL and not run.code:
            yield "run: exit code 0"
        if case.denied:
            yield from check_denial(case.denied, run, [call for call in calls if call.faulted])
        if case.failed:
            yield from _failed_region(case.failed, run, calls, expected)
        if case.says and not re.search(case.says, _complaints(run)):
            yield f"does not say {case.says}: {_complaints(run)[:600]}"
    if case.twice and all(run.code for run in runs):
        yield f"both runs failed: {_complaints(runs[0])[:400]} / {_complaints(runs[1])[:400]}"


def _crashes(which: str, run: Run) -> Iterator[str]:
    for crash in _CRASHES:
        if crash in run.text:
            at = run.text.index(crash)
            yield f"{which}: crashed: {run.text[max(0, at - 200) : at + 600]}"
    if run.code == -1:
        yield f"{which}: {run.stderr}"


def check_denial(denied: Denied, run: Run, refused: Sequence[RecordedCall]) -> Iterator[str]:
    """A failure names action and resource; a run that does without says which action it lacks."""
    said = _complaints(run)
    # The simulated AWS reads Batch's actions off paths in lower case.
    if denied.action.lower() not in said.lower():
        verb = "fails" if run.code else "succeeds"
        yield f"{verb} without naming {denied.service}:{denied.action}: {said[:600]}"
    elif refused and not any(_names(said, denied, call) for call in refused):
        named = sorted({" in ".join([*resources(call)[:1], call.region]) for call in refused})
        yield f"does not name {', '.join(named)}: {said[:600]}"


def _names(said: str, denied: Denied, call: RecordedCall) -> bool:
    """Whether a text has the call's region, and its resource, if a policy can limit the action to some."""
    action = f"{denied.service}:{denied.action}"
    limited = any(action in one.actions and one.resource_types for one in PERMISSIONS.values())
    of_region = call.service not in NOT_OF_A_REGION and denied.action not in OF_ALL_REGIONS
    wanted = [[call.region] if of_region else [], resources(call) if limited else []]
    return all(any(one in said for one in names) for names in wanted if names)


def resources(call: RecordedCall) -> list[str]:
    """What a call is about; empty for lists and settings of a region."""
    if call.service == "s3":
        return [call.action.partition(" /")[2].partition("/")[0]]
    named = [value for name, value in call.parameters.items() if value and _RESOURCE.fullmatch(name)]
    listed = [one for value in named for one in (value if isinstance(value, list) else [value])]
    return [str(one).rpartition("/")[2] if str(one).startswith("http") else str(one) for one in listed]


def _failed_region(
    failed: Failed, run: Run, calls: Sequence[RecordedCall], expected: Undisturbed
) -> Iterator[str]:
    """The failed region is named, no other one is, and the other ones are as far as in an undisturbed run."""
    if failed.region not in _complaints(run):
        yield f"does not name {failed.region}: {_complaints(run)[:600]}"
    elsewhere = [one for one in _failures(run) if one.get("region") not in (None, failed.region)]
    if elsewhere:
        yield f"failures of other regions: {json.dumps(elsewhere)[:600]}"
    lacking = expected_elsewhere(expected, failed) - _done(calls, failed)
    if lacking:
        yield f"other regions lack {dict(lacking)}"


def expected_elsewhere(expected: Undisturbed, failed: Failed) -> Counter[str]:
    """How often the account's action that fails in a region has to succeed in each other one.

    As often as in the undisturbed run, or in the first of its steps that has the action in that region.
    """
    if not expected.steps:
        return _done(expected.calls, failed)
    wanted = (failed.account_id, failed.action)
    of_action = [
        [
            one["region"]
            for one in step
            if (one["account_id"], one["action"]) == wanted
            for _number in range(one.get("count", 1))
        ]
        for step in expected.steps
    ]
    regions = next(step for step in of_action if failed.region in step)
    return Counter(f"{failed.action} in {region}" for region in regions if region != failed.region)


def _done(calls: Sequence[RecordedCall], failed: Failed) -> Counter[str]:
    """How often the account's action that fails in a region succeeded in each other one."""
    return Counter(
        f"{call.action} in {call.region}"
        for call in calls
        if call.status == 200
        and (call.account_id, call.action) == (failed.account_id, failed.action)
        and call.region != failed.region
    )


def _complaints(run: Run) -> str:
    """All failures and warnings of a run, as one text."""
    texts = [one for task in run.tasks for one in _said(task.result, task.status == "failed")]
    return "\n".join(dict.fromkeys(texts)) or run.text[-1500:] * bool(run.code)


def _failures(run: Run) -> list[Mapping[str, Any]]:
    """All failures that the modules of a run return."""
    results = [one for task in run.tasks for one in (task.result, *task.result.get("results", ()))]
    return [one for result in results if isinstance(result, Mapping) for one in result.get("failures", ())]


def _said(result: Any, failed: bool) -> Iterator[str]:
    for warning in result.get("warnings", ()):
        yield str(warning)
    for failure in result.get("failures", ()):
        yield json.dumps(failure)
    for name in ("unreadable", "findings", "unknown"):
        if result.get(name):
            yield json.dumps(result[name])
    if failed or result.get("failed"):
        yield str(result.get("msg", ""))
    for item in (*result.get("results", ()), result.get("report")):
        if isinstance(item, dict):
            yield from _said(item, bool(item.get("failed")))
