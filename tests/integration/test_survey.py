# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of AWX with the answers of a survey to all questions, which are text, and blank where one is omitted.

Ansible types this text again: digits become numbers, and blank text null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks.variables import roles
from simulated_aws.client import SimulatedAws

from . import observed, publishing
from .encrypted import EXTERNAL_ID, ROLE, EncryptedFixture
from .fixture import CONSUMERS, HOME, OWNER, STRANGER, Fixture
from .playbook import CHECKOUT, Ansible, Run

AWAY = "eu-west-1"
LOG_GROUP = "aws-cloudtrail-logs"
DECLARED = {role.name: role for role in roles()}


@dataclass
class Job:
    """A role's playbook, what its variables mean, and what is so once it has run."""

    playbook: str
    values: dict[str, Any]
    check: Callable[[Run], None]
    fixture: Fixture | EncryptedFixture
    secrets: tuple[str, ...] = field(default=())


def _distribute(aws: SimulatedAws, _folder: str) -> Job:
    fixture = Fixture(aws)
    accounts = fixture.account_ids(*CONSUMERS)
    values = {
        "distribute_source_filters": {"name": "golden-web-*"},
        "distribute_source_owners": ["self"],
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_account_ids": accounts,
        "distribute_org_unit_arns": [fixture.unit_arn()],
        "distribute_tags": {"role": "web", "build": "0123"},
        "distribute_shared_tags": {"version": "1.10"},
        "distribute_share_snapshots": True,
        "distribute_purge_access": False,
        "distribute_kms_access_method": "auto",
        "distribute_verify_level": "none",
        "distribute_publish_parameter": "/golden/web",
        "distribute_copy_wait_timeout": 600,
    }

    def check(run: Run) -> None:
        images = run.facts["distribute_images"]
        assert sorted(images) == [AWAY, HOME]
        for region, image_id in images.items():
            launch = {*accounts, fixture.unit_arn()}
            assert observed.sharing(aws, OWNER, region, image_id) == (launch, [{*accounts}, {*accounts}])
            parameter = aws.client("ssm", OWNER, region).get_parameter(Name="/golden/web")["Parameter"]
            assert parameter["Value"] == image_id
        (copy,) = observed.own_images(aws, OWNER, AWAY)
        tags = observed.tags(copy)
        assert (tags["role"], tags["build"], tags["ec2:SharedTag/version"]) == ("web", "0123", "1.10")

    return Job("golden.images.distribute_ami", values, check, fixture)


def _verify(aws: SimulatedAws, folder: str) -> Job:
    fixture = EncryptedFixture(aws)
    accounts = fixture.account_ids(*CONSUMERS)
    permissions = {"Add": [{"UserId": one} for one in accounts]}
    aws.client("ec2", OWNER, HOME).modify_image_attribute(
        ImageId=fixture.image_id, LaunchPermission=permissions
    )
    values = {
        "verify_images": {HOME: fixture.image_id},
        "verify_account_ids": accounts,
        "verify_consumer_role_name": ROLE,
        "verify_external_id": EXTERNAL_ID,
        "verify_level": "visible",
        "verify_wait_timeout": 60,
        "verify_report_path": f"{folder}/verification.json",
    }

    def check(run: Run) -> None:
        found = {(one["account_id"], one["region"], one["level"]) for one in run.facts["verify_results"]}
        assert {(account, region) for account, region, _level in found} == {(one, HOME) for one in accounts}
        assert {level for _account, _region, level in found} <= {"visible", "authorized"}

    return Job("golden.images.verify_ami", values, check, fixture, (EXTERNAL_ID,))


def _audit(aws: SimulatedAws, folder: str) -> Job:
    fixture = Fixture(aws)
    accounts = _shared(aws, fixture)
    values = {
        "audit_regions": [HOME, AWAY],
        "audit_allowed_account_ids": accounts[:1],
        "audit_rules": [{"name_pattern": "golden-*", "account_ids": accounts[1:], "public": False}],
        "audit_fail_on": "low",
        "audit_check_snapshots": True,
        "audit_check_keys": False,
        "audit_report_dir": f"{folder}/audit",
    }

    def check(run: Run) -> None:
        assert run.facts["audit_status"] == "clean"
        regions = run.facts["audit_report"]["regions"]
        assert sorted(regions) == [AWAY, HOME]

    return Job("golden.images.audit_ami_sharing", values, check, fixture)


