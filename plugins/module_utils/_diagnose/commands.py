# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that give accounts what a diagnosis finds missing: the image, its keys, or its parameter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._reports.command import render_module_command, render_playbook_command

NOTE = (
    "With the credentials of the images' account. It shows the changes and makes none of them; without "
    "--check, it makes them."
)
_SHARE = frozenset({"not_shared"})
_GRANT = frozenset({"missing_key_access", "missing_create_grant"})
_PUBLISH = frozenset({"parameter_not_advanced", "parameter_not_shared"})


def render_fixes(findings: Iterable[Mapping[str, Any]], parameter: str | None = None) -> list[str]:
    """Return the commands for findings, which have ``code``, ``account_id``, ``region`` and ``image_id``.

    Each is for the accounts that lack the same, so that none gets more than the findings are about.
    ``parameter`` is the one that these were diagnosed with.
    """
    listed = [finding for finding in findings if finding["image_id"]]
    return [
        *(
            render_playbook_command(
                "share_ami", {"share_images": images, "share_account_ids": accounts}, "--check"
            )
            for images, accounts in _group(finding for finding in listed if finding["code"] in _SHARE)
        ),
        *(
            render_module_command("ami_kms_grant", {"images": images, "account_ids": accounts}, "--check")
            for images, accounts in _group(finding for finding in listed if finding["code"] in _GRANT)
        ),
        *(
            render_playbook_command(
                "publish_ami",
                {"publish_images": images, "publish_parameter": parameter, "publish_share": accounts},
                "--check",
            )
            for images, accounts in _group(finding for finding in listed if finding["code"] in _PUBLISH)
            if parameter
        ),
    ]


def _group(findings: Iterable[Mapping[str, Any]]) -> list[tuple[dict[str, str], list[str]]]:
    """Return images by region, one of each, with the accounts that lack all of them."""
    accounts: dict[tuple[str, str], set[str]] = {}
    for finding in findings:
        accounts.setdefault((finding["region"], finding["image_id"]), set()).add(finding["account_id"])
    groups: list[tuple[dict[str, str], list[str]]] = []
    for (region, image_id), lacking in sorted(accounts.items()):
        names = sorted(lacking)
        same = next((images for images, owners in groups if owners == names and region not in images), None)
        if same is None:
            groups.append(({region: image_id}, names))
        else:
            same[region] = image_id
    return groups
