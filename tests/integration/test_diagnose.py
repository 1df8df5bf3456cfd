# SPDX-License-Identifier: GPL-3.0-or-later

"""ami_share_diagnose: each trouble has its code, and its remedy, applied, lets the account launch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from tests.simulated_aws.client import SimulatedAws

from . import encrypted, observed
from .encrypted import EXTERNAL_ID, NO_KEY, ROLE, USE, EncryptedEstate, root, steps
from .estate import HOME, OWNER, STRANGER
from .playbook import MODULES, Ansible, Run

DISK = {"device_name": "/dev/xvda", "size": 8}
TWO = [DISK, {"device_name": "/dev/sdb", "size": 20}]
AS_CONSUMER = {"consumer_role_name": ROLE, "external_id": EXTERNAL_ID}
DEV, MEMBER, OUTSIDE, HIDING = "data-dev", "data-prod", STRANGER, "web-staging"
ACCOUNTS = (DEV, "sandbox", MEMBER, OUTSIDE, HIDING)
NOT_FOUND = "InvalidAMIID.NotFound"
# Each image in a region of its own, so that one task can look at all of them.
GOLDEN, ALONE, HALF, HIDDEN, UNIT = HOME, "us-east-2", "us-west-2", "eu-west-1", "eu-central-1"
DISABLED, OLD, PUBLIC, WRONG, EBS, OFF = (
    *("ap-southeast-2", "ap-northeast-1", "sa-east-1", "us-west-1", "ca-central-1", "eu-west-2"),
)


class Trouble(NamedTuple):
    """What an account finds of a region's image, and how its launch ends, before anything is mended.

    ``left`` is what is found of it afterwards.
    """

    region: str
    account: str
    code: str
    can_launch: str
    level: str | None
    launch: str
    left: tuple[str, ...] = ()


TROUBLES = {
    "not shared": Trouble(ALONE, DEV, "NotShared", "no", None, NOT_FOUND),
    "shared without key": Trouble(GOLDEN, DEV, "KeyNotShared", "no", "authorized", NO_KEY),
    "a key without CreateGrant": Trouble(
        GOLDEN, "sandbox", "KeyWithoutCreateGrant", "no", "authorized", NO_KEY
    ),
    "a unit without key": Trouble(
        GOLDEN, MEMBER, "KeyNotShared", "no", "authorized", NO_KEY, ("ThroughOrganization",)
    ),
    "without the second snapshot": Trouble(
        HALF, DEV, "MissingVolumePermission", "yes", "authorized", "running"
    ),
    "hidden by Allowed AMIs": Trouble(HIDDEN, HIDING, "HiddenByAllowedImages", "no", None, NOT_FOUND),
    "through a unit only": Trouble(UNIT, MEMBER, "ThroughOrganization", "yes", "authorized", "running"),
    "outside of the unit": Trouble(UNIT, OUTSIDE, "OutsideOrganization", "no", None, NOT_FOUND),
    "disabled": Trouble(DISABLED, DEV, "ImageDisabled", "no", None, NOT_FOUND),
    "deprecated": Trouble(OLD, DEV, "Deprecated", "yes", "authorized", "running"),
    "public": Trouble(PUBLIC, DEV, "Public", "yes", "authorized", "running"),
    "in another region": Trouble(WRONG, DEV, "WrongRegion", "no", None, NOT_FOUND),
    "under the default key": Trouble(EBS, DEV, "DefaultKey", "no", "authorized", NO_KEY),
    "under a disabled key": Trouble(OFF, DEV, "KeyNotEnabled", "no", "authorized", NO_KEY),
}


class World:
    """An image in each region, each with its trouble, made with plain boto3."""

    def __init__(self, aws: SimulatedAws, estate: EncryptedEstate) -> None:
        self.aws, self.estate = aws, estate
        readers = {"sharing": {"accounts": [DEV], "snapshot_accounts": [DEV]}}
        regions = {HALF: [DEV], HIDDEN: [HIDING], DISABLED: [DEV], OLD: [DEV]}
        built = estate.add(
            kms_keys={
                "off": {"account": OWNER, "regions": [OFF]},
                "new": {"account": OWNER, "regions": [EBS], "alias": encrypted.ALIAS},
            },
            images={
                region: {
                    "account": OWNER,
                    "region": region,
                    "devices": TWO,
                    "sharing": {"accounts": shared_with, "snapshot_accounts": shared_with},
                }
                for region, shared_with in {ALONE: [], UNIT: [], PUBLIC: [], **regions}.items()
            }
            | {
                EBS: {
                    "account": OWNER,
                    "region": EBS,
                    "devices": [{**DISK, "encrypted": True}],
                    **readers,
                },
                OFF: {
                    "account": OWNER,
                    "region": OFF,
                    "devices": [{**DISK, "encrypted": True, "kms_key": "off"}],
                    **readers,
                },
            },
        )
        found = {region: image["image_id"] for region, image in built["images"].items()}
        self.images = {GOLDEN: estate.image_id, **found, WRONG: found[ALONE]}
        self.off = built["kms_keys"]["off"][OFF]
        self._make_troubles()

    def ec2(self, region: str, account: str = OWNER) -> Any:
        return self.aws.client("ec2", account, region)

    def kms(self, region: str) -> Any:
        return self.aws.client("kms", OWNER, region)

    def ids(self, *accounts: str) -> list[str]:
        return self.estate.account_ids(*accounts)

    def snapshots(self, region: str) -> list[str]:
        return observed.snapshot_ids(observed.image(self.aws, OWNER, region, self.images[region]))

    def _make_troubles(self) -> None:
        self._share(GOLDEN, *self._users(DEV, "sandbox"), {"OrganizationalUnitArn": self.estate.unit_arn()})
        for snapshot in self.snapshots(GOLDEN):
            self.ec2(GOLDEN).modify_snapshot_attribute(
                SnapshotId=snapshot,
                Attribute="createVolumePermission",
                OperationType="add",
                UserIds=self.ids(DEV, "sandbox"),
            )
        self.kms(GOLDEN).create_grant(
            KeyId=self.estate.key(GOLDEN),
            GranteePrincipal=root(*self.ids("sandbox")),
            Operations=[operation for operation in USE if operation != "CreateGrant"],
        )
        self.ec2(HALF).modify_snapshot_attribute(
            SnapshotId=self.snapshots(HALF)[1],
            Attribute="createVolumePermission",
            OperationType="remove",
            UserIds=self.ids(DEV),
        )
        hiding = self.ec2(HIDDEN, HIDING)
        criteria = [{"ImageProviders": self.ids(OUTSIDE)}, {"ImageNames": ["web-*"]}]
        hiding.replace_image_criteria_in_allowed_images_settings(ImageCriteria=criteria)
        hiding.enable_allowed_images_settings(AllowedImagesSettingsState="enabled")
        self._share(UNIT, {"OrganizationalUnitArn": self.estate.unit_arn()})
        self.ec2(DISABLED).disable_image(ImageId=self.images[DISABLED])
        self.ec2(OLD).enable_image_deprecation(
            ImageId=self.images[OLD], DeprecateAt=datetime.now(UTC) - timedelta(seconds=30)
        )
        self.ec2(PUBLIC).disable_image_block_public_access()
        self._share(PUBLIC, {"Group": "all"})
        self.ec2(PUBLIC).enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
        self.kms(OFF).create_grant(KeyId=self.off, GranteePrincipal=root(*self.ids(DEV)), Operations=USE)
        self.kms(OFF).disable_key(KeyId=self.off)

    def _users(self, *accounts: str) -> list[dict[str, str]]:
        return [{"UserId": account_id} for account_id in self.ids(*accounts)]

    def _share(self, region: str, *entries: dict[str, str]) -> None:
        self.ec2(region).modify_image_attribute(
            ImageId=self.images[region], LaunchPermission={"Add": list(entries)}
        )

    def mend_by_aws(self) -> None:
        """What no module of this collection mends."""
        hiding = self.ec2(HIDDEN, HIDING)
        criteria = hiding.get_allowed_images_settings()["ImageCriteria"]
        criteria.append({"ImageProviders": self.ids(OWNER)})
        hiding.replace_image_criteria_in_allowed_images_settings(ImageCriteria=criteria)
        self.ec2(DISABLED).enable_image(ImageId=self.images[DISABLED])
        self.ec2(OLD).disable_image_deprecation(ImageId=self.images[OLD])
        self.kms(OFF).enable_key(KeyId=self.off)

    def remedies(self) -> dict[str, tuple[str, Mapping[str, Any]]]:
        """What modules of this collection mend, as the remedies say."""
        by_name = (ALONE, HALF, DISABLED, PUBLIC)
        images = self.images
        return {
            "share with the account": (
                "ami_share",
                {"images": {region: images[region] for region in by_name}, "account_ids": self.ids(DEV)},
            ),
            "withdraw from everybody": (
                "ami_share",
                {"images": {PUBLIC: images[PUBLIC]}, "group": "all", "state": "absent"},
            ),
            "share by name": (
                "ami_share",
                {"images": {UNIT: images[UNIT]}, "account_ids": self.ids(MEMBER, OUTSIDE)},
            ),
            "open the key": (
                "ami_kms_grant",
                {
                    "images": {GOLDEN: images[GOLDEN]},
                    "account_ids": self.ids(DEV, "sandbox"),
                    "org_unit_arns": [self.estate.unit_arn()],
                },
            ),
            "copy to the region": ("ami_copy_regions", self._copy(ALONE, WRONG)),
            "copy under another key": (
                "ami_copy_regions",
                self._copy(EBS, EBS, kms_key_id=encrypted.ALIAS, reencrypt_source=True),
            ),
        }

    def _copy(self, source: str, region: str, **more: Any) -> dict[str, Any]:
        return {
            "source_image_id": self.images[source],
            "source_region": source,
            "regions": [region],
            "name": "copy",
            **more,
        }


@pytest.fixture
def estate(aws: SimulatedAws) -> EncryptedEstate:
    """The estate of the encrypted image."""
    return EncryptedEstate(aws)


@pytest.fixture
def world(aws: SimulatedAws, estate: EncryptedEstate) -> World:
    """An image with its trouble in each region."""
    return World(aws, estate)


def _diagnosis(world: World, **changes: Any) -> dict[str, Any]:
    return {"images": world.images, "account_ids": world.ids(*ACCOUNTS), **AS_CONSUMER, **changes}


def _of(run: Run, task: str, world: World, trouble: Trouble) -> dict[str, Any]:
    """What a task says of a trouble's image and account."""
    found: dict[str, Any]
    (account_id,) = world.ids(trouble.account)
    (found,) = [
        one
        for one in run.task(task).result["results"]
        if (one["region"], one["account_id"]) == (trouble.region, account_id)
    ]
    return found