def _remediate(aws: SimulatedAws, _folder: str) -> Job:
    fixture = Fixture(aws)
    accounts = _shared(aws, fixture)
    values = {
        "remediate_images": [fixture.image_id],
        "remediate_regions": [HOME, AWAY],
        "remediate_allowed_account_ids": accounts[:1],
        "remediate_rules": [{"name_pattern": "other-*", "account_ids": accounts[1:]}],
        "remediate_check_keys": False,
        "remediate_max_removals": 5,
    }

    def check(run: Run) -> None:
        assert run.facts["remediate_remaining"] == []
        launch, _snapshots = observed.sharing(aws, OWNER, HOME, fixture.image_id)
        assert launch == {*accounts[:1]}

    return Job("golden.images.remediate_ami_sharing", values, check, fixture)


def _shared(aws: SimulatedAws, fixture: Fixture) -> list[str]:
    """Share the golden image with two accounts, one of another organization, whose IDs are returned."""
    accounts = fixture.account_ids(CONSUMERS[0], STRANGER)
    permissions = {"Add": [{"UserId": one} for one in accounts]}
    ec2 = aws.client("ec2", OWNER, HOME)
    ec2.modify_image_attribute(ImageId=fixture.image_id, LaunchPermission=permissions)
    return accounts


def _cleanup(aws: SimulatedAws, folder: str) -> Job:
    fixture = Fixture(aws)
    common = {"account": OWNER, "devices": [{"device_name": "/dev/xvda", "size": 8}], "region": AWAY}
    tags = {"new": {}, "old": {}, "kept": {"legal": "0123"}}
    images = fixture.add_images(
        {
            name: {**common, "age_days": 1 if name == "new" else 100, "tags": {"family": "web", **more}}
            for name, more in tags.items()
        }
    )
    values = {
        "cleanup_regions": [HOME, AWAY],
        "cleanup_family_tag": "family",
        "cleanup_keep_latest": 1,
        "cleanup_max_age_days": 30,
        "cleanup_states": ["available", "disabled"],
        "cleanup_protect_tags": ["legal=0123", "environment"],
        "cleanup_deregister_after_days": 0,
        "cleanup_max_deletions": "1",
        "cleanup_fail_on": "unreadable",
        "cleanup_tombstone_path": f"{folder}/tombstones.jsonl",
        "cleanup_prices": {AWAY: 0.05, "default": 0.1},
    }

    def check(run: Run) -> None:
        assert run.facts["cleanup_status"] == "done"
        assert [one["image_id"] for one in run.facts["cleanup_deregistered"]] == [images["old"]]

    return Job("golden.images.cleanup_amis", values, check, fixture)


def _monitor(aws: SimulatedAws, _folder: str) -> Job:
    fixture = Fixture(aws)
    aws.client("logs", OWNER, HOME).create_log_group(logGroupName=LOG_GROUP)
    values = {
        "monitor_regions": [HOME, AWAY],
        "monitor_log_group_name": LOG_GROUP,
        "monitor_log_group_regions": [HOME],
        "monitor_state": "present",
        "monitor_subscriptions": [{"protocol": "email", "endpoint": "security@example.org"}],
    }

    def check(run: Run) -> None:
        assert run.code == 0
        for region in (HOME, AWAY):
            (topic,) = aws.client("sns", OWNER, region).list_topics()["Topics"]
            assert topic["TopicArn"].endswith(":golden-images-sharing")
            (subscription,) = aws.client("sns", OWNER, region).list_subscriptions()["Subscriptions"]
            assert subscription["Endpoint"] == "security@example.org"
            assert aws.client("sqs", OWNER, region).list_queues().get("QueueUrls", []) == []

    return Job("golden.images.monitor_ami_sharing", values, check, fixture)


