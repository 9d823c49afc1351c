"""Ensembles: votes in whole numbers, weights, Bayes, the log of decisions, and the design document's examples with other imports."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

import vecbt as vb
from tests.signals.examples import DYNAMIC, MIXED, SIGNALS, STRENGTHS, gappy_bars, numbers
from tests.signals.test_filters import Says, bars_of
from vecbt.engine.strategy import evaluate
from vecbt.errors import ConfigError
from vecbt.signals import Ensemble, EnsembleManager, TradingSignal, VotingMode
from vecbt.signals.voting import as_ratio
from vecbt.strategies import EmaCross, FixedWeights, SmaCross

NAN = math.nan


def votes(members: list[list[float]], **parameters: Any) -> list[float]:
    """What an ensemble makes of the words of its members, bar by bar."""
    bars = bars_of([100.0] * len(members[0]))
    named = {f"m{k}": Says(tuple(words)) for k, words in enumerate(members)}
    return [float(v) for v in numbers(evaluate(Ensemble(named, **parameters), bars))[:, 0]]


def outcome(words: list[float], **parameters: Any) -> float:
    """Of one bar; one word per member."""
    return votes([[word] for word in words], **parameters)[0]


# --- ENS-02 ----------------------------------------------------------------------------------------------------------


def test_ens02_two_of_three_is_two_thirds() -> None:
    """ENS-02, C17: 0.66 and 2/3 are the same, in whole numbers; a float would be one vote off for 6 of 9 or 4 of 6."""
    for ratio in (0.66, 0.67, 0.666, 0.6667, "2/3", Fraction(2, 3)):
        assert as_ratio(ratio) == Fraction(2, 3)
        for n in (3, 6, 9, 300):
            yes = 2 * n // 3
            assert outcome([1.0] * yes + [0.0] * (n - yes), vote_ratio=ratio) == 1.0
            assert math.isnan(outcome([1.0] * (yes - 1) + [NAN] * (n - yes + 1), vote_ratio=ratio))
    assert as_ratio(0.6) == Fraction(3, 5) and as_ratio(0.33) == Fraction(1, 3) and as_ratio(0.5) == Fraction(1, 2)
    assert as_ratio(0.65) == Fraction(13, 20) and as_ratio(1) == 1


def test_ens02_a_tie_is_hold() -> None:
    """ENS-02, C17: at a ratio of one half both sides can reach it, and none wins."""
    assert math.isnan(outcome([1.0, -1.0], vote_ratio=0.5))
    assert math.isnan(outcome([1.0, 1.0, 0.0, 0.0], vote_ratio=0.5))
    assert outcome([1.0, 1.0, -1.0, 0.0], vote_ratio=0.5) == 1.0
    assert outcome([1.0, -1.0], vote_ratio=0.5, hold="flat") == 0.0
    assert math.isnan(outcome([1.0, -1.0], vote_ratio=0.5, mode="weighted_vote"))


def test_ens02_majority_leaves_when_enough_are_flat_and_absent_members_agree_with_nobody() -> None:
    """ENS-02, C21: leaving is not selling."""
    assert outcome([0.0, 0.0, 1.0]) == 0.0
    assert outcome([-1.0, -0.5, 1.0]) == -1.0
    assert math.isnan(outcome([1.0, NAN, NAN]))  # one of one would pass; one of three does not
    assert math.isnan(outcome([NAN, NAN, NAN]))
    assert outcome([1.0, 0.2, NAN]) == 1.0


def test_ens02_weights_decide_a_weighted_vote() -> None:
    """ENS-02, ENS-03: the document's weights 0.4/0.3/0.3 and 0.5/0.3/0.2."""
    three = {"m0": 0.4, "m1": 0.3, "m2": 0.3}
    assert outcome([1.0, 1.0, -1.0], mode="weighted_vote", weights=three) == 1.0
    assert math.isnan(outcome([-1.0, 1.0, 1.0], mode="weighted_vote", weights=three))  # 0.6 < 2/3
    half = {"m0": 0.5, "m1": 0.3, "m2": 0.2}
    assert outcome([-1.0, 0.0, -1.0], mode="weighted_vote", weights=half) == -1.0
    assert math.isnan(outcome([-1.0, 0.0, 1.0], mode="weighted_vote", weights=half))
    assert outcome([1.0, 1.0, -1.0], mode="weighted_vote") == 1.0  # thirds add up to two thirds
    assert outcome([1.0, -1.0, -1.0], mode="weighted_vote", weights={"m0": 7.0}) == 1.0


