// SPDX-License-Identifier: Apache-2.0
//
// System calls that not every architecture has: -1 where they are missing. LIVE_TEST skips their
// events there.
#pragma once

#include <sys/syscall.h>

#ifndef SYS_open
#define SYS_open (-1)
#define SYS_creat (-1)
#define SYS_stat (-1)
#define SYS_lstat (-1)
#define SYS_access (-1)
#define SYS_pipe (-1)
#define SYS_eventfd (-1)
#define SYS_signalfd (-1)
#define SYS_inotify_init (-1)
#define SYS_epoll_create (-1)
#define SYS_epoll_wait (-1)
#define SYS_poll (-1)
#define SYS_select (-1)
#define SYS_dup2 (-1)
#define SYS_fork (-1)
#define SYS_vfork (-1)
#define SYS_mkdir (-1)
#define SYS_rmdir (-1)
#define SYS_unlink (-1)
#define SYS_rename (-1)
#define SYS_link (-1)
#define SYS_symlink (-1)
#define SYS_chmod (-1)
#define SYS_chown (-1)
#define SYS_lchown (-1)
#define SYS_mknod (-1)
#define SYS_getdents (-1)
#endif
