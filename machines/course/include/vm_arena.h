/*
 * The arena: the part of an application's address space that a pager manages.
 * For C and C++; used by applications and by pager objects.
 */
#ifndef MAGER_VM_ARENA_H
#define MAGER_VM_ARENA_H

/* Bytes in a page, a physical page, and a block of a file or of swap. */
#define VM_PAGESIZE 65536u

/* Where every arena begins, and how many bytes it has. */
#define VM_ARENA_BASEADDR ((void *)0x600000000)
#define VM_ARENA_SIZE 0x1000000u

#endif
