# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a distribution's later steps, checked before its first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._copy.options import CopyOptions
from ansible_collections.golden.images.plugins.module_utils._distribution.options_report import (
    DistributionReportOptions,
)
from ansible_collections.golden.images.plugins.module_utils._distribution.read_steps import OWN_NAMES
from ansible_collections.golden.images.plugins.module_utils._kms_grant.options import GrantOptions
from ansible_collections.golden.images.plugins.module_utils._option import Options
from ansible_collections.golden.images.plugins.module_utils._publish.options import PublishOptions
from ansible_collections.golden.images.plugins.module_utils._share.options import ShareOptions
from ansible_collections.golden.images.plugins.module_utils._verification.options import VerifyOptions
from ansible_collections.golden.images.plugins.modules import distribution_check

from tests.unit.examples import CONSUMER
from tests.unit.in_process import Modules, returned

MODULES = "ansible_collections.golden.images.plugins.modules"
STEPS: dict[str, type[Options]] = {
    "copy": CopyOptions,
    "share": ShareOptions,
    "grant": GrantOptions,
    "publish": PublishOptions,
    "verify": VerifyOptions,
    "report": DistributionReportOptions,
    "consumer_copy": CopyOptions,
}
_LATER = {
    "copy_result",
    "images",
    "kms_key_ids",
    "reencrypt_source",
    "source_filters",
    "source_image_id",
    "source_owners",
}
_LATER |= {"source_parameter", "source_region"}
NOT_PASSED = {
    "copy": {"account_ids", "copy_result"},
    "share": _LATER,
    "grant": _LATER,
    "publish": _LATER | {"regions"},
    "verify": _LATER,
    "report": _LATER,
    "consumer_copy": _LATER,
}
"""What the role does not pass to a step, although the step has an option of this name."""
GIVEN = {
    "source_image_id": "ami-0123456789abcdef0",
    "source_region": "us-east-1",
    "account_ids": ["012345678901"],
    "regions": ["eu-west-1", "us-east-1"],
}


def mappings(options: dict[str, Any]) -> dict[str, Any]:
    """The options of the steps in a mapping for each, as the role passes them on with its names."""
    found: dict[str, Any] = {}
    for step, module in STEPS.items():
        passed = module.argument_spec().keys() - NOT_PASSED[step]
        names = {name: OWN_NAMES.get(step, {}).get(name, name) for name in passed}
        found[step] = {name: options[own] for name, own in names.items() if own in options}
    if options.get("verify_level", "none") == "none":
        found["verify"] = None
    if not options.get("copy_into_accounts"):
        found["consumer_copy"] = {}
    of_none = {name: options[name] for name in ("unshare_after_copy", "copy_result") if name in options}
    return {**found, **of_none}


def failures(options: dict[str, Any], check_mode: bool = False) -> list[dict[str, Any]]:
    """The failures for these options."""
    given = mappings(options)
    found: list[dict[str, Any]] = returned(distribution_check, given, check_mode=check_mode)["failures"]
    return found


def accept(options: dict[str, Any], check_mode: bool = False) -> None:
    """Check that these options are accepted."""
    assert failures(options, check_mode) == []


def refused(**options: Any) -> list[str]:
    """The refused options."""
    return [failure["action"] for failure in failures({**GIVEN, **options})]


def test_options_that_every_step_takes_are_accepted():
    accept(GIVEN)


def test_a_host_with_an_account_verifies_no_other():
    accounts = ["012345678901", "123456789012", "210987654321", "111122223333", "444455556666"]
    given = {**GIVEN, "account_ids": accounts, "verify_level": "visible", "consumer_role_name": "verifier"}
    of_host = {**given, "host_account_id": "123456789012"}
    (failure,) = failures(of_host)
    assert failure["action"] == "account_ids"
    assert failure["remedy"].endswith("a play with one host (localhost), or set verify_level: none.")
    assert "the account_id of this host is 123456789012" in failure["message"]
    assert "would verify 012345678901, 210987654321, 111122223333 and 1 more." in failure["message"]
    for accepted in (
        given,
        {**of_host, "verify_level": "none"},
        {**of_host, "account_ids": ["123456789012"]},
    ):
        accept(accepted)


def test_options_of_every_step_are_accepted():
    accept(
        {**GIVEN, "publish_parameter": "/golden/web", "launch_templates": ["web"], "verify_level": "launched"}
        | {"subnet_ids": SUBNETS},
        False,
    )


