#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Descriptors travel in control messages, whose layout only macros know (`cmsg(3)`), which Swift does not import.
enum { csystem_relay_descriptors = 4 };

/// `sendmsg` of one message with `descriptor_count` descriptors: never waits, never raises SIGPIPE.
ssize_t csystem_relay_send(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count);

/// `recvmsg` of one message: never waits; descriptors are closed on exec. Stores those that came, at most
/// `csystem_relay_descriptors`, and `MSG_TRUNC` or `MSG_CTRUNC` where something did not.
ssize_t csystem_relay_receive(
    int socket, void *bytes, size_t count, int *descriptors, size_t *descriptor_count, int *flags);

/// `socketpair` of `SOCK_SEQPACKET`, closed on exec, non-blocking: the type's flags are an enum in Swift.
int csystem_relay_pair(int ends[2]);

/// `ioctl` is variadic. Bytes that wait to be received; -1 when the socket does not say.
int csystem_unread(int socket);

/// Asks for a send buffer of `bytes`: beyond the system's limit where the process may. Returns what it got, or -1.
int csystem_relay_set_send_buffer(int socket, int bytes);
