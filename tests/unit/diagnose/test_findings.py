# SPDX-License-Identifier: GPL-3.0-or-later

"""The causes of findings: their codes and severities, and whether they block a launch."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._diagnose.checks import CAUSES
from ansible_collections.golden.images.plugins.module_utils._diagnose.plan import Diagnosis
from ansible_collections.golden.images.plugins.module_utils._finding import BlocksLaunch, Severity
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.diagnose.examples import CASE, IMAGE

CAUSE = {cause.code: cause for cause in CAUSES}


@pytest.mark.parametrize(
    ("code", "blocks_launch", "severity"),
    [
        ("not_shared", BlocksLaunch.BLOCKING, Severity.HIGH),
        ("not_shared", BlocksLaunch.UNKNOWN, Severity.MEDIUM),
        ("key_access_unknown", BlocksLaunch.UNKNOWN, Severity.MEDIUM),
        ("image_deprecated", BlocksLaunch.HARMLESS, Severity.LOW),
        ("public", BlocksLaunch.HARMLESS, Severity.HIGH),
    ],
)
def test_severity_follows_from_blocks_launch_except_for_public_images(
    code: str, blocks_launch: BlocksLaunch, severity: Severity
) -> None:
    found = CAUSE[code].finding("It is so.", "Fix it.", blocks_launch)
    assert (found.severity, found.blocks_launch) == (severity, blocks_launch)
    assert (found.code, found.message, found.remedy) == (code, "It is so.", "Fix it.")


def test_a_finding_blocks_a_launch_as_its_cause_does_unless_it_says_otherwise() -> None:
    assert {
        cause.finding("It is so.", "Fix it.").blocks_launch is cause.blocks_launch for cause in CAUSES
    } == {True}


def test_each_code_is_that_of_one_cause_and_its_other_effect_is_another_one() -> None:
    assert len(CAUSE) == len(CAUSES) > 30
    assert [cause.code for cause in CAUSES if cause.otherwise is cause.blocks_launch] == []


@given(st.lists(st.sampled_from(BlocksLaunch), max_size=5))
def test_can_launch_follows_from_the_worst_finding(effects: list[BlocksLaunch]) -> None:
    found = tuple(CAUSE["not_shared"].finding("It is so.", "Fix it.", effect) for effect in effects)
    verdict = Diagnosis(CASE, IMAGE.image_id, None, found).to_dict()["can_launch"]
    assert (verdict == "no") == (BlocksLaunch.BLOCKING in effects)
    assert (verdict == "yes") == (set(effects) <= {BlocksLaunch.HARMLESS})
