#pragma once
// No `_GNU_SOURCE` here: Swift's Glibc module is built without it, and two views of one struct do not mix.
// What needs it stands in CSystem.c.
#include <errno.h>
#include <linux/futex.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/// `errno` is a macro over a function call; Swift sees it only through Glibc's overlay, which costs a call more.
static inline int csystem_errno(void) { return errno; }

/// Has the kernel drop the first segment of every new connection to a TCP listener, and no other: those that are being
/// made still come to be (`SO_ATTACH_FILTER`, socket(7)). Swift does not import the macros that the filter is made of.
int csystem_refuse_handshakes(int listener);

/// `accept4` is not imported (it needs `_GNU_SOURCE`), and its address arguments are a union in glibc's prototype.
int csystem_accept(int listener, void *address, uint32_t *size);

/// `epoll_event` is packed and its payload a union, which Swift imports as bytes: give both as plain words.
static inline int csystem_epoll_ctl(int epoll, int operation, int descriptor, uint32_t events, uint64_t payload) {
    struct epoll_event event = {.events = events, .data.u64 = payload};
    return epoll_ctl(epoll, operation, descriptor, &event);
}
static inline uint32_t csystem_epoll_events(const struct epoll_event *batch, int index) { return batch[index].events; }
static inline uint64_t csystem_epoll_payload(const struct epoll_event *batch, int index) { return batch[index].data.u64; }

/// The epoll constants are an enum and macros of different widths: one type for all.
static const uint32_t csystem_EPOLLIN = EPOLLIN;
static const uint32_t csystem_EPOLLOUT = EPOLLOUT;
static const uint32_t csystem_EPOLLRDHUP = EPOLLRDHUP;
static const uint32_t csystem_EPOLLHUP = EPOLLHUP;
static const uint32_t csystem_EPOLLERR = EPOLLERR;
static const uint32_t csystem_EPOLLET = EPOLLET;

/// `syscall` is variadic. Private futexes: the words live in one process.
static inline int csystem_futex_wait(const void *word, uint32_t expected, const struct timespec *timeout) {
    return (int)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout, NULL, 0);
}
static inline int csystem_futex_wake(const void *word, int count) {
    return (int)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

/// The same for words in memory that several processes share.
static inline int csystem_shared_futex_wait(const void *word, uint32_t expected, const struct timespec *timeout) {
    return (int)syscall(SYS_futex, word, FUTEX_WAIT, expected, timeout, NULL, 0);
}
static inline int csystem_shared_futex_wake(const void *word, int count) {
    return (int)syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}

/// Starts a detached thread with every signal blocked (signals belong to the main thread) and a name for `top -H`.
/// `pthread_t`, the attribute struct and the start routine's nullability differ between C libraries: hidden here.
int csystem_thread_start(const char *name, void (*body)(void *), void *context);

/// The kernel's numbers of the threads started so, that have begun and not ended: as many as are written. Kept in C, since
/// a thread that begins must not be the first to use anything of Swift's (docs/fork-safety.md).
#define CSYSTEM_THREAD_LIMIT 32
int csystem_threads(int *numbers);

/// `syscall` is variadic. The kernel's number of the calling thread, and whether a thread of this process has it.
static inline int csystem_thread_id(void) { return (int)syscall(SYS_gettid); }
static inline int csystem_thread_exists(int thread) { return syscall(SYS_tgkill, getpid(), thread, 0) == 0; }

/// Nanoseconds that a thread of this process has had the CPU for; 0 when that cannot be told. The clock's number is made of
/// the thread's by a macro of the kernel (`MAKE_THREAD_CPUCLOCK`) that no header has.
uint64_t csystem_thread_cpu_time(int thread);
/// The letter for the state of a thread of this process, `proc_pid_stat(5)`; 0 when that cannot be told.
char csystem_thread_state(int thread);

/// `pthread_setname_np` needs `_GNU_SOURCE`, and refuses names of more than 15 bytes: they are cut.
void csystem_thread_name(const char *name);

/// Sends with `MSG_NOSIGNAL`, so that a peer that left is an error and not a SIGPIPE.
static inline ssize_t csystem_send(int descriptor, const void *bytes, size_t count) {
    return send(descriptor, bytes, count, MSG_NOSIGNAL);
}
/// The same without waiting for room.
static inline ssize_t csystem_send_now(int descriptor, const void *bytes, size_t count) {
    return send(descriptor, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}
/// `writev` cannot be told not to raise SIGPIPE; `sendmsg` can.
static inline ssize_t csystem_send_vectors(int descriptor, const struct iovec *vectors, size_t count) {
    struct msghdr message = {.msg_iov = (struct iovec *)vectors, .msg_iovlen = count};
    return sendmsg(descriptor, &message, MSG_NOSIGNAL);
}

/// Gives what `malloc` has free back to the system, where it is a C library's that can.
static inline void csystem_memory_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

/// Connections that wait to be accepted (`TCP_INFO`); -1 when the socket does not say.
int csystem_accept_queue(int listener);

/// `ioctl` is variadic. -1 when the socket does not say.
int csystem_unsent(int socket);

/// Counts the forks between this process and the one that called `csystem_note_forks`: 0 in that one itself. Set by
/// `pthread_atfork`, so that asking costs no system call.
void csystem_note_forks(void);
int csystem_forks(void);
/// How many forks have begun, in this process and, before it was made, in those that it comes from.
unsigned csystem_forks_begun(void);

/// `POLLRDHUP` needs `_GNU_SOURCE`. What the peer of a stream socket did: 0 nothing, 1 ended its sending half, 2 ended all.
int csystem_peer_state(int socket);

/// `fcntl` is variadic. The duplicate is closed on exec.
int csystem_duplicate(int descriptor);

/// `open` is variadic. An unnamed file in `directory`: `O_TMPFILE` where the file system has it, else create and unlink.
int csystem_open_unnamed(const char *directory);

/// `preadv2` and its flags need `_GNU_SOURCE`. Reads what needs no wait for a disk (`RWF_NOWAIT`): -1 and `EAGAIN` where nothing
/// does, or where the file system cannot tell.
ssize_t csystem_read_cached(int file, void *bytes, size_t count, off_t offset);

#include "CSystemFile.h"
#include "CSystemMemory.h"
#include "CSystemDiagnosis.h"
#include "CSystemProcess.h"
#include "CSystemRelay.h"
#include "CSystemService.h"
