# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registered results of earlier steps, as the options of later steps take them.

An option takes the whole result. One of a task that was skipped, or that has not run, counts as none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from ._option import Kind, Refuse
from ._structure import BOOLEAN, TEXT, Null, Values, result_problems

Result = TypeVar("Result")

_COPIED = {
    "images": Values(Null(TEXT)),
    "kms_key_arns": Values(Null(TEXT)),
    "results": [{"region": TEXT, "snapshot_kms_key_arns": [TEXT], "state": Null(TEXT)}],
    "source_image_id": Null(TEXT),
    "source_region": Null(TEXT),
}
_GRANTED = {
    "changed": BOOLEAN,
    "consumers": [TEXT],
    "consumers_without_access": [{"consumers": [TEXT], "kms_key_arns": [TEXT]}],
    "failed_regions": [TEXT],
    "kms_key_arns": Values(Null(TEXT)),
    "rejected_account_ids": [TEXT],
    "results": [{"kms_keys": [{"access_known": BOOLEAN, "kms_key_arn": TEXT}]}],
}
_SHARED = {"changed": BOOLEAN, "failed_regions": [TEXT], "rejected_account_ids": [TEXT]}
_COPIED_INTO_ACCOUNTS = {"images": [{"account_id": TEXT, "image_id": Null(TEXT), "region": TEXT}]}
_OWNED = {
    "failures": [{"account_id": Null(TEXT), "region": Null(TEXT)}],
    "results": [{"account_id": TEXT, "region": TEXT, "state": Null(TEXT)}],
}
_VERIFIED = {"verified_regions": [TEXT]}


@dataclass(frozen=True)
class CopyResult:
    """What later steps need of a result of ``ami_copy_regions`` for copies in the account of the source.

    ``images`` maps regions to the copies that have not failed, None for one that check mode only plans.
    ``kms_key_arns`` maps regions to the keys of the copies, as far as they are known. A copy that is pending
    may have another key when it is available.
    """

    images: Mapping[str, str | None]
    kms_key_arns: Mapping[str, tuple[str, ...]]
    source_image_id: str | None = None
    source_region: str | None = None
    has_pending: bool = False

    @classmethod
    def from_dict(cls, result: Mapping[str, Any]) -> CopyResult:
        """Return the result of a task that has run."""
        of_snapshots = {item["region"]: item["snapshot_kms_key_arns"] for item in result["results"]}
        keys = {
            region: dict.fromkeys((*([arn] if arn else []), *of_snapshots.get(region, ())))
            for region, arn in result["kms_key_arns"].items()
        }
        return cls(
            dict(result["images"]),
            {region: tuple(arns) for region, arns in keys.items()},
            result["source_image_id"],
            result["source_region"],
            any(item["state"] not in (None, "available") for item in result["results"]),
        )

    def left_by(self, shared: ShareResult | None) -> CopyResult:
        """Return the copies in the regions in which neither access to keys nor the sharing failed."""
        failed = shared.failed_regions if shared else ()
        return replace(
            self,
            images={region: image for region, image in self.images.items() if region not in failed},
            kms_key_arns={region: arns for region, arns in self.kms_key_arns.items() if region not in failed},
        )


@dataclass(frozen=True)
class GrantResult:
    """What later steps need of a result of ``ami_kms_grant``.

    ``users`` maps keys to those consumers of the task that can use them, or in check mode could after it.
    Keys of which that is not known are missing; ``kms_key_arns`` has them, too.
    """

    users: Mapping[str, frozenset[str]]
    kms_key_arns: frozenset[str] = frozenset()
    failed_regions: frozenset[str] = frozenset()
    rejected_account_ids: frozenset[str] = frozenset()
    changed: bool = False

    @classmethod
    def from_dict(cls, result: Mapping[str, Any]) -> GrantResult:
        """Return the result of a task that has run."""
        consumers = frozenset(result["consumers"])
        keys = [key for region in result["results"] for key in region["kms_keys"]]
        arns = (*result["kms_key_arns"].values(), *(key["kms_key_arn"] for key in keys))
        known = [key["kms_key_arn"] for key in keys if key["access_known"]]
        without_access = {
            arn: [
                group["consumers"]
                for group in result["consumers_without_access"]
                if arn in group["kms_key_arns"]
            ]
            for arn in known
        }
        return cls(
            {arn: consumers.difference(*groups) for arn, groups in without_access.items()},
            frozenset(arn for arn in arns if arn),
            frozenset(result["failed_regions"]),
            frozenset(result["rejected_account_ids"]),
            result["changed"],
        )


