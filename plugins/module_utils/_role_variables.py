# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the variables of a role, which its argument spec and its table declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ._failures import Failure, invalid_option
from ._listing import join_texts
from ._variables import IMAGES, Parse, Variable, read, sources, variables_of
from ._wording import find_similar, render_value

# What each role leaves behind besides the facts that its table lists.
_LEFT_BY_EACH_ROLE = ("artifacts", "summary")
# Hosts that a message names.
_NAMED = 3
# No region has this name: a mapping of region to image ID lacks it.
_STATUS = "status"
_FAILED = "failed"


@dataclass(frozen=True)
class OneOf:
    """Variables of a role of which one must be set, ``unless`` others have these values.

    ``problem`` is the sentence if none is set.
    """

    variables: tuple[str, ...]
    problem: str
    unless: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class RoleVariables:
    """Variables of a role and groups of which one must be set. Names begin with ``prefix``.

    ``other_names`` begin with it, too: the facts that the role sets, and variables of its playbook.
    """

    prefix: str
    variables: tuple[Variable, ...]
    required_one_of: tuple[OneOf, ...] = ()
    other_names: frozenset[str] = frozenset()

    @classmethod
    def declared(cls, role: str, spec: Mapping[str, Any], table: Mapping[str, Any]) -> RoleVariables:
        """Return the variables that the argument spec and the table of a role declare."""
        options = merge_declarations(spec["argument_specs"]["main"]["options"], table["variables"])
        left = (f"{role}_{name}" for name in _LEFT_BY_EACH_ROLE)
        return cls(
            f"{role}_",
            variables_of(options),
            one_of_each(table.get("required_one_of", ())),
            frozenset((*left, *table.get("other_names", ()))),
        )

    @property
    def names(self) -> frozenset[str]:
        """Return the names of all variables whose values ``read`` needs."""
        return sources(self.variables)

    def read(
        self, given: Mapping[str, Any], names: Iterable[str], parse: Parse
    ) -> tuple[dict[str, Any], tuple[Failure, ...], tuple[str, ...]]:
        """Return the values, all failures, and warnings. ``names`` are those of all variables of the play."""
        values, unreadable = read(self.variables, given, parse)
        unknown = self.find_unknown(names, given)
        unset = find_unset(self.required_one_of, values, unreadable)
        values, refused, warnings = take_images(self.variables, values)
        return values, (*unreadable, *unknown, *unset, *refused), warnings

    def read_hosts(
        self, given: Mapping[str, Mapping[str, Any]], names: Mapping[str, Iterable[str]], parse: Parse
    ) -> tuple[dict[str, Any], dict[str, Any], tuple[Failure, ...], tuple[str, ...]]:
        """Return the values for hosts whose tasks run once, each host's own ones, all failures, and warnings.

        ``given`` and ``names`` are those of ``read`` by host. All hosts must have the same values, except for
        the list that defaults to another variable, such as ``account_id``: the value has the items of all
        hosts, and only the other variable can set them.
        """
        read = {host: self.read(given[host], names[host], parse) for host in given}
        values, _failures, _warnings = next(iter(read.values()))
        values_by_host = {host: host_values for host, (host_values, _failures, _warnings) in read.items()}
        failures = _failures_of_hosts({host: failed for host, (_values, failed, _warnings) in read.items()})
        own: dict[str, Any] = {}
        for variable in self.variables if len(given) > 1 and not failures else ():
            of_hosts = {host: values_by_host[host][variable.name] for host in given}
            if variable.default_from is None:
                failures += _refuse_difference(variable, of_hosts)
                continue
            failures += _refuse_own_value(variable, given, of_hosts)
            own = of_hosts
            values[variable.name] = [*dict.fromkeys(item for items in of_hosts.values() for item in items)]
        warnings = dict.fromkeys(text for _values, _failures, texts in read.values() for text in texts)
        return values, own, failures, tuple(warnings)

    def find_unknown(self, names: Iterable[str], given: Mapping[str, Any]) -> tuple[Failure, ...]:
        """Return a failure for each of the names with the role's prefix that the role does not know.

        An example is ``protect_tag`` for ``protect_tags``. Without the failure, a protection that the user
        has set would be ignored. A failure suggests a variable that is not given. Names with a further
        underscore are the role's own.
        """
        known = {variable.name for variable in self.variables}
        missing = {name.removeprefix(self.prefix): name for name in known if given.get(name) in (None, "")}
        unknown = sorted(
            name
            for name in {*names} - known - self.other_names
            if name.startswith(self.prefix) and not name.startswith(f"{self.prefix}_")
        )
        return tuple(self._refuse_name(name, missing) for name in unknown)

    def _refuse_name(self, name: str, missing: Mapping[str, str]) -> Failure:
        similar = find_similar(name.removeprefix(self.prefix), missing)
        role = self.prefix.removesuffix("_")
        own = "rename it if it is a variable of your own"
        remedy = (
            f"Correct it to {missing[similar]}, or {own}."
            if similar
            else f"Remove it, or {own}: names that begin with {self.prefix} are the role's, see "
            f"ansible-doc -t role golden.images.{role}."
        )
        return invalid_option(name, f"{name}: the role has no such variable.", remedy)


def _failures_of_hosts(failures: Mapping[str, tuple[Failure, ...]]) -> tuple[Failure, ...]:
    """Return each failure once; one that not all hosts have names one that has it."""
    hosts: dict[Failure, list[str]] = {}
    for host, failed in failures.items():
        for failure in failed:
            hosts.setdefault(failure, []).append(host)
    return tuple(
        failure
        if len(of_hosts) == len(failures)
        else replace(failure, message=f"{failure.message} This is its value for {of_hosts[0]}.")
        for failure, of_hosts in hosts.items()
    )


