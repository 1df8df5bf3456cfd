# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``remediation_plan``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._option import FLAG, MAPPING, NUMBER, TEXTS, Kind, Problem, Refuse, option, read_region
from .._option_groups import ConsumerOptions
from .._structure import TEXT, Absent, Null, as_list, result_problems
from .._wording import render_value
from .state import Named, Removal, Resource

_REMOVAL = {
    "finding_codes": [TEXT],
    "image_id": Null(TEXT),
    "message": TEXT,
    "principal": TEXT,
    "region": TEXT,
    "resource": TEXT,
}
_KEPT = {"image_ids": [TEXT], "kms_key_arn": TEXT, "reason": TEXT, "resource_ids": [TEXT]}
_REVOKED_KEY = {"dependents": Null([{"account_id": TEXT, "resource_ids": [TEXT]}]), "kms_key_arn": TEXT}
_REVOKED = [
    {
        "kept_access": Absent([{"kms_keys": [_KEPT], "principals": [TEXT]}]),
        "results": Absent([{"kms_keys": [_REVOKED_KEY], "region": TEXT}]),
        "unseen_accounts": Absent([{"account_ids": [TEXT], "kms_key_arns": [TEXT], "reason": TEXT}]),
    }
]
_IMAGE_OR_SNAPSHOT_ID = re.compile(r"(?:ami|snap)-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_FORMS = "Set IDs, mappings with region and image_id or snapshot_id, or a mapping of region to IDs."


def _is_result(given: Any, structure: Any, module: str, refuse: Refuse) -> bool:
    """Whether the value has the structure; a validation error says what differs."""
    problems = list(result_problems(given, structure, module))
    for problem, remedy in problems:
        refuse(problem, remedy)
    return not problems


def _read_removals(given: Sequence[Mapping[str, Any]] | None, refuse: Refuse) -> tuple[Removal, ...] | None:
    if given is None:
        return None
    if not _is_result(given, [_REMOVAL], "remediation_plan", refuse):
        return ()
    return tuple(
        Removal(
            Resource(item["region"], item["resource"]),
            item["principal"],
            tuple(item["finding_codes"]),
            item["image_id"],
            item["message"],
        )
        for item in given
    )


def _read_revoke_results(given: Sequence[Mapping[str, Any]], refuse: Refuse) -> Sequence[Mapping[str, Any]]:
    return given if _is_result(given, _REVOKED, "ami_kms_grant", refuse) else ()


def _list_named(given: Any, refuse: Refuse) -> Iterator[Named]:
    """Yield the images and snapshots in any of the accepted forms.

    Nothing is named only if the option is not set or is empty as a whole, which selects all images. A
    selection that turned out empty does not.
    """
    if isinstance(given, Mapping):
        for region, ids in given.items():
            if not as_list(ids):
                refuse(f"{render_value(region)} has no IDs.", _FORMS)
            for item in as_list(ids):
                yield _read_named(item, read_region(region, refuse), refuse)
        return
    if given and not any(isinstance(item, Mapping) or str(item).strip() for item in given):
        refuse("all items are empty.", "Set IDs; only the whole list can be empty.")
    for item in given or []:
        if isinstance(item, Mapping):
            ids = [item[key] for key in ("image_id", "snapshot_id") if item.get(key)]
            if len(ids) != 1 or not item.get("region"):
                refuse(f"{render_value(item)} must have region and one of image_id and snapshot_id.", _FORMS)
                continue
            yield _read_named(ids[0], read_region(item["region"], refuse), refuse)
        elif str(item).strip():
            yield _read_named(item, None, refuse)


def _read_named(given: Any, region: str | None, refuse: Refuse) -> Named:
    text = str(given).strip()
    if not _IMAGE_OR_SNAPSHOT_ID.fullmatch(text):
        refuse(f"{render_value(given)} is not a valid AMI ID or snapshot ID.", _FORMS)
    return Named(text, region)


_NAMED: Kind[tuple[Named, ...]] = Kind(
    {"type": "raw"}, lambda given, refuse: tuple(dict.fromkeys(_list_named(given, refuse)))
)
_RESULTS = {"type": "list", "elements": "dict"}


@dataclass(frozen=True, kw_only=True)
class RemediationOptions(ConsumerOptions):
    """The options of ``remediation_plan``: the findings to fix are those with codes, of the images.

    Without codes these are all findings of access that is not allowed, without images those of all images.
    With consumers, the plan is not made from findings: they leave, and lose the images that are named, those
    with names like the patterns, or ``all_images``. With ``expected_removals`` of an earlier plan, it is
    those that were not made yet, apart from the access that ``revoke_results`` say was kept because it is
    needed. With ``only_check``, nothing is planned: it refuses, before an audit, what no audit makes valid,
    and tells which of the ``regions`` to audit; without these, any can be.
    """

    audit_result: Mapping[str, Any] | None = option(MAPPING)
    only_check: bool = option(FLAG)
    # The audit refuses those that are not valid.
    regions: tuple[str, ...] = option(TEXTS)
    finding_codes: tuple[str, ...] = option(TEXTS)
    images: tuple[Named, ...] = option(_NAMED)
    name_patterns: tuple[str, ...] = option(TEXTS)
    all_images: bool = option(FLAG)
    revoke_in_use: bool = option(FLAG)
    max_removals: int | None = option(NUMBER)
    expected_removals: tuple[Removal, ...] | None = option(Kind(_RESULTS, _read_removals))
    revoke_results: Sequence[Mapping[str, Any]] = option(Kind(_RESULTS, _read_revoke_results), default=[])

    @property
    def audited_regions(self) -> tuple[str, ...]:
        """Return the regions to audit: those of the images if each has one, else ``regions``.

        None of these is all enabled regions. An image in no region that may be read is refused after the
        audit, because it was not audited.
        """
        of_images = dict.fromkeys(image.region for image in self.images if image.region)
        if not of_images or self.name_patterns or any(image.region is None for image in self.images):
            return self.regions
        allowed = tuple(region for region in of_images if region in self.regions or not self.regions)
        return allowed or self.regions

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        if self.audit_result is None and not self.only_check:
            yield Problem("audit_result", "there is no audit.", "Pass the result of ami_share_audit.")
        if self.consumers:
            yield from self._selection_problems()
        elif self.expected_removals is None and not (self.finding_codes or self.images):
            yield Problem(
                "finding_codes",
                "finding_codes, images or both are required.",
                "Set finding_codes, images, or both. With both, only those findings of those images are "
                "fixed.",
            )
        if self.max_removals is not None and self.max_removals < 0:
            yield Problem(
                "max_removals",
                f"must be 0 or greater (got {self.max_removals}).",
                "Set the number of removals to allow.",
            )

    def _selection_problems(self) -> Iterator[Problem]:
        """Yield the problem if it is not clear which images those lose who leave."""
        if self.all_images and (self.images or self.name_patterns):
            yield Problem(
                "all_images",
                "excludes images and name_patterns.",
                "Set all_images alone, or name the images.",
            )
        elif not (self.all_images or self.images or self.name_patterns):
            yield Problem(
                "images",
                "no images are selected.",
                "Set images, name_patterns or all_images: true.",
            )
