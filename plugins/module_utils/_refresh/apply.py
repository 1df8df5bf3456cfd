# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start instance refreshes, a few groups at a time, and wait until each has ended.

They are started one after another, and those in progress are read in parallel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import monotonic, sleep

from .._aws.accounts import AssumedAccounts
from .._aws.attempts import repeat_until
from .._aws.clients import Clients
from .._aws.errors import (
    AWS_ERRORS,
    UNREADABLE,
    ClientError,
    failure,
    is_of_server,
    is_temporary,
    unreadable,
)
from .._aws.unknown_outcome import is_unknown
from .._aws.write import perform
from .._failures import Failure, TargetFailed, incomplete_response
from .._fanout import map_parallel
from .._listing import count, join_texts
from .._model import Target
from .._plan import Action
from .._progress import Report
from .checks import (
    REMOVE,
    cancel_command,
    is_same_work,
    refuse_active,
    refuse_going_on,
    refuse_image,
    refuse_instances,
    refuse_launches,
)
from .options import RefreshOptions
from .plan import START, GroupPlan, RefreshPlan, plan_group
from .read import READ_GROUPS, READ_REFRESHES, read_groups, read_image, read_launches, read_refresh
from .state import Group, InstanceRefresh

NOT_STARTED, IN_PROGRESS, SUCCESSFUL = "not_started", "in_progress", "successful"
NOT_REPLACED, UNKNOWN = "not_replaced", "unknown"
# botocore shape InstanceRefreshStatus, to the status in the result.
_STATUS = {
    "Cancelled": "cancelled",
    "Failed": "failed",
    "RollbackFailed": "rollback_failed",
    "RollbackSuccessful": "rolled_back",
    "Successful": SUCCESSFUL,
}
# Seconds between two reads of the refreshes in progress.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
# Seconds between two lines of progress, and between two looks at what a group launches.
_REMINDER = _LOOK = 60.0
# Seconds for which a refresh that was started may not be listed yet, and instances that it has replaced may
# still be. AWS states no bound (EC2 Developer Guide, "Eventual consistency in the Amazon EC2 API").
_SETTLING_TIMEOUT, _SETTLING_PAUSE = 60.0, 5.0
_NO_GROUP = "group_not_found"
_IN_PROGRESS_CODE = "InstanceRefreshInProgress"
# What a failed read raises, also if credentials cannot be renewed. Anything else is a bug, which fails the
# group, too.
_READ_ERRORS: tuple[type[Exception], ...] = (*AWS_ERRORS, *UNREADABLE, TargetFailed)


@dataclass(eq=False)
class GroupRun:
    """What came of one group: ``started`` is whether this run has started its refresh.

    ``refresh`` has no ID before there is one. ``unread`` is why it could not be read last, and ``unseen`` why
    what it launches could not be. ``suspicion`` is why that must not be launched, after one look. ``after``
    is the plan that was made of the group once its refresh had ended, None if it was not read again.
    ``deadline``, ``next_look``, and ``settled``, from when on AWS must return what a successful refresh has
    replaced, are times of the monotonic clock.
    """

    plan: GroupPlan
    status: str = NOT_STARTED
    started: bool = False
    refresh: InstanceRefresh = field(default_factory=lambda: InstanceRefresh(""))
    after: GroupPlan | None = None
    unread: Failure | None = None
    unseen: Failure | None = None
    suspicion: Failure | None = None
    deadline: float = 0.0
    next_look: float = 0.0
    settled: float | None = None

    @property
    def goes_well(self) -> bool:
        """Whether its refresh is known to go forward, with the image."""
        return self.refresh.goes_forward and not (self.unread or self.unseen or self.suspicion)


