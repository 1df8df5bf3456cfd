# SPDX-License-Identifier: GPL-3.0-or-later

"""A sample of what a module returns has the types and the keys that its documentation says."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
MODULES = sorted((CHECKOUT / "plugins" / "modules").glob("*.py"))
TYPES: dict[str, type | tuple[type, ...]] = {
    "bool": bool,
    "dict": dict,
    "float": (int, float),
    "int": int,
    "list": list,
    "raw": object,
    "str": str,
}


def returned(path: Path) -> dict[str, Any]:
    """The documentation of what a module returns."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RETURN":
            found: dict[str, Any] = yaml.safe_load(ast.literal_eval(node.value)) or {}
            return found
    return {}


def breaches(name: str, documented: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the samples of a value and of its parts."""
    if "sample" in documented:
        yield from _differences(name, documented, documented["sample"])
    for key, part in documented.get("contains", {}).items():
        yield from breaches(f"{name}.{key}", part)


def _differences(name: str, documented: Mapping[str, Any], sample: Any) -> Iterator[str]:
    if sample is None:
        return
    if not _is(documented["type"], sample):
        yield f"{name} is no {documented['type']}: {sample!r}"
        return
    for one in sample if isinstance(sample, list) else [sample]:
        if not _is(documented.get("elements", "raw"), one) and isinstance(sample, list):
            yield f"{name} has an element that is no {documented['elements']}: {one!r}"
        elif "contains" in documented:
            always = {key for key, part in documented["contains"].items() if part["returned"] == "always"}
            wrong = ({*one} - {*documented["contains"]}) | (always - {*one})
            yield from (f"{name}.{key}" for key in sorted(wrong))
            for key in {*one} & {*documented["contains"]}:
                yield from _differences(f"{name}.{key}", documented["contains"][key], one[key])


def _is(kind: str, value: object) -> bool:
    return isinstance(value, TYPES[kind]) and (kind in ("bool", "raw") or not isinstance(value, bool))


@pytest.mark.parametrize("path", MODULES, ids=[path.stem for path in MODULES])
def test_samples_have_the_documented_structure(path: Path):
    assert [wrong for key, value in returned(path).items() for wrong in breaches(key, value)] == []


@pytest.mark.parametrize("path", MODULES, ids=[path.stem for path in MODULES])
def test_the_main_return_values_of_each_module_have_samples(path: Path):
    documented = returned(path)
    own = [key for key in documented if key not in ("actions", "diff", "failures")]
    main = ["results"] if "results" in own else own[:1]
    tasks = [key for key in own if key.endswith("_tasks")]
    assert [key for key in main + tasks if "sample" not in documented[key]] == []


@pytest.mark.parametrize(
    ("sample", "wrong"),
    [
        ([{"region": "eu-west-1"}], []),
        ([{"region": None}], []),
        ([{"region": None, "policy": "{}"}], []),
        ({"region": "eu-west-1"}, ["regions is no list: {'region': 'eu-west-1'}"]),
        (["eu-west-1"], ["regions has an element that is no dict: 'eu-west-1'"]),
        ([{"region": True}], ["regions.region is no str: True"]),
        ([{"name": "a"}], ["regions.name", "regions.region"]),
    ],
)
def test_a_breach_is_found(sample: Any, wrong: list[str]):
    documented = {
        "type": "list",
        "elements": "dict",
        "contains": {
            "region": {"type": "str", "returned": "always"},
            "policy": {"type": "str", "returned": "if it was read"},
        },
        "sample": sample,
    }
    assert list(breaches("regions", documented)) == wrong
