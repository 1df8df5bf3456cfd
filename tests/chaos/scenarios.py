# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs into faults: each playbook, and modules that change something, on a small world of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._parameter_share import share_name

from simulated_aws.client import SimulatedAws

from ..integration import publishing, refreshing, trail
from ..integration.playbook import MODULES, Ansible

OWNER, CONSUMERS, STRANGER = "images", ("web-prod", "web-staging"), "partner"
HOME, REGIONS = "us-east-1", ("eu-west-1", "us-west-2")
ROLE, EXTERNAL_ID = "golden-consumer", "golden-images"
OWNER_ROLE = "golden-owner"
ALIAS, PARAMETER, TEMPLATE, BUCKET = "alias/golden", "/golden/web", "web", "golden-reports"
LOG_GROUP, MONITOR = "aws-cloudtrail-logs", "golden-images-sharing"
_METRIC = {"metricName": "AMISharingEvents", "metricNamespace": "Custom/EC2", "metricValue": "1"}
# The versions that a parameter can have (Systems Manager API Reference, PutParameter).
_MOST_VERSIONS = 100
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
# What a usage report has to be about so that a cleanup can trust it.
_EVERY_VERSION = {"OptionName": "version-depth", "OptionValues": ["10000"]}
_REPORTED = [
    {"ResourceType": "ec2:Instance"},
    {"ResourceType": "ec2:LaunchTemplate", "ResourceTypeOptions": [_EVERY_VERSION]},
    {"ResourceType": "imagebuilder:ImageRecipe"},
    {"ResourceType": "imagebuilder:ContainerRecipe"},
]


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
    ``repeats``: each run does its work again, such as to launch an instance.
    ``switched``: the only images that the command disables, or enables again. A tombstone in S3 has them.
    """

    command: Command
    named: Sequence[str] = ()
    together: Sequence[str] = ()
    beside: Command | None = None
    files: Sequence[Path] = ()
    ends_with_failed_step: bool = False
    repeats: bool = False
    switched: Sequence[str] = ()


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


def _failed_copy(world: World) -> Setup:
    """ami_copy_regions to two regions, of which one has a copy that failed."""
    setup = _copy(world)
    world.aws.update_settings(copy_failures=[{"region": REGIONS[1], "message": "Failed", "times": 2}])
    _prepare(world, setup.command, fails=True)
    return setup


def _sources(world: World) -> Setup:
    """Two images to two regions, shared with an account."""
    specs = {name: {"region": HOME, "name": f"golden-{name}"} for name in ("web", "db")}
    images = world.images(specs)
    account = world.consumers()[:1]
    variables = {
        "distribute_sources": {name: {"source_image_id": image} for name, image in images.items()},
        "distribute_source_region": HOME,
        "distribute_regions": list(REGIONS),
        "distribute_account_ids": account,
    }
    return Setup(Command("distribute_ami", variables), account, REGIONS)


def _grant(world: World) -> Setup:
    """ami_kms_grant by grants, to an account and a role of another one."""
    images = _golden_everywhere(world)
    first, second = world.consumers()
    role = f"arn:aws:iam::{second}:role/{ROLE}"
    command = _module("ami_kms_grant", images=images, account_ids=[first], principals=[role])
    return Setup(command, world.consumers())


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


def _make_public(world: World) -> Setup:
    """ami_share with all accounts in two regions, where a stranger's access is removed."""
    sharing = {"accounts": [STRANGER], "snapshot_accounts": [STRANGER]}
    disks = [*_PLAIN, {"device_name": "/dev/sdb", "size": 20}]
    common = {"name": "golden", "devices": disks, "sharing": sharing}
    images = world.images({region: {**common, "region": region} for region in REGIONS})
    for region in REGIONS:
        world.client("ec2", region).disable_image_block_public_access()
    command = _module(
        "ami_share", images=images, group="all", allow_public=True, purge_launch_permissions=True
    )
    return Setup(command)


def _unshare(world: World) -> Setup:
    """unshare_ami.yml of one of two accounts: images, snapshots and keys in two regions."""
    names = [*CONSUMERS]
    images = _golden_everywhere(world, {"accounts": names, "snapshot_accounts": names})
    for account in CONSUMERS:
        _grant_to(world, account)
    variables = {"unshare_images": images, "unshare_account_ids": world.consumers()[:1]}
    return Setup(Command("unshare_ami", variables))


