# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup plugin ami: the newest image that can be launched, or an error that says why there is none."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.golden.images.plugins.lookup import ami

from simulated_aws.client import SimulatedAws

from .credentials import without_credentials
from .fixture import HOME, OWNER, Fixture
from .playbook import Ansible, Run

AWAY, CONSUMER = "eu-west-1", "web-prod"


@pytest.fixture
def ids(aws: SimulatedAws, fixture: Fixture) -> dict[str, str]:
    """Images in AWAY, by label. The consumer may launch all but the disabled one."""
    common = {
        "account": OWNER,
        "region": AWAY,
        "devices": [{"device_name": "/dev/xvda", "size": 8}],
        "sharing": {"accounts": [CONSUMER]},
    }
    found = fixture.add_images(
        {
            "old": {**common, "name": "golden-web-1", "age_days": 30},
            "tagged": {**common, "name": "golden-web-2", "age_days": 20, "tags": {"family": "web"}},
            "newest": {**common, "name": "golden-web-3", "age_days": 10},
            "disabled": {**common, "name": "golden-web-4", "age_days": 5},
        }
    )
    aws.client("ec2", OWNER, AWAY).disable_image(ImageId=found["disabled"])
    aws.clear_calls()
    return found


def _looked_up(ansible: Ansible, *terms: str, **options: Any) -> Run:
    """Run a play that shows the result of the lookup."""
    arguments = ", ".join([*map(repr, terms), *(f"{name}={value!r}" for name, value in options.items())])
    return ansible.tasks(
        [
            {
                "name": "Look up",
                "ansible.builtin.debug": {"msg": f"{{{{ query('golden.images.ami', {arguments}) }}}}"},
            }
        ]
    )


def _found(run: Run) -> list[str]:
    assert run.code == 0, run.text
    found: list[str] = run.task("Look up").result["msg"]
    return found


@pytest.mark.nightly
def test_the_newest_image_of_a_family(ansible: Ansible, ids: dict[str, str]) -> None:
    assert _found(_looked_up(ansible, "golden-web-*", region=AWAY)) == [ids["newest"]]
    both = _looked_up(ansible, "golden-web-1", ids["old"], region=AWAY)
    assert _found(both) == [ids["old"], ids["old"]]
    assert _found(_looked_up(ansible, tags={"family": "web"}, region=AWAY)) == [ids["tagged"]]


@pytest.mark.nightly
def test_a_consumer_finds_shared_images_only_by_their_owner(
    fixture: Fixture, ansible: Ansible, ids: dict[str, str]
) -> None:
    consumer = Ansible(fixture.environment(CONSUMER), ansible.folder)
    (owner,) = fixture.account_ids(OWNER)
    found = _looked_up(consumer, "golden-web-*", owners=[owner], region=AWAY)
    assert _found(found) == [ids["newest"]]
    own = _looked_up(consumer, "golden-web-*", region=AWAY)
    assert own.code != 0
    assert "was not found among the images of self" in own.text
    assert "another account that shares its images is named there" in own.text


def test_allowed_images_hide_an_image_only_if_they_are_enabled(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, ids: dict[str, str]
) -> None:
    consumer = Ansible(fixture.environment(CONSUMER), ansible.folder)
    (owner,) = fixture.account_ids(OWNER)
    ec2 = aws.client("ec2", CONSUMER, AWAY)
    ec2.replace_image_criteria_in_allowed_images_settings(
        ImageCriteria=[{"ImageProviders": [owner], "ImageNames": ["golden-web-2"]}]
    )
    for state, expected in {"audit-mode": "newest", "enabled": "tagged"}.items():
        ec2.enable_allowed_images_settings(AllowedImagesSettingsState=state)
        found = _looked_up(consumer, "golden-web-*", owners=[owner], region=AWAY)
        assert _found(found) == [ids[expected]], state


@pytest.mark.nightly
def test_a_parameter_names_the_image(aws: SimulatedAws, ansible: Ansible, ids: dict[str, str]) -> None:
    ssm = aws.client("ssm", OWNER, AWAY)
    ssm.put_parameter(Name="/golden/web", Value=ids["old"], Type="String", DataType="aws:ec2:image")
    assert _found(_looked_up(ansible, parameter="/golden/web", region=AWAY)) == [ids["old"]]

    aws.client("ec2", OWNER, AWAY).disable_image(ImageId=ids["old"])
    refused = _looked_up(ansible, parameter="/golden/web", region=AWAY)
    assert refused.code != 0
    assert f"{ids['old']} of the parameter /golden/web cannot be launched" in refused.text
    missing = _looked_up(ansible, parameter="/golden/api", region=AWAY)
    assert "The parameter /golden/api does not exist" in missing.text


