# SPDX-License-Identifier: GPL-3.0-or-later

"""What py-spy's stacks are counted as."""

from __future__ import annotations

import pytest

from tests.benchmark import profile

SITE = "/venv/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("frames", "what"),
    [
        (["process 7:\"python ansible-playbook\""], "starting and ending processes"),
        (["run (ansible/cli.py:1)", "_find_and_load (<frozen importlib._bootstrap>:2)"],
         "importing Python modules"),
        (["_compile_source (<frozen zipimport>:695)", "x (<frozen importlib._bootstrap>:2)"],
         "compiling modules from their archive"),
        ([f"plan ({SITE}/ansible_collections/golden/images/plugins/x.py:1)", "dumps (json/__init__.py:3)"],
         "YAML and JSON"),
        ([f"run ({SITE}/ansible/executor.py:1)", f"_parse ({SITE}/botocore/parsers.py:9)"],
         "XML of AWS's answers"),
        ([f"plan ({SITE}/ansible_collections/golden/images/plugins/x.py:1)"], "golden.images"),
        ([f"{name} ({SITE}/ansible_collections/golden/images/plugins/module_utils/_fanout.py:1)"
          for name in ("_work", "_run_worker")],
         "waiting for other threads and processes"),
        ([f"{name} ({SITE}/ansible_collections/golden/images/plugins/module_utils/_fanout.py:1)"
          for name in ("_run_worker", "_work")],
         "golden.images"),
        ([f"run ({SITE}/ansible/executor.py:1)"], "Ansible: the rest"),
        (["main (/usr/bin/tool.py:1)"], profile.OTHER),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_kind(frames: list[str], what: str) -> None:
    assert profile.kind(frames) == what


def test_shares_are_those_of_all_samples() -> None:
    stacks = profile.read(['process 1:"a b" 3', "process 1;main (/usr/bin/tool.py:1) 1"])
    assert profile.shares(stacks) == {"starting and ending processes": 0.75, profile.OTHER: 0.25}
