/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The capture plan's interpreter as the ptrace driver calls it: kernel/common/ over objects.c and
 * memory.h. Plain C, see facts.h. One capture at a time; what is emitted lives until the next call.
 */
#ifndef TIERCEL_PTRACE_INTERPRETER_H
#define TIERCEL_PTRACE_INTERPRETER_H

#ifdef __cplusplus
extern "C" {
#endif

struct tiercel_config;
extern const volatile struct tiercel_config*
    tiercel_session_config; /* whoever starts a session sets it */

enum call_abi { CALL_NATIVE, CALL_IA32 };

/* A system call as it entered the kernel. For an x32 one the number has its bit 30 set. */
struct user_call {
    enum call_abi abi;
    unsigned number;
    unsigned long long args[6];
};

/* What the event table says of a call. */
struct call_class {
    int wanted;  /* its exit is to be captured */
    int is_exec; /* success shows as an event of its own, before the exit */
    int is_clone;
    int names_directory; /* an exec whose path is its second argument */
};
struct call_class classify_call(const struct user_call* call);

/* Whether the native call of that number has to stop for us, wanted or not: execs and clones. */
int is_life_call(unsigned native_number);
/* The native number whose interest covers an ia32 or x32 one; -1: none. */
int native_of_ia32(unsigned number);
int native_of_x32(unsigned number); /* without its bit 30 */

/* Where finished events go. */
struct event_sink {
    void (*take)(struct event_sink* sink, const void* event, unsigned size);
};

/* `tid` is the thread; times are those of the call. */
void capture_call(int tid, const struct user_call* call, long long result, struct event_sink* sink);
/* A thread is another program now; `filename` is what exec was given. */
void capture_exec(int tid, const struct user_call* call, const char* filename,
                  struct event_sink* sink);
/* The child's own event, before it runs; `call` is its parent's. */
void capture_clone(int parent, int child, const struct user_call* call, struct event_sink* sink);
/* `status` is a wait status. */
void capture_exit(int tid, int status, struct event_sink* sink);
/* `sender` -1: not known. */
void capture_signal(int tid, int number, int sender, struct event_sink* sink);
/* ITER_TASK of one thread, and ITER_TASK_FILE_* of one descriptor of a process. */
void capture_thread(int tgid, int tid, struct event_sink* sink);
void capture_descriptor(int tgid, int fd, struct event_sink* sink);

#ifdef __cplusplus
}
#endif
#endif
