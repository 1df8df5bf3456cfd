# SPDX-License-Identifier: GPL-3.0-or-later
"""The members of answers that a function reads by subscript, and the structures that they are in."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from botocore.model import ListShape, MapShape, Shape, StructureShape

from checks.responses.models import Models, Structure
from checks.responses.sources import Function, Sources

# What this collection makes itself is named so: the parameters of a request, and the record of an image.
OURS = frozenset({"parameters", "record", "request"})
# The helper that refuses an answer without a member; its arguments are the answer, the member, the operation.
REQUIRED = "required"
_ERROR_RESPONSE = "response"
_PASSES = frozenset({"enumerate", "iter", "list", "reversed", "sorted", "tuple", "zip"})


@dataclass(frozen=True)
class Items:
    """An iterable of values of a shape: pages of answers, or a list that the code made."""

    shape: Kind


Kind = Shape | Items


@dataclass(frozen=True)
class Read:
    """A member that is read by subscript.

    ``structures`` are all that can be meant. ``service`` is the one of the operations, for the message.
    """

    function: Function
    line: int
    member: str
    structures: tuple[Structure, ...] = ()
    is_error: bool = False


@dataclass(frozen=True)
class Unknown:
    """A call of ``required`` that names no member of the operation's answers."""

    function: Function
    line: int
    text: str


class Reader:
    """The reads of one function."""

    def __init__(self, sources: Sources, models: Models, function: Function) -> None:
        self._models = models
        self._function = function
        own = function.operations
        package = function.package
        everything = set().union(*sources.operations_in.values()) if package == "aws" else set()
        self._levels = [
            own,
            set() if own else sources.operations_of_callers(function),
            # The answers of the actions of other packages pass through this one.
            everything or sources.operations_in[package],
        ]
        self._parents = {child: node for node in function.all_nodes for child in ast.iter_child_nodes(node)}
        self._kinds: dict[str, set[Kind]] = {}
        self._ours: set[str] = set()
        # A name can depend on one that is bound further down, in an enclosing comprehension for example.
        bindings = list(self._bindings())
        for _pass in range(4):
            for target, value, iterated in bindings:
                self._bind(target, value, iterated)

    def reads(self) -> Iterator[Read]:
        """The reads by subscript that nothing guards."""
        for node in self._function.all_nodes:
            if not (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)):
                continue
            member = _text(node.slice)
            if member is None or self._is_ours(node.value):
                continue
            if isinstance(node.value, ast.Attribute) and node.value.attr == _ERROR_RESPONSE:
                yield Read(self._function, node.lineno, member, is_error=True)
                continue
            structures = self._structures(node.value, member)
            if structures and not self._is_guarded(node, member):
                yield Read(self._function, node.lineno, member, structures)

    def unknown(self) -> Iterator[Unknown]:
        """The calls of ``required`` with an operation that does not exist, or without that member."""
        for node in self._function.all_nodes:
            if not (isinstance(node, ast.Call) and _name(node.func) == REQUIRED and len(node.args) == 3):
                continue
            member, operation = _text(node.args[1]), _text(node.args[2])
            if member is None or operation is None:
                continue
            named = self._models.named(operation)
            if not any(member in one for item in named for one in item.structures):
                yield Unknown(self._function, node.lineno, f"{operation} returns no {member}")

    def _structures(self, base: ast.expr, member: str) -> tuple[Structure, ...]:
        shapes = {kind.name for kind in self._kind(base) if isinstance(kind, StructureShape)}
        for known in self._known(member):
            exact = [one for one in known if one.name in shapes]
            if exact or (known and not shapes):
                return tuple(dict.fromkeys(exact or known))
        return ()

    def _known(self, member: str) -> Iterator[list[Structure]]:
        """The structures with a member: of the operations of the function, its callers, and the package."""
        # Names in lower case are seldom of an answer, and the operations of a whole package say little.
        for operations in self._levels if member[:1].isupper() else self._levels[:2]:
            yield [one for item in sorted(operations) for one in item.structures if member in one]

    def _members(self, base: ast.expr, member: str) -> set[Kind]:
        """The shapes of a member of a value, whose own shape need not be evident."""
        kinds = self._kind(base)
        if not kinds and not self._is_ours(base):
            kinds = {one.shape for one in next(filter(None, self._known(member)), [])}
        return _members(kinds, member)

    def _bindings(self) -> Iterator[tuple[ast.expr, ast.expr, bool]]:
        for node in self._function.all_nodes:
            if isinstance(node, ast.Assign):
                yield from ((target, node.value, False) for target in node.targets)
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
                if node.value is not None:
                    yield node.target, node.value, False
            elif isinstance(node, ast.For | ast.comprehension):
                yield node.target, node.iter, True

    def _bind(self, target: ast.expr, value: ast.expr, iterated: bool) -> None:
        if isinstance(target, ast.Tuple):
            if isinstance(value, ast.Tuple) and not iterated:
                for one, of_one in zip(target.elts, value.elts, strict=True):
                    self._bind(one, of_one, iterated)
            elif self._is_ours(value):
                self._ours |= {item.id for item in target.elts if isinstance(item, ast.Name)}
            return
        if not isinstance(target, ast.Name):
            return
        if self._is_ours(value):
            self._ours.add(target.id)
        kinds = self._kind(value)
        self._kinds.setdefault(target.id, set()).update(_elements(kinds) if iterated else kinds)

    def _kind(self, node: ast.expr) -> set[Kind]:
        """The shapes that a value can have; empty if they are not evident."""
        if isinstance(node, ast.Name):
            return self._kinds.get(node.id, set())
        if isinstance(node, ast.Subscript):
            member, kinds = _text(node.slice), self._kind(node.value)
            return _elements(kinds) if member is None else self._members(node.value, member)
        if isinstance(node, ast.BoolOp):
            return {kind for item in node.values for kind in self._kind(item)}
        if isinstance(node, ast.IfExp):
            return self._kind(node.body) | self._kind(node.orelse)
        if isinstance(node, ast.ListComp | ast.GeneratorExp):
            return {Items(kind) for kind in self._kind(node.elt)}
        if isinstance(node, ast.Call):
            return self._kind_of_call(node)
        return set()

    def _kind_of_call(self, node: ast.Call) -> set[Kind]:
        operation = self._function.operation_of(self._models, node)
        name = _name(node.func)
        if operation is not None:
            output: set[Kind] = {operation.output} if operation.output is not None else set()
            return {Items(kind) for kind in output} if name == "get_paginator" else output
        arguments = node.args
        if isinstance(node.func, ast.Attribute):
            if name == "paginate":
                return self._kind(node.func.value)
            if name == "get" and arguments and (member := _text(arguments[0])):
                return self._members(node.func.value, member)
        if name == "pages" and arguments:
            paged = self._function.operation_of(self._models, arguments[0])
            return {Items(paged.output)} if paged is not None and paged.output is not None else set()
        if name == REQUIRED and len(arguments) == 3 and (member := _text(arguments[1])):
            kinds = self._kind(arguments[0])
            return _members(kinds or self._anywhere(_text(arguments[2]) or ""), member)
        if name == "next" and arguments:
            return _elements(self._kind(arguments[0]))
        if name in _PASSES and len(arguments) == 1:
            return self._kind(arguments[0])
        return set()

    def _anywhere(self, operation: str) -> set[Kind]:
        return {one.shape for item in self._models.named(operation) for one in item.structures}

    def _is_ours(self, node: ast.expr) -> bool:
        """Whether a value is no answer of AWS: a request or a record."""
        if isinstance(node, ast.Name):
            return node.id in OURS or node.id in self._ours
        if isinstance(node, ast.Attribute):
            return node.attr in OURS
        if isinstance(node, ast.Subscript):
            return self._is_ours(node.value)
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "items", "values"):
                return self._is_ours(node.func.value)
            return _name(node.func) in _PASSES and any(self._is_ours(item) for item in node.args)
        return False

    def _is_guarded(self, node: ast.Subscript, member: str) -> bool:
        """Whether a condition around the read holds only if the member is there."""
        child: ast.AST = node
        while (parent := self._parents.get(child)) is not None:
            if any(_shows(test, node.value, member) for test in _conditions(parent, child)):
                return True
            child = parent
        return False


