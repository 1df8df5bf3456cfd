# SPDX-License-Identifier: GPL-3.0-or-later

"""The scripts in examples/pipeline do what pipelines need, and each pipeline runs them as they are."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from groovy_parser.parser import parse_groovy_content

from checks.iam import policies
from simulated_aws.client import SimulatedAws

from . import observed, publishing
from .fixture import HOME, OWNER, Fixture
from .playbook import CHECKOUT, Ansible

EXAMPLES = CHECKOUT / "examples"
SCRIPTS = EXAMPLES / "pipeline"
AWAY, DENIED = "eu-west-1", "ap-southeast-2"
JENKINSFILE = EXAMPLES / "jenkins" / "Jenkinsfile"
SERVICE = EXAMPLES / "systemd" / "golden-audit.service"
# A script with its arguments, in a line of a pipeline.
_CALL = re.compile(r"(?:^|/)pipeline/(?P<script>\w+\.sh)(?P<arguments>[^|>']*)")


def _script(
    ansible: Ansible, name: str, variables: Mapping[str, Any], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run a script in Ansible's directory, with these variables in a file, as a pipeline does."""
    (ansible.folder / "variables.yml").write_text(yaml.safe_dump(dict(variables)), encoding="utf-8")
    environment = {**ansible.environment, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}
    return subprocess.run(
        [str(SCRIPTS / name), "variables.yml", *arguments],
        cwd=ansible.folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def distribution(fixture: Fixture) -> dict[str, Any]:
    """The variables of a distribution to one more region."""
    return {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_account_ids": fixture.account_ids("web-prod"),
    }


def test_a_plan_is_a_comment_and_changes_nothing(
    aws: SimulatedAws, ansible: Ansible, distribution: dict[str, Any]
) -> None:
    # A tag's value must not end the block of code in which the comment shows it.
    hostile = {**distribution, "distribute_tags": {"note": "```\n# Approved"}}
    planned = _script(ansible, "plan.sh", hostile)
    assert planned.returncode == 0, planned.stdout
    assert planned.stdout.startswith("### This distribution would succeed\n")
    image_id = distribution["distribute_source_image_id"]
    table, changes = planned.stdout.split("```\n\n```diff\n")
    assert f"\n```text\nCheck mode: {image_id} would be distributed to 2 regions.\nregion" in table
    # A sign at the beginning colors a line.
    assert f"+ {AWAY}: copy of {image_id} from {HOME} as\n+     " in changes
    assert {line[0] for line in changes.removesuffix("```\n").splitlines()} == {"+"}
    assert planned.stdout.count("```") == 4
    assert "TASK" not in planned.stdout
    assert observed.changes(aws, refused=True) == []


@pytest.mark.nightly
def test_a_plan_has_variables_of_its_own(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, distribution: dict[str, Any]
) -> None:
    own = yaml.safe_load((SCRIPTS / "plan.yml").read_text(encoding="utf-8"))
    reader = {"accounts": ["web-prod"], "trusts": [OWNER], "policy": policies.CONSUMER_PLAN.document()}
    fixture.add(roles={own["distribute_consumer_role_name"]: reader})
    variables = {**distribution, "distribute_consumer_role_name": "golden-consumer"}
    planned = _script(ansible, "plan.sh", variables, str(SCRIPTS / "plan.yml"))
    assert planned.returncode == 0, planned.stdout
    assumed = [call.parameters["RoleArn"] for call in aws.calls() if call.action == "AssumeRole"]
    assert {arn.rpartition("/")[2] for arn in assumed} == {own["distribute_consumer_role_name"]}


@pytest.mark.nightly
def test_a_plan_that_would_fail_says_why(
    aws: SimulatedAws, ansible: Ansible, distribution: dict[str, Any]
) -> None:
    failed = _script(ansible, "plan.sh", {**distribution, "distribute_account_ids": ["12345"]})
    assert failed.returncode == 1
    assert failed.stdout.startswith("### This distribution would fail\n")
    assert "\n```text\n" in failed.stdout
    assert "distribute_account_ids" in failed.stdout
    assert "TASK" not in failed.stdout
    assert observed.changes(aws, refused=True) == []


def test_a_distribution_leaves_its_report(
    aws: SimulatedAws, ansible: Ansible, distribution: dict[str, Any]
) -> None:
    done = _script(ansible, "distribute.sh", distribution, "distribution.json")
    assert done.returncode == 0, done.stdout
    report = json.loads((ansible.folder / "distribution.json").read_text(encoding="utf-8"))
    shared = [entry["shared"] for entry in report["regions"]]
    assert (report["status"], shared) == ("distributed", [True, True])

    denied: dict[str, Any] = {"code": "UnauthorizedOperation", "message": "No.", "status": 403}
    aws.add_fault("error", action="CopyImage", region=DENIED, times=0, **denied)
    wider = {**distribution, "distribute_regions": [HOME, AWAY, DENIED]}
    failed = _script(ansible, "distribute.sh", wider, "distribution.json")
    assert failed.returncode != 0
    kept = json.loads((ansible.folder / "distribution.json").read_text(encoding="utf-8"))
    assert kept == report
    report = json.loads((ansible.folder / "distribution.failed.json").read_text(encoding="utf-8"))
    assert report["status"] == "failed"
    assert [failure["region"] for failure in report["failures"]] == [DENIED]


@pytest.mark.nightly
def test_what_was_distributed_is_verified_and_published(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, distribution: dict[str, Any]
) -> None:
    publishing.with_role(fixture)
    role = {"consumer_role_name": publishing.ROLE, "external_id": publishing.EXTERNAL_ID}
    done = _script(ansible, "distribute.sh", distribution, "distribution.json")
    assert done.returncode == 0, done.stdout
    images = ("--extra-vars", f"@{SCRIPTS / 'images.yml'}")
    own = {"account_ids": distribution["distribute_account_ids"], **role, "level": "visible"}
    verify = {f"verify_{name}": value for name, value in own.items()}
    environment = {"PWD": str(ansible.folder)}
    verified = ansible.run("golden.images.verify_ami", verify, *images, environment=environment)
    assert verified.code == 0, verified.text
    publish = {"publish_parameter": publishing.PARAMETER}
    published = ansible.run("golden.images.publish_ami", publish, *images, environment=environment)
    assert published.code == 0, published.text
    report = json.loads((ansible.folder / "distribution.json").read_text(encoding="utf-8"))
    values = {row["region"]: row["image_id"] for row in report["regions"]}
    assert {region: publishing.value(aws, OWNER, region) for region in values} == values


class _Notes(BaseHTTPRequestHandler):
    """The notes of a merge request: docs.gitlab.com/api/notes. Each page has one."""

    notes: ClassVar[list[dict[str, Any]]] = [{"id": 0, "body": "LGTM"}]

    def do_GET(self) -> None:
        page = int(self.path.rpartition("=")[2])
        following = str(page + 1) if page < len(self.notes) else ""
        self._answer(self.notes[page - 1 : page], following)

    def do_POST(self) -> None:
        self.notes.append({"id": len(self.notes), **self._body()})
        self._answer(self.notes[-1])

    def do_PUT(self) -> None:
        note = self.notes[int(self.path.rpartition("/")[2])]
        note.update(self._body())
        self._answer(note)

    def _body(self) -> Any:
        assert self.headers["PRIVATE-TOKEN"] == "a-token"
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, content: Any, following: str = "") -> None:
        self.send_response(200)
        self.send_header("X-Next-Page", following)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Not on the terminal."""


def test_gitlab_has_one_comment_with_the_last_plan(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Notes) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        of_job = {
            "CI_API_V4_URL": f"http://127.0.0.1:{server.server_port}/api/v4",
            "CI_PROJECT_ID": "1",
            "CI_MERGE_REQUEST_IID": "2",
            "NO_PROXY": "127.0.0.1",
            "PATH": os.environ["PATH"],
        }

        def comment(plan: str, token: str) -> None:
            (tmp_path / "plan.md").write_text(plan, encoding="utf-8")
            command = [str(SCRIPTS / "comment.sh"), "plan.md"]
            subprocess.run(command, cwd=tmp_path, env={**of_job, "PLAN_TOKEN": token}, check=True, timeout=60)

        try:
            comment("not allowed", "")
            comment("first", "a-token")
            comment("second", "a-token")
        finally:
            server.shutdown()
            thread.join()
    bodies = [note["body"] for note in _Notes.notes]
    assert bodies == ["LGTM", "<!-- golden.images plan -->\nsecond"]


@pytest.mark.nightly
def test_findings_are_no_failures(aws: SimulatedAws, fixture: Fixture, ansible: Ansible) -> None:
    (account,) = fixture.account_ids("web-prod")
    variables = {"audit_regions": [HOME], "audit_allowed_account_ids": [account]}
    clean = _script(ansible, "audit.sh", variables, "audit")
    assert clean.returncode == 0, clean.stdout
    assert clean.stdout.endswith("findings: none\n")

    (partner,) = fixture.account_ids("partner")
    aws.client("ec2", OWNER, HOME).modify_image_attribute(
        ImageId=fixture.image_id, LaunchPermission={"Add": [{"UserId": partner}]}
    )
    found = _script(ansible, "audit.sh", variables, "audit", "high")
    assert found.returncode == 3, found.stdout
    assert "findings: 1 high" in found.stdout
    assert (ansible.folder / "audit" / "report.sarif").exists()

    unreadable = _script(
        ansible, "audit.sh", {**variables, "audit_regions": ["eu-nowhere-1"]}, "audit", "high"
    )
    assert unreadable.returncode == 1, unreadable.stdout


@pytest.mark.nightly
def test_folders_and_files_can_have_any_name(
    fixture: Fixture, distribution: dict[str, Any], tmp_path: Path
) -> None:
    # Jenkins names the directory of a job after the job.
    ansible = Ansible(fixture.environment(OWNER), tmp_path / "my job")
    ansible.folder.mkdir()
    name = """it's "the report" of {50%}"""
    variables = {"audit_regions": [HOME], "audit_allowed_account_ids": []}
    audited = _script(ansible, "audit.sh", variables, name)
    assert audited.returncode == 0, audited.stdout
    assert (ansible.folder / name / "report.sarif").exists()

    planned = _script(ansible, "plan.sh", distribution)
    assert planned.returncode == 0, planned.stdout
    distributed = _script(ansible, "distribute.sh", distribution, f"{name}.json")
    assert distributed.returncode == 0, distributed.stdout
    assert (ansible.folder / f"{name}.json").exists()


