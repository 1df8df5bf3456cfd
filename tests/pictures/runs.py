# SPDX-License-Identifier: GPL-3.0-or-later
"""Real playbooks on the realistic fixture: their reports, and their output on a terminal."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from simulated_aws.client import SimulatedAws
from simulated_aws.fixtures.realistic import CONSUMERS, EXTERNAL_ID, OWNER, REGIONS, ROLE, realistic_fixture
from tests.integration.playbook import Ansible

from .terminal import written

COMMAND = ("ansible-playbook", "-i", "localhost,", "golden.images.distribute_ami", "-e", "@my-vars.yml")
SCREEN = "distribute.txt"
_SOURCE = "golden-web-2026.11.1 us-east-1"
# A distribution to 24 accounts in 8 regions with a verification takes minutes on a slow machine.
_TIMEOUT = 1200
_PRICES = {"default": 0.05, "sa-east-1": 0.068}


def reports(folder: Path) -> dict[str, Path]:
    """Run the playbooks, and return the pages of their reports in ``folder`` by name."""
    with SimulatedAws.start(realistic_fixture(datetime.now(UTC))) as aws:
        aws.set_throttling(False)
        ansible = Ansible(aws.environment(OWNER), folder)
        ansible.timeout = _TIMEOUT
        return {page.relative_to(folder).parts[0]: page for page in _pages(aws, ansible, folder)}


def _pages(aws: SimulatedAws, ansible: Ansible, folder: Path) -> Iterator[Path]:
    described = aws.description()
    ids = {name: account["account_id"] for name, account in described["accounts"].items()}
    consumers = [ids[name] for name in CONSUMERS]
    consuming = {"account_ids": consumers, "consumer_role_name": ROLE, "external_id": EXTERNAL_ID}
    names = {account_id: name for name, account_id in ids.items()}
    source = described["images"][_SOURCE]["image_id"]
    audit: dict[str, Any] = {
        "audit_regions": [*REGIONS],
        "audit_allowed_account_ids": consumers,
        "audit_allowed_org_arns": [described["organization"]["arn"]],
        "audit_allowed_org_unit_arns": [described["organization"]["units"]["workloads"]["arn"]],
    }
    audit["audit_account_names"] = names
    yield _page(ansible, "audit_ami_sharing", folder / "audit", "audit_report_dir", audit)
    cleanup = {
        "cleanup_regions": [*REGIONS],
        "cleanup_family_tag": "family",
        "cleanup_keep_latest": 4,
        "cleanup_max_deletions": "20%",
        "cleanup_deprecate_after_days": 30,
        "cleanup_disable_after_days": 30,
        "cleanup_deregister_after_days": 30,
        "cleanup_include_shared": True,
        "cleanup_trust_usage_reports": True,
        "cleanup_consumer_role_name": ROLE,
        "cleanup_external_id": EXTERNAL_ID,
        "cleanup_prices": _PRICES,
        "cleanup_account_names": names,
        "cleanup_tombstone_path": str(folder / "tombstones.json"),
    }
    yield _page(ansible, "cleanup_amis", folder / "cleanup-plan", "cleanup_report_dir", cleanup, "--check")
    distribute = {
        "distribute_source_image_id": source,
        "distribute_source_region": "us-east-1",
        "distribute_regions": [*REGIONS],
        "distribute_name": "golden-web-2026.11.2",
        "distribute_kms_key_id": "alias/golden",
        "distribute_verify_level": "authorized",
        "distribute_publish_parameter": "/golden/web",
        **{f"distribute_{name}": value for name, value in consuming.items()},
        "distribute_account_names": names,
    }
    yield _page_and_screen(ansible, folder / "distribute", distribute)
    verify = {
        "verify_images": {"us-east-1": source},
        "verify_account_names": names,
        **{f"verify_{name}": value for name, value in consuming.items()},
    }
    yield _page(ansible, "verify_ami", folder / "verify", "verify_report_dir", verify)


def _page(
    ansible: Ansible,
    playbook: str,
    folder: Path,
    option: str,
    variables: Mapping[str, Any],
    *options: str,
) -> Path:
    """Run a playbook that writes its report into a new directory, and return the page."""
    shutil.rmtree(folder, ignore_errors=True)
    run = ansible.run(f"golden.images.{playbook}", {**variables, option: str(folder)}, *options)
    return _only_page(folder, run.text)


def _page_and_screen(ansible: Ansible, folder: Path, variables: Mapping[str, Any]) -> Path:
    """Distribute with the README's command on a terminal; the file SCREEN gets the end of its output."""
    shutil.rmtree(folder, ignore_errors=True)
    variables = {**variables, "distribute_report_dir": str(folder)}
    (ansible.folder / "my-vars.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")
    own = {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "TERM": "xterm-256color"}
    environment = {name: value for name, value in ansible.environment.items() if name != "ANSIBLE_NOCOLOR"}
    output = written(COMMAND, ansible.folder, {**environment, **own})
    page = _only_page(folder, output)
    result = output[output.index("TASK [golden.images.distribute : Show the result]") :]
    # Tasks that follow show nothing.
    end = re.split(r"\n(?:TASK \[|PLAY RECAP)", result)[0].rstrip()
    # The picture shows no directory of this machine.
    text = f"$ {shlex.join(COMMAND)}\n…\n{end.replace(str(ansible.folder), '/var/lib/golden')}"
    (ansible.folder / SCREEN).write_text(text, encoding="utf-8")
    return page


def _only_page(folder: Path, output: str) -> Path:
    """The page in a directory, or in its one directory: a cleanup writes its plan into one of its own."""
    pages = [*folder.rglob("report.html")]
    if len(pages) != 1:
        raise RuntimeError(f"{folder.name} wrote {len(pages)} pages.\n{output[-3000:]}")
    return pages[0]
