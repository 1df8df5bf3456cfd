# SPDX-License-Identifier: GPL-3.0-or-later

"""Role variables as values: of a playbook, and of a survey whose text Ansible has typed again."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from ansible_collections.golden.images.plugins.module_utils._read_yaml import parse_yaml

from checks.variables import roles
from plugins.module_utils._variables import (
    ACCOUNT_ID_FORM,
    Unreadable,
    Variable,
    account_id,
    external_id,
    options_of,
    owner,
    read,
    read_options,
    role_name,
    sources,
    variables_of,
    with_text_keys,
)

ACCOUNT, OTHER = "012345671234", "222222222222"
ROLES = {role.name: role for role in roles()}
DECLARED = [variable for role in ROLES.values() for variable in role.declared.variables]


def value_of(variable: Variable, *given: Any) -> Any:
    """The value that is read; ``given`` is empty if the variable is not set."""
    values, failures = read([variable], dict.fromkeys([variable.name], *given) if given else {}, parse_yaml)
    assert not failures, failures
    return values[variable.name]


def message_of(variable: Variable, given: Any) -> str:
    _values, failures = read([variable], {variable.name: given}, parse_yaml)
    assert failures
    assert all(len(failure.text()) <= 500 for failure in failures)
    return "\n".join(failure.text() for failure in failures)


def from_survey(text: str) -> Any:
    """What Ansible makes of ``!unsafe 'text'``: YAML's type of the text."""
    node = yaml.ScalarNode("", text)
    node.tag = yaml.SafeLoader("").resolve(yaml.ScalarNode, text, (True, False))
    return yaml.SafeLoader("").construct_object(node)


TEXT = Variable("v")
LIST = Variable("v", type="list", elements="str", default=[])
IDS = Variable("v", type="list", elements="account_id", default=[])
INT = Variable("v", type="int", default=7)
LIMIT = Variable("v", type="count_or_percentage", default="10%")
BOOL = Variable("v", type="bool", default=True)
CHOICE = Variable("v", choices=("low", "High"), default="low")
TAGS = Variable("v", type="dict", elements="str", default={})
PLACES = Variable("v", type="dict", default={})
RAW = Variable("v", type="raw")
RULES = Variable(
    "v",
    type="list",
    elements="dict",
    default=[],
    options=(
        Variable("account_ids", type="list", elements="account_id"),
        Variable("public", type="bool"),
        Variable("tags", type="dict", elements="str"),
    ),
)


