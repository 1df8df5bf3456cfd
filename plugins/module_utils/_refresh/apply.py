# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start instance refreshes, a few groups at a time, and wait until each has ended.

All happens in one thread, which mostly waits: a refresh takes minutes for each instance.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from time import monotonic, sleep
from typing import Any

from .._aws.accounts import AssumedAccounts
from .._aws.attempts import repeat_until
from .._aws.clients import Clients
from .._aws.errors import ClientError, failure, is_temporary, unreadable
from .._aws.unknown_outcome import is_unknown
from .._aws.write import perform
from .._failures import Failure, TargetFailed, incomplete_response
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
from .read import READ_GROUPS, READ_REFRESHES, read_groups, read_image, read_refresh
from .state import InstanceRefresh

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


@dataclass
class GroupRun:
    """What came of one group: ``started`` is whether this run has started its refresh.

    ``problem`` is why its refresh, or what it launches, could not be read last. ``after`` is the plan that
    was made of it once its refresh had ended, None if it was not read again. ``deadline`` and ``next_look``
    are times of the monotonic clock.
    """

    status: str = NOT_STARTED
    started: bool = False
    refresh: InstanceRefresh | None = None
    after: GroupPlan | None = None
    problem: Failure | None = None
    deadline: float = 0.0
    next_look: float = 0.0


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
    runs: dict[tuple[Any, str], GroupRun] = field(default_factory=dict)

    def replace_all(self, plan: RefreshPlan) -> None:
        """Refresh the groups in their order, and wait for each refresh in progress."""
        self.runs = {(one.target, one.name): GroupRun() for one in plan.groups if one.is_work}
        waiting = deque(one for one in plan.groups if one.start)
        running = [one for one in plan.groups if one.active]
        for one in running:
            self._follow(one, one.active)
        total, pause, reminded = len(self.runs), _FIRST_PAUSE, monotonic()
        while waiting or running:
            while waiting and len(running) < self.options.max_concurrent_groups and self._may_start(running):
                if self._begin(waiting[0]):
                    running.append(waiting[0])
                waiting.popleft()
                pause = _FIRST_PAUSE
            if not running:
                break
            sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            running = [one for one in running if not self._ends(one)]
            if running and monotonic() - reminded >= _REMINDER:
                reminded = monotonic()
                self._remind(running, total - len(waiting) - len(running), total)
        if waiting:
            names = join_texts([one.name for one in waiting])
            self.report(f"Not started after a failure: {names}")

    def _may_start(self, running: list[GroupPlan]) -> bool:
        """Whether nothing has failed, and every refresh in progress is known to go forward."""
        runs = [self._run(one) for one in running]
        return not self.failures and all(
            run.refresh and run.refresh.goes_forward and not run.problem for run in runs
        )

    def _run(self, plan: GroupPlan) -> GroupRun:
        return self.runs[plan.target, plan.name]

    def _follow(self, plan: GroupPlan, refresh: InstanceRefresh | None) -> None:
        run = self._run(plan)
        run.refresh, run.status = refresh, IN_PROGRESS
        refresh_id = refresh.refresh_id if refresh else ""
        self.report(f"Refreshing {_name_place(plan)}: {refresh_id}")
        run.deadline = monotonic() + self.options.wait_timeout
        run.next_look = monotonic() + _LOOK

    def _remind(self, running: list[GroupPlan], done: int, total: int) -> None:
        texts = []
        for one in running:
            refresh, problem = self._run(one).refresh, self._run(one).problem
            percent = "" if refresh is None or refresh.percent is None else f" {refresh.percent} %"
            unread = f" (cannot be read: {problem.error_code})" if problem else ""
            texts.append(f"{_name_place(one)}{percent}{unread}")
        self.report(f"Refreshing: {done} of {total} done, waits for {join_texts(texts, 3)}")

    def _begin(self, plan: GroupPlan) -> bool:
        """Start the refresh of a group, unless it has changed since the plan; return whether one runs."""
        try:
            with self.accounts.as_account(plan.target.account_id) as clients:
                return self._start(clients, plan)
        except Exception as exception:  # noqa: BLE001  (not swallowed: it fails the task)
            self.failures.append(_to_failure(exception, plan.target, START))
            return False

    def _start(self, clients: Clients, plan: GroupPlan) -> bool:
        # Hours may have passed since the plan.
        current = self._plan_again(clients, plan)
        if current.is_work and (problem := self._refuse_image(current, bool(current.active))):
            return self._leave_changed(plan, replace(current, refusal=problem, active=None))
        if current.active:
            self._follow(plan, current.active)
            return True
        # Another version with the image matches no instance: AWS would replace all of them by it.
        is_same = current.start == plan.start and current.launched_number == plan.launched_number
        if current.refusal or current.start is None or plan.start is None or not is_same:
            return self._leave_changed(plan, current)
        try:
            done = perform(clients.client("autoscaling", plan.target.region), plan.start)
        except Exception as exception:  # noqa: BLE001  (not swallowed: it fails the task)
            # botocore may have sent the call, and not be able to renew the credentials to repeat it.
            return self._find_started(plan, _to_failure(exception, plan.target, START))
        refresh_id = done.answers[0].get("InstanceRefreshId") if done.answers else None
        if refresh_id:
            self._count_started(plan)
            self._follow(plan, InstanceRefresh(refresh_id))
            return True
        problem = (
            done.failures[0]
            if done.failures
            else incomplete_response(START, "InstanceRefreshId", plan.target)
        )
        return self._find_started(plan, problem)

    def _count_started(self, plan: GroupPlan) -> None:
        self._run(plan).started = True
        self.performed += [plan.start] if plan.start else []

    def _leave_changed(self, plan: GroupPlan, current: GroupPlan) -> bool:
        """Leave a group that has changed since the plan, and fail, unless it runs the image now."""
        run = self._run(plan)
        run.after = current
        if current.refusal:
            self.failures.append(current.refusal)
        elif current.start is None:
            run.status = SUCCESSFUL
        else:
            message = f"Group {plan.name} in account {plan.target.account_id} has changed since it was read."
            remedy = "Rerun, and see in check mode what is replaced now."
            self.failures.append(Failure.at(plan.target, START, "concurrent_change", message, remedy))
        return False

    def _find_started(self, plan: GroupPlan, problem: Failure) -> bool:
        """Return whether the refresh is started although the call failed: its answer was lost.

        The request has no token: one that is repeated is refused because of the first one. Only an answer to
        a request that was sent once says that nothing is started: the first one of several may have been
        lost, and then the repetition throttled, or the role to sign it not be assumed. What stays unknown
        counts as started.
        """
        is_answer = problem.source == "aws" and problem.action == START and not problem.repeated
        may_be_ours = is_unknown(problem) or not is_answer
        active: InstanceRefresh | None = None
        if may_be_ours or problem.error_code == _IN_PROGRESS_CODE:
            current = repeat_until(
                lambda: self._look_again(plan),
                lambda found: isinstance(found, GroupPlan) and bool(found.group.active),
                _SETTLING_TIMEOUT,
                _SETTLING_PAUSE,
            )
            # Whatever else a read returns, the failed start says more.
            if isinstance(current, GroupPlan) and current.group.active:
                is_same = is_same_work(current.group, plan.image_id, current.group.active)
                active = current.group.active if is_same else None
                problem = current.refusal or problem
        if may_be_ours:
            self._count_started(plan)
        if active:
            self._follow(plan, active)
            return True
        if may_be_ours:
            self._run(plan).status = UNKNOWN
            remedy = f"The refresh of {plan.name} may have been started. {problem.remedy}"
            problem = replace(problem, remedy=remedy)
        self.failures.append(problem)
        return False

    def _plan_again(self, clients: Clients, plan: GroupPlan) -> GroupPlan:
        """Read a group, and plan it again.

        Raises:
            TargetFailed: it does not exist any more.
        """
        groups = read_groups(clients, plan.target, [plan.name])
        if plan.name not in groups:
            message = f"Group {plan.name} in account {plan.target.account_id} does not exist any more."
            raise TargetFailed(Failure.at(plan.target, START, _NO_GROUP, message, REMOVE))
        return plan_group(self.options, plan.target, groups[plan.name], plan.image_id, plan.devices)

    def _refuse_image(self, plan: GroupPlan, is_refreshed: bool) -> Failure | None:
        """Read the image again, and return why it must not be launched; None without a reason."""
        image = read_image(self.accounts, self.own_id, plan.target, plan.image_id)
        names = [plan.name] if is_refreshed else []
        return next(iter(refuse_image(plan.target, plan.image_id, image, names)), None)

    def _ends(self, plan: GroupPlan) -> bool:
        """Read the refresh of a group, and return whether nothing of it is waited for any more."""
        run, problem = self._run(plan), None
        refresh = run.refresh or InstanceRefresh("")
        try:
            with self.accounts.as_account(plan.target.account_id) as clients:
                autoscaling = clients.client("autoscaling", plan.target.region)
                run.refresh = refresh = read_refresh(autoscaling, plan.name, refresh.refresh_id)
        except Exception as exception:  # noqa: BLE001  (not swallowed: it fails the task in the end)
            problem = _to_failure(exception, plan.target, READ_REFRESHES)
            # A connection that breaks for minutes does not end the refresh, nor the wait for it.
            if isinstance(exception, ClientError) and not is_temporary(exception):
                run.deadline = monotonic()
                again = self._look_again(plan)
                if isinstance(again, Failure) and again.error_code == _NO_GROUP:
                    problem = again
        run.problem = problem
        if refresh.has_ended:
            self._judge(plan, run, refresh)
            return True
        if problem is None and self._finds_wrong_launches(plan, run, refresh):
            return True
        if monotonic() < run.deadline:
            return False
        self.failures.append(self._explain_timeout(plan, refresh.refresh_id, problem))
        return True

    def _finds_wrong_launches(self, plan: GroupPlan, run: GroupRun, refresh: InstanceRefresh) -> bool:
        """Look once a minute at what is launched; return whether that must not go on, which fails.

        A second look must say the same: one that sees nothing, such as a parameter that is just replaced, is
        no reason to cancel. A refresh that bakes or is cancelled launches nothing any more.
        """
        if not refresh.launches or monotonic() < run.next_look:
            return False
        try:
            problem = repeat_until(
                lambda: self._refuse_going_on(plan, refresh),
                lambda found: found is None,
                _SETTLING_PAUSE,
                _SETTLING_PAUSE,
            )
        except Exception as exception:  # noqa: BLE001  (not swallowed: it stops further starts)
            run.problem = _to_failure(exception, plan.target, READ_GROUPS)
            return False
        run.next_look = monotonic() + _LOOK
        if problem is None:
            return False
        self.report(problem.sentence())
        self.failures.append(problem)
        return True

    def _refuse_going_on(self, plan: GroupPlan, refresh: InstanceRefresh) -> Failure | None:
        """Return why what a refresh launches now is not to be launched, None without a reason.

        Without a desired configuration, a refresh launches what the group has at the time of each launch
        (hashicorp/terraform-provider-aws#13791).
        """
        if not plan.changes_version:
            with self.accounts.as_account(plan.target.account_id) as clients:
                current = self._plan_again(clients, plan)
            problem = refuse_going_on(plan.target, current.group, plan.image_id, refresh.refresh_id)
            if problem:
                return problem
        return self._refuse_image(plan, is_refreshed=True)

    def _look_again(self, plan: GroupPlan) -> GroupPlan | Failure:
        """Return the plan of a group as it is now, or why it cannot be read."""
        try:
            with self.accounts.as_account(plan.target.account_id) as clients:
                return self._plan_again(clients, plan)
        except Exception as exception:  # noqa: BLE001  (not swallowed: it is the result)
            return _to_failure(exception, plan.target, READ_GROUPS)

    def _explain_timeout(self, plan: GroupPlan, refresh_id: str, problem: Failure | None) -> Failure:
        where = f"in account {plan.target.account_id}"
        if problem and problem.error_code == _NO_GROUP:
            return problem
        if problem:
            message = f"What became of the refresh {refresh_id} of group {plan.name} {where} is not known: "
            remedy = f"Rerun, which waits for it again. {problem.remedy}"
            return replace(problem, message=f"{message}{problem.message}", remedy=remedy)
        look = self._run(plan).problem
        message = (
            f"The refresh {refresh_id} of group {plan.name} {where} has not ended within "
            f"{self.options.wait_timeout} seconds. It goes on."
            f"{f' What it launches could not be read: {look.message}' if look else ''}"
        )
        remedy = (
            "Rerun, which waits for it again, with a larger wait_timeout, or cancel it: "
            f"{cancel_command(plan.target, plan.name)}."
        )
        return Failure.at(plan.target, START, "instance_refresh_timeout", message, remedy)

    def _judge(self, plan: GroupPlan, run: GroupRun, refresh: InstanceRefresh) -> None:
        """Set what became of a refresh that has ended, and fail unless it is a success.

        One that skips all instances succeeds, too (Auto Scaling User Guide, "Use an instance refresh with
        skip matching"): so what the instances run is read.
        """
        run.status = _STATUS[refresh.status]
        if run.status != SUCCESSFUL:
            # That it has failed is known, whatever the read returns.
            self.failures.append(_explain_end(plan, refresh))
            current = self._look_again(plan)
            run.after = None if isinstance(current, Failure) else current
            return
        current = repeat_until(
            lambda: self._look_again(plan),
            lambda found: isinstance(found, GroupPlan) and self._explain_success(found, refresh) is None,
            _SETTLING_TIMEOUT,
            _SETTLING_PAUSE,
        )
        if isinstance(current, Failure):
            run.status = UNKNOWN
            message = f"{_name_refresh(plan, refresh)} has succeeded. What its instances run is not known: "
            remedy = f"Rerun, which looks at them again. {current.remedy}"
            self.failures.append(replace(current, message=f"{message}{current.message}", remedy=remedy))
            return
        run.after = current
        if problem := self._explain_success(current, refresh):
            run.status = UNKNOWN if current.group.unread else NOT_REPLACED
            self.failures.append(problem)

    def _explain_success(self, current: GroupPlan, refresh: InstanceRefresh) -> Failure | None:
        """Return why a refresh that has succeeded is not enough, None if it is.

        It is enough if the instances run the image, and the next ones will: whether the group could be
        refreshed again does not count.
        """
        target, group, image_id = current.target, current.group, current.image_id
        name = _name_refresh(current, refresh)
        if problem := refuse_instances(self.options, target, group, image_id):
            return problem
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
        if group.active and is_same_work(group, image_id, group.active):
            message = f"{name} has succeeded, and another one, {group.active.refresh_id}, was started since."
            remedy = "Rerun, which waits for it."
            return Failure.at(target, START, "instance_refresh_in_progress", message, remedy)
        if problem := refuse_active(target, group, image_id):
            return problem
        if problem := refuse_launches(target, group, image_id, current.devices):
            return problem
        if current.changes_version:
            message = f"{name} has succeeded, and the group still launches version {group.version}."
            remedy = "Rerun: AWS may show the new version later."
            return Failure.at(target, START, "instances_not_replaced", message, remedy)
        return None


