# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX 24.6.1 refuses, for the stand-in of its API. Each rule names its place in AWX's source.

Messages are AWX's own, as far as tests look at them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import yaml
from dateutil import rrule, tz
from jinja2 import StrictUndefined, TemplateError, sandbox

Body = Mapping[str, Any]
# Looks up an object by endpoint and ID.
Lookup = Callable[[str, int | None], Body]


class BadRequestError(Exception):
    """AWX answers with status 400 and this body."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(json.dumps(body))
        self.body = body


def refuse(field: str, message: str) -> None:
    """Refuse a field, as serializers do."""
    raise BadRequestError({field: [message]})


# awx/main/constants.py, SURVEY_TYPE_MAPPING
_ANSWERS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("text", "textarea", "password", "multiplechoice", "multiselect"), str),
    "integer": int,
    "float": (float, int),
}
_CHOICES = ("multiplechoice", "multiselect")
_QUESTION = {"type": str, "question_name": str, "variable": str, "required": bool}
_SURVEY = {"name": str, "description": str, "spec": list}


def check_survey(survey: Body) -> None:
    """awx/api/views/__init__.py, JobTemplateSurveySpec._validate_spec_data."""
    for field, kind in _SURVEY.items():
        if field not in survey:
            raise BadRequestError({"error": f"Field '{field}' is missing from survey spec."})
        if not isinstance(survey[field], kind):
            raise BadRequestError({"error": f"Expected {kind.__name__} for field '{field}'."})
    if not survey["spec"]:
        raise BadRequestError({"error": "'spec' doesn't contain any items."})
    variables = set()
    for number, question in enumerate(survey["spec"]):
        if error := _question_error(question, number):
            raise BadRequestError({"error": error})
        if question["variable"] in variables:
            message = f"'variable' '{question['variable']}' duplicated in survey question {number}."
            raise BadRequestError({"error": message})
        variables.add(question["variable"])


def _question_error(question: object, number: int) -> str:
    if not isinstance(question, dict):
        return f"Survey question {number} is not a json object."
    for field, kind in _QUESTION.items():
        if field not in question:
            return f"'{field}' missing from survey question {number}"
        if not isinstance(question[field], kind):
            return f"'{field}' in survey question {number} expected to be {kind.__name__}."
    if question["type"] not in _ANSWERS:
        return f"'{question['type']}' in survey question {number} is not one of the allowed question types."
    return _default_error(question, number) or _choices_error(question, number)


def _default_error(question: Body, number: int) -> str:
    default = question.get("default", "")
    if default != "" and not isinstance(default, _ANSWERS[question["type"]]):
        return f"Default value {default} in survey question {number} expected to be {question['type']}."
    for limit in ("min", "max"):
        if not isinstance(question.get(limit), int | None):
            return f"The {limit} limit in survey question {number} expected to be integer."
    if str(default).startswith("$encrypted$"):
        return f"$encrypted$ is a reserved keyword, may not be used for new default in position {number}."
    return ""


def _choices_error(question: Body, number: int) -> str:
    if question["type"] not in _CHOICES:
        return ""
    if "choices" not in question:
        return f"Survey question {number} of type {question['type']} must specify choices."
    defaults = [line for line in question.get("default", "").splitlines() if line.strip()]
    if question["type"] == "multiplechoice" and len(defaults) > 1:
        return "Multiple Choice (Single Select) can only have one default value."
    if any(default not in question["choices"] for default in defaults):
        return "Default choice must be answered from the choices listed."
    return ""


def unanswered(survey: Body, answers: Iterable[str]) -> list[str]:
    """The required questions without an answer: awx/main/models/mixins.py, _survey_element_validation."""
    needed = [question["variable"] for question in survey.get("spec", ()) if question["required"]]
    return [f"'{variable}' value missing" for variable in needed if variable not in {*answers}]


def check_rrule(rule: str) -> None:
    """awx/api/serializers.py, SchedulePreviewSerializer.validate_rrule."""
    starts = re.findall(r"DTSTART(?:;[^:]+)?:[0-9]+T[0-9]+Z?", rule)
    if len(starts) != 1:
        refuse(
            "rrule",
            "Valid DTSTART required in rrule." if not starts else "Multiple DTSTART is not supported.",
        )
    if re.search(r"DTSTART:[0-9]+T[0-9]+ ", rule):
        refuse("rrule", "DTSTART cannot be a naive datetime.")
    if "rrule:" not in rule.lower():
        refuse("rrule", "One or more rule required in rrule.")
    for forbidden in ("exdate:", "rdate:"):
        if forbidden in rule.lower():
            refuse("rrule", f"{forbidden[:-1].upper()} not allowed in rrule.")
    for one in re.findall(r"RULE:[^\s]*", rule):
        if problem := _rule_error(one):
            refuse("rrule", f"{problem}: {one}")
    try:
        rrule.rrulestr(rule, forceset=True, tzinfos={"UTC": tz.UTC})
    except ValueError as error:
        refuse("rrule", f"rrule parsing failed validation: {error}")


def _rule_error(rule: str) -> str:
    count = re.search(r"COUNT=([0-9]+)", rule)
    refused = {
        "INTERVAL required in rrule": "interval" not in rule.lower(),
        "SECONDLY is not supported": "secondly" in rule.lower(),
        "BYDAY with numeric prefix not supported": re.search(r"BYDAY[:=][0-9]+[a-zA-Z]{2}", rule) is not None,
        "RRULE may not contain both COUNT and UNTIL": "COUNT" in rule and "UNTIL" in rule,
        "COUNT > 999 is unsupported": count is not None and int(count[1]) > 999,
    }
    return next((problem for problem, is_so in refused.items() if is_so), "")


def check_variables(field: str, text: object) -> None:
    """awx/main/utils/common.py, vars_validate_or_raise: a mapping in JSON or YAML."""
    if not isinstance(yaml.safe_load(text) if isinstance(text, str) and text else {}, dict):
        refuse(field, "Cannot parse as JSON or YAML mapping.")


def check_project(project: Body, _get: Lookup) -> None:
    """awx/api/serializers.py, ProjectOptionsSerializer.validate and ProjectSerializer.validate."""
    if project["scm_refspec"] and project["scm_type"] != "git":
        refuse("scm_refspec", "SCM refspec can only be used with git projects.")
    if not project["scm_type"] and project["scm_update_on_launch"]:
        refuse("scm_update_on_launch", "Update options must be set to false for manual projects.")
    # awx/main/models/projects.py, ProjectOptions.clean_scm_url
    if project["scm_type"] and not project["scm_url"]:
        refuse("scm_url", "SCM URL is required.")


def check_execution_environment(environment: Body, get: Lookup) -> None:
    """awx/api/serializers.py, ExecutionEnvironmentSerializer.validate_credential."""
    if environment["credential"] and _kind(environment["credential"], get) != "registry":
        refuse(
            "credential",
            "Only Container Registry credentials can be associated with an Execution Environment",
        )


def check_inventory_source(source: Body, get: Lookup) -> None:
    """awx/api/serializers.py, InventorySourceSerializer.validate."""
    check_variables("source_vars", source["source_vars"])
    if source["source"] != "scm":
        redundant = [field for field in ("source_project", "source_path", "scm_branch") if source[field]]
        if redundant:
            raise BadRequestError({"detail": f"Cannot set {' '.join(redundant)} if not SCM type."})
    elif not source["source_project"]:
        refuse("source_project", "Project required for scm type sources.")
    elif source["scm_branch"] and not get("projects", source["source_project"])["allow_override"]:
        refuse("scm_branch", "Project does not allow overriding branch.")
    # awx/main/models/inventory.py, InventorySourceOptions.cloud_credential_validation
    if source["credential"] and _kind(source["credential"], get) in ("insights", "vault"):
        refuse(
            "credential", "Credentials of type insights and vault are disallowed for scm inventory sources."
        )


def check_job_template(template: Body, get: Lookup) -> None:
    """awx/api/serializers.py, JobTemplateSerializer.validate and JobOptionsSerializer.validate."""
    check_variables("extra_vars", template["extra_vars"])
    if not template["project"]:
        refuse("project", "Job Templates must have a project assigned.")
    if not template["inventory"] and not template["ask_inventory_on_launch"]:
        refuse("inventory", "You must either set a default value or ask to prompt on launch.")
    project = get("projects", template["project"])
    if not template["playbook"]:
        refuse("playbook", "Must select playbook for project.")
    if not project["allow_override"]:
        if template["playbook"] not in project["playbook_files"]:
            refuse("playbook", "Playbook not found for project.")
        if template["scm_branch"] or template["ask_scm_branch_on_launch"]:
            refuse("scm_branch", "Project does not allow overriding branch.")


def check_job_credential(credential: Body, others: Iterable[Body], get: Lookup) -> None:
    """awx/api/views/__init__.py, JobTemplateCredentialsList.is_valid_relation."""
    kind = get("credential_types", credential["credential_type"])
    if any(other["credential_type"] == credential["credential_type"] for other in others):
        raise BadRequestError({"error": f"Cannot assign multiple {kind['name']} credentials."})
    if kind["kind"] not in ("ssh", "vault", "cloud", "net", "kubernetes"):
        raise BadRequestError({"error": f"Cannot assign a Credential of kind `{kind['kind']}`."})


def check_node(node: Body, get: Lookup) -> None:
    """awx/api/serializers.py, LaunchConfigurationBaseSerializer.validate, for a node.

    A job's required answers may be given to the workflow.
    """
    if node["unified_job_template"] is not None:
        _check_prompts(node, get)


def check_schedule(schedule: Body, get: Lookup) -> None:
    """awx/api/serializers.py, ScheduleSerializer: all required answers are needed."""
    check_rrule(schedule["rrule"])
    _check_prompts(schedule, get)
    template = get("unified_job_templates", schedule["unified_job_template"])
    survey = template.get("survey_spec", {}) if template.get("survey_enabled") else {}
    if missing := unanswered(survey, schedule["extra_data"]):
        raise BadRequestError({"variables_needed_to_start": missing})


def _check_prompts(config: Body, get: Lookup) -> None:
    """awx/main/models/jobs.py, JobTemplate._accept_or_ignore_job_kwargs."""
    template = get("unified_job_templates", config["unified_job_template"])
    for field in ("job_type", "limit", "scm_branch", "diff_mode", "verbosity", "job_slice_count"):
        if config[field] in (None, template.get(field)) or template.get(f"ask_{field}_on_launch"):
            continue
        raise BadRequestError({field: "Field is not configured to prompt on launch."})
    survey = template.get("survey_spec", {}) if template.get("survey_enabled") else {}
    asked = {question["variable"] for question in survey.get("spec", ())}
    if not template.get("ask_variables_on_launch") and (extra := sorted({*config["extra_data"]} - asked)):
        refuse("extra_data", f"Variables {', '.join(extra)} are not allowed on launch.")


def check_link(parent: Body, child: Body, relation: str, children: Callable[[int, str], list[int]]) -> None:
    """awx/api/views/__init__.py, WorkflowJobTemplateNodeChildrenBaseList.is_valid_relation."""
    if parent["workflow_job_template"] != child["workflow_job_template"]:
        raise BadRequestError({"Error": "The nodes are of different workflows."})
    relations = ("success_nodes", "failure_nodes", "always_nodes")
    if any(child["id"] in children(parent["id"], other) for other in relations if other != relation):
        raise BadRequestError({"Error": "Relationship not allowed."})
    reached = [child["id"]]
    for node in reached:
        reached += [one for other in relations for one in children(node, other) if one not in reached]
    if parent["id"] in reached:
        raise BadRequestError({"Error": "Cycle detected."})


def check_credential_type(kind: Body, _get: Lookup) -> None:
    """awx/main/fields.py, CredentialTypeInputField and CredentialTypeInjectorField."""
    fields = kind["inputs"].get("fields", [])
    for known in fields:
        if unknown := {*known} - {"type", "choices", "id", "label", "help_text", "secret", "default"}:
            refuse("inputs", f"Additional properties are not allowed: {', '.join(sorted(unknown))}")
        known.setdefault("type", "string")
    namespace: dict[str, Any] = dict.fromkeys((known["id"] for known in fields), "EXAMPLE")
    namespace["tower"] = {"filename": "EXAMPLE_FILENAME"}
    strict = sandbox.ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    for name, template in (pair for of_kind in kind["injectors"].values() for pair in of_kind.items()):
        if name.startswith("ANSIBLE_"):
            refuse("injectors", f"Environment variable {name} may affect Ansible configuration.")
        try:
            strict.from_string(template).render(namespace)
        except TemplateError as error:
            refuse("injectors", f"{name} uses an undefined field ({error})")


# awx/main/models/notifications.py, JobNotificationMixin.context_stub
_CONTEXT = {
    "job": {
        "artifacts": {},
        "id": 42,
        "job_type": "run",
        "name": "Stub JobTemplate",
        "status": "running",
    },
    "job_friendly_name": "Job",
    "url": "https://platformhost/#/jobs/playbook/1010",
    "approval_status": "approved",
    "approval_node_name": "Approve Me",
    "workflow_url": "https://platformhost/#/jobs/workflow/1010",
    "job_metadata": "{'url': 'https://platformhost/$/jobs/playbook/13', 'extra_vars': {}}",
}


def check_messages(messages: Body | None) -> None:
    """awx/api/serializers.py, NotificationTemplateSerializer.validate_messages."""
    for event, texts in _events(messages or {}):
        for name, text in (texts or {}).items():
            if name not in ("message", "body"):
                refuse("messages", f"Message type '{name}' invalid, must be either 'message' or 'body'")
            if name == "message" and "\n" in text:
                refuse("messages", f"Messages cannot contain newlines (found newline in {event} event)")
            try:
                sandbox.ImmutableSandboxedEnvironment(undefined=StrictUndefined).from_string(text).render(
                    _CONTEXT
                )
            except TemplateError as error:
                refuse("messages", f"Unable to render message '{text}': {error}")


def _events(messages: Body) -> Iterable[tuple[str, Body | None]]:
    for event, texts in messages.items():
        if event not in ("started", "success", "error", "workflow_approval"):
            refuse("messages", f"Event '{event}' invalid")
        if event != "workflow_approval":
            yield event, texts
            continue
        for approval, of_approval in (texts or {}).items():
            if approval not in ("running", "approved", "timed_out", "denied"):
                refuse("messages", f"Workflow Approval event '{approval}' invalid")
            yield approval, of_approval


# awx/main/notifications/*_backend.py, init_parameters: type and, unless it is needed, default
_NOTIFICATIONS: dict[str, dict[str, tuple[type, Any]]] = {
    "webhook": {
        "url": (str, None),
        "http_method": (str, "POST"),
        "disable_ssl_verification": (bool, False),
        "username": (str, ""),
        "password": (str, ""),
        "headers": (dict, None),
    },
    "slack": {"token": (str, None), "channels": (list, None)},
    "pagerduty": dict.fromkeys(("subdomain", "token", "service_key", "client_name"), (str, None)),
    "email": {
        **dict.fromkeys(("host", "username", "password", "sender"), (str, None)),
        **dict.fromkeys(("use_tls", "use_ssl"), (bool, None)),
        "port": (int, None),
        "recipients": (list, None),
        "timeout": (int, 30),
    },
    "awssns": {
        "aws_region": (str, ""),
        "aws_access_key_id": (str, ""),
        "aws_secret_access_key": (str, ""),
        "aws_session_token": (str, ""),
        "sns_topic_arn": (str, ""),
    },
}


def check_notification(template: Body, _get: Lookup) -> None:
    """awx/api/serializers.py, NotificationTemplateSerializer.validate; it fills in the defaults."""
    check_messages(template["messages"])
    parameters = _NOTIFICATIONS[template["notification_type"]]
    configuration = template["notification_configuration"]
    for name, (kind, default) in parameters.items():
        if name not in configuration and default is None:
            raise BadRequestError({"__all__": [f"Missing required fields: {name}."]})
        if not isinstance(configuration.setdefault(name, default), kind):
            raise BadRequestError({"__all__": [f"Configuration field '{name}' incorrect type."]})


def _kind(credential: int, get: Lookup) -> str:
    return str(get("credential_types", get("credentials", credential)["credential_type"])["kind"])