def _share(aws: SimulatedAws, _folder: str) -> Job:
    fixture = Fixture(aws)
    accounts = fixture.account_ids(*CONSUMERS)
    values = {
        "share_images": {HOME: fixture.image_id},
        "share_account_ids": accounts,
        "share_org_unit_arns": [fixture.unit_arn()],
        "share_shared_tags": {"version": "1.10"},
        "share_snapshots": True,
        "share_purge_launch_permissions": True,
    }

    def check(_run: Run) -> None:
        launch = {*accounts, fixture.unit_arn()}
        found = observed.sharing(aws, OWNER, HOME, fixture.image_id)
        assert found == (launch, [{*accounts}, {*accounts}])
        tags = observed.tags(observed.image(aws, OWNER, HOME, fixture.image_id))
        assert tags["ec2:SharedTag/version"] == "1.10"

    return Job("golden.images.share_ami", values, check, fixture)


def _unshare(aws: SimulatedAws, _folder: str) -> Job:
    fixture = Fixture(aws)
    kept, removed = _shared(aws, fixture)
    values = {"unshare_images": {HOME: fixture.image_id}, "unshare_account_ids": [removed]}

    def check(_run: Run) -> None:
        launch, _snapshots = observed.sharing(aws, OWNER, HOME, fixture.image_id)
        assert launch == {kept}

    return Job("golden.images.unshare_ami", values, check, fixture)


def _diagnose(aws: SimulatedAws, _folder: str) -> Job:
    fixture = EncryptedFixture(aws)
    accounts = fixture.account_ids(*CONSUMERS)
    values = {
        "diagnose_images": {HOME: fixture.image_id},
        "diagnose_account_ids": accounts,
        "diagnose_consumer_role_name": ROLE,
        "diagnose_external_id": EXTERNAL_ID,
        "diagnose_instance_type": "t3.micro",
        "diagnose_fail_on": "none",
    }

    def check(run: Run) -> None:
        found = {(one["account_id"], one["code"]) for one in run.facts["diagnose_findings"]}
        assert {(account, "not_shared") for account in accounts} <= found

    return Job("golden.images.diagnose_ami", values, check, fixture, (EXTERNAL_ID,))


def _publish(aws: SimulatedAws, _folder: str) -> Job:
    fixture = Fixture(aws)
    publishing.with_role(fixture)
    images = publishing.golden_images(fixture, "2026.11")
    publishing.add_templates(aws, publishing.golden_images(fixture, "2026.10"))
    values = {
        "publish_images": images,
        "publish_parameter": publishing.PARAMETER,
        "publish_launch_templates": [publishing.TEMPLATE],
        "publish_source_image_id": images[HOME],
        "publish_source_region": HOME,
        "publish_require_shared": True,
        **{f"publish_{name}": value for name, value in publishing.in_consumers(fixture).items()},
    }

    def check(_run: Run) -> None:
        assert publishing.values(aws) == [images[region] for _, region in publishing.EVERYWHERE]

    return Job("golden.images.publish_ami", values, check, fixture, (publishing.EXTERNAL_ID,))


def _rollback(aws: SimulatedAws, folder: str) -> Job:
    fixture = Fixture(aws)
    publishing.with_role(fixture)
    releases = [publishing.golden_images(fixture, release) for release in ("2026.10", "2026.11")]
    options = publishing.in_consumers(fixture)
    run = Ansible(fixture.environment(OWNER), Path(folder)).tasks(
        [publishing.publish(one[HOME], images=one, source_image_id=one[HOME], **options) for one in releases]
    )
    assert run.code == 0, run.text
    earlier = releases[0]
    values = {
        "rollback_parameter": publishing.PARAMETER,
        "rollback_regions": list(publishing.REGIONS),
        "rollback_source_image_id": earlier[HOME],
        "rollback_require_shared": True,
        **{f"rollback_{name}": value for name, value in options.items()},
    }

    def check(_run: Run) -> None:
        assert publishing.values(aws) == [earlier[region] for _, region in publishing.EVERYWHERE]

    return Job("golden.images.rollback_ami", values, check, fixture, (publishing.EXTERNAL_ID,))


