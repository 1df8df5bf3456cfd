# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples in the modules' documentation work as they stand, and return what the documentation says."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulated_aws.client import SimulatedAws

from . import encrypted, in_process, probing, recording, refreshing, samples, trail
from .fixture import HOME, OWNER, Fixture
from .playbook import CHECKOUT, MODULES, Ansible

pytestmark = pytest.mark.nightly

AWAY = "eu-west-1"
ALIAS = "alias/golden"
ROLE = "golden-consumer"
MODULE_NAMES = sorted(path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py"))
_ONLY_READ = {
    *("ami_share_diagnose", "ami_shared_info", "distribution_check", "monitoring_verify"),
}
# What only --diff returns, and what only a result returns from which values are omitted.
_CONDITIONAL = {"diff", "omitted", "result_path"}
# What Ansible adds to every result.
_ANSIBLES = {
    "_ansible_no_log",
    "action",
    "ansible_stats",
    "changed",
    "diff",
    "failed",
    "invocation",
    "warnings",
}


def _module(name: str) -> Any:
    return importlib.import_module(f"ansible_collections.golden.images.plugins.modules.{name}")


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def examples_fixture(aws: SimulatedAws, fixture: Fixture) -> dict[str, str]:
    """An encrypted image in two regions, and a role in a consumer's account; the images by region."""
    devices = [{"device_name": "/dev/xvda", "size": 8, "encrypted": True, "kms_key": "examples"}]
    described = fixture.add(
        accounts={"other": "123456789012"},
        kms_keys={
            "examples": {
                "account": OWNER,
                "regions": [HOME, AWAY, "eu-central-1"],
                "alias": ALIAS,
            },
            "web": {"account": "web-prod", "regions": [HOME, AWAY, "ap-southeast-2"], "alias": "alias/web"},
        },
        images={
            region: {"account": OWNER, "region": region, "name": f"{family}-2026.11.1", "devices": devices}
            for region, family in ((HOME, "golden-api"), (AWAY, "golden-web"))
        },
    )
    consumer = aws.client("iam", "web-prod")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": aws.account_id(OWNER)}}
    consumer.create_role(RoleName=ROLE, AssumeRolePolicyDocument=_policy(trust))
    consumer.put_role_policy(
        RoleName=ROLE,
        PolicyName="consumer",
        PolicyDocument=_policy(
            {"Effect": "Allow", "Action": ["autoscaling:*", "ec2:*", "kms:*", "ssm:*"], "Resource": "*"}
        ),
    )
    consumer.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    return {region: described["images"][region]["image_id"] for region in (HOME, AWAY)}


@pytest.mark.parametrize("name", MODULE_NAMES)
def test_examples_work_and_results_are_as_documented(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, examples_fixture: dict[str, str], name: str
) -> None:
    # Only these name images that are no copy's source.
    ids = (
        examples_fixture
        if name == "ami_kms_grant"
        else {AWAY: examples_fixture[AWAY], HOME: fixture.image_id}
    )
    source = ids[AWAY] if name in ("ami_restore", "ami_share", "ami_share_diagnose") else fixture.image_id
    text = _module(name).EXAMPLES
    text = text.replace("ami-0123456789abcdef0", source).replace("ami-0fedcba9876543210", ids[HOME])
    text = _launching(aws, fixture, text) if "subnet_ids" in text else text
    _prepare(name, aws, fixture, ansible, ids)
    if name == "ami_share":
        text = text.replace("snap-0123456789abcdef0", _snapshot(aws, AWAY))
    tasks = yaml.safe_load(text)
    copied = {"images": ids, "kms_key_arns": dict.fromkeys(ids, ALIAS)}

    if name in ("ami_share_audit", "ami_cleanup"):
        # Its report shows what has changed since this run.
        assert ansible.tasks(tasks, vars={"copied": copied}).code == 0
        if name == "ami_share_audit":
            _share(ansible, ids[AWAY], "123456789012")
        else:
            _age(fixture)

    run = ansible.tasks(tasks, vars={"copied": copied})

    assert run.code == 0, run.text
    assert [task.name for task in run.tasks] == [task["name"] for task in tasks]
    documented = {
        key: entry for key, entry in yaml.safe_load(_module(name).RETURN).items() if key not in _CONDITIONAL
    }
    own = [task for task in run.tasks if task.action == MODULES + name]
    options = {task["name"]: task.get(MODULES + name) or {} for task in tasks}
    assert any(task.changed for task in own) == (name not in _ONLY_READ)
    for task in own:
        replaced = _module(name).FLOW.report.replaces if options[task.name].get("return_report") else set()
        assert {*task.result} - _ANSIBLES == documented.keys() - replaced, task.name
        assert list(_undocumented(documented, task.result)) == [], task.name
        assert list(_of_other_types(documented, task.result, name)) == [], task.name
    results = [_at_home(task.result, ansible.folder) for task in own]
    if name == "monitoring_verify":
        # Its example is about a topic that is gone, which has no subscriptions.
        results += _verified_with_a_pending_subscription(aws, ansible)
    assert list(samples.differing(documented, results)) == []
    if name == "distribution_report":
        assert Path(ansible.folder, "distribution.json").is_file()


def _prepare(
    name: str, aws: SimulatedAws, fixture: Fixture, ansible: Ansible, images: Mapping[str, str]
) -> None:
    """Add what the examples of a module work with."""
    if name == "ami_adoption":
        _launch_releases(aws, fixture)
        _aggregate(aws)
    if name == "ami_instance_refresh":
        _launch_groups(aws, fixture)
    if name == "ami_publish":
        _prepare_publishing(aws, images)
    if name == "ami_recall":
        _publish_releases(aws, fixture)
    if name == "ami_restore":
        _retire(aws, ansible.folder, images)
    if name in ("ami_share_audit", "ami_share_diagnose"):
        _share(ansible, images[AWAY], "012345678901")
    if name == "ami_shared_info":
        _share_from_elsewhere(aws, fixture)
    if name == "distribution_report":
        _prepare_bucket(aws)


def _launch_groups(aws: SimulatedAws, fixture: Fixture) -> None:
    """Let groups run an earlier image than the golden one, which their launch template has."""
    permission = {"Add": [{"UserId": "012345678901"}]}
    ec2 = aws.client("ec2", OWNER, HOME)
    ec2.modify_image_attribute(ImageId=fixture.image_id, LaunchPermission=permission)
    image = {"account": OWNER, "region": HOME, "sharing": {"accounts": ["web-prod"]}}
    devices = [{"device_name": "/dev/xvda", "size": 8}]
    earlier = fixture.add_images({"earlier": {**image, "name": "golden-web-2026.10.1", "devices": devices}})
    refreshing.add_template(aws, "web-prod", HOME, earlier["earlier"], fixture.image_id)
    for name in ("api", "web"):
        refreshing.add_group(aws, "web-prod", HOME, name, "1", "$Default")


def _publish_releases(aws: SimulatedAws, fixture: Fixture) -> None:
    """Publish an image and the golden one in two accounts, one after the other."""
    aws.client("s3", OWNER, HOME).create_bucket(Bucket="golden-images")
    image = {"account": OWNER, "region": HOME, "sharing": {"accounts": ["web-prod"]}}
    devices = [{"device_name": "/dev/xvda", "size": 8}]
    earlier = fixture.add_images({"earlier": {**image, "name": "golden-web-2026.10.1", "devices": devices}})
    permission = {"Add": [{"UserId": "012345678901"}]}
    ec2 = aws.client("ec2", OWNER, HOME)
    ec2.modify_image_attribute(ImageId=fixture.image_id, LaunchPermission=permission)
    for image_id in (earlier["earlier"], fixture.image_id):
        options = {
            "images": {HOME: image_id},
            "source_image_id": image_id,
            "parameter": "/golden/web",
            "account_ids": ["012345678901"],
            "consumer_role_name": ROLE,
            "publish_older": True,
        }
        done = in_process.run(aws, OWNER, "ami_publish", options)
        assert done["failures"] == [], done
    for account in (OWNER, "web-prod"):
        aws.client("ec2", account, HOME).create_launch_template(
            LaunchTemplateName="web", LaunchTemplateData={"ImageId": fixture.image_id}
        )
    # What a recall does not know of.
    aws.client("ssm", "web-prod", HOME).put_parameter(
        Name="/payments/image", Value=fixture.image_id, Type="String", DataType="aws:ec2:image"
    )


def _launch_releases(aws: SimulatedAws, fixture: Fixture) -> None:
    """Two releases of a family, and a consumer's instances of both."""
    image = {
        "account": OWNER,
        "region": AWAY,
        "devices": [{"device_name": "/dev/xvda", "size": 8}],
        "tags": {"golden-family": "web"},
        "sharing": {"accounts": ["web-prod"]},
    }
    images = fixture.add_images(
        {
            "old": {**image, "name": "golden-web-2026.10.1", "age_days": 30},
            "new": {**image, "name": "golden-web-2026.10.2", "age_days": 2},
        }
    )
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Owner", "Value": "payments"}]}]
    for image_id in images.values():
        aws.client("ec2", "web-prod", AWAY).run_instances(
            ImageId=image_id, InstanceType="t3.micro", MinCount=3, MaxCount=3, TagSpecifications=tags
        )


def _aggregate(aws: SimulatedAws) -> None:
    """An aggregator of AWS Config in another account than the owner's, which the owner's role there reads."""
    recording.record(aws, "web-prod")
    regions = [item["RegionName"] for item in aws.client("ec2", OWNER, HOME).describe_regions()["Regions"]]
    recording.aggregate(aws, "organization", "web-staging", ("web-prod",), regions)
    iam = aws.client("iam", "web-staging")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": aws.account_id(OWNER)}}
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=_policy(trust))
    allowed = {"Effect": "Allow", "Action": "config:*", "Resource": "*"}
    iam.put_role_policy(RoleName=ROLE, PolicyName="aggregator", PolicyDocument=_policy(allowed))