NAMED = {"source_image_id": None, "source_parameter": "/golden/web"}


@pytest.mark.parametrize(
    "params",
    [
        NAMED,
        {**NAMED, "publish_parameter": "/golden/web"},
        {
            **NAMED,
            "publish_parameter": "/golden/copies",
            "reencrypt_source": True,
            "kms_key_id": "alias/golden",
        },
        {
            **NAMED,
            "publish_parameter": "/golden/web",
            "regions": ["eu-west-1"],
            "reencrypt_source": True,
            "kms_key_id": "alias/golden",
        },
    ],
)
def test_a_parameter_selects_the_source(params: dict[str, Any]):
    accept({**GIVEN, **params})


def test_the_encrypted_copy_of_the_source_does_not_replace_it_in_its_parameter():
    encrypted = {"reencrypt_source": True, "kms_key_id": "alias/golden"}
    assert refused(**NAMED, **encrypted, publish_parameter="/golden/web") == ["publish_parameter"]


def test_verifying_several_accounts_with_a_role_is_accepted():
    several = {"account_ids": ["012345678901", "222222222222"], "verify_level": "visible"}
    accept({**GIVEN, **several, "consumer_role_name": "golden"})


def test_a_dry_run_needs_no_subnet():
    accept({**GIVEN, "verify_level": "authorized"})


def test_no_consumer_is_required():
    accept({**GIVEN, "account_ids": []})


@pytest.mark.parametrize(
    ("params", "options"),
    [
        ({"shared_tags": {"aws:mine": "1"}}, ["shared_tags"]),
        ({"principals": ["deploy"]}, ["principals"]),
        ({"auto_scaling": True}, ["auto_scaling"]),
        (
            {
                "access_method": "grant",
                "org_arns": ["arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5"],
            },
            ["access_method"],
        ),
        ({"launch_templates": ["web"]}, ["launch_templates"]),
        ({"publish_share": [CONSUMER]}, ["publish_share"]),
        ({"publish_share_purge": True}, ["publish_share_purge"]),
        ({"publish_share_purge": True, "publish_parameter": "/golden/web"}, ["publish_share_purge"]),
        ({"publish_share": ["web"], "publish_parameter": "/golden/web"}, ["publish_share"]),
        ({"verify_level": "visible", "account_ids": []}, ["account_ids"]),
        ({"copy_into_accounts": True}, ["consumer_role_name"]),
        ({"unshare_after_copy": True}, ["unshare_after_copy"]),
        ({"verify_level": "visible", "account_ids": ["012345678901", "222222222222"]}, ["verify_level"]),
        ({"report_path": "/nowhere/report.json"}, ["report_path"]),
        ({"copy_into_accounts": True, "account_ids": [], "consumer_role_name": "golden"}, ["account_ids"]),
        (
            {"verify_level": "launched", "subnet_ids": {"eu-west-1": "subnet-0123456789abcdef0"}},
            ["subnet_ids"],
        ),
        ({"shared_tags": {"aws:mine": "1"}, "principals": ["deploy"]}, ["shared_tags", "principals"]),
    ],
)
def test_each_step_refuses_its_own(params: dict[str, Any], options: list[str]):
    assert refused(**params) == options


def test_the_directory_of_a_source_can_be_missing_with_that_of_all(tmp_path: Path):
    folder = tmp_path / "reports" / "web"
    accept({**GIVEN, "report_dir": str(folder)})
    assert refused(report_dir=str(folder / "deeper")) == ["report_dir"]
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_of_two_steps_is_reported_once():
    assert refused(account_ids=[12345678901]) == ["account_ids"]


def test_a_purge_without_consumers_is_refused():
    assert "purge_launch_permissions" in refused(
        account_ids=[], purge_launch_permissions=True, purge_grants=True
    )


@pytest.mark.parametrize("step", STEPS)
def test_an_option_that_a_step_lacks_is_refused(step: str):
    given = {**mappings({**GIVEN, "verify_level": "visible"}), step: {"colour": "golden"}}
    (failure,) = returned(distribution_check, given)["failures"]
    assert failure["action"] == step
    assert failure["message"] == f"{step}: 'colour' is no option of this step."


