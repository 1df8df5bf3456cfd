# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting this package in front of moto's KMS."""

from __future__ import annotations

from moto.kms import models, urls
from moto.kms.utils import AbstractPrivateKey, KeySpec, generate_private_key

from .moto_responses import StrictKmsResponse

_WITHOUT_PRIVATE_KEY = frozenset({KeySpec.SYMMETRIC_DEFAULT.value, *KeySpec.hmac_key_specs()})


def patch_moto() -> None:
    """To be called before the first request, and harmless afterwards."""
    urls.url_paths["{0}/$"] = StrictKmsResponse.dispatch
    models.generate_private_key = _private_key  # type: ignore[assignment,attr-defined]


def _private_key(spec: str) -> AbstractPrivateKey | None:
    # moto would make an RSA key, which takes 50 ms, for symmetric keys too.
    return None if spec in _WITHOUT_PRIVATE_KEY else generate_private_key(spec)
