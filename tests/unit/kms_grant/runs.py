# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of ``ami_kms_grant`` against KMS in memory."""

from __future__ import annotations

from typing import Any

from ansible_collections.golden.images.plugins.module_utils.kms_grant.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.kms_grant.state import GrantSeen, GrantWanted
from ansible_collections.golden.images.plugins.module_utils.model import ConsumerRole
from ansible_collections.golden.images.plugins.module_utils.plan import Plan
from ansible_collections.golden.images.plugins.module_utils.progress import reporter
from ansible_collections.golden.images.plugins.module_utils.runner import Outcome

from tests.unit.kms_grant.kms_in_memory import StoredKey, World, world

EU, US = "eu-west-1", "us-east-1"
SILENT = reporter(None, print)
SECRET = "golden-7f3a"


def wanted(*account_ids: str, regions: tuple[str, ...] = (EU,), **changes: Any) -> GrantWanted:
    keys: dict[str, str | None] = dict.fromkeys(regions, "alias/golden")
    return GrantWanted(**{"kms_key_ids": keys, "account_ids": frozenset(account_ids), **changes})


def planned(aws: World, want: GrantWanted) -> tuple[GrantSeen, Plan]:
    seen = FLOW.read(aws, want)
    return seen, FLOW.plan(want, seen)  # type: ignore[return-value]


def run(aws: World, want: GrantWanted) -> tuple[dict[str, Any], Outcome]:
    """The module's own result and the outcome."""
    seen, plan = planned(aws, want)
    assert plan.refusals == ()
    outcome = FLOW.apply(aws, want, seen, plan, SILENT)
    return FLOW.result(want, seen, plan, outcome), outcome


def world_with_access(*account_ids: str, regions: tuple[str, ...] = (EU, US), **changes: Any) -> World:
    """Regions with keys to which these accounts have access."""
    aws = world(*regions)
    run(aws, wanted(*account_ids, regions=regions, **changes))
    return aws


def scaling(*account_ids: str, **changes: Any) -> GrantWanted:
    asked = {"auto_scaling": True, "consumer_role": ConsumerRole("golden-consumer", SECRET)}
    return wanted(*account_ids, **{**asked, **changes})


def grantees(key: StoredKey) -> set[str]:
    return {grant["GranteePrincipal"] for grant in key.grants.values()}


def failures(outcome: Outcome) -> list[tuple[str | None, str, str]]:
    assert all(failure.remedy for failure in outcome.failures)
    return sorted((failure.region, failure.action, failure.error_code) for failure in outcome.failures)
