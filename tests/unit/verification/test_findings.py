# SPDX-License-Identifier: GPL-3.0-or-later

"""The meanings of the codes of accounts that have not reached the level."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils.diagnose.findings import MEANINGS as DIAGNOSED
from ansible_collections.golden.images.plugins.module_utils.launch_probe.findings import MEANINGS as PROBED
from ansible_collections.golden.images.plugins.module_utils.reports.steps import MEANINGS as FAILED
from ansible_collections.golden.images.plugins.module_utils.verification.findings import MEANINGS


def test_every_code_of_a_verification_has_a_meaning() -> None:
    assert {*MEANINGS} == {*DIAGNOSED, *PROBED, *FAILED, "level_not_reached", "key_use_uncertain"}
    assert all(text.endswith(".") for text in MEANINGS.values())
