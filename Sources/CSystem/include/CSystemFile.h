#pragma once
#include <fcntl.h>
#include <sys/file.h>
#include <sys/inotify.h>

/// `open` is variadic. A file to lock, made for its owner alone; a symbolic link in its place is an error.
static inline int csystem_open_lock(const char *path) {
    return open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}
/// `open` is variadic.
static inline int csystem_open_to_read(const char *path) { return open(path, O_RDONLY | O_CLOEXEC); }