def _refuse_difference(variable: Variable, values: Mapping[str, Any]) -> tuple[Failure, ...]:
    """Return a failure if not all hosts have the same value of the variable, none otherwise."""
    first, *others = values
    other = next((host for host in others if values[host] != values[first]), None)
    if other is None:
        return ()
    which = (
        f"{first} and {other} have other ones"
        if variable.no_log
        else f"{first} has {render_value(values[first])}, {other} has {render_value(values[other])}"
    )
    return (
        invalid_option(
            variable.name,
            f"{variable.name}: all hosts need the same value, since one process works for all: {which}.",
            "Give all hosts the same value, or run the hosts with each value by themselves (--limit).",
        ),
    )


def _refuse_own_value(
    variable: Variable, given: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]
) -> tuple[Failure, ...]:
    """Return a failure if the variable itself is set, or hosts lack the one that it defaults to."""
    name, source = variable.name, variable.default_from
    if any(given[host].get(name) not in (None, "") for host in given):
        return (
            invalid_option(
                name,
                f"{name}: the play has {len(given)} hosts, and each has the value of its {source}.",
                f"Remove it, or run the play on localhost alone to use {name}.",
            ),
        )
    if lacking := [host for host, value in values.items() if not value]:
        return (
            invalid_option(
                name,
                f"{name}: {join_texts(lacking, _NAMED)} {'has' if len(lacking) == 1 else 'have'} no variable "
                f"{source}.",
                f"Set {source} of each host, or leave these hosts out.",
            ),
        )
    return ()


def merge_declarations(
    options: Mapping[str, Mapping[str, Any]], table: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return the options of a role's argument spec. The fields in the table take precedence.

    Optional lists without a default are empty.
    """
    merged = {name: {**fields, **table.get(name, {})} for name, fields in options.items()}
    for fields in merged.values():
        if fields["type"] == "list" and not fields.get("required"):
            fields.setdefault("default", [])
    return merged


def one_of_each(documented: Iterable[Mapping[str, Any]]) -> tuple[OneOf, ...]:
    """Return the groups in ``required_one_of`` of a role's table. Their keys are those of ``OneOf``."""
    return tuple(
        OneOf(tuple(group["variables"]), group["problem"], tuple(group.get("unless", {}).items()))
        for group in documented
    )


def find_unset(
    required: Iterable[OneOf], values: Mapping[str, Any], failures: Iterable[Failure]
) -> tuple[Failure, ...]:
    """Return failures for groups of which no variable is set in the ``values`` that ``read`` returned.

    An empty list or mapping is not set. A variable that has one of the ``failures`` is set.
    """
    unreadable = {failure.action for failure in failures}
    return tuple(
        invalid_option(group.variables[0], f"{group.variables[0]}: {group.problem}", _remedy_for(group))
        for group in required
        if not any(values[name] or name in unreadable for name in group.variables)
        and not any(values[name] == value or name in unreadable for name, value in group.unless)
    )


def _remedy_for(group: OneOf) -> str:
    others = [f"{name}: {str(value).lower()}" for name, value in group.unless]
    *most, last = (*group.variables, *others)
    return f"Set {', '.join(most)} or {last}." if most else f"Set {last}."


def with_paths(
    variables: Iterable[Variable], values: Mapping[str, Any], absolute: Callable[[str], str]
) -> dict[str, Any]:
    """Return the values that ``read`` returned, with ``absolute`` paths."""
    with_absolute = dict(values)
    for variable in variables:
        value = with_absolute[variable.name]
        if value is None:
            continue
        if variable.type == "path":
            with_absolute[variable.name] = absolute(value)
        elif variable.type == "list" and variable.elements == "path":
            with_absolute[variable.name] = [absolute(path) for path in value]
    return with_absolute


def take_images(
    variables: Iterable[Variable], values: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Failure, ...], tuple[str, ...]]:
    """Return the values with the images of earlier jobs, failures for jobs that have failed, and warnings.

    A warning names the regions that are left out because the job has not completed them.
    """
    with_images = dict(values)
    failures: list[Failure] = []
    warnings: list[str] = []
    for name in (variable.name for variable in variables if variable.type == IMAGES):
        value = values.get(name)
        if not isinstance(value, Mapping) or _STATUS not in value:
            continue
        with_images[name], missing = _images(value)
        if value[_STATUS] == _FAILED:
            failures.append(_failed_job(name))
        elif missing:
            regions = join_texts(missing, len(missing))
            warnings.append(f"{name}: left out, because the earlier job has not completed them: {regions}.")
    return with_images, tuple(failures), tuple(warnings)


def _failed_job(name: str) -> Failure:
    return invalid_option(
        name,
        f"{name}: this is the result of a job that has failed (status failed): it has completed no region.",
        "Rerun that job, or use the result of an earlier one.",
    )


def _images(result: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """Return the images that are ready, as modules take them, and the other regions."""
    if "regions" not in result:
        images = result.get("images") or {}
        incomplete = (*(result.get("failed_regions") or ()), *(result.get("uncertain_regions") or ()))
        return images, sorted({*incomplete} - {*images})
    rows = result["regions"]
    ready = [row for row in rows if _is_true(row["shared"])]
    missing = [row["region"] for row in rows if not _is_true(row["shared"])]
    return [*ready, *(result.get("consumer_images") or ())], missing


def _is_true(value: Any) -> bool:
    """Whether a value is true. In text that was JSON, booleans are text."""
    return str(value).lower() == "true"
