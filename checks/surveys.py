# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWX surveys in ``awx/surveys``, one for each role, written from the variables that the role declares.

python -m checks.surveys    write them

A survey asks for every option of its role but paths on the controller, what selects an image in such a file,
and where such a file is uploaded to: files that a job writes disappear with its container. An option that is
the same in all runs is not asked where a survey has no room for it. ``awx/setup.yml`` leaves out what the
installation sets once and for all. Required options are first, the others stand in the role's order.

AWX stores a question's ``default`` and sends it, even if blank, as an answer with every job: questions have a
default only if the option has one that is not blank.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from checks.commands import CheckError
from checks.paths import CHECKOUT
from checks.variables import roles

Option = Mapping[str, Any]
Survey = dict[str, Any]

# AWX shows all questions of a survey on one page.
MOST_QUESTIONS = 36

# The survey of the workflow that distributes, verifies and, once approved, publishes: these options of each
# role. What its steps have in common is asked once. The workflow verifies and publishes the images of the
# owner, so it does not ask about copies that consumers own. It does not ask about several sources either:
# they have no common images to verify, and each could be published before the approval.
RELEASE = "release"
_STEPS_OF_A_RELEASE: dict[str, re.Pattern[str]] = {
    "distribute": re.compile(
        r"distribute_(?!verify_|publish_|launch_templates|copy_into_|consumer_kms_|unshare_|sources$)\w+"
    ),
    "verify": re.compile(r"verify_(level|subnet_ids|security_group_ids|launch_tags|instance_type)"),
    "publish": re.compile(r"publish_(parameter(_tags)?|launch_template(s|_base_version))"),
}

_FROM = "# Written from the options of the roles by `make format`.\n"
# yaml breaks a line after the word that passes this column.
_LINE = 75
_WORDS = {
    "arns": "ARNs",
    "dir": "directory",
    "id": "ID",
    "ids": "IDs",
    "kms": "KMS",
    "s3": "S3",
    "ssm": "SSM",
    "uri": "URI",
}
_MARKUP = re.compile(r"\b(?P<mark>[CMOPV])\((?P<text>[^)]*)\)")
# Options that are the same in all runs, of surveys that have MOST_QUESTIONS: extra variables set them.
_WITHOUT_ROOM = frozenset(
    {
        "distribute_auto_scaling_roles",
        "distribute_launch_template_base_version",
        "distribute_parameter_tags",
        "distribute_publish_older",
        "distribute_publish_uncertain",
        "distribute_verify_launch_tags",
    }
)
_OF_A_FILE = re.compile(r"_packer_|_report_s3_")
_ROLE = re.compile(r"golden\.images\.(\w+)#role")


class _Indented(yaml.SafeDumper):
    """Indents lists, as yamllint wants it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def role_survey(role: str, summary: str, options: Mapping[str, Option]) -> Survey:
    """The survey of one role."""
    return _survey(f"The role {role}", summary, _questions(role, options, _asked(options)))


def release_survey(roles: Mapping[str, Mapping[str, Option]]) -> Survey:
    """The survey of the workflow, from the options of the roles of its steps."""
    questions = [
        question
        for role, step in _STEPS_OF_A_RELEASE.items()
        for question in _questions(
            role, roles[role], [variable for variable in _asked(roles[role]) if step.fullmatch(variable)]
        )
    ]
    questions.sort(key=lambda question: not question["required"])
    summary = "Distribute a golden AMI, verify it in every account, and publish it once it is approved"
    return _survey("A release", summary, questions)


def as_text(survey: Survey) -> str:
    """The content of a survey's file."""
    text = yaml.dump(survey, Dumper=_Indented, sort_keys=False, allow_unicode=True, width=_LINE)
    return f"---\n{_FROM}{text}"


def surveys(root: Path) -> dict[str, str]:
    """The file name and content of every survey, from the roles below a root."""
    declared = {role.name: role for role in roles(root)}
    written = {
        name: role_survey(name, role.main["short_description"], role.options)
        for name, role in declared.items()
    }
    if declared.keys() >= _STEPS_OF_A_RELEASE.keys():
        written[RELEASE] = release_survey({step: declared[step].options for step in _STEPS_OF_A_RELEASE})
    for name, survey in written.items():
        if (number := len(survey["spec"])) > MOST_QUESTIONS:
            raise CheckError(f"the survey {name} asks {number} questions, more than {MOST_QUESTIONS}")
    return {f"{name}.yml": as_text(survey) for name, survey in written.items()}


