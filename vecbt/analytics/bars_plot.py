"""The picture of a strategy at work on one asset: prices, its indicators, what it said, what was filled, volume."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._typing import ArrayT
from ..core.codes import InputKind
from ..engine.alignment import place
from ..engine.inputs import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from ..engine.rule_strategy import RuleStrategy
from ..errors import ConfigError, nearest
from .bar_axis import bar_ticks
from .drawing import INK, LINES, LONG, LOSS, MUTED, SHORT, STYLE, line, log_if_wide, money, picture_type, room
from .thin import spans, thin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..engine.run import Run
    from ..indicators.plan import IndicatorPlan
    from .curves import Curves

__all__ = ["ON_PRICE", "bars_figure"]

ON_PRICE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("sma", "ema", "wma", "dema", "tema", "hma", "kama", "alma", "vwma", "vwap", "session_vwap", "parabolic_sar"), ()),
    **dict.fromkeys(("rolling_max", "rolling_min", "rolling_median", "rolling_quantile", "lag"), ()),
    **dict.fromkeys(("donchian", "keltner", "bollinger"), ("upper", "middle", "lower")),
    "ichimoku": ("conversion", "base", "span_a", "span_b"),
    "supertrend": ("line",),
}
"""Indicators that are prices where they read prices, and which of their outputs are; () where they have one. All others get panes."""

_PRICE_FIELDS = {"open", "high", "low", "close"}
_BESIDE_PRICES = {"volume", "session"}
_CANDLES = 260  # bars that are drawn as candles; more are a line of closes
_SHARE = 0.95  # of a series that must lie near the prices for it to be drawn among them
_INSIDE = "price"


class _Drawn(NamedTuple):
    """A series in the picture: whose it is, its own name, its values at the bars shown, and its pane."""

    owner: str
    name: str
    values: ArrayT
    pane: str
    asked: bool = False
    """Whether the caller gave it, so that it must be seen whole."""

    @property
    def label(self) -> str:
        """Its name where its owner is known; matplotlib leaves out labels that begin with an underscore."""
        name = self.name.removeprefix(f"{self.owner}_") or self.name
        return f"\u200b{name}" if name.startswith("_") else name


class _Scene(NamedTuple):
    """What is shown: one asset, bars `first` to `past - 1`, prices as strategies read them (5, L), split ratios so far (L,)."""

    run: Run
    asset: int
    first: int
    past: int
    prices: NDArray[np.float64]
    scale: ArrayT

    @property
    def x(self) -> ArrayT:
        """Places of the bars."""
        return np.arange(self.first, self.past, dtype=np.float64)


def bars_figure(
    run: Run, curves: Curves, *, symbol: str | None = None, start: Any = None, stop: Any = None, title: str = "",
    indicators: Mapping[str, Any] | None = None, panes: Mapping[str, str | None] | None = None, size: tuple[float, float] | None = None,
) -> Figure:  # fmt: skip
    """Prices with indicators, signals, fills and stops; panes of other indicators; volume. See `Result.plot_bars`."""
    import matplotlib as mpl
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    scene = _scene(run, symbol, start, stop)
    drawn = [*_said_values(scene), *_series(scene, indicators or {}, panes or {})]
    below = list(dict.fromkeys(series.pane for series in drawn if series.pane != _INSIDE))
    volume = bool(run.bars.has_volume)
    heights = [4.2, *[1.3] * len(below), *([0.9] if volume else [])]
    with mpl.rc_context(STYLE):
        layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.05)
        picture = picture_type()(figsize=size or (11.0, 1.1 * sum(heights) + 0.8), layout=layout, facecolor="white")
        every = picture.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
        if title:
            picture.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
        _prices(every[0], scene, curves, [series for series in drawn if series.pane == _INSIDE])
        for axes, pane in zip(every[1:], below, strict=False):
            _pane(axes, scene, pane, [series for series in drawn if series.pane == pane])
        if volume:
            _volume(every[-1], scene)
        places, labels = bar_ticks(run.bars.datetime_index[scene.first : scene.past], int(every[-1].get_figure().get_figwidth()))
        every[-1].set_xticks(places + scene.first, labels)
        pad = max(0.012 * (scene.past - scene.first), 0.8)
        every[-1].set_xlim(scene.first - pad, scene.past - 1 + pad)
    return picture


def _scene(run: Run, symbol: str | None, start: Any, stop: Any) -> _Scene:
    bars, symbols = run.bars, run.bars.symbols
    if symbol is not None and symbol not in symbols:
        raise ConfigError(f"symbol is {symbol!r}, which is not in this run; {nearest(symbol, symbols)}")
    asset = 0 if symbol is None else symbols.index(symbol)
    shown = bars.slice(start, stop)
    first = int(np.searchsorted(bars.index, shown.index[0]))
    past = first + shown.T
    read = bars.for_strategies.block[:, first:past, asset]
    scale = np.ones(shown.T) if bars.splits is None or bars.actions is None else bars.actions.scale[first:past, asset]
    return _Scene(run, asset, first, past, read, scale)


# --- which series, and where -----------------------------------------------------------------------------------------


def _series(scene: _Scene, extra: Mapping[str, Any], panes: Mapping[str, str | None]) -> list[_Drawn]:
    """Declared indicators and extra series in their panes; `panes` decides for the names in it."""
    found: list[tuple[str, str, ArrayT, str]] = []  # name of the indicator, of the column, values, pane by rule
    source, cut, asset = scene.run.source, slice(scene.first, scene.past), scene.asset
    if isinstance(source, RuleStrategy):
        columns, inside = source.plan.on(scene.run.bars.for_strategies), _on_price(source.plan)
        for name in source.plan.declared:
            for column in source.plan.columns[source.plan.places(name)]:
                found.append((name, column, columns[column][cut, asset], _INSIDE if column in inside else name))
    for name, given in extra.items():
        if name in {known for names in found for known in names[:2]}:
            raise ConfigError(f"indicators names {name!r}, which the strategy declares already; choose another name")
        values = place(given, f"indicators[{name!r}]", scene.run.bars)[cut, asset]
        found.append((name, name, values, _INSIDE if _near(values, scene) else name))
    known = {name for names in found for name in names[:2]}
    for name in panes:
        if name not in known:
            raise ConfigError(f"panes names {name!r}, which is no series of this picture; {nearest(name, known)}")
    drawn = []
    for name, column, values, pane in found:
        chosen = panes.get(column, panes.get(name, pane))
        if chosen is not None:
            drawn.append(_Drawn(name, column, values, chosen, name in extra))
    return drawn


def _on_price(plan: IndicatorPlan) -> set[str]:
    """Columns that are prices: of an indicator in `ON_PRICE` that reads prices only."""
    inside: set[str] = set()
    for name in plan.order:
        indicator = plan.declared[name]
        reads = set(indicator.of) - _BESIDE_PRICES
        if indicator.name in ON_PRICE and reads <= _PRICE_FIELDS | inside:
            outputs = ON_PRICE[indicator.name]
            inside |= {f"{name}_{output}" for output in outputs} if outputs else {name}
    return inside


def _near(values: ArrayT, scene: _Scene) -> bool:
    """Whether nearly all of a series lies between half of the least and twice the greatest price shown."""
    known, low, high = values[~np.isnan(values)], scene.prices[2], scene.prices[1]
    if not len(known) or np.isnan(low).all():
        return False
    return bool(np.mean((known >= 0.5 * np.nanmin(low)) & (known <= 2.0 * np.nanmax(high))) >= _SHARE)


def _said_values(scene: _Scene) -> Iterator[_Drawn]:
    """A pane of the values that were said, where they are no signals."""
    inputs = scene.run.inputs
    if inputs.values is not None and inputs.kind != InputKind.ORDERS:
        said = inputs.values[: scene.past, scene.asset]
        last = np.maximum.accumulate(np.where(np.isnan(said), -1, np.arange(len(said))))
        held = np.where(last >= 0, said[last], np.nan)[scene.first :]
        title = f"{inputs.kind.name.capitalize()} said"
        yield _Drawn(title, title, held, title)


# --- the panes -------------------------------------------------------------------------------------------------------


def _prices(axes: Axes, scene: _Scene, curves: Curves, inside: list[_Drawn]) -> None:
    close = scene.prices[3]
    candles = len(close) <= _CANDLES
    _shade(axes, scene, curves)
    if candles:
        _candles(axes, scene)
    else:
        line(axes, scene.x, close, color=INK, linewidth=0.9)
    handles = _lines_inside(axes, scene, inside)
    marks = [*_said(axes, scene), *_fills(axes, scene), *_stops(axes, scene)]
    symbol = scene.run.bars.symbols[scene.asset]
    name = f"{symbol}: " + ("bars" if candles else "close") + (" times splits" if (scene.scale != 1.0).any() else "")
    axes.set_title(name + log_if_wide(axes, close[~np.isnan(close)]))
    _limits(axes, scene, inside)
    if handles:
        axes.add_artist(axes.legend(handles=handles, loc="upper left", ncols=min(len(handles), 6), handlelength=1.4, borderaxespad=0.2))
    if marks:
        axes.legend(handles=marks, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(marks), borderaxespad=0.1, handletextpad=0.3,
                    columnspacing=1.1, handlelength=1.3)  # fmt: skip
    money(axes)


def _lines_inside(axes: Axes, scene: _Scene, inside: list[_Drawn]) -> list[Any]:
    """Series among the prices, those of one indicator in one color; a handle for each indicator."""
    colors = [color for color in LINES if color not in (LONG, SHORT)]
    owners = list(dict.fromkeys(series.owner for series in inside))
    handles: dict[str, Any] = {}
    for series in inside:
        color = colors[owners.index(series.owner) % len(colors)]
        made = line(axes, scene.x, series.values, color=color, linewidth=1.1, zorder=2.6)
        handles.setdefault(series.owner, made).set_label(series._replace(name=series.owner, owner="").label)
    return list(handles.values())


def _limits(axes: Axes, scene: _Scene, inside: list[_Drawn]) -> None:
    """The prices, with room for what is drawn at them; declared indicators widen that by half of it at most, on either side."""
    prices = scene.prices[1:3] if len(scene.x) <= _CANDLES else scene.prices[3:4]
    if np.isnan(prices).all():
        return
    to, back = (np.log, np.exp) if axes.get_yscale() == "log" else (np.asarray, np.asarray)
    low, high = (float(to(edge)) for edge in (np.nanmin(prices), np.nanmax(prices)))
    room_around = (high - low) or abs(high) or 1.0
    least, most = low - 0.5 * room_around, high + 0.5 * room_around
    for series in inside:
        known = series.values[~np.isnan(series.values)]
        known = known[known > 0.0] if axes.get_yscale() == "log" else known
        if len(known):
            bottom, top = float(to(known.min())), float(to(known.max()))
            low, high = min(low, bottom if series.asked else max(bottom, least)), max(high, top if series.asked else min(top, most))
    axes.set_ylim(float(back(low - 0.09 * room_around)), float(back(high + (0.16 if inside else 0.09) * room_around)))


def _candles(axes: Axes, scene: _Scene) -> None:
    """Open to close as a body, hollow where it rose, and the range as a line through it."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    o, h, low, c, _ = scene.prices
    seen = ~np.isnan(c)
    axes.vlines(scene.x[seen], low[seen], h[seen], color=MUTED, linewidth=0.7, zorder=2.0)
    for rose in (True, False):
        chosen = np.flatnonzero(seen & ((c >= o) == rose))
        bodies = [Rectangle((float(scene.x[k]) - 0.32, float(min(o[k], c[k]))), 0.64, float(abs(c[k] - o[k]))) for k in chosen]
        axes.add_collection(PatchCollection(bodies, facecolor="white" if rose else MUTED, edgecolor=MUTED, linewidth=0.7, zorder=2.2))


