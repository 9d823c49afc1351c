"""What was learned: the table of values, how learning went, and what the policy was worth on bars it never saw, beside others."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..._typing import ArrayT, IndexT, Table
from ...analytics.saved.folder import digest_of, write_json
from ...analytics.saved.source import describe_source, found_strategy
from ...analytics.saved.values import Json
from ...data.labels import label_text
from ...errors import ConfigError, StateError
from .selector import PolicySelector

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...analytics.result import Result
    from ...data.bars import Bars
    from .training import Learning

__all__ = ["BESIDE", "HELD_METRICS", "Held", "Policy"]

HELD_METRICS = ("total_return", "cagr", "volatility", "sharpe", "max_drawdown")
"""What is measured on the held-out part."""

BESIDE = ("policy", "best member", "equal weights")
"""Whose curves are kept of the held-out part, in order; of random policies only how they spread."""

_WHAT, _SCHEMA = "a policy learned by vecbt", 1


@dataclass(frozen=True, eq=False)
class Held:
    """The held-out part, T bars, in accounts that begin with it.

    Attributes
    ----------
    labels : int64 (T,), ns UTC; growth : (3, T) of one unit of money, of `BESIDE`; band : (3, T) its 5 %, 50 % and 95 % quantiles over
        random policies
    measured, random : each of `HELD_METRICS`, (3,) of `BESIDE`, and (R,) of random policies
    orders : of the policy and of the best member; members : Sharpe ratio of each
    trained : labels of the first and the last training bar; bars : content hash of all bars
    statistics : of the policy, those that a sweep has, by name; per_year : bars a year

    Equal weights is money in equal parts, one with each member's own account, and left there.
    """

    labels: IndexT
    growth: NDArray[np.float64]
    band: NDArray[np.float64]
    measured: dict[str, ArrayT]
    random: dict[str, ArrayT]
    orders: tuple[int, int]
    members: dict[str, float]
    trained: tuple[int, int]
    bars: str
    statistics: dict[str, float]
    per_year: float


@dataclass(frozen=True, eq=False)
class Policy:
    """A learned policy.

    Attributes
    ----------
    strategy : PolicySelector, which runs, streams, saves and is checked like any strategy
    learning : Learning, how it was learned
    learned : values (S, M), visits (S, M), and of each episode its steps, its reward, and growth of one unit of money (E, 3). S are the
        states; with `holding` for each state first no member held, then each of them
    best : the member that was worth most on the training part, by what is rewarded
    held : Held
    result : Result of the policy on the held-out part; None where the policy was loaded from a file
    """

    strategy: PolicySelector
    learning: Learning
    learned: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]
    best: str
    held: Held
    result: Result | None = None

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the members."""
        return tuple(self.strategy.members)

    @property
    def beside(self) -> tuple[str, ...]:
        """`BESIDE`, with the name of the best member."""
        return BESIDE[0], f"{BESIDE[1]} ({self.best})", BESIDE[2]

    @property
    def q(self) -> Table:
        """Values, a pandas frame: states (with `holding` states and the member held) by members."""
        return self._frame(self.learned[0])

    @property
    def visits(self) -> Table:
        """How often each was tried, a pandas frame like `q`."""
        return self._frame(self.learned[1])

    @property
    def choices(self) -> Any:
        """The member chosen in each state, a pandas Series; with `holding` by state and member held."""
        import pandas as pd

        return pd.Series(list(self.strategy.policy), index=self._rows(), name="choice")

    @property
    def curve(self) -> Table:
        """How learning went, a pandas frame by episode: steps, reward (the sum), growth (a fraction, after costs of changing)."""
        import pandas as pd

        steps, reward, growth = self.learned[2].T
        return pd.DataFrame({"steps": steps.astype(np.int64), "reward": reward, "growth": growth - 1.0}).rename_axis("episode")

    @property
    def measure(self) -> str:
        """What decides whether it is better: "total_return" where returns were rewarded, else "sharpe"."""
        return "total_return" if self.learning.reward_function in ("pnl", "total_return") else "sharpe"

    @property
    def comparison(self) -> Table:
        """The held-out part, a pandas frame: policy, best member, equal weights, the median of random policies; by metric."""
        import pandas as pd

        held = self.held
        rows = {name: [held.measured[metric][k] for metric in HELD_METRICS] for k, name in enumerate(self.beside)}
        rows["random policies (median)"] = [float(np.nanmedian(held.random[metric])) for metric in HELD_METRICS]
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(HELD_METRICS))

    @property
    def luckier(self) -> float:
        """Share of random policies that were as good or better on the held-out part, by `measure`."""
        return float(np.mean(~(self.held.random[self.measure] < self.held.measured[self.measure][0])))

    @property
    def better(self) -> bool:
        """Whether it beat the best member, equal weights, and 95 % of random policies on the held-out part, by `measure`."""
        mine, *others = self.held.measured[self.measure].tolist()
        return all(mine > other for other in others) and self.luckier <= 0.05

    @property
    def verdict(self) -> str:
        """What the held-out part says, in words."""
        held, measure = self.held, self.measure
        mine, member, equal = held.measured[measure].tolist()
        show = (lambda x: f"{x:.1%}") if measure == "total_return" else (lambda x: f"{x:.2f}")
        what = "a return" if measure == "total_return" else "a Sharpe ratio"
        lost = [f"the best member of the training part ({self.best})"] * (not mine > member) + ["equal weights"] * (not mine > equal)
        said = (
            f"On the held-out part, {len(held.labels)} bars from {label_text(int(held.labels[0]))} on, the policy has {what} of "
            f"{show(mine)}, {self.best}, the best member of the training part, {show(member)}, equal weights {show(equal)}; of "
            f"{len(held.random[measure])} random policies {self.luckier:.0%} did as well or better. "
        )
        if self.better:
            return said + "There the policy is better than all of these; whether it will be on other bars, one part cannot say."
        if lost:
            return said + f"The policy is not better than {' and '.join(lost)}: what was learned does not help here."
        return said + "It is ahead of both, but too many random policies are, too: the choice of states and members did that, not learning."

    def predict(self, bars: Bars) -> str:
        """The member to follow after the last of these bars; ConfigError where there is no state yet."""
        machine, _ = self.strategy.run(bars)
        place = int(machine.choice[-1])  # type: ignore[attr-defined]
        if place < 0:
            raise ConfigError(f"{bars.T} bars have no state of the market yet; expected more than {self.strategy.own_warmup}")
        return self.members[place]

    def plot(self, path: str | Path | None = None) -> Figure:
        """One matplotlib figure: the learning curve, the policy by state, and the held-out part beside the others."""
        from ...analytics.drawing import to_file
        from .pictures import policy_figure

        return to_file(policy_figure(self), path)

    def __repr__(self) -> str:
        return f"Policy over {', '.join(self.members)} in {self.strategy.market_states.count} states. {self.verdict}"

    def _rows(self) -> Any:
        import pandas as pd

        names = list(self.strategy.market_states.names)
        if not self.learning.holding:
            return pd.Index(names, name="state")
        return pd.MultiIndex.from_product([names, ["none", *self.members]], names=["state", "held"])

    def _frame(self, values: NDArray[Any]) -> Table:
        import pandas as pd

        return pd.DataFrame(values, index=self._rows(), columns=list(self.members))

    # --- files -----------------------------------------------------------------------------------------------------------

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write it as JSON, aside and then renamed.

        ConfigError where a file is there already and `overwrite` is not said, and for members that could not be made again from a file.
        """
        target = Path(path).expanduser()
        if target.is_dir() or not target.resolve().parent.is_dir():
            raise ConfigError(f"path is {str(path)!r}; expected the name of a file in a folder that is there")
        if target.exists() and not overwrite:
            raise ConfigError(f"{str(path)!r} is there already, and was left alone; give another name, or overwrite=True")
        work = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        try:
            node = self._node()
            write_json(work, node | {"sum": digest_of(node)})
            os.replace(work, target)
        finally:
            work.unlink(missing_ok=True)
        return target

    def _node(self) -> dict[str, Json]:
        held, strategy = {f.name: _written(getattr(self.held, f.name)) for f in dataclasses.fields(Held)}, describe_source(self.strategy)
        if "why" in strategy:
            raise ConfigError(f"this policy cannot be saved: {strategy['why']}")
        return {
            "what": _WHAT, "schema": _SCHEMA, "strategy": strategy, "learning": dataclasses.asdict(self.learning),
            "learned": [_written(part) for part in self.learned], "best": self.best, "held": held,
        }  # fmt: skip

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Policy:
        """What `save` wrote. The classes of its members are imported, which runs the code of their modules.

        Raises StateError for a file that is no saved policy, or damaged, and where a member cannot be imported.
        """
        from .training import Learning

        try:
            node = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StateError(f"{str(path)!r} cannot be read as a saved policy: {error}") from error
        if not isinstance(node, dict) or node.get("what") != _WHAT or node.get("schema") != _SCHEMA:
            raise StateError(f"{str(path)!r} is no policy as Policy.save of this version writes it")
        if node.pop("sum", None) != digest_of(node):
            raise StateError(f"{str(path)!r} was changed since it was saved, or is damaged")
        strategy = found_strategy(node["strategy"])
        if not isinstance(strategy, PolicySelector):
            raise StateError(f"{str(path)!r} holds {strategy.name}; expected a PolicySelector")
        q, visits, curve = (_read(part) for part in node["learned"])
        held = {name: _read(part) for name, part in node["held"].items()}
        held["orders"], held["trained"] = tuple(held["orders"]), tuple(held["trained"])
        return cls(strategy, Learning(**node["learning"]), (q, visits, curve), node["best"], Held(**held))


def _written(value: Any) -> Json:
    """Arrays as lists with their type, numbers that are none as texts, which JSON has no word for."""
    if isinstance(value, np.ndarray):
        return {"array": str(value.dtype), "values": _written(value.tolist())}
    if isinstance(value, dict):
        return {"mapping": {name: _written(part) for name, part in value.items()}}
    if isinstance(value, list | tuple):
        return [_written(part) for part in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def _read(node: Json) -> Any:
    if isinstance(node, dict):
        if "array" in node:
            return np.array(node["values"], dtype=node["array"])  # "nan" is read as the number
        return {name: _number(_read(part)) for name, part in node["mapping"].items()}
    return node


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value
