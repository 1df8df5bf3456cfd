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

from .terminal import picture, written

_SOURCE = "golden-web-2026.11.1 us-east-1"
# A distribution to 24 accounts in 8 regions with a verification takes minutes on a slow machine.
_TIMEOUT = 1200
_PRICES = {"default": 0.05, "sa-east-1": 0.068}


def reports(folder: Path) -> dict[str, Path]:
    """Run the playbooks, and return the pages of their reports in ``folder`` by name.

    For each run, the file NAME.txt gets what it writes to a terminal, and NAME.svg a picture of that.
    """
    with SimulatedAws.start(realistic_fixture(datetime.now(UTC))) as aws:
        aws.set_throttling(False)
        ansible = Ansible(aws.environment(OWNER), folder)
        ansible.timeout = _TIMEOUT
        return {page.relative_to(folder).parts[0]: page for page in _pages(aws, ansible, folder)}


def end_of(output: str) -> str:
    """The command and the table at the end of what a distribution writes to a terminal."""
    command = output.partition("\n")[0]
    result = output[output.index("TASK [golden.images.distribute : Show the result]") :]
    # Tasks that follow show nothing.
    end = re.split(r"\n(?:TASK \[|PLAY RECAP)", result)[0].rstrip()
    return f"{command}\n…\n{end}"


def _pages(aws: SimulatedAws, ansible: Ansible, folder: Path) -> Iterator[Path]:
    described = aws.description()
    ids = {name: account["account_id"] for name, account in described["accounts"].items()}
    consumers = [ids[name] for name in CONSUMERS]
    consuming = {"account_ids": consumers, "consumer_role_name": ROLE, "external_id": EXTERNAL_ID}
    names = {account_id: name for name, account_id in ids.items()}
    source = described["images"][_SOURCE]["image_id"]
    allowed = {
        "regions": [*REGIONS],
        "allowed_account_ids": consumers,
        "allowed_org_arns": [described["organization"]["arn"]],
        "allowed_org_unit_arns": [described["organization"]["units"]["workloads"]["arn"]],
    }
    audit = {"audit_account_names": names, **{f"audit_{name}": value for name, value in allowed.items()}}
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
    yield _page(
        ansible, "cleanup_amis", folder / "cleanup-plan", "cleanup_report_dir", cleanup, "--check", "--diff"
    )
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
    _run(ansible, "distribute_ami", folder / "distribute-plan", distribute, "--check", "--diff")
    yield _page(ansible, "distribute_ami", folder / "distribute", "distribute_report_dir", distribute)
    verify = {
        "verify_images": {"us-east-1": source},
        "verify_account_names": names,
        **{f"verify_{name}": value for name, value in consuming.items()},
    }
    yield _page(ansible, "verify_ami", folder / "verify", "verify_report_dir", verify)
    diagnose = {
        "diagnose_images": {"us-east-1": source},
        "diagnose_account_ids": consumers,
        "diagnose_consumer_role_name": ROLE,
        "diagnose_external_id": EXTERNAL_ID,
    }
    _run(ansible, "diagnose_ami", folder / "diagnose", diagnose)
    remediate: dict[str, Any] = {
        "remediate_finding_codes": ["unknown_account", "public", "snapshot_public"],
        **{f"remediate_{name}": value for name, value in allowed.items()},
    }
    _run(ansible, "remediate_ami_sharing", folder / "remediate-refused", remediate, "--check", "--diff")
    remediate["remediate_max_removals"] = 20
    _run(ansible, "remediate_ami_sharing", folder / "remediate-plan", remediate, "--check", "--diff")
    unshare = {"unshare_images": {"us-east-1": source}, "unshare_account_ids": consumers[:3]}
    _run(ansible, "unshare_ami", folder / "unshare-plan", unshare, "--check", "--diff")


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
    return _only_page(folder, _run(ansible, playbook, folder, {**variables, option: str(folder)}, *options))


def _run(ansible: Ansible, playbook: str, folder: Path, variables: Mapping[str, Any], *options: str) -> str:
    """Run a playbook on a terminal with variables in a file, as README.md does; what the terminal shows."""
    (ansible.folder / "my-vars.yml").write_text(yaml.safe_dump(dict(variables)), encoding="utf-8")
    command = ("ansible-playbook", "-i", "localhost,", f"golden.images.{playbook}", "-e", "@my-vars.yml")
    own = {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "TERM": "xterm-256color"}
    environment = {name: value for name, value in ansible.environment.items() if name != "ANSIBLE_NOCOLOR"}
    output = written((*command, *options), ansible.folder, {**environment, **own})
    # The picture shows no directory of this machine.
    output = f"$ {shlex.join((*command, *options))}\n{output.replace(str(ansible.folder), '/var/lib/golden')}"
    folder.with_suffix(".txt").write_text(output, encoding="utf-8")
    folder.with_suffix(".svg").write_text(picture(output, folder.name), encoding="utf-8")
    return output


def _only_page(folder: Path, output: str) -> Path:
    """The page in a directory, or in its one directory: a cleanup writes its plan into one of its own."""
    pages = [*folder.rglob("report.html"), *folder.rglob("latest.html")]
    if len(pages) != 1:
        raise RuntimeError(f"{folder.name} wrote {len(pages)} pages.\n{output[-3000:]}")
    return pages[0]