def _shade(axes: Axes, scene: _Scene, curves: Curves) -> None:
    """Stretches in which something is held: long green, short orange."""
    held = np.sign(curves.positions[scene.first : scene.past, scene.asset])
    for side, color in ((1.0, LONG), (-1.0, SHORT)):
        pieces = [(scene.first + low - 0.5, past - low) for _, low, past in spans((held == side).astype(np.int64), room(axes))]
        axes.broken_barh(pieces, (0.0, 1.0), transform=axes.get_xaxis_transform(), facecolors=color, alpha=0.09, linewidth=0, zorder=0.5)


def _said(axes: Axes, scene: _Scene) -> Iterator[Any]:
    """Signals where they begin, hollow: entries on their side of the bar, exits as crosses."""
    from matplotlib.transforms import offset_copy

    flags = scene.run.inputs.flags
    if flags is None:
        return
    mine = flags[: scene.past, scene.asset]
    begins = (mine & ~np.concatenate([np.zeros(1, dtype=np.uint8), mine[:-1]]))[scene.first :]
    looks = (
        (ENTER_LONG, "^", LONG, -1, "enter long"), (EXIT_LONG, "x", LONG, 1, "exit long"),
        (ENTER_SHORT, "v", SHORT, 1, "enter short"), (EXIT_SHORT, "x", SHORT, -1, "exit short"),
    )  # fmt: skip
    picture = axes.get_figure(root=True)
    count = int(np.count_nonzero(begins))
    size = float(np.clip(5.0 - 0.01 * count, 2.0, 4.5))
    for flag, marker, color, side, name in looks:
        at = np.flatnonzero((begins & np.uint8(flag)) != 0)
        if len(at):
            edge = scene.prices[1 if side > 0 else 2][at] if len(begins) <= _CANDLES else scene.prices[3][at]
            away = offset_copy(axes.transData, fig=picture, y=2.0 * size * side, units="points")
            yield axes.plot(
                scene.x[at], edge, linestyle="", marker=marker, markersize=size, markerfacecolor="none",
                markeredgecolor=color, markeredgewidth=0.2 * size, transform=away, zorder=3.0, label=name,
            )[0]  # fmt: skip


