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
    """The AMI IDs by region: of one image, or by the name of the source, of several."""

    images: Mapping[str, str] = field(default_factory=dict)
    by_source: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def value(self) -> dict[str, Any]:
        """Return the images under the key ``images``, or ``images_by_source``."""
        return {"images_by_source": self.by_source} if self.by_source else {"images": self.images}


@dataclass(frozen=True)
class Format:
    """A format of files: ``text`` renders images, ``is_own`` is whether a text may be replaced."""

    text: Callable[[Images], str]
    is_own: Callable[[str], bool]


def find_format(path: str) -> Format | None:
    """Return the format for the extension of a file; None for another extension."""
    return next((file_format for ending, file_format in _FORMATS.items() if path.endswith(ending)), None)


def check_name(path: str) -> str | None:
    """Return the problem with the name of a file; None without one."""
    return None if find_format(path) else f"{path} does not end with {', '.join(_FORMATS)}."


def find_repeated_names(sources: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of sources that have the same name in an environment file."""
    sources_by_name: dict[str, str] = {}
    for source in sources:
        other = sources_by_name.setdefault(_env_name(source), source)
        if other != source:
            yield other, source


def _render_terraform(images: Images) -> str:
    return _render_json({f"golden_{name}": value for name, value in images.value().items()})


def _render_env(images: Images) -> str:
    lines = [
        f"{'_'.join(['AMI', *parts])}={image_id}"
        for parts, image_id in (
            *(((_env_name(region),), image_id) for region, image_id in images.images.items()),
            *(
                ((_env_name(source), _env_name(region)), image_id)
                for source, regions in images.by_source.items()
                for region, image_id in regions.items()
            ),
        )
    ]
    return "".join(f"{line}\n" for line in sorted(lines))


def _env_name(text: str) -> str:
    return _NOT_IN_NAMES.sub("_", text.upper())


def _is_env(text: str) -> bool:
    return all(_ENV_LINE.fullmatch(line) for line in text.splitlines())


def _render_json(value: Mapping[str, Any]) -> str:
    return f"{json.dumps(value, indent=2, sort_keys=True)}\n"


def _has_only_images(prefix: str) -> Callable[[str], bool]:
    """Return the check that a text is JSON with only images, under keys that begin with ``prefix``."""

    def is_own(text: str) -> bool:
        try:
            content = json.loads(text or "{}")
        except (ValueError, RecursionError):
            return False
        return isinstance(content, dict) and content.keys() <= {
            f"{prefix}images",
            f"{prefix}images_by_source",
        }

    return is_own


_FORMATS = {
    _TERRAFORM: Format(_render_terraform, _has_only_images("golden_")),
    _ENV: Format(_render_env, _is_env),
    _JSON: Format(lambda images: _render_json(images.value()), _has_only_images("")),
}
