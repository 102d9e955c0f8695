#pragma once
#include <sys/socket.h>
#include <sys/types.h>

/// `SOCK_DGRAM` is imported with a type of its own on some systems only. Non-blocking, closed on exec.
static inline int csystem_datagram_socket(void) {
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/// `sendto` with `MSG_NOSIGNAL`, an enumeration's member in one C library and a macro in another.
static inline ssize_t csystem_send_to(
    int descriptor, const void *bytes, size_t count, const struct sockaddr *name, socklen_t length) {
    return sendto(descriptor, bytes, count, MSG_NOSIGNAL, name, length);
}
