# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module: read everything, plan everything, refuse or apply, and return every result and failure.

Only this file uses the module object: its modes and its exits.
"""

from __future__ import annotations

import contextlib
import gc
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from ansible.module_utils import ansible_release
from ansible.module_utils.common.warnings import warn

from ._changes import Change, changes_of, format_changes
from ._denial import DENIED
from ._failures import NOTHING_CHANGED, Failure, ValidationError, invalid_option, summary
from ._model import Target
from ._option import Options
from ._plan import Plan, TargetPlan
from ._progress import Report, reporter
from ._read_yaml import parse_yaml
from ._variables import options_of, options_within, read_options
from ._wording import escape_invisible, validation_message

# botocore leaves out of AWS's responses what its models lack, such as criteria of allowed images: older ones
# would show less access, and fewer restrictions, than there are. docs/versions.md has what needs newer ones.
OLDEST_BOTOCORE = "1.41.0"
ANSIBLE_CORE: str = ansible_release.__version__
# The argument of a module that has the files that ``Flow.attaches`` names: the texts by name.
ATTACHED = "_attached"
# The option without which a flow that does not need AWS calls none.
_UPLOAD = "report_s3_uri"
# Ansible's words for the value of an option with no_log.
_HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
# The ends of the names of options that take registered results.
_EARLIER_RESULTS = ("_result", "_results")
_RERUN = "Rerun to complete the remaining regions."
# The policies of a distribution's steps, which the check of the accounts lets IAM simulate.
_OF_A_DISTRIBUTION = frozenset(
    {
        *("distribution", "distribution-of-encrypted-images", "publishing", "sharing"),
        "verification-in-the-consumer-accounts",
    }
)
_CHECK = "Before a distribution, bootstrap/check_accounts.py names all that are missing, in every account."

OptionsT = TypeVar("OptionsT", bound=Options)
StateT = TypeVar("StateT")


class ActionLike(Protocol):
    """A change, such as an AWS call or a file that is written."""

    def to_dict(self) -> dict[str, str | None]:
        """Return the action as modules return it in ``actions``."""


class PlanLike(Protocol):
    """The fields of a plan that the runner needs; ``plan.Plan`` is the one for AWS."""

    @property
    def actions(self) -> tuple[ActionLike, ...]:
        """Return all planned actions."""

    @property
    def refusals(self) -> tuple[Failure, ...]:
        """Return the failures that stop the plan."""

    @property
    def tolerated(self) -> tuple[Failure, ...]:
        """Return the failures that skip a target."""

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Return the failures that are known before the actions, and fail the task but stop nothing."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the warnings that the module shows."""

    @property
    def targets(self) -> tuple[TargetPlan, ...]:
        """Return the plans of the targets."""

    @property
    def before(self) -> Mapping[str, Any]:
        """Return the state before the actions."""

    @property
    def after(self) -> Mapping[str, Any]:
        """Return the state after the actions."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a plan.

    ``failures`` fail the task, unless ``fails`` is false: the result has their message then. ``tolerated``
    ones, of best-effort targets, are only reported. ``state`` holds values by target for the flow's own
    ``result``.
    """

    performed: tuple[ActionLike, ...] = ()
    failures: tuple[Failure, ...] = ()
    tolerated: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    state: Mapping[Target, Any] = field(default_factory=dict)
    fails: bool = True


@dataclass(frozen=True)
class Reported:
    """The part of a result that comes from its report; ``replaced`` are the keys that it replaces.

    ``failures`` are those to write or upload it. ``diff`` is that of its content.
    """

    values: Mapping[str, Any]
    replaced: Collection[str] = ()
    actions: tuple[ActionLike, ...] = ()
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    diff: Mapping[str, Any] | None = None


class OpenReportLike(Protocol):
    """The report of a run; ``reports.flow_result`` makes it."""

    def find_bucket(self, clients: Any) -> None:
        """Read what is known of the bucket for the upload; raise ``ValidationError`` if it is unfit."""

    def write(self, result: Mapping[str, Any]) -> Reported:
        """Write and upload it."""


