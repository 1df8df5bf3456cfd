# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs of the roles cleanup and restore."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws

from . import encrypted, in_process, observed
from .encrypted import EXTERNAL_ID, ROLE, USE, EncryptedFixture
from .fixture import CONSUMERS, HOME, OWNER, Fixture
from .playbook import Run
from .survey import AWAY, DISK, Builders, Job, assert_reported, reporting
from .survey_sharing import share_with

CLEANUP_FQCN, RESTORE_FQCN = "golden.images.cleanup_amis", "golden.images.restore_ami"
FAR = "us-west-2"
# An account that the owner's role can look into, and one that has no such role.
SEEN, UNSEEN = "web-prod", "outsider"
TOMBSTONES = "golden-tombstones"
EVERY_VERSION = {"OptionName": "version-depth", "OptionValues": ["10000"]}
REPORTED = [
    {"ResourceType": "ec2:Instance"},
    {"ResourceType": "ec2:LaunchTemplate", "ResourceTypeOptions": [EVERY_VERSION]},
    {"ResourceType": "imagebuilder:ImageRecipe"},
    {"ResourceType": "imagebuilder:ContainerRecipe"},
]


def _states(aws: SimulatedAws, region: str) -> dict[str, str]:
    """The states of the owner's images in a region."""
    return {one["ImageId"]: one["State"] for one in observed.own_images(aws, OWNER, region)}


def _by_rules(aws: SimulatedAws, folder: Path) -> Job:
    """The oldest image of each family goes, and the rules keep all others."""
    fixture = Fixture(aws)
    common = {"account": OWNER, "region": AWAY, "devices": [DISK]}
    web = {**common, "age_days": 100, "tags": {"family": "web"}}
    images = fixture.add_images(
        {
            "newest": {**web, "age_days": 1},
            "latest": {**web, "age_days": 2},
            "young": {**web, "age_days": 20},
            "old": web,
            "kept": {**web, "tags": {"family": "web", "legal": "0123"}},
            "off": {**web, "state": "disabled"},
            "unused": {**web, "age_days": 45},
            "shared": {**web, "sharing": {"accounts": ["web-prod"]}},
            **{f"golden-db-{days}": {**common, "age_days": days} for days in (1, 2, 100)},
        }
    )
    values = {
        "cleanup_regions": [HOME, AWAY],
        "cleanup_family_tag": "family",
        "cleanup_family_name_pattern": "golden-(db)-[0-9]+",
        "cleanup_keep_latest": 2,
        "cleanup_max_age_days": 30,
        "cleanup_unused_for_days": 60,
        "cleanup_states": ["available"],
        "cleanup_protect_tags": ["legal=0123", "environment"],
        "cleanup_deregister_after_days": 0,
        "cleanup_max_deletions": "2.0",
        "cleanup_max_calls_per_second": "50.5",
        "cleanup_max_processes": 2,
        "cleanup_tombstone_path": str(folder / "tombstones.jsonl"),
        "cleanup_prices": {AWAY: 0.05, "default": 0.1},
        "cleanup_currency": "EUR",
        **reporting(aws, folder, "cleanup"),
    }

    def check(run: Run) -> None:
        retired = {images["old"], images["golden-db-100"]}
        assert run.facts["cleanup_status"] == "done"
        assert {one["image_id"] for one in run.facts["cleanup_deregistered"]} == retired
        assert {*_states(aws, AWAY)} == {*images.values()} - retired
        reasons = {one["image_id"]: " ".join(one["reasons"]) for one in run.facts["cleanup_results"]}
        assert "less than 30 days ago" in reasons[images["young"]]
        lines = (folder / "tombstones.jsonl").read_text(encoding="utf-8").splitlines()
        assert {json.loads(line)["image_id"] for line in lines} == retired
        report = assert_reported(aws, folder, "cleanup")
        assert (report["totals"]["freed_monthly_cost"], report["currency"]) == (0.8, "EUR")

    return Job(CLEANUP_FQCN, values, check, fixture)


