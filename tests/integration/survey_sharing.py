# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs of the roles that share, verify, diagnose and publish images that exist."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws

from . import encrypted, in_process, observed, probing, publishing, refreshing
from .encrypted import EXTERNAL_ID, ROLE, EncryptedFixture
from .fixture import CONSUMERS, HOME, OWNER, STRANGER, Fixture
from .playbook import Run
from .survey import Builders, Job, assert_reported, reporting


def share_with(aws: SimulatedAws, image_id: str, *principals: str) -> None:
    """Let accounts, an organization or organizational units launch an image of the owner's in ``HOME``."""
    kinds = {":organization/": "OrganizationArn", ":ou/": "OrganizationalUnitArn"}
    entries = [
        {next((kind for part, kind in kinds.items() if part in one), "UserId"): one} for one in principals
    ]
    aws.client("ec2", OWNER, HOME).modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": entries})


def _share(aws: SimulatedAws, _folder: Path) -> Job:
    fixture = Fixture(aws)
    accounts = fixture.account_ids(*CONSUMERS)
    share_with(aws, fixture.image_id, *fixture.account_ids(STRANGER))
    values = {
        "share_images": {HOME: fixture.image_id},
        "share_account_ids": accounts,
        "share_org_arns": [fixture.org_arn],
        "share_org_unit_arns": [fixture.unit_arn()],
        "share_shared_tags": {"version": "1.10"},
        "share_snapshots": False,
        "share_purge_launch_permissions": True,
    }

    def check(_run: Run) -> None:
        permitted = {*accounts, fixture.org_arn, fixture.unit_arn()}
        found = observed.sharing(aws, OWNER, HOME, fixture.image_id)
        assert found == (permitted, [set(), set()])
        tags = observed.tags(observed.image(aws, OWNER, HOME, fixture.image_id))
        assert tags["ec2:SharedTag/version"] == "1.10"

    return Job("golden.images.share_ami", values, check, fixture)


def _launchable(aws: SimulatedAws) -> EncryptedFixture:
    """An encrypted image that the consumers can launch."""
    fixture = EncryptedFixture(aws)
    accounts = fixture.account_ids(*CONSUMERS)
    share_with(aws, fixture.image_id, *accounts)
    for account_id in accounts:
        aws.client("kms", OWNER, HOME).create_grant(
            KeyId=fixture.key(HOME),
            GranteePrincipal=encrypted.root(account_id),
            Operations=encrypted.USE,
        )
    return fixture


def _unshare(aws: SimulatedAws, _folder: Path) -> Job:
    fixture = _launchable(aws)
    kept, removed = fixture.account_ids(*CONSUMERS)
    share_with(aws, fixture.image_id, fixture.org_arn, fixture.unit_arn())
    values = {
        "unshare_images": {HOME: fixture.image_id},
        "unshare_account_ids": [removed],
        "unshare_org_arns": [fixture.org_arn],
        "unshare_org_unit_arns": [fixture.unit_arn()],
        "unshare_name_patterns": ["golden-*"],
        "unshare_regions": [HOME],
        "unshare_check_keys": True,
        "unshare_consumer_role_name": ROLE,
        "unshare_external_id": EXTERNAL_ID,
        "unshare_revoke_in_use": True,
    }

    def check(run: Run) -> None:
        assert observed.launch_permissions(aws, OWNER, HOME, fixture.image_id) == {kept}
        assert {one["region"] for one in run.facts["unshare_removals"]} == {HOME}

    return Job("golden.images.unshare_ami", values, check, fixture, (EXTERNAL_ID,))


def _unshare_all(aws: SimulatedAws, _folder: Path) -> Job:
    fixture = Fixture(aws)
    kept, removed = fixture.account_ids(*CONSUMERS)
    share_with(aws, fixture.image_id, kept, removed)
    values = {
        "unshare_account_ids": [removed],
        "unshare_all_images": True,
        "unshare_check_keys": False,
    }

    def check(_run: Run) -> None:
        assert observed.launch_permissions(aws, OWNER, HOME, fixture.image_id) == {kept}
        assert aws.calls(service="kms") == []

    return Job("golden.images.unshare_ami", values, check, fixture)


