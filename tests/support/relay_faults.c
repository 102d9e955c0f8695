/* Faults of the relay, for tests/test_relay_faults.py: preloaded (LD_PRELOAD) into a server. A fault is a file in the
 * directory RELAY_FAULTS, named as below. What happens once takes its file away, so that it happens to one process. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int path(char *buffer, size_t size, const char *fault) {
    const char *directory = getenv("RELAY_FAULTS");
    return directory && snprintf(buffer, size, "%s/%s", directory, fault) < (int)size;
}

static int is_on(const char *fault) {
    char name[4096];
    return path(name, sizeof name, fault) && access(name, F_OK) == 0;
}

static int happens_once(const char *fault) {
    char name[4096];
    return path(name, sizeof name, fault) && unlink(name) == 0;
}

static struct cmsghdr *rights(const struct msghdr *message) {
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR((struct msghdr *)message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) return header;
    return NULL;
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
    if (rights(message)) {
        /* full: the queue takes nothing. many: the user has too many descriptors on the way. */
        int fault = is_on("full") ? EAGAIN : is_on("many") ? ETOOMANYREFS : 0;
        if (fault) {
            errno = fault;
            return -1;
        }
    }
    return NEXT(sendmsg)(socket, message, flags);
}

ssize_t recvmsg(int socket, struct msghdr *message, int flags) {
    ssize_t count = NEXT(recvmsg)(socket, message, flags);
    struct cmsghdr *header = count >= 0 ? rights(message) : NULL;
    if (!header) return count;
    /* die: the process ends with a parcel in its hands. */
    if (happens_once("die")) kill(getpid(), SIGKILL);
    /* lose: the kernel found no room for the descriptors, closed them, and says so. */
    if (happens_once("lose")) {
        for (size_t at = CMSG_LEN(0); at + sizeof(int) <= header->cmsg_len; at += sizeof(int)) {
            int descriptor;
            memcpy(&descriptor, (char *)header + at, sizeof descriptor);
            close(descriptor);
        }
        message->msg_controllen = 0;
        message->msg_flags |= MSG_CTRUNC;
    }
    return count;
}
