# SPDX-License-Identifier: GPL-3.0-or-later

"""Architecture rules for imports, and a breach that each rule finds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.architecture import (
    GROUND,
    IMPURE_ROOMS,
    KINDS,
    KINDS_WITH_SUFFIX,
    MAY_USE,
    RULES,
    SHARED_ROOMS,
    SUBJECTS,
    UTILS,
    Source,
    read,
    violations,
)

CHECKOUT = Path(__file__).resolve().parents[2]
# Without these rooms, some rules would pass because there is nothing to check.
ROOMS = (
    *IMPURE_ROOMS,
    *(f"{UTILS}.{room}" for room in (*SHARED_ROOMS, *MAY_USE)),
    *(f"{UTILS}.{room}" for used in MAY_USE.values() for room in sorted(used)),
    *(f"{UTILS}.{file}" for file in ("aws.clients", "copy.flow", "copy.wait", "reports.html.render")),
    "plugins.modules",
)


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    """The collection's sources: parsing all of them takes seconds."""
    return read(CHECKOUT)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_the_collection_keeps_the_rule(rule, sources):
    assert violations(rule, sources) == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_exists(room, sources):
    assert [source.module for source in sources if f"{source.module}.".startswith(f"{room}.")]


def test_every_name_of_the_vocabulary_is_used(sources):
    files = {source.module.removeprefix(f"{UTILS}.") for source in sources}
    subjects = {f"{folder}.{name}".strip(".") for folder, names in SUBJECTS.items() for name in names}
    assert sorted({*subjects, *filter(None, SUBJECTS)} - files) == []
    used = {file.rpartition(".")[2] for file in files if "." in file}
    assert [kind for kind in (*KINDS, *KINDS_WITH_SUFFIX) if kind not in used] == []


def test_contributing_says_what_each_kind_of_file_holds():
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("| Name | What it holds |")[2].partition("\n\n")[0]
    names = [name for row in table.splitlines()[2:] for name in re.findall(r"`([\w*]+)`", row.split("|")[1])]
    assert sorted(name for name in names if "*" not in name) == sorted((*KINDS, *KINDS_WITH_SUFFIX))
    assert sorted(name for name in names if "*" in name) == [f"{kind}_*" for kind in KINDS_WITH_SUFFIX]
    (ground,) = re.findall(r"the files of `plugins/module_utils` itself: .*", text)
    assert sorted(re.findall(r"`(\w+)`", ground)) == sorted({*GROUND} - {"variables"})


def test_an_empty_folder_is_an_error(tmp_path):
    (tmp_path / "plugins").mkdir()
    with pytest.raises(AssertionError, match="no Python below"):
        read(tmp_path)


