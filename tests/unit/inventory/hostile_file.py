# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.unit.inventory.hostile_file N``: N inventory files, each with an option of any value.

In a process of its own, because Ansible's loader of collections replaces Python's import of them. Prints how
many files are refused with an error of Ansible's, and how many give hosts. Others end the process.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, inventory_loader

NAME = "golden.images.accounts"
OPTIONS = (
    *("hostname", "group_by", "statuses", "include_email", "include_tags", "strict", "compose", "groups"),
    *("keyed_groups", "leading_separator", "region", "profile", "access_key", "endpoint_url", "cache"),
    "unknown_option",
)
NAMES = ("web", "Web", "", "{{ 7 * 7 }}", "a\nb", "\U0001f680", "x" * 600)


def main(number: int) -> dict[str, int]:
    """Parse so many files."""
    init_plugin_loader()
    _without_aws()
    # Imported after the loader is there.
    from tests.unit.hostile import VALUES  # noqa: PLC0415

    random, counts = Random(NAME), {"refused": 0, "hosts": 0}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "golden_accounts.yml"
        for _number in range(number):
            option, value = random.choice(OPTIONS), random.choice(VALUES)
            path.write_text(yaml.safe_dump({"plugin": NAME, option: value}), encoding="utf-8")
            counts[_outcome(path)] += 1
    return counts


def _without_aws() -> None:
    """Let the plugin find these accounts without a call."""
    plugin = type(inventory_loader.get(NAME))
    module = sys.modules[plugin.__module__]
    organization = sys.modules[module.InventoryOptions.__module__]
    accounts = tuple(
        organization.Account(
            f"{number}" * 12,
            name or "none",
            "ACTIVE",
            "r-ab12",
            units=(organization.Unit("ou-ab12-11111111", name),),
            tags={name: name},
        )
        for number, name in enumerate(NAMES, start=1)
    )
    module.read_accounts.accounts = lambda _client, _options: accounts  # type: ignore[attr-defined]
    plugin.client = lambda _self, _service, **_options: None


def _outcome(path: Path) -> str:
    data: Any = InventoryData()
    try:
        inventory_loader.get(NAME).parse(data, DataLoader(), str(path), cache=False)
    except AnsibleError:
        return "refused"
    assert data.hosts
    return "hosts"


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
