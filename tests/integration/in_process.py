# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules run in this process against the simulated AWS, for tests that run hundreds of them."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.testing import patch_module_args

from simulated_aws.client import SimulatedAws

_MODULES = "ansible_collections.golden.images.plugins.modules."


def run(
    aws: SimulatedAws, account: str, module: str, options: Mapping[str, Any], *, check: bool = False
) -> dict[str, Any]:
    """The result of a module with an account's credentials, as Ansible gets it from the module's process."""
    credentials = aws.environment(account)
    return without_aws(
        module,
        {
            "access_key": credentials["AWS_ACCESS_KEY_ID"],
            "secret_key": credentials["AWS_SECRET_ACCESS_KEY"],
            "endpoint_url": aws.url,
            "region": credentials["AWS_REGION"],
            **options,
        },
        check=check,
    )


def without_aws(module: str, options: Mapping[str, Any], *, check: bool = False) -> dict[str, Any]:
    """The result of a module that calls no AWS API."""
    arguments = {"_ansible_check_mode": check, "_ansible_diff": True, **options}
    printed = io.StringIO()
    main = importlib.import_module(_MODULES + module).main
    # The module exits after it has printed its result.
    with patch_module_args(arguments), contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main()
    result: dict[str, Any] = json.loads(printed.getvalue())
    # In a process of its own, the module has the warnings of this run alone.
    return {name: value for name, value in result.items() if name != "warnings"}
