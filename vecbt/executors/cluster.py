"""A Ray cluster: the same pieces on more than one machine."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .._optional import optional
from ..errors import ConfigError
from .base import whole
from .driving import Answer, Code, Crew, Distributed, Lost
from .marks import check_mark, own_mark
from .remote import mark_there, piece_there
from .sending import packed_bars, sent
from .work import ONE_THREAD

if TYPE_CHECKING:
    from ..core.sets import Sets
    from ..data.bars import Bars

__all__ = ["Ray"]

_KEPT = 2  # bars that stay in the object store: those of this sweep and of the last one
_PATIENCE = 120.0  # seconds that nodes are given to say what is installed there
_COUNTED = 1.0  # seconds for which a count of processors is good


class Ray(Distributed):
    """The workers of a Ray cluster (`pip install 'vecbt[distributed]'`), on this machine or on others.

    Bars go into the object store once, and each worker reads them there without a copy; pieces of a sweep are tasks, whose lines come back
    as they are ready. Nodes may come and go meanwhile: sets of a lost worker or node run again, and a new node gets its share. vecbt,
    numba, NumPy and the module of the strategy must be the same on all nodes, and are compared before anything runs there.

    A cluster that wants a token is given it by the environment, on all nodes alike (`RAY_AUTH_MODE=token` and `RAY_AUTH_TOKEN`, or
    `RAY_AUTH_TOKEN_PATH`); it is no argument, and is never written anywhere. Ray's statistics of usage are off unless they were switched
    on (`RAY_USAGE_STATS_ENABLED`). Where the process is connected to a cluster already, that one is used, and left open.

    Parameters
    ----------
    address : `host:6379` of a cluster of which this machine is a node, "auto" for whichever runs here, "local" for a new one;
        None: `RAY_ADDRESS`, else whichever runs here, else a new one
    workers : most pieces at a time; None: as many as there are processors, now and later
    retries : how often sets are given to another worker when theirs was lost
    cpus : processors that Ray sets aside for each piece, which uses one
    options : further arguments of `ray.init`

    Raises
    ------
    MissingDependency
        Ray is not installed.
    ConfigError
        From sweeps: there is no such cluster, or it does not take the token; the strategy cannot be sent or imported there; other packages,
        kernels or code there than here, with both.
    WorkerError
        From sweeps: the same sets ended one worker after the other.
    """

    def __init__(
        self, address: str | None = None, workers: int | None = None, retries: int = 2, cpus: float = 1,
        options: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(retries)
        if address is not None and not (isinstance(address, str) and address):
            raise ConfigError(f"address is {address!r}; expected host:port, 'auto', 'local' or None")
        if isinstance(cpus, bool) or not isinstance(cpus, int | float) or not cpus > 0.0:
            raise ConfigError(f"cpus is {cpus!r}; expected a number above 0")
        if options is not None and not isinstance(options, Mapping):
            raise ConfigError(f"options is {options!r}; expected a mapping of arguments of ray.init")
        self.address, self.cpus = address, cpus
        self.workers = None if workers is None else whole("workers", workers)
        self._options = dict(options or {})
        self._ray: Any = None
        self._mine = False
        self._codes: dict[str, str] = {}
        self._shared: OrderedDict[str, tuple[Bars, Any]] = OrderedDict()

    def __repr__(self) -> str:
        return f"Ray({'' if self.address is None else repr(self.address)})"

    def crew(self, bars: Bars, plan: bytes, code: Code) -> Crew:
        """The workers of the cluster, for one sweep."""
        if self._codes.setdefault(*code) != code.hash:
            self._code_changed()
            self._codes[code.of] = code.hash
        ray = self._connected()
        return _Crew(ray, self.workers, self.cpus, self._reference(ray, bars), ray.put((secrets.token_hex(8), plan)))

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        self._shared.clear()
        if self._ray is not None and self._mine:
            self._ray.shutdown()
        self._ray = None

    def _code_changed(self) -> None:
        """Workers keep what they imported: new ones are needed, which another connection brings."""
        if self._ray is not None and not self._mine:
            raise ConfigError("the code of the sweep was edited since the workers imported it; call ray.shutdown() and connect anew")
        self.close()

    def _connected(self) -> Any:
        """Ray, with a connection whose nodes were looked at."""
        if self._ray is not None and self._ray.is_initialized():
            return self._ray
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        ray: Any = optional("ray", "a sweep on more than one machine")
        self._shared.clear()
        self._mine = not ray.is_initialized()
        if self._mine:
            _connect(ray, self.address, self._options)
        self._ray = ray
        _look_at_nodes(ray)
        return ray

    def _reference(self, ray: Any, bars: Bars) -> Any:
        """The bars in the object store."""
        for name, (known, reference) in self._shared.items():
            if known is bars:
                self._shared.move_to_end(name)
                return reference
        name, packed = secrets.token_hex(8), packed_bars(bars)
        self._shared[name] = bars, ray.put((name, packed.data, list(packed.buffers)))
        while len(self._shared) > _KEPT:
            self._shared.popitem(last=False)
        return self._shared[name][1]


def _connect(ray: Any, address: str | None, options: Mapping[str, Any]) -> None:
    """ConfigError where there is no such cluster, or it does not let us in."""
    environment = dict(options.get("runtime_env") or {})
    environment["env_vars"] = {**ONE_THREAD, **environment.get("env_vars", {})}
    given = {"log_to_driver": False, "logging_level": logging.ERROR, **options, "address": address, "runtime_env": environment}
    if address is None and "RAY_ADDRESS" not in os.environ:
        given.setdefault("include_dashboard", False)
    try:
        ray.init(**given)
    except (ConnectionError, ray.exceptions.RayError, RuntimeError, ValueError, TypeError) as error:
        where = "no Ray cluster can be started here" if address is None else f"no connection to the Ray cluster at {address!r}"
        raise ConfigError(f"{where}: {error}; see `ray status` there, and RAY_AUTH_MODE and the token on both sides") from error


def _look_at_nodes(ray: Any) -> None:
    """Refuse a cluster with a node that differs."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On  # type: ignore[import-not-found,unused-ignore]

    look = ray.remote(mark_there)
    alive = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
    looks = [look.options(num_cpus=0, max_retries=0, scheduling_strategy=On(node, soft=False)).remote() for node in alive]
    for reference in looks:
        try:
            where, mark = ray.get(reference, timeout=_PATIENCE)
        except _gone(ray):
            continue  # it is looked at again, with its first piece, if it ever comes back
        except ray.exceptions.RayError as error:
            raise _cannot_run(error) from error
        check_mark(mark, own_mark(), where)


