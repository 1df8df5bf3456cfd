# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_share_audit``, and the result for regions that it may not read."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.audit import flow
from ansible_collections.golden.images.plugins.module_utils.audit.plan import plan
from ansible_collections.golden.images.plugins.module_utils.audit.state import AuditSeen, AuditWanted, Rule
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.finding import Severity
from ansible_collections.golden.images.plugins.module_utils.model import Sharing
from ansible_collections.golden.images.plugins.module_utils.runner import Outcome
from ansible_collections.golden.images.plugins.modules.ami_share_audit import ARGUMENT_SPEC

from tests.unit.examples import CONSUMER, ORG, OWNER, SOURCE_ID, STRANGER, UNIT, as_read
from tests.unit.wire import Wire

HERE = "eu-west-1"
IMAGES = {
    "Owners": ["self"],
    "Filters": [],
    "IncludeDeprecated": True,
    "IncludeDisabled": True,
    "MaxResults": 100,
}


def params(**changes: Any) -> dict[str, Any]:
    """The parameters of a task without options."""
    return as_read(ARGUMENT_SPEC, {"region": None, **changes})


def rule(**changes: Any) -> dict[str, Any]:
    """A rule with Ansible's defaults."""
    return {
        **{name: spec.get("default") for name, spec in ARGUMENT_SPEC["rules"]["options"].items()},
        **changes,
    }


def test_a_plain_task() -> None:
    assert flow.wanted_from(params(), False) == AuditWanted()


