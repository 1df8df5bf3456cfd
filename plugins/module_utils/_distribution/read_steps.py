# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the options of a distribution's steps as their modules do, from the mappings of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from .._copy.options import CopyOptions
from .._failures import Failure, ValidationError, invalid_value
from .._kms_grant.options import GrantOptions
from .._option import Options, is_region
from .._publish.options import PublishOptions
from .._runner import read_parameters
from .._share.options import ShareOptions
from .._verification.options import VerifyOptions
from .._wording import render_value
from .options_check import DistributionOptions, Steps
from .options_report import DistributionReportOptions

Step = TypeVar("Step", bound=Options)

# The copies do not exist yet. In which regions they will be matters to some steps only.
_PLANNED_IMAGES: Mapping[str, None] = {"us-east-1": None}
_OF_COPIES = {"wait_timeout": "copy_wait_timeout", "snapshot_tags": "tags"}
OWN_NAMES: Mapping[str, Mapping[str, str]] = {
    "copy": _OF_COPIES,
    "consumer_copy": {**_OF_COPIES, "kms_key_id": "consumer_kms_key_id"},
    "publish": {"parameter": "publish_parameter"},
    "verify": {"level": "verify_level", "wait_timeout": "verify_wait_timeout"},
}
"""The names in messages of options of steps, where they differ: the role ``distribute`` has these."""


def read_steps(options: DistributionOptions) -> Steps:
    """Read the options of the steps, with what they will have from the results of earlier ones.

    Raises:
        ValidationError: an option does not exist, or has another type.
    """
    reader = _Reader(options)
    copy = reader.read("copy", CopyOptions)
    # The copies refuse a region that is not valid.
    planned = {"images": dict.fromkeys(filter(is_region, copy.regions)) or _PLANNED_IMAGES}
    steps = Steps(
        copy=copy,
        share=reader.read("share", ShareOptions, planned),
        grant=reader.read("grant", GrantOptions, planned),
        publish=reader.read("publish", PublishOptions, planned, lambda publish: bool(publish.parameter)),
        verify=reader.read("verify", VerifyOptions, planned),
        report=reader.read("report", DistributionReportOptions, {"copy_results": []}),
        consumer_copy=reader.read("consumer_copy", CopyOptions, _copies_of(copy)),
        failures=tuple(reader.failures),
    )
    if reader.unreadable:
        raise ValidationError(dict.fromkeys(reader.unreadable))
    return steps


def _copies_of(copy: CopyOptions) -> Mapping[str, Any]:
    """Return the parameters that accounts will have to copy the copies."""
    return {"source_images": dict.fromkeys(copy.regions), "source_region": copy.source_region}


class _Reader:
    """Reads the options of steps, and collects what the steps would refuse."""

    def __init__(self, options: DistributionOptions) -> None:
        self._options = options
        self.unreadable: list[Failure] = []
        self.failures: list[Failure] = []

    def read(
        self,
        name: str,
        step: type[Step],
        from_results: Mapping[str, Any] = MappingProxyType({}),
        runs: Callable[[Step], bool] = lambda _options: True,
    ) -> Step:
        """Return the options of a step, which has others ``from_results`` of earlier ones."""
        given: Mapping[str, Any] = getattr(self._options, name)
        if not given:
            return step()
        unreadable = [*_unknown(name, step, given)]
        known = {key: value for key, value in given.items() if key in step.argument_spec()}
        params, refused = read_parameters(step, known)
        unreadable += _with_own_names(name, refused)
        if unreadable:
            self.unreadable += unreadable
            return step()
        # The images are only planned, as in check mode.
        options, failures = step.read_with_failures({**params, **from_results}, check_mode=True)
        if runs(options):
            own = (failure for failure in failures if failure.action not in from_results)
            self.failures += _with_own_names(name, own)
        return options


def _unknown(name: str, step: type[Options], given: Mapping[str, Any]) -> Iterator[Failure]:
    for unknown in sorted(given.keys() - step.argument_spec().keys()):
        yield invalid_value(name, f"{render_value(unknown)} is no option of this step.", "Remove it.")


def _with_own_names(name: str, failures: Iterable[Failure]) -> Iterator[Failure]:
    """Yield the failures of a step with the names in messages of its options."""
    names = OWN_NAMES.get(name, {})
    for failure in failures:
        own = names.get(failure.action, failure.action)
        yield replace(failure, action=own, message=f"{own}{failure.message.removeprefix(failure.action)}")
