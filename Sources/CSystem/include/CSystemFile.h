#pragma once
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/inotify.h>

/// `open` is variadic. A file to lock, made for its owner alone; a symbolic link in its place is an error.
static inline int csystem_open_lock(const char *path) {
    return open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}
/// `fcntl` is variadic. A lock on the first byte, which is the process's: descriptors that a fork copied are of one open
/// file, whose locks (`flock`, `F_OFD_SETLK`) would be everybody's. It does not wait.
static inline int csystem_set_process_lock(int descriptor, bool locked) {
    struct flock lock = {.l_type = locked ? F_WRLCK : F_UNLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    return fcntl(descriptor, F_SETLK, &lock);
}
/// `open` is variadic.
static inline int csystem_open_to_read(const char *path) { return open(path, O_RDONLY | O_CLOEXEC); }