def test_ens02_confidence_is_averaged_and_must_reach_the_threshold() -> None:
    """ENS-02, C9: the mean of |strength| for a side; members without a confidence are left out."""
    mode = VotingMode.CONFIDENCE_AVERAGE
    assert outcome([0.9, 0.6, 0.3], mode=mode) == pytest.approx(0.6)
    assert math.isnan(outcome([0.9, 0.6, 0.29], mode=mode))
    assert outcome([-0.9, -0.6, -0.6], mode=mode) == pytest.approx(-0.7)
    assert outcome([0.9, -0.9, 0.9], mode=mode) == pytest.approx(0.6)
    assert outcome([0.0, 0.0, 0.9], mode=mode) == 0.0
    assert outcome([0.9, NAN, NAN], mode=mode) == pytest.approx(0.9)  # an average is over those that speak
    bars = gappy_bars(60)
    booleans = numbers(evaluate(Ensemble({"a": SIGNALS, "b": EmaCross(2, 5)}, mode=mode, confidence=0.0), bars))
    assert np.isnan(booleans).all()


def test_ens02_modes_by_name_and_wrong_ones() -> None:
    """ENS-02"""
    assert [m.name for m in VotingMode][:3] == ["MAJORITY_VOTE", "WEIGHTED_VOTE", "CONFIDENCE_AVERAGE"]
    assert Ensemble(MIXED, mode="weighted_vote") == Ensemble(MIXED, mode=VotingMode.WEIGHTED_VOTE)
    assert (Ensemble(MIXED).confidence, Ensemble(MIXED).vote_ratio) == (0.6, "2/3")


# --- ENS-06 ----------------------------------------------------------------------------------------------------------


def test_ens06_bayesian_votes_weigh_members_by_how_often_they_were_right() -> None:
    """ENS-06: the posterior, word by word, from hits so far; nothing of the next move."""
    rng = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 120)))
    move = np.sign(np.diff(close, append=close[-1]))
    good = np.where(rng.random(120) < 0.8, move, -move)  # right four times of five
    members = [list(good), list(-np.ones(120)), list(rng.choice([-1.0, 1.0, 0.0], 120))]
    bars = bars_of(close)
    ensemble = Ensemble({f"m{k}": Says(tuple(m)) for k, m in enumerate(members)}, mode="bayesian_vote", confidence=0.6, prior=4.0)
    found = numbers(evaluate(ensemble, bars))[:, 0]
    hits = np.zeros((3, 2))
    for t in range(120):
        for m, words in enumerate(members):
            if t and words[t - 1] and close[t] != close[t - 1]:
                hits[m, int(np.sign(words[t - 1]) != np.sign(close[t] - close[t - 1]))] += 1
        odds = 1.0
        for m, words in enumerate(members):
            p = (hits[m, 0] + 2.0) / (hits[m].sum() + 4.0)
            odds *= (p / (1 - p)) ** np.sign(words[t])
        up = odds / (1 + odds)
        expected = 2 * up - 1 if max(up, 1 - up) >= 0.6 * (1 - 1e-9) else NAN
        np.testing.assert_allclose(found[t], expected, atol=1e-12, err_msg=str(t))
    assert np.sum(np.sign(found[60:]) == good[60:]) > 50  # the good witness is believed


