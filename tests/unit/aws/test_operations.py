# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients have the operations that are called, and of EC2 no others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.golden.images.plugins.module_utils._aws.operations import EC2, with_called_only
from botocore import xform_name
from botocore.session import Session

from checks.paths import CHECKOUT

MODEL = {"metadata": {}, "operations": {"CopyImage": {"http": {}}, "RunScheduledInstances": {}}}


def test_these_are_the_operations_that_the_code_names() -> None:
    """As a text, such as that of an action, or as a method, also where no action is made of it."""
    operations = Session().get_service_model("ec2").operation_names
    names = {written: name for name in operations for written in (name, xform_name(name))}
    named = {
        names[word] for path in (CHECKOUT / "plugins").rglob("*.py") for word in _words(path) if word in names
    }
    assert named == EC2


def _words(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_model_of_ec2_has_only_operations_that_are_called() -> None:
    assert with_called_only("ec2", MODEL) == {"metadata": {}, "operations": {"CopyImage": {"http": {}}}}
    assert len(MODEL["operations"]) == 2


def test_the_models_of_other_services_are_complete() -> None:
    assert with_called_only("kms", MODEL) == MODEL
