# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of an audit of 10,000 images, from a result of ``ami_share_audit`` that no run has to make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._audit.causes import CAUSES
from ansible_collections.golden.images.plugins.module_utils._audit.report.content import audit
from ansible_collections.golden.images.plugins.module_utils._audit.report.document import document
from ansible_collections.golden.images.plugins.module_utils._reports.html.render import render_html

from simulated_aws.fixtures.realistic import REGIONS
from tests.unit.audit.report.examples import policy
from tests.unit.reports.examples import PAGE_FILES

NAME = "audit-large"
_IMAGES, _OWNER, _NOW = 10_000, "111111111111", "2026-11-24T12:00:00+00:00"
_CONSUMERS = [f"{number:012}" for number in range(200_000_000_000, 200_000_000_060)]
_STRANGERS = [f"{number:012}" for number in range(700_000_000_000, 700_000_000_400)]
_FAMILIES = [
    f"golden-{name}" for name in ("web", "data", "batch", "proxy", "cache", "build", "queue", "base")
]
# One of so many images is shared with a stranger, one is public, and one is in a family without key access.
_STRANGE, _PUBLIC, _KEYLESS = 40, 500, 16


def large_page(folder: Path) -> Path:
    """Write the page into a directory of ``folder``, and return its path."""
    page = folder / NAME / "report.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render_html(document(audit(_audited(), policy())), _NOW, PAGE_FILES), encoding="utf-8")
    return page


def _audited() -> dict[str, Any]:
    images = [_image(number) for number in range(_IMAGES)]
    return {
        "account_id": _OWNER,
        "check_keys": True,
        "check_snapshots": True,
        "failures": [],
        "findings": [finding for number, image in enumerate(images) for finding in _findings(number, image)],
        "kms_keys": [],
        "regions": {region: {"images": _IMAGES // len(REGIONS)} for region in REGIONS},
        "results": images,
    }


def _image(number: int) -> dict[str, Any]:
    family = _FAMILIES[number // len(REGIONS) % len(_FAMILIES)]
    version = number // (len(_FAMILIES) * len(REGIONS))
    accounts = [*_CONSUMERS, *_strangers(number)]
    return {
        "associated_kms_key_arns": [],
        "creation_date": "2026-11-01T00:00:00+00:00",
        "encrypted": True,
        "image_id": f"ami-{number:017x}",
        "kms_key_arns": [],
        "name": f"{family}-2026.{1 + version // 30}.{version % 30}",
        "region": [*REGIONS][number % len(REGIONS)],
        "sharing": {
            "account_ids": accounts,
            "org_arns": [],
            "org_unit_arns": [],
            "public": number % _PUBLIC == 0,
        },
        "snapshots": [],
        "state": "available",
    }


def _strangers(number: int) -> list[str]:
    """One image is shared with all of them, some with one."""
    if number == 1:
        return _STRANGERS
    return [_STRANGERS[number // _STRANGE % 5]] if number % _STRANGE == 0 else []


def _findings(number: int, image: dict[str, Any]) -> Iterator[dict[str, Any]]:
    found = [("unknown_account", one) for one in _strangers(number)]
    found += [("public", "all")] if image["sharing"]["public"] else []
    found += [("missing_key_access", one) for one in _CONSUMERS[:3]] if number % _KEYLESS == 0 else []
    for code, principal in found:
        yield {
            "account_id": _OWNER,
            "code": code,
            "image_id": image["image_id"],
            "message": f"{image['image_id']} ({image['name']}): {code} of {principal}.",
            "principal": principal,
            "region": image["region"],
            "remedy": "Unshare it.",
            "resource": image["image_id"],
            "severity": CAUSES[code].severity.label,
        }
