# SPDX-License-Identifier: GPL-3.0-or-later

"""The codes of a diagnosis's findings, their severities, and whether they block a launch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.golden.images.plugins.module_utils.diagnose.findings import (
    MEANINGS,
    can_launch,
    finding,
)
from ansible_collections.golden.images.plugins.module_utils.finding import BlocksLaunch, Severity
from hypothesis import given
from hypothesis import strategies as st

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "diagnosing.md"


@pytest.mark.parametrize(
    ("code", "blocks_launch", "severity"),
    [
        ("not_shared", BlocksLaunch.BLOCKING, Severity.HIGH),
        ("key_access_unknown", BlocksLaunch.UNKNOWN, Severity.MEDIUM),
        ("image_deprecated", BlocksLaunch.HARMLESS, Severity.LOW),
        ("public", BlocksLaunch.HARMLESS, Severity.HIGH),
    ],
)
def test_severity_follows_from_blocks_launch_except_for_public_images(
    code: str, blocks_launch: BlocksLaunch, severity: Severity
) -> None:
    found = finding(code, "It is so.", "Fix it.", blocks_launch)
    assert (found.severity, found.blocks_launch) == (severity, blocks_launch)
    assert (found.code, found.message, found.remedy) == (code, "It is so.", "Fix it.")


def test_every_code_is_documented_with_its_effect_on_a_launch() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+)( \(\w+\))? \|", DOCUMENTATION.read_text("utf-8"), re.MULTILINE)
    listed = [code for code, *_effects in rows]
    assert sorted(listed) == sorted(MEANINGS)
    effects = {blocks_launch.value for blocks_launch in BlocksLaunch}
    assert {word.strip(" ()") for _code, *words in rows for word in words if word} <= effects


@given(st.lists(st.sampled_from(BlocksLaunch), max_size=5))
def test_can_launch_follows_from_the_worst_finding(effects: list[BlocksLaunch]) -> None:
    verdict = can_launch(
        finding("not_shared", "It is so.", "Fix it.", blocks_launch) for blocks_launch in effects
    )
    assert (verdict == "no") == (BlocksLaunch.BLOCKING in effects)
    assert (verdict == "yes") == (set(effects) <= {BlocksLaunch.HARMLESS})


def test_an_unknown_code_is_an_error() -> None:
    with pytest.raises(ValueError, match="Nonsense"):
        finding("Nonsense", "It is so.", "Fix it.")
