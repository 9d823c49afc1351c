"""What every indicator kernel must do, on all that are found in the package: one state, one step, two drivers."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest

import vecbt.indicators
from vecbt.core.kernel import Kernel

pytestmark = pytest.mark.interpreted

FIELDS = ("open", "high", "low", "close", "volume")


def discovered() -> list[Kernel]:
    """Every Kernel at the top of a module of the package."""
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(vecbt.indicators.__path__, "vecbt.indicators.")]
    found = {k.name: k for module in modules for k in vars(module).values() if isinstance(k, Kernel)}
    return [found[name] for name in sorted(found)]


KERNELS = discovered()


def random_block(bars: int, assets: int, seed: int) -> np.ndarray:
    """Bars (5, T, N), a tenth of them missing."""
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.03, (bars, assets)), axis=0))
    open_ = close * np.exp(rng.normal(0, 0.02, close.shape))
    block = np.stack([open_, np.maximum(open_, close) * 1.01, np.minimum(open_, close) * 0.99, close, rng.random(close.shape)])
    block[:, rng.random(close.shape) < 0.1] = np.nan
    return block


def batch(kernel: Kernel, block: np.ndarray, window: int) -> np.ndarray:
    """The public function on all bars; one of closes takes a matrix, the others take the block."""
    return np.asarray(kernel.function(block[3] if kernel.fields == ("close",) else block, window))


def test_all_are_found() -> None:
    assert {k.name for k in KERNELS} == {"sma", "ema", "atr", "close_sigma"}


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
@pytest.mark.parametrize("window", [1, 2, 5, 30])
def test_d1_d3_the_stream_equals_the_batch_in_value_and_state(kernel: Kernel, window: int) -> None:
    block = random_block(70, 3, seed=window)
    expected = batch(kernel, block, window)
    stream = kernel.stream(3, window)
    for t in range(block.shape[1]):
        if t % 11 == 2:
            saved = stream.save()
            stream = kernel.stream(3, window)
            stream.restore(saved)
        row = stream.update(*(block[FIELDS.index(f), t] for f in kernel.fields))
        assert row.tobytes() == expected[t].tobytes()
    fresh = kernel.stream(3, window)
    for t in range(block.shape[1]):
        fresh.update(*(block[FIELDS.index(f), t] for f in kernel.fields))
    assert fresh.save() == stream.save()


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_assets_do_not_touch_each_other(kernel: Kernel) -> None:
    block = random_block(60, 4, seed=9)
    whole = batch(kernel, block, 5)
    for n in range(4):
        assert batch(kernel, np.ascontiguousarray(block[:, :, n : n + 1]), 5)[:, 0].tobytes() == np.ascontiguousarray(whole[:, n]).tobytes()


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_records_are_flat(kernel: Kernel) -> None:
    for dtype in (kernel.params, kernel.state):
        assert all(dtype[name].kind in "fiu" and dtype[name].shape == () for name in dtype.names)
    assert kernel.step.__name__.endswith("_step") and kernel.run.__name__.endswith("_run") and kernel.init.__name__.endswith("_init")