# What an answer to a question of each type can be, and the value that it means.
ANSWERS: list[tuple[Variable, str, Any]] = [
    (TEXT, "web", "web"),
    (TEXT, " web\n", "web"),
    (TEXT, "20261126", "20261126"),
    (TEXT, "2026-11-26", "2026-11-26"),
    (TEXT, '"1.10"', "1.10"),
    (TEXT, '"0123"', "0123"),
    (TEXT, '"true"', "true"),
    (TEXT, "a, b: c", "a, b: c"),
    (LIST, "eu-west-1", ["eu-west-1"]),
    (LIST, " eu-west-1 , us-east-1,", ["eu-west-1", "us-east-1"]),
    (LIST, "eu-west-1\r\nus-east-1\n\n", ["eu-west-1", "us-east-1"]),
    (LIST, "- eu-west-1\n- us-east-1", ["eu-west-1", "us-east-1"]),
    (LIST, '["eu-west-1", "us-east-1"]', ["eu-west-1", "us-east-1"]),
    (LIST, "[eu-west-1, 1.10, 012]", ["eu-west-1", "1.10", "012"]),
    (LIST, "\t[\n\t\teu-west-1\n\t]", ["eu-west-1"]),
    (LIST, "---\n- eu-west-1\n- us-east-1", ["eu-west-1", "us-east-1"]),
    (LIST, "# mine\n\n- eu-west-1 # ours\n# - us-east-1", ["eu-west-1"]),
    (LIST, "'eu-west-1', \"us-east-1\"", ["eu-west-1", "us-east-1"]),
    (LIST, "-\n  eu-west-1", ["eu-west-1"]),
    (LIST, "-\r\n  eu-west-1\r\n", ["eu-west-1"]),
    (LIST, "[]", []),
    (LIST, ",", []),
    (LIST, "\n,\n", []),
    (IDS, OTHER, [OTHER]),
    (IDS, f"{ACCOUNT}, {OTHER}", [ACCOUNT, OTHER]),
    (IDS, f"{ACCOUNT}\n{OTHER}", [ACCOUNT, OTHER]),
    (IDS, f"- {ACCOUNT}\n- {OTHER}", [ACCOUNT, OTHER]),
    (IDS, f"[{OTHER}, {OTHER}]", [OTHER, OTHER]),
    (IDS, f"[{ACCOUNT}]", [ACCOUNT]),
    (IDS, f'"{ACCOUNT}"', [ACCOUNT]),
    (IDS, f'["{ACCOUNT}"]', [ACCOUNT]),
    (INT, "5", 5),
    (INT, " 5 ", 5),
    (INT, "5.0", 5),
    (INT, "0", 0),
    (INT, "-1", -1),
    (LIMIT, "5", "5"),
    (LIMIT, "5.0", "5"),
    (LIMIT, " 5.0\n", "5"),
    (LIMIT, '"5.0"', "5"),
    (LIMIT, "-1", "-1"),
    (LIMIT, "5.5", "5.5"),
    (LIMIT, "10%", "10%"),
    (LIMIT, "half", "half"),
    (BOOL, "false", False),
    (BOOL, " true ", True),
    (BOOL, "No", False),
    (BOOL, "0", False),
    (BOOL, "1", True),
    (CHOICE, "high", "High"),
    (CHOICE, "LOW ", "low"),
    (TAGS, "version: 1.10\nname: 0123", {"version": "1.10", "name": "0123"}),
    (TAGS, '{"version": 1.10, "build": true}', {"version": "1.10", "build": "true"}),
    (TAGS, "{}", {}),
    (PLACES, f"eu-west-1:\n  {ACCOUNT}: subnet-1", {"eu-west-1": {ACCOUNT: "subnet-1"}}),
    (RAW, "eu-west-1: ami-1", {"eu-west-1": "ami-1"}),
    (RAW, f'[{{"account_id": "{ACCOUNT}"}}]', [{"account_id": ACCOUNT}]),
    (RAW, f"- account_id: {ACCOUNT}\n  region: x", [{"account_id": ACCOUNT, "region": "x"}]),
    (RAW, "ami-1, ami-2\nami-3", ["ami-1", "ami-2", "ami-3"]),
    (RULES, " ,\n,", []),
    (RULES, f"- account_ids: {ACCOUNT}\n  public: no", [{"account_ids": [ACCOUNT], "public": False}]),
    (RULES, '[{"public": false, "tags": {"a": 1.10}}]', [{"public": False, "tags": {"a": "1.10"}}]),
]


@pytest.mark.parametrize(("variable", "text", "meant"), ANSWERS)
def test_an_answer_of_a_survey_is_what_it_means(variable: Variable, text: str, meant: Any) -> None:
    for given in (text, from_survey(text)):
        value = value_of(variable, given)
        assert value == meant
        assert type(value) is type(meant)


@pytest.mark.parametrize("variable", [TEXT, LIST, IDS, INT, LIMIT, BOOL, CHOICE, TAGS, PLACES, RAW, RULES])
def test_nothing_is_the_default(variable: Variable) -> None:
    for given in ((), (None,), ("",), (" \n ",)):
        assert value_of(variable, *given) == variable.default


VALUES: list[tuple[Variable, Any, Any]] = [
    (LIST, [" eu-west-1 ", "a,b"], ["eu-west-1", "a,b"]),
    (LIST, (), []),
    (IDS, [222222222222, ACCOUNT], [OTHER, ACCOUNT]),
    (IDS, 222222222222, [OTHER]),
    (TEXT, 2026, "2026"),
    (TEXT, datetime.date(2026, 1, 2), "2026-01-02"),
    (INT, 5.0, 5),
    (LIMIT, 5, "5"),
    (LIMIT, 5.0, "5"),
    (BOOL, 0, False),
    (BOOL, 1.0, True),
    (
        TAGS,
        {" a ": " b ", "n": 1, "empty": "", "null": None},
        {"a": "b", "n": "1", "empty": "", "null": None},
    ),
    (TAGS, {2026: "a", datetime.date(2026, 1, 2): "b"}, {"2026": "a", "2026-01-02": "b"}),
    (PLACES, {"a": ["sg-1 "]}, {"a": ["sg-1"]}),
    (RAW, {"eu-west-1 ": " ami-1\n", "a": None}, {"eu-west-1": "ami-1", "a": None}),
    (RAW, [], []),
    (RAW, {}, {}),
    (RULES, [{"public": "yes", "more": 1, "account_ids": ""}], [{"public": True, "more": 1}]),
    (Variable("v", type="dict", elements="float"), {"a": "0.05", "b": 1}, {"a": 0.05, "b": 1.0}),
]


