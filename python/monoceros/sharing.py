"""What a process does before others are forked from it, so that they go on sharing its memory.

A page is shared until somebody writes to it. A worker that only *uses* what it was forked with writes as well: to the
count of references of each object that it touches, to the collector's lists, and to free memory between what is used.
"""

from __future__ import annotations

import collections
import functools
import gc
import logging
import operator
import os
import re
import sys
import time
import types
import weakref

from monoceros import _native
from monoceros.hostlog import HostLog


class _Sample:
    """A class as any: what its instances need at their end is what those of other classes written in Python need."""


#: Values. Nothing happens at their end, and they refer to nothing.
PLAIN = (str, bytes, int, float, complex, bool, range, types.NoneType, types.EllipsisType, types.CodeType)

#: What is memory alone, refers to what may not be, and goes on referring to the same.
STEADY = (
    object, tuple, frozenset, slice, types.FunctionType, types.BuiltinFunctionType, types.MethodType,
    types.WrapperDescriptorType, types.MethodWrapperType, types.MethodDescriptorType, types.ClassMethodDescriptorType,
    types.GetSetDescriptorType, types.MemberDescriptorType, types.MappingProxyType, types.GenericAlias, types.UnionType,
    property, classmethod, staticmethod, functools.partial, operator.itemgetter, operator.attrgetter,
    operator.methodcaller, re.Pattern,
)  # fmt: skip

#: The same, of what may come to refer to something else. A lock is among them: its end wakes nobody.
CHANGING = (
    dict, list, set, types.CellType, types.ModuleType, types.SimpleNamespace, type(functools.lru_cache(_Sample)),
    collections.OrderedDict, collections.defaultdict, collections.deque,
)  # fmt: skip

#: More of each, by module: only where somebody has imported it.
MORE_PLAIN = {"datetime": ("date", "time", "datetime", "timedelta", "timezone"), "decimal": ("Decimal",)}
MORE_STEADY = {
    "typing": ("TypeVar", "ParamSpec", "TypeVarTuple", "TypeAliasType"),
    "_contextvars": ("ContextVar",),
}
MORE_CHANGING = {"_thread": ("LockType", "RLock")}


def found(names: dict[str, tuple[str, ...]]) -> tuple[type, ...]:
    values = (getattr(sys.modules.get(module), name, None) for module, given in names.items() for name in given)
    return tuple(value for value in values if isinstance(value, type))


def has_immortal_objects() -> bool:
    """Whether this interpreter may have immortal objects that are marked in the way that is known here (PEP 683)."""
    return (
        sys.implementation.name == "cpython"
        # Those that this was tried with: a later one may mark them in another way.
        and (3, 12) <= sys.version_info[:2] <= (3, 13)
        # Nor one without the GIL, which counts in another way.
        and "t" not in sys.abiflags
        # A debug build checks what it knows of its own immortal objects.
        and not hasattr(sys, "gettotalrefcount")
    )


def has_pools() -> bool:
    """Whether Python's own allocator is in use."""
    return not (os.environ.get("PYTHONMALLOC") or sys.flags.dev_mode)


def immortalize(with_changing: bool) -> int | None:
    """Makes immortal what nobody could see ending, and returns how many objects.

    None where this interpreter has no immortal objects.

    :param with_changing: whether also what may change, the instances of classes among it.
    """
    if not has_immortal_objects():
        return None
    modules = [module for module in list(sys.modules.values()) if isinstance(module, types.ModuleType)]
    namespaces = [sys.modules, *map(vars, modules)]
    owners = STEADY + found(MORE_STEADY)
    if with_changing:
        owners += CHANGING + found(MORE_CHANGING)
    tools = (_Sample, types.CodeType, weakref.getweakrefcount, ..., with_changing)
    return _native.immortalize(gc.get_objects(), modules, namespaces, PLAIN + found(MORE_PLAIN), owners, tools)


class SharesMemory(HostLog):
    """The part of the core's host that prepares a process for being forked."""

    #: The application's objects that may change have become immortal, here or in a process that this one comes from.
    _has_settled = False

    def settle(self, with_application: bool) -> None:
        """The last thing before a fork, when garbage is collected.

        What may change becomes immortal once: the application may put something into it that it closes by letting go of
        the whole, which would stay open then. If that were done in each generation of workers, it would be more each
        time.
        """
        began = time.perf_counter()
        if self.app.cfg.immortal_objects:
            count = immortalize(with_changing=not self._has_settled)
            self._has_settled = self._has_settled or with_application
            took = (time.perf_counter() - began) * 1000
            if count is None:
                self.log(logging.DEBUG, "This Python has no immortal objects: each worker counts its references.")
            else:
                self.log(logging.DEBUG, f"{count} objects have become immortal in {took:.0f} ms.")
        gc.freeze()
        _native.fill_holes(has_pools())
