# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registered results of earlier steps, as the options of later steps take them.

An option takes the whole result. One of a task that was skipped, or that has not run, counts as none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .option import Kind, Refuse
from .structure import TEXT, Null, result_problems

_GRANTED = {
    "consumers": [TEXT],
    "results": [{"kms_keys": [{"consumers_without_access": Null([TEXT]), "kms_key_arn": TEXT}]}],
}


@dataclass(frozen=True)
class GrantResult:
    """What a later step needs of a result of ``ami_kms_grant``.

    ``users`` maps keys to those consumers of the task that can use them, or in check mode could after it.
    Keys of which that is not known are missing.
    """

    users: Mapping[str, frozenset[str]]

    @classmethod
    def from_dict(cls, result: Mapping[str, Any]) -> GrantResult:
        """Return the result of a task that has run."""
        consumers = frozenset(result["consumers"])
        keys = [key for region in result["results"] for key in region["kms_keys"]]
        return cls(
            {
                key["kms_key_arn"]: consumers.difference(key["consumers_without_access"])
                for key in keys
                if key["consumers_without_access"] is not None
            }
        )


def _has_run(result: Mapping[str, Any]) -> bool:
    return bool(result) and not result.get("skipped")


def _read_grant_results(given: Iterable[Mapping[str, Any]] | None, refuse: Refuse) -> tuple[GrantResult, ...]:
    results = [result for result in given or () if _has_run(result)]
    problems = [item for result in results for item in result_problems(result, _GRANTED, "ami_kms_grant")]
    for problem, remedy in problems:
        refuse(problem, remedy)
    return () if problems else tuple(map(GrantResult.from_dict, results))


GRANT_RESULTS: Kind[tuple[GrantResult, ...]] = Kind(
    {"type": "list", "elements": "dict", "default": []}, _read_grant_results
)
