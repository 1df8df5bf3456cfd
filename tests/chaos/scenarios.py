# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs into faults: each playbook, and modules that change something, on a small world of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws

from ..integration.playbook import MODULES, Ansible

OWNER, CONSUMERS, STRANGER = "images", ("web-prod", "web-staging"), "partner"
HOME, REGIONS = "us-east-1", ("eu-west-1", "us-west-2")
ROLE, EXTERNAL_ID = "golden-consumer", "golden-images"
OWNER_ROLE = "golden-owner"
ALIAS, PARAMETER, TEMPLATE, BUCKET = "alias/golden", "/golden/web", "web", "golden-reports"
# What an account needs to launch (EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot").
_USE = [
    *("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
    *("ReEncryptFrom", "ReEncryptTo"),
]
_ACCOUNTS = {
    OWNER: "111111111111",
    CONSUMERS[0]: "012345678901",
    CONSUMERS[1]: "222222222222",
    STRANGER: "600000000006",
}
_ENCRYPTED = [{"device_name": "/dev/xvda", "size": 8, "encrypted": True, "kms_key": "golden"}]
_PLAIN = [{"device_name": "/dev/xvda", "size": 8}]


@dataclass(frozen=True)
class Command:
    """A playbook with its variables, or a play of tasks."""

    playbook: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    tasks: Sequence[Mapping[str, Any]] = ()

    def start(self, ansible: Ansible) -> subprocess.Popen[str]:
        """Start it."""
        if self.tasks:
            return ansible.start(ansible.write_play(self.tasks))
        return ansible.start(f"golden.images.{self.playbook}", self.variables)


@dataclass(frozen=True)
class Setup:
    """A built world, and the command that runs in it.

    ``named``: accounts that the command names as consumers. ``together``: regions that all need a usable copy
    before one is shared. ``beside``: a command that runs at the same time. ``files`` hold tombstones.
    ``ends_with_failed_step``: the command ends after a step that failed in a region, and what the step calls
    is called again in a later step, which therefore no region reaches (docs/how-it-works.md, Failures).
    """

    command: Command
    named: Sequence[str] = ()
    together: Sequence[str] = ()
    beside: Command | None = None
    files: Sequence[Path] = ()
    ends_with_failed_step: bool = False


class World:
    """A simulated AWS with the accounts of all scenarios, in which a scenario builds the rest."""

    def __init__(self, aws: SimulatedAws, folder: Path) -> None:
        self.aws, self.folder = aws, folder
        self.keys: dict[str, dict[str, str]] = {}
        """ARNs of KMS keys by name and region."""
        aws.reset()
        role = {"accounts": list(CONSUMERS), "trusts": [OWNER], "external_id": EXTERNAL_ID}
        self.add(roles={ROLE: role, OWNER_ROLE: {"accounts": [OWNER], "trusts": [OWNER]}})

    def add(self, **parts: Any) -> dict[str, Any]:
        """Load parts of a fixture; return their description."""
        described = self.aws.load_fixture({"accounts": _ACCOUNTS, **parts})
        self.keys |= described["kms_keys"]
        return described

    def images(self, specs: Mapping[str, Mapping[str, Any]], encrypted: bool = False) -> dict[str, str]:
        """Add images of the owner; their IDs by label."""
        keys = {"kms_keys": {"golden": {"account": OWNER, "regions": [HOME, *REGIONS], "alias": ALIAS}}}
        devices = _ENCRYPTED if encrypted else _PLAIN
        found = self.add(
            images={label: {"account": OWNER, "devices": devices, **one} for label, one in specs.items()},
            **(keys if encrypted else {}),
        )["images"]
        return {label: found[label]["image_id"] for label in specs}

    def consumers(self) -> list[str]:
        """The IDs of the consumers' accounts."""
        return [_ACCOUNTS[name] for name in CONSUMERS]

    def client(self, service: str, region: str, account: str = OWNER) -> Any:
        """A boto3 client."""
        return self.aws.client(service, account, region)


def _module(module: str, **arguments: Any) -> Command:
    return Command(tasks=[{"name": module, MODULES + module: arguments}])


def _golden(world: World, *, encrypted: bool) -> str:
    spec = {"region": HOME, "name": "golden", "tags": {"Name": "golden"}}
    return world.images({"golden": spec}, encrypted)["golden"]


def _golden_everywhere(world: World, sharing: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The same encrypted image in both regions."""
    specs = {region: {"region": region, "name": "golden", "sharing": sharing or {}} for region in REGIONS}
    return world.images(specs, encrypted=True)


def _distribution(world: World, source: str, **more: Any) -> dict[str, Any]:
    return {
        "distribute_source_image_id": source,
        "distribute_source_region": HOME,
        "distribute_regions": list(REGIONS),
        "distribute_account_ids": world.consumers(),
        "distribute_kms_key_id": ALIAS,
        **more,
    }


def _distribute(world: World) -> Setup:
    """To two regions, with grants on the key, to two accounts; then published."""
    source = _golden(world, encrypted=True)
    variables = _distribution(
        world, source, distribute_shared_tags={"version": "1"}, distribute_publish_parameter=PARAMETER
    )
    return Setup(Command("distribute_ami", variables), world.consumers(), REGIONS)


def _into_accounts(world: World) -> Setup:
    """Into a consumer's account under its own key, and then unshared."""
    source = _golden(world, encrypted=True)
    world.add(kms_keys={"theirs": {"account": CONSUMERS[0], "regions": [*REGIONS], "alias": "alias/theirs"}})
    variables = _distribution(
        world,
        source,
        distribute_account_ids=world.consumers()[:1],
        distribute_consumer_role_name=ROLE,
        distribute_external_id=EXTERNAL_ID,
        distribute_copy_into_accounts=True,
        distribute_unshare_after_copy=True,
        distribute_consumer_kms_key_id="alias/theirs",
    )
    command = Command("distribute_ami", variables)
    # Sharing and unsharing are the same calls.
    return Setup(command, world.consumers()[:1], REGIONS, ends_with_failed_step=True)


def _copy(world: World) -> Setup:
    """ami_copy_regions to two regions."""
    source = _golden(world, encrypted=True)
    command = _module(
        "ami_copy_regions",
        source_image_id=source,
        source_region=HOME,
        regions=REGIONS,
        kms_key_id=ALIAS,
        tags={"role": "web"},
    )
    return Setup(command)


def _grant(world: World) -> Setup:
    """ami_kms_grant by grants."""
    images = _golden_everywhere(world)
    return Setup(_module("ami_kms_grant", images=images, account_ids=world.consumers()), world.consumers())


def _key_policy(world: World) -> Setup:
    """ami_kms_grant by key policies, to replace the grants that exist."""
    images = _golden_everywhere(world)
    command = _module(
        "ami_kms_grant",
        images=images,
        account_ids=world.consumers(),
        access_method="key_policy",
        purge_grants=True,
    )
    _grant_to(world, CONSUMERS[0])
    _grant_to(world, STRANGER)
    return Setup(command, world.consumers())


def _grant_to(world: World, account: str, *regions: str) -> None:
    """A grant as ami_kms_grant makes it."""
    for region in regions or REGIONS:
        world.client("kms", region).create_grant(
            KeyId=world.keys["golden"][region],
            GranteePrincipal=f"arn:aws:iam::{_ACCOUNTS[account]}:root",
            Operations=_USE,
            Name=f"golden-images:{_ACCOUNTS[account]}",
        )


def _share(world: World) -> Setup:
    """ami_share in two regions, where a stranger's access is removed."""
    images = _golden_everywhere(world, {"accounts": [STRANGER], "snapshot_accounts": [STRANGER]})
    for account in CONSUMERS:
        _grant_to(world, account)
    command = _module(
        "ami_share",
        images=images,
        account_ids=world.consumers(),
        shared_tags={"version": "1"},
        purge_launch_permissions=True,
    )
    return Setup(command, world.consumers())


def _unshare(world: World) -> Setup:
    """unshare_ami.yml of one of two accounts in two regions."""
    names = [*CONSUMERS]
    images = _golden_everywhere(world, {"accounts": names, "snapshot_accounts": names})
    for account in CONSUMERS:
        _grant_to(world, account)
    variables = {"unshare_images": images, "unshare_account_ids": world.consumers()[:1]}
    return Setup(Command("unshare_ami", variables))


def _releases(world: World) -> list[dict[str, str]]:
    """Two shared images in both regions, older first."""
    common = {"sharing": {"accounts": [CONSUMERS[0]]}}
    return [
        world.images({region: {**common, "region": region, "name": release} for region in REGIONS})
        for release in ("2026.10", "2026.11")
    ]


def _templates(world: World, images: Mapping[str, str]) -> None:
    for account in (OWNER, CONSUMERS[0]):
        for region in REGIONS:
            world.client("ec2", region, account).create_launch_template(
                LaunchTemplateName=TEMPLATE,
                LaunchTemplateData={"ImageId": images[region], "InstanceType": "t3.micro"},
            )


def _publishing(world: World, images: Mapping[str, str], source: str) -> dict[str, Any]:
    return {
        "parameter": PARAMETER,
        "images": dict(images),
        "source_image_id": source,
        "launch_templates": [TEMPLATE],
        "account_ids": world.consumers()[:1],
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
    }


def _publish(world: World) -> Setup:
    """publish_ami.yml in two regions of two accounts, with launch templates."""
    first, second = _releases(world)
    _templates(world, first)
    options = _publishing(world, second, second[REGIONS[0]])
    return Setup(Command("publish_ami", {f"publish_{name}": value for name, value in options.items()}))


def _rollback(world: World) -> Setup:
    """rollback_ami.yml to the older of two published images."""
    first, second = _releases(world)
    _templates(world, first)
    tasks = [
        {"name": "publish", MODULES + "ami_publish": _publishing(world, one, one[REGIONS[0]])}
        for one in (first, second)
    ]
    _prepare(world, Command(tasks=tasks))
    options = _publishing(world, first, first[REGIONS[0]])
    variables = {f"rollback_{name}": value for name, value in options.items() if name != "images"}
    return Setup(Command("rollback_ami", {**variables, "rollback_regions": list(REGIONS)}))


def _probe(world: World) -> Setup:
    """ami_launch_probe of one account in two regions."""
    specs = {
        region: {"region": region, "name": "golden", "sharing": {"accounts": [CONSUMERS[0]]}}
        for region in REGIONS
    }
    images = world.images(specs)
    account = world.consumers()[0]
    subnets = {
        region: {
            account: world.client("ec2", region, CONSUMERS[0]).describe_subnets()["Subnets"][0]["SubnetId"]
        }
        for region in REGIONS
    }
    command = _module(
        "ami_launch_probe",
        images=images,
        account_ids=[account],
        consumer_role_name=ROLE,
        external_id=EXTERNAL_ID,
        subnet_ids=subnets,
    )
    return Setup(command)


def _prepare(world: World, command: Command) -> None:
    """Run a command to its end, undisturbed."""
    process = command.start(Ansible(world.aws.environment(OWNER), world.folder))
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stdout + stderr


def _remediate(world: World) -> Setup:
    """remediate_ami_sharing.yml: a stranger's access to images, snapshots and keys is removed."""
    names = [CONSUMERS[0], STRANGER]
    _golden_everywhere(world, {"accounts": names, "snapshot_accounts": names})
    for account in names:
        _grant_to(world, account)
    variables = {
        "audit_allowed_account_ids": world.consumers()[:1],
        "audit_regions": list(REGIONS),
        "remediate_finding_codes": ["unknown_account", "grant_without_share"],
    }
    return Setup(Command("remediate_ami_sharing", variables))


def _retired(world: World, **sharing: Any) -> dict[str, str]:
    """A new and an old image of one family in both regions; the IDs of the old ones."""
    common = {"tags": {"family": "web"}}
    made = world.images(
        {
            f"{name}-{region}": {
                **common,
                "region": region,
                "name": name,
                "age_days": age,
                "sharing": sharing,
            }
            for region in REGIONS
            for name, age in (("new", 1), ("old", 100))
        },
        encrypted=bool(sharing),
    )
    return {region: made[f"old-{region}"] for region in REGIONS}


def _policy(world: World) -> dict[str, Any]:
    return {
        "regions": list(REGIONS),
        "family_tag": "family",
        "max_deletions": "100%",
        "deregister_after_days": 0,
        "include_shared": True,
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
        "tombstone_path": str(world.folder / "retired.jsonl"),
    }


def _cleanup(world: World) -> Setup:
    """cleanup_amis.yml deregisters the old image in two regions, with its snapshot and its grant."""
    _retired(world, accounts=[CONSUMERS[0]], snapshot_accounts=[CONSUMERS[0]])
    _grant_to(world, CONSUMERS[0])
    policy = {**_policy(world), "revoke_grants": True}
    variables = {f"cleanup_{name}": value for name, value in policy.items()}
    return Setup(Command("cleanup_amis", variables), files=[world.folder / "retired.jsonl"])


def _restore(world: World) -> Setup:
    """restore_ami.yml restores images from the Recycle Bin, with their permissions."""
    for region in REGIONS:
        for kind in ("EC2_IMAGE", "EBS_SNAPSHOT"):
            period = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
            world.client("rbin", region).create_rule(ResourceType=kind, RetentionPeriod=period)
    old = _retired(world, accounts=[CONSUMERS[0]], snapshot_accounts=[CONSUMERS[0]])
    _grant_to(world, CONSUMERS[0])
    _prepare(world, _module("ami_cleanup", **_policy(world)))
    tombstones = world.folder / "retired.jsonl"
    variables = {"restore_images": old, "restore_tombstone_path": str(tombstones)}
    return Setup(Command("restore_ami", variables), world.consumers()[:1], files=[tombstones])


def _enable(world: World) -> Setup:
    """restore_ami.yml enables disabled images, which have lost their permissions."""
    old = _retired(world, accounts=[CONSUMERS[0]], snapshot_accounts=[CONSUMERS[0]])
    _grant_to(world, CONSUMERS[0])
    policy = {**_policy(world), "disable_after_days": 0}
    del policy["deregister_after_days"]
    _prepare(world, _module("ami_cleanup", **policy))
    tombstones = world.folder / "retired.jsonl"
    variables = {"restore_images": old, "restore_tombstone_path": str(tombstones)}
    return Setup(Command("restore_ami", variables), world.consumers()[:1], files=[tombstones])


def _shared(world: World) -> dict[str, str]:
    """Encrypted images in both regions that a consumer can use; their IDs by region."""
    images = _golden_everywhere(world, {"accounts": [CONSUMERS[0]], "snapshot_accounts": [CONSUMERS[0]]})
    _grant_to(world, CONSUMERS[0])
    return images


def _use(world: World, role: str, images: Mapping[str, str]) -> dict[str, Any]:
    """The variables of a role that looks at what a consumer can use."""
    options = {
        "images": dict(images),
        "account_ids": world.consumers()[:1],
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
    }
    return {f"{role}_{name}": value for name, value in options.items()}


def _audit(world: World) -> Setup:
    """audit_ami_sharing.yml: an image and its key are shared with a stranger."""
    _shared(world)
    _grant_to(world, STRANGER)
    variables = {
        "audit_regions": list(REGIONS),
        "audit_allowed_account_ids": world.consumers()[:1],
        "audit_report_dir": str(world.folder / "audit"),
    }
    return Setup(Command("audit_ami_sharing", variables))


def _diagnose(world: World) -> Setup:
    """diagnose_ami.yml of a consumer in two regions."""
    return Setup(Command("diagnose_ami", _use(world, "diagnose", _shared(world))))


def _verify(world: World) -> Setup:
    """verify_ami.yml that a consumer is authorized to launch, in two regions."""
    variables = {**_use(world, "verify", _shared(world)), "verify_level": "authorized"}
    return Setup(Command("verify_ami", variables))


def _monitor(world: World) -> Setup:
    """monitor_ami_sharing.yml in two regions."""
    for region in REGIONS:
        world.client("logs", region).create_log_group(logGroupName="aws-cloudtrail-logs")
    variables = {
        "monitor_regions": list(REGIONS),
        "monitor_log_group_name": "aws-cloudtrail-logs",
        "monitor_queue_name": "golden-images-sharing",
        "monitor_subscriptions": [{"protocol": "email", "endpoint": "security@example.org"}],
    }
    return Setup(Command("monitor_ami_sharing", variables))


def _upload(world: World) -> Setup:
    """report_upload of the four files of a report."""
    world.client("s3", HOME).create_bucket(Bucket=BUCKET)
    reports = world.folder / "report"
    reports.mkdir()
    for name in ("report.json", "report.csv", "report.sarif", "report.html"):
        (reports / name).write_text(name, encoding="utf-8")
    return Setup(_module("report_upload", report_dir=str(reports), report_s3_uri=f"s3://{BUCKET}/audit"))


def _beside(world: World) -> Setup:
    """A distribution, and a cleanup of the same family of images at the same time."""
    specs = {
        "golden": {"region": HOME, "name": "golden", "tags": {"family": "web"}},
        **{
            f"old-{region}": {"region": region, "name": "old", "tags": {"family": "web"}, "age_days": 100}
            for region in REGIONS
        },
    }
    source = world.images(specs, encrypted=True)["golden"]
    variables = _distribution(world, source, distribute_tags={"family": "web"})
    policy = {**_policy(world), "keep_latest": 1}
    cleanup = Command("cleanup_amis", {f"cleanup_{name}": value for name, value in policy.items()})
    distribute = Command("distribute_ami", variables)
    return Setup(distribute, world.consumers(), REGIONS, cleanup, [world.folder / "retired.jsonl"])


Scenario = Callable[[World], Setup]

SCENARIOS: dict[str, Scenario] = {
    "distribute": _distribute,
    "unshare": _unshare,
    "cleanup": _cleanup,
    "remediate": _remediate,
    "rollback": _rollback,
    "restore": _restore,
    "enable": _enable,
    "into-accounts": _into_accounts,
    "publish": _publish,
    "copy": _copy,
    "grant": _grant,
    "key-policy": _key_policy,
    "share": _share,
    "probe": _probe,
    "audit": _audit,
    "diagnose": _diagnose,
    "verify": _verify,
    "monitor": _monitor,
    "upload": _upload,
    "beside": _beside,
}


def tombstones(setup: Setup) -> list[dict[str, Any]]:
    """The images that the tombstone files name, as resources of a picture: a rerun may name one again."""
    found = {
        json.loads(line)["image_id"]
        for path in setup.files
        if path.exists()
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    common = {"kind": "tombstone", "account_id": "-", "region": "-"}
    return [{**common, "name": image_id} for image_id in sorted(found)]
