# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time goes: py-spy's samples of all processes of a command, by what they run."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from checks.paths import CHECKOUT
from simulated_aws.client import SimulatedAws
from tests.integration.playbook import Ansible

from . import adoption, audit, diagnosis, distribution, releases, tools
from .fixtures import HOME, OTHER_REGIONS, OWNER, fixture
from .measuring import LATENCY, Scale, command
from .playbook import users_environment

FOLDER = CHECKOUT / ".cache" / "benchmark"
"""The directory of the samples, as py-spy and flame graph tools read them: a stack and a number a line."""
OTHER = "other"
_RATE = 200
"""Samples a second of each process."""
# The first that fits a frame counts, from the innermost frame on; an import counts as such, whatever it runs.
_IMPORT = re.compile(r"<frozen importlib\._bootstrap")
_COMPILE = re.compile(r"_compile_source \(<frozen zipimport>")
_KINDS = (
    ("XML of AWS's answers", re.compile(r"xml[/.]|botocore/parsers")),
    ("waiting for AWS, HTTP", re.compile(r"urllib3/|http/client|\bssl\.py|socket\.py|botocore/httpsession")),
    (
        "botocore: clients and models",
        re.compile(r"botocore/(loaders|model|session|client|regions|endpoint_provider)"),
    ),
    ("botocore: requests", re.compile(r"botocore/|boto3/|s3transfer/")),
    # py-spy counts some waits as work: those for a call's turn at AWS's rate, an item, and its result.
    (
        "waiting for other threads and processes",
        re.compile(
            r"_wait_on_pending_results|_recv|subprocess\.py"
            r"|\b(before|_next_finished|_run_worker) \(.*golden/images"
        ),
    ),
    ("golden.images", re.compile(r"golden/images|ansible_collections/golden")),
    ("templates", re.compile(r"jinja2/|_templating|ansible/template")),
    ("YAML and JSON", re.compile(r"yaml/|json/")),
    ("Ansible: building modules", re.compile(r"module_common|zipfile")),
    ("Ansible: the rest", re.compile(r"ansible/|ansible_collections/")),
)


def profiles(aws: SimulatedAws, scale: Scale) -> dict[str, dict[str, float]]:
    """The profile of each command: the share of its samples by what ran."""
    commands: Mapping[str, Callable[[], Counter[str]]] = {
        "start of a module": lambda: _module(aws),
        "repeat of a distribution, 8 × 50, encrypted": lambda: _repeat(aws, scale),
        "audit of 10,000 images": lambda: _audit(aws, scale),
        "adoption at the depth launches, 200 × 5": lambda: _launches(aws, scale),
        "verification, 200 × 5": lambda: _verification(aws, scale),
    }
    return {name: shares(profile()) for name, profile in commands.items()}


def shares(stacks: Mapping[str, int]) -> dict[str, float]:
    """The share of the samples by what runs, the largest first; of stacks as py-spy writes them."""
    found: Counter[str] = Counter()
    for stack, count in stacks.items():
        found[kind(stack.split(";"))] += count
    return {what: count / found.total() for what, count in found.most_common()}


def kind(frames: Iterable[str]) -> str:
    """What a stack runs, given its frames from the outermost to the innermost."""
    listed = [frame for frame in frames if not frame.startswith("process ")]
    if not listed:
        return "starting and ending processes"
    if any(_COMPILE.search(frame) for frame in listed):
        return "compiling modules from their archive"
    if any(_IMPORT.search(frame) for frame in listed):
        return "importing Python modules"
    for frame in reversed(listed):
        for what, pattern in _KINDS:
            if pattern.search(frame):
                return what
    return OTHER


def read(lines: Iterable[str]) -> Counter[str]:
    """The samples by stack."""
    found: Counter[str] = Counter()
    for line in lines:
        stack, _space, count = line.rpartition(" ")
        found[stack] += int(count)
    return found


def _module(aws: SimulatedAws) -> Counter[str]:
    aws.reset()
    aws.load_fixture(fixture(accounts=1))
    share = {"images": {OTHER_REGIONS[0]: None}, "account_ids": ["200000000000"]}
    task = {"name": "share", "golden.images.ami_share": share, "check_mode": True}
    return _profile(aws, "start", [task])


def _repeat(aws: SimulatedAws, scale: Scale) -> Counter[str]:
    case = distribution.Case(scale.size(8, 2), scale.size(50, 3), encrypted=True)
    given = distribution.prepare(aws, case)
    distribution.golden(aws, given)
    return _profile(aws, "repeat", "golden.images.distribute_ami", given)


def _audit(aws: SimulatedAws, scale: Scale) -> Counter[str]:
    planted = audit.plant_in(aws, (HOME, *OTHER_REGIONS[: scale.size(19, 1)]), scale.size(500, 60))
    aws.set_latency(LATENCY)
    given = {f"audit_{name}": value for name, value in planted.options.items()}
    return _profile(aws, "audit", "golden.images.audit_ami_sharing", given)


def _launches(aws: SimulatedAws, scale: Scale) -> Counter[str]:
    built = releases.build(aws, *_targets(scale))
    adoption.use(aws, built)
    given = adoption.variables(built, {"depth": "launches"})
    return _profile(aws, "launches", "golden.images.report_adoption", given)


def _verification(aws: SimulatedAws, scale: Scale) -> Counter[str]:
    built = diagnosis.build(aws, *_targets(scale))
    options = {"account_ids": built.account_ids, "level": diagnosis.LEVEL}
    given = diagnosis.variables(built, "verify", options)
    return _profile(aws, "verification", "golden.images.verify_ami", given)


def _targets(scale: Scale) -> tuple[int, int]:
    """The accounts and the regions."""
    return scale.size(200, 2), scale.size(5, 2)


def _profile(
    aws: SimulatedAws, name: str, playbook: str | list[dict[str, Any]], given: Mapping[str, Any] | None = None
) -> Counter[str]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    samples = FOLDER / f"{name}.stacks"
    with tempfile.TemporaryDirectory() as folder:
        ansible = Ansible(aws.environment(OWNER), Path(folder))
        target = playbook if isinstance(playbook, str) else str(ansible.write_play(playbook))
        variables = Path(folder, "variables.json")
        variables.write_text(json.dumps(given or {}), encoding="utf-8")
        recorded = (
            *("record", "--subprocesses", "--format", "raw", "--full-filenames"),
            *("--rate", str(_RATE), "--output", str(samples)),
        )
        command(
            users_environment(ansible),
            [tools.program("py-spy"), *recorded, "--", "ansible-playbook", target, "-e", f"@{variables}"],
        )
    return read(samples.read_text(encoding="utf-8").splitlines())
