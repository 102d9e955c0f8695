#include "CPython.h"

PyObject *cpython_module(const char *name, const char *doc, PyMethodDef *methods) {
    static PyModuleDef definition = {PyModuleDef_HEAD_INIT, NULL, NULL, -1, NULL, NULL, NULL, NULL, NULL};
    definition.m_name = name;
    definition.m_doc = doc;
    definition.m_methods = methods;
    return PyModule_Create(&definition);
}
