# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role diagnose displays at its end and passes to the next job."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._diagnose.screen import screen
from ansible_collections.golden.images.plugins.module_utils._failures import Failure, summary
from ansible_collections.golden.images.plugins.module_utils._finding import UNREADABLE
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._reports.screen import (
    WIDTH,
    Screen,
    Tone,
    count_columns,
)

from tests.unit.hostile import TEXTS

EU, US = "eu-west-1", "us-east-1"
WEB, BATCH = "111111111111", "222222222222"
COMMAND = [
    "To see the changes that fix this, with the credentials of the images' account",
    "  (without --check, they are made):",
    "ansible-playbook -i localhost, golden.images.share_ami --check \\",
    f'  -e \'{{"share_images": {{"{EU}": "ami-1"}},',
    f'    "share_account_ids": ["{WEB}"]}}\'',
]


def finding(code: str = "not_shared", account_id: str = WEB, **changes: Any) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "blocks_launch": "blocking",
        "code": code,
        "message": f"It is {code}.",
        "region": EU,
        "remedy": "Share it.",
        **changes,
    }


def diagnosed(*findings: dict[str, Any], can_launch: str = "no", **changes: Any) -> dict[str, Any]:
    return {
        "account_id": WEB,
        "can_launch": can_launch,
        "findings": list(findings),
        "image_id": "ami-1",
        "region": EU,
        **changes,
    }


def shown(
    *results: dict[str, Any], status: str = "findings", parameter: str | None = None, **report: Any
) -> Screen:
    given = {"check_mode": False, "role": "diagnose", "parameter": parameter}
    found = screen({"results": list(results), "failures": [], **report}, given, None)
    assert found.artifacts["status"] == status
    assert all(count_columns(line.text) <= WIDTH for line in found.lines), found.text
    return found


def test_nothing_blocks_a_launch() -> None:
    harmless = finding("image_deprecated", blocks_launch="harmless")
    found = shown(diagnosed(harmless, can_launch="yes"), status="clean")
    assert found.text.splitlines() == [
        "Nothing blocks a launch: 1 account, 1 region.",
        "region     account       image  can launch  findings",
        f"eu-west-1  {WEB}  ami-1  yes         image_deprecated",
    ]
    assert found.lines[0].tone is Tone.GOOD
    assert found.artifacts == {"failed_regions": [], "report_path": None, "status": "clean"}


@pytest.mark.parametrize("blocks", ["blocking", "unknown", "harmless"])
@pytest.mark.parametrize("code", sorted(UNREADABLE))
def test_what_could_not_be_read_makes_it_incomplete(code: str, blocks: str) -> None:
    launchable = "yes" if blocks == "harmless" else "unknown"
    status = "clean" if blocks == "harmless" else "incomplete"
    shown(
        diagnosed(can_launch="yes"),
        diagnosed(finding(code, blocks_launch=blocks), can_launch=launchable),
        status=status,
    )


def test_what_blocks_a_launch_is_first_and_explained() -> None:
    found = shown(
        diagnosed(can_launch="yes", account_id=BATCH),
        diagnosed(finding(), finding("image_deprecated", blocks_launch="harmless")),
        diagnosed(finding("key_access_unknown", blocks_launch="unknown"), can_launch="unknown", region=US),
        failures=[finding(), {"message": "No.", "region": US, "remedy": "Ask."}],
    )
    assert found.text.splitlines() == [
        "2 of 3 launches blocked or not certain: 2 accounts, 2 regions.",
        "region     account       image  can launch  findings",
        f"eu-west-1  {WEB}  ami-1  no          not_shared, image_deprecated",
        f"us-east-1  {WEB}  ami-1  unknown     key_access_unknown",
        f"eu-west-1  {BATCH}  ami-1  yes",
        f"- eu-west-1: {WEB}: It is not_shared. Share it.",
        f"- eu-west-1: {WEB}: It is key_access_unknown. Share it.",
        "- us-east-1: No. Ask.",
        *COMMAND,
    ]
    assert [line.tone for line in found.lines[2:5]] == [Tone.BAD, Tone.WARNING, Tone.PLAIN]
    assert found.artifacts["failed_regions"] == [EU, US]


def test_the_code_of_what_blocks_is_not_cut() -> None:
    harmless = finding("missing_volume_permission", blocks_launch="harmless")
    unknown = finding("key_access_unknown", blocks_launch="unknown")
    found = shown(diagnosed(harmless, unknown, finding("missing_key_access")))
    assert found.text.splitlines()[2].split()[4].startswith("missing_key_access")


def test_an_account_is_named_once() -> None:
    found = shown(diagnosed(finding(message=f"Account {WEB} may not use the key.", remedy="")))
    assert f"- eu-west-1: Account {WEB} may not use the key." in [line.text for line in found.lines]


@pytest.mark.parametrize("text", [*TEXTS, "x" * 3_000, "key " * 800, "\u6771\u4eac" * 800])
def test_texts_of_aws_make_no_line_wider(text: str) -> None:
    found = shown(
        *(
            diagnosed(
                finding(message=f"{number} {text}", remedy=text),
                *(finding(f"finding_{one}_{'x' * 40}") for one in range(9)),
                region=f"me-central-{number}",
                image_id=f"ami-{'0' * 60}",
                account_id=text or WEB,
            )
            for number in range(30)
        ),
        failures=[{**finding(message=text, remedy=text), "region": "me-central-1"}],
        msg=text,
    )
    assert found.text.startswith("30 of 30 launches blocked or not certain: 1 account, 30 regions.")
    assert not set(found.text) & set("\0\x1b\r\t")
    assert found.lines[-1].text.strip().endswith("diagnose_failures.")


def test_nothing_was_diagnosed() -> None:
    found = shown(status="failed", failures=[{"message": "No.", "region": None, "remedy": ""}])
    assert found.text.splitlines() == ["Nothing was diagnosed.", "- No."]


@pytest.mark.parametrize(("regions", "row"), [(1, "eu-0 "), (8, "8 regions  24 accounts  ami-1  yes")])
def test_many_launches(regions: int, row: str) -> None:
    places = [(region, account) for region in range(regions) for account in range(24 if regions > 1 else 20)]
    found = shown(
        *(
            diagnosed(can_launch="yes", region=f"eu-{region}", account_id=f"{one:012}")
            for region, one in places
        ),
        status="clean",
    )
    assert found.text.splitlines()[-1].startswith(row)
    assert f"{24 if regions > 1 else 20} accounts, " in found.text.splitlines()[0]


def test_where_the_failures_are_that_are_not_shown() -> None:
    many = [Failure.at(Target("eu-1", None), "X", "bad", f"{number} is bad.", "") for number in range(9)]
    found = shown(status="failed", failures=[one.to_dict() for one in many], msg=summary(many))
    rest = "4 more in the facts diagnose_findings and diagnose_failures."
    assert [found.lines[-1].text.strip(), found.failure.splitlines()[-1]] == [rest, rest]


def test_the_command_that_shares_the_image() -> None:
    assert shown(diagnosed(finding())).text.splitlines()[-len(COMMAND) :] == COMMAND
    assert "--check" not in shown(diagnosed(finding("not_visible"))).text


def test_the_command_for_a_parameter_names_it() -> None:
    found = shown(diagnosed(finding("parameter_not_shared")), parameter="/golden/web")
    assert "golden.images.publish_ami --check" in found.text
    assert '"publish_parameter": "/golden/web"' in found.text
