/*
 * For pager objects: what a pager defines, and what its host offers.
 * For C++ (and for C, under the C++ names). Compile and link with
 * `mager course cxx --pager`, or link libmager_host.a.
 *
 * A pager program may be built with -g and -fsanitize=address. In gdb, time at
 * a breakpoint does not count towards the time limit of a call.
 *
 * One thread. The pager prints nothing to standard output, installs no signal
 * handlers, and throws nothing out of these calls.
 */
#ifndef MAGER_VM_PAGER_H
#define MAGER_VM_PAGER_H

#include <stdbool.h>
#include <sys/types.h>

#include "vm_arena.h"

/* One page of an arena, as the hardware sees it. Writing without reading is illegal. */
typedef struct {
    unsigned int ppage : 30;
    unsigned int read_enable : 1;
    unsigned int write_enable : 1;
} page_table_entry_t;

/* A whole page table. */
typedef struct {
    page_table_entry_t ptes[VM_ARENA_SIZE / VM_PAGESIZE];
} page_table_t;

/*
 * The current process's table: 256 entries. The pager sets it. Two dialects:
 * a pointer to the first entry, or, with VM_PAGE_TABLE_STRUCT defined before
 * this header is included, a pointer to the whole table.
 */
#ifdef __cplusplus
extern "C" {
#endif
#ifdef VM_PAGE_TABLE_STRUCT
extern page_table_t *page_table_base_register;
#else
extern page_table_entry_t *page_table_base_register;
#endif

/* Physical memory, memory_pages * VM_PAGESIZE bytes; contents arbitrary at first. */
extern void *const vm_physmem;
#ifdef __cplusplus
}
#endif

/* In C the functions carry their C++ names all the same. */
#ifdef __cplusplus
#define MAGER_CXX_NAME(name)
#else
#define MAGER_CXX_NAME(name) __asm__(#name)
#endif

/* ---- what the pager defines ---- */

/* Once, at the start: physical pages, swap blocks. */
void vm_init(unsigned int memory_pages, unsigned int swap_blocks) MAGER_CXX_NAME(_Z7vm_initjj);

/* A new process. 0; or -1, without change, if swap has no room for a copy of its parent's pages. */
int vm_create(pid_t parent_pid, pid_t child_pid) MAGER_CXX_NAME(_Z9vm_createii);

/* pid is about to run. */
void vm_switch(pid_t pid) MAGER_CXX_NAME(_Z9vm_switchi);

/* The current process touched addr without the right. 0: it may try again; -1: it may not. */
int vm_fault(const void *addr, bool write_flag) MAGER_CXX_NAME(_Z8vm_faultPKvb);

/* The current process has ended. */
void vm_destroy(void) MAGER_CXX_NAME(_Z10vm_destroyv);

/* The current process asks for its next page; see vm_app.h. */
void *vm_map(const char *filename, unsigned int block) MAGER_CXX_NAME(_Z6vm_mapPKcj);

/* ---- what the host offers ---- */

/*
 * Reads a block of a file, or of swap if filename is null, into a physical
 * page. 0; or -1 if there is no such file or block, or it cannot be read.
 */
int file_read(const char *filename, unsigned int block, void *buf) MAGER_CXX_NAME(_Z9file_readPKcjPv);

/* Writes a physical page to a block of a file, or of swap if filename is null. Files never grow. */
int file_write(const char *filename, unsigned int block, const void *buf) MAGER_CXX_NAME(_Z10file_writePKcjPKv);

#endif