@pytest.mark.parametrize(("variable", "given", "meant"), VALUES)
def test_a_value_of_a_playbook_is_taken(variable: Variable, given: Any, meant: Any) -> None:
    assert value_of(variable, given) == meant


REFUSED: list[tuple[Variable, Any, str]] = [
    (TEXT, 1.1, "1.1"),
    (TEXT, True, "a boolean, true"),
    (TEXT, datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC), "a time"),
    (TEXT, ["web"], 'must be text (got ["web"])'),
    (LIST, {"eu-west-1": 1}, 'must be a list (got {"eu-west-1": 1})'),
    (LIST, "{eu-west-1: 1}", "must be a list (got '{eu-west-1: 1}')"),
    (LIST, "[eu-west-1", "must be a list (got '[eu-west-1')"),
    (LIST, "eu-west-1\n- us-east-1", "the item '- us-east-1' is ambiguous"),
    (LIST, "---\neu-west-1", "the item '---' is ambiguous"),
    (LIST, "eu-west-1\n# us-east-1", "the item '# us-east-1' is ambiguous"),
    (LIST, "eu-west-1, -", "the item '-' is ambiguous"),
    (LIST, "* eu-west-1", "the item '* eu-west-1' is ambiguous"),
    (LIST, "--- [eu-west-1]", "the item '--- [eu-west-1]' is ambiguous"),
    (LIST, "eu-west-1 # ours", "the item 'eu-west-1 # ours' is ambiguous"),
    (LIST, '"eu-west-1, us-east-1"x', "the item '\"eu-west-1' is ambiguous"),
    (LIST, ["eu-west-1", None], "item 2 is empty."),
    (LIST, [" "], "item 1 is empty."),
    (LIST, "[eu-west-1, '']", "item 2 is empty."),
    (LIST, ["eu-west-1", 1.1], "item 2: YAML reads this as a number, 1.1"),
    (LIST, [["eu-west-1"]], 'item 1: must be text (got ["eu-west-1"])'),
    (IDS, 1402434204, "(012345671234 becomes 1402434204)"),
    (IDS, 12345678901, "12345678901 is a number without 12 digits"),
    (IDS, [1402434204], 'Write 12 digits in double quotes, in a survey too, for example "012345678901".'),
    (IDS, -22222222222, "-22222222222"),
    (IDS, 222222222222.0, "is not a valid account ID"),
    (IDS, True, "true is not a valid account ID"),
    (IDS, "web", "'web' is not a valid account ID."),
    (IDS, ["1402434204"], "YAML reads 012345671234 without quotes as this number."),
    (INT, "few", "must be a whole number (got 'few')"),
    (INT, "30 d", "must be a whole number (got '30 d'). Write only the number, without a unit."),
    (INT, "5.5", "must be a whole number (got '5.5')"),
    (INT, True, "must be a whole number (got true)"),
    (INT, "1e999999999", "must be a whole number"),
    (INT, "nan", "must be a whole number (got 'nan')"),
    (LIMIT, True, "YAML reads this as a boolean, true"),
    (LIMIT, [5], "must be text (got [5])"),
    (INT, [5], "must be a whole number (got [5])"),
    (BOOL, "perhaps", "must be true or false (got 'perhaps')"),
    (BOOL, 2, "must be true or false (got 2)"),
    (CHOICE, "medium", "must be one of low, High (got 'medium')"),
    (CHOICE, "Lwo", "must be one of low, High (got 'Lwo'). Correct it to low."),
    (CHOICE, True, "must be one of low, High (got true)"),
    (TAGS, "a: &x [*x]", "must be a mapping (got 'a: &x [*x]')"),
    (TAGS, "role", "must be a mapping (got 'role')"),
    (TAGS, ["role"], 'must be a mapping (got ["role"])'),
    (TAGS, {"version": 1.1}, "'version': YAML reads this as a number, 1.1"),
    (TAGS, {1.1: "web"}, "a key: YAML reads this as a number, 1.1"),
    (TAGS, {True: "web"}, "a key: YAML reads this as a boolean, true"),
    (TAGS, {None: "web"}, "a key: must be text (got null)"),
    (PLACES, {1.1: ["sg-1"]}, "a key: YAML reads this as a number, 1.1"),
    (TAGS, {"role": ["web"]}, "'role': must be text (got [\"web\"])"),
    (RAW, 7, "must be a mapping or a list (got 7)"),
    (RULES, "web-*", "must be a list of mappings (got 'web-*')"),
    (RULES, ["web-*"], "item 1 must be a mapping (got 'web-*')"),
    (RULES, [{"public": "perhaps"}], "item 1, public: must be true or false (got 'perhaps')"),
    (RULES, [{"account_ids": [ACCOUNT, None]}], "item 1, account_ids: item 2 is empty."),
]