def different(root: Path) -> dict[str, str | None]:
    """The files in ``awx/surveys`` below a root that are not as they should be, with their right content.

    The content of a file that should not exist is None.
    """
    right = surveys(root)
    found = {path.name: path.read_text(encoding="utf-8") for path in root.glob("awx/surveys/*")}
    return {
        name: right.get(name) for name in sorted(right.keys() | found) if right.get(name) != found.get(name)
    }


def check() -> None:
    """Fail if a survey differs from the role's options.

    Raises:
        CheckError: with the files.
    """
    if found := different(CHECKOUT):
        raise CheckError(f"awx/surveys/{', '.join(found)} differ from the roles' options: run make format")


def write(root: Path = CHECKOUT) -> None:
    """Put the surveys into their files."""
    for name, text in different(root).items():
        path = root / "awx" / "surveys" / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        print(f"awx/surveys/{name} {'deleted' if text is None else 'written'}")


def _survey(name: str, summary: str, questions: Sequence[Survey]) -> Survey:
    return {"name": name, "description": summary, "spec": list(questions)}


def _asked(options: Mapping[str, Option]) -> list[str]:
    """The variables that the survey of a role asks for."""
    return [
        variable
        for variable, option in options.items()
        if "path" not in (option["type"], option.get("elements"))
        and not _OF_A_FILE.search(variable)
        and variable not in _WITHOUT_ROOM
    ]


def _questions(role: str, options: Mapping[str, Option], asked: Collection[str]) -> list[Survey]:
    found = [_question(role, variable, options[variable], asked) for variable in asked]
    return sorted(found, key=lambda question: not question["required"])


def _question(role: str, variable: str, option: Option, asked: Collection[str]) -> Survey:
    kind, choices = _kind(option)
    question: Survey = {
        "question_name": _title(variable.removeprefix(f"{role}_")),
        "question_description": " ".join(
            [*_plain(role, option["description"], asked), *_how_to_answer(kind, option)]
        ),
        "variable": variable,
        "type": kind,
        "required": bool(option.get("required")),
    }
    if choices:
        question["choices"] = choices
    default = _default(kind, option.get("default"))
    return question if default in (None, "") else {**question, "default": default}


def _kind(option: Option) -> tuple[str, list[str]]:
    """AWX's type of a question, and its choices."""
    choices = [*option.get("choices", ())]
    default = option.get("default")
    if option.get("no_log"):
        return "password", []
    if option["type"] == "bool" or isinstance(default, bool):
        return "multiplechoice", ["true", "false"]
    if choices:
        return "multiselect" if _is_structured(option) else "multiplechoice", choices
    if option["type"] == "int" and isinstance(default, int):
        return "integer", []
    return "textarea" if _is_structured(option) else "text", []


def _is_structured(option: Option) -> bool:
    """Whether the value is a list or a mapping."""
    return option["type"] in ("dict", "images", "list", "raw")


def _default(kind: str, default: object) -> str | int | None:
    if kind == "integer" and isinstance(default, int):
        return default
    if kind == "password" or default is None:
        return None
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list):
        return "\n".join(str(item) for item in default)
    return str(default) if default != {} else None


def _title(name: str) -> str:
    words = (
        name.replace("org_unit", "organizational_unit").replace("org_arns", "organization_arns").split("_")
    )
    title = " ".join(_WORDS.get(word, word) for word in words)
    return title[0].upper() + title[1:]


def _plain(role: str, description: Sequence[str], asked: Collection[str]) -> Iterator[str]:
    """The paragraphs of a description without Ansible's markup, and with the titles of other questions.

    An option of the role that is not asked has the name of its variable, which is set elsewhere.
    """

    def plain(marked: re.Match[str]) -> str:
        if marked["mark"] != "O":
            return _ROLE.sub(r"the role \1", marked["text"]).partition("#")[0]
        name, equals, value = marked["text"].rpartition(":")[2].partition("=")
        text = f'"{_title(name.removeprefix(f"{role}_"))}"' if name in asked else name
        return text + (equals and f" = {value}")

    for paragraph in description:
        yield _MARKUP.sub(plain, paragraph)


def _how_to_answer(kind: str, option: Option) -> Iterator[str]:
    if kind != "textarea":
        return
    if option["type"] == "list" and option.get("elements") != "dict":
        yield "Separate several by commas or lines."
    else:
        yield "YAML or JSON."


if __name__ == "__main__":
    write()
