"""What every indicator must do, on all that are found in the package: one state, one step, two drivers."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import vecbt as vb
from tests.indicators.discovered import FAMILIES, KERNELS, as_matrix, batch, choices, of_block, rows_at
from vecbt.core.kernel import BAR_FIELDS, Kernel
from vecbt.errors import ConfigError, InputError, StateError
from vecbt.indicators.compute import compute
from vecbt.indicators.streaming import IndicatorStream

pytestmark = pytest.mark.interpreted

EVERY = pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
CHOSEN = pytest.mark.parametrize(("kernel", "parameters"), choices(), ids=lambda v: v.name if isinstance(v, Kernel) else repr(v))


def random_block(bars: int, assets: int, seed: int, missing: float = 0.1) -> np.ndarray:
    """Bars (6, T, N) with sessions, some of them missing; prices on a coarse grid, so that ties and flat stretches are there."""
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.03, (bars, assets)), axis=0))
    open_ = close * np.exp(rng.normal(0, 0.02, close.shape))
    prices = np.stack([open_, np.maximum(open_, close) * 1.01, np.minimum(open_, close) * 0.99, close])
    prices = np.maximum(np.round(prices * 4) / 4, 0.25)
    volume = rng.integers(0, 2000, close.shape).astype(float)
    session = np.broadcast_to(np.repeat(np.arange(bars), 5)[:bars, None].astype(float), close.shape)
    block = np.stack([*prices, volume, session])
    block[:5, rng.random(close.shape) < missing] = np.nan
    return block


@CHOSEN
def test_d1_d3_the_stream_equals_the_batch_in_value_and_state(kernel: Kernel, parameters: tuple[Any, ...]) -> None:
    block = random_block(90, 3, seed=len(kernel.name))
    expected = batch(kernel, block, parameters)
    stream = IndicatorStream(kernel, *parameters, assets=3)
    for t in range(block.shape[1]):
        if t % 11 == 2:
            saved = stream.save()
            stream = IndicatorStream(kernel, *parameters, assets=3)
            stream.restore(saved)
        row = as_matrix(stream.update(*rows_at(kernel, block, t)))
        assert row.tobytes() == np.ascontiguousarray(expected[:, t]).tobytes(), t
    fresh = IndicatorStream(kernel, *parameters, assets=3)
    for t in range(block.shape[1]):
        fresh.update(*rows_at(kernel, block, t))
    assert fresh.save() == stream.save()


@CHOSEN
def test_d2_no_value_depends_on_a_later_bar(kernel: Kernel, parameters: tuple[Any, ...]) -> None:
    block = random_block(80, 2, seed=5)
    whole = batch(kernel, block, parameters)
    for cut in (1, 7, 33, 60):
        part = batch(kernel, block[:, :cut], parameters)
        assert part.tobytes() == np.ascontiguousarray(whole[:, :cut]).tobytes(), cut


@EVERY
def test_assets_do_not_touch_each_other(kernel: Kernel) -> None:
    block, parameters = random_block(60, 4, seed=9), choices(kernel)[0][1]
    whole = batch(kernel, block, parameters)
    for n in range(4):
        alone = batch(kernel, np.ascontiguousarray(block[:, :, n : n + 1]), parameters)
        assert alone[:, :, 0].tobytes() == np.ascontiguousarray(whole[:, :, n]).tobytes()


@CHOSEN
def test_short_and_empty_columns_say_nothing_wrong(kernel: Kernel, parameters: tuple[Any, ...]) -> None:
    """T below the window, one bar, and a column without a market."""
    block = random_block(60, 2, seed=3, missing=0.0)
    block[:5, :, 1] = np.nan
    out = batch(kernel, block, parameters)
    first = int(kernel.warmup(*kernel.bind(parameters)))
    if kernel.truth:
        assert not out[:, :, 1].any() and not out[:, :first].any()
    else:
        assert np.isnan(out[:, :, 1]).all()
        assert np.isnan(out[:, :first, 0]).any(axis=0).all(), "a value before the warm-up"
    assert batch(kernel, block[:, :1], parameters).shape == (out.shape[0], 1, 2)
    assert batch(kernel, block[:, :0], parameters).shape == (out.shape[0], 0, 2)


@CHOSEN
def test_a_missing_bar_neither_spreads_nor_is_invented(kernel: Kernel, parameters: tuple[Any, ...]) -> None:
    """A missing bar has no value, or the one before where that is said; afterwards all is as if it had never been there."""
    block = random_block(80, 1, seed=8, missing=0.0)
    gaps = np.zeros(80, dtype=bool)
    gaps[[0, 5, 6, 30, 31, 32, 55]] = True
    gappy = block.copy()
    gappy[:5, gaps] = np.nan
    out, without = batch(kernel, gappy, parameters), batch(kernel, np.ascontiguousarray(block[:, ~gaps]), parameters)
    assert np.ascontiguousarray(out[:, ~gaps]).tobytes() == without.tobytes()
    if kernel.carries:
        held = np.full(out.shape[0], np.nan)
        for t in range(80):
            np.testing.assert_array_equal(out[:, t, 0], held if gaps[t] else out[:, t, 0])
            held = out[:, t, 0]
    elif kernel.truth:
        assert not out[:, gaps].any()
    else:
        assert np.isnan(out[:, gaps]).all()


@EVERY
def test_records_and_parts_have_the_agreed_form(kernel: Kernel) -> None:
    for dtype in (kernel.params, kernel.state):
        assert all(dtype[name].kind in "fiu" and dtype[name].shape == () for name in dtype.names)
    assert kernel.step.__name__.endswith("_step") and kernel.run.__name__.endswith("_run") and kernel.init.__name__.endswith("_init")
    states, buffers, params = kernel.init(2, *choices(kernel)[0][1])
    assert states.dtype == kernel.state and params.dtype == kernel.params
    assert buffers.ndim == 2 and buffers.shape[0] == 2 and buffers.dtype == np.float64


@EVERY
def test_what_the_function_takes_is_what_is_declared(kernel: Kernel) -> None:
    taken = list(inspect.signature(kernel.function).parameters.values())
    inputs = 1 if kernel.takes_bars else len(kernel.inputs)
    assert [p.name for p in taken[inputs:]] == [d.name for d in kernel.parameters]
    assert [p.name for p in taken[:inputs]] == (["bars"] if kernel.takes_bars else list(kernel.inputs))
    for parameter, domain in zip(taken[inputs:], kernel.parameters, strict=True):
        if domain.has_default:
            assert parameter.default == domain.default
        else:
            assert parameter.default is inspect.Parameter.empty
    assert all(name in BAR_FIELDS for name in kernel.inputs) or not any(name in BAR_FIELDS for name in kernel.inputs)


@EVERY
def test_it_is_public_and_says_what_it_is(kernel: Kernel) -> None:
    assert getattr(vb.indicators, kernel.name) is kernel.function
    assert vb.indicators.find(kernel.name) is kernel
    text = inspect.getdoc(kernel.function) or ""
    first = text.splitlines()[0]
    assert first.endswith(".") or "`" in first
    short = re.search(r"arguments and result as there|as for `", text)
    assert short or ("Parameters" in text and "Returns" in text and "NaN" in text), f"{kernel.name}: parameters, returns, NaN policy"


@EVERY
def test_types_that_go_in_come_out(kernel: Kernel) -> None:
    parameters = choices(kernel)[0][1]
    block = random_block(40, 2, seed=2)
    expected = batch(kernel, block, parameters)
    if kernel.takes_bars:
        one = {name: block[k, :, 0] for k, name in enumerate(BAR_FIELDS)}
        series = compute(kernel, (pd.DataFrame(one),), *parameters)
        column = compute(kernel, (pl.DataFrame(one),), *parameters)
        for out, kind in ((series, pd.Series), (column, pl.Series)):
            for part in out if kernel.outputs else (out,):
                assert isinstance(part, kind)
            np.testing.assert_array_equal(as_matrix(out)[:, :], expected[:, :, 0])
        return
    given = of_block(kernel, block)
    frames = tuple(pd.DataFrame(part, columns=["a", "b"]) for part in given)
    out = compute(kernel, frames, *parameters)
    for part in out if kernel.outputs else (out,):
        assert isinstance(part, pd.DataFrame) and list(part.columns) == ["a", "b"]
    np.testing.assert_array_equal(as_matrix(out), expected)
    flat = compute(kernel, tuple(part[:, 0] for part in given), *parameters)
    assert as_matrix(flat).shape == (expected.shape[0], 40)
    np.testing.assert_array_equal(as_matrix(flat), expected[:, :, 0])


@EVERY
def test_wrong_parameters_are_named(kernel: Kernel) -> None:
    for domain in kernel.parameters:
        if domain.is_number:
            with pytest.raises(ConfigError, match=rf"{kernel.name}\.{domain.name} is"):
                kernel.bind((), {**dict(zip([d.name for d in kernel.parameters], choices(kernel)[0][1], strict=True)), domain.name: "x"})
    with pytest.raises(ConfigError, match="has no parameter 'wibndow'"):
        kernel.bind((), {"wibndow": 3})


@EVERY
def test_a_stream_refuses_what_it_cannot_use(kernel: Kernel) -> None:
    parameters = choices(kernel)[0][1]
    stream = IndicatorStream(kernel, *parameters, assets=2)
    with pytest.raises(StateError):
        IndicatorStream(kernel, *parameters, assets=3).restore(stream.save())
    with pytest.raises(InputError, match="expected"):
        stream.update(*(np.zeros(3) for _ in kernel.inputs))
    with pytest.raises(InputError, match="infinite"):
        stream.update(*(np.array([1.0, np.inf]) for _ in kernel.inputs))
    with pytest.raises(InputError, match="a bar"):
        stream.update(*(np.zeros(2) for _ in range(len(kernel.inputs) + 1)))


def test_every_family_is_in_the_public_list() -> None:
    assert {kernel.name for kernel in KERNELS} == set(vb.indicators.catalog())
    assert {kernel.name for kernel in KERNELS} <= set(vb.indicators.__all__)
    assert FAMILIES >= {"moving", "volatility"}
