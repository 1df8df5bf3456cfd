# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures of twenty regions and of an audit with many findings: no line that no one can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulated_aws.client import SimulatedAws
from tests.benchmark import distribution
from tests.benchmark.fixtures import OTHER_REGIONS, OWNER, consumers

from .playbook import Ansible, Run

pytestmark = pytest.mark.every_python

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
    aws.add_fault("error", action=action, times=0, code="InternalFailure", status=400)
    run = distribute(aws, tmp_path, distribute_publish_parameter="/golden/web")
    assert run.code != 0
    assert f"InternalFailure of {action}" in run.text
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
