# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of amazon.aws and community.aws work on the simulated AWS as on AWS.

Each playbook uses them as the collections' own integration tests do, which pass on AWS.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from simulated_aws.client import SimulatedAws

from ..playbook import Ansible

FOLDER = Path(__file__).parent
FIXTURE = {
    "accounts": {"owner": "111111111111", "consumer": "222222222222"},
    "images": {
        "golden": {
            "account": "owner",
            "region": "us-east-1",
            "devices": [{"device_name": "/dev/xvda", "size": 8}, {"device_name": "/dev/sdb", "size": 9}],
        }
    },
}
NOT_SIMULATED = frozenset({"InvalidAction", "InternalError", "UnknownOperationException", "InvalidRequest"})


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("playbook", "not_simulated"),
    [
        ("images", set()),
        ("snapshots", set()),
        ("launch_templates", {"DeleteLaunchTemplateVersions"}),
        ("kms_keys", set()),
        ("parameters", set()),
        ("instances", set()),
    ],
)
def test_modules(aws: SimulatedAws, tmp_path: Path, playbook: str, not_simulated: set[str]) -> None:
    aws.load_fixture(FIXTURE)
    # ec2_ami expects that a deregistered image is not found at once, without an error.
    aws.update_settings(deregistered_image_known_seconds=3600)
    variables = {
        "golden": aws.description()["images"]["golden"]["image_id"],
        "owner": aws.account_id("owner"),
        "consumer": aws.account_id("consumer"),
    }
    run = Ansible(aws.environment("owner"), tmp_path).run(FOLDER / f"{playbook}.yml", variables)
    missing = {call.action for call in aws.calls() if call.error_code in NOT_SIMULATED}
    assert missing == not_simulated, run.text
    assert run.code == 0, run.text
