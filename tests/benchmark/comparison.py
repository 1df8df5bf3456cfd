# SPDX-License-Identifier: GPL-3.0-or-later
"""The same distribution with modules of amazon.aws and community.aws, as users would write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simulated_aws.client import SimulatedAws

from . import playbook
from .distribution import COPY_SECONDS, LATENCY, PLAIN, variables
from .figures import Figure
from .fixtures import OWNER

Tasks = list[dict[str, Any]]

_IMAGES = "{{ distribute_regions | zip(copied.results | map(attribute='image_id')) }}"
_SNAPSHOTS = (
    "{{ dict(distribute_regions | zip(shared.results | map(attribute='block_device_mapping')"
    " | map('dict2items') | map('map', attribute='value.snapshot_id') | map('list')))"
    " | dict2items | subelements('value') }}"
)
_TIMEOUT = 600


def measure(aws: SimulatedAws) -> Iterator[Figure]:
    """One region after the other, and all in parallel by async; each also with nothing left to do."""
    for name, tasks in (("one after another", _in_turn()), ("in the background", _at_once())):
        aws.reset()
        given = variables(aws, PLAIN)
        aws.set_latency(LATENCY)
        aws.update_settings(copy_seconds=COPY_SECONDS)
        first = playbook.run(aws, OWNER, tasks, given)
        yield Figure(f"{name}: whole playbook", first.seconds, "s", waiting=COPY_SECONDS)
        yield Figure(f"{name}: CPU in the foreground", first.cpu_seconds, "s", waiting=0)
        yield Figure(f"{name}: API calls", len(aws.calls()), "calls")
        aws.clear_calls()
        again = playbook.run(aws, OWNER, tasks, given)
        yield Figure(f"{name}: repeat", again.seconds, "s", waiting=0)
        yield Figure(f"{name}: repeat, changed tasks", again.changed)
        yield Figure(f"{name}: repeat, API calls", len(aws.calls()), "calls")


# Sharing a copy needs its id; sharing its snapshots needs theirs, which ec2_ami returns.
_STEPS: Tasks = [
    {
        "name": "copied",
        "community.aws.ec2_ami_copy": {
            "source_image_id": "{{ distribute_source_image_id }}",
            "source_region": "{{ distribute_source_region }}",
            "region": "{{ item }}",
            "name": "golden-{{ distribute_source_image_id }}",
            "tags": {"Name": "golden-{{ distribute_source_image_id }}", "role": "web"},
            # Without it each run would make another copy.
            "tag_equality": True,
            "wait": True,
        },
        "loop": "{{ distribute_regions }}",
    },
    {
        "name": "shared",
        "amazon.aws.ec2_ami": {
            "region": "{{ item.0 }}",
            "image_id": "{{ item.1 }}",
            "launch_permissions": {"user_ids": "{{ distribute_account_ids }}"},
        },
        "loop": _IMAGES,
    },
    {
        "name": "snapshots",
        "amazon.aws.ec2_snapshot": {
            "region": "{{ item.0.key }}",
            "snapshot_id": "{{ item.1 }}",
            "modify_create_vol_permission": True,
            "user_ids": "{{ distribute_account_ids }}",
        },
        "loop": _SNAPSHOTS,
    },
]


def _in_turn() -> Tasks:
    return [{**step, "register": step["name"]} for step in _STEPS]


def _at_once() -> Tasks:
    return [task for step in _STEPS for task in _in_background(step)]


def _in_background(step: Mapping[str, Any]) -> Tasks:
    start = {**step, "async": _TIMEOUT, "poll": 0, "register": "jobs", "changed_when": False}
    end = {
        "name": f"{step['name']}, all of them",
        "ansible.builtin.async_status": {"jid": "{{ item.ansible_job_id }}"},
        "loop": "{{ jobs.results }}",
        "register": step["name"],
        "until": f"{step['name']} is finished",
        "retries": _TIMEOUT,
        "delay": 1,
    }
    return [start, end]
