# SPDX-License-Identifier: GPL-3.0-or-later

"""The type of credentials that assume a role: jobs act as the role, with what AWX makes of the type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import sandbox

from simulated_aws.client import SimulatedAws

from ..fixture import HOME, OWNER, Fixture
from ..playbook import CHECKOUT, Ansible
from .test_release import Loader

pytestmark = pytest.mark.nightly

_ROLE, _MACHINE, _EXTERNAL_ID = "golden-release", "partner", "golden-7f3a"


def _inject(inputs: dict[str, str], folder: Path) -> dict[str, str]:
    """The environment of a job with such a credential.

    awx/main/models/credential.py of AWX 24.6.1, CredentialType.inject_credential.
    """
    text = (CHECKOUT / "awx" / "credential_type.yml").read_text(encoding="utf-8")
    injectors: dict[str, Any] = yaml.load(text, Loader)["setup__role_type_injectors"]
    environment = sandbox.ImmutableSandboxedEnvironment()
    path = folder / "credential"
    path.write_text(environment.from_string(injectors["file"]["template"]).render(**inputs), encoding="utf-8")
    tower = {"filename": str(path)}
    return {
        name: environment.from_string(template).render(**inputs, tower=tower)
        for name, template in injectors["env"].items()
    }


def test_a_job_acts_as_the_role(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    role = {"accounts": [OWNER], "trusts": [_MACHINE], "external_id": _EXTERNAL_ID}
    arn = fixture.add(roles={_ROLE: role})["roles"][_ROLE][OWNER]
    machine = fixture.environment(_MACHINE)
    keys = {
        "access_key": machine.pop("AWS_ACCESS_KEY_ID"),
        "secret_key": machine.pop("AWS_SECRET_ACCESS_KEY"),
    }
    injected = _inject({"role_arn": arn, "external_id": _EXTERNAL_ID, **keys}, tmp_path)
    ansible = Ansible({**machine, **injected}, tmp_path)
    audited = ansible.run("golden.images.audit_ami_sharing", {"audit_regions": [HOME]})
    assert audited.code == 0, audited.text
    account = aws.account_id(OWNER)
    assert f"Audit of account {account}" in audited.task("Show the result").result["text"]
    (assumed,) = {call.parameters["RoleArn"] for call in aws.calls(action="AssumeRole")}
    assert assumed == arn


def test_without_an_access_key_the_machine_assumes_the_role(tmp_path: Path) -> None:
    written = Path(_inject({"role_arn": "arn:aws:iam::111122223333:role/r"}, tmp_path)["AWS_CONFIG_FILE"])
    assert written.read_text(encoding="utf-8").split("\n") == [
        "[default]",
        "role_arn = arn:aws:iam::111122223333:role/r",
        "role_session_name = golden-images",
        "credential_source = Ec2InstanceMetadata",
        "",
    ]
