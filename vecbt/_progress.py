"""A bar of progress on stderr, for the command line and for long calls; nothing where stderr is no terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(what: str, *, after: float = 0.0, unit: str | None = None) -> Iterator[Callable[..., None] | None]:
    """A bar when stderr is a terminal, else None: a function of (done, total), and of what is said before the bar from then on.

    Parameters
    ----------
    what : said before the bar
    after : seconds until it is drawn; work that ends sooner shows none
    unit : what is counted; then the rate is shown too
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns: list[Any] = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
    if unit is not None:
        columns.append(_rate(unit))
    bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=None)
    timer = threading.Timer(after, bar.start) if after > 0.0 else None
    if timer is None:
        bar.start()
    else:
        timer.daemon = True
        timer.start()
    try:
        yield lambda done, total, said=None: bar.update(task, completed=done, total=total, description=said)
    finally:
        if timer is not None:
            timer.cancel()
            timer.join()
        if bar.live.is_started:
            bar.stop()


def _rate(unit: str) -> Any:
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class Rate(ProgressColumn):
        """So many a second."""

        def render(self, task: Task) -> Text:
            """Nothing before it is known."""
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f} {unit}/s")

    return Rate()
