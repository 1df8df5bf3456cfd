# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands and YAML of README.md and the guides are run as they stand there, or listed here with a reason.

None makes Ansible warn that there is no inventory.

A page's files of variables are written from its YAML, with IDs and directories that exist.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3.session
import pytest
import yaml

from checks import aws_cli
from simulated_aws.client import SimulatedAws

from . import in_process, probing, refreshing, trail
from .convergence import changing_calls
from .encrypted import USE
from .fixture import HOME, OWNER
from .playbook import CHECKOUT, Ansible
from .recording import aggregate, record

pytestmark = pytest.mark.nightly

AWAY = "eu-west-1"
FURTHER = ("ap-southeast-2", "us-west-2")
ROLE = "golden-consumer"
MANAGEMENT = "management"
_DISKS = [{"device_name": "/dev/xvda", "size": 8, "encrypted": True, "kms_key": "golden"}]
_OLD = {"account": OWNER, "devices": _DISKS, "age_days": 400}
_PLAIN = [{"device_name": "/dev/xvda", "size": 8}]
_WORLD: dict[str, Any] = {
    "accounts": {
        MANAGEMENT: "100000000001",
        OWNER: "111122223333",
        "web": "012345678901",
        "data": "123456789012",
        "edge": "210987654321",
    },
    # An audit of fewer regions is faster.
    "not_opted_in_regions": sorted(
        {*boto3.session.Session().get_available_regions("ec2")} - {HOME, AWAY, *FURTHER}
    ),
    "organization": {
        "management_account": MANAGEMENT,
        "accounts": [OWNER],
        "units": {"workloads": {"units": {"prod": {"accounts": ["web", "data"]}}}},
    },
    "roles": {ROLE: {"accounts": ["web", "data"], "trusts": [OWNER], "external_id": "golden-images"}},
    "kms_keys": {
        "golden": {"account": OWNER, "regions": [HOME, AWAY, *FURTHER], "alias": "alias/golden"},
        **{
            name: {"account": name, "regions": [HOME, AWAY], "alias": "alias/web"} for name in ("web", "data")
        },
    },
    "images": {
        "golden-web-2": {"account": OWNER, "region": HOME, "devices": _DISKS},
        "golden-plain": {"account": OWNER, "region": HOME, "devices": _PLAIN},
        "golden-plain-copy": {"account": OWNER, "region": AWAY, "devices": _PLAIN},
        "golden-old-1": {**_OLD, "region": AWAY},
        "golden-old-2": {**_OLD, "region": HOME},
    },
}

# The images of a page, if they are not the one that is distributed and an old one.
IMAGES = {
    "docs/moving/README.md": ("golden-plain", "golden-plain-copy"),
    "docs/moving/from-amazon-aws.md": ("golden-plain", "golden-old-2"),
    "docs/publishing.md": ("golden-plain", "golden-old-2"),
    "docs/recalling.md": ("golden-plain", "golden-old-2"),
    "docs/refreshing.md": ("golden-plain", "golden-plain-copy"),
    "docs/restoring.md": ("golden-old-1", "golden-old-2"),
    "docs/verifying.md": ("golden-plain", "golden-old-2"),
}

