# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages that Galaxy shows link to the files of their version in the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks.addresses import SHOWN, address_of, with_addresses, write

CHECKOUT = Path(__file__).resolve().parents[3]
GITHUB, GITLAB = "https://github.com/golden/images", "https://git.example.net/golden/images"


@pytest.mark.parametrize(
    ("repository", "kind", "address"),
    [
        (GITHUB, "blob", f"{GITHUB}/blob/v1.0.0/docs/codes.md"),
        (GITHUB, "raw", f"{GITHUB}/raw/v1.0.0/docs/codes.md"),
        (GITLAB, "blob", f"{GITLAB}/-/blob/v1.0.0/docs/codes.md"),
    ],
)
def test_a_file_of_a_version_has_an_address(repository: str, kind: str, address: str):
    assert address_of(repository, "1.0.0", "docs/codes.md", kind) == address


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("[codes](docs/codes.md#public)", f"[codes]({GITHUB}/blob/v1.0.0/docs/codes.md#public)"),
        ("![An\naudit.](docs/audit.png)", f"![An\naudit.]({GITHUB}/raw/v1.0.0/docs/audit.png)"),
        ("[`a`](LICENSE), [b](c)", f"[`a`]({GITHUB}/blob/v1.0.0/LICENSE), [b]({GITHUB}/blob/v1.0.0/c)"),
        ("[below](#checks)", "[below](#checks)"),
        ("[AWS](https://docs.aws.amazon.com/)", "[AWS](https://docs.aws.amazon.com/)"),
        ("[AWS][aws] (see docs)", "[AWS][aws] (see docs)"),
    ],
)
def test_links_to_files_have_addresses_and_others_stay(link: str, address: str):
    assert with_addresses(link, ".", GITHUB, "1.0.0") == address


def test_a_link_is_relative_to_its_page():
    page = with_addresses("[guide](../../docs/auditing.md)", "roles/audit", GITHUB, "1.0.0")
    assert page == f"[guide]({GITHUB}/blob/v1.0.0/docs/auditing.md)"


def test_the_pages_of_the_checkout_get_addresses_of_files_that_exist(tmp_path: Path):
    pages = [path for pattern in SHOWN for path in CHECKOUT.glob(pattern)]
    for path in pages:
        copy = tmp_path / path.relative_to(CHECKOUT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    write(tmp_path, GITHUB, "1.0.0")
    written = [(tmp_path / path.relative_to(CHECKOUT)).read_text(encoding="utf-8") for path in pages]
    linked = re.findall(rf"{GITHUB}/(?:blob|raw)/v1\.0\.0/([^)#]+)", "\n".join(written))
    assert {"docs/pictures/audit.png", "docs/auditing.md", "CONTRIBUTING.md"} <= {*linked}
    assert [path for path in linked if not (CHECKOUT / path).exists()] == []
    assert [link for text in written for link in re.findall(r"\]\((?!https:|#)[^)]*\)", text)] == []
