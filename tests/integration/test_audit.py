# SPDX-License-Identifier: GPL-3.0-or-later

"""ami_share_audit: every exposure of a fixture is found, and what cannot be read hides nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import encrypted, observed
from .encrypted import USE, EncryptedFixture, root
from .fixture import HOME, OWNER, STRANGER
from .in_process import Modules
from .playbook import MODULES, Ansible, Run, Task

AWAY, FAR, DENIED = "eu-west-1", "ap-southeast-2", "us-west-2"
ALLOWED, LEFT, SPECIAL = "web-prod", "sandbox", "data-dev"
DISK = {"device_name": "/dev/xvda", "size": 8}
HIGH = {"key_public", "public", "snapshot_public", "unknown_account", "unknown_organization"}
READS = {
    *("DescribeImageAttribute", "DescribeImages", "DescribeKey", "DescribeRegions", "DescribeSnapshots"),
    *("DescribeSnapshotAttribute", "GetCallerIdentity", "GetImageBlockPublicAccessState", "GetKeyPolicy"),
    *("GetSnapshotBlockPublicAccessState", "ListGrants"),
}


@pytest.fixture
def fixture(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted image."""
    return EncryptedFixture(aws)


@pytest.fixture
def ids(aws: SimulatedAws, fixture: EncryptedFixture) -> dict[str, str]:
    """Images with every kind of exposure, by label; all is well with those of ``AWAY``."""

    def image(*accounts: str, region: str = HOME, **changes: Any) -> dict[str, Any]:
        sharing = {"accounts": list(accounts), **changes.pop("sharing", {})}
        return {"account": OWNER, "region": region, "devices": [DISK], "sharing": sharing, **changes}

    def disk(**changes: Any) -> dict[str, Any]:
        return {"devices": [{**DISK, "encrypted": True, **changes}]}

    both = {"snapshot_accounts": [ALLOWED]}
    built = fixture.add(
        kms_keys={
            "off": {
                "account": OWNER,
                "regions": [HOME],
                "ram_policy": _opening(*fixture.account_ids(STRANGER)),
            },
            "well": {"account": OWNER, "regions": [AWAY]},
        },
        images={
            "by-name": image(STRANGER),
            "by-org": image(STRANGER),
            "by-unit": image(),
            "default-key": image(**disk()),
            "disabled": image(ALLOWED, sharing=both),
            "left": image(),
            "key-off": image(ALLOWED, **disk(kms_key="off")),
            "public": image(),
            "special-1": image(SPECIAL, tags={"audience": "dev"}),
            "special-2": image(SPECIAL),
            "volume-public": image(),
            "volume-wider": image(sharing=both),
            "well": image(ALLOWED, region=AWAY, sharing=both),
            "well-encrypted": image(ALLOWED, region=AWAY, sharing=both, **disk(kms_key="well")),
            "well-unshared": image(region=AWAY),
            "far": image(STRANGER, region=FAR),
            "denied": image(STRANGER, region=DENIED),
        },
    )
    found = {label: str(described["image_id"]) for label, described in built["images"].items()}
    ec2, kms = aws.client("ec2", OWNER, HOME), aws.client("kms", OWNER, HOME)
    ec2.disable_image_block_public_access()
    ec2.disable_snapshot_block_public_access()
    for label, entry in (
        ("public", {"Group": "all"}),
        ("by-org", {"OrganizationArn": fixture.org_arn}),
        ("by-unit", {"OrganizationalUnitArn": fixture.unit_arn()}),
    ):
        ec2.modify_image_attribute(ImageId=found[label], LaunchPermission={"Add": [entry]})
    ec2.modify_snapshot_attribute(
        SnapshotId=_snapshot(aws, found["volume-public"]),
        Attribute="createVolumePermission",
        OperationType="add",
        GroupNames=["all"],
    )
    _leave_snapshots(aws, found.pop("left"), fixture.account_ids(ALLOWED, STRANGER))
    ec2.enable_snapshot_block_public_access(State="block-new-sharing")
    ec2.disable_image(ImageId=found["disabled"])
    _open_policy(kms, built["kms_keys"]["off"][HOME], *fixture.account_ids(LEFT))
    kms.disable_key(KeyId=built["kms_keys"]["off"][HOME])
    (allowed,) = fixture.account_ids(ALLOWED)
    ec2.modify_image_attribute(ImageId=fixture.image_id, LaunchPermission={"Add": [{"UserId": allowed}]})
    (left,) = fixture.account_ids(LEFT)
    kms.create_grant(
        KeyId=fixture.key(HOME), GranteePrincipal=root(left), Operations=USE, Name="golden-images:left"
    )
    # Whoever may create grants selects their names.
    aws.client("kms", LEFT, HOME).create_grant(
        KeyId=fixture.key(HOME),
        GranteePrincipal=root(*fixture.account_ids(STRANGER)),
        Operations=["Decrypt"],
        Name="golden-images:left-too",
    )
    _constrain_like_aws(kms, fixture.key(HOME), *fixture.account_ids(STRANGER, SPECIAL))
    gone = fixture.role("data-prod")
    # The unique ID of a grantee can be that of a new one at first.
    aws.update_settings(new_grant_age_seconds=300)
    kms.create_grant(KeyId=fixture.key(HOME), GranteePrincipal=gone, Operations=["DescribeKey"])
    aws.update_settings(new_grant_age_seconds=0)
    _delete_role(aws, "data-prod", gone)
    aws.client("kms", OWNER, AWAY).create_grant(
        KeyId=built["kms_keys"]["well"][AWAY],
        GranteePrincipal=root(allowed),
        Operations=USE,
        Name="golden-images:used",
    )
    aws.clear_calls()
    return {**found, "golden": fixture.image_id}


