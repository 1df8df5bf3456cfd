# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs of the role distribute: one for each way to name the source, which exclude each other."""

from __future__ import annotations

import json
from pathlib import Path

from simulated_aws.client import SimulatedAws

from . import encrypted, observed, probing, publishing
from .encrypted import ALIAS, EXTERNAL_ID, ROLE, EncryptedFixture
from .fixture import CONSUMERS, HOME, OWNER, STRANGER, Fixture
from .playbook import Run
from .survey import AWAY, DISK, Builders, Job, assert_reported, reporting

FQCN = "golden.images.distribute_ami"
FAR = "us-west-2"
# Accounts that encrypt volumes under the image's key or the default key, which Auto Scaling may use.
SCALING = ("data-prod", "web-staging")


def _by_filters(aws: SimulatedAws, folder: Path) -> Job:
    """Shared with accounts and parts of an organization, published, and reported in every way."""
    fixture = Fixture(aws)
    accounts = fixture.account_ids(*CONSUMERS)
    owner, stranger = fixture.account_ids(OWNER, STRANGER)
    # It is newer, and not of the owner that is named.
    theirs = {"account": STRANGER, "region": HOME, "devices": [DISK], "sharing": {"accounts": [OWNER]}}
    fixture.add_images({"golden-web-theirs": theirs})
    older = publishing.golden_images(fixture, "2026.10")
    publishing.add_templates(aws, older)
    value = {"Type": "String", "DataType": "aws:ec2:image", "Value": older[HOME], "Tier": "Advanced"}
    aws.client("ssm", OWNER, HOME).put_parameter(Name=publishing.PARAMETER, **value)
    # Whom the job takes the parameter from.
    publishing.add_share(aws, HOME, [stranger])
    aws.client("ec2", OWNER, HOME).modify_image_attribute(
        ImageId=fixture.image_id, LaunchPermission={"Add": [{"UserId": stranger}]}
    )
    values = {
        "distribute_source_filters": {"name": "golden-web-*"},
        "distribute_source_owners": [owner],
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_account_ids": accounts,
        "distribute_org_arns": [fixture.org_arn],
        "distribute_org_unit_arns": [fixture.unit_arn()],
        "distribute_name": "{source_name} in {region}",
        "distribute_tags": {"role": "web", "build": "0123"},
        "distribute_shared_tags": {"version": "1.10"},
        "distribute_share_snapshots": False,
        "distribute_purge_access": True,
        "distribute_publish_parameter": publishing.PARAMETER,
        "distribute_parameter_tags": {"team": "web"},
        "distribute_publish_share": accounts,
        "distribute_publish_share_external": True,
        "distribute_publish_share_purge": True,
        "distribute_publish_older": True,
        "distribute_publish_uncertain": True,
        "distribute_launch_templates": [publishing.TEMPLATE],
        "distribute_launch_template_base_version": "latest",
        "distribute_report_path": str(folder / "web.json"),
        "distribute_output_files": [str(folder / "web.auto.tfvars.json"), str(folder / "web.env")],
        **reporting(aws, folder, "distribute"),
    }

    def check(run: Run) -> None:
        images = run.facts["distribute_images"]
        assert sorted(images) == [AWAY, HOME]
        assert images[HOME] == fixture.image_id
        permitted = {*accounts, fixture.org_arn, fixture.unit_arn()}
        for region, image_id in images.items():
            assert observed.sharing(aws, OWNER, region, image_id) == (permitted, [set(), set()])
            assert publishing.value(aws, OWNER, region) == image_id
            assert publishing.tags(aws, OWNER, region) == {"team": "web"}
            assert publishing.default_of(aws, OWNER, region)["ImageId"] == image_id
            assert publishing.principals(aws, region) == dict.fromkeys(accounts, "ASSOCIATING")
        copy = observed.image(aws, OWNER, AWAY, images[AWAY])
        assert copy["Name"] == f"{fixture.name} in {AWAY}"
        tags = observed.tags(copy)
        assert (tags["role"], tags["build"], tags["ec2:SharedTag/version"]) == ("web", "0123", "1.10")
        report = json.loads((folder / "web.json").read_text(encoding="utf-8"))
        assert report["status"] == "distributed"
        assert assert_reported(aws, folder, "distribute")["regions"] == report["regions"]
        terraform = json.loads((folder / "web.auto.tfvars.json").read_text(encoding="utf-8"))
        assert terraform == {"golden_images": images}
        assert f"AMI_EU_WEST_1={images[AWAY]}\n" in (folder / "web.env").read_text(encoding="utf-8")

    return Job(FQCN, values, check, fixture)


