# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's request handler for S3, with checks before each request to an existing bucket."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from moto.core.common_types import TYPE_RESPONSE
from moto.s3.responses import S3Response

from ..iam.current_principal import current_principal
from ..resource_arns import S3_ACTIONS
from .bucket_access import OWNER_HEADER, Access, refusal


class StrictS3Response(S3Response):
    """Adds checks: moto lets every account use every bucket, from every Region."""

    def _bucket_response(self, request: Any, full_url: str) -> str | TYPE_RESPONSE:
        return self._refused(request, full_url, "") or super()._bucket_response(request, full_url)

    def _key_response(self, request: Any, full_url: str) -> TYPE_RESPONSE:
        found = self._refused(request, full_url, self.parse_key_name())
        return found or super()._key_response(request, full_url)

    def _refused(self, request: Any, full_url: str, key: str) -> TYPE_RESPONSE | None:
        bucket = self.parse_bucket_name_from_url(request, full_url)
        if not bucket:
            return None
        action = S3_ACTIONS.get((request.method, bool(key)), request.method)
        expected = request.headers.get(OWNER_HEADER, "")
        principal = current_principal(self.current_account)
        found = refusal(Access(principal, self.region, f"s3:{action}", bucket, key, expected))
        if found is None:
            return None
        # The response to HEAD has no body (botocore operation HeadBucket).
        body = "" if request.method == "HEAD" else _document(found.code, found.message)
        return found.status, dict(found.headers), body


def _document(code: str, message: str) -> str:
    return f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
