/* Mager: any amount of memory in a fixed number of frames. Link with -lmagerc (pkg-config magerc).
 *
 * Calls that fail return NULL or -1, set errno, and leave a sentence for mager_last_error(). All may be called from any
 * thread. A page that cannot be brought back (its disk fails) is SIGBUS for the thread that touches it, never wrong
 * bytes. A forked child does not have the memory.
 *
 * Made from the Rust source; do not edit.
 */

#ifndef MAGER_H
#define MAGER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

// Address space under a pager's control.
typedef struct mager_arena mager_arena;

// A pager.
typedef struct mager_pager mager_pager;

// What a pager is started with. What is 0 or NULL is as if it were not said.
typedef struct {
  // Bytes of memory for frames; else 64 MiB.
  uint64_t memory;
  // Bytes of swap; else 1 GiB.
  uint64_t swap;
  // Bytes beside `memory` that compressed pages may take, and that are frames otherwise; else none.
  uint64_t compressed;
  // Bytes of addresses in each arena; else 64 GiB.
  uint64_t arena_size;
  // Bytes in a page; else 4096.
  uint32_t page_size;
  // Not 0: the pager is a thread of this process, and the program `mager` is not needed.
  int in_thread;
  // Where the swap file is made; else /var/tmp.
  const char *swap_dir;
  // The replacement policy; else "s3-fifo".
  const char *policy;
  // The program `mager`; else $MAGER, or beside this program, or in $PATH.
  const char *program;
} mager_options;

// What a pager has done since it started, and holds now.
typedef struct {
  // Frames in all.
  uint64_t frames;
  // Frames that hold nothing.
  uint64_t free_frames;
  // Pages there is swap for.
  uint64_t swap_blocks;
  // Pages for which swap is reserved.
  uint64_t swap_reserved;
  // Pages that have been written to swap.
  uint64_t swap_assigned;
  // Faults taken in.
  uint64_t faults;
  // Pages read.
  uint64_t page_ins;
  // Pages written.
  uint64_t write_backs;
  // Frames taken from their pages.
  uint64_t evictions;
  // Faults answered by SIGBUS.
  uint64_t denied;
  // Bytes of compressed memory in use.
  uint64_t compressed_bytes;
  // Half of the faults were answered within so many nanoseconds; 0 if there were none.
  uint64_t service_ns_p50;
  // 99 of 100 were.
  uint64_t service_ns_p99;
} mager_figures;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Why the last call of this thread that failed did so: one sentence, valid until the next one fails.
const char *mager_last_error(void);

// Starts a pager for this program; it ends with it. NULL and errno if it does not start.
//
// # Safety
// `options` is NULL or points to options, whose strings end with a zero byte.
mager_pager *mager_start(const mager_options *options);

// Joins a standing pager (`mager serve`) at its socket. NULL and errno if nobody is there.
//
// # Safety
// `socket` ends with a zero byte.
mager_pager *mager_join(const char *socket);

// Bytes in a page of this pager; 0 for NULL.
//
// # Safety
// `pager` is NULL or a pager that was not left.
size_t mager_page_size(const mager_pager *pager);

// Asks a pager what it has done. 0, or -1 and errno.
//
// # Safety
// `pager` is a pager that was not left; `figures` can be written.
int mager_ask(const mager_pager *pager, mager_figures *figures);

// Leaves a pager. Arenas that were made of it go on, and one that was started here ends with the last of them.
//
// # Safety
// `pager` is NULL or a pager that was not left; it is not used any more.
void mager_leave(mager_pager *pager);

// A new arena. NULL and errno if there is none.
//
// # Safety
// `pager` is a pager that was not left.
mager_arena *mager_arena_new(const mager_pager *pager);

// Frees an arena with everything mapped in it.
//
// # Safety
// `arena` is NULL or was not freed; neither it nor memory in it is used any more.
void mager_arena_free(mager_arena *arena);

// Maps `length` bytes of zeros, at the beginning of a page. NULL and errno (ENOMEM: not so much swap).
//
// # Safety
// `arena` was not freed.
void *mager_map(const mager_arena *arena,
                size_t length);

// Maps `length` bytes of an open file, readable and writable, from byte `offset` on, a multiple of the page size. The
// descriptor can be closed. NULL and errno if it cannot be mapped.
//
// # Safety
// `arena` was not freed.
void *mager_map_file(const mager_arena *arena,
                     int file,
                     uint64_t offset,
                     size_t length);

// Unmaps what was mapped at this address, all of it. 0, or -1 and errno.
//
// # Safety
// `arena` was not freed; the memory is not used any more.
int mager_unmap(const mager_arena *arena, void *at);

// Waits until what was written to the file mapped at this address is in the file. 0, or -1 and errno.
//
// # Safety
// `arena` was not freed.
int mager_flush(const mager_arena *arena,
                void *at);

// Private pages from `at` on read as zeros again; `length` is rounded up to pages. 0, or -1 and errno.
//
// # Safety
// `arena` was not freed.
int mager_discard(const mager_arena *arena,
                  void *at,
                  size_t length);

// The pages stay in memory where they are, for devices to write to. 0, or -1 and errno (EAGAIN: too few frames).
//
// # Safety
// `arena` was not freed; nobody writes to the pages during the call.
int mager_pin(const mager_arena *arena,
              void *at,
              size_t length);

// They may be evicted again. 0, or -1 and errno.
//
// # Safety
// `arena` was not freed.
int mager_unpin(const mager_arena *arena, void *at, size_t length);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* MAGER_H */
