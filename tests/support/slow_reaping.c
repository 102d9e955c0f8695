/* A second passes between the end of a child that is collected and what its parent does next, for tests/test_signals.py:
 * preloaded (LD_PRELOAD). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/wait.h>
#include <time.h>

pid_t waitpid(pid_t pid, int *status, int options) {
    pid_t (*next)(pid_t, int *, int) = (pid_t(*)(pid_t, int *, int))dlsym(RTLD_NEXT, "waitpid");
    pid_t found = next(pid, status, options);
    struct timespec pause = {.tv_sec = 1};
    /* Signals interrupt it. */
    while (found > 0 && nanosleep(&pause, &pause) != 0) {}
    return found;
}
