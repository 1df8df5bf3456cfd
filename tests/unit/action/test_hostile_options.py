# SPDX-License-Identifier: GPL-3.0-or-later

"""Every action without a module, with values that no option expects in every place of its options.

The result is a clear error or a harmless success: never an exception of Python, or its words.
"""

from __future__ import annotations

import gc
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.utils.display import Display

from tests.unit.hostile import VALUES, paths, removed, replaced
from tests.unit.tasks import make_task

from ..audit.examples import accounts, audit_of, under_key
from ..distribution.examples import EU, copied, reported, shared
from ..examples import CONSUMER
from ..kms_grant.examples import made, root
from ..test_hostile_options import complaints_in
from ..verification.examples import BATCH, WEB, module_result, seen, verified

pytestmark = pytest.mark.exhaustive

INPUTS = 300
"""For each action."""
IMAGE = "ami-0123456789abcdef0"
BUILD = {"name": "web", "builder_type": "x", "artifact_id": f"us-east-1:{IMAGE}", "packer_run_uuid": "run"}
_ROLE = {"region": "us-east-1", "task": "Create topic", "message": "No."}
AUDITED = audit_of(
    under_key(
        accounts(CONSUMER), made(root(CONSUMER)), volume_permissions={"snap-00000001": accounts(CONSUMER)}
    )
)
_KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"
_KEPT = {"image_ids": [IMAGE], "kms_key_arn": _KEY, "reason": "It is used.", "resource_ids": []}
_DEPENDENTS = [{"account_id": CONSUMER, "resource_ids": ["vol-1"]}]
_REVOKED = {
    "kept_access": [{"kms_keys": [_KEPT], "principals": [CONSUMER]}],
    "results": [{"kms_keys": [{"dependents": _DEPENDENTS, "kms_key_arn": _KEY}], "region": EU}],
    "unseen_accounts": [{"account_ids": [CONSUMER], "kms_key_arns": [_KEY], "reason": "Denied."}],
}
_REMOVAL = {
    "finding_codes": ["public"],
    "image_id": IMAGE,
    "message": "It is public.",
    "principal": "all",
    "region": EU,
    "resource": IMAGE,
}
_OF_ANSIBLE = re.compile(
    r"unable to convert|[Uu]nsupported parameters|missing required|must be (?:one of|a list of)"
)
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "distribution_files": [
        {"output_files": ["images.env"], "images": {EU: IMAGE}},
        {"output_files": ["images.json"], "images_by_source": {"web": {EU: IMAGE}}},
    ],
    "distribution_sources": [
        {"source_image_id": IMAGE, "source_region": EU, "tags": {"a": "b"}, "output_files": ["images.env"]},
        {
            "packer_manifest": "manifest.json",
            "packer_build": "web",
            "name": "golden",
            "report_dir": "reports",
        },
        {"source_filters": {"name": ["web-*"]}, "source_region": EU, "launch_templates": ["web"]},
        {
            "sources": {
                "web": {"source_image_id": IMAGE, "source_region": EU, "tags": {"a": "b"}},
                "db": {"packer_manifest": "manifest.json", "launch_templates": ["db"]},
            },
            "shared_tags": {"version": "1"},
        },
    ],
    "monitoring_check": [
        {
            "regions": [EU, "us-east-1"],
            "log_group_name": "aws-cloudtrail-logs/trail",
            "log_group_regions": ["us-east-1"],
            "metric_namespace": "Custom/EC2",
            "alarm_name": "AMI sharing",
            "rule_name": "golden-images-sharing",
            "topic_name": "golden-images-sharing",
            "queue_name": "golden-images",
            "subscriptions": [{"protocol": "email", "endpoint": "security@example.org"}],
            "kms_key_arns": ["arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
            "excluded_principal_arns": ["arn:aws:iam::111122223333:role/ci/golden"],
            "event_pattern": {"source": ["aws.ec2"], "detail": {"errorCode": [{"exists": False}]}},
            "filter_patterns": ["{ $.eventName = * }"],
        }
    ],
    "playbook_tags": [{}],
    "remediation_plan": [
        {"audit_result": AUDITED, "finding_codes": ["public"], "images": [IMAGE], "max_removals": 5},
        {
            "audit_result": AUDITED,
            "images": {EU: [IMAGE]},
            "expected_removals": [_REMOVAL],
            "revoke_results": [_REVOKED],
        },
    ],
    "role_result": [
        {
            "role": "distribute",
            "result": reported(copied(EU), {}, shared(EU)),
            "context": {
                "start_result": copied(EU),
                "copy_result": copied(EU),
                "wait_result": copied(EU),
                "grant_results": [{"results": [{"changed": True, "region": EU}]}],
                "share_result": {"actions": [{"action": "ModifyImageAttribute", "region": EU}]},
                "failed_tasks": [{"failed": True, "msg": "No."}],
            },
            "report_path": "report.json",
        },
        {
            "role": "monitor",
            "result": {
                "regions": [EU],
                "log_group_regions": [EU],
                "failures": [_ROLE],
                "pending_subscriptions": {EU: [{"protocol": "email", "endpoint": "a@example.org"}]},
                "state": "present",
                "unread_trails": {EU: ["arn:aws:cloudtrail:eu-west-1:123456789012:trail/all"]},
            },
        },
        {"role": "share", "result": shared(EU), "context": {"status": "shared"}},
        {
            "role": "publish",
            "result": {"results": [], "failures": []},
            "context": {"status": "published", "parameter": None},
        },
    ],
    "verification_by_host": [
        {
            "verify_result": module_result(
                verified("launched", [seen(WEB, EU, "launched"), seen(BATCH, EU, "visible")], regions=[EU])
            ),
            "hosts": {"web": [WEB], "batch": [BATCH]},
        }
    ],
}