@pytest.mark.parametrize("step", ["grant", "publish", "verify", "consumer_copy"])
def test_the_external_id_of_a_step_is_in_no_result(step: str, monkeypatch: pytest.MonkeyPatch):
    logged: list[str] = []
    log = "ansible.module_utils.basic.AnsibleModule.log"
    monkeypatch.setattr(log, lambda _module, message, **_values: logged.append(message))
    secret = "correct-horse"
    of_step = {"consumer_role_name": "golden", "external_id": secret}
    given = {step: of_step, "share": {"org_arns": ["golden"]}}
    result = Modules().run("distribution_check", given).result
    # The newest ansible-core returns no invocation.
    arguments = result.get("invocation", {}).get("module_args", {})
    assert secret not in str(arguments.get(step))
    assert "org_arns" in result["msg"]
    assert secret not in result["msg"]
    assert secret not in str(result["failures"])
    assert len(logged) == 1
    assert "golden" in logged[0]
    assert secret not in logged[0]


def test_a_value_that_is_no_option_of_ansible_is_refused_with_its_name():
    given = {"share": {"grant_results": ["mine"]}, "publish": {"parameter": ["a", "b"]}}
    found = returned(distribution_check, given)["failures"]
    assert [failure["action"] for failure in found] == ["grant_results", "publish_parameter"]


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("distribution_check", {"copy": GIVEN, "report": {"report_dir": "{tmp}"}}),
        ("distribution_report", {"copy_results": [], "report_path": "{tmp}/web.json", "report_s3_uri": None}),
    ],
)
def test_without_an_upload_no_aws_is_imported(module: str, options: dict[str, Any], tmp_path: Path):
    script = (
        "import sys\n"
        "from ansible_collections.golden.images.plugins.module_utils._runner import run_here\n"
        f"from {MODULES}.{module} import FLOW\n"
        f"result = run_here(FLOW, {options!r})\n"
        "assert not result.get('failed'), result\n"
        "sys.exit('botocore' in sys.modules)"
    ).replace("{tmp}", str(tmp_path))
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_an_upload_without_a_local_report_is_refused():
    assert refused(report_s3_uri="s3://reports/web") == ["report_s3_uri"]
    assert refused(report_s3_uri="reports/web", report_dir="/tmp") == ["report_s3_uri"]


COPIES = {"copy_into_accounts": True, "consumer_role_name": "golden"}
SUBNETS = {"eu-west-1": "subnet-0123456789abcdef0", "us-east-1": "subnet-0fedcba9876543210"}


@pytest.mark.parametrize(
    ("option", "params"),
    [
        ("consumer_kms_key_id", {**COPIES, "consumer_kms_key_id": "alias/ x"}),
        ("copy_wait_timeout", {"copy_wait_timeout": 0}),
        ("publish_parameter", {"publish_parameter": "//web"}),
        (
            "verify_wait_timeout",
            {"verify_level": "launched", "verify_wait_timeout": 0, "subnet_ids": SUBNETS},
        ),
    ],
)
def test_an_option_with_another_name_in_its_step_is_named_as_here(option: str, params: dict[str, Any]):
    (failure,) = failures({**GIVEN, **params})
    assert failure["action"] == option
    assert failure["message"].startswith(f"{option}: ")


PLANNED = {
    "account_id": "111122223333",
    "image_id": None,
    "kms_key_arn": "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "name": "golden",
    "region": "eu-west-1",
    "tags": {},
}


def planned(copy: dict[str, Any]) -> dict[str, Any]:
    """The result of ``ami_copy_regions`` in check mode."""
    return {"changed": True, "failures": [], "results": [copy]}


def _tags(number: int) -> dict[str, str]:
    return {f"key{one}": "value" for one in range(number)}


def test_a_copy_has_room_for_its_own_and_the_shared_tags():
    shared = {"shared_tags": _tags(20)}
    accept({**GIVEN, **shared, "tags": _tags(29)})
    assert refused(**shared, tags=_tags(30)) == ["shared_tags"]
    # With the tag of the key, there is one more.
    assert refused(**shared, tags=_tags(29), kms_key_id="alias/golden") == ["shared_tags"]
    accept({**GIVEN, "tags": _tags(49)})
    # The source gets no tags other than the shared ones.
    accept({**GIVEN, **shared, "tags": _tags(30), "regions": ["us-east-1"]})


def test_a_planned_copy_has_room_for_the_shared_tags():
    shared = {"shared_tags": _tags(20)}
    has = {f"ec2:SharedTag/{key}": "other" for key in _tags(1)}
    accept({**GIVEN, **shared, "copy_result": planned({**PLANNED, "tags": _tags(30)})})
    accept({**GIVEN, **shared, "copy_result": planned({**PLANNED, "tags": _tags(30) | has})})
    (failure,) = failures({**GIVEN, **shared, "copy_result": planned({**PLANNED, "tags": _tags(31)})})
    assert (failure["action"], failure["region"]) == ("shared_tags", "eu-west-1")
    assert failure["message"].startswith("shared_tags: 51 tags ")


