#define _GNU_SOURCE
#include "CSystemProcess.h"

#include <errno.h>

/// Where the handler writes, and the process that it writes for. Written before the first handler is installed, and
/// afterwards only with all signals blocked or by the same values: the handler never sees them half set.
static volatile sig_atomic_t target = -1;
static volatile pid_t owner = 0;

static void forward(int signal) {
    int saved = errno;
    // A child that was forked behind our back, and has not called `exec` yet, shares the pipe: its signals are not ours.
    if (getpid() == owner) {
        unsigned char byte = (unsigned char)signal;
        // A full pipe wakes the reader just as well.
        if (write(target, &byte, 1) < 0) {}
    }
    errno = saved;
}

int csystem_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }

int csystem_signal_forward(int signal, int descriptor) {
    target = descriptor;
    owner = getpid();
    struct sigaction action = {.sa_handler = forward, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
    sigfillset(&action.sa_mask);
    return sigaction(signal, &action, NULL);
}

int csystem_signal_default(int signal) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigemptyset(&action.sa_mask);
    return sigaction(signal, &action, NULL);
}
