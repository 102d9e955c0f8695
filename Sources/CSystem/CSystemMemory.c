#define _GNU_SOURCE

#include "include/CSystemMemory.h"

#include <sys/mman.h>
#include <unistd.h>

int csystem_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

void *csystem_segment_end(void) { return sbrk(0); }