def _releases(world: World, *, encrypted: bool = False) -> list[dict[str, str]]:
    """Two shared images in both regions, older first."""
    common = {"sharing": {"accounts": [CONSUMERS[0]]}}
    names = ("2026.10", "2026.11")
    found = world.images(
        {
            f"{release} {region}": {**common, "region": region, "name": release}
            for release in names
            for region in REGIONS
        },
        encrypted,
    )
    return [{region: found[f"{release} {region}"] for region in REGIONS} for release in names]


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
    """publish_ami.yml in two regions of two accounts, with launch templates; new parameters with a tag."""
    first, second = _releases(world)
    _templates(world, first)
    options = {**_publishing(world, second, second[REGIONS[0]]), "parameter_tags": {"team": "web"}}
    return Setup(Command("publish_ami", {f"publish_{name}": value for name, value in options.items()}))


def _republish(world: World) -> Setup:
    """ami_publish of a parameter with as many versions as one can have, and with a tag."""
    common = {"region": HOME}
    images = world.images({name: {**common, "name": name} for name in ("old", "new")})
    ssm = world.client("ssm", HOME)
    world.aws.set_throttling(False)
    for _ in range(_MOST_VERSIONS):
        ssm.put_parameter(
            Name=PARAMETER, Value=images["old"], Type="String", DataType="aws:ec2:image", Overwrite=True
        )
    world.aws.set_throttling(True)
    label = f"source-{images['old']}"
    ssm.label_parameter_version(Name=PARAMETER, ParameterVersion=1, Labels=[label])
    command = _module(
        "ami_publish",
        parameter=PARAMETER,
        images={HOME: images["new"]},
        source_image_id=images["new"],
        require_shared=False,
        parameter_tags={"team": "web"},
    )
    return Setup(command)


def _add_organization(world: World) -> None:
    """An organization of the owner and the consumers, in which resource shares need no invitation."""
    world.add(
        accounts={**_ACCOUNTS, "management": "100000000001"},
        organization={"management_account": "management", "accounts": [OWNER, *CONSUMERS]},
    )
    world.client("ram", HOME, "management").enable_sharing_with_aws_organization()


def _share_parameter(world: World) -> Setup:
    """ami_publish of a parameter that is shared through AWS RAM: a new share, and one more account in one."""
    _add_organization(world)
    first, second = _releases(world)
    common = {"parameter": PARAMETER, "require_shared": False}
    one = _module(
        "ami_publish",
        **common,
        images={REGIONS[0]: first[REGIONS[0]]},
        publish_share=world.consumers()[:1],
    )
    _prepare(world, one)
    command = _module("ami_publish", **common, images=dict(second), publish_share=world.consumers())
    return Setup(command, world.consumers())


def _take_parameter_back(world: World) -> Setup:
    """ami_publish that takes the parameter from an account, which has it by a second resource share, too."""
    _add_organization(world)
    first, second = _releases(world)
    common = {"parameter": PARAMETER, "require_shared": False}
    stays, leaves = world.consumers()
    _prepare(world, _module("ami_publish", **common, images=dict(first), publish_share=[stays, leaves]))
    world.client("ram", REGIONS[1]).create_resource_share(
        name=share_name(PARAMETER),
        resourceArns=[f"arn:aws:ssm:{REGIONS[1]}:{_ACCOUNTS[OWNER]}:parameter{PARAMETER}"],
        principals=[leaves],
    )
    command = _module(
        "ami_publish", **common, images=dict(second), publish_share=[stays], publish_share_purge=True
    )
    return Setup(command, world.consumers())


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


def _recall(world: World) -> Setup:
    """recall_ami.yml of the newer of two published images; AWS RAM shares their parameters with the consumer.

    A grant lets the consumer use one key, the policy of the other one that key.
    """
    first, second = _releases(world, encrypted=True)
    _grant_to(world, CONSUMERS[0], REGIONS[0])
    world.client("kms", REGIONS[1]).put_key_policy(
        KeyId=world.keys["golden"][REGIONS[1]],
        PolicyName="default",
        Policy=json.dumps(publishing.key_policy(_ACCOUNTS[OWNER], _ACCOUNTS[CONSUMERS[0]])),
    )
    _add_organization(world)
    _templates(world, second)
    for images in (first, second):
        tag = {"Key": "golden.images:source", "Value": f"{REGIONS[0]}/{images[REGIONS[0]]}"}
        world.client("ec2", REGIONS[1]).create_tags(Resources=[images[REGIONS[1]]], Tags=[tag])
        options = _publishing(world, images, images[REGIONS[0]])
        shared = {**options, "publish_share": world.consumers()[:1]}
        _prepare(world, Command(tasks=[{"name": "publish", MODULES + "ami_publish": shared}]))
    world.client("s3", HOME).create_bucket(Bucket=BUCKET)
    given = {name: value for name, value in options.items() if name != "images"}
    variables = {f"recall_{name}": value for name, value in given.items()}
    places = {"recall_regions": list(REGIONS), "recall_source_region": REGIONS[0]}
    return Setup(Command("recall_ami", {**variables, **places, "recall_tombstone_s3_uri": f"s3://{BUCKET}"}))


