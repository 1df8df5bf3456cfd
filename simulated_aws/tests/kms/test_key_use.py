# SPDX-License-Identifier: GPL-3.0-or-later
"""The KMS permissions of copies and launches, which AWS checks after it has accepted the request."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws
from simulated_aws.fixtures import loader

from .conftest import ALLOW_EC2_ONLY, USE, client_of, error_code, message, outcome, policy

ENCRYPTED_AMI = Path(loader.__file__).parent / "encrypted_ami.yml"
ONE = {"MinCount": 1, "MaxCount": 1}
CONSUMER, OWN_KEY, PARTNER, OUTSIDER = "data-dev", "web-prod", "partner", "outsider"
INACCESSIBLE = {"Code": "Client.InternalError", "Message": "Given key ID is not accessible"}
CLIENT_ERROR = {"Code": "Client.InternalError", "Message": "Client.InternalError: Client error on launch"}
# Auto Scaling User Guide, Required AWS KMS key policy for use with encrypted volumes.
AUTO_SCALING_USE = [*USE, "Encrypt"]


@dataclass
class Golden:
    """The encrypted image of the fixture, its owner and its key."""

    aws: SimulatedAws
    image_id: str
    snapshot_ids: list[str]
    key: str

    def root(self, account: str) -> str:
        return f"arn:aws:iam::{self.aws.account_id(account)}:root"

    def share(self, *accounts: str) -> None:
        ids = [self.aws.account_id(account) for account in accounts]
        ec2 = self.aws.client("ec2", "images")
        ec2.modify_image_attribute(ImageId=self.image_id, OperationType="add", UserIds=ids)
        for snapshot in self.snapshot_ids:
            permission = {"Attribute": "createVolumePermission", "OperationType": "add", "UserIds": ids}
            ec2.modify_snapshot_attribute(SnapshotId=snapshot, **permission)

    def grant(self, account: str, operations: list[str] = USE, **params: Any) -> None:
        kms = self.aws.client("kms", "images")
        kms.create_grant(KeyId=self.key, GranteePrincipal=self.root(account), Operations=operations, **params)

    def put_policy(self, *statements: dict[str, Any]) -> None:
        whole = policy(*statements)
        self.aws.client("kms", "images").put_key_policy(KeyId=self.key, Policy=whole)

    def copy(self, account: str, region: str = "us-west-2", **params: Any) -> dict[str, Any]:
        ec2 = self.aws.client("ec2", account, region)
        source = {"SourceImageId": self.image_id, "SourceRegion": "us-east-1"}
        copied = ec2.copy_image(Name="copy", **source, **params)["ImageId"]
        image: dict[str, Any] = ec2.describe_images(ImageIds=[copied])["Images"][0]
        return image

    def launch(self, account: str, ec2: Any = None, **params: Any) -> dict[str, Any]:
        ec2 = ec2 or self.aws.client("ec2", account)
        (launched,) = ec2.run_instances(ImageId=self.image_id, **ONE, **params)["Instances"]
        assert launched["State"]["Name"] == "pending"
        return one_instance(ec2)


@pytest.fixture
def golden(server: SimulatedAws) -> Golden:
    server.reset()
    built = server.load_fixture(ENCRYPTED_AMI)
    server.set_throttling(False)
    image = built["images"]["golden-web-2026.11.1"]
    key = built["kms_keys"]["golden"]["us-east-1"]
    return Golden(server, image["image_id"], image["snapshot_ids"], key)


def one_instance(ec2: Any) -> dict[str, Any]:
    (reservation,) = ec2.describe_instances()["Reservations"]
    (instance,) = reservation["Instances"]
    found: dict[str, Any] = instance
    return found


def keys_of_volumes(ec2: Any) -> set[str]:
    return {volume["KmsKeyId"] for volume in ec2.describe_volumes()["Volumes"]}


def without(operation: str, operations: list[str] = USE) -> list[str]:
    return [one for one in operations if one != operation]


# Copies.


def test_the_owner_copies_under_the_key_it_names(golden: Golden) -> None:
    image = golden.copy("images", Encrypted=True, KmsKeyId="alias/golden")
    assert image["State"] == "available"
    ec2 = golden.aws.client("ec2", "images", "us-west-2")
    snapshots = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    west = golden.aws.description()["kms_keys"]["golden"]["us-west-2"]
    assert [one["KmsKeyId"] for one in snapshots] == [west, west]


def test_the_owner_s_copy_without_a_key_is_under_the_key_of_ebs(golden: Golden) -> None:
    """Which makes it impossible to share (EC2 User Guide, Copy an AMI: Encryption and copying)."""
    assert golden.copy("images")["State"] == "available"
    ec2 = golden.aws.client("ec2", "images", "us-west-2")
    keys = {one["KmsKeyId"] for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]}
    assert keys == {ec2.get_ebs_default_kms_key_id()["KmsKeyId"]}


def disabled(golden: Golden) -> str:
    golden.aws.client("kms", "images", "us-west-2").disable_key(KeyId=west_key(golden))
    return "alias/golden"


def pending_deletion(golden: Golden) -> str:
    golden.aws.client("kms", "images", "us-west-2").schedule_key_deletion(KeyId=west_key(golden))
    return west_key(golden)


def asymmetric(golden: Golden) -> str:
    kms = golden.aws.client("kms", "images", "us-west-2")
    made: str = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    return made


def of_another_account(golden: Golden) -> str:
    made: str = golden.aws.client("kms", OUTSIDER, "us-west-2").create_key()["KeyMetadata"]["Arn"]
    return made


def denied(golden: Golden, operation: str = "ReEncryptTo") -> str:
    denial = {"Effect": "Deny", "Principal": "*", "Action": f"kms:{operation}"}
    kms = golden.aws.client("kms", "images", "us-west-2")
    kms.put_key_policy(KeyId=west_key(golden), Policy=policy(denial))
    return "alias/golden"


def west_key(golden: Golden) -> str:
    found: str = golden.aws.description()["kms_keys"]["golden"]["us-west-2"]
    return found


@pytest.mark.parametrize(
    "name",
    [
        lambda _: "alias/none",
        lambda golden: golden.key,
        disabled,
        pending_deletion,
        asymmetric,
        of_another_account,
        denied,
        lambda golden: denied(golden, "Decrypt"),
    ],
)
def test_a_key_that_cant_be_used_fails_the_copy(golden: Golden, name: Any) -> None:
    """(botocore shape CopyImageRequest, KmsKeyId: the key is authenticated asynchronously.)"""
    image = golden.copy("images", Encrypted=True, KmsKeyId=name(golden))
    assert (image["State"], image["StateReason"]) == ("failed", INACCESSIBLE)


def test_a_disabled_source_key_fails_the_copy(golden: Golden) -> None:
    golden.aws.client("kms", "images").disable_key(KeyId=golden.key)
    image = golden.copy("images", Encrypted=True, KmsKeyId="alias/golden")
    assert (image["State"], image["StateReason"]) == ("failed", INACCESSIBLE)


def test_a_snapshot_s_copy_fails_likewise(golden: Golden) -> None:
    """(EBS User Guide, Copy an Amazon EBS snapshot.)"""
    golden.share(CONSUMER)
    ec2 = golden.aws.client("ec2", CONSUMER)
    source = {"SourceRegion": "us-east-1", "SourceSnapshotId": golden.snapshot_ids[0]}

    def copied(**params: Any) -> tuple[str, str | None]:
        made = ec2.copy_snapshot(**source, **params)["SnapshotId"]
        (snapshot,) = ec2.describe_snapshots(SnapshotIds=[made])["Snapshots"]
        return snapshot["State"], snapshot.get("StateMessage")

    failed = ("error", INACCESSIBLE["Message"])
    assert copied() == failed
    golden.grant(CONSUMER)
    assert copied() == ("completed", None)
    assert copied(Encrypted=True, KmsKeyId="alias/none") == failed


def test_a_consumer_copies_with_a_grant(golden: Golden) -> None:
    """(EBS User Guide, Share the KMS key used to encrypt a shared Amazon EBS snapshot.)"""
    golden.share(CONSUMER)
    golden.grant(CONSUMER)
    assert golden.copy(CONSUMER)["State"] == "available"


@pytest.mark.parametrize("operation", ["CreateGrant", "Decrypt", "DescribeKey", "ReEncryptFrom"])
def test_a_consumer_s_copy_fails_for_want_of_one_operation(golden: Golden, operation: str) -> None:
    golden.share(CONSUMER)
    assert golden.copy(CONSUMER)["StateReason"] == INACCESSIBLE
    golden.grant(CONSUMER, without(operation))
    image = golden.copy(CONSUMER)
    assert (image["State"], image["StateReason"]) == ("failed", INACCESSIBLE)


def test_an_associated_key_gives_access_by_itself(golden: Golden) -> None:
    """botocore operations AssociateKmsKeyId and DisassociateKmsKeyId, shape Snapshot."""
    ec2, kms = golden.aws.client("ec2", "images"), golden.aws.client("kms", "images")
    golden.share(CONSUMER)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_grant(KeyId=key, GranteePrincipal=golden.root(CONSUMER), Operations=USE)
    for snapshot in golden.snapshot_ids:
        assert ec2.associate_kms_key_id(SnapshotId=snapshot, KmsKeyId=key)["Return"]
    (shown, *_others) = ec2.describe_snapshots(SnapshotIds=golden.snapshot_ids)["Snapshots"]
    assert (shown["KmsKeyId"], shown["AssociatedKmsKeys"]) == (golden.key, [{"KmsKeyId": key}])
    assert golden.copy(CONSUMER)["State"] == "available"
    assert golden.launch(CONSUMER)["State"]["Name"] == "running"
    again = error_code(ec2.associate_kms_key_id, SnapshotId=golden.snapshot_ids[0], KmsKeyId=key)
    assert again == "InvalidParameterValue"
    for snapshot in golden.snapshot_ids:
        ec2.disassociate_kms_key_id(SnapshotId=snapshot, KmsKeyId=key)
    assert golden.copy(CONSUMER)["StateReason"] == INACCESSIBLE
    gone = error_code(ec2.disassociate_kms_key_id, SnapshotId=golden.snapshot_ids[0], KmsKeyId=key)
    assert gone == "InvalidParameterValue"


def test_ec2_has_a_grant_for_each_volume_of_an_instance(golden: Golden) -> None:
    """(KMS Developer Guide, Examining grants.)"""
    golden.aws.update_settings(volume_grants=True)
    golden.share(CONSUMER)
    golden.grant(CONSUMER)
    kms, ec2 = golden.aws.client("kms", "images"), golden.aws.client("ec2", CONSUMER)
    before = kms.list_grants(KeyId=golden.key)["Grants"]
    disks = [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "KmsKeyId": golden.key}}]
    instance = golden.launch(CONSUMER, BlockDeviceMappings=disks)
    volumes = [one["Ebs"]["VolumeId"] for one in instance["BlockDeviceMappings"]]
    made = kms.list_grants(KeyId=golden.key)["Grants"][len(before) :]
    account_id, name = golden.aws.account_id(CONSUMER), instance["InstanceId"]
    grantee = f"arn:aws:sts::{account_id}:assumed-role/aws:ec2-infrastructure/{name}"
    for grant in made:
        assert grant["GranteePrincipal"] == grantee
        assert (grant["Operations"], grant["IssuingAccount"]) == (["Decrypt"], golden.root(CONSUMER))
        assert grant["Constraints"]["EncryptionContextSubset"]["aws:ebs:id"] in volumes
    assert made
    ec2.terminate_instances(InstanceIds=[name])
    assert kms.list_grants(KeyId=golden.key)["Grants"] == before


def test_ebs_can_not_use_a_constrained_grant(golden: Golden) -> None:
    """EBS has an encryption context of its own (KMS Developer Guide, How Amazon EBS uses AWS KMS)."""
    golden.share(CONSUMER)
    golden.grant(CONSUMER, Constraints={"EncryptionContextSubset": {"team": "web"}})
    assert golden.copy(CONSUMER)["State"] == "failed"


def test_a_role_copies_with_a_key_that_it_may_use_only_through_ec2(golden: Golden) -> None:
    """(KMS Developer Guide, AWS KMS condition keys: kms:ViaService.)"""
    golden.share(CONSUMER)
    golden.grant(CONSUMER)
    through_ec2 = {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}}
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": through_ec2}
    document = {"Version": "2012-10-17", "Statement": [*ALLOW_EC2_ONLY["Statement"], statement]}
    golden.aws.client("iam", CONSUMER).put_role_policy(
        RoleName="golden-consumer", PolicyName="own", PolicyDocument=json.dumps(document)
    )
    role = golden.aws.description()["roles"]["golden-consumer"][CONSUMER]
    call = {"RoleArn": role, "RoleSessionName": "copy", "ExternalId": "golden-images"}
    session = golden.aws.client("sts", "images").assume_role(**call)["Credentials"]
    kms, ec2 = (client_of(golden.aws, session, service) for service in ("kms", "ec2"))
    assert error_code(kms.describe_key, KeyId=golden.key) == "AccessDeniedException"
    source = {"SourceImageId": golden.image_id, "SourceRegion": "us-east-1"}
    copied = ec2.copy_image(Name="copy", **source)["ImageId"]
    assert ec2.describe_images(ImageIds=[copied])["Images"][0]["State"] == "available"


def test_sharing_an_encrypted_snapshot_may_need_its_key(golden: Golden) -> None:
    """(A user's report: AuthFailure, "Not authorized to use key"; off by default.)"""
    statement = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}
    iam = golden.aws.client("iam", "images")
    iam.create_user(UserName="sharer")
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="sharer", PolicyName="own", PolicyDocument=document)
    made = iam.create_access_key(UserName="sharer")["AccessKey"]
    keys = {"access_key_id": made["AccessKeyId"], "secret_access_key": made["SecretAccessKey"]}
    share = client_of(golden.aws, keys, "ec2").modify_snapshot_attribute
    call = {"SnapshotId": golden.snapshot_ids[0], "UserIds": [golden.aws.account_id(CONSUMER)]}
    share(**call, OperationType="add")
    golden.aws.update_settings(sharing_snapshots_needs_key_access=True)
    assert message(share, **call, OperationType="add") == f"Not authorized to use key {golden.key}"
    assert error_code(share, **call, OperationType="add") == "AuthFailure"
    share(**call, OperationType="remove")