def _verified_with_a_pending_subscription(aws: SimulatedAws, ansible: Ansible) -> list[Any]:
    """What ``monitoring_verify`` returns to the role ``monitor``, if a recipient gets no mail."""
    aws.client("logs", OWNER, AWAY).create_log_group(logGroupName="trail")
    trail.start(aws, OWNER, AWAY, "trail")
    variables = {
        "monitor_regions": [AWAY],
        "monitor_log_group_name": "trail",
        "monitor_subscriptions": [{"protocol": "email", "endpoint": "security@example.invalid"}],
    }
    role = {"name": MODULES + "monitor"}
    run = ansible.tasks([{"name": "Monitor", "ansible.builtin.include_role": role, "vars": variables}])
    assert run.code == 0, run.text
    return [task.result for task in run.tasks if task.action == MODULES + "monitoring_verify"]


def _at_home(result: Mapping[str, Any], folder: Path) -> Any:
    """A result with the directory that the samples name in place of the one of the run."""
    return json.loads(json.dumps(result).replace(str(folder), "/var/lib/golden"))


def _share(ansible: Ansible, image_id: str, account_id: str) -> None:
    """Share an image in ``AWAY`` with an account, with its volumes and its key."""
    arguments = {"images": {AWAY: image_id}, "account_ids": [account_id]}
    modules = ("ami_kms_grant", "ami_share")
    run = ansible.tasks([{"name": module, MODULES + module: arguments} for module in modules])
    assert run.code == 0, run.text


