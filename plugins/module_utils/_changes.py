# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render a diff by change: what is the same in many targets is one line."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ._causes import MOST_NAMED
from ._listing import count, join_texts
from ._model import PUBLIC, Target
from ._plan import KNOWN_AFTER_APPLY, Action, TargetPlan
from ._variables import ACCOUNT_ID
from ._wording import escape_invisible

ADDED, REMOVED, REPLACED = "+", "-", "~"
# The width of a terminal, and the most lines of a diff.
_WIDTH = 80
_MOST_LINES = 200
# So many resources, places and tags are named, more are counted.
_NAMED = 3
_ACCOUNT = re.compile(r"arn:[\w-]+:iam::([0-9]{12}):root|([0-9]{12})")
_PRINCIPAL = re.compile(r"arn:[\w-]+:(?:iam|sts|organizations)::[^\"\s]+|(?<![:\w])[0-9]{12}(?![:\w])")


@dataclass(frozen=True)
class Change:
    """A change in one target. ``sign`` is ``+``, ``-`` or ``~``.

    ``noun`` is the kind of the changed ``resources``. They follow ``text`` by ID, or counted if many.
    ``consumers`` are the principals that get or lose access. A resource of None does not exist yet.
    """

    target: Target | None
    sign: str
    text: str
    noun: str = ""
    resources: tuple[str | None, ...] = ()
    consumers: tuple[str, ...] = ()


def format_changes(changes: Iterable[Change], targets: Collection[Target]) -> str:
    """Return the text of a diff, empty without changes. ``targets`` are all targets of the plan."""
    lines = list(_lines(_merge(changes), frozenset(targets)))
    more = [f"{len(lines) - _MOST_LINES} more changes"] if len(lines) > _MOST_LINES else []
    rows = [row for line in (*lines[:_MOST_LINES], *more) for row in _wrap(line)]
    return "".join(f"{row}\n" for row in rows)


def changes_of(targets: Iterable[TargetPlan]) -> Iterator[Change]:
    """Yield the changes that the actions of the targets make."""
    for planned in targets:
        for action in _once_by_key(planned):
            yield from changes_by(action, planned)


def _once_by_key(planned: TargetPlan) -> Iterator[Action]:
    """Yield the actions, of those that revoke grants on a key the first: they have the same changes.

    Unless the states show no grant that is revoked. A key can lose the grants of a thousand accounts.
    """
    are_shown: dict[str, bool] = {}
    for action in planned.actions:
        if action.operation == "RevokeGrant":
            key = action.parameters["KeyId"]
            if are_shown.get(key):
                continue
            are_shown.setdefault(key, bool(_revoked_grants(planned, key)))
        yield action


def changes_by(action: Action, planned: TargetPlan) -> Iterator[Change]:
    """Yield the changes that one action makes."""
    if by_states := _CHANGES_OF_STATES.get(action.operation):
        changes = by_states(action, planned)
    else:
        changes = _CHANGES.get(action.operation, _of_other)(action)
    yield from (replace(change, target=action.target) for change in changes)


def consumers_text(consumers: Collection[str]) -> str:
    """Return consumers by name, or their number if there are many."""
    accounts = [consumer for consumer in consumers if ACCOUNT_ID.fullmatch(consumer)]
    if PUBLIC in consumers:
        return "all AWS accounts (public)"
    if len(consumers) <= MOST_NAMED:
        return ", ".join(consumers)
    others = len(consumers) - len(accounts)
    counts = ((len(accounts), "account"), (others, "principal"))
    return " and ".join(count(number, noun) for number, noun in counts if number)


def _merge(changes: Iterable[Change]) -> Iterator[Change]:
    """Yield the changes of each target, merged first by resource, then by consumers."""
    by_resource: dict[Any, dict[str, None]] = {}
    for change in changes:
        key = (change.target, change.sign, change.text, change.noun, change.resources)
        by_resource.setdefault(key, {}).update(dict.fromkeys(change.consumers))
    by_consumers: dict[Any, list[str | None]] = {}
    for (target, sign, text, noun, resources), consumers in by_resource.items():
        by_consumers.setdefault((target, sign, text, noun, tuple(consumers)), []).extend(resources)
    for (target, sign, text, noun, consumers), merged in by_consumers.items():
        yield Change(target, sign, text, noun, tuple(merged), consumers)


