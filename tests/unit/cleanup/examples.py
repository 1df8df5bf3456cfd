# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the cleanup share: short ways to write what is wanted and seen, and scripted clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._cleanup.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._cleanup.inspect_last import LastLook
from ansible_collections.golden.images.plugins.module_utils._cleanup.options import CleanupOptions, Limit
from ansible_collections.golden.images.plugins.module_utils._cleanup.plan import CleanupPlan, plan
from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import STAGES, Clocks
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    CleanupState,
    Evidence,
    ImageUsage,
    LateUses,
    OwnImage,
    OwnSnapshot,
    Permissions,
    RegionState,
    SnapshotUsage,
    UsageReport,
)
from ansible_collections.golden.images.plugins.module_utils._model import (
    Image,
    ImageRef,
    Sharing,
    SnapshotRef,
)
from ansible_collections.golden.images.plugins.module_utils._plan import Action
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome

from tests.unit.cleanup.aws_answers import Answers
from tests.unit.examples import OWNER, as_read, volumes

REGION = "eu-west-1"
NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
FAMILY = {"family": "web"}
USED = Evidence("instance", "i-1", "running")
REPORTED = frozenset(
    {"ec2:Instance", "ec2:LaunchTemplate", "imagebuilder:ContainerRecipe", "imagebuilder:ImageRecipe"}
)
EVERY_ONE = Limit(percent=100)


def ago(**time: float) -> datetime:
    """So long before now."""
    return NOW - timedelta(**time)


def own(image_id: str = "ami-1", days: float = 100, **changes: Any) -> OwnImage:
    """An image of the family ``web``, made that many days ago, with one snapshot named after it."""
    beyond = {
        key: changes.pop(key) for key in ("base", "last_launched", "protection", "alias") if key in changes
    }
    values: dict[str, Any] = {
        "image_id": image_id,
        "name": f"web {image_id}",
        "owner_id": OWNER,
        "state": "available",
        "devices": volumes(f"snap-{image_id}"),
        "tags": FAMILY,
        **changes,
    }
    return OwnImage(Image(**values), ago(days=days), described={"RootDeviceType": "ebs"}, **beyond)


def region_state(*images: OwnImage, **changes: Any) -> RegionState:
    """A region with these images and their snapshots."""
    snapshots = {one: OwnSnapshot(one) for image in images for one in image.image.snapshot_ids}
    return RegionState(**{"images": images, "snapshots": snapshots, **changes})


def seen(
    *regions: RegionState,
    usage: Mapping[ImageRef, ImageUsage] | None = None,
    snapshot_usage: Mapping[SnapshotRef, SnapshotUsage] | None = None,
) -> CleanupState:
    """Regions by turns, and the usage of everything: none, unless another is given."""
    named = dict(zip((REGION, "us-east-1", "ap-south-1"), regions, strict=False))
    every = {
        ImageRef(name, one.image.image_id): ImageUsage()
        for name, part in named.items()
        for one in part.images
    }
    snapshots = {
        SnapshotRef(name, one): SnapshotUsage()
        for name, part in named.items()
        for one in {*part.snapshots, *(one for own in part.images for one in own.image.snapshot_ids)}
    }
    return CleanupState(
        OWNER,
        NOW,
        named,
        {**every, **(usage or {})},
        snapshot_usage={**snapshots, **(snapshot_usage or {})},
        late_uses=dict.fromkeys(named, LateUses()),
    )


def wanted(*, clocks: Clocks | None = None, **options: Any) -> CleanupOptions:
    """To deregister at once all but the latest of each family, unless other options are given."""
    days = {f"{stage}_after_days": (clocks or Clocks(deregister=0)).days(stage) for stage in STAGES}
    trusted = {"trust_usage_reports": options.get("include_shared", False)}
    given = {"family_tag": "family", "max_deletions": EVERY_ONE, **trusted, **days, **options}
    return CleanupOptions(**given)


def planned(saw: CleanupState, **wants: Any) -> CleanupPlan:
    """The plan of ``wanted``."""
    return plan(wanted(**wants), saw)


def kinds(saw: CleanupState, **wants: Any) -> dict[str, str]:
    """What the plan decides on each image of one region."""
    return {one.ref.image_id: one.kind for one in planned(saw, **wants).decisions}


def shared(*account_ids: str, **changes: Any) -> ImageUsage:
    """The usage of an image that is shared with these accounts."""
    return ImageUsage(sharing=Sharing(account_ids=frozenset(account_ids)), **changes)


def report(**changes: Any) -> UsageReport:
    """A finished report of an hour ago that found no use."""
    values: dict[str, Any] = {
        "state": "available",
        "created": ago(hours=1),
        "resource_types": REPORTED,
        "template_versions": 10_000,
        **changes,
    }
    return UsageReport(**values)


