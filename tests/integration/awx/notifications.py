# SPDX-License-Identifier: GPL-3.0-or-later

"""The notifications of awx/messages.yml, as AWX 24.6.1 renders them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jinja2 import ChainableUndefined, sandbox

from ..playbook import CHECKOUT, Ansible, Run

_URL = "https://awx.example.org/#/jobs"
_PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  vars_files: ["{file}"]
  tasks:
    - name: Show the messages
      ansible.builtin.debug:
        msg: "{{{{ setup__messages }}}}"
"""


def read_messages(ansible: Ansible) -> dict[str, Any]:
    """The messages by the type of the notification, as the setup sends them."""
    playbook = ansible.folder / "messages.yml"
    playbook.write_text(_PLAYBOOK.format(file=CHECKOUT / "awx" / "messages.yml"), encoding="utf-8")
    shown = ansible.run(playbook)
    assert shown.code == 0, shown.text
    messages: dict[str, Any] = shown.task("Show the messages").result["msg"]
    return messages


def of_job(name: str, run: Run, job_type: str = "run") -> dict[str, Any]:
    """What the messages of a job can use.

    awx/main/models/notifications.py, JobNotificationMixin.context; these are what awx/messages.yml uses.
    """
    job = {
        "artifacts": dict(run.artifacts),
        "id": 42,
        "job_type": job_type,
        "name": f"Golden images: {name}",
        "status": "failed" if run.code else "successful",
    }
    return {"job": job, "job_friendly_name": "Job", "url": f"{_URL}/playbook/42", "job_metadata": "{}"}


def of_approval(node: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What the messages of an approval can use: awx/main/models/workflow.py, WorkflowApproval.context."""
    metadata = {
        "id": 43,
        "name": node,
        "status": "pending",
        "traceback": "",
        "extra_vars": json.dumps(variables),
    }
    return {
        "approval_status": "running",
        "approval_node_name": node,
        "workflow_url": f"{_URL}/workflow/41",
        "job_metadata": json.dumps(metadata, indent=4),
    }


def render(template: str, context: Mapping[str, Any]) -> str:
    """Render a message or a body: JobNotificationMixin.build_notification_message.

    That of an approval, WorkflowApproval.build_approval_notification_message, leaves it blank if a value is
    undefined.
    """
    undefined = {"undefined": ChainableUndefined} if "job" in context else {}
    return sandbox.ImmutableSandboxedEnvironment(**undefined).from_string(template).render(**context)
