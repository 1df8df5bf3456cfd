# SPDX-License-Identifier: GPL-3.0-or-later

"""Names, descriptions and tags that mean harm, through whole playbooks: they stay text everywhere.

Any principal that may create or tag a resource chooses these texts. They contain markup, templates, formulas,
escape sequences of terminals, and characters that are not shown.
"""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulated_aws.client import SimulatedAws

from . import observed
from .browser import PROGRAM, Browser
from .fixture import CONSUMERS, HOME, OWNER, STRANGER, Fixture
from .playbook import Ansible, Run

AWAY = "eu-west-1"
# CSI is the one character for ESC [ (ECMA-48). EC2's answers are XML 1.0, which cannot contain ESC itself.
ROCKET, REVERSED, CSI = "\U0001f680", "\u202e", "\x9b2J\x9b31m"
VISIBLE_CSI = "\u27e8U+009B\u27e92J\u27e8U+009B\u27e931m"
DEFAULT = {"ANSIBLE_STDOUT_CALLBACK": "default"}
SCRIPT = "<script>document.title='taken over'</script>"
PIPE = "{{ lookup('ansible.builtin.pipe', 'touch evaluated') }}"
FORMULA = "=cmd|' /C calc'!A0"
TEXTS = {
    "script": SCRIPT,
    "image": "\"><img src=x onerror='document.title=1'>",
    "pipe": PIPE,
    "statement": "{% for x in range(9) %}{{ x }}{% endfor %}{# note #}",
    "unsafe": "!unsafe '{{ 7*7 }}'",
    "formula": FORMULA,
    "plus": "+1+1",
    "at": "@SUM(1+1)",
    "comma": "a,\"b\",'c';d",
    "lines": "one\n=2+2\n\ttwo",
    "escape": f"{CSI}red",
    "unicode": f"{ROCKET} {REVERSED}gnp.exe \u0635\u0648\u0631\u0629",
    "shell": "$(touch evaluated) `touch evaluated`; touch evaluated",
    "long": "\U0001f680" * 256,
    "{{ 7*7 }}": "a key",
    "=1+1": "a key",
    "<b>": "a key",
}
# botocore shapes AccountName and OrganizationalUnitName of Organizations: 1 to 128 characters of any kind.
ACCOUNT_NAMES = (
    SCRIPT,
    PIPE,
    FORMULA,
    TEXTS["statement"],
    TEXTS["escape"],
    TEXTS["unicode"],
    "\x1b[2J\x1b]0;taken over\x07\x08\r\n[localhost]\n",
    "web, prod:!x[0] #",
    "\U0001f680" * 128,
)
MANAGEMENT = "management"
# AWS allows these characters in names (EC2 API Reference, CopyImage, Name).
NAMES = ("@SUM(1)", "-1-1 '", "[x](y) /../.")


@pytest.fixture
def image_id(aws: SimulatedAws, fixture: Fixture) -> str:
    """The golden image with these texts as tags and description."""
    ec2 = aws.client("ec2", OWNER, HOME)
    ec2.create_tags(Resources=[fixture.image_id], Tags=[{"Key": k, "Value": v} for k, v in TEXTS.items()])
    # EC2 takes ASCII only.
    ec2.modify_image_attribute(ImageId=fixture.image_id, Description={"Value": f"{PIPE}{SCRIPT}{FORMULA}"})
    aws.clear_calls()
    return fixture.image_id


def test_distributed_texts_arrive_unchanged_and_are_not_evaluated(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, image_id: str
) -> None:
    report = ansible.folder / "report.json"
    copy = {
        "name": "Copy the image with its tags",
        "golden.images.ami_copy_regions": {
            "source_image_id": image_id,
            "source_region": HOME,
            "regions": [AWAY],
            "copy_tags": True,
        },
        "register": "copied",
    }
    done = ansible.tasks([copy], "--diff", environment=DEFAULT)
    assert done.code == 0, done.text
    _assert_harmless(ansible, done)
    copy["golden.images.ami_copy_regions"] |= {"tags": {"escape": f"{CSI}blue"}, "copy_tags": False}
    planned = ansible.tasks([copy], "--check", "--diff", environment=DEFAULT)
    assert f"{AWAY}: + tag escape={VISIBLE_CSI}blue" in planned.stdout
    _assert_harmless(ansible, planned)
    variables = {
        "distribute_source_image_id": image_id,
        "distribute_source_region": HOME,
        "distribute_regions": [HOME, AWAY],
        "distribute_account_ids": fixture.account_ids(*CONSUMERS),
        "distribute_report_path": str(report),
        "distribute_publish_parameter": "/golden/web",
    }
    done = ansible.run("golden.images.distribute_ami", variables)
    assert done.code == 0, done.text
    _assert_harmless(ansible, done)
    (found,) = observed.own_images(aws, OWNER, AWAY)
    assert {key: value for key, value in observed.tags(found).items() if key in TEXTS} == TEXTS
    assert json.loads(report.read_text("utf-8"))["status"] == "distributed"
    for region in (HOME, AWAY):
        (published,) = aws.client("ssm", OWNER, region).get_parameters(Names=["/golden/web"])["Parameters"]
        images = [image["ImageId"] for image in observed.own_images(aws, OWNER, region)]
        assert published["Value"] in images


