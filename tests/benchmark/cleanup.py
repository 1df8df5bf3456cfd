# SPDX-License-Identifier: GPL-3.0-or-later
"""A cleanup of old images: its time and calls, and whether it deletes images that are in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simulated_aws.client import SimulatedAws

from . import floor, playbook
from .audit import CUSTODIAN, run_custodian
from .fixtures import HOME, OWNER
from .measuring import GOLDEN, LATENCY, Scale, repeated, sample
from .results import Sample, Series

DELETED = 300
ONE_DISK, TWO_DISKS = "300 images with one disk", "300 images with two disks"
IN_USE = "40 old images, 24 of them in use"
_FQCN = "golden.images.cleanup_amis"
_CONSUMER = "consumer"
_OLD_DAYS, _NEW_DAYS, _LIMIT_DAYS = 100, 1, 30
_EACH = 4
"""Images for each use."""

Use = Callable[[SimulatedAws, list[str]], None]
"""Makes images be in use, given by ID."""


def measure(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """The deletion of all images of a family but the newest; those with two disks once, for their calls."""
    images = scale.size(DELETED, 20)
    for contender in (GOLDEN, CUSTODIAN):
        yield Series(ONE_DISK, contender, repeated(scale, partial(delete, aws, images, 1, contender)))
    yield Series(TWO_DISKS, GOLDEN, (delete(aws, images, 2),))


def in_use(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """Old images of which some are in use, each in one way: how many of these are deleted."""
    for contender in (GOLDEN, CUSTODIAN):
        yield Series(IN_USE, contender, repeated(scale, partial(_judge, aws, contender)))


def delete(
    aws: SimulatedAws,
    images: int,
    disks: int = 1,
    contender: str = GOLDEN,
    before: Callable[[], None] = lambda: None,
    callbacks: Sequence[str] = (),
) -> Sample:
    """Delete so many images; ``before`` is called once there are images."""
    ages = {f"web-{number}": _LIMIT_DAYS + number for number in range(1, images + 1)}
    _build(aws, {**ages, "web-new": _NEW_DAYS}, disks)
    before()
    done, deleted = _run(aws, contender, callbacks)
    return sample(
        done.used,
        done.calls,
        deleted=len(deleted),
        calls_an_image=len(done.calls) / max(1, len(deleted)),
        forced=floor.forced("ec2", "DeregisterImage", images),
    )


def _judge(aws: SimulatedAws, contender: str) -> Sample:
    names = {use: [f"{use}-{number}" for number in range(_EACH)] for use in _USES}
    unused = [f"unused-{number}" for number in range(16)]
    ages = dict.fromkeys([*unused, *(name for each in names.values() for name in each)], _OLD_DAYS)
    ids = _build(aws, {**ages, "web-new": _NEW_DAYS}, disks=1)
    for use, each in names.items():
        _USES[use](aws, [ids[name] for name in each])
    done, deleted = _run(aws, contender)
    wrong = {use: sum(ids[name] in deleted for name in each) for use, each in names.items()}
    return sample(
        done.used,
        done.calls,
        deleted_unused=sum(ids[name] in deleted for name in unused),
        unused=len(unused),
        deleted_in_use=sum(wrong.values()),
        in_use=sum(map(len, names.values())),
        **{f"deleted: {use}": count for use, count in wrong.items()},
    )


class _Done:
    """What a run used, and its calls."""

    def __init__(self, used: Any, aws: SimulatedAws) -> None:
        self.used, self.calls = used, aws.calls()


def _run(aws: SimulatedAws, contender: str, callbacks: Sequence[str] = ()) -> tuple[_Done, set[str]]:
    """Clean up; return what it took and the IDs of the deleted images."""
    before = _images(aws)
    aws.set_latency(LATENCY)
    aws.clear_calls()
    with TemporaryDirectory() as name:
        is_golden = contender == GOLDEN
        used = _golden(aws, Path(name), callbacks) if is_golden else _custodian(aws, Path(name))
    done = _Done(used, aws)
    aws.set_latency(0)
    return done, before - _images(aws)


def _golden(aws: SimulatedAws, folder: Path, callbacks: Sequence[str]) -> Any:
    given = {
        "cleanup_regions": [HOME],
        "cleanup_family_tag": "family",
        "cleanup_max_age_days": _LIMIT_DAYS,
        "cleanup_deregister_after_days": 0,
        "cleanup_max_deletions": "100%",
        "cleanup_tombstone_path": str(folder / "tombstones"),
    }
    return playbook.run(aws, OWNER, _FQCN, given, callbacks=callbacks).used


def _custodian(aws: SimulatedAws, folder: Path) -> Any:
    return run_custodian(aws, policies(), [HOME], folder)[0]


def policies() -> dict[str, Any]:
    """Cloud Custodian's policy for old images that no instance and no Auto Scaling group uses."""
    protection = {"type": "value", "key": "DeregistrationProtection"}
    return {
        "policies": [
            {
                "name": "old-images",
                "resource": "aws.ami",
                "filters": [
                    {"type": "image-age", "op": "gt", "days": _LIMIT_DAYS},
                    {"type": "unused", "value": True},
                    {"tag:family": "present"},
                    # The policy would end at the first image that is protected from deregistration.
                    {"not": [{**protection, "op": "glob", "value": "enabled*"}]},
                ],
                "actions": [{"type": "deregister", "delete-snapshots": True}],
            }
        ]
    }


