//! The allocator of a guest that lives for one turn.
//!
//! Memory is handed out from an arena, a part of the guest's memory from the beginning, one piece after another. So a
//! usual turn never lets its memory grow, which would cost the host system calls that all of its threads have to wait
//! for, and touches few pages, all of them next to one another. What does not fit into the arena is given by the system's
//! allocator, so that a large turn works as ever.
//!
//! Of the arena the last piece can be given back, or made larger where it stands, as a growing text or list is. Of all
//! others that are given back the largest is kept for when the arena is full, and the rest is given back with the sandbox.

#![allow(unsafe_code, reason = "an allocator hands out raw memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::ptr::copy_nonoverlapping;

/// An arena of so many bytes, and an allocator for what does not fit into it.
///
/// What it knows of itself stands before its memory, and so beside what is handed out first: whatever a turn writes to, its
/// sandbox has to put back in order page by page.
#[repr(C, align(16))]
pub struct Arena<const BYTES: usize, Behind = System> {
    /// Where what is free begins, and how far from the arena's end it ends. At first both are zero, as all of the arena is:
    /// what is not zero would make the guest's file as large as the arena.
    free_begin: Cell<usize>,
    free_end: Cell<usize>,
    /// The largest piece that was given back and is not next to what is free.
    spare: Cell<Room>,
    behind: Behind,
    memory: UnsafeCell<[u8; BYTES]>,
}

/// A part of the arena, from one offset to another.
#[derive(Clone, Copy)]
struct Room {
    begin: usize,
    end: usize,
}

impl Room {
    const NONE: Self = Self { begin: 0, end: 0 };

    const fn size(self) -> usize {
        self.end - self.begin
    }
}

// SAFETY: without atomics WebAssembly has one thread, so that nothing is ever shared.
#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
unsafe impl<const BYTES: usize, Behind> Sync for Arena<BYTES, Behind> {}

impl<const BYTES: usize> Arena<BYTES> {
    /// An empty arena, with the system's allocator behind it.
    pub const fn new() -> Self {
        Self::with(System)
    }
}

impl<const BYTES: usize> Default for Arena<BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const BYTES: usize, Behind> Arena<BYTES, Behind> {
    /// An empty arena, with another allocator behind it.
    pub const fn with(behind: Behind) -> Self {
        Self {
            free_begin: Cell::new(0),
            free_end: Cell::new(0),
            spare: Cell::new(Room::NONE),
            behind,
            memory: UnsafeCell::new([0; BYTES]),
        }
    }

    /// The arena's first byte.
    fn start(&self) -> *mut u8 {
        self.memory.get().cast()
    }

    /// How far a piece lies from the arena's beginning, if it is one of the arena's.
    fn offset(&self, piece: *mut u8) -> Option<usize> {
        // What lies before the arena is as far from it as no arena is large.
        let offset = piece.addr().wrapping_sub(self.start().addr());
        (offset < BYTES).then_some(offset)
    }

    /// What is free. It is handed out from its beginning.
    fn free(&self) -> Room {
        Room { begin: self.free_begin.get(), end: BYTES - self.free_end.get() }
    }

    fn set_free(&self, Room { begin, end }: Room) {
        self.free_begin.set(begin);
        self.free_end.set(BYTES - end);
    }

    /// Takes as many bytes, if there is room for them.
    fn take(&self, layout: Layout) -> Option<*mut u8> {
        self.take_of(self.free(), layout).or_else(|| {
            let piece = self.take_of(self.spare.get(), layout)?;
            self.spare.set(Room::NONE);
            Some(piece)
        })
    }

    /// Takes as many bytes of a part of the arena. The rest of it is what is free from then on.
    fn take_of(&self, room: Room, layout: Layout) -> Option<*mut u8> {
        let address = self.start().addr() + room.begin;
        let begin = room.begin + (address.wrapping_neg() & (layout.align() - 1));
        let end = begin.checked_add(layout.size()).filter(|end| *end <= room.end)?;
        self.set_free(Room { begin: end, end: room.end });
        // SAFETY: `begin` lies within the arena, for a piece has at least one byte, and `filter` has seen to its end.
        Some(unsafe { self.start().add(begin) })
    }
}

