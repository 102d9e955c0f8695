#pragma once
// The limited API of CPython 3.11: one binary serves 3.11 and every later version.
#define Py_LIMITED_API 0x030b0000
#define PY_SSIZE_T_CLEAN
// Python.h defines `_GNU_SOURCE`, under which the C library declares some structs differently from what Swift's Glibc module
// says. The first system header decides for all of them.
#include <sys/types.h>
#include <stdint.h>
#include <string.h>
#include <Python.h>

// Macros over the addresses of structs, which Swift does not import.
static inline PyObject *cpython_none(void) { return Py_None; }
static inline PyObject *cpython_true(void) { return Py_True; }
static inline PyObject *cpython_false(void) { return Py_False; }

// Reference counts: macros. Those of the headers that we build with know nothing of immortal objects (PEP 683, CPython 3.12 and
// later), of which the lower half of the count has its highest bit set. A count that is not written leaves its page shared.
static inline int cpython_is_immortal(PyObject *object) { return (int32_t)object->ob_refcnt < 0; }
static inline void cpython_incref(PyObject *object) {
    if (!cpython_is_immortal(object)) Py_INCREF(object);
}
static inline void cpython_decref(PyObject *object) {
    if (!cpython_is_immortal(object)) Py_DECREF(object);
}
/// The half of the count that says it. The other half has flags from 3.14 on.
static inline uint32_t cpython_lower_count(PyObject *object) {
    uint64_t count;
    memcpy(&count, object, sizeof count);
    return (uint32_t)count;
}
static inline void cpython_set_lower_count(PyObject *object, uint32_t value) {
    uint64_t count;
    memcpy(&count, object, sizeof count);
    count = (count & ~(uint64_t)UINT32_MAX) | value;
    memcpy(object, &count, sizeof count);
}
static inline Py_ssize_t cpython_refcount(PyObject *object) { return Py_REFCNT(object); }

// Type checks: macros over static types, which Swift imports as mutable globals.
static inline int cpython_is_bytes_exact(PyObject *object) { return Py_IS_TYPE(object, &PyBytes_Type); }
static inline int cpython_is_bytes(PyObject *object) { return PyBytes_Check(object); }
static inline int cpython_is_str(PyObject *object) { return PyUnicode_Check(object); }
static inline int cpython_is_tuple(PyObject *object) { return PyTuple_Check(object); }
static inline int cpython_is_dict(PyObject *object) { return PyDict_Check(object); }
static inline int cpython_is_list(PyObject *object) { return PyList_Check(object); }
static inline int cpython_is_list_exact(PyObject *object) { return Py_IS_TYPE(object, &PyList_Type); }
static inline int cpython_is_tuple_exact(PyObject *object) { return Py_IS_TYPE(object, &PyTuple_Type); }
static inline PyTypeObject *cpython_type(PyObject *object) { return Py_TYPE(object); }

static inline int cpython_is_exception_class(PyObject *object) { return PyExceptionClass_Check(object); }
static inline int cpython_is_exception(PyObject *object) { return PyExceptionInstance_Check(object); }
static inline PyObject *cpython_object_type(PyObject *object) { return (PyObject *)Py_TYPE(object); }

// Calls: variadic. CPython turns them into vector calls, without a tuple.
static inline PyObject *cpython_call_0(PyObject *callable) { return PyObject_CallFunctionObjArgs(callable, NULL); }
static inline PyObject *cpython_call_1(PyObject *callable, PyObject *a) {
    return PyObject_CallFunctionObjArgs(callable, a, NULL);
}
static inline PyObject *cpython_call_2(PyObject *callable, PyObject *a, PyObject *b) {
    return PyObject_CallFunctionObjArgs(callable, a, b, NULL);
}
static inline PyObject *cpython_call_3(PyObject *callable, PyObject *a, PyObject *b, PyObject *c) {
    return PyObject_CallFunctionObjArgs(callable, a, b, c, NULL);
}
static inline PyObject *cpython_call_4(PyObject *callable, PyObject *a, PyObject *b, PyObject *c, PyObject *d) {
    return PyObject_CallFunctionObjArgs(callable, a, b, c, d, NULL);
}

// Exceptions: mutable globals in Swift's eyes.
static inline PyObject *cpython_AssertionError(void) { return PyExc_AssertionError; }
static inline PyObject *cpython_AttributeError(void) { return PyExc_AttributeError; }
static inline PyObject *cpython_BrokenPipeError(void) { return PyExc_BrokenPipeError; }
static inline PyObject *cpython_StopIteration(void) { return PyExc_StopIteration; }
static inline PyObject *cpython_ConnectionResetError(void) { return PyExc_ConnectionResetError; }
static inline PyObject *cpython_OSError(void) { return PyExc_OSError; }
static inline PyObject *cpython_RuntimeError(void) { return PyExc_RuntimeError; }
static inline PyObject *cpython_SystemExit(void) { return PyExc_SystemExit; }
static inline PyObject *cpython_TimeoutError(void) { return PyExc_TimeoutError; }
static inline PyObject *cpython_TypeError(void) { return PyExc_TypeError; }
static inline PyObject *cpython_ValueError(void) { return PyExc_ValueError; }
static inline PyObject *cpython_MemoryError(void) { return PyExc_MemoryError; }

/// An instance of a type of ours: a Swift object, and a few references that the garbage collector can follow.
typedef struct {
    PyObject_HEAD
    void *payload;
    PyObject *references[2];
} CPythonBox;

/// Makes an extension module. `PyModule_Create` and `PyModuleDef_HEAD_INIT` are macros. `methods` must live for ever.
PyObject *cpython_module(const char *name, const char *doc, PyMethodDef *methods);