def _verify(aws: SimulatedAws, folder: Path) -> Job:
    fixture = _launchable(aws)
    _publish_by_share(aws, fixture)
    accounts = fixture.account_ids(*CONSUMERS)
    values = {
        "verify_images": {HOME: fixture.image_id},
        "verify_account_ids": accounts,
        "verify_consumer_role_name": ROLE,
        "verify_external_id": EXTERNAL_ID,
        "verify_level": "launched",
        "verify_subnet_ids": probing.subnet_ids(aws, CONSUMERS, HOME),
        "verify_security_group_ids": probing.security_group_ids(aws, CONSUMERS, HOME),
        "verify_launch_tags": {"CostCenter": "0042"},
        "verify_instance_type": "t3.large",
        "verify_parameter": publishing.PARAMETER,
        "verify_wait_timeout": 60,
        "verify_max_processes": 2,
        "verify_report_path": str(folder / "verification.json"),
        **reporting(aws, folder, "verify"),
    }

    def check(run: Run) -> None:
        found = [(one["account_id"], one["region"], one["level"]) for one in run.facts["verify_results"]]
        assert sorted(found) == sorted((account, HOME, "launched") for account in accounts)
        for account in CONSUMERS:
            expected = probing.expected_launches(aws, account, "t3.large", HOME)
            assert probing.launches(aws, account) == expected
            assert probing.instances(aws, account, HOME, *probing.LIVING) == []
            assert ("volume", "CostCenter", "0042") in probing.tags_of_launches(aws, account)
        scripts = [call.parameters.get("UserData") for call in aws.calls(action="RunInstances")]
        # If nothing terminates an instance, it shuts itself down five minutes after the timeout.
        ends = {base64.b64decode(script).decode() for script in scripts if script}
        assert ends == {"#!/bin/sh\nshutdown -h +6\n"}
        report = json.loads((folder / "verification.json").read_text(encoding="utf-8"))
        assert report["status"] == "verified"
        assert assert_reported(aws, folder, "verify")["results"] == report["results"]

    return Job("golden.images.verify_ami", values, check, fixture, (EXTERNAL_ID,))


def _publish_by_share(aws: SimulatedAws, fixture: EncryptedFixture) -> None:
    """Publish the image in a parameter of the owner that the consumers can read."""
    publishing.enable_sharing(aws)
    publishing.add_parameter(aws, HOME, fixture.image_id)
    publishing.add_share(aws, HOME, fixture.account_ids(*CONSUMERS))


def _diagnose(aws: SimulatedAws, _folder: Path) -> Job:
    fixture = _launchable(aws)
    _publish_by_share(aws, fixture)
    accounts = fixture.account_ids(*CONSUMERS)
    values = {
        "diagnose_images": {HOME: fixture.image_id},
        "diagnose_account_ids": accounts,
        "diagnose_consumer_role_name": ROLE,
        "diagnose_external_id": EXTERNAL_ID,
        "diagnose_subnet_ids": probing.subnet_ids(aws, CONSUMERS, HOME),
        "diagnose_security_group_ids": probing.security_group_ids(aws, CONSUMERS, HOME),
        "diagnose_launch_tags": {"CostCenter": "0042"},
        "diagnose_instance_type": "t3.large",
        "diagnose_parameter": publishing.PARAMETER,
        "diagnose_max_processes": 2,
        "diagnose_fail_on": "blocking",
    }

    def check(run: Run) -> None:
        found = {
            (one["account_id"], one["level"], one["parameter_read"]) for one in run.facts["diagnose_results"]
        }
        assert found == {(account, "authorized", True) for account in accounts}
        for account in CONSUMERS:
            expected = probing.expected_launches(aws, account, "t3.large", HOME)
            assert probing.launches(aws, account, dry=True) == expected
            assert ("volume", "CostCenter", "0042") in probing.tags_of_launches(aws, account, dry=True)

    return Job("golden.images.diagnose_ami", values, check, fixture, (EXTERNAL_ID,))


def _publish(aws: SimulatedAws, _folder: Path) -> Job:
    fixture = Fixture(aws)
    publishing.with_role(fixture)
    images = publishing.golden_images(fixture, "2026.11")
    publishing.add_templates(aws, publishing.golden_images(fixture, "2026.10"))
    newer = publishing.golden_images(fixture, "2026.12")
    value = {"Type": "String", "DataType": "aws:ec2:image", "Value": newer[HOME], "Tier": "Advanced"}
    aws.client("ssm", OWNER, HOME).put_parameter(Name=publishing.PARAMETER, **value)
    # Whom the job takes the parameter from.
    publishing.add_share(aws, HOME, fixture.account_ids("web-staging"))
    values = {
        "publish_images": images,
        "publish_parameter": publishing.PARAMETER,
        "publish_launch_templates": [publishing.TEMPLATE],
        "publish_launch_template_base_version": "latest",
        "publish_parameter_tags": {"team": "web"},
        "publish_share": fixture.account_ids(STRANGER),
        "publish_share_external": True,
        "publish_share_purge": True,
        # It would allow that nobody is named.
        "publish_allow_empty_purge": True,
        "publish_older": True,
        "publish_source_image_id": fixture.image_id,
        # It counts in check mode alone.
        "publish_source_region": HOME,
        **{f"publish_{name}": value for name, value in publishing.in_consumers(fixture).items()},
    }

    def check(_run: Run) -> None:
        for account, region in publishing.EVERYWHERE:
            label = f":source-{fixture.image_id}"
            assert publishing.value(aws, account, region, label) == images[region]
            assert publishing.default_of(aws, account, region)["ImageId"] == images[region]
            assert publishing.tags(aws, account, region) == {"team": "web"}
        assert publishing.principals(aws) == dict.fromkeys(fixture.account_ids(STRANGER), "ASSOCIATING")

    return Job("golden.images.publish_ami", values, check, fixture, (publishing.EXTERNAL_ID,))


