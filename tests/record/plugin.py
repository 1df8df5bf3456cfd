# SPDX-License-Identifier: GPL-3.0-or-later

"""pytest plugin that records what the collection does: ``-p tests.record.plugin --record FOLDER``.

It writes a file for each test, which ``python -m tests.record OLD NEW`` compares. What it hangs on: the
processes that are started with the environment of ``Ansible``, the modules of ``in_process``, and the calls
that the simulated AWS records.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws
from tests.integration import in_process
from tests.integration.playbook import CHECKOUT, Ansible

from .files import write
from .recorder import Recorder

_CALLBACKS = Path(__file__).parent / "callback_plugins"
_FOLDER = "RECORD_BEHAVIOUR"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the folder of the record."""
    parser.addoption("--record", required=True, type=Path, help="the folder to write the record into")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start to record. Temporary folders have paths of one length: what is displayed is wrapped."""
    if not hasattr(config, "workerinput"):
        config.option.basetemp = tempfile.mkdtemp(prefix="record-")
    config.pluginmanager.register(_Plugin(config), "record-of-behaviour")


class _Plugin:
    """What is recorded, from the start to the end of pytest."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._record = Path(config.option.record)
        self._written = Path(tempfile.mkdtemp(prefix="record-callback-"))
        self._recorder: Recorder | None = None
        self._failed = False
        self._popen = subprocess.Popen
        Ansible.more_environment = {
            "ANSIBLE_CALLBACK_PLUGINS": str(_CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "behaviour",
            "COLUMNS": "80",
            # Some modules of other collections return sets.
            "PYTHONHASHSEED": "0",
            _FOLDER: str(self._written),
        }
        subprocess.Popen = self._recording_popen()
        self._watch_modules()

    def pytest_unconfigure(self) -> None:
        """Remove the temporary folders."""
        shutil.rmtree(self._written)
        if not hasattr(self._config, "workerinput"):
            shutil.rmtree(self._config.option.basetemp, ignore_errors=True)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        """Take the simulated AWS of this process as soon as it runs."""
        value = yield
        if fixturedef.argname == "simulated_aws":
            self._take(value)
        return value

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Record one test, and write the file."""
        self._failed = False
        self._recorder = Recorder(self._written, self._places())
        try:
            return (yield)
        finally:
            if self._recorder.steps:
                outcome = "failed" if self._failed else "passed"
                write(self._record, item.nodeid, outcome, self._recorder.steps)
            self._recorder = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        """Record what has not ended before; after the last test, the simulated AWS stops."""
        if self._recorder is not None:
            self._recorder.end_step()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure: the record of such a test is not complete."""
        self._failed = self._failed or report.failed

    def _places(self) -> Mapping[str, str]:
        temporary = re.escape(str(self._config.option.basetemp))
        return {
            rf"{temporary}/[^/\s'\"]+": "TMP",
            re.escape(str(CHECKOUT)): "CHECKOUT",
        }

    def _take(self, aws: SimulatedAws) -> None:
        """Look before the simulated AWS forgets calls, and after it has new resources."""
        for name in ("reset", "clear_calls", "load_fixture"):
            setattr(aws, name, self._between_looks(aws, getattr(aws, name)))

    def _between_looks(self, aws: SimulatedAws, control: Any) -> Any:
        def looking(*arguments: Any) -> Any:
            if self._recorder is not None:
                self._recorder.look()
            done = control(*arguments)
            if self._recorder is not None:
                self._recorder.watch(aws)
            return done

        return looking

    def _watch_modules(self) -> None:
        for name in ("as_action", "without_aws"):
            setattr(in_process, name, self._watched(getattr(in_process, name)))

    def _watched(self, run: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        def watched(
            module: str, options: Mapping[str, Any], *, check: bool = False, **more: Any
        ) -> dict[str, Any]:
            if self._recorder is not None:
                self._recorder.look()
            result = run(module, options, check=check, **more)
            if self._recorder is not None:
                self._recorder.module(module, options, check, result)
            return result

        return watched

    def _recording_popen(self) -> type[subprocess.Popen[Any]]:
        plugin = self

        class RecordingPopen(self._popen):
            """Tells the recorder of processes with the environment of ``Ansible``."""

            def __init__(self, *arguments: Any, **options: Any) -> None:
                self._recorder = plugin._recorder if _FOLDER in (options.get("env") or ()) else None
                super().__init__(*arguments, **options)
                if self._recorder is not None:
                    self._recorder.started(self)

            def communicate(self, *arguments: Any, **options: Any) -> Any:
                stdout, stderr = super().communicate(*arguments, **options)
                if self._recorder is not None:
                    self._recorder.ended(self, stdout, stderr)
                return stdout, stderr

        return RecordingPopen