class ReportingLike(Protocol):
    """The way in which a module reports its result."""

    def open(self, options: Any, page: Mapping[str, str], /) -> OpenReportLike:
        """Return the report to be made; raise ``ValidationError`` if its place cannot be written."""


def diff_by_change(plan: PlanLike, changes: Iterable[Change] | None = None) -> dict[str, Any]:
    """Return the diff as a text in Ansible's form, with the states before and after.

    Ansible displays none of its other keys, even if the task fails. ``changes`` are those of the actions
    unless they are given.
    """
    shown_changes = changes_of(plan.targets) if changes is None else changes
    text = format_changes(shown_changes, [one.target for one in plan.targets])
    return {"prepared": text, "state_after": plan.after, "state_before": plan.before}


@dataclass(frozen=True)
class Flow(Generic[OptionsT, StateT]):
    """The options and the functions of one module.

    ``options`` is the class of the options. ``read`` raises ``ValidationError`` for a state without a plan.
    ``result`` gets an empty ``Outcome`` in check mode. ``clients`` are AWS's. A flow that does not need AWS
    gets None, unless its option ``report_s3_uri`` is set: where a report is uploaded, AWS is called.
    A flow that only reads is also applied in check mode, so that what fails there fails the task as well.
    ``diff`` is made in diff mode, from this verbosity on. ``report`` is for a module that can report its
    result. The page of the report is made of files, whose texts by name the action attaches to the module:
    those of the folder ``attaches`` of ``plugin_utils``. Ansible itself packs only Python with a module.
    ``policy`` is the section of docs/iam/README.md with the permissions that the module needs.
    ``explain_nothing_done`` gets the result, and returns why a run fails that has reached no target although
    all that failed is best effort; empty for other runs.
    """

    options: type[OptionsT]
    read: Callable[[Any, OptionsT], StateT]
    plan: Callable[[OptionsT, StateT], PlanLike]
    apply: Callable[[Any, OptionsT, StateT, Any, Report], Outcome]
    result: Callable[[OptionsT, StateT, Any, Outcome], dict[str, Any]]
    needs_aws: bool = True
    only_reads: bool = False
    diff: Callable[[OptionsT, StateT, Any], dict[str, Any]] = lambda _options, _state, plan: diff_by_change(
        plan
    )
    diff_verbosity: int = 0
    attaches: str = ""
    report: ReportingLike | None = None
    policy: str = ""
    explain_nothing_done: Callable[[OptionsT, Mapping[str, Any]], str] = lambda _options, _result: ""

    @property
    def takes_credentials(self) -> bool:
        """Whether the module has the options of amazon.aws."""
        spec = self.options.argument_spec()
        return self.needs_aws or any(
            _UPLOAD in names for names in (spec, *map(options_within, spec.values()))
        )

    def calls_aws(self, given: Mapping[str, Any]) -> bool:
        """Whether a run with these options calls AWS, or may: a mapping in text is not read yet."""
        spec = self.options.argument_spec()
        uploads = any(value for name, _fields, value in _list_options(spec, given) if name == _UPLOAD)
        may_upload = any(
            _UPLOAD in options_within(fields) and isinstance(given.get(name), str) and given[name]
            for name, fields in spec.items()
        )
        return self.needs_aws or uploads or may_upload


def _list_options(
    spec: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any], Any]]:
    """Yield the name, the fields and the value of each option, and of each one of another module in it."""
    for name, fields in spec.items():
        value = given.get(name)
        yield name, fields, value
        if isinstance(value, Mapping):
            yield from _list_options(options_within(fields), value)


def change_nothing(*_values: object) -> Outcome:
    """Return an empty outcome: the ``apply`` of a flow whose plans never have actions."""
    return Outcome()