def _fills(axes: Axes, scene: _Scene) -> Iterator[Any]:
    """Fills at their prices."""
    log = scene.run.fills
    log = log[(log["asset"] == scene.asset) & (log["t"] >= scene.first) & (log["t"] < scene.past)]
    size = float(np.clip(8.5 - 0.015 * len(log), 4.0, 7.5))
    for sign, marker, color, name in ((1.0, "^", LONG, "bought"), (-1.0, "v", SHORT, "sold")):
        side = log[np.sign(log["q"]) == sign]
        if len(side):
            prices = side["price"] * scene.scale[side["t"] - scene.first]
            yield axes.plot(
                side["t"], prices, linestyle="", marker=marker, markersize=size, color=color, markeredgecolor="white", markeredgewidth=0.6,
                zorder=3.4, label=name, rasterized=len(log) > 500,
            )[0]  # fmt: skip


def _stops(axes: Axes, scene: _Scene) -> Iterator[Any]:
    """The first stop of each trade, from its entry to its exit; of what is still open, to the end."""
    run, end = scene.run, scene.past - 1
    trades = run.trades[run.trades["asset"] == scene.asset]
    pieces = [(int(t["entry_t"]), int(t["exit_t"]), float(t["stop"])) for t in trades]
    still = run.assets[scene.asset]
    if still["q"] != 0.0:
        pieces.append((int(still["entry_t"]), end, float(still["first_stop"])))
    shown = [piece for piece in pieces if not np.isnan(piece[2]) and piece[1] >= scene.first and piece[0] <= end]
    if shown:
        low, high = (np.clip([piece[k] for piece in shown], scene.first, end) for k in (0, 1))
        levels = np.array([piece[2] for piece in shown]) * scene.scale[low - scene.first]
        made = axes.hlines(levels, low, high, color=LOSS, linewidth=1.0, linestyle=(0, (3, 2)), zorder=2.8, label="first stop")
        yield made


