/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The traced thread's memory and clock, for the interpreter. Plain C, see facts.h.
 */
#ifndef TIERCEL_PTRACE_MEMORY_H
#define TIERCEL_PTRACE_MEMORY_H

#ifdef __cplusplus
extern "C" {
#endif

/* Whose memory is read from now on. */
void memory_of(int tid);
/* All of it or nothing: 0, or -1 with `dst` cleared. */
int memory_read(void* dst, unsigned size, unsigned long long address);
/* A NUL-terminated text, cut to fit; its bytes with the NUL, or -1. */
long long memory_read_text(void* dst, unsigned size, unsigned long long address);
/* CLOCK_BOOTTIME, ns. */
unsigned long long memory_boot_ns(void);

#ifdef __cplusplus
}
#endif
#endif
