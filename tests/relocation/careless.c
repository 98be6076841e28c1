// SPDX-License-Identifier: Apache-2.0
//
// A BPF program with the faults that relocations_test.sh has to find: it reads a bit-field as whole
// bytes, more bytes than a field has, and a field that the kernel lacks.
struct sock {
    unsigned short sk_type;
} __attribute__((preserve_access_index));

struct io_sr_msg {
    int addr_len;
} __attribute__((preserve_access_index));

struct task_struct {
    unsigned long long start_boottime;
} __attribute__((preserve_access_index));

struct arguments {
    struct sock* sock;
    struct io_sr_msg* message;
    struct task_struct* task;
};

__attribute__((section("raw_tp/sys_exit"))) int careless(struct arguments* from) {
    return from->sock->sk_type + from->message->addr_len + (int)from->task->start_boottime;
}
