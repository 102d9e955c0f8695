#pragma once
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/// `fork` is marked unavailable in Swift, since a process with threads cannot go on after it. The arbiter has one thread.
static inline pid_t csystem_fork(void) { return fork(); }

/// The wait status is taken apart by macros, which Swift does not import.
static inline int csystem_wait_exited(int status) { return WIFEXITED(status); }
static inline int csystem_wait_exit_code(int status) { return WEXITSTATUS(status); }
static inline int csystem_wait_signal(int status) { return WTERMSIG(status); }
static inline int csystem_wait_core_dumped(int status) { return WCOREDUMP(status); }

/// `prctl` is variadic.
static inline int csystem_set_parent_death_signal(int signal) {
    return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0UL, 0UL, 0UL);
}

static inline int csystem_set_child_subreaper(int is_one) {
    return prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)is_one, 0UL, 0UL, 0UL);
}

/// `fcntl` is variadic.
static inline int csystem_set_close_on_exec(int descriptor) {
    int flags = fcntl(descriptor, F_GETFD);
    return flags < 0 ? flags : fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);
}
static inline int csystem_set_non_blocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? flags : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

/// `pipe2` needs `_GNU_SOURCE`. Both ends are non-blocking and closed on exec.
int csystem_pipe(int ends[2]);

/// Has this signal's number written as one byte to `descriptor`, in the calling process only. The handler is C, because
/// nothing in Swift's runtime is promised to be async-signal-safe. One descriptor serves all signals of the process.
int csystem_signal_forward(int signal, int descriptor);

/// `SIG_DFL` is a cast macro, and `struct sigaction` holds a union.
int csystem_signal_default(int signal);

/// `open` is variadic. Closed on exec.
int csystem_open(const char *path, int flags, unsigned mode);

/// `fcntl` is variadic. Lets a descriptor live on in the program that this process becomes.
static inline int csystem_keep_on_exec(int descriptor) {
    int flags = fcntl(descriptor, F_GETFD);
    return flags < 0 ? flags : fcntl(descriptor, F_SETFD, flags & ~FD_CLOEXEC);
}

/// Writes over the memory in which the kernel looks for the command line; `/proc/self/stat` says where that is. Not longer
/// than it was, so that nothing has to be moved out of the way.
void csystem_set_title(const char *title);
