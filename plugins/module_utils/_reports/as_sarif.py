# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of a report as SARIF 2.1.0, for code scanning.

OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", and the further requirements of
GitHub Docs, "SARIF support for code scanning". A finding is about an AWS resource and not a line of a file:
the logical location names the resource, and the path that code scanning requires is made of the same names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from .codes_page import build_address
from .document import COLLECTION_VERSION, SEVERITIES, Document, Item, sort_worst_first

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"high": "error", "medium": "warning", "low": "note"}
# GitHub displays security severities of 7.0 to 8.9 as high, 4.0 to 6.9 as medium, and less as low.
_SCORES = {"high": "8.0", "medium": "5.0", "low": "2.0"}
# The characters of a URI path that need no escaping (RFC 3986, unreserved).
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def render_sarif(document: Document, written_at: str) -> str:
    """Return the report as SARIF: one run with a rule for each finding code, the worst findings first."""
    items = sort_worst_first(document.items)
    codes = list(dict.fromkeys(item.code for item in items))
    writer = document.written_by
    run = {
        "automationDetails": {"id": f"golden.images/{document.kind}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "endTimeUtc": _render_utc(written_at),
                "executionSuccessful": document.complete,
                **({"account": writer["caller"]} if "caller" in writer else {}),
            }
        ],
        "results": [_result(item, codes.index(item.code)) for item in items],
        "tool": {
            "driver": {
                "name": "golden.images",
                "rules": [_rule(document, code) for code in codes],
                **({"version": writer[COLLECTION_VERSION]} if COLLECTION_VERSION in writer else {}),
            }
        },
    }
    return json.dumps({"$schema": SCHEMA, "runs": [run], "version": "2.1.0"}, indent=2, sort_keys=True) + "\n"


def _rule(document: Document, code: str) -> dict[str, Any]:
    explanation = document.explanations.get(code) or code.replace("_", " ")
    severities = {item.severity for item in document.items if item.code == code}
    worst = next(severity for severity in SEVERITIES if severity in severities)
    help_text, address = {"text": explanation}, build_address(code)
    if address:
        # GitHub displays the Markdown, and not the address of the rule.
        help_text["markdown"] = f"{explanation}\n\n[Cause and remedy]({address})"
    return {
        "defaultConfiguration": {"level": _LEVELS[worst]},
        "fullDescription": {"text": explanation},
        "help": help_text,
        **({"helpUri": address} if address else {}),
        "id": code,
        "properties": {"security-severity": _SCORES[worst], "tags": ["security"]},
        "shortDescription": {"text": explanation},
    }


def _result(item: Item, rule: int) -> dict[str, Any]:
    return {
        "level": _LEVELS[item.severity],
        "locations": [_location(item)],
        "message": {"text": f"{_name_place(item)}{item.message} {item.remedy}".strip()},
        "partialFingerprints": _fingerprints(item),
        "properties": {
            "account_id": item.account_id,
            "image_id": item.image_id,
            "principal": item.principal,
            "region": item.region,
            "remedy": item.remedy,
            "resource": item.resource,
        },
        "ruleId": item.code,
        "ruleIndex": rule,
    }


def _name_place(item: Item) -> str:
    """Return the account and the region of a finding, as far as its message does not name them."""
    parts = [part for part in (item.account_id, item.region) if part and part not in item.message]
    return f"{', '.join(parts)}: " if parts else ""


def _location(item: Item) -> dict[str, Any]:
    resource = item.resource or item.image_id or item.region or item.account_id or item.code
    place = [part for part in (item.account_id, item.region) if part] or ["aws"]
    return {
        "logicalLocations": [
            {
                "fullyQualifiedName": "/".join(part for part in (item.region, resource) if part),
                "kind": "resource",
                "name": resource,
            }
        ],
        "physicalLocation": {
            "artifactLocation": {"uri": "/".join(_escape_segment(part) for part in (*place, resource))},
            "region": {"startLine": 1},
        },
    }


def _escape_segment(text: str) -> str:
    """Return a segment of a path, escaped so that it contains no scheme, parent directory or separator."""
    escaped = "".join(
        chr(byte) if chr(byte) in _PLAIN else f"%{byte:02X}"
        for byte in text.encode("utf-8", "backslashreplace")
    )
    return escaped.replace(".", "%2E") if set(escaped) == {"."} else escaped


def _fingerprints(item: Item) -> dict[str, str]:
    """Return fingerprints that are the same for a finding in every report, even if its texts change.

    GitHub matches alerts by ``primaryLocationLineHash`` only.
    """
    fingerprint = _hash_parts(
        (item.code, item.account_id, item.region, item.resource, item.image_id, item.principal)
    )
    return {"goldenImagesFinding/v1": fingerprint, "primaryLocationLineHash": fingerprint}


def _hash_parts(parts: Iterable[str | None]) -> str:
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()[:32]


def _render_utc(time: str) -> str:
    """Return an ISO 8601 time with the suffix that SARIF requires (3.9: the UTC designator Z)."""
    return time.replace("+00:00", "Z")
