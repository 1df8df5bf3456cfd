# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs do exactly what is planned, and leave nothing to plan."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ansible_collections.golden.images.plugins.module_utils.keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.kms_grant.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.kms_grant.state import GrantWanted
from ansible_collections.golden.images.plugins.module_utils.model import ConsumerRole
from ansible_collections.golden.images.plugins.module_utils.plan import Action
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.examples import ORG, OWNER, UNIT
from tests.unit.kms_grant.examples import DEPLOY, A, B
from tests.unit.kms_grant.kms_in_memory import World, world
from tests.unit.kms_grant.runs import EU, SILENT, US, planned, wanted

WANTED = st.builds(
    lambda account_ids, **changes: wanted(*account_ids, regions=(EU, US), **changes),
    account_ids=st.frozensets(st.sampled_from([OWNER, A, B])),
    principals=st.frozensets(st.just(DEPLOY)),
    org_arns=st.frozensets(st.just(ORG)),
    org_unit_arns=st.frozensets(st.just(UNIT)),
    operations=st.sampled_from([OPERATIONS, frozenset({"Decrypt"})]),
    access_method=st.sampled_from(["auto", "grant", "key_policy"]),
    present=st.booleans(),
    purge=st.booleans(),
    auto_scaling=st.booleans(),
    consumer_role=st.just(ConsumerRole("golden-consumer")),
).filter(lambda want: want.present or not want.purge)


def contents(actions: tuple[Action, ...]) -> Counter[str]:
    """The actions in any order; a grant token is known only once it is returned."""
    return Counter(str(replace(one, parameters={**one.parameters, "GrantTokens": None})) for one in actions)


def check_run(aws: World, want: GrantWanted) -> None:
    seen, plan = planned(aws, want)
    outcome = FLOW.apply(aws, want, seen, plan, SILENT)
    assert outcome.failures == ()
    assert contents(outcome.performed) == contents(plan.actions)  # type: ignore[arg-type]
    assert planned(aws, want)[1].actions == ()


@settings(max_examples=50)
@given(first=WANTED, second=WANTED)
def test_runs_do_what_is_planned_and_leave_nothing_to_plan(first: GrantWanted, second: GrantWanted) -> None:
    aws = world(EU, US)
    check_run(aws, first)
    check_run(aws, second)