def _encrypted(aws: SimulatedAws, _folder: Path) -> Job:
    """An encrypted image, encrypted again in its region, that the accounts are shown to launch."""
    fixture = EncryptedFixture(aws)
    accounts = fixture.account_ids(*SCALING)
    release = {"account": OWNER, "regions": [HOME], "alias": "alias/release"}
    keys = {
        HOME: fixture.add(kms_keys={"release": release})["kms_keys"]["release"][HOME],
        AWAY: fixture.key(AWAY),
    }
    for account in SCALING:
        iam = aws.client("iam", account)
        iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="web")
    values = {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_account_ids": accounts,
        "distribute_kms_key_id": ALIAS,
        "distribute_kms_key_ids": {HOME: "alias/release"},
        "distribute_reencrypt_source": True,
        "distribute_kms_access_method": "key_policy",
        "distribute_kms_principals": [fixture.role("sandbox")],
        "distribute_auto_scaling": True,
        "distribute_auto_scaling_roles": [
            "AWSServiceRoleForAutoScaling",
            "AWSServiceRoleForAutoScaling_web",
        ],
        "distribute_consumer_role_name": ROLE,
        "distribute_external_id": EXTERNAL_ID,
        "distribute_verify_level": "launched",
        "distribute_verify_subnet_ids": probing.subnet_ids(aws, SCALING, HOME, AWAY),
        "distribute_verify_security_group_ids": probing.security_group_ids(aws, SCALING, HOME, AWAY),
        "distribute_verify_launch_tags": {"CostCenter": "0042"},
        "distribute_verify_instance_type": "t3.large",
        "distribute_verify_wait_timeout": "600",
    }

    def check(run: Run) -> None:
        images = run.facts["distribute_images"]
        assert sorted(images) == [AWAY, HOME]
        assert images[HOME] != fixture.image_id
        for region, image_id in images.items():
            assert encrypted.keys_of(aws, OWNER, region, image_id) == {keys[region]}
            assert fixture.role("sandbox") in encrypted.key_policy(aws, keys[region])
            # The accounts themselves have access by the policy.
            assert not {*map(encrypted.root, accounts)} & {*encrypted.grantees(aws, keys[region])}
            for account in SCALING:
                assert encrypted.scaled(aws, account, region, image_id) == "running"
        report = run.task("Verify the images of each account").result["report"]
        assert {(one["level"], one["image_id"]) for one in report["results"]} == {
            ("launched", image_id) for image_id in images.values()
        }
        for account in SCALING:
            expected = probing.expected_launches(aws, account, "t3.large", HOME, AWAY)
            assert probing.launches(aws, account) == expected
            assert ("volume", "CostCenter", "0042") in probing.tags_of_launches(aws, account)

    return Job(FQCN, values, check, fixture, (EXTERNAL_ID,))


def _of_packer(aws: SimulatedAws, folder: Path) -> Job:
    """An earlier run of Packer, copied into an account under its own key and then unshared."""
    fixture = Fixture(aws)
    publishing.with_role(fixture)
    consumer = publishing.CONSUMER
    key = {"account": consumer, "regions": [HOME], "alias": "alias/theirs"}
    theirs = fixture.add(kms_keys={"theirs": key})["kms_keys"]["theirs"][HOME]
    wanted, last = "6b7e3e0c-0b57-4b0c-a0b9-2f1f7e1f0a01", "6b7e3e0c-0b57-4b0c-a0b9-2f1f7e1f0a02"
    missing = "ami-0000000000000dead"
    builds = [
        {
            "name": name,
            "builder_type": "amazon-ebs",
            "build_time": 1792000000,
            "artifact_id": f"{HOME}:{image_id}",
            "packer_run_uuid": run,
        }
        for name, image_id, run in (
            ("web", fixture.image_id, wanted),
            ("db", missing, wanted),
            ("web", missing, last),
        )
    ]
    manifest = folder / "packer-manifest.json"
    manifest.write_text(json.dumps({"builds": builds, "last_run_uuid": last}), encoding="utf-8")
    values = {
        "distribute_packer_manifest": str(manifest),
        "distribute_packer_run_uuid": wanted,
        "distribute_packer_build": "web",
        "distribute_regions": [HOME],
        "distribute_account_ids": fixture.account_ids(consumer),
        "distribute_consumer_role_name": publishing.ROLE,
        "distribute_external_id": publishing.EXTERNAL_ID,
        "distribute_copy_into_accounts": True,
        "distribute_consumer_kms_key_id": "alias/theirs",
        "distribute_unshare_after_copy": True,
    }

    def check(run: Run) -> None:
        (copy,) = observed.own_images(aws, consumer, HOME)
        assert [one["image_id"] for one in run.facts["distribute_consumer_images"]] == [copy["ImageId"]]
        assert observed.tags(copy)["golden.images:source"] == f"{HOME}/{fixture.image_id}"
        assert encrypted.keys_of(aws, consumer, HOME, copy["ImageId"]) == {theirs}
        assert observed.sharing(aws, OWNER, HOME, fixture.image_id) == (set(), [set(), set()])

    return Job(FQCN, values, check, fixture, (publishing.EXTERNAL_ID,))


