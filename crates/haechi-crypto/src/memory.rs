//! One page of memory that the kernel neither swaps out nor writes into a core dump.
//!
//! **The only `unsafe` of the project**, with the allocators in `memory/wiping.rs` and
//! `memory/mimalloc.rs`. Reviewed rule: nothing here but the two `mlock` calls, their undoing and one
//! `madvise`, each on a page that this module owns alone. Locking is best effort: where
//! `RLIMIT_MEMLOCK` forbids it the key still works, and the caller can report it.

#![expect(unsafe_code, reason = "mlock and madvise take addresses; see JUSTIFICATION below")]

#[cfg(feature = "mimalloc")]
mod mimalloc;
mod wiping;

use std::ffi::c_void;

use zeroize::Zeroize;

#[cfg(feature = "mimalloc")]
pub use mimalloc::Mimalloc;
pub use wiping::WipingAllocator;

/// Bytes in a page of the machines that haechi supports (x86-64; arm64 with 4 KiB pages). With
/// larger pages the lock covers a neighbour too, and unlocking early is the only harm.
const PAGE_BYTES: usize = 4096;

/// Aligned and sized to one page, so that unlocking it never unlocks somebody else's secret.
#[repr(C, align(4096))]
struct Page {
    key: [u8; 32],
    _rest: [u8; PAGE_BYTES - 32],
}

/// 32 secret bytes at the start of a page of their own; wiped, then unlocked, when dropped.
pub(crate) struct LockedKey {
    page: Box<Page>,
    locked: bool,
}

impl LockedKey {
    /// A zeroed key; locked if the system allows.
    pub(crate) fn zero() -> Self {
        let mut page = Box::new(Page { key: [0; 32], _rest: [0; PAGE_BYTES - 32] });
        let address: *mut c_void = std::ptr::from_mut(&mut *page).cast();
        // JUSTIFICATION: without mlock the root key can reach the swap device and survive there;
        // rustix offers no safe form, as a wrong range would affect other memory.
        // SAFETY: `address` points to PAGE_BYTES bytes that `page` owns, is page-aligned by the
        // type, and stays valid until `drop`, because a Box does not move its content. mlock and
        // MADV_DONTDUMP change no byte.
        let locked = unsafe {
            // Best effort: `process_hardening` switches core dumps off altogether.
            let _ = rustix::mm::madvise(address, PAGE_BYTES, rustix::mm::Advice::LinuxDontDump);
            rustix::mm::mlock(address, PAGE_BYTES).is_ok()
        };
        Self { page, locked }
    }

    /// Whether the kernel agreed to keep the page out of swap.
    pub(crate) fn is_locked(&self) -> bool {
        self.locked
    }

    /// The key.
    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.page.key
    }

    /// The key, to fill in place, so that no other copy exists.
    pub(crate) fn expose_mut(&mut self) -> &mut [u8; 32] {
        &mut self.page.key
    }
}

impl Drop for LockedKey {
    fn drop(&mut self) {
        self.page.key.zeroize();
        if self.locked {
            let address: *mut c_void = std::ptr::from_mut(&mut *self.page).cast();
            // JUSTIFICATION: the allocator reuses the page; left locked it would eat the limit.
            // SAFETY: same owned, page-aligned range as in `zero`, still alive during `drop`.
            // A failure leaves the page locked, which harms nobody.
            let _ = unsafe { rustix::mm::munlock(address, PAGE_BYTES) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_key_keeps_its_bytes_on_a_page_of_its_own() {
        let mut a = LockedKey::zero();
        let b = LockedKey::zero();
        a.expose_mut().copy_from_slice(&[9; 32]);
        assert_eq!(a.expose(), &[9; 32]);
        assert_eq!(b.expose(), &[0; 32]);
        assert_eq!(a.expose().as_ptr() as usize % PAGE_BYTES, 0);
    }

    #[test]
    fn locking_is_reported_as_the_kernel_counts_it() {
        let key = LockedKey::zero();
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmLck:")).unwrap();
        let locked_kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(!key.is_locked() || locked_kib >= 4, "{line}");
    }
}
