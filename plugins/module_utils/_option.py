# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declares the options of a module: argument spec, the forms that are read, value and validation.

The options of a module are a frozen dataclass, one field each. ::

    @dataclass(frozen=True, kw_only=True)
    class ShareOptions(ConsumerOptions, ImageOptions):
        state: str = option(choice("present", "absent"), default="present")
        best_effort_regions: tuple[str, ...] = option(REGIONS)

        def problems(self) -> Iterator[Problem]:
            if self.state == "absent" and not self.consumers: ...

``ShareOptions.argument_spec()`` is what Ansible needs, ``ShareOptions.read(params, check_mode)`` the values.
``option_groups`` has the options that several modules share.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

from ._failures import Failure, ValidationError, invalid_value
from ._structure import as_list
from ._tags import tag_problems
from ._variables import Unreadable, account_id
from ._wording import render_value

T = TypeVar("T")
Read = TypeVar("Read", bound="Options")


class Refuse(Protocol):
    """Adds a validation error."""

    def __call__(self, problem: str, remedy: str, place: str = "", /) -> None:
        """Add one: ``problem`` is a sentence without the option's name, which ``place`` follows."""


class Problem(NamedTuple):
    """A validation error: an option that does not fit the others."""

    option: str
    problem: str
    remedy: str


@dataclass(frozen=True)
class Kind(Generic[T]):
    """What an option can be.

    ``spec`` has its fields in Ansible's argument spec; ``context`` in it is what ``variables.options_of``
    reads. ``value`` makes the value of what Ansible's validation returns, which is None for an option that is
    not set, and adds validation errors.
    """

    spec: Mapping[str, Any]
    value: Callable[[Any, Refuse], T]


def option(kind: Kind[Any], **spec: Any) -> Any:
    """Declare an option as the default of a dataclass's field; ``spec`` are more fields of its argument spec.

    The field's default is the value of the spec's default, which Ansible forbids for a required option.
    ``repr`` hides a secret.
    """
    given = {**kind.spec, **spec}
    if given.get("required"):
        given.pop("default", None)
    # pylint knows field() within a dataclass only, and no function that makes fields (PEP 681).
    return field(  # pylint: disable=invalid-field-call
        default_factory=lambda: kind.value(given.get("default"), _never),
        metadata={"spec": given, "value": kind.value},
        repr=not given.get("no_log"),
    )


def of_every_module(kind: Kind[Any]) -> Any:
    """Declare an option that amazon.aws adds to every module, such as ``region``."""
    return field(  # pylint: disable=invalid-field-call
        default_factory=lambda: kind.value(None, _never), metadata={"spec": None, "value": kind.value}
    )


@dataclass(frozen=True, kw_only=True)
class Options:
    """The values of a module's options, and whether it runs in check mode; each module has its own class.

    ``argument_rules`` are Ansible's about several options, such as ``mutually_exclusive``.
    """

    argument_rules: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    check_mode: bool = False

    def with_results(self: Read) -> Read:
        """Return the options, of which some have their values from results of earlier steps."""
        return self

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        yield from ()

    def failures(self) -> Iterator[Failure]:
        """Yield the validation errors that have a region, or a code of their own."""
        yield from ()

    @classmethod
    @cache
    def argument_spec(cls) -> dict[str, Any]:
        """Return what Ansible needs to know of the options."""
        return {
            one.name: one.metadata["spec"] for one in _list_options(cls) if one.metadata["spec"] is not None
        }

    @classmethod
    def read(cls: type[Read], params: Mapping[str, Any], check_mode: bool) -> Read:
        """Make the values of the parameters that Ansible has validated.

        Raises:
            ValidationError: with every validation error.
        """
        options, failures = cls.read_with_failures(params, check_mode)
        if failures:
            raise ValidationError(failures)
        return options

    @classmethod
    def read_with_failures(
        cls: type[Read], params: Mapping[str, Any], check_mode: bool
    ) -> tuple[Read, tuple[Failure, ...]]:
        """Make the values of the parameters that Ansible has validated, and return every validation error."""
        # Keys only: an error that two options have in common is reported once.
        failures: dict[Failure, None] = {}

        def refuse(problem: str, remedy: str, place: str = "") -> None:
            failures[invalid_value(place, problem, remedy)] = None

        options = cls.read_each(params, check_mode, refuse)
        failures.update(dict.fromkeys(options.failures()))
        return options, tuple(failures)

    @classmethod
    def read_each(cls: type[Read], params: Mapping[str, Any], check_mode: bool, refuse: Refuse) -> Read:
        """Make the values of the parameters, and add each validation error with its option as the place."""

        def refuse_of(name: str) -> Refuse:
            return lambda problem, remedy, place="": refuse(problem, remedy, f"{name}{place}")

        values = {
            one.name: one.metadata["value"](params.get(one.name), refuse_of(one.name))
            for one in _list_options(cls)
        }
        options = cls(check_mode=check_mode, **values).with_results()
        for name, problem, remedy in options.problems():
            refuse(problem, remedy, name)
        return options


