# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX surveys from the options of roles: what is asked and how, and where the files differ from the roles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from checks import surveys
from checks.commands import CheckError
from checks.surveys import as_text, different, listed, release_survey, role_survey, write

CHECKOUT = Path(__file__).resolve().parents[3]


def question(option: dict[str, Any], variable: str = "share_it") -> dict[str, Any]:
    """The one question about an option."""
    (asked,) = role_survey("share", "Share", {variable: {"description": ["It."], **option}})["spec"]
    return asked


@pytest.mark.parametrize(
    ("option", "kind", "choices", "default"),
    [
        ({"type": "str", "default": ""}, "text", None, None),
        ({"type": "str", "default": "USD"}, "text", None, "USD"),
        ({"type": "str", "no_log": True, "default": "x"}, "password", None, None),
        ({"type": "str", "choices": ["none", "high"]}, "multiplechoice", ["none", "high"], None),
        (
            {"type": "str", "choices": ["none", "high"], "default": "none"},
            "multiplechoice",
            ["none", "high"],
            "none",
        ),
        ({"type": "bool"}, "multiplechoice", ["true", "false"], None),
        ({"type": "bool", "default": False}, "multiplechoice", ["true", "false"], "false"),
        ({"type": "bool_or_account_ids", "default": True}, "multiplechoice", ["true", "false"], "true"),
        ({"type": "int", "default": 300}, "integer", None, 300),
        ({"type": "int"}, "text", None, None),
        ({"type": "count_or_percentage", "default": "10%"}, "text", None, "10%"),
        ({"type": "images"}, "textarea", None, None),
        ({"type": "raw"}, "textarea", None, None),
        ({"type": "raw", "default": {}}, "textarea", None, None),
        ({"type": "dict", "default": {}}, "textarea", None, None),
        ({"type": "list", "elements": "str", "default": []}, "textarea", None, None),
        ({"type": "list", "elements": "str", "default": ["a", "b"]}, "textarea", None, "a\nb"),
        ({"type": "list", "choices": ["a", "b"], "default": ["a", "b"]}, "multiselect", ["a", "b"], "a\nb"),
    ],
)
def test_the_answer_to_an_option(
    option: dict[str, Any], kind: str, choices: list[str] | None, default: object
) -> None:
    asked = question(option)
    assert (asked["type"], asked.get("choices"), asked.get("default")) == (kind, choices, default)
    # AWX sends a blank default as an answer.
    assert ("default" in asked) == (default is not None)


def test_required_options_are_asked_first_and_paths_never() -> None:
    options = {
        "share_snapshots": {"type": "str", "description": ["B."]},
        "share_report_dir": {"type": "path", "description": ["C."]},
        "share_images": {"type": "raw", "description": ["A."], "required": True},
    }
    asked = role_survey("share", "Share", options)["spec"]
    assert [(one["variable"], one["required"]) for one in asked] == [
        ("share_images", True),
        ("share_snapshots", False),
    ]


def test_what_has_no_room_is_not_asked() -> None:
    options = {
        "distribute_verify_level": {"type": "str", "description": ["A."]},
        "distribute_verify_launch_tags": {"type": "dict", "description": ["B."]},
    }
    asked = role_survey("distribute", "Distribute", options)["spec"]
    assert [one["variable"] for one in asked] == ["distribute_verify_level"]


@pytest.mark.parametrize(
    ("variable", "title"),
    [
        ("share_source_image_id", "Source image ID"),
        ("share_org_arns", "Organization ARNs"),
        ("share_org_unit_arns", "Organizational unit ARNs"),
        ("share_tombstone_s3_uri", "Tombstone S3 URI"),
    ],
)
def test_titles(variable: str, title: str) -> None:
    assert question({"type": "str"}, variable)["question_name"] == title


def test_descriptions_are_plain_text() -> None:
    text = [
        "As P(golden.images.verify#role) sets C(ec2:SharedTag/), see P(golden.images.accounts#inventory).",
        "Needs O(share_org_arns) or O(share_purge=true), not O(golden.images.audit#role:main:audit_rules).",
        "O(share_report_dir) is not asked.",
    ]
    options = {
        "share_it": {"type": "list", "description": text},
        "share_org_arns": {"type": "list", "description": ["It."]},
        "share_purge": {"type": "bool", "description": ["It."]},
        "share_report_dir": {"type": "path", "description": ["It."]},
    }
    (asked,) = [
        one for one in role_survey("share", "Share", options)["spec"] if one["variable"] == "share_it"
    ]
    assert asked["question_description"] == (
        "As the role verify sets ec2:SharedTag/, see golden.images.accounts. "
        'Needs "Organization ARNs" or "Purge" = true, not audit_rules. share_report_dir is not asked. '
        "Separate several by commas or lines."
    )