def _gone(ray: Any) -> tuple[type[BaseException], ...]:
    """Errors that mean that a worker, its node or what it had is no more."""
    kinds = ray.exceptions
    return (
        kinds.WorkerCrashedError, kinds.NodeDiedError, kinds.ObjectLostError, kinds.OutOfMemoryError, kinds.TaskUnschedulableError,
        kinds.LocalRayletDiedError, kinds.GetTimeoutError,
    )  # fmt: skip


def _cannot_run(error: BaseException) -> ConfigError:
    said = [line for line in str(error).splitlines() if line.strip()]
    what = said[-1] if said else repr(error)
    return ConfigError(f"a worker of the Ray cluster cannot run vecbt: {what}; install the same vecbt on all nodes")


class _Crew:
    """The workers at one sweep."""

    def __init__(self, ray: Any, most: int | None, cpus: float, bars: Any, plan: Any) -> None:
        self._ray, self._most, self._cpus, self._bars, self._plan = ray, most, cpus, bars, plan
        self._task = ray.remote(piece_there).options(num_cpus=cpus, max_retries=0)
        self._mark = ray.put(dict(own_mark()))
        self._out: dict[Any, int] = {}
        self._counted, self.workers = 0.0, 1

    def room(self) -> int:
        if time.monotonic() - self._counted > _COUNTED:
            there = int(self._ray.cluster_resources().get("CPU", 0.0) // self._cpus)
            self._counted, self.workers = time.monotonic(), max(1, there if self._most is None else self._most)
        # a few wait on their nodes, so that no worker does; where a number was given, no more than that are out
        waiting = max(1, self.workers // 4) if self._most is None else 0
        return self.workers + waiting - len(self._out)

    def send(self, ticket: int, sets: Sets) -> None:
        self._out[self._task.remote(self._mark, self._bars, self._plan, sent(sets, "a value"))] = ticket

    def answers(self) -> list[tuple[int, Answer]]:
        while not (ready := self._ready(_COUNTED)):
            continue
        return ready

    def _ready(self, seconds: float) -> list[tuple[int, Answer]]:
        """What is there after so long at most."""
        if not self._out:
            return []
        self._ray.wait(list(self._out), num_returns=1, timeout=seconds)
        there, _ = self._ray.wait(list(self._out), num_returns=len(self._out), timeout=0)
        return [(self._out.pop(reference), self._answer(reference)) for reference in there]

    def _answer(self, reference: Any) -> Answer:
        try:
            found: Answer = self._ray.get(reference)
            return found
        except _gone(self._ray) as error:
            return Lost(next(iter(str(error).splitlines()), type(error).__name__))
        except self._ray.exceptions.RayError as error:
            raise _cannot_run(error) from error

    def stop(self, seconds: float) -> list[tuple[int, Answer]]:
        found: list[tuple[int, Answer]] = []
        until = time.monotonic() + seconds
        try:
            while self._out and (left := until - time.monotonic()) > 0.0:
                found += self._ready(left)
        finally:
            for reference in self._out:
                with suppress(Exception):  # the connection itself may be what was lost
                    self._ray.cancel(reference, force=True)
            self._out.clear()
        return found
