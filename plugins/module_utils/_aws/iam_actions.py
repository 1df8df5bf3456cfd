# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name the IAM action of a call in the answer that refuses it: EC2's message often names none."""

from __future__ import annotations

from typing import Any

ACTION = "IamAction"
"""The key of a refusal's ``ResponseMetadata`` that has the action."""
# Services whose actions have another prefix than botocore's name of the service.
_PREFIXES = {"emr": "elasticmapreduce"}
_EVENT = "after-call"


def name_actions(events: Any) -> None:
    """Name the action in each refusal of a client, or of a session's later clients.

    ``events`` are those of the client or the session. S3's operations are not all named after their actions:
    ``errors`` names these.
    """
    events.register(_EVENT, _name_action, unique_id="golden.images.iam_actions")


def _name_action(parsed: dict[str, Any], model: Any, **_event: Any) -> None:
    if "Error" in parsed:
        service = model.service_model.service_name
        action = f"{_PREFIXES.get(service, service)}:{model.name}"
        parsed.setdefault("ResponseMetadata", {})[ACTION] = action