def _lines(changes: Iterable[Change], targets: frozenset[Target]) -> Iterator[str]:
    """Yield a line for each change; changes with the same text share one."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        groups.setdefault((change.sign, _common_text(change)), []).append(change)
    for (sign, text), members in groups.items():
        changed = [change.target for change in members if change.target is not None]
        line = _own_text(members[0]) if len(members) == 1 else _counted_text(members[0])
        # Names that have the region in them differ, and those of the first one stand for all.
        example = _name_example(changed) if len(members) > 1 and line != text else ""
        place = f"{_place(changed, targets)}{example}: " if changed else ""
        yield f"{place}{sign} {line}"


def _name_example(changed: Sequence[Target]) -> str:
    """Return the first target, empty without one."""
    if not changed:
        return ""
    several_accounts = len({target.account_id for target in changed}) > 1
    return f", such as {_name(changed[0], several_accounts)}"


def _common_text(change: Change) -> str:
    """Return the text without what differs by target."""
    text = _counted_text(change)
    for name in (change.target.region, change.target.account_id) if change.target else ():
        text = text.replace(name, "<name>")
    return text


def _counted_text(change: Change) -> str:
    """Return the text with the number of the resources."""
    number = len(change.resources)
    subject = _subject(change) if change.noun and (number > 1 or not change.consumers) else ""
    return _with_subject(change, subject)


def _own_text(change: Change) -> str:
    """Return the text with the resources by their IDs, if these are few and known."""
    known = [resource for resource in change.resources if resource]
    if known and len(known) == len(change.resources) <= _NAMED:
        return _with_subject(change, ", ".join(map(_id, known)))
    return _with_subject(change, _subject(change) if change.noun else "")


def _subject(change: Change) -> str:
    """Return the number of the resources, or words for the ID that a value is set to."""
    if change.text.endswith("="):
        return f"ID of the region's {change.noun}"
    return count(len(change.resources), change.noun)


def _with_subject(change: Change, subject: str) -> str:
    on = f"{'on ' if change.consumers else ''}{subject}" if subject else ""
    access = f"for {consumers_text(change.consumers)}" if change.consumers else ""
    return escape_invisible(" ".join(part for part in (change.text, on, access) if part))


def _place(changed: Sequence[Target], targets: frozenset[Target]) -> str:
    """Return the targets by name, as all but some, or as a number."""
    accounts = {target.account_id for target in targets}
    regions = {target.region for target in changed}
    names = [_name(target, len(accounts) > 1) for target in changed]
    if len(names) <= _NAMED:
        return ", ".join(names)
    number = f"{len(regions)} regions"
    if len(accounts) > 1:
        number = f"{count(len({target.account_id for target in changed}), 'account')} in {number}"
    missing = sorted(_name(target, len(accounts) > 1) for target in targets - set(changed))
    if not missing:
        return number
    if len(missing) <= _NAMED:
        return f"{number} (not {', '.join(missing)})"
    return f"{number} ({join_texts(names, _NAMED)})"


def _name(target: Target, with_account: bool) -> str:
    return f"{target.account_id} {target.region}" if with_account else target.region


def _wrap(line: str) -> list[str]:
    return textwrap.wrap(line, _WIDTH, subsequent_indent="    ", break_on_hyphens=False)


def _of_copy(action: Action) -> Iterator[Change]:
    request = action.parameters
    encrypted = ", encrypted" if request.get("Encrypted") else ""
    source = f"{request['SourceImageId']} from {request['SourceRegion']}"
    yield _change(ADDED, f"copy of {source} as {request['Name']}{encrypted}")


def _of_launch_permission(action: Action) -> Iterator[Change]:
    permission = action.parameters["LaunchPermission"]
    yield from _sharing("launch permission", "image", action, permission)


def _of_volume_permission(action: Action) -> Iterator[Change]:
    permission = action.parameters["CreateVolumePermission"]
    yield from _sharing("create volume permission", "snapshot", action, permission)


def _sharing(text: str, noun: str, action: Action, permission: Mapping[str, Any]) -> Iterator[Change]:
    for sign, key in ((ADDED, "Add"), (REMOVED, "Remove")):
        if entries := permission.get(key):
            consumers = tuple(str(value) for entry in entries for value in entry.values())
            yield _change(sign, text, noun, action.resource, consumers)


def _of_tags(sign: str) -> Callable[[Action], Iterator[Change]]:
    def of_tags(action: Action) -> Iterator[Change]:
        text = _tags_text(action.parameters["Tags"])
        for resource in action.parameters.get("Resources", [action.parameters.get("ResourceId")]):
            yield _change(sign, text, _noun(resource), resource)

    return of_tags


def _tags_text(tags: Sequence[Mapping[str, str]]) -> str:
    texts = [tag["Key"] + (f"={tag['Value']}" if "Value" in tag else "") for tag in tags]
    return f"{'tag' if len(tags) == 1 else 'tags'} {join_texts(texts, _NAMED)} on"


def _of_new_grant(action: Action) -> Iterator[Change]:
    consumer = _account(action.parameters["GranteePrincipal"])
    yield _change(ADDED, "KMS grant", "key", action.parameters["KeyId"], (consumer,))


def _of_revoked_grant(action: Action, planned: TargetPlan) -> Iterator[Change]:
    """Yield the principals whose grants on the key the plan revokes, if the state shows them."""
    key = action.parameters["KeyId"]
    revoked = _revoked_grants(planned, key)
    if revoked:
        consumers = tuple(sorted({_account(grantee) for grantee, _operations in revoked}))
        yield _change(REMOVED, "KMS grant", "key", key, consumers)
    else:
        yield _change(REMOVED, "revoke", "KMS grant", action.parameters["GrantId"])


def _revoked_grants(planned: TargetPlan, key: str) -> frozenset[tuple[str, tuple[str, ...]]]:
    return _grants(planned.before.get(key)) - _grants(planned.after.get(key))


def _grants(view: Any) -> frozenset[tuple[str, tuple[str, ...]]]:
    grants = view.get("grants", ()) if isinstance(view, Mapping) else ()
    return frozenset(
        (grantee, tuple(grant["operations"])) for grant in grants for grantee in grant["grantees"]
    )


def _of_key_policy(action: Action, planned: TargetPlan) -> Iterator[Change]:
    """Yield the principals that the policy's statements of this collection get or lose."""
    key = action.parameters["KeyId"]
    before, after = _principals(planned.before.get(key)), _principals(planned.after.get(key))
    for sign, consumers in ((ADDED, after - before), (REMOVED, before - after)):
        if consumers:
            yield _change(sign, "key policy", "key", key, tuple(sorted(consumers)))
    if before == after:
        yield _change(REPLACED, "key policy of", "key", key)