@pytest.mark.parametrize(("variable", "given", "part"), REFUSED)
def test_a_wrong_value_is_refused_with_its_name_and_itself(variable: Variable, given: Any, part: str) -> None:
    message = message_of(variable, given)
    assert message.startswith("v: ")
    assert part in message


@pytest.mark.parametrize(("given", "problem"), [("ami-1", "must be a mapping"), (None, "it is required")])
def test_the_remedy_for_images_says_that_they_are_by_region(given: Any, problem: str) -> None:
    message = message_of(Variable("share_images", type="dict", required=True), given)
    assert message.startswith(f"share_images: {problem}")
    assert message.endswith("Map each region to an AMI ID, such as eu-west-1: ami-0123456789abcdef0.")


SOURCES = Variable(
    "web_sources",
    type="dict",
    elements="dict",
    options=(Variable("tags", type="dict", elements="str"), Variable("ports", type="list", elements="str")),
)


def test_a_mapping_of_mappings_has_known_keys() -> None:
    given = {"a": {"tags": "build: 012", "ports": "1, 2", "other": " x"}, "b": {}}
    assert value_of(SOURCES, given) == {
        "a": {"tags": {"build": "012"}, "ports": ["1", "2"], "other": "x"},
        "b": {},
    }
    assert "web_sources: 'a' must be a mapping (got null)" in message_of(SOURCES, {"a": None})
    assert "web_sources: 'a', tags: must be a mapping (got 'x')" in message_of(SOURCES, {"a": {"tags": "x"}})


@pytest.mark.parametrize("kind", ["str", "external_id"])
@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (
            1.5,
            "YAML reads the value as a number, perhaps not as it was written; use text. Write it in double",
        ),
        (
            True,
            "YAML reads the value as a boolean, perhaps not as it was written; use text. Write it in double",
        ),
        (datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC), "YAML reads the value as a time, perhaps"),
        (1402434204.5, "YAML reads the value as a number, perhaps"),
        (["secret"], "the value is not text. Set one text."),
        ({"secret": 1}, "the value is not text. Set one text."),
    ],
)
def test_a_secret_is_refused_with_the_cause_without_itself(kind: str, given: Any, cause: str) -> None:
    message = message_of(Variable("v", type=kind, no_log=True), given)
    assert message.startswith(f"v: {cause}")
    assert not any(part in message for part in ("secret", "1402434204", "1.5", "true", "2026", "got"))


def test_all_problems_are_found_at_once() -> None:
    variables = [Variable("a", required=True), Variable("b", type="int"), IDS]
    values, failures = read(variables, {"b": "few", "v": [1, "2", ACCOUNT]}, parse_yaml)
    assert [failure.action for failure in failures] == ["a", "b", "v", "v"]
    assert failures[0].message == "a: it is required and not set."
    assert values == {"a": None, "b": None, "v": [None, None, ACCOUNT]}


def test_keys_can_be_account_ids() -> None:
    names = Variable("v", type="dict", elements="str", keys="account_id")
    assert value_of(names, {222222222222: "web", f" {ACCOUNT}": "data"}) == {OTHER: "web", ACCOUNT: "data"}
    assert "(012345671234 becomes 1402434204)" in message_of(names, {1402434204: "web"})


