# SPDX-License-Identifier: GPL-3.0-or-later

"""What each inventory host has of one verification of the accounts of all hosts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import Failure
from ansible_collections.golden.images.plugins.module_utils._verification.by_host import divide
from ansible_collections.golden.images.plugins.module_utils._verification.screen import screen

from tests.unit.verification.examples import BATCH, EU, NO_KEY, US, WEB, module_result, seen, verified

OWNER = "999999999999"
HOSTS = {"web": [WEB], "batch": [BATCH]}


def failed(account_id: str | None, action: str, message: str = "It failed.") -> dict[str, Any]:
    failure = Failure(message, "Rerun.", "X", action, region=EU, account_id=account_id)
    return failure.to_dict()


def rows(level_of_batch: str, *findings: dict[str, Any]) -> list[dict[str, Any]]:
    good = [seen(account, region, "launched") for account, region in ((WEB, EU), (WEB, US), (BATCH, US))]
    return [*good, seen(BATCH, EU, level_of_batch, *findings)]


def test_each_host_has_what_a_verification_of_its_account_alone_returns() -> None:
    all_rows = rows("visible", NO_KEY)
    divided = divide(module_result(verified("launched", all_rows)), HOSTS, check_mode=False)
    assert list(divided) == ["web", "batch"]
    for host, (account_id,) in HOSTS.items():
        alone = verified(
            "launched", [row for row in all_rows if row["account_id"] == account_id], accounts=[account_id]
        )
        names = ("results", "failed_regions", "uncertain_regions")
        assert divided[host] == {
            **{name: alone[name] for name in names},
            "failure": screen(alone, {"check_mode": False}, "verification").failure,
        }
    assert divided["web"]["failure"] == ""
    assert divided["batch"]["failed_regions"] == [EU]
    assert WEB not in divided["batch"]["failure"]


def test_two_hosts_of_one_account_have_the_same() -> None:
    result = module_result(verified("launched", rows("visible", NO_KEY)))
    divided = divide(result, {"one": [BATCH], "two": [BATCH], "both": [WEB, BATCH]}, check_mode=False)
    assert divided["one"] == divided["two"]
    assert len(divided["both"]["results"]) == 4
    assert divided["both"]["failed_regions"] == [EU]


@pytest.mark.parametrize("account_id", [None, OWNER])
def test_what_failed_in_no_account_of_a_host_fails_each_host(account_id: str | None) -> None:
    left = failed(account_id, "TerminateInstances", "i-1 runs.")
    report = verified("launched", {"failures": [left], "results": rows("launched")})
    divided = divide(module_result(report), HOSTS, check_mode=False)
    assert all("i-1 runs." in part["failure"] for part in divided.values())


def test_what_failed_in_the_account_of_a_host_fails_this_host_alone() -> None:
    left = failed(BATCH, "TerminateInstances", "i-1 runs.")
    report = verified("launched", {"failures": [left], "results": rows("launched")})
    divided = divide(module_result(report), HOSTS, check_mode=False)
    assert (divided["web"]["failure"], "i-1 runs." in divided["batch"]["failure"]) == ("", True)


def test_a_report_that_is_not_written_fails_each_host() -> None:
    result = module_result(verified("launched", rows("launched")), failed(None, "write", "The disk is full."))
    divided = divide(result, HOSTS, check_mode=False)
    assert all("The disk is full." in part["failure"] for part in divided.values())


def test_what_check_mode_excuses_fails_no_host() -> None:
    """The module returns no failures then."""
    result = module_result(verified("authorized", rows("visible")), failures=[])
    assert [part["failure"] for part in divide(result, HOSTS, check_mode=True).values()] == ["", ""]
