"""What all sections of a run file share: kinds of numbers, keys that may be left out, and that nothing unknown is accepted."""

from __future__ import annotations

import dataclasses
import math
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Count", "Fraction", "NotNegative", "Number", "PerAsset", "Positive", "Section", "of"]

Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(gt=0, le=1)]
PerAsset = float | dict[str, float]


def of(owner: type, name: str, description: str) -> Any:
    """A key that may be left out; the schema shows the default of the public object."""
    default = next((f.default for f in dataclasses.fields(owner) if f.name == name), None)
    shown = default if isinstance(default, (str, bool, int, float)) and default is not None and default != math.inf else None
    if isinstance(default, tuple):
        shown = list(default)  # type: ignore[assignment]
    return Field(default=None, description=description, json_schema_extra={"default": shown})


class Section(BaseModel):
    """Keys of one section: an unknown one is refused, numbers are numbers and not text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def given(self, *leave_out: str) -> dict[str, Any]:
        """What was written and is not null, by key."""
        return {k: getattr(self, k) for k in sorted(self.model_fields_set) if k not in leave_out and getattr(self, k) is not None}
