# SPDX-License-Identifier: GPL-3.0-or-later

"""The results for a thousand accounts in twenty regions are small, and their files have the rest."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._copy.state import CopyState
from ansible_collections.golden.images.plugins.module_utils._keys.needed import (
    ConsumerResources,
    SharedUnderKey,
)
from ansible_collections.golden.images.plugins.module_utils._model import KeyRef
from ansible_collections.golden.images.plugins.module_utils._publish.flow import FLOW as PUBLICATION
from ansible_collections.golden.images.plugins.module_utils._publish.state import PublishState, TargetState
from ansible_collections.golden.images.plugins.module_utils._verification.flow import FLOW as VERIFICATION
from ansible_collections.golden.images.plugins.module_utils._verification.flow import (
    Judgement,
    VerifyPlan,
)
from ansible_collections.golden.images.plugins.plugin_utils._large_results import limit_result, read_whole

from tests.unit.copy.account import Run as CopyRun
from tests.unit.copy.account import copied_to
from tests.unit.examples import OWNER, copied_image, source_image
from tests.unit.flow_run import FlowRun
from tests.unit.kms_grant.examples import Run as GrantRun
from tests.unit.kms_grant.examples import wanted as granted_to
from tests.unit.kms_grant.kms_in_memory import world
from tests.unit.publish.account import NAME
from tests.unit.result_size import ACCOUNTS, FAILURES, IMAGES, LARGEST, REGIONS, TARGETS, result_of
from tests.unit.verification.examples import NO_KEY, seen, verified

pytestmark = pytest.mark.exhaustive


def planned_copies() -> FlowRun:
    """Copies into each account, none of which exists."""
    run = CopyRun(into_all(), None, check_mode=True)
    run.seen = CopyState(OWNER, source_image(), dict.fromkeys(TARGETS, ()))
    return run


def existing_copies() -> FlowRun:
    run = planned_copies()
    copies = {
        target: (copied_image(image_id, owner_id=target.account_id),) for target, image_id in IMAGES.items()
    }
    run.seen = replace(run.seen, copies=copies)
    return run


def into_all() -> dict[str, Any]:
    return copied_to(*REGIONS, account_ids=ACCOUNTS, consumer_role_name="golden", tags={"team": "images"})


def published() -> FlowRun:
    """A parameter in each account that has its own copy."""
    images = [
        {"account_id": target.account_id, "region": target.region, "image_id": image_id}
        for target, image_id in IMAGES.items()
    ]
    options = {"images": images, "parameter": NAME, "account_ids": ACCOUNTS, "consumer_role_name": "golden"}
    run = FlowRun(PUBLICATION, options, None, check_mode=True)
    targets = {
        target: TargetState(image_id, copied_image(image_id, owner_id=target.account_id))
        for target, image_id in IMAGES.items()
    }
    run.seen = PublishState(OWNER, "aws", targets)
    return run


def revoked() -> FlowRun:
    """Keys with a grant for each account, which has volumes under each of them."""
    aws = world(*REGIONS)
    keys = dict.fromkeys(REGIONS, "alias/golden")
    options = {**granted_to(*ACCOUNTS), "kms_key_ids": keys}
    for number, action in enumerate(GrantRun(options, aws, check_mode=True).plan.actions):
        grant = {name: value for name, value in action.parameters.items() if name != "KeyId"}
        aws.key(action.target.region).grants[f"g-{number}"] = grant
    run = GrantRun({**options, "state": "absent"}, aws, check_mode=True)
    volumes = {account: (f"vol-{account:0>17}", f"snap-{account:0>17}") for account in ACCOUNTS}
    under_key = SharedUnderKey(consumers=ConsumerResources(by_account=volumes))
    shared = {
        KeyRef(target.region, key.key.arn): under_key
        for target, keys in run.seen.keys.items()
        for key in keys
    }
    run.seen = replace(run.seen, shared=shared)
    return run


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.parametrize(
    ("make", "kept"),
    [
        pytest.param(planned_copies, ["all_available", "source_image_id"], id="copies that do not exist"),
        pytest.param(existing_copies, ["all_available", "source_image_id"], id="copies that exist"),
        pytest.param(published, [], id="published"),
        pytest.param(revoked, ["consumers", "kms_key_arns", "failed_regions"], id="revoked"),
    ],
)
def test_result_and_diff_are_small(make: Callable[[], FlowRun], kept: list[str]) -> None:
    complete = result_of(make())
    # A hundred accounts fail in each region.
    for whole in (complete, {**complete, "failures": FAILURES}):
        short = limit_result(whole)
        assert len(json.dumps(short)) < LARGEST < len(json.dumps(whole))
        assert {name: short[name] for name in kept} == {name: whole[name] for name in kept}
        assert bool(short["failures"]) is bool(whole["failures"])
        assert short["diff"]["prepared"] == whole["diff"]["prepared"]
        assert read_whole(short) == json.loads(json.dumps(whole))


def test_a_verification_is_small() -> None:
    """No account can launch."""
    rows = [seen(target.account_id, target.region, "visible", NO_KEY) for target in TARGETS]
    report = verified("authorized", rows, regions=REGIONS, accounts=ACCOUNTS)
    judgement = Judgement(report=report, verified_regions=REGIONS)
    result = VERIFICATION.result(None, (), VerifyPlan(steps=()), judgement)  # type: ignore[arg-type]
    whole = {"failures": [], "report": report, **result}
    short = limit_result(whole)
    assert len(json.dumps(short)) < LARGEST < len(json.dumps(whole))
    assert short["report"]["status"] == report["status"]
    assert short["report"]["failed_regions"] == report["failed_regions"]
    assert short["verified_regions"] == REGIONS
    assert read_whole(short)["report"]["results"] == report["results"]
