# SPDX-License-Identifier: GPL-3.0-or-later

"""Artifacts override variables of the next job: no variable, fact or option has the name of one."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from ansible_collections.golden.images.plugins.action.role_result import PACKAGES

CHECKOUT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for folder in ("roles", "playbooks", "extensions")
    for path in (CHECKOUT / folder).rglob("*.yml")
    # The documentation names the artifacts.
    if path.name != "argument_specs.yml" and path.parent.name != "meta"
]


def test_no_task_reads_or_sets_an_artifact() -> None:
    name = re.compile(rf"\b({'|'.join(PACKAGES)})_artifacts\b")
    assert SOURCES
    assert [path for path in SOURCES if name.search(path.read_text(encoding="utf-8"))] == []


def test_no_option_of_a_role_has_the_name_of_its_artifacts_or_summary() -> None:
    specs = [
        yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in (CHECKOUT / "roles").glob("*/meta/argument_specs.yml")
    ]
    options = {name for spec in specs for name in spec["argument_specs"]["main"]["options"]}
    assert options
    assert not {f"{role}_{what}" for role in PACKAGES for what in ("artifacts", "summary")} & options
