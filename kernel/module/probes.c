// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * One probe for each tracepoint, as in kernel/bpf_common/tracepoints.h. Each session registers the
 * probes for itself and passes itself as their data.
 */
#include <linux/tracepoint.h>
#include <trace/events/sched.h>
#include <trace/events/signal.h>
#include <trace/events/syscalls.h>

#include "kernel/module/entry.h"
#include "kernel/module/scratch.h"

#include "kernel/common/iterators.h"
#include "kernel/common/prefilter.h"
#include "kernel/common/received.h"
#include "kernel/common/sources.h"

static DEFINE_PER_CPU(unsigned int, claimed);

/* Claims a scratch area of this CPU until release_capture(). Returns NULL after counting a drop. */
static struct capture *claim_capture(struct tiercel_session *session)
{
	unsigned int cpu, depth;

	/* from 6.13 on the probe of sys_exit may be preempted */
	preempt_disable_notrace();
	cpu = smp_processor_id();
	depth = __this_cpu_inc_return(claimed) - 1;
	if (depth >= SCRATCH_DEPTH) {
		tiercel_count_drop(session, cpu, TIERCEL_DROP_SCRATCH_BUSY);
		__this_cpu_dec(claimed);
		preempt_enable_notrace();
		return NULL;
	}
	pagefault_disable();
	return tiercel_ready_scratch(session, cpu * SCRATCH_DEPTH + depth);
}

static void release_capture(void)
{
	pagefault_enable();
	__this_cpu_dec(claimed);
	preempt_enable_notrace();
}

static __always_inline bool is_self(const struct tiercel_session *session)
{
	return current->tgid == (pid_t)session->config.self_tgid;
}

/* Captures and submits one event from what was set in `c`. */
#define EMIT(session, capture, c, event, tid)                                    \
	do {                                                                     \
		(c)->index = (event);                                            \
		capture((c)->slot, tid);                                         \
		tiercel_submit(session, smp_processor_id(), (c)->buf, (c)->end); \
	} while (0)

/* Makes a whole event: claims a scratch area `c`, which `tell` fills, and releases it. */
#define TELL(session, put, tell, tid)                       \
	do {                                                \
		struct capture *c = claim_capture(session); \
                                                            \
		if (c) {                                    \
			EMIT(session, put, c, tell, tid);   \
			release_capture();                  \
		}                                           \
	} while (0)

/* Emits the events of the descriptors that the call in `c` has brought. */
static void emit_received(struct tiercel_session *session, struct capture *c)
{
	u32 k;

	for (k = 0; k < RECEIVED_STEPS; k++) {
		int fd = next_received(c->slot);

		if (fd == NO_MORE)
			break;
		if (fd >= 0 && tell_received(c->slot, fd)) {
			capture_file_event(c->slot, current_ids());
			tiercel_submit(session, smp_processor_id(), c->buf, c->end);
		}
	}
}

static void save_texts(struct tiercel_entry *entry, const struct pt_regs *regs,
		       const struct call *call)
{
	u64 args[8] = {};
	u32 k;

	read_arguments(args, regs, call->ia32);
	entry->index = call->index;
	preempt_disable_notrace();
	pagefault_disable();
	for (k = 0; k < ENTRY_TEXTS; k++) {
		u64 address = args[tiercel_texts[call->index][k]]; /* NO_TEXT: 0 */

		entry->address[k] = 0;
		if (address && read_user_text(entry->text[k], ENTRY_TEXT_BYTES, address) > 0)
			entry->address[k] = address;
	}
	pagefault_enable();
	preempt_enable_notrace();
}

static noinline void call_entered(struct tiercel_session *session, struct pt_regs *regs)
{
	struct call call = {};
	struct tiercel_entry *entry;

	if (!identify_call(&call, regs, current) || !wanted(&session->config, call.native) ||
	    call.indirect || tiercel_texts[call.index][0] == NO_TEXT || is_self(session))
		return;
	entry = tiercel_entry_of(session, current->pid, true);
	if (entry)
		save_texts(entry, regs, &call);
}

/* Makes the arguments of the call in `c` the texts of its entry, which is returned for release. */
static struct tiercel_entry *use_entry(struct tiercel_session *session, struct capture *c)
{
	struct tiercel_entry *entry = NULL;
	u32 k;

	if (tiercel_texts[c->index][0] != NO_TEXT)
		entry = tiercel_entry_of(session, current->pid, false);
	for (k = 0; entry && entry->index == c->index && k < ENTRY_TEXTS; k++) {
		u32 n = tiercel_texts[c->index][k];

		if (n != NO_TEXT && entry->address[k] && entry->address[k] == c->args[n])
			use_saved(c, n, entry->text[k]);
	}
	return entry;
}

static noinline void syscall_done(struct tiercel_session *session, struct pt_regs *regs, long ret)
{
	struct tiercel_entry *entry;
	struct call call = {};
	struct capture *c;
	u32 k;

	if (!identify_call(&call, regs, current) || !wanted(&session->config, call.native) ||
	    told_elsewhere(call.index, ret) || is_self(session))
		return;
	c = claim_capture(session);
	if (!c)
		return;
	c->index = tell_syscall(c, regs, &call, current, ret);
	entry = use_entry(session, c);
	if (!passes_filter(c->slot)) {
		session->counters[smp_processor_id()].filtered++;
		tiercel_entry_release(entry);
		release_capture();
		return;
	}
	if (tells_descriptors(c, call.index) && begin_received(c->slot))
		emit_received(session, c);
	EMIT(session, capture_syscall_event, c, call.index, current->pid);
	for (k = 1; has_messages(call.index) && k < MESSAGES_MAX && k < c->ret; k++) {
		c->message = k;
		EMIT(session, capture_syscall_event, c, call.index, current->pid);
	}
	tiercel_entry_release(entry);
	release_capture();
}