def test_ens06_correlation_of_members() -> None:
    """ENS-06: of their accounts' returns, and of what they stand for."""
    bars = gappy_bars(100)
    again = {**MIXED, "sma again": SIGNALS, "mirror": Says(tuple([1.0, -1.0] * 50))}
    of_strengths = vb.signals.strategy_correlation(bars, {"a": STRENGTHS, "b": STRENGTHS, "c": SIGNALS}, of="strengths")
    assert of_strengths.loc["a", "b"] == pytest.approx(1.0) and -1 <= of_strengths.loc["a", "c"] < 1
    single = bars.select(["S0"])
    table = vb.signals.strategy_correlation(single, again, costs=vb.Costs.free())
    assert list(table.index) == list(again) == list(table.columns)
    assert table.loc["sma", "sma again"] == pytest.approx(1.0)
    equity = {n: vb.backtest(single, s, costs=vb.Costs.free()).returns for n, s in (("sma", SIGNALS), ("ema", MIXED["ema"]))}
    assert table.loc["sma", "ema"] == pytest.approx(equity["sma"].corr(equity["ema"]))
    with pytest.raises(ConfigError, match="costs are missing"):
        vb.signals.strategy_correlation(bars, MIXED)
    with pytest.raises(ConfigError, match="of='strengths' does not keep"):
        vb.signals.strategy_correlation(bars, MIXED, of="strengths", costs=vb.Costs.free())
    with pytest.raises(ConfigError, match="of is 'prices'"):
        vb.signals.strategy_correlation(bars, MIXED, of="prices")


# --- ENS-04 ----------------------------------------------------------------------------------------------------------


def test_ens04_every_decision_is_logged_with_its_reasons() -> None:
    """ENS-04: the document's fields; total_weight is the weight of those who decided (defect 45: it was 2.0 of 1)."""
    bars = bars_of([100.0, 101.0])
    members = {"rsi_strategy": Says((0.8, 0.8)), "ml_filter": Says((0.8, -0.5)), "ema": Says((0.0, NAN))}
    weights = {"rsi_strategy": 0.5, "ml_filter": 0.3, "ema": 0.2}
    table = Ensemble(members, mode="weighted_vote", weights=weights).decisions(bars)
    first, second = table.iloc[0], table.iloc[1]
    assert first["decision"] == "buy" and second["decision"] == "hold"
    assert first["contributing_strategies"] == ("rsi_strategy", "ml_filter") and second["contributing_strategies"] == ()
    assert first["vote_counts"] == {"buy": 2, "sell": 0, "hold": 1} and second["vote_counts"] == {"buy": 1, "sell": 1, "hold": 1}
    assert first["total_weight"] == pytest.approx(0.8) and first["confidence_score"] == pytest.approx(0.8)
    assert math.isnan(second["confidence_score"]) and second["total_weight"] == 0.0
    assert first["voting_mode"] == "weighted_vote" and first["strategy_weights"] == weights
    assert first["asset"] == "A" and first["timestamp"].startswith("2024-03-04")


@pytest.mark.parametrize("mode", list(VotingMode))
def test_ens04_the_stream_logs_what_the_batch_logs(mode: VotingMode) -> None:
    """ENS-04, D1: record by record, restored in between."""
    bars = gappy_bars(60)
    ensemble = Ensemble(MIXED, mode=mode, confidence=0.2 if mode == "confidence_average" else 0.6)
    table = ensemble.decisions(bars)
    feed, records = ensemble.feed(bars.market), []
    for t in range(bars.T):
        feed.update(bars.row(t).normalized(bars.market))
        records += [dict(record) for record in feed.decisions]
        if t == 31:
            saved = feed.save()
            feed = ensemble.feed(bars.market)
            feed.restore(saved)
    pd.testing.assert_frame_equal(pd.DataFrame(records), table, check_exact=True)
    assert {"buy", "hold"} <= set(table["decision"])
    assert len(table) == np.isfinite(bars.close).sum()