def _recall_back(world: World) -> Setup:
    """recall_ami.yml takes a recall back."""
    command = _recall(world).command
    _prepare(world, command)
    return Setup(replace(command, variables={**command.variables, "recall_state": "absent"}))


def _blocked(world: World, method: str, consumers: Sequence[str] = CONSUMERS[:1]) -> dict[str, Any]:
    """The variables of recall_ami.yml that block an image and its copy, which are shared with consumers."""
    shared = {"accounts": [*consumers], "snapshot_accounts": [*consumers]}
    images = world.images(
        {region: {"region": region, "name": "2026.11", "sharing": shared} for region in REGIONS}
    )
    tag = {"Key": "golden.images:source", "Value": f"{REGIONS[0]}/{images[REGIONS[0]]}"}
    world.client("ec2", REGIONS[1]).create_tags(Resources=[images[REGIONS[1]]], Tags=[tag])
    world.client("s3", HOME).create_bucket(Bucket=BUCKET)
    return {
        "recall_source_image_id": images[REGIONS[0]],
        "recall_source_region": REGIONS[0],
        "recall_regions": list(REGIONS),
        "recall_level": "block",
        "recall_block_method": method,
        "recall_accept_breaking": ["all"],
        "recall_tombstone_s3_uri": f"s3://{BUCKET}",
    }


def _recall_block(world: World) -> Setup:
    """recall_ami.yml that removes all permissions."""
    return Setup(Command("recall_ami", _blocked(world, "unshare")))


def _recall_disable(world: World) -> Setup:
    """recall_ami.yml that disables the images."""
    return Setup(Command("recall_ami", _blocked(world, "disable")))


def _recall_open(world: World) -> Setup:
    """recall_ami.yml that enables images again, and gives back their permissions."""
    variables = _blocked(world, "disable")
    _prepare(world, Command("recall_ami", variables))
    return Setup(Command("recall_ami", {**variables, "recall_state": "absent"}))


def _blocked_copies(world: World) -> tuple[dict[str, Any], list[str]]:
    """The variables of recall_ami.yml that also block a copy in each of two accounts, and these copies.

    A stranger can launch the copies. Each account runs its copy, and an image that only a tag calls one.
    """
    variables = _blocked(world, "unshare", CONSUMERS)
    copies: list[str] = []
    source = variables["recall_source_image_id"]
    tags = {"golden.images:source": f"{REGIONS[0]}/{source}"}
    # The copies are older than any lag, after whose first read EC2 would take them for pending again.
    world.aws.update_settings(image_settles_after_seconds=0.001)
    for account, region in zip(CONSUMERS, REGIONS, strict=True):
        ec2 = world.client("ec2", region, account)
        copy = ec2.copy_image(Name="copy", SourceImageId=source, SourceRegion=REGIONS[0])["ImageId"]
        ec2.get_waiter("image_available").wait(ImageIds=[copy], WaiterConfig={"Delay": 1})
        ec2.modify_image_attribute(ImageId=copy, LaunchPermission={"Add": [{"UserId": _ACCOUNTS[STRANGER]}]})
        tagged = {"account": account, "region": region, "name": "tagged", "tags": tags}
        for image_id in (copy, world.images({"tagged": tagged})["tagged"]):
            ec2.run_instances(ImageId=image_id, InstanceType="t3.micro", MinCount=1, MaxCount=1)
        copies.append(copy)
    world.aws.update_settings(image_settles_after_seconds=0.0)
    consumers = {
        "recall_account_ids": world.consumers(),
        "recall_consumer_role_name": ROLE,
        "recall_external_id": EXTERNAL_ID,
        "recall_block_consumer_copies": True,
        # An account that was not wholly read is none of these: its copy may be unknown.
        "recall_accept_breaking": [_ACCOUNTS[STRANGER]],
    }
    return {**variables, **consumers}, copies


def _recall_copies(world: World) -> Setup:
    """recall_ami.yml that removes all permissions, and disables what consumers have copied."""
    variables, copies = _blocked_copies(world)
    return Setup(Command("recall_ami", variables), switched=copies)


def _recall_open_copies(world: World) -> Setup:
    """recall_ami.yml that enables the copies of consumers again, and gives back all permissions."""
    variables, copies = _blocked_copies(world)
    _prepare(world, Command("recall_ami", variables))
    return Setup(Command("recall_ami", {**variables, "recall_state": "absent"}), switched=copies)


