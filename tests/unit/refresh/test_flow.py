# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_instance_refresh`` from its options to its result."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._refresh import flow
from ansible_collections.golden.images.plugins.module_utils._refresh.apply import GroupRun, Replacement
from ansible_collections.golden.images.plugins.module_utils._refresh.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._refresh.plan import RefreshPlan, plan_group
from ansible_collections.golden.images.plugins.module_utils._refresh.state import InstanceRefresh
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG

from tests.unit.examples import CONSUMER, OWNER
from tests.unit.flow_run import FlowRun
from tests.unit.kms_grant.kms_in_memory import refused
from tests.unit.refresh.examples import (
    BAD,
    GOOD,
    HERE,
    REGION,
    fixed,
    group,
    image,
    instance,
    old_autoscaling,
    options,
)
from tests.unit.wire import Wire

AUTOSCALING = Wire("autoscaling").client


class Account:
    """The clients of every account; ``opened`` are those that were opened."""

    default_region = "us-east-1"

    def __init__(self) -> None:
        self.opened: set[tuple[str, str]] = set()

    def open(self, service: str, regions: Any) -> None:
        self.opened |= {(service, region) for region in regions}

    def client(self, service: str, region: str) -> Any:
        assert (service, region) in self.opened
        return AUTOSCALING

    def partition_of(self, _region: str) -> str:
        return "aws"

    def is_known(self, _region: str) -> bool:
        return True

    def sts(self, _region: str) -> Account:
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": OWNER, "Arn": f"arn:aws:iam::{OWNER}:user/build"}

    def with_credentials(self, _credentials: Any) -> Account:
        return self

    def credentials(self) -> None:
        return None

    def ec2(self, _region: str) -> Account:
        return self

    def role_credentials(self, *_role: Any) -> None:
        return None


GIVEN = {"images": {REGION: GOOD}, "auto_scaling_groups": ["web"], "consumer_role_name": "golden-consumer"}


def run(**changes: Any) -> FlowRun:
    return FlowRun(FLOW, {**GIVEN, "account_ids": [CONSUMER], **changes}, Account())


@pytest.fixture(autouse=True)
def groups(monkeypatch: pytest.MonkeyPatch) -> dict[Target, Any]:
    """The groups that are read, by place; an exception is raised."""
    found: dict[Target, Any] = {HERE: {"web": group()}}

    def read(clients: Account, target: Target, names: Any) -> Any:
        assert {(one, REGION) for one in ("autoscaling", "ec2", "ssm")} <= clients.opened
        assert tuple(names) == ("web",)
        if isinstance(found[target], Exception):
            raise found[target]
        return found[target]

    monkeypatch.setattr(flow, "read_groups", read)
    monkeypatch.setattr(flow.read, "image", lambda _ec2, image_id: image(image_id=image_id))
    return found


def test_a_plan_says_what_would_be_replaced() -> None:
    (found,) = FlowRun(FLOW, {**GIVEN, "account_ids": [CONSUMER]}, Account(), check_mode=True).results
    assert found == {
        "account_id": CONSUMER,
        "auto_rollback": False,
        "auto_scaling_group": "web",
        "changed": True,
        "image_id": GOOD,
        "images": {"ami-0123456789abcdef0": 1, "ami-0fedcba9876543210": 1},
        "instances_kept": [],
        "instances_to_replace": 1,
        "launch_template_version": "$Default",
        "new_launch_template_version": "$Default",
        "percentage_complete": None,
        "refresh_id": None,
        "region": REGION,
        "status": "planned",
        "status_reason": None,
    }


