# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the reasons why accounts can, or cannot, launch images: the findings by image and account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from .._failures import Failure
from .._finding import UNREADABLE, BlocksLaunch, Finding
from .._model import Target, used_by
from .._plan import PlanWithoutTargets
from .check import Evidence
from .checks import find_in_account, find_in_image, find_in_keys, find_in_parameter
from .checks.parameter import list_unread, reads_image
from .keys import judge_key_use, list_unread_keys, select_grants_of_account
from .options import DiagnosisOptions
from .state import DRY_RUN_SUCCEEDED, Case, ConsumerView, DiagnosisState


@dataclass(frozen=True)
class Diagnosis:
    """The findings about one image in one account, and the failures to read its keys and its parameter."""

    case: Case
    image_id: str | None
    level: str | None
    findings: tuple[Finding, ...]
    key_use: str | None = None
    principal: str | None = None
    unread: tuple[Failure, ...] = ()
    parameter_read: bool | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis as the module returns it."""
        return {
            "account_id": self.case.account_id,
            "can_launch": _can_launch(self.findings),
            "findings": [finding.to_dict() for finding in self.findings],
            "image_id": self.image_id,
            "key_use": self.key_use,
            "level": self.level,
            "owner_id": self.case.image_target.account_id,
            "parameter_read": self.parameter_read,
            "principal": self.principal,
            "region": self.case.image_target.region,
        }


@dataclass(frozen=True)
class DiagnosisPlan(PlanWithoutTargets):
    """The diagnoses of all images in all accounts, without actions.

    The failures are failed reads, and the findings that ``fail_on`` selects.
    """

    diagnoses: tuple[Diagnosis, ...]


def plan(options: DiagnosisOptions, current: DiagnosisState) -> DiagnosisPlan:
    """Diagnose every image in every account."""
    diagnoses = tuple(_diagnose(current, case) for case in list_cases(options, current.owners))
    return DiagnosisPlan(
        diagnoses, failures=(*_unread_failures(current, diagnoses), *_failing_findings(options, diagnoses))
    )


def list_cases(options: DiagnosisOptions, targets: Iterable[Target]) -> tuple[Case, ...]:
    """Return every account with each image that it would launch."""
    ordered = sorted(targets)
    return tuple(
        Case(target, account_id)
        for account_id in options.account_ids
        for target in used_by(account_id, ordered, options.account_ids)
    )


def _diagnose(current: DiagnosisState, case: Case) -> Diagnosis:
    evidence = _collect_evidence(current, case)
    owner, checked = evidence.owner, evidence.checked
    findings_about_keys = [*find_in_keys(evidence)]
    findings = (
        *find_in_image(evidence),
        *findings_about_keys,
        *find_in_account(evidence),
        *find_in_parameter(evidence),
    )
    parameter_read = reads_image(evidence)
    return Diagnosis(
        case,
        evidence.image_id,
        _find_level(checked, parameter_read),
        tuple(
            replace(item, account_id=case.account_id, region=evidence.region, image_id=evidence.image_id)
            for item in findings
        ),
        judge_key_use(owner, checked, findings_about_keys),
        current.principals.get(case.account_id) if checked is not None else None,
        (*list_unread_keys(case, owner, checked).values(), *list_unread(evidence)),
        parameter_read,
    )


def _collect_evidence(current: DiagnosisState, case: Case) -> Evidence:
    owner = current.owners[case.image_target]
    return Evidence(
        case,
        current.images[case.image_target],
        replace(owner, keys=select_grants_of_account(owner.keys, case.account_id)),
        current.consumers.get(case),
        current.role_name if case.account_id != current.account_id else None,
        current.now,
    )


def _find_level(checked: ConsumerView | None, parameter_read: bool | None) -> str | None:
    """Return ``authorized`` if the dry run succeeded, else ``visible`` if the account sees the image.

    An account that launches by a parameter must also read the image there.
    """
    if checked is None or checked.image is None:
        return None
    if parameter_read is False:
        return "visible"
    is_accepted = checked.dry_run is not None and checked.dry_run[0] == DRY_RUN_SUCCEEDED
    return "authorized" if is_accepted else "visible"


def _can_launch(findings: Iterable[Finding]) -> str:
    """Return ``no`` if a finding blocks a launch, ``unknown`` if one may, else ``yes``."""
    effects = {finding.blocks_launch for finding in findings}
    if BlocksLaunch.BLOCKING in effects:
        return "no"
    return "unknown" if BlocksLaunch.UNKNOWN in effects else "yes"


def _unread_failures(current: DiagnosisState, diagnoses: Iterable[Diagnosis]) -> Iterator[Failure]:
    """Yield the failures of reads, once for each account and region."""
    owners = (owner.problem for _target, owner in sorted(current.owners.items()) if owner.problem is not None)
    others = (problem for diagnosis in diagnoses for problem in diagnosis.unread)
    consumers = (item.problem for _case, item in current.consumers.items() if item.problem is not None)
    yield from dict.fromkeys([*owners, *others, *consumers])


def _failing_findings(options: DiagnosisOptions, diagnoses: tuple[Diagnosis, ...]) -> Iterator[Failure]:
    """Yield the findings that ``fail_on`` selects as failures, except failed reads, which are failures."""
    for diagnosis in diagnoses:
        for item in diagnosis.findings:
            unread = item.code in UNREADABLE and item.error_code is not None
            if options.fails_the_task(item.blocks_launch) and not unread:
                yield item.as_failure("RunInstances")
