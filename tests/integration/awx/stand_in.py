# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for the API of AWX 24.6.1, ``/api/v2``, for the modules of awx.awx. It runs no jobs.

It keeps objects in memory and refuses what AWX refuses (``rules``). It answers as AWX's API does: lists with
``count``, ``next`` and ``results``, objects with ``url`` and ``related``, errors with status 400 and a body.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from . import rules
from .kinds import KINDS, UNIFIED
from .rules import BadRequestError

TOKEN = "a-token"
_PREFIX = "/api/v2/"
# awx/settings/defaults.py, REST_FRAMEWORK
_PAGE = 25
_SURVEYED = ("job_templates", "workflow_job_templates")
# The ImplicitRoleFields of awx/main/models/jobs.py and workflow.py.
_ROLES = {
    "job_templates": ("admin", "execute", "read"),
    "workflow_job_templates": ("admin", "execute", "read", "approval"),
}

Object = dict[str, Any]


class NotFoundError(Exception):
    """There is no such object or endpoint."""


@dataclass
class Awx:
    """The objects of an AWX; ``playbooks`` are those in the repository of every project."""

    playbooks: tuple[str, ...]
    objects: dict[str, dict[int, Object]] = field(
        default_factory=lambda: {endpoint: {} for endpoint in KINDS}
    )
    related: dict[tuple[str, int, str], list[int]] = field(default_factory=dict)
    # The teams that have a role, by the role's ID.
    grants: dict[int, list[int]] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    # How many updates of projects fail, because the repository cannot be read.
    failing_updates: int = 0
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        # Managed by AWX: awx/main/models/credential.py and awx_plugins
        for name, kind in (
            ("Ansible Galaxy/Automation Hub API Token", "galaxy"),
            ("Amazon Web Services", "cloud"),
            ("Container Registry", "registry"),
            ("Vault", "vault"),
        ):
            self.create("credential_types", {"name": name, "kind": kind, "managed": True})
        # awx/main/migrations/_galaxy.py
        galaxy = self.named("credential_types", "Ansible Galaxy/Automation Hub API Token")["id"]
        self.create("credentials", {"name": "Ansible Galaxy", "credential_type": galaxy})
        self.changes.clear()

    def get(self, endpoint: str, number: int | None) -> Object:
        """One object.

        Raises:
            NotFoundError: there is none.
        """
        for one in UNIFIED if endpoint == "unified_job_templates" else (endpoint,):
            if number in self.objects[one]:
                return self.objects[one][number]
        raise NotFoundError(f"{endpoint} {number}")

    def named(self, endpoint: str, name: str) -> Object:
        """The one object of this name."""
        (found,) = self.find(endpoint, {"name": name})
        return found

    def find(self, endpoint: str, wanted: Mapping[str, str]) -> list[Object]:
        """The objects whose fields have these values."""
        endpoints = UNIFIED if endpoint == "unified_job_templates" else (endpoint,)
        candidates = [one for kind in endpoints for one in self.objects[kind].values()]
        return [
            one for one in candidates if all(str(one.get(name)) == value for name, value in wanted.items())
        ]

    def create(self, endpoint: str, body: rules.Body) -> Object:
        """Create an object.

        Raises:
            BadRequestError: AWX would refuse it.
        """
        kind = KINDS[endpoint]
        made = {**deepcopy(dict(kind.fields)), **self._known(endpoint, body)}
        for name in kind.required:
            if made.get(name) in (None, ""):
                rules.refuse(name, "This field is required.")
        self._check(endpoint, made)
        number = next(self._ids)
        url = f"{_PREFIX}{endpoint}/{number}/"
        made |= {"id": number, "type": kind.type, "url": url, "related": {}, "summary_fields": {}}
        made["related"] = {name: f"{url}{name}/" for name in kind.lists}
        self.objects[endpoint][number] = made
        self._complete(endpoint, made)
        self.changes.append(f"create {endpoint} {made.get('name') or made.get('identifier')}")
        return made

    def update(self, endpoint: str, number: int, body: rules.Body) -> Object:
        """Change an object.

        Raises:
            BadRequestError: AWX would refuse it.
        """
        found = self.get(endpoint, number)
        changed = {**found, **self._known(endpoint, body)}
        self._check(endpoint, changed)
        found.update(changed)
        self.changes.append(f"update {endpoint} {found.get('name') or found.get('identifier')}")
        return found

    def delete(self, endpoint: str, number: int) -> None:
        """Delete an object, and what cannot be without it: the schedules and nodes of a template."""
        found = self.get(endpoint, number)
        if endpoint == "workflow_job_templates":
            for node in self.find("workflow_job_template_nodes", {"workflow_job_template": str(number)}):
                self.delete("workflow_job_template_nodes", node["id"])
        if endpoint in UNIFIED:
            for schedule in self.find("schedules", {"unified_job_template": str(number)}):
                self.delete("schedules", schedule["id"])
            for node in self.find("workflow_job_template_nodes", {"unified_job_template": str(number)}):
                node["unified_job_template"] = None
        # awx/main/signals.py, delete_approval_templates
        approval = found.get("unified_job_template")
        if (
            endpoint == "workflow_job_template_nodes"
            and approval in self.objects["workflow_approval_templates"]
        ):
            self.delete("workflow_approval_templates", approval)
        del self.objects[endpoint][number]
        self.changes.append(f"delete {endpoint} {found.get('name') or found.get('identifier')}")

    def associate(self, endpoint: str, number: int, relation: str, other: int, *, remove: bool) -> None:
        """Add an object to a list of another one, or remove it.

        Raises:
            BadRequestError: AWX would refuse it.
        """
        others = self.children(endpoint, number, relation)
        found, added = self.get(endpoint, number), self.get(KINDS[endpoint].lists[relation], other)
        if remove:
            others.remove(other)
        elif relation == "credentials":
            rules.check_job_credential(added, [self.get("credentials", one) for one in others], self.get)
        elif endpoint == "workflow_job_template_nodes":
            rules.check_link(found, added, relation, lambda node, name: self.children(endpoint, node, name))
        if not remove:
            others.append(other)
        self.changes.append(f"associate {endpoint} {number} {relation} {other}")

    def children(self, endpoint: str, number: int, relation: str) -> list[int]:
        """The IDs in a list of an object."""
        return self.related.setdefault((endpoint, number, relation), [])

    def set_survey(self, endpoint: str, number: int, survey: rules.Body) -> None:
        """Replace the survey of a template; an empty one deletes it.

        Raises:
            BadRequestError: AWX would refuse it.
        """
        if survey:
            rules.check_survey(survey)
        self.get(endpoint, number)["survey_spec"] = dict(survey)
        self.changes.append(f"survey of {endpoint} {number}")

    def create_approval(self, node: int, body: rules.Body) -> Object:
        """awx/api/views/__init__.py, WorkflowJobTemplateNodeCreateApproval."""
        approval = self.create("workflow_approval_templates", body)
        found = self.get("workflow_job_template_nodes", node)
        found["unified_job_template"] = approval["id"]
        found["related"]["unified_job_template"] = approval["url"]
        return approval

    def finish_update(self, project: int) -> Object:
        """The end of the update of a project: only now AWX knows the project's playbooks."""
        found = self.get("projects", project)
        found["summary_fields"] = {}
        is_failed = self.failing_updates > 0
        if is_failed:
            self.failing_updates -= 1
        else:
            found["playbook_files"] = list(self.playbooks)
        found["status"] = "failed" if is_failed else "successful"
        answer = {"id": project, "failed": is_failed, "status": found["status"], "finished": True}
        return answer | {"scm_revision": found["scm_revision"]}

    def start_update(self, project: int) -> Object:
        """Start an update of a project."""
        self.changes.append(f"update of project {project}")
        url = f"{_PREFIX}project_updates/{project}/"
        return {"id": project, "url": url, "status": "pending", **self.get("projects", project)["related"]}

    def grant(self, role: int, team: int) -> None:
        """Give a team a role."""
        self.grants.setdefault(role, []).append(team)
        self.changes.append(f"grant {role} to {team}")

    def teams_of(self, endpoint: str, name: str, role: str) -> list[str]:
        """The names of the teams that have a role for an object."""
        number = self.named(endpoint, name)["summary_fields"]["object_roles"][f"{role}_role"]["id"]
        return [self.get("teams", team)["name"] for team in self.grants.get(number, ())]

    def _complete(self, endpoint: str, made: Object) -> None:
        if endpoint == "projects":
            made |= {"playbook_files": [], "summary_fields": {"current_update": {"id": made["id"]}}}
            made["related"]["update"] = f"{made['url']}update/"
        for role in _ROLES.get(endpoint, ()):
            roles = made["summary_fields"].setdefault("object_roles", {})
            roles[f"{role}_role"] = {"id": next(self._ids)}
        if endpoint in _SURVEYED:
            made["survey_spec"] = {}
            made["related"]["survey_spec"] = f"{made['url']}survey_spec/"

    def _known(self, endpoint: str, body: rules.Body) -> Object:
        """The fields that AWX's serializer takes."""
        kind = KINDS[endpoint]
        return {name: value for name, value in body.items() if name in (*kind.fields, *kind.required)}

    def _check(self, endpoint: str, made: Object) -> None:
        kind = KINDS[endpoint]
        for name, other in kind.references.items():
            if made.get(name) is not None:
                self._check_reference(name, other, made[name])
        same = {name: str(made.get(name)) for name in kind.unique}
        if kind.unique and any(one["id"] != made.get("id") for one in self.find(endpoint, same)):
            rules.refuse("__all__", f"{kind.type} with this {' and '.join(kind.unique)} already exists.")
        kind.check(made, self.get)

    def _check_reference(self, name: str, endpoint: str, number: int) -> None:
        try:
            self.get(endpoint, number)
        except NotFoundError:
            rules.refuse(name, f'Invalid pk "{number}" - object does not exist.')


