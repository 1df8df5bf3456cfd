# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Content of an audit report: access to each image, findings, and what was not read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..._failures import Failure, summary
from ..._listing import count
from ..._model import PUBLIC
from ..._reports import steps
from ..._reports.document import SEVERITIES
from ..causes import UNREADABLE
from ..causes.unreadable import ACCOUNT
from .principals import Held, shared_with

# EBS creates a grant for each instance with encrypted volumes (AWS KMS Developer Guide, "How Amazon EBS uses
# AWS KMS"), assumed-role/aws:ec2-infrastructure/i-…: such grants change with the account's own instances.
_INSTANCE = re.compile(r"/i-[0-9a-f]+$")
_IMAGE_FACTS = (
    *("associated_kms_key_arns", "creation_date", "deprecated", "deprecation_time", "encrypted", "image_id"),
    *("kms_key_arns", "name", "region", "state"),
)
NOTHING = "Nothing was audited."
NO_IMAGES = "The account owns no image there: check the account of the credentials, and the regions."
# The parts that an audit need not read, with the returned keys that show whether it did.
_OPTIONAL = {"keys": "check_keys", "snapshots": "check_snapshots"}
_BLOCKS = (
    "image_block_managed_by",
    "image_block_public_access",
    "snapshot_block_managed_by",
    "snapshot_block_public_access",
)


def audit(audited: Mapping[str, Any], policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report on the result of ``ami_share_audit``, successful or failed, for a policy.

    ``status`` is ``incomplete`` if something could not be read, otherwise ``findings`` if there are any, else
    ``empty`` if there is no image, else ``clean``. Values that change with time, such as ages, are left out:
    the same state of the account results in the same report.
    """
    failures = _failures(audited)
    findings = [
        {**finding, "message": steps.strip_request(finding["message"])}
        for finding in audited.get("findings", ())
    ]
    if "findings" not in audited:
        findings = [_nothing_read(failure) for failure in failures]
    held = Held(findings, audited.get("kms_keys", ()))
    images = [_image(image, held, audited.get("account_id")) for image in audited.get("results", ())]
    skipped = [what for what, option in _OPTIONAL.items() if not audited.get(option, True)]
    counts = _counts(findings)
    regions = _regions(audited.get("regions", {}), images, findings)
    return {
        "account_id": audited.get("account_id"),
        "check_parameters": audited.get("check_parameters", False),
        "counts": counts,
        "failures": failures,
        "findings": findings,
        "images": images,
        "kms_keys": [_key(key) for key in audited.get("kms_keys", ())],
        "not_checked": skipped,
        "policy": dict(policy),
        "regions": regions,
        "status": _status(findings, failures, images),
        "summary": _summary(counts, images, regions, skipped, failures),
    }


def is_unread(finding: Mapping[str, Any]) -> bool:
    """Whether the finding reports that something could not be read."""
    return finding["code"] in UNREADABLE


def _status(findings: Collection[Any], failures: Collection[Any], images: Collection[Any]) -> str:
    if failures or any(map(is_unread, findings)):
        return "incomplete"
    if findings:
        return "findings"
    return "clean" if images else "empty"


def _failures(audited: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what could not be read, without the findings that ``fail_on`` turned into failures."""
    failures = [failure for failure in steps.collect_failures([audited]) if failure["action"] != "fail_on"]
    if "findings" not in audited and not failures:
        message = audited.get("msg") or "The audit has not run."
        failures = steps.collect_failures([{"failed": True, "msg": message}])
    return failures


def _nothing_read(failure: Mapping[str, Any]) -> dict[str, Any]:
    """Return the failure as a finding: SARIF and CSV hold findings only, and would look clean without it."""
    return {
        "account_id": failure["account_id"],
        "code": ACCOUNT.code,
        "image_id": None,
        "message": failure["message"],
        "principal": None,
        "region": failure["region"],
        "remedy": failure["remedy"] or "",
        "resource": failure["account_id"] or "",
        "severity": ACCOUNT.severity.label,
    }


def _image(image: Mapping[str, Any], held: Held, owner: str | None) -> dict[str, Any]:
    return {
        **{fact: image.get(fact) for fact in _IMAGE_FACTS},
        "shared_with": shared_with(image, held, owner),
        "snapshot_ids": [snapshot["snapshot_id"] for snapshot in image["snapshots"]],
        "unknown": held.unknown(image),
    }


def _key(key: Mapping[str, Any]) -> dict[str, Any]:
    """Return a key and the principals that may use it; several grants to one principal are combined."""
    users: dict[tuple[str, str, bool], set[str]] = {}
    for grant in key["grants"]:
        grantee = _INSTANCE.sub("", grant["grantee"])
        users.setdefault((grantee, "grant", grant["created_by_collection"]), set()).update(
            grant["operations"]
        )
    for statement in key["policy_statements"]:
        named = [
            principal for kind in ("principals", "org_ids", "org_unit_ids") for principal in statement[kind]
        ]
        for principal in [*named, *([PUBLIC] if statement["public"] else [])]:
            user = principal, "key policy", statement["created_by_collection"]
            users.setdefault(user, set()).update(statement["operations"])
    return {
        "aws_managed": key["aws_managed"],
        "kms_key_arn": key["kms_key_arn"],
        "region": key["region"],
        "state": key["state"],
        "users": [
            {
                "operations": sorted(operations),
                "created_by_collection": own,
                "principal": principal,
                "through": through,
            }
            for (principal, through, own), operations in sorted(users.items())
        ],
    }


def _regions(
    read: Mapping[str, Mapping[str, Any]],
    images: Iterable[Mapping[str, Any]],
    findings: Iterable[Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Return every audited region; one that could not be read has only counts and ``read``, false."""
    shared = dict.fromkeys(read, 0)
    for image in images:
        shared[image["region"]] += bool(image["shared_with"])
    by_region: dict[str, list[Mapping[str, Any]]] = {region: [] for region in read}
    for finding in findings:
        if finding["region"] is not None:
            by_region.setdefault(finding["region"], []).append(finding)
    return {
        region: {
            **{block: read.get(region, {}).get(block) for block in _BLOCKS},
            "counts": _counts(by_region[region]),
            "images": read[region]["images"] if region in read else None,
            "read": region in read,
            "shared_images": shared.get(region),
        }
        for region in sorted(by_region)
    }


def _counts(findings: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    counts = dict.fromkeys(SEVERITIES, 0)
    for finding in findings:
        counts[finding["severity"]] += 1
    return counts


def _summary(
    counts: Mapping[str, int],
    images: Iterable[Mapping[str, Any]],
    regions: Mapping[str, Mapping[str, Any]],
    skipped: Iterable[str],
    failures: Iterable[Mapping[str, Any]],
) -> str:
    """Return the result in sentences, with what could not be read and why."""
    listed = list(images)
    unread = list(map(Failure.from_result, failures))
    severities = ", ".join(f"{number:,} {severity}" for severity, number in counts.items() if number)
    read = sum(region["read"] for region in regions.values())
    if not read and unread:
        return f"{NOTHING} {summary(unread, 'the report')}"
    shared = sum(bool(image["shared_with"]) for image in listed)
    lines = [
        f"{count(sum(counts.values()), 'finding')}{f' ({severities})' if severities else ''}.",
        f"{count(len(listed), 'image')} in {count(read, 'region')} audited, {shared:,} of them shared.",
        *([] if listed or unread else [NO_IMAGES]),
        *(f"Access to {what} was not checked." for what in skipped),
    ]
    if unread:
        lines.append(f"Not everything could be read: {summary(unread, 'the report')}")
    return "\n".join(lines)
