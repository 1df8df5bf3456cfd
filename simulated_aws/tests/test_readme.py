# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README shows works as it stands there, in an empty folder."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulated_aws import fixtures
from simulated_aws.client import SimulatedAws
from simulated_aws.fixtures import document
from simulated_aws.http.faults import KINDS, Fault

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(section: str, language: str) -> list[str]:
    """The code blocks of a section in a language."""
    text = README.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def run(folder: Path, *command: str) -> str:
    """What a Python process says, in a folder without any settings."""
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tests_pass(tmp_path: Path) -> None:
    files = ("test_images.py", "test_code.py", "test_encrypted.py", "test_deprecated.py")
    for name, code in zip(files, blocks("From your pytest", "python"), strict=True):
        (tmp_path / name).write_text(code, encoding="utf-8")
    said = run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider", *files)
    assert "5 passed" in said


def test_the_first_test_has_ten_lines() -> None:
    lines = blocks("From your pytest", "python")[0].splitlines()
    assert len([line for line in lines if line]) == 10


@pytest.mark.parametrize("section", ["In Python", "Faults"])
def test_the_client_is_used_so(tmp_path: Path, section: str) -> None:
    (block,) = blocks(section, "python")
    run(tmp_path, "-c", block)


def test_the_fixture_of_the_playbook_loads(server: SimulatedAws) -> None:
    server.reset()
    loaded = server.load_fixture(yaml.safe_load(blocks("From your playbook", "yaml")[0]))
    assert {*loaded["accounts"]} == {"build", "web"}
    assert {*loaded["images"]} == {"golden"}


def members(fixture: dict[str, Any]) -> Iterator[tuple[type, dict[str, Any]]]:
    """The parts of a fixture that has one of each, and what each has."""
    image, organization = fixture["images"]["golden"], fixture["organization"]
    yield document.Fixture, fixture
    yield document.Organization, organization
    yield document.Unit, organization["units"]["workloads"]
    yield document.User, fixture["users"]["release"]
    yield document.Role, fixture["roles"]["consumer"]
    yield document.Key, fixture["kms_keys"]["golden"]
    yield document.EbsEncryption, fixture["ebs_encryption"][0]
    yield document.PublicAccess, fixture["public_access"][0]
    yield document.Network, fixture["networks"][0]
    yield document.ImageSpec, image
    yield document.Disk, image["devices"][0]
    yield document.Sharing, image["sharing"]
    yield document.Scan, image["scan"]
    yield document.Build, image["built_by"]


def test_the_reference_has_all_members_of_all_parts() -> None:
    (block,) = blocks("Fixtures", "yaml")
    named = {part: set(found) for part, found in members(yaml.safe_load(block))}
    assert named == {
        part: {one.name for one in fields(part)}
        for part in vars(document).values()
        if isinstance(part, type) and is_dataclass(part)
    }


def test_the_reference_says_what_is_required_and_which_value_is_the_default() -> None:
    (block,) = blocks("Fixtures", "yaml")
    comments = [re.findall(r"^[ -]*(\w+):.*?# (.*)", line) for line in block.splitlines()]
    commented = {(name, said) for found in comments for name, said in found}
    for part, found in members(yaml.safe_load(block)):
        for one in fields(part):
            if one.default is MISSING and one.default_factory is MISSING:
                assert any(name == one.name and said.startswith("required") for name, said in commented)
                continue
            default = one.default if one.default_factory is MISSING else one.default_factory()
            explained = any(name == one.name and "default" in said for name, said in commented)
            assert explained or found[one.name] == default, one.name


def test_the_reference_loads(server: SimulatedAws) -> None:
    server.reset()
    loaded = server.load_fixture(yaml.safe_load(blocks("Fixtures", "yaml")[0]))
    assert loaded["images"]["golden"]["name"] == "golden-1"
    section = README.partition("\n### What loading returns\n")[2].partition("\n## ")[0]
    described = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)))
    assert {*described} == {*loaded}


@pytest.mark.parametrize("kind", KINDS)
def test_the_members_and_defaults_of_faults_are_those_of_the_code(kind: str) -> None:
    (row,) = re.findall(rf"^\| `{kind}` \| (.*?) ?\|", README, flags=re.MULTILINE)
    shown = dict(re.findall(r"`(\w+)`: `?([\w ]+)`?", row))
    assert {*shown} == {*KINDS[kind]}
    defaults = {one.name: one.default for one in fields(Fault)}
    assert {name: value for name, value in shown.items() if name != "message"} == {
        name: f"{defaults[name]:g}" if isinstance(defaults[name], float) else str(defaults[name])
        for name in KINDS[kind] - {"message"}
    }


@pytest.mark.parametrize("name", ["two_disk_ami.yml", "encrypted_ami.yml"])
def test_the_fixtures_of_the_package_are_named(name: str) -> None:
    assert f"| `{name}` |" in README
    assert (Path(fixtures.__file__).parent / name).is_file()