def test_ens01_a_disabled_ensemble_passes_its_first_member_through() -> None:
    """ENS-01: `enabled=False` combines nothing, and the rows of the member are its own booleans."""
    bars = gappy_bars(60)
    off = Ensemble(MIXED, enabled=False)
    given, own = evaluate(off, bars), evaluate(SIGNALS, bars)
    assert given.kind == own.kind and numbers(given).tobytes() == numbers(own).tobytes()
    assert off.warmup == SIGNALS.warmup
    with pytest.raises(ConfigError, match="is not enabled"):
        off.decisions(bars)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ensemble(MIXED, mode="majority"), r"mode is 'majority'; expected one of .*did you mean 'majority_vote'"),
        (lambda: Ensemble({}), "Ensemble.members is empty"),
        (lambda: Ensemble(SIGNALS), "expected strategies by name, or a sequence"),  # type: ignore[arg-type]
        (lambda: Ensemble({"a": 3}), r"Ensemble.members\['a'\] is 3; expected a strategy"),  # type: ignore[dict-item]
        (lambda: Ensemble(MIXED, weights={"sma": -0.1}), r"weights\['sma'\] is -0.1; expected a finite number of at least 0"),
        (lambda: Ensemble(MIXED, weights={"smma": 1.0}), "weights names 'smma', which is no member; did you mean 'sma'"),
        (lambda: Ensemble(MIXED, weights={"sma": 0.0}), "weights are all 0"),
        (lambda: Ensemble(MIXED, weights=[1.0]), "expected a mapping of member to weight"),  # type: ignore[arg-type]
        (lambda: Ensemble(MIXED, vote_ratio=1.5), "vote_ratio is 1.5; expected more than 0 and at most 1"),
        (lambda: Ensemble(MIXED, vote_ratio="most"), "vote_ratio is 'most'"),
        (lambda: Ensemble(MIXED, confidence=1.5), "Ensemble.confidence is 1.5; expected a number from 0 to 1"),
        (lambda: Ensemble(MIXED, dynamic=True), "Ensemble.dynamic is True; expected DynamicWeights"),  # type: ignore[arg-type]
        (lambda: Ensemble(MIXED, enabled=1), "Ensemble.enabled is 1; expected True or False"),  # type: ignore[arg-type]
        (lambda: evaluate(Ensemble({"w": FixedWeights()}), gappy_bars(20)), "member 'w' gives weights; expected signals or strengths"),
    ],
)
def test_ens01_what_may_not_be_is_refused(make: Any, message: str) -> None:
    """ENS-01: argument, expected, found."""
    with pytest.raises(ConfigError, match=message):
        make()


def test_ens01_the_kind_of_a_member_is_refused_in_a_stream_too() -> None:
    """ENS-01"""
    bars = gappy_bars(20)
    feed = Ensemble({"a": SIGNALS, "w": FixedWeights()}).feed(bars.market)
    with pytest.raises(ConfigError, match="member 'w' gives weights"):
        feed.update(bars.row(0).normalized(bars.market))


# --- ENS-01, ENS-03: the manager, and the document's examples --------------------------------------------------------

CONFIG = {
    "ensemble": {
        "enabled": True,
        "mode": "weighted_vote",
        "dynamic_weights": True,
        "strategies": [
            {"id": "rsi_strategy", "weight": 0.4},
            {"id": "ema_cross_strategy", "weight": 0.3},
            {"id": "ml_filter", "weight": 0.3},
        ],
        "thresholds": {"confidence": 0.6, "vote_ratio": 0.66},
    }
}


def registered(config: Any = CONFIG, **account: Any) -> EnsembleManager:
    """A manager with the three strategies of the document's configuration."""
    manager = EnsembleManager(config, **account)
    for name, strategy in zip(("rsi_strategy", "ema_cross_strategy", "ml_filter"), MIXED.values(), strict=True):
        manager.register_strategy(name, strategy)
    return manager


def test_ens01_the_documents_first_example() -> None:
    """ENS-01, ENS-03: register, ask, update weights."""
    config = {"enabled": True, "mode": "weighted_vote", "dynamic_weights": True}
    ensemble_manager = EnsembleManager(config)
    ensemble_manager.register_strategy("rsi_strategy", SIGNALS)
    bars = vb.samples.load("us_daily", symbols=["AAPL"]).slice(0, 300)
    market_data = {"ohlcv": bars.to_pandas()}
    ensemble_signal = ensemble_manager.get_ensemble_signal(market_data)
    assert isinstance(ensemble_signal, TradingSignal) and ensemble_signal.signal in ("buy", "sell", "flat")
    performance_metrics = {"rsi_strategy": {"sharpe_ratio": 2.0, "win_rate": 0.8}}
    assert ensemble_manager.update_weights(performance_metrics) == {"rsi_strategy": 1.0}


