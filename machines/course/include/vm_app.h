/*
 * For applications: the calls of a process whose arena a pager manages.
 * For C and C++. Compile with `mager course cxx` (or `cc`), or with
 * -fno-builtin, and link libmager_app.a.
 *
 * fork, exec and the wait family are the system's own names. A process that
 * waits by wait or waitpid lets the others run; one that blocks in anything
 * else (sleep, read, system) keeps the CPU meanwhile. Only the first
 * thread may touch the arena. A system call given an arena address fails with
 * EFAULT where the page lacks the right at that moment. In gdb, say
 * `handle SIGSEGV nostop noprint pass` first. With -fsanitize=address nothing
 * else is needed: the library sets the options it takes; accesses to the arena
 * itself are not checked. Whoever sets ASAN_OPTIONS must leave
 * protect_shadow_gap=0 and allow_user_segv_handler=1.
 */
#ifndef MAGER_VM_APP_H
#define MAGER_VM_APP_H

#include "vm_arena.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes the lowest page of the arena that is not valid yet valid, and returns
 * its address; null if the arena is full.
 *
 * filename null: a swap page, private to the process, zeros until written;
 * block is ignored; null if swap has no room.
 *
 * Else filename is a string in the arena itself: a page that shows this block
 * of that file, shared by all who map it; null if the string runs out of the
 * valid pages. A missing file shows at the first access, not here.
 */
void *vm_map(const char *filename, unsigned int block);

/* Lets the other processes run first. */
void vm_yield(void);

#ifdef __cplusplus
}
#endif

#endif
