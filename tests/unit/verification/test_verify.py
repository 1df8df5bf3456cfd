# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_verify``: what its diagnosis and its launches prove, in check mode and where a step cannot begin."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._diagnose import flow as diagnosis
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, ValidationError
from ansible_collections.golden.images.plugins.module_utils._launch_probe import flow as probe
from ansible_collections.golden.images.plugins.module_utils._launch_probe.apply import Launch, TargetRun
from ansible_collections.golden.images.plugins.module_utils._launch_probe.state import Probe, ProbeState
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome
from ansible_collections.golden.images.plugins.module_utils._verification import flow as verification
from ansible_collections.golden.images.plugins.modules import ami_verify

from tests.unit.diagnose.examples import UNREADABLE, consumer, of_encrypted, owner, seen
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, STRANGER, source_image, target_in
from tests.unit.in_process import returned
from tests.unit.launch_probe.examples import NOW, SUBNET
from tests.unit.step_results import copy_result, grant_result, share_result

REGION = target_in().region
HERE = Target(CONSUMER, REGION)
PROBE = Probe(HERE, SOURCE_ID)
VISIBLE = ProbeState(OWNER, "aws", NOW, {PROBE: source_image(architecture="x86_64")})
LAUNCHED = {"level": "launched", "subnet_ids": {REGION: SUBNET}}
ACCEPTED = seen(owner(), consumer())
HIDDEN = seen(owner(), consumer(image=None))
COPIED = {"images": None, "copy_result": copy_result({REGION: SOURCE_ID})}
EXPIRED = Failure("The token has expired.", "Renew it.", "ExpiredToken", "GetCallerIdentity", source="aws")
LEFT = Failure("i-1 could not be terminated.", "", "Denied", "TerminateInstances", REGION, CONSUMER)