# Launches.


def test_a_consumer_launches_with_a_grant(golden: Golden) -> None:
    """Its volumes are under the key of EBS (EBS User Guide, Encryption scenarios)."""
    golden.share(CONSUMER)
    golden.grant(CONSUMER)
    assert golden.launch(CONSUMER)["State"]["Name"] == "running"
    ec2 = golden.aws.client("ec2", CONSUMER)
    assert keys_of_volumes(ec2) == {ec2.get_ebs_default_kms_key_id()["KmsKeyId"]}


def test_without_the_key_a_launch_ends_at_once(golden: Golden) -> None:
    """(EC2 User Guide, Troubleshoot Amazon EC2 instance launch issues: Instance terminates immediately.)"""
    golden.share(CONSUMER)
    ec2 = golden.aws.client("ec2", CONSUMER)
    assert error_code(ec2.run_instances, ImageId=golden.image_id, DryRun=True, **ONE) == "DryRunOperation"
    instance = golden.launch(CONSUMER)
    assert (instance["State"]["Name"], instance["StateReason"]) == ("terminated", CLIENT_ERROR)
    assert ec2.describe_volumes()["Volumes"] == []


@pytest.mark.parametrize("operation", without("GenerateDataKey"))
def test_a_launch_fails_for_want_of_one_operation(golden: Golden, operation: str) -> None:
    golden.share(CONSUMER)
    golden.grant(CONSUMER, without(operation))
    assert golden.launch(CONSUMER)["StateReason"] == CLIENT_ERROR


