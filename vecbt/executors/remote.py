"""What a worker of a Ray cluster runs: one piece, with bars and plan that it has met before or that are in its node's object store."""

from __future__ import annotations

import os
import pickle
import platform
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from .driving import Answer
from .marks import Mark, check_mark, own_mark
from .sending import unpacked
from .work import Failed, loaded, run_piece

__all__ = ["mark_there", "piece_there"]

_KEPT = 2  # bars and plans that a worker remembers
_BARS: OrderedDict[str, Any] = OrderedDict()
_PLANS: OrderedDict[str, Any] = OrderedDict()


def _where() -> str:
    return f"a worker on {platform.node()} (process {os.getpid()})"


def mark_there() -> tuple[str, Mark]:
    """Where this runs, and its mark."""
    return _where(), dict(own_mark())


def piece_there(mark: Mark, bars: tuple[str, bytes, Sequence[Any]], plan: tuple[str, bytes], sets: bytes) -> Answer:
    """The sets of one piece.

    Parameters
    ----------
    mark : of whoever sends it
    bars : a name, and the bars as `packed_bars` packs them; the arrays are those of the object store
    plan, sets : a name and bytes of the plan, bytes of the sets
    """
    where = _where()
    try:
        check_mark(own_mark(), mark, where)
        known = _met(_PLANS, plan[0], lambda: loaded(plan[1], where))
        return run_piece(known, _met(_BARS, bars[0], lambda: unpacked(bars[1], bars[2])), pickle.loads(sets))
    except Exception as error:
        return Failed.of(error, where)


def _met(kept: OrderedDict[str, Any], name: str, make: Any) -> Any:
    """What has this name, made where it is new."""
    if name not in kept:
        kept[name] = make()
        while len(kept) > _KEPT:
            kept.popitem(last=False)
    kept.move_to_end(name)
    return kept[name]
