# SPDX-License-Identifier: GPL-3.0-or-later

"""The role distribute with the ways to name its source other than an id."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import CONSUMERS, HOME, OWNER, Fixture
from .playbook import Ansible

FQCN = "golden.images.distribute_ami"
AWAY = "eu-west-1"


@pytest.fixture
def base(fixture: Fixture) -> dict[str, Any]:
    """A distribution without a source."""
    return {
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_account_ids": fixture.account_ids(*CONSUMERS),
    }


def test_the_image_that_a_parameter_names_is_distributed(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, base: dict[str, Any]
) -> None:
    ssm = aws.client("ssm", OWNER, HOME)
    ssm.put_parameter(Name="/build/web", Value="ami-0000000000000dead", Type="String")
    variables = {**base, "distribute_source_parameter": "/build/web"}
    aws.clear_calls()

    refused = ansible.run(FQCN, variables)
    assert refused.code != 0
    message = refused.task("Start the copies").result["msg"]
    assert "distribute_source_parameter: /build/web names ami-0000000000000dead, which account" in message
    assert observed.changes(aws, refused=True) == []

    ssm.put_parameter(Name="/build/web", Value=fixture.image_id, Type="String", Overwrite=True)
    done = ansible.run(FQCN, variables)
    assert done.code == 0, done.text
    assert done.facts["distribute_images"] == {
        HOME: fixture.image_id,
        AWAY: observed.own_images(aws, OWNER, AWAY)[0]["ImageId"],
    }
