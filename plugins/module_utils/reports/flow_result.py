# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report that a module makes of its own result: files, their upload, and what it returns of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from ..aws.clients import Clients
from ..failures import Refused
from ..option_groups import ReportOptions
from ..runner import Outcome, Reported
from ..upload import flow as upload
from ..upload.options import UploadOptions
from ..upload.plan import plan as plan_upload
from ..upload.state import Bucket
from .document import Document
from .flow import check_report_options, desired_report, read_files, returned, write_report
from .plan import ChangesOf, plan

Wanted = TypeVar("Wanted", bound=ReportOptions)
_NOTHING: dict[str, Any] = dict.fromkeys(
    ("changes", "report", "report_dir", "report_path", "report_s3_uri", "report_url")
)


@dataclass(frozen=True)
class Reporting(Generic[Wanted]):
    """How a module reports its result.

    ``content`` makes the report of the result, whether the module succeeded, failed or refused. ``document``
    and ``changes`` are as for ``report_flow``. If the report is returned, it is in place of the keys
    ``replaces`` of the result, and lacks its own keys ``only_in_files``: Ansible parses, marks and copies
    each text of a result several times, which takes minutes for ten thousand images. ``plans`` is whether the
    report of a plan is written in check mode.
    """

    content: Callable[[Wanted, Mapping[str, Any]], dict[str, Any]]
    document: Callable[[Mapping[str, Any]], Document]
    changes: ChangesOf
    replaces: frozenset[str]
    only_in_files: frozenset[str] = frozenset()
    plans: bool = False

    def open(self, options: Wanted, page: Mapping[str, str]) -> OpenReport:
        """Return the report to be made, before anything is done; ``page`` has the files of its page.

        Raises:
            Refused: a place cannot be written to.
        """
        failures = tuple(check_report_options(options.report_path, options.report_dir))
        if failures:
            raise Refused(failures)
        return OpenReport(self, options, page)


class OpenReport:
    """The report of a run."""

    def __init__(self, reporting: Reporting[Any], options: ReportOptions, page: Mapping[str, str]) -> None:
        self._reporting, self._options, self._page = reporting, options, page
        self._clients: Any = None
        self._bucket: Bucket | None = None

    def find_bucket(self, clients: Clients) -> None:
        """Read what can be known of the bucket that the report is uploaded to.

        Raises:
            Refused: there is none.
        """
        if not self._options.report_s3_uri:
            return
        desired = self._upload(check_mode=True)
        found = upload.read_state(clients, desired)
        if refusals := plan_upload(desired, found).refusals:
            raise Refused(refusals)
        self._clients, self._bucket = clients, found.bucket

    def write(self, result: Mapping[str, Any]) -> Reported:
        """Write, upload and return the report of a result.

        That of an earlier run stays if no bucket was found for this one, and nothing was done.
        """
        options = self._options
        if not options.asks_for_report:
            return Reported(_NOTHING)
        if options.report_s3_uri and self._bucket is None:
            return Reported({})
        content = self._reporting.content(options, result)
        report = desired_report(options, content, self._reporting.document, self._reporting.changes)
        try:
            planned = plan(report, read_files(report, self._page))
        except Refused as refused:
            # The previous report could be read before.
            return Reported({**_NOTHING, **self._returned(content)}, failures=refused.failures)
        writes = self._reporting.plans or not options.check_mode
        written = write_report(report, planned) if writes else Outcome(planned.actions)
        values = {**_NOTHING, **returned(report, planned), **self._returned(content)}
        reported = Reported(
            values,
            replaced=self._reporting.replaces if options.return_report else frozenset(),
            actions=written.performed,
            failures=written.failures,
            warnings=planned.warnings,
            diff={"before": planned.before, "after": planned.after},
        )
        if written.failures or self._bucket is None:
            return reported
        return self._uploaded(reported, self._bucket)

    def _returned(self, content: Mapping[str, Any]) -> dict[str, Any]:
        if not self._options.return_report:
            return {"report": None}
        only_in_files = self._reporting.only_in_files
        return {"report": {name: value for name, value in content.items() if name not in only_in_files}}

    def _uploaded(self, reported: Reported, bucket: Bucket) -> Reported:
        desired = self._upload(self._options.check_mode)
        outcome = upload.upload(self._clients, desired, bucket)
        return replace(
            reported,
            values={**reported.values, **upload.place(desired, bucket)},
            actions=(*reported.actions, *outcome.performed),
            failures=outcome.failures,
        )

    def _upload(self, check_mode: bool) -> UploadOptions:
        options = self._options
        return UploadOptions(
            check_mode=check_mode,
            report_s3_uri=options.report_s3_uri or "",
            report_s3_bucket_owner=options.report_s3_bucket_owner,
            report_path=options.report_path,
            report_dir=options.report_dir,
        )