def _restore(aws: SimulatedAws, folder: str) -> Job:
    fixture = Fixture(aws)
    common = {"account": OWNER, "devices": [{"device_name": "/dev/xvda", "size": 8}], "region": AWAY}
    images = fixture.add_images(
        {
            name: {**common, "age_days": 1 if name == "new" else 100, "tags": {"family": "web"}}
            for name in ("new", "old")
        }
    )
    tombstones = f"{folder}/retired.jsonl"
    policy = {
        "regions": [AWAY],
        "family_tag": "family",
        "keep_latest": 1,
        "disable_after_days": 0,
        "max_deletions": "100%",
        "tombstone_path": tombstones,
    }
    run = Ansible(fixture.environment(OWNER), Path(folder)).tasks([{"golden.images.ami_cleanup": policy}])
    assert run.code == 0, run.text
    assert _states(aws)[images["old"]] == "disabled"
    values = {
        "restore_images": {AWAY: images["old"]},
        "restore_tombstone_path": tombstones,
        "restore_permissions": True,
        "restore_allow_public": False,
    }

    def check(_run: Run) -> None:
        assert _states(aws)[images["old"]] == "available"

    return Job("golden.images.restore_ami", values, check, fixture)


def _states(aws: SimulatedAws) -> dict[str, str]:
    """The states of the owner's images in ``AWAY``."""
    return {image["ImageId"]: image["State"] for image in observed.own_images(aws, OWNER, AWAY)}


JOBS = {
    "audit": _audit,
    "cleanup": _cleanup,
    "diagnose": _diagnose,
    "distribute": _distribute,
    "monitor": _monitor,
    "publish": _publish,
    "remediate": _remediate,
    "restore": _restore,
    "rollback": _rollback,
    "share": _share,
    "unshare": _unshare,
    "verify": _verify,
}


def _in_commas(value: Any) -> Any:
    """Lists by commas, mappings as JSON, all else as it is written."""
    if isinstance(value, list) and not any(isinstance(item, dict) for item in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value)


def _in_lines(value: Any) -> Any:
    """Lists by lines, mappings as YAML, all with surrounding space, and words in upper case."""
    if isinstance(value, list) and not any(isinstance(item, dict) for item in value):
        return "".join(f"{item} \n" for item in value)
    if isinstance(value, (dict, list)):
        return yaml.safe_dump(value)
    return f" {str(value).upper() if isinstance(value, bool) else value}\n"


def _selected(value: Any) -> Any:
    """Lists as a multiple select, numbers as AWX types them."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, list) and not any(isinstance(item, dict) for item in value):
        return value
    return _in_commas(value)


FORMS: Mapping[str, Callable[[Any], Any]] = {"commas": _in_commas, "lines": _in_lines, "selected": _selected}


# One form for every Python: how Ansible types text differs between its versions, the forms do not.
@pytest.mark.parametrize(
    "form", [pytest.param("commas", marks=pytest.mark.every_python), *sorted({*FORMS} - {"commas"})]
)
@pytest.mark.parametrize("role", sorted(JOBS))
def test_every_variable_can_be_an_answer(role: str, form: str, aws: SimulatedAws, tmp_path: Any) -> None:
    job = JOBS[role](aws, str(tmp_path))
    ansible = Ansible(job.fixture.environment(OWNER), tmp_path)
    # A question that is not answered, of which AWX has stored a blank default.
    blank = dict.fromkeys(DECLARED[role].documented, "")
    assert job.values.keys() <= blank.keys()
    answers = {name: FORMS[form](value) for name, value in job.values.items()}

    run = ansible.job(job.playbook, blank | answers)

    assert run.code == 0, run.text
    job.check(run)
    shown = "\n".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("artifacts/stdout"))
    # The page of a job in AWX: Ansible's output, with the lines that end it.
    assert f"\n{run.task('Show the result').result['text'].strip()}\n" in shown.replace("\r\n", "\n")
    assert not any(secret in shown for secret in job.secrets)
    assert [*run.artifacts] == [f"{role}_artifacts"]
    assert {*run.artifacts[f"{role}_artifacts"]} == _documented()[role]


def _documented() -> dict[str, set[str]]:
    """The keys of each role's artifacts in docs/results.md, without those that only some runs have."""
    text = (CHECKOUT / "docs" / "results.md").read_text(encoding="utf-8")
    _before, _head, table = text.partition("| Statistic | Key | Value |\n|---|---|---|\n")
    keys: dict[str, set[str]] = {role: set() for role in DECLARED}
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
    assert {*JOBS} == {*DECLARED}


@pytest.mark.every_python
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
    assert "distribute_external_id: the value is not valid" in message
    assert "distribute_copy_into_accounts: must be true or false (got 'perhaps')." in message
    assert observed.changes(aws) == []
    assert aws.calls() == []
