# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a role's variables and a module's options from values of playbooks, inventories and surveys.

AWX passes each answer of a survey as text, and Ansible applies YAML's types to that text again:
``''`` becomes null, ``222222222222`` an integer, ``012345671234`` the octal number 1402434204, ``1.10`` 1.1
and ``true`` a boolean (ansible-core, ``construct_yaml_unsafe`` in ``ansible._internal._yaml._constructor``).
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from ._failures import Failure, invalid_value
from ._wording import find_similar, render_value

# Text that is YAML to its value with all scalars as text: ``_read_yaml.parse_yaml``.
Parse = Callable[[str], Any]

IMAGES = "images"
"""Type of a role's variable that can be what an earlier job passes on."""
ACCOUNT_DIGITS = 12
ACCOUNT_ID = re.compile(rf"[0-9]{{{ACCOUNT_DIGITS}}}")
# IAM API Reference, patterns of RoleName and path. No segment is . or .., which a URL would lose.
_ROLE_NAME = re.compile(r"(?!arn:)(?:(?!\.{1,2}/)[!-.0-~]+/)*(?!\.{1,2}$)[A-Za-z0-9_+=,.@-]{1,64}")
# botocore shape externalIdType of AssumeRole.
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
_QUOTED = re.compile(r"""(?P<quote>["'])(?P<text>((?!(?P=quote)).)*)(?P=quote)""", re.DOTALL)
# What stands before the items of a YAML list: empty lines, comments and the start of a document.
_BEFORE_ITEMS = re.compile(r"(?:[ \t]*(?:#[^\n]*|---[ \t\r]*)?(?:\r?\n|\Z))*[ \t]*")
# An item of separated text that was meant as YAML or as text in quotes: it would not mean what it says.
_NO_ITEM = re.compile(r"""["'#]|[-*](?:\s|\Z)|---|.*\s#""", re.DOTALL)
_ITEM_ENDS = re.compile(r"[,\n\r]")
# What text has that is a YAML mapping.
_KEY = re.compile(r":(?:\s|\Z)")
# ansible.module_utils.parsing.convert_bool.
_TRUE = frozenset({"y", "yes", "on", "1", "true", "t", "1.0"})
_FALSE = frozenset({"n", "no", "off", "0", "false", "f", "0.0"})
_BOOL_OR_ACCOUNTS = "bool_or_account_ids"
# 30d or 30 days for a number of days.
_WITH_UNIT = re.compile(r"\s*[0-9]+\s*[A-Za-z]+\s*")
# More digits are no number that an option has, and an exponent could make them fill the memory.
_MOST_DIGITS = 18
_LIST_FORM = "Separate the items by commas or lines, or write a YAML or JSON list."
_MAPPING_FORM = "Write one 'key: value' per line, or JSON."
_REGIONS_FORM = "Map each region to an AMI ID, such as eu-west-1: ami-0123456789abcdef0."
_FORMS = {
    "bool": "Set true or false.",
    "dict": _MAPPING_FORM,
    "int": "Set a whole number.",
    "list": _LIST_FORM,
    IMAGES: "Set a mapping of region to image ID, or the result of an earlier job.",
    "raw": "Set a mapping or a list, or its YAML or JSON text.",
}
# AWX passes the text of extra variables that are typed at a launch without its quotes, as !unsafe too.
_IN_AWX = "In extra variables at a launch in AWX, put single quotes around these:"
_QUOTES = f"""Write it in double quotes, in a survey too, for example "1.10". {_IN_AWX} '"1.10"'."""
ACCOUNT_ID_FORM = (
    'Write 12 digits in double quotes, in a survey too, for example "012345678901". '
    f"""{_IN_AWX} '"012345678901"'."""
)


# The ARN of an account, a role or a user; and IDs and ARNs of organizations and organizational units
# (AWS Organizations API Reference, "OrganizationalUnit" and "Organization").
_OF_ACCOUNT = re.compile(r"arn:[^:]+:(?:iam|sts)::([0-9]{12}):")
_OF_ORGANIZATIONS = (
    (re.compile(r"ou-|arn:[^:]+:organizations:.*:ou/"), "organizational unit", "org_unit_arns"),
    (re.compile(r"o-|arn:[^:]+:organizations:.*:organization/"), "organization", "org_arns"),
)