def test_the_owner_s_own_launch_keeps_the_key(golden: Golden) -> None:
    assert golden.launch("images")["State"]["Name"] == "running"
    assert keys_of_volumes(golden.aws.client("ec2", "images")) == {golden.key}


def test_an_account_s_default_key_is_taken(golden: Golden) -> None:
    """(EBS User Guide, Enable Amazon EBS encryption by default.)"""
    golden.share(OWN_KEY)
    golden.grant(OWN_KEY)
    assert golden.launch(OWN_KEY)["State"]["Name"] == "running"
    web = golden.aws.description()["kms_keys"]["web"]["us-east-1"]
    assert keys_of_volumes(golden.aws.client("ec2", OWN_KEY)) == {web}


def test_an_account_s_default_key_must_do(golden: Golden) -> None:
    golden.share(OWN_KEY)
    golden.grant(OWN_KEY)
    web = golden.aws.description()["kms_keys"]["web"]["us-east-1"]
    golden.aws.client("kms", OWN_KEY).disable_key(KeyId=web)
    assert golden.launch(OWN_KEY)["StateReason"] == CLIENT_ERROR


def test_encryption_by_default_needs_no_shared_key_for_what_isnt_encrypted(golden: Golden) -> None:
    owner = golden.aws.client("ec2", "images")
    snapshot = owner.create_snapshot(VolumeId=a_volume(owner))["SnapshotId"]
    disks = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}]
    plain = owner.register_image(Name="plain", RootDeviceName="/dev/xvda", BlockDeviceMappings=disks)
    owner.modify_image_attribute(
        ImageId=plain["ImageId"],
        OperationType="add",
        UserIds=[golden.aws.account_id("data-prod")],
    )
    ec2 = golden.aws.client("ec2", "data-prod")
    ec2.run_instances(ImageId=plain["ImageId"], **ONE)
    assert one_instance(ec2)["State"]["Name"] == "running"
    assert keys_of_volumes(ec2) == {ec2.get_ebs_default_kms_key_id()["KmsKeyId"]}


