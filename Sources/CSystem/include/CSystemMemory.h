#pragma once

/// `memfd_create` needs `_GNU_SOURCE`. A file in memory, without a name in any directory; closed on exec.
int csystem_memory_file(const char *name);