def test_ens01_the_documents_basic_usage() -> None:
    """ENS-01: as it stands there."""
    ensemble_config = {
        "enabled": True,
        "mode": "weighted_vote",
        "strategies": [{"id": "strategy1", "weight": 0.5}, {"id": "strategy2", "weight": 0.3}, {"id": "strategy3", "weight": 0.2}],
    }
    ensemble_manager = EnsembleManager(ensemble_config)
    ensemble_manager.register_strategy("strategy1", SmaCross(5, 20))
    ensemble_manager.register_strategy("strategy2", EmaCross(5, 20))
    ensemble_manager.register_strategy("strategy3", STRENGTHS)
    bars = vb.samples.load("us_daily", symbols=["MSFT"]).slice(0, 400)
    df, feature_df = bars.to_pandas(), None
    market_data = {"ohlcv": df, "features": feature_df}
    ensemble_signal = ensemble_manager.get_ensemble_signal(market_data)
    assert ensemble_manager.weights == {"strategy1": 0.5, "strategy2": 0.3, "strategy3": 0.2}
    record = ensemble_manager.log[-1]
    last = Ensemble(ensemble_manager.strategy.members, mode="weighted_vote", weights=ensemble_manager.weights).decisions(bars).iloc[-1]
    assert ensemble_signal.signal == record.decision == last["decision"]
    assert ensemble_signal.metadata["vote_counts"] == last["vote_counts"]
    result = vb.backtest(bars, ensemble_manager.strategy, costs=vb.Costs.free())
    assert len(result.trades) > 2


def test_ens03_weights_from_results_are_floored_and_shrunk() -> None:
    """ENS-03, defect 28: a negative Sharpe ratio is no negative weight; 63 of 126 observations go half way to equal."""
    manager = registered()
    assert manager.weights == {"rsi_strategy": 0.4, "ema_cross_strategy": 0.3, "ml_filter": 0.3}
    results = {"rsi_strategy": {"sharpe_ratio": 3.0}, "ema_cross_strategy": {"sharpe_ratio": 1.0}, "ml_filter": {"sharpe_ratio": -2.0}}
    weights = manager.update_weights({n: {**m, "observations": 63} for n, m in results.items()})
    np.testing.assert_allclose(list(weights.values()), [0.5 * 0.75 + 1 / 6, 0.5 * 0.25 + 1 / 6, 1 / 6])
    assert sum(weights.values()) == pytest.approx(1.0)
    many = registered().update_weights({n: {**m, "observations": 10**9} for n, m in results.items()})
    np.testing.assert_allclose(list(many.values()), [0.75, 0.25, 0.0], atol=1e-6)
    losing = registered().update_weights({n: {"sharpe_ratio": -1.0} for n in results})
    np.testing.assert_allclose(list(losing.values()), 1 / 3)
    some = registered().update_weights({"ema_cross_strategy": {"win_rate": 0.9, "observations": 0}, "ml_filter": {"win_rate": 0.1}})
    np.testing.assert_allclose(list(some.values()), [0.4, 0.3, 0.3])  # no observations: all the way to equal
    factors = registered({**CONFIG["ensemble"], "metric": "profit_factor"}).update_weights(
        {n: {"profit_factor": f, "observations": 10**9} for n, f in zip(results, (1e9, 5.0, 5.0), strict=True)}
    )
    np.testing.assert_allclose(list(factors.values()), [0.5, 0.25, 0.25], atol=1e-6)


def test_ens03_dynamic_weights_in_a_run_need_costs() -> None:
    """ENS-03: accounts of members are never free by default; with costs the manager's strategy follows them."""
    with pytest.raises(ConfigError, match="need costs; give EnsembleManager"):
        _ = registered().strategy
    manager = registered({**CONFIG["ensemble"], "window": 12, "min_history": 4, "shrink": 5.0}, costs=vb.Costs(commission_rate=0.001))
    strategy = manager.strategy
    assert strategy.dynamic is not None and strategy.dynamic.window == 12
    weights = strategy.decisions(gappy_bars(60))["strategy_weights"]
    assert weights.iloc[0] == manager.weights and weights.iloc[-1] != manager.weights


