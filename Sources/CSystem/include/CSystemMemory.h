#pragma once

#include <stdint.h>

/// `memfd_create` needs `_GNU_SOURCE`. A file in memory, without a name in any directory; closed on exec.
int csystem_memory_file(const char *name);

/// `nanosleep`, whose argument Swift would have to build.
void csystem_sleep(uint64_t nanoseconds);
