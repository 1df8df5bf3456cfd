# SPDX-License-Identifier: GPL-3.0-or-later

"""Launch templates whose latest version is not the default one: Auto Scaling groups launch from either."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import publishing
from .fixture import HOME, OWNER, Fixture
from .playbook import Ansible, Run
from .publishing import AWAY, PARAMETER, REGIONS, TEMPLATE

PUBLISH, ROLLBACK = "golden.images.publish_ami", "golden.images.rollback_ami"
DISTRIBUTE = "golden.images.distribute_ami"
# User data is in base64: "of the latest".
DATA = "b2YgdGhlIGxhdGVzdA=="
VERSIONS = ("$Default", "$Latest")


@pytest.fixture
def releases(aws: SimulatedAws, fixture: Fixture) -> list[dict[str, str]]:
    """Two releases. The default version of the template has the first one in every region.

    In one region, a later version has other user data, and an image that is none of the releases.
    """
    first, second = (publishing.golden_images(fixture, release) for release in ("2026.10", "2026.11"))
    publishing.add_templates(aws, first)
    other = publishing.golden_images(fixture, "2026.09")
    publishing.add_version(aws, AWAY, other[AWAY], UserData=DATA, InstanceType="t3.large")
    return [first, second]


def _variables(role: str, images: dict[str, str], **options: Any) -> dict[str, Any]:
    shared = {"parameter": PARAMETER, "source_image_id": images[HOME], "launch_templates": [TEMPLATE]}
    own = {"regions": list(REGIONS)} if role == "rollback" else {"images": images}
    return {f"{role}_{name}": value for name, value in {**shared, **own, **options}.items()}


def _launched(aws: SimulatedAws, region: str) -> list[str]:
    return [publishing.launched_by_template(aws, OWNER, region, version=version) for version in VERSIONS]


def _data(aws: SimulatedAws, region: str) -> list[tuple[str, str]]:
    """Instance type and user data of the default and the latest version."""
    found = aws.client("ec2", OWNER, region).describe_launch_template_versions(
        LaunchTemplateName=TEMPLATE, Versions=list(VERSIONS)
    )["LaunchTemplateVersions"]
    return [
        (one["LaunchTemplateData"]["InstanceType"], one["LaunchTemplateData"]["UserData"]) for one in found
    ]


def _failure(run: Run, role: str) -> dict[str, Any]:
    assert run.code != 0
    (failure,) = run.facts[f"{role}_failures"]
    assert (failure["region"], failure["error_code"]) == (AWAY, "launch_template_versions_differ")
    return dict(failure)


@pytest.mark.nightly
def test_versions_that_differ_are_refused_until_one_is_selected(
    aws: SimulatedAws, ansible: Ansible, releases: list[dict[str, str]]
) -> None:
    first, second = releases
    refused = ansible.run(PUBLISH, _variables("publish", second))
    failure = _failure(refused, "publish")
    assert failure["message"].startswith(
        "launch_templates: web has the default version 1 and the latest version 2"
    )
    assert "differ in InstanceType, UserData" in failure["message"]
    assert "Set launch_template_base_version to default or latest" in failure["remedy"]
    assert publishing.written(aws, refused=True) == []

    selected = _variables("publish", second, launch_template_base_version="latest")
    check = ansible.run(PUBLISH, selected, "--check", "--diff")
    done = ansible.run(PUBLISH, selected, "--diff")
    assert (check.code, done.code) == (0, 0), done.text
    assert publishing.planned(check) == publishing.planned(done) == publishing.written(aws)
    assert f"{AWAY}: + version based on version 2 of" in publishing.warnings(check)
    for region in REGIONS:
        assert _launched(aws, region) == [second[region]] * 2
    # The default and the latest version are the same new one.
    assert _data(aws, AWAY) == [("t3.large", DATA)]
    assert _data(aws, HOME) == [("t3.micro", publishing.SECRET)]
    aws.clear_calls()
    again = ansible.run(PUBLISH, _variables("publish", second))
    assert (again.code, again.changed, publishing.written(aws, refused=True)) == (0, [], []), again.text

    # Others continue from the default version that they know.
    publishing.add_version(aws, AWAY, first[AWAY], InstanceType="t3.nano")
    earlier = _variables("publish", first, launch_template_base_version="default")
    assert ansible.run(PUBLISH, {**earlier, "publish_older": True}).code == 0
    assert _data(aws, AWAY) == [("t3.large", DATA)]
    publishing.add_version(aws, AWAY, first[AWAY], InstanceType="t3.nano")
    failure = _failure(ansible.run(ROLLBACK, _variables("rollback", second)), "rollback")
    assert "Set launch_template_base_version to default or latest" in failure["remedy"]
    assert publishing.written(aws, refused=True) == []
    back = ansible.run(ROLLBACK, _variables("rollback", second, launch_template_base_version="default"))
    assert back.code == 0, back.text
    assert _launched(aws, AWAY) == [second[AWAY]] * 2
    assert _data(aws, AWAY) == [("t3.large", DATA)]


@pytest.mark.nightly
def test_a_latest_version_that_lacks_only_the_image_is_replaced(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    old, new = (publishing.golden_images(fixture, release) for release in ("2026.10", "2026.11"))
    for region in REGIONS:
        aws.client("ec2", OWNER, region).create_launch_template(
            LaunchTemplateName=TEMPLATE,
            LaunchTemplateData={"ImageId": new[region], "InstanceType": "t3.micro"},
        )
    task = publishing.publish("Publish", images=new, launch_templates=[TEMPLATE])
    run = ansible.tasks([task])
    assert run.code == 0, run.text
    publishing.add_version(aws, HOME, old[HOME])
    kept = publishing.publish(
        "Keep", images=new, launch_templates=[TEMPLATE], launch_template_base_version="default"
    )
    run = ansible.tasks([kept])
    assert (run.code, run.changed) == (0, []), run.text
    assert f"its latest version, 2, launches {old[HOME]}. It is not changed" in publishing.warnings(run)
    assert _launched(aws, HOME) == [new[HOME], old[HOME]]

    run = ansible.tasks([task])
    assert run.code == 0, run.text
    assert f"its latest version, 2, launches {old[HOME]}. The new version" in publishing.warnings(run)
    assert _launched(aws, HOME) == [new[HOME]] * 2
    assert [(one.region, one.action) for one in publishing.written(aws) if one.region == AWAY] == []
    assert run.task("Publish").result["results"][-1]["launch_templates"] in ({TEMPLATE: 3}, {TEMPLATE: 1})
    again = ansible.tasks([task])
    assert (again.code, again.changed) == (0, []), again.text


@pytest.mark.nightly
def test_a_distribution_is_refused_before_its_first_copy(
    aws: SimulatedAws, ansible: Ansible, releases: list[dict[str, str]]
) -> None:
    first, _second = releases
    aws.clear_calls()
    variables = {
        "distribute_source_image_id": first[HOME],
        "distribute_source_region": HOME,
        "distribute_regions": list(REGIONS),
        "distribute_publish_parameter": PARAMETER,
        "distribute_launch_templates": [TEMPLATE],
        "distribute_parameter_tags": {"team": "web"},
    }
    refused = ansible.run(DISTRIBUTE, variables)
    assert refused.code != 0
    assert "Set launch_template_base_version to default or latest" in publishing.warnings(refused)
    assert publishing.written(aws, refused=True) == []

    done = ansible.run(DISTRIBUTE, {**variables, "distribute_launch_template_base_version": "latest"})
    assert done.code == 0, done.text
    assert _data(aws, AWAY) == [("t3.large", DATA)]
    for region in REGIONS:
        assert publishing.tags(aws, OWNER, region) == {"team": "web"}