def _principals(view: Any) -> frozenset[str]:
    statements = view.get("policy_statements") if isinstance(view, Mapping) else None
    return frozenset(_account(principal) for principal in _PRINCIPAL.findall(" ".join(_texts(statements))))


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in the values of a JSON value."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _of_parameter(action: Action, planned: TargetPlan) -> Iterator[Change]:
    name = action.parameters["Name"]
    sign = REPLACED if planned.before.get("parameter") else ADDED
    value = action.parameters["Value"]
    yield _change(sign, f"parameter {name} =", "image", None if value == KNOWN_AFTER_APPLY else value)
    if tags := action.parameters.get("Tags"):
        yield _change(ADDED, _tags_text(tags), "parameter", name)


def _of_template_version(action: Action) -> Iterator[Change]:
    base = action.parameters["SourceVersion"]
    yield _change(ADDED, f"version based on version {base} of", "launch template", action.resource)


def _of_default_version(action: Action) -> Iterator[Change]:
    number = action.parameters["DefaultVersion"]
    known = "" if number == KNOWN_AFTER_APPLY else f"{number} "
    yield _change(REPLACED, f"default version {known}of", "launch template", action.resource)


def _of_disabled_image(action: Action, planned: TargetPlan) -> Iterator[Change]:
    """Yield that the image is disabled, and who loses it by that, if the states show it.

    AWS removes the launch permissions of an image that is disabled (EC2 API Reference, DisableImage).
    """
    yield from _of_other(action)
    image = planned.before.get("images", {}).get(action.resource, {})
    launch = image.get("launch_permissions", {})
    consumers = [name for key in ("account_ids", "org_arns", "org_unit_arns") for name in launch.get(key, ())]
    consumers += [PUBLIC] if launch.get("public") else []
    if consumers:
        yield _change(REMOVED, "launch permission", "image", action.resource, tuple(consumers))


