/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The capture plan's interpreter as the ptrace driver calls it: kernel/common/ over objects.c and
 * memory.h. Plain C, for the reason in facts.h. There is one capture at a time. An emitted event is
 * valid until the next call.
 */
#ifndef TIERCEL_PTRACE_INTERPRETER_H
#define TIERCEL_PTRACE_INTERPRETER_H

#ifdef __cplusplus
extern "C" {
#endif

struct tiercel_config;
extern const volatile struct tiercel_config*
    tiercel_session_config; /* the session sets it before the first capture */

enum call_abi { CALL_NATIVE, CALL_IA32 };

#define CALL_TEXTS 2 /* texts of a call that are read at its entry */

/* A system call as it entered the kernel. The number of an x32 call has bit 30 set. */
struct user_call {
    enum call_abi abi;
    unsigned number;
    unsigned long long args[6];
    /* Its first texts, as they were at the entry, in the order of struct call_class; NULL: read
     * them at the exit. */
    const char* texts[CALL_TEXTS];
};

/* What the event table says about a call. */
struct call_class {
    int wanted;  /* its exit is captured */
    int is_exec; /* success gives an event of its own, before the exit */
    int is_clone;
    int names_directory;   /* an exec whose path is its second argument */
    int texts[CALL_TEXTS]; /* the arguments that are texts to read at the entry; -1: none */
};
struct call_class classify_call(const struct user_call* call);

/* Whether the native call has to stop even if it is not wanted: execs and clones do. */
int is_life_call(unsigned native_number);
/* The native number whose interest bit covers an ia32 or x32 number; -1: none. */
int native_of_ia32(unsigned number);
int native_of_x32(unsigned number); /* `number` is without bit 30 */

/* Where finished events go. */
struct event_sink {
    void (*take)(struct event_sink* sink, const void* event, unsigned size);
    void (*filtered)(
        struct event_sink* sink); /* counts an event that the kernel filter keeps back */
};

/* Captures the exit of a call of thread `tid`. The event's time is now. */
void capture_call(int tid, const struct user_call* call, long long result, struct event_sink* sink);
/* Captures a successful exec; `filename` is the path that was given to exec. */
void capture_exec(int tid, const struct user_call* call, const char* filename,
                  struct event_sink* sink);
/* Captures the child's own event, before it runs; `call` is the parent's call. */
void capture_clone(int parent, int child, const struct user_call* call, struct event_sink* sink);
/* Captures the end of a thread; `status` is a wait status. */
void capture_exit(int tid, int status, struct event_sink* sink);
/* Captures the delivery of a signal; `sender` is -1 if it is not known. */
void capture_signal(int tid, int number, int sender, struct event_sink* sink);
/* Capture ITER_TASK of one thread, and ITER_TASK_FILE_* of one descriptor of a process. */
void capture_thread(int tgid, int tid, struct event_sink* sink);
void capture_descriptor(int tgid, int fd, struct event_sink* sink);

#ifdef __cplusplus
}
#endif
#endif
