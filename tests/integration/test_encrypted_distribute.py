# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook distribute_ami.yml with an encrypted image, judged by who can launch what it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import encrypted, observed
from .encrypted import ALIAS, DISTRIBUTE, EXTERNAL_ID, NO_KEY, ROLE, EncryptedFixture, root
from .fixture import HOME, OWNER, STRANGER
from .in_process import Modules
from .playbook import MODULES, Ansible, prediction_error

AWAY = "eu-west-1"
REGIONS = [HOME, AWAY, "us-west-2"]
NAMED = ("web-prod", "web-staging")
BY_UNIT = "data-prod"
# Outside the organization, beside the unit that is named, and below another one.
UNNAMED = ("outsider", STRANGER, "sandbox", "data-dev")


@pytest.fixture
def fixture(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted image."""
    return EncryptedFixture(aws)


@pytest.fixture
def variables(fixture: EncryptedFixture) -> dict[str, Any]:
    """A distribution to two other regions, two accounts and a unit."""
    return {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": REGIONS,
        "distribute_kms_key_id": ALIAS,
        "distribute_account_ids": fixture.account_ids(*NAMED),
        "distribute_org_unit_arns": [fixture.unit_arn()],
    }


def test_what_kms_refuses_to_one_account_keeps_the_image_from_no_other(
    aws: SimulatedAws,
    fixture: EncryptedFixture,
    ansible: Ansible,
    variables: dict[str, Any],
    tmp_path: Path,
) -> None:
    prod, staging = fixture.account_ids(*NAMED)
    unknown = "888888888888"
    # An account in which Auto Scaling was never used.
    aws.client("iam", "web-staging").delete_role(RoleName="AWSServiceRoleForAutoScaling")
    # An external ID that is also an ID in the results, by which the role decides, is hidden in none of these.
    for account in NAMED:
        _ask_for_external_id(aws, account, unknown)
    done = ansible.run(
        DISTRIBUTE,
        {
            **variables,
            "distribute_account_ids": [prod, staging, unknown],
            "distribute_auto_scaling": True,
            "distribute_consumer_role_name": ROLE,
            "distribute_external_id": unknown,
            "distribute_report_dir": str(tmp_path / "report"),
        },
    )
    assert done.code != 0
    # The two others and the unit.
    page = (tmp_path / "report" / "latest.html").read_text(encoding="utf-8")
    assert "shared with all 4 consumers in 0 of 3 regions" in page
    assert page.count("shared with 3 of 4 consumers.") == len(REGIONS)
    assert "iam create-service-linked-role" in done.text
    assert f"AWS rejected {unknown}" in done.text
    images = done.facts["distribute_images"]
    assert sorted(images) == sorted(REGIONS)
    for region, image_id in images.items():
        for account in (*NAMED, BY_UNIT):
            assert encrypted.launched(aws, account, region, image_id) == "running", (account, region)
        permitted = {prod, staging, fixture.unit_arn()}
        assert observed.launch_permissions(aws, OWNER, region, image_id) == permitted


def test_a_purge_for_one_image_leaves_the_key_to_accounts_of_another(
    aws: SimulatedAws,
    fixture: EncryptedFixture,
    ansible: Ansible,
    modules: Modules,
    variables: dict[str, Any],
) -> None:
    prod, staging = fixture.account_ids(*NAMED)
    key, ec2 = fixture.key(HOME), aws.client("ec2", OWNER, HOME)
    other = ec2.copy_image(
        Name="golden-other", SourceImageId=fixture.image_id, SourceRegion=HOME, Encrypted=True, KmsKeyId=ALIAS
    )["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[other], WaiterConfig={"Delay": 1})
    to_prod = {"images": {HOME: fixture.image_id}, "account_ids": [prod]}
    to_staging = {"images": {HOME: other}, "account_ids": [staging]}
    distribution = {
        **variables,
        "distribute_source_image_id": other,
        "distribute_regions": [HOME],
        "distribute_account_ids": [staging],
        "distribute_org_unit_arns": [],
        "distribute_purge_access": True,
    }
    run = ansible.tasks(
        [
            {"name": "grant", MODULES + "ami_kms_grant": to_prod},
            {"name": "share", MODULES + "ami_share": to_prod},
            {
                "name": "distribute the other",
                "ansible.builtin.include_role": {"name": "golden.images.distribute"},
                "vars": distribution,
            },
        ]
    )
    assert run.code == 0, run.text
    for account, image_id in zip(NAMED, (fixture.image_id, other), strict=True):
        assert encrypted.launched(aws, account, HOME, image_id) == "running", account
    assert encrypted.grantees(aws, key) == [root(prod), root(staging)]

    # By default, volumes of a shared image are under the launching account's own key.
    launched = aws.client("ec2", NAMED[0], HOME).run_instances(
        ImageId=fixture.image_id,
        MinCount=1,
        MaxCount=1,
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "KmsKeyId": key}}],
    )["Instances"][0]["InstanceId"]
    revoke = {"kms_key_ids": {HOME: key}, "account_ids": [prod], "state": "absent"}
    purge = {**to_staging, "purge_grants": True}
    with_role = {**purge, "consumer_role_name": ROLE, "external_id": EXTERNAL_ID}
    run = encrypted.steps(
        modules,
        {
            "still shared": ("ami_kms_grant", revoke),
            "unshare": ("ami_share", {**to_prod, "state": "absent"}),
            "purge with a role": ("ami_kms_grant", with_role),
        },
    )
    assert run.changed == ["unshare", "purge with a role"], run.text
    assert f"is kept for {prod}" in encrypted.warnings(run, "still shared")
    (kept,) = run.task("still shared").result["kept_access"]
    assert kept["principals"] == [prod]
    assert [one["image_ids"] for one in kept["kms_keys"]] == [[fixture.image_id]]
    assert f"is revoked for {prod}" in encrypted.warnings(run, "purge with a role")
    (named,) = run.task("purge with a role").result["results"][0]["kms_keys"][0]["dependents"]
    assert named["account_id"] == prod
    volumes = aws.client("ec2", NAMED[0], HOME).describe_volumes(VolumeIds=named["resource_ids"])["Volumes"]
    assert [
        (one["KmsKeyId"], one["Attachments"][0]["InstanceId"], one["Attachments"][0]["Device"])
        for one in volumes
    ] == [(key, launched, "/dev/xvda")]
    assert encrypted.grantees(aws, key) == [root(staging)]


@pytest.mark.quick
def test_only_the_named_consumers_can_launch_in_every_region(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    aws.update_settings(copy_seconds=2)
    planned = ansible.run(DISTRIBUTE, variables, "--check", "--diff")
    assert planned.code == 0, planned.text
    # Access that an earlier task plans is there when the image is shared.
    assert "cannot use the key" not in planned.text
    assert encrypted.changes(aws, refused=True) == []

    done = ansible.run(DISTRIBUTE, variables)
    assert done.code == 0, done.text
    assert prediction_error(planned.actions, done.actions) == ""
    assert encrypted.changes(aws) == done.actions
    images = done.facts["distribute_images"]
    assert sorted(images) == sorted(REGIONS)
    for region, image_id in images.items():
        assert encrypted.keys_of(aws, OWNER, region, image_id) == {fixture.key(region)}
        assert encrypted.grantees(aws, fixture.key(region)) == [
            root(account) for account in sorted(fixture.account_ids(*NAMED))
        ]

    aws.clear_calls()
    repeated = ansible.run(DISTRIBUTE, variables)
    assert (repeated.code, repeated.changed, repeated.actions) == (0, [], []), repeated.text
    assert encrypted.changes(aws, refused=True) == []
    assert repeated.facts["distribute_images"] == images

    for region, image_id in images.items():
        for account in (*NAMED, BY_UNIT):
            assert encrypted.launched(aws, account, region, image_id) == "running", (account, region)
        for account in UNNAMED:
            assert encrypted.launched(aws, account, region, image_id) == "AuthFailure"
        _assert_no_key_access(aws, fixture.key(region), region)
        # Even with a launch permission that was added outside of this collection.
        ids = fixture.account_ids(*UNNAMED)
        owner = aws.client("ec2", OWNER, region)
        owner.modify_image_attribute(ImageId=image_id, OperationType="add", UserIds=ids)
        for account in UNNAMED:
            assert encrypted.launched(aws, account, region, image_id) == NO_KEY, (account, region)
    # Access for Auto Scaling was not requested.
    assert encrypted.scaled(aws, "web-staging", "eu-west-1", images["eu-west-1"]) == NO_KEY


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("ListGrants", "AccessDeniedException"),
        ("CreateGrant", "AccessDeniedException"),
        ("DescribeImageAttribute", "UnauthorizedOperation"),
    ],
)
def test_a_best_effort_region_that_cannot_be_shared_stops_no_other(
    aws: SimulatedAws,
    ansible: Ansible,
    variables: dict[str, Any],
    tmp_path: Path,
    action: str,
    code: str,
) -> None:
    variables |= {
        "distribute_best_effort_regions": [AWAY],
        "distribute_publish_parameter": "/golden/web",
        "distribute_report_path": str(tmp_path / "report.json"),
    }
    aws.add_fault("error", action=action, region=AWAY, times=0, code=code, status=400)
    run = ansible.run(DISTRIBUTE, variables)
    assert run.code == 0, run.text
    assert f"Best-effort regions skipped: {AWAY}" in run.text
    assert sorted(run.facts["distribute_images"]) == [HOME, REGIONS[2]]
    for region, image_id in run.facts["distribute_images"].items():
        for account in (*NAMED, BY_UNIT):
            assert encrypted.launched(aws, account, region, image_id) == "running", (account, region)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["status"] == "partial"
    assert {(one["region"], one["action"], one["error_code"]) for one in report["failures"]} == {
        (AWAY, action, code)
    }
    assert [one["region"] for one in report["published"]] == [HOME, REGIONS[2]]
    (copy,) = observed.own_images(aws, OWNER, AWAY)
    aws.clear_faults()
    assert observed.launch_permissions(aws, OWNER, AWAY, copy["ImageId"]) == set()

    rerun = ansible.run(DISTRIBUTE, variables)
    assert rerun.code == 0, rerun.text
    assert sorted(rerun.facts["distribute_images"]) == sorted(REGIONS)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("action", "text"),
    [
        ("CreateGrant", "because access to its keys failed"),
        ("ModifyImageAttribute", "is shared in no region."),
        ("CopyImage", "because no copy of it is available"),
    ],
)
def test_a_distribution_to_best_effort_regions_alone_fails_if_none_is_shared(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any], action: str, text: str
) -> None:
    variables |= {"distribute_regions": [AWAY], "distribute_best_effort_regions": [AWAY]}
    aws.update_settings(copy_seconds=2)
    denied = {"code": "UnauthorizedOperation", "status": 403}
    aws.add_fault("error", action=action, region=AWAY, times=0, **denied)
    run = ansible.run(DISTRIBUTE, variables)
    assert run.code != 0
    (message,) = [task.result["msg"] for task in run.tasks if task.status == "failed"]
    assert text in message
    assert run.facts["distribute_images"] == {}


@pytest.mark.nightly
def test_a_source_under_an_aws_managed_key_is_distributed_without_consumers(
    fixture: EncryptedFixture, ansible: Ansible
) -> None:
    disk = {"device_name": "/dev/xvda", "size": 8, "encrypted": True}
    image = {"account": OWNER, "region": HOME, "devices": [disk]}
    source_id = fixture.add(images={"aws/ebs": image})["images"]["aws/ebs"]["image_id"]
    variables = {
        "distribute_source_image_id": source_id,
        "distribute_source_region": HOME,
        "distribute_regions": REGIONS,
        "distribute_kms_key_id": ALIAS,
    }
    # The rerun finds the copies.
    for changed in (True, False):
        run = ansible.run(DISTRIBUTE, variables)
        assert run.code == 0, run.text
        assert bool(run.actions) is changed
        assert sorted(run.facts["distribute_images"]) == sorted(REGIONS)
        assert run.facts["distribute_images"][HOME] == source_id


def test_access_to_every_key_of_a_source_with_several_is_granted(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    described = fixture.add(
        kms_keys={name: {"account": OWNER, "regions": [HOME]} for name in ("first", "second")},
        images={
            "two-keys": {
                "account": OWNER,
                "region": HOME,
                "devices": [
                    {"device_name": "/dev/xvda", "size": 8, "encrypted": True, "kms_key": "first"},
                    {"device_name": "/dev/sdb", "size": 8, "encrypted": True, "kms_key": "second"},
                ],
            }
        },
    )
    image_id = described["images"]["two-keys"]["image_id"]
    variables |= {"distribute_source_image_id": image_id, "distribute_regions": [HOME]}
    del variables["distribute_kms_key_id"]
    done = ansible.run(DISTRIBUTE, variables)
    assert done.code == 0, done.text
    for account in (*NAMED, BY_UNIT):
        assert encrypted.launched(aws, account, HOME, image_id) == "running", account
    assert ansible.run(DISTRIBUTE, variables).changed == []


def _assert_no_key_access(aws: SimulatedAws, key: str, region: str) -> None:
    for account in UNNAMED:
        kms = aws.client("kms", account, region)
        principal = root(aws.account_id(account))
        grant = {"GranteePrincipal": principal, "Operations": ["Decrypt"]}
        assert encrypted.refusal(kms.describe_key, KeyId=key) == "AccessDeniedException"
        assert encrypted.refusal(kms.create_grant, KeyId=key, **grant) == "AccessDeniedException"
    # The unit's accounts may use the key through EC2 alone, not hand it on.
    kms = aws.client("kms", BY_UNIT, region)
    grant = {"GranteePrincipal": root(aws.account_id("outsider")), "Operations": ["Decrypt"]}
    assert encrypted.refusal(kms.describe_key, KeyId=key) == ""
    assert encrypted.refusal(kms.create_grant, KeyId=key, **grant) == "AccessDeniedException"


@pytest.mark.nightly
def test_auto_scaling_launches_once_every_role_could_be_assumed(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    regions = ["eu-west-1", "us-west-2"]
    good, bad = "data-prod", "web-staging"
    variables |= {
        "distribute_regions": regions,
        "distribute_account_ids": fixture.account_ids(good, bad),
        "distribute_org_unit_arns": [],
        "distribute_auto_scaling": True,
        "distribute_consumer_role_name": ROLE,
        "distribute_external_id": EXTERNAL_ID,
    }
    _ask_for_external_id(aws, bad, "another-id")

    failed = ansible.run(DISTRIBUTE, variables)
    assert failed.code != 0
    opened = failed.task("Grant consumers access to the KMS keys")
    bad_id = aws.account_id(bad)
    assert [(one["account_id"], one["region"], one["error_code"]) for one in opened.result["failures"]] == [
        (bad_id, region, "AccessDenied") for region in regions
    ]
    assert f"sts:AssumeRole on resource: {fixture.role(bad)}" in opened.result["msg"]
    assert fixture.role(good) not in opened.result["msg"]
    assert EXTERNAL_ID not in json.dumps([dict(task.result) for task in failed.tasks])
    copies = {region: observed.own_images(aws, OWNER, region)[0]["ImageId"] for region in regions}
    roots = sorted(root(account) for account in fixture.account_ids(good, bad))
    for region in regions:
        assert encrypted.grantees(aws, fixture.key(region)) == sorted([*roots, _scaling_role(aws, good)])

    _ask_for_external_id(aws, bad, EXTERNAL_ID)
    aws.clear_calls()
    healed = ansible.run(DISTRIBUTE, variables)
    assert healed.code == 0, healed.text
    assert healed.facts["distribute_images"] == copies
    # Only what was missing is made: the one account's own grants.
    made = [call for call in aws.calls(action="CreateGrant") if call.status == 200]
    assert sorted((call.account_id, call.region) for call in made) == [(bad_id, one) for one in regions]
    for region in regions:
        for account in (good, bad):
            assert encrypted.scaled(aws, account, region, copies[region]) == "running", (account, region)
            assert encrypted.launched(aws, account, region, copies[region]) == "running", (account, region)

    aws.clear_calls()
    repeated = ansible.run(DISTRIBUTE, variables)
    assert (repeated.code, repeated.changed) == (0, []), repeated.text
    assert encrypted.changes(aws, refused=True) == []
    # Not even to look.
    assert aws.calls(action="AssumeRole") == []


@pytest.mark.nightly
def test_groups_launch_with_a_role_that_has_a_suffix(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    account, region = "data-prod", "eu-west-1"
    default = _scaling_role(aws, account)
    iam = aws.client("iam", account)
    iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="web")
    names = ["AWSServiceRoleForAutoScaling", "AWSServiceRoleForAutoScaling_web"]
    variables |= {
        "distribute_regions": [region],
        "distribute_account_ids": fixture.account_ids(account),
        "distribute_org_unit_arns": [],
        "distribute_auto_scaling": True,
        "distribute_consumer_role_name": ROLE,
        "distribute_external_id": EXTERNAL_ID,
    }
    without = ansible.run(DISTRIBUTE, variables)
    assert without.code == 0, without.text
    image_id = without.facts["distribute_images"][region]
    web = {"ServiceLinkedRoleARN": f"{default}_web"}
    assert encrypted.scaled(aws, account, region, image_id, **web) == encrypted.NO_KEY

    done = ansible.run(DISTRIBUTE, {**variables, "distribute_auto_scaling_roles": names})
    assert done.code == 0, done.text
    for group in ({}, web):
        assert encrypted.scaled(aws, account, region, image_id, **group) == "running"
    repeated = ansible.run(DISTRIBUTE, {**variables, "distribute_auto_scaling_roles": names})
    assert (repeated.code, repeated.changed) == (0, []), repeated.text

    missing = ansible.run(DISTRIBUTE, {**variables, "distribute_auto_scaling_roles": [f"{names[0]}_db"]})
    assert missing.code != 0
    assert "autoscaling.amazonaws.com --custom-suffix db. Then rerun." in missing.text


def _ask_for_external_id(aws: SimulatedAws, account: str, external_id: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": root(aws.account_id(OWNER))},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam", account).update_assume_role_policy(RoleName=ROLE, PolicyDocument=policy)


def _scaling_role(aws: SimulatedAws, account: str) -> str:
    path = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    return f"arn:aws:iam::{aws.account_id(account)}:role/{path}"


@pytest.mark.nightly
def test_a_copy_that_may_not_use_its_key_fails_with_aws_s_reason_and_is_made_once_it_may(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    good, bad = "eu-west-1", "us-west-2"
    variables |= {"distribute_regions": [good, bad], "distribute_org_unit_arns": []}
    aws.update_settings(copy_seconds=1)
    as_it_was = encrypted.key_policy(aws, fixture.key(bad))
    policy = json.loads(as_it_was)
    policy["Statement"].append(
        {
            "Sid": "Freeze",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "kms:ReEncryptTo",
            "Resource": "*",
        }
    )
    encrypted.put_key_policy(aws, fixture.key(bad), json.dumps(policy))

    failed = ansible.run(DISTRIBUTE, variables)
    assert failed.code != 0
    waited = failed.task("Wait for the copies")
    assert [region for region, _code in waited.codes] == [bad]
    assert "Given key ID is not accessible" in waited.result["msg"]
    (kept,) = observed.own_images(aws, OWNER, good)
    assert observed.attempts(aws, "ModifyImageAttribute") == []

    encrypted.put_key_policy(aws, fixture.key(bad), as_it_was)
    healed = ansible.run(DISTRIBUTE, variables)
    assert healed.code == 0, healed.text
    images = healed.facts["distribute_images"]
    assert images[good] == kept["ImageId"]
    # The failed ones are cleared away.
    assert [image["ImageId"] for image in observed.own_images(aws, OWNER, bad)] == [images[bad]]
    for region in (good, bad):
        assert encrypted.launched(aws, NAMED[0], region, images[region]) == "running"


@pytest.mark.nightly
@pytest.mark.parametrize(
    "option", ["auto_scaling", "key_policy", "principals", "launch_only", "best_effort", "purge"]
)
def test_check_mode_predicts_each_option(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any], option: str
) -> None:
    """With a purge, after a run for more consumers."""
    if option == "purge":
        earlier = ansible.run(DISTRIBUTE, variables)
        assert earlier.code == 0, earlier.text
    chosen = {**variables, **_chosen(fixture, option)}
    aws.clear_calls()
    planned = ansible.run(DISTRIBUTE, chosen, "--check", "--diff")
    assert planned.code == 0, planned.text
    assert encrypted.changes(aws, refused=True) == []
    assert planned.actions

    done = ansible.run(DISTRIBUTE, chosen)
    assert done.code == 0, done.text
    assert prediction_error(planned.actions, done.actions) == ""
    assert encrypted.changes(aws) == done.actions

    aws.clear_calls()
    repeated = ansible.run(DISTRIBUTE, chosen)
    assert (repeated.code, repeated.actions) == (0, []), repeated.text
    assert encrypted.changes(aws) == []


def _chosen(fixture: EncryptedFixture, option: str) -> dict[str, Any]:
    accounts = fixture.account_ids(*NAMED)
    return {
        "auto_scaling": {
            "distribute_auto_scaling": True,
            "distribute_consumer_role_name": ROLE,
            "distribute_external_id": EXTERNAL_ID,
        },
        "key_policy": {"distribute_kms_access_method": "key_policy"},
        "principals": {"distribute_kms_principals": [fixture.role("web-prod")]},
        "launch_only": {"distribute_share_snapshots": False},
        "best_effort": {"distribute_best_effort_regions": [AWAY]},
        "purge": {
            "distribute_purge_access": True,
            "distribute_account_ids": accounts[:1],
            "distribute_org_unit_arns": [],
        },
    }[option]
