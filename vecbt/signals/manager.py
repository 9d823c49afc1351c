"""`EnsembleManager`: an ensemble that is put together step by step from a configuration, for a live loop or for a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..data.bars import Bars
from ..data.labels import label_text
from ..data.touch import is_pandas, is_polars
from ..engine.strategy import Strategy, as_strategy
from ..errors import ConfigError, InputError, nearest
from .ensemble import DecisionRecord, Ensemble, checked_weights, decisions_in
from .records import TradingSignal
from .voting import as_mode
from .weights import METRICS, MOST_FACTOR, DynamicWeights, shrunk

__all__ = ["EnsembleManager"]

_OF_WEIGHTS = ("metric", "shrink", "window", "min_history", "drop_below", "readmit_above")
_KEYS = ("enabled", "mode", "dynamic_weights", "strategies", "thresholds", "hold", "prior", *_OF_WEIGHTS)
_THRESHOLDS = {"confidence": 0.6, "vote_ratio": 0.66}


class EnsembleManager:
    """Strategies under their names, weights, and one answer.

    Parameters
    ----------
    config : a mapping, or one with a key "ensemble" that holds it: `enabled` (True), `mode` ("majority_vote"), `dynamic_weights` (False),
        `strategies` (each with `id` and `weight`), `thresholds` (`confidence` 0.6, `vote_ratio` 0.66); and, where given, `hold` and `prior`
        as in `Ensemble`, `metric`, `window`, `min_history`, `shrink`, `drop_below`, `readmit_above` as in `DynamicWeights`
    **account : keywords of the members' own accounts inside a run, as for `backtest`, `costs` among them. They are needed where
        `dynamic_weights` shall follow results in a run; nothing is assumed about costs

    With `enabled=False` nothing is combined: `strategy` and `get_ensemble_signal` give what the first registered strategy says.
    Strategies without a weight in the configuration are refused where it lists weights; weights are those of the registered ones,
    made to add up to 1. Raises ConfigError for unknown keys and values that may not be.
    """

    def __init__(self, config: Mapping[str, Any] | None = None, **account: Any) -> None:
        given = dict(config or {})
        if isinstance(given.get("ensemble"), Mapping):
            given = dict(given["ensemble"])
        for key in given:
            if key not in _KEYS:
                raise ConfigError(f"the configuration of an ensemble has no key {key!r}; {nearest(str(key), _KEYS)}")
        thresholds = dict(given.get("thresholds") or {})
        for key in thresholds:
            if key not in _THRESHOLDS:
                raise ConfigError(f"thresholds has no key {key!r}; {nearest(str(key), _THRESHOLDS)}")
        self._thresholds = {**_THRESHOLDS, **thresholds}
        self.enabled = given.get("enabled", True)
        self.mode = as_mode(given.get("mode", "majority_vote"))
        self.dynamic_weights = given.get("dynamic_weights", False)
        for name in ("enabled", "dynamic_weights"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name} is {getattr(self, name)!r}; expected True or False")
        self._options = {name: given[name] for name in ("hold", "prior") if name in given}
        self._scoring = {name: given[name] for name in _OF_WEIGHTS if name in given}
        self._account = account
        if account and not self.dynamic_weights:
            raise ConfigError(f"{', '.join(account)} belong to the accounts of members, which only dynamic_weights=True keeps")
        if self._scoring and not self.dynamic_weights:
            raise ConfigError(f"{', '.join(self._scoring)} only mean something with dynamic_weights=True")
        self._start = _start_of(given.get("strategies"))
        self._members: dict[str, Strategy] = {}
        self._weights: dict[str, float] = {}
        self.log: list[DecisionRecord] = []
        """Every decision of `get_ensemble_signal`."""

    def register_strategy(self, strategy_id: str, strategy: Any) -> None:
        """Add a strategy, or put another in the place of one; weights begin anew."""
        if not isinstance(strategy_id, str) or not strategy_id:
            raise ConfigError(f"strategy_id is {strategy_id!r}; expected a text")
        if self._start and strategy_id not in self._start:
            hint = nearest(strategy_id, self._start)
            raise ConfigError(f"strategy_id is {strategy_id!r}, and the configuration has no weight for it; {hint}")
        self._members[strategy_id] = as_strategy(strategy)
        self._reset_weights()

    def remove_strategy(self, strategy_id: str) -> None:
        """Take a strategy out; weights begin anew. ConfigError where it is not there."""
        if strategy_id not in self._members:
            raise ConfigError(f"{strategy_id!r} is not registered; {nearest(strategy_id, self._members)}")
        del self._members[strategy_id]
        self._reset_weights()

    def _reset_weights(self) -> None:
        names = list(self._members)
        given = {name: self._start[name] for name in names if name in self._start} or None
        self._weights = checked_weights(given, names, "EnsembleManager") if names else {}

    @property
    def weights(self) -> dict[str, float]:
        """By strategy; their sum is 1."""
        return dict(self._weights)

    def update_weights(self, performance_metrics: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        """Weights from results that were measured elsewhere; gives them back.

        Parameters
        ----------
        performance_metrics : by strategy: `sharpe_ratio`, `win_rate` or `profit_factor` (the one that `metric` names, else the first of
            these that is there), and `observations`, the bars behind them; without it as many as `shrink`, which is half way to equal

        Scores are floored at zero (a profit factor above 10 counts as 10), made shares, and shrunk to equal by
        shrink/(shrink + observations), observations being the fewest of them. Strategies without results keep their weight; the others
        share the rest. Use results of bars that are over: those of the run that the weights will trade in would be known beforehand.

        Raises
        ------
        ConfigError where `dynamic_weights` is off, for a name that is not registered, and for results that are no numbers.
        """
        if not self.dynamic_weights:
            raise ConfigError("dynamic_weights is False, so weights stay; set it in the configuration")
        scores, fewest = {}, math.inf
        shrink = float(self._scoring.get("shrink", 63.0))
        for name, metrics in performance_metrics.items():
            if name not in self._members:
                raise ConfigError(f"performance_metrics names {name!r}, which is not registered; {nearest(str(name), self._members)}")
            scores[name] = _score_in(metrics, name, self._scoring.get("metric"))
            fewest = min(fewest, float(metrics.get("observations", shrink)))
        if not scores:
            return self.weights
        room = math.fsum(self._weights[name] for name in scores)
        total = math.fsum(scores.values())
        share = shrink / (shrink + fewest) if shrink + fewest > 0 else 1.0
        for name, score in scores.items():
            self._weights[name] = room * float(shrunk(score, total, 1.0 / len(scores), share))
        return self.weights

    @property
    def strategy(self) -> Ensemble:
        """The ensemble as it is now, a frozen strategy for `backtest` and `Stream`.

        ConfigError without strategies, and where dynamic weights have no account to follow: give `costs` to the manager.
        """
        if self.dynamic_weights and not self._account:
            raise ConfigError("dynamic_weights follow the members' own accounts, which need costs; give EnsembleManager(config, costs=...)")
        return self._ensemble(DynamicWeights(self._account, **self._scoring) if self.dynamic_weights else None)

    def _ensemble(self, dynamic: DynamicWeights | None) -> Ensemble:
        if not self._members:
            raise ConfigError("no strategy is registered; call register_strategy(id, strategy) first")
        ratio, confidence = self._thresholds["vote_ratio"], self._thresholds["confidence"]
        return Ensemble(
            self._members,
            mode=self.mode,
            weights=self._weights,
            vote_ratio=ratio,
            confidence=confidence,
            dynamic=dynamic,
            enabled=self.enabled,
            **self._options,
        )

    def get_ensemble_signal(self, market_data: Any) -> Any:
        """What the ensemble says at the last bar, with the weights of now.

        Parameters
        ----------
        market_data : Bars, a dated pandas or polars frame of prices, or a mapping with one as `ohlcv` or `bars`, and `asset`

        Returns
        -------
        TradingSignal, or a dict of them by asset where there are several. `signal` is "buy", "sell", "flat" or "hold"; `metadata` holds the
        decision, as it is in `log`; `amount` is None: the sizing decides.
        """
        bars = _bars_in(market_data)
        ensemble = self._ensemble(None)
        if not self.enabled:  # one voter, whose word goes through
            name = next(iter(self._members))
            ensemble = Ensemble({name: self._members[name]}, mode="majority_vote")
        machine, _ = ensemble.run(bars)
        verdict = machine.verdict  # type: ignore[attr-defined]
        last = type(verdict)(*(part[..., -1:, :] for part in verdict))
        records = decisions_in(ensemble, last, bars.close[-1:], [int(bars.index[-1])], bars.symbols)
        self.log += records
        signals = {record.asset: _signal_of(record, float(bars.close[-1, bars.symbols.index(record.asset)])) for record in records}
        silent = [s for s in bars.symbols if s not in signals]
        stamp = label_text(int(bars.index[-1]))
        signals |= {s: TradingSignal(symbol=s, signal="hold", timestamp=stamp, strategy_id="ensemble") for s in silent}
        return signals[bars.symbols[0]] if bars.N == 1 else signals


def _start_of(strategies: Any) -> dict[str, float]:
    """Weights by id, from the list of a configuration; empty where there is none."""
    out: dict[str, float] = {}
    for entry in strategies or ():
        if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), str) or set(entry) - {"id", "weight"}:
            raise ConfigError(f"strategies holds {entry!r}; expected {{'id': ..., 'weight': ...}}")
        if entry["id"] in out:
            raise ConfigError(f"strategies names {entry['id']!r} twice")
        out[entry["id"]] = entry.get("weight", 1.0)
    if out:
        checked_weights(out, list(out), "strategies, their")
    return out


def _score_in(metrics: Any, name: str, metric: str | None) -> float:
    known = [metric] if metric is not None else [each for each in METRICS if isinstance(metrics, Mapping) and each in metrics]
    value = metrics.get(known[0]) if isinstance(metrics, Mapping) and known else None
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or math.isnan(value):
        raise ConfigError(f"performance_metrics[{name!r}] is {metrics!r}; expected a number for {metric or ', '.join(METRICS)}")
    return max(min(float(value), MOST_FACTOR) if known[0] == "profit_factor" else float(value), 0.0)


def _bars_in(market_data: Any) -> Bars:
    if isinstance(market_data, Bars):
        return market_data
    if isinstance(market_data, Mapping) and ("bars" in market_data or "ohlcv" in market_data):
        found = market_data.get("bars")
        found = market_data["ohlcv"] if found is None else found
        return _bars_of(found, str(market_data.get("asset", "asset")))
    return _bars_of(market_data, "asset")


def _bars_of(found: Any, asset: str) -> Bars:
    if isinstance(found, Bars):
        return found
    if is_pandas(found):
        return Bars.from_pandas(found, symbol=asset)
    if is_polars(found):
        return Bars.from_polars(found, symbol=asset)
    raise InputError(f"market_data holds {type(found).__name__}; expected Bars or a dated frame, alone or as 'ohlcv' of a mapping")


def _signal_of(record: DecisionRecord, price: float) -> TradingSignal:
    return TradingSignal(
        symbol=record.asset,
        signal=record.decision,
        price=price,
        timestamp=record.timestamp,
        strategy_id="ensemble",
        confidence=record.confidence_score,
        metadata=dict(record),
    )