BREACHES = [
    ("file_names", "module_utils/copy/helpers.py", "", "is named helpers"),
    ("file_names", "module_utils/copy/planning.py", "", "is named planning"),
    ("file_names", "module_utils/copy/stages.py", "", "is named stages"),
    ("file_names", "module_utils/copy/plan_keys.py", "", "is named plan_keys"),
    ("file_names", "module_utils/read.py", "", "is named read"),
    ("file_names", "module_utils/new_file.py", "", "is named new_file"),
    ("file_names", "module_utils/new_room/flow.py", "", "is in the folder new_room"),
    ("file_names", "module_utils/new_room/__init__.py", "", "is named new_room"),
    ("file_names", "module_utils/copy/report/flow.py", "", "is in the folder copy.report"),
    ("impure_imports", "module_utils/model.py", "import boto3", "imports boto3"),
    ("impure_imports", "module_utils/model.py", "import time", "imports time"),
    ("impure_imports", "module_utils/plan.py", "from threading import Lock", "imports threading"),
    ("impure_imports", "module_utils/copy/plan.py", "import socket", "imports socket"),
    (
        "impure_imports",
        "module_utils/copy/plan.py",
        "from ..aws import read",
        "imports plugins.module_utils.aws",
    ),
    (
        "impure_imports",
        "module_utils/copy/__init__.py",
        "from .. import fanout",
        "plugins.module_utils.fanout",
    ),
    ("impure_imports", "module_utils/copy/plan.py", "def f():\n    import yaml", "imports yaml"),
    (
        "impure_imports",
        "module_utils/failures.py",
        "from ansible.module_utils import basic",
        "imports ansible",
    ),
    ("impure_imports", "module_utils/reports/values.py", "import jinja2", "imports jinja2"),
    # Standard library modules are refused unless they are known to be harmless.
    ("impure_imports", "module_utils/copy/plan.py", "import sqlite3", "imports sqlite3"),
    ("impure_imports", "module_utils/model.py", "from posix import open as f", "imports posix"),
    ("impure_imports", "module_utils/copy/plan.py", "import urllib.request", "imports urllib.request"),
    # A new file or directory is pure unless its name is that of an impure one.
    ("impure_imports", "module_utils/new_room/decisions.py", "import boto3", "imports boto3"),
    ("impure_imports", "module_utils/new_file.py", "import os", "imports os"),
    (
        "impure_imports",
        "module_utils/copy/plan.py",
        "from .wait import until",
        "imports plugins.module_utils.copy.wait",
    ),
    (
        "clocks",
        "module_utils/copy/plan.py",
        "import datetime as d\nd.datetime.now()",
        "uses .now in line 2",
    ),
    (
        "clocks",
        "module_utils/plan.py",
        "from datetime import date\ndate.today()",
        "uses .today in line 2",
    ),
    (
        "clocks",
        "module_utils/copy/plan.py",
        "from datetime import datetime\nclock = datetime.now",
        "uses .now in line 2",
    ),
    ("builtins", "module_utils/copy/plan.py", "def f(path):\n    return open(path)", "uses open in line 2"),
    ("builtins", "module_utils/model.py", "print('x')", "uses print in line 1"),
    ("builtins", "module_utils/copy/state.py", "asked = input()", "uses input in line 1"),
    ("builtins", "module_utils/new_room/decisions.py", "opened = open", "uses open in line 1"),
    ("builtins", "module_utils/copy/checks.py", "exec('import os')", "uses exec in line 1"),
    ("aws_sdk", "module_utils/runner.py", "import boto3", "imports boto3"),
    ("aws_sdk", "module_utils/aws/read.py", "import botocore", "imports botocore"),
    (
        "aws_sdk",
        "module_utils/copy/flow.py",
        "from botocore.config import Config",
        "imports botocore.config",
    ),
    (
        "aws_sdk",
        "modules/ami_share.py",
        "try:\n    import boto3\nexcept ImportError:\n    boto3 = 0",
        "boto3",
    ),
    ("threads", "module_utils/aws/wait.py", "import threading", "imports threading"),
    ("threads", "module_utils/aws/pace.py", "from threading import Thread", "imports threading.Thread"),
    (
        "threads",
        "module_utils/runner.py",
        "from concurrent.futures import Future",
        "imports concurrent.futures",
    ),
    ("threads", "module_utils/copy/flow.py", "import queue", "imports queue"),
    ("module_object", "module_utils/copy/flow.py", "def f(m):\n    m.fail_json(msg='')", "uses .fail_json"),
    ("module_object", "module_utils/aws/read.py", "def f(m):\n    m.fail_json_aws(1)", "uses .fail_json_aws"),
    ("module_object", "modules/ami_share.py", "def f(m):\n    m.exit_json()", "uses .exit_json in line 2"),
    ("module_object", "module_utils/plan.py", "def f(m):\n    return m.check_mode", "uses .check_mode"),
    ("module_object", "module_utils/plan.py", "def f(m):\n    return m._diff", "uses ._diff"),
    (
        "ansible_below_runner",
        "module_utils/fanout.py",
        "import ansible.module_utils.basic",
        "imports ansible",
    ),
    (
        "ansible_below_runner",
        "module_utils/aws/clients.py",
        "from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule",
        "imports ansible_collections.amazon.aws",
    ),
    (
        "upwards",
        "module_utils/aws/read.py",
        "from ..runner import run",
        "imports plugins.module_utils.runner",
    ),
    (
        "upwards",
        "module_utils/organization/inventory.py",
        "from ...inventory import accounts",
        "imports plugins.inventory",
    ),
    (
        "upwards",
        "module_utils/aws/read.py",
        "from ...modules import ami_share",
        "imports plugins.modules",
    ),
    (
        "upwards",
        "module_utils/fanout.py",
        "from ansible_collections.golden.images.plugins.module_utils.runner import run",
        "imports plugins.module_utils.runner",
    ),
    (
        "between_capabilities",
        "module_utils/copy/state.py",
        "from ..share.plan import plan",
        "imports plugins.module_utils.share.plan",
    ),
    (
        "between_capabilities",
        "module_utils/new_room/flow.py",
        "from ..audit import plan",
        "imports plugins.module_utils.audit.plan",
    ),
    (
        "between_capabilities",
        "module_utils/audit/report/flow.py",
        "from ...remediation.state import Task",
        "imports plugins.module_utils.remediation.state",
    ),
    (
        "shared_knows_no_capability",
        "module_utils/aws/read.py",
        "from ..copy.state import CopyWanted",
        "imports plugins.module_utils.copy.state",
    ),
    (
        "shared_knows_no_capability",
        "module_utils/arguments.py",
        "from .audit import state",
        "imports plugins.module_utils.audit.state",
    ),
    ("logic_in_modules", "modules/ami_share.py", "import re", "imports re"),
    (
        "absolute_imports",
        "module_utils/copy/flow.py",
        "from ansible_collections.golden.images.plugins.module_utils.plan import Plan",
        "imports ansible_collections.golden.images",
    ),
    ("hidden_imports", "module_utils/plan.py", "__import__('boto3')", "calls __import__ in line 1"),
    ("hidden_imports", "module_utils/copy/flow.py", "import importlib", "imports importlib"),
    (
        "emulators",
        "module_utils/aws/clients.py",
        "URL = 'http://localhost:5000'",
        "mentions http://localhost",
    ),
    ("emulators", "module_utils/aws/read.py", "# Moto answers otherwise", "mentions Moto"),
    ("emulators", "modules/ami_share.py", "FOR = 'the simulated AWS'", "mentions simulated"),
]
RULE_OF = {rule.__name__: rule for rule in RULES.values()}


