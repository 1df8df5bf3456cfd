# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of one test with one run, which the tests of the comparison change."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

TEST = "tests/integration/test_share.py::test_an_image_is_shared"
PLACE = f"{TEST} run 1"
STEP: dict[str, Any] = {
    "processes": [{"command": ["ansible-playbook"], "code": 0, "stdout": [], "stderr": []}],
    "playbooks": [
        {
            "command": ["ansible-playbook", "share.yml"],
            "tasks": [
                {
                    "task": "Share",
                    "action": "golden.images.ami_share",
                    "host": "localhost",
                    "status": "ok",
                    "result": {
                        "changed": True,
                        "images": {"us-east-1": "<ami>"},
                        "results": [{"region": "a"}, {"region": "z"}],
                        "actions": [{"resource": "<ami>"}, {"resource": "<snap>"}],
                        "text": {"lines": ["One image is shared."]},
                    },
                }
            ],
            "screen": ["TASK [Share] ***********", "changed: [localhost]", "", "2 images are shared."],
        }
    ],
    "calls": {
        "1 us-east-1 ec2 <ami>": [
            {"action": "DescribeImages", "parameters": {"ImageId.1": "<ami>"}},
            {"action": "ModifyImageAttribute", "parameters": {"ImageId": "<ami>", "Add": "2"}},
        ]
    },
}


def record(change: Callable[[dict[str, Any]], Any] = lambda _step: None) -> dict[str, Any]:
    """A record, with a change of its step."""
    step = copy.deepcopy(STEP)
    change(step)
    return {TEST: {"test": TEST, "outcome": "passed", "steps": [step]}}
