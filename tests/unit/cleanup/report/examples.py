# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_cleanup`` returns, for tests of its report."""

from __future__ import annotations

from typing import Any

from tests.unit.examples import OWNER

EU, US = "eu-west-1", "us-east-1"
CALLS = {"deprecate": "EnableImageDeprecation", "disable": "DisableImage", "deregister": "DeregisterImage"}


def one(image_id: str, decision: str, region: str = EU, **changes: Any) -> dict[str, Any]:
    """An element of ``results``; a deregistered one has a snapshot."""
    size = changes.get("size_gib", 8)
    snapshot = {
        "keep_reason": "",
        "retention_days": 0,
        "size_gib": size,
        "snapshot_id": f"snap-of-{image_id}",
    }
    kept = ["It is among the latest 1 of its family in this region."] if decision == "keep" else []
    return {
        "creation_date": "2026-01-02T03:04:05+00:00",
        "decision": decision,
        "evidence": [],
        "family": "web",
        "image_id": image_id,
        "later_stages": [],
        "name": f"name of {image_id}",
        "next_stage": None,
        "next_stage_at": None,
        "reasons": kept,
        "recoverable_until": None,
        "region": region,
        "size_gib": size,
        "snapshots": [snapshot] if decision == "deregister" else [],
        **changes,
    }


def call(action: str, region: str, resource: str) -> dict[str, Any]:
    """An element of ``actions``."""
    return {"account_id": OWNER, "action": action, "region": region, "resource": resource}


def calls(*results: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls that carry these decisions out."""
    return [
        call(CALLS[found["decision"]], found["region"], found["image_id"])
        for found in results
        if found["decision"] in CALLS
    ]


def failure(action: str, message: str = "No.", region: str | None = EU, **changes: Any) -> dict[str, Any]:
    """An element of ``failures``."""
    return {
        "account_id": OWNER,
        "action": action,
        "error_code": "AccessDenied",
        "message": message,
        "region": region,
        "remedy": "Allow it.",
        "request_id": "r-1",
        "source": "aws",
        **changes,
    }


def cleaned(*results: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What the module returns once it has done all that it decided, or in check mode would."""
    return {
        "actions": calls(*results),
        "changed": bool(calls(*results)),
        "evaluated_count": len(results),
        "failures": [],
        "regions": sorted({found["region"] for found in results}),
        "results": list(results),
        **changes,
    }


OVER_THE_LIMIT: dict[str, Any] = {
    "changed": False,
    "failed": True,
    "failures": [
        failure(
            "max_deletions",
            "max_deletions: 9 of 9 images would be disabled or deregistered; 10% are allowed.",
            None,
            error_code="too_many_deletions",
        )
    ],
    "msg": "max_deletions: …\nNothing was changed.",
}


# One image for each part of a report.
GOES = one(
    "ami-1",
    "deregister",
    snapshots=[
        {"keep_reason": "", "retention_days": 0, "size_gib": 5, "snapshot_id": "snap-1"},
        {"keep_reason": "image ami-9 uses it", "retention_days": 0, "size_gib": 3, "snapshot_id": "snap-2"},
    ],
)
OFF = one("ami-2", "disable", US, next_stage="deregister", next_stage_at="2026-12-24T05:00:00+00:00")
WAITS = one("ami-3", "wait", next_stage="disable", next_stage_at="2027-02-22T01:02:03+00:00")
BLOCKED = one("ami-4", "wait", reasons=["It is protected from deregistration (enabled)."])
KEPT = one("ami-5", "keep")
RUNS = one(
    "ami-6", "keep", reasons=[], evidence=[{"detail": "running", "kind": "instance", "subject": "i-1"}]
)
UNREAD = {"detail": "AccessDenied: No.", "kind": "unreadable", "subject": "DescribeInstances"}