def test_every_option_reaches_the_planner() -> None:
    given = params(
        regions=[HERE, HERE],
        allowed_account_ids=[CONSUMER],
        allowed_org_arns=[ORG],
        allowed_org_unit_arns=[UNIT],
        rules=[
            rule(name_pattern="edge-*", account_ids=[STRANGER], org_arns=[ORG], org_unit_arns=[UNIT]),
            rule(tags={"audience": "all", "level": 7, "empty": None}, public=True),
        ],
        fail_on="medium",
        check_snapshots=False,
        check_keys=False,
    )
    assert flow.wanted_from(given, True) == AuditWanted(
        regions=(HERE,),
        allowed=Sharing(frozenset({CONSUMER}), frozenset({ORG}), frozenset({UNIT})),
        rules=(
            Rule(Sharing(frozenset({STRANGER}), frozenset({ORG}), frozenset({UNIT})), "edge-*"),
            Rule(Sharing(public=True), None, {"audience": "all", "level": "7", "empty": ""}),
        ),
        fail_on=Severity.MEDIUM,
        check_snapshots=False,
        check_keys=False,
    )


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        pytest.param({"allowed_account_ids": [12345678901]}, ["allowed_account_ids"], id="a number"),
        pytest.param({"allowed_org_arns": ["o-a1b2c3d4e5"]}, ["allowed_org_arns"], id="not a full ARN"),
        pytest.param({"allowed_org_unit_arns": [ORG]}, ["allowed_org_unit_arns"], id="not a unit"),
        pytest.param(
            {"rules": [rule(account_ids=[CONSUMER])]},
            ["rules[0].name_pattern"],
            id="a rule without conditions",
        ),
        pytest.param(
            {"rules": [rule(name_pattern="a"), rule(name_pattern=" ", account_ids=["1"], org_arns=[1.1])]},
            ["rules", "rules"],
            id="two unreadable values in a rule",
        ),
        pytest.param(
            {"rules": [rule(name_pattern="a"), rule(name_pattern=" ", org_arns=["x"])]},
            ["rules[1].name_pattern", "rules[1].org_arns"],
            id="two invalid values in a rule",
        ),
    ],
)
def test_invalid_options_are_refused(changes: dict[str, Any], options: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        flow.wanted_from(params(**changes), False)
    assert sorted(item.action for item in refused.value.failures) == options
    assert all(item.message.startswith(item.action) for item in refused.value.failures)


class Paced:
    """A client whose permissions are read by other threads, at any time while the rest is read in order."""

    def __init__(self, ec2: Wire, permissions: Wire) -> None:
        self._ec2, self._permissions = ec2, permissions

    def __getattr__(self, name: str) -> Any:
        wire = self._permissions if name == "describe_image_attribute" else self._ec2
        return getattr(wire.client, name)


def read(wanted: AuditWanted, ec2: Wire, permissions: Wire | None = None) -> AuditSeen:
    """The state of a region, read through these clients."""
    arn = f"arn:aws:iam::{OWNER}:user/me"
    sts, permissions = Wire("sts"), permissions or Wire("ec2")
    sts.expect("get_caller_identity", {}, {"UserId": "u", "Account": OWNER, "Arn": arn})
    client = Paced(ec2, permissions)
    paced = SimpleNamespace(open=lambda _service, _regions: None, ec2=lambda _region: client)
    clients = SimpleNamespace(
        default_region=HERE,
        partition_of=lambda region: "aws" if region == HERE else None,
        open=lambda _service, _regions: None,
        sts=lambda _region: sts.client,
        ec2=lambda _region: ec2.client,
        paced=lambda _action: paced,
    )
    with sts.spoken(), ec2.spoken(), permissions.spoken():
        return flow.read_state(clients, wanted)  # type: ignore[arg-type]


@pytest.fixture
def ec2() -> Wire:
    """An account that has one region."""
    wire = Wire("ec2")
    regions = [{"RegionName": HERE, "OptInStatus": "opt-in-not-required"}]
    wire.expect("describe_regions", {"AllRegions": True}, {"Regions": regions})
    return wire


def test_permissions_are_read_by_paced_clients(ec2: Wire) -> None:
    image = {"ImageId": SOURCE_ID, "OwnerId": OWNER, "State": "available", "Name": "golden"}
    ec2.expect("describe_images", IMAGES, {"Images": [image]})
    own = {"OwnerIds": ["self"], "MaxResults": 1000}
    filters = [{"Name": "description", "Values": ["Created by CreateImage(*", "Copied for DestinationAmi *"]}]
    ec2.expect("get_image_block_public_access_state", {}, {"ImageBlockPublicAccessState": "unblocked"})
    ec2.expect("get_snapshot_block_public_access_state", {}, {"State": "block-new-sharing"})
    ec2.expect("describe_snapshots", {**own, "RestorableByUserIds": ["all"]}, {"Snapshots": []})
    ec2.expect("describe_snapshots", {**own, "Filters": filters}, {"Snapshots": []})
    permissions = Wire("ec2")
    permissions.expect(
        "describe_image_attribute",
        {"ImageId": SOURCE_ID, "Attribute": "launchPermission"},
        {"LaunchPermissions": [{"UserId": CONSUMER}]},
    )
    wanted = AuditWanted(fail_on=Severity.HIGH)
    seen = read(wanted, ec2, permissions)
    plan = flow.FLOW.plan(wanted, seen)
    told = flow.result(wanted, seen, plan, Outcome())
    assert [item.error_code for item in plan.failures] == ["unknown_account"]
    assert [(item["code"], item["principal"]) for item in told["findings"]] == [("unknown_account", CONSUMER)]
    assert told["unused_snapshots"] == []
    assert told["account_id"] == OWNER
    assert told["regions"][HERE]["image_block_public_access"] == "unblocked"
    assert [item["sharing"]["account_ids"] for item in told["results"]] == [[CONSUMER]]


def test_a_region_that_cannot_be_read_fails_the_task(ec2: Wire) -> None:
    ec2.refuse("describe_images", IMAGES, "UnauthorizedOperation")
    seen = read(AuditWanted(), ec2)
    plan = flow.FLOW.plan(AuditWanted(), seen)
    (failed,) = plan.failures
    assert (failed.region, failed.error_code) == (HERE, "UnauthorizedOperation")
    assert [item.code for item in plan.findings] == ["region_unreadable"]


def test_an_unknown_region_is_refused(ec2: Wire) -> None:
    with pytest.raises(Refused, match="no region 'eu-west-9'"):
        read(AuditWanted(regions=("eu-west-9",)), ec2)


def test_nothing_is_applied() -> None:
    audited = AuditSeen(OWNER, datetime(2026, 11, 26, tzinfo=UTC))
    planned = plan(AuditWanted(), audited)
    assert flow.FLOW.apply(None, AuditWanted(), audited, planned, print) == Outcome()
    assert flow.FLOW.only_reads