# What this file does not run, by a pattern for the beginning of the command, and why.
ELSEWHERE = {
    "make demo": "it waits a minute for copies: tests/integration/test_demo.py",
    "make test": "it runs this test",
    "make bench": "it takes half an hour",
    "make simulated-aws": "it runs until it is stopped: simulated_aws/tests/test_process.py",
    "ansible-playbook .* -e @distribute.yml": "README.md has it, with a parameter",
    "ansible-playbook .*monitor_queue_name": "tests/integration/test_monitor.py creates a queue",
    "ansible-playbook .*publish_share_purge": "test_publish_share.py takes a parameter back",
    "ansible-galaxy collection build": "the check package",
    "ansible-galaxy collection install golden-images-": "the check package",
    "ansible-builder build": "it needs a container engine: the check execution-environment",
    "podman push": "it needs a registry",
    "python3 -m venv setup": "it downloads Ansible",
    "ansible-galaxy collection install 'awx.awx": "it downloads a collection",
    "export CONTROLLER_HOST": "it needs an AWX: tests/integration/awx has a stand-in",
    "ansible-playbook -i localhost, awx/setup.yml": "it needs an AWX: tests/integration/awx has a stand-in",
    "ansible-navigator": "it has an environment of its own: tests/integration/test_navigator.py",
    "ansible-rulebook": "it needs Java: tests/integration/test_rulebook.py",
    "python3 bootstrap/check_accounts.py": "it needs a role's session: tests/integration/test_bootstrap.py",
    "aws imagebuilder": "the simulated AWS has no Image Builder",
    "aws sqs": "version 1 of the AWS CLI, the one of PyPI, does not use AWS_ENDPOINT_URL for SQS",
    "packer build": "it launches an instance and connects to it",
}
# The account that runs a command, if it is not the owner of the images.
ACCOUNTS = {
    "aws cloudformation deploy --region us-east-1 --stack-name golden-consumer": MANAGEMENT,
    "aws iam": "web",
    "aws kms create-grant": "web",
    "ansible-inventory": MANAGEMENT,
}


@dataclass(frozen=True)
class Command:
    """A command with the lines that the page shows below it."""

    text: str
    output: str

    @property
    def reason(self) -> str | None:
        """Why it is not run here; None if it is."""
        return next((why for pattern, why in ELSEWHERE.items() if _begins(pattern, self.text)), None)


def _begins(pattern: str, text: str) -> bool:
    return re.match(pattern, text, re.DOTALL) is not None


