# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a case: builds the world, strikes, looks at what is left, runs again, and compares the pictures."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall

from ..integration.playbook import Ansible, Run, kill, tasks_of
from .cases import FAIL, SURVIVE, Case, Failed
from .invariants import Moment, violations
from .picture import Picture, differences, labels, picture
from .scenarios import OWNER, OWNER_ROLE, SCENARIOS, Command, Setup, World, tombstones

TIMEOUT = 600
"""Seconds after which a run hangs: none takes a third of it on two idle cores."""
_CRASHES = (
    "Traceback (most recent call last)",
    "MODULE FAILURE",
    "Unexpected failure during module execution",
)
_EXPIRED = re.compile(r"RequestExpired|ExpiredToken")
_NAMED = re.compile(r"\b(?:ami|snap|lt|i)-[0-9a-f]{8,17}\b|arn:aws|[a-z]{2}-[a-z]+-\d")


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
        self.setup: Setup = SCENARIOS[scenario](world)
        self.ansible = Ansible(aws.environment(OWNER), folder)
        self._keys = {
            arn: f"key {name} {region}" for name, arns in world.keys.items() for region, arn in arns.items()
        }
        self._first = [*aws.world(), *tombstones(self.setup)]
        self.before = self._picture(self._first)
        aws.clear_calls()

    def now(self) -> Picture:
        """The picture of this moment."""
        return self._picture([*self.aws.world(), *tombstones(self.setup)])

    def _picture(self, world: list[dict[str, Any]]) -> Picture:
        return picture(world, labels(self._first, world, keys=self._keys))

    def start(self, command: Command | None = None, *, as_session: bool = False) -> Running:
        """Start the command of the scenario, or another one, also with credentials that expire."""
        ansible = self._as_session() if as_session else self.ansible
        return Running((command or self.setup.command).start(ansible))

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
        return Moment(self.before, self.now(), undisturbed.after, named, together)


def undisturbed(aws: SimulatedAws, scenario: str) -> Undisturbed:
    """Run a scenario without faults; RuntimeError if it fails."""
    with TemporaryDirectory() as folder:
        stage = Stage(aws, scenario, Path(folder))
        commands = [stage.setup.command, *([stage.setup.beside] if stage.setup.beside else [])]
        steps: list[Sequence[Mapping[str, Any]]] = []
        for command in commands:
            run = stage.start(command).finish()
            if run.code:
                raise RuntimeError(f"{scenario} fails undisturbed: {_complaints(run)}")
            if stage.setup.ends_with_failed_step:
                steps += [task.result.get("actions", ()) for task in run.tasks if task.changed]
        calls = [call for call in aws.calls() if _is_of_run(call)]
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
    aws.update_settings(**case.settings)
    for fault in case.faults:
        aws.add_fault(**fault)
    runs = _first_runs(stage, case)
    yield from _outcome(case, runs, [call for call in aws.calls() if _is_of_run(call)], expected)
    yield from (f"interrupted: {one}" for one in violations(stage.moment(expected)))
    aws.clear_faults()
    if case.family != "lag":
        aws.update_settings(request_rate_factor=1.0, session_seconds_factor=1.0)
    for command in (stage.setup.command, stage.setup.beside):
        if command is not None:
            rerun = stage.start(command).finish()
            if rerun.code:
                yield f"rerun: exit code {rerun.code}: {_complaints(rerun)[:800]}"
            yield from _crashes("rerun", rerun)
    yield from (f"end: {one}" for one in differences(expected.after, stage.now()))
    yield from (f"end: {one}" for one in violations(stage.moment(expected)))


def _first_runs(stage: Stage, case: Case) -> list[Run]:
    """Run until the strike, or to the end: one process, or two."""
    if case.kill_at:
        stage.aws.add_fault(
            "freeze", changes=True, when=case.when, after=0 if case.twice else case.kill_at - 1, times=0
        )
    other = stage.setup.beside
    started = [stage.start(as_session=case.session)]
    if case.twice or other:
        started.append(stage.start(other))
    if case.kill_at:
        _await_frozen(stage.aws, started, case.kill_at)
        if not case.twice:
            started[0].kill()
            return []
        stage.aws.clear_faults()
    return [one.finish() for one in started]


def _await_frozen(aws: SimulatedAws, started: Sequence[Running], number: int) -> None:
    deadline = time.monotonic() + TIMEOUT
    while aws.faults()[-1]["matched"] < number and time.monotonic() < deadline:
        if all(one.has_ended for one in started):
            return
        time.sleep(0.05)


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
            yield from _denial(case, run)
        if case.failed:
            yield from _failed_region(case.failed, run, calls, expected)
        if case.session and not _EXPIRED.search(_complaints(run)):
            yield f"does not say that the credentials have expired: {_complaints(run)[:600]}"
    if len(runs) > 1 and all(run.code for run in runs):
        yield f"both runs failed: {_complaints(runs[0])[:400]} / {_complaints(runs[1])[:400]}"


def _crashes(which: str, run: Run) -> Iterator[str]:
    for crash in _CRASHES:
        if crash in run.text:
            at = run.text.index(crash)
            yield f"{which}: crashed: {run.text[max(0, at - 200) : at + 600]}"
    if run.code == -1:
        yield f"{which}: {run.stderr}"


def _denial(case: Case, run: Run) -> Iterator[str]:
    """A failure names action and resource; a run that does without says which action it lacks."""
    assert case.denied is not None
    said = _complaints(run)
    if case.denied.action not in said:
        verb = "fails" if run.code else "succeeds"
        yield f"{verb} without naming {case.denied.service}:{case.denied.action}: {said[:600]}"
    elif not _NAMED.search(said):
        yield f"names no resource or region: {said[:600]}"


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
        [one["region"] for one in step if (one["account_id"], one["action"]) == wanted]
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
    for item in result.get("results", ()):
        if isinstance(item, dict):
            yield from _said(item, bool(item.get("failed")))


def _is_of_run(call: RecordedCall) -> bool:
    return "Ansible" in call.user_agent or "golden.images" in call.user_agent or "APN" in call.user_agent
