"""The decorators of kernels and the engine they run on.

Kernels are compiled by numba and kept on disk. Numba notices an edited file only for the functions in that
file, so a loop in one module would keep the old arithmetic of a step edited in another; the cache folder is
therefore named by the hash of every source file that holds kernels.

`VECBT_ENGINE=python` runs the same functions uncompiled, with the same bits, for breakpoints. Where numba cannot
be imported that is what runs, with one notice.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ConfigError

__all__ = ["ENGINE", "borrowed", "cache_folder", "kernel", "kernel_loop", "kernel_sources_hash", "record_at", "spine", "unsigned"]

F = TypeVar("F", bound=Callable[..., Any])

_PACKAGE = Path(__file__).resolve().parent.parent
_KERNEL_PACKAGES = ("core", "data", "indicators", "signals", "portfolio", "risk", "execution", "metrics", "engine", "strategies")
_KEPT_FOLDERS = 4


@functools.cache
def kernel_sources_hash() -> str:
    """Hash of all source files that may hold kernels, 16 hexadecimal digits; as they were when this process began."""
    digest = hashlib.sha256()
    for package in _KERNEL_PACKAGES:
        folder = str(_PACKAGE / package)
        found = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names if name.endswith(".py")]
        for path in sorted(found):
            with open(path, "rb") as file:
                digest.update(path[len(folder) - len(package) :].replace(os.sep, "/").encode())
                digest.update(file.read())
    return digest.hexdigest()[:16]


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _forget_old(root: Path, current: str) -> None:
    """Keep the newest few cache folders: each edit of a kernel makes a new one."""
    folders = sorted((p for p in root.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in [p for p in folders if p.name != current][_KEPT_FOLDERS:]:
        shutil.rmtree(old, ignore_errors=True)


@functools.cache
def cache_folder() -> Path | None:
    """Where compiled kernels are kept, or None where nothing can be written.

    `VECBT_CACHE_DIR` names the root; else `NUMBA_CACHE_DIR`, else the user's cache folder.
    """
    given = os.environ.get("VECBT_CACHE_DIR") or os.environ.get("NUMBA_CACHE_DIR")
    base = Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    root = base / "vecbt"
    folder = root / kernel_sources_hash()
    if not _writable(folder):
        return None
    try:
        os.utime(folder)  # in use: the newest are kept
        _forget_old(root, folder.name)
    except OSError:
        pass  # another process tidies the same root; whatever is left is only disk space
    return folder


def _choose_engine() -> str:
    wanted = os.environ.get("VECBT_ENGINE", "numba").strip().lower()
    if wanted not in ("numba", "python"):
        raise ConfigError(f"VECBT_ENGINE is {wanted!r}; expected 'numba' or 'python'")
    if wanted == "numba":
        try:
            import numba
        except ImportError as error:
            warnings.warn(f"numba cannot be imported ({error}); kernels run uncompiled: same results, far slower", stacklevel=2)
            return "python"
        if numba.config.DISABLE_JIT:
            return "python"
    return wanted


ENGINE = _choose_engine()
_CACHE = cache_folder() if ENGINE == "numba" else None


def _compile(function: F, **options: Any) -> F:
    if ENGINE == "python":
        return function
    import numba

    made: Any = numba.njit(nogil=True, error_model="numpy", **options)(function)
    if _CACHE is not None:
        _keep(made, _CACHE)
    return made  # type: ignore[no-any-return]


def _keep(made: Any, folder: Path) -> None:
    """Keep what is compiled of a kernel in a folder."""
    try:
        from .kept import LateCache
    except ImportError:  # a numba of other parts than those we know: its own cache, which is slower to load
        import numba

        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(folder)  # read while it decorates; other packages keep theirs
        try:
            made.enable_caching()
        finally:
            numba.config.CACHE_DIR = before
    else:
        made._cache = LateCache(folder, made.py_func)
        made._compilation_chain_init_hook = _nothing  # extensions of numba are looked for when there is something to compile


def _nothing() -> None:
    pass


def kernel(function: F) -> F:
    """A step, or a piece of one: scalars and records in, state changed in place. No fastmath."""
    return _compile(function)


def spine(function: F) -> F:
    """A kernel called once a bar from one place: inlined, because handing on its arguments would cost more than its work."""
    return _compile(function, forceinline=True)


def kernel_loop(function: F) -> F:
    """A run: loops and calls, nothing else."""
    return _compile(function)


def _make_borrowed() -> Any:
    if ENGINE == "python":
        return lambda array: array
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    def without(context: Any, builder: Any, kind: Any, value: Any) -> Any:
        if isinstance(kind, types.BaseTuple):  # type: ignore[attr-defined]
            parts = zip(kind, cgutils.unpack_tuple(builder, value), strict=True)
            return context.make_tuple(builder, kind, [without(context, builder, one, part) for one, part in parts])
        if not isinstance(kind, types.Array):
            return value  # a number, or None: a rule that is off
        view = context.make_array(kind)(context, builder, value=value)
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        return view._getvalue()

    @intrinsic  # type: ignore[untyped-decorator]
    def without_owner(typing_context: Any, array: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return without(context, builder, array, arguments[0])

        return array(array), code

    return without_owner


borrowed = _make_borrowed()
"""The same array, or a tuple with the arrays in it, without a reference count, for a loop whose caller owns it.

Each time a kernel hands an array on, numba counts a reference up and down with an atomic instruction: 5 ns each, 100 ns a
bar for the handful of arrays the step passes along. A borrowed array must not be returned or kept.
"""


def _make_record_at() -> Any:
    if ENGINE == "python":
        return lambda block, place, dtype: block[place : place + dtype.itemsize].view(dtype)[0]
    from numba.extending import intrinsic

    @intrinsic  # type: ignore[untyped-decorator]
    def record_there(typing_context: Any, block: Any, place: Any, dtype: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            owner = context.make_array(block)(context, builder, value=arguments[0])
            return builder.bitcast(builder.gep(owner.data, [arguments[1]]), context.get_value_type(dtype.dtype))

        return dtype.dtype(block, place, dtype), code

    return record_there


record_at = _make_record_at()
"""The record of `dtype` that stands `place` bytes into a block of uint8; the place must be right, nothing is checked.

A kernel that is handed several arrays of records spends more on their descriptions than on what it writes to them; a block is one array.
"""


def _make_unsigned() -> Any:
    if ENGINE == "python":
        return lambda index: index
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic  # type: ignore[untyped-decorator]
    def known_place(typing_context: Any, index: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return arguments[0]

        return types.uint64(types.int64), code

    return known_place


unsigned = _make_unsigned()
"""The same index, known to be no negative one: numba then leaves out what would count it from the end, three instructions a time.

For indexing alone: arithmetic of unsigned with signed integers makes floats.
"""
