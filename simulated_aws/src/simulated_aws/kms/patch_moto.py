# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers this package's request handler in moto, so that requests to KMS get the stricter checks."""

from __future__ import annotations

from moto.kms import models, urls
from moto.kms.utils import AbstractPrivateKey, KeySpec, generate_private_key

from .moto_responses import StrictKmsResponse

_WITHOUT_PRIVATE_KEY = frozenset({KeySpec.SYMMETRIC_DEFAULT.value, *KeySpec.hmac_key_specs()})


def patch_moto() -> None:
    """Patch moto. Call it before the first request; further calls have no effect."""
    urls.url_paths["{0}/$"] = StrictKmsResponse.dispatch
    models.generate_private_key = _private_key  # type: ignore[assignment,attr-defined]


def _private_key(spec: str) -> AbstractPrivateKey | None:
    # moto generates an RSA key, which takes 50 ms, even for symmetric keys.
    return None if spec in _WITHOUT_PRIVATE_KEY else generate_private_key(spec)
