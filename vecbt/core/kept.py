"""Compiled kernels on disk: loaded without all that only a compiler needs.

Numba's own cache makes the compiler ready before it looks: all that NumPy has in numba, half of SciPy, the intermediate code of what it
finds, for functions that may be built around it. A process whose kernels are on disk needs none of that, and pays a second for it. Here a
kernel is its machine code, the names it takes from outside and those it gives; the compiler is made ready where something is to be
compiled, and intermediate code is read where something is built around it. Files, their keys and when they are stale: as numba has it.
"""

from __future__ import annotations

import collections
import functools
import re
from pathlib import Path
from typing import Any

from llvmlite import binding
from numba.core.caching import CompileResultCacheImpl, FunctionCache, UserProvidedCacheLocator, _Cache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import compile_result
from numba.core.runtime import rtsys

__all__ = ["LateCache", "kept_in"]


_LAYOUT = 1
"""Number of the layout of entries: it is part of the names of their files."""

_ENVIRONMENT = re.compile(r'@(?:(_ZN08NumbaEnv[-\w$.]+)|"(_ZN08NumbaEnv[^"]+)")')
"""What a compiled function may need of Python, as the intermediate code names it."""


class _Loaded(JITCodeLibrary):  # type: ignore[misc]
    """A library from disk: machine code now, intermediate code when something is linked with it."""

    def __init__(self, codegen: Any, name: str, code: bytes, intermediate: bytes, inside: tuple[str, ...]) -> None:
        super().__init__(codegen, name)
        self._intermediate: bytes = intermediate
        self._shared_module: Any = None
        self.enable_object_caching()
        self._set_compiled_object(code)
        self._finalize_final_module()
        codegen._engine._defined_symbols.update(inside)

    def _get_module_for_linking(self) -> Any:
        shared: Any = self._shared_module
        if shared is None:
            self._shared_module = shared = binding.parse_bitcode(self._intermediate)
        return shared


class _Entry(CompileResultCacheImpl):  # type: ignore[misc]
    """What is written of a compiled function, and how it comes back."""

    def get_filename_base(self, fullname: str, abiflags: str) -> str:
        """Another name than that of numba's own files, which are made otherwise."""
        return f"vecbt{_LAYOUT}-{super().get_filename_base(fullname, abiflags)}"

    def reduce(self, made: Any) -> tuple[Any, ...]:
        """What of it goes to the disk."""
        (name, _, (code, intermediate)), *rest, environments = made._reduce()
        module, shared = made.library._final_module, made.library._get_module_for_linking()
        named = collections.Counter(plain or quoted for plain, quoted in _ENVIRONMENT.findall(str(module)))
        outside = [part.name for part in (*module.functions, *module.global_variables) if part.is_declaration]
        inside = [part.name for part in (*shared.functions, *shared.global_variables) if not part.is_declaration]
        taken = tuple(name for name in outside if not name.startswith("llvm."))
        used = tuple(one for one in environments if named[one.env_name] > 1)  # the others stand there, and nothing reads them
        return name, code, intermediate, taken, tuple(inside), (*rest, used)

    def rebuild(self, target: Any, written: tuple[Any, ...]) -> Any:
        """The compiled function, ready to be called."""
        name, code, intermediate, outside, inside, rest = written
        described, environment, signature, objectmode, lifted, annotation, again, environments = rest
        rtsys.initialize(target)
        codegen = target.codegen()
        engine = codegen._engine
        if again or not all(engine.is_symbol_defined(name) or binding.address_of_symbol(name) for name in outside):
            target.refresh()  # what it calls is known to the whole compiler only
        for step in again or ():
            step()
        library = _Loaded(codegen, name, code, intermediate, inside)
        entry = target.get_executable(library, described, environment)
        for other in environments:
            codegen.set_env(other.env_name, other)
        return compile_result(
            target_context=target, typing_context=target.typing_context, library=library, environment=environment, entry_point=entry,
            fndesc=described, type_annotation=annotation, signature=signature, objectmode=objectmode, lifted=lifted, reload_init=again,
            referenced_envs=environments,
        )  # fmt: skip


class _Kept(FunctionCache):  # type: ignore[misc]
    """The cache of one function; it does not make the compiler ready."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled for this signature, or None."""
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


@functools.cache
def _kind_of_cache(folder: Path) -> Any:
    """The class of caches that keep their files in a folder."""

    class Place(UserProvidedCacheLocator):  # type: ignore[misc]
        def __init__(self, function: Any, file: str) -> None:
            super().__init__(function, file)
            self._cache_path = str(folder / self.get_suitable_cache_subpath(file))

        @classmethod
        def from_function(cls, function: Any, file: str) -> Any:
            return super(UserProvidedCacheLocator, cls).from_function(function, file)

    class Entry(_Entry):
        _locator_classes = (Place, *(other for other in _Entry._locator_classes if other is not UserProvidedCacheLocator))

    return type("Kept", (_Kept,), {"_impl_class": Entry})


def kept_in(folder: Path, function: Any) -> Any:
    """The cache of a function, in files of this folder; RuntimeError where the function comes from no file, OSError as it comes."""
    return _kind_of_cache(folder)(function)


class LateCache(_Cache):  # type: ignore[misc]
    """`kept_in`, made when it is asked for the first time: a process uses a few of all kernels."""

    def __init__(self, folder: Path, function: Any) -> None:
        self._folder, self._function = folder, function

    @functools.cached_property
    def _real(self) -> Any:
        return kept_in(self._folder, self._function)

    @property
    def cache_path(self) -> str:
        """The folder of its files."""
        return str(self._real.cache_path)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled for this signature, or None."""
        return self._real.load_overload(sig, target_context)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write what was compiled."""
        self._real.save_overload(sig, data)

    def enable(self) -> None:
        """Use the files."""
        self._real.enable()

    def disable(self) -> None:
        """Leave the files alone."""
        self._real.disable()

    def flush(self) -> None:
        """Forget what is on disk."""
        self._real.flush()