def _conditions(parent: ast.AST, child: ast.AST) -> list[ast.expr]:
    """The conditions of a node that hold where its child is evaluated."""
    if isinstance(parent, ast.If):
        return [parent.test] if child in parent.body else []
    if isinstance(parent, ast.IfExp):
        return [parent.test] if child is parent.body else []
    if isinstance(parent, ast.BoolOp) and isinstance(parent.op, ast.And):
        return list(takewhile(lambda item: item is not child, parent.values))
    if isinstance(parent, ast.comprehension):
        return list(takewhile(lambda item: item is not child, parent.ifs)) if child in parent.ifs else []
    if isinstance(parent, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        inside = isinstance(child, ast.comprehension)
        return [] if inside else [test for part in parent.generators for test in part.ifs]
    return []


def _shows(test: ast.expr, base: ast.expr, member: str) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_shows(item, base, member) for item in test.values)
    text = ast.unparse(base)
    return ast.unparse(test) in (f"'{member}' in {text}", f"{text}.get('{member}')")


def _members(kinds: Iterable[Kind], member: str) -> set[Kind]:
    return {
        kind.members[member] for kind in kinds if isinstance(kind, StructureShape) and member in kind.members
    }


def _elements(kinds: Iterable[Kind]) -> set[Kind]:
    found: set[Kind] = set()
    for kind in kinds:
        if isinstance(kind, Items):
            found.add(kind.shape)
        elif isinstance(kind, ListShape):
            found.add(kind.member)
        elif isinstance(kind, MapShape):
            found.add(kind.value)
    return found


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