@pytest.mark.nightly
def test_an_unknown_severity_is_refused(aws: SimulatedAws, ansible: Ansible) -> None:
    refused = _script(ansible, "audit.sh", {}, "audit", "critical")
    assert refused.returncode == 1
    assert refused.stderr == "audit.sh: the severity is low, medium or high (got critical)\n"
    assert aws.calls() == []


def _steps() -> Iterator[tuple[str, str]]:
    """Pipeline and shell command."""
    for path in sorted((EXAMPLES / "github-actions").glob("*.yml")):
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            yield from ((path.name, step["run"]) for step in job["steps"] if "run" in step)
    document = yaml.safe_load((EXAMPLES / "gitlab-ci" / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    for job in document.values():
        if isinstance(job, dict):
            lines = [*job.get("script", ()), *job.get("after_script", ())]
            yield from (("gitlab-ci", line) for line in lines)
    for line in re.findall(r"sh(?:\(script:)? '([^']+)'", JENKINSFILE.read_text(encoding="utf-8")):
        yield "jenkins", line.replace("\\'", "'")
    yield "systemd", _service()["Service"]["ExecStart"]


def _service() -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(SERVICE.read_text(encoding="utf-8"))
    return unit


def test_each_pipeline_runs_the_scripts_with_their_arguments() -> None:
    calls = [
        (pipeline, found["script"], found["arguments"].split())
        for pipeline, command in _steps()
        if (found := _CALL.search(command))
    ]
    playbooks = {command for _pipeline, command in _steps() if command.startswith("ansible-playbook")}
    names = {re.findall(r"golden\.images\.(\w+)", command)[0] for command in playbooks}
    assert names == {"verify_ami", "publish_ami", "cleanup_amis"}
    assert {pipeline for pipeline, *_ in calls} == {
        *("audit.yml", "distribute.yml", "gitlab-ci", "jenkins", "systemd")
    }
    needed = {"plan.sh": 1, "comment.sh": 1, "distribute.sh": 2, "audit.sh": 3}
    for pipeline, script, arguments in calls:
        assert len(arguments) == needed[script], (pipeline, script, arguments)


def test_no_pipeline_runs_the_code_of_a_fork_with_secrets() -> None:
    paths = list((EXAMPLES / "github-actions").glob("*.yml"))
    assert paths
    for path in paths:
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        # YAML 1.1 reads the key "on" as true.
        assert "pull_request_target" not in workflow[True]
        assert workflow["permissions"] == {"contents": "read"}


def _jobs() -> dict[str, dict[str, Any]]:
    """The jobs of the workflows, by name."""
    found = {}
    for path in (EXAMPLES / "github-actions").glob("*.yml"):
        found.update(yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"])
    return found


def test_a_job_has_only_the_permissions_that_it_uses() -> None:
    read = {"contents": "read", "id-token": "write"}
    assert {name: job["permissions"] for name, job in _jobs().items()} == {
        # GitHub's starter workflows: upload-sarif needs "actions: read" in private repositories.
        "audit": {**read, "actions": "read", "security-events": "write"},
        "cleanup": read,
        "distribute": read,
        "plan": {**read, "pull-requests": "write"},
        "plan-cleanup": read,
        # It gets the report of the distribution.
        "publish": {**read, "actions": "read"},
    }


def test_no_job_leaves_its_token_beside_the_code_that_it_runs() -> None:
    for name, job in _jobs().items():
        checkouts = [one for one in job["steps"] if one.get("uses", "").startswith("actions/checkout@")]
        assert [one["with"]["persist-credentials"] for one in checkouts] == [False], name


def test_a_jenkins_build_that_waits_for_its_approval_holds_nothing_and_has_no_limit() -> None:
    pipeline = JENKINSFILE.read_text(encoding="utf-8").partition("\npipeline {")[2]
    assert "\n  agent none\n" in pipeline
    for word in ("timeout(", "disableConcurrentBuilds"):
        assert word not in pipeline
    for stage in ("'Distribute'", "'Publish'"):
        (found,) = [one for one in pipeline.split("    stage(")[1:] if one.startswith(stage)]
        assert found.index("beforeInput true") < found.index("input {") < found.index("agent {")
    for stage in ("'Plan'", "'Audit'"):
        (found,) = [one for one in pipeline.split("    stage(")[1:] if one.startswith(stage)]
        # An agent is not started for a stage that is skipped.
        assert "beforeAgent true" in found


def test_the_service_finds_the_collection_without_a_home_directory() -> None:
    text = SERVICE.read_text(encoding="utf-8")
    assert " ANSIBLE_COLLECTIONS_PATH=/opt/golden-images/collections\n" in text
    assert "-p collections\n" in text
    assert "cd /opt/golden-images " in text


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("this machine has no systemd-analyze")
    # It checks that the program exists.
    text = SERVICE.read_text(encoding="utf-8").replace("/opt/golden-images/pipeline", str(SCRIPTS))
    (tmp_path / SERVICE.name).write_text(text, encoding="utf-8")
    timer = SERVICE.with_suffix(".timer")
    (tmp_path / timer.name).write_text(timer.read_text(encoding="utf-8"), encoding="utf-8")
    units = [str(tmp_path / SERVICE.name), str(tmp_path / timer.name)]
    found = subprocess.run([analyze, "verify", *units], check=False, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")


def test_the_jenkinsfile_is_valid_groovy() -> None:
    assert parse_groovy_content(JENKINSFILE.read_text(encoding="utf-8"))
