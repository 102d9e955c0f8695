#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/types.h>
#include <unistd.h>

/// `fork` is marked unavailable in Swift's Glibc overlay; the arbiter is single-threaded when it calls this.
static inline pid_t csystem_fork(void) { return fork(); }