def _refresh(world: World) -> Setup:
    """refresh_instances.yml of two groups, of which one has a fixed version of its launch template."""
    region, consumer = REGIONS[0], CONSUMERS[0]
    spec = {"region": region, "sharing": {"accounts": [consumer]}}
    images = world.images({name: {**spec, "name": name} for name in ("old", "new")})
    refreshing.add_template(world.aws, consumer, region, images["old"], images["new"])
    refreshing.add_group(world.aws, consumer, region, "fixed", "1")
    refreshing.add_group(world.aws, consumer, region, "web", "1", "$Default")
    variables = {
        "refresh_images": {region: images["new"]},
        "refresh_account_ids": world.consumers()[:1],
        "refresh_consumer_role_name": ROLE,
        "refresh_external_id": EXTERNAL_ID,
        "refresh_auto_scaling_groups": ["fixed", "web"],
    }
    return Setup(Command("refresh_instances", variables))


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
    return Setup(command, repeats=True)


def _prepare(world: World, command: Command, *, fails: bool = False) -> None:
    """Run a command to its end, undisturbed."""
    process = command.start(Ansible(world.aws.environment(OWNER), world.folder))
    stdout, stderr = process.communicate(timeout=300)
    assert bool(process.returncode) == fails, stdout + stderr


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
    """A new and an old image of one family in both regions; the IDs of the old ones, which are shared."""
    common = {"tags": {"family": "web"}}
    made = world.images(
        {
            f"{name}-{region}": {
                **common,
                "region": region,
                "name": name,
                "age_days": age,
                "sharing": sharing if name == "old" else {},
            }
            for region in REGIONS
            for name, age in (("new", 1), ("old", 100))
        },
        encrypted=bool(sharing),
    )
    return {region: made[f"old-{region}"] for region in REGIONS}


def _policy(world: World, **more: Any) -> dict[str, Any]:
    return {
        "regions": list(REGIONS),
        "family_tag": "family",
        "max_deletions": "100%",
        "deregister_after_days": 0,
        "include_shared": True,
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
        "tombstone_path": str(world.folder / "retired.jsonl"),
        **more,
    }


def _cleaning(policy: Mapping[str, Any]) -> Command:
    return Command("cleanup_amis", {f"cleanup_{name}": value for name, value in policy.items()})


def _cleanup(world: World) -> Setup:
    """cleanup_amis.yml deregisters the old image in two regions, with its snapshot and its grant."""
    _retired(world, accounts=[CONSUMERS[0]], snapshot_accounts=[CONSUMERS[0]])
    world.aws.update_settings(new_grant_age_seconds=24 * 3600)
    _grant_to(world, CONSUMERS[0])
    command = _cleaning(_policy(world, revoke_grants=True))
    return Setup(command, files=[world.folder / "retired.jsonl"])


def _deprecate(world: World) -> Setup:
    """cleanup_amis.yml deprecates the old image in two regions."""
    _retired(world, accounts=[CONSUMERS[0]])
    policy = _policy(world, deprecate_after_days=0)
    del policy["deregister_after_days"]
    return Setup(_cleaning(policy))


def _remote_tombstones(world: World) -> dict[str, Any]:
    """Tombstones in S3 and in Parameter Store."""
    world.client("s3", HOME).create_bucket(Bucket=BUCKET)
    return {"tombstone_s3_uri": f"s3://{BUCKET}/retired", "tombstone_ssm_path": "/retired"}


def _disable(world: World) -> Setup:
    """cleanup_amis.yml disables the old image in two regions, with tombstones in S3 and Parameter Store."""
    _retired(world, accounts=[CONSUMERS[0]], snapshot_accounts=[CONSUMERS[0]])
    policy = _policy(world, disable_after_days=0, **_remote_tombstones(world))
    del policy["deregister_after_days"], policy["tombstone_path"]
    return Setup(_cleaning(policy))


def _request_reports(world: World) -> Setup:
    """cleanup_amis.yml requests usage reports of images in two regions, which take longer than the run."""
    world.aws.update_settings(usage_report_seconds=3600)
    _retired(world, accounts=[STRANGER])
    return Setup(_cleaning(_policy(world, trust_usage_reports=True)))


def _orphans(world: World) -> Setup:
    """cleanup_amis.yml deletes the snapshots of images in two regions that were deregistered by hand."""
    source = _golden(world, encrypted=False)
    for region in REGIONS:
        ec2 = world.client("ec2", region)
        copy = ec2.copy_image(Name="copy", SourceImageId=source, SourceRegion=HOME)["ImageId"]
        ec2.deregister_image(ImageId=copy)
    return Setup(_cleaning(_policy(world, orphan_snapshots=True)))


def _restoration(images: Mapping[str, str], **tombstones: str) -> Command:
    variables = {f"restore_{name}": value for name, value in tombstones.items()}
    return Command("restore_ami", {"restore_images": dict(images), **variables})


