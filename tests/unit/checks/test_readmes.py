# SPDX-License-Identifier: GPL-3.0-or-later

"""A role's README says what the role declares."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from checks import readmes
from checks.commands import CheckError
from checks.readmes import EXAMPLES, GUIDES, different, right_readmes
from checks.variables import Role, roles

CHECKOUT = Path(__file__).resolve().parents[3]
SPEC = """\
---
argument_specs:
  main:
    short_description: Do it
    description:
      - Does it, with O(do_level=high).
    options:
      do_regions:
        description: ["Regions, as for M(golden.images.ami_share).", Required. Type list of text.]
        type: raw
      do_level:
        description: [How, "E(AWS_PROFILE) | none.", "Choices V(low), V(high)."]
        type: str
        default: low
"""
TABLE = """\
variables:
  do_regions: { type: list, elements: str, required: true }
  do_level: { choices: [low, high] }
"""


@pytest.fixture(autouse=True)
def example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of the role ``do``."""
    monkeypatch.setattr(readmes, "EXAMPLES", {**EXAMPLES, "do": "do_regions: [us-east-1]"})


def tree(root: Path, spec: str = SPEC) -> Path:
    """A collection with the role ``do`` and a playbook that runs it."""
    (root / "roles" / "do" / "meta").mkdir(parents=True)
    (root / "roles" / "do" / "meta" / "argument_specs.yml").write_text(spec, encoding="utf-8")
    (root / "roles" / "do" / "meta" / "variables.yml").write_text(TABLE, encoding="utf-8")
    (root / "playbooks").mkdir()
    text = "# golden.images.do\n- hosts: localhost\n  roles:\n    - role: golden.images.do\n"
    (root / "playbooks" / "do_it.yml").write_text(text, encoding="utf-8")
    return root


def test_options_are_a_table(tmp_path):
    (text,) = right_readmes(tree(tmp_path)).values()
    assert "| `do_regions` | list of str | required | Regions, as for `golden.images.ami_share`. |" in text
    assert r'| `do_level` | str | `"low"` | How `AWS_PROFILE` \| none. One of `low`, `high`. |' in text


def test_the_head_says_what_the_role_does_and_how_to_run_it(tmp_path):
    (text,) = right_readmes(tree(tmp_path)).values()
    assert text.startswith("# golden.images.do\n\nDo it.\n\nDoes it, with `do_level=high`.\n")
    assert text.count("`golden.images.do_it` runs this role") == 1
    assert "    - role: golden.images.do\n      vars:\n        do_regions: [us-east-1]\n```" in text


def test_a_changed_spec_is_a_difference(tmp_path):
    root = tree(tmp_path)
    ((path, text),) = different(root).items()
    path.write_text(text, encoding="utf-8")
    assert different(root) == {}
    spec = root / "roles" / "do" / "meta" / "argument_specs.yml"
    spec.write_text(SPEC.replace("How", "Why"), encoding="utf-8")
    assert list(different(root)) == [path]


def test_markup_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(CheckError, match="O"):
        right_readmes(tree(tmp_path, SPEC.replace("O(do_level=high)", "O(do level")))


def test_a_tree_without_roles_is_an_error(tmp_path):
    with pytest.raises(CheckError, match="no roles"):
        different(tmp_path)


def test_the_guides_exist():
    files = {name.partition("#")[0] for name in GUIDES.values()}
    assert [name for name in files if not (CHECKOUT / "docs" / name).is_file()] == []


@pytest.mark.parametrize("role", roles(), ids=lambda role: role.name)
def test_an_example_sets_what_its_role_requires_and_nothing_that_it_lacks(role: Role):
    required = {variable.name for variable in role.declared.variables if variable.required}
    assert required <= set(yaml.safe_load(EXAMPLES[role.name])) <= set(role.options)
