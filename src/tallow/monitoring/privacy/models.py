"""Objects with fields: dataclasses, pydantic and attrs models, known by their marks alone."""

from __future__ import annotations

import dataclasses
from typing import Any


def fields_of(value: Any) -> dict[str, Any] | None:
    """The fields of a dataclass, a pydantic or an attrs model; None of anything else."""
    kind = type(value)
    if dataclasses.is_dataclass(kind):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    if hasattr(kind, "__pydantic_fields__") or hasattr(kind, "model_fields"):
        return dict(vars(value))
    if hasattr(kind, "__attrs_attrs__"):
        return {field.name: getattr(value, field.name, None) for field in kind.__attrs_attrs__}
    return None
