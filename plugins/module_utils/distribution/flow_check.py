# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``distribution_check``: checks the options of a distribution's later steps before its first step.

Each step checks its own options when it starts, which is after copies that can take hours. This module makes
the same checks at once, without AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..arguments import CONSUMER_ROLE_SPEC, CONSUMERS_SPEC, NETWORK_SPEC, Options
from ..failures import Failure, Refused, invalid_option
from ..kms_grant import options as kms_grant
from ..launch_probe import options as launch_probe
from ..plan import Plan
from ..progress import Report
from ..publish import options as publish
from ..reports.flow import check_paths
from ..runner import Flow, Outcome
from ..share import options as share
from .parameters import parameters

# A step's check of its options, and its parameters.
Step = tuple[Callable[[Mapping[str, Any], bool], Any], dict[str, Any]]

ARGUMENT_SPEC: dict[str, Any] = {
    **CONSUMERS_SPEC,
    **CONSUMER_ROLE_SPEC,
    **NETWORK_SPEC,
    "shared_tags": share.ARGUMENT_SPEC["shared_tags"],
    "share_snapshots": share.ARGUMENT_SPEC["share_snapshots"],
    "purge_launch_permissions": share.ARGUMENT_SPEC["purge_launch_permissions"],
    "principals": kms_grant.ARGUMENT_SPEC["principals"],
    "access_method": kms_grant.ARGUMENT_SPEC["access_method"],
    "auto_scaling": kms_grant.ARGUMENT_SPEC["auto_scaling"],
    "purge_grants": kms_grant.ARGUMENT_SPEC["purge_grants"],
    "parameter": {"type": "str"},
    "launch_templates": {"type": "list", "elements": "str", "default": []},
    "copy_into_accounts": {"type": "bool", "default": False},
    "verify_level": {
        "type": "str",
        "choices": ["none", "visible", "authorized", "launched"],
        "default": "none",
    },
    "instance_type": {"type": "str"},
    "regions": {"type": "list", "elements": "str", "default": []},
    "report_path": {"type": "path"},
    "unshare_after_copy": {"type": "bool", "default": False},
}
# The copies do not exist yet. In which regions they will be matters to the launch probe only.
_IMAGES: dict[str, Any] = {"images": {"any": None}}


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> None:
    """Check the options of all steps.

    Raises:
        Refused: with every option that a step would refuse.
    """
    failures: dict[Failure, None] = {}
    for check, step_params in _steps(params):
        try:
            check(step_params, True)
        except Refused as refused:
            # Steps share options: a problem with a shared option is reported once.
            failures.update(dict.fromkeys(refused.failures))
    failures.update(dict.fromkeys((*_missing(params), *check_paths(params))))
    if failures:
        raise Refused(failures)


def _missing(params: Mapping[str, Any]) -> Iterator[Failure]:
    """Options that another step's options require."""
    if params["launch_templates"] and not params["parameter"]:
        yield invalid_option(
            "launch_templates",
            "launch_templates: they require parameter, which is not set.",
            "Set parameter.",
        )
    if params["copy_into_accounts"] and not params["account_ids"]:
        yield invalid_option(
            "account_ids",
            "account_ids: copy_into_accounts is true, and no account is given.",
            "List the accounts to copy the image into.",
        )
    if params["copy_into_accounts"] and not params["consumer_role_name"]:
        yield invalid_option(
            "consumer_role_name",
            "consumer_role_name: copy_into_accounts is true, and no role is given.",
            "Set a role that these credentials may assume in the accounts.",
        )
    if params["unshare_after_copy"] and not params["copy_into_accounts"]:
        yield invalid_option(
            "unshare_after_copy",
            "unshare_after_copy: without copy_into_accounts, no account would lose access.",
            "Set copy_into_accounts: true, or remove unshare_after_copy.",
        )
    # Only the owner itself can be verified without a role, and it is one account.
    if (
        params["verify_level"] != "none"
        and not params["consumer_role_name"]
        and len(params["account_ids"]) > 1
    ):
        yield invalid_option(
            "verify_level",
            f"verify_level: {params['verify_level']} cannot be reached without consumer_role_name.",
            "Set a role that these credentials may assume in the accounts, or verify_level: none.",
        )


def _steps(params: Mapping[str, Any]) -> Iterator[Step]:
    """The steps that these options ask for."""
    given = {**params, **_IMAGES}
    yield share.wanted_from, parameters(share.ARGUMENT_SPEC, given)
    yield kms_grant.wanted_from, parameters(kms_grant.ARGUMENT_SPEC, given)
    if params["parameter"]:
        # Its regions are those of a rollback, not those of the distribution.
        yield publish.wanted_from, parameters(publish.ARGUMENT_SPEC, {**given, "regions": []})
    if params["verify_level"] != "none":
        # Imported where needed: the imports for AWS take longer than the check.
        from ..diagnose import flow as diagnose

        yield diagnose.wanted_from, parameters(diagnose.ARGUMENT_SPEC, given)
    if params["verify_level"] == "launched":
        images = dict.fromkeys(Options(params).strings("regions"))
        yield launch_probe.wanted_from, parameters(launch_probe.ARGUMENT_SPEC, {**given, "images": images})


def read_state(clients: None, wanted: None) -> None:
    """Read nothing."""


def plan(wanted: None, seen: None) -> Plan:
    """Plan nothing."""
    return Plan(())


def apply(clients: None, wanted: None, seen: None, plan: Plan, report: Report) -> Outcome:
    """Change nothing."""
    return Outcome()


def result(wanted: None, seen: None, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """Return nothing beyond what every module returns."""
    return {}


FLOW: Flow[None, None] = Flow(wanted_from, read_state, plan, apply, result, needs_aws=False)