class _OwnCopies:
    """A release whose images no account shares: the owner and the consumer each have their own."""

    def __init__(self, fixture: Fixture, release: str) -> None:
        self.images = {
            account: publishing.golden_images(fixture, f"{release} {account}", sharing={}, account=account)
            for account in (OWNER, publishing.CONSUMER)
        }
        self.source = self.images[OWNER][HOME]
        ids = dict(zip(self.images, fixture.account_ids(*self.images), strict=True))
        self.listed = [
            {"account_id": ids[account], "region": region, "image_id": self.images[account][region]}
            for account, region in publishing.EVERYWHERE
        ]

    @property
    def expected(self) -> list[str]:
        """The images in the order of ``EVERYWHERE``."""
        return [self.images[account][region] for account, region in publishing.EVERYWHERE]


def _publish_own_copies(aws: SimulatedAws, _folder: Path) -> Job:
    fixture = Fixture(aws)
    publishing.with_role(fixture)
    release = _OwnCopies(fixture, "2026.11")
    values = {
        "publish_images": release.listed,
        "publish_parameter": publishing.PARAMETER,
        "publish_require_shared": False,
        **{f"publish_{name}": value for name, value in publishing.in_consumers(fixture).items()},
    }

    def check(_run: Run) -> None:
        assert publishing.values(aws) == release.expected

    return Job("golden.images.publish_ami", values, check, fixture, (publishing.EXTERNAL_ID,))


def _rollback(aws: SimulatedAws, _folder: Path) -> Job:
    fixture = Fixture(aws)
    publishing.with_role(fixture)
    earlier, later = (_OwnCopies(fixture, release) for release in ("2026.10", "2026.11"))
    publishing.add_templates(aws, later.images[OWNER])
    in_consumers = publishing.in_consumers(fixture)
    for release in (earlier, later):
        options: dict[str, Any] = {"images": release.listed, "source_image_id": release.source}
        options |= {"parameter": publishing.PARAMETER, "require_shared": False, **in_consumers}
        done = in_process.run(aws, OWNER, "ami_publish", options)
        assert done["failures"] == [], done
    values = {
        "rollback_parameter": publishing.PARAMETER,
        "rollback_regions": list(publishing.REGIONS),
        "rollback_source_image_id": earlier.source,
        "rollback_launch_templates": [publishing.TEMPLATE],
        "rollback_launch_template_base_version": "default",
        "rollback_require_shared": False,
        **{f"rollback_{name}": value for name, value in in_consumers.items()},
    }

    def check(_run: Run) -> None:
        assert publishing.values(aws) == earlier.expected
        launched = [publishing.default_of(aws, *place)["ImageId"] for place in publishing.EVERYWHERE]
        assert launched == earlier.expected

    return Job("golden.images.rollback_ami", values, check, fixture, (publishing.EXTERNAL_ID,))


def _refresh(aws: SimulatedAws, _folder: Path) -> Job:
    fixture = Fixture(aws)
    old, new = refreshing.releases(fixture)
    home, (consumer,) = (publishing.CONSUMER, HOME), fixture.account_ids(publishing.CONSUMER)
    refreshing.add_template(aws, *home, old[HOME], new[HOME])
    for name in ("api", "web"):
        refreshing.add_group(aws, *home, name, "1")
    autoscaling = aws.client("autoscaling", *home)
    for name, change in (
        ("web", {"ProtectedFromScaleIn": True}),
        ("api", {"ShouldDecrementDesiredCapacity": True}),
    ):
        one = {"AutoScalingGroupName": name, "InstanceIds": refreshing.instance_ids(aws, *home, name)[:1]}
        if name == "web":
            autoscaling.set_instance_protection(**one, **change)
        else:
            autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=0)
            autoscaling.enter_standby(**one, **change)
    values = {
        "refresh_images": {HOME: new[HOME]},
        "refresh_account_ids": [consumer],
        "refresh_consumer_role_name": publishing.ROLE,
        "refresh_external_id": publishing.EXTERNAL_ID,
        "refresh_auto_scaling_groups": ["api", "web"],
        "refresh_min_healthy_percentage": 50,
        "refresh_max_healthy_percentage": 120,
        "refresh_instance_warmup": 60,
        "refresh_bake_time": 30,
        "refresh_alarms": ["web-errors"],
        "refresh_auto_rollback": False,
        "refresh_skip_matching": False,
        "refresh_scale_in_protected_instances": "refresh",
        "refresh_standby_instances": "ignore",
        "refresh_max_groups": 2,
        "refresh_max_concurrent_groups": 2,
        "refresh_wait_timeout": 60,
    }

    def check(run: Run) -> None:
        assert refreshing.images_of(aws, *home, "web") == {new[HOME]: 2}
        assert refreshing.images_of(aws, *home, "api") == {new[HOME]: 1, old[HOME]: 1}
        assert [len(one["instances_kept"]) for one in run.facts["refresh_results"]] == [1, 0]
        (refresh,) = refreshing.refreshes(aws, *home, "web")
        assert refresh["Preferences"] == {
            "AlarmSpecification": {"Alarms": ["web-errors"]},
            "BakeTime": 30,
            "InstanceWarmup": 60,
            "MaxHealthyPercentage": 120,
            "MinHealthyPercentage": 50,
            "ScaleInProtectedInstances": "Refresh",
            "SkipMatching": False,
            "StandbyInstances": "Ignore",
        }

    return Job("golden.images.refresh_instances", values, check, fixture, (publishing.EXTERNAL_ID,))


