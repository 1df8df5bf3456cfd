# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report that a module makes of its own result: its files, their upload, and the returned keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._failures import Failure, ValidationError
from .._option_groups import ReportOptions
from .._runner import ANSIBLE_CORE, Outcome, Reported
from .._upload.location import Destination, PutObject, parse_uri
from .document import COLLECTION_VERSION, Document
from .flow import build_result, check_report_options, make_failed_path, read_files, write_report
from .plan import ChangesOf, DesiredReport, Folder, Remember, ReportPlan, plan

if TYPE_CHECKING:
    from .._aws.clients import Clients

OptionsT = TypeVar("OptionsT", bound=ReportOptions)
_NOTHING: dict[str, Any] = dict.fromkeys(
    ("changes", "report", "report_dir", "report_path", "report_s3_uri", "report_url")
)


@dataclass(frozen=True)
class Reporting(Generic[OptionsT]):
    """The report of a module's result: as JSON in ``report_path``, in all formats in ``report_dir``.

    ``content`` builds the report of a result, even of a failed or refused module, as JSON values that are
    equal if nothing has changed. ``document`` builds the ``Document`` of the content. ``changes`` compares
    the content of the directory's previous report with that of this one. The directory's ``report.json`` has
    the content and the keys ``written_at``, ``kind``, ``changes`` and ``history``, which the content must not
    have.

    A returned report replaces the keys ``replaces`` of the result, and lacks its own keys ``only_in_files``:
    Ansible parses, marks and copies each text of a result several times, which takes minutes for ten thousand
    images. ``plans`` is whether the report of a plan is written in check mode.

    ``remember`` completes the content from the previous report. A report that has ``failed`` by its content
    replaces no other report: it is written beside ``report_path``, and the files in the directory have dates.
    A report ``of_steps`` is about earlier tasks: it is written whether or not it can be uploaded.
    """

    content: Callable[[OptionsT, Mapping[str, Any]], dict[str, Any]]
    document: Callable[[Mapping[str, Any]], Document]
    changes: ChangesOf
    replaces: frozenset[str] = frozenset()
    only_in_files: frozenset[str] = frozenset()
    plans: bool = False
    remember: Remember | None = None
    failed: Callable[[Mapping[str, Any]], bool] | None = None
    of_steps: bool = False

    def open(self, options: OptionsT, page: Mapping[str, str]) -> OpenReport:
        """Return the report to be made, before anything is done; ``page`` has the files of its page.

        Raises:
            ValidationError: a place cannot be written to.
        """
        failures = tuple(check_report_options(options.report_path, options.report_dir))
        if failures:
            raise ValidationError(failures)
        return OpenReport(self, options, page)

    def desired(self, options: OptionsT, content: Mapping[str, Any]) -> DesiredReport:
        """Return the report with this content, in the places that the options name."""

        def with_names(given_content: Mapping[str, Any]) -> Document:
            return replace(self.document(given_content), account_names=options.account_names)

        has_failed = self.failed is not None and self.failed(content)
        path, folder = options.report_path, None
        if path and has_failed:
            path = make_failed_path(path)
        if options.folder:
            is_dated = self.failed is not None
            folder = Folder(options.folder, with_names, self.changes, is_dated)
        return DesiredReport(path, content, folder, self.remember, has_failed)


class OpenReport:
    """The report of a run."""

    def __init__(self, reporting: Reporting[Any], options: ReportOptions, page: Mapping[str, str]) -> None:
        self._reporting, self._options, self._page = reporting, options, page
        self._clients: Any = None
        self._destination: Destination | None = None
        self._refusals: tuple[Failure, ...] = ()

    def find_bucket(self, clients: Clients | None) -> None:
        """Find the bucket that the report is uploaded to.

        Raises:
            ValidationError: there is none, and nothing was done that the report is about.
        """
        self._clients = clients
        if clients is None or not self._options.report_s3_uri:
            return
        # The import of boto3 takes longer than a report that is not uploaded.
        from .._upload.flow import find_destination

        uri, owner = self._options.report_s3_uri, self._options.report_s3_bucket_owner
        try:
            self._destination = find_destination(clients, uri, owner)
        except ValidationError as error:
            if not self._reporting.of_steps:
                raise
            self._refusals = error.failures

    def write(self, result: Mapping[str, Any]) -> Reported:
        """Write, upload and return the report of a result.

        The report of an earlier run stays if this run found no bucket and did nothing.
        """
        options, reporting = self._options, self._reporting
        if not options.asks_for_report:
            return Reported(_NOTHING)
        if options.report_s3_uri and self._destination is None and not reporting.of_steps:
            return Reported({})
        content = reporting.content(options, result)
        report = reporting.desired(options, content)
        try:
            report_plan = plan(report, read_files(report, self._page, self._describe_writer()))
        except ValidationError as error:
            # The previous report could be read before.
            return Reported({**_NOTHING, **self._report_value(content)}, failures=error.failures)
        writes = reporting.plans or not options.check_mode
        outcome = write_report(report, report_plan) if writes else Outcome(report_plan.actions)
        values = {**_NOTHING, **build_result(report, report_plan), **self._report_value(report_plan.after)}
        reported = Reported(
            values,
            replaced=reporting.replaces if options.return_report else frozenset(),
            actions=outcome.performed,
            failures=outcome.failures,
            warnings=report_plan.warnings,
            diff={"before": report_plan.before, "after": report_plan.after},
        )
        if outcome.failures or not options.report_s3_uri:
            return reported
        if self._destination is None:
            place = {"report_s3_uri": parse_uri(options.report_s3_uri).uri}
            return replace(reported, values={**values, **place}, failures=self._refusals)
        return self._upload(reported, self._destination, _files_of(report, report_plan))

    def _describe_writer(self) -> dict[str, str]:
        """Return the versions that made the report, and the caller if AWS was called."""
        writer = {
            COLLECTION_VERSION: self._page.get(COLLECTION_VERSION, ""),
            "ansible_core": ANSIBLE_CORE,
            **(self._clients.describe() if self._clients is not None else {}),
        }
        return {name: value for name, value in writer.items() if value}

    def _report_value(self, content: Mapping[str, Any]) -> dict[str, Any]:
        if not self._options.return_report:
            return {"report": None}
        only_in_files = self._reporting.only_in_files
        return {"report": {name: value for name, value in content.items() if name not in only_in_files}}

    def _upload(self, reported: Reported, destination: Destination, files: Mapping[str, str]) -> Reported:
        from .._upload.flow import upload

        if self._options.check_mode:
            outcome = Outcome(tuple(PutObject(destination, name) for name in files))
        else:
            outcome = upload(self._clients, files, destination)
        return replace(
            reported,
            values={**reported.values, **destination.to_dict()},
            actions=(*reported.actions, *outcome.performed),
            failures=outcome.failures,
        )


def _files_of(report: DesiredReport, report_plan: ReportPlan) -> dict[str, str]:
    """Return the paths of the report's files by the name of the object.

    A file of the directory replaces the single file of the same name, since it has more content.
    """
    files = {report.path.rpartition("/")[2]: report.path} if report.path else {}
    if report.folder:
        files.update({name: f"{report.folder.path.rstrip('/')}/{name}" for name in report_plan.files})
    return files