@pytest.mark.nightly
def test_reports_show_texts_and_run_nothing(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, tmp_path: Path
) -> None:
    disk = [{"device_name": "/dev/xvda", "size": 8}]
    common = {"account": OWNER, "region": AWAY, "devices": disk}
    families = list(dict.fromkeys(TEXTS.values()))
    added = fixture.add_images(
        {
            **{name: {**common, "sharing": {"accounts": [STRANGER]}} for name in NAMES},
            **{
                f"family-{number}-{age}": {**common, "age_days": age, "tags": {"family": text}}
                for number, text in enumerate(families)
                for age in (1, 100)
            },
        }
    )
    audited = ansible.run(
        "golden.images.audit_ami_sharing",
        {"audit_regions": [AWAY], "audit_report_dir": str(tmp_path / "audit"), "audit_fail_on": "none"},
    )
    assert audited.code == 0, audited.text
    policy = {
        "cleanup_regions": [AWAY],
        "cleanup_family_tag": "family",
        "cleanup_deregister_after_days": 0,
        "cleanup_max_deletions": "100%",
        "cleanup_tombstone_path": str(tmp_path / "tombstones.jsonl"),
        "cleanup_report_dir": str(tmp_path / "cleanup"),
    }
    cleaned = ansible.run("golden.images.cleanup_amis", policy)
    assert cleaned.code == 0, cleaned.text
    for run in (audited, cleaned):
        _assert_harmless(ansible, run)
    # The latest of each family is kept, whatever the family's name contains.
    left = {image["ImageId"] for image in observed.own_images(aws, OWNER, AWAY)}
    assert {added[f"family-{number}-1"] for number in range(len(families))} <= left
    assert not {added[f"family-{number}-100"] for number in range(len(families))} & left
    content = json.loads((tmp_path / "cleanup" / "report.json").read_text("utf-8"))
    assert {image["family"] for image in content["images"]} == set(families)
    for folder in (tmp_path / "audit", tmp_path / "cleanup"):
        _assert_no_formulas(folder / "report.csv")
        assert SCRIPT not in (folder / "report.html").read_text("utf-8")
        _assert_no_escapes((folder / "report.html").read_text("utf-8"))
        json.loads((folder / "report.sarif").read_text("utf-8"))
    if PROGRAM is not None:
        shown = (SCRIPT, PIPE, FORMULA, "+1+1", "@SUM(1+1)")
        _assert_harmless_page(tmp_path, tmp_path / "cleanup" / "report.html", shown)


@pytest.fixture
def hostile_accounts(aws: SimulatedAws, image_id: str) -> list[str]:
    """The IDs of accounts with these names, in units with these names, that can launch the golden image."""
    client = aws.client("organizations", MANAGEMENT)
    (root,) = client.list_roots()["Roots"]
    made: list[str] = []
    for number, name in enumerate(ACCOUNT_NAMES):
        unit = client.create_organizational_unit(ParentId=root["Id"], Name=name)["OrganizationalUnit"]
        email = f"hostile-{number}@example.com"
        status = client.create_account(AccountName=name, Email=email)["CreateAccountStatus"]
        client.move_account(
            AccountId=status["AccountId"], SourceParentId=root["Id"], DestinationParentId=unit["Id"]
        )
        made.append(status["AccountId"])
    permissions = {"Add": [{"UserId": one} for one in made]}
    aws.client("ec2", OWNER, HOME).modify_image_attribute(ImageId=image_id, LaunchPermission=permissions)
    return made