@pytest.mark.parametrize(("rule", "path", "code", "found"), BREACHES)
def test_a_breach_is_found(rule, path, code, found, tmp_path):
    _write(tmp_path, path, code)
    assert [what for what in violations(RULE_OF[rule], read(tmp_path)) if found in what]


def test_every_rule_has_a_breach():
    assert {rule for rule, *_ in BREACHES} == set(RULE_OF)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (
            "module_utils/copy/plan.py",
            "import hashlib\nfrom datetime import datetime, UTC\nfrom ..plan import Plan",
        ),
        ("module_utils/copy/plan.py", "from . import tags\nfrom .. import model"),
        ("module_utils/copy/plan.py", "def age(wanted, image):\n    return wanted.now - image.made"),
        ("module_utils/copy/plan.py", "def f(clients):\n    clients.open('ec2')"),
        ("module_utils/cleanup/write_tombstones.py", "def f(path):\n    return open(path)"),
        (
            "module_utils/aws/sdk.py",
            "import boto3\nfrom botocore.config import Config",
        ),
        (
            "module_utils/reports/html/render.py",
            "try:\n    import jinja2\n    from markupsafe import Markup\nexcept ImportError:\n    pass",
        ),
        ("module_utils/aws/pace.py", "from threading import Lock"),
        ("plugin_utils/runs_here.py", "from importlib.util import find_spec"),
        (
            "module_utils/restore/plan.py",
            "from ..cleanup.tombstone import Tombstone\nfrom ..keys import access",
        ),
        ("module_utils/copy/read_source.py", "from time import monotonic\nfrom ..aws import read"),
        ("module_utils/fanout.py", "import queue\nimport threading\nfrom time import monotonic"),
        ("module_utils/copy/flow.py", "import os\nfrom ..aws import read\nfrom ..runner import Flow"),
        ("module_utils/runner.py", "from ansible.module_utils import basic\ndef f(m):\n    m.exit_json()"),
        (
            "modules/ami_share.py",
            "from ansible_collections.golden.images.plugins.module_utils.runner import run",
        ),
        ("action/ami_share.py", "import threading\nfrom ansible.plugins.action import ActionBase"),
    ],
)
def test_allowed_code_breaks_no_rule(path, code, tmp_path):
    _write(tmp_path, path, code)
    assert [found for rule in RULES.values() for found in violations(rule, read(tmp_path))] == []


def _write(root: Path, path: str, code: str) -> None:
    file = root / "plugins" / path
    file.parent.mkdir(parents=True)
    file.write_text(code, encoding="utf-8")