def _of_a_parameter(aws: SimulatedAws, _folder: Path) -> Job:
    """A region that takes too long is left out."""
    fixture = Fixture(aws)
    aws.client("ssm", OWNER, HOME).put_parameter(Name="/build/web", Value=fixture.image_id, Type="String")
    aws.update_settings(copy_seconds_by_region={FAR: 3600})
    values = {
        "distribute_source_parameter": "/build/web",
        "distribute_source_region": HOME,
        "distribute_regions": [AWAY, FAR],
        "distribute_best_effort_regions": [FAR],
        "distribute_account_ids": fixture.account_ids(*CONSUMERS),
        "distribute_copy_wait_timeout": 3,
    }

    def check(run: Run) -> None:
        (copy,) = observed.own_images(aws, OWNER, AWAY)
        assert observed.tags(copy)["golden.images:source"] == f"{HOME}/{fixture.image_id}"
        assert run.facts["distribute_images"] == {AWAY: copy["ImageId"]}
        assert run.artifacts["distribute_artifacts"]["failed_regions"] == [FAR]
        (late,) = observed.own_images(aws, OWNER, FAR)
        assert late["State"] == "pending"

    return Job(FQCN, values, check, fixture)


def _several(aws: SimulatedAws, _folder: Path) -> Job:
    """Two images in one run."""
    fixture = Fixture(aws)
    database = fixture.add_images({"golden-db": {"account": OWNER, "region": HOME, "devices": [DISK]}})
    aws.client("ssm", OWNER, HOME).put_parameter(Name="/build/db", Value=database["golden-db"], Type="String")
    values = {
        "distribute_sources": {
            "web": {
                "source_image_id": fixture.image_id,
                "publish_parameter": publishing.PARAMETER,
                "tags": {"build": "0123"},
            },
            "db": {"source_parameter": "/build/db", "shared_tags": {"version": "1.10"}},
        },
        "distribute_source_region": HOME,
        "distribute_regions": [AWAY],
        "distribute_account_ids": fixture.account_ids(*CONSUMERS),
        "distribute_tags": {"release": "2026.11"},
    }

    def check(run: Run) -> None:
        images = run.facts["distribute_images_by_source"]
        assert sorted(images) == ["db", "web"]
        copies = {
            name: observed.image(aws, OWNER, AWAY, by_region[AWAY]) for name, by_region in images.items()
        }
        tags = {name: observed.tags(copy) for name, copy in copies.items()}
        assert [tags[name]["release"] for name in ("db", "web")] == ["2026.11", "2026.11"]
        assert (tags["web"]["build"], tags["db"]["ec2:SharedTag/version"]) == ("0123", "1.10")
        assert tags["db"]["golden.images:source"] == f"{HOME}/{database['golden-db']}"
        published = aws.client("ssm", OWNER, AWAY).get_parameter(Name=publishing.PARAMETER)["Parameter"]
        assert published["Value"] == images["web"][AWAY]

    return Job(FQCN, values, check, fixture, artifacts=frozenset({"images_by_source", "failed_sources"}))


DISTRIBUTE: Builders = {
    "filters": _by_filters,
    "encrypted": _encrypted,
    "packer": _of_packer,
    "parameter": _of_a_parameter,
    "several": _several,
}
