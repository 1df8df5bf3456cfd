# SPDX-License-Identifier: GPL-3.0-or-later

"""The role publish: images that were distributed and verified are published later, after an approval."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import publishing
from .fixture import HOME, OWNER, Fixture
from .playbook import Ansible, Run
from .publishing import AWAY, EVERYWHERE, EXTERNAL_ID, PARAMETER, REGIONS, TEMPLATE

PUBLISH = "golden.images.publish_ami"
TASK = "Publish the images in each region and account"
# docs/publishing.md
IMAGES = (
    "{{ report }}",
    "{{ lookup('ansible.builtin.file', 'distribution.json') | from_json }}",
)


@pytest.fixture
def consumer(fixture: Fixture) -> dict[str, Any]:
    """The consumer's account, in which the owner may act; options without a role's prefix."""
    publishing.with_role(fixture)
    return publishing.in_consumers(fixture)


def _publish(ansible: Ansible, variables: dict[str, Any], *options: str) -> Run:
    return ansible.run(PUBLISH, variables, *options)


def _changes(aws: SimulatedAws) -> list[str]:
    return [
        call.action
        for call in publishing.calls(aws)
        if not call.action.startswith(("Describe", "Get", "List"))
    ]


@pytest.mark.per_python
@pytest.mark.quick
def test_a_distribution_is_verified_approved_and_then_published(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, consumer: dict[str, Any]
) -> None:
    def of(role: str) -> dict[str, Any]:
        return {f"{role}_{name}": value for name, value in consumer.items()}

    distributed = ansible.run(
        "golden.images.distribute_ami",
        {
            **of("distribute"),
            "distribute_source_image_id": fixture.image_id,
            "distribute_source_region": HOME,
            "distribute_regions": list(REGIONS),
            "distribute_copy_into_accounts": True,
            "distribute_report_path": str(ansible.folder / "distribution.json"),
        },
    )
    assert distributed.code == 0, distributed.text
    images, report = IMAGES
    report = report.replace("distribution.json", str(ansible.folder / "distribution.json"))
    verify = {**of("verify"), "verify_images": images, "report": report}
    verified = ansible.run("golden.images.verify_ami", verify)
    assert verified.code == 0, verified.text
    publishing.add_templates(aws, publishing.golden_images(fixture, "2026.10"))

    publish = {
        **of("publish"),
        "publish_images": images,
        "report": report,
        "publish_parameter": PARAMETER,
        "publish_source_image_id": "{{ report.source_image_id }}",
        "publish_launch_templates": TEMPLATE,
    }
    planned = _publish(ansible, publish, "--check", "--diff")
    assert planned.code == 0, planned.text
    assert planned.facts["publish_status"] == "planned"
    assert _changes(aws) == []

    done = _publish(ansible, publish)
    assert done.code == 0, done.text
    assert done.facts["publish_status"] == "published"
    assert publishing.planned(planned) == publishing.planned(done) == publishing.written(aws)
    owned = {one["region"]: one["image_id"] for one in distributed.facts["distribute_consumer_images"]}
    shared = distributed.facts["distribute_images"]
    for account, region in EVERYWHERE:
        image_id = (shared if account == OWNER else owned)[region]
        assert publishing.value(aws, account, region) == image_id
        assert publishing.launched_by_template(aws, account, region) == image_id
        assert publishing.value(aws, account, region, f":source-{fixture.image_id}") == image_id
    # The images are neither copied nor shared again.
    assert {"CopyImage", "ModifyImageAttribute"} & {*_changes(aws)} == set()
    assert EXTERNAL_ID not in done.text

    aws.clear_calls()
    again = _publish(ansible, publish)
    assert (again.code, again.changed, _changes(aws)) == (0, [], []), again.text


@pytest.mark.nightly
def test_a_region_that_fails_is_in_the_facts_and_completed_by_a_rerun(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    images = publishing.golden_images(fixture, "2026.11")
    aws.clear_calls()
    # As an AWX survey sends them.
    publish = {
        "publish_images": json.dumps(images),
        "publish_parameter": PARAMETER,
        "publish_require_shared": "",
        "publish_account_ids": "",
        "publish_source_image_id": "",
    }
    refusal = {"code": "AccessDeniedException", "message": "No.", "status": 400}
    aws.add_fault("error", action="PutParameter", region=AWAY, times=0, **refusal)
    failed = _publish(ansible, publish)
    assert failed.code != 0
    assert failed.facts["publish_status"] == "incomplete"
    assert [one["region"] for one in failed.facts["publish_results"]] == [HOME]
    (failure,) = failed.facts["publish_failures"]
    assert (failure["region"], failure["action"]) == (AWAY, "PutParameter")

    aws.clear_faults()
    rerun = _publish(ansible, publish)
    assert (rerun.code, rerun.facts["publish_status"]) == (0, "published"), rerun.text
    assert [publishing.value(aws, OWNER, region) for region in REGIONS] == [images[one] for one in REGIONS]


def test_a_role_in_a_block_in_check_mode_is_a_plan(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    images = publishing.golden_images(fixture, "2026.11")
    aws.clear_calls()
    role = {"name": "publish", "include_role": {"name": "golden.images.publish"}}
    planned = ansible.tasks(
        [{"name": "plan", "check_mode": True, "block": [role]}],
        vars={"publish_images": images, "publish_parameter": PARAMETER},
    )
    assert (planned.code, planned.facts["publish_status"]) == (0, "planned"), planned.text
    assert publishing.written(aws, refused=True) == []


@pytest.mark.nightly
def test_images_that_no_account_can_launch_are_not_published(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    images = publishing.golden_images(fixture, "2026.11", sharing={})
    aws.clear_calls()
    publish = {"publish_images": images, "publish_parameter": PARAMETER}
    refused = _publish(ansible, publish)
    assert refused.code != 0
    assert [region for region, _code in refused.task(TASK).codes] == [AWAY, HOME]
    assert (refused.facts["publish_status"], refused.facts["publish_results"]) == ("failed", [])
    assert publishing.written(aws, refused=True) == []
    # A region's image that does not exist is refused before the others are published.
    wrong = {**images, AWAY: "ami-0123456789abcdef0"}
    refused = _publish(ansible, {**publish, "publish_images": wrong, "publish_require_shared": False})
    assert AWAY in [region for region, _code in refused.task(TASK).codes]
    assert publishing.written(aws, refused=True) == []
    done = _publish(ansible, {**publish, "publish_require_shared": False})
    assert done.code == 0, done.text
    assert publishing.value(aws, OWNER, AWAY) == images[AWAY]
