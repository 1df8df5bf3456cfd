# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients have the operations that are called, and of EC2 no others."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils.aws.operations import EC2, with_called_only

from checks.paths import CHECKOUT
from checks.responses import sources
from checks.responses.models import load

MODEL = {"metadata": {}, "operations": {"CopyImage": {"http": {}}, "RunScheduledInstances": {}}}


def test_these_are_the_operations_that_are_called() -> None:
    called = {one for found in sources.read(CHECKOUT, load()).operations_in.values() for one in found}
    assert {one.name for one in called if one.service == "ec2"} == EC2


def test_the_model_of_ec2_has_only_operations_that_are_called() -> None:
    assert with_called_only("ec2", MODEL) == {"metadata": {}, "operations": {"CopyImage": {"http": {}}}}
    assert len(MODEL["operations"]) == 2


def test_the_models_of_other_services_are_complete() -> None:
    assert with_called_only("kms", MODEL) == MODEL
