"""The step of every indicator is what its run loops over: streams and batches both call the run, other loops may call the step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.indicators.discovered import batch, choices, rows_at
from tests.indicators.test_every_kernel import random_block
from vecbt.core.jit import ENGINE
from vecbt.core.kernel import Kernel

pytestmark = pytest.mark.interpreted


@pytest.mark.skipif(ENGINE != "python", reason="each step would be compiled alone; compiled ones stand in their runs")
@pytest.mark.parametrize(("kernel", "parameters"), choices(), ids=lambda v: v.name if isinstance(v, Kernel) else repr(v))
def test_d1_a_step_gives_what_its_run_gives(kernel: Kernel, parameters: tuple[Any, ...]) -> None:
    block = random_block(70, 1, seed=4)
    expected = batch(kernel, block, parameters)
    states, buffers, params = kernel.init(1, *parameters)
    for t in range(block.shape[1]):
        out = kernel.step(states[0], buffers[0], params[0], *(row[0] for row in rows_at(kernel, block, t)))
        assert np.array(out, dtype=float).reshape(-1).tobytes() == np.ascontiguousarray(expected[:, t, 0]).tobytes(), t
