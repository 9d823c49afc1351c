"""The report of a sweep: one HTML page that needs nothing else. What varied, the best sets beside their plateaus, pictures, what failed."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.labels import label_text
from ..engine.setup import Setup
from ..engine.sweep_names import split_names
from ..errors import ConfigError, counted
from .assumptions import Assumption, setup_rows, value_text
from .drawing import to_bytes
from .html import cell, data_uri, table, text
from .report_style import document, footer
from .report_tables import assumptions_tables
from .sheet_sections import chart
from .statistics import write
from .sweep_cells import scale_of
from .sweep_colors import metric_name
from .sweep_lines import ENVELOPE, FRAGILITY, LOWER_IS_BETTER, METRICS, base_metric, order_of, statistic
from .sweep_parallel import parallel_data, parallel_words
from .sweep_plot import distribution_figure, envelope_figure, heatmap_figure, slices_figure
from .vendored import data_block, echarts, own

if TYPE_CHECKING:
    from .sweep import Sweep

__all__ = ["sweep_page"]

_TOP = 20
_MOST_FRAGILE = 10
_MOST_MESSAGES = 25
_MOST_VALUES = 12  # of a parameter that are written out
_AXES = 3  # numeric parameters that are drawn against each other
_BESIDE = ("total_return", "sharpe", "max_drawdown", "trades")
_INTERVALS = 200  # sets in the picture of the envelope
_VARIES = "varies"


def sweep_page(sweep: Sweep, metric: str) -> str:
    """The whole page as text; ConfigError for a metric that the sweep has not."""
    sweep._lines.values(metric)
    title = f"Sweep: {sweep._lines.about.strategy} · {_some(sweep._lines.about.symbols, 6)}"
    plateau = _plateau(sweep, metric)
    drawn = parallel_data(sweep._lines, metric)
    parts = [
        _header(sweep, metric, title, plateau),
        "<h2>What varied</h2>",
        _varied(sweep),
        "<h2>Best sets</h2>",
        _best(sweep, metric, plateau),
        *_pictures(sweep, metric),
        *_together(sweep, metric, drawn),
        *_envelope(sweep, metric),
        "<h2>What is missing</h2>",
        _missing(sweep, metric),
        _errors(sweep),
        "<h2>Assumptions in force</h2>",
        assumptions_tables(_assumptions(sweep)),
        footer(sweep._lines.about.content_hash, "times are UTC and label the start of a bar"),
    ]
    if drawn is None:
        return document(title, filter(None, parts))
    data = data_block("sheet-data", {"parallel": drawn})
    return document(title, filter(None, parts), data=data, scripts=(echarts(), own("sheet.js")))


# --- the head ----------------------------------------------------------------------------------------------------------


def _header(sweep: Sweep, metric: str, title: str, plateau: Any) -> str:
    lines = sweep._lines
    values, kind = lines.values(metric), statistic(metric).kind
    order = order_of(lines, metric, None)
    known = values[~np.isnan(values)]
    fragile = lines.values(FRAGILITY) if lines.enveloped else np.empty(0)
    fragile = fragile[~np.isnan(fragile)]
    tiles = [
        ("Sets", f"{len(sweep):,}"),
        ("Failed", f"{len(sweep.errors):,}"),
        ("Not run", f"{_not_run(sweep):,}"),
        (f"{metric_name(metric)}, best", write(kind, values[order[0]])),
        (f"{metric_name(metric)}, median", write(kind, np.median(known) if len(known) else np.nan)),
        ("Plateau score, best", "–" if isinstance(plateau, str) else write(kind, _first(plateau, metric))),
    ]
    if lines.enveloped:
        tiles += [
            ("Fragility, median", write("fraction", np.median(fragile) if len(fragile) else np.nan)),
            ("Fragility, greatest", write("fraction", np.max(fragile) if len(fragile) else np.nan)),
        ]
    shown = "".join(f"<div><b>{text(value)}</b><span>{text(label)}</span></div>" for label, value in tiles)
    return f'<h1>{text(title)}</h1>\n<p class="sub">{text(_span(sweep))}</p>\n<div class="tiles">{shown}</div>'


def _span(sweep: Sweep) -> str:
    about, run = sweep._lines.about, sweep.run
    chosen = f"{len(sweep):,} of {counted(about.sets, 'set')}" if len(sweep) != about.sets else counted(about.sets, "set")
    bars = counted(about.bars, "bar")
    if run is not None:
        bars = f"{label_text(int(run.bars.index[0]))} to {label_text(int(run.bars.index[-1]))} UTC, {bars}"
    kept = {"memory": "kept in memory", "file": "kept in files", "off": "not kept"}[sweep.block_sums]
    more = ", an account each symbol" if about.separate else ""
    ended = ", ended early: a part of the sets" if sweep.partial else ""
    return f"{chosen} over {bars}{more}{ended} · block sums {kept}"


def _not_run(sweep: Sweep) -> int:
    """Sets that were neither measured nor in error."""
    lines = sweep._lines
    return len(np.unique(lines.number[~lines.done & ~sweep._wrong]))


def _plateau(sweep: Sweep, metric: str) -> Any:
    """The table of plateaus, or why there is none."""
    try:
        return sweep.plateau(metric)
    except ConfigError as error:
        return str(error)


def _first(plateau: Any, metric: str) -> float:
    """The best plateau score, NaN where no set has a neighbour."""
    scores = plateau["plateau"].to_numpy()
    scores = scores[~np.isnan(scores)]
    if not len(scores):
        return np.nan
    return float(scores.min() if metric in LOWER_IS_BETTER else scores.max())


# --- tables ------------------------------------------------------------------------------------------------------------


def _varied(sweep: Sweep) -> str:
    lines, rows = sweep._lines, []
    for name in lines.sets.names:
        scale = scale_of(lines, name, None)
        values = _some(scale.labels, _MOST_VALUES) if not scale.numeric else _spanned(scale.labels)
        rows.append([cell(name), cell(f"{len(scale.labels):,}", number=True), cell(values)])
    return table(("parameter", "values", "which"), rows, (1,))


def _spanned(labels: list[str]) -> str:
    """Numbers: all of a few, else the first, how many between, the last."""
    if len(labels) <= _MOST_VALUES:
        return ", ".join(labels)
    return f"{', '.join(labels[:5])} … {', '.join(labels[-3:])}"


def _some(words: Iterable[str], most: int) -> str:
    listed = list(words)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most:,} more" if len(listed) > most else "")


def _best(sweep: Sweep, metric: str, plateau: Any) -> str:
    lines = sweep._lines
    order = order_of(lines, metric, None)[:_TOP]
    ends = [f"{base_metric(metric)}_low", f"{base_metric(metric)}_high", FRAGILITY] if lines.enveloped and metric != FRAGILITY else []
    measures = list(dict.fromkeys([metric, *ends, *(name for name in _BESIDE if name != metric)]))
    scores = [] if isinstance(plateau, str) else ["plateau", "neighbours"]
    frame = lines.table(tuple(measures))[order]
    columns = [(name, frame[name].to_list(), _writer(name)) for name in frame.columns if name != "error"]
    kinds = {"plateau": _writer(metric), "neighbours": _plain}
    place = [name for name, _, _ in columns].index(metric) + 1
    columns[place:place] = [(name, plateau[name].gather(order).to_list(), kinds[name]) for name in scores]
    numbers = [k for k, (_, values, _) in enumerate(columns) if all(not isinstance(v, str | bool) for v in values)]
    rows = [
        [cell(told(values[r]), number=k in numbers) for k, (_, values, told) in enumerate(columns)]
        for r in range(len(order))
    ]  # fmt: skip
    made = table([name for name, _, _ in columns], rows, numbers)
    return f'{_selection(sweep, metric, plateau)}\n<div class="scroll">{made}</div>'


def _writer(name: str) -> Callable[[Any], str]:
    if name not in METRICS and name not in ENVELOPE:
        return _plain
    kind = statistic(name).kind
    return lambda value: "–" if value is None else write(kind, value)


def _plain(value: Any) -> str:
    return "–" if value is None else value_text(value)


def _selection(sweep: Sweep, metric: str, plateau: Any) -> str:
    """That the best of many is too good, and where to look instead."""
    tried, lower = counted(sweep._lines.about.ran, "set"), metric in LOWER_IS_BETTER
    name, biased = metric_name(metric, True), "downwards" if lower else "upwards"
    words = (
        f"These sets were chosen by the numbers that stand beside them, out of {tried} tried: by that choice the {name} of the best "
        f"is biased {biased}, the more the more sets there were, and on other bars a worse one is to be expected."
    )
    if isinstance(plateau, str):
        return f'<p>{text(words)}</p><p class="note">There are no plateau scores: {text(plateau)}.</p>'
    words += (
        f" Look at the plateau score, the mean {name} of a set and its neighbours {'plus' if lower else 'minus'} their standard deviation: "
        "a good set among bad neighbours is chance rather than merit, a plateau may be more."
    )
    scores = plateau["plateau"].to_numpy()
    if not (~np.isnan(scores)).any():
        return f"<p>{text(words)} No set here has a neighbour.</p>"
    at = int(np.nanargmin(scores if lower else -scores))
    named = ", ".join(f"{key} {value_text(value)}" for key, value in sweep._lines.sets.at(at).items())
    best = f" The best plateau score, {write(statistic(metric).kind, scores[at])}, is that of set {plateau['set'][at]}: {named}."
    return f"<p>{text(words + best)}</p>"


# --- pictures ----------------------------------------------------------------------------------------------------------


def _pictures(sweep: Sweep, metric: str) -> list[str]:
    lines, name = sweep._lines, metric_name(metric, True)
    if not np.isfinite(lines.values(metric)).any():
        return ["<h2>Pictures</h2>", f"<p>No set has a finite {text(name)}, so there is nothing to draw.</p>"]
    parts = ["<h2>Distribution</h2>", _picture(distribution_figure(lines, metric, None), f"Histogram of the {name} over all sets")]
    pairs = list(itertools.combinations(_axes(sweep), 2))
    if pairs:
        parts.append("<h2>Heat maps</h2>")
    for x, y in pairs:
        parts.append(_picture(heatmap_figure(lines, x, y, metric, "mean", None), f"Mean {name} over {x} and {y}"))
    if lines.varied():
        parts += ["<h2>By parameter</h2>", _picture(slices_figure(lines, metric, None), f"Median and spread of the {name} by parameter")]
    return parts


def _axes(sweep: Sweep) -> list[str]:
    """The numeric parameters with the most values, at most three; of equal ones the first."""
    lines = sweep._lines
    numeric = [name for name in lines.varied() if lines.is_number(name)]
    return sorted(numeric, key=lambda name: -len(np.unique(lines.sets.column(name))))[:_AXES]


def _picture(figure: Any, words: str) -> str:
    source = data_uri(to_bytes(figure, "svg"), "image/svg+xml")
    return f'<figure><img src="{source}" alt="{text(words)}"></figure>'


def _together(sweep: Sweep, metric: str, drawn: dict[str, Any] | None) -> list[str]:
    """All sets in one chart to point at and select from."""
    if drawn is None:
        return []
    count = int(np.isfinite(sweep._lines.values(metric)).sum())
    words = "All sets as lines over their parameters and the metric"
    return ["<h2>All sets together</h2>", chart("parallel", words, parallel_words(drawn, count))]


def _envelope(sweep: Sweep, metric: str) -> list[str]:
    """Both intrabar rules: the picture of the intervals, and the sets that hang on the rule most."""
    lines = sweep._lines
    if not lines.enveloped:
        return []
    drawn = "sharpe" if metric == FRAGILITY else base_metric(metric)
    words = "Each set was run under the pessimistic and the optimistic intrabar rule (P5, P8). " + _fragile_words(sweep)
    parts = ["<h2>Envelope</h2>", f"<p>{text(words)}</p>"]
    try:
        picture = envelope_figure(lines, drawn, _INTERVALS, None)
    except ConfigError as error:
        return [*parts, f'<p class="note">No picture: {text(error)}.</p>']
    parts.append(_picture(picture, f"{metric_name(drawn)} of each set between the two rules, in the color of its fragility"))
    shares = lines.values(FRAGILITY)
    order = np.lexsort((np.where(np.isnan(shares), 0.0, -shares), np.isnan(shares)))[:_MOST_FRAGILE]
    order = order[shares[order] > 0.0]
    if len(order):
        frame = lines.table((FRAGILITY, drawn, f"{drawn}_low", f"{drawn}_high")).drop("error")[order]
        columns = [(name, frame[name].to_list(), _writer(name)) for name in frame.columns]
        numbers = [k for k, (_, values, _) in enumerate(columns) if all(not isinstance(v, str | bool) for v in values)]
        rows = [[cell(told(values[r]), number=k in numbers) for k, (_, values, told) in enumerate(columns)] for r in range(len(frame))]
        made = table([name for name, _, _ in columns], rows, numbers)
        parts.append(f'<h3>Most fragile sets</h3>\n<div class="scroll">{made}</div>')
    return parts


def _fragile_words(sweep: Sweep) -> str:
    told = [part.partition(": ")[2] for part in sweep._fragility()]
    what = "Fragility is the share of closed trades whose end hangs on the rule (M8)"
    return f"{what}. Here: {told[0]}." if told else f"{what}."


# --- what is missing ---------------------------------------------------------------------------------------------------


def _missing(sweep: Sweep, metric: str) -> str:
    lines, row = sweep._lines, statistic(metric)
    values = lines.values(metric)
    undefined, infinite = int((lines.done & np.isnan(values)).sum()), int(np.isinf(values).sum())
    unit = "sets and symbols" if lines.about.separate else "sets"
    rows = [
        ("undefined", undefined, f"measured, but there is no {metric_name(metric, True)} (NaN, a dash above): {row.meaning}. Such a ratio "
         "needs a return that varies, or a closed trade; ranked after all numbers, in no neighbourhood (M5)"),
        ("infinite", infinite, "divided by nothing, as profit factor is without a losing trade; in the ranking, in no picture"),
        ("failed", len(sweep.errors), "refused, or broken off by an error: see below; null in the table, ranked last"),
        ("not run", _not_run(sweep), "the sweep was ended early; null in the table, ranked last"),
    ]  # fmt: skip
    cells = [[cell(name), cell(f"{count:,}", number=True), cell(words)] for name, count, words in rows if count]
    sums = {
        "off": "Block sums were not kept.",
        "memory": "Block sums are in memory: Sweep.blocks and Sweep.fine, a row a line of the table.",
        "file": "Block sums are in files, which are read where they are: Sweep.blocks and Sweep.fine, a row a line of the table.",
    }[sweep.block_sums]
    told = table(("", unit, "why"), cells, (1,)) if cells else "<p>Nothing: every set was run, and has a finite number.</p>"
    return f'{told}\n<p class="note">{sums}</p>'


def _errors(sweep: Sweep) -> str:
    """What went wrong, equal messages together."""
    errors = sweep.errors
    if not errors:
        return ""
    counts = Counter(errors.values())
    rows = []
    for message, count in counts.most_common(_MOST_MESSAGES):
        which = [str(number) for number, said in sorted(errors.items()) if said == message]
        rows.append([cell(f"{count:,}", number=True), cell(message), cell(_some(which, 8))])
    left = len(counts) - len(rows)
    note = f'<p class="note">{left:,} more messages are in sweep.errors.</p>' if left else ""
    return f"<h3>Errors</h3>\n{table(('sets', 'message', 'which'), rows, (0,))}{note}"


def _assumptions(sweep: Sweep) -> list[Assumption]:
    """The setup that all sets share, where what varies says so."""
    lines, run = sweep._lines, sweep.run
    about = lines.about
    last = [
        Assumption("data", "bars", f"{about.bars:,}"),
        Assumption("data", "symbols", ", ".join(about.symbols)),
        Assumption("metrics", "rf", value_text(about.rf), "riskless return per bar, of Sharpe ratios"),
        Assumption("metrics", "mar", value_text(about.mar), "least acceptable return per bar, of Sortino ratios"),
    ]
    if run is None:  # loaded without its bars: what is kept are texts
        source = Assumption("strategy", "strategy", about.written)
        return [source, *(Assumption("setup", name, words) for name, words in about.keywords.items()), *last]
    own, rest = split_names(lines.sets.names, run.strategy.space, run.keywords)
    rows = [Assumption("strategy", "source", about.strategy)]
    for name, value in run.strategy.parameters.items():
        rows.append(Assumption("strategy", str(name), _VARIES if name in own else value_text(value)))
    for row in setup_rows(Setup.of(**run.keywords)):
        rows.append(Assumption(row.section, row.name, _VARIES) if _has_name(row, rest) else row)
    return [*rows, *last]


def _has_name(row: Assumption, names: Iterable[str]) -> bool:
    """Whether one of the parameters of the setup that vary is what a row shows, or is a part of it."""
    if row.section == row.name:  # a size, or what is off
        return any(name.partition(".")[0] == row.section for name in names)
    return any(name in (row.section, row.name, f"{row.section}.{row.name}") for name in names)
