//! mimalloc, asked for an alignment only by who needs one.
//!
//! Its own crate for Rust asks with one always, which looks at the block that is to be given out
//! first: 25 to 50 instructions (`callgrind`), and a call allocates some hundred times.

#![expect(unsafe_code, reason = "an allocator is unsafe by its trait; see JUSTIFICATION below")]

use std::alloc::{GlobalAlloc, Layout};

use libmimalloc_sys::{mi_free, mi_malloc, mi_malloc_aligned, mi_zalloc, mi_zalloc_aligned};

/// What every block of mimalloc is aligned to at least: those of 16 bytes and more to 16, which it
/// asserts where it gives one out (`_mi_page_malloc_zero`), smaller ones, all of one size, to 8.
const ALIGNED: usize = size_of::<usize>();

/// mimalloc as an allocator of Rust.
pub struct Mimalloc;

// JUSTIFICATION: the allocator is written in C.
// SAFETY: `mi_malloc` and its like give a block of so many bytes that is nobody else's, or null, and
// never unwind; the alignment is what the layout asks for, since a smaller one than `ALIGNED` divides
// it. A layout's size is never zero here, by the trait's contract. `mi_free` takes a block of any of
// them, from any thread.
unsafe impl GlobalAlloc for Mimalloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let block = unsafe {
            if layout.align() <= ALIGNED {
                mi_malloc(layout.size())
            } else {
                mi_malloc_aligned(layout.size(), layout.align())
            }
        };
        block.cast()
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let block = unsafe {
            if layout.align() <= ALIGNED {
                mi_zalloc(layout.size())
            } else {
                mi_zalloc_aligned(layout.size(), layout.align())
            }
        };
        block.cast()
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: as above.
        unsafe { mi_free(block.cast()) }
    }
}
