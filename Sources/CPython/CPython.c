#include "CPython.h"
// SwiftPM wants a source file; the shims are all inline.