@dataclass(frozen=True)
class Variable:
    """One variable of a role, or one option of a module.

    ``type``, ``elements`` (also of a mapping's values) and a mapping's ``keys`` are Ansible's types or:
    ``account_id`` (12 digits), ``owner`` of an image, ``consumer`` (an account ID, or another name such as an
    ARN), ``role_name`` or ``external_id`` (of IAM),
    ``count_or_percentage`` (text such as 5 or 10%), ``bool_or_account_ids``, ``raw`` (a mapping or a list),
    or ``images`` (the same for images, also the result of an earlier job). ``choices`` are texts.
    ``default_from`` is another variable: it counts if this one is not given. ``options`` are the known keys
    of the mappings in a list or a mapping.
    """

    name: str
    type: str = "str"
    elements: str | None = None
    keys: str = "str"
    choices: tuple[str, ...] = ()
    default: Any = None
    default_from: str | None = None
    required: bool = False
    no_log: bool = False
    options: tuple[Variable, ...] = ()


class Unreadable(Exception):
    """A value that cannot be used. ``problem``, which names the value, and ``remedy`` are sentences.

    ``without_value`` is the problem for messages about a confidential value.
    """

    def __init__(self, problem: str, remedy: str, without_value: str = "the value is not valid.") -> None:
        self.problem = problem
        self.remedy = remedy
        self.without_value = without_value
        super().__init__(problem)


def variables_of(documented: Mapping[str, Mapping[str, Any]]) -> tuple[Variable, ...]:
    """Return the variables with these fields. Fields that ``Variable`` lacks do not matter."""
    return tuple(_make_variable(name, fields) for name, fields in documented.items())


def _make_variable(name: str, fields: Mapping[str, Any]) -> Variable:
    return Variable(
        name,
        type=fields["type"],
        elements=fields.get("elements"),
        keys=fields.get("keys", "str"),
        choices=tuple(fields.get("choices", ())),
        default=fields.get("default"),
        default_from=fields.get("default_from"),
        required=fields.get("required", False),
        no_log=fields.get("no_log", False),
        options=variables_of(fields.get("options", {})),
    )


def options_of(argument_spec: Mapping[str, Mapping[str, Any]]) -> tuple[Variable, ...]:
    """Return the options of a module by all their names. Ansible sets defaults and asks for what is required.

    The key ``context`` of an option, which Ansible ignores, has the fields of ``Variable`` that differ from
    Ansible's, such as ``elements`` that are account IDs, or the ``options`` of another module.
    """
    return tuple(
        replace(
            _make_variable(name, {**fields, **fields.get("context", {}), "options": {}}),
            default=None,
            required=False,
            options=options_of(fields.get("options") or options_within(fields)),
        )
        for option, fields in argument_spec.items()
        for name in (option, *fields.get("aliases", ()))
    )