def _pane(axes: Axes, scene: _Scene, name: str, series: list[_Drawn]) -> None:
    steps = {"drawstyle": "steps-post"} if name.endswith(" said") else {}
    for s, color in zip(series, LINES * (len(series) // len(LINES) + 1), strict=False):
        line(axes, scene.x, s.values, color=color, linewidth=1.0, label=s.label, **steps)
    values = np.concatenate([s.values for s in series])
    if (values < 0.0).any() and (values > 0.0).any():
        axes.axhline(0.0, color=MUTED, linewidth=0.6)
    axes.set_title(name)
    if len(series) > 1 or (series[0].name != name and not steps):
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(series), borderaxespad=0.1, handlelength=1.2)
    money(axes)


def _volume(axes: Axes, scene: _Scene) -> None:
    from matplotlib.ticker import FuncFormatter

    volume = scene.prices[4]
    if len(volume) <= _CANDLES:
        axes.bar(scene.x, np.nan_to_num(volume), width=0.64, color=MUTED, alpha=0.55, linewidth=0)
    else:
        places = thin(volume, room(axes))
        axes.fill_between(scene.x[places], np.nan_to_num(volume[places]), 0.0, color=MUTED, alpha=0.45, linewidth=0, step="mid")
    axes.set_ylim(bottom=0.0)
    axes.set_title("Volume")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    axes.locator_params(axis="y", nbins=3)


def _short(value: float) -> str:
    """A count in thousands, millions or billions."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.6g}{letter}"
    return f"{value:.6g}"