@dataclass(frozen=True)
class ShareResult:
    """What later steps need of a result of ``ami_share``, which has what failed in earlier steps, too."""

    failed_regions: frozenset[str] = frozenset()
    rejected_account_ids: frozenset[str] = frozenset()
    changed: bool = False

    @classmethod
    def from_dict(cls, result: Mapping[str, Any]) -> ShareResult:
        """Return the result of a task that has run."""
        return cls(
            frozenset(result["failed_regions"]),
            frozenset(result["rejected_account_ids"]),
            result["changed"],
        )


def _find_owned(result: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the regions in which each account owns an available copy, without those in which one failed.

    A failure without an account or a region counts for all of them.
    """
    failed = {(failure["account_id"], failure["region"]) for failure in result["failures"]}
    owned: dict[str, set[str]] = {}
    for item in result["results"]:
        account_id, region = item["account_id"], item["region"]
        of_item = {(account_id, region), (account_id, None), (None, region), (None, None)}
        if item["state"] == "available" and not of_item & failed:
            owned.setdefault(account_id, set()).add(region)
    return {account_id: frozenset(regions) for account_id, regions in owned.items()}


def has_run(result: Mapping[str, Any]) -> bool:
    """Whether a registered result is that of a task that has run. An empty result is of none."""
    return bool(result) and not result.get("skipped")


@dataclass(frozen=True)
class ResultReader(Generic[Result]):
    """Reads results of one module, and makes a value of each."""

    structure: Mapping[str, Any]
    module: str
    make: Callable[[Mapping[str, Any]], Result]

    def read_one(self, given: Mapping[str, Any] | None, refuse: Refuse) -> Result | None:
        """Return the result, None if its task has not run."""
        return next(iter(self.read_all([given], refuse)), None)

    def read_all(self, given: Iterable[Mapping[str, Any] | None], refuse: Refuse) -> tuple[Result, ...]:
        """Return the results of the tasks that have run; none if one is not a result of the module."""
        results = [result for result in given if result and has_run(result)]
        problems = [
            problem for result in results for problem in result_problems(result, self.structure, self.module)
        ]
        for problem, remedy in problems:
            refuse(problem, remedy)
        return () if problems else tuple(map(self.make, results))


_COPIES = ResultReader(_COPIED, "ami_copy_regions", CopyResult.from_dict)
_GRANTS = ResultReader(_GRANTED, "ami_kms_grant", GrantResult.from_dict)
_SHARES = ResultReader(_SHARED, "ami_share", ShareResult.from_dict)
_CONSUMER_COPIES = ResultReader(
    _COPIED_INTO_ACCOUNTS, "ami_copy_regions", lambda result: tuple(result["images"])
)
_OWNED_COPIES = ResultReader(_OWNED, "ami_copy_regions", _find_owned)
_VERIFICATIONS = ResultReader(_VERIFIED, "ami_verify", lambda result: tuple(result["verified_regions"]))


def _read_verified_regions(given: Mapping[str, Any] | None, refuse: Refuse) -> tuple[str, ...] | None:
    """Return the regions of a verification, none of one that was refused; None if it has not run."""
    is_refused = given and given.get("msg") and "verified_regions" not in given
    return () if is_refused else _VERIFICATIONS.read_one(given, refuse)


COPY_RESULT: Kind[CopyResult | None] = Kind({"type": "dict"}, _COPIES.read_one)
GRANT_RESULT: Kind[GrantResult | None] = Kind({"type": "dict"}, _GRANTS.read_one)
SHARE_RESULT: Kind[ShareResult | None] = Kind({"type": "dict"}, _SHARES.read_one)
GRANT_RESULTS: Kind[tuple[GrantResult, ...]] = Kind(
    {"type": "list", "elements": "dict", "default": []},
    lambda given, refuse: _GRANTS.read_all(given or (), refuse),
)
CONSUMER_COPIES: Kind[tuple[Mapping[str, Any], ...] | None] = Kind(
    {"type": "dict"}, _CONSUMER_COPIES.read_one
)
# The same result, as the regions in which each account owns a copy.
OWNED_COPIES: Kind[Mapping[str, frozenset[str]] | None] = Kind({"type": "dict"}, _OWNED_COPIES.read_one)
VERIFY_RESULT: Kind[tuple[str, ...] | None] = Kind({"type": "dict"}, _read_verified_regions)
