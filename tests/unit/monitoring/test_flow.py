# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of monitoring_check."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils.monitoring.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.monitoring.options import wanted_from


def test_it_checks_without_aws() -> None:
    assert FLOW.wanted is wanted_from
    assert not FLOW.needs_aws
