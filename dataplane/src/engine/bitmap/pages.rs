//! Large pages for memory that is read at random, line by line: where a line is on a page of its own, finding
//! the page takes nearly as long as reading the line.
#![allow(unsafe_code)] // The system is told how memory will be used, which changes nothing that is in it.

/// The size of a large page, and the least memory that it is asked for.
pub(super) const LARGE: usize = 2 << 20;

/// Asks for large pages where a vector has room and nothing was written yet. What the system makes of it no
/// answer depends on.
#[cfg(all(target_os = "linux", not(miri)))]
pub(super) fn ask_for_large<T>(memory: &mut Vec<T>) {
    let room = memory.spare_capacity_mut();
    let (start, bytes) = (room.as_mut_ptr().cast::<u8>(), size_of_val(room));
    let first = start.align_offset(LARGE);
    let whole = bytes.saturating_sub(first) / LARGE * LARGE;
    if whole > 0 {
        // A system without large pages says so; small ones do as well.
        // SAFETY: the pages are the vector's own, and the advice leaves what they hold as it is.
        let _ = unsafe {
            rustix::mm::madvise(start.wrapping_add(first).cast(), whole, Advice::LinuxHugepage)
        };
    }
}

/// Elsewhere the system is not asked.
#[cfg(not(all(target_os = "linux", not(miri))))]
pub(super) const fn ask_for_large<T>(_: &mut Vec<T>) {}

#[cfg(all(target_os = "linux", not(miri)))]
use rustix::mm::Advice;
