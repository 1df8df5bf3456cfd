# SPDX-License-Identifier: GPL-3.0-or-later
"""Which calls change something."""

from __future__ import annotations

from .api_calls import Call

# AssumeRole returns credentials, and leaves everything as it was.
_READS = (
    *("AssumeRole", "Batch", "Decode", "Describe", "Filter", "Get", "List", "Search", "Select"),
    "Simulate",
)
_REST_CHANGES = ("PUT ", "DELETE ", "PATCH ")
# AWS RAM sends almost everything by POST.
_RAM_CHANGES = ("POST /create", "POST /associate", "POST /disassociate", "POST /enable")
# AWS Batch sends everything by POST.
_BATCH = "POST /v1/"
_BATCH_READS = ("POST /v1/describe", "POST /v1/list")


def is_change(call: Call) -> bool:
    """Whether a call changes something if it succeeds: not a read, and not a dry run.

    For the REST protocols that is by the HTTP method. Their POST is a read in all the operations that are
    simulated, as ListRules of the Recycle Bin and ListImages of Image Builder, but in AWS Batch and AWS RAM
    by its path.
    """
    if call.action.startswith(_READS) or not call.action:
        return False
    if call.service == "ram":
        return call.action.startswith((*_RAM_CHANGES, *_REST_CHANGES))
    if call.action.startswith(_BATCH):
        return not call.action.startswith(_BATCH_READS)
    if " " in call.action:
        return call.action.startswith(_REST_CHANGES)
    return str(call.params.get("DryRun", "")).lower() != "true"