def _keep_deleted(world: World) -> None:
    """Let the Recycle Bin keep what is deleted."""
    for region in REGIONS:
        for kind in ("EC2_IMAGE", "EBS_SNAPSHOT"):
            period = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
            world.client("rbin", region).create_rule(ResourceType=kind, RetentionPeriod=period)


def _restore(world: World) -> Setup:
    """restore_ami.yml restores images from the Recycle Bin, with their permissions."""
    _keep_deleted(world)
    old = _retired(world, accounts=[CONSUMERS[0]], snapshot_accounts=[CONSUMERS[0]])
    _grant_to(world, CONSUMERS[0])
    _prepare(world, _module("ami_cleanup", **_policy(world)))
    tombstones = world.folder / "retired.jsonl"
    command = _restoration(old, tombstone_path=str(tombstones))
    return Setup(command, world.consumers()[:1], files=[tombstones])


def _disabled(world: World) -> tuple[dict[str, str], dict[str, Any]]:
    """Images in both regions that a cleanup deprecated and then disabled, and where their tombstones are.

    One of them had a later deprecation date before.
    """
    old = _retired(world, accounts=[CONSUMERS[0]], snapshot_accounts=[CONSUMERS[0]])
    world.client("ec2", REGIONS[0]).enable_image_deprecation(
        ImageId=old[REGIONS[0]], DeprecateAt="2030-01-01T00:00:00Z"
    )
    _grant_to(world, CONSUMERS[0])
    remote = _remote_tombstones(world)
    policy = _policy(world, deprecate_after_days=0, region=HOME, **remote)
    del policy["deregister_after_days"], policy["tombstone_path"]
    stages = (policy, {**policy, "disable_after_days": 0})
    _prepare(world, Command(tasks=[{"name": "retire", MODULES + "ami_cleanup": one} for one in stages]))
    return old, remote


def _enable(world: World) -> Setup:
    """restore_ami.yml enables deprecated and disabled images, which have lost their permissions, from S3."""
    old, remote = _disabled(world)
    command = _restoration(old, tombstone_s3_uri=remote["tombstone_s3_uri"])
    return Setup(command, world.consumers()[:1])


def _reshare(world: World) -> Setup:
    """restore_ami.yml of images that were enabled by hand, and are not shared, from Parameter Store."""
    old, remote = _disabled(world)
    for region, image_id in old.items():
        world.client("ec2", region).enable_image(ImageId=image_id)
    command = _restoration(old, tombstone_ssm_path=remote["tombstone_ssm_path"])
    return Setup(command, world.consumers()[:1])


def _retired_public(world: World, *, snapshots: bool, **stages: int) -> tuple[dict[str, str], Path]:
    """Public images in both regions that a cleanup retired, and the file with their tombstones.

    The cleanup keeps an image whose snapshots are public, unless it only disables it.
    """
    old = _retired(world)
    for region, image_id in old.items():
        ec2 = world.client("ec2", region)
        ec2.disable_image_block_public_access()
        ec2.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": [{"Group": "all"}]})
        # It proves to the cleanup that no other account uses the image.
        ec2.create_image_usage_report(ImageId=image_id, ResourceTypes=_REPORTED)
        for snapshot_id in _snapshot_ids(world, region, image_id) if snapshots else ():
            ec2.modify_snapshot_attribute(SnapshotId=snapshot_id, OperationType="add", GroupNames=["all"])
    policy = _policy(world, trust_usage_reports=True)
    del policy["deregister_after_days"]
    _prepare(world, _module("ami_cleanup", **policy, **stages))
    return old, world.folder / "retired.jsonl"


def _snapshot_ids(world: World, region: str, image_id: str) -> list[str]:
    (image,) = world.client("ec2", region).describe_images(ImageIds=[image_id], IncludeDisabled=True)[
        "Images"
    ]
    return [device["Ebs"]["SnapshotId"] for device in image["BlockDeviceMappings"]]


def _public_restoration(images: Mapping[str, str], tombstones: Path) -> Setup:
    restoration = _restoration(images, tombstone_path=str(tombstones))
    variables = {**restoration.variables, "restore_allow_public": True}
    return Setup(replace(restoration, variables=variables), files=[tombstones])


def _restore_public(world: World) -> Setup:
    """restore_ami.yml restores public images from the Recycle Bin, which are public at once."""
    _keep_deleted(world)
    return _public_restoration(*_retired_public(world, snapshots=False, deregister_after_days=0))


