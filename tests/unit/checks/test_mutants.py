# SPDX-License-Identifier: GPL-3.0-or-later

"""Which mutants a source file has, and that a mutant reaches every caller."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from checks.mutants import alterations_of, mutants_of

CONTEXT = """
from contextlib import contextmanager

@contextmanager
def session(name):
    yield [name]
"""


@pytest.mark.parametrize(
    ("source", "mutants"),
    [
        ("LIMIT = 1", []),
        ("class Wanted:\n    name: str", []),
        ("def plan(wanted, seen):\n    return seen", ["plan: return None", "plan: return wanted"]),
        ("def now():\n    return 1", ["now: return None"]),
        ("def of(*, region):\n    return {region}", ["of: return None", "of: return region"]),
        ("def split(text):\n    yield text[0]", ["split: yield from ()", "split: yield from text"]),
        ("def pairs(text):\n    return [(yield)]", ["pairs: yield from ()", "pairs: yield from text"]),
        (CONTEXT, ["session: yield None", "session: yield name"]),
        # A generator inside a function makes no generator of it.
        ("def outer():\n    def inner():\n        yield 1\n    return inner", ["outer: return None"]),
        # What does nothing else is no mutant.
        ("def same(text):\n    '''As it is.'''\n    return text", ["same: return None"]),
        ("def silent(message):\n    '''Show nothing.'''", []),
        ("def clients(region): ...", []),
        # Helpers and methods are left to the public functions that use them.
        ("def plan():\n    return _of()\ndef _of():\n    return 1", ["plan: return None"]),
        ("class A:\n    def b(self):\n        return 1\ndef plan():\n    return A()", ["plan: return None"]),
        # Without public functions they count.
        ("class A:\n    def b(self, c):\n        return c", ["A.b: return None"]),
        ("class A:\n    def _b(self):\n        return 1\nclass _C:\n    def d(self):\n        return 1", []),
        ("def _read(params):\n    return 1", ["_read: return None", "_read: return params"]),
    ],
)
def test_the_mutants_of_a_file(source, mutants):
    assert [str(mutant) for mutant in mutants_of(source)] == mutants


def mutated(source: str, number: int) -> ModuleType:
    module = ModuleType("mutated")
    exec(source, vars(module))
    mutants_of(source)[number].install(module)
    return module


def test_every_reference_to_the_function_gets_the_mutant():
    source = "def plan(wanted, *seen, now=1, **rest):\n    return 2\nFLOW = {'plan': plan}"
    module: Any = ModuleType("mutated")
    exec(source, vars(module))
    imported = module.plan
    nothing, first = mutants_of(source)
    nothing.install(module)
    assert (module.FLOW["plan"]("wanted"), imported("wanted", 1, now=2, later=3)) == (None, None)
    first.install(module)
    assert (module.FLOW["plan"]("wanted"), imported("wanted", 1, now=2, later=3)) == ("wanted", "wanted")


@pytest.mark.parametrize(
    "decorator", ["property", "functools.cached_property", "classmethod", "staticmethod", "functools.cache"]
)
def test_the_function_below_a_decorator_is_changed(decorator):
    source = f"import functools\nclass A:\n    @{decorator}\n    def b(*who):\n        return 1"
    found = mutated(source, 0).A().b
    assert (found() if callable(found) else found) is None


def test_what_a_cache_holds_is_forgotten():
    source = "import functools\n@functools.cache\ndef squared(number):\n    return number**2\nsquared(3)"
    assert mutated(source, 0).squared(3) is None


def test_a_context_manager_stays_one():
    with mutated(CONTEXT, 1).session("one") as name:
        assert name == "one"


def test_a_method_that_refers_to_its_base_can_be_changed():
    source = "class A(dict):\n    def items(self):\n        return super().items()"
    assert mutated(source, 0).A().items() is None


ALTERABLE = """
class Found:
    def of(self, wanted):
        found = []
        wanted.reverse()
        for one in wanted:
            if one and not one.hidden:
                found.append(one.name if one.public else 0)
            elif one is None:
                pass
        return [name for name in found if name]

def count(number):
    def more():
        nonlocal number
        while number < 3:
            number += 1
        return number
    return more()
"""


def test_the_alterations_of_a_file():
    assert [str(one) for one in alterations_of(ALTERABLE)] == [
        "count: not: number < 3 (line 16)",
        "count: without: number += 1 (line 17)",
        "Found.of: without: wanted.reverse() (line 5)",
        "Found.of: not: one and (not one.hidden) (line 7)",
        "Found.of: without: found.append(one.name if one.public else 0) (line 8)",
        "Found.of: or: one and (not one.hidden) (line 7)",
        "Found.of: not: one is None (line 9)",
        "Found.of: not: name (line 11)",
        "Found.of: not: one.public (line 8)",
    ]


def altered(start: str) -> Any:
    """The module with the alteration whose text starts so."""
    module: Any = ModuleType("altered")
    exec(ALTERABLE, vars(module))
    (one,) = (one for one in alterations_of(ALTERABLE) if str(one).startswith(start))
    one.install(module)
    return module


def test_an_alteration_changes_one_place_of_a_function_or_of_one_in_it():
    places = [SimpleNamespace(name=name, public=True, hidden=name == "b") for name in "abc"]
    for start, expected in (
        ("count: not:", "ca"),
        ("Found.of: without: wanted", "ac"),
        ("Found.of: not: one and", "b"),
        ("Found.of: without: found", ""),
        ("Found.of: or:", "cba"),
        ("Found.of: not: name", ""),
    ):
        assert altered(start).Found().of([*places]) == [*expected], start
    assert altered("Found.of: or:").count(0) == 3
    assert altered("count: not:").count(0) == 0
