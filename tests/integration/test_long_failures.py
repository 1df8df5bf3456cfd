# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures of twenty regions, of an audit with many findings, of a remediation of many accounts, and of many
variables: no line that a person cannot read."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulated_aws.client import SimulatedAws
from tests.benchmark import distribution
from tests.benchmark.fixtures import OTHER_REGIONS, OWNER, consumers

from .fixture import HOME, Fixture
from .playbook import Ansible, Run

pytestmark = pytest.mark.nightly

DEFAULT = {"ANSIBLE_STDOUT_CALLBACK": "default"}
LONGEST = 4096
CASE = distribution.Case(regions=20, accounts=12, encrypted=True)


def distribute(aws: SimulatedAws, folder: Path, **variables: object) -> Run:
    given = {**distribution.variables(aws, CASE), **variables}
    ansible = Ansible(aws.environment(OWNER), folder)
    return ansible.run("golden.images.distribute_ami", given, environment=DEFAULT)


@pytest.mark.parametrize("action", ["CopyImage", "CreateGrant", "ModifyImageAttribute", "PutParameter"])
def test_a_distribution_that_fails_everywhere_says_so_in_short_lines(
    aws: SimulatedAws, tmp_path: Path, action: str
) -> None:
    aws.add_fault("error", action=action, times=0, code="NewError", status=400)
    run = distribute(aws, tmp_path, distribute_publish_parameter="/golden/web")
    assert run.code != 0
    assert f"NewError of {action}" in run.text
    assert max(map(len, run.text.splitlines())) <= LONGEST


def test_an_audit_that_fails_says_so_in_short_lines(aws: SimulatedAws, tmp_path: Path) -> None:
    assert distribute(aws, tmp_path).code == 0
    ansible = Ansible(aws.environment(OWNER), tmp_path)
    policy = {
        "audit_regions": OTHER_REGIONS[: CASE.regions],
        "audit_allowed_account_ids": consumers(1),
        "audit_fail_on": "low",
    }
    run = ansible.run("golden.images.audit_ami_sharing", policy, environment=DEFAULT)
    assert run.code != 0
    assert max(map(len, run.text.splitlines())) <= LONGEST


def test_a_remediation_that_fails_for_many_accounts_says_why_in_short_lines(
    aws: SimulatedAws, tmp_path: Path
) -> None:
    fixture, strangers = Fixture(aws), [f"{700000000000 + number}" for number in range(400)]
    entries = [{"UserId": account} for account in strangers]
    client = aws.client("ec2", OWNER, HOME)
    client.modify_image_attribute(ImageId=fixture.image_id, LaunchPermission={"Add": entries})
    aws.add_fault("error", action="ModifyImageAttribute", times=0, code="NewError", status=400)
    policy = {
        "audit_regions": [HOME],
        "audit_allowed_account_ids": consumers(1),
        "remediate_finding_codes": ["unknown_account"],
        "remediate_max_removals": 1000,
    }
    ansible = Ansible(fixture.environment(OWNER), tmp_path)
    run = ansible.run("golden.images.remediate_ami_sharing", policy, environment=DEFAULT)
    assert run.code != 0
    assert max(map(len, run.text.splitlines())) <= LONGEST
    _tasks, end = run.text.split("Fail if access remains", 1)
    assert end.index("NewError of ModifyImageAttribute") < end.index("access of 400 principals")


def test_many_wrong_variables_are_told_in_short_lines(aws: SimulatedAws, tmp_path: Path) -> None:
    wrong: dict[str, object] = {
        "distribute_source_image_id": [1],
        "distribute_source_region": [1],
        "distribute_regions": {"a": 1},
        "distribute_account_ids": {"a": 1},
        "distribute_auto_scaling": "maybe",
        "distribute_copy_into_accounts": "maybe",
        "distribute_copy_wait_timeout": "soon",
        "distribute_purge_access": "maybe",
        "distribute_reencrypt_source": "maybe",
        "distribute_share_snapshots": "maybe",
        "distribute_unshare_after_copy": "maybe",
        "distribute_verify_level": "all",
        "distribute_kms_access_method": "any",
        "distribute_tags": "no mapping",
    }
    ansible = Ansible(Fixture(aws).environment(OWNER), tmp_path)
    run = ansible.run("golden.images.distribute_ami", wrong, environment=DEFAULT)
    assert run.code != 0
    assert all(name in run.text for name in wrong), run.text
    assert max(map(len, run.text.splitlines())) <= LONGEST


def test_many_sources_that_are_refused_are_told_in_short_lines(aws: SimulatedAws, tmp_path: Path) -> None:
    fixture = Fixture(aws)
    names = [f"image-{number}" for number in range(9)]
    given = {
        "distribute_sources": {name: {"source_parameter": f"/{'x' * 400}/{name}"} for name in names},
        "distribute_source_region": HOME,
        "distribute_regions": [HOME],
        "distribute_account_ids": consumers(1),
    }
    run = Ansible(fixture.environment(OWNER), tmp_path).run(
        "golden.images.distribute_ami", given, environment=DEFAULT
    )
    assert run.code != 0
    assert "4 more sources failed" in run.text, run.text
    assert max(map(len, run.text.splitlines())) <= LONGEST