def options_within(fields: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Return the argument spec of the other module whose options an option with these fields has."""
    spec: Mapping[str, Mapping[str, Any]] = fields.get("context", {}).get("options", {})
    return spec


def sources(variables: Iterable[Variable]) -> frozenset[str]:
    """Return the names of all variables whose values ``read`` needs."""
    return frozenset(
        name for variable in variables for name in (variable.name, variable.default_from) if name is not None
    )


def read(
    variables: Iterable[Variable], given: Mapping[str, Any], parse: Parse
) -> tuple[dict[str, Any], tuple[Failure, ...]]:
    """Return the value of each variable, and all failures. Without a value, it has its default, or None.

    Null, blank text, and for a list text of separators only, count as no value. Real lists and mappings can
    be empty.
    """
    values: dict[str, Any] = {}
    failures: list[Failure] = []
    for variable in variables:
        reading = _Reading(variable, parse)
        values[variable.name] = reading.first(given)
        failures += reading.failures
    return values, tuple(failures)


def read_options(
    options: Iterable[Variable], given: Mapping[str, Any], parse: Parse
) -> tuple[dict[str, Any], tuple[Failure, ...]]:
    """Return the given parameters of a module with its options as read, and all failures.

    An option that is not given, or has a failure, is missing (see ``read``). Real mappings and lists without
    declared content stay as they are: they can be large results of other tasks.
    """
    to_read = [
        option for option in options if option.name in given and not _is_result(option, given[option.name])
    ]
    values, failures = read(to_read, given, parse)
    missing = {failure.action for failure in failures}
    missing.update(name for name, value in values.items() if value is None)
    return {name: value for name, value in {**given, **values}.items() if name not in missing}, failures


def _is_result(variable: Variable, value: Any) -> bool:
    if variable.options or variable.keys != "str":
        return False
    if isinstance(value, list):
        return variable.type == "raw" or variable.elements == "dict"
    return isinstance(value, Mapping) and variable.type in ("dict", "raw") and variable.elements is None


def with_text_keys(
    options: Iterable[Variable], given: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Failure, ...]]:
    """Return the given parameters of a module with the keys of mappings as text, and all failures.

    Parameters pass to a module as JSON, which makes ``1.1`` of the key 1.10, ``true`` of on, and nothing of a
    date. For results of other tasks, which can be large, only the outermost keys are read.
    """
    values, failures = dict(given), list[Failure]()
    for option in options:
        if option.name in given:
            value = given[option.name]
            values[option.name] = _with_text_keys(option.name, value, not _is_result(option, value), failures)
    return values, tuple(failures)


def _with_text_keys(name: str, value: Any, deep: bool, failures: list[Failure]) -> Any:
    if isinstance(value, Mapping):
        return {
            _text_key(name, key, failures): _with_text_keys(name, item, deep, failures) if deep else item
            for key, item in value.items()
        }
    if isinstance(value, list) and deep:
        return [_with_text_keys(name, item, deep, failures) for item in value]
    return value


def _text_key(name: str, key: Any, failures: list[Failure]) -> Any:
    if isinstance(key, str):
        return key
    try:
        return text_of(key)
    except Unreadable as unreadable:
        failures.append(invalid_value(name, f"a key: {unreadable.problem}", unreadable.remedy))
        return key


def account_id(value: Any) -> str:
    """Return an account ID from 12 digits, as text or as an integer.

    An integer with fewer digits is none: YAML has dropped a leading zero, or read the digits as octal.
    Twelve octal digits have at most ten decimal ones.

    Raises:
        Unreadable: it is not valid.
    """
    text = _unquote(value) if isinstance(value, str) else str(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if (is_number or isinstance(value, str)) and ACCOUNT_ID.fullmatch(text):
        return text
    if not is_number:
        # Ansible makes the keys of a mapping text.
        octal = _octal(int(text)) if text.isdecimal() and len(text) < ACCOUNT_DIGITS else ""
        cause = f": YAML reads {octal} without quotes as this number" if octal else ""
        remedy = _redirect(text) or ACCOUNT_ID_FORM
        raise Unreadable(f"{render_value(value)} is not a valid account ID{cause}.", remedy)
    octal = _octal(value)
    hint = f" ({octal} becomes {value})" if octal else ""
    raise Unreadable(
        f"{value} is a number without 12 digits, because YAML reads unquoted digits as a number and loses a "
        f"leading zero{hint}.",
        ACCOUNT_ID_FORM,
    )


def _redirect(text: str) -> str:
    """Return where something else that can have access goes; empty if the text is nothing of the kind."""
    if found := _OF_ACCOUNT.match(text):
        return f"Write its account ID: '{found[1]}'."
    for form, what, option in _OF_ORGANIZATIONS:
        if form.match(text):
            return f"List an {what} by its ARN in {option}, or list its accounts where there is no {option}."
    return ""


def owner(value: Any) -> str:
    """Return an account ID, or another name: an alias such as ``self`` of an owner, the ARN of a consumer.

    Raises:
        Unreadable: it has digits only, and is no account ID.
    """
    text = text_of(value)
    if not text.isdecimal():
        return text
    # Fewer digits were a number, which Ansible or a role has made a text.
    return account_id(text if len(text) >= ACCOUNT_DIGITS else int(text))


def role_name(text: str) -> str:
    """Return the name of an IAM role, with its path.

    Raises:
        Unreadable: it is not valid.
    """
    if _ROLE_NAME.fullmatch(text):
        return text
    raise Unreadable(
        f"{render_value(text)} is not a role name.",
        "Use the name without an ARN, at most 64 letters, digits and +=,.@_-, after the role's path.",
    )


def external_id(text: str) -> str:
    """Return an external ID of an IAM role, which is confidential.

    Raises:
        Unreadable: it is not valid. The problem does not name the value.
    """
    if _EXTERNAL_ID.fullmatch(text):
        return text
    raise Unreadable(
        f"the value of {len(text)} characters is not an external ID.",
        "Use 2 to 1224 letters, digits and +=,.@:/_-, as the role's trust policy has it.",
    )


def _octal(value: int) -> str:
    """Return the account ID that YAML read as this octal number; empty if there is none."""
    text = f"0{value:o}" if value > 0 else ""
    return text if ACCOUNT_ID.fullmatch(text) else ""


def _unquote(text: str) -> str:
    """Return the text without surrounding space, and without quotes around all of it."""
    text = text.strip()
    quoted = _QUOTED.fullmatch(text)
    return quoted["text"].strip() if quoted else text


class _Reading:
    """Reader of the value of one variable that collects its failures."""

    def __init__(self, variable: Variable, parse: Parse) -> None:
        self._variable = variable
        self._name = variable.name
        self._parse = parse
        self._failures: dict[Failure, None] = {}

    @property
    def failures(self) -> tuple[Failure, ...]:
        return tuple(self._failures)

    def first(self, given: Mapping[str, Any]) -> Any:
        """Return the value of the variable, else of the variable that it defaults to, else the default."""
        for name in (self._variable.name, self._variable.default_from):
            self._name = name or self._name
            value = self._read(self._variable, given.get(name) if name else None, "")
            if value is not None or self._failures:
                return value
        self._name = self._variable.name
        if self._variable.required:
            self._refuse("it is required and not set.", _form_of(self._variable))
        return self._variable.default

    def _refuse(self, problem: str, remedy: str) -> None:
        failure = invalid_value(self._name, problem, remedy)
        self._failures[replace(failure, action=self._variable.name)] = None

    def _read(self, variable: Variable, value: Any, place: str) -> Any:
        """Return the value; None if it is not given or has a failure. Messages say the ``place``."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        try:
            if variable.type == _BOOL_OR_ACCOUNTS:
                return self._truth_or_accounts(variable, value, place)
            if variable.type == "list":
                return self._list(variable, value, place)
            if variable.type == "dict":
                return self._mapping(variable, value, place)
            if variable.type in ("raw", IMAGES):
                return self._structure(value, place)
        except Unreadable as unreadable:
            self._refuse(f"{place}{unreadable.problem}", unreadable.remedy)
            return None
        return self._scalar(variable, value, place)

    def _scalar(self, variable: Variable, value: Any, place: str) -> Any:
        try:
            if variable.choices:
                return _choice(value, variable.choices)
            return _SCALARS[variable.type](value)
        except Unreadable as unreadable:
            problem = unreadable.without_value if self._variable.no_log else unreadable.problem
            self._refuse(f"{place}{problem}", unreadable.remedy)
            return None

    def _truth_or_accounts(self, variable: Variable, value: Any, place: str) -> Any:
        """Return a boolean, or a list of account IDs."""
        text = _unquote(value) if isinstance(value, str) else render_value(value)
        if isinstance(value, (bool, str)) and text.lower() in _TRUE | _FALSE:
            return _truth(value)
        return self._list(replace(variable, type="list", elements="account_id"), value, place)

    def _list(self, variable: Variable, value: Any, place: str) -> list[Any] | None:
        items = self._items(value, variable.elements == "dict")
        if items is None:
            what = "a list of mappings" if variable.elements == "dict" else "a list"
            self._refuse(f"{place}must be {what}{self._got(value)}.", _LIST_FORM)
            return None
        if isinstance(value, str) and not items and not value.strip().startswith("["):
            return None
        return [self._item(variable, item, f"{place}item {number}") for number, item in enumerate(items, 1)]

    def _items(self, value: Any, only_yaml: bool) -> list[Any] | None:
        """Return the items of a list; None if the value is not a list."""
        if isinstance(value, str):
            has_items = any(item.strip() for item in _ITEM_ENDS.split(value))
            if not _is_yaml_or_json(value) and not (only_yaml and has_items):
                return self._split_items(value)
            value = self._parse_text(value)
        elif not isinstance(value, (Mapping, list, tuple)):
            return [value]
        return list(value) if isinstance(value, (list, tuple)) else None

    def _split_items(self, text: str) -> list[str]:
        """Return the items of text that is neither YAML nor JSON."""
        items = [item for item in map(_unquote, _ITEM_ENDS.split(text)) if item]
        for item in items:
            if _NO_ITEM.match(item):
                what = "" if self._variable.no_log else f" {render_value(item)}"
                self._refuse(f"the item{what} is ambiguous.", _LIST_FORM)
        return items

    def _item(self, variable: Variable, item: Any, place: str) -> Any:
        if item is None or (isinstance(item, str) and not item.strip()):
            self._refuse(f"{place} is empty.", "Remove it; only the whole list can be empty.")
            return None
        if variable.elements == "dict":
            return self._known_keys(variable, item, place)
        return self._scalar(_element_of(variable), item, f"{place}: ")

    def _known_keys(self, variable: Variable, item: Any, place: str) -> Any:
        """Return a mapping in another value with its known keys as read. Modules refuse unknown keys."""
        if not isinstance(item, Mapping):
            what = "list" if variable.type == "list" else "mapping"
            self._refuse(f"{place} must be a mapping{self._got(item)}.", f"Write a {what} of mappings.")
            return None
        known = {option.name: option for option in variable.options}
        read_values = {
            str(key): self._read(known[key], value, f"{place}, {key}: ") if key in known else _trim(value)
            for key, value in item.items()
        }
        return {key: value for key, value in read_values.items() if value is not None}

    def _mapping(self, variable: Variable, value: Any, place: str) -> dict[str, Any] | None:
        mapping = self._parse_text(value) if isinstance(value, str) else value
        if not isinstance(mapping, Mapping):
            self._refuse(f"{place}must be a mapping{self._got(value)}.", _form_of(variable))
            return None
        return {
            self._key(variable, key, place): self._map_value(variable, key, item, place)
            for key, item in mapping.items()
        }

    def _key(self, variable: Variable, key: Any, place: str) -> Any:
        # Only a message about an account ID says by itself that it is one.
        where = f"{place}a key: " if variable.keys == "str" else place
        return self._scalar(Variable(variable.name, type=variable.keys), key, where)

    def _map_value(self, variable: Variable, key: Any, value: Any, place: str) -> Any:
        if variable.elements == "dict":
            return self._known_keys(variable, value, f"{place}{render_value(key)}")
        if variable.elements is None or value is None:
            return _trim(value)
        if isinstance(value, str) and not value.strip():
            return ""
        return self._scalar(_element_of(variable), value, f"{place}{render_value(key)}: ")

    def _structure(self, value: Any, place: str) -> Any:
        """Return a mapping or a list of any content. Other text is the items of a list."""
        structure = value
        if isinstance(value, str):
            parsed = self._parse_text(value) if _is_yaml_or_json(value) or _KEY.search(value) else None
            structure = parsed if isinstance(parsed, (Mapping, list)) else self._items(value, only_yaml=False)
        if not isinstance(structure, (Mapping, list, tuple)):
            self._refuse(f"{place}must be a mapping or a list{self._got(value)}.", _FORMS["raw"])
            return None
        if isinstance(value, str) and not structure and value.strip()[0] not in "[{":
            return None
        return _trim(structure)

    def _parse_text(self, text: str) -> Any:
        """Return the value of JSON or YAML text with all scalars as text but null; None if it is neither.

        Raises:
            Unreadable: there is no parser of YAML.
        """
        try:
            return _json(text)
        except (ValueError, RecursionError):
            try:
                # YAML has no tabs between tokens, which a pasted text may have.
                return self._parse(text.expandtabs(2))
            except ValueError:
                return None

    def _got(self, value: Any) -> str:
        return "" if self._variable.no_log else f" (got {render_value(value)})"


def _form_of(variable: Variable) -> str:
    """Return how to write the value of the variable."""
    # Each mapping of this name, such as share_images, is one of region to image ID.
    if variable.type == "dict" and variable.name.rpartition("_")[2] == "images":
        return _REGIONS_FORM
    return _FORMS.get(variable.type, "Set it.")


def _element_of(variable: Variable) -> Variable:
    return Variable(variable.name, type=variable.elements or "str", choices=variable.choices)


def _is_yaml_or_json(text: str) -> bool:
    """Whether text of a list is YAML or JSON."""
    before = _BEFORE_ITEMS.match(text)
    items = text[before.end() if before else 0 :]
    return items[:1] in ("[", "{") or items.startswith(("- ", "-\n", "-\r\n"))


def _json(text: str) -> Any:
    """Return the value of JSON text, numbers and booleans as text.

    Raises:
        ValueError: it is not JSON.
    """
    return _as_text(json.loads(text, parse_float=str, parse_int=str, parse_constant=str))


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else value


def _trim(value: Any) -> Any:
    """Return the value with all text in it without surrounding space."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Mapping):
        return {_trim(key): _trim(item) for key, item in value.items()}
    return [_trim(item) for item in value] if isinstance(value, (list, tuple)) else value


def text_of(value: Any) -> str:
    """Return a text. An integer becomes its digits, a date the only text that YAML reads as that date.

    Raises:
        Unreadable: YAML may have read another text as this value.
    """
    if isinstance(value, str):
        return _unquote(value)
    if isinstance(value, (bool, float, datetime.datetime)):
        kind, rest = _name_kind(value), "perhaps not as it was written; use text."
        raise Unreadable(
            f"YAML reads this as {kind}, {render_value(value)}, {rest}",
            _QUOTES,
            f"YAML reads the value as {kind}, {rest}",
        )
    if isinstance(value, (int, datetime.date)):
        return str(value)
    raise Unreadable(f"must be text (got {render_value(value)}).", "Set one text.", "the value is not text.")


def _text_of_id(value: Any) -> str:
    """Return an ID as ``text_of`` does.

    Only a number of 12 digits is taken, an account's ID: YAML reads 0777 as 511, 1_000 as 1000, 12:30 as 750,
    and 012345671234 as 1402434204.

    Raises:
        Unreadable: YAML may have read another text as this value.
    """
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number and not ACCOUNT_ID.fullmatch(str(value)):
        problem = "YAML reads the value as a whole number, perhaps not as it was written; use text."
        raise Unreadable(problem, _QUOTES, problem)
    return text_of(value)


def _name_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    return "a number" if isinstance(value, float) else "a time"


def _choice(value: Any, choices: Sequence[str]) -> str:
    text = _unquote(value) if isinstance(value, str) else render_value(value)
    for choice in choices:
        if choice.lower() == text.lower():
            return choice
    similar = find_similar(text.lower(), choices)
    remedy = f"Correct it to {similar}." if similar else ""
    raise Unreadable(f"must be one of {', '.join(choices)} (got {render_value(value)}).", remedy)


def _number(value: Any) -> Decimal | None:
    """Return the number; None if the value is not a number, or a huge one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = Decimal(_unquote(value) if isinstance(value, str) else str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < _MOST_DIGITS else None


def _whole_number(value: Any) -> int:
    number = _number(value)
    if number is None or number != number.to_integral_value():
        has_unit = isinstance(value, str) and _WITH_UNIT.fullmatch(value)
        remedy = "Write only the number, without a unit." if has_unit else ""
        raise Unreadable(f"must be a whole number (got {render_value(value)}).", remedy)
    return int(number)


def _count_or_percentage(value: Any) -> str:
    """Return the text; that of a whole number has no decimal places."""
    number = _number(value)
    if number is None:
        return text_of(value)
    if number == number.to_integral_value():
        return str(int(number))
    return _unquote(value) if isinstance(value, str) else str(value)


def _decimal_number(value: Any) -> float:
    number = _number(value)
    if number is None:
        raise Unreadable(f"must be a number (got {render_value(value)}).", "")
    return float(number)


def _truth(value: Any) -> bool:
    text = _unquote(value) if isinstance(value, str) else render_value(value)
    if text.lower() not in _TRUE | _FALSE:
        raise Unreadable(f"must be true or false (got {render_value(value)}).", "")
    return text.lower() in _TRUE


_SCALARS: Mapping[str, Callable[[Any], Any]] = {
    "account_id": account_id,
    "bool": _truth,
    "consumer": owner,
    "count_or_percentage": _count_or_percentage,
    "external_id": lambda value: external_id(_text_of_id(value)),
    "float": _decimal_number,
    "int": _whole_number,
    "owner": owner,
    "path": text_of,
    "role_name": lambda value: role_name(text_of(value)),
    "str": text_of,
}
TYPES = frozenset({*_SCALARS, _BOOL_OR_ACCOUNTS, "dict", "list", "raw", IMAGES})
"""Types that a variable can have."""
