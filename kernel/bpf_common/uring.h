/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * io_uring: operations become the events of the system calls that they stand for. The kernel keeps an
 * operation's names and addresses only until it is done, and knows the result only then. So the program at
 * submission saves the arguments of the call, and the program at completion makes the event from them and the
 * result.
 *
 * A request may ask for no completion on success (IOSQE_CQE_SKIP_SUCCESS). Such a request is looked at again
 * when its thread returns from io_uring_enter(), submits more of them, or ends, because struct io_kiocb has
 * the result then. Where the result cannot be known, the event comes without one.
 */
#ifndef TIERCEL_KERNEL_BPF_COMMON_URING_H
#define TIERCEL_KERNEL_BPF_COMMON_URING_H

#include "kernel/bpf_common/maps.h"
#include "kernel/bpf_common/uring_arguments.h"
#include "kernel/common/dispatch.h"
#include "kernel/common/iterators.h"
#include "kernel/common/received.h"
#include "kernel/common/syscalls.h"

#define UNSETTLED_MAX 8 /* requests of a thread that will give no completion */

const volatile struct tiercel_uring tc_uring SEC(".rodata.uring") = {
    .enter_number = SLOT_OF(NATIVE_io_uring_enter),
    .operations =
        {
#define URING(name, opcode, plain, flagged) \
    [opcode] = {1, {SLOT_OF(NATIVE_##plain), SLOT_OF(NATIVE_##flagged)}, 0},
#include "shared/event/uring.def"
#undef URING
        },
};

/*
 * What a completion tells of its request. Before 5.17 it has no request, only the ring and the number that
 * the program chose for it; of two requests with one number the first gives an event without a result.
 */
struct uring_key {
    __u64 ring, request;
};
struct uring_name_key {
    struct uring_key key;
    __u64 which;
};
struct uring_name {
    char text[TEXT_MAX];
};
struct uring_list {
    struct uring_key keys[UNSETTLED_MAX];
    __u32 next;
};

#define URING_MAP(name, key_type, value_type, entries) \
    struct {                                           \
        __uint(type, BPF_MAP_TYPE_HASH);               \
        __uint(map_flags, URING_MAP_FLAGS);            \
        __uint(max_entries, entries);                  \
        __type(key, key_type);                         \
        __type(value, value_type);                     \
    } name SEC(".maps")
URING_MAP(uring_requests, struct uring_key, struct uring_request, URING_REQUESTS);
URING_MAP(uring_names, struct uring_name_key, struct uring_name, URING_NAMES);
URING_MAP(uring_unsettled, __u32, struct uring_list, URING_REQUESTS / 4);

static __always_inline void submit_event(void *ctx, struct capture *c, __u32 cpu);

/* --- the event ---------------------------------------------------------------------------------------- */

static __always_inline void use_name(struct capture *c, const struct uring_key *key,
                                     const struct uring_request *r, __u32 which)
{
    struct uring_name_key name_key = {.key = *key, .which = which};
    __u32 argument = r->name_arg[which];

    if (argument != NO_ARGUMENT)
        use_saved(c, argument, bpf_map_lookup_elem(&uring_names, &name_key));
}

static __always_inline void fill_from_request(struct capture *c, const struct uring_key *key,
                                              const struct uring_request *r, __u32 call)
{
    __builtin_memcpy(c->args, r->args, sizeof(c->args));
    c->task = this_task();
    c->number = call;
    c->scap = tiercel_native[call].scap;
    c->index = tiercel_native[call].index;
    c->compat = r->compat;
    c->message = 0;
    c->saved = 0;
    use_saved(c, r->structure_arg, r->structure);
    use_name(c, key, r, 0);
    use_name(c, key, r, 1);
}

static __always_inline __s64 told_result(const struct uring_request *r, __s64 ret)
{
    if (ret < 0 || !r->file_slot)
        return ret;
    return REGISTERED_FILES + (r->file_slot == IORING_FILE_INDEX_ALLOC ? ret : r->file_slot - 1);
}

static __always_inline void forget_request(const struct uring_key *key)
{
    struct uring_name_key name = {.key = *key};

    bpf_map_delete_elem(&uring_names, &name);
    name.which = 1;
    bpf_map_delete_elem(&uring_names, &name);
    bpf_map_delete_elem(&uring_requests, key);
}

/* Gives the event of the next file that the filter tells before the operation's event. */
static __always_inline void tell_next(void *ctx, struct capture *c, __u32 slot, __u32 cpu)
{
    __s32 fd = next_received(slot);

    if (fd >= 0 && tell_received(slot, fd)) {
        capture_file_event(slot, current_ids());
        submit_event(ctx, c, cpu);
    }
}

/* Such an operation takes two descriptors at most. */
static __always_inline void tell_descriptors(void *ctx, struct capture *c, __u32 slot, __u32 cpu)
{
    __u32 index = c->index;

    if (!told_arguments(c, index) || !begin_received(slot))
        return;
    tell_next(ctx, c, slot, cpu);
    tell_next(ctx, c, slot, cpu);
    c->index = index;
}

enum uring_end { RESULT_KNOWN, RESULT_UNKNOWN, MORE_FOLLOW };

/* Gives the event of a request, and forgets the request unless it goes on. Does nothing if it is not known.
 */
static __attribute__((noinline)) int finish_request(void *ctx, struct uring_key *key, __s64 ret,
                                                    enum uring_end end)
{
    struct uring_request *r = bpf_map_lookup_elem(&uring_requests, key);
    __u32 cpu = bpf_get_smp_processor_id(), slot, call;
    struct capture *c;

    if (!r)
        return 0;
    call = opaque(r->call);
    c = call < TIERCEL_SYSCALL_MAX ? claim_capture(cpu, &slot) : NULL;
    if (c) {
        fill_from_request(c, key, r, call);
        c->ret = end == RESULT_UNKNOWN ? -1 : told_result(r, ret);
        c->unknown_ret = end == RESULT_UNKNOWN;
        c->cpu_flags = TIERCEL_CPU_URING;
        tell_descriptors(ctx, c, slot, cpu);
        capture_syscall_event(slot, r->tid);
        submit_event(ctx, c, cpu);
        c->saved = c->unknown_ret = c->cpu_flags = 0;
        release_capture(c);
    }
    if (end != MORE_FOLLOW)
        forget_request(key);
    return 0;
}

/* --- requests without a completion ---------------------------------------------------------------------- */

/*
 * Whether the request has been executed. An operation on names gives up a flag with them; the result of one
 * on a file overwrites the descriptor. Others do not wait.
 */
static __always_inline int is_executed(const struct uring_request *r)
{
    struct io_kiocb *request = r->request;

    if (r->name_arg[0] != NO_ARGUMENT)
        return (r->submitted_flags & ~READ(request, flags)) != 0;
    return !r->submitted_fd || READ(request, cqe.fd) != r->submitted_fd;
}

/* Ends a request that gave no completion. Returns 0 if it is not executed yet and has to be kept. */
static __always_inline int settle(void *ctx, struct uring_key *key, int keep)
{
    struct uring_request *r = bpf_map_lookup_elem(&uring_requests, key);
    struct io_kiocb *request;
    int executed;

    if (!r || !FIELD_EXISTS(struct io_kiocb, cqe))
        return 1;
    request = r->request;
    executed = is_executed(r);
    if (!executed && keep)
        return 0;
    finish_request(ctx, key, READ(request, cqe.res), executed ? RESULT_KNOWN : RESULT_UNKNOWN);
    return 1;
}

struct settling {
    void *ctx;
    __u32 tid, keep;
};

STEP int settle_step(__u32 k, void *context)
{
    struct settling *s = context;
    struct uring_list *list = bpf_map_lookup_elem(&uring_unsettled, &s->tid);
    struct uring_key key;

    k = opaque(k);
    if (!list || k >= UNSETTLED_MAX)
        return 1;
    key = list->keys[k];
    if (key.request && settle(s->ctx, &key, s->keep))
        list->keys[k].request = 0;
    return 0;
}

/* Gives the events of the current thread's executed requests; of all if it ends. */
static __always_inline void settle_all(void *ctx, int thread_ends)
{
    struct settling s = {.ctx = ctx, .tid = (__u32)current_ids(), .keep = !thread_ends};

    if (!tc_uring.submit_args || !bpf_map_lookup_elem(&uring_unsettled, &s.tid))
        return;
    REPEAT(UNSETTLED_MAX, settle_step, &s);
    if (thread_ends)
        bpf_map_delete_elem(&uring_unsettled, &s.tid);
}

/* Remembers that no completion may come. The oldest remembered one is settled if there are too many. */
static __always_inline void remember_unsettled(void *ctx, struct capture *c, const struct uring_key *key)
{
    struct uring_list *list, *fresh = (struct uring_list *)c->tmp;
    __u32 tid = (__u32)current_ids(), at;
    struct uring_key oldest;

    list = bpf_map_lookup_elem(&uring_unsettled, &tid);
    if (!list) {
        __builtin_memset(fresh, 0, sizeof(*fresh));
        fresh->keys[0] = *key;
        fresh->next = 1;
        bpf_map_update_elem(&uring_unsettled, &tid, fresh, 0);
        return;
    }
    at = opaque(list->next) & (UNSETTLED_MAX - 1);
    oldest = list->keys[at];
    list->keys[at] = *key;
    list->next = at + 1;
    if (oldest.request)
        settle(ctx, &oldest, 0);
}

/* --- submission ------------------------------------------------------------------------------------------
 */

static __always_inline struct uring_key key_of(struct io_kiocb *request)
{
    struct uring_key key = {.request = (__u64)request};

    if (tc_uring.complete_args == 4) {
        key.ring = (__u64)READ(request, ctx);
        key.request = READ((struct io_kiocb___old *)request, user_data);
    }
    return key;
}

/*
 * Ends an earlier request with the same key. On kernels whose key is the request's memory it has ended
 * unseen, and its result is still there; on the others it is not finished.
 */
static __always_inline void finish_displaced(void *ctx, struct uring_key *key, struct io_kiocb *request)
{
    if (FIELD_EXISTS(struct io_kiocb, cqe))
        finish_request(ctx, key, READ(request, cqe.res), RESULT_KNOWN);
    else
        finish_request(ctx, key, 0, RESULT_UNKNOWN);
}

static __always_inline void save_name(struct capture *c, const struct uring_key *key, struct uring_request *r,
                                      __u32 which)
{
    struct uring_name_key name_key = {.key = *key, .which = which};
    struct uring_name *copy = (struct uring_name *)c->tmp;
    struct filename *name = r->names[which];
    __u32 argument = r->name_arg[which];

    if (argument >= 6)
        return;
    r->args[argument] = (__u64)OPTIONAL(filename, name, uptr); /* if there is no room for the copy */
    if (read_kernel_text(copy->text, sizeof(copy->text), READ(name, name)) > 0)
        bpf_map_update_elem(&uring_names, &name_key, copy, 0);
}

/* Threads that io_uring made are not known as threads of a program; the first thread stands for them. */
static __always_inline __u32 submitter(struct task_struct *task)
{
    __u64 ids = current_ids();

    return READ(task, flags) & PF_IO_WORKER ? ids >> 32 : (__u32)ids;
}

static __always_inline void save_request(void *ctx, struct capture *c, struct io_kiocb *request, __u32 opcode)
{
    struct uring_request *r = (struct uring_request *)c->buf;
    struct uring_key key = key_of(request);
    __u32 call;

    c->task = this_task();
    __builtin_memset(r, 0, sizeof(*r));
    r->request = request;
    read_operation(r, c, opcode, request);
    call = tc_uring.operations[opcode].call[has_flags(r, opcode)];
    if (!wanted(&tc_config, call))
        return;
    r->call = call;
    r->tid = submitter(c->task);
    r->compat = is_ia32(c->task);
    if (FIELD_EXISTS(struct io_kiocb, cqe))
        r->submitted_fd = READ(request, cqe.fd);
    r->submitted_flags = READ(request, flags);
    save_name(c, &key, r, 0);
    save_name(c, &key, r, 1);
    if (bpf_map_update_elem(&uring_requests, &key, r, 0))
        count_drop(bpf_get_smp_processor_id(), TIERCEL_DROP_SCRATCH_BUSY);
    else if (READ(request, flags) & IOSQE_CQE_SKIP_SUCCESS)
        remember_unsettled(ctx, c, &key);
}

/* io_uring/io_uring.c, io_submit_sqe(): the request is prepared, and not yet executed or linked to others. */
static __always_inline int submitted(void *ctx, struct io_kiocb *request)
{
    __u32 cpu = bpf_get_smp_processor_id(), slot, opcode = opaque(READ(request, opcode));
    struct uring_key key;
    struct capture *c;

    if (opcode >= TIERCEL_URING_OPERATIONS || !tc_uring.operations[opcode].known)
        return 0;
    if (!wanted(&tc_config, opaque(tc_uring.operations[opcode].call[0])) &&
        !wanted(&tc_config, opaque(tc_uring.operations[opcode].call[1])))
        return 0;
    if (current_ids() >> 32 == tc_config.self_tgid)
        return 0;
    key = key_of(request);
    finish_displaced(ctx, &key, request);
    c = claim_capture(cpu, &slot);
    if (!c)
        return 0;
    save_request(ctx, c, request, opcode);
    release_capture(c);
    return 0;
}

/*
 * The number of a tracepoint's parameters tells its version. The assembler text keeps the compiler from
 * merging the branches, because the verifier refuses a load from the context at a position that it does not
 * know.
 */
#define CONTEXT(ctx, n)                                        \
    ({                                                         \
        __u64 value_ = ((__u64 *)(ctx))[n];                    \
        asm volatile("/* parameter " #n " */" : "+r"(value_)); \
        value_;                                                \
    })

/* Until 6.2: (request, may_block); until 5.18: (ring, request, ...). Kernels before 5.13 pass no request. */
AT_TRACEPOINT("io_uring_submit_sqe")
int uring_submit_sqe(void *ctx)
{
    if (tc_uring.submit_args >= 6)
        return submitted(ctx, (struct io_kiocb *)CONTEXT(ctx, 1));
    return submitted(ctx, (struct io_kiocb *)CONTEXT(ctx, 0));
}

/* From 6.3: (request) */
AT_TRACEPOINT("io_uring_submit_req")
int uring_submit_req(void *ctx)
{
    return submitted(ctx, (struct io_kiocb *)CONTEXT(ctx, 0));
}

/* --- completion ------------------------------------------------------------------------------------------
 */

static __always_inline int completed(void *ctx, struct uring_key key, __s32 res, __u32 flags)
{
    if (!key.ring && !key.request) /* a further completion of a request that goes on */
        return 0;
    if (flags & IORING_CQE_F_NOTIF)
        return 0;
    return finish_request(ctx, &key, res, flags & IORING_CQE_F_MORE ? MORE_FOLLOW : RESULT_KNOWN);
}

/*
 * Until 5.16: (ring, user_data, res, flags); then (ring, request, user_data, res, flags, ...); at last
 * (ring, request, cqe).
 */
AT_TRACEPOINT("io_uring_complete")
int uring_complete(void *ctx)
{
    struct uring_key key = {};

    if (tc_uring.complete_args == 4) {
        key.ring = CONTEXT(ctx, 0);
        key.request = CONTEXT(ctx, 1);
        return completed(ctx, key, CONTEXT(ctx, 2), CONTEXT(ctx, 3));
    }
    key.request = CONTEXT(ctx, 1);
    if (tc_uring.complete_args == 3) {
        struct io_uring_cqe *cqe = (struct io_uring_cqe *)CONTEXT(ctx, 2);

        return completed(ctx, key, READ(cqe, res), READ(cqe, flags));
    }
    return completed(ctx, key, CONTEXT(ctx, 3), CONTEXT(ctx, 4));
}

#endif
