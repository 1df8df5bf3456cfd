# SPDX-License-Identifier: GPL-3.0-or-later
"""The distribution as tasks of amazon.aws and community.aws: one after another, or in parallel by ``async``.

The consumers get access to the keys by their policies: with modules, a grant for each account takes a
call for each account, one after another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Tasks = list[dict[str, Any]]

_IMAGES = "{{ distribute_regions | zip(copied.results | map(attribute='image_id')) }}"
_SNAPSHOTS = (
    "{{ dict(distribute_regions | zip(shared.results | map(attribute='block_device_mapping')"
    " | map('dict2items') | map('map', attribute='value.snapshot_id') | map('list')))"
    " | dict2items | subelements('value') }}"
)
_TIMEOUT = 900
# EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot".
_USE = (*("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:ReEncrypt*"),)


def tasks(parallel: bool, key_alias: str | None, owner_id: str, account_ids: Sequence[str]) -> Tasks:
    """The playbook's tasks; without a key the copies are not encrypted."""
    encryption = {"encrypted": True, "kms_key_id": key_alias} if key_alias else {}
    access = [_key_access(key_alias, _policy(owner_id, account_ids))] if key_alias else []
    steps = [_copy(encryption), *access, *_SHARE]
    if parallel:
        return [task for step in steps for task in _in_background(step)]
    return [{**step, "register": step["name"]} for step in steps]


def _copy(encryption: Mapping[str, Any]) -> dict[str, Any]:
    return {
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
            **encryption,
        },
        "loop": "{{ distribute_regions }}",
    }


def _key_access(key_alias: str, policy: str) -> dict[str, Any]:
    return {
        "name": "keys",
        "amazon.aws.kms_key": {"region": "{{ item }}", "alias": key_alias, "policy": policy},
        "loop": "{{ distribute_regions }}",
    }


def _policy(owner_id: str, account_ids: Sequence[str]) -> str:
    """A jinja expression, so that Ansible passes a policy as text."""
    everything = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{owner_id}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    consumers = {"AWS": [f"arn:aws:iam::{one}:root" for one in account_ids]}
    use = {**everything, "Principal": consumers, "Action": list(_USE)}
    document = {"Version": "2012-10-17", "Statement": [everything, use]}
    return f"{{{{ {document!r} | to_json }}}}"


# Sharing a copy needs its ID; sharing its snapshots needs theirs, which ec2_ami returns.
_SHARE: Tasks = [
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