def _recall(aws: SimulatedAws, _folder: Path) -> Job:
    fixture = Fixture(aws)
    publishing.with_role(fixture)
    earlier, later = (publishing.golden_images(fixture, release, sharing={}) for release in ("10.1", "10.2"))
    for release in (earlier, later):
        tag = {"Key": "golden.images:source", "Value": f"{HOME}/{release[HOME]}"}
        aws.client("ec2", OWNER, publishing.AWAY).create_tags(
            Resources=[release[publishing.AWAY]], Tags=[tag]
        )
    publishing.add_templates(aws, later)
    options = {"parameter": publishing.PARAMETER, "require_shared": False}
    for release in (earlier, later):
        named = {"images": release, "source_image_id": release[HOME]}
        done = in_process.run(aws, OWNER, "ami_publish", {**options, **named})
        assert done["failures"] == [], done
    aws.client("s3", OWNER, HOME).create_bucket(Bucket="recalls")
    values = {
        "recall_state": "present",
        "recall_source_image_id": later[HOME],
        "recall_source_region": HOME,
        "recall_regions": list(publishing.REGIONS),
        "recall_parameter": publishing.PARAMETER,
        "recall_launch_templates": [publishing.TEMPLATE],
        "recall_launch_template_base_version": "default",
        "recall_previous_source_image_id": earlier[HOME],
        "recall_require_shared": False,
        "recall_require_usable_key": False,
        "recall_level": "block",
        "recall_block_method": "disable",
        "recall_accept_breaking": fixture.account_ids(OWNER),
        "recall_block_consumer_copies": True,
        "recall_tombstone_s3_uri": "s3://recalls",
        "recall_tombstone_s3_bucket_owner": aws.account_id(OWNER),
        "recall_account_ids": fixture.account_ids(OWNER),
        "recall_consumer_role_name": publishing.ROLE,
        "recall_external_id": publishing.EXTERNAL_ID,
    }

    def check(_run: Run) -> None:
        for region in publishing.REGIONS:
            assert publishing.value(aws, OWNER, region) == earlier[region]
            assert publishing.default_of(aws, OWNER, region)["ImageId"] == earlier[region]
            ec2 = aws.client("ec2", OWNER, region)
            found = ec2.describe_images(ImageIds=[later[region]], IncludeDisabled=True)["Images"]
            assert [image["State"] for image in found] == ["disabled"]

    return Job("golden.images.recall_ami", values, check, fixture, (publishing.EXTERNAL_ID,))


def _take_back(aws: SimulatedAws, folder: Path) -> Job:
    fixture = Fixture(aws)
    options = {
        "source_image_id": fixture.image_id,
        "source_region": HOME,
        "tombstone_path": str(folder / "recalls.jsonl"),
    }
    done = in_process.run(aws, OWNER, "ami_recall", options)
    assert done["failures"] == [], done
    values = {"recall_state": "absent", **{f"recall_{name}": value for name, value in options.items()}}

    def check(run: Run) -> None:
        (image,) = run.facts["recall_images"]
        assert (image["image_id"], image["changed"]) == (fixture.image_id, True)

    return Job("golden.images.recall_ami", values, check, fixture, ())


DIAGNOSE: Builders = {"all": _diagnose}
PUBLISH: Builders = {"all": _publish, "own copies": _publish_own_copies}
REFRESH: Builders = {"all": _refresh}
RECALL: Builders = {"all": _recall, "taken back": _take_back}
ROLLBACK: Builders = {"all": _rollback}
SHARE: Builders = {"all": _share}
UNSHARE: Builders = {"all": _unshare, "all images": _unshare_all}
VERIFY: Builders = {"all": _verify}
