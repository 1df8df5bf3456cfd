# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the flow of a module as the runner does: options in, plan and result out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._plan import Plan
from ansible_collections.golden.images.plugins.module_utils._progress import Report, reporter
from ansible_collections.golden.images.plugins.module_utils._runner import Flow, Outcome

from tests.unit.examples import as_read

SILENT = reporter(None, print)


@dataclass
class FlowRun:
    """A run of a module with these options, on the clients ``aws``.

    Each part is made when it is asked for, and only once. ``after_read`` is what happens between the plan and
    the changes.
    """

    flow: Flow[Any, Any]
    options: Mapping[str, Any]
    aws: Any
    check_mode: bool = False
    after_read: Callable[[], object] = lambda: None
    report: Report = SILENT

    @cached_property
    def wanted(self) -> Any:
        """The checked options; raises ``ValidationError``."""
        # All modules that use AWS have the option region, which amazon.aws adds.
        spec = self.flow.options.argument_spec()
        assert self.options.keys() <= {"region", *spec}
        params = as_read(spec, {"region": None, **self.options})
        return self.flow.options.read(params, self.check_mode)

    @cached_property
    def seen(self) -> Any:
        """What was read; raises ``ValidationError``."""
        return self.flow.read(self.aws, self.wanted)

    @cached_property
    def plan(self) -> Plan:
        plan: Any = self.flow.plan(self.wanted, self.seen)
        found: Plan = plan
        return found

    @cached_property
    def outcome(self) -> Outcome:
        """What was done; nothing in check mode. The plan must have no refusals."""
        assert self.plan.refusals == ()
        if self.check_mode:
            return Outcome()
        self.after_read()
        return self.flow.apply(self.aws, self.wanted, self.seen, self.plan, self.report)

    @cached_property
    def result(self) -> dict[str, Any]:
        """The module's own return values."""
        return self.flow.result(self.wanted, self.seen, self.plan, self.outcome)

    @property
    def nothing_done(self) -> str:
        """Why the task fails although nothing that fails it has failed; else empty."""
        return self.flow.explain_nothing_done(self.wanted, self.result)

    @property
    def results(self) -> list[dict[str, Any]]:
        """The results of the targets."""
        found: list[dict[str, Any]] = self.result["results"]
        return found
