# SPDX-License-Identifier: GPL-3.0-or-later

"""A distribution that also verifies and publishes: only verified regions are published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import encrypted, observed
from .encrypted import ALIAS, DISTRIBUTE, EXTERNAL_ID, ROLE, EncryptedFixture
from .fixture import HOME, OWNER
from .playbook import Ansible, prediction_error
from .probing import subnet_ids

AWAY = "eu-west-1"
REGIONS = (HOME, AWAY)
CONSUMERS = ("web-prod", "web-staging")
PARAMETER, TEMPLATE = "/golden/web", "web"
MEANS = "Level authorized means: a dry run succeeds, and the role can use the keys."
LATE_FAILURES = "Fail if access or verification failed"


@pytest.fixture
def fixture(aws: SimulatedAws) -> EncryptedFixture:
    """The fixture of the encrypted image, with a launch template in every account and region."""
    built = EncryptedFixture(aws)
    for account in (OWNER, *CONSUMERS):
        for region in REGIONS:
            aws.client("ec2", account, region).create_launch_template(
                LaunchTemplateName=TEMPLATE,
                LaunchTemplateData={"ImageId": built.image_id, "InstanceType": "t3.micro"},
            )
    aws.clear_calls()
    return built


@pytest.fixture
def variables(aws: SimulatedAws, fixture: EncryptedFixture, tmp_path: Path) -> dict[str, Any]:
    """A distribution that is verified by launching, and published."""
    return {
        "distribute_source_image_id": fixture.image_id,
        "distribute_source_region": HOME,
        "distribute_regions": list(REGIONS),
        "distribute_kms_key_id": ALIAS,
        "distribute_account_ids": fixture.account_ids(*CONSUMERS),
        "distribute_consumer_role_name": ROLE,
        "distribute_external_id": EXTERNAL_ID,
        "distribute_verify_level": "launched",
        "distribute_verify_subnet_ids": subnet_ids(aws, CONSUMERS, *REGIONS),
        # So short that a launch of an image that an account does not see is repeated once.
        "distribute_verify_wait_timeout": 15,
        "distribute_publish_parameter": PARAMETER,
        "distribute_launch_templates": [TEMPLATE],
        "distribute_report_dir": str(tmp_path / "report"),
        "distribute_account_names": dict(zip(fixture.account_ids(*CONSUMERS), CONSUMERS, strict=True)),
    }


def _published(aws: SimulatedAws, account: str, region: str) -> str | None:
    ssm = aws.client("ssm", account, region)
    if encrypted.refusal(ssm.get_parameter, Name=PARAMETER) == "ParameterNotFound":
        return None
    return str(ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"])


def test_a_region_is_published_after_every_account_has_launched_its_image(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    # The Allowed AMIs settings of one account hide the image.
    away = aws.client("ec2", CONSUMERS[1], AWAY)
    others = [{"ImageProviders": ["amazon"]}]
    away.replace_image_criteria_in_allowed_images_settings(ImageCriteria=others)
    away.enable_allowed_images_settings(AllowedImagesSettingsState="enabled")

    failed = ansible.run(DISTRIBUTE, variables)
    assert failed.code != 0
    assert AWAY in failed.task(LATE_FAILURES).result["msg"]
    images = {region: observed.own_images(aws, OWNER, region)[-1]["ImageId"] for region in REGIONS}
    for account in (OWNER, *CONSUMERS):
        assert _published(aws, account, HOME) == fixture.image_id
        assert _published(aws, account, AWAY) is None
    report = failed.task("distribute : Write the distribution report").result["report"]
    assert report["status"] == "partial"
    assert {row["region"] for row in report["published"]} == {HOME}
    assert [(row["account_id"], row["region"]) for row in report["verified"] if not row["reached"]] == [
        (aws.account_id(CONSUMERS[1]), AWAY)
    ]

    page = (ansible.folder / "report" / "latest.html").read_text("utf-8")
    assert f"{CONSUMERS[1]} ({aws.account_id(CONSUMERS[1])})" in page
    assert "published in all 3 accounts (the owner among them) in 1 of 2 regions. " in page
    assert page.count("published in 3 of 3 accounts.") == page.count("published in 0 of 3 accounts.") == 1

    away.disable_allowed_images_settings()
    done = ansible.run(DISTRIBUTE, variables)
    assert done.code == 0, done.text
    assert done.task("distribute : Write the distribution report").result["report"]["status"] == "distributed"
    for account in (OWNER, *CONSUMERS):
        assert [_published(aws, account, region) for region in REGIONS] == [images[one] for one in REGIONS]
    for account in CONSUMERS:
        ec2 = aws.client("ec2", account, AWAY)
        (instance,) = ec2.run_instances(
            LaunchTemplate={"LaunchTemplateName": TEMPLATE}, MinCount=1, MaxCount=1
        )["Instances"]
        assert instance["ImageId"] == images[AWAY]
    assert EXTERNAL_ID not in done.stdout

    again = ansible.run(DISTRIBUTE, variables)
    assert (again.code, again.changed) == (0, []), again.text


@pytest.mark.parametrize("best_effort_regions", [[], pytest.param([AWAY], marks=pytest.mark.nightly)])
def test_an_account_that_ec2_rejects_keeps_the_image_from_no_other(
    aws: SimulatedAws,
    fixture: EncryptedFixture,
    ansible: Ansible,
    variables: dict[str, Any],
    best_effort_regions: list[str],
) -> None:
    bad, good = sorted(fixture.account_ids(*CONSUMERS))
    # For each snapshot and the image: both are rejected, then the first alone, and not the other.
    for action, goes_well in (
        ("ModifySnapshotAttribute", 0),
        ("ModifySnapshotAttribute", 3),
        ("ModifyImageAttribute", 0),
    ):
        refusal = {"code": "InvalidAMIAttributeItemValue", "status": 400}
        aws.add_fault("error", action=action, region=AWAY, after=goes_well, times=2, **refusal)
    variables |= {
        "distribute_best_effort_regions": best_effort_regions,
        "distribute_verify_level": "authorized",
    }
    run = ansible.run(DISTRIBUTE, variables)
    assert run.code != 0
    assert f"AWS rejected {bad}" in run.task(LATE_FAILURES).result["msg"]
    report = run.task("distribute : Write the distribution report").result["report"]
    assert report["status"] == "partial"
    assert {*run.facts["distribute_images"]} == {*REGIONS}
    shared = {one["region"]: one for one in report["regions"] if one["shared"]}
    for region, named in ((HOME, [bad, good]), (AWAY, [good])):
        sharing = observed.sharing(aws, OWNER, region, shared[region]["image_id"])
        assert sharing == ({*named}, [{*named}] * 2)
        permitted = [one for one in report["launch_permissions"] if region in one["regions"]]
        assert sorted(account for one in permitted for account in one["account_ids"]) == named
        volumes = [one for one in report["volume_permissions"] if region in one["snapshots"]]
        assert sorted(account for one in volumes for account in one["account_ids"]) == named
        assert {len(one["snapshots"][region]) for one in volumes} == {2}
    reached = {(row["account_id"], row["region"]): row["reached"] for row in report["verified"]}
    assert reached == {(bad, HOME): True, (good, HOME): True, (bad, AWAY): False, (good, AWAY): True}
    # A region is published if all accounts are verified.
    assert {row["region"] for row in report["published"]} == {HOME}

    aws.clear_faults()
    rerun = ansible.run(DISTRIBUTE, variables)
    assert rerun.code == 0, rerun.text
    assert observed.launch_permissions(aws, OWNER, AWAY, shared[AWAY]["image_id"]) == {bad, good}


@pytest.mark.nightly
def test_check_mode_predicts_what_is_published(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    # Launch probes are terminated, and are no change.
    variables["distribute_verify_level"] = "authorized"
    planned = ansible.run(DISTRIBUTE, variables, "--check", "--diff")
    assert planned.code == 0, planned.text
    assert encrypted.changes(aws, refused=True) == []
    done = ansible.run(DISTRIBUTE, variables)
    assert done.code == 0, done.text
    assert prediction_error(planned.actions, done.actions) == ""
    assert done.task("Publish the verified images").changed
    # In the source region, the image exists, and what the accounts would get does not.
    plan, result = (run.task("Show the result").result["text"] for run in (planned, done))
    rows = [line.split()[2:] for line in plan.splitlines() if line.startswith(REGIONS)]
    assert rows == [["source", *["planned"] * 3], ["planned"] * 4]
    assert MEANS in result
    assert f"Published in 2 accounts and the owner's as {PARAMETER}, label" in result


def test_a_role_in_check_mode_predicts_what_is_published(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    variables["distribute_verify_level"] = "authorized"
    role = {"role": "golden.images.distribute", "check_mode": True}
    planned = ansible.tasks([], roles=[role], vars=variables)
    assert planned.code == 0, planned.text
    assert planned.task("Publish the verified images").changed
    assert encrypted.changes(aws, refused=True) == []


@pytest.mark.nightly
def test_check_mode_fails_only_if_nothing_would_change_what_an_account_lacks(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    """The image exists in its region, and accounts cannot launch it before it is shared with them."""
    variables |= {"distribute_verify_level": "authorized", "distribute_regions": [HOME]}
    planned = ansible.run(DISTRIBUTE, variables, "--check")
    assert planned.code == 0, planned.text
    done = ansible.run(DISTRIBUTE, variables)
    assert done.code == 0, done.text
    # Check mode launches no instance.
    launching = ansible.run(DISTRIBUTE, variables | {"distribute_verify_level": "launched"}, "--check")
    assert MEANS in launching.task("Show the result").result["text"]
    assert prediction_error(planned.actions, done.actions) == ""

    home = aws.client("ec2", CONSUMERS[1], HOME)
    home.replace_image_criteria_in_allowed_images_settings(ImageCriteria=[{"ImageProviders": ["amazon"]}])
    home.enable_allowed_images_settings(AllowedImagesSettingsState="enabled")
    failed = ansible.run(DISTRIBUTE, variables, "--check")
    assert failed.code != 0
    assert HOME in failed.task(LATE_FAILURES).result["msg"]


def test_options_of_later_steps_are_validated_first(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    variables |= {"distribute_publish_parameter": "aws/golden", "distribute_verify_subnet_ids": {}}
    refused = ansible.run(DISTRIBUTE, variables)
    assert refused.code != 0
    problems = refused.task("Validate options of all steps").result["failures"]
    assert {one["action"] for one in problems} == {"publish_parameter", "subnet_ids"}
    assert encrypted.changes(aws, refused=True) == []


@pytest.mark.nightly
def test_accounts_that_own_copies_publish_their_copies(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    account, other = CONSUMERS
    fixture.add(kms_keys={"theirs": {"account": account, "regions": [HOME], "alias": "alias/theirs"}})
    variables |= {
        "distribute_regions": [HOME],
        "distribute_account_ids": fixture.account_ids(account),
        "distribute_copy_into_accounts": True,
        "distribute_consumer_kms_key_id": "alias/theirs",
        "distribute_unshare_after_copy": True,
    }
    aws.clear_calls()
    planned = ansible.run(DISTRIBUTE, variables, "--check")
    assert planned.code == 0, planned.text
    assert encrypted.changes(aws, refused=True) == []
    done = ansible.run(DISTRIBUTE, variables)
    assert done.code == 0, done.text
    (copy,) = done.facts["distribute_consumer_images"]
    assert copy["image_id"] != fixture.image_id
    assert _published(aws, account, HOME) == copy["image_id"]
    assert _published(aws, OWNER, HOME) == fixture.image_id
    assert _published(aws, other, HOME) is None
    assert encrypted.launched(aws, account, HOME, copy["image_id"]) == "running"
    assert encrypted.launched(aws, account, HOME, fixture.image_id) == "AuthFailure"

    again = ansible.run(DISTRIBUTE, variables)
    assert (again.code, again.changed) == (0, []), again.text


def test_nothing_is_published_if_the_verification_cannot_start(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    variables |= {"distribute_regions": [HOME], "distribute_verify_level": "authorized"}
    other = {"distribute_publish_parameter": "/golden/other", "distribute_launch_templates": []}
    role = {"name": "golden.images.distribute"}
    # One of several hosts with accounts of their own may verify only its account. This one has none until the
    # second image is shared, so that only its verification is refused.
    is_shared = "is_second_image | default(false) and distribute__share_result"
    own = {"account_id": f"{{{{ '{aws.account_id(OWNER)}' if {is_shared} else none }}}}"}
    inventory = ansible.folder / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"first": own, "second": {}}}}), encoding="utf-8")
    run = ansible.tasks(
        [
            {"name": "end", "meta": "end_host", "when": "inventory_hostname == 'second'"},
            {"name": "one", "include_role": role, "vars": variables},
            {"name": "own", "set_fact": {"is_second_image": True}},
            {"name": "other", "include_role": role, "vars": variables | other},
        ],
        *("--inventory", str(inventory)),
        hosts="all",
        connection="local",
        vars={"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
    )
    assert run.code != 0
    assert _published(aws, OWNER, HOME) == fixture.image_id
    ssm = aws.client("ssm", OWNER, HOME)
    assert encrypted.refusal(ssm.get_parameter, Name="/golden/other") == "ParameterNotFound"
    *_, verification_error = (task for task in run.tasks if task.name.endswith(LATE_FAILURES))
    assert "every host of the play would verify" in verification_error.result["msg"]
    *_, reported = (
        task for task in run.tasks if task.name.endswith("distribute : Write the distribution report")
    )
    report = reported.result["report"]
    assert (report["status"], "published" in report) == ("partial", False)
    assert [one["action"] for one in report["failures"]] == ["verify"]
    # Nothing of what the first image has reached.
    assert [one["reached"] for one in report["verified"]] == [False, False]


@pytest.mark.parametrize("level", ["authorized", pytest.param("none", marks=pytest.mark.nightly)])
def test_a_host_that_would_verify_accounts_of_others_is_refused_before_its_first_change(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any], level: str
) -> None:
    variables |= {"distribute_regions": [HOME], "distribute_verify_level": level}
    # Without a verification, it can be anything.
    own = {"account_id": "dev" if level == "none" else aws.account_id(OWNER)}
    inventory = ansible.folder / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"first": own, "second": own}}}), encoding="utf-8")
    aws.clear_calls()
    run = ansible.tasks(
        [
            {"name": "end", "meta": "end_host", "when": "inventory_hostname == 'second'"},
            {"name": "one", "include_role": {"name": "golden.images.distribute"}, "vars": variables},
        ],
        *("--inventory", str(inventory)),
        hosts="all",
        connection="local",
        vars={"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
    )
    if level == "none":
        assert run.code == 0, run.text
        return
    assert run.code != 0
    assert f"account_ids: the account_id of this host is {own['account_id']}" in run.text
    assert "in a play with one host (localhost), or set verify_level: none." in run.text
    assert encrypted.changes(aws, refused=True) == []


@pytest.mark.nightly
def test_variables_of_the_role_verify_change_no_distribution(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    """An extra variable takes precedence over each variable of a task."""
    image = {"account": OWNER, "region": HOME, "devices": [{"device_name": "/dev/xvda", "size": 8}]}
    other = fixture.add_images({"other": image})["other"]
    consumers = [{"UserId": account_id} for account_id in variables["distribute_account_ids"]]
    aws.client("ec2", OWNER, HOME).modify_image_attribute(ImageId=other, LaunchPermission={"Add": consumers})
    variables |= {"distribute_regions": [HOME], "distribute_verify_level": "authorized"}
    variables["distribute_output_files"] = ["images.json"]
    of_verify = {
        "verify_images": {HOME: other},
        "verify_account_ids": variables["distribute_account_ids"][:1],
        "verify_level": "visible",
        "verify_report_dir": str(ansible.folder / "verified"),
        # Facts of roles.
        "verify_failed_regions": [],
        "verify_results": [],
        "distribute_images": {HOME: other},
    }
    refusal = {"code": "UnauthorizedOperation", "message": "No.", "status": 403}
    aws.add_fault("error", action="RunInstances", account_id=aws.account_id(CONSUMERS[1]), times=0, **refusal)
    refused = ansible.run(DISTRIBUTE, variables | of_verify)
    assert refused.code != 0
    assert [_published(aws, account, HOME) for account in (OWNER, *CONSUMERS)] == [None, None, None]
    assert "In no region is every account verified, so nothing is published." in " ".join(
        refused.text.split()
    )

    aws.clear_faults()
    done = ansible.run(DISTRIBUTE, variables | of_verify)
    assert done.code == 0, done.text
    assert _published(aws, CONSUMERS[1], HOME) == fixture.image_id
    report = done.task("distribute : Write the distribution report").result["report"]
    assert [(one["account_id"], one["image_id"], one["level"]) for one in report["verified"]] == [
        (account_id, fixture.image_id, "authorized")
        for account_id in sorted(variables["distribute_account_ids"])
    ]
    written = json.loads((ansible.folder / "images.json").read_text("utf-8"))
    assert written["images"] == {HOME: fixture.image_id}
    assert not (ansible.folder / "verified").exists()


@pytest.mark.nightly
def test_an_instance_that_cannot_be_terminated_fails_the_distribution(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    refusal = {"code": "UnauthorizedOperation", "message": "No.", "status": 403}
    aws.add_fault(
        "error", action="TerminateInstances", account_id=aws.account_id(CONSUMERS[0]), times=0, **refusal
    )
    run = ansible.run(DISTRIBUTE, variables | {"distribute_regions": [HOME]})
    assert run.code != 0
    assert "could not be terminated" in run.task(LATE_FAILURES).result["msg"]
    # Every account has launched the image.
    assert _published(aws, CONSUMERS[0], HOME) == fixture.image_id


@pytest.mark.nightly
def test_a_best_effort_region_that_cannot_be_published_stops_no_other(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    variables |= {"distribute_best_effort_regions": [AWAY], "distribute_verify_level": "none"}
    aws.add_fault("denied", service="ssm", region=AWAY, times=0)
    run = ansible.run(DISTRIBUTE, variables)
    assert run.code == 0, run.text
    assert _published(aws, CONSUMERS[0], HOME) == fixture.image_id
    report = run.task("distribute : Write the distribution report").result["report"]
    assert {row["region"] for row in report["published"]} == {HOME}
    assert {one["region"] for one in report["failures"]} == {AWAY}
    aws.clear_faults()
    again = ansible.run(DISTRIBUTE, variables)
    assert again.code == 0, again.text
    assert _published(aws, CONSUMERS[0], AWAY) == again.facts["distribute_images"][AWAY]


@pytest.mark.nightly
def test_a_distribution_to_best_effort_regions_alone_fails_if_none_is_published(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    variables |= {"distribute_best_effort_regions": list(REGIONS), "distribute_verify_level": "none"}
    aws.add_fault("denied", service="ssm", action="PutParameter", times=0)
    run = ansible.run(DISTRIBUTE, variables)
    assert run.code != 0
    assert "The image is published in no region" in run.text


@pytest.mark.nightly
def test_an_account_that_ec2_rejects_keeps_no_other_one_from_the_parameter(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    bad, good = sorted(fixture.account_ids(*CONSUMERS))
    # Both are rejected, then the first alone, and not the other.
    refusal = {"code": "InvalidAMIAttributeItemValue", "status": 400}
    aws.add_fault("error", action="ModifyImageAttribute", region=AWAY, times=2, **refusal)
    run = ansible.run(DISTRIBUTE, variables | {"distribute_verify_level": "none"})
    assert run.code != 0
    assert f"AWS rejected {bad}" in run.task(LATE_FAILURES).result["msg"]
    names = {aws.account_id(name): name for name in CONSUMERS}
    published = {name: _published(aws, name, AWAY) for name in (names[bad], names[good])}
    assert published == {names[bad]: None, names[good]: run.facts["distribute_images"][AWAY]}


@pytest.mark.nightly
def test_the_time_for_instances_to_run_is_a_variable(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    aws.update_settings(launch_seconds=60)
    run = ansible.run(
        DISTRIBUTE, variables | {"distribute_regions": [HOME], "distribute_verify_wait_timeout": 1}
    )
    assert run.code != 0
    said = " ".join(run.task(LATE_FAILURES).result["msg"].split())
    assert "still pending after 1 s (wait_timeout)" in said


@pytest.mark.nightly
def test_an_account_without_a_copy_verifies_the_shared_image(
    aws: SimulatedAws, fixture: EncryptedFixture, ansible: Ansible, variables: dict[str, Any]
) -> None:
    account, _ = CONSUMERS
    place = {"account_id": aws.account_id(account), "region": AWAY, "times": 0}
    fixture.add(kms_keys={"theirs": {"account": account, "regions": [HOME, AWAY], "alias": "alias/theirs"}})
    refusal = {"code": "UnauthorizedOperation", "message": "No.", "status": 403}
    for action in ("CopyImage", "RunInstances"):
        aws.add_fault("error", action=action, **place, **refusal)
    run = ansible.run(
        DISTRIBUTE,
        variables
        | {
            "distribute_best_effort_regions": [AWAY],
            "distribute_account_ids": fixture.account_ids(account),
            "distribute_copy_into_accounts": True,
            "distribute_consumer_kms_key_id": "alias/theirs",
            "distribute_verify_level": "authorized",
        },
    )
    assert run.code != 0
    assert AWAY in run.task(LATE_FAILURES).result["msg"]
    assert [_published(aws, OWNER, region) for region in REGIONS] == [fixture.image_id, None]
    assert _published(aws, account, HOME) == run.facts["distribute_consumer_images"][0]["image_id"]
    assert _published(aws, account, AWAY) is None
