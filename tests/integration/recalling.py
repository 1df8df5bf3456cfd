# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of recalls share: published releases, recalls of them, and what these have changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws

from . import observed, publishing
from .fixture import HOME, OWNER, Fixture
from .in_process import Modules
from .playbook import MODULES, Run
from .publishing import AWAY, CONSUMER, EVERYWHERE, PARAMETER, REGIONS, TEMPLATE

PLAYBOOK = "golden.images.recall_ami"
TASK = "Recall the release or take that back"
SOURCE_TAG, RECALLED_TAG = "golden.images:source", "golden.images:recalled"
OTHER, FOLLOWING = "database", "following"
TEMPLATES = [TEMPLATE, OTHER, FOLLOWING]

Images = dict[str, str]
Releases = tuple[Images, Images]
Access = dict[str, tuple[str, set[str], list[set[str]]]]


def release(aws: SimulatedAws, fixture: Fixture, name: str, **image: Any) -> Images:
    """A release: an image at home, and an image away with the tag that a copy of it has."""
    images = publishing.golden_images(fixture, name, **image)
    mark_copy(aws, images)
    return images


def mark_copy(aws: SimulatedAws, images: Images) -> None:
    """Give the image away the tag that a copy of the one at home has."""
    tag = {"Key": SOURCE_TAG, "Value": f"{HOME}/{images[HOME]}"}
    aws.client("ec2", OWNER, AWAY).create_tags(Resources=[images[AWAY]], Tags=[tag])


def publish_both(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, releases: Releases, **options: Any
) -> None:
    """Publish one release after the other in two accounts."""
    options |= publishing.in_consumers(fixture)
    tasks = [
        publishing.publish(images[HOME], images=images, source_image_id=images[HOME], **options)
        for images in releases
    ]
    run = modules.tasks(tasks)
    assert run.code == 0, run.text
    aws.clear_calls()


def published_releases(aws: SimulatedAws, fixture: Fixture, modules: Modules) -> Releases:
    """Two releases, published one after the other in two accounts, and a template of another family."""
    publishing.with_role(fixture)
    first, second, other = (release(aws, fixture, name) for name in ("2026.10", "2026.11", "db-1"))
    publishing.add_templates(aws, first)
    publishing.add_templates(aws, other, OTHER)
    publishing.add_templates(aws, first, FOLLOWING)
    for account, region in EVERYWHERE:
        ec2 = aws.client("ec2", account, region)
        data = {"ImageId": f"resolve:ssm:{PARAMETER}", "InstanceType": "t3.micro"}
        ec2.create_launch_template_version(LaunchTemplateName=FOLLOWING, LaunchTemplateData=data)
        ec2.modify_launch_template(LaunchTemplateName=FOLLOWING, DefaultVersion="2")
    publish_both(aws, fixture, modules, (first, second), launch_templates=[TEMPLATE])
    return first, second


def variables(fixture: Fixture, folder: Path, source_image_id: str, **changes: Any) -> dict[str, Any]:
    """The variables of the playbook."""
    options = {
        "source_image_id": source_image_id,
        "source_region": HOME,
        "regions": REGIONS,
        "parameter": PARAMETER,
        "launch_templates": TEMPLATES,
        "tombstone_path": str(folder / "recalls.jsonl"),
        **publishing.in_consumers(fixture),
        **changes,
    }
    return {f"recall_{name}": value for name, value in options.items()}


def recalled(modules: Modules, given: Mapping[str, Any]) -> Run:
    """The playbook's module alone, with its variables."""
    options = {name.removeprefix("recall_"): value for name, value in given.items()}
    return modules.tasks([{"name": TASK, MODULES + "ami_recall": options}])


class Recall:
    """Recalls of a release by the module alone, whose warnings are those of the last run."""

    def __init__(self, modules: Modules, images: Images, **options: Any) -> None:
        of_release = {"source_image_id": images[HOME], "source_region": HOME, "regions": [*REGIONS]}
        self._modules, self._options = modules, {**of_release, **options}
        self.warnings: list[str] = []

    def __call__(self, **changes: Any) -> dict[str, Any]:
        return self.run("ami_recall", **{**self._options, **changes})

    def run(self, module: str, **options: Any) -> dict[str, Any]:
        """The result of a module."""
        _run, task = self._modules.module(module, **options)
        self.warnings = [*task.result.get("warnings", ())]
        return dict(task.result)


def codes(done: Mapping[str, Any]) -> list[str]:
    """The codes of the failures of a result."""
    return [failure["error_code"] for failure in done.get("failures", ())]


def everywhere(images: Images) -> list[str]:
    """The images of a release in the order of ``publishing.EVERYWHERE``."""
    return [images[region] for _, region in EVERYWHERE]


def recall_tags(aws: SimulatedAws, images: Images) -> list[str | None]:
    """The tags of the images of a release that say that they are recalled."""
    return [
        observed.tags(observed.image(aws, OWNER, region, image_id)).get(RECALLED_TAG)
        for region, image_id in images.items()
    ]


def templates(aws: SimulatedAws, name: str) -> list[tuple[int, int, str]]:
    """The default and the latest version of a template everywhere, and the image of the default one."""
    found = []
    for account, region in EVERYWHERE:
        ec2 = aws.client("ec2", account, region)
        (template,) = ec2.describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"]
        image_id = publishing.default_of(aws, account, region, name)["ImageId"]
        found.append((template["DefaultVersionNumber"], template["LatestVersionNumber"], image_id))
    return found


def launch_images(aws: SimulatedAws) -> list[str]:
    """What the template of the release launches everywhere."""
    return [image_id for _, _, image_id in templates(aws, TEMPLATE)]


def state(aws: SimulatedAws, account: str, region: str, image_id: str) -> tuple[str, set[str]]:
    """The state of an image, and who can launch it: nobody if it is disabled."""
    ec2 = aws.client("ec2", account, region)
    (shown,) = ec2.describe_images(ImageIds=[image_id], IncludeDisabled=True)["Images"]
    is_disabled = shown["State"] == "disabled"
    launch = set() if is_disabled else observed.launch_permissions(aws, account, region, image_id)
    return shown["State"], launch


def access(aws: SimulatedAws, images: Images) -> Access:
    """The state of each image, who can launch it, and who can create volumes of its snapshots."""
    found: Access = {}
    for region, image_id in images.items():
        ec2 = aws.client("ec2", OWNER, region)
        (shown,) = ec2.describe_images(ImageIds=[image_id], IncludeDisabled=True)["Images"]
        snapshot_ids = observed.snapshot_ids(shown)
        volumes = [observed.volume_permissions(aws, OWNER, region, item) for item in snapshot_ids]
        found[region] = (*state(aws, OWNER, region, image_id), volumes)
    return found


def share_volumes(aws: SimulatedAws, fixture: Fixture, images: Images) -> None:
    """Share the snapshots of the images, too."""
    for region, image_id in images.items():
        ec2 = aws.client("ec2", OWNER, region)
        for snapshot_id in observed.snapshot_ids(observed.image(aws, OWNER, region, image_id)):
            ec2.modify_snapshot_attribute(
                SnapshotId=snapshot_id,
                Attribute="createVolumePermission",
                CreateVolumePermission={"Add": [{"UserId": fixture.account_ids(CONSUMER)[0]}]},
            )
    aws.clear_calls()