def test_an_account_of_others_cannot_be_verified_without_a_role():
    visible = {"verify_level": "visible", "copy_result": planned(PLANNED)}
    assert refused(**visible) == ["verify_level"]
    accept({**GIVEN, **visible, "account_ids": ["111122223333"]})
    accept({**GIVEN, **visible, "consumer_role_name": "golden"})


def test_copies_of_encrypted_copies_need_a_key():
    copies = {"copy_into_accounts": True, "consumer_role_name": "golden"}
    assert refused(**copies, copy_result=planned(PLANNED)) == ["consumer_kms_key_id"]
    accept({**GIVEN, **copies, "copy_result": planned(PLANNED), "consumer_kms_key_id": "alias/x"})
    accept({**GIVEN, **copies, "copy_result": planned({**PLANNED, "kms_key_arn": None})})
    # Whether the accounts have copies of an image that exists is read.
    existing = {**PLANNED, "image_id": "ami-0123456789abcdef0"}
    accept({**GIVEN, **copies, "copy_result": planned(existing)})


@pytest.mark.parametrize(
    ("name", "changes", "characters"),
    [
        pytest.param("{source_name}-{region}", {"name": "n" * 118}, None, id="as long as possible"),
        pytest.param("{source_name}-{region}", {"name": "n" * 119}, 129, id="the name of the copy"),
        pytest.param(f"{'n' * 107}{{source_image_id}}", {}, None, id="an ID"),
        pytest.param(f"{'n' * 108}{{source_image_id}}", {}, 129, id="an ID that is longer than an old one"),
        pytest.param("golden", {"name": "n" * 128}, None, id="without either"),
        pytest.param(None, {"name": "n" * 128}, None, id="by default"),
        pytest.param(
            "{source_name}-{region}",
            {"name": "n" * 119, "image_id": "ami-0123456789abcdef0"},
            None,
            id="of an image that exists, with which the accounts are looked up",
        ),
    ],
)
def test_copies_of_copies_need_names_that_aws_accepts(
    name: str | None, changes: dict[str, Any], characters: int | None
):
    copies = {"copy_into_accounts": True, "consumer_role_name": "golden", "consumer_kms_key_id": "alias/x"}
    given = {**GIVEN, **copies, "name": name, "copy_result": planned({**PLANNED, **changes})}
    # The account of the credentials does not copy its own copy.
    accept({**given, "account_ids": [PLANNED["account_id"]]})
    accept({**given, "copy_into_accounts": False})
    if characters is None:
        accept(given)
        return
    (failure,) = failures(given)
    assert (failure["action"], failure["region"]) == ("name", "eu-west-1")
    assert f"a name of {characters} characters" in failure["message"]


def test_the_parameter_of_the_source_can_be_named_by_its_arn():
    encrypted = {"reencrypt_source": True, "kms_key_id": "alias/golden", "copy_result": planned(PLANNED)}
    given = {**NAMED, **encrypted, "publish_parameter": "/golden/web", "verify_level": "none"}
    arn = "arn:aws:ssm:us-east-1:{}:parameter/golden/web"
    assert refused(**{**given, "source_parameter": arn.format(PLANNED["account_id"])}) == [
        "publish_parameter"
    ]
    # Another account's parameter, which is shared with this one.
    accept({**GIVEN, **given, "source_parameter": arn.format("222222222222")})


def test_planned_copies_are_those_of_the_module():
    assert refused(copy_result=planned({"region": "eu-west-1"})) == ["copy_result"]


def test_a_source_is_required_once_there_are_regions():
    assert refused(source_image_id=None) == ["source_image_id"]
    assert refused(source_filters={"name": "golden-*"}) == ["source_filters"]


@pytest.mark.parametrize(
    ("report", "calls"),
    [
        ({"report_s3_uri": "s3://reports/web"}, True),
        ('{"report_s3_uri": "s3://reports/web"}', True),
        ({"report_dir": "web"}, False),
        ("", False),
        (None, False),
    ],
)
def test_aws_is_called_where_the_report_may_be_uploaded(report: Any, calls: bool):
    assert distribution_check.FLOW.calls_aws({"report": report}) is calls