def _enable_public(world: World) -> Setup:
    """restore_ami.yml enables images that were public, and makes them and their snapshots public again."""
    old, tombstones = _retired_public(world, snapshots=True, disable_after_days=0)
    for region, image_id in old.items():
        for snapshot_id in _snapshot_ids(world, region, image_id):
            # Disabling keeps them public.
            world.client("ec2", region).modify_snapshot_attribute(
                SnapshotId=snapshot_id, OperationType="remove", GroupNames=["all"]
            )
    return _public_restoration(old, tombstones)


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


def _released(world: World) -> dict[str, str]:
    """Two releases of a family in two regions, of which consumers use one each."""
    sharing = {"accounts": list(CONSUMERS), "snapshot_accounts": list(CONSUMERS)}
    ids = world.images(
        {
            f"web-{number} {region}": {
                "region": region,
                "name": f"web-{number}",
                "tags": {"family": "web"},
                "age_days": 90 - 30 * number,
                "sharing": sharing,
            }
            for number in (1, 2)
            for region in REGIONS
        }
    )
    for account, number in zip(CONSUMERS, (1, 2), strict=True):
        for region in REGIONS:
            image_id = ids[f"web-{number} {region}"]
            ec2 = world.client("ec2", region, account)
            ec2.run_instances(ImageId=image_id, InstanceType="t3.micro", MinCount=1, MaxCount=1)
            ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image_id})
            builder = world.client("imagebuilder", region, account)
            builder.create_image_recipe(name="web", semanticVersion="1.0.0", parentImage=image_id)
    return ids


def _adoption(world: World) -> Setup:
    """report_adoption.yml of instances and launches of two consumers in two regions."""
    _released(world)
    variables = {
        "adoption_family_tag": "family",
        "adoption_depth": "launches",
        "adoption_regions": list(REGIONS),
        "adoption_account_ids": world.consumers(),
        "adoption_consumer_role_name": ROLE,
        "adoption_external_id": EXTERNAL_ID,
    }
    return Setup(Command("report_adoption", variables))


def _reported_adoption(world: World) -> Setup:
    """report_adoption.yml requests usage reports in two regions, and reads them."""
    _released(world)
    variables = {
        "adoption_family_tag": "family",
        "adoption_depth": "usage_reports",
        "adoption_regions": list(REGIONS),
    }
    return Setup(Command("report_adoption", variables))


def _monitoring(world: World, **more: Any) -> Command:
    for region in REGIONS:
        world.client("logs", region).create_log_group(logGroupName=LOG_GROUP)
        trail.start(world.aws, OWNER, region, LOG_GROUP)
    variables = {
        "monitor_regions": list(REGIONS),
        "monitor_log_group_name": LOG_GROUP,
        "monitor_queue_name": MONITOR,
        **more,
    }
    return Command("monitor_ami_sharing", variables)


def _monitor(world: World) -> Setup:
    """monitor_ami_sharing.yml in two regions; one has a topic already, with a subscription that goes."""
    sns = world.client("sns", REGIONS[1])
    topic = sns.create_topic(Name=MONITOR)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="former@example.org")
    subscription = {"protocol": "email", "endpoint": "security@example.org"}
    return Setup(_monitoring(world, monitor_subscriptions=[subscription], monitor_purge_subscriptions=True))


def _monitor_absent(world: World) -> Setup:
    """monitor_ami_sharing.yml deletes in two regions what has the names of what it creates."""
    command = _monitoring(world, monitor_state="absent")
    for region in REGIONS:
        topic = world.client("sns", region).create_topic(Name=MONITOR)["TopicArn"]
        world.client("sqs", region).create_queue(QueueName=MONITOR)
        events = world.client("events", region)
        events.put_rule(Name=MONITOR, EventPattern=json.dumps({"source": ["aws.ec2"]}))
        events.put_targets(Rule=MONITOR, Targets=[{"Id": "topic", "Arn": topic}])
        for name in ("golden-images-ami-sharing", "golden-images-public-ami-sharing"):
            world.client("logs", region).put_metric_filter(
                logGroupName=LOG_GROUP, filterName=name, filterPattern="x", metricTransformations=[_METRIC]
            )
        world.client("cloudwatch", region).put_metric_alarm(
            AlarmName="UnauthorizedAMISharing",
            Namespace=_METRIC["metricNamespace"],
            MetricName=_METRIC["metricName"],
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
        )
    return Setup(command)


def _upload(world: World) -> Setup:
    """distribution_report with the upload of its files."""
    world.client("s3", HOME).create_bucket(Bucket=BUCKET)
    copied = {"results": [{"region": HOME, "image_id": "ami-0123456789abcdef0", "state": "available"}]}
    command = _module(
        "distribution_report",
        copy_results=[copied],
        share_result={"results": [{"region": HOME}]},
        report_dir=str(world.folder / "report"),
        report_s3_uri=f"s3://{BUCKET}/web",
    )
    return Setup(command, repeats=True)


