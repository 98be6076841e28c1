// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * The state before the first event: files that list every thread, or every open file, in the
 * encoding of the modern probe's BPF iterators. The walk goes by process id, so a slow reader does
 * no harm: events report the threads that start or end meanwhile.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include "kernel/module/compat/pids.h"
#include "kernel/module/scratch.h"

#include "kernel/common/iterators.h"

/* The position in a dump of threads is the thread id; of files, process << 32 | descriptor. */
struct dump {
	struct tiercel_session *session;
	struct task_struct *task; /* the thread at the position, with a reference; NULL: none */
};

static DEFINE_MUTEX(scratch_turn); /* guards tiercel_scratch[DUMP_SLOT] */

/* Returns the thread of the lowest id from *id on, with a reference, and its id; NULL: none is
 * left. */
static struct task_struct *thread_from(int *id, bool leaders_only)
{
	struct task_struct *task = NULL;
	struct pid *pid;

	rcu_read_lock();
	for (; (pid = compat_next_pid(id)); ++*id) {
		task = pid_task(pid, PIDTYPE_PID);
		if (task && !(task->flags & PF_KTHREAD) &&
		    (!leaders_only || thread_group_leader(task)))
			break;
		task = NULL;
	}
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	return task;
}

static void put_thread(struct dump *dump)
{
	if (dump->task)
		put_task_struct(dump->task);
	dump->task = NULL;
}

static u64 ids_of(const struct task_struct *task)
{
	return (u64)task->tgid << 32 | (u32)task->pid;
}

/* --- command lines ---------------------------------------------------------------------------- */

/* Offsets in a scratch area's buffer, behind the longest possible event. */
#define STASH_ARGV (EVENT_MAX + 1)
#define STASH_ENV (STASH_ARGV + TEXT_MAX)

/*
 * Copies a part of the process's memory into the scratch area and returns its length, or 0. It may
 * sleep, so it runs before the event is put together under RCU. FOLL_ANON limits it to anonymous
 * memory, as in fs/proc/base.c: the server of a mapped file could keep this thread waiting for ever
 * (CVE-2018-1120).
 */
static u32 stash_memory(struct capture *c, u32 at, struct task_struct *task, u64 from, u64 to)
{
	u64 len = to - from;

	if (!from || to <= from)
		return 0;
	if (len > TEXT_MAX)
		len = TEXT_MAX;
	return access_process_vm(task, from, &c->buf[at], len, FOLL_ANON) == (int)len ? len : 0;
}

static int put_stashed(struct capture *c, u32 i, u32 at, u32 len)
{
	u32 start = value_start(c);

	if (!len)
		return no_value(c, i);
	memcpy(&c->buf[start], &c->buf[at], len);
	c->buf[start + len - 1] = 0; /* a cut text also ends with NUL */
	return end_value(c, i, len);
}

static __always_inline void put_dumped_param(u32 slot, u32 i, u8 capture)
{
	struct capture *c = capture_at(slot);

	if (capture == CAPTURE_task_argv)
		put_stashed(c, i, STASH_ARGV, c->extra[0]);
	else if (capture == CAPTURE_task_env)
		put_stashed(c, i, STASH_ENV, c->extra[1]);
	else
		put_thread_param(slot, i, capture);
}
CAPTURE_EVENT(capture_dumped_thread, put_dumped_param)

/* --- threads --------------------------------------------------------------------------------- */

static void *threads_start(struct seq_file *seq, loff_t *position)
{
	struct dump *dump = seq->private;
	int id = *position;

	dump->task = thread_from(&id, false);
	*position = id;
	return dump->task;
}

static void *threads_next(struct seq_file *seq, void *at, loff_t *position)
{
	put_thread(seq->private);
	++*position;
	return threads_start(seq, position);
}

static void dump_stop(struct seq_file *seq, void *at)
{
	put_thread(seq->private);
}

static int threads_show(struct seq_file *seq, void *at)
{
	struct dump *dump = seq->private;
	struct task_struct *task = dump->task;
	struct mm_struct *mm;
	struct capture *c;

	mutex_lock(&scratch_turn);
	c = tiercel_ready_scratch(dump->session, DUMP_SLOT);
	c->task = task;
	c->ret = 0;
	c->index = INDEX_ITER_TASK_E;
	mm = READ(task, mm);
	c->extra[0] = stash_memory(c, STASH_ARGV, task, READ(mm, arg_start), READ(mm, arg_end));
	c->extra[1] = stash_memory(c, STASH_ENV, task, READ(mm, env_start), READ(mm, env_end));
	rcu_read_lock();
	capture_dumped_thread(c->slot, ids_of(task));
	rcu_read_unlock();
	if (c->end <= EVENT_MAX)
		seq_write(seq, c->buf, c->end);
	mutex_unlock(&scratch_turn);
	return 0;
}