def test_a_release_asks_once_what_its_steps_have_in_common() -> None:
    named = {
        "distribute": [
            *("distribute_source_image_id", "distribute_sources", "distribute_source_filters"),
            *("distribute_verify_level", "distribute_copy_into_accounts"),
        ],
        "verify": ["verify_level", "verify_account_ids"],
        "publish": ["publish_images", "publish_parameter"],
    }
    roles = {
        role: {name: {"type": "str", "description": ["It."]} for name in names}
        for role, names in named.items()
    }
    roles["publish"]["publish_parameter"]["required"] = True
    asked = [one["variable"] for one in release_survey(roles)["spec"]]
    assert asked == [
        *("publish_parameter", "distribute_source_image_id", "distribute_source_filters", "verify_level"),
    ]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one role, two of whose variables its survey does not ask, the survey, and the page."""
    unasked = ("share_these", "share_those")
    monkeypatch.setattr(surveys, "_WITHOUT_ROOM", frozenset(unasked))
    (tmp_path / "docs").mkdir()
    page = (CHECKOUT / surveys.PAGE).read_text(encoding="utf-8")
    (tmp_path / surveys.PAGE).write_text(listed(page), encoding="utf-8")
    meta = tmp_path / "roles" / "share" / "meta"
    meta.mkdir(parents=True)
    options = {name: {"type": "str", "description": ["It."]} for name in ("share_it", *unasked)}
    main = {"short_description": "Share", "options": options}
    (meta / "argument_specs.yml").write_text(
        yaml.safe_dump({"argument_specs": {"main": main}}), encoding="utf-8"
    )
    (meta / "variables.yml").write_text("variables: {}\n", encoding="utf-8")
    write(tmp_path)
    return tmp_path


def test_a_written_survey_does_not_differ(root: Path) -> None:
    assert different(root) == {}
    survey = yaml.safe_load((root / "awx" / "surveys" / "share.yml").read_text(encoding="utf-8"))
    assert (survey["name"], survey["description"]) == ("The role share", "Share")
    assert [one["variable"] for one in survey["spec"]] == ["share_it"]


def test_a_question_follows_the_table_of_the_role(root: Path) -> None:
    (root / "roles" / "share" / "meta" / "variables.yml").write_text(
        "variables: {share_it: {type: dict, required: true}}\n", encoding="utf-8"
    )
    (question,) = yaml.safe_load(different(root)["share.yml"] or "")["spec"]
    assert (question["type"], question["required"]) == ("textarea", True)


def test_a_survey_that_differs_is_written_again_and_one_of_no_role_deleted(root: Path) -> None:
    (root / "awx" / "surveys" / "share.yml").write_text("---\n", encoding="utf-8")
    (root / "awx" / "surveys" / "old.yml").write_text("---\n", encoding="utf-8")
    assert list(different(root)) == ["old.yml", "share.yml"]
    assert different(root)["old.yml"] is None
    write(root)
    assert different(root) == {}
    assert not (root / "awx" / "surveys" / "old.yml").exists()


def test_a_survey_too_long_to_answer_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys, "MOST_QUESTIONS", 0)
    with pytest.raises(CheckError, match=r"share asks 1 questions, more than 0: .* _WITHOUT_ROOM"):
        different(root)


def test_what_has_no_room_is_a_variable_of_a_role(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys, "_WITHOUT_ROOM", {"share_it", "share_that", "distribute_it"})
    with pytest.raises(CheckError, match=r"_WITHOUT_ROOM .* no role has: distribute_it, share_that$"):
        different(root)


def test_the_page_lists_what_has_no_room(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys, "CHECKOUT", root)
    page = root / surveys.PAGE
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("- `share_those`\n", ""), encoding="utf-8")
    with pytest.raises(CheckError, match=r"docs/awx\.md differs: run make format"):
        surveys.check()
    surveys.write_list()
    surveys.check()
    assert page.read_text(encoding="utf-8") == text
    with pytest.raises(CheckError, match=r"docs/awx\.md needs the line"):
        listed("A page.\n")


def test_a_checkout_without_roles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="no roles below"):
        different(tmp_path)


def test_the_check_names_the_file_that_differs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys, "CHECKOUT", root)
    surveys.check()
    (root / "awx" / "surveys" / "share.yml").unlink()
    with pytest.raises(CheckError, match=r"awx/surveys/share\.yml differ"):
        surveys.check()


def test_the_text_is_yaml_of_the_survey() -> None:
    survey = role_survey("share", "Share", {"share_it": {"type": "bool", "description": ["It."]}})
    assert yaml.safe_load(as_text(survey)) == survey
