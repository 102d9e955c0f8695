#pragma once
#include <stdint.h>

/// What waits in a listening Unix socket, and the most that may: `sock_diag(7)`. Netlink messages are laid out by macros,
/// which Swift does not import. Returns 0, or -1 with `errno`; never waits.
int csystem_unix_queue(int socket, uint32_t *waiting, uint32_t *limit);
