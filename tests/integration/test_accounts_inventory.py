# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin accounts: all active accounts in their groups, or none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulated_aws.client import SimulatedAws

from .credentials import without_credentials
from .fixture import Fixture
from .playbook import Ansible

MANAGEMENT, MEMBER = "management", "web-prod"
FILE = "golden_accounts.yml"
PLUGIN = {"plugin": "golden.images.accounts"}
HOSTILE = "{{ lookup('pipe', 'echo run') }}"


@pytest.fixture
def organization(aws: SimulatedAws, fixture: Fixture) -> Fixture:
    """The fixture's organization: with tags, a suspended account, and more accounts than a page holds."""
    client = aws.client("organizations", MANAGEMENT)
    for name, tags in {
        "web-prod": {"environment": "prod", "home": "eu"},
        "data-prod": {"environment": "prod", "note": HOSTILE},
        "web-staging": {"environment": "staging"},
    }.items():
        (account_id,) = fixture.account_ids(name)
        client.tag_resource(
            ResourceId=account_id, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
        )
    (suspended,) = fixture.account_ids("sandbox")
    client.close_account(AccountId=suspended)
    (root,) = client.list_roots()["Roots"]
    # Its group name would be the same as that of the unit dev in the unit nonprod.
    unit = client.create_organizational_unit(
        ParentId=fixture.unit_arn("workloads").rpartition("/")[2], Name="nonprod dev"
    )["OrganizationalUnit"]
    for number in range(25):
        made = client.create_account(AccountName=f"many-{number:02}", Email=f"many-{number:02}@example.com")
        client.move_account(
            AccountId=made["CreateAccountStatus"]["AccountId"],
            SourceParentId=root["Id"],
            DestinationParentId=unit["Id"],
        )
    aws.clear_calls()
    return fixture


class Inventory:
    """Runs ansible-inventory with an inventory file of the plugin."""

    def __init__(self, ansible: Ansible) -> None:
        self.ansible = ansible

    def write(self, **options: Any) -> Path:
        path = self.ansible.folder / FILE
        path.write_text(yaml.safe_dump({**PLUGIN, **options}), encoding="utf-8")
        return path

    def listed(self, *arguments: str, **options: Any) -> tuple[dict[str, Any], str]:
        """The output of ansible-inventory and its error output; no hosts if it fails."""
        command = ["ansible-inventory", "-i", str(self.write(**options)), "--list", *arguments]
        environment = {**self.ansible.environment, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
        done = subprocess.run(
            command, cwd=self.ansible.folder, env=environment, capture_output=True, text=True, check=False
        )
        return (json.loads(done.stdout, object_hook=_text) if done.returncode == 0 else {}), done.stderr


def _text(content: dict[str, Any]) -> Any:
    """Text without the mark that ansible-inventory adds to untrusted text."""
    return content.get("__ansible_unsafe", content)


@pytest.fixture
def inventory(organization: Fixture, tmp_path: Path) -> Inventory:
    return Inventory(Ansible(organization.environment(MANAGEMENT), tmp_path))


def hosts(listed: Mapping[str, Any], group: str) -> set[str]:
    """The hosts of a group and of its child groups."""
    content = listed.get(group, {})
    own = set(content.get("hosts", ()))
    return own.union(*(hosts(listed, child) for child in content.get("children", ())))


@pytest.mark.per_python
@pytest.mark.quick
def test_accounts_and_their_groups(aws: SimulatedAws, organization: Fixture, inventory: Inventory) -> None:
    listed, said = inventory.listed(
        keyed_groups=[{"key": "account_tags.home", "prefix": "home"}],
        compose={"golden_region": "'eu-west-1' if ou_path.startswith('/workloads/prod') else 'us-east-1'"},
        groups={"production": "golden_region == 'eu-west-1'"},
        strict=False,
    )
    assert "WARNING" not in said
    variables = listed["_meta"]["hostvars"]
    web, data, staging, dev, images, management = organization.account_ids(
        "web-prod", "data-prod", "web-staging", "data-dev", "images", "management"
    )
    many = {host for host, one in variables.items() if one["account_name"].startswith("many-")}
    assert len(many) == 25
    assert hosts(listed, "aws_accounts") == {web, data, staging, dev, images, management, *many}
    assert set(variables) == hosts(listed, "aws_accounts")
    assert hosts(listed, "ou_workloads_prod") == {web, data}
    assert hosts(listed, "ou_workloads") == {web, data, staging, dev, *many}
    assert hosts(listed, "ou_shared") == {images}
    assert hosts(listed, "ou_workloads_nonprod") == {staging, dev}
    assert not hosts(listed, "ou_workloads_nonprod_dev")
    alike = [group for group in listed if group.startswith("ou_workloads_nonprod_dev_ou_")]
    assert sorted(map(len, (hosts(listed, group) for group in alike))) == [1, 25]
    assert hosts(listed, "tag_environment_prod") == {web, data}
    assert hosts(listed, "status_active") == hosts(listed, "aws_accounts")
    assert hosts(listed, "home_eu") == {web}
    assert hosts(listed, "production") == {web, data}
    prod = organization.unit_arn("workloads/prod").rpartition("/")[2]
    assert variables[web] == {
        "account_id": web,
        "account_name": "web-prod",
        "account_tags": {"environment": "prod", "home": "eu"},
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "golden_region": "eu-west-1",
        "ou_id": prod,
        "ou_path": "/workloads/prod",
        "status": "ACTIVE",
    }
    # Each list once, each further page of it once, and the tags of each account that is listed once.
    units = 6
    calls = [call.action for call in aws.calls(service="organizations")]
    assert calls.count("ListTagsForResource") == len(variables)
    assert calls.count("ListOrganizationalUnitsForParent") == units + 1
    assert calls.count("ListAccountsForParent") == units + 1 + 2
    assert calls.count("ListRoots") == 1


def test_options_have_the_forms_of_a_modules_options(organization: Fixture, inventory: Inventory) -> None:
    listed, said = inventory.listed(statuses="suspended\npending_closure\n", hostname=None, group_by="- ou")
    assert "WARNING" not in said
    assert hosts(listed, "aws_accounts") == set(organization.account_ids("sandbox"))
    refused, said = inventory.listed(statuses=["OPEN"], hostname="email")
    assert not refused
    assert "statuses: item 1: must be one of" in said
    assert "hostname: must be one of account_id, account_name (got 'email')" in said


def test_a_play_over_accounts_reads_the_cache_and_evaluates_no_tag(
    aws: SimulatedAws, organization: Fixture, inventory: Inventory, tmp_path: Path
) -> None:
    cached = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "cache"),
    }
    aws.add_fault("error", action="ListTagsForResource", times=1, code="TooManyRequestsException", status=400)
    inventory.listed(**cached)
    assert aws.calls(service="organizations")
    aws.clear_calls()
    web, data = organization.account_ids("web-prod", "data-prod")
    play = inventory.ansible.write_play(
        [
            {
                "name": "where",
                "ansible.builtin.copy": {
                    "content": "{{ account_id }} {{ ansible_connection }} {{ account_tags.note | d('') }}",
                    "dest": str(tmp_path / "{{ inventory_hostname }}"),
                },
            },
        ],
        hosts="ou_workloads_prod",
    )
    run = inventory.ansible.run(play, None, "-i", str(tmp_path / FILE))
    assert run.code == 0, run.text
    assert (tmp_path / web).read_text(encoding="utf-8") == f"{web} local "
    assert (tmp_path / data).read_text(encoding="utf-8") == f"{data} local {HOSTILE}"
    assert "reserved name" not in run.text
    assert aws.calls(service="organizations") == []

    # Other options than the cached ones are read again.
    other, _said = inventory.listed(
        **cached, statuses=["SUSPENDED"], include_email=True, hostname="account_name"
    )
    (suspended,) = organization.account_ids("sandbox")
    assert set(other["_meta"]["hostvars"]) == {"sandbox"}
    assert other["_meta"]["hostvars"]["sandbox"]["account_id"] == suspended
    assert other["_meta"]["hostvars"]["sandbox"]["email"] == "sandbox@example.com"


