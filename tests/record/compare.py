# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between two records, as values: one for each place, which ``render`` groups by what it is."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from enum import Enum
from typing import Any, NamedTuple

from .recorder import KILLED

# How the name of a resource begins.
_NAMED = "<"
_STARS = re.compile(r"\*{3,}$")
_KEY = re.compile(r"[a-z_][a-z0-9_]*")
# In characters, of a value in an example.
_LONGEST = 160


class Kind(Enum):
    """The kinds of differences, in the order in which they are shown, with their titles."""

    TESTS = "Tests and runs"
    CODES = "Exit codes: must be equal"
    CALLS = "AWS calls: must be equal"
    RESULTS = "Results of modules and tasks"
    SCREENS = "Screens"


class Difference(NamedTuple):
    """One difference: what it is, the same in each place, and the old and the new value in this place."""

    kind: Kind
    what: str
    place: str
    old: str = ""
    new: str = ""


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """All differences between two records: tests by node ID."""
    for test in sorted(old.keys() | new.keys()):
        if test not in new:
            yield Difference(Kind.TESTS, "test only in OLD", test)
        elif test not in old:
            yield Difference(Kind.TESTS, "test only in NEW", test)
        else:
            yield from _of_test(test, old[test], new[test])


def _of_test(test: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    if old["outcome"] != new["outcome"]:
        yield Difference(
            Kind.TESTS,
            "another outcome of the test",
            test,
            f"test {old['outcome']}",
            f"test {new['outcome']}",
        )
    if len(old["steps"]) != len(new["steps"]):
        number = f"{len(old['steps'])} runs", f"{len(new['steps'])} runs"
        yield Difference(Kind.TESTS, "another number of runs in a test", test, *number)
    for index, (before, after) in enumerate(zip(old["steps"], new["steps"], strict=False), 1):
        yield from _of_step(f"{test} run {index}", before, after)


def _of_step(place: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = (step.get("processes", []) for step in (old, new))
    codes = [[process["code"] for process in processes] for processes in (before, after)]
    if codes[0] != codes[1]:
        yield Difference(Kind.CODES, "another exit code", place, *(_short(one) for one in codes))
    if KILLED in codes[0]:
        # How far its threads got before the kill is chance.
        return
    yield from _of_calls(place, old["calls"], new["calls"])
    for playbook, other in zip(old["playbooks"], new["playbooks"], strict=False):
        yield from _of_tasks(place, playbook["tasks"], other["tasks"])
        yield from _of_lines(place, playbook.get("screen", []), other.get("screen", []), "")
    if len(old["playbooks"]) != len(new["playbooks"]):
        number = (f"{len(step['playbooks'])} playbooks" for step in (old, new))
        yield Difference(Kind.TESTS, "another number of playbooks in a run", place, *number)
    for process, other in zip(before, after, strict=False):
        for stream in ("stdout", "stderr"):
            yield from _of_lines(place, process[stream], other[stream], f"{stream}: ")


# Calls


def _of_calls(
    place: str, old: Mapping[str, Sequence[Any]], new: Mapping[str, Sequence[Any]]
) -> Iterator[Difference]:
    gone: list[tuple[str, Any]] = []
    come: list[tuple[str, Any]] = []
    for resource in sorted(old.keys() | new.keys()):
        before, after = ([_text(call) for call in calls.get(resource, ())] for calls in (old, new))
        where = resource.split(" ", 3)[:3]
        gone += [(" ".join(where), json.loads(one)) for one in _left(before, after)]
        come += [(" ".join(where), json.loads(one)) for one in _left(after, before)]
        if before != after and sorted(before) == sorted(after):
            moved = [one for one in range(len(before)) if before[one] != after[one]]
            actions = (
                f"{resource}: "
                + ", ".join(json.loads(one)["action"] for one in calls[moved[0] : moved[-1] + 1])
                for calls in (before, after)
            )
            yield Difference(Kind.CALLS, "another order of the calls on a resource", place, *actions)
    for where, call in gone:
        other = _counterpart(where, call, come)
        if other is None:
            yield Difference(
                Kind.CALLS, f"{call['action']} is not called any more", place, _shown(where, call)
            )
        else:
            come.remove((where, other))
            yield from _of_call(place, call, other)
    for where, call in come:
        yield Difference(
            Kind.CALLS, f"{call['action']} is called in addition", place, "", _shown(where, call)
        )


def _left(these: Sequence[str], those: Sequence[str]) -> list[str]:
    return [*(Counter(these) - Counter(those)).elements()]


def _counterpart(where: str, call: Any, among: Iterable[tuple[str, Any]]) -> Any:
    """The call of the same action in the same account and region whose parameters differ least."""
    alike = [other for place, other in among if (place, other["action"]) == (where, call["action"])]
    return min(alike, key=lambda other: len(_changed(call, other)), default=None)


def _changed(call: Any, other: Any) -> list[str]:
    before, after = call["parameters"], other["parameters"]
    return [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]


def _of_call(place: str, call: Any, other: Any) -> Iterator[Difference]:
    action = call["action"]
    for name in _changed(call, other):
        before, after = call["parameters"], other["parameters"]
        if name not in after:
            yield Difference(Kind.CALLS, f"{action}: no {name} any more", place, _short(before[name]))
        elif name not in before:
            yield Difference(Kind.CALLS, f"{action}: new {name}", place, "", _short(after[name]))
        else:
            values = _short(before[name]), _short(after[name])
            yield Difference(Kind.CALLS, f"{action}: another {name}", place, *values)
    if call.get("error") != other.get("error"):
        errors = (one.get("error") or "success" for one in (call, other))
        yield Difference(Kind.CALLS, f"{action}: another answer", place, *errors)


def _shown(where: str, call: Any) -> str:
    return _cut(f"{where} {_text(call['parameters'])}")


# Results


def _of_tasks(place: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
    names = [[(task["task"], task["host"]) for task in tasks] for tasks in (old, new)]
    for tag, start, end, other_start, other_end in SequenceMatcher(
        None, *names, autojunk=False
    ).get_opcodes():
        before, after = old[start:end], new[other_start:other_end]
        if tag == "equal" or len(before) == len(after):
            for task, other in zip(before, after, strict=True):
                yield from _of_task(place, task, other)
            continue
        for task in before:
            yield Difference(Kind.RESULTS, f"task {task['task']!r} is not run any more", place)
        for task in after:
            yield Difference(Kind.RESULTS, f"task {task['task']!r} is run in addition", place)


def _of_task(place: str, old: Any, new: Any) -> Iterator[Difference]:
    for name in ("task", "action"):
        if old[name] != new[name]:
            yield Difference(Kind.RESULTS, f"another {name}", place, old[name], new[name])
    action = new["action"]
    if old["status"] != new["status"]:
        yield Difference(Kind.RESULTS, f"another status of {action}", place, old["status"], new["status"])
    yield from _of_values(place, action, "", old["result"], new["result"])


def _of_values(place: str, action: str, path: str, old: Any, new: Any) -> Iterator[Difference]:
    """``path`` names the keys to the value, with * for each that is data, such as a region's name."""
    if old == new:
        return
    if _is_text(old) and _is_text(new):
        yield from _of_lines(place, old["lines"], new["lines"], f"{path} of {action}: ")
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            inner = f"{path}.{key if _KEY.fullmatch(key) else '*'}".lstrip(".")
            if key not in new:
                what = f"key {inner} vanished from the result of {action}"
                yield Difference(Kind.RESULTS, what, place, _short(old[key]))
            elif key not in old:
                yield Difference(
                    Kind.RESULTS, f"new key {inner} in the result of {action}", place, "", _short(new[key])
                )
            else:
                yield from _of_values(place, action, inner, old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_lists(place, action, f"{path}[]", old, new)
    else:
        yield Difference(
            Kind.RESULTS, f"another {path} in the result of {action}", place, _short(old), _short(new)
        )


def _is_text(value: Any) -> bool:
    return isinstance(value, Mapping) and [*value] == ["lines"]


def _of_lists(place: str, action: str, path: str, old: list[Any], new: list[Any]) -> Iterator[Difference]:
    before, after = [*map(_text, old)], [*map(_text, new)]
    gone, come = _left(before, after), _left(after, before)
    if not gone and not come and _NAMED not in "".join(before):
        # Of items with resources, the order is often that of IDs.
        what = f"another order of {path} in the result of {action}"
        yield Difference(Kind.RESULTS, what, place, _short(old), _short(new))
    if len(gone) == len(come):
        for one, other in zip(gone, come, strict=True):
            yield from _of_values(place, action, path, json.loads(one), json.loads(other))
        return
    for one in gone:
        yield Difference(Kind.RESULTS, f"one {path} less in the result of {action}", place, _cut(one))
    for one in come:
        yield Difference(Kind.RESULTS, f"one {path} more in the result of {action}", place, "", _cut(one))


# Screens


def _of_lines(place: str, old: Sequence[str], new: Sequence[str], stream: str) -> Iterator[Difference]:
    before, after = ([_STARS.sub("***", line.rstrip()) for line in lines] for lines in (old, new))
    for tag, start, end, other_start, other_end in _opcodes(before, after):
        gone, come = before[start:end], after[other_start:other_end]
        if tag == "replace":
            yield from _of_block(place, gone, come, stream)
            continue
        for line in filter(None, gone):
            yield Difference(Kind.SCREENS, f"{stream}line vanished: {line}", place)
        for line in filter(None, come):
            yield Difference(Kind.SCREENS, f"{stream}new line: {line}", place)


def _of_block(place: str, gone: Sequence[str], come: Sequence[str], stream: str) -> Iterator[Difference]:
    """Lines that became others, by the words that changed: the same words can be on other lines."""
    if len(gone) == len(come):
        pairs = [([line], [other]) for line, other in zip(gone, come, strict=True)]
    else:
        pairs = [([*gone], [*come])]
    words, others = (" ".join(lines).split() for lines in (gone, come))
    if words == others:
        what = f"{stream}the same words, laid out differently"
        yield Difference(Kind.SCREENS, what, place, "\n".join(gone), "\n".join(come))
        return
    for lines, new_lines in pairs:
        before, after = (" ".join(one).split() for one in (lines, new_lines))
        for tag, start, end, other_start, other_end in _opcodes(before, after):
            if tag != "equal":
                what = f"{_quoted(before[start:end])} became {_quoted(after[other_start:other_end])}"
                examples = "\n".join(lines), "\n".join(new_lines)
                yield Difference(Kind.SCREENS, f"{stream}{what}", place, *examples)


def _opcodes(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[str, int, int, int, int]]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [one for one in matcher.get_opcodes() if one[0] != "equal"]


def _quoted(words: Sequence[str]) -> str:
    return f'"{_cut(" ".join(words))}"' if words else "nothing"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _short(value: Any) -> str:
    return _cut(_text(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