def _beside(world: World) -> Setup:
    """A distribution, and a cleanup of the same family of images at the same time.

    The cleanup keeps the newer one of two old images in each region until the copy is there.
    """
    common = {"tags": {"family": "web"}}
    specs: dict[str, dict[str, Any]] = {
        "golden": {**common, "region": HOME, "name": "golden"},
        **{
            f"{name}-{region}": {**common, "region": region, "name": name, "age_days": age}
            for region in REGIONS
            for name, age in (("old", 100), ("older", 200))
        },
    }
    source = world.images(specs, encrypted=True)["golden"]
    distribute = Command("distribute_ami", _distribution(world, source, distribute_tags={"family": "web"}))
    # The source shows how old its copies are.
    cleanup = _cleaning(_policy(world, regions=[HOME, *REGIONS], keep_latest=1))
    return Setup(distribute, world.consumers(), REGIONS, cleanup, [world.folder / "retired.jsonl"])


def _recall_and_fix(world: World) -> tuple[Command, Command]:
    """A recall of an image in a parameter, and a distribution that publishes the fix in it.

    What a tombstone and a launch template have depends on which of the commands is first.
    """
    recall = _recall(world).command
    fix = world.images({"fix": {"region": HOME, "name": "2026.12"}})["fix"]
    distribution = {
        "distribute_source_image_id": fix,
        "distribute_source_region": HOME,
        "distribute_regions": list(REGIONS),
        "distribute_account_ids": world.consumers()[:1],
        "distribute_consumer_role_name": ROLE,
        "distribute_external_id": EXTERNAL_ID,
        "distribute_publish_parameter": PARAMETER,
    }
    kept = {
        name: value
        for name, value in recall.variables.items()
        if name not in ("recall_launch_templates", "recall_tombstone_s3_uri")
    }
    tombstone = {"recall_tombstone_path": str(world.folder / "recalls.jsonl")}
    return replace(recall, variables={**kept, **tombstone}), Command("distribute_ami", distribution)


def _recall_beside(world: World) -> Setup:
    """A recall, and the distribution of the fix at the same time."""
    recall, distribution = _recall_and_fix(world)
    return Setup(recall, world.consumers()[:1], REGIONS, distribution)


def _recall_back_beside(world: World) -> Setup:
    """A recall that is taken back, and the distribution of the fix at the same time."""
    recall, distribution = _recall_and_fix(world)
    _prepare(world, recall)
    back = replace(recall, variables={**recall.variables, "recall_state": "absent"})
    return Setup(back, world.consumers()[:1], REGIONS, distribution)


@dataclass(frozen=True)
class Scenario:
    """How a scenario is built, and the operations that change something in its undisturbed run."""

    build: Callable[[World], Setup]
    operations: frozenset[str]


def _scenario(build: Callable[[World], Setup], **operations: str) -> Scenario:
    """A scenario with its operations by service, separated by spaces."""
    made = [f"{service}:{one}" for service, names in operations.items() for one in names.split()]
    return Scenario(build, frozenset(made))


_SHARING = "ModifyImageAttribute ModifySnapshotAttribute"
_RESHARING = "CreateTags DeleteTags DisableImageDeprecation EnableImageDeprecation ModifyImageAttribute"

