# SPDX-License-Identifier: GPL-3.0-or-later

"""Every check is documented, and every name of a check that is used exists."""

from __future__ import annotations

import re
from pathlib import Path

from checks.catalogue import checks_of

CHECKOUT = Path(__file__).resolve().parents[3]
CHECKS = checks_of()


def test_the_table_for_contributors_lists_every_check():
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("| Check |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`.+?`) \|", table, flags=re.MULTILINE)
    assert [name for row in rows for name in re.findall(r"`([a-z0-9.-]+)`", row)] == list(CHECKS)


def test_the_makefile_names_checks_that_exist():
    text = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    commands = re.findall(r"-m checks(?: --target \w+)? ([a-z0-9. -]+)$", text, flags=re.MULTILINE)
    names = {name for command in commands for name in command.split()}
    assert {"ruff", "returns", "unit", "sanity"} <= names <= CHECKS.keys()