def _images(aws: SimulatedAws) -> set[str]:
    return {one["ImageId"] for one in aws.client("ec2", OWNER).describe_images(Owners=["self"])["Images"]}


def _build(aws: SimulatedAws, ages: Mapping[str, int], disks: int) -> dict[str, str]:
    """Images by name and age in days; return their IDs."""
    aws.reset()
    devices = [{"device_name": f"/dev/xvd{letter}", "size": 8} for letter in "ab"[:disks]]
    common = {"account": OWNER, "region": HOME, "devices": devices, "tags": {"family": "web"}}
    built = aws.load_fixture(
        {
            "accounts": {OWNER: "111111111111", _CONSUMER: "222222222222"},
            "images": {name: {**common, "age_days": age} for name, age in ages.items()},
        }
    )
    return {name: str(image["image_id"]) for name, image in built["images"].items()}


def _running(aws: SimulatedAws, ids: list[str]) -> None:
    for image_id in ids:
        aws.client("ec2", OWNER).run_instances(
            ImageId=image_id, MinCount=1, MaxCount=1, InstanceType="t3.micro"
        )


def _launch_template(aws: SimulatedAws, ids: list[str]) -> None:
    for image_id in ids:
        aws.client("ec2", OWNER).create_launch_template(
            LaunchTemplateName=image_id, LaunchTemplateData={"ImageId": image_id, "InstanceType": "t3.micro"}
        )


def _auto_scaling(aws: SimulatedAws, ids: list[str]) -> None:
    _launch_template(aws, ids)
    for image_id in ids:
        aws.client("autoscaling", OWNER).create_auto_scaling_group(
            AutoScalingGroupName=image_id,
            LaunchTemplate={"LaunchTemplateName": image_id, "Version": "$Default"},
            MinSize=0,
            MaxSize=0,
            AvailabilityZones=[f"{HOME}a"],
        )


def _parameter(aws: SimulatedAws, ids: list[str]) -> None:
    for image_id in ids:
        aws.client("ssm", OWNER).put_parameter(
            Name=f"/golden/{image_id}", Value=image_id, Type="String", DataType="aws:ec2:image"
        )


def _shared(aws: SimulatedAws, ids: list[str]) -> None:
    """Another account launches from it, which the owner cannot read."""
    for image_id in ids:
        aws.client("ec2", OWNER).modify_image_attribute(
            ImageId=image_id, LaunchPermission={"Add": [{"UserId": aws.account_id(_CONSUMER)}]}
        )
        aws.client("ec2", _CONSUMER).run_instances(
            ImageId=image_id, MinCount=1, MaxCount=1, InstanceType="t3.micro"
        )


def _protected(aws: SimulatedAws, ids: list[str]) -> None:
    for image_id in ids:
        aws.client("ec2", OWNER).enable_image_deregistration_protection(ImageId=image_id, WithCooldown=False)


_USES: dict[str, Use] = {
    "instance": _running,
    "Auto Scaling group": _auto_scaling,
    "launch template": _launch_template,
    "SSM parameter": _parameter,
    "instance of another account": _shared,
    "deregistration protection": _protected,
}
