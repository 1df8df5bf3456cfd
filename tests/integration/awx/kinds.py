# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of objects of AWX 24.6.1 that the stand-in of its API knows: those that awx/setup.yml uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import rules

_NOTIFICATIONS = (
    "notification_templates_started",
    "notification_templates_success",
    "notification_templates_error",
)
_PROMPTS = (
    "scm_branch",
    "job_type",
    "job_tags",
    "skip_tags",
    "limit",
    "diff_mode",
    "verbosity",
    "job_slice_count",
)


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    ``fields`` has what the serializer of AWX takes, with the default of each field; others are ignored, as
    AWX does. ``required`` fields have none. ``unique`` fields together name one object. ``references`` name
    the endpoint of the object whose ID a field is. ``lists`` are related objects, by the endpoint of these.
    """

    type: str
    required: tuple[str, ...]
    unique: tuple[str, ...]
    fields: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[rules.Body, rules.Lookup], None] = lambda _body, _get: None


_ASKED = {
    f"ask_{name}_on_launch": False
    for name in (
        *("scm_branch", "diff_mode", "variables", "limit", "tags", "skip_tags", "job_type", "verbosity"),
        *(
            "inventory",
            "credential",
            "execution_environment",
            "labels",
            "forks",
            "job_slice_count",
            "timeout",
        ),
    )
}
_NOTIFIED = dict.fromkeys(_NOTIFICATIONS, "notification_templates")
_APPROVED = {**_NOTIFIED, "notification_templates_approvals": "notification_templates"}
_LAUNCH = {**dict.fromkeys(_PROMPTS), "extra_data": {}, "inventory": None, "execution_environment": None}

# Uniqueness: unique, unique_together and SOFT_UNIQUE_TOGETHER of awx/main/models.
KINDS: dict[str, Kind] = {
    "organizations": Kind(
        "organization",
        ("name",),
        ("name",),
        {"description": "", "max_hosts": 0, "default_environment": None},
        {"default_environment": "execution_environments"},
        {**_APPROVED, "galaxy_credentials": "credentials"},
    ),
    "teams": Kind(
        "team",
        ("name", "organization"),
        ("organization", "name"),
        {"description": ""},
        {"organization": "organizations"},
    ),
    "credential_types": Kind(
        "credential_type",
        ("name", "kind"),
        ("name", "kind"),
        {"description": "", "managed": False, "inputs": {}, "injectors": {}},
        check=rules.check_credential_type,
    ),
    "credentials": Kind(
        "credential",
        ("name", "credential_type"),
        ("organization", "name", "credential_type"),
        # Only AWX's own credential for Galaxy has no organization.
        {"description": "", "inputs": {}, "organization": None},
        {"credential_type": "credential_types", "organization": "organizations"},
    ),
    "execution_environments": Kind(
        "execution_environment",
        ("name", "image"),
        ("name",),
        {"description": "", "organization": None, "credential": None, "pull": ""},
        {"organization": "organizations", "credential": "credentials"},
        check=rules.check_execution_environment,
    ),
    "projects": Kind(
        "project",
        ("name",),
        ("name", "organization"),
        {
            **dict.fromkeys(("description", "scm_type", "scm_url", "scm_branch", "scm_refspec"), ""),
            **dict.fromkeys(("scm_clean", "scm_update_on_launch", "allow_override"), False),
            **dict.fromkeys(("organization", "credential", "default_environment")),
            "scm_revision": "",
            "status": "never updated",
        },
        {
            "organization": "organizations",
            "credential": "credentials",
            "default_environment": "execution_environments",
        },
        _NOTIFIED,
        rules.check_project,
    ),
    "inventories": Kind(
        "inventory",
        ("name", "organization"),
        ("name", "organization"),
        {"description": "", "kind": "", "host_filter": None, "variables": ""},
        {"organization": "organizations"},
    ),
    "inventory_sources": Kind(
        "inventory_source",
        ("name", "inventory"),
        ("name", "inventory"),
        {
            **dict.fromkeys(("description", "source", "source_path", "source_vars", "scm_branch"), ""),
            **dict.fromkeys(("overwrite", "overwrite_vars", "update_on_launch"), False),
            **dict.fromkeys(("source_project", "credential", "execution_environment")),
        },
        {
            "inventory": "inventories",
            "source_project": "projects",
            "credential": "credentials",
            "execution_environment": "execution_environments",
        },
        _NOTIFIED,
        rules.check_inventory_source,
    ),
    "notification_templates": Kind(
        "notification_template",
        ("name", "organization", "notification_type"),
        ("organization", "name"),
        {"description": "", "notification_configuration": {}, "messages": None},
        {"organization": "organizations"},
        check=rules.check_notification,
    ),
    "job_templates": Kind(
        "job_template",
        ("name",),
        ("name", "organization"),
        {
            **_ASKED,
            **dict.fromkeys(("description", "playbook", "scm_branch", "extra_vars", "limit"), ""),
            **dict.fromkeys(("organization", "project", "inventory", "execution_environment")),
            "job_type": "run",
            "survey_enabled": False,
            "diff_mode": False,
            "allow_simultaneous": False,
            "job_slice_count": 1,
            "verbosity": 0,
        },
        {
            "organization": "organizations",
            "project": "projects",
            "inventory": "inventories",
            "execution_environment": "execution_environments",
        },
        {**_NOTIFIED, "credentials": "credentials"},
        rules.check_job_template,
    ),
    "workflow_job_templates": Kind(
        "workflow_job_template",
        ("name",),
        ("name", "organization"),
        {
            **_ASKED,
            **dict.fromkeys(("description", "extra_vars"), ""),
            **dict.fromkeys(("survey_enabled", "allow_simultaneous"), False),
            "organization": None,
        },
        {"organization": "organizations"},
        _APPROVED,
    ),
    "workflow_job_template_nodes": Kind(
        "workflow_job_template_node",
        ("workflow_job_template", "identifier"),
        ("identifier", "workflow_job_template"),
        {**_LAUNCH, "unified_job_template": None, "all_parents_must_converge": False},
        {
            "workflow_job_template": "workflow_job_templates",
            "unified_job_template": "unified_job_templates",
            "inventory": "inventories",
            "execution_environment": "execution_environments",
        },
        dict.fromkeys(("success_nodes", "failure_nodes", "always_nodes"), "workflow_job_template_nodes"),
        rules.check_node,
    ),
    "workflow_approval_templates": Kind(
        "workflow_approval_template", ("name",), (), {"description": "", "timeout": 0}
    ),
    "schedules": Kind(
        "schedule",
        ("name", "unified_job_template", "rrule"),
        ("unified_job_template", "name"),
        {**_LAUNCH, "description": "", "enabled": True},
        {"unified_job_template": "unified_job_templates"},
        check=rules.check_schedule,
    ),
}
# awx/main/models/unified_jobs.py, UnifiedJobTemplate
UNIFIED = (
    *(
        "projects",
        "inventory_sources",
        "job_templates",
        "workflow_job_templates",
        "workflow_approval_templates",
    ),
)
