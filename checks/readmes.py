# SPDX-License-Identifier: GPL-3.0-or-later
"""The README of each role, generated from the declarations of its variables.

python -m checks.readmes    write them
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from antsibull_docs_parser import dom
from antsibull_docs_parser.parser import Context, parse

from checks.commands import CheckError
from checks.paths import CHECKOUT
from checks.variables import Role, roles

Option = Mapping[str, Any]

# The guide of each role, below docs/.
GUIDES = {
    "adoption": "adoption.md",
    "audit": "auditing.md",
    "cleanup": "cleanup.md",
    "diagnose": "diagnosing.md",
    "monitor": "monitoring.md",
    "publish": "publishing.md",
    "remediate": "remediating.md",
    "recall": "recalling.md",
    "refresh": "refreshing.md",
    "restore": "restoring.md",
    "rollback": "publishing.md",
    "unshare": "remediating.md#take-everything-from-an-account-that-leaves",
    "verify": "verifying.md",
}

# What each example sets: what the role requires, and what most users set.
_IMAGES = "{ us-east-1: ami-0123456789abcdef0, eu-west-1: ami-0fedcba9876543210 }"
_ACCOUNTS = '["012345678901", "123456789012"]'
_REGIONS = "[us-east-1, eu-west-1]"
EXAMPLES = {
    "adoption": f"""\
adoption_family_tag: family
adoption_account_ids: {_ACCOUNTS}
adoption_consumer_role_name: golden-consumer""",
    "audit": f"audit_allowed_account_ids: {_ACCOUNTS}",
    "cleanup": """\
cleanup_family_tag: family
cleanup_keep_latest: 3
cleanup_deprecate_after_days: 0""",
    "diagnose": f"diagnose_images: {_IMAGES}\ndiagnose_account_ids: {_ACCOUNTS}",
    "distribute": f"""\
distribute_source_image_id: ami-0123456789abcdef0
distribute_source_region: us-east-1
distribute_regions: {_REGIONS}
distribute_account_ids: {_ACCOUNTS}""",
    "monitor": f"monitor_regions: {_REGIONS}\nmonitor_log_group_name: aws-cloudtrail-logs",
    "publish": f"publish_images: {_IMAGES}\npublish_parameter: /golden/web",
    "remediate": f"""\
remediate_allowed_account_ids: {_ACCOUNTS}
remediate_finding_codes: [unknown_account, public, snapshot_public]""",
    "recall": """\
recall_source_image_id: ami-0123456789abcdef0
recall_source_region: us-east-1
recall_parameter: /golden/web
recall_tombstone_s3_uri: s3://golden-images-tombstones/tombstones""",
    "refresh": f"""\
refresh_images: {_IMAGES}
refresh_account_ids: {_ACCOUNTS}
refresh_consumer_role_name: golden-consumer
refresh_auto_scaling_groups: [web, api]""",
    "restore": """\
restore_images: { us-east-1: ami-0123456789abcdef0 }
restore_tombstone_s3_uri: s3://golden-images-tombstones/tombstones""",
    "rollback": f"""\
rollback_parameter: /golden/web
rollback_regions: {_REGIONS}
rollback_source_image_id: ami-0123456789abcdef0""",
    "share": f"share_images: {_IMAGES}\nshare_account_ids: {_ACCOUNTS}",
    "unshare": 'unshare_account_ids: ["012345678901"]\nunshare_all_images: true',
    "verify": f"""\
verify_images: {_IMAGES}
verify_account_ids: {_ACCOUNTS}
verify_consumer_role_name: golden-consumer""",
}


def right_readmes(root: Path) -> dict[Path, str]:
    """Return the text of each role's README, by path."""
    playbooks = _playbooks(root)
    return {
        root / "roles" / role.name / "README.md": _readme(role, playbooks.get(role.name, ()))
        for role in roles(root)
    }


def different(root: Path) -> dict[Path, str]:
    """Return each README that differs from what its role declares, or is not there, with its right text."""
    return {
        path: text
        for path, text in right_readmes(root).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }


def check() -> None:
    """Fail if a README differs from what its role declares.

    Raises:
        CheckError: with the roles.
    """
    if found := different(CHECKOUT):
        names = ", ".join(path.parent.name for path in found)
        raise CheckError(f"README.md of the roles {names} differs from the files in meta: run make format")


