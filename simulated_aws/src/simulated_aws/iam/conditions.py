# SPDX-License-Identifier: GPL-3.0-or-later
"""Policy conditions (IAM User Guide, IAM JSON policy elements: Condition operators; set operators)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..exceptions import NotSimulated
from .condition_keys import RequestContext, Value
from .documents import as_list

Operator = Callable[[str, str], bool]

OPERATORS: dict[str, Operator] = {
    "ArnEquals": lambda value, wanted: _like_arn(wanted, value),
    "ArnLike": lambda value, wanted: _like_arn(wanted, value),
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "StringEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": lambda value, wanted: like(wanted, value),
}
"""Each takes the value in the request and the value in the policy. Others of AWS raise NotSimulated."""

_NEGATED = {
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
}
_NULL = "Null"
_UNQUANTIFIED = frozenset({"Bool", _NULL})
_IF_EXISTS = "IfExists"
_SET_OPERATORS: dict[str, Callable[[Any], bool]] = {"ForAnyValue": any, "ForAllValues": all}


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key; any of `values` must match. `quantifier` is its set operator, or empty.

    With `if_exists`, a request without the key meets the condition. If `negated`, none of `values` may match.
    """

    quantifier: str
    operator: str
    key: str
    values: tuple[str, ...]
    if_exists: bool = False
    negated: bool = False

    def holds(self, context: RequestContext) -> bool:
        """Whether a request with this context meets the condition.

        A key that is not in the request meets `ForAllValues`, `IfExists` and negated operators only. A
        multivalued key without a set operator is never met: AWS does not support that combination.

        Raises:
            NotSimulated: the condition key is not supported.
        """
        value = _value(context, self.key)
        if self.operator == _NULL:
            return ("false" if value else "true") in map(str.lower, self.values)
        if self.if_exists and not value:
            return True
        if not self.quantifier:
            return self.negated if value is None else isinstance(value, str) and self._matches(value)
        values = (value,) if isinstance(value, str) else value or ()
        return _SET_OPERATORS[self.quantifier](self._matches(one) for one in values)

    def _matches(self, value: str) -> bool:
        meets = OPERATORS[self.operator]
        return any(meets(value, wanted) for wanted in self.values) is not self.negated


def read(block: Any) -> tuple[Condition, ...]:
    """The conditions of a statement.

    Raises:
        ValueError: not a valid condition block.
        NotSimulated: an operator or a policy variable that is not supported.
    """
    if not isinstance(block, dict):
        raise ValueError("a Condition must be an object")
    return tuple(
        _condition(operator, key, values) for operator, keys in block.items() for key, values in _items(keys)
    )


def like(pattern: str, text: str) -> bool:
    """Whether the text matches a pattern with the wildcards `*` and `?`."""
    return _regex(pattern).fullmatch(text) is not None


def _condition(operator: str, key: str, values: Any) -> Condition:
    quantifier, _, rest = operator.rpartition(":")
    name = rest.removesuffix(_IF_EXISTS)
    known = name in OPERATORS or name in _NEGATED or rest == _NULL
    if not known or (quantifier and (quantifier not in _SET_OPERATORS or name in _UNQUANTIFIED)):
        raise NotSimulated(f"condition operator {operator}")
    wanted = as_list(values)
    if not all(isinstance(one, (str, bool)) for one in wanted):
        raise ValueError(f"the values of {key} must be strings")
    texts = tuple(one if isinstance(one, str) else str(one).lower() for one in wanted)
    if any("${" in one for one in texts):
        raise NotSimulated(f"policy variables, in the values of {key}")
    positive = _NEGATED.get(name, name)
    return Condition(quantifier, positive, key.lower(), texts, name != rest, positive != name)


def _value(context: RequestContext, key: str) -> Value:
    """The value of a key; NotSimulated if the context has neither it nor its prefix (`aws:requesttag/`)."""
    read_value = context.get(key) or context.get(key[: key.find("/") + 1])
    if read_value is None:
        raise NotSimulated(f"condition key {key}")
    return read_value()


def _items(keys: Any) -> Any:
    if not isinstance(keys, dict):
        raise ValueError("a condition operator must have an object of condition keys")
    return keys.items()


def _like_arn(pattern: str, arn: str) -> bool:
    """Whether each of the six parts of an ARN matches; a wildcard does not match beyond its part."""
    patterns, parts = pattern.split(":", 5), arn.split(":", 5)
    return len(patterns) == len(parts) and all(map(like, patterns, parts))


@lru_cache(maxsize=4096)
def _regex(pattern: str) -> re.Pattern[str]:
    parts = ({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in pattern)
    return re.compile("".join(parts), re.DOTALL)
