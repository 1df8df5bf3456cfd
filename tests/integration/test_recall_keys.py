# SPDX-License-Identifier: GPL-3.0-or-later

"""A recall moves nothing to an encrypted earlier image that its account cannot use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import publishing, recalling
from .fixture import HOME, OWNER, Fixture
from .in_process import Modules
from .playbook import Ansible
from .publishing import AWAY, CONSUMER, PARAMETER
from .recalling import PLAYBOOK, Images, Recall, Releases, everywhere, recalled, variables


@pytest.fixture
def releases(aws: SimulatedAws, fixture: Fixture, modules: Modules) -> Releases:
    """An encrypted release, and a later one, published one after the other in two accounts."""
    publishing.with_role(fixture)
    first, second = (
        publishing.encrypted_images(fixture, "2026.10"),
        recalling.release(aws, fixture, "2026.11"),
    )
    recalling.mark_copy(aws, first)
    recalling.publish_both(aws, fixture, modules, (first, second))
    return first, second


def given(fixture: Fixture, folder: Path, second: Images, **changes: Any) -> dict[str, Any]:
    """The variables of the playbook."""
    return variables(fixture, folder, second[HOME], launch_templates=[], **changes)


def test_a_region_whose_key_is_disabled_stays_until_it_is_enabled(
    aws: SimulatedAws,
    fixture: Fixture,
    ansible: Ansible,
    modules: Modules,
    releases: Releases,
    tmp_path: Path,
) -> None:
    first, second = releases
    kms = aws.client("kms", OWNER, AWAY)
    key_id = kms.describe_key(KeyId=publishing.ALIAS)["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key_id)
    aws.clear_calls()
    recall = given(fixture, tmp_path, second)
    for arguments in (["--check"], []):
        run = ansible.run(PLAYBOOK, recall, *arguments)
        assert (run.code, run.facts["recall_status"]) == (2, "incomplete"), run.text
        failures = [(item["region"], item["error_code"]) for item in run.facts["recall_failures"]]
        # Once, although it stops two accounts.
        assert failures == [(AWAY, "key_not_enabled")]
        left = {(item["account_id"], item["region"]) for item in run.facts["recall_results"] if item["left"]}
        assert left == {(aws.account_id(account), AWAY) for account in (OWNER, CONSUMER)}
    assert publishing.values(aws) == [first[HOME], second[AWAY]] * 2

    kms.enable_key(KeyId=key_id)
    run = ansible.run(PLAYBOOK, recall)
    assert (run.code, run.facts["recall_status"]) == (0, "recalled"), run.text
    assert publishing.values(aws) == everywhere(first)
    # What has moved needs no key.
    aws.clear_calls()
    assert recalled(modules, recall).code == 0
    assert [call for call in aws.calls() if call.service == "kms"] == []


def test_an_account_that_cannot_use_the_key_stays(
    aws: SimulatedAws,
    fixture: Fixture,
    ansible: Ansible,
    modules: Modules,
    releases: Releases,
    tmp_path: Path,
) -> None:
    first, second = releases
    kms = aws.client("kms", OWNER, HOME)
    key_id = kms.describe_key(KeyId=publishing.ALIAS)["KeyMetadata"]["KeyId"]
    policy = json.dumps(publishing.key_policy(*fixture.account_ids(OWNER)))
    kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=policy)
    recall = given(fixture, tmp_path, second)
    run = ansible.run(PLAYBOOK, recall)
    (failure,) = run.facts["recall_failures"]
    assert (failure["account_id"], failure["region"]) == (aws.account_id(CONSUMER), HOME)
    assert (run.code, failure["error_code"]) == (2, "missing_key_access"), run.text
    assert publishing.value(aws, CONSUMER, HOME) == second[HOME]
    assert publishing.value(aws, OWNER, HOME) == first[HOME]
    run = recalled(modules, {**recall, "recall_require_usable_key": False})
    assert (run.code, publishing.values(aws)) == (0, everywhere(first)), run.text


def test_a_key_that_cannot_be_read_is_not_called_usable(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, releases: Releases, tmp_path: Path
) -> None:
    first, second = releases
    tombstone = {"tombstone_path": str(tmp_path / "recalls.jsonl")}
    recall = Recall(modules, second, parameter=PARAMETER, **tombstone, **publishing.in_consumers(fixture))
    denied = {"code": "AccessDeniedException", "message": "No.", "status": 400}
    aws.add_fault("error", action="ListGrants", times=0, region=AWAY, **denied)
    assert [(item["region"], item["error_code"]) for item in recall()["failures"]] == [
        (AWAY, "AccessDeniedException")
    ]
    assert publishing.values(aws) == [first[HOME], second[AWAY]] * 2