static void on_sys_enter(void *session, struct pt_regs *regs, long number)
{
	if (!is_unwanted(&((struct tiercel_session *)session)->config, regs))
		call_entered(session, regs);
}

static void on_sys_exit(void *session, struct pt_regs *regs, long ret)
{
	if (!is_unwanted(&((struct tiercel_session *)session)->config, regs))
		syscall_done(session, regs, ret);
}

static void on_exec(void *session, struct task_struct *task, pid_t old_pid,
		    struct linux_binprm *binprm)
{
	tiercel_entry_release(tiercel_entry_of(session, old_pid, false));
	if (!is_self(session))
		TELL(session, capture_life_event, tell_exec(c, binprm), current->pid);
}

static void on_fork(void *session, struct task_struct *parent, struct task_struct *child)
{
	if (!(child->flags & PF_KTHREAD || is_self(session)))
		TELL(session, capture_life_event, tell_fork(c, child), child->pid);
}

static void on_exit(void *session, struct task_struct *task COMPAT_EXIT_MORE)
{
	tiercel_entry_release(tiercel_entry_of(session, task->pid, false));
	if (!(task->flags & PF_KTHREAD || is_self(session)))
		TELL(session, capture_trace_event, tell_exit(c, task), task->pid);
}

static void on_signal(void *session, int number, struct kernel_siginfo *info,
		      struct k_sigaction *action)
{
	if (!is_self(session))
		TELL(session, capture_trace_event, tell_signal(c, number, info), current->pid);
}

static void on_switch(void *session, bool preempt, struct task_struct *prev,
		      struct task_struct *next COMPAT_SWITCH_MORE)
{
	if (!(prev->flags & PF_KTHREAD || is_self(session)))
		TELL(session, capture_switch_event, tell_switch(c, prev, next), prev->pid);
}

#ifdef TIERCEL_HAS_IA32
static void on_page_fault(void *session, unsigned long address, struct pt_regs *regs,
			  unsigned long error)
{
	if (!is_self(session))
		TELL(session, capture_trace_event, tell_page_fault(c, address, regs, error),
		     current->pid);
}
#endif

static struct hook {
	const char *name;
	void *probe;
	u32 asked_by; /* enum tiercel_tracepoint; 0: always attached */
	struct tracepoint *tracepoint;
} hooks[] = {
	{"sched_process_exec", on_exec},
	{"sched_process_fork", on_fork},
	{"sched_process_exit", on_exit},
	{"signal_deliver", on_signal, TIERCEL_TP_SIGNAL},
	{"sched_switch", on_switch, TIERCEL_TP_SWITCH},
#ifdef TIERCEL_HAS_IA32
	{"page_fault_user", on_page_fault, TIERCEL_TP_PAGE_FAULT},
	{"page_fault_kernel", on_page_fault, TIERCEL_TP_PAGE_FAULT},
#endif
	{"sys_enter", on_sys_enter, TIERCEL_TP_PATHS},
	{"sys_exit", on_sys_exit},
};

/* Each probe has the arguments of its tracepoint in this kernel, or the module does not compile. */
static void __maybe_unused check_probes(void)
{
	check_trace_callback_type_sched_process_exec(on_exec);
	check_trace_callback_type_sched_process_fork(on_fork);
	check_trace_callback_type_sched_process_exit(on_exit);
	check_trace_callback_type_signal_deliver(on_signal);
	check_trace_callback_type_sched_switch(on_switch);
	check_trace_callback_type_sys_enter(on_sys_enter);
	check_trace_callback_type_sys_exit(on_sys_exit);
}

static void take_tracepoint(struct tracepoint *tracepoint, void *unused)
{
	struct hook *hook;

	for (hook = hooks; hook < hooks + ARRAY_SIZE(hooks); hook++)
		if (!strcmp(hook->name, tracepoint->name))
			hook->tracepoint = tracepoint;
}

int tiercel_find_tracepoints(void)
{
	struct hook *hook;

	for_each_kernel_tracepoint(take_tracepoint, NULL);
	for (hook = hooks; hook < hooks + ARRAY_SIZE(hooks); hook++) {
		if (hook->tracepoint)
			continue;
		pr_err("this kernel has no tracepoint %s\n", hook->name);
		return -ENOENT;
	}
	return 0;
}

static bool is_asked(const struct hook *hook, const struct tiercel_session *session)
{
	return !hook->asked_by || session->config.tracepoints & hook->asked_by;
}

/* On return, no probe of the session's first `count` hooks runs or will run. */
static void unregister(struct tiercel_session *session, int count)
{
	while (count-- > 0)
		if (is_asked(&hooks[count], session))
			tracepoint_probe_unregister(hooks[count].tracepoint, hooks[count].probe,
						    session);
	tracepoint_synchronize_unregister();
}

int tiercel_attach(struct tiercel_session *session)
{
	int i, error = 0;

	if (atomic_cmpxchg(&session->attached, 0, 1))
		return -EBUSY;
	for (i = 0; i < ARRAY_SIZE(hooks) && !error; i++)
		if (is_asked(&hooks[i], session))
			error = tracepoint_probe_register(hooks[i].tracepoint, hooks[i].probe,
							  session);
	if (error) {
		unregister(session, i - 1);
		atomic_set(&session->attached, 0);
	}
	return error;
}

void tiercel_detach(struct tiercel_session *session)
{
	unregister(session, ARRAY_SIZE(hooks));
	atomic_set(&session->attached, 0);
}
