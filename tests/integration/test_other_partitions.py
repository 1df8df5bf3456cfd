# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts of other partitions than that of us-east-1, where AWS does not know their credentials."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from .fixture import HOME, OWNER, Fixture
from .in_process import Modules
from .playbook import MODULES, Ansible, Task

BEIJING = "cn-north-1"


@pytest.fixture
def ansible(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> Ansible:
    """Ansible with the credentials of an account that us-east-1 does not know, and without a region."""
    aws.update_settings(not_opted_in_regions_by_account={aws.account_id(OWNER): [HOME]})
    regions = ("AWS_REGION", "AWS_DEFAULT_REGION")
    environment = {name: value for name, value in fixture.environment(OWNER).items() if name not in regions}
    return Ansible(environment, tmp_path)


def task(modules: Modules, module: str, **arguments: Any) -> Task:
    """The result of a module in check mode."""
    run = modules.tasks(
        [{"name": "look", MODULES + module: arguments, "check_mode": True, "ignore_errors": True}]
    )
    return run.task("look")


OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "ami_cleanup": {"family_tag": "family", "keep_latest": 3, "deprecate_after_days": 0},
    "ami_share_audit": {},
    "ami_shared_info": {},
}


@pytest.mark.nightly
@pytest.mark.parametrize("module", OPTIONS)
def test_the_account_is_read_in_a_named_region(
    aws: SimulatedAws, modules: Modules, fixture: Fixture, module: str
) -> None:
    disk = {"device_name": "/dev/xvda", "size": 8}
    fixture.add_images({"beijing": {"account": OWNER, "region": BEIJING, "devices": [disk]}})
    looked = task(modules, module, regions=[BEIJING], **OPTIONS[module])
    assert looked.status != "failed", looked.result["msg"]
    assert {call.region for call in aws.calls() if "golden.images" in call.user_agent} == {BEIJING}


@pytest.mark.parametrize("module", OPTIONS)
def test_without_a_region_the_remedy_says_which_one_was_used(modules: Modules, module: str) -> None:
    looked = task(modules, module, **OPTIONS[module])
    assert looked.codes == [(None, "InvalidClientTokenId")]
    assert "No region is set, so that us-east-1 was used" in looked.result["msg"]
    assert "set region or AWS_REGION" in looked.result["msg"]


@pytest.mark.parametrize(
    "option", ["tombstone_s3_uri", pytest.param("tombstone_ssm_path", marks=pytest.mark.nightly)]
)
def test_tombstones_in_another_partition_are_refused(modules: Modules, option: str) -> None:
    place = {"tombstone_s3_uri": "s3://retired/images", "tombstone_ssm_path": "/retired"}[option]
    given = {**OPTIONS["ami_cleanup"], "deregister_after_days": 90, option: place}
    cleaned = task(modules, "ami_cleanup", regions=[BEIJING], **given)
    restored = task(modules, "ami_restore", images={BEIJING: "ami-0123456789abcdef0"}, **{option: place})
    for refused in (cleaned, restored):
        assert refused.status == "failed"
        assert f"{option}: it would be used in us-east-1" in refused.result["msg"]
        assert "Set region or AWS_REGION to a region of aws-cn" in refused.result["msg"]
