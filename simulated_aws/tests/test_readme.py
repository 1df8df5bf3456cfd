# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README shows works as it stands there, in an empty folder."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from simulated_aws import fixtures
from simulated_aws.client import SimulatedAws

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
    images, code = blocks("From your pytest", "python")
    (tmp_path / "test_images.py").write_text(images, encoding="utf-8")
    (tmp_path / "test_code.py").write_text(code, encoding="utf-8")
    said = run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider", "test_images.py", "test_code.py")
    assert "2 passed" in said


def test_the_first_test_has_ten_lines() -> None:
    lines = blocks("From your pytest", "python")[0].splitlines()
    assert len([line for line in lines if line]) == 10


def test_the_client_is_used_so(tmp_path: Path) -> None:
    (block,) = blocks("In Python", "python")
    run(tmp_path, "-c", block)


def test_the_fixture_of_the_playbook_loads(server: SimulatedAws) -> None:
    server.reset()
    loaded = server.load_fixture(yaml.safe_load(blocks("From your playbook", "yaml")[0]))
    assert {*loaded["accounts"]} == {"build", "web"}
    assert {*loaded["images"]} == {"golden"}


@pytest.mark.parametrize("name", ["two_disk_ami.yml", "encrypted_ami.yml"])
def test_the_fixtures_of_the_package_are_named(name: str) -> None:
    assert f"| `{name}` |" in README
    assert (Path(fixtures.__file__).parent / name).is_file()