def test_ens06_members_come_and_go() -> None:
    """ENS-06: by hand in the manager; weights begin anew with those that are there."""
    manager = registered()
    manager.remove_strategy("ml_filter")
    np.testing.assert_allclose(list(manager.weights.values()), [4 / 7, 3 / 7])
    with pytest.raises(ConfigError, match="'ml_filter' is not registered"):
        manager.remove_strategy("ml_filter")
    bars = gappy_bars(50)
    manager = EnsembleManager({"enabled": False})
    manager.register_strategy("only", Says(tuple([1.0] * 50)))
    manager.register_strategy("other", Says(tuple([-1.0] * 50)))
    assert {s.signal for s in manager.get_ensemble_signal(bars.select(["S0", "S2"])).values()} <= {"buy", "hold"}
    assert numbers(evaluate(manager.strategy, bars.select(["S0"])))[0, 0] == 1.0


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: EnsembleManager({"modus": 1}), "has no key 'modus'; did you mean 'mode'"),
        (lambda: EnsembleManager({"thresholds": {"ratio": 0.5}}), "thresholds has no key 'ratio'"),
        (lambda: EnsembleManager({"enabled": "yes"}), "enabled is 'yes'; expected True or False"),
        (lambda: EnsembleManager({"strategies": [{"name": "a"}]}), "expected {'id': ..., 'weight': ...}"),
        (lambda: EnsembleManager({"strategies": [{"id": "a", "weight": -1}]}), "expected a finite number of at least 0"),
        (lambda: EnsembleManager({"strategies": [{"id": "a"}, {"id": "a"}]}), "names 'a' twice"),
        (lambda: EnsembleManager({}, costs=vb.Costs.free()), "only dynamic_weights=True keeps"),
        (lambda: EnsembleManager({"window": 5}), "only mean something with dynamic_weights=True"),
        (lambda: EnsembleManager(CONFIG).register_strategy("macd", SIGNALS), "strategy_id is 'macd', and the configuration has no weight"),
        (lambda: EnsembleManager({}).strategy, "no strategy is registered"),
        (lambda: registered({"mode": "majority_vote"}).update_weights({}), "dynamic_weights is False"),
        (lambda: registered().update_weights({"rsi": {"sharpe_ratio": 1.0}}), "names 'rsi', which is not registered"),
        (lambda: registered().update_weights({"rsi_strategy": {"sharp": 1.0}}), "expected a number for"),
    ],
)
def test_ens01_a_manager_refuses_what_it_cannot_use(act: Any, message: str) -> None:
    """ENS-01"""
    with pytest.raises(ConfigError, match=message.replace("{", r"\{").replace("}", r"\}")):
        act()


def test_dynamic_weights_do_not_mix_with_a_setup_that_hides_results() -> None:
    """ENS-03"""
    for keywords, message in (
        ({}, "costs are missing"),
        ({"costs": vb.Costs.free(), "liquidate_at_end": True}, "liquidate_at_end is True"),
        ({"costs": vb.Costs.free(), "flows": {"2024-01-01": 5.0}}, "start with money alone"),
    ):
        with pytest.raises(ConfigError, match=message):
            vb.signals.DynamicWeights(keywords)
    for wrong, message in (
        ({"metric": "sharpe_ration"}, "did you mean 'sharpe_ratio'"),
        ({"window": 1}, "window is 1; expected a whole number of at least 2"),
        ({"window": 10, "min_history": 11}, "expected min_history <= window"),
        ({"shrink": -1.0}, "shrink is -1.0; expected a finite number of at least 0"),
        ({"readmit_above": 0.0}, "expected readmit_above >= drop_below"),
        ({"drop_below": 1.0, "readmit_above": 0.0}, "expected readmit_above >= drop_below"),
    ):
        with pytest.raises(ConfigError, match=message):
            vb.signals.DynamicWeights({"costs": vb.Costs.free()}, **wrong)  # type: ignore[arg-type]
    assert DYNAMIC.account.costs.commission_rate == 0.001
