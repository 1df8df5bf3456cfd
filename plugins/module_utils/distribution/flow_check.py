# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``distribution_check``: what a distribution's later steps would refuse of their options.

Each step checks its own options when its turn comes, which is after copies that take hours. Here the same
checks are made at once, and without AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..arguments import Options
from ..failures import Failure, Refused, invalid_option
from ..kms_grant import flow as kms_grant
from ..plan import Plan
from ..progress import Report
from ..runner import Flow, Outcome
from ..share import flow as share

Step = tuple[Callable[[Mapping[str, Any], bool], Any], dict[str, Any]]

# The copies that the steps will be given do not exist yet.
_NO_COPY_YET: dict[str, Any] = {
    "images": {"any": None},
    "image_id": None,
    "region": None,
    "kms_key_ids": None,
}
_SHARE: dict[str, Any] = {
    "group": None,
    "allow_public": False,
    "state": "present",
    "allow_empty_purge": False,
    "snapshot_ids": [],
    "source_image_id": None,
    "source_region": None,
}
_GRANT = {"operations": [], "org_ids": [], "org_unit_ids": [], "state": "present"}

_PUBLISH: dict[str, Any] = {
    "regions": [],
    "tier": None,
    "parameter_tags": None,
    "source_image_id": None,
    "source_region": None,
    "require_shared": True,
    "wait_timeout": 0,
}
_VERIFY = {"fail_on": False, "wait_timeout": 1}


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> None:
    """Raise ``Refused`` with all that any step would refuse of its options."""
    failures: dict[Failure, None] = {}
    for step, rest in _steps(params):
        try:
            step({**params, **_NO_COPY_YET, **rest}, True)
        except Refused as refused:
            # Steps share options: what is wrong with one is said once.
            failures.update(dict.fromkeys(refused.failures))
    failures.update(dict.fromkeys(_missing(params)))
    if failures:
        raise Refused(failures)


def _missing(params: Mapping[str, Any]) -> Iterator[Failure]:
    """What one step needs of another's options."""
    if params["launch_templates"] and not params["parameter"]:
        yield invalid_option(
            "launch_templates",
            "launch_templates: they are published together with a parameter, and none is named.",
            "Name it in parameter.",
        )
    if params["copy_into_accounts"] and not params["account_ids"]:
        yield invalid_option(
            "account_ids",
            "account_ids: copies are to be made into accounts, and none is named.",
            "Name some.",
        )
    if params["copy_into_accounts"] and not params["consumer_role_name"]:
        yield invalid_option(
            "consumer_role_name",
            "consumer_role_name: copies are to be made into accounts, and no role in them is named.",
            "Name a role of theirs that these credentials may assume.",
        )


def _steps(params: Mapping[str, Any]) -> Iterator[Step]:
    """The steps that these options ask for, each with what it takes besides."""
    yield share.wanted_from, _SHARE
    yield kms_grant.wanted_from, _GRANT
    # Imported where needed: most of the time of a module that needs no AWS goes by in importing.
    if params["parameter"]:
        from ..publish import flow as publish

        yield publish.wanted_from, _PUBLISH
    if params["verify_level"] != "none":
        from ..diagnose import flow as diagnose

        yield diagnose.wanted_from, _VERIFY
    if params["verify_level"] == "launched":
        from ..launch_probe import flow as launch_probe

        images = dict.fromkeys(Options(params).strings("regions"))
        yield launch_probe.wanted_from, {**_VERIFY, "images": images}


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