@pytest.mark.nightly
def test_an_image_whose_key_is_not_enabled_is_not_found(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    keys = {name: {"account": OWNER, "regions": [AWAY], "alias": f"alias/{name}"} for name in ("old", "new")}
    images = {
        name: {
            "account": OWNER,
            "region": AWAY,
            "name": f"golden-api-{name}",
            "age_days": age,
            "devices": [{"device_name": "/dev/xvda", "size": 8, "encrypted": True, "kms_key": name}],
        }
        for name, age in (("old", 20), ("new", 10))
    }
    described = fixture.add(kms_keys=keys, images=images)
    old, new = (described["images"][name]["image_id"] for name in ("old", "new"))
    assert _found(_looked_up(ansible, "golden-api-*", region=AWAY)) == [new]

    kms = aws.client("kms", OWNER, AWAY)
    kms.disable_key(KeyId=kms.describe_key(KeyId="alias/new")["KeyMetadata"]["KeyId"])
    older = _looked_up(ansible, "golden-api-*", region=AWAY)
    assert _found(older) == [old]
    told = " ".join(older.text.split())
    assert f"the result is an older image: {new} (golden-api-new) has a key that cannot be used" in told
    unchecked = _looked_up(ansible, "golden-api-*", region=AWAY, check_key_state="no")
    assert _found(unchecked) == [new]
    refused = _looked_up(ansible, new, region=AWAY)
    assert refused.code != 0
    assert f"{new} cannot be launched: {new} has a key that cannot be used (arn:aws:kms:" in refused.text
    assert "is in the state Disabled)" in refused.text

    # What cannot be read excludes no image.
    denied: dict[str, Any] = {"code": "UnauthorizedOperation", "message": "No.", "status": 403}
    aws.add_fault("error", action="DescribeSnapshots", times=0, **denied)
    assert _found(_looked_up(ansible, "golden-api-*", region=AWAY)) == [new]


@pytest.mark.nightly
def test_options_can_be_answers_of_a_survey(fixture: Fixture, ansible: Ansible, ids: dict[str, str]) -> None:
    (owner,) = fixture.account_ids(OWNER)
    answers = {
        "names": " golden-web-*\n",
        "owners": f"{owner}\nself\n",
        "family": "family: web",
        "blank": None,
    }
    options = "owners=owners, tags=family, parameter=blank, region=region"
    run = ansible.tasks(
        [
            {
                "name": "Look up",
                "ansible.builtin.debug": {"msg": f"{{{{ query('golden.images.ami', names, {options}) }}}}"},
                "vars": {**answers, "region": f" {AWAY}\n"},
            }
        ]
    )
    assert _found(run) == [ids["tagged"]]
    destroyed = _looked_up(ansible, "golden-web-*", owners=1402434204, region=AWAY)
    assert destroyed.code != 0
    assert "012345671234 becomes 1402434204" in destroyed.text


def test_errors_say_what_to_do(aws: SimulatedAws, ansible: Ansible, ids: dict[str, str]) -> None:
    disabled = _looked_up(ansible, "golden-web-4", region=AWAY)
    assert disabled.code != 0
    assert f"cannot be launched: {ids['disabled']} is disabled" in disabled.text

    refusal: dict[str, Any] = {"code": "UnauthorizedOperation", "message": "No.", "status": 403}
    aws.add_fault("error", action="DescribeImages", **refusal)
    denied = _looked_up(ansible, "golden-web-*", region=AWAY)
    assert denied.code != 0
    assert "Allow ec2:DescribeImages in the IAM policy" in denied.text

    aws.clear_calls()
    unclear = {
        "'all' is not an owner": f"'golden-web-*', owners=['all'], region='{AWAY}'",
        "nothing limits the search": f"region='{AWAY}'",
    }
    refused = ansible.tasks(
        [
            {
                "name": reason,
                "ansible.builtin.debug": {"msg": f"{{{{ query('golden.images.ami', {given}) }}}}"},
                "ignore_errors": True,
            }
            for reason, given in unclear.items()
        ]
    )
    assert refused.failed == [*unclear]
    assert all(reason in task.result["msg"] for reason, task in zip(unclear, refused.tasks, strict=True))
    assert aws.calls() == []


@pytest.mark.per_python
@pytest.mark.quick
def test_the_examples(aws: SimulatedAws, fixture: Fixture, ansible: Ansible, ids: dict[str, str]) -> None:
    for region in (HOME, AWAY):
        image_id = fixture.image_id if region == HOME else ids["tagged"]
        aws.client("ssm", OWNER, region).put_parameter(
            Name="/golden/web", Value=image_id, Type="String", DataType="aws:ec2:image"
        )
    subnet = aws.client("ec2", OWNER, AWAY).describe_subnets()["Subnets"][0]["SubnetId"]
    (owner,) = fixture.account_ids(OWNER)
    text = ami.EXAMPLES.replace("subnet-0123456789abcdef0", subnet).replace("123456789012", owner)
    text = text.replace("ec2:SharedTag/family", "family").replace("arm64", "x86_64")
    tasks = yaml.safe_load(text)
    run = ansible.tasks(tasks)
    assert run.code == 0, run.text
    launched, shared, published = run.tasks
    assert launched.result["instances"][0]["image_id"] == ids["newest"]
    assert shared.result["msg"] == ids["tagged"]
    assert [item["msg"] for item in published.result["results"]] == [
        f"{HOME} {fixture.image_id}",
        f"{AWAY} {ids['tagged']}",
    ]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("operation", "status", "options"),
    [("DescribeImages", 403, {}), ("GetParameter", 200, {"parameter": "/x"})],
)
def test_a_web_page_is_no_answer(
    aws: SimulatedAws, ansible: Ansible, operation: str, status: int, options: dict[str, str]
) -> None:
    aws.add_fault("page", action=operation, times=0, status=status)
    run = _looked_up(ansible, *([] if options else ["golden-web-*"]), region=AWAY, **options)
    assert run.code != 0
    told = " ".join(run.text.split())
    assert f"The response of {aws.url} to {operation} is a web page with the HTTP status {status}" in told
    assert "Check the network, the proxy and endpoint_url" in told


@pytest.mark.nightly
def test_credentials_that_cannot_be_read_are_named(ansible: Ansible) -> None:
    run = _looked_up(Ansible(without_credentials(ansible), ansible.folder), "golden-web-*", region=AWAY)
    assert run.code != 0
    told = " ".join(run.text.split())
    assert "The credentials or settings cannot be read: [Errno 2] No such file or directory" in told
    assert "Check profile or AWS_PROFILE" in told
    assert "Traceback" not in run.text
