#define _GNU_SOURCE
#include <sys/uio.h>
#include "CSystem.h"

#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/filter.h>
#include <linux/sockios.h>

int csystem_accept(int listener, void *address, uint32_t *size) {
    return accept4(listener, (struct sockaddr *)address, (socklen_t *)size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

struct start {
    void (*body)(void *);
    void *context;
    char name[16];
};

/// Of threads that were started here; 0 is free. A worker has a handful.
static _Atomic int threads[CSYSTEM_THREAD_LIMIT];

/// Puts one number in another's place, where that is; whether it was.
static int replace_thread(int from, int to) {
    for (int place = 0; place < CSYSTEM_THREAD_LIMIT; place++) {
        int expected = from;
        if (atomic_compare_exchange_strong(&threads[place], &expected, to)) return 1;
    }
    return 0;
}

int csystem_threads(int *numbers) {
    int count = 0;
    for (int place = 0; place < CSYSTEM_THREAD_LIMIT; place++) {
        int number = atomic_load(&threads[place]);
        if (number != 0) numbers[count++] = number;
    }
    return count;
}

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    pthread_setname_np(pthread_self(), start.name);
    int number = csystem_thread_id(), is_noted = replace_thread(0, number);
    start.body(start.context);
    if (is_noted) replace_thread(number, 0);
    return NULL;
}

int csystem_thread_start(const char *name, void (*body)(void *), void *context) {
    struct start *start = malloc(sizeof *start);
    if (!start) return ENOMEM;
    start->body = body;
    start->context = context;
    snprintf(start->name, sizeof start->name, "%s", name);

    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        free(start);
        return error;
    }
    pthread_detach(thread);
    return 0;
}

uint64_t csystem_thread_cpu_time(int thread) {
    // CPUCLOCK_SCHED of a single thread: <linux/posix-timers.h>, which is not for programs, but part of the kernel's ABI:
    // `pthread_getcpuclockid` computes the same, from a `pthread_t`.
    clockid_t clock = (clockid_t)((~(unsigned)thread << 3) | 6);
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) return 0;
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

char csystem_thread_state(int thread) {
    char text[128];
    snprintf(text, sizeof text, "/proc/self/task/%d/stat", thread);
    int file = open(text, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    // The name stands before it in parentheses, is at most 15 bytes long, and may have a parenthesis itself.
    const char *end = strrchr(text, ')');
    return end && end[1] == ' ' ? end[2] : 0;
}

void csystem_thread_name(const char *name) {
    char cut[16];
    snprintf(cut, sizeof cut, "%s", name);
    pthread_setname_np(pthread_self(), cut);
}

static volatile int forks;
static atomic_uint forks_begun;
static void note_fork(void) { forks++; }
static void note_fork_begins(void) { atomic_fetch_add_explicit(&forks_begun, 1, memory_order_relaxed); }
void csystem_note_forks(void) {
    static int is_registered;
    if (!is_registered) pthread_atfork(note_fork_begins, NULL, note_fork);
    is_registered = 1;
    forks = 0;
}
int csystem_forks(void) { return forks; }
unsigned csystem_forks_begun(void) { return atomic_load_explicit(&forks_begun, memory_order_relaxed); }

int csystem_peer_state(int socket) {
    struct pollfd watched = {.fd = socket, .events = POLLRDHUP};
    if (poll(&watched, 1, 0) <= 0) return 0;
    if (watched.revents & (POLLHUP | POLLERR | POLLNVAL)) return 2;
    return watched.revents & POLLRDHUP ? 1 : 0;
}

int csystem_duplicate(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 3); }

int csystem_unsent(int socket) {
    int count;
    return ioctl(socket, SIOCOUTQ, &count) == 0 ? count : -1;
}

int csystem_accept_queue(int listener) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    // Of a listener, `tcpi_unacked` is the length of its queue.
    return getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? (int)info.tcpi_unacked : -1;
}

int csystem_open_unnamed(const char *directory) {
    int descriptor = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)) return descriptor;
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/monoceros-XXXXXX", directory);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor >= 0) unlink(path);
    return descriptor;
}

ssize_t csystem_read_cached(int file, void *bytes, size_t count, off_t offset) {
    struct iovec vector = {.iov_base = bytes, .iov_len = count};
    ssize_t result = preadv2(file, &vector, 1, offset, RWF_NOWAIT);
    if (result < 0 && errno != EINTR) errno = EAGAIN;
    return result;
}

int csystem_refuse_handshakes(int listener) {
    // The 14th byte of a TCP header has the flags (RFC 9293 §3.1), and 2 is SYN. A listener's filter sees the header first.
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
