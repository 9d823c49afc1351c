"""Many short accounts over windows of the same bars, each a step further in one compiled call: what agents learn on.

An episode stands before a bar that is known in full; a step says the row of that bar, runs the bar, and looks at the next one, which
nobody has said anything of: so it is known what the row was worth. The bar is that of `run_bars`, called by its address; there is no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayN
from ..core.codes import InputKind
from ..core.jit import borrowed, kernel_loop, spine
from ..core.native import address_of
from ..core.places import run_at
from ..core.state import plain
from ..errors import ConfigError
from .bar import run_bars
from .batch import Batch
from .books import Books
from .inputs import AlignedInputs
from .log import start_log
from .rows import Rows
from .setup import Rules, Setup

if TYPE_CHECKING:
    from ..data.bars import Bars

__all__ = ["Bench", "Episodes", "Seats", "step_episodes"]

_KINDS = (InputKind.STRENGTHS, InputKind.WEIGHTS)


class Seats(NamedTuple):
    """K episodes.

    `at` int64 (K,) the bar that each stands before, -1: it has ended. `accounts`, `assets` int64 (K, words) the memory of its books
    after the bar before. `equity` (K,) what is booked after the last bar that was run; `value` (K,) at the marks of bar `at`, before
    its row, and `exposure` (K, N) what is held then, signed, in money.
    """

    at: np.ndarray
    accounts: np.ndarray
    assets: np.ndarray
    equity: np.ndarray
    value: np.ndarray
    exposure: np.ndarray


class Bench(NamedTuple):
    """What all episodes are run with, one after the other.

    `books`, `log`, `series` and `rules` those of a run; `accounts`, `assets` the words of the books; `values` (T * N,) the rows said, NaN
    but for the bar that runs; `runs` the address of run_bars, compiled for just these.
    """

    books: Books
    accounts: np.ndarray
    assets: np.ndarray
    log: np.ndarray
    series: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    rules: Rules
    values: np.ndarray
    runs: int


@spine
def _lent(bench):  # type: ignore[no-untyped-def]
    """The bench without reference counts: to count them for each array would take longer than the bar."""
    accounts, assets, spans, resting, used = bench.books
    common, stops, zones, terms = bench.rules
    cash, equity, zone, paid = bench.series
    books = Books(borrowed(accounts), borrowed(assets), borrowed(spans), borrowed(resting), borrowed(used))
    rules = Rules(borrowed(common), borrowed(stops), borrowed(zones), borrowed(terms))
    series = (borrowed(cash), borrowed(equity), borrowed(zone), borrowed(paid))
    mine, held = borrowed(bench.accounts), borrowed(bench.assets)
    return Bench(books, mine, held, borrowed(bench.log), series, rules, borrowed(bench.values), bench.runs)


@spine
def _lent_rows(rows):  # type: ignore[no-untyped-def]
    """All bars, in the same way."""
    return Rows(
        borrowed(rows.prices), borrowed(rows.flags), borrowed(rows.values), borrowed(rows.atr), borrowed(rows.sigma), borrowed(rows.day),
        borrowed(rows.time), borrowed(rows.delist_bar), borrowed(rows.haircut), borrowed(rows.events), borrowed(rows.eventful),
        borrowed(rows.flow), borrowed(rows.orders), borrowed(rows.starts), borrowed(rows.dense),
    )  # fmt: skip


@spine
def _run(t, bench, rows):  # type: ignore[no-untyped-def]
    """Bar `t` of the account on the bench."""
    start_log(bench.log)
    run_at(bench.runs, (t, t + 1, bench.books, rows, bench.rules, bench.log, bench.series))


@kernel_loop
def step_episodes(said, seats, given, all_rows):  # type: ignore[no-untyped-def]
    """The row `said` (K, N) of each episode for its bar, and that bar; those that have ended stay as they are."""
    bench, rows = _lent(given), _lent_rows(all_rows)
    values, at, account, assets = borrowed(bench.values), borrowed(seats.at), borrowed(bench.books[0]), borrowed(bench.books[1])
    mine, theirs = borrowed(bench.accounts), borrowed(seats.accounts)
    held, kept = borrowed(bench.assets), borrowed(seats.assets)
    count = assets.shape[0]
    for k in range(at.shape[0]):
        t = at[k]
        if t < 0:
            continue
        for i in range(mine.shape[0]):
            mine[i] = theirs[k, i]
        for i in range(held.shape[0]):
            held[i] = kept[k, i]
        for n in range(count):
            values[t * count + n] = said[k, n]
        _run(t, bench, rows)
        for n in range(count):
            values[t * count + n] = np.nan
        for i in range(mine.shape[0]):
            theirs[k, i] = mine[i]
        for i in range(held.shape[0]):
            kept[k, i] = held[i]
        seats.equity[k] = account[0].equity
        _run(t + 1, bench, rows)  # and is forgotten: its row will be known at the next step
        seats.value[k] = account[0].equity
        for n in range(count):
            a = assets[n]
            seats.exposure[k, n] = a.q * a.mark * a.multiplier if a.q != 0.0 else 0.0
        at[k] = t + 1


class Episodes:
    """K accounts over windows of `bars`, which step together.

    Parameters
    ----------
    bars : Bars. Indicators of the rules (ATR, sigma) count from their first bar on, wherever an episode begins
    setup : Setup. Accounts start flat: no positions, no deposits, one account for all assets
    kind : what rows are: InputKind.STRENGTHS or WEIGHTS
    count : K

    Raises
    ------
    ConfigError for another kind, a count below 1, starting positions, flows, separate accounts, fewer than two bars.
    """

    def __init__(self, bars: Bars, setup: Setup, kind: InputKind, count: int) -> None:
        _check(bars, setup, kind, count)
        self.bars, self.count = bars, count
        values = np.full((bars.T, bars.N), np.nan)
        batch = Batch(bars, setup, None, AlignedInputs(kind, None, values))
        self._batch, self._rows = batch, batch.rows
        books = Books(plain(batch.books.accounts), plain(batch.books.assets), batch.books.spans, None, batch.books.used)
        rules = Rules(*(None if part is None else plain(part) for part in batch.rules))  # type: ignore[arg-type]
        series = tuple(part.reshape(-1) for part in (batch.cash, batch.equity, batch.zone, batch.paid))
        runs = address_of(run_bars, 0, bars.T, books, self._rows, rules, batch.log.block, series)
        accounts, assets = (np.asarray(part).view(np.int64).reshape(-1) for part in (batch.books.accounts, batch.books.assets))
        self._bench = Bench(books, accounts, assets, batch.log.block, series, rules, values.reshape(-1), runs)  # type: ignore[arg-type]
        self._flat = accounts.copy(), assets.copy()
        self.initial = float(batch.initial[0])
        shape = (count, bars.N)
        self.seats = Seats(
            np.full(count, -1, dtype=np.int64), np.zeros((count, len(accounts)), dtype=np.int64),
            np.zeros((count, len(assets)), dtype=np.int64), np.full(count, self.initial), np.full(count, self.initial), np.zeros(shape),
        )  # fmt: skip

    def begin(self, which: Sequence[int] | NDArray[np.int64], first: Sequence[int] | NDArray[np.int64]) -> None:
        """Episodes `which` stand flat before bars `first`. ConfigError for a bar that is none or the last one."""
        which, first = np.asarray(which, dtype=np.int64), np.asarray(first, dtype=np.int64)
        if len(first) and not (0 <= first.min() and first.max() <= self.bars.T - 2):
            raise ConfigError(f"episodes begin at bars {first.min()} to {first.max()}; expected 0 to {self.bars.T - 2}: one must follow")
        seats = self.seats
        seats.at[which] = first
        seats.accounts[which], seats.assets[which] = self._flat
        seats.equity[which] = seats.value[which] = self.initial
        seats.exposure[which] = 0.0

    def end(self, which: NDArray[Any]) -> None:
        """Episodes `which` take no further step until they begin again."""
        self.seats.at[which] = -1

    def step(self, said: NDArray[np.float64]) -> ArrayN:
        """One bar for all that have not ended.

        Parameters
        ----------
        said : float64 (K, N), strengths in [-1, 1] or weights, NaN changes nothing

        Returns
        -------
        float64 (K,), the value of each account at the marks of the bar that it now stands before. ConfigError where one has no further bar.
        """
        if said.shape != (self.count, self.bars.N):
            raise ConfigError(f"rows have shape {said.shape}; expected {(self.count, self.bars.N)}: one for each episode")
        if int(self.seats.at.max()) > self.bars.T - 2:
            raise ConfigError("an episode stands before the last bar, after which nothing is known; end it, or begin it again")
        step_episodes(np.ascontiguousarray(said, dtype=np.float64), self.seats, self._bench, self._rows)
        return self.seats.value.copy()

    @property
    def ruined(self) -> NDArray[np.bool_]:
        """Which accounts have nothing left at the marks they now have; (K,)."""
        return self.seats.value <= 0.0


def _check(bars: Bars, setup: Setup, kind: InputKind, count: int) -> None:
    if kind not in _KINDS:
        raise ConfigError(f"episodes take {kind.name.lower()}; expected strengths or weights: one number for each asset and bar")
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise ConfigError(f"the number of episodes is {count!r}; expected a whole number of at least 1")
    if bars.T < 2:
        raise ConfigError(f"there are {bars.T} bars; an episode needs at least 2")
    for name, off in (("positions", None), ("flows", None), ("accounts", "shared"), ("liquidate_at_end", False)):
        if getattr(setup, name) != off:
            raise ConfigError(f"{name} is {getattr(setup, name)!r}; an episode has one account that starts flat: leave {name} out")
