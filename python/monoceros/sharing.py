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
import sysconfig
import time
import types
import weakref
from contextvars import ContextVar

from monoceros import _native
from monoceros.hostlog import HostLog


class _Sample:
    """A class as any: what its instances need at their end is what those of other classes written in Python need."""


#: Values. Nothing happens at their end, and they refer to nothing.
PLAIN = (str, bytes, int, float, complex, bool, range, types.NoneType, types.EllipsisType, types.CodeType)

#: What is memory alone, and refers to what may not be. A lock is among them: its end wakes nobody.
OWNERS = (
    object, dict, list, tuple, set, frozenset, slice, types.FunctionType, types.BuiltinFunctionType, types.MethodType,
    types.CellType, types.ModuleType, types.WrapperDescriptorType, types.MethodWrapperType, types.MethodDescriptorType,
    types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType, types.MappingProxyType,
    types.SimpleNamespace, types.GenericAlias, types.UnionType, property, classmethod, staticmethod, functools.partial,
    type(functools.lru_cache(_Sample)), operator.itemgetter, operator.attrgetter, operator.methodcaller,
    collections.OrderedDict, collections.defaultdict, collections.deque, re.Pattern, ContextVar,
)  # fmt: skip

#: More of both, by module: only where somebody has imported it.
MORE_PLAIN = {"datetime": ("date", "time", "datetime", "timedelta", "timezone"), "decimal": ("Decimal",)}
MORE_OWNERS = {"_thread": ("LockType", "RLock"), "typing": ("TypeVar", "ParamSpec", "TypeVarTuple", "TypeAliasType")}


def found(names: dict[str, tuple[str, ...]]) -> tuple[type, ...]:
    values = (getattr(sys.modules.get(module), name, None) for module, given in names.items() for name in given)
    return tuple(value for value in values if isinstance(value, type))


def has_immortal_objects() -> bool:
    """Whether this interpreter may have immortal objects that are marked in the way that is known here (PEP 683)."""
    return (
        sys.implementation.name == "cpython"
        and sys.version_info >= (3, 12)
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
        # A debug build checks what it knows of its own immortal objects.
        and not hasattr(sys, "gettotalrefcount")
    )


def has_pools() -> bool:
    """Whether Python's own allocator is in use."""
    return not (os.environ.get("PYTHONMALLOC") or sys.flags.dev_mode)


def immortalize() -> int | None:
    """Makes immortal what nobody could see ending, and returns how many objects.

    None where this interpreter has no immortal objects.
    """
    if not has_immortal_objects():
        return None
    modules = [module for module in list(sys.modules.values()) if isinstance(module, types.ModuleType)]
    namespaces = [sys.modules, *map(vars, modules)]
    tools = (_Sample, types.CodeType, weakref.getweakrefcount, ...)
    return _native.immortalize(
        gc.get_objects(), modules, namespaces, PLAIN + found(MORE_PLAIN), OWNERS + found(MORE_OWNERS), tools
    )


class SharesMemory(HostLog):
    """The part of the core's host that prepares a process for being forked."""

    def settle(self) -> None:
        """The last thing before a fork, when garbage is collected."""
        began = time.perf_counter()
        if self.app.cfg.immortal_objects:
            count = immortalize()
            took = (time.perf_counter() - began) * 1000
            if count is None:
                self.log(logging.DEBUG, "This Python has no immortal objects: each worker counts its references.")
            else:
                self.log(logging.DEBUG, f"{count} objects have become immortal in {took:.0f} ms.")
        gc.freeze()
        _native.fill_holes(has_pools())