def _constrain_like_aws(kms: Any, key: str, account_id: str, other_id: str) -> None:
    """A grant to an account, constrained as EC2's own are, and one to a service for a resource of another."""
    volume = {"EncryptionContextSubset": {"aws:ebs:id": "vol-0123456789abcdef0"}}
    kms.create_grant(KeyId=key, GranteePrincipal=root(account_id), Operations=["Decrypt"], Constraints=volume)
    kms.create_grant(
        KeyId=key,
        GranteeServicePrincipal="ec2.amazonaws.com",
        RetiringServicePrincipal="ec2.amazonaws.com",
        Constraints={"SourceArn": f"arn:aws:ec2:{HOME}:{other_id}:instance/i-0123456789abcdef0"},
        Operations=["Decrypt"],
    )


def _opening(account_id: str) -> dict[str, Any]:
    """A key policy as AWS RAM manages it for a key that is shared with the account through it."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": account_id},
        "Action": "kms:Decrypt",
        "Resource": "*",
    }
    return {"Statement": [statement]}


def _open_policy(kms: Any, key: str, account_id: str) -> None:
    """Two statements of others, one for any account and one for this one."""
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    through_ec2 = {"StringEquals": {"kms:ViaService": f"ec2.{HOME}.amazonaws.com"}}
    policy["Statement"] += [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": through_ec2,
        },
        {"Effect": "Allow", "Principal": {"AWS": account_id}, "Action": "kms:Decrypt", "Resource": "*"},
    ]
    kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))


def _leave_snapshots(aws: SimulatedAws, image_id: str, account_ids: list[str]) -> None:
    """A snapshot that is shared with these accounts, and a public one, of deregistered images."""
    ec2 = aws.client("ec2", OWNER, HOME)
    copy = ec2.copy_image(Name="left", SourceImageId=image_id, SourceRegion=HOME)["ImageId"]
    for one, consumers in ((copy, {"UserIds": account_ids}), (image_id, {"GroupNames": ["all"]})):
        ec2.modify_snapshot_attribute(
            SnapshotId=_snapshot(aws, one),
            Attribute="createVolumePermission",
            OperationType="add",
            **consumers,
        )
        ec2.deregister_image(ImageId=one)


def _snapshot(aws: SimulatedAws, image_id: str) -> str:
    (found,) = observed.snapshot_ids(observed.image(aws, OWNER, HOME, image_id))
    return found


def _delete_role(aws: SimulatedAws, account: str, arn: str) -> None:
    iam, name = aws.client("iam", account), arn.rsplit("/", 1)[1]
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def audit(ansible: Ansible, tasks: dict[str, dict[str, Any]]) -> Run:
    """Run the module with these arguments, by the tasks' names."""
    return ansible.tasks(
        [
            {
                "name": name,
                MODULES + "ami_share_audit": arguments,
                "ignore_errors": True,
                "check_mode": name.endswith("check mode"),
            }
            for name, arguments in tasks.items()
        ]
    )