def _list_options(options: type[Options]) -> Iterator[Field[Any]]:
    return (one for one in fields(options) if one.metadata)


def _never(problem: str, _remedy: str, _place: str = "") -> None:
    raise AssertionError(f"a default is not valid: {problem}")


def as_given(value: Any, _refuse: Refuse) -> Any:
    """Return the value."""
    return value


def optional(kind: Kind[T]) -> Kind[T | None]:
    """The same, with None as the value of an option that is not set, which differs from an empty one."""
    return Kind(kind.spec, lambda given, refuse: None if given is None else kind.value(given, refuse))


FLAG: Kind[bool] = Kind({"type": "bool", "default": False}, as_given)
TEXT: Kind[str | None] = Kind({"type": "str"}, as_given)
NUMBER: Kind[int | None] = Kind({"type": "int"}, as_given)
PATH: Kind[str | None] = Kind({"type": "path"}, as_given)
# A result of another task, or a mapping that its reader validates.
MAPPING: Kind[Mapping[str, Any] | None] = Kind({"type": "dict"}, as_given)


def options_of_module(options: type[Options]) -> Kind[Mapping[str, Any]]:
    """A mapping of options of another module, which ``_runner.read_parameters`` reads; empty if not set."""
    return Kind(
        {"type": "dict", "context": {"options": options.argument_spec()}}, lambda given, _refuse: given or {}
    )


def choice(*choices: str) -> Kind[str | None]:
    """One of these texts."""
    return Kind({"type": "str", "choices": list(choices)}, as_given)


def read_texts(given: Iterable[Any] | None, refuse: Refuse) -> tuple[str, ...]:
    """Return the texts of a list without surrounding space.

    A blank item is a validation error and not dropped: a list of one variable that happens to be empty would
    lose its meaning. Ansible turns null in a list of texts into a blank one.
    """
    texts = tuple(str(item).strip() for item in given or ())
    if not all(texts):
        refuse(f"item {texts.index('') + 1} is empty.", "Remove it; only the whole list can be empty.")
    return tuple(text for text in texts if text)


_LIST = {"type": "list", "elements": "str", "default": []}


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


TEXTS: Kind[tuple[str, ...]] = Kind(_LIST, lambda given, refuse: _unique(read_texts(given, refuse)))


def texts_like(pattern: re.Pattern[str], problem: str, remedy: str) -> Kind[tuple[str, ...]]:
    """A list of texts of one form; ``problem`` goes on after the text in quotes."""

    def value(given: Any, refuse: Refuse) -> tuple[str, ...]:
        texts = read_texts(given, refuse)
        for text in texts:
            if not pattern.fullmatch(text):
                refuse(f"'{text}' {problem}", remedy)
        return _unique(texts)

    return Kind(_LIST, value)


# botocore's endpoints.json, regionRegex of all partitions, without their lists of first parts.
REGION_FORM = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+")


def is_region(text: str) -> bool:
    """Whether it has the form of a region, which need not exist."""
    return REGION_FORM.fullmatch(text) is not None


def read_region(given: Any, refuse: Refuse) -> str:
    """Return a region of a valid form, which need not exist."""
    text = given.strip() if isinstance(given, str) else given
    if not isinstance(text, str) or not is_region(text):
        refuse(f"{render_value(text)} is not a region.", "Use a region such as eu-west-1.")
    return str(text)