def a_volume(ec2: Any) -> str:
    volume: str = ec2.create_volume(AvailabilityZone="us-east-1a", Size=8)["VolumeId"]
    return volume


@pytest.mark.parametrize(
    ("key", "state"), [("alias/web", "running"), ("alias/none", "terminated"), (None, "running")]
)
def test_a_launch_may_name_the_key_of_a_volume(golden: Golden, key: str | None, state: str) -> None:
    """Keys are checked afterwards (botocore shape EbsBlockDevice, KmsKeyId)."""
    golden.share(OWN_KEY)
    golden.grant(OWN_KEY)
    ebs = {"Encrypted": True, **({"KmsKeyId": key} if key else {})}
    disks = [{"DeviceName": "/dev/sdb", "Ebs": ebs}]
    assert golden.launch(OWN_KEY, BlockDeviceMappings=disks)["State"]["Name"] == state


def test_a_policy_may_allow_grants_for_aws_resources_only(golden: Golden) -> None:
    """(EBS User Guide, Requirements for Amazon EBS encryption: Permissions for users, the tip.)"""
    golden.share(CONSUMER)
    principal = {"Principal": {"AWS": golden.root(CONSUMER)}}
    golden.put_policy(
        {**principal, "Action": [f"kms:{one}" for one in without("CreateGrant")]},
        {
            **principal,
            "Action": "kms:CreateGrant",
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": True}},
        },
    )
    assert golden.launch(CONSUMER)["State"]["Name"] == "running"
    call = {"GranteePrincipal": golden.root(CONSUMER), "Operations": ["Decrypt"]}
    kms = golden.aws.client("kms", CONSUMER)
    assert error_code(kms.create_grant, KeyId=golden.key, **call) == "AccessDeniedException"


