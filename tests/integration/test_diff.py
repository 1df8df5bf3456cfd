# SPDX-License-Identifier: GPL-3.0-or-later

"""The diff of a playbook: what is the same in twenty regions is one line, and the states are returned.

That of a loop's item is displayed, too.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulated_aws.client import SimulatedAws
from tests.benchmark import distribution
from tests.benchmark.fixtures import OWNER

from .fixture import HOME, STRANGER, Fixture
from .playbook import MODULES, Ansible

FQCN = "golden.images.distribute_ami"
DEFAULT = {"ANSIBLE_STDOUT_CALLBACK": "default"}
REGIONS, ACCOUNTS, MOST_ROWS, WIDTH = 20, 12, 40, 80
# A change after its regions, however they are named, or what follows of a long one.
ROW = re.compile(r"\S.*: [+~-] | {4}\S")


@pytest.mark.nightly
@pytest.mark.parametrize("method", ["grant", "key_policy"])
def test_a_distribution_to_many_regions_and_accounts_is_few_rows(
    aws: SimulatedAws, tmp_path: Path, method: str
) -> None:
    case = distribution.Case(regions=REGIONS, accounts=ACCOUNTS, encrypted=True)
    variables = {**distribution.variables(aws, case), "distribute_kms_access_method": method}
    ansible = Ansible(aws.environment(OWNER), tmp_path)
    planned = ansible.run(FQCN, variables, "--check", "--diff", environment=DEFAULT)
    assert planned.code == 0, planned.text
    rows = [row for row in planned.stdout.splitlines() if ROW.match(row)]
    assert f"{REGIONS} regions: + launch permission for {ACCOUNTS} accounts" in rows
    assert len(rows) <= MOST_ROWS, rows
    assert max(map(len, rows)) <= WIDTH
    done = ansible.run(FQCN, variables, "--diff")
    assert done.code == 0, done.text
    shared = done.task("Share the copies").result["diff"]
    assert f"{REGIONS} regions: + launch permission for {ACCOUNTS} accounts\n" in shared["prepared"]
    assert len(shared["state_after"]["images"]) == REGIONS
    (permitted,) = shared["state_after"]["launch_permissions"]
    assert len(permitted["regions"]) == REGIONS
    assert len(permitted["account_ids"]) == ACCOUNTS
    assert "diff" not in done.task("Write the distribution report").result


def test_the_diff_of_a_loop_is_displayed_once(fixture: Fixture, ansible: Ansible) -> None:
    share = {"images": {HOME: fixture.image_id}, "account_ids": ["{{ item }}"], "share_snapshots": False}
    (stranger,) = fixture.account_ids(STRANGER)
    task = {"name": "Share", MODULES + "ami_share": share, "loop": [stranger]}
    run = ansible.run(ansible.write_play([task]), None, "--check", "--diff", environment=DEFAULT)
    assert run.code == 0, run.text
    shown = run.stdout.splitlines()
    assert shown.count(f"{HOME}: + launch permission on {fixture.image_id} for {stranger}") == 1
    assert f"changed: [localhost] => (item={stranger})" in shown
