# SPDX-License-Identifier: GPL-3.0-or-later
"""ami_cleanup on many images: its calls, and its time beyond what AWS's request rates force."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws
from simulated_aws.http.throttling import bucket

from . import playbook
from .figures import Figure
from .fixtures import HOME, OTHER_REGIONS, OWNER

LATENCY = 0.04
IMAGES, SECONDS, CALLS = 300, 8, 1.3
# The default of max_deletions allows a tenth of these to be deleted.
NORMAL = IMAGES * 9 // 10
REGIONS, IMAGES_EACH, OVER_FORCED = (HOME, *OTHER_REGIONS[:7]), 1000, 1.2
# The sequence of reads: permissions of images and of their snapshots are read at the same time.
_IN_TURN = ("DescribeImageAttribute", "DeregisterImage")


def one_region(aws: SimulatedAws) -> Iterator[Figure]:
    """The images of one region: planned, retired up to the default limit, and nearly all in one run."""
    _build(aws, (HOME,), IMAGES)
    aws.set_throttling(False)
    aws.set_latency(LATENCY)
    yield from _figures(aws, "planned to deprecate", IMAGES, CALLS, check_mode=True, deprecate_after_days=30)
    yield from _figures(aws, "a tenth gone", IMAGES, CALLS, keep_latest=NORMAL)
    # Permissions are read for the plan, and once more before the first deletion.
    yield from _figures(aws, "planned to go", NORMAL, None, check_mode=True, max_deletions="100%")
    yield from _figures(aws, "all but one gone", NORMAL, None, max_deletions="100%")


def many_regions(aws: SimulatedAws) -> Iterator[Figure]:
    """All but one image of each region, at AWS's request rates."""
    _build(aws, REGIONS, IMAGES_EACH)
    aws.set_latency(LATENCY)
    seconds = _run(aws, max_deletions="100%").tasks[0].seconds
    calls = aws.calls()
    accepted = Counter(call.action for call in calls if call.region == HOME and call.status == 200)
    forced = sum(_forced(action, accepted) for action in _IN_TURN)
    images = len(REGIONS) * IMAGES_EACH
    gone = len([call for call in calls if call.action == "DeregisterImage" and call.status == 200])
    yield Figure("deregistered", gone, "images", images - len(REGIONS), at_least=True)
    yield Figure("the task", seconds, "s", OVER_FORCED * forced, waiting=forced)
    yield Figure("what AWS's rates force", forced, "s")
    yield Figure("of this DeregisterImage", _forced("DeregisterImage", accepted), "s")
    yield Figure("API calls an image", len(calls) / images, "calls")
    yield Figure("refused as too many", sum(call.status == 503 for call in calls))


def _forced(action: str, calls: Counter[str]) -> float:
    """The shortest time for this number of calls in a region, in seconds."""
    found = bucket("ec2", action, {})
    if found is None:
        raise ValueError(f"{action} has no rate")
    rate = found[1]
    return max(0.0, (calls[action] - rate.size) / rate.per_second)


def _figures(
    aws: SimulatedAws, name: str, images: int, most_calls: float | None, **policy: Any
) -> Iterator[Figure]:
    # Ansible's own use does not count.
    base = playbook.run(aws, OWNER, [{"name": "nothing", "ansible.builtin.debug": {}}])
    done = _run(aws, **policy)
    calls = len(aws.calls()) / images
    yield Figure(f"{name}: the task", done.tasks[0].seconds, "s", SECONDS, waiting=0)
    yield Figure(f"{name}: API calls an image", calls, "calls", most_calls)
    cpu = (done.cpu_seconds - base.cpu_seconds) / images
    yield Figure(f"{name}: CPU an image", cpu * 1000, "ms")


def _run(aws: SimulatedAws, check_mode: bool = False, **policy: Any) -> playbook.Run:
    """The module's run, with only its calls in the record."""
    with tempfile.TemporaryDirectory() as folder:
        task = {
            "name": "clean up",
            "check_mode": check_mode,
            "golden.images.ami_cleanup": {
                "regions": sorted({one["region"] for one in aws.description()["images"].values()}),
                "family_tag": "family",
                "deregister_after_days": 0,
                "tombstone_path": str(Path(folder) / "tombstones"),
                **policy,
            },
        }
        aws.clear_calls()
        return playbook.run(aws, OWNER, [task])


def _build(aws: SimulatedAws, regions: tuple[str, ...], images: int) -> None:
    common = {
        "account": OWNER,
        "devices": [{"device_name": "/dev/xvda", "size": 8}],
        "tags": {"family": "web"},
    }
    aws.load_fixture(
        {
            "accounts": {OWNER: "111111111111"},
            "images": {
                f"{region}-{number}": {**common, "region": region, "age_days": number + 1}
                for region in regions
                for number in range(images)
            },
        }
    )