def test_a_policy_may_allow_what_ec2_asks_for_only(golden: Golden) -> None:
    """(KMS Developer Guide, AWS KMS condition keys: kms:ViaService.)"""
    golden.share(CONSUMER)
    golden.put_policy(
        {
            "Principal": {"AWS": golden.root(CONSUMER)},
            "Action": "kms:*",
            "Condition": {"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}},
        }
    )
    assert golden.launch(CONSUMER)["State"]["Name"] == "running"
    call = golden.aws.client("kms", CONSUMER).describe_key
    assert error_code(call, KeyId=golden.key) == "AccessDeniedException"


def test_a_service_condition_does_not_restrict_the_accounts(golden: Golden) -> None:
    """(KMS Developer Guide, AWS KMS condition keys: kms:ViaService is the service, not the principal.)"""
    golden.share(OUTSIDER)
    golden.put_policy(
        {
            "Principal": {"AWS": "*"},
            "Action": [f"kms:{one}" for one in USE],
            "Condition": {"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}},
        }
    )
    assert golden.launch(OUTSIDER)["State"]["Name"] == "running"


@pytest.mark.parametrize(
    ("account", "state"),
    [(CONSUMER, "running"), ("sandbox", "running"), (PARTNER, "terminated"), (OUTSIDER, "terminated")],
)
def test_an_organization_s_accounts_launch(golden: Golden, account: str, state: str) -> None:
    """(EC2 User Guide, Share an AMI with organizations or OUs: Allow organizations to use a KMS key.)"""
    golden.share(account)
    organization = golden.aws.description()["organization"]["id"]
    golden.put_policy(
        {
            "Principal": "*",
            "Action": [f"kms:{one}" for one in USE],
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": organization}},
        }
    )
    assert golden.launch(account)["State"]["Name"] == state


def test_an_outsider_is_denied_everywhere(golden: Golden) -> None:
    """Neither named nor in the organization: without the image, with it, with its key named to others."""
    golden.grant(CONSUMER)
    ec2 = golden.aws.client("ec2", OUTSIDER)
    assert error_code(ec2.run_instances, ImageId=golden.image_id, **ONE) == "AuthFailure"
    copy = {"Name": "copy", "SourceImageId": golden.image_id, "SourceRegion": "us-east-1"}
    assert error_code(ec2.copy_image, **copy) == "InvalidAMIID.NotFound"
    golden.share(OUTSIDER)
    assert golden.launch(OUTSIDER)["StateReason"] == CLIENT_ERROR
    assert golden.copy(OUTSIDER)["StateReason"] == INACCESSIBLE


def test_a_role_launches_by_its_own_policies(golden: Golden) -> None:
    golden.share(CONSUMER)
    golden.grant(CONSUMER)
    sts = golden.aws.client("sts", "images")
    role = golden.aws.description()["roles"]["golden-consumer"][CONSUMER]
    call = {"RoleArn": role, "RoleSessionName": "probe", "ExternalId": "golden-images"}
    session = sts.assume_role(**call)["Credentials"]
    assert golden.launch(CONSUMER, client_of(golden.aws, session, "ec2"))["State"]["Name"] == "running"
    iam = golden.aws.client("iam", CONSUMER)
    only_ec2 = json.dumps({"Version": "2012-10-17", **ALLOW_EC2_ONLY})
    iam.put_role_policy(RoleName="golden-consumer", PolicyName="own", PolicyDocument=only_ec2)
    ec2 = client_of(golden.aws, session, "ec2")
    launched = ec2.run_instances(ImageId=golden.image_id, **ONE)["Instances"][0]["InstanceId"]
    (reservation,) = ec2.describe_instances(InstanceIds=[launched])["Reservations"]
    assert reservation["Instances"][0]["StateReason"] == CLIENT_ERROR


def role_with(golden: Golden, *statements: dict[str, Any]) -> dict[str, str]:
    """Credentials of the consumer's role, whose own policy has these statements."""
    sts, iam = golden.aws.client("sts", "images"), golden.aws.client("iam", CONSUMER)
    document = json.dumps({"Version": "2012-10-17", "Statement": [*ALLOW_EC2_ONLY["Statement"], *statements]})
    iam.put_role_policy(RoleName="golden-consumer", PolicyName="own", PolicyDocument=document)
    role = golden.aws.description()["roles"]["golden-consumer"][CONSUMER]
    call = {"RoleArn": role, "RoleSessionName": "probe", "ExternalId": "golden-images"}
    session: dict[str, str] = sts.assume_role(**call)["Credentials"]
    return session


USE_KEYS = {"Effect": "Allow", "Action": [f"kms:{one}" for one in USE], "Resource": "*"}
TRY_KEY = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}


def test_a_role_s_policy_may_allow_keys_through_ec2_only(golden: Golden) -> None:
    """(KMS Developer Guide, AWS KMS condition keys: kms:ViaService. The dry run is a direct call.)"""
    golden.share(CONSUMER)
    golden.grant(CONSUMER)
    through_ec2 = {"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}}
    session = role_with(golden, {**USE_KEYS, "Condition": through_ec2})
    decrypt = client_of(golden.aws, session, "kms").decrypt
    assert error_code(decrypt, KeyId=golden.key, **TRY_KEY) == "AccessDeniedException"
    assert "explicit deny in" not in message(decrypt, KeyId=golden.key, **TRY_KEY)
    assert golden.launch(CONSUMER, client_of(golden.aws, session, "ec2"))["State"]["Name"] == "running"


def test_an_explicit_deny_in_the_own_policy_is_named(golden: Golden) -> None:
    """(IAM User Guide, Troubleshoot access denied error messages.)

    Whether KMS names it for another account's key is not documented: the caller's own policies are no secret.
    """
    golden.share(CONSUMER)
    golden.grant(CONSUMER)
    session = role_with(golden, USE_KEYS, {**USE_KEYS, "Effect": "Deny", "Action": "kms:Decrypt"})
    decrypt = client_of(golden.aws, session, "kms").decrypt
    assert "explicit deny in an identity-based policy" in message(decrypt, KeyId=golden.key, **TRY_KEY)
    assert golden.launch(CONSUMER, client_of(golden.aws, session, "ec2"))["StateReason"] == CLIENT_ERROR


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_policy_may_require_imdsv2(golden: Golden, dry_run: bool) -> None:
    """(Service Authorization Reference, Amazon EC2: ec2:MetadataHttpTokens.)"""
    golden.share(CONSUMER)
    golden.grant(CONSUMER)
    denial = {
        "Effect": "Deny",
        "Action": "ec2:RunInstances",
        "Resource": "arn:aws:ec2:*:*:instance/*",
        "Condition": {"StringNotEquals": {"ec2:MetadataHttpTokens": "required"}},
    }
    ec2 = client_of(golden.aws, role_with(golden, USE_KEYS, denial), "ec2")
    call = {"ImageId": golden.image_id, "DryRun": dry_run, **ONE}
    assert error_code(ec2.run_instances, **call) == "UnauthorizedOperation"
    optional = {"MetadataOptions": {"HttpTokens": "optional"}}
    assert error_code(ec2.run_instances, **call, **optional) == "UnauthorizedOperation"
    required = {"MetadataOptions": {"HttpTokens": "required"}}
    assert outcome(ec2.run_instances, **call, **required) == ("DryRunOperation" if dry_run else "ok")


# Auto Scaling launches in the name of its service-linked role.


def scale(golden: Golden, account: str, **group: str) -> dict[str, Any]:
    ec2 = golden.aws.client("ec2", account)
    data = {"ImageId": golden.image_id, "InstanceType": "t3.micro"}
    template = {"LaunchTemplateName": "web", "LaunchTemplateData": data}
    ec2.create_launch_template(**template)
    golden.aws.client("autoscaling", account).create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=1,
        MaxSize=1,
        AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateName": "web"},
        **group,
    )
    return one_instance(ec2)


def grant_to_auto_scaling(golden: Golden, by: str, account: str, operations: list[str]) -> None:
    arn = golden.aws.description()["service_linked_roles"]["autoscaling.amazonaws.com"][account]
    kms = golden.aws.client("kms", by)
    kms.create_grant(KeyId=golden.key, GranteePrincipal=arn, Operations=operations)


@pytest.mark.parametrize(
    ("by", "operations", "state"),
    [
        (None, [], "terminated"),
        (CONSUMER, AUTO_SCALING_USE, "running"),
        (CONSUMER, USE, "terminated"),
        (CONSUMER, without("CreateGrant", AUTO_SCALING_USE), "terminated"),
        # The consumer's account must make it (Auto Scaling User Guide, the page above, example 2).
        ("images", AUTO_SCALING_USE, "terminated"),
    ],
)
def test_auto_scaling_needs_a_grant_of_its_own(
    golden: Golden, by: str | None, operations: list[str], state: str
) -> None:
    golden.share(CONSUMER)
    golden.grant(CONSUMER, AUTO_SCALING_USE)
    if by:
        grant_to_auto_scaling(golden, by, CONSUMER, operations)
    instance = scale(golden, CONSUMER)
    assert instance["State"]["Name"] == state
    if state == "terminated":
        assert instance["StateReason"] == CLIENT_ERROR


@pytest.mark.parametrize("suffixed", [True, False])
def test_a_group_launches_with_the_role_that_it_was_created_with(golden: Golden, suffixed: bool) -> None:
    """(Auto Scaling User Guide, Service-linked roles: roles with a custom suffix.)"""
    golden.share(CONSUMER)
    golden.grant(CONSUMER, AUTO_SCALING_USE)
    grant_to_auto_scaling(golden, CONSUMER, CONSUMER, AUTO_SCALING_USE)
    iam = golden.aws.client("iam", CONSUMER)
    role = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="web")
    arn = role["Role"]["Arn"]
    assert arn.endswith("/AWSServiceRoleForAutoScaling_web")
    if suffixed:
        kms = golden.aws.client("kms", CONSUMER)
        kms.create_grant(KeyId=golden.key, GranteePrincipal=arn, Operations=AUTO_SCALING_USE)
    instance = scale(golden, CONSUMER, ServiceLinkedRoleARN=arn)
    assert instance["State"]["Name"] == ("running" if suffixed else "terminated")
    groups = golden.aws.client("autoscaling", CONSUMER).describe_auto_scaling_groups()["AutoScalingGroups"]
    assert [one["ServiceLinkedRoleARN"] for one in groups] == [arn]