def codes(task: Task, ids: dict[str, str]) -> list[tuple[str | None, str, str | None]]:
    """The label of the image, the code and the principal of each finding, sorted."""
    labels = {image_id: label for label, image_id in ids.items()}
    found = ((labels.get(one["image_id"]), one["code"], one["principal"]) for one in task.result["findings"])
    return sorted(found, key=str)


def test_the_grant_of_ec2_for_a_volume_in_use_is_no_finding_and_one_of_the_same_form_is(
    aws: SimulatedAws, fixture: EncryptedFixture, modules: Modules
) -> None:
    """(KMS Developer Guide, "Examining grants".)"""
    aws.update_settings(volume_grants=True)
    kms, (consumer,) = aws.client("kms", OWNER, HOME), fixture.account_ids(LEFT)
    key, shared = fixture.key(HOME), {"LaunchPermission": {"Add": [{"UserId": consumer}]}}
    aws.client("ec2", OWNER, HOME).modify_image_attribute(ImageId=fixture.image_id, **shared)
    own = kms.create_grant(KeyId=key, GranteePrincipal=root(consumer), Operations=USE)["GrantId"]
    disks = [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "KmsKeyId": key}}]
    one = {"MinCount": 1, "MaxCount": 1, "BlockDeviceMappings": disks}
    aws.client("ec2", LEFT, HOME).run_instances(ImageId=fixture.image_id, **one)
    (volume,) = (item for item in kms.list_grants(KeyId=key)["Grants"] if item.get("Constraints"))
    kms.revoke_grant(KeyId=key, GrantId=own)
    arguments = {"regions": [HOME], "check_snapshots": False}
    (before,) = audit(modules, {"in use": arguments}).tasks
    kms.create_grant(
        KeyId=key, GranteePrincipal=root(consumer), Operations=USE, Constraints=volume["Constraints"]
    )
    (after,) = audit(modules, {"given away": arguments}).tasks
    of_key = [
        [one["code"] for one in task.result["findings"] if one["resource"] == key] for task in (before, after)
    ]
    assert of_key == [["missing_key_access"], ["missing_key_access", "unknown_key_principal"]]


def test_a_hidden_public_snapshot_is_found_by_its_permissions_and_a_policy_is_named(
    aws: SimulatedAws, fixture: EncryptedFixture, modules: Modules
) -> None:
    """botocore operation EnableSnapshotBlockPublicAccess: its attributes still say that it is public."""
    spec = {"account": OWNER, "region": AWAY, "devices": [DISK]}
    images = fixture.add_images({"gone": spec, "public": {**spec, "sharing": {"public": True}}})
    (snapshot,) = observed.snapshot_ids(observed.image(aws, OWNER, AWAY, images["gone"]))
    ec2 = aws.client("ec2", OWNER, AWAY)
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, OperationType="add", GroupNames=["all"])
    # Nothing but its permissions tells: no image uses it, and it has no description.
    ec2.deregister_image(ImageId=images["gone"])
    block = {"accounts": [OWNER], "regions": [AWAY], "snapshots": "block-all-sharing", "by_policy": True}
    fixture.add(public_access=[block])
    assert ec2.describe_snapshots(OwnerIds=["self"], RestorableByUserIds=["all"])["Snapshots"] == []
    (task,) = audit(modules, {"hidden": {"regions": [AWAY]}}).tasks
    found = {one["resource"]: one for one in task.result["findings"]}
    assert found[snapshot]["code"] == "snapshot_public_blocked"
    remedy = found[images["public"]]["remedy"]
    assert remedy.endswith(
        "Block public access (block-new-sharing, set by a declarative policy) keeps it private then."
    )
    assert task.result["regions"][AWAY]["snapshot_block_managed_by"] == "declarative-policy"