class Unchanged(LastLook):
    """A last look that finds nothing changed, or that spares these images. It keeps what it looks at."""

    def __init__(self, *spared: str) -> None:
        self.looks: list[str] = []
        self.spared = {}
        self.kept_snapshots = {}
        self._spared = spared

    def look(self, ref: ImageRef) -> None:
        self.looks.append(ref.image_id)
        if ref.image_id in self._spared:
            self.spared[ref] = Permissions()

    def may_delete(self, ref: SnapshotRef) -> bool:
        return ref not in self.kept_snapshots

    @contextmanager
    def kept_fresh(self, ref: ImageRef) -> Iterator[None]:
        assert ref.image_id in self.looks
        yield


OLD_ID, NEW_ID = "ami-0123456789abcdef0", "ami-0fedcba9876543210"


def described(image_id: str, year: int, **members: Any) -> dict[str, Any]:
    """An image of the family ``web`` of that year as AWS returns it, with the snapshot ``snap-<year>``."""
    return {
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": f"snap-{year}"}}],
        "CreationDate": f"{year}-01-02T03:04:05.000Z",
        "ImageId": image_id,
        "Name": f"web {year}",
        "OwnerId": OWNER,
        "RootDeviceType": "ebs",
        "State": "available",
        "Tags": [{"Key": "family", "Value": "web"}],
        **members,
    }


OLD_IMAGE, NEW_IMAGE = described(OLD_ID, 2019), described(NEW_ID, 2020)
OLD_SNAPSHOT, NEW_SNAPSHOT = {"SnapshotId": "snap-2019"}, {"SnapshotId": "snap-2020"}


POLICY = {
    "family_tag": "family",
    "deregister_after_days": 0,
    "max_deletions": "100%",
    "tombstone_ssm_path": "/retired",
}


class Run:
    """What ``ami_cleanup`` plans in an account with two images, of which it deregisters the older one.

    ``answers`` are those of AWS, by method. In all others, nothing uses an image. ``accounts`` have those of
    other accounts.
    """

    def __init__(
        self,
        options: Mapping[str, Any] | None = None,
        accounts: Mapping[str, Mapping[str, Any]] | None = None,
        **answers: Any,
    ) -> None:
        account = {
            "describe_images": {"Images": [OLD_IMAGE, NEW_IMAGE]},
            "describe_snapshots": {"Snapshots": [OLD_SNAPSHOT, NEW_SNAPSHOT]},
        }
        self.clients: Any = Answers(**{**account, **answers})
        self.clients.accounts = {one: Answers(**theirs) for one, theirs in (accounts or {}).items()}
        self.wanted = FLOW.options.read(
            as_read(CleanupOptions.argument_spec(), {**POLICY, **(options or {})}), False
        )
        self.seen = FLOW.read(self.clients, self.wanted)
        self.plan: Any = FLOW.plan(self.wanted, self.seen)
        self.result = FLOW.result(self.wanted, self.seen, self.plan, Outcome())

    def of(self, image_id: str = OLD_ID) -> dict[str, Any]:
        """The result of one image."""
        (found,) = (one for one in self.result["results"] if one["image_id"] == image_id)
        return dict(found)

    @property
    def decision(self) -> str:
        """What is decided on the older image."""
        return str(self.of()["decision"])

    @property
    def evidence(self) -> list[str]:
        """Every use of the older image: its kind, what uses it, and a detail."""
        return [
            " ".join([one["kind"], one["subject"], one["detail"]]).strip() for one in self.of()["evidence"]
        ]

    @property
    def deleted(self) -> list[str]:
        """The snapshots that are deleted alone, or with their images."""
        with_images = (one for found in self.result["results"] for one in found["snapshots"])
        alone = [one.resource for one in self.plan.actions if one.operation == "DeleteSnapshot"]
        return sorted({one["snapshot_id"] for one in with_images if not one["keep_reason"]} | {*alone})

    @property
    def unreadable(self) -> list[str]:
        """The reads that failed, and whose failure keeps something."""
        return [one["action"] for one in self.result["unreadable"]]


# Everything that DescribeAutoScalingGroups always returns of a group.
GROUP: dict[str, Any] = {
    "AutoScalingGroupName": "web",
    "MinSize": 0,
    "MaxSize": 1,
    "DesiredCapacity": 1,
    "DefaultCooldown": 300,
    "AvailabilityZones": ["eu-west-1a"],
    "HealthCheckType": "EC2",
    "CreatedTime": NOW,
}


def calls(actions: tuple[Action, ...]) -> list[tuple[str, str | None]]:
    """Which calls on what."""
    return [(action.operation, action.resource) for action in actions]