def test_another_variable_can_be_the_default() -> None:
    variable = Variable("own", type="list", elements="str", default=["x"], default_from="other")
    assert sources([variable]) == {"own", "other"}
    assert read([variable], {"own": "", "other": "a,b"}, parse_yaml) == ({"own": ["a", "b"]}, ())
    assert read([variable], {"own": [], "other": "a,b"}, parse_yaml) == ({"own": []}, ())
    assert read([variable], {}, parse_yaml) == ({"own": ["x"]}, ())
    _values, (failure,) = read([variable], {"other": {}}, parse_yaml)
    assert failure.message.startswith("other: must be a list")


def test_an_account_id_has_12_digits() -> None:
    assert account_id(222222222222) == OTHER == account_id(f' "{OTHER}" ')
    # Twelve octal digits, YAML's greatest, make no account ID.
    with pytest.raises(Unreadable) as refused:
        account_id(int("777777777777", 8))
    assert refused.value.remedy == ACCOUNT_ID_FORM


@pytest.mark.parametrize(
    ("variable", "given", "meant"),
    [(IDS, 1402434204, [ACCOUNT]), (TEXT, 1.1, "1.10"), (TAGS, {"v": 1.1}, {"v": "1.10"})],
)
def test_the_remedy_works_wherever_a_value_is_written(variable: Variable, given: Any, meant: Any) -> None:
    text, everywhere = re.findall(r"""'?"[^"]+"'?""", message_of(variable, given))
    text, everywhere = (one.replace("012345678901", ACCOUNT) for one in (text, everywhere))

    def placed(value: Any) -> Any:
        return {"v": value} if variable is TAGS else value

    in_file, in_survey = yaml.safe_load(text), from_survey(text)
    assert value_of(variable, placed(in_file)) == value_of(variable, placed(in_survey)) == meant
    # AWX reads extra variables of a launch as YAML, and writes each text as !unsafe.
    assert message_of(variable, placed(from_survey(yaml.safe_load(text))))
    assert value_of(variable, placed(from_survey(yaml.safe_load(everywhere)))) == meant


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (True, True),
        ("true", True),
        ("No", False),
        (False, False),
        ([], []),
        (ACCOUNT, [ACCOUNT]),
        (222222222222, [OTHER]),
        (f"{ACCOUNT}, {OTHER}", [ACCOUNT, OTHER]),
        ([ACCOUNT, OTHER], [ACCOUNT, OTHER]),
    ],
)
def test_a_boolean_or_accounts(given: Any, meant: Any) -> None:
    assert value_of(Variable("v", type="bool_or_account_ids"), given) == meant


@pytest.mark.parametrize("given", ["perhaps", 12345678901, [True], {"a": 1}])
def test_neither_a_boolean_nor_accounts(given: Any) -> None:
    assert message_of(Variable("v", type="bool_or_account_ids"), given)


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("arn:aws:iam::012345678901:role/web", "Write its account ID: '012345678901'."),
        ("ou-ab12-11111111", "organizational unit"),
        ("o-a1b2c3d4e5", "organization"),
        ("arn:aws:organizations::111111111111:ou/o-a1b2c3d4e5/ou-ab12-11111111", "organizational unit"),
        ("arn:aws:organizations::111111111111:organization/o-a1b2c3d4e5", "organization"),
    ],
)
def test_what_else_has_access_is_told_where_it_goes(value: str, remedy: str) -> None:
    with pytest.raises(Unreadable) as refused:
        account_id(value)
    assert refused.value.problem == f"'{value}' is not a valid account ID."
    option = {"organizational unit": "org_unit_arns", "organization": "org_arns"}.get(remedy)
    if option:
        remedy = f"List an {remedy} by its ARN in {option}, or list its accounts where there is no {option}."
    assert refused.value.remedy == remedy


def test_an_owner_is_an_account_id_or_an_alias() -> None:
    assert [owner(one) for one in (222222222222, f" {ACCOUNT} ", "self")] == [OTHER, ACCOUNT, "self"]
    for digits in (1402434204, "1402434204"):
        with pytest.raises(Unreadable, match=r"012345671234 becomes 1402434204"):
            owner(digits)
    with pytest.raises(Unreadable, match="'0123456789012' is not a valid account ID"):
        owner("0123456789012")