@pytest.mark.quick
def test_every_exposure_is_found_and_nothing_else(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, ids: dict[str, str]
) -> None:
    allowed, left, special, stranger = fixture.account_ids(ALLOWED, LEFT, SPECIAL, STRANGER)
    held = {
        "allowed_account_ids": [allowed],
        "rules": [
            {"name_pattern": "special-*", "tags": {"audience": "dev"}, "account_ids": [special]},
            {"name_pattern": "by-unit", "org_unit_arns": [fixture.unit_arn()]},
        ],
    }
    run = audit(
        ansible,
        {
            "all": held,
            "in check mode": {**held, "regions": [HOME]},
            "failing": {**held, "regions": [HOME, AWAY], "fail_on": "high"},
            "clean": {**held, "regions": [AWAY], "fail_on": "low"},
            "public allowed": {
                "regions": [HOME],
                "rules": [{"name_pattern": "*public", "public": True}],
                "check_keys": False,
                "check_snapshots": False,
            },
        },
    )
    assert run.changed == []
    at_home: list[tuple[str | None, str, str | None]] = [
        (None, "snapshot_public", "all"),
        (None, "unknown_account", stranger),
        ("by-name", "unknown_account", stranger),
        ("by-org", "access_remains_through_organization", stranger),
        ("by-org", "unknown_account", stranger),
        ("by-org", "unknown_organization", fixture.org_arn),
        ("default-key", "default_key", None),
        ("disabled", "shared_but_disabled", None),
        ("golden", "grant_without_share", left),
        ("golden", "missing_key_access", allowed),
        ("golden", "unknown_key_principal", special),
        ("golden", "unknown_key_principal", stranger),
        ("key-off", "key_not_enabled", None),
        ("key-off", "key_public", "all"),
        ("key-off", "unknown_key_principal", left),
        ("key-off", "unknown_key_principal", stranger),
        ("public", "public", "all"),
        ("special-2", "unknown_account", special),
        ("volume-public", "snapshot_public", "all"),
        ("volume-wider", "snapshot_wider_than_image", allowed),
    ]
    everything = run.task("all")
    assert everything.status == "ok"
    (stale,) = [one for one in everything.result["findings"] if one["code"] == "stale_principal"]
    assert (stale["image_id"], stale["resource"]) == (None, fixture.key(HOME))
    at_home.append((None, "stale_principal", stale["principal"]))
    elsewhere = [(label, "unknown_account", stranger) for label in ("far", "denied")]
    assert codes(everything, ids) == sorted([*at_home, *elsewhere], key=str)
    assert run.task("in check mode").result["findings"] == [
        one for one in everything.result["findings"] if one["region"] == HOME
    ]

    failing = run.task("failing")
    assert failing.status == "failed"
    assert sorted(code for _region, code in failing.codes) == sorted(
        code for _label, code, _who in at_home if code in HIGH
    )
    assert codes(failing, ids) == sorted(at_home, key=str)
    assert run.task("clean").status == "ok"
    assert run.task("clean").result["findings"] == []
    assert "public" not in {code for _label, code, _who in codes(run.task("public allowed"), ids)}

    left_over = everything.result["unused_snapshots"]
    shared = [one for one in left_over if one["account_ids"] or one["public"]]
    assert sorted((one["account_ids"], one["public"]) for one in shared) == [
        ([], True),
        (sorted([allowed, stranger]), False),
    ]

    # What is said of an image is what AWS says.
    by_id = {one["image_id"]: one for one in everything.result["results"]}
    assert {ids[label] for label in ids} == {*by_id}
    for label, region in (("public", HOME), ("by-org", HOME), ("well-encrypted", AWAY)):
        shown = by_id[ids[label]]
        named = shown["sharing"]
        launch, (volume,) = observed.sharing(aws, OWNER, region, ids[label])
        assert {
            *named["account_ids"],
            *named["org_arns"],
            *named["org_unit_arns"],
            *(["all"] if named["public"] else []),
        } == launch
        assert set(shown["snapshots"][0]["account_ids"]) == volume
    assert by_id[ids["disabled"]]["state"] == "disabled"
    (key,) = by_id[ids["well-encrypted"]]["kms_key_arns"]
    assert {key} == encrypted.keys_of(aws, OWNER, AWAY, ids["well-encrypted"])
    regions = everything.result["regions"]
    opted_in = aws.client("ec2", OWNER, HOME).describe_regions()["Regions"]
    assert list(regions) == sorted(region["RegionName"] for region in opted_in)
    assert regions[HOME]["image_block_public_access"] == "unblocked"
    assert regions[HOME]["snapshot_block_public_access"] == "block-new-sharing"
    grants = {one["kms_key_arn"]: one["grants"] for one in everything.result["kms_keys"]}
    assert [one["created_by_collection"] for one in grants[key]] == [True]
    assert len(grants[fixture.key(HOME)]) == len(encrypted.grants(aws, fixture.key(HOME)))
    assert {call.action for call in aws.calls(account_id=aws.account_id(OWNER))} <= READS


