# SPDX-License-Identifier: GPL-3.0-or-later

"""``verification_by_host`` returns what each host has, also of a result that is too large for an event."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.action import verification_by_host as plugin
from ansible_collections.golden.images.plugins.filter.whole_result import whole_result

from tests.unit.tasks import make_task
from tests.unit.verification.examples import module_result, seen, verified


@pytest.mark.parametrize(("region_count", "is_large"), [(1, False), (20, True)])
def test_a_large_result_is_in_a_file(
    region_count: int, is_large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    accounts = [f"2{number:011}" for number in range(100)]
    regions = [f"eu-west-{number}" for number in range(region_count)]
    rows = [seen(account, region, "launched") for account in accounts for region in regions]
    report = verified("launched", rows, regions=regions, accounts=accounts)
    hosts = {f"host-{account}": [account] for account in accounts}
    task = make_task(args={"verify_result": module_result(report), "hosts": hosts}, check_mode=False)
    connection: Any = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    result = plugin.ActionModule(task, connection, None, None, None, None).run(task_vars={})
    assert (result["divided"]["by_host"] is None, "result_path" in result) == (is_large, is_large)
    by_host = whole_result(result)["divided"]["by_host"]
    assert by_host.keys() == hosts.keys()
    for host, account_ids in hosts.items():
        assert {row["account_id"] for row in by_host[host]["results"]} == {*account_ids}