class World:
    """What the steps read, or why they cannot begin, and what the launches return, which it counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.diagnosis: Any = ACCEPTED
        self.probe: Any = VISIBLE
        self.launched = Outcome(state={HERE: TargetRun(launches={PROBE: Launch("i-1", "launched")})})
        self.launches = 0
        read = {"DIAGNOSIS": (diagnosis.FLOW, "diagnosis"), "PROBE": (probe.FLOW, "probe")}
        for name, (flow, step) in read.items():
            changes = {"apply": self._launch} if name == "PROBE" else {}
            fake = replace(flow, read=lambda *_, step=step: self._read(step), **changes)
            monkeypatch.setattr(verification, name, fake)

    def _read(self, step: str) -> Any:
        found = getattr(self, step)
        if isinstance(found, Failure):
            raise ValidationError([found])
        return found

    def _launch(self, *_: object) -> Outcome:
        self.launches += 1
        return self.launched


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(ami_verify, "FLOW", replace(ami_verify.FLOW, needs_aws=False))
    return World(monkeypatch)


def verify(check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """What the module returns of one image and one account; a failed one has failures that say so."""
    given = {"images": {REGION: SOURCE_ID}, "account_ids": [CONSUMER], "consumer_role_name": "golden"}
    found = returned(ami_verify, {"return_report": True, **given, **options}, check_mode=check_mode)
    assert bool(found["failures"]) is bool(found.get("failed"))
    assert found["changed"] is bool(options.get("report_dir"))
    return found


def test_the_level_is_that_of_the_launch(world: World) -> None:
    found = verify(**LAUNCHED)
    assert world.launches == 1
    assert (found["report"]["status"], found["verified_regions"]) == ("verified", [REGION])
    world.launched = Outcome()
    found = verify(**LAUNCHED)
    assert found["msg"] == f"{REGION}: {CONSUMER}: {SOURCE_ID} is authorized, not launched."
    assert (found["report"]["status"], found["verified_regions"]) == ("failed", [])


@pytest.mark.parametrize("level", ["visible", "authorized"])
def test_lower_levels_launch_nothing(world: World, level: str) -> None:
    world.probe = AssertionError("No launch is planned.")
    found = verify(level=level)
    assert (found["report"]["level"], found["report"]["status"], world.launches) == (level, "verified", 0)


def test_check_mode_verifies_what_needs_no_launch(world: World) -> None:
    found = verify(check_mode=True, **LAUNCHED)
    assert (found["report"]["level"], found["report"]["status"]) == ("authorized", "verified")
    world.diagnosis = HIDDEN
    assert "visible, not authorized" in verify(check_mode=True, **LAUNCHED)["msg"]
    assert world.launches == 0


def test_a_step_that_cannot_begin_proves_nothing_and_stops_no_other_one(world: World) -> None:
    world.diagnosis = EXPIRED
    found = verify(**LAUNCHED)
    assert found["report"]["status"] == "verified"
    assert "The token has expired" in found["report"]["summary"]
    world.diagnosis, world.probe = ACCEPTED, EXPIRED
    found = verify(**LAUNCHED)
    assert world.launches == 1
    assert (found["report"]["results"][0]["level"], found["verified_regions"]) == ("authorized", [])
    assert "The token has expired (ExpiredToken). Renew it." in found["msg"]


def test_an_instance_that_may_still_run_fails_the_task(world: World) -> None:
    world.launched = replace(world.launched, failures=(LEFT,))
    found = verify(**LAUNCHED)
    assert (found["report"]["status"], found["verified_regions"]) == ("incomplete", [REGION])
    assert "i-1 could not be terminated" in found["msg"]


def test_invisible_characters_of_an_error_are_shown(world: World) -> None:
    world.diagnosis = replace(EXPIRED, message="Expired.\u202e")
    assert verify()["report"]["failures"][0]["message"] == "Expired.⟨U+202E⟩"


SHARED_BY_PLAN = {**COPIED, "share_result": share_result(changed=True)}
GRANTED_BY_PLAN = {"grant_results": [{"skipped": True}, grant_result(changed=True)]}


@pytest.mark.parametrize("planned", [{"images": {REGION: None}}, SHARED_BY_PLAN, GRANTED_BY_PLAN])
def test_what_is_only_planned_fails_no_check_mode(world: World, planned: dict[str, Any]) -> None:
    image_id = None if planned.get("images") else SOURCE_ID
    world.diagnosis = seen(owner(), consumer(image=None), image_id)
    found = verify(check_mode=True, **planned)
    assert (found["report"]["status"], found["verified_regions"]) == ("failed", [REGION])
    # What cannot be read is a failure in check mode, too.
    world.diagnosis = seen(owner(), consumer(image=None, problem=UNREADABLE), image_id)
    found = verify(check_mode=True, **planned)
    assert found["verified_regions"] == []
    assert "It may not" in found["msg"]


def test_only_check_mode_plans_access(world: World) -> None:
    world.diagnosis = HIDDEN
    assert verify(**SHARED_BY_PLAN)["verified_regions"] == []
    assert verify(check_mode=True, **COPIED, share_result=share_result())["verified_regions"] == []


@pytest.mark.usefixtures("world")
def test_copies_of_earlier_tasks_are_verified_where_they_are_shared() -> None:
    copies = {"images": None, "copy_result": copy_result({REGION: SOURCE_ID, "us-east-1": SOURCE_ID})}
    found = verify(**copies, share_result=share_result(failed_regions=["us-east-1"]))
    assert (found["report"]["status"], found["verified_regions"]) == ("verified", [REGION])
    found = verify(**copies, share_result=share_result(failed_regions=[REGION, "us-east-1"]))
    assert [failure["action"] for failure in found["failures"]] == ["copy_result"]


@pytest.mark.usefixtures("world")
def test_accounts_verify_their_own_copies_beside_shared_ones() -> None:
    own = {"account_id": CONSUMER, "region": "us-east-1", "image_id": SOURCE_ID}
    found = verify(**COPIED, consumer_copy_result={"images": [own]})
    assert found["report"]["failed_regions"] == ["us-east-1"]


def test_lower_levels_need_no_valid_timeout(world: World) -> None:
    assert verify(wait_timeout=0)["report"]["status"] == "verified"
    assert world.launches == 0


def test_uncertain_accounts_keep_regions_from_being_published_and_fail_nothing(world: World) -> None:
    uncertain = of_encrypted(keys={})
    world.diagnosis = seen(owner(image=uncertain.image), uncertain)
    found = verify(publish_uncertain=False)
    assert (found["report"]["kept_back"]["regions"], found["verified_regions"]) == ([REGION], [])
    assert verify(publish_uncertain=[CONSUMER])["verified_regions"] == [REGION]
    assert "kept_back" not in verify(publish_uncertain=[CONSUMER])["report"]
    planned = verify(check_mode=True, publish_uncertain=False, **GRANTED_BY_PLAN)
    assert "kept_back" not in planned["report"]


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"account_ids": []}, "account_ids"),
        ({"level": "launched"}, "subnet_ids"),
        ({**LAUNCHED, "wait_timeout": 0}, "wait_timeout"),
        ({"images": {REGION: None}}, "images"),
        ({"report_s3_uri": "s3://reports"}, "report_s3_uri"),
    ],
)
@pytest.mark.usefixtures("world")
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], option: str) -> None:
    assert {failure["action"] for failure in verify(**options)["failures"]} == {option}


def test_accounts_of_other_hosts_are_refused_and_nothing_of_them_is_proven(world: World) -> None:
    assert verify(host_account_id=CONSUMER)["report"]["status"] == "verified"
    world.diagnosis = AssertionError("Nothing is read.")
    found = verify(host_account_id=STRANGER)
    assert f"the account_id of this host is {STRANGER}" in found["msg"]
    assert f"every host of the play would verify {CONSUMER}." in found["msg"]
    report = found["report"]
    assert (report["status"], report["failed_regions"]) == ("failed", [REGION])
    assert [failure["action"] for failure in report["failures"]] == ["account_ids"]
    assert [row["reached"] for row in report["results"]] == [False]


@pytest.mark.usefixtures("world")
def test_the_report_has_what_is_returned_without_it(tmp_path: Path) -> None:
    found = verify(return_report=False, report_dir=str(tmp_path / "verification"))
    written = json.loads((tmp_path / "verification" / "report.json").read_text(encoding="utf-8"))
    content = verify()["report"]
    assert {name: written[name] for name in content} == content
    assert {name: found["step_failures" if name == "failures" else name] for name in content} == content
    assert found["kept_back"] is None
    assert len(found["actions"]) == 4