@pytest.mark.usefixtures("ids")
def test_what_cannot_be_read_fails_and_hides_nothing_else(
    aws: SimulatedAws, fixture: EncryptedFixture, modules: Modules
) -> None:
    refusal = {"code": "UnauthorizedOperation", "message": "You are not authorized", "status": 403}
    aws.add_fault("error", action="DescribeImages", region=FAR, times=0, **refusal)
    aws.add_fault("error", action="DescribeImageAttribute", region=DENIED, times=0, **refusal)
    aws.add_fault(
        "error", action="GetKeyPolicy", region=AWAY, times=0, code="AccessDeniedException", status=400
    )
    (stranger,) = fixture.account_ids(STRANGER)
    named = {
        "regions": [FAR, DENIED, AWAY, "us-east-2"],
        "allowed_account_ids": fixture.account_ids(ALLOWED),
    }
    fixture.add_images(
        {
            "seen": {
                "account": OWNER,
                "region": "us-east-2",
                "devices": [DISK],
                "sharing": {"accounts": [STRANGER]},
            }
        }
    )
    run = audit(
        modules,
        {
            "audit": named,
            "nowhere": {"regions": ["eu-west-9"]},
            "number": {"allowed_account_ids": [12345678901]},
        },
    )
    failed = run.task("audit")
    assert failed.status == "failed"
    assert sorted(failed.codes, key=str) == [
        (FAR, "UnauthorizedOperation"),
        (AWAY, "AccessDeniedException"),
        (DENIED, "UnauthorizedOperation"),
    ]
    assert "Allow ec2:DescribeImageAttribute" in failed.result["msg"]
    found = [(one["region"], one["code"], one["principal"]) for one in failed.result["findings"]]
    assert sorted(found, key=str) == [
        (FAR, "region_unreadable", None),
        (AWAY, "key_unreadable", None),
        ("us-east-2", "unknown_account", stranger),
        (DENIED, "image_unreadable", None),
    ]
    assert FAR not in failed.result["regions"]
    sharing = {one["name"]: one["sharing"] for one in failed.result["results"]}
    assert sharing["denied"] is None
    assert sharing["well"]["account_ids"] == fixture.account_ids(ALLOWED)
    assert "eu-west-9" in run.task("nowhere").result["msg"]
    assert "in double quotes" in run.task("number").result["msg"]
