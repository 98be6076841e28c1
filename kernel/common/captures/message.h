/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The MESSAGE captures: the messages of sendmsg, recvmsg, sendmmsg and recvmmsg. All drivers share them. */
#ifndef TIERCEL_KERNEL_COMMON_CAPTURES_MESSAGE_H
#define TIERCEL_KERNEL_COMMON_CAPTURES_MESSAGE_H

#include "kernel/common/messages.h"
#include "kernel/common/vectors.h"

static __always_inline int capture_message(struct capture *c, __u32 i, struct tiercel_param p)
{
    __u64 message = message_address(c, argument(c, p.arg[0]));
    __s64 ret = message_ret(c);
    __u64 vector, count;

    if (p.capture == CAPTURE_mmsg_ret)
        return put_number(c, i, ret, p.width);
    if (is_receive(c) && c->ret < 0)
        return p.capture == CAPTURE_msg_size ? put_number(c, i, 0, p.width) : no_value(c, i);
    if (p.capture == CAPTURE_msg_control)
        return put_data(c, i, message_field(c, message, 4), message_field(c, message, 5));
    vector = message_field(c, message, 2);
    count = message_field(c, message, 3);
    if (p.capture == CAPTURE_msg_size)
        return put_number(c, i, vector_size(c, vector, count, ret), p.width);
    return put_iov(c, i, vector, count, ret);
}

#endif
