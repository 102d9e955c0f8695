#define _GNU_SOURCE

#include "include/CSystemMemory.h"

#include <sys/mman.h>
#include <time.h>

int csystem_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

void csystem_sleep(uint64_t nanoseconds) {
    struct timespec time = {.tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)};
    nanosleep(&time, NULL);
}
