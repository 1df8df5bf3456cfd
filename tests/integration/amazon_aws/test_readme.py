# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook in the README of the simulated AWS works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from simulated_aws.client import SimulatedAws

from ..playbook import CHECKOUT, Ansible


def test_the_playbook_shares_the_image(aws: SimulatedAws, tmp_path: Path) -> None:
    text = (CHECKOUT / "simulated_aws" / "README.md").read_text(encoding="utf-8")
    section = text.partition("## From your playbook\n")[2].partition("\n## ")[0]
    fixture, playbook = re.findall(r"^```yaml\n(.*?)^```$", section, flags=re.DOTALL | re.MULTILINE)
    loaded = aws.load_fixture(yaml.safe_load(fixture))
    (tmp_path / "share.yml").write_text(playbook, encoding="utf-8")
    run = Ansible(aws.environment("build"), tmp_path).run(tmp_path / "share.yml", {})
    assert run.code == 0, run.text
    shared = aws.client("ec2", "web").describe_images(ExecutableUsers=["self"])["Images"]
    assert [image["ImageId"] for image in shared] == [loaded["images"]["golden"]["image_id"]]
