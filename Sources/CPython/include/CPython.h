#pragma once
#define Py_LIMITED_API 0x030b0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/// `Py_None` is a macro over the address of a struct, which Swift does not import.
static inline PyObject *cpython_none(void) { return Py_None; }
