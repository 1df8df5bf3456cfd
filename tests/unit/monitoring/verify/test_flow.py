# SPDX-License-Identifier: GPL-3.0-or-later

"""The failure of a region whose monitoring is not as it should be."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils.failures import Failure, Refused
from ansible_collections.golden.images.plugins.module_utils.monitoring.verify.flow import FLOW, plan
from ansible_collections.golden.images.plugins.module_utils.monitoring.verify.state import VerifySeen

from .examples import ACCOUNT, ALARM, AS_WANTED, REGION, RULE, wanted

REMEDY = (
    "A change may not have reached AWS: check the network, the proxy and AWS_ENDPOINT_URL, and rerun. "
    "Completed work is kept."
)


def test_nothing_differs() -> None:
    assert plan(wanted(), VerifySeen(AS_WANTED)).failures == ()
    assert FLOW.only_reads


def test_all_differences_are_one_failure_beside_those_of_reads() -> None:
    unread = Failure("No.", "", "AccessDenied", "DescribeRule", REGION, ACCOUNT)
    found = plan(wanted(), VerifySeen({**AS_WANTED, ALARM: None}, (unread,)))
    text = "Monitoring is not configured as requested: alarm AMI sharing is missing."
    differing = Failure(text, REMEDY, "monitoring_differs", "monitoring", REGION, ACCOUNT)
    assert found.failures == (differing, unread)
    assert found.actions == ()


def test_disabled_actions_are_to_be_enabled() -> None:
    alarm = {**(AS_WANTED[ALARM] or {}), "ActionsEnabled": False}
    command = "aws cloudwatch enable-alarm-actions --region eu-west-1 --alarm-names 'AMI sharing'"
    own = f"Run {command} to enable the actions."
    (found,) = plan(wanted(), VerifySeen({**AS_WANTED, ALARM: alarm})).failures
    assert found.remedy == own
    changed = {**alarm, "Threshold": 2.0}
    (found,) = plan(wanted(), VerifySeen({**AS_WANTED, ALARM: changed})).failures
    assert found.remedy == f"{own} {REMEDY}"
    (found,) = plan(wanted(), VerifySeen({**AS_WANTED, ALARM: alarm, RULE: None})).failures
    assert found.remedy == f"{own} {REMEDY}"


def test_what_was_not_deleted() -> None:
    (found,) = plan(wanted(state="absent"), VerifySeen({ALARM: {}})).failures
    assert found.message == "Monitoring is not removed as requested: alarm AMI sharing still exists."


def test_the_remedy_is_never_cut() -> None:
    name = "a" * 255
    found = plan(wanted(alarm_name=name, rule_name=name, queue_name=name), VerifySeen({}))
    assert found.failures == ()
    gone = dict.fromkeys(wanted(alarm_name=name, rule_name=name, queue_name=name).resources)
    (failure,) = plan(wanted(alarm_name=name, rule_name=name, queue_name=name), VerifySeen(gone)).failures
    assert len(failure.text()) <= 500
    assert failure.text().endswith(REMEDY)
    assert Refused([failure])
