# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registered results of a distribution's steps, as the options of its check and its report take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._option import Kind
from .._reports.document import SEVERITIES
from .._step_results import ResultReader
from .._structure import BOOLEAN, OUTCOME, TEXT, Absent, Null, Values
from .._verification.levels import LEVELS
from .._verification.outcome import VerificationOutcome

StepResult = Mapping[str, Any]

_COPIED = {
    **OUTCOME,
    "results": Absent([{"image_id": Absent(Null(TEXT)), "region": TEXT}]),
    "source_image_id": Absent(Null(TEXT)),
    "source_region": Absent(Null(TEXT)),
}
_PLANNED = {
    **OUTCOME,
    "results": Absent(
        [
            {
                "account_id": TEXT,
                "image_id": Null(TEXT),
                "kms_key_arn": Null(TEXT),
                "name": TEXT,
                "region": TEXT,
                "tags": Values(TEXT),
            }
        ]
    ),
}
_CONSUMERS = {kind: Absent([TEXT]) for kind in ("account_ids", "org_arns", "org_unit_arns")}
_SHARED = {
    **OUTCOME,
    "launch_permissions": Absent([{**_CONSUMERS, "regions": [TEXT]}]),
    "results": Absent([{"region": TEXT}]),
    "volume_permissions": Absent([{}]),
}
_PUBLISHED = {
    **OUTCOME,
    "results": Absent([{"launch_templates": Absent(Null({})), "region": Absent(Null(TEXT))}]),
}
_VERIFIED_ACCOUNT = {
    "account_id": TEXT,
    "findings": [
        {
            "code": TEXT,
            "message": TEXT,
            "remedy": TEXT,
            "severity": frozenset(SEVERITIES),
        }
    ],
    "image_id": Null(TEXT),
    "key_use": Absent(Null(TEXT)),
    "principal": Absent(Null(TEXT)),
    "reached": BOOLEAN,
    "region": TEXT,
    "uncertain": Absent(BOOLEAN),
}
_VERIFICATION = {
    "kept_back": Absent(Null({"error_code": Absent(Null(TEXT)), "message": TEXT, "remedy": TEXT})),
    "level": Absent(Null(frozenset(LEVELS))),
    "results": Absent(Null([_VERIFIED_ACCOUNT])),
    "summary": Absent(Null(TEXT)),
}
_VERIFIED = {
    **_VERIFICATION,
    "msg": Absent(Null(TEXT)),
    "report": Absent(Null(_VERIFICATION)),
    "verified_regions": Absent([TEXT]),
}
_ONE: Mapping[str, Any] = {"type": "dict", "default": {}}
_LIST: Mapping[str, Any] = {"type": "list", "elements": "dict", "default": []}


def _result(structure: Mapping[str, Any], module: str) -> Kind[StepResult]:
    """The result of a module; empty if its task has not run."""
    reader = ResultReader(structure, module, _as_registered)
    return Kind(_ONE, lambda given, refuse: reader.read_one(given, refuse) or {})


def _results(structure: Mapping[str, Any], module: str) -> Kind[tuple[StepResult, ...]]:
    """The results of a module, of the tasks that have run."""
    reader = ResultReader(structure, module, _as_registered)
    return Kind(_LIST, lambda given, refuse: reader.read_all(given or (), refuse))


def _as_registered(result: StepResult) -> StepResult:
    return result


PLANNED_COPIES = _result(_PLANNED, "ami_copy_regions")
COPY_RESULTS = _results(_COPIED, "ami_copy_regions")
GRANT_RESULTS = _results({**OUTCOME, "results": Absent([{}])}, "ami_kms_grant")
SHARE_RESULT = _result(_SHARED, "ami_share")
CONSUMER_COPY_RESULT = _result(_COPIED, "ami_copy_regions")
PUBLISH_RESULT = _result(_PUBLISHED, "ami_publish")

_CHECKS = _results(OUTCOME, "distribution_check")
CHECK_RESULTS: Kind[tuple[StepResult, ...]] = Kind(
    _LIST,
    lambda given, refuse: tuple(result for result in _CHECKS.value(given, refuse) if result.get("failed")),
)
"""The results of checks that have failed."""

_VERIFICATIONS = ResultReader(_VERIFIED, "ami_verify", VerificationOutcome.from_dict)
VERIFY_RESULT: Kind[VerificationOutcome] = Kind(
    _ONE, lambda given, refuse: _VERIFICATIONS.read_one(given, refuse) or VerificationOutcome()
)


def select_copies(copy_results: Sequence[StepResult]) -> Sequence[StepResult]:
    """Return the last result that has copies, and the later ones, which were refused and have none.

    Without copies, these are all results.
    """
    with_copies = [number for number, result in enumerate(copy_results) if "results" in result]
    return copy_results[with_copies[-1] :] if with_copies else copy_results
