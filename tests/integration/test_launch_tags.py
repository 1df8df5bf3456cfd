# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags that a policy requires of launches: dry runs and probes have them, on all that a launch creates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import probing
from .fixture import HOME, OWNER, Fixture
from .playbook import Ansible

CONSUMER = "web-prod"
ROLE, EXTERNAL_ID = "golden-consumer", "golden-images"
TAGS = {"CostCenter": "0042"}
ON_ALL = {(kind, "CostCenter", "0042") for kind in ("instance", "network-interface", "volume")}
# As a service control policy of the organization does (Organizations User Guide, "Require a tag on specified
# created resources").
REQUIRED = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": "ec2:RunInstances",
            "Resource": [f"arn:aws:ec2:*:*:{kind}/*" for kind in ("instance", "volume")],
            "Condition": {"Null": {"aws:RequestTag/CostCenter": "true"}},
        },
    ],
}


@pytest.fixture
def fixture(aws: SimulatedAws) -> Fixture:
    found = Fixture(aws)
    role = {"accounts": [CONSUMER], "trusts": [OWNER], "external_id": EXTERNAL_ID, "policy": REQUIRED}
    found.add(roles={ROLE: role})
    return found


@pytest.fixture
def ansible(fixture: Fixture, tmp_path: Path) -> Ansible:
    return Ansible(fixture.environment(OWNER), tmp_path)


def _of(role: str, fixture: Fixture) -> dict[str, Any]:
    return {
        f"{role}_images": {HOME: fixture.image_id},
        f"{role}_account_ids": fixture.account_ids(CONSUMER),
        f"{role}_consumer_role_name": ROLE,
        f"{role}_external_id": EXTERNAL_ID,
    }


@pytest.mark.nightly
def test_a_launch_that_needs_tags_is_denied_without_them(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    variables = {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [HOME],
        "distribute_account_ids": fixture.account_ids(CONSUMER),
        "distribute_consumer_role_name": ROLE,
        "distribute_external_id": EXTERNAL_ID,
        "distribute_verify_level": "authorized",
    }
    denied = ansible.run("golden.images.distribute_ami", variables)
    assert denied.code != 0
    (row,) = denied.task("distribute : Write the distribution report").result["report"]["verified"]
    assert [one["code"] for one in row["findings"]] == ["launch_denied"]
    tagged = ansible.run("golden.images.distribute_ami", {**variables, "distribute_verify_launch_tags": TAGS})
    assert tagged.code == 0, tagged.text
    assert probing.tags_of_launches(aws, CONSUMER, dry=True) == ON_ALL

    aws.clear_calls()
    for tags, can_launch in ({}, "no"), (TAGS, "yes"):
        run = ansible.run(
            "golden.images.diagnose_ami", {**_of("diagnose", fixture), "diagnose_launch_tags": tags}
        )
        assert [one["can_launch"] for one in run.facts["diagnose_results"]] == [can_launch]
    assert probing.tags_of_launches(aws, CONSUMER, dry=True) == ON_ALL


def test_a_probe_has_its_own_tag_and_the_required_ones(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    aws.client("ec2", OWNER, HOME).modify_image_attribute(
        ImageId=fixture.image_id,
        LaunchPermission={"Add": [{"UserId": one} for one in fixture.account_ids(CONSUMER)]},
    )
    variables = {
        **_of("verify", fixture),
        "verify_level": "launched",
        "verify_subnet_ids": probing.subnet_ids(aws, [CONSUMER], HOME),
    }
    assert ansible.run("golden.images.verify_ami", variables).code != 0
    assert probing.instances(aws, CONSUMER, HOME) == []
    tagged = ansible.run("golden.images.verify_ami", {**variables, "verify_launch_tags": TAGS})
    assert tagged.code == 0, tagged.text
    (instance,) = probing.instances(aws, CONSUMER, HOME)
    assert sorted(tag["Key"] for tag in instance["Tags"]) == ["CostCenter", "golden.images:probe"]
    assert probing.tags_of_launches(aws, CONSUMER) >= ON_ALL


@pytest.mark.nightly
@pytest.mark.parametrize("key", ["golden.images:probe", "aws:x"])
def test_tags_that_belong_to_others_are_refused(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, key: str
) -> None:
    aws.clear_calls()
    run = ansible.run(
        "golden.images.verify_ami", {**_of("verify", fixture), "verify_launch_tags": {key: "x"}}
    )
    assert run.code != 0
    assert f"launch_tags: the key '{key}' begins with" in run.text
    assert aws.calls() == []