def check_flow(
    options: type[OptionsT], check: Callable[[Any, OptionsT], None] = lambda _clients, _options: None
) -> Flow[OptionsT, None]:
    """Return a flow that only validates options, and refuses what ``check`` does: it needs no AWS."""
    return Flow(
        options,
        check,
        plan=lambda _options, _state: Plan(()),
        apply=change_nothing,
        result=lambda *_values: {},
        needs_aws=False,
    )


def read_parameters(
    options: type[Options], given: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Failure, ...]]:
    """Return the parameters that a module with these options makes of the given ones, and what it refuses.

    None is required, since some have their values from results of earlier steps.
    """
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    spec = {name: {**fields, "required": False} for name, fields in options.argument_spec().items()}
    read, unreadable = read_options(options_of(spec), given, parse_yaml)
    validation = ArgumentSpecValidator(spec).validate(read)
    errors = validation.error_messages
    lines = validation_message(errors[0], errors, given, spec).splitlines() if errors else []
    refused = [invalid_option(line.partition(":")[0], line, "") for line in lines]
    return validation.validated_parameters, (*unreadable, *refused)


def run(flow: Flow[Any, Any]) -> None:
    """Run the module."""
    from ansible.module_utils.basic import AnsibleModule

    _run(flow, _make_module(flow, AnsibleModule, flow.takes_credentials))


def run_here(
    flow: Flow[Any, Any], arguments: Mapping[str, Any], with_invocation: bool = False
) -> dict[str, Any]:
    """Return the result of a module that runs in this process.

    Ansible would pack the module's source files, start a Python, and compile and import them there, which
    takes longer than most modules run. ``arguments`` are the options and Ansible's own, such as
    ``_ansible_check_mode``. They are not logged. The result has the options as ``invocation`` if that is
    asked for.
    """
    from ansible.module_utils.basic import AnsibleModule

    class Here(AnsibleModule):  # type: ignore[misc]
        """A module whose options are ``arguments``, and whose exits return to the caller."""

        def _load_params(self) -> None:
            self.params = {name: _wrap_uncopied(value) for name, value in arguments.items()}
            self.params["_ansible_no_log"] = True

        def exit_json(self, **result: Any) -> None:
            if with_invocation:
                result = {"invocation": {"module_args": self.params}, **result}
            raise _ModuleEnd(
                {name: _remove_secrets(self.no_log_values, value) for name, value in result.items()}
            )

        def fail_json(self, msg: str, **result: Any) -> None:
            Here.exit_json(self, **{**result, "failed": True, "msg": msg})

    try:
        _run(flow, _make_module(flow, Here, _uses_credentials(flow, arguments)))
    except _ModuleEnd as ended:
        return ended.result
    raise AssertionError("The module has ended without a result.")


def _remove_secrets(secrets: Collection[str], value: Any) -> Any:
    """Return a value of a result as ``remove_values`` of Ansible returns it.

    That copies each part of it, which takes a fifth of the CPU time of a large audit. Most values have no
    secret. JSON encodes a text character by character: that of a text with a secret has the secret's own.
    """
    from ansible.module_utils.common.parameters import remove_values

    if not secrets:
        return value
    try:
        text = json.dumps(value, ensure_ascii=False)
    except TypeError:
        return remove_values(value, secrets)
    has_secret = any(json.dumps(secret, ensure_ascii=False)[1:-1] in text for secret in secrets)
    return remove_values(value, secrets) if has_secret else value


def preload() -> None:
    """Import boto3 and read botocore's models for modules in this process and its forks."""
    from ._aws import clients

    with _without_collections():
        _import_aws_module()
        clients.preload()


class _Uncopied(dict[str, Any]):
    """A mapping that ``deepcopy`` does not copy."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Uncopied:
        return self


def _wrap_uncopied(value: Any) -> Any:
    """Return the value of an option so that Ansible does not copy it: a large audit takes seconds."""
    return _Uncopied(value) if isinstance(value, dict) else value


class _ModuleEnd(BaseException):
    """The end of a module in this process, as SystemExit is that of a module in its own."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(result)
        self.result = result


