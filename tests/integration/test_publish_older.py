# SPDX-License-Identifier: GPL-3.0-or-later

"""An image whose source is older than that of the published one is not published by an old variables file."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import publishing
from .fixture import HOME, OWNER, Fixture
from .playbook import Ansible
from .publishing import AWAY, CONSUMER, EVERYWHERE, PARAMETER, REGIONS

DISTRIBUTE, ROLLBACK = "golden.images.distribute_ami", "golden.images.rollback_ami"


@pytest.fixture
def sources(fixture: Fixture) -> list[str]:
    """Two golden images of one region, the older one first."""
    publishing.with_role(fixture)
    disk = [{"device_name": "/dev/xvda", "size": 8}]
    found = fixture.add_images(
        {
            release: {
                "account": OWNER,
                "region": HOME,
                "name": release,
                "devices": disk,
                "age_days": age,
                "sharing": {"accounts": [CONSUMER]},
            }
            for release, age in (("2026.10", 40), ("2026.11", 10))
        }
    )
    return [found["2026.10"], found["2026.11"]]


def _variables(fixture: Fixture, source_image_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "distribute_source_image_id": source_image_id,
        "distribute_source_region": HOME,
        "distribute_regions": list(REGIONS),
        "distribute_account_ids": fixture.account_ids(CONSUMER),
        "distribute_consumer_role_name": publishing.ROLE,
        "distribute_external_id": publishing.EXTERNAL_ID,
        "distribute_publish_parameter": PARAMETER,
        **changes,
    }


@pytest.mark.nightly
def test_an_older_source_is_refused_before_it_is_copied(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, sources: list[str]
) -> None:
    old, new = sources
    assert ansible.run(DISTRIBUTE, _variables(fixture, new)).code == 0
    published = publishing.values(aws)
    aws.clear_calls()

    refused = ansible.run(DISTRIBUTE, _variables(fixture, old))
    assert refused.code != 0
    failures = refused.task("Check where the image will be published").result["failures"]
    assert {one["error_code"] for one in failures} == {"older_than_published"}
    assert {(one["account_id"], one["region"]) for one in failures} == {
        (account_id, region) for account_id in fixture.account_ids(OWNER, CONSUMER) for region in REGIONS
    }
    for failure in failures:
        assert old in failure["message"]
        assert new in failure["message"]
        assert "or set publish_older: true." in failure["remedy"]
    assert publishing.values(aws) == published
    assert aws.calls(action="CopyImage") == []

    # Both directions of an intended change.
    older = ansible.run(DISTRIBUTE, _variables(fixture, old, distribute_publish_older=True))
    assert older.code == 0, older.text
    assert publishing.value(aws, OWNER, HOME) == old
    newer = ansible.run(DISTRIBUTE, _variables(fixture, new))
    assert newer.code == 0, newer.text
    assert publishing.values(aws) == published


@pytest.mark.nightly
def test_a_rollback_and_a_further_region_are_no_mistakes(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, sources: list[str]
) -> None:
    old, new = sources
    for source, regions in ((old, list(REGIONS)), (new, [HOME])):
        run = ansible.run(DISTRIBUTE, _variables(fixture, source, distribute_regions=regions))
        assert run.code == 0, run.text
    # A copy is younger than its source and than all that is published.
    further = ansible.run(DISTRIBUTE, _variables(fixture, new))
    assert further.code == 0, further.text
    assert publishing.value(aws, OWNER, HOME) == new
    assert publishing.value(aws, OWNER, AWAY) not in sources
    back = {
        "rollback_parameter": PARAMETER,
        "rollback_regions": list(REGIONS),
        "rollback_source_image_id": old,
    }
    assert ansible.run(ROLLBACK, back).code == 0
    assert publishing.value(aws, OWNER, HOME) == old


@pytest.mark.nightly
def test_an_unknown_age_is_said(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, sources: list[str]
) -> None:
    old, new = sources
    assert ansible.run(DISTRIBUTE, _variables(fixture, new)).code == 0
    publishing.deregister(aws, HOME, new)
    run = ansible.run(DISTRIBUTE, _variables(fixture, old))
    assert run.code == 0, run.text
    assert f"{new} in {HOME} is not visible" in publishing.warnings(run)
    assert [publishing.value(aws, account, HOME) for account, region in EVERYWHERE if region == HOME] == [
        old,
        old,
    ]