def _codes(found: Mapping[str, Any]) -> list[str]:
    return sorted(finding["code"] for finding in found["findings"])


def test_every_trouble_has_its_code_and_its_remedy_works(
    aws: SimulatedAws, ansible: Ansible, world: World
) -> None:
    aws.forget_calls()
    diagnose = {"name": "diagnose", MODULES + "ami_share_diagnose": _diagnosis(world)}
    few = _diagnosis(world, images={region: world.images[region] for region in (GOLDEN, HIDDEN)})
    check = {"name": "check", MODULES + "ami_share_diagnose": few, "check_mode": True}
    run = ansible.tasks([diagnose, check])
    assert run.code == 0, run.text[-3000:]
    assert encrypted.changes(aws) == []
    dry_runs = [call for call in aws.calls() if call.action in ("CreateGrant", "RunInstances")]
    assert dry_runs
    assert all(str(call.parameters["DryRun"]).lower() == "true" for call in dry_runs)
    results = run.task("diagnose").result["results"]
    assert run.task("check").result["results"] == [
        one for one in results if one["region"] in (GOLDEN, HIDDEN)
    ]
    for name, trouble in TROUBLES.items():
        found = _of(run, "diagnose", world, trouble)
        assert trouble.code in _codes(found), (name, found)
        assert (found["can_launch"], found["level"]) == (trouble.can_launch, trouble.level), (name, found)
        state = encrypted.launched(aws, trouble.account, trouble.region, world.images[trouble.region])
        assert state == trouble.launch, name
    assert not observed.copy(aws, DEV, HALF, world.images[HALF]).startswith("ami-")

    world.mend_by_aws()
    mended = steps(ansible, world.remedies())
    assert [task.name for task in mended.tasks if task.status != "ok"] == [], mended.text[-3000:]
    for task, region in (("copy to the region", WRONG), ("copy under another key", EBS)):
        world.images[region] = mended.task(task).result["images"][region]
    copies = {region: world.images[region] for region in (WRONG, EBS)}
    again = steps(
        ansible,
        {
            "share the copies": ("ami_share", {"images": copies, "account_ids": world.ids(DEV)}),
            "open the copies": ("ami_kms_grant", {"images": copies, "account_ids": world.ids(DEV)}),
            "diagnose": ("ami_share_diagnose", _diagnosis(world)),
        },
    )
    assert [task.name for task in again.tasks if task.status != "ok"] == [], again.text[-3000:]
    for name, trouble in TROUBLES.items():
        found = _of(again, "diagnose", world, trouble)
        assert (found["can_launch"], found["level"]) == ("yes", "authorized"), (name, found)
        assert _codes(found) == sorted(trouble.left), (name, found)
        state = encrypted.launched(aws, trouble.account, trouble.region, world.images[trouble.region])
        assert state == "running", name
    assert observed.copy(aws, DEV, HALF, world.images[HALF]).startswith("ami-")