def _uses_credentials(flow: Flow[Any, Any], arguments: Mapping[str, Any]) -> bool:
    """Whether the module calls AWS with these arguments, or has options of amazon.aws among them.

    Without, boto3 need not be imported to know the options of amazon.aws.
    """
    others = {name for name in arguments if not name.startswith("_")} - flow.options.argument_spec().keys()
    return flow.takes_credentials and (flow.calls_aws(arguments) or bool(others))


def _make_module(flow: Flow[Any, Any], base: Any, takes_credentials: bool) -> Any:
    spec = flow.options.argument_spec()
    rules = flow.options.argument_rules
    module_class = _find_module_class(base, spec, takes_credentials)
    # Otherwise, amazon.aws's module class fails without boto3.
    if takes_credentials and not flow.needs_aws:
        rules = {**rules, "check_boto3": False}
    return module_class(argument_spec=spec, supports_check_mode=True, **rules)


def _run(flow: Flow[Any, Any], module: Any) -> None:
    report: OpenReportLike | None = None
    warnings: list[str] = []
    try:
        options = flow.options.read(module.params, module.check_mode)
        if flow.report:
            report = flow.report.open(options, module.attached)
        result = _run_flow(flow, module, options, report, warnings)
    except ValidationError as refused:
        result = {"failed": True, **refusal(refused.failures, _name_policy(flow, refused.failures))}
    except Exception as exception:
        # The report of an earlier run would look like that of this one.
        if report:
            report.write({"failed": True, "msg": f"{type(exception).__name__}: {exception}"})
        raise
    if report:
        with _without_collections():
            result = _write_report(module, result, report, warnings)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


