# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role audit displays at its end, passes to the next job, and fails with."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._audit.screen import screen
from ansible_collections.golden.images.plugins.module_utils._reports.screen import (
    WIDTH,
    Screen,
    Tone,
    count_columns,
)

from tests.unit.audit.report.examples import policy
from tests.unit.examples import OWNER

EU, US = "eu-west-1", "us-east-1"
IMAGE = "ami-0123456789abcdef0"


def finding(code: str = "unknown_account", severity: str = "high", **changes: Any) -> dict[str, Any]:
    return {
        "account_id": OWNER,
        "code": code,
        "image_id": IMAGE,
        "message": f"{code} of {IMAGE}.",
        "principal": "999999999999",
        "region": EU,
        "remedy": "Unshare it.",
        "resource": IMAGE,
        "severity": severity,
        **changes,
    }


def failure(message: str = "No.", **changes: Any) -> dict[str, Any]:
    return {"action": "DescribeImages", "message": message, "region": US, "remedy": "Allow it.", **changes}


def region(**changes: Any) -> dict[str, Any]:
    return {"images": 12, "read": True, "shared_images": 3, **changes}


def shown(*findings: dict[str, Any], path: str | None = "audit", **changes: Any) -> Screen:
    results = {key: changes.pop(key) for key in ("changes", "failures") if key in changes}
    counts = {
        severity: sum(one["severity"] == severity for one in findings)
        for severity in ("high", "medium", "low")
    }
    report = {
        "account_id": OWNER,
        "counts": counts,
        "failures": changes.pop("unread", []),
        "findings": list(findings),
        "kms_keys": [],
        "not_checked": [],
        "policy": policy(),
        "regions": {EU: region()},
        "status": "findings" if findings else "clean",
        **changes,
    }
    found = screen(report, results, path)
    assert all(count_columns(line.text) <= WIDTH for line in found.lines), found.text
    return found


def test_a_clean_audit() -> None:
    found = shown()
    assert found.text.splitlines() == [
        f"Audit of account {OWNER}: no findings.",
        "12 images in 1 region, 3 of them shared.",
        "Report: audit",
    ]
    assert found.lines[0].tone is Tone.GOOD
    assert found.failure == ""
    assert found.artifacts == {
        "counts": {"high": 0, "medium": 0, "low": 0},
        "failed_regions": [],
        "finding_codes": [],
        "report_path": "audit",
        "status": "clean",
    }


def test_an_account_without_images_is_not_called_clean() -> None:
    found = shown(status="empty", regions={EU: region(images=0, shared_images=0)})
    assert found.text.splitlines() == [
        f"Audit of account {OWNER}: no images.",
        "0 images in 1 region, 0 of them shared.",
        "The account owns no image there: check the account of the credentials, and the",
        "  regions.",
        "Report: audit",
    ]
    assert {line.tone for line in found.lines[:1]} == {Tone.WARNING}
    assert found.artifacts["status"] == "empty"


def test_the_command_that_shows_what_can_be_removed() -> None:
    found = shown(finding(), finding("default_key", "low", principal=None))
    lines = found.text.splitlines()
    start = lines.index("To see what removes this access (without --check, it is removed):")
    assert lines[start + 1 :] == [
        "ansible-playbook -i localhost, golden.images.remediate_ami_sharing --check \\",
        '  -e \'{"remediate_finding_codes": ["unknown_account"],',
        f'    "remediate_images": {{"{EU}": ["{IMAGE}"]}},',
        '    "remediate_allow_empty_allowlist": true}\'',
        "Report: audit",
    ]
    assert "remediate" not in shown(finding("default_key", "low", principal=None)).text


def test_what_the_command_does_not_remove_has_its_remedy() -> None:
    keyless = finding("missing_key_access", "medium", remedy="Grant access to the key.")
    unread = finding("region_unreadable", "medium", remedy="Allow it.")
    text = shown(finding(), keyless, {**keyless, "principal": "888888888888"}, unread).text
    assert text.count("\nmissing_key_access: Grant access to the key.\n") == 1
    assert "unknown_account: " not in text
    assert "Allow it." not in text