def _of_instance_refresh(action: Action, planned: TargetPlan) -> Iterator[Change]:
    """Yield the replacement of a group's instances, and the new version of its launch template."""
    before, after = (
        state["auto_scaling_groups"][action.resource] for state in (planned.before, planned.after)
    )
    images = [
        ", ".join(f"{number} x {image}" for image, number in state["images"].items())
        for state in (before, after)
    ]
    yield _change(REPLACED, f"instances of group {action.resource}: {images[0]} -> {images[1]}")
    versions = [state["launch_template_version"] for state in (before, after)]
    if versions[0] != versions[1]:
        yield _change(
            REPLACED, f"launch template version of group {action.resource}: {versions[0]} -> {versions[1]}"
        )


def _of_resource_share(action: Action) -> Iterator[Change]:
    """Yield the principals that get or lose a parameter; none if only the parameter is added again."""
    consumers = tuple(action.parameters.get("principals", ()))
    sign = REMOVED if action.operation == "DisassociateResourceShare" else ADDED
    yield _change(sign, f"share {action.resource} through AWS RAM", consumers=consumers)


def _of_labels(sign: str) -> Callable[[Action], Iterator[Change]]:
    def of_labels(action: Action) -> Iterator[Change]:
        yield _change(sign, f"label {', '.join(action.parameters['Labels'])} on {action.parameters['Name']}")

    return of_labels


def _of_other(action: Action) -> Iterator[Change]:
    sign, text, noun = _OTHERS.get(action.operation, (REPLACED, action.operation, "resource"))
    yield _change(sign, text, noun, action.resource)


_OTHERS = {
    "CreateImageUsageReport": (ADDED, "usage report of", "image"),
    "DeleteResourceShare": (REMOVED, "delete the resource share of", "parameter"),
    "DeleteSnapshot": (REMOVED, "delete", "snapshot"),
    "DeregisterImage": (REMOVED, "deregister", "image"),
    "DisableImage": (REMOVED, "disable", "image"),
    "DisableImageDeprecation": (REMOVED, "deprecation of", "image"),
    "EnableImage": (ADDED, "enable", "image"),
    "EnableImageDeprecation": (ADDED, "deprecate", "image"),
    "RestoreImageFromRecycleBin": (ADDED, "restore from the Recycle Bin", "image"),
    "RestoreSnapshotFromRecycleBin": (ADDED, "restore from the Recycle Bin", "snapshot"),
    "RunInstances": (ADDED, "launch", "instance"),
    "TerminateInstances": (REMOVED, "terminate", "instance"),
}
_CHANGES: Mapping[str, Callable[[Action], Iterator[Change]]] = {
    "AddTagsToResource": _of_tags(ADDED),
    "AssociateResourceShare": _of_resource_share,
    "CopyImage": _of_copy,
    "CreateGrant": _of_new_grant,
    "CreateLaunchTemplateVersion": _of_template_version,
    "CreateResourceShare": _of_resource_share,
    "CreateTags": _of_tags(ADDED),
    "DeleteTags": _of_tags(REMOVED),
    "DisassociateResourceShare": _of_resource_share,
    "LabelParameterVersion": _of_labels(ADDED),
    "ModifyImageAttribute": _of_launch_permission,
    "ModifyLaunchTemplate": _of_default_version,
    "ModifySnapshotAttribute": _of_volume_permission,
    "UnlabelParameterVersion": _of_labels(REMOVED),
}

# What these change follows from the target's states only.
_CHANGES_OF_STATES: Mapping[str, Callable[[Action, TargetPlan], Iterator[Change]]] = {
    "DisableImage": _of_disabled_image,
    "PutKeyPolicy": _of_key_policy,
    "PutParameter": _of_parameter,
    "RevokeGrant": _of_revoked_grant,
    "StartInstanceRefresh": _of_instance_refresh,
}


def _change(
    sign: str, text: str, noun: str = "", resource: str | None = None, consumers: tuple[str, ...] = ()
) -> Change:
    return Change(None, sign, text, noun, (resource,) if noun else (), consumers)


def _account(principal: str) -> str:
    """Return the account of a principal that stands for it, else the principal itself."""
    match = _ACCOUNT.fullmatch(principal)
    return (match[1] or match[2]) if match else principal


def _noun(resource: str | None) -> str:
    kinds = {"ami": "image", "snap": "snapshot", "i": "instance"}
    return kinds.get((resource or "ami-").split("-", 1)[0], "parameter")


def _id(resource: str) -> str:
    """Return the ID of a resource; of a key's ARN, the part that is particular to the key."""
    return resource.rpartition(":key/")[2]
