"""What a result knows of other trials on its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..data.bars import Bars
    from ..ledger import Trials
    from ..ledger.place import Entry

__all__ = ["Tried"]


class Tried:
    """A run or a sweep, and what became of it in the trial ledger: None where it was not to be recorded."""

    _entry: Entry | None = None

    @property
    def trials(self) -> Trials:
        """How many configurations were tried on these bars, or on bars that overlap with them, up to now; counted when it is asked for."""
        from ..ledger.counting import trials_of

        return trials_of(self._entry, *self._tried_on())

    def _tried_on(self) -> tuple[Bars | None, str]:
        """The bars, where they are at hand, and the hash of their content."""
        raise NotImplementedError

    def _not_recorded(self) -> list[str]:
        """A line that says why it is not in the ledger, where it is not."""
        return [f"  {self._entry.note}"] if self._entry is not None and self._entry.note else []