@cache
def _pages() -> dict[str, str]:
    paths = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
    return {path.relative_to(CHECKOUT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def _blocks(text: str, language: str) -> list[str]:
    """The code blocks of a page in a language, without their indentation."""
    pattern = rf"^( *)```{language}\n(.*?)^\1```$"
    return [textwrap.dedent(found[2]) for found in re.finditer(pattern, text, flags=re.DOTALL | re.MULTILINE)]


def _commands(text: str) -> Iterator[Command]:
    """The commands of a page: a line with a prompt, and those that continue it."""
    for block in _blocks(text, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            end = 1
            while lines[end - 1].endswith("\\") or "\n".join(lines[:end]).count("'") % 2:
                end += 1
            yield Command("\n".join(lines[:end]), "\n".join(lines[end:]))


PAGES = [page for page, text in _pages().items() if any(one.reason is None for one in _commands(text))]


@dataclass(frozen=True)
class World:
    """The simulated AWS with what the pages presume, and the directory that the commands run in.

    ``variables`` are those of the shell that the commands use.
    """

    aws: SimulatedAws
    folder: Path
    described: Mapping[str, Any]
    variables: dict[str, str] = field(default_factory=dict)

    def image(self, name: str) -> str:
        """The ID of an image, by the name that it has in the fixture."""
        return str(self.described["images"][name]["image_id"])

    def key(self, region: str) -> str:
        """The ARN of the owner's key in a region."""
        return str(self.described["kms_keys"]["golden"][region])

    def actual(self, page: str, text: str) -> str:
        """A page's text with IDs and directories that exist instead of its examples."""
        first, second = IMAGES.get(page, ("golden-web-2", "golden-old-2"))
        examples = {
            "ami-0123456789abcdef0": self.image(first),
            "ami-0fedcba9876543210": self.image(second),
            "subnet-0123456789abcdef0": probing.subnet(self.aws, "web", HOME),
            "subnet-0fedcba9876543210": probing.subnet(self.aws, "data", HOME),
            "arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5": self.described["organization"][
                "arn"
            ],
            "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-11111111": self.described[
                "organization"
            ]["units"]["workloads/prod"]["arn"],
            "Ids=ou-ab12-11111111": "Ids={id}".format_map(
                self.described["organization"]["units"]["workloads/prod"]
            ),
            "arn:aws:kms:eu-west-1:111122223333:key/…": self.key(AWAY),
            "222222222222": self.aws.account_id("data"),
            "/tmp/audit": str(self.folder / "audit"),
            "/var/lib/golden": str(self.folder),
            "/srv": str(self.folder),
            "http://127.0.0.1:4510": self.aws.url,
        }
        for example, real in examples.items():
            text = text.replace(example, real)
        return text

    def write(self, name: str, text: str) -> None:
        """Write a file into the directory."""
        (self.folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def world(aws: SimulatedAws, tmp_path: Path) -> World:
    return World(aws, tmp_path, aws.load_fixture(_WORLD))


def _share(world: World) -> None:
    """Share the image with the accounts that are to launch it."""
    world.aws.client("ec2", OWNER, HOME).modify_image_attribute(
        ImageId=world.image("golden-plain"),
        LaunchPermission={"Add": [{"UserId": world.aws.account_id(name)} for name in ("web", "data")]},
    )


def _launch_groups(world: World) -> None:
    """Let a group in each region run an earlier image than the one that its launch template has."""
    for region, name in ((HOME, "golden-plain"), (AWAY, "golden-plain-copy")):
        ec2, image_id = world.aws.client("ec2", OWNER, region), world.image(name)
        earlier = ec2.copy_image(SourceImageId=image_id, SourceRegion=region, Name="earlier")["ImageId"]
        permission = {"Add": [{"UserId": world.aws.account_id("web")}]}
        for one in (earlier, image_id):
            ec2.modify_image_attribute(ImageId=one, LaunchPermission=permission)
        refreshing.add_template(world.aws, "web", region, earlier, image_id)
        refreshing.add_group(world.aws, "web", region, "web", "1", "$Default")


def _distributed(world: World) -> None:
    """Share an image in each region, with a report of that, and make the templates to publish in."""
    images = {HOME: world.image("golden-plain"), AWAY: world.image("golden-plain-copy")}
    accounts = [world.aws.account_id(name) for name in ("web", "data")]
    for region, image_id in images.items():
        ec2 = world.aws.client("ec2", OWNER, region)
        permissions = {"Add": [{"UserId": account} for account in accounts]}
        ec2.modify_image_attribute(ImageId=image_id, LaunchPermission=permissions)
        for account in (OWNER, "web"):
            world.aws.client("ec2", account, region).create_launch_template(
                LaunchTemplateName="web", LaunchTemplateData={"InstanceType": "t3.micro"}
            )
    owner = {"account_id": world.aws.account_id(OWNER), "shared": True}
    regions = [{**owner, "region": region, "image_id": image_id} for region, image_id in images.items()]
    report: dict[str, Any] = {"source_image_id": images[HOME], "regions": regions, "consumer_images": []}
    report["status"] = "distributed"
    world.write("distribution.json", json.dumps(report))
    verified = {
        "verify_images": images,
        "verify_account_ids": accounts,
        "verify_consumer_role_name": ROLE,
        "verify_external_id": "golden-images",
    }
    world.write("verify.yml", json.dumps(verified))


def _release(world: World) -> None:
    """Publish two images in two accounts, one after the other, and make a bucket."""
    _make_bucket(world)
    _share(world)
    earlier = world.aws.client("ec2", OWNER, HOME).copy_image(
        SourceImageId=world.image("golden-plain-copy"), SourceRegion=AWAY, Name="golden-web-1"
    )["ImageId"]
    world.aws.client("ec2", OWNER, HOME).modify_image_attribute(
        ImageId=earlier, LaunchPermission={"Add": [{"UserId": world.aws.account_id("web")}]}
    )
    for image_id in (earlier, world.image("golden-plain")):
        options = {
            "images": {HOME: image_id},
            "source_image_id": image_id,
            "parameter": "/golden/web",
            "account_ids": [world.aws.account_id("web")],
            "consumer_role_name": ROLE,
            "external_id": "golden-images",
            "publish_older": True,
        }
        done = in_process.run(world.aws, OWNER, "ami_publish", options)
        assert done["failures"] == [], done
    for account in (OWNER, "web"):
        world.aws.client("ec2", account, HOME).create_launch_template(
            LaunchTemplateName="web", LaunchTemplateData={"ImageId": world.image("golden-plain")}
        )


def _retire(world: World) -> None:
    """Disable the old images, as a cleanup does that writes down what they lose."""
    s3 = world.aws.client("s3", OWNER, HOME)
    s3.create_bucket(Bucket="golden-images-tombstones")
    for name, region in (("golden-old-1", AWAY), ("golden-old-2", HOME)):
        world.aws.client("ec2", OWNER, region).disable_image(ImageId=world.image(name))
        tombstone = {
            "account_id": world.aws.account_id(OWNER),
            "image": {"State": "available"},
            "image_id": world.image(name),
            "launch_permissions": {"account_ids": [], "public": False},
            "name": name,
            "region": region,
            "snapshots": [],
            "stage": "disable",
            "tags": {},
            "written_at": "2026-11-24T12:00:00Z",
        }
        key = f"tombstones/{region}/{world.image(name)}/20261124T120000Z.json"
        s3.put_object(Bucket="golden-images-tombstones", Key=key, Body=json.dumps(tombstone).encode())


def _make_log_group(world: World) -> None:
    world.aws.client("logs", OWNER, HOME).create_log_group(logGroupName="aws-cloudtrail-logs")
    trail.start(world.aws, OWNER, HOME, "aws-cloudtrail-logs")


def _make_bucket(world: World) -> None:
    world.aws.client("s3", OWNER, HOME).create_bucket(Bucket="golden-images-tombstones")


def _monitor(world: World) -> None:
    """A log group, and what a monitoring has made, whose ARNs and URL are in variables of the shell."""
    _make_log_group(world)
    sqs = world.aws.client("sqs", OWNER, HOME)
    queue_url = sqs.create_queue(QueueName="made")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    topic = world.aws.client("sns", OWNER, HOME).create_topic(Name="made")
    world.variables.update(
        key_arn=world.key(HOME),
        queue_arn=attributes["QueueArn"],
        queue_url=queue_url,
        topic_arn=topic["TopicArn"],
    )


def _grant(world: World) -> None:
    """Give an account the grant of a distribution with ``distribute_auto_scaling``, and free the alias."""
    kms = world.aws.client("kms", OWNER, AWAY)
    kms.delete_alias(AliasName="alias/golden")
    kms.create_grant(
        KeyId=world.key(AWAY),
        GranteePrincipal=f"arn:aws:iam::{world.aws.account_id('web')}:root",
        Operations=[*USE, "Encrypt"],
    )


def _empty_accounts(world: World) -> None:
    """Remove what the page creates: the roles of the accounts, and the aliases of the keys."""
    for account in ("web", "data"):
        iam = world.aws.client("iam", account)
        iam.delete_role_policy(RoleName=ROLE, PolicyName="own")
        iam.delete_role(RoleName=ROLE)
    for region in (HOME, AWAY, *FURTHER):
        world.aws.client("kms", OWNER, region).delete_alias(AliasName="alias/golden")
    (world.folder / "bootstrap").symlink_to(CHECKOUT / "bootstrap")


def _build_with_packer(world: World) -> None:
    """The image that Packer's template builds."""
    world.aws.client("ec2", OWNER, HOME).copy_image(
        SourceImageId=world.image("golden-plain"), SourceRegion=HOME, Name="golden-web-2026.11.1"
    )


def _build_with_image_builder(world: World) -> None:
    """Tag an image as Image Builder does."""
    arn = f"arn:aws:imagebuilder:{HOME}:{world.aws.account_id(OWNER)}:image/golden-web/1.0.0/1"
    tags: Any = [{"Key": "Ec2ImageBuilderArn", "Value": arn}]
    world.aws.client("ec2", OWNER, HOME).create_tags(Resources=[world.image("golden-plain")], Tags=tags)


PREPARED: dict[str, Callable[[World], None]] = {
    "docs/encrypted-images.md": _grant,
    "docs/event-driven.md": _monitor,
    "docs/first-day.md": _empty_accounts,
    "docs/monitoring.md": _monitor,
    "docs/moving/from-image-builder.md": _build_with_image_builder,
    "docs/moving/from-packer.md": _build_with_packer,
    "docs/publishing.md": _distributed,
    "docs/recalling.md": _release,
    "docs/refreshing.md": _launch_groups,
    "docs/restoring.md": _retire,
    "docs/verifying.md": _share,
}


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work(world: World, page: str) -> None:
    text = world.actual(page, _pages()[page])
    PREPARED.get(page, lambda _world: None)(world)
    world.aws.clear_calls()
    for command in _commands(text):
        if command.reason is not None:
            continue
        if command.text.startswith("curl ") and shutil.which("curl") is None:
            pytest.skip("this machine has no curl")
        _write_files(world, text, command)
        done = subprocess.run(
            ["bash", "-c", f"{command.text}\nenv" if command.text.startswith("export ") else command.text],
            cwd=world.folder,
            env=_environment(world, command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=Ansible.timeout,
            check=False,
        )
        assert done.returncode == 0, f"$ {command.text}\n{done.stdout}"
        assert not re.search(r"WARNING.*inventory", done.stdout), f"$ {command.text}\n{done.stdout}"
        if "AWS_SESSION_TOKEN" in command.text:
            assert re.search(r"^AWS_SESSION_TOKEN=\S{16}", done.stdout, re.MULTILINE), done.stdout
        elif command.text.startswith("cat "):
            assert done.stdout == f"{command.output}\n"
        elif command.text.startswith("ansible-playbook "):
            recap = r"^\S+ +: ok=[1-9]\d* .* failed=0 .* rescued=0 +ignored=0"
            assert re.search(recap, done.stdout, re.MULTILINE), done.stdout
            assert "--check" not in command.text or changing_calls(world.aws) == []
        world.aws.clear_calls()


def _environment(world: World, command: Command) -> dict[str, str]:
    account = next((name for begin, name in ACCOUNTS.items() if command.text.startswith(begin)), OWNER)
    environment = Ansible(world.aws.environment(account), world.folder).environment
    environment |= {"HOME": str(world.folder), "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}
    if command.text.startswith(("aws ", "export $(aws ", "for region in ")):
        scripts = str(aws_cli.ENVIRONMENT.scripts(lambda: sys.executable))
        environment["PATH"] = os.pathsep.join([scripts, environment["PATH"]])
    return environment | world.variables


def _named_block(text: str, name: str) -> str | None:
    """The YAML of a page that is a file of this name."""
    start = re.compile(rf"^(# {re.escape(name)}$|{name.removesuffix('.yml')}_)", re.MULTILINE)
    return next((block for block in _blocks(text, "yaml") if start.search(block)), None)


def _read_files(command: Command) -> list[str]:
    """The YAML files that a command reads."""
    return re.findall(r"(?:@|-i )([\w-]+\.yml)", command.text)


def _write_files(world: World, text: str, command: Command) -> None:
    """Write the files that a command reads and the page shows."""
    if command.text.startswith("cat "):
        world.write(command.text.removeprefix("cat "), f"{command.output}\n")
    for name in _read_files(command):
        if not (world.folder / name).exists():
            block = _named_block(text, name)
            assert block is not None, name
            world.write(name, block)


@dataclass(frozen=True)
class Example:
    """How YAML that no command reads is run.

    ``playbook`` is a playbook of the collection, for which the YAML is variables; without one, the YAML is
    tasks, or plays. ``given`` are other variables that it presumes, with values of the page's examples.
    """

    playbook: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    prepare: Callable[[World], None] = lambda _world: None
    check: bool = True


def _build(*names: str) -> Callable[[World], None]:
    """Packer's manifest of one run with these builds, and SSM parameters with other images."""

    def prepare(world: World) -> None:
        images = (world.image("golden-web-2"), world.image("golden-plain"))
        builds = [
            {
                "name": name,
                "builder_type": "amazon-ebs",
                "artifact_id": f"{HOME}:{image}",
                "packer_run_uuid": "1",
            }
            for name, image in zip(names, images, strict=False)
        ]
        world.write("packer-manifest.json", json.dumps({"builds": builds, "last_run_uuid": "1"}))
        ssm = world.aws.client("ssm", OWNER, HOME)
        for name, image in (("/build/web", "golden-web-2"), ("/build/db", "golden-old-2")):
            ssm.put_parameter(Name=name, Value=world.image(image), Type="String")
        (world.folder / "infra").mkdir()

    return prepare


def _write_profiles(world: World) -> None:
    """A profile for each account, and no other credentials."""
    keys = {world.aws.account_id(name): world.aws.environment(name) for name in ("web", "data")}
    profiles = [
        f"[golden-{account}]\naws_access_key_id = {one['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {one['AWS_SECRET_ACCESS_KEY']}\n"
        for account, one in keys.items()
    ]
    world.write("credentials", "".join(profiles))


def _create_scaling_roles(world: World) -> None:
    """The accounts' service-linked roles for Auto Scaling, with and without a suffix."""
    for account in ("web", "data"):
        iam = world.aws.client("iam", account)
        iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
        iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="web")


def _record(world: World) -> None:
    """Record the accounts' instances, and collect them in one of these accounts."""
    record(world.aws, "web", "data")
    aggregate(world.aws, "organization", "data", ("web", "data"))


def _make_report_bucket(world: World) -> None:
    world.aws.client("s3", OWNER, HOME).create_bucket(Bucket="golden-images-reports")


_REGIONS = {"distribute_source_region": HOME, "distribute_regions": [HOME, AWAY]}
_ID = {"distribute_source_image_id": "ami-0123456789abcdef0"}
_KEY = {"distribute_kms_key_id": "alias/golden"}
_PLAIN_IMAGES = {HOME: "golden-plain", AWAY: "golden-plain-copy"}
_VERIFIED = {
    "verify_account_ids": ["012345678901", "123456789012"],
    "verify_consumer_role_name": ROLE,
    "verify_external_id": "golden-images",
}
# What the inventory plugin sets for each account.
_LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
# YAML that no command reads, by its page and a part of it.
EXAMPLES: dict[tuple[str, str], Example] = {
    ("docs/accounts-inventory.md", "profile: "): Example(prepare=_write_profiles),
    ("docs/accounts-inventory.md", "name: Share with all"): Example(
        given={"copied": {"images": _PLAIN_IMAGES}}
    ),
    ("docs/adoption.md", "adoption_config_aggregator"): Example(
        "report_adoption",
        {
            "adoption_family_name_pattern": "golden-(web|plain)-.*",
            "adoption_consumer_role_name": ROLE,
            "adoption_external_id": "golden-images",
            "adoption_regions": [HOME],
        },
        prepare=_record,
    ),
    ("docs/auditing.md", "name: Show the remedies"): Example(given={"audit_findings": [{"remedy": "none"}]}),
    ("docs/auditing.md", "name: Fail if a principal"): Example(check=False),
    ("docs/cleanup.md", "cleanup_tombstone_s3_uri"): Example("cleanup_amis", prepare=_make_bucket),
    ("docs/consumer-copies.md", "distribute_copy_into"): Example(
        "distribute_ami", {**_ID, **_REGIONS, "distribute_external_id": "golden-images"}
    ),
    ("docs/encrypted-images.md", "distribute_org_unit"): Example("distribute_ami", {**_ID, **_REGIONS}),
    ("docs/encrypted-images.md", "distribute_auto_scaling"): Example(
        "distribute_ami",
        {
            **_ID,
            **_REGIONS,
            **_KEY,
            "distribute_account_ids": ["012345678901", "123456789012"],
            "distribute_external_id": "golden-images",
        },
        prepare=_create_scaling_roles,
    ),
    ("docs/encrypted-images.md", "ami_kms_grant:"): Example(),
    ("docs/recalling.md", "recall_level: block"): Example(
        "recall_ami",
        {
            "recall_source_image_id": "ami-0123456789abcdef0",
            "recall_source_region": HOME,
            "recall_parameter": "/golden/web",
            "recall_consumer_role_name": ROLE,
            "recall_external_id": "golden-images",
            "recall_tombstone_path": "recalls.jsonl",
            "recall_accept_breaking": ["all"],
        },
        _release,
    ),
    ("docs/reports.md", "audit_report_s3_uri"): Example(
        "audit_ami_sharing", prepare=_make_report_bucket, check=False
    ),
    ("docs/results.md", "name: Send the result to the chat"): Example(
        given={"audit_regions": [HOME], "chat_webhook_url": "https://chat.example.org/hook"}
    ),
    ("docs/results.md", "verify_images"): Example(
        "verify_ami",
        {**_VERIFIED, "distribute_artifacts": {"status": "distributed", "images": _PLAIN_IMAGES}},
        _distributed,
        False,
    ),
    ("docs/sources.md", "distribute_source_parameter"): Example(
        "distribute_ami", {**_KEY, "distribute_regions": [HOME, AWAY]}, _build()
    ),
    ("docs/sources.md", "distribute_packer_manifest: packer-manifest.json\ndistribute_regions"): Example(
        "distribute_ami", _KEY, _build("web")
    ),
    ("docs/sources.md", "distribute_sources:"): Example(
        "distribute_ami", _KEY, _build("web-arm64", "web-x86_64")
    ),
    ("docs/sources.md", "distribute_output_files"): Example(
        "distribute_ami", {**_ID, **_REGIONS, **_KEY}, _build()
    ),
}
# YAML that is not run, and why.
NOT_RUN: dict[tuple[str, str], str] = {
    ("docs/auditing.md", "github/codeql-action"): "steps of GitHub; test_audit_report.py writes the SARIF",
    ("docs/reports.md", "github/codeql-action"): "steps of GitHub; test_audit_report.py writes the SARIF",
    ("docs/cleanup.md", "cleanup_prices"): "test_cleanup_role.py has prices",
    ("docs/diagnosing.md", "ami_share_diagnose:"): "test_diagnose.py gives each form of images",
    ("docs/diagnosing.md", "diagnose_parameter"): "test_publish_share.py diagnoses with the parameter",
    ("docs/publishing.md", "ami_publish:"): "test_publish.py publishes in several accounts",
    ("docs/publishing.md", "distribute_publish_share:"): "test_publish_share.py shares the parameter",
    ("docs/publishing.md", "ec2_instance"): "test_ami_lookup.py looks up",
    ("docs/remediating.md", "snap-0123456789abcdef0"): "test_remediate.py names images and snapshots",
    ("docs/remediating.md", "remediate_external_id"): "test_remediate.py reads volumes",
    ("docs/results.md", "whole_result"): "test_large_results.py runs with values that are left out",
    ("docs/verifying.md", "ami_publish:"): "test_publish.py publishes in several regions",
    ("docs/verifying.md", "distribute_publish_uncertain"): "test_key_use.py publishes with it",
    ("docs/verifying.md", "verify_parameter"): "test_publish_share.py verifies with the parameter",
    ("docs/verifying.md", "verify_launch_tags"): "test_launch_tags.py launches with tags",
}


def _other_blocks() -> list[tuple[str, str]]:
    """The page and the text of each block of YAML that no command reads."""
    found = []
    for page, text in _pages().items():
        if page.startswith("docs/moving/"):
            # tests/integration/test_moving.py runs them in worlds of other tools.
            continue
        read = {
            _named_block(text, name)
            for command in _commands(text)
            if command.reason is None
            for name in _read_files(command)
        }
        found += [(page, block) for block in _blocks(text, "yaml") if block not in read]
    return found


def _places(page: str, block: str) -> list[tuple[str, str]]:
    return [(name, part) for name, part in (*EXAMPLES, *NOT_RUN) if name == page and part in block]


def test_all_yaml_is_read_by_a_command_or_listed() -> None:
    places = [_places(page, block) for page, block in _other_blocks()]
    listed = [place for (place,) in places]
    assert sorted(listed) == sorted([*EXAMPLES, *NOT_RUN])


@pytest.mark.parametrize("place", EXAMPLES, ids=lambda place: ": ".join(place).splitlines()[0])
def test_the_yaml_of_a_page_works(world: World, place: tuple[str, str]) -> None:
    example, page = EXAMPLES[place], place[0]
    (block,) = [block for name, block in _other_blocks() if place in _places(name, block)]
    example.prepare(world)
    given = world.actual(page, json.dumps(example.given))
    for name in _PLAIN_IMAGES.values():
        given = given.replace(f'"{name}"', f'"{world.image(name)}"')
    content = yaml.safe_load(world.actual(page, block))
    environment = world.aws.environment(OWNER)
    if (world.folder / "credentials").exists():
        environment["AWS_SHARED_CREDENTIALS_FILE"] = str(world.folder / "credentials")
        del environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    accounts = [world.aws.account_id(name) for name in ("web", "data")]
    hosts = {account: {"account_id": account, **_LOCAL} for account in accounts}
    world.write("inventory.yml", json.dumps({"ou_workloads_prod": {"hosts": hosts}}))
    ansible = Ansible(environment, world.folder)
    options = ["--inventory", "inventory.yml", *(["--check"] if example.check else [])]
    variables = json.loads(given)
    world.aws.clear_calls()
    if example.playbook:
        done = ansible.run(f"golden.images.{example.playbook}", {**variables, **content}, *options)
    else:
        plays = content if "hosts" in content[0] else [{"hosts": "localhost", "tasks": content}]
        world.write("plays.yml", json.dumps(plays))
        done = ansible.run(world.folder / "plays.yml", variables, *options)
    assert done.code == 0, done.text
    assert done.tasks
    assert not example.check or changing_calls(world.aws) == []


def test_every_playbook_is_run_with_an_inventory() -> None:
    commands = [
        text
        for page in _pages().values()
        for text in (*re.findall(r"`([^`\n]+)`", page), *(one.text for one in _commands(page)))
        if re.search(r"\bansible-playbook .*(golden\.images\.|\.yml)", text, re.DOTALL)
    ]
    assert len(commands) > 20
    assert [text for text in commands if " -i " not in text] == []


def test_what_is_listed_is_in_a_page() -> None:
    shown = [command.text for text in _pages().values() for command in _commands(text)]
    assert [pattern for pattern in ELSEWHERE if not any(_begins(pattern, text) for text in shown)] == []


def test_every_prompt_is_found() -> None:
    prompts = sum(len(re.findall(r"^ *\$ ", text, flags=re.MULTILINE)) for text in _pages().values())
    assert prompts == sum(len([*_commands(text)]) for text in _pages().values()) > len(PAGES)
