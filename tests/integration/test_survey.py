# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX and Automation Controller surveys send all answers as text, and omitted answers as empty text."""

from __future__ import annotations

import json

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import CONSUMERS, HOME, OWNER, Fixture
from .playbook import Ansible

pytestmark = pytest.mark.every_python

AWAY = "eu-west-1"


def test_every_variable_can_be_text(aws: SimulatedAws, fixture: Fixture, ansible: Ansible) -> None:
    accounts = fixture.account_ids(*CONSUMERS)
    answers = {
        "distribute_source_image_id": "",
        "distribute_source_filters": json.dumps({"name": "golden-web-*"}),
        "distribute_source_owners": "self",
        "distribute_source_region": HOME,
        "distribute_regions": f"{HOME}, {AWAY}",
        "distribute_best_effort_regions": "",
        "distribute_account_ids": ", ".join(accounts),
        "distribute_org_arns": "",
        "distribute_org_unit_arns": fixture.unit_arn(),
        "distribute_name": "",
        "distribute_tags": json.dumps({"role": "web"}),
        "distribute_shared_tags": json.dumps({"version": "2026.11"}),
        "distribute_share_snapshots": "true",
        "distribute_purge_access": "false",
        "distribute_kms_key_id": "",
        "distribute_kms_key_ids": "{}",
        "distribute_kms_access_method": "auto",
        "distribute_kms_principals": "",
        "distribute_auto_scaling": "false",
        "distribute_consumer_role_name": "",
        "distribute_external_id": "",
        "distribute_copy_into_accounts": "false",
        "distribute_consumer_kms_key_id": "",
        "distribute_unshare_after_copy": "false",
        "distribute_verify_level": "",
        "distribute_verify_subnet_ids": "",
        "distribute_verify_security_group_ids": "",
        "distribute_verify_instance_type": "",
        "distribute_publish_parameter": "/golden/web",
        "distribute_launch_templates": "",
        "distribute_copy_wait_timeout": "600",
        "distribute_report_path": "",
    }
    file = ansible.folder / "survey.json"
    file.write_text(json.dumps(answers), encoding="utf-8")

    run = ansible.run("golden.images.distribute_ami", None, "--extra-vars", f"@{file}")

    assert run.code == 0, run.text
    images = run.facts["distribute_images"]
    assert sorted(images) == [AWAY, HOME]
    for region, image_id in images.items():
        launch = {*accounts, fixture.unit_arn()}
        assert observed.sharing(aws, OWNER, region, image_id) == (launch, [{*accounts}, {*accounts}])
        parameter = aws.client("ssm", OWNER, region).get_parameter(Name="/golden/web")["Parameter"]
        assert parameter["Value"] == image_id
    (copy,) = observed.own_images(aws, OWNER, AWAY)
    assert observed.tags(copy)["role"] == "web"
    assert observed.tags(copy)["ec2:SharedTag/version"] == "2026.11"


def test_an_empty_mapping_counts_as_not_set(aws: SimulatedAws, fixture: Fixture, ansible: Ansible) -> None:
    answers = {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_filters": "",
        "distribute_source_region": HOME,
        "distribute_regions": AWAY,
        "distribute_account_ids": fixture.account_ids(CONSUMERS[0])[0],
        "distribute_tags": "",
        "distribute_shared_tags": "",
        "distribute_kms_key_ids": "",
    }
    run = ansible.run("golden.images.distribute_ami", answers)
    assert run.code == 0, run.text
    (copy,) = observed.own_images(aws, OWNER, AWAY)
    accounts = {*fixture.account_ids(CONSUMERS[0])}
    assert observed.sharing(aws, OWNER, AWAY, copy["ImageId"]) == (accounts, [accounts, accounts])
    assert observed.tags(copy) == {"golden.images:source": f"{HOME}/{fixture.image_id}"}


def test_the_playbooks_share_ami_and_unshare_ami_accept_text(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    accounts = fixture.account_ids(*CONSUMERS)
    images = json.dumps({HOME: fixture.image_id})
    share = {
        "share_images": images,
        "share_account_ids": ",".join(accounts),
        "share_org_arns": "",
        "share_org_unit_arns": fixture.unit_arn(),
        "share_shared_tags": "",
        "share_snapshots": "true",
        "share_purge_launch_permissions": "false",
    }
    run = ansible.run("golden.images.share_ami", share)
    assert run.code == 0, run.text
    launch = {*accounts, fixture.unit_arn()}
    assert observed.sharing(aws, OWNER, HOME, fixture.image_id) == (launch, [{*accounts}, {*accounts}])

    unshare = {
        "unshare_images": images,
        "unshare_account_ids": accounts[0],
        "unshare_org_arns": "",
        "unshare_org_unit_arns": fixture.unit_arn(),
    }
    run = ansible.run("golden.images.unshare_ami", unshare)
    assert run.code == 0, run.text
    left = {accounts[1]}
    assert observed.sharing(aws, OWNER, HOME, fixture.image_id) == (left, [left, left])
