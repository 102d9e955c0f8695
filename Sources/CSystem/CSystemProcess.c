#define _GNU_SOURCE
#include "CSystemProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int csystem_open(const char *path, int flags, unsigned mode) { return open(path, flags | O_CLOEXEC, mode); }

/// The fields `arg_start` and `arg_end` of `/proc/self/stat`, proc(5): the 48th and the 49th.
static int find_arguments(unsigned long *start, unsigned long *end) {
    char text[2048];
    int descriptor = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return 0;
    ssize_t count = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    if (count <= 0) return 0;
    text[count] = 0;
    // The second field is the name, in parentheses, and may hold anything.
    char *field = strrchr(text, ')');
    for (int number = 2; field && number < 48; number++) field = strchr(field + 1, ' ');
    return field && sscanf(field, "%lu %lu", start, end) == 2 && *start != 0 && *end > *start;
}

void csystem_set_title(const char *title) {
    // Asked once: a fork has its memory at the same place.
    static unsigned long start, end;
    if (end == 0 && !find_arguments(&start, &end)) return;
    size_t room = end - start, length = strlen(title);
    if (length > room - 1) length = room - 1;
    char *memory = (char *)start;
    memset(memory, 0, room);
    memcpy(memory, title, length);
    prctl(PR_SET_NAME, title, 0UL, 0UL, 0UL);
}
