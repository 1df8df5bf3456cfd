# SPDX-License-Identifier: GPL-3.0-or-later

"""`module_defaults` of `group/golden.images.aws` reach every module that takes AWS credentials, no other."""

from __future__ import annotations

import ast
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_group_has_the_modules_that_take_credentials():
    modules = sorted((CHECKOUT / "plugins" / "modules").glob("[!_]*.py"))
    assert modules
    takers = [module.stem for module in modules if "amazon.aws.common.modules" in _fragments(module)]
    runtime = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["action_groups"]["aws"] == takers


def _fragments(module: Path) -> list[str]:
    """The documentation fragments, whose options the module takes."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOCUMENTATION":
            return yaml.safe_load(ast.literal_eval(node.value)).get("extends_documentation_fragment", [])
    raise AssertionError(f"{module.name} has no DOCUMENTATION")
