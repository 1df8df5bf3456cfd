# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that fix what findings of an audit are about, with the audit's own allowlist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from ..._arns import is_arn, parse
from ..._reports.command import render_module_command, render_playbook_command
from ..._reports.document import Item
from ..cause import Remediation
from ..causes import NOT_ALLOWED, cause_of, missing_key_access

# More images are not named one by one: the command then is about all findings of these codes in the regions.
_MOST_RESOURCES = 40
# The default of remediate_max_removals.
_MOST_REMOVALS = 10
_SNAPSHOT = "snap-"
CHECK_NOTE = "It shows the changes and makes none of them. Without --check, it makes them."
# The parts of a policy and of its rules that allow somebody something.
_PRINCIPALS = frozenset(
    {
        *("account_ids", "org_arns", "org_unit_arns", "public"),
        *("allowed_account_ids", "allowed_org_arns", "allowed_org_unit_arns"),
    }
)

Place: TypeAlias = "tuple[str, str]"
"""A region, and an image in it, or a snapshot that no image uses."""


class Commands:
    """The commands for findings of a report, whose ``policy`` is who is allowed."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._policy: Mapping[str, Any] = content["policy"]
        self._checks_keys = "keys" not in content["not_checked"]
        self._keys = {
            (image["region"], image["image_id"]): image["kms_key_arns"] for image in content["images"]
        }
        # A report without its images is one that a module returned.
        self._keys_of_region: dict[str, list[str]] = {}
        for key in content["kms_keys"]:
            self._keys_of_region.setdefault(key["region"], []).append(key["kms_key_arn"])
        named = [content["policy"], *content["policy"]["rules"]]
        self._allows_anybody = any(
            value for entry in named for name, value in entry.items() if name in _PRINCIPALS
        )
        self._not_allowed = {
            finding["principal"] for finding in content["findings"] if finding["code"] in NOT_ALLOWED
        }
        # The principals of the findings by code and place: each of them is one removal.
        self._found: dict[str, dict[Place, list[str]]] = {}
        for finding in content["findings"]:
            if can_remediate(finding["code"]):
                by_place = self._found.setdefault(finding["code"], {})
                place = finding["region"], finding["image_id"] or finding["resource"]
                by_place.setdefault(place, []).append(finding["principal"])

    def fix(self, items: Sequence[Item]) -> str:
        """Return the command for findings of one code; empty if there is none."""
        return self.grant(items) if items[0].code == missing_key_access.CAUSE.code else self.remediate(items)

    def grant(self, items: Iterable[Item]) -> str:
        """Return the command that shows the grants for principals that lack a key.

        It is empty if several keys of a region are concerned, of which the module takes one at a time, or if
        a principal is not allowed.
        """
        listed = list(items)
        principals = sorted({str(item.principal) for item in listed})
        keys = {(str(item.region), str(item.resource)) for item in listed}
        by_region = dict(sorted(keys))
        if len(by_region) < len(keys) or not self._not_allowed.isdisjoint(principals):
            return ""
        options: dict[str, Any] = {"kms_key_ids": by_region}
        for principal in principals:
            options.setdefault(_find_option(principal), []).append(principal)
        return render_module_command("ami_kms_grant", options, "--check")

    def remediate(self, items: Iterable[Item]) -> str:
        """Return the command that shows the removals for findings; empty if access is not to remove."""
        listed = [item for item in items if can_remediate(item.code)]
        if not listed:
            return ""
        codes = sorted({item.code for item in listed})
        places = sorted({(str(item.region), str(item.image_id or item.resource)) for item in listed})
        by_image = len(places) <= _MOST_RESOURCES and all(
            resource.startswith(("ami-", _SNAPSHOT)) for _region, resource in places
        )
        regions = sorted({region for region, _resource in places})
        scope: dict[str, Any] = {"remediate_regions": regions}
        if by_image:
            scope = {
                "remediate_images": {
                    region: [resource for its_region, resource in places if its_region == region]
                    for region in regions
                }
            }
        number = self._count_removals(codes, places if by_image else None, regions)
        variables = {
            "remediate_finding_codes": codes,
            **scope,
            **({"remediate_max_removals": number} if number > _MOST_REMOVALS else {}),
            **({} if self._checks_keys else {"remediate_check_keys": False}),
            **self._list_allowed(),
        }
        return render_playbook_command("remediate_ami_sharing", variables, "--check")

    def _count_removals(
        self, codes: Iterable[str], places: Iterable[Place] | None, regions: Iterable[str]
    ) -> int:
        """Return how many removals there can be: of each finding, and then of each principal's keys."""
        chosen, within = set(places or ()), set(regions)
        number = 0
        losing: set[tuple[str, str]] = set()
        for code in codes:
            for place, principals in self._found[code].items():
                if place in chosen or (places is None and place[0] in within):
                    number += len(principals)
                    keys = self._keys.get(place, self._keys_of_region.get(place[0], ()))
                    losing.update((key, principal) for key in keys for principal in principals)
        return number + len(losing)

    def _list_allowed(self) -> dict[str, Any]:
        """Return the variables with who is allowed; if nobody is, the role needs one that says so."""
        allowed = {
            f"remediate_{name}": self._policy[name]
            for name in ("allowed_account_ids", "allowed_org_arns", "allowed_org_unit_arns", "rules")
            if self._policy[name]
        }
        if not self._allows_anybody:
            allowed["remediate_allow_empty_allowlist"] = True
        return allowed


def _find_option(principal: str) -> str:
    """Return the option for an account, an organization or an organizational unit."""
    if not is_arn(principal):
        return "account_ids"
    return "org_unit_arns" if parse(principal).resource.startswith("ou/") else "org_arns"


def can_remediate(code: str) -> bool:
    """Whether the playbook removes what findings with this code are about."""
    return cause_of(code).remediation in (Remediation.BY_DEFAULT, Remediation.IF_SELECTED)
