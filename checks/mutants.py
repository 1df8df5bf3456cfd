# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutants of a source file: one of its functions does nothing, or returns its input.

The main functions of a file are its public functions; without any, the public methods and properties of its
public classes; and without these, its private functions.

Sharper ones, alterations, are in any function: a condition is negated, ``or`` stands for ``and``, or a
statement is left out.
"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import TypeGuard


@dataclass(frozen=True)
class Mutant:
    """A function with another body.

    ``function`` is its name in the module (``plan``, ``Failure.at``), ``parameters`` its parameters as they
    are written, without annotations and defaults, ``body`` the one statement that it runs instead.
    """

    function: str
    parameters: str
    body: str

    def __str__(self) -> str:
        return f"{self.function}: {self.body}"

    def install(self, module: ModuleType) -> None:
        """Give the function its other body, for every caller in this process.

        The function object keeps its identity and gets other code, so that all references to it are affected.
        Values that a module computed with it at import time are not.
        """
        function = _function(module, self.function)
        function.__code__ = self._code(function.__code__.co_freevars)

    def _code(self, free: tuple[str, ...]) -> CodeType:
        """The other body, compiled with the ``free`` variables of the original, which Python requires."""
        name = self.function.rpartition(".")[2]
        lines = [
            "def closure():",
            *(f"    {variable} = None" for variable in free),
            f"    def {name}({self.parameters}):",
            f"        {self.body}",
            *(f"        {variable}" for variable in free),
        ]
        outer = compile("\n".join(lines), f"<{self}>", "exec")
        return _inner(_inner(outer))


@dataclass(frozen=True)
class Alteration:
    """A function with one condition negated, ``or`` for ``and``, or one statement less.

    ``function`` is its name in the module, ``line`` and ``text`` say what is altered, ``number`` is the
    position among the alterations of ``source``, the text of the file.
    """

    function: str
    line: int
    text: str
    number: int
    source: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.function}: {self.text} (line {self.line})"

    def install(self, module: ModuleType) -> None:
        """Give the function its altered code, for every caller, as ``Mutant.install`` does."""
        tree = ast.parse(self.source)
        _, _, alter = next(itertools.islice(_alterable(tree), self.number, None))
        alter()
        code = compile(tree, f"<{self}>", "exec", dont_inherit=True)
        for name in self.function.split("."):
            code = next(inner for inner in reversed(code.co_consts) if _is_named(inner, name))
        _function(module, self.function).__code__ = code


def alterations_of(source: str) -> list[Alteration]:
    """All alterations of the file whose text is ``source``."""
    return [
        Alteration(function, line, text, number, source)
        for number, ((function, line), text, _) in enumerate(_alterable(ast.parse(source)))
    ]


def mutants_of(source: str) -> list[Mutant]:
    """The mutants of the file whose text is ``source``; none where it defines only constants and fields."""
    module = ast.parse(source)
    functions = _functions(module)
    public = [node for node in functions if not node.name.startswith("_")]
    if public:
        return [mutant for node in public for mutant in _of_function(node)]
    methods = [
        mutant
        for owner in module.body
        if isinstance(owner, ast.ClassDef) and not owner.name.startswith("_")
        for node in _functions(owner)
        if not node.name.startswith("_")
        for mutant in _of_method(owner, node)
    ]
    return methods or [mutant for node in functions for mutant in _of_function(node)]


def _functions(holder: ast.Module | ast.ClassDef) -> list[ast.FunctionDef]:
    return [node for node in holder.body if isinstance(node, ast.FunctionDef)]


def _alterable(module: ast.Module) -> Iterator[tuple[tuple[str, int], str, Callable[[], None]]]:
    """Where each alteration is, what it is, and what makes it in ``module``."""
    functions = [(node.name, node) for node in _functions(module)]
    for owner in module.body:
        if isinstance(owner, ast.ClassDef):
            functions += [(f"{owner.name}.{node.name}", node) for node in _functions(owner)]
    for function, root in functions:
        for node in ast.walk(root):
            for line, text, alter in _of_node(node):
                yield (function, line), text, alter