@dataclass
class Replacement:
    """The refreshes of a run. After the first failure, no further one is started.

    ``own_id`` is the account of the credentials.
    """

    accounts: AssumedAccounts
    own_id: str
    options: RefreshOptions
    report: Report
    performed: list[Action] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    runs: dict[tuple[Target, str], GroupRun] = field(default_factory=dict)

    def replace_all(self, plan: RefreshPlan) -> None:
        """Refresh the groups in their order, and wait for each refresh in progress."""
        self.runs = {(one.target, one.name): GroupRun(one) for one in plan.groups if one.is_work}
        waiting = deque(run for run in self.runs.values() if not run.plan.active)
        running = [run for run in self.runs.values() if run.plan.active]
        for run in running:
            self._follow(run, run.plan.active or run.refresh)
        # One may have failed since it was read, and starts no other then.
        running = self._poll(running)
        total, pause, reminded = len(self.runs), _FIRST_PAUSE, monotonic()
        while waiting or running:
            while waiting and len(running) < self.options.max_concurrent_groups and self._may_start(running):
                run = waiting.popleft()
                if self._begin(run):
                    running.append(run)
                pause = _FIRST_PAUSE
            if not running:
                break
            sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            running = self._poll(running)
            if running and monotonic() - reminded >= _REMINDER:
                reminded = monotonic()
                self._remind(running, total - len(waiting) - len(running), total)
        if waiting:
            names = join_texts([run.plan.name for run in waiting])
            self.report(f"Not started after a failure: {names}")

    def _may_start(self, running: list[GroupRun]) -> bool:
        """Whether nothing has failed, and nothing may."""
        return not self.failures and all(run.goes_well for run in running)

    def _follow(self, run: GroupRun, refresh: InstanceRefresh) -> None:
        run.refresh, run.status = refresh, IN_PROGRESS
        self.report(f"Refreshing {_name_place(run.plan)}: {refresh.refresh_id}")
        run.deadline = monotonic() + self.options.wait_timeout
        run.next_look = monotonic() + _LOOK

    def _remind(self, running: list[GroupRun], done: int, total: int) -> None:
        texts = []
        for run in running:
            percent = "" if run.refresh.percent is None else f" {run.refresh.percent} %"
            problem = run.unread or run.unseen
            unread = f" (cannot be read: {problem.error_code})" if problem else ""
            texts.append(f"{_name_place(run.plan)}{percent}{unread}")
        self.report(f"Refreshing: {done} of {total} done, waits for {join_texts(texts, 3)}")

    def _begin(self, run: GroupRun) -> bool:
        """Start the refresh of a group, unless it has changed since the plan; return whether one runs."""
        try:
            with self.accounts.as_account(run.plan.target.account_id) as clients:
                return self._start(clients, run)
        except Exception as exception:  # noqa: BLE001  (not swallowed: it is the failure of the group)
            self.failures.append(_to_failure(exception, run.plan.target, START))
            return False

    def _start(self, clients: Clients, run: GroupRun) -> bool:
        # Hours may have passed since the plan.
        plan, current = run.plan, self._plan_again(clients, run.plan)
        if current.is_work and (problem := self._refuse_image(current, bool(current.active))):
            return self._leave_changed(run, replace(current, refusal=problem, active=None))
        if current.active:
            # Whether it launches what the group has then depends on the group as it was started.
            run.plan = current
            self._follow(run, current.active)
            return True
        # Another version with the image matches no instance: AWS would replace all of them by it.
        is_same = current.start == plan.start and current.launched_number == plan.launched_number
        if current.refusal or current.start is None or plan.start is None or not is_same:
            return self._leave_changed(run, current)
        try:
            done = perform(clients.client("autoscaling", plan.target.region), plan.start)
        except Exception as exception:  # noqa: BLE001  (not swallowed: it is the failure of the group)
            # botocore may have sent the call, and not be able to renew the credentials to repeat it.
            return self._find_started(run, _to_failure(exception, plan.target, START))
        refresh_id = done.answers[0].get("InstanceRefreshId") if done.answers else None
        if refresh_id:
            self._count_started(run)
            self._follow(run, InstanceRefresh(refresh_id))
            return True
        problem = (
            done.failures[0]
            if done.failures
            else incomplete_response(START, "InstanceRefreshId", plan.target)
        )
        return self._find_started(run, problem)

    def _count_started(self, run: GroupRun) -> None:
        run.started = True
        self.performed += [run.plan.start] if run.plan.start else []

    def _leave_changed(self, run: GroupRun, current: GroupPlan) -> bool:
        """Leave a group that has changed since the plan, and fail, unless it runs the image now."""
        run.after = current
        if current.refusal:
            self.failures.append(current.refusal)
        elif current.start is None:
            run.status = SUCCESSFUL
        else:
            target = run.plan.target
            message = f"Group {current.name} in account {target.account_id} has changed since it was read."
            remedy = "Rerun, and see in check mode what is replaced now."
            self.failures.append(Failure.at(target, START, "concurrent_change", message, remedy))
        return False

    def _find_started(self, run: GroupRun, problem: Failure) -> bool:
        """Return whether the refresh is started although the call failed: its answer was lost.

        The request has no token: one that is repeated is refused because of the first one. Only an answer to
        a request that was sent once says that nothing is started: the first one of several may have been
        lost, and then the repetition throttled, or the role to sign it not be assumed. What stays unknown
        counts as started.
        """
        is_answer = problem.source == "aws" and problem.action == START and not problem.repeated
        may_be_ours = is_unknown(problem) or not is_answer
        if may_be_ours:
            self._count_started(run)
            run.status = UNKNOWN
        if may_be_ours or problem.error_code == _IN_PROGRESS_CODE:
            current = repeat_until(
                lambda: self._look_again(run.plan),
                lambda found: isinstance(found, GroupPlan) and bool(found.group.active),
                _SETTLING_TIMEOUT,
                _SETTLING_PAUSE,
            )
            # Whatever else a read returns, the failed start says more.
            if isinstance(current, GroupPlan) and (active := current.group.active):
                if is_same_work(current.group, run.plan.image_id, active):
                    run.plan = current
                    self._follow(run, active)
                    return True
                problem = current.refusal or problem
        if may_be_ours:
            remedy = f"The refresh of {run.plan.name} may have been started. {problem.remedy}"
            problem = replace(problem, remedy=remedy)
        self.failures.append(problem)
        return False

    def _plan_again(self, clients: Clients, plan: GroupPlan) -> GroupPlan:
        """Read a group, and plan it again.

        Raises:
            TargetFailed: it does not exist any more.
        """
        group = _find_group(plan, read_groups(clients, plan.target, [plan.name]))
        return plan_group(self.options, plan.target, group, plan.image_id, plan.devices)

    def _refuse_image(self, plan: GroupPlan, is_refreshed: bool) -> Failure | None:
        """Read the image again, and return why it must not be launched; None without a reason."""
        image = read_image(self.accounts, self.own_id, plan.target, plan.image_id)
        names = [plan.name] if is_refreshed else []
        return next(iter(refuse_image(plan.target, plan.image_id, image, names)), None)

    def _look_again(self, plan: GroupPlan) -> GroupPlan | Exception:
        """Return the plan of a group as it is now, or why it cannot be read."""
        try:
            with self.accounts.as_account(plan.target.account_id) as clients:
                return self._plan_again(clients, plan)
        except _READ_ERRORS as exception:
            return exception

    def _poll(self, running: list[GroupRun]) -> list[GroupRun]:
        """Read the refreshes in progress, and what they launch; return those that are waited for."""
        over, bugs = map_parallel(running, self._check)
        for run, bug in bugs.items():
            over[run] = (_to_failure(bug, run.plan.target, READ_REFRESHES),)
        for run in running:
            problems = over[run] or ()
            self.failures += problems
            if run.suspicion and not run.refresh.has_ended:
                # It goes on, and others may be waited for for hours.
                for problem in problems:
                    self.report(problem.sentence())
        return [run for run in running if over[run] is None]

    def _check(self, run: GroupRun) -> tuple[Failure, ...] | None:
        """Read the refresh of a group; return its failures once nothing of it is waited for any more."""
        plan = run.plan
        if not run.refresh.has_ended:
            try:
                with self.accounts.as_account(plan.target.account_id) as clients:
                    autoscaling = clients.client("autoscaling", plan.target.region)
                    run.refresh = read_refresh(autoscaling, plan.name, run.refresh.refresh_id)
                run.unread = None
            except _READ_ERRORS as exception:
                run.unread = _to_failure(exception, plan.target, READ_REFRESHES)
                if not _may_pass(exception):
                    return (self._explain_refusal(run, run.unread),)
        if run.refresh.has_ended:
            return self._judge(run)
        if problem := self._find_wrong_launches(run):
            return (problem,)
        return (self._explain_timeout(run),) if monotonic() >= run.deadline else None

    def _find_wrong_launches(self, run: GroupRun) -> Failure | None:
        """Look once a minute at what is launched, and return why that must not go on.

        The next look must say the same: one that sees nothing, such as a parameter that is just replaced, is
        no reason to cancel. A refresh that bakes or is cancelled launches nothing any more.
        """
        if not run.refresh.launches:
            run.unseen = run.suspicion = None
            return None
        if run.unread or monotonic() < run.next_look:
            return None
        try:
            problem = self._look_at_launches(run)
        except _READ_ERRORS as exception:
            run.unseen = _to_failure(exception, run.plan.target, READ_GROUPS)
            return None
        is_confirmed = problem is not None and run.suspicion is not None
        run.unseen, run.suspicion = None, problem
        if problem is None:
            run.next_look = monotonic() + _LOOK
        return problem if is_confirmed else None

    def _look_at_launches(self, run: GroupRun) -> Failure | None:
        """Return why what a refresh launches now is not to be launched, None without a reason.

        Without a desired configuration, a refresh launches what the group has at the time of each launch
        (hashicorp/terraform-provider-aws#13791).
        """
        plan = run.plan
        problem = self._refuse_image(plan, is_refreshed=True)
        if problem or plan.changes_version:
            return problem
        with self.accounts.as_account(plan.target.account_id) as clients:
            group = _find_group(plan, read_launches(clients, plan.target, [plan.name]))
        return refuse_going_on(plan.target, group, plan.image_id, run.refresh.refresh_id)

    def _explain_refusal(self, run: GroupRun, problem: Failure) -> Failure:
        """Return why the refresh of a group cannot be read any more: the group may not exist any more."""
        again = self._look_again(run.plan)
        if isinstance(again, TargetFailed) and again.failure.error_code == _NO_GROUP:
            return again.failure
        return _explain_unread(run, problem)

    def _explain_timeout(self, run: GroupRun) -> Failure:
        plan = run.plan
        if run.unread:
            return _explain_unread(run, run.unread)
        launches = f" What it launches could not be read: {run.unseen.message}" if run.unseen else ""
        if run.suspicion:
            launches = f" The last look at what it launches said: {run.suspicion.message}"
        message = (
            f"{_name_refresh(plan, run.refresh)} has not ended within {self.options.wait_timeout} seconds. "
            f"It goes on.{launches}"
        )
        remedy = (
            "Rerun, which waits for it again, with a larger wait_timeout, or cancel it: "
            f"{cancel_command(plan.target, plan.name)}."
        )
        return Failure.at(plan.target, START, "instance_refresh_timeout", message, remedy)

    def _judge(self, run: GroupRun) -> tuple[Failure, ...] | None:
        """Return the failures of a refresh that has ended; None while what it has replaced is not known.

        One that skips all instances succeeds, too (Auto Scaling User Guide, "Use an instance refresh with
        skip matching"): so what the instances run is read.
        """
        plan, refresh = run.plan, run.refresh
        is_success = _STATUS[refresh.status] == SUCCESSFUL
        # That it has failed is known, whatever the read returns.
        run.status = UNKNOWN if is_success else _STATUS[refresh.status]
        current = self._look_again(plan)
        run.after = current if isinstance(current, GroupPlan) else None
        if not is_success:
            return (_explain_end(plan, refresh),)
        if run.settled is None:
            run.settled = monotonic() + _SETTLING_TIMEOUT
        is_settled = monotonic() >= run.settled
        problem: Failure | None = None
        try:
            problem = self._explain_success(current, refresh) if isinstance(current, GroupPlan) else None
        except _READ_ERRORS as exception:
            current = exception
        if isinstance(current, Exception):
            run.unread = _to_failure(current, plan.target, READ_GROUPS)
            if not is_settled or (_may_pass(current) and monotonic() < run.deadline):
                return None
            message = f"{_name_refresh(plan, refresh)} has succeeded. What came of it could not be read: "
            remedy = f"Rerun, which looks at it again. {run.unread.remedy}"
            return (replace(run.unread, message=f"{message}{run.unread.message}", remedy=remedy),)
        run.unread = None
        if problem and not is_settled:
            return None
        if problem is None:
            run.status = SUCCESSFUL
            return ()
        run.status = UNKNOWN if current.group.unread else NOT_REPLACED
        return (problem,)

    def _explain_success(self, current: GroupPlan, refresh: InstanceRefresh) -> Failure | None:
        """Return why a refresh that has succeeded is not enough, None if it is.

        It is enough if the instances run the image, the next ones will, and the image may still be launched:
        whether the group could be refreshed again does not count.
        """
        target, group, image_id = current.target, current.group, current.image_id
        name = _name_refresh(current, refresh)
        if problem := refuse_instances(self.options, target, group, image_id):
            return problem
        if group.active and is_same_work(group, image_id, group.active):
            message = f"{name} has succeeded, and another one, {group.active.refresh_id}, was started since."
            remedy = "Rerun, which waits for it."
            return Failure.at(target, START, "instance_refresh_in_progress", message, remedy)
        left = [
            one.instance_id
            for one in group.instances
            if one.is_in_group and one.image_id != image_id and one not in current.kept
        ]
        if left:
            message = f"{name} has succeeded, and left {count(len(left), 'instance')} without {image_id}: "
            message = f"{message}{join_texts(left)}."
            remedy = (
                "See the scaling activities of the group, and rerun. If AWS has skipped them, set "
                "skip_matching: false, which replaces all instances."
            )
            return Failure.at(target, START, "instances_not_replaced", message, remedy)
        if problem := refuse_active(target, group, image_id):
            return problem
        if problem := refuse_launches(target, group, image_id, current.devices):
            return problem
        if current.changes_version:
            message = f"{name} has succeeded, and the group still launches version {group.version}."
            remedy = "Rerun: AWS may show the new version later."
            return Failure.at(target, START, "instances_not_replaced", message, remedy)
        # Looks a minute apart do not see what becomes of the image after the last one.
        if unfit := self._refuse_image(current, is_refreshed=False):
            message = f"{name} has succeeded, and its instances run {image_id}. {unfit.message}"
            return replace(unfit, message=message)
        return None