def _run_flow(
    flow: Flow[Any, Any],
    module: Any,
    options: Any,
    report: OpenReportLike | None,
    warnings: list[str],
) -> dict[str, Any]:
    """Read, plan and apply, and return the result, with ``msg`` if something failed.

    ``warnings`` gets the warnings that are shown.

    Raises:
        ValidationError: nothing was changed.
    """
    clients = _connect(module) if flow.calls_aws(module.params) else None
    if report:
        report.find_bucket(clients)
    state = flow.read(clients, options)
    with _without_collections():
        plan = flow.plan(options, state)
    if plan.refusals:
        raise ValidationError(plan.refusals)
    if module.check_mode and not flow.only_reads:
        outcome = Outcome()
    else:
        outcome = flow.apply(
            clients, options, state, plan, reporter(module.params.get("progress_path"), warn)
        )
    warnings += _warn((*plan.warnings, *outcome.warnings))
    tolerated = [_render_failure(failure) for failure in (*plan.tolerated, *outcome.tolerated)]
    if tolerated:
        warnings += _warn([f"Best-effort regions skipped: {summary(tolerated)}"])
    failures = [_render_failure(failure) for failure in (*plan.failures, *outcome.failures)]
    actions = plan.actions if module.check_mode else outcome.performed
    with _without_collections():
        own = flow.result(options, state, plan, outcome)
    result: dict[str, Any] = {
        **own,
        "actions": _list_once(actions),
        "changed": bool(actions),
        "failures": [failure.to_dict() for failure in (*failures, *tolerated)],
    }
    if module._diff and module._verbosity >= flow.diff_verbosity:
        result["diff"] = flow.diff(options, state, plan)
    if failures:
        in_regions = any(failure.region for failure in outcome.failures)
        rerun = [_RERUN] if in_regions and not flow.only_reads else []
        result["msg"] = "\n".join([summary(failures), *_name_policy(flow, failures), *rerun])
        result["failed"] = outcome.fails
    return _fail_if_nothing_done(result, flow.explain_nothing_done(options, result))


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """Let Python not look for cycles of references in values, which have none.

    It would look at all of them again for each quarter that is added: of ten thousand images, a third of the
    CPU time from the last call to the end.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _fail_if_nothing_done(result: dict[str, Any], explanation: str) -> dict[str, Any]:
    """Return the result; one that has not failed fails with the explanation, if there is one."""
    if not explanation or result.get("failed"):
        return result
    lines = [result["msg"], explanation] if "msg" in result else [explanation]
    return {**result, "failed": True, "msg": "\n".join(lines)}


def _list_once(actions: Iterable[ActionLike]) -> list[dict[str, Any]]:
    """Return the actions in their order, repeated ones once: a key gets a grant for each of many accounts."""
    counts = Counter(tuple(action.to_dict().items()) for action in actions)
    return [{**dict(action), **({"count": count} if count > 1 else {})} for action, count in counts.items()]


def _write_report(
    module: Any, result: dict[str, Any], report: OpenReportLike, warnings: list[str]
) -> dict[str, Any]:
    """Write the report of a result, and return the result with it."""
    reported = report.write({"failed": False, **result, "warnings": warnings})
    _warn(reported.warnings)
    failures = [_render_failure(failure) for failure in reported.failures]
    report_failures = [failure.to_dict() for failure in failures]
    with_report: dict[str, Any] = {
        **{name: value for name, value in result.items() if name not in reported.replaced},
        **reported.values,
        "actions": [*result.get("actions", ()), *_list_once(reported.actions)],
        "changed": result["changed"] or bool(reported.actions),
        "failures": [*result["failures"], *report_failures],
        "report_failures": report_failures,
    }
    if failures:
        messages = [result["msg"]] if "msg" in result else []
        with_report["msg"] = "\n".join([*messages, summary(failures)])
        with_report["failed"] = True
    # It repeats what is displayed anyway.
    if reported.diff and module._diff and module._verbosity >= 1:
        with_report["diff"] = {**result.get("diff", {}), **reported.diff}
    return with_report


def _warn(warnings: Iterable[str]) -> list[str]:
    """Show warnings, and return them as they are shown."""
    texts = [escape_invisible(warning) for warning in warnings]
    for text in texts:
        warn(text)
    return texts


def _list_secrets(spec: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> list[str]:
    each = _list_options(spec, given)
    return [str(value) for _name, fields, value in each if fields.get("no_log") and value]


def _name_policy(flow: Flow[Any, Any], failures: Iterable[Failure]) -> list[str]:
    """Return a sentence with the policy to compare with, if AWS denies something."""
    # The remedy of AssumeRole names what a role needs to be assumed.
    is_denied = any(
        one.source == "aws" and one.error_code in DENIED and one.action != "AssumeRole" for one in failures
    )
    if not is_denied or not flow.policy:
        return []
    policy = f"docs/iam/README.md#{flow.policy} has a policy with all actions: AWS names one at a time."
    return [f"{policy} {_CHECK}" if flow.policy in _OF_A_DISTRIBUTION else policy]


def refusal(refusals: Iterable[Failure], more: Iterable[str] = ()) -> dict[str, Any]:
    """Return the result of a task that is refused; ``more`` are sentences about all failures."""
    failures = [_render_failure(failure) for failure in refusals]
    return {
        "msg": "\n".join([summary(failures), *more, NOTHING_CHANGED]),
        "changed": False,
        "failures": [failure.to_dict() for failure in failures],
    }


def _render_failure(failure: Failure) -> Failure:
    """Return the failure as the user reads it: without invisible characters."""
    message, remedy = map(escape_invisible, (failure.message, failure.remedy))
    return replace(failure, message=message, remedy=remedy)


def _find_module_class(base: Any, argument_spec: Mapping[str, Any], takes_credentials: bool) -> Any:
    module_class = _make_module_class(base, argument_spec)
    # Imported only if needed: the import of boto3 takes longer than a module without AWS runs.
    if takes_credentials:
        aws_module = _import_aws_module()
        aws_module.default_settings["module_class"] = module_class
        return aws_module
    return module_class


def _import_aws_module() -> Any:
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

    return AnsibleAWSModule


def _make_module_class(base: Any, argument_spec: Mapping[str, Any]) -> Any:
    """Return the module class that reads the options of ``argument_spec`` as roles read variables."""

    class Module(base):  # type: ignore[misc]
        """A module that fails for options that it cannot read, and names each value as the user wrote it."""

        params: dict[str, Any]
        attached: Mapping[str, str]
        unreadable: tuple[Failure, ...] = ()

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            # Only now does it know the secrets that its result must not have.
            if self.unreadable:
                self._refuse_options()

        def _load_params(self) -> None:
            super()._load_params()
            self.attached = self.params.pop(ATTACHED, {})
            self.as_given = dict(self.params)
            self.params, self.unreadable = read_options(options_of(argument_spec), self.params, parse_yaml)
            # Ansible knows those that are options itself, and logs the parameters without them.
            self.no_log_values.update(_list_secrets(argument_spec, self.params))

        def _refuse_options(self) -> None:
            self.fail_json(**refusal(self.unreadable))

        def exit_json(self, **result: Any) -> None:
            _hide_secrets(self, argument_spec)
            _leave_out_results(self)
            super().exit_json(**result)

        def fail_json(self, msg: Any, **result: Any) -> None:
            # The runner's own failures have a list of them.
            if "failures" not in result:
                # What Ansible's validation lacks may be an option that could not be read.
                if self.unreadable:
                    self._refuse_options()
                validation = getattr(self, "validation_result", None)
                errors = list(validation.error_messages) if validation else []
                msg = validation_message(str(msg), errors, self.as_given, self.argument_spec)
            _hide_secrets(self, argument_spec)
            _leave_out_results(self)
            super().fail_json(msg=escape_invisible(str(msg)), **result)

    return Module


def _hide_secrets(module: Any, argument_spec: Mapping[str, Any]) -> None:
    """Leave options with no_log out of the invocation, and let Ansible change no other value.

    Ansible would replace their values everywhere, also as a part of another value: an external ID such as
    12345 in account IDs, ARNs and AMI IDs, which the next tasks read, and golden in the role golden-consumer.
    An external ID is no secret (IAM User Guide, "Access to AWS accounts owned by third parties"), and no
    value in a result comes from it. Messages may quote it.
    """
    module.no_log_values.difference_update(_list_secrets(argument_spec, module.params))
    module.params = _hide_values(argument_spec, module.params)


def _hide_values(spec: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    hidden = {name: _HIDDEN for name, fields in spec.items() if fields.get("no_log") and given.get(name)}
    within = {
        name: _hide_values(options_within(fields), given[name])
        for name, fields in spec.items()
        if options_within(fields) and isinstance(given.get(name), Mapping)
    }
    return {**given, **hidden, **within}


def _leave_out_results(module: Any) -> None:
    """Leave the results of earlier tasks out of the invocation, because they can be large."""
    module.params = {
        name: value for name, value in module.params.items() if not name.endswith(_EARLIER_RESULTS)
    }


def _connect(module: Any) -> Any:
    from ansible.module_utils.basic import missing_required_lib
    from ansible_collections.amazon.aws.plugins.module_utils.botocore import (
        HAS_BOTO3,
        get_aws_connection_info,
    )

    from ._aws.clients import Clients, Connection
    from ._aws.errors import BotoCoreError, failure

    if not HAS_BOTO3:
        module.fail_json(msg=missing_required_lib("botocore and boto3"))
    module.require_botocore_at_least(OLDEST_BOTOCORE, reason="to read all that AWS returns")
    region, endpoint_url, parameters = get_aws_connection_info(module)
    keys = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    connection = Connection(
        credentials={key: parameters[key] for key in keys if parameters.get(key)},
        profile_name=parameters.get("profile_name"),
        region=region,
        endpoint_url=endpoint_url,
        verify=parameters.get("verify"),
        config=parameters.get("aws_config"),
        max_calls_per_second=module.params.get("max_calls_per_second"),
    )
    try:
        return Clients(connection)
    except BotoCoreError as exception:
        # There is no such profile, or the files of the AWS CLI cannot be read.
        raise ValidationError([failure(exception, None, "profile")]) from exception