def write() -> None:
    """Write each README that differs."""
    for path, text in different(CHECKOUT).items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(CHECKOUT)} written")


def _playbooks(root: Path) -> dict[str, tuple[str, ...]]:
    """The playbooks that run each role."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(root.glob("playbooks/*.yml")):
        for role in re.findall(
            r"\brole: golden\.images\.(\w+)$", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            found[role] = (*found.get(role, ()), path.stem)
    return found


def _readme(role: Role, playbooks: Iterable[str]) -> str:
    parts = [
        f"# golden.images.{role.name}",
        f"{_markdown(role.main['short_description'])}.",
        *map(_markdown, role.main["description"]),
        "## Run it",
        _example(role.name),
        *(f"The playbook `golden.images.{name}` runs this role alone." for name in playbooks),
        "## Variables",
        _table(role.options),
        *_more(role.name),
    ]
    return "\n\n".join(parts) + "\n"


def _example(role: str) -> str:
    variables = textwrap.indent(EXAMPLES[role], 8 * " ")
    return (
        "```yaml\n"
        f"- hosts: localhost\n  gather_facts: false\n  roles:\n    - role: golden.images.{role}\n"
        f"      vars:\n{variables}\n```"
    )


def _more(role: str) -> list[str]:
    reference = f"`ansible-doc --type role golden.images.{role}` shows the same description and variables."
    if role not in GUIDES:
        return [reference]
    return [f"{reference} The guide is [docs/{GUIDES[role]}](../../docs/{GUIDES[role]})."]


def _table(options: Mapping[str, Option]) -> str:
    rows = [
        f"| `{name}` | {_type(option)} | {_default(option)} | {_description(option)} |"
        for name, option in options.items()
    ]
    return "\n".join(["| Variable | Type | Default | Meaning |", "|---|---|---|---|", *rows])


def _type(option: Option) -> str:
    return f"{option['type']} of {option['elements']}" if "elements" in option else str(option["type"])


def _default(option: Option) -> str:
    if option.get("required"):
        return "required"
    if option.get("default") is None:
        return "none"
    return f"`{json.dumps(option['default'])}`"


def _description(option: Option) -> str:
    sentences = [_markdown(text) for text in option["description"]]
    if "choices" in option:
        sentences.append(f"One of {', '.join(f'`{choice}`' for choice in option['choices'])}.")
    return " ".join(sentences).replace("|", r"\|")


def _markdown(text: str) -> str:
    """Ansible's markup as Markdown.

    Raises:
        CheckError: the markup cannot be read.
    """
    return "".join(_part(part) for paragraph in parse([text], Context()) for part in paragraph).strip()


def _part(part: dom.AnyPart) -> str:
    if isinstance(part, dom.ErrorPart):
        raise CheckError(part.message)
    if part.type not in _FORMS:
        raise CheckError(f"{part.source} has no form in Markdown: add it to checks/readmes.py")
    return _FORMS[part.type](part)


def _option(part: Any) -> str:
    return f"`{part.name}`" if part.value is None else f"`{part.name}={part.value}`"


# The markup that specs use; Any, since each kind of part has fields of its own.
_FORMS: dict[dom.PartType, Callable[[Any], str]] = {
    dom.PartType.TEXT: lambda part: re.sub(r"([<*_])", r"\\\1", part.text),
    dom.PartType.CODE: lambda part: f"`{part.text}`",
    dom.PartType.BOLD: lambda part: f"**{part.text}**",
    dom.PartType.ITALIC: lambda part: f"*{part.text}*",
    dom.PartType.LINK: lambda part: f"[{part.text}]({part.url})",
    dom.PartType.URL: lambda part: f"<{part.url}>",
    dom.PartType.MODULE: lambda part: f"`{part.fqcn}`",
    dom.PartType.PLUGIN: lambda part: f"`{part.plugin.fqcn}`",
    dom.PartType.OPTION_NAME: _option,
    dom.PartType.OPTION_VALUE: lambda part: f"`{part.value}`",
    dom.PartType.ENV_VARIABLE: lambda part: f"`{part.name}`",
    dom.PartType.RETURN_VALUE: _option,
}


if __name__ == "__main__":
    write()