// SAFETY: every piece of the arena is handed out once, until it is given back, and lies within it, at a multiple of its
// alignment. All other pieces are the other allocator's, which is given back exactly what it handed out: a piece stays
// where it is unless it is copied, and by its address each is known to be of one or of the other.
unsafe impl<const BYTES: usize, Behind: GlobalAlloc> GlobalAlloc for Arena<BYTES, Behind> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.take(layout) {
            Some(piece) => piece,
            // SAFETY: the caller's promises are passed on.
            None => unsafe { self.behind.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        match self.offset(piece) {
            Some(begin) => {
                let (free, piece) = (self.free(), Room { begin, end: begin + layout.size() });
                if piece.end == free.begin {
                    self.set_free(Room { begin, end: free.end });
                } else if piece.size() > self.spare.get().size() {
                    self.spare.set(piece);
                }
            }
            // SAFETY: it is not of the arena, so it is of the other allocator.
            None => unsafe { self.behind.dealloc(piece, layout) },
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Some(begin) = self.offset(piece) else {
            // SAFETY: it is not of the arena, so it is of the other allocator.
            return unsafe { self.behind.realloc(piece, layout, new_size) };
        };
        let free = self.free();
        let is_last = begin + layout.size() == free.begin;
        if is_last && new_size <= free.end - begin {
            self.set_free(Room { begin: begin + new_size, end: free.end });
            return piece;
        }
        if new_size <= layout.size() {
            return piece;
        }
        // SAFETY: the caller promises that the new size is valid for this alignment.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(new_size, layout.align())) };
        if new.is_null() {
            return new;
        }
        // SAFETY: both have room for as much, and a piece that has just been handed out overlaps no other.
        unsafe { copy_nonoverlapping(piece, new, layout.size()) };
        // SAFETY: it was handed out for this layout, and nobody uses it any longer.
        unsafe { self.dealloc(piece, layout) };
        new
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BYTES: usize = 1 << 10;

    /// A piece that was handed out, filled with a number of its own.
    struct Piece {
        start: *mut u8,
        layout: Layout,
        filling: u8,
    }

    impl Piece {
        fn bytes(&self) -> &[u8] {
            // SAFETY: the allocator under test has handed it out for this layout, and it has been filled.
            unsafe { std::slice::from_raw_parts(self.start, self.layout.size()) }
        }
    }

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    fn filled(start: *mut u8, layout: Layout, filling: u8) -> Piece {
        assert!(!start.is_null() && start.addr().is_multiple_of(layout.align()));
        // SAFETY: it has just been handed out for this layout.
        unsafe { start.write_bytes(filling, layout.size()) };
        Piece { start, layout, filling }
    }

    /// What a program does: takes a piece, gives one back, or changes one's size.
    #[derive(Clone, Debug)]
    enum Step {
        Take { size: usize, align: usize },
        GiveBack(prop::sample::Index),
        Resize(prop::sample::Index, usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1..200_usize, 0..5_u32).prop_map(|(size, power)| Step::Take { size, align: 1 << power }),
            any::<prop::sample::Index>().prop_map(Step::GiveBack),
            (any::<prop::sample::Index>(), 1..400_usize).prop_map(|(piece, size)| Step::Resize(piece, size)),
        ]
    }

    proptest! {
        #[test]
        fn a_piece_keeps_what_was_written_to_it_whatever_happens_to_others(
            steps in prop::collection::vec(step(), 1..100),
        ) {
            let arena = Arena::<BYTES>::new();
            let mut pieces: Vec<Piece> = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                let filling = u8::try_from(number).unwrap();
                // SAFETY: every piece is given back or resized once, with the layout that it was handed out for.
                unsafe {
                    match step {
                        Step::Take { size, align } => {
                            let layout = layout(size, align);
                            pieces.push(filled(arena.alloc(layout), layout, filling));
                        }
                        Step::GiveBack(index) if !pieces.is_empty() => {
                            let piece = pieces.swap_remove(index.index(pieces.len()));
                            arena.dealloc(piece.start, piece.layout);
                        }
                        Step::Resize(index, size) if !pieces.is_empty() => {
                            let index = index.index(pieces.len());
                            let old = pieces.swap_remove(index);
                            let kept = old.layout.size().min(size);
                            let start = arena.realloc(old.start, old.layout, size);
                            let resized = Piece { start, layout: layout(kept, old.layout.align()), filling: old.filling };
                            prop_assert!(resized.bytes().iter().all(|byte| *byte == old.filling));
                            pieces.push(filled(start, layout(size, old.layout.align()), filling));
                        }
                        _ => {}
                    }
                }
                for piece in &pieces {
                    prop_assert!(piece.bytes().iter().all(|byte| *byte == piece.filling));
                }
            }
            for piece in pieces {
                // SAFETY: as above.
                unsafe { arena.dealloc(piece.start, piece.layout) };
            }
        }
    }

    #[test]
    fn the_last_piece_grows_where_it_stands_and_its_room_is_used_again() {
        let arena = Arena::<BYTES>::new();
        // SAFETY: every piece is resized and given back with the layout that it was handed out for.
        unsafe {
            let piece = arena.alloc(layout(8, 8));
            assert_eq!(arena.realloc(piece, layout(8, 8), BYTES), piece);
            assert_eq!(arena.realloc(piece, layout(BYTES, 8), 8), piece);
            arena.dealloc(piece, layout(8, 8));
            assert_eq!(arena.alloc(layout(BYTES, 8)), piece);
        }
    }

    #[test]
    fn what_does_not_fit_is_given_by_the_allocator_behind() {
        let arena = Arena::<BYTES>::new();
        // SAFETY: every piece is resized and given back with the layout that it was handed out for.
        unsafe {
            let piece = arena.alloc(layout(BYTES - 8, 8));
            let moved = arena.realloc(piece, layout(BYTES - 8, 8), 4 * BYTES);
            assert_eq!(arena.offset(moved), None);
            assert_eq!(arena.alloc(layout(BYTES, 8)), piece, "and the arena has its room back");
            let moved = arena.realloc(moved, layout(4 * BYTES, 8), 8 * BYTES);
            arena.dealloc(moved, layout(8 * BYTES, 8));
        }
    }
}
