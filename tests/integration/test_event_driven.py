# SPDX-License-Identifier: GPL-3.0-or-later

"""What rules of the rulebook run, without ansible-rulebook, with the policy of docs/event-driven.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jinja2
import pytest
import yaml

from simulated_aws.client import SimulatedAws

from . import observed, trail
from .fixture import HOME, OWNER, STRANGER, Fixture
from .playbook import CHECKOUT, Ansible, Run

RULEBOOK = CHECKOUT / "extensions" / "eda" / "rulebooks" / "ami_sharing.yml"
PAGE = CHECKOUT / "docs" / "event-driven.md"


def respond(ansible: Ansible, name: str, record: Mapping[str, Any]) -> Run:
    """Run the playbook of a rule for the event of a record."""
    (rulebook,) = yaml.safe_load(RULEBOOK.read_text("utf-8"))
    (rule,) = (one for one in rulebook["rules"] if one["name"] == name)
    action = rule["action"]["run_playbook"]
    (policy,) = re.findall(r"```yaml\n( *# policy.yml\n.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
    (ansible.folder / "policy.yml").write_text(policy, encoding="utf-8")
    variables = _rendered(action["extra_vars"], {"event": {"body": trail.event(record)}})
    return ansible.run(action["name"], variables, "--inventory", "policy.yml")


def _rendered(value: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _rendered(one, variables) for key, one in value.items()}
    if isinstance(value, list):
        return [_rendered(one, variables) for one in value]
    return jinja2.Template(value).render(variables)


@pytest.fixture
def samples() -> dict[str, dict[str, Any]]:
    """The sample records."""
    return dict(trail.records())


def test_the_policy_of_the_page_has_room_for_an_image_that_many_accounts_can_use(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, samples: dict[str, dict[str, Any]]
) -> None:
    strangers = {f"stranger-{number}": f"3000000000{number}" for number in range(10, 21)}
    fixture.add(strangers)
    ec2, image_id = aws.client("ec2", OWNER, HOME), fixture.image_id
    shared = {"Add": [{"UserId": account} for account in strangers.values()]}
    ec2.modify_image_attribute(ImageId=image_id, LaunchPermission=shared)
    snapshots = observed.snapshot_ids(observed.image(aws, OWNER, HOME, image_id))
    for snapshot in snapshots:
        ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission=shared)
    record = samples["image-add-account"]
    record["requestParameters"]["imageId"] = image_id

    run = respond(ansible, "An image was shared", record)

    assert run.code == 0, run.text
    assert observed.launch_permissions(aws, OWNER, HOME, image_id) == set()
    assert [observed.volume_permissions(aws, OWNER, HOME, one) for one in snapshots] == [set(), set()]


def test_an_event_without_parameters_removes_what_is_not_allowed_in_the_region(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, samples: dict[str, dict[str, Any]]
) -> None:
    stranger = fixture.account_ids(STRANGER)
    ec2, image_id = aws.client("ec2", OWNER, HOME), fixture.image_id
    shared = {"Add": [{"UserId": account} for account in stranger]}
    ec2.modify_image_attribute(ImageId=image_id, LaunchPermission=shared)
    snapshots = observed.snapshot_ids(observed.image(aws, OWNER, HOME, image_id))
    ec2.modify_snapshot_attribute(SnapshotId=snapshots[0], CreateVolumePermission=shared)

    run = respond(
        ansible,
        "An image or a snapshot was shared, in a record without parameters",
        samples["image-add-omitted"],
    )

    assert run.code == 0, run.text
    assert observed.launch_permissions(aws, OWNER, HOME, image_id) == set()
    assert observed.volume_permissions(aws, OWNER, HOME, snapshots[0]) == set()


def test_snapshots_that_reads_still_show_as_hidden_do_not_become_public(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, samples: dict[str, dict[str, Any]]
) -> None:
    ec2 = aws.client("ec2", OWNER, HOME)
    (snapshot, *_others) = observed.snapshot_ids(observed.image(aws, OWNER, HOME, fixture.image_id))
    ec2.disable_snapshot_block_public_access()
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
    )
    # What is read as long as the change of the event is not visible.
    ec2.enable_snapshot_block_public_access(State="block-all-sharing")

    run = respond(
        ansible, "Block public access for snapshots was changed", samples["snapshot-block-disabled"]
    )

    assert run.code == 0, run.text
    assert observed.volume_permissions(aws, OWNER, HOME, snapshot) == set()
