#define _GNU_SOURCE

#include "include/CSystemMemory.h"

#include <sys/mman.h>

int csystem_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }
