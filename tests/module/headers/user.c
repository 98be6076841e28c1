// SPDX-License-Identifier: Apache-2.0
//
// Uses everything of kernel/module/compat as the module does, for compat_test.sh.
#include "tests/module/headers/kernel.h"

#define NTH(a, b, c, name, ...) name
#define READ_1(object, a) ((object)->a)
#define READ_2(object, a, b) ((object)->a->b)
#define READ(object, ...) NTH(__VA_ARGS__, , READ_2, READ_1)(object, __VA_ARGS__)

#include "kernel/module/compat/api.h"
#include "kernel/module/compat/mount.h"
#include "kernel/module/compat/pids.h"
#include "kernel/module/compat/versions.h"
#include "kernel/module/compat/vma.h"

void on_exit(void* data, struct task_struct* task COMPAT_EXIT_MORE);
void on_switch(void* data, bool preempt, struct task_struct* prev,
               struct task_struct* next COMPAT_SWITCH_MORE);
int on_signal(const struct kernel_siginfo* info);
vm_fault_t on_fault(struct vm_fault* fault);

__poll_t poll_file(const struct file* file);

__poll_t poll_file(const struct file* file) {
    return file->f_mode & FMODE_CREATED ? EPOLLIN : 0;
}

int on_signal(const struct kernel_siginfo* info) {
    return info->si_signo;
}

u64 use(struct task_struct* task, struct inode* inode, struct mm_struct* mm, struct nsproxy* proxy,
        struct vm_area_struct* vma, struct kernfs_node* node);

u64 use(struct task_struct* task, struct inode* inode, struct mm_struct* mm, struct nsproxy* proxy,
        struct vm_area_struct* vma, struct kernfs_node* node) {
    char byte = 0;
    int id = 1;

    check_trace_callback_type_sched_process_exit(on_exit);
    check_trace_callback_type_sched_switch(on_switch);
    compat_change_vm_flags(vma, 1, 2);
    return start_time(task) + inode_time(inode, 0) + inode_time(inode, 1) + mm_pages(mm, 1) +
           mount_namespace(proxy) + time_namespace(proxy) + login_uid(task) +
           (node_parent(node) != NULL) + (pid_of(task, PIDTYPE_PID) == pid_of(task, PIDTYPE_TGID)) +
           (pid_of(task, PIDTYPE_SID) != NULL) + (compat_next_pid(&id) != NULL) +
           (kvcalloc(1, 1, GFP_KERNEL) != NULL) + (u64)copy_from_kernel_nofault(&byte, task, 1) +
           compat_access_ok(&byte, 1);
}
