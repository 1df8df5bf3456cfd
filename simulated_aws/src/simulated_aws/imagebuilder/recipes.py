# SPDX-License-Identifier: GPL-3.0-or-later
"""CreateImageRecipe and CreateContainerRecipe (Image Builder API Reference), as far as they name an image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..ec2 import state
from ..ec2.access import Caller
from ..ec2.state import Recipe
from .errors import already_exists, not_valid
from .names import NAME, VERSION, arn_of

Operation = Callable[[Caller, Mapping[str, Any]], dict[str, Any]]


def create_image_recipe(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Store an image recipe; its base image can be an AMI ID."""
    arn = _store(caller, params, "image-recipe", "imagebuilder:ImageRecipe", params["parentImage"])
    return {"clientToken": params["clientToken"], "imageRecipeArn": arn}


def create_container_recipe(caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
    """Store a container recipe; the instance that builds it can have an AMI of its own."""
    image = params.get("instanceConfiguration", {}).get("image", "")
    arn = _store(caller, params, "container-recipe", "imagebuilder:ContainerRecipe", image)
    return {"clientToken": params["clientToken"], "containerRecipeArn": arn}


def _store(caller: Caller, params: Mapping[str, Any], kind: str, resource_type: str, image: str) -> str:
    name, version = params["name"], params["semanticVersion"]
    if not NAME.fullmatch(name) or not VERSION.fullmatch(version):
        raise not_valid(f"{name} {version} is not a valid name and version")
    arn = arn_of(caller, kind, name, version)
    recipes = state.account_region(*caller).recipes
    if arn in recipes:
        raise already_exists(arn)
    recipes[arn] = Recipe(arn, resource_type, image, state.now())
    return arn