def _in_stages(aws: SimulatedAws, _folder: Path) -> Job:
    """The last image of a family and its copy, which belongs to the family by its source, are disabled."""
    fixture = Fixture(aws)
    copy = aws.client("ec2", OWNER, AWAY).copy_image(
        Name="copy", SourceImageId=fixture.image_id, SourceRegion=HOME
    )
    images = {HOME: fixture.image_id, AWAY: copy["ImageId"]}
    aws.client("s3", OWNER, HOME).create_bucket(Bucket=TOMBSTONES)
    values = {
        "cleanup_regions": [HOME, AWAY],
        "cleanup_family_by_source": True,
        "cleanup_keep_latest": 0,
        "cleanup_allow_empty_family": True,
        "cleanup_deprecate_after_days": 0,
        "cleanup_disable_after_days": 0,
        "cleanup_deregister_after_days": 30,
        "cleanup_max_deletions": "100%",
        "cleanup_tombstone_s3_uri": f"s3://{TOMBSTONES}/0123",
        "cleanup_tombstone_s3_bucket_owner": aws.account_id(OWNER),
        "cleanup_tombstone_ssm_path": "/retired",
    }

    def check(run: Run) -> None:
        assert {one["family"] for one in run.facts["cleanup_results"]} == {f"{HOME}/{images[HOME]}"}
        stored = aws.client("s3", OWNER, HOME).list_objects_v2(Bucket=TOMBSTONES)["Contents"]
        for region, image_id in images.items():
            (image,) = observed.own_images(aws, OWNER, region)
            assert (image["ImageId"], image["State"]) == (image_id, "disabled")
            assert "golden.images:cleanup-deprecated" in observed.tags(image)
            assert [one for one in stored if one["Key"].startswith(f"0123/{region}/{image_id}/")]
            aws.client("ssm", OWNER, HOME).get_parameter(Name=f"/retired/{region}/{image_id}")
        assert {one["next_stage"] for one in run.facts["cleanup_results"]} == {"deregister"}

    return Job(CLEANUP_FQCN, values, check, fixture)


def _shared(aws: SimulatedAws, _folder: Path) -> Job:
    """What other accounts could use goes, with their grants: an account or a report shows that none does."""
    fixture = EncryptedFixture(aws)
    (seen,) = fixture.account_ids(SEEN)
    old = {"account": OWNER, "region": HOME, "devices": [DISK], "age_days": 100, "tags": {"family": "web"}}
    under_key = {**old, "devices": [{**DISK, "encrypted": True, "kms_key": "old"}]}
    built_by = {"account": OWNER, "region": HOME, "version": "1.2.0/1", "name": "managed"}
    made = fixture.add(
        kms_keys={"old": {"account": OWNER, "regions": [HOME, AWAY]}},
        images={
            "new": {**old, "age_days": 1},
            "seen": {**under_key, "sharing": {"accounts": [SEEN], "snapshot_accounts": [SEEN]}},
            "unseen": {**old, "sharing": {"accounts": [UNSEEN]}},
            "built": {**old, "built_by": built_by},
            "new away": {**old, "region": AWAY, "age_days": 1},
            "away": {**under_key, "region": AWAY},
        },
    )
    images = {name: image["image_id"] for name, image in made["images"].items()}
    keys = made["kms_keys"]["old"]
    aws.update_settings(new_grant_age_seconds=24 * 3600)
    for region, key in keys.items():
        aws.client("kms", OWNER, region).create_grant(
            KeyId=key, GranteePrincipal=encrypted.root(seen), Operations=USE, Name=f"golden-images:{seen}"
        )
    ec2 = aws.client("ec2", OWNER, HOME)
    ec2.create_image_usage_report(ImageId=images["unseen"], ResourceTypes=REPORTED)
    former = observed.copy(aws, OWNER, HOME, images["new"])
    (orphan,) = observed.snapshot_ids(observed.image(aws, OWNER, HOME, former))
    ec2.deregister_image(ImageId=former)
    _manage(aws, "managed")
    # Whether grants in this region are needed cannot be known.
    denied = {"code": "AccessDeniedException", "message": "No.", "status": 400}
    aws.add_fault("error", action="ListGrants", region=AWAY, times=0, **denied)
    values = {
        "cleanup_regions": [HOME, AWAY],
        "cleanup_family_tag": "family",
        "cleanup_deregister_after_days": 0,
        "cleanup_max_deletions": "100%",
        "cleanup_include_shared": True,
        "cleanup_trust_usage_reports": True,
        "cleanup_include_image_builder": True,
        "cleanup_unused_services": ["pcs", "sagemaker"],
        "cleanup_consumer_role_name": ROLE,
        "cleanup_external_id": EXTERNAL_ID,
        "cleanup_orphan_snapshots": True,
        "cleanup_revoke_grants": True,
        "cleanup_fail_on": "none",
        "cleanup_tombstone_ssm_path": "/retired",
    }

    def check(run: Run) -> None:
        retired = {images[name] for name in ("seen", "unseen", "built")}
        assert {one["image_id"] for one in run.facts["cleanup_deregistered"]} == retired
        assert orphan not in observed.own_snapshots(aws, OWNER, HOME)
        assert run.facts["cleanup_status"] == "incomplete"
        aws.clear_faults()
        assert {region: encrypted.grantees(aws, key) for region, key in keys.items()} == {
            HOME: [],
            AWAY: [encrypted.root(seen)],
        }

    return Job(CLEANUP_FQCN, values, check, fixture, (EXTERNAL_ID,))


