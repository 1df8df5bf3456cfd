# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images are launched, and which instances of earlier probes are terminated."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._launch_probe.causes import (
    explain_end,
    explain_refusal,
    may_succeed_later,
)
from ansible_collections.golden.images.plugins.module_utils._launch_probe.plan import plan
from ansible_collections.golden.images.plugins.module_utils._launch_probe.state import Cause
from ansible_collections.golden.images.plugins.module_utils._model import (
    Instance,
)

from tests.unit.examples import CONSUMER, OWNER

from .examples import HERE, NOW, PROBE, REGION, image, instance, launched, seen, wanted


def operations(want: Any, saw: Any) -> list[tuple[str, str, str | None]]:
    return [(item.target.account_id, item.operation, item.resource) for item in plan(want, saw).actions]


def test_every_launch_is_followed_by_a_termination() -> None:
    want = wanted()
    assert operations(want, seen(want)) == [
        (account, operation, None)
        for account in (CONSUMER, OWNER)
        for operation in ("RunInstances", "TerminateInstances")
    ]


@pytest.mark.parametrize(
    ("architecture", "named", "used"),
    [
        ("x86_64", None, "t3.nano"),
        ("arm64", None, "t4g.nano"),
        ("i386", None, "t2.nano"),
        ("arm64", "m7g.medium", "m7g.medium"),
        ("arm64_mac", "mac2.metal", "mac2.metal"),
    ],
)
def test_the_default_instance_type_of_an_architecture(
    architecture: str, named: str | None, used: str
) -> None:
    want = wanted(instance_type=named)
    runs = launched(want, seen(want, image(architecture=architecture)))
    assert {parameters["InstanceType"] for _account, _region, parameters in runs} == {used}


@pytest.mark.parametrize(
    ("left", "ends"),
    [
        pytest.param(instance("2026-11-24T12:00:01Z"), False, id="before the deadline"),
        pytest.param(
            instance("2026-11-24T12:00:01Z", NOW - timedelta(days=9)), False, id="launched long ago"
        ),
        pytest.param(instance("2026-11-24T12:00:00Z"), True, id="after the deadline"),
        *(
            pytest.param(instance(tag, launched_at), ends, id=f"{tag}, {launched_at}")
            for tag in ("", "soon", "2026-11-24", "2026-11-24T11:00:00+02:00")
            for launched_at, ends in (
                (NOW - timedelta(hours=1), False),
                (NOW - timedelta(hours=1, seconds=1), True),
                (None, False),
            )
        ),
    ],
)
def test_leftovers_are_terminated_and_instances_of_other_runs_are_not(left: Instance, ends: bool) -> None:
    want = wanted(account_ids=(CONSUMER,))
    saw = seen(want, instances={HERE: (left,)})
    terminated = [action for action in operations(want, saw) if action[2]]
    assert terminated == ([(CONSUMER, "TerminateInstances", "i-old")] if ends else [])
    (target,) = plan(want, saw).targets
    assert (target.before, target.after) == (
        {"leftovers": ["i-old"] if ends else []},
        {"leftovers": []},
    )


def test_the_launch_of_a_planned_copy_is_planned() -> None:
    want = wanted(images={(None, REGION): None}, account_ids=(CONSUMER,), check_mode=True)
    result = plan(want, seen(want))
    assert [action.operation for action in result.actions] == ["RunInstances", "TerminateInstances"]
    assert result.actions[0].parameters["ImageId"] is None
    assert result.warnings == ()


@pytest.mark.parametrize(
    ("ended", "codes", "says"),
    [
        (
            Instance("i-left", "terminated", reason_code="Client.InternalError", reason="Client error"),
            ("key_not_usable", "Client.InternalError", "aws"),
            "ami_kms_grant",
        ),
        (
            Instance("i-left", "terminated", reason_code="Client.Strange", reason="Odd."),
            ("instance_terminated", "Client.Strange", "aws"),
            "AWS reports",
        ),
        (
            Instance("i-left", "shutting-down"),
            ("instance_terminated", "instance_terminated", "collection"),
            "gives no reason",
        ),
    ],
)
def test_why_an_instance_does_not_run(ended: Instance, codes: tuple[str, str, str], says: str) -> None:
    cause = explain_end(wanted(), PROBE, ended)
    assert (cause.code, cause.failure.error_code, cause.failure.source) == codes
    assert says in cause.failure.text()
    # The report of the same failure stays the same in every run.
    assert ended.instance_id not in cause.failure.text()


