# SPDX-License-Identifier: GPL-3.0-or-later

"""Each source of uses is registered, and declares the operations that its file calls."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.uses import read_all
from ansible_collections.golden.images.plugins.module_utils._cleanup.uses.read import skip_unsupported
from botocore.exceptions import ClientError

from checks.paths import CHECKOUT
from checks.responses import sources
from checks.responses.models import load

FOLDER = "plugins/module_utils/_cleanup/uses"
PACKAGE = "ansible_collections.golden.images.plugins.module_utils._cleanup.uses"
FILES = {path.stem: path for path in sorted((CHECKOUT / FOLDER).glob("read_*.py"))}
DECLARED = {
    name: module.SOURCE
    for name in FILES
    if hasattr(module := importlib.import_module(f"{PACKAGE}.{name}"), "SOURCE")
}


@pytest.fixture(scope="module")
def called() -> dict[str, set[str]]:
    """The operations that each file calls."""
    found: dict[str, set[str]] = {}
    for function in sources.read(CHECKOUT, load()).functions.values():
        found.setdefault(function.file, set()).update(map(str, function.operations))
    return found


def test_every_source_is_registered_once() -> None:
    assert sorted(map(id, read_all.SOURCES)) == sorted(map(id, DECLARED.values()))
    kinds = [source.kind for source in read_all.SOURCES]
    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize("name", DECLARED)
def test_a_source_declares_the_operations_that_it_calls(name: str, called: dict[str, set[str]]) -> None:
    file = str(Path(FOLDER, FILES[name].name))
    assert set(DECLARED[name].operations) == called[file]


def test_an_operation_that_a_region_does_not_have_finds_no_user_and_another_error_stays() -> None:
    def refusing(code: str) -> Any:
        def reader(_place: Any) -> Any:
            raise ClientError({"Error": {"Code": code, "Message": "No."}}, "DescribeStoreImageTasks")

        return skip_unsupported(reader)

    place: Any = None
    user: Any = "user"
    assert [*skip_unsupported(lambda _place: iter([user]))(place)] == [user]
    for code in ("InvalidAction", "UnsupportedOperation"):
        assert [*refusing(code)(place)] == []
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        refusing("UnauthorizedOperation")(place)