def test_the_options_of_a_module_have_all_their_names_and_the_context() -> None:
    spec = {
        "ids": {
            "type": "list",
            "elements": "str",
            "required": True,
            "aliases": ["id"],
            "context": {"elements": "account_id"},
        },
        "rules": {"type": "list", "elements": "dict", "default": [], "options": {"a": {"type": "bool"}}},
    }
    assert options_of(spec) == (
        Variable("ids", type="list", elements="account_id"),
        Variable("id", type="list", elements="account_id"),
        Variable("rules", type="list", elements="dict", options=(Variable("a", type="bool"),)),
    )


def test_options_that_are_not_given_or_not_readable_are_missing() -> None:
    given = {"v": "a, b", "w": " ", "x": "few", "other": None}
    options = (LIST, Variable("w"), Variable("x", type="int"), Variable("y", default="z"))
    values, (failure,) = read_options(options, given, parse_yaml)
    assert values == {"v": ["a", "b"], "other": None}
    assert failure.action == "x"


def test_keys_become_text_before_json_changes_them() -> None:
    given: dict[str, Any] = {
        "tags": {datetime.date(2026, 1, 2): "a", 7: "b", "c": {True: 1}},
        "rules": [{"tags": {7: "a"}}],
        "result": {7: {8: "a"}},
        "other": {7: "a"},
        "text": "7: a",
    }
    text, result = Variable("text", type="dict"), Variable("result", type="dict")
    options = (replace(TAGS, name="tags"), replace(RULES, name="rules"), result, text, Variable("unset"))
    _values, (failure,) = with_text_keys(options, given)
    assert "tags: a key: YAML reads this as a boolean, true" in failure.text()
    del given["tags"]["c"]
    assert with_text_keys(options, given) == (
        {
            **given,
            "tags": {"2026-01-02": "a", "7": "b"},
            "rules": [{"tags": {"7": "a"}}],
            "result": {"7": {8: "a"}},
        },
        (),
    )


def test_a_role_name_is_refused_with_itself() -> None:
    assert role_name("path/golden") == "path/golden"
    with pytest.raises(Unreadable) as refused:
        role_name("../x")
    assert refused.value.problem == "'../x' is not a role name."
    assert "v: '../x' is not a role name." in message_of(Variable("v", type="role_name"), "../x")


def test_an_external_id_is_refused_without_itself() -> None:
    assert external_id("ab:/1") == "ab:/1"
    with pytest.raises(Unreadable) as refused:
        external_id("my secret")
    assert refused.value.problem == "the value of 9 characters is not an external ID."
    message = message_of(Variable("v", type="external_id", no_log=True), "my secret")
    assert message.startswith("v: the value is not valid. Use 2 to 1224 letters")
    assert "secret" not in message


@pytest.mark.parametrize("written", ["0777", "1_000", "12:30", "12345", ACCOUNT])
def test_an_external_id_that_yaml_reads_as_a_number_is_refused_unless_it_is_quoted(written: str) -> None:
    variable = Variable("v", type="external_id", no_log=True)
    number = yaml.safe_load(written)
    assert isinstance(number, int)
    message = message_of(variable, number)
    assert message.startswith(
        "v: YAML reads the value as a whole number, perhaps not as it was written; use text. Write it in "
    )
    assert str(number) not in message
    assert value_of(variable, f'"{written}"') == written


def test_an_external_id_can_be_the_number_of_an_account() -> None:
    assert value_of(Variable("v", type="external_id", no_log=True), int(OTHER)) == OTHER


def test_a_default_is_not_shared() -> None:
    assert variables_of({"v": {"type": "list", "elements": "str", "default": []}}) == (LIST,)