REGION: Kind[str | None] = Kind(
    {"type": "str"}, lambda given, refuse: read_region(given, refuse) if given else None
)
REGIONS: Kind[tuple[str, ...]] = Kind(
    _LIST,
    lambda given, refuse: _unique(read_region(text, refuse) for text in read_texts(given, refuse)),
)


def read_account_id(given: Any, refuse: Refuse) -> str | None:
    """Return an account ID; None for a blank one, and for a value that is not valid."""
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    try:
        return account_id(given)
    except Unreadable as unreadable:
        refuse(unreadable.problem, unreadable.remedy)
        return None


ACCOUNT_ID: Kind[str | None] = Kind({"type": "str"}, read_account_id)
# The items are valid: the context has them read as account IDs before Ansible's validation.
ACCOUNT_IDS: Kind[tuple[str, ...]] = Kind(
    {**_LIST, "context": {"elements": "account_id"}}, lambda given, _refuse: _unique(given or ())
)
OWNERS: Kind[tuple[str, ...]] = Kind({**_LIST, "context": {"elements": "owner"}}, TEXTS.value)

IMAGE_ID_FORM = re.compile(r"ami-(?:[0-9a-f]{8}|[0-9a-f]{17})")


def is_image_id(text: str) -> bool:
    """Whether a text has the form of an AMI ID."""
    return IMAGE_ID_FORM.fullmatch(text) is not None


def read_image_id(given: Any, refuse: Refuse, region: str = "") -> str:
    """Return an AMI ID, which is that of a region if one is named."""
    text = given.strip() if isinstance(given, str) else given
    if not isinstance(text, str) or not is_image_id(text):
        place = f"{region}: " if region else ""
        refuse(
            f"{place}{render_value(text)} is not a valid AMI ID.", "Use an ID such as ami-0123456789abcdef0."
        )
    return str(text)


IMAGE_ID: Kind[str | None] = Kind(
    {"type": "str"}, lambda given, refuse: None if given is None else read_image_id(given, refuse)
)
IMAGE_IDS: Kind[tuple[str, ...]] = Kind(
    _LIST, lambda given, refuse: _unique(read_image_id(text, refuse) for text in read_texts(given, refuse))
)


def read_images(given: Mapping[Any, Any] | None, refuse: Refuse) -> dict[str, str | None]:
    """Return a mapping of region to AMI ID, which is None for a copy that does not exist yet."""
    images = {read_region(region, refuse): image_id for region, image_id in (given or {}).items()}
    return {
        region: None if image_id is None else read_image_id(image_id, refuse, region)
        for region, image_id in images.items()
    }


IMAGES: Kind[dict[str, str | None]] = Kind({"type": "dict"}, read_images)


def tags(prefix: str = "") -> Kind[dict[str, str]]:
    """Tags with values that are text; ``prefix`` precedes the keys later."""

    def value(given: Mapping[Any, Any] | None, refuse: Refuse) -> dict[str, str]:
        found = {str(key): "" if text is None else str(text) for key, text in (given or {}).items()}
        for problem, remedy in tag_problems(found, prefix):
            refuse(problem, remedy)
        return found

    return Kind({"type": "dict", "context": {"elements": "str"}}, value)


def texts_by_region(pattern: re.Pattern[str], what: str, remedy: str) -> Kind[dict[str, tuple[str, ...]]]:
    """A mapping of region to texts of one form."""

    def value(given: Mapping[Any, Any] | None, refuse: Refuse) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for region, items in (given or {}).items():
            found[str(region)] = tuple(str(item).strip() for item in as_list(items))
            for text in found[str(region)]:
                if not pattern.fullmatch(text):
                    refuse(f"'{text}' is not a valid {what}.", remedy)
        return found

    return Kind({"type": "dict"}, value)


def list_of(options: type[Read]) -> Kind[tuple[Read, ...]]:
    """A list of mappings with these suboptions; a validation error names the suboption of its item."""

    def read_item(given: Mapping[str, Any], number: int, refuse: Refuse) -> Read:
        def refuse_here(problem: str, remedy: str, place: str = "") -> None:
            refuse(problem, remedy, f"[{number}].{place}")

        return options.read_each(given, False, refuse_here)

    return Kind(
        {"type": "list", "elements": "dict", "default": [], "options": options.argument_spec()},
        lambda given, refuse: tuple(
            read_item(item, number, refuse) for number, item in enumerate(given or ())
        ),
    )
