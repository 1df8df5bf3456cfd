# SPDX-License-Identifier: GPL-3.0-or-later

"""A check is made before each attempt that AWS gets, also before those that botocore repeats."""

from __future__ import annotations

from functools import partial
from typing import Any

import boto3
import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.each_attempt import (
    before_each_attempt,
    check_attempts,
)
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.retries.bucket import TokenBucket

from tests.unit.sending import refuse_twice, sends


class Stop(Exception):
    """What the check found."""


def client(mode: str) -> Any:
    made = boto3.client(
        "ec2",
        region_name="eu-west-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="not-a-secret",
        config=Config(retries={"mode": mode, "total_max_attempts": 3}),  # type: ignore[arg-type]
    )
    check_attempts(made, "DeregisterImage")
    return made


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
def test_before_each_attempt_after_what_delays_it(mode: str) -> None:
    order: list[str] = []
    ec2 = client(mode)
    # A rate limit may be registered later.
    ec2.meta.events.register("request-created.ec2.DeregisterImage", lambda **_event: order.append("delayed"))
    sends(ec2, "DeregisterImage", refuse_twice(), lambda: order.append("sent"))
    with before_each_attempt(lambda: order.append("checked")):
        ec2.deregister_image(ImageId="ami-1")
    assert order == ["delayed", "checked", "checked", "sent"] * 3


def test_also_after_the_wait_of_botocores_adaptive_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """It limits the rate once AWS has throttled an attempt."""
    order: list[str] = []
    monkeypatch.setattr(TokenBucket, "acquire", lambda *_all, **_options: order.append("limited"))
    ec2 = client("adaptive")
    sends(ec2, "DeregisterImage", refuse_twice(), lambda: order.append("sent"))
    with before_each_attempt(lambda: order.append("checked")):
        ec2.deregister_image(ImageId="ami-1")
    limited = ["checked", "limited", "checked", "sent"]
    assert order == ["checked", "checked", "sent", *limited, *limited]


def test_two_operations_of_a_client_are_both_checked() -> None:
    order: list[str] = []
    ec2 = client("standard")
    check_attempts(ec2, "DisableImage")
    for operation in ("DeregisterImage", "DisableImage"):
        sends(ec2, operation, iter([200]), partial(order.append, operation))
    with before_each_attempt(lambda: order.append("checked")):
        ec2.disable_image(ImageId="ami-1")
        ec2.deregister_image(ImageId="ami-1")
    assert order == ["checked", "checked", "DisableImage", "checked", "checked", "DeregisterImage"]


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
@pytest.mark.parametrize("sent", [0, 1, 2])
def test_what_the_check_raises_ends_the_call_before_the_attempt(mode: str, sent: int) -> None:
    order: list[str] = []
    ec2 = client(mode)
    sends(ec2, "DeregisterImage", refuse_twice(), lambda: order.append("sent"))

    def check() -> None:
        if len(order) == sent:
            raise Stop

    with pytest.raises(Stop), before_each_attempt(check):
        ec2.deregister_image(ImageId="ami-1")
    assert order == ["sent"] * sent


def test_other_calls_and_calls_outside_are_not_checked() -> None:
    ec2 = client("standard")
    check_attempts(ec2, "DeregisterImage")
    for operation in ("DeregisterImage", "DisableImage"):
        sends(ec2, operation, iter([200, 200]))
    checks: list[str] = []
    with before_each_attempt(lambda: checks.append("checked")):
        ec2.disable_image(ImageId="ami-1")
        # Though it was registered twice.
        ec2.deregister_image(ImageId="ami-1")
    ec2.deregister_image(ImageId="ami-1")
    assert checks == ["checked"] * 2


def test_a_call_that_aws_refuses_to_the_end_is_refused() -> None:
    ec2 = client("standard")
    sends(ec2, "DeregisterImage", iter([503] * 3))
    with pytest.raises(ClientError, match="RequestLimitExceeded"), before_each_attempt(lambda: None):
        ec2.deregister_image(ImageId="ami-1")
