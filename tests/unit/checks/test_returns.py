# SPDX-License-Identifier: GPL-3.0-or-later

"""Return values that several modules document alike: where they differ, and how they are put in."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from checks import returns
from checks.commands import CheckError
from checks.returns import OWN, different, shared_keys, with_shared

CHECKOUT = Path(__file__).resolve().parents[3]
FILES = CHECKOUT / "checks" / "returns"

SHARED = """---
actions:
  description: The AWS calls.
  type: list
  contains:
    region:
      description: The region.
      type: str
"""
MODULE = '''DOCUMENTATION = r"""
actions:
  description: Not a return value.
"""

RETURN = r"""
results:
  description: The results.
  returned: success
actions:
  description: The calls that were made.
  returned: success, and failure after something was changed
  type: list
  sample: [{"region": "eu-west-1"}]
"""

from x import run
'''


def documented(source: str) -> dict[str, dict[str, object]]:
    """The return values that the source of a module documents."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RETURN":
            return yaml.safe_load(ast.literal_eval(node.value))
    raise AssertionError("no RETURN")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "plugins" / "modules").mkdir(parents=True)
    (tmp_path / "plugins" / "modules" / "ami_share.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "actions.yml").write_text(SHARED, encoding="utf-8")
    return tmp_path


def test_the_shared_fields_replace_those_of_the_module(root: Path):
    found = documented(with_shared("ami_share", MODULE, shared_keys(root)))
    assert found == {
        "results": {"description": "The results.", "returned": "success"},
        "actions": {
            "description": "The AWS calls.",
            "returned": "success, and failure after something was changed",
            "type": "list",
            "sample": [{"region": "eu-west-1"}],
            "contains": {"region": {"description": "The region.", "type": "str"}},
        },
    }
    assert list(found["actions"]) == ["description", "returned", "type", "sample", "contains"]


def test_a_module_keeps_its_own_words_where_the_table_says_so(root: Path):
    source = with_shared("ami_share_audit", MODULE, shared_keys(root))
    assert documented(source)["actions"]["description"] == "The calls that were made."
    assert "contains" in documented(source)["actions"]


def test_a_module_that_differs_is_found_until_it_is_rewritten(root: Path):
    ((path, right),) = different(root, shared_keys(root)).items()
    assert path == root / "plugins" / "modules" / "ami_share.py"
    path.write_text(right, encoding="utf-8")
    assert different(root, shared_keys(root)) == {}
    path.write_text(right.replace("The region.", "A region."), encoding="utf-8")
    assert different(root, shared_keys(root)) == {path: right}


def test_the_check_fails_until_the_texts_are_written(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(returns, "CHECKOUT", root)
    monkeypatch.setattr(returns, "__file__", str(root / "__init__.py"))
    with pytest.raises(CheckError, match=r"RETURN of ami_share differs .*: run make format"):
        returns.check()
    returns.write()
    assert capsys.readouterr().out == "RETURN of ami_share rewritten\n"
    returns.check()
    returns.write()
    assert capsys.readouterr().out == ""


def test_no_modules_are_no_success(tmp_path: Path):
    with pytest.raises(CheckError, match="no modules below"):
        different(tmp_path, {})


def test_a_file_is_named_after_its_key(root: Path):
    (root / "actions.yml").rename(root / "calls.yml")
    with pytest.raises(CheckError, match=r"calls\.yml describes actions"):
        shared_keys(root)


@pytest.mark.parametrize("key", sorted(path.stem for path in FILES.glob("*.yml")))
def test_a_shared_key_is_one_of_several_modules(key: str):
    modules = [path.stem for path in _modules() if key in documented(path.read_text(encoding="utf-8"))]
    assert len(modules) > 1
    assert OWN.get(key, {}).keys() <= set(modules)


@pytest.mark.parametrize(
    ("key", "module", "field"),
    [(key, module, field) for key, own in OWN.items() for module, fields in own.items() for field in fields],
)
def test_own_words_of_a_module_are_other_words(key: str, module: str, field: str):
    shared = yaml.safe_load((FILES / f"{key}.yml").read_text(encoding="utf-8"))[key]
    source = (CHECKOUT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
    assert documented(source)[key][field] != shared[field]


def test_each_module_documents_what_the_runner_returns():
    lacking = [
        path.stem
        for path in _modules()
        if not {"actions", "failures"} <= documented(path.read_text(encoding="utf-8")).keys()
    ]
    assert lacking == []


def _modules() -> list[Path]:
    """The modules with code; the others are the documentation of actions."""
    found = sorted((CHECKOUT / "plugins" / "modules").glob("*.py"))
    return [path for path in found if "def main" in path.read_text(encoding="utf-8")]
