# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``distribution_check``: what a distribution's later steps would refuse of their options.

Each step checks its own options when its turn comes, which is after copies that take hours. Here the same
checks are made at once, and without AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..failures import Failure, Refused
from ..plan import Plan
from ..progress import Report
from ..runner import Flow, Outcome
from . import kms_grant, share

# The copies that the steps will be given do not exist yet.
_NO_COPY_YET: dict[str, Any] = {
    "images": {"any": None},
    "image_id": None,
    "region": None,
    "kms_key_ids": None,
}
_SHARE = {
    "group": None,
    "allow_public": False,
    "state": "present",
    "allow_empty_purge": False,
    "source_image_id": None,
    "source_region": None,
}
_GRANT = {"operations": [], "state": "present"}

_STEPS: tuple[tuple[Callable[[Mapping[str, Any], bool], Any], dict[str, Any]], ...] = (
    (share.wanted_from, _SHARE),
    (kms_grant.wanted_from, _GRANT),
)


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> None:
    """Raise ``Refused`` with all that any step would refuse of its options."""
    failures: dict[Failure, None] = {}
    for step, rest in _STEPS:
        try:
            step({**params, **_NO_COPY_YET, **rest}, True)
        except Refused as refused:
            # Steps share options: what is wrong with one is said once.
            failures.update(dict.fromkeys(refused.failures))
    if failures:
        raise Refused(failures)


def read_state(clients: None, wanted: None) -> None:
    """Nothing is read."""


def plan(wanted: None, seen: None) -> Plan:
    """Nothing is done."""
    return Plan(())


def apply(clients: None, wanted: None, seen: None, plan: Plan, report: Report) -> Outcome:
    """Nothing is done."""
    return Outcome()


def result(wanted: None, seen: None, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """Nothing beyond what every module returns."""
    return {}


FLOW: Flow[None, None] = Flow(wanted_from, read_state, plan, apply, result, needs_aws=False)
