#pragma once

/// `memfd_create` needs `_GNU_SOURCE`. A file in memory, without a name in any directory; closed on exec.
int csystem_memory_file(const char *name);

/// `sbrk(0)`, which needs `_GNU_SOURCE`: the end of the data segment, in which glibc has its heap.
void *csystem_segment_end(void);
