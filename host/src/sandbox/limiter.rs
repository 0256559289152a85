//! How much memory a turn may have.

use wasmtime::ResourceLimiter;

/// Counts the memory of all of a sandbox's memories together.
pub(crate) struct MemoryLimiter {
    left: usize,
    /// Whether the last wish for more was refused. A function may cope with that; if it traps instead, this is why.
    pub(super) refused: bool,
}

impl MemoryLimiter {
    pub(super) fn new(limit: usize) -> Self {
        Self { left: limit, refused: false }
    }

    /// Counts no more: from here on the pool alone bounds every memory.
    pub(super) fn lift(&mut self) {
        self.left = usize::MAX;
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let left = self.left.checked_sub(desired.saturating_sub(current));
        self.refused = left.is_none();
        self.left = left.unwrap_or(self.left);
        Ok(!self.refused)
    }

    fn table_growing(&mut self, _current: usize, _desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        // The pool bounds every table.
        Ok(true)
    }
}