def _name_place(plan: GroupPlan) -> str:
    return f"{plan.name} in {plan.target.account_id} {plan.target.region}"


def _to_failure(exception: Exception, target: Target, action: str) -> Failure:
    """Return the failure for any exception, so that none ends the wait for other groups.

    What botocore raises besides its own exceptions if it cannot renew credentials is no bug here.
    """
    if isinstance(exception, (OSError, RuntimeError)):
        failed = unreadable(exception, action)
        return replace(failed, region=target.region, account_id=target.account_id)
    return failure(exception, target, action)


def _name_refresh(plan: GroupPlan, refresh: InstanceRefresh) -> str:
    return f"The refresh {refresh.refresh_id} of group {plan.name} in account {plan.target.account_id}"


def _explain_end(plan: GroupPlan, refresh: InstanceRefresh) -> Failure:
    left = "" if refresh.to_update is None else f", with {count(refresh.to_update, 'instance')} left"
    reason = f" AWS says: {refresh.reason}" if refresh.reason else ""
    message = f"{_name_refresh(plan, refresh)} has ended with the status {refresh.status}{left}.{reason}"
    remedy = (
        "See the scaling activities of the group (aws autoscaling describe-scaling-activities), and rerun "
        "once the cause is fixed."
    )
    return Failure.at(plan.target, START, "instance_refresh_failed", message, remedy)
