# SPDX-License-Identifier: GPL-3.0-or-later

"""The action group `golden.images.aws` has exactly the modules with AWS credentials."""

from __future__ import annotations

import ast
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_group_has_the_modules_with_credentials():
    modules = sorted((CHECKOUT / "plugins" / "modules").glob("[!_]*.py"))
    assert modules
    takers = [module.stem for module in modules if "amazon.aws.common.modules" in _fragments(module)]
    runtime = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["action_groups"]["aws"] == takers


def _fragments(module: Path) -> list[str]:
    """The documentation fragments, whose options the module has."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOCUMENTATION":
            return yaml.safe_load(ast.literal_eval(node.value)).get("extends_documentation_fragment", [])
    raise AssertionError(f"{module.name} has no DOCUMENTATION")
