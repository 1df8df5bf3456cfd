# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why accounts can, or cannot, launch images: the findings about each image in each account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..failures import Failure
from ..finding import Finding
from ..model import Target, used_by
from ..plan import PlanWithoutTargets
from . import consumer as diagnosis_consumer
from . import keys as diagnosis_keys
from . import owner as diagnosis_owner
from .findings import can_launch
from .options import DiagnosisOptions
from .state import Case, ConsumerSeen, DiagnosisSeen

_UNREADABLE = frozenset({"consumer_unreadable", "key_unreadable", "owner_unreadable"})


@dataclass(frozen=True)
class Diagnosis:
    """The findings about one image in one account."""

    case: Case
    image_id: str | None
    level: str | None
    findings: tuple[Finding, ...]
    key_use: str | None = None
    principal: str | None = None

    def as_result(self) -> dict[str, Any]:
        """The diagnosis as the module returns it."""
        return {
            "account_id": self.case.account_id,
            "can_launch": can_launch(self.findings),
            "findings": [finding.as_result() for finding in self.findings],
            "image_id": self.image_id,
            "key_use": self.key_use,
            "level": self.level,
            "owner_id": self.case.image_target.account_id,
            "principal": self.principal,
            "region": self.case.image_target.region,
        }


@dataclass(frozen=True)
class DiagnosisPlan(PlanWithoutTargets):
    """All diagnoses. It has no actions.

    The failures are what could not be read, and the findings that ``fail_on`` selects.
    """

    diagnoses: tuple[Diagnosis, ...]


def plan(options: DiagnosisOptions, seen: DiagnosisSeen) -> DiagnosisPlan:
    """Diagnose every image in every account."""
    diagnoses = tuple(_diagnose(seen, case) for case in cases(options, seen.owners))
    return DiagnosisPlan(diagnoses, failures=(*_unread(seen, diagnoses), *_failing(options, diagnoses)))


def cases(options: DiagnosisOptions, targets: Iterable[Target]) -> tuple[Case, ...]:
    """Every account with each image that it would launch."""
    ordered = sorted(targets)
    return tuple(
        Case(target, account_id)
        for account_id in options.account_ids
        for target in used_by(account_id, ordered, options.account_ids)
    )


def _diagnose(seen: DiagnosisSeen, case: Case) -> Diagnosis:
    image_id, owner = seen.images[case.image_target], seen.owners[case.image_target]
    owner = replace(owner, keys=diagnosis_keys.of_account(owner.keys, case.account_id))
    consumer, checked = seen.consumers.get(case), _checked(seen, case)
    visible = (checked.image is not None) if checked is not None else None
    of_keys = [*diagnosis_keys.findings(case, owner, checked)]
    found = [*diagnosis_owner.findings(case, image_id, owner, visible, seen.now), *of_keys]
    if consumer is not None:
        role = seen.role_name if case.account_id != seen.account_id else None
        found += diagnosis_consumer.findings(case, image_id or "", owner, consumer, role, seen.now)
    findings = tuple(
        replace(item, account_id=case.account_id, region=case.image_target.region, image_id=image_id)
        for item in found
    )
    return Diagnosis(
        case,
        image_id,
        diagnosis_consumer.level(consumer),
        findings,
        diagnosis_keys.use(owner, checked, of_keys),
        seen.principals.get(case.account_id) if checked is not None else None,
    )


def _checked(seen: DiagnosisSeen, case: Case) -> ConsumerSeen | None:
    """What was read in the account, None if it was not checked or could not be."""
    consumer = seen.consumers.get(case)
    return consumer if consumer is not None and consumer.problem is None else None


def _unread(seen: DiagnosisSeen, diagnoses: Iterable[Diagnosis]) -> Iterator[Failure]:
    """What could not be read, once for each account and region."""
    owners = (owner.problem for _target, owner in sorted(seen.owners.items()) if owner.problem is not None)
    keys = (
        problem
        for case in (diagnosis.case for diagnosis in diagnoses)
        for problem in diagnosis_keys.unread(
            case, seen.owners[case.image_target], _checked(seen, case)
        ).values()
    )
    consumers = (item.problem for _case, item in seen.consumers.items() if item.problem is not None)
    yield from dict.fromkeys([*owners, *keys, *consumers])


def _failing(options: DiagnosisOptions, diagnoses: tuple[Diagnosis, ...]) -> Iterator[Failure]:
    """The findings that ``fail_on`` selects, as failures; what could not be read is one already."""
    for diagnosis in diagnoses:
        for item in diagnosis.findings:
            unread = item.code in _UNREADABLE and item.error_code is not None
            if options.fails_the_task(item.blocks_launch) and not unread:
                yield item.as_failure("RunInstances")
