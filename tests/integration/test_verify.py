# SPDX-License-Identifier: GPL-3.0-or-later

"""The role verify: its three levels, its report on success and failure, accounts as inventory hosts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulated_aws.client import SimulatedAws

from . import observed, probing
from .encrypted import EXTERNAL_ID, ROLE, USE, EncryptedFixture, await_matched, root
from .fixture import HOME, OWNER
from .playbook import Ansible, Run, failures_by_host, kill, tasks_of

FQCN = "golden.images.verify_ami"
AWAY = "eu-west-1"
CAN, NO_KEY = "sandbox", "web-staging"


@pytest.fixture
def encrypted(aws: SimulatedAws) -> EncryptedFixture:
    return EncryptedFixture(aws)


@pytest.fixture
def ansible(encrypted: EncryptedFixture, tmp_path: Path) -> Ansible:
    return Ansible(encrypted.environment(OWNER), tmp_path)


@pytest.fixture
def variables(aws: SimulatedAws, encrypted: EncryptedFixture, tmp_path: Path) -> dict[str, Any]:
    """Two accounts, a plain image, and an encrypted one to whose key one account has no access."""
    disks = [{"device_name": "/dev/xvda", "size": 8}]
    plain = {"account": OWNER, "region": AWAY, "devices": disks, "sharing": {"accounts": [CAN, NO_KEY]}}
    images = {HOME: encrypted.image_id, **encrypted.add_images({AWAY: plain})}
    accounts = encrypted.account_ids(CAN, NO_KEY)
    permissions = {"Add": [{"UserId": one} for one in accounts]}
    aws.client("ec2", OWNER, HOME).modify_image_attribute(ImageId=images[HOME], LaunchPermission=permissions)
    aws.client("kms", OWNER, HOME).create_grant(
        KeyId=encrypted.key(HOME), GranteePrincipal=root(aws.account_id(CAN)), Operations=USE
    )
    aws.clear_calls()
    return {
        "verify_images": images,
        "verify_account_ids": accounts,
        "verify_consumer_role_name": ROLE,
        "verify_external_id": EXTERNAL_ID,
        "verify_subnet_ids": probing.subnet_ids(aws, (CAN, NO_KEY), HOME, AWAY),
        # So short that a launch without key access is not repeated.
        "verify_wait_timeout": 4,
        "verify_report_path": str(tmp_path / "verification.json"),
        "verify_report_dir": str(tmp_path / "verification"),
    }


def _levels(run: Run) -> dict[tuple[str, str], str | None]:
    return {(one["account_id"], one["region"]): one["level"] for one in run.facts["verify_results"]}


def _report(ansible: Ansible, name: str = "verification.json") -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(ansible.folder, name).read_text(encoding="utf-8"))
    return content


def test_missing_key_access_fails_the_levels_that_use_keys(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    can, no_key = variables["verify_account_ids"]
    everywhere = {(account, region) for account in (can, no_key) for region in (HOME, AWAY)}

    visible = ansible.run(FQCN, {**variables, "verify_level": "visible"})
    assert visible.code == 0, visible.text
    assert visible.facts["verify_failed_regions"] == []
    assert _report(ansible)["status"] == "verified"
    authorized = ansible.run(FQCN, variables)
    assert authorized.code != 0
    assert _levels(authorized) == {**dict.fromkeys(everywhere, "authorized"), (no_key, HOME): "visible"}
    assert authorized.facts["verify_failed_regions"] == [HOME]
    assert _report(ansible)["status"] == "incomplete"
    planned = ansible.run(FQCN, {**variables, "verify_level": "launched"}, "--check")
    assert planned.code != 0
    assert "visible, not authorized" in planned.text
    assert observed.changes(aws) == []

    launched = ansible.run(FQCN, {**variables, "verify_level": "launched"})
    assert launched.code != 0
    assert _levels(launched) == {
        **dict.fromkeys(everywhere - {(no_key, HOME)}, "launched"),
        (no_key, HOME): "visible",
    }
    assert launched.facts["verify_failed_regions"] == [HOME]
    message = launched.task("Fail if an account has not reached the level").result["msg"]
    assert f"{no_key}: {variables['verify_images'][HOME]} is visible, not launched" in message
    assert can not in message
    report = _report(ansible)
    assert (report["status"], report["failed_regions"]) == ("incomplete", [HOME])
    assert report["results"] == launched.facts["verify_results"]
    (short,) = [row for row in report["results"] if not row["reached"]]
    assert ("key_not_usable", "high", "Client.InternalError") in [
        (finding["code"], finding["severity"], finding["error_code"]) for finding in short["findings"]
    ]
    assert len(observed.attempts(aws, "RunInstances")) > len(everywhere)
    for account in (CAN, NO_KEY):
        assert probing.instances(aws, account, HOME, *probing.LIVING) == []
    assert EXTERNAL_ID not in launched.text

    # All formats have the same content, and the changes since the previous report.
    forms = {
        item.name: item.read_text(encoding="utf-8") for item in Path(ansible.folder, "verification").iterdir()
    }
    assert set(forms) == {"report.json", "report.csv", "report.sarif", "report.html"}
    written = json.loads(forms["report.json"])
    assert {key: written[key] for key in report if key != "written_at"} == {
        key: value for key, value in report.items() if key != "written_at"
    }
    short = f"{HOME}: {no_key} reached visible with {variables['verify_images'][HOME]}"
    assert f"{short}, not launched." in written["changes"]["added"]
    assert f"{short}, not authorized." in written["changes"]["removed"]
    assert f"{short}, not launched." in forms["report.html"]
    assert f'"{no_key}","visible","false"' in forms["report.csv"]
    (run,) = json.loads(forms["report.sarif"])["runs"]
    texts = {found["ruleId"]: found["message"]["text"] for found in run["results"]}
    assert "Client.InternalError" in texts["key_not_usable"]
    assert all(code.replace("_", "").islower() for code in texts)

    # The same failure has the same report and does not rewrite it.
    again = ansible.run(FQCN, {**variables, "verify_level": "launched"})
    assert again.code != 0
    assert again.task("Verify the images in each account").changed is False
    assert _report(ansible) == report


def test_two_runs_at_once_leave_each_others_instances_alone(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    """Of the same image in the same account. AWX may run two jobs at once (awx/job_templates.yml)."""
    can, _no_key = variables["verify_account_ids"]
    reports = ("verify_report_path", "verify_report_dir")
    given = {name: value for name, value in variables.items() if name not in reports} | {
        "verify_account_ids": [can],
        "verify_images": {HOME: variables["verify_images"][HOME]},
        "verify_level": "launched",
        "verify_wait_timeout": 300,
    }
    # The first call looks for what earlier runs have left. The second one waits, and freezes.
    aws.add_fault("freeze", action="DescribeInstances", account_id=can, after=1)
    process = ansible.start(FQCN, given)
    try:
        await_matched(aws, 2)
        (waited_for,) = probing.instances(aws, CAN, HOME, *probing.LIVING)
        during = ansible.run(FQCN, given)
        assert process.poll() is None
        living = probing.instances(aws, CAN, HOME, *probing.LIVING)
        aws.clear_faults()
        stdout, stderr = process.communicate(timeout=ansible.timeout)
    finally:
        if process.poll() is None:
            kill(process)
    first = Run(process.returncode, stdout, stderr, tuple(tasks_of(stdout)))
    for run in (first, during):
        assert run.code == 0, run.text
        assert _levels(run) == {(can, HOME): "launched"}
    assert waited_for["InstanceId"] not in during.text
    assert [one["InstanceId"] for one in living] == [waited_for["InstanceId"]]
    assert len(probing.instances(aws, CAN, HOME, "terminated")) == 2


def test_an_account_that_cannot_be_read_fails_without_failing_others(
    encrypted: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    outsider, stranger = encrypted.account_ids("outsider", "data-dev")
    can, _no_key = variables["verify_account_ids"]
    # As an AWX survey sends them.
    run = ansible.run(
        FQCN,
        {
            **variables,
            "verify_images": json.dumps(variables["verify_images"]),
            "verify_account_ids": f"{can}, {outsider},{stranger}",
            "verify_level": "visible",
            "verify_subnet_ids": "",
        },
    )
    assert run.code != 0
    assert _levels(run) == {
        **dict.fromkeys([(can, HOME), (can, AWAY)], "authorized"),
        **dict.fromkeys([(outsider, HOME), (outsider, AWAY), (stranger, HOME), (stranger, AWAY)]),
    }
    assert {one["account_id"] for one in run.facts["verify_results"] if one["reached"]} == {can}
    assert run.facts["verify_failed_regions"] == [AWAY, HOME]
    report = _report(ansible)
    assert report["status"] == "incomplete"
    assert all(row["findings"] for row in report["results"] if not row["reached"])

    bad = ansible.run(FQCN, {**variables, "verify_account_ids": [12345678901]})
    assert bad.code != 0
    assert "YAML reads unquoted digits" in bad.text
    # A variable that cannot be read is refused before anything, the report of the last run included.
    assert (bad.facts["verify_results"], bad.facts["verify_failed_regions"]) == ([], True)
    assert _report(ansible) == report


def test_an_image_is_not_published_because_an_earlier_one_was_verified(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    """The steps of docs/verifying.md, the second time with an invalid variable."""
    role = {"include_role": {"name": "golden.images.verify"}}
    first, second = ({region: image_id} for region, image_id in variables["verify_images"].items())
    run = ansible.tasks(
        [
            {
                "name": "first",
                **role,
                "vars": {**variables, "verify_images": first, "verify_level": "visible"},
            },
            {
                "name": "second",
                "block": [{"name": "verify", **role, "vars": {"verify_wait_timeout": "soon"}}],
                "rescue": [{"name": "go on", "debug": {"msg": "{{ verify_summary.text | default('') }}"}}],
                "vars": {**variables, "verify_images": second},
            },
            {
                "name": "publish",
                "golden.images.ami_publish": {
                    "images": "{{ images | dict2items | rejectattr('key', 'in', verify_failed_regions"
                    " + verify_uncertain_regions) | items2dict }}",
                    "parameter": "/golden/web",
                },
                "vars": {"images": second},
            },
        ]
    )
    assert run.failed == ["golden.images.verify : Read the variables", "publish"]
    assert run.task("go on").result["msg"] == ""
    assert aws.calls(action="PutParameter") == []


@pytest.mark.parametrize("mistyped", [True, pytest.param(False, marks=pytest.mark.nightly)])
def test_check_mode_fails_if_an_account_cannot_be_read(
    encrypted: EncryptedFixture, ansible: Ansible, variables: dict[str, Any], mistyped: bool
) -> None:
    accounts = encrypted.account_ids(CAN, *(["outsider"] if mistyped else []))
    for planned in ({HOME: None, AWAY: None}, {**variables["verify_images"], HOME: None}):
        run = ansible.run(
            FQCN, {**variables, "verify_images": planned, "verify_account_ids": accounts}, "--check"
        )
        assert (run.code != 0) is mistyped, run.text
        failed = run.task("Fail if an account has not reached the level")
        assert (failed.status, "AssumeRole" in str(failed.result.get("msg"))) == (
            ("failed", True) if mistyped else ("ok", False)
        ), failed.result


def test_check_mode_fails_without_a_role_in_the_accounts(ansible: Ansible, variables: dict[str, Any]) -> None:
    role = {"verify_consumer_role_name", "verify_external_id"}
    given = {name: value for name, value in variables.items() if name not in role}
    (can, _no_key), mistyped = given["verify_account_ids"], "999999999999"
    run = ansible.run(FQCN, {**given, "verify_account_ids": [can, mistyped]}, "--check")
    assert run.code != 0
    message = run.task("Fail if an account has not reached the level").result["msg"]
    assert re.search(rf"{can}: whether ami-\w+ is visible is not known, because no role", message)
    assert f"is not shared with account {mistyped}" in message


@pytest.mark.nightly
def test_check_mode_fails_if_nothing_can_be_read(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    aws.add_fault("error", action="GetCallerIdentity", times=0, code="ExpiredToken", status=403)
    run = ansible.run(FQCN, variables, "--check")
    assert run.code != 0
    message = run.task("Fail if an account has not reached the level").result["msg"]
    assert "Check the credentials" in message


def _inventory(ansible: Ansible, hosts: dict[str, dict[str, Any]]) -> str:
    path = ansible.folder / "accounts.yml"
    path.write_text(yaml.safe_dump({"aws_accounts": {"hosts": hosts}}), encoding="utf-8")
    return str(path)


@pytest.mark.per_python
@pytest.mark.quick
def test_the_accounts_of_inventory_hosts_are_verified_once_and_each_host_fails_by_itself(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    can, no_key = variables.pop("verify_account_ids")
    owner = aws.account_id(OWNER)
    variables["verify_images"] = [
        {"account_id": owner, "region": region, "image_id": image_id}
        for region, image_id in variables["verify_images"].items()
    ]
    accounts = {"can": can, "no-key": no_key, "owner": owner, "no-key-again": no_key}
    inventory = _inventory(ansible, {name: {"account_id": one} for name, one in accounts.items()})
    facts = {
        host: f"{{{{ hostvars[{host!r}].verify_results | map(attribute='account_id') | unique | list }}}} "
        f"{{{{ hostvars[{host!r}].verify_failed_regions }}}}"
        for host in accounts
    }
    play = [
        {"import_playbook": FQCN},
        {"hosts": "localhost", "gather_facts": False, "tasks": [{"name": "look", "debug": {"msg": facts}}]},
    ]
    path = ansible.folder / "import.yml"
    path.write_text(yaml.safe_dump(play), encoding="utf-8")
    # The playbook has a strategy of its own, because free would run the role for each host.
    ansible.environment["ANSIBLE_STRATEGY"] = "free"
    ansible.environment["ANSIBLE_SHOW_CUSTOM_STATS"] = "true"
    run = ansible.run(str(path), {**variables, "verify_hosts": "aws_accounts"}, "-i", inventory)
    assert run.code != 0
    assert run.task("look").result["msg"] == {
        "can": f"['{can}'] []",
        "no-key": f"['{no_key}'] ['{HOME}']",
        "owner": f"['{owner}'] []",
        "no-key-again": f"['{no_key}'] ['{HOME}']",
    }
    failures = failures_by_host(run)
    assert failures.keys() == {"no-key", "no-key-again"}
    for (message,) in failures.values():
        assert f"{no_key}: {_image(variables, HOME)} is visible, not authorized" in message
        assert can not in message
    report = _report(ansible)
    assert (report["status"], report["failed_regions"]) == ("incomplete", [HOME])
    assert {row["account_id"] for row in report["results"]} == {can, no_key, owner}
    statistics = json.loads(run.stdout.splitlines()[-1])["global_custom_stats"]["verify_artifacts"]
    assert (statistics["status"], statistics["failed_regions"]) == ("incomplete", [HOME])
    assert f"  {no_key}  " in statistics["text"]
    # One process has assumed each role, and has read the snapshots of the image's two disks once.
    assert len(aws.calls(action="AssumeRole")) == 2
    assert len(aws.calls(action="DescribeSnapshotAttribute", region=HOME)) == 2


def _image(variables: dict[str, Any], region: str) -> str:
    return next(str(image["image_id"]) for image in variables["verify_images"] if image["region"] == region)


def test_inventory_hosts_with_different_variables_are_refused(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    can, no_key = variables.pop("verify_account_ids")
    variables["verify_report_dir"] = f"{ansible.folder}/{{{{ inventory_hostname }}}}"
    inventory = _inventory(
        ansible, {"can": {"account_id": can}, "other": {"account_id": no_key, "verify_level": "visible"}}
    )
    run = ansible.run(FQCN, {**variables, "verify_hosts": "aws_accounts"}, "-i", inventory)
    assert run.code != 0
    message = run.task("Read the variables").result["msg"]
    same = "all hosts need the same value, since one process works for all:"
    assert f"verify_level: {same} can has 'authorized', other has 'visible'." in message
    assert f"verify_report_dir: {same} can has '{ansible.folder}/can', other has" in message
    assert aws.calls(action="AssumeRole") == []


def test_hosts_of_a_play_with_the_role_have_variables_of_their_own(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    can, no_key = variables.pop("verify_account_ids")
    owner = aws.account_id(OWNER)
    variables["verify_images"] = [
        {"account_id": owner, "region": region, "image_id": image_id}
        for region, image_id in variables["verify_images"].items()
    ]
    variables["verify_report_path"] = f"{ansible.folder}/{{{{ inventory_hostname }}}}.json"
    variables["verify_report_dir"] = f"{ansible.folder}/{{{{ inventory_hostname }}}}"
    role = {name: variables.pop(name) for name in ("verify_consumer_role_name", "verify_external_id")}
    hosts = {
        can: {"account_id": can, "verify_level": "launched", **role},
        no_key: {"account_id": no_key, "verify_level": "launched", **role},
        # The account of the credentials needs no role.
        owner: {"account_id": owner, "verify_level": "authorized"},
    }
    run = ansible.run(_play_with_role(ansible), variables, "-i", _inventory(ansible, hosts), "--forks", "3")
    assert run.code != 0
    reports = {account: _report(ansible, f"{account}.json") for account in hosts}
    assert {account: (one["status"], one["failed_regions"]) for account, one in reports.items()} == {
        can: ("verified", []),
        no_key: ("incomplete", [HOME]),
        owner: ("verified", []),
    }
    for account, report in reports.items():
        assert {row["account_id"] for row in report["results"]} == {account}
    for account in (OWNER, CAN, NO_KEY):
        assert probing.instances(aws, account, HOME, *probing.LIVING) == []


def _play_with_role(ansible: Ansible) -> str:
    play = {
        "hosts": "aws_accounts",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "roles": ["golden.images.verify"],
    }
    path = ansible.folder / "each.yml"
    path.write_text(yaml.safe_dump([play]), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("in_own_play", "problem"),
    [
        (False, "verify_account_ids: the play has 2 hosts, and each has the value of its account_id."),
        (True, " account_ids: the account_id of this host is {can}, and every host of the play would"),
    ],
)
def test_hosts_that_would_verify_each_others_accounts_are_refused(
    aws: SimulatedAws,
    ansible: Ansible,
    variables: dict[str, Any],
    two_hosts: Path,
    in_own_play: bool,
    problem: str,
) -> None:
    playbook = _play_with_role(ansible) if in_own_play else FQCN
    run = ansible.run(playbook, {**variables, "verify_hosts": "aws_accounts"}, "-i", str(two_hosts))
    can, other = variables["verify_account_ids"]
    assert run.code != 0
    assert problem.format(can=can, other=other) in run.text
    assert aws.calls(action="RunInstances") == []


@pytest.fixture
def two_hosts(ansible: Ansible, variables: dict[str, Any]) -> Path:
    """An inventory in which one of the accounts is in a group, and another group has no host."""
    can, no_key = variables["verify_account_ids"]
    hosts = {name: {"account_id": account} for name, account in (("can", can), ("other", no_key))}
    groups = {"aws_accounts": {"hosts": hosts}, "one": {"hosts": {"can": {}}}, "none": {}}
    inventory = ansible.folder / "hosts.yml"
    inventory.write_text(yaml.safe_dump(groups), encoding="utf-8")
    return inventory


@pytest.mark.parametrize(
    ("hosts", "limit", "named"),
    [
        pytest.param(
            "aws_acounts",
            None,
            '"aws_acounts" matches no host of the inventory, so nothing would be verified',
            marks=pytest.mark.nightly,
        ),
        pytest.param("none", None, '"none" matches no host of the inventory, so', marks=pytest.mark.nightly),
        ("one", "other", '"one" matches no host of the inventory within the limit "other", so'),
        pytest.param(
            "",
            "other",
            '"localhost" matches no host of the inventory within the limit "other", so',
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_hosts_that_do_not_exist_are_refused(
    ansible: Ansible, two_hosts: Path, hosts: str, limit: str | None, named: str
) -> None:
    options = ("--limit", limit) if limit else ()
    run = ansible.run(FQCN, {"verify_hosts": hosts}, "-i", str(two_hosts), *options)
    assert run.code != 0
    assert f"verify_hosts: {named}" in run.stderr
    assert "leave verify_hosts blank to verify the accounts of verify_account_ids." in run.stderr
    assert run.tasks == ()


@pytest.mark.parametrize(
    ("hosts", "limit", "verified"),
    [
        pytest.param("one", None, {"can"}, marks=pytest.mark.nightly),
        pytest.param(["can", "other"], None, {"can", "other"}, marks=pytest.mark.nightly),
        pytest.param("aws_accounts", "other", {"other"}, marks=pytest.mark.nightly),
        ("aws_accounts", "@limit", {"other"}),
    ],
)
def test_hosts_that_exist_are_those_of_the_play(
    ansible: Ansible, two_hosts: Path, hosts: str | list[str], limit: str | None, verified: set[str]
) -> None:
    (ansible.folder / "limit").write_text("other\n", encoding="utf-8")
    options = ("--limit", limit) if limit else ()
    run = ansible.run(FQCN, {"verify_hosts": hosts}, "-i", str(two_hosts), *options, "--list-hosts")
    assert run.code == 0, run.text
    _before, _name, listed = run.stdout.partition("hosts (")
    assert {*listed.split("\n")[1:]} - {""} == {f"      {name}" for name in verified}


@pytest.mark.nightly
def test_a_blank_answer_for_the_hosts_is_localhost(ansible: Ansible, variables: dict[str, Any]) -> None:
    run = ansible.job(FQCN, {**variables, "verify_hosts": "", "verify_level": "visible"})
    assert run.code == 0, run.text
    verified = {row["account_id"] for row in run.facts["verify_results"]}
    assert verified == {*variables["verify_account_ids"]}
