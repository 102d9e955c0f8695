#define _GNU_SOURCE
#include "CSystemDiagnosis.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/// Asks for one socket, by the number of its inode.
static int ask(int netlink, uint32_t inode) {
    struct {
        struct nlmsghdr header;
        struct unix_diag_req request;
    } question = {
        .header = {.nlmsg_len = sizeof question, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
        .request = {
            .sdiag_family = AF_UNIX,
            .udiag_ino = inode,
            .udiag_show = UDIAG_SHOW_RQLEN,
            // Any socket with this inode.
            .udiag_cookie = {UINT32_MAX, UINT32_MAX},
        },
    };
    return send(netlink, &question, sizeof question, MSG_DONTWAIT) == (ssize_t)sizeof question ? 0 : -1;
}

/// Reads the answer, which the kernel has written by the time that the question is sent.
static int answer(int netlink, uint32_t *waiting, uint32_t *limit) {
    union {
        struct nlmsghdr header;
        char bytes[1024];
    } reply;
    ssize_t count = recv(netlink, &reply, sizeof reply, MSG_DONTWAIT);
    if (count < 0) return -1;
    if (!NLMSG_OK(&reply.header, (size_t)count)) goto malformed;
    if (reply.header.nlmsg_type == NLMSG_ERROR) {
        if (reply.header.nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr))) goto malformed;
        errno = -((struct nlmsgerr *)NLMSG_DATA(&reply.header))->error;
        return -1;
    }
    if (reply.header.nlmsg_type != SOCK_DIAG_BY_FAMILY) goto malformed;
    if (reply.header.nlmsg_len < NLMSG_LENGTH(sizeof(struct unix_diag_msg))) goto malformed;
    struct unix_diag_msg *message = NLMSG_DATA(&reply.header);
    size_t left = reply.header.nlmsg_len - NLMSG_LENGTH(sizeof *message);
    for (struct rtattr *each = (struct rtattr *)(message + 1); RTA_OK(each, left); each = RTA_NEXT(each, left)) {
        if (each->rta_type != UNIX_DIAG_RQLEN || RTA_PAYLOAD(each) < sizeof(struct unix_diag_rqlen)) continue;
        struct unix_diag_rqlen lengths;
        memcpy(&lengths, RTA_DATA(each), sizeof lengths);
        *waiting = lengths.udiag_rqueue;
        *limit = lengths.udiag_wqueue;
        return 0;
    }
malformed:
    errno = EPROTO;
    return -1;
}

int csystem_unix_queue(int socket_number, uint32_t *waiting, uint32_t *limit) {
    struct stat status;
    if (fstat(socket_number, &status) < 0) return -1;
    int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (netlink < 0) return -1;
    int result = ask(netlink, (uint32_t)status.st_ino);
    if (result == 0) result = answer(netlink, waiting, limit);
    int cause = errno;
    close(netlink);
    errno = cause;
    return result;
}