@pytest.mark.parametrize(
    ("code", "reason", "ends"),
    [
        (None, None, "(wait_timeout)."),
        ("pending", "pending", "(wait_timeout)."),
        ("Server.InternalError", "It is slow", "(wait_timeout): It is slow"),
    ],
)
def test_an_instance_that_stays_pending_is_named(code: str | None, reason: str | None, ends: str) -> None:
    cause = explain_end(wanted(), PROBE, Instance("i-slow", "pending", reason_code=code, reason=reason))
    failure = cause.failure
    assert (cause.code, failure.error_code, failure.source) == (
        *("instance_pending", "instance_pending", "collection"),
    )
    assert failure.message.startswith(f"The instance i-slow of {PROBE.image_id} is still pending after 300 s")
    assert failure.message.endswith(ends)
    read = f"aws ec2 describe-instances --region {REGION}"
    assert f"{read} --instance-ids i-slow. " in failure.remedy
    assert f"{read} --filters Name=tag-key,Values=golden.images:probe." in failure.remedy


@pytest.mark.parametrize(
    ("error_code", "code"),
    [
        ("UnauthorizedOperation", "launch_denied"),
        ("InsufficientInstanceCapacity", "launch_failed"),
        ("ConnectionClosedError", "launch_failed"),
    ],
)
def test_why_a_launch_is_not_accepted(error_code: str, code: str) -> None:
    failure = Failure("No.", "Ask.", error_code, "RunInstances", REGION, CONSUMER)
    assert explain_refusal(failure) == Cause(code, failure)


def test_a_launch_that_is_denied_may_need_tags() -> None:
    denied = "You may not, with an explicit deny in a service control policy."
    failure = Failure(denied, "Ask.", "UnauthorizedOperation", "RunInstances", REGION, CONSUMER)
    cause = explain_refusal(failure)
    assert (cause.code, cause.failure.message) == ("launch_denied", denied)
    assert cause.failure.remedy == "Ask. If it requires tags of launches, set launch_tags."


NO_PERMISSION = Failure("Not authorized for images: [ami-1]", "Ask.", "AuthFailure", "RunInstances")
NO_IMAGE = Failure("The image id does not exist", "Ask.", "InvalidAMIID.NotFound", "RunInstances")


@pytest.mark.parametrize(
    ("code", "failure", "soon", "later"),
    [
        ("key_not_usable", Failure("No.", "Ask.", "Client.InternalError", "RunInstances"), True, True),
        ("missing_launch_permission", NO_PERMISSION, True, False),
        ("launch_failed", NO_IMAGE, True, False),
        ("launch_failed", Failure("No.", "Ask.", "AuthFailure", "RunInstances"), False, False),
        ("instance_terminated", Failure("No.", "Ask.", "Any", "RunInstances"), False, False),
        ("instance_pending", Failure("No.", "Ask.", "Any", "RunInstances"), False, False),
    ],
)
def test_a_launch_may_succeed_later_with_a_new_grant_or_sooner_with_a_new_permission(
    code: str, failure: Failure, soon: bool, later: bool
) -> None:
    cause = Cause(code, failure)
    assert [may_succeed_later(cause, waited, 30.0) for waited in (29.0, 30.0)] == [soon, later]
    assert not may_succeed_later(None, 0.0, 30.0)


def test_an_image_without_launch_permission_is_named_as_such() -> None:
    """(Orange-Cyberdefense/GOAD#304, hashicorp/otto#68.)"""
    assert explain_refusal(NO_PERMISSION).code == "missing_launch_permission"
    assert explain_refusal(NO_IMAGE).code == "launch_failed"