# A value of each type and element, in forms that mean the same.
SAMPLES: dict[tuple[str, str | None], tuple[Any, ...]] = {
    ("str", None): ("web-1", " web-1\n"),
    ("account_id", None): (OTHER, int(OTHER), f" {OTHER}\n"),
    ("path", None): ("/tmp/x", " /tmp/x\n"),
    ("role_name", None): ("path/golden", " path/golden\n"),
    ("external_id", None): ("ab:/1", " ab:/1\n"),
    ("int", None): (5, "5", " 5\n", "5.0", 5.0),
    ("float", None): (0.5, "0.5", " 0.5\n"),
    ("count_or_percentage", None): ("5", 5, " 5\n", "5.0", 5.0),
    ("bool", None): (True, "true", " Yes\n", 1, "1"),
    ("bool_or_account_ids", None): (
        ["012345678901"],
        "012345678901",
        '"012345678901"',
        '["012345678901"]',
        "- '012345678901'",
    ),
    ("images", None): ({"eu-west-1": "ami-1"}, "eu-west-1: ami-1", '{"eu-west-1": "ami-1"}'),
    ("raw", None): (
        {"eu-west-1": "ami-1"},
        "eu-west-1: ami-1",
        '{"eu-west-1": "ami-1"}',
        " eu-west-1: ami-1\n",
        {" eu-west-1": "ami-1\n"},
    ),
    ("dict", None): ({"a": "b"}, "a: b", '{"a": "b"}', " a: b\n", {" a": "b "}),
    ("dict", "str"): ({"a": "b"}, "a: b", '{"a": "b"}', " a: b\n", {" a": "b "}),
    ("dict", "float"): ({"a": 0.5}, "a: 0.5", '{"a": 0.5}', {"a": "0.5"}),
    ("list", "str"): (["a", "b"], "a,b", "a\nb\n", "- a\n- b", '["a", "b"]', ["a ", " b"], " a , b, "),
    ("list", "path"): (["a", "b"], "a,b", "a\nb\n", "- a\n- b", '["a", "b"]', ["a ", " b"], " a , b, "),
    ("list", "account_id"): (
        [ACCOUNT, OTHER],
        f"{ACCOUNT},{OTHER}",
        f"{ACCOUNT}\n{OTHER}\n",
        f"- {ACCOUNT}\n- {OTHER}",
        json.dumps([ACCOUNT, OTHER]),
        [ACCOUNT, int(OTHER)],
        f" {ACCOUNT} , {OTHER} ,",
    ),
    ("list", "consumer"): (
        [OTHER, "all"],
        f"{OTHER},all",
        f"{OTHER}\nall\n",
        f"- {OTHER}\n- all",
        json.dumps([OTHER, "all"]),
        [int(OTHER), "all "],
        f" {OTHER} , all ,",
    ),
    ("dict", "dict"): (
        {"x": {"source_image_id": "a"}},
        "x: {source_image_id: a}",
        '{"x": {"source_image_id": "a"}}',
        "x:\n  source_image_id:  a \n",
        {"x": {"source_image_id": " a"}},
    ),
    ("list", "dict"): ([{"x": "a"}], "- x: a", '[{"x": "a"}]', "- x:  a \n"),
}


@pytest.mark.parametrize("variable", DECLARED, ids=lambda variable: variable.name)
def test_every_variable_of_every_role_takes_every_form(variable: Variable) -> None:
    optional = replace(variable, required=False)
    assert value_of(optional) == variable.default
    for nothing in (None, "", "  ", "\n"):
        assert value_of(optional, nothing) == variable.default
        if variable.required:
            assert "is required" in message_of(variable, nothing)
    samples = SAMPLES[variable.type, variable.elements]
    if variable.keys == "account_id":
        samples = ({OTHER: "b"}, f"{OTHER}: b", json.dumps({OTHER: "b"}), {int(OTHER): "b "})
    if variable.choices:
        first, last = variable.choices[0], variable.choices[-1]
        one = (first, first.upper(), f" {first}\n")
        many = ([first, last], f"{first},{last}", f"{first}\n{last.title()}", [f" {first}", last])
        samples = many if variable.type == "list" else one
    for sample in samples:
        given = from_survey(sample) if isinstance(sample, str) else sample
        assert value_of(variable, sample) == value_of(variable, given) == value_of(variable, samples[0])
    if variable.type == "list":
        one_item = samples[0][:1]
        if variable.elements != "dict":
            assert value_of(variable, one_item[0]) == value_of(variable, one_item)
        for separators in (",", "\n", " , \n"):
            assert value_of(optional, separators) == variable.default
        assert "is empty" in message_of(variable, [one_item[0], ""])
        assert "is empty" in message_of(variable, [None])
