# SPDX-License-Identifier: GPL-3.0-or-later
"""ami_share_diagnose on many accounts and regions, from the owner's and the consumers' side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from simulated_aws.client import SimulatedAws

from . import playbook
from .figures import Figure
from .fixtures import HOME, OTHER_REGIONS, OWNER, consumers

ACCOUNTS, LATENCY, SECONDS, CPU_MILLISECONDS = 200, 0.04, 60, 30
REGIONS = (HOME, *OTHER_REGIONS[:4])
ROLE = "golden-consumer"

# EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot".
_USE = (
    *("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
    *("ReEncryptFrom", "ReEncryptTo"),
)


def of(encrypted: bool) -> Callable[[SimulatedAws], Iterator[Figure]]:
    """The benchmark of an image that is shared with all accounts, encrypted or not."""
    return lambda aws: _measure(aws, encrypted)


def _measure(aws: SimulatedAws, encrypted: bool) -> Iterator[Figure]:
    images = _build(aws, encrypted)
    aws.set_latency(LATENCY)
    aws.clear_calls()
    task = {
        "name": "diagnose",
        "golden.images.ami_share_diagnose": {
            "images": images,
            "account_ids": consumers(ACCOUNTS),
            "consumer_role_name": ROLE,
            "fail_on": "unknown",
        },
    }
    # Ansible's own use does not count.
    base = playbook.run(aws, OWNER, [{"name": "nothing", "ansible.builtin.debug": {}}])
    done = playbook.run(aws, OWNER, [task])
    targets = ACCOUNTS * len(REGIONS)
    yield Figure("the task", done.tasks[0].seconds, "s", SECONDS, waiting=0)
    cpu = done.cpu_seconds - base.cpu_seconds
    yield Figure("CPU for an account and region", cpu / targets * 1000, "ms", CPU_MILLISECONDS, waiting=0)
    yield Figure("largest process", done.peak_megabytes, "MB")
    calls = aws.calls()
    yield Figure("API calls for an account and region", len(calls) / targets, "calls")
    yield Figure(
        "AssumeRole", len([call for call in calls if call.action == "AssumeRole"]), "calls", ACCOUNTS
    )
    yield Figure(
        "refused as too many", sum(call.status == 503 or "Throttl" in call.error_code for call in calls)
    )


def _build(aws: SimulatedAws, encrypted: bool) -> dict[str, str]:
    accounts = {f"consumer-{one}": one for one in consumers(ACCOUNTS)}
    encryption = {"encrypted": True, "kms_key": "golden"} if encrypted else {}
    built = aws.load_fixture(
        {
            "accounts": {OWNER: "111111111111", **accounts},
            "roles": {ROLE: {"accounts": list(accounts), "trusts": [OWNER]}},
            "kms_keys": {"golden": {"account": OWNER, "regions": list(REGIONS), "policy": _policy(accounts)}}
            if encrypted
            else {},
            "images": {
                region: {
                    "account": OWNER,
                    "region": region,
                    "devices": [
                        {"device_name": "/dev/xvda", "size": 8, **encryption},
                        {"device_name": "/dev/sdb", "size": 20, **encryption},
                    ],
                    "sharing": {"accounts": list(accounts), "snapshot_accounts": list(accounts)},
                }
                for region in REGIONS
            },
        }
    )
    return {region: image["image_id"] for region, image in built["images"].items()}


def _policy(accounts: dict[str, str]) -> dict[str, Any]:
    everything = {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "kms:*", "Resource": "*"}
    use = {"Principal": {"AWS": list(accounts.values())}, "Action": [f"kms:{one}" for one in _USE]}
    return {"Version": "2012-10-17", "Statement": [everything, {**everything, **use}]}