def _share_from_elsewhere(aws: SimulatedAws, fixture: Fixture) -> None:
    """Add an encrypted image that another account shares with the owner, with its key."""
    publisher = "111122223333"
    allowed = [
        {"Effect": "Allow", "Principal": {"AWS": encrypted.root(account)}, "Action": "kms:*", "Resource": "*"}
        for account in (publisher, aws.account_id(OWNER))
    ]
    policy = {"Version": "2012-10-17", "Statement": allowed}
    fixture.add(
        accounts={"publisher": publisher},
        kms_keys={"published": {"account": "publisher", "regions": [AWAY], "policy": policy}},
        images={
            "published": {
                "account": "publisher",
                "region": AWAY,
                "name": "golden-web-2026.11.1",
                "description": "Web server",
                "devices": [
                    {"device_name": "/dev/xvda", "size": 8, "encrypted": True, "kms_key": "published"}
                ],
                "sharing": {"accounts": [OWNER], "snapshot_accounts": [OWNER]},
                "tags": {"ec2:SharedTag/release": "2026.11.1"},
            }
        },
    )


def _prepare_publishing(aws: SimulatedAws, images: Mapping[str, str]) -> None:
    """Share the images with the accounts of the publication, and make the template that launches them.

    The parameter is shared with an account of the organization.
    """
    aws.client("ram", "management").enable_sharing_with_aws_organization()
    for region, image_id in images.items():
        ec2 = aws.client("ec2", OWNER, region)
        permissions = {"Add": [{"UserId": aws.account_id("web-prod")}]}
        ec2.modify_image_attribute(ImageId=image_id, LaunchPermission=permissions)
        ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"InstanceType": "t3.micro"})