def test_where_the_commands_are_that_are_not_displayed() -> None:
    arn = f"arn:aws:kms:{EU}:{OWNER}:key/1"
    keyless = finding("missing_key_access", "medium", principal="222222222222", resource=arn)
    lines = shown(keyless).text.splitlines()
    assert lines[-2:] == ["The report's page has the commands to paste.", "Report: audit"]
    assert "The report's page has further commands to paste." in shown(finding(), keyless).text
    without = "With audit_report_dir, a page has the commands to paste."
    assert shown(keyless, path=None).text.splitlines()[-1] == without
    # Nothing is missing if all that the findings need is displayed, or if no command does it.
    assert "to paste" not in shown(finding()).text
    assert "to paste" not in shown(finding("default_key", "low", principal=None)).text


def test_a_long_command_is_on_the_page_only() -> None:
    allowed = {**policy(), "allowed_account_ids": [f"{number:012}" for number in range(300)]}
    sentence = "golden.images.remediate_ami_sharing with this allowlist removes the access"
    assert sentence in shown(finding(), policy=allowed).text
    assert "ansible-playbook" not in shown(finding(), policy=allowed).text
    assert "page" not in shown(finding(), policy=allowed, path=None).text


def test_findings_of_one_kind_are_one_line_and_the_public_is_first() -> None:
    strange = [finding(resource=f"ami-{number}", region=[US, EU][number % 2]) for number in range(24)]
    public = finding("public", principal="all")
    unit = finding(
        "unknown_organization",
        principal="arn:aws:organizations::1:organization/o-1",
    )
    found = shown(*strange, public, unit, finding("default_key", "low", principal=None))
    assert found.text.splitlines()[:7] == [
        f"Audit of account {OWNER}: 26 high, 1 low findings.",
        "12 images in 1 region, 3 of them shared.",
        "severity finding              count principal    region    resource",
        f"high     public                   1 public       {EU} {IMAGE}",
        "high     unknown_account         24 999999999999 2 regions",
        f"high     unknown_organization     1 o-1          {EU} {IMAGE}",
        f"low      default_key              1              {EU} {IMAGE}",
    ]
    assert [line.tone for line in found.lines[3:7]] == [Tone.BAD] * 3 + [Tone.PLAIN]


def test_it_says_that_findings_do_not_fail_the_run_unless_they_do() -> None:
    sentence = "These findings do not fail the run; audit_fail_on sets which do."
    assert sentence in shown(finding()).text
    assert sentence not in shown().text
    failing = shown(finding(), failures=[failure("unknown_account", action="fail_on")])
    assert sentence not in failing.text


def test_what_could_not_be_read_is_last_of_its_severity() -> None:
    found = shown(finding("image_unreadable"), finding("image_unreadable"), finding())
    rows = [line.split()[1] for line in found.text.splitlines() if line.startswith("high")]
    assert rows == ["unknown_account", "image_unreadable"]


def test_five_kinds_are_shown_and_the_others_counted() -> None:
    found = shown(*(finding(code=f"code_{number}") for number in range(8)))
    rows = [line for line in found.text.splitlines() if line.startswith("high")]
    assert len(rows) == 5
    assert "and 3 more findings of 3 kinds" in found.text


def test_principals_of_one_kind_are_one_row() -> None:
    found = shown(*(finding(principal=f"{number:012}") for number in range(24)))
    (row,) = (line for line in found.text.splitlines() if line.startswith("high"))
    assert row.split() == ["high", "unknown_account", "24", "24", "principals", EU, IMAGE]


def test_roles_of_one_name_in_two_accounts_are_two_principals() -> None:
    arns = [f"arn:aws:iam::{account}:role/golden-consumer" for account in ("222222222222", "333333333333")]
    found = shown(*(finding(principal=arn) for arn in arns))
    assert "  2 principals  " in found.text
    lines = shown(finding(principal=arns[0])).text.splitlines()
    columns = slice(lines[2].index("principal"), lines[2].index("region"))
    assert "".join(line[columns].strip() for line in lines[3:6]) == arns[0]


