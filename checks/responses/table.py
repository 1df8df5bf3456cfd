# SPDX-License-Identifier: GPL-3.0-or-later
"""The members of answers that are always there although botocore's models do not require them, and why.

Only such a member may be read by subscript. Any other one is read by ``get``, with a meaning for an answer
without it, or by ``aws/answers.required``, which makes the answer a failed read.
"""

from __future__ import annotations

ALWAYS: dict[str, str] = {
    "ec2:Tag.Key": "CreateTags requires it (botocore shape Tag; EC2 API Reference, Tag: a key is not empty).",
    "ec2:Tag.Value": "EC2 API Reference, Tag: a tag without a value has an empty one, which EC2 returns as "
    "<value/> and botocore as ''.",
    "s3:GetObjectOutput.Body": "botocore makes it of the stream of the response, which every response has "
    "(botocore.parsers, BaseRestParser, payload).",
    "s3:Object.Key": "S3 API Reference, ListObjectsV2: the name of the object, by which alone S3 lists it.",
}