def test_a_group_cannot_have_a_role_that_does_not_exist(golden: Golden) -> None:
    arn = golden.aws.description()["service_linked_roles"]["autoscaling.amazonaws.com"][CONSUMER]
    with pytest.raises(ClientError, match="ARN specified for Service-Linked Role does not exist"):
        scale(golden, CONSUMER, ServiceLinkedRoleARN=f"{arn}_web")


@pytest.mark.parametrize("named", [True, False])
def test_auto_scaling_needs_a_word_of_the_default_key_s_policy(golden: Golden, named: bool) -> None:
    """(Auto Scaling User Guide, Required AWS KMS key policy for use with encrypted volumes, example 1.)"""
    golden.share(OWN_KEY)
    golden.grant(OWN_KEY, AUTO_SCALING_USE)
    grant_to_auto_scaling(golden, OWN_KEY, OWN_KEY, AUTO_SCALING_USE)
    role = golden.aws.description()["service_linked_roles"]["autoscaling.amazonaws.com"][OWN_KEY]
    statements = [{"Principal": {"AWS": golden.root(OWN_KEY)}, "Action": "kms:*"}]
    if named:
        statements.append({"Principal": {"AWS": role}, "Action": "kms:*"})
    web = golden.aws.description()["kms_keys"]["web"]["us-east-1"]
    golden.aws.client("kms", OWN_KEY).put_key_policy(KeyId=web, Policy=policy(*statements))
    assert scale(golden, OWN_KEY)["State"]["Name"] == ("running" if named else "terminated")


def test_auto_scaling_makes_its_role(golden: Golden) -> None:
    """(Auto Scaling User Guide, Service-linked roles: it is created when a group is.)"""
    golden.share(OUTSIDER)
    assert scale(golden, OUTSIDER)["State"]["Name"] == "terminated"
    roles = golden.aws.client("iam", OUTSIDER).list_roles()["Roles"]
    assert [role["RoleName"] for role in roles] == ["AWSServiceRoleForAutoScaling"]