def _of_node(node: ast.AST) -> Iterator[tuple[int, str, Callable[[], None]]]:
    """The line, text and maker of each alteration directly below ``node``."""
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        test = node.test
        yield test.lineno, f"not: {ast.unparse(test)}", lambda: setattr(node, "test", _negated(test))
    if isinstance(node, ast.comprehension):
        for number, test in enumerate(node.ifs):
            negate = functools.partial(node.ifs.__setitem__, number, _negated(test))
            yield test.lineno, f"not: {ast.unparse(test)}", negate
    if isinstance(node, ast.BoolOp):
        other = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        name = type(other).__name__.lower()
        yield node.lineno, f"{name}: {ast.unparse(node)}", lambda: setattr(node, "op", other)
    for name in ("body", "orelse", "finalbody"):
        # That of a lambda or a conditional expression is no list.
        statements = getattr(node, name, None)
        if not isinstance(statements, list):
            continue
        for number, statement in enumerate(statements):
            if _can_be_left_out(statement):
                instead = ast.copy_location(ast.Pass(), statement)
                leave_out = functools.partial(statements.__setitem__, number, instead)
                yield statement.lineno, f"without: {ast.unparse(statement)}", leave_out


def _can_be_left_out(statement: ast.stmt) -> bool:
    """Whether the statement is a call without a use of its result, or ``+=`` and the like.

    Without ``super()``, a method can lose the variable ``__class__`` that Python requires of its code.
    """
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return "super()" not in ast.unparse(statement)
    return isinstance(statement, ast.AugAssign)


def _negated(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    return ast.copy_location(ast.UnaryOp(ast.Not(), test), test)


def _is_named(constant: object, name: str) -> TypeGuard[CodeType]:
    return isinstance(constant, CodeType) and constant.co_name == name


def _of_function(node: ast.FunctionDef) -> Iterator[Mutant]:
    parameters = _parameters(node)
    bodies = [_returning(node, None)]
    if names := _names(node.args):
        bodies.append(_returning(node, names[0]))
    for body in bodies:
        if not _is_original(node, body):
            yield Mutant(node.name, parameters, body)


def _of_method(owner: ast.ClassDef, node: ast.FunctionDef) -> Iterator[Mutant]:
    body = _returning(node, None)
    if not _is_original(node, body):
        yield Mutant(f"{owner.name}.{node.name}", _parameters(node), body)


def _returning(node: ast.FunctionDef, what: str | None) -> str:
    """The statement that returns ``what`` from a function of the same kind; None is nothing."""
    if _is_context_manager(node):
        return f"yield {what}"
    if any(isinstance(item, ast.Yield | ast.YieldFrom) for item in _own_nodes(node)):
        return f"yield from {what or ()}"
    return f"return {what}"


def _is_context_manager(node: ast.FunctionDef) -> bool:
    return any(ast.unparse(item).endswith("contextmanager") for item in node.decorator_list)


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below ``node`` except those in nested functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield child
            yield from _own_nodes(child)


def _names(arguments: ast.arguments) -> list[str]:
    return [item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _parameters(node: ast.FunctionDef) -> str:
    """The parameters without annotations and defaults, which belong to the function object, not its code."""
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    for item in (*every, arguments.vararg, arguments.kwarg):
        if item is not None:
            item.annotation = None
    arguments.defaults = []
    arguments.kw_defaults = [None] * len(arguments.kwonlyargs)
    return ast.unparse(arguments)


def _is_original(node: ast.FunctionDef, body: str) -> bool:
    """Whether the function has this body already, or none, such as ``...`` in a protocol."""
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return "\n".join(map(ast.unparse, statements)) in ("", "...", "pass", body)


def _function(module: ModuleType, name: str) -> FunctionType:
    """The function of this name in a module, such as ``plan`` or ``Failure.at``."""
    owner, _, name = name.rpartition(".")
    holder = vars(module)[owner] if owner else module
    return _plain(vars(holder)[name])


def _plain(attribute: object) -> FunctionType:
    """The function of the ``def`` statement, without its decorators, whose caches are cleared."""
    if isinstance(attribute, property):
        attribute = attribute.fget
    elif isinstance(attribute, functools.cached_property):
        attribute = attribute.func
    elif isinstance(attribute, classmethod | staticmethod):
        attribute = attribute.__func__
    if hasattr(attribute, "cache_clear"):
        attribute.cache_clear()
    function = inspect.unwrap(attribute) if callable(attribute) else attribute
    if not isinstance(function, FunctionType):
        raise TypeError(f"no function can be found below {attribute!r}")
    return function


def _inner(code: CodeType) -> CodeType:
    return next(constant for constant in code.co_consts if isinstance(constant, CodeType))
