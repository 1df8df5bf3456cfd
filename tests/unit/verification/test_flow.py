# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a verification takes its parts from the module's options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.verification.flow import FLOW, content

from tests.unit.examples import CONSUMER, OWNER

EU = "eu-west-1"


def params(**given: Any) -> dict[str, Any]:
    return {
        "level": "visible",
        "regions": [EU],
        "account_ids": [CONSUMER],
        "diagnosis_result": {},
        "probe_result": {},
        "report_path": None,
        "report_dir": None,
        "publish_uncertain": None,
        **given,
    }


def result(account_id: str, level: str | None) -> dict[str, Any]:
    row = {
        "account_id": account_id,
        "region": EU,
        "image_id": "ami-1",
        "level": level,
        "findings": [],
    }
    return {"failures": [], "results": [row]}


def test_a_diagnosis_or_a_probe_proves_the_level():
    assert content(params())["status"] == "failed"
    assert content(params(diagnosis_result=result(CONSUMER, "visible")))["status"] == "verified"
    assert content(params(probe_result=result(CONSUMER, "launched")))["status"] == "verified"


def test_every_account_and_region_is_required():
    diagnosis = result(CONSUMER, "visible")
    others = params(diagnosis_result=diagnosis, account_ids=[CONSUMER, OWNER], regions=[EU, "us-east-1"])
    assert content(others)["status"] == "incomplete"
    assert content(params(diagnosis_result=diagnosis, level="launched"))["status"] == "failed"


def test_the_setting_that_publishes_nevertheless_is_that_of_the_role():
    uncertain = {**result(CONSUMER, "authorized")["results"][0], "key_use": "uncertain"}
    given = {
        "level": "authorized",
        "diagnosis_result": {"failures": [], "results": [uncertain]},
        "publish_uncertain": False,
        "variable_names": {"publish_uncertain": "distribute_publish_uncertain"},
    }
    assert f'distribute_publish_uncertain: ["{CONSUMER}"].' in content(params(**given))["kept_back"]["remedy"]
    assert "kept_back" not in content(params(**{**given, "publish_uncertain": None}))
    assert "kept_back" not in content(params(**{**given, "publish_uncertain": True}))


def test_the_module_writes_the_report(tmp_path: Path):
    wanted = FLOW.wanted(params(report_dir=str(tmp_path / "verification")), False)
    seen = FLOW.read(None, wanted)
    plan = FLOW.plan(wanted, seen)
    outcome = FLOW.apply(None, wanted, seen, plan, print)
    assert outcome.failures == ()
    assert (tmp_path / "verification" / "report.json").is_file()
    assert FLOW.result(wanted, seen, plan, outcome)["report"] == content(params())
