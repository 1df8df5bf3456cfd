# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's own failures have codes of their own: AWS's codes are for errors that AWS returned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.unit.error_codes import Code, own_codes, read

CHECKOUT = Path(__file__).resolve().parents[2]
OWN = re.compile(r"[a-z]+(_[a-z]+)*")
# What holds a code already: a finding, a failure, a parameter, the reason of an instance's state.
HELD = re.compile(r"code|\w+\.(error_|reason_)?code|str\(\w+\['error_code'\] or ''\)")


def breaches(codes: list[Code]) -> list[str]:
    """Each code that is neither in snake_case nor held already, as "<module>: <expression>"."""
    return [
        f"{code.module}: {code.expression}"
        for code in codes
        if not (HELD.fullmatch(code.expression) if code.literal is None else OWN.fullmatch(code.literal))
    ]


@pytest.fixture(scope="module")
def codes() -> list[Code]:
    """Those of the collection."""
    return own_codes(read(CHECKOUT))


def test_own_failures_have_own_codes(codes: list[Code]):
    assert {"invalid_option", "image_not_found", "consumer_rejected"} <= {code.literal for code in codes}
    assert breaches(codes) == []


@pytest.mark.parametrize(
    "code",
    [
        'Failure("m", "r", "InvalidAMIID.NotFound", "DescribeImages")',
        'Failure(message="m", remedy="r", error_code="KMSInvalidStateException", action="CreateGrant")',
        'Failure.at(target, "CopyImage", "KMSInvalidStateException", "m", "r")',
        'replace(failure, error_code="ValidationException")',
        '_CODE = "ValidationException"\nFailure("m", "r", _CODE, "PutParameter")',
        'Failure("m", "r", "Expired" if late else "too_early", "PutParameter")',
        'Failure("m", "r", instance.reason_code or "Unknown", "RunInstances")',
        'Failure("m", "r", type(exception).__name__, "RunInstances")',
        'def _refusal(text, code) -> Failure: ...\n_refusal("m", "AccessDenied")',
        'class Problem:\n    text: str\n    error_code: str\nProblem("m", "AccessDenied")',
    ],
)
def test_a_breach_is_found(code: str, tmp_path: Path):
    file = tmp_path / "plugins" / "module_utils" / "_copy" / "plan.py"
    file.parent.mkdir(parents=True)
    file.write_text(code, encoding="utf-8")
    assert len(breaches(own_codes(read(tmp_path)))) == 1


def test_codes_of_aws_and_of_the_sdk_are_allowed_in_their_failures(tmp_path: Path):
    file = tmp_path / "plugins" / "module_utils" / "_aws" / "errors.py"
    file.parent.mkdir(parents=True)
    file.write_text('Failure("m", "r", "AccessDenied", "CopyImage", source="aws")', encoding="utf-8")
    assert own_codes(read(tmp_path)) == []


def test_every_code_has_a_cause_and_a_remedy(codes: list[Code]):
    remedies = yaml.safe_load((CHECKOUT / "checks" / "codes" / "remedies.yml").read_text(encoding="utf-8"))
    assert list(remedies["errors"]) == sorted({code.literal for code in codes if code.literal})