static const struct seq_operations threads_ops = {
	.start = threads_start,
	.next = threads_next,
	.stop = dump_stop,
	.show = threads_show,
};

/* --- files ----------------------------------------------------------------------------------- */

/* The file at the first used descriptor from *fd on, or NULL. Needs RCU and the task's lock. */
static struct file *file_from(struct task_struct *task, unsigned int *fd)
{
	struct files_struct *files = task->files;
	struct file *file = NULL;
	struct fdtable *table;

	if (!files)
		return NULL;
	table = rcu_dereference_raw(files->fdt);
	for (; *fd < table->max_fds; ++*fd) {
		file = rcu_dereference_raw(table->fd[*fd]);
		if (file)
			break;
	}
	return file;
}

/* Moves the position to the next used descriptor, of this process or of a later one. */
static void *files_start(struct seq_file *seq, loff_t *position)
{
	struct dump *dump = seq->private;
	unsigned int fd = (u32)*position;
	int id = *position >> 32, from = id;
	bool found;

	for (; (dump->task = thread_from(&id, true)); id++) {
		if (id != from)
			fd = 0;
		rcu_read_lock();
		task_lock(dump->task);
		found = file_from(dump->task, &fd);
		task_unlock(dump->task);
		rcu_read_unlock();
		if (found)
			break;
		put_thread(dump);
		from = -1;
		cond_resched();
	}
	*position = (loff_t)id << 32 | fd;
	return dump->task;
}

static void *files_next(struct seq_file *seq, void *at, loff_t *position)
{
	put_thread(seq->private);
	++*position;
	return files_start(seq, position);
}

/* Leaves out a file that is closed meanwhile, because its memory may be in use for another file. */
static int files_show(struct seq_file *seq, void *at)
{
	struct dump *dump = seq->private;
	struct task_struct *task = dump->task;
	unsigned int fd = (u32)seq->index, again = fd;
	struct capture *c;
	struct file *file;
	u32 index;

	mutex_lock(&scratch_turn);
	c = tiercel_ready_scratch(dump->session, DUMP_SLOT);
	rcu_read_lock();
	task_lock(task);
	file = file_from(task, &fd);
	index = file && fd == again ? file_event(file) : INDEX_COUNT;
	if (index < INDEX_COUNT) {
		c->task = task;
		c->subject = file;
		c->extra[0] = fd;
		c->index = index;
		capture_file_event(c->slot, ids_of(task));
		if (file_from(task, &again) != file || again != fd)
			index = INDEX_COUNT;
	}
	task_unlock(task);
	rcu_read_unlock();
	if (index < INDEX_COUNT && c->end <= EVENT_MAX)
		seq_write(seq, c->buf, c->end);
	mutex_unlock(&scratch_turn);
	return 0;
}

static const struct seq_operations files_ops = {
	.start = files_start,
	.next = files_next,
	.stop = dump_stop,
	.show = files_show,
};

/* --- as files -------------------------------------------------------------------------------- */

static int dump_release(struct inode *inode, struct file *file)
{
	struct seq_file *seq = file->private_data;

	if (!seq) /* __seq_open_private() had no memory */
		return 0;
	tiercel_session_put(((struct dump *)seq->private)->session);
	return seq_release_private(inode, file);
}

static const struct file_operations dump_fops = {
	.owner = THIS_MODULE,
	.read = seq_read,
	.release = dump_release,
};

static struct file *open_dump(struct tiercel_session *session, const struct seq_operations *ops)
{
	struct file *file = anon_inode_getfile("[tiercel_dump]", &dump_fops, NULL, O_RDONLY);
	struct dump *dump;

	if (IS_ERR(file))
		return file;
	dump = __seq_open_private(file, ops, sizeof(*dump));
	if (!dump) {
		fput(file);
		return ERR_PTR(-ENOMEM);
	}
	dump->session = session;
	return file;
}

struct file *tiercel_dump_tasks(struct tiercel_session *session)
{
	return open_dump(session, &threads_ops);
}

struct file *tiercel_dump_files(struct tiercel_session *session)
{
	return open_dump(session, &files_ops);
}
