/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The traced thread's memory, and the clock, for the interpreter. Plain C, for the reason in
 * facts.h. */
#ifndef TIERCEL_PTRACE_MEMORY_H
#define TIERCEL_PTRACE_MEMORY_H

#ifdef __cplusplus
extern "C" {
#endif

/* Chooses the thread whose memory the functions below read. */
void memory_of(int tid);
/* Reads all of it and returns 0; or clears `dst` and returns -1. */
int memory_read(void* dst, unsigned size, unsigned long long address);
/* Reads a NUL-terminated text, cut to fit; returns its bytes with the NUL, or -1. */
long long memory_read_text(void* dst, unsigned size, unsigned long long address);
/* CLOCK_BOOTTIME, ns. */
unsigned long long memory_boot_ns(void);

#ifdef __cplusplus
}
#endif
#endif