def _manage(aws: SimulatedAws, recipe: str) -> None:
    """Let a lifecycle policy of Image Builder delete the images of a recipe."""
    aws.client("imagebuilder", OWNER, HOME).create_lifecycle_policy(
        name="web",
        executionRole="lifecycle",
        resourceType="AMI_IMAGE",
        policyDetails=[
            {
                "action": {"type": "DELETE", "includeResources": {"amis": True}},
                "filter": {"type": "COUNT", "value": 3},
            }
        ],
        resourceSelection={"recipes": [{"name": recipe, "semanticVersion": "1.x.x"}]},
    )


def _restore(aws: SimulatedAws, folder: Path) -> Job:
    """Each image's tombstone is in another place."""
    fixture = Fixture(aws)
    first, second = fixture.account_ids(*CONSUMERS)
    common = {"account": OWNER, "devices": [DISK], "tags": {"family": "web"}}
    path, uri, ssm_path = str(folder / "retired.jsonl"), f"s3://{TOMBSTONES}/0123", "/retired"
    places = {
        HOME: {"tombstone_path": path},
        AWAY: {"tombstone_s3_uri": uri},
        FAR: {"tombstone_ssm_path": ssm_path},
    }
    permissions = {HOME: {"Group": "all"}, AWAY: {"UserId": first}, FAR: {"UserId": second}}
    made = fixture.add_images(
        {
            f"{name} {region}": {**common, "region": region, "age_days": age}
            for region in places
            for name, age in (("new", 1), ("old", 100))
        }
    )
    images = {region: made[f"old {region}"] for region in places}
    aws.client("s3", OWNER, HOME).create_bucket(Bucket=TOMBSTONES)
    for region, place in places.items():
        ec2 = aws.client("ec2", OWNER, region)
        ec2.disable_image_block_public_access()
        ec2.modify_image_attribute(ImageId=images[region], LaunchPermission={"Add": [permissions[region]]})
        ec2.create_image_usage_report(ImageId=images[region], ResourceTypes=REPORTED)
        policy: dict[str, Any] = {"regions": [region], "family_tag": "family", "max_deletions": "100%"}
        policy |= {"disable_after_days": 0, "include_shared": True, "trust_usage_reports": True}
        in_process.run(aws, OWNER, "ami_cleanup", {**policy, **place})
        assert _states(aws, region)[images[region]] == "disabled"
    values = {
        "restore_images": images,
        "restore_tombstone_path": path,
        "restore_tombstone_s3_uri": uri,
        "restore_tombstone_s3_bucket_owner": aws.account_id(OWNER),
        "restore_tombstone_ssm_path": ssm_path,
        "restore_permissions": True,
        "restore_allow_public": True,
        "restore_max_calls_per_second": 20,
    }

    def check(_run: Run) -> None:
        for region, image_id in images.items():
            assert _states(aws, region)[image_id] == "available"
            permitted = observed.launch_permissions(aws, OWNER, region, image_id)
            assert permitted == {*permissions[region].values()}

    return Job(RESTORE_FQCN, values, check, fixture)


def _restore_without_permissions(aws: SimulatedAws, _folder: Path) -> Job:
    """Without tombstones."""
    fixture = Fixture(aws)
    share_with(aws, fixture.image_id, *fixture.account_ids(*CONSUMERS))
    aws.client("ec2", OWNER, HOME).disable_image(ImageId=fixture.image_id)
    values = {"restore_images": {HOME: fixture.image_id}, "restore_permissions": False}

    def check(_run: Run) -> None:
        assert _states(aws, HOME) == {fixture.image_id: "available"}
        assert observed.launch_permissions(aws, OWNER, HOME, fixture.image_id) == set()

    return Job(RESTORE_FQCN, values, check, fixture)


CLEANUP: Builders = {"rules": _by_rules, "stages": _in_stages, "shared": _shared}
RESTORE: Builders = {"tombstones": _restore, "without": _restore_without_permissions}