def test_the_result_has_what_came_of_each_group(
    monkeypatch: pytest.MonkeyPatch, groups: dict[Target, Any]
) -> None:
    """What became protected meanwhile is kept, too."""
    groups[HERE] = {"web": fixed()}
    leaving = instance("leaving", state="Terminating:Wait")
    done = group(instances=(instance("new", GOOD, 7), instance("old", is_protected=True), leaving))

    def replace_all(self: Replacement, plan: RefreshPlan) -> None:
        after = plan_group(options(scale_in_protected_instances="ignore"), HERE, done, GOOD)
        refresh = InstanceRefresh("r-1", "Successful", "Done.", 100)
        self.runs = {(HERE, "web"): GroupRun(plan.groups[0], "successful", True, refresh, after)}

    monkeypatch.setattr(Replacement, "replace_all", replace_all)
    done_run = run()
    (found,) = done_run.results
    (warning,) = done_run.outcome.warnings
    assert warning.startswith(f"{CONSUMER} {REGION}: 1 instance of group web without the image may run")
    assert (found["images"], found["instances_kept"]) == ({GOOD: 1, BAD: 1}, ["i-old"])
    assert (found["status"], found["changed"], found["auto_rollback"]) == ("successful", True, True)
    assert (found["launch_template_version"], found["new_launch_template_version"]) == ("6", "7")
    assert (found["refresh_id"], found["percentage_complete"]) == ("r-1", 100)
    assert found["status_reason"] == "Done."


def test_a_refresh_of_another_client_is_described_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def replace_all(self: Replacement, _plan: RefreshPlan) -> None:
        active = InstanceRefresh("r-1", "InProgress", rolls_back=True)
        followed = plan_group(options(), HERE, group(active=active), GOOD)
        self.runs = {(HERE, "web"): GroupRun(followed, "in_progress", refresh=active)}

    monkeypatch.setattr(Replacement, "replace_all", replace_all)
    (found,) = run().results
    assert (found["auto_rollback"], found["changed"], found["refresh_id"]) == (True, False, "r-1")


def test_nothing_is_done_for_groups_that_run_the_image(groups: dict[Target, Any]) -> None:
    groups[HERE] = {"web": group(instances=(instance("new", GOOD, 7),))}
    done = run()
    assert (done.outcome.performed, done.results[0]["status"], done.results[0]["changed"]) == (
        (),
        "unchanged",
        False,
    )


@pytest.mark.parametrize(("owner_id", "code"), [(OWNER, "image_recalled"), ("999988887777", "")])
def test_the_owner_sees_that_its_image_was_recalled(
    monkeypatch: pytest.MonkeyPatch, owner_id: str, code: str
) -> None:
    """Tags of another account's image are invisible (EC2 User Guide, Tag your Amazon EC2 resources)."""
    views = [image(owner_id=owner_id), image(owner_id=owner_id, tags={RECALLED_TAG: "now"})]
    monkeypatch.setattr(flow.read, "image", lambda *_request: views.pop(0))
    assert [one.error_code for one in run().plan.refusals] == ([code] if code else [])


def test_other_accounts_need_a_role() -> None:
    with pytest.raises(ValidationError) as caught:
        _ = run(consumer_role_name=None, account_ids=[CONSUMER, OWNER]).seen
    assert [(one.error_code, one.account_id) for one in caught.value.failures] == [
        ("missing_consumer_role", CONSUMER)
    ]


def test_the_own_account_needs_none(groups: dict[Target, Any]) -> None:
    groups[Target(OWNER, REGION)] = {"web": group()}
    assert len(run(consumer_role_name=None, account_ids=[OWNER]).plan.actions) == 1


def test_an_older_botocore_refuses_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Account, "client", lambda *_client: old_autoscaling())
    with pytest.raises(ValidationError, match=r"botocore 1\.43\.66 or newer"):
        _ = run().seen


def test_a_place_that_cannot_be_read_refuses_all(groups: dict[Target, Any]) -> None:
    groups[Target(OWNER, REGION)] = refused("AccessDenied", "DescribeAutoScalingGroups")
    with pytest.raises(ValidationError) as caught:
        _ = run(account_ids=[CONSUMER, OWNER]).seen
    assert [(one.error_code, one.account_id) for one in caught.value.failures] == [("AccessDenied", OWNER)]
