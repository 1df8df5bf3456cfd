# SPDX-License-Identifier: GPL-3.0-or-later

"""The report for a thousand accounts in twenty regions stays small: AWX drops large events."""

from __future__ import annotations

import json

from tests.unit.distribution.examples import copied, reported, shared
from tests.unit.result_size import ACCOUNTS, LARGEST, REGIONS


def test_report_is_small() -> None:
    snapshots = {region: [f"snap-{number:016x}{region[-1]}" for number in range(2)] for region in REGIONS}
    shares = shared(
        *REGIONS,
        launch_permissions=[{"account_ids": ACCOUNTS, "regions": REGIONS}],
        volume_permissions=[{"account_ids": ACCOUNTS, "public": False, "snapshots": snapshots}],
    )
    report = reported(copied(*REGIONS), {}, shares, account_ids=ACCOUNTS, regions=REGIONS)
    assert report["status"] == "distributed"
    assert len(json.dumps(report)) < LARGEST