def _prepare_bucket(aws: SimulatedAws) -> None:
    """Create a bucket of another account that the owner may write to."""
    central = aws.client("s3", "web-prod", HOME)
    central.create_bucket(Bucket="central-reports")
    objects = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::central-reports/*",
    }
    central.put_bucket_policy(Bucket="central-reports", Policy=_policy(objects))


def _age(fixture: Fixture) -> None:
    """Add images of one family, the oldest of which will be retired."""
    disks = [{"device_name": "/dev/xvda", "size": 8}]
    old = {"account": OWNER, "region": HOME, "devices": disks}
    fixture.add_images({f"golden-db-{age}": {**old, "age_days": age} for age in range(201, 205)})


def _snapshot(aws: SimulatedAws, region: str) -> str:
    """The ID of a snapshot that no image uses."""
    ec2 = aws.client("ec2", OWNER, region)
    volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=1)["VolumeId"]
    snapshot_id: str = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    return snapshot_id


def _retire(aws: SimulatedAws, folder: Path, images: Mapping[str, str]) -> None:
    """Disable the images, as a cleanup does that writes down what they lose."""
    lines = []
    for region, image_id in images.items():
        aws.client("ec2", OWNER, region).disable_image(ImageId=image_id)
        permissions = {"account_ids": [aws.account_id("web-prod")], "public": False}
        tombstone = {
            "account_id": aws.account_id(OWNER),
            "image": {"State": "available"},
            "image_id": image_id,
            "launch_permissions": permissions,
            "name": "golden",
            "region": region,
            "snapshots": [],
            "stage": "disable",
            "tags": {},
            "written_at": "2026-11-24T12:00:00Z",
        }
        lines.append(json.dumps(tombstone))
    (folder / "retired-images.jsonl").write_text("\n".join(lines), encoding="utf-8")


def _launching(aws: SimulatedAws, fixture: Fixture, text: str) -> str:
    """The examples with subnets that exist, once the image is shared with who is to launch it."""
    permissions = {"Add": [{"UserId": aws.account_id("web-prod")}]}
    aws.client("ec2", OWNER, HOME).modify_image_attribute(
        ImageId=fixture.image_id, LaunchPermission=permissions
    )
    named = {"subnet-0123456789abcdef0": "web-prod", "subnet-0fedcba9876543210": OWNER}
    for example, account in named.items():
        text = text.replace(example, probing.subnet(aws, account, HOME))
    return text


def _undocumented(documented: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[str]:
    """What members of a mapping or of a list's elements the documentation lacks, or promises in vain."""
    for key, entry in documented.items():
        value = result.get(key)
        parts = entry.get("contains", {})
        always = {member for member, part in parts.items() if part["returned"] == "always"}
        for element in value if isinstance(value, list) else [value]:
            if parts and element is not None:
                wrong = ({*element} - {*parts}) | (always - {*element})
                yield from (f"{key}.{member}" for member in sorted(wrong))


# The types of Ansible's documentation as those of JSON.
_TYPES = {
    "str": str,
    "path": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "list": list,
    "dict": dict,
}


def _of_other_types(
    documented: Mapping[str, Any], result: Mapping[str, Any], place: str
) -> Iterator[tuple[str, str, Any]]:
    """The values, at any depth, that are not of their documented type; null is of any."""
    for key, entry in documented.items():
        value = result.get(key)
        if value is not None:
            yield from _not_of(entry, value, f"{place}.{key}")


def _not_of(entry: Mapping[str, Any], value: Any, place: str) -> Iterator[tuple[str, str, Any]]:
    kind = entry["type"]
    if kind == "raw":
        return
    # A bool is an int for Python.
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "bool"):
        yield place, kind, value
        return
    elements = value if kind == "list" else [value] if "contains" in entry else []
    for element in elements:
        if "contains" in entry and isinstance(element, dict):
            yield from _of_other_types(entry["contains"], element, place)
        elif kind == "list" and element is not None:
            yield from _not_of({"type": entry["elements"]}, element, f"{place}[]")


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("entry", "value", "wrong"),
    [
        ({"type": "str"}, 1, ["m.key"]),
        ({"type": "int"}, True, ["m.key"]),
        ({"type": "bool"}, 0, ["m.key"]),
        ({"type": "list", "elements": "str"}, ["a", 1], ["m.key[]"]),
        (
            {"type": "list", "elements": "dict", "contains": {"id": {"type": "str"}}},
            [{"id": 1}],
            ["m.key.id"],
        ),
        ({"type": "list", "elements": "dict", "contains": {}}, ["a"], ["m.key[]"]),
        ({"type": "dict", "contains": {"id": {"type": "str"}}}, {"id": []}, ["m.key.id"]),
        ({"type": "dict"}, {"id": []}, []),
        ({"type": "str"}, None, []),
        ({"type": "raw"}, 1, []),
    ],
)
def test_a_value_of_another_type_is_found(entry: dict[str, Any], value: Any, wrong: list[str]) -> None:
    assert [place for place, *_ in _of_other_types({"key": entry}, {"key": value}, "m")] == wrong


def test_every_module_has_examples() -> None:
    assert {name for name in MODULE_NAMES if yaml.safe_load(_module(name).EXAMPLES)} == {*MODULE_NAMES}