@pytest.fixture
def organization_file(fixture: Fixture, tmp_path: Path) -> Path:
    """An inventory of the organization, with the management account's credentials."""
    keys = fixture.environment(MANAGEMENT)
    path = tmp_path / "golden_accounts.yml"
    content = {
        "plugin": "golden.images.accounts",
        "hostname": "account_name",
        "access_key": keys["AWS_ACCESS_KEY_ID"],
        "secret_key": keys["AWS_SECRET_ACCESS_KEY"],
    }
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.mark.nightly
def test_names_of_accounts_stay_text(
    ansible: Ansible, image_id: str, hostile_accounts: list[str], organization_file: Path, tmp_path: Path
) -> None:
    graph = subprocess.run(
        ["ansible-inventory", "-i", str(organization_file), "--graph"],
        cwd=ansible.folder,
        env=ansible.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    _assert_no_escapes(graph.stdout)
    audited = ansible.run(
        "golden.images.audit_ami_sharing",
        {"audit_regions": [HOME], "audit_report_dir": str(tmp_path / "audit"), "audit_fail_on": "none"},
        *("-i", str(organization_file)),
        environment=DEFAULT,
    )
    assert audited.code == 0, audited.text
    _assert_harmless(ansible, audited)
    # These accounts have no role that the owner could assume: the verification fails, and reports why.
    verified = ansible.run(
        "golden.images.verify_ami",
        {
            "verify_images": {HOME: image_id},
            "verify_account_ids": hostile_accounts,
            "verify_consumer_role_name": "golden",
            "verify_level": "visible",
            "verify_report_dir": str(tmp_path / "verification"),
        },
        *("-i", str(organization_file)),
        environment=DEFAULT,
    )
    assert verified.code == 2, verified.text
    _assert_harmless(ansible, verified)
    for folder in (tmp_path / "audit", tmp_path / "verification"):
        page = (folder / "report.html").read_text("utf-8")
        assert SCRIPT not in page
        assert "touch evaluated" in page
        _assert_no_escapes(page)
        if PROGRAM is not None:
            _assert_harmless_page(folder, folder / "report.html", (SCRIPT, PIPE, FORMULA))
    _assert_no_formulas(tmp_path / "audit" / "report.csv")


@pytest.mark.nightly
def test_names_of_templates_and_parameters_stay_text(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    # botocore shapes LaunchTemplateName and VersionDescription of EC2; Systems Manager API Reference,
    # PutParameter, Name: 1,011 characters.
    template, parameter = f"(web).-/_{'t' * 119}", f"/golden/{'p' * 800}"
    description = f"{PIPE}{SCRIPT}{ROCKET}{REVERSED}{CSI}".ljust(255, "=")
    tags = [{"Key": str(number), "Value": text} for number, text in enumerate(dict.fromkeys(TEXTS.values()))]
    ec2, ssm = aws.client("ec2", OWNER, HOME), aws.client("ssm", OWNER, HOME)
    data = {"InstanceType": "t3.micro", "TagSpecifications": [{"ResourceType": "instance", "Tags": tags}]}
    ec2.create_launch_template(
        LaunchTemplateName=template, VersionDescription=description, LaunchTemplateData=data
    )
    variables = {
        "publish_images": {HOME: fixture.image_id},
        "publish_parameter": parameter,
        "publish_launch_templates": [template],
        "publish_require_shared": False,
    }
    published = ansible.run("golden.images.publish_ami", variables, "--diff", environment=DEFAULT)
    assert published.code == 0, published.text
    _assert_harmless(ansible, published)
    (made,) = ec2.describe_launch_template_versions(LaunchTemplateName=template, Versions=["$Default"])[
        "LaunchTemplateVersions"
    ]
    assert made["LaunchTemplateData"] == data | {"ImageId": fixture.image_id}

    text = f"\x1b[2J{CSI}{PIPE}{SCRIPT}\n\r{ROCKET}"
    ssm.put_parameter(Name="/golden/text", Value=text, Type="String")
    refused = ansible.run(
        "golden.images.publish_ami", {**variables, "publish_parameter": "/golden/text"}, environment=DEFAULT
    )
    assert refused.code == 2, refused.text
    _assert_harmless(ansible, refused)
    assert ssm.get_parameter(Name="/golden/text")["Parameter"]["Value"] == text


def _assert_harmless(ansible: Ansible, run: Run) -> None:
    assert not (ansible.folder / "evaluated").exists()
    assert not Path("evaluated").exists()
    _assert_no_escapes(run.text)


def _assert_no_escapes(text: str) -> None:
    assert [one for one in text if one in "\x1b\x9b\x07\x08"] == []


def _assert_no_formulas(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))] == []
    assert [cell for cell in cells if "\n=" in cell] == []


def _assert_harmless_page(tmp_path: Path, page: Path, texts: Sequence[str]) -> None:
    with Browser(tmp_path / "profile") as browser:
        browser.open(page.as_uri())
        assert browser.run("document.title") not in ("taken over", "1")
        assert browser.run("document.scripts.length") == 1
        assert browser.run("document.images.length") == 0
        shown: Any = browser.run("document.body.textContent")
        for text in texts:
            assert text in shown
        assert [one for one in browser.requests if not one.startswith("file:")] == []