def test_findings_that_the_role_fails_on() -> None:
    kinds = [
        finding(principal=f"{number:012}", message=f"Finding {number}.", image_id=f"ami-{number}")
        for number in range(7)
    ]
    more = finding(principal=f"{6:012}", message="Another one.", region=US)
    low = finding("default_key", "low", message="Not asked.")
    asked = [failure(one["message"], action="fail_on") for one in (*kinds, more)]
    found = shown(*kinds, more, low, failures=asked)
    lines = found.failure.splitlines()
    assert lines[0] == "The audit found 8 high, 1 low findings."
    assert lines[1:] == [
        # Accounts with one image each.
        f"- {EU}: Finding 0. And 5 more of this kind.",
        f"- {EU}: Finding 6. And 1 more of this kind.",
    ]
    assert "Not asked." not in found.failure
    # The table has the findings already.
    assert "Finding 6." not in found.text


def test_accounts_with_the_same_images_are_one_reason_to_fail() -> None:
    strangers = [
        finding(principal=f"{number:012}", message=f"Finding {number}.", image_id=image)
        for number in range(24)
        for image in ("ami-1", "ami-2")
    ]
    found = shown(*strangers, failures=[failure(one["message"], action="fail_on") for one in strangers])
    assert found.failure.splitlines()[1:] == [f"- {EU}: Finding 0. And 47 more of this kind."]


def test_a_finding_of_one_region() -> None:
    found = shown(finding(), finding(resource="ami-2"))
    assert found.text.splitlines()[3].endswith(f"  {EU}")


def test_an_incomplete_audit() -> None:
    unread = finding("image_unreadable", message="It was refused.")
    found = shown(
        unread,
        status="incomplete",
        failures=[],
        regions={EU: region(), US: region(read=False, images=None, shared_images=None)},
    )
    assert found.text.splitlines()[:2] == [
        f"Incomplete audit of account {OWNER}: 1 high finding.",
        "12 images in 1 of 2 regions, 3 of them shared.",
    ]
    assert found.failure == (
        "The audit is incomplete: 1 high finding.\n"
        f"- eu-west-1 in account {OWNER}: It was refused. Unshare it."
    )
    assert found.artifacts["failed_regions"] == [US]


def test_nothing_was_read() -> None:
    report: dict[str, Any] = {
        "account_id": None,
        "counts": {"high": 1, "medium": 0, "low": 0},
        "failures": [failure(region=None)],
        "findings": [finding("account_unreadable", message="No.", region=None, resource="x", principal=None)],
        "not_checked": ["keys"],
        "regions": {},
        "status": "incomplete",
    }
    found = screen(report, {}, "audit")
    assert found.text.splitlines() == ["Nothing was audited.", "- No. Allow it.", "Report: audit"]
    # The task that fails has the reason in its message.
    assert [line.tone for line in found.lines] == [Tone.BAD, Tone.FAILURE, Tone.PLAIN]
    assert found.failure == "Nothing was audited.\n- No. Allow it."


def test_no_region_was_read() -> None:
    unread = [failure(region=name) for name in (EU, US)]
    found = shown(
        *(finding("region_unreadable", region=name, resource=name, message="No.") for name in (EU, US)),
        status="incomplete",
        unread=unread,
        regions=dict.fromkeys((EU, US), region(read=False, images=None, shared_images=None)),
    )
    assert found.text.splitlines() == [
        f"Nothing was audited in account {OWNER}.",
        "- eu-west-1, us-east-1: No. Allow it.",
        "Report: audit",
    ]
    assert found.artifacts["failed_regions"] == [EU, US]


@pytest.mark.parametrize(
    ("added", "removed", "text"),
    [
        ([], [], "Nothing has changed since 2026-11-24 12:00."),
        (
            ["A is shared."],
            ["B is not."],
            "Since 2026-11-24 12:00: 1 new, 1 gone.\n+ A is shared.\n- B is not.",
        ),
    ],
)
def test_what_has_changed(added: list[str], removed: list[str], text: str) -> None:
    changes = {"added": added, "removed": removed, "since": "2026-11-24T12:00:00+00:00"}
    assert text in shown(changes=changes).text


def test_many_changes_are_counted() -> None:
    changes = {"added": [f"{n} is shared." for n in range(9)], "removed": [], "since": "2026-11-24T12:00:00"}
    assert "  4 more in audit." in shown(changes=changes).text