def inputs(name: str) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Options of an action with a hostile value, or without one that they need, and its place."""
    random = Random(name)
    for number in range(INPUTS):
        options = random.choice(OPTIONS[name])
        listed = [*paths(options)] if number % 2 else [(option,) for option in options]
        path = random.choice(listed or [("unknown",)])
        if number % 11 == 0 and listed:
            yield path, removed(options, path)
        else:
            yield path, replaced(options, path, random.choice(VALUES))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A current directory with a Packer manifest; nothing is displayed."""
    monkeypatch.chdir(tmp_path)
    # To count what is frozen takes longer than a run: it visits the objects of all tests.
    monkeypatch.setattr(gc, "get_freeze_count", lambda: 1)
    monkeypatch.setattr(Display, "display", lambda *_arguments, **_options: None)
    manifest = {"builds": [BUILD], "last_run_uuid": "run"}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def run(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """The result of the action in check mode, which writes no file; Ansible's errors are failures."""
    plugin = importlib.import_module(f"ansible_collections.golden.images.plugins.action.{name}")
    task = make_task(
        action=f"golden.images.{name}",
        args=options,
        check_mode=True,
        get_play=lambda: SimpleNamespace(_included_path=None),
    )
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    loader = SimpleNamespace(get_basedir=Path.cwd)
    variables = {"ansible_run_tags": ["all"], "ansible_skip_tags": []}
    # The option names a variable, and the variable has the value.
    if "audit_result" in options:
        variables["audited"] = options["audit_result"]
        task.args = {**options, "audit_result": "audited"}
    try:
        return dict(plugin.ActionModule(task, connection, None, loader, None, None).run(task_vars=variables))
    except AnsibleError as error:
        return {"failed": True, "msg": str(error)}


@pytest.mark.parametrize("name", OPTIONS)
def test_hostile_options_have_a_clear_error(name: str) -> None:
    found: list[str] = []
    for path, options in inputs(name):
        place = ".".join(map(str, path))
        try:
            result = run(name, options)
        except Exception as exception:  # noqa: BLE001
            found.append(f"{place}: {exception!r:.300}")
            continue
        texts = [f"{one['message']} {one['remedy']}" for one in result.get("failures", ())]
        # The words of Ansible's own checks of the argument spec are Ansible's.
        if result.get("failed") and not texts and not _OF_ANSIBLE.search(result["msg"]):
            texts = result["msg"].splitlines()
        found += [f"{place}: {one:.400}" for text in texts for one in complaints_in(text)]
    assert found == []


@pytest.mark.parametrize("name", OPTIONS)
def test_the_options_are_accepted_without_hostile_values(name: str) -> None:
    for options in OPTIONS[name]:
        result = run(name, options)
        assert not result.get("failed"), result["msg"]


def test_every_action_without_a_module_is_tried() -> None:
    plugins = Path(__file__).resolve().parents[3] / "plugins"
    modules = {path.name for path in (plugins / "modules").glob("*.py")}
    alone = {path.stem for path in (plugins / "action").glob("[!_]*.py") if path.name not in modules}
    # The first has the options of its role, the second only a message.
    assert OPTIONS.keys() == alone - {"role_variables", "role_failure"}
