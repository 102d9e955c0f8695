/* A disk that takes its time, for benchmarks/beside.py and tests: preloaded (LD_PRELOAD), it delays every access to a
 * regular file of at least 16 KiB, by SLOW_DISK_MICROSECONDS, and for as long as the file SLOW_DISK_STALL is there.
 * Python's own imports and the log, which come in smaller pieces, stay fast. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { LEAST = 16384 };

static void delay(int descriptor, size_t size) {
    static long microseconds = -1;
    static const char *stall;
    struct stat status;
    if (microseconds < 0) {
        const char *text = getenv("SLOW_DISK_MICROSECONDS");
        stall = getenv("SLOW_DISK_STALL");
        microseconds = text ? atol(text) : 0;
    }
    if (!microseconds && !stall) return;
    if (size < LEAST || fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return;
    struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
    nanosleep(&time, NULL);
    for (time = (struct timespec){0, 1000000}; stall && access(stall, F_OK) == 0;) nanosleep(&time, NULL);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int descriptor, const void *bytes, size_t size) {
    delay(descriptor, size);
    return NEXT(write)(descriptor, bytes, size);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset) {
    delay(descriptor, size);
    return NEXT(pwrite)(descriptor, bytes, size, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t offset) {
    delay(descriptor, size);
    return NEXT(pwrite64)(descriptor, bytes, size, offset);
}

ssize_t pread(int descriptor, void *bytes, size_t size, off_t offset) {
    delay(descriptor, size);
    return NEXT(pread)(descriptor, bytes, size, offset);
}

ssize_t pread64(int descriptor, void *bytes, size_t size, off64_t offset) {
    delay(descriptor, size);
    return NEXT(pread64)(descriptor, bytes, size, offset);
}

/* Nothing of a file is in memory, as far as those know who would rather not wait (RWF_NOWAIT). */
ssize_t preadv2(int descriptor, const struct iovec *parts, int count, off_t offset, int flags) {
    if (flags & RWF_NOWAIT) {
        errno = EAGAIN;
        return -1;
    }
    return NEXT(preadv2)(descriptor, parts, count, offset, flags);
}

ssize_t sendfile(int target, int source, off_t *offset, size_t size) {
    delay(source, size);
    return NEXT(sendfile)(target, source, offset, size);
}

ssize_t sendfile64(int target, int source, off64_t *offset, size_t size) {
    delay(source, size);
    return NEXT(sendfile64)(target, source, offset, size);
}
