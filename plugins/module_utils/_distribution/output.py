# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that name the images of a distribution for other tools: Terraform, environment files, JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._option import IMAGE_ID_FORM

# Terraform documentation, "Use variables", Variable definition files: files whose names end so have JSON, the
# names of variables are its root keys, and those that end with .auto.tfvars.json are loaded automatically.
_TERRAFORM = ".tfvars.json"
_JSON = ".json"
# GitLab documentation, artifacts:reports:dotenv: letters, digits and _ in names, no comments, no empty lines.
_ENV = ".env"
_ENV_LINE = re.compile(rf"AMI_[A-Z0-9_]+={IMAGE_ID_FORM.pattern}")
_NOT_IN_NAMES = re.compile(r"[^A-Z0-9]+")


@dataclass(frozen=True)
class Images:
    """Region to AMI ID: of one image, or by the name of the source, of each of several."""

    images: Mapping[str, str] = field(default_factory=dict)
    by_source: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def value(self) -> dict[str, Any]:
        """The images under a name that says which of both they are."""
        return {"images_by_source": self.by_source} if self.by_source else {"images": self.images}


@dataclass(frozen=True)
class Format:
    """A format: its text, and whether an existing text is one of its own, and may be replaced."""

    text: Callable[[Images], str]
    is_own: Callable[[str], bool]


def format_of(path: str) -> Format | None:
    """The format for the extension of a file, None if it has another extension."""
    return next((found for ending, found in _FORMATS.items() if path.endswith(ending)), None)


def name_problem(path: str) -> str | None:
    """Why a file cannot be written by its name, None if it can."""
    return None if format_of(path) else f"{path} does not end with {', '.join(_FORMATS)}."


def repeated_names(sources: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The names of sources that are the same in an environment file."""
    known: dict[str, str] = {}
    for source in sources:
        other = known.setdefault(_env_name(source), source)
        if other != source:
            yield other, source


def _terraform(images: Images) -> str:
    return _dumped({f"golden_{name}": value for name, value in images.value().items()})


def _env(images: Images) -> str:
    lines = [
        f"{'_'.join(['AMI', *parts])}={image_id}"
        for parts, image_id in (
            *(((_env_name(region),), one) for region, one in images.images.items()),
            *(
                ((_env_name(source), _env_name(region)), one)
                for source, regions in images.by_source.items()
                for region, one in regions.items()
            ),
        )
    ]
    return "".join(f"{line}\n" for line in sorted(lines))


def _env_name(text: str) -> str:
    return _NOT_IN_NAMES.sub("_", text.upper())


def _is_env(text: str) -> bool:
    return all(_ENV_LINE.fullmatch(line) for line in text.splitlines())


def _dumped(value: Mapping[str, Any]) -> str:
    return f"{json.dumps(value, indent=2, sort_keys=True)}\n"


def _has_only_images(prefix: str) -> Callable[[str], bool]:
    """A check whether a text is JSON with nothing but images, under keys that begin with ``prefix``."""

    def is_own(text: str) -> bool:
        try:
            found = json.loads(text or "{}")
        except (ValueError, RecursionError):
            return False
        return isinstance(found, dict) and found.keys() <= {f"{prefix}images", f"{prefix}images_by_source"}

    return is_own


_FORMATS = {
    _TERRAFORM: Format(_terraform, _has_only_images("golden_")),
    _ENV: Format(_env, _is_env),
    _JSON: Format(lambda images: _dumped(images.value()), _has_only_images("")),
}