def test_a_cache_is_that_of_its_credentials_and_needs_no_role(
    aws: SimulatedAws, organization: Fixture, inventory: Inventory, tmp_path: Path
) -> None:
    roles = {"lister": {"accounts": [MANAGEMENT], "trusts": [MEMBER]}}
    role = organization.add(roles=roles)["roles"]["lister"][MANAGEMENT]
    cached = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "cache"),
        "include_tags": False,
        "group_by": ["status"],
    }
    member = Inventory(Ansible(organization.environment(MEMBER), tmp_path))
    listed, _said = member.listed(**cached, assume_role_arn=role)
    assert hosts(listed, "aws_accounts")
    aws.clear_calls()
    again, _said = member.listed(**cached, assume_role_arn=role)
    assert (again, aws.calls()) == (listed, [])
    # Without the role, these credentials can list no account: the cached ones are not theirs.
    other, _said = member.listed(**cached)
    assert other == {}
    of_manager, _said = inventory.listed(**cached)
    assert hosts(of_manager, "aws_accounts")
    assert aws.calls(service="organizations")


def test_all_accounts_or_none_also_with_a_role(
    aws: SimulatedAws, organization: Fixture, inventory: Inventory
) -> None:
    refusal = {"code": "AccessDeniedException", "message": "Not these tags", "status": 400}
    aws.add_fault("error", action="ListTagsForResource", after=3, times=1, **refusal)
    listed, said = inventory.listed()
    assert listed == {}
    assert "Allow organizations:ListTagsForResource in the IAM policy" in " ".join(said.split())

    member = Inventory(Ansible(organization.environment(MEMBER), inventory.ansible.folder))
    listed, said = member.listed()
    assert listed == {}
    assert "Only the management account and delegated administrators" in " ".join(said.split())

    roles = {"lister": {"accounts": [MANAGEMENT], "trusts": [MEMBER]}}
    role = organization.add(roles=roles)["roles"]["lister"][MANAGEMENT]
    listed, _said = member.listed(assume_role_arn=role, include_tags=False, group_by=[])
    assert set(organization.account_ids(MEMBER, MANAGEMENT)) < hosts(listed, "aws_accounts")
    assert set(listed) <= {"_meta", "all", "aws_accounts", "ungrouped"}


@pytest.mark.nightly
@pytest.mark.parametrize("operation", ["AssumeRole", "ListRoots"])
@pytest.mark.parametrize("status", [200, 403])
def test_a_web_page_is_no_answer(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, operation: str, status: int
) -> None:
    (member,) = fixture.account_ids(MEMBER)
    role = {"assume_role_arn": f"arn:aws:iam::{member}:role/list"} if operation == "AssumeRole" else {}
    aws.add_fault("page", action=operation, times=0, status=status)
    found, errors = Inventory(ansible).listed(**role)
    assert not found
    told = " ".join(errors.split())
    assert f"The response of {aws.url} to {operation} is a web page with the HTTP status {status}" in told
    assert "Check the network, the proxy and endpoint_url" in told


def test_credentials_that_cannot_be_read_are_named(ansible: Ansible) -> None:
    found, errors = Inventory(Ansible(without_credentials(ansible), ansible.folder)).listed()
    assert not found
    told = " ".join(errors.split())
    assert "The credentials or settings cannot be read: [Errno 2] No such file or directory" in told
    assert "Check profile or AWS_PROFILE" in told
