# SPDX-License-Identifier: GPL-3.0-or-later

"""Tools of the environment are run by their names, other programs by their paths."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from checks.commands import CheckError, run


def test_quiet_output_is_returned(capfd: pytest.CaptureFixture[str]):
    assert run("python", "-c", "print('said')", quiet=True) == "said\n"
    assert capfd.readouterr().out == ""


def test_other_output_passes_through(capfd: pytest.CaptureFixture[str]):
    assert run("python", "-c", "print('said')") == ""
    assert capfd.readouterr().out == "said\n"


def test_a_failure_shows_the_output_and_names_the_command(capfd: pytest.CaptureFixture[str]):
    with pytest.raises(CheckError, match=r"^python -c .* ended with status 3$"):
        run("python", "-c", "import sys; print('why'); sys.exit(3)", quiet=True)
    assert capfd.readouterr().out == "why\n"


def test_the_folder_and_the_variables_of_a_command(tmp_path: Path):
    script = "import os; print(os.getcwd(), os.environ['NAME'])"
    assert run(sys.executable, "-c", script, cwd=tmp_path, env={"NAME": "web"}, quiet=True) == (
        f"{tmp_path} web\n"
    )