def _find_group(plan: GroupPlan, groups: Mapping[str, Group]) -> Group:
    """Return the group of a plan.

    Raises:
        TargetFailed: it does not exist any more.
    """
    if plan.name not in groups:
        message = f"Group {plan.name} in account {plan.target.account_id} does not exist any more."
        raise TargetFailed(Failure.at(plan.target, START, _NO_GROUP, message, REMOVE))
    return groups[plan.name]


def _name_place(plan: GroupPlan) -> str:
    return f"{plan.name} in {plan.target.account_id} {plan.target.region}"


def _to_failure(exception: Exception, target: Target, action: str) -> Failure:
    """Return the failure for any exception, so that none ends the wait for other groups."""
    # Some exceptions of botocore are among these, too.
    if isinstance(exception, UNREADABLE) and not isinstance(exception, AWS_ERRORS):
        failed = unreadable(exception, action)
        return replace(failed, region=target.region, account_id=target.account_id)
    return failure(exception, target, action)


def _may_pass(exception: Exception) -> bool:
    """Whether a read may succeed later: the network, a server or the renewal of credentials has failed.

    Such a failure for minutes ends neither the refresh nor the wait for it.
    """
    if isinstance(exception, ClientError):
        return is_temporary(exception) or is_of_server(exception)
    return not isinstance(exception, TargetFailed)


def _explain_unread(run: GroupRun, problem: Failure) -> Failure:
    message = f"What became of {_name_refresh(run.plan, run.refresh, 'the')} is not known: {problem.message}"
    remedy = f"Rerun, which waits for it again. {problem.remedy}"
    return replace(problem, message=message, remedy=remedy)


def _name_refresh(plan: GroupPlan, refresh: InstanceRefresh, article: str = "The") -> str:
    return f"{article} refresh {refresh.refresh_id} of group {plan.name} in account {plan.target.account_id}"


def _explain_end(plan: GroupPlan, refresh: InstanceRefresh) -> Failure:
    left = "" if refresh.to_update is None else f", with {count(refresh.to_update, 'instance')} left"
    reason = f" AWS says: {refresh.reason}" if refresh.reason else ""
    message = f"{_name_refresh(plan, refresh)} has ended with the status {refresh.status}{left}.{reason}"
    remedy = (
        "See the scaling activities of the group (aws autoscaling describe-scaling-activities), and rerun "
        "once the cause is fixed."
    )
    return Failure.at(plan.target, START, "instance_refresh_failed", message, remedy)
