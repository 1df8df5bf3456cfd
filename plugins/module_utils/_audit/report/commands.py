# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that fix what findings of an audit are about.

What is removed by finding is so with the audit's own allowlist; principals that are not allowed are unshared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from ..._arns import account_of, is_arn, parse
from ..._listing import count, join_texts
from ..._reports.command import render_cli_command, render_module_command, render_playbook_command
from ..._reports.document import Item
from ..cause import Remediation
from ..causes import NOT_ALLOWED, cause_of, key_not_enabled, missing_key_access, unknown_key_principal

# More images are not named one by one: the command then is about all findings of these codes in the regions.
_MOST_RESOURCES = 40
# The default of remediate_max_removals.
_MOST_REMOVALS = 10
_SNAPSHOT = "snap-"
_EXAMPLES = 3
_UNSHARED = frozenset({"unknown_account", "unknown_organization", "unknown_organizational_unit"})
CHECK_NOTE = "It shows the changes and makes none of them. Without --check, it makes them."
ENABLE_NOTE = "It enables the keys at once, for all that are allowed to use them."
# KMS API Reference: CancelKeyDeletion leaves a key Disabled, and EnableKey takes no other state. No command
# ends the other states of a key that is not enabled.
_TO_ENABLE = {"Disabled": ("enable-key",), "PendingDeletion": ("cancel-key-deletion", "enable-key")}
# The parts of a policy and of its rules that allow access.
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
        self._states = {(key["region"], key["kms_key_arn"]): key["state"] for key in content["kms_keys"]}
        for key in content["kms_keys"]:
            self._keys_of_region.setdefault(key["region"], []).append(key["kms_key_arn"])
        named = [content["policy"], *content["policy"]["rules"]]
        self._allows_anybody = any(
            value for entry in named for name, value in entry.items() if name in _PRINCIPALS
        )
        self._images: Iterable[Mapping[str, Any]] = content["images"]
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
        if items[0].code == missing_key_access.CAUSE.code:
            return self.grant(items)
        if items[0].code == key_not_enabled.CAUSE.code:
            return self.enable(items)
        if items[0].remedy.endswith(unknown_key_principal.REVOKE_OWN):
            return self.revoke(items)
        return self.unshare(items) if self._can_unshare(items) else self.remediate(items)

    def note(self, items: Sequence[Item]) -> str:
        """Return what the command of ``fix`` does, and what it takes that these findings are not about."""
        if items[0].code == key_not_enabled.CAUSE.code:
            return ENABLE_NOTE
        if not can_remediate(items[0].code):
            return CHECK_NOTE
        if self._can_unshare(items):
            return f"{CHECK_NOTE} No other principal loses access."
        chosen = {(item.code, _place(item), item.principal) for item in items}
        others = [found for found in self._select(items) if found not in chosen]
        if not others:
            return CHECK_NOTE
        who = join_texts(sorted({str(principal) for _code, _where, principal in others}), _EXAMPLES)
        resources = sorted({place for _code, place, _principal in others})
        what = join_texts([f"{resource} in {region}" for region, resource in resources], _EXAMPLES)
        return (
            f"{CHECK_NOTE} It also removes what {count(len(others), 'other finding')} with the same code "
            f"{'is' if len(others) == 1 else 'are'} about: access of {who} to {what}."
        )

    def _can_unshare(self, items: Sequence[Item]) -> bool:
        """Whether exactly these findings can be fixed by taking the images from their principals.

        Each of them must have the findings of each image: one may be allowed to use an image of another.
        """
        pairs = {(item.principal, _place(item)) for item in items}
        principals = {principal for principal, _place_of_it in pairs}
        places = {place for _principal, place in pairs}
        return items[0].code in _UNSHARED and len(pairs) == len(principals) * len(places)

    def unshare(self, items: Iterable[Item]) -> str:
        """Return the command that shows what these principals lose: these images only.

        It is empty if the images are too many to be named and are not all that the principals can use.
        """
        listed = list(items)
        principals = sorted({str(item.principal) for item in listed})
        places = sorted(set(map(_place, listed)))
        variables: dict[str, Any] = {}
        for principal in principals:
            variables.setdefault(f"unshare_{_find_option(principal)}", []).append(principal)
        if len(places) <= _MOST_RESOURCES:
            variables["unshare_images"] = _by_region(places)
        elif self._are_all(set(principals), set(places)):
            variables["unshare_all_images"] = True
            variables["unshare_regions"] = sorted({region for region, _resource in places})
        else:
            return ""
        if not self._checks_keys:
            variables["unshare_check_keys"] = False
        return render_playbook_command("unshare_ami", variables, "--check")

    def _are_all(self, principals: set[str], places: set[Place]) -> bool:
        """Whether the places are all that the principals have access to in their regions."""
        regions = {region for region, _resource in places}
        found = (
            (principal, place)
            for by_place in self._found.values()
            for place, names in by_place.items()
            for principal in names
        )
        if any(
            place[0] in regions and place not in places
            for principal, place in found
            if principal in principals or account_of(principal) in principals
        ):
            return False
        # Where they are allowed, they have no finding.
        return all(
            principals.isdisjoint(group["principals"])
            for image in self._images
            if image["region"] in regions and (image["region"], image["image_id"]) not in places
            for group in image["shared_with"]
        )

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

    def enable(self, items: Iterable[Item]) -> str:
        """Return the commands that enable the keys; empty if there are many, or one is in another state."""
        keys = sorted({(str(item.region), str(item.resource)) for item in items})
        operations = [_TO_ENABLE.get(str(self._states.get(key)), ()) for key in keys]
        if len(keys) > _MOST_RESOURCES or not all(operations):
            return ""
        return " &&\n".join(
            render_cli_command(f"kms {operation}", region, "key-id", arn)
            for (region, arn), needed in zip(keys, operations, strict=True)
            for operation in needed
        )

    def revoke(self, items: Iterable[Item]) -> str:
        """Return the command that shows which access of these principals the collection created and revokes.

        It is empty if several keys of a region are concerned, of which the module takes one at a time, or if
        a principal is neither an account nor a role or user.
        """
        listed = list(items)
        keys = {(str(item.region), str(item.resource)) for item in listed}
        by_region = dict(sorted(keys))
        options: dict[str, Any] = {"kms_key_ids": by_region}
        for principal in sorted({str(item.principal) for item in listed}):
            option = "account_ids" if principal.isdigit() else "principals" if ":iam::" in principal else ""
            options.setdefault(option, []).append(principal)
        if len(by_region) < len(keys) or "" in options:
            return ""
        return render_module_command(
            "ami_kms_grant", {**options, "state": "absent", "revoke_in_use": True}, "--check"
        )

    def remediate(self, items: Iterable[Item]) -> str:
        """Return the command that shows the removals for findings; empty if access is not to remove."""
        listed = [item for item in items if can_remediate(item.code)]
        if not listed:
            return ""
        codes = sorted({item.code for item in listed})
        places = sorted(set(map(_place, listed)))
        scope: dict[str, Any] = {"remediate_regions": sorted({region for region, _resource in places})}
        if _are_named(places):
            scope = {"remediate_images": _by_region(places)}
        number = self._count_removals(listed)
        variables = {
            "remediate_finding_codes": codes,
            **scope,
            **({"remediate_max_removals": number} if number > _MOST_REMOVALS else {}),
            **({} if self._checks_keys else {"remediate_check_keys": False}),
            **self._list_allowed(),
        }
        return render_playbook_command("remediate_ami_sharing", variables, "--check")

    def _select(self, items: Iterable[Item]) -> Iterator[tuple[str, Place, str]]:
        """Yield the code, place and principal of all findings that the command for these removes."""
        listed = list(items)
        places = set(map(_place, listed))
        named, regions = _are_named(places), {region for region, _resource in places}
        for code in sorted({item.code for item in listed}):
            for place, principals in self._found[code].items():
                if place in places or (not named and place[0] in regions):
                    yield from ((code, place, principal) for principal in principals)

    def _count_removals(self, items: Iterable[Item]) -> int:
        """Return how many removals there can be: of each finding, and then of each principal's keys."""
        number = 0
        losing: set[tuple[str, str]] = set()
        for _code, place, principal in self._select(items):
            number += 1
            keys = self._keys.get(place, self._keys_of_region.get(place[0], ()))
            losing.update((key, principal) for key in keys)
        return number + len(losing)

    def _list_allowed(self) -> dict[str, Any]:
        """Return the variables with who is allowed; if none is, the role needs one that says so."""
        allowed = {
            f"remediate_{name}": self._policy[name]
            for name in ("allowed_account_ids", "allowed_org_arns", "allowed_org_unit_arns", "rules")
            if self._policy[name]
        }
        if not self._allows_anybody:
            allowed["remediate_allow_empty_allowlist"] = True
        return allowed


def _place(item: Item) -> Place:
    return str(item.region), str(item.image_id or item.resource)


def _are_named(places: Collection[Place]) -> bool:
    """Whether a command names the images and snapshots, which are few; otherwise it names their regions."""
    return len(places) <= _MOST_RESOURCES and all(
        resource.startswith(("ami-", _SNAPSHOT)) for _region, resource in places
    )


def _by_region(places: Iterable[Place]) -> dict[str, list[str]]:
    resources: dict[str, list[str]] = {}
    for region, resource in places:
        resources.setdefault(region, []).append(resource)
    return resources


def _find_option(principal: str) -> str:
    """Return the option for an account, an organization or an organizational unit."""
    if not is_arn(principal):
        return "account_ids"
    return "org_unit_arns" if parse(principal).resource.startswith("ou/") else "org_arns"


def can_remediate(code: str) -> bool:
    """Whether the playbook removes what findings with this code are about."""
    return cause_of(code).remediation in (Remediation.BY_DEFAULT, Remediation.IF_SELECTED)
