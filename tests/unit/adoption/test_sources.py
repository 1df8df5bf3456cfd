# SPDX-License-Identifier: GPL-3.0-or-later

"""Each source of uses makes its account a laggard, also if it is the only one with an old release."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._adoption.plan import (
    AccountAdoption,
    JudgedUse,
    sum_up,
)
from ansible_collections.golden.images.plugins.module_utils._adoption.read_uses import LAUNCHERS
from ansible_collections.golden.images.plugins.module_utils._adoption.state import INSTANCE, LAUNCHES
from botocore import xform_name

from tests.unit.adoption.account import OPERATIONS, WAYS, read, read_state, using
from tests.unit.adoption.examples import OLD, planned
from tests.unit.cleanup.aws_answers import Answers


def judged(answers: Answers) -> tuple[AccountAdoption, list[JudgedUse]]:
    """The account, and its uses that are behind."""
    current = read_state(answers)
    uses = planned(current).judged
    (account,) = sum_up(current, uses, LAUNCHES)
    return account, [use for use in uses if use.is_behind]


def test_every_source_is_among_the_ways_and_all_its_operations_are_called() -> None:
    assert {*WAYS.values()} == {INSTANCE, *(source.kind for source in LAUNCHERS)}
    answers = using()
    read(answers, depth=LAUNCHES)
    assert {name for name, _request in answers.calls} == {*map(xform_name, OPERATIONS)}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_alone_puts_the_account_behind(way: str) -> None:
    account, behind = judged(using(way))
    assert (account.status, account.behind, account.unread) == ("behind", 1, ())
    assert [(use.image_use.kind, use.image_use.image.ref) for use in behind] == [(WAYS[way], OLD)]


def test_without_any_of_them_the_account_is_current() -> None:
    account, behind = judged(using())
    assert (account.status, account.unknown, account.other, behind) == ("current", 0, 0, [])
