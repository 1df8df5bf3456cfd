# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of AWX with the answers of a survey to all questions, which are text, and blank where one is omitted.

Ansible types this text again: digits become numbers, and blank text null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks.variables import Role, roles
from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import HOME, OWNER, Fixture
from .playbook import CHECKOUT, Ansible
from .survey import Builders
from .survey_auditing import ADOPTION, AUDIT, MONITOR, REMEDIATE
from .survey_cleanup import CLEANUP, RESTORE
from .survey_distribute import DISTRIBUTE
from .survey_sharing import DIAGNOSE, PUBLISH, RECALL, REFRESH, ROLLBACK, SHARE, UNSHARE, VERIFY

JOBS: Mapping[str, Builders] = {
    "adoption": ADOPTION,
    "audit": AUDIT,
    "cleanup": CLEANUP,
    "diagnose": DIAGNOSE,
    "distribute": DISTRIBUTE,
    "monitor": MONITOR,
    "publish": PUBLISH,
    "recall": RECALL,
    "refresh": REFRESH,
    "remediate": REMEDIATE,
    "restore": RESTORE,
    "rollback": ROLLBACK,
    "share": SHARE,
    "unshare": UNSHARE,
    "verify": VERIFY,
}


@cache
def _declared() -> dict[str, Role]:
    """The roles by name: read in a test, since each process collects this file."""
    return {role.name: role for role in roles()}


def _as_text(value: Any) -> str:
    """Lists by lines, mappings as YAML, all with surrounding space, and words in upper case.

    Of all forms of an answer, this one differs most from the value. The unit tests cross every variable with
    every form.
    """
    if isinstance(value, list) and not any(isinstance(item, dict) for item in value):
        return "".join(f"{item} \n" for item in value)
    if isinstance(value, (dict, list)):
        return yaml.safe_dump(value)
    return f" {str(value).upper() if isinstance(value, bool) else value}\n"


def _cases() -> Iterator[Any]:
    """Each role's main job; and each night its other jobs, whose variables the main one cannot have."""
    for role, jobs in sorted(JOBS.items()):
        for number, name in enumerate(jobs):
            marks = [pytest.mark.nightly] if number else [pytest.mark.quick, pytest.mark.per_python]
            yield pytest.param(role, name, id=f"{role}-{name}", marks=marks)


@pytest.mark.parametrize(("role", "name"), [*_cases()])
def test_every_variable_can_be_an_answer(role: str, name: str, aws: SimulatedAws, tmp_path: Path) -> None:
    job = JOBS[role][name](aws, tmp_path)
    aws.clear_calls()
    ansible = Ansible(job.fixture.environment(OWNER), tmp_path)
    # A question that is not answered, of which AWX has stored a blank default.
    blank = dict.fromkeys(_declared()[role].options, "")
    assert job.values.keys() <= blank.keys()
    answers = {variable: _as_text(value) for variable, value in job.values.items()}

    run = ansible.job(job.playbook, blank | answers)

    assert run.code == 0, run.text
    job.check(run)
    shown = "\n".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("artifacts/stdout"))
    # The page of a job in AWX: Ansible's output, with the lines that end it.
    *_of_sources, result = (task for task in run.tasks if task.action == "golden.images.role_result")
    assert f"\n{result.result['text'].strip()}\n" in shown.replace("\r\n", "\n")
    assert not any(secret in shown for secret in job.secrets)
    assert [*run.artifacts] == [f"{role}_artifacts"]
    assert {*run.artifacts[f"{role}_artifacts"]} == _documented()[role] | job.artifacts


@pytest.mark.quick
@pytest.mark.parametrize("role", sorted(JOBS))
def test_every_variable_has_another_value_than_its_default_in_a_job(
    role: str, aws: SimulatedAws, tmp_path: Path
) -> None:
    given = set()
    for number, build in enumerate(JOBS[role].values()):
        aws.reset()
        folder = tmp_path / str(number)
        folder.mkdir()
        given |= {
            name
            for name, value in build(aws, folder).values.items()
            if value not in ("", _declared()[role].options[name].get("default"))
        }
    assert given == {*_declared()[role].options}


def _documented() -> dict[str, set[str]]:
    """The keys of each role's artifacts in docs/results.md, without those that only some runs have."""
    text = (CHECKOUT / "docs" / "results.md").read_text(encoding="utf-8")
    _before, _head, table = text.partition("| Statistic | Key | Value |\n|---|---|---|\n")
    keys: dict[str, set[str]] = {role: set() for role in _declared()}
    of: list[str] = []
    for row in table.partition("\n\n")[0].splitlines():
        roles, names, value = (cell.strip() for cell in row.strip("|").split("|", 2))
        if roles:
            of = [*keys] if roles == "all" else re.findall(r"`([a-z]+?)(?:_artifacts)?`", roles)
        if "only with `distribute_sources`" not in value and "missing if there are none" not in value:
            for role in of:
                keys[role] |= {*re.findall(r"`(\w+)`", names)}
    return keys


def test_every_role_has_jobs() -> None:
    assert {*JOBS} == {*_declared()}


def test_an_answer_that_ansible_destroyed_is_refused_with_its_remedy(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    answers = {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": "",
        "distribute_account_ids": "012345671234",
        "distribute_name": "1.10",
        "distribute_external_id": "1.10",
        "distribute_copy_into_accounts": "perhaps",
    }
    run = ansible.job("golden.images.distribute_ami", answers)
    assert run.code != 0
    message = run.task("Read the variables").result["msg"]
    assert "distribute_regions: it is required and not set." in message
    assert "(012345671234 becomes 1402434204). Write 12 digits in double quotes, in a survey too" in message
    assert "distribute_name: YAML reads this as a number, 1.1" in message
    assert "distribute_external_id: YAML reads the value as a number, perhaps not as it was" in message
    assert "distribute_copy_into_accounts: must be true or false (got 'perhaps')." in message
    assert observed.changes(aws) == []
    assert aws.calls() == []
