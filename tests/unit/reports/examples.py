# SPDX-License-Identifier: GPL-3.0-or-later

"""A document with every part, and with malicious names."""

from __future__ import annotations

from ansible_collections.golden.images.plugins.module_utils._reports.document import (
    Column,
    Document,
    Item,
    Mark,
    Matrix,
    MatrixRow,
    Table,
)
from ansible_collections.golden.images.plugins.module_utils._runner import ATTACHED
from ansible_collections.golden.images.plugins.plugin_utils._runs_here import read_attachments

PAGE_FILES = read_attachments("_page")[ATTACHED]
OWNER, WEB, BATCH, STRANGER = "012345678901", "123456789012", "210987654321", "999999999999"
EU, US = "eu-west-1", "us-east-1"
SCRIPT = "<script>document.title = 'taken over'</script>"
IMAGE = '"><img src=https://tracker.example/x.png onerror="document.title = \'taken over\'">'
TEMPLATE = "{{ 7*7 }}{% for x in y %}"
FORMULA = "=cmd|' /C calc'!A0"
ARABIC = "\u0635\u0648\u0631\u0629 \u0630\u0647\u0628\u064a\u0629"
REVERSED = "golden-\u202egnp.exe"
EMOJI = "\U0001f680 golden \U0001f469\u200d\U0001f680"
NAMES = (SCRIPT, IMAGE, TEMPLATE, FORMULA, ARABIC, REVERSED, EMOJI, "golden-web-2026-11")

_EXPLAINED = {
    "public": "Every AWS account can use the image.",
    "unknown_account": "The image is shared with an account that is not allowed.",
    "grant_without_share": "An account may use a key, but no image that is encrypted under it.",
    "stale_principal": "The image is shared with an account that no longer exists.",
}


def items() -> tuple[Item, ...]:
    """Findings of each severity, in no order."""
    return (
        Item(
            "stale_principal",
            "low",
            f"ami-7 is shared with {STRANGER}, which is closed.",
            "Unshare it.",
            OWNER,
            US,
            "ami-7",
            "ami-7",
            STRANGER,
        ),
        Item(
            "unknown_account",
            "high",
            f"{SCRIPT} (ami-0) is shared with {STRANGER}.",
            f"Remove {IMAGE}.",
            OWNER,
            EU,
            "ami-0",
            "ami-0",
            STRANGER,
        ),
        Item(
            "grant_without_share",
            "medium",
            "The key can be used, but nothing is shared.",
            "Revoke the grant.",
            OWNER,
            EU,
            "arn:aws:kms:eu-west-1:012345678901:key/../../1",
            None,
            BATCH,
        ),
        Item(
            "public", "high", f"{TEMPLATE} is public.", "Make it private.", OWNER, EU, "ami-2", "ami-2", "all"
        ),
    )


def document() -> Document:
    """An audit of eight images in two regions."""
    rows = tuple(
        {
            "region": EU if place % 2 == 0 else US,
            "name": name,
            "image_id": f"ami-{place}",
            "age": place * 30,
            "encrypted": place % 3 == 0,
            "accounts": [WEB, BATCH][: place % 3],
        }
        for place, name in enumerate(NAMES)
    )
    marks = tuple(Mark)
    return Document(
        kind="audit",
        title="Who can use our golden images",
        status="findings",
        headline="4 findings, 2 of them high, in 8 images of 2 regions.",
        facts=(("Account", OWNER), ("Regions", "2"), ("Images", "8")),
        items=items(),
        tables=(
            Table(
                "Keys",
                (Column("region", "Region"), Column("key", "Key"), Column("grants", "Grants", numeric=True)),
                (
                    {"region": EU, "key": "alias/golden", "grants": 3},
                    {"region": US, "key": FORMULA, "grants": 0},
                ),
                note="Only keys that images are encrypted under.",
            ),
        ),
        records=Table(
            "Images",
            (
                Column("region", "Region"),
                Column("name", "Name"),
                Column("image_id", "Image"),
                Column("age", "Age in days", numeric=True),
                Column("encrypted", "Encrypted"),
                Column("accounts", "Shared with"),
            ),
            rows,
        ),
        matrix=Matrix(
            "Who can use which image",
            {
                Mark.FULL: "allowed, and can use it",
                Mark.PARTIAL: "can use the image, not its snapshots",
                Mark.SLIGHT: "can use only the key",
                Mark.BROKEN: "allowed, but denied by the key",
                Mark.FOREIGN: "not allowed",
                Mark.PUBLIC: "public",
                Mark.UNREADABLE: "could not be read",
            },
            (Column("region", "Region"), Column("name", "Name"), Column("image_id", "Image")),
            (WEB, BATCH, STRANGER, "arn:aws:organizations::012345678901:organization/o-a1b2c3d4e5", "all"),
            tuple(
                MatrixRow(
                    {key: str(row[key]) for key in ("region", "name", "image_id")},
                    {
                        WEB: Mark.FULL,
                        BATCH: marks[place % len(marks)],
                        **({STRANGER: Mark.FOREIGN} if place == 0 else {}),
                        **({"all": Mark.PUBLIC} if place == 2 else {}),
                    },
                )
                for place, row in enumerate(rows)
            ),
        ),
        explanations=_EXPLAINED,
    )