SCENARIOS: dict[str, Scenario] = {
    "distribute": _scenario(
        _distribute,
        ec2=f"CopyImage CreateTags {_SHARING}",
        kms="CreateGrant",
        ssm="LabelParameterVersion PutParameter",
    ),
    "sources": _scenario(_sources, ec2=f"CopyImage {_SHARING}"),
    "unshare": _scenario(_unshare, ec2=_SHARING, kms="RevokeGrant"),
    "cleanup": _scenario(_cleanup, ec2="CreateTags DeleteSnapshot DeregisterImage", kms="RevokeGrant"),
    "deprecate": _scenario(_deprecate, ec2="CreateTags EnableImageDeprecation"),
    "disable": _scenario(_disable, ec2="CreateTags DisableImage", s3="PutObject", ssm="PutParameter"),
    "orphans": _scenario(_orphans, ec2="DeleteSnapshot"),
    "request-reports": _scenario(_request_reports, ec2="CreateImageUsageReport"),
    "refresh": _scenario(_refresh, autoscaling="StartInstanceRefresh"),
    "remediate": _scenario(_remediate, ec2=_SHARING, kms="RevokeGrant"),
    "rollback": _scenario(
        _rollback,
        ec2="CreateLaunchTemplateVersion ModifyLaunchTemplate",
        ssm="LabelParameterVersion PutParameter",
    ),
    "recall": _scenario(
        _recall,
        ec2="CreateLaunchTemplateVersion CreateTags ModifyLaunchTemplate",
        s3="PutObject",
        ssm="LabelParameterVersion PutParameter",
    ),
    "recall-back": _scenario(
        _recall_back,
        ec2="CreateLaunchTemplateVersion DeleteTags ModifyLaunchTemplate",
        s3="PutObject",
        ssm="LabelParameterVersion PutParameter",
    ),
    "recall-block": _scenario(_recall_block, ec2=f"CreateTags {_SHARING}", s3="PutObject"),
    "recall-disable": _scenario(
        _recall_disable, ec2="CreateTags DisableImage ModifySnapshotAttribute", s3="PutObject"
    ),
    "recall-open": _scenario(_recall_open, ec2=f"DeleteTags EnableImage {_SHARING}", s3="PutObject"),
    "recall-copies": _scenario(_recall_copies, ec2=f"CreateTags DisableImage {_SHARING}", s3="PutObject"),
    "recall-open-copies": _scenario(
        _recall_open_copies, ec2=f"DeleteTags EnableImage {_SHARING}", s3="PutObject"
    ),
    "restore": _scenario(
        _restore, ec2="CreateTags DeleteTags RestoreImageFromRecycleBin RestoreSnapshotFromRecycleBin"
    ),
    "restore-public": _scenario(
        _restore_public, ec2="CreateTags DeleteTags RestoreImageFromRecycleBin RestoreSnapshotFromRecycleBin"
    ),
    "enable-public": _scenario(_enable_public, ec2=f"CreateTags DeleteTags EnableImage {_SHARING}"),
    "enable": _scenario(_enable, ec2=f"EnableImage {_RESHARING}"),
    "reshare": _scenario(_reshare, ec2=_RESHARING),
    "into-accounts": _scenario(_into_accounts, ec2=f"CopyImage {_SHARING}", kms="CreateGrant RevokeGrant"),
    "publish": _scenario(
        _publish,
        ec2="CreateLaunchTemplateVersion ModifyLaunchTemplate",
        ssm="LabelParameterVersion PutParameter",
    ),
    "republish": _scenario(
        _republish,
        ssm="AddTagsToResource LabelParameterVersion PutParameter UnlabelParameterVersion",
    ),
    "share-parameter": _scenario(
        _share_parameter,
        ram="AssociateResourceShare CreateResourceShare",
        ssm="LabelParameterVersion PutParameter",
    ),
    "take-parameter-back": _scenario(
        _take_parameter_back,
        ram="DeleteResourceShare DisassociateResourceShare",
        ssm="LabelParameterVersion PutParameter",
    ),
    "copy": _scenario(_copy, ec2="CopyImage"),
    "failed-copy": _scenario(_failed_copy, ec2="CopyImage DeregisterImage"),
    "grant": _scenario(_grant, kms="CreateGrant"),
    "key-policy": _scenario(_key_policy, kms="PutKeyPolicy RevokeGrant"),
    "share": _scenario(_share, ec2=f"CreateTags {_SHARING}"),
    "public": _scenario(_make_public, ec2=_SHARING),
    "probe": _scenario(_probe, ec2="RunInstances TerminateInstances"),
    "audit": _scenario(_audit),
    "adoption": _scenario(_adoption),
    "adoption-reports": _scenario(_reported_adoption, ec2="CreateImageUsageReport"),
    "diagnose": _scenario(_diagnose),
    "verify": _scenario(_verify),
    "monitor": _scenario(
        _monitor,
        cloudwatch="PutMetricAlarm",
        events="PutRule PutTargets",
        logs="PutMetricFilter",
        sns="CreateTopic SetTopicAttributes Subscribe Unsubscribe",
        sqs="CreateQueue SetQueueAttributes",
    ),
    "monitor-absent": _scenario(
        _monitor_absent,
        cloudwatch="DeleteAlarms",
        events="DeleteRule RemoveTargets",
        logs="DeleteMetricFilter",
        sns="DeleteTopic",
        sqs="DeleteQueue",
    ),
    "upload": _scenario(_upload, s3="PutObject"),
    "beside": _scenario(
        _beside,
        ec2=f"CopyImage CreateTags DeregisterImage {_SHARING}",
        kms="CreateGrant",
    ),
    "recall-beside": _scenario(
        _recall_beside,
        ec2=f"CopyImage CreateTags {_SHARING}",
        ssm="LabelParameterVersion PutParameter",
    ),
    "recall-back-beside": _scenario(
        _recall_back_beside,
        ec2=f"CopyImage DeleteTags {_SHARING}",
        ssm="LabelParameterVersion PutParameter",
    ),
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
