# SPDX-License-Identifier: GPL-3.0-or-later

"""The account and region that a launch is tried in."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils.diagnose.state import Case
from ansible_collections.golden.images.plugins.module_utils.model import Target

from tests.unit.examples import CONSUMER, OWNER


def test_the_target_of_a_case_is_the_launching_account_in_the_region_of_the_image() -> None:
    assert Case(Target(OWNER, "us-west-2"), CONSUMER).target == Target(CONSUMER, "us-west-2")
