# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API below /_simulated_aws/: load fixtures, change settings, inject faults, read the record.

Request and response bodies are JSON; a request body may also be YAML.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

import yaml

from . import world
from .evaluations import EVALUATIONS
from .fixtures import loader
from .http.connection import Request, Response
from .http.faults import Fault
from .http.pipeline import Pipeline
from .settings import SETTINGS

PREFIX = "/_simulated_aws/"

LOG = logging.getLogger(__name__)
_CALL_FILTERS = frozenset({"account_id", "region", "service", "action"})

Route = Callable[["ControlApi", Request], dict[str, Any]]


class ControlApi:
    """Handles control calls, which are neither recorded nor delayed."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._fixture: dict[str, Any] = {}

    def answer(self, request: Request) -> Response:
        """Respond with 200 and the result, or 400, 404 (unknown route) or 500 and a message under `error`."""
        route = _ROUTES.get((request.method, request.path.removeprefix(PREFIX)))
        if route is None:
            known = ", ".join(f"{method} {PREFIX}{path}" for method, path in _ROUTES)
            return _json(404, {"error": f"no route {request.method} {request.path}; routes: {known}"})
        try:
            return _json(200, route(self, request))
        except ValueError as invalid:
            return _json(400, {"error": str(invalid)})
        except Exception as crashed:
            LOG.exception("%s %s crashed", request.method, request.path)
            return _json(500, {"error": f"{type(crashed).__name__}: {crashed}"})

    def load_fixture(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Add a fixture to the existing resources, accept its access keys, and return its description."""
        self._fixture = loader.load(document)
        accounts = self._fixture["accounts"].values()
        self._pipeline.callers.register(
            {account["access_key_id"]: account["account_id"] for account in accounts}
        )
        return self._fixture

    def _reset(self) -> dict[str, Any]:
        self._pipeline.reset()
        loader.reset()
        EVALUATIONS.clear()
        self._fixture = {}
        return {}

    def _post_fixture(self, request: Request) -> dict[str, Any]:
        return self.load_fixture(_object(request))

    def _get_fixture(self) -> dict[str, Any]:
        return self._fixture

    def _get_calls(self, request: Request) -> dict[str, Any]:
        given = {name: values[-1] for name, values in parse_qs(request.query, keep_blank_values=True).items()}
        since = given.pop("since", "0")
        if not since.isdecimal():
            raise ValueError(f"`since` must be the number of a call, not {since!r}")
        unknown = sorted(set(given) - _CALL_FILTERS)
        if unknown:
            raise ValueError(
                f"unknown filters {', '.join(unknown)}; filters: {', '.join(sorted(_CALL_FILTERS))}"
            )
        return {"calls": [entry.view() for entry in self._pipeline.record.select(given, int(since))]}

    def _get_authorizations(self) -> dict[str, Any]:
        return {"authorizations": EVALUATIONS.view()}

    def _delete_calls(self) -> dict[str, Any]:
        self._pipeline.record.clear()
        EVALUATIONS.clear()
        return {}

    def _put_latency(self, request: Request) -> dict[str, Any]:
        seconds = _only(request, "seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds < 0:
            raise ValueError(f"`seconds` must be a number, 0 or greater, not {seconds!r}")
        self._pipeline.latency = float(seconds)
        return {"seconds": self._pipeline.latency}

    def _put_throttling(self, request: Request) -> dict[str, Any]:
        enabled = _only(request, "enabled")
        if not isinstance(enabled, bool):
            raise ValueError(f"`enabled` must be true or false, not {enabled!r}")
        self._pipeline.throttle.enabled = enabled
        return {"enabled": enabled}

    def _put_settings(self, request: Request) -> dict[str, Any]:
        SETTINGS.update(_object(request))
        return {}

    def _post_faults(self, request: Request) -> dict[str, Any]:
        document = _document(request)
        faults = [Fault.read(one) for one in (document if isinstance(document, list) else [document])]
        for fault in faults:
            self._pipeline.faults.add(fault)
        return {"faults": [fault.view() for fault in faults]}

    def _get_faults(self) -> dict[str, Any]:
        return {"faults": self._pipeline.faults.view()}

    def _delete_faults(self) -> dict[str, Any]:
        self._pipeline.faults.clear()
        return {}

    def _release(self) -> dict[str, Any]:
        self._pipeline.faults.release()
        return {}


_ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "health"): lambda *_: {"status": "ok"},
    ("POST", "reset"): lambda control, _: control._reset(),
    ("POST", "fixture"): ControlApi._post_fixture,
    ("GET", "fixture"): lambda control, _: control._get_fixture(),
    ("GET", "world"): lambda *_: {"resources": world.resources()},
    ("GET", "calls"): ControlApi._get_calls,
    ("GET", "authorizations"): lambda control, _: control._get_authorizations(),
    ("DELETE", "calls"): lambda control, _: control._delete_calls(),
    ("PUT", "latency"): ControlApi._put_latency,
    ("PUT", "throttling"): ControlApi._put_throttling,
    ("GET", "settings"): lambda *_: asdict(SETTINGS),
    ("PUT", "settings"): ControlApi._put_settings,
    ("POST", "faults"): ControlApi._post_faults,
    ("GET", "faults"): lambda control, _: control._get_faults(),
    ("DELETE", "faults"): lambda control, _: control._delete_faults(),
    ("POST", "faults/release"): lambda control, _: control._release(),
}


def _json(status: int, value: Any) -> Response:
    return Response(status, json.dumps(value).encode(), (("Content-Type", "application/json"),))


def _document(request: Request) -> Any:
    with suppress(ValueError):
        # JSON first: the YAML parser needs a minute for a fixture of ten thousand images.
        return json.loads(request.body)
    try:
        return yaml.safe_load(request.body)
    except yaml.YAMLError as unreadable:
        raise ValueError(
            f"the body is neither JSON nor YAML: {' '.join(str(unreadable).split())}"
        ) from unreadable


def _object(request: Request) -> dict[str, Any]:
    document = _document(request)
    if not isinstance(document, dict):
        raise ValueError("the body must be an object")
    return document


def _only(request: Request, name: str) -> Any:
    document = _object(request)
    if set(document) != {name}:
        raise ValueError(f"the body must be an object with the single member {name}")
    return document[name]