@contextmanager
def serving(awx: Awx) -> Iterator[str]:
    """Serve the stand-in on this machine, and give its address."""
    handler = type("Handler", (_Handler,), {"awx": awx})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    awx: Awx

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Not on the terminal."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        try:
            status, answer = self._result(body)
        except BadRequestError as error:
            status, answer = 400, error.body
        except NotFoundError as error:
            status, answer = 404, {"detail": f"Not found: {error}"}
        self.send_response(status)
        self.send_header("X-API-Product-Name", "AWX")
        self.send_header("X-API-Product-Version", "24.6.1")
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _result(self, body: Object) -> tuple[int, Any]:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"detail": "Authentication credentials were not provided."}
        url = urlsplit(self.path)
        match url.path.removeprefix(_PREFIX).strip("/").split("/"):
            case ["project_updates", project]:
                return 200, self.awx.finish_update(int(project))
            case ["projects", project, "update"]:
                return 202, self.awx.start_update(int(project))
            case ["roles", role, "teams"]:
                return self._teams(int(role), body)
            case [endpoint]:
                return self._list(endpoint, dict(parse_qsl(url.query)), body)
            case [endpoint, number]:
                return self._object(endpoint, int(number), body)
            case [endpoint, number, "survey_spec"]:
                return self._survey(endpoint, int(number), body)
            case ["workflow_job_template_nodes", number, "create_approval_template"]:
                return 201, self.awx.create_approval(int(number), body)
            case [endpoint, number, relation] if relation in KINDS[endpoint].lists:
                return self._related(endpoint, int(number), relation, body)
        raise NotFoundError(self.path)

    def _list(self, endpoint: str, query: dict[str, str], body: Object) -> tuple[int, Any]:
        if endpoint not in (*KINDS, "unified_job_templates"):
            raise NotFoundError(endpoint)
        if self.command == "POST":
            return 201, self.awx.create(endpoint, body)
        page = int(query.pop("page", "1"))
        return 200, self._page(self.awx.find(endpoint, query), page, query)

    def _page(self, found: Iterable[Object], page: int, query: dict[str, str]) -> Object:
        everything = list(found)
        more = len(everything) > page * _PAGE
        following = f"{urlsplit(self.path).path}?{urlencode({**query, 'page': page + 1})}"
        results = everything[(page - 1) * _PAGE : page * _PAGE]
        return {"count": len(everything), "next": following if more else None, "results": results}

    def _object(self, endpoint: str, number: int, body: Object) -> tuple[int, Any]:
        if self.command == "PATCH":
            return 200, self.awx.update(endpoint, number, body)
        if self.command == "GET":
            return 200, self.awx.get(endpoint, number)
        if self.command == "DELETE":
            self.awx.delete(endpoint, number)
            return 204, None
        return 405, {"detail": f'Method "{self.command}" not allowed.'}

    def _survey(self, endpoint: str, number: int, body: Object) -> tuple[int, Any]:
        if self.command == "GET":
            return 200, self.awx.get(endpoint, number)["survey_spec"]
        self.awx.set_survey(endpoint, number, body)
        return 200, {}

    def _teams(self, role: int, body: Object) -> tuple[int, Any]:
        if self.command == "POST":
            self.awx.grant(role, body["id"])
            return 204, None
        return 200, self._page([self.awx.get("teams", one) for one in self.awx.grants.get(role, ())], 1, {})

    def _related(self, endpoint: str, number: int, relation: str, body: Object) -> tuple[int, Any]:
        if self.command == "POST":
            remove = bool(body.get("disassociate"))
            self.awx.associate(endpoint, number, relation, body["id"], remove=remove)
            return 204, None
        others = self.awx.children(endpoint, number, relation)
        found = [self.awx.get(KINDS[endpoint].lists[relation], other) for other in others]
        return 200, self._page(found, 1, {})
