//! Wiping the copies of deleted rows that SQLite leaves in free space.
//!
//! `secure_delete` zeroes a row where it stands. But when SQLite rebuilds a page to make room, it moves the page's
//! rows together and leaves what stood there before as it was, in the space between the page's pointers and its rows.
//! A row that is deleted later is zeroed in its new place only. So a pass over all pages zeroes that space. One pass
//! after a deletion is enough, whatever is written meanwhile: free space is never copied.

use rusqlite::{Connection, OptionalExtension, params};

use super::failure::{Attempt, Failure};

/// How many pages one step looks at: about a millisecond's work.
const PAGES: u32 = 512;

/// How copies can be wiped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// Page by page, a little at a time.
    Pages,
    /// SQLite was built without `sqlite_dbpage`: by writing the whole file anew, at once.
    Vacuum,
}

/// A pass over the pages.
pub(super) struct Pass {
    next: u32,
    last: Option<u32>,
}

impl Means {
    pub(super) fn of(connection: &Connection) -> Self {
        if connection.prepare("SELECT data FROM sqlite_dbpage").is_ok() { Self::Pages } else { Self::Vacuum }
    }
}

impl Pass {
    pub(super) fn new() -> Self {
        Self { next: 1, last: None }
    }

    /// Wipes a few pages. Answers once no page is left.
    pub(super) fn step(&mut self, connection: &Connection) -> Attempt<Option<()>> {
        // Pages that are added while the pass runs begin as zeros.
        let last = match self.last {
            Some(last) => last,
            None => *self.last.insert(connection.pragma_query_value(None, "page_count", |row| row.get(0))?),
        };
        let mut read = connection.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
        let mut write = connection.prepare_cached("UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1")?;
        let end = last.min(self.next.saturating_add(PAGES - 1));
        for number in self.next..=end {
            // The file may have become smaller.
            let page = read.query_row([number], |row| {
                let page = row.get_ref(0)?.as_blob()?;
                Ok(gap_with_copies(number, page).map(|gap| gap.map(|gap| (page.to_vec(), gap))))
            });
            let Some(page) = page.optional()? else { continue };
            let Some((mut page, gap)) = page? else { continue };
            page.get_mut(gap).ok_or(MISSHAPEN)?.fill(0);
            write.execute(params![number, page])?;
        }
        self.next = end.saturating_add(1);
        Ok((self.next > last).then_some(()))
    }
}

const MISSHAPEN: Failure = Failure::Damaged("a page is misshapen");

/// The space between a b-tree page's pointers and its rows, if anything is left in it.
fn gap_with_copies(number: u32, page: &[u8]) -> Attempt<Option<std::ops::Range<usize>>> {
    // The first page begins with the file's header.
    let header = if number == 1 { 100 } else { 0 };
    let byte = |at: usize| page.get(header + at).map(|byte| usize::from(*byte)).ok_or(MISSHAPEN);
    let pointers = match byte(0)? {
        // Interior pages have one pointer more in their header.
        2 | 5 => header + 12,
        10 | 13 => header + 8,
        // Overflow and free pages: `secure_delete` wipes them as a whole.
        _ => return Ok(None),
    };
    let start = pointers + 2 * (byte(3)? << 8 | byte(4)?);
    let end = match byte(5)? << 8 | byte(6)? {
        0 => 65536,
        end => end,
    };
    let gap = page.get(start..end).ok_or(MISSHAPEN)?;
    Ok(gap.iter().any(|byte| *byte != 0).then_some(start..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(kind: u8, cells: u8, content: usize) -> Vec<u8> {
        let mut page = vec![0; 4096];
        page[0] = kind;
        page[4] = cells;
        page[5..7].copy_from_slice(&(content as u16).to_be_bytes());
        page
    }

    /// Rows whose texts tell whether they are still there: enough of them, of many sizes, and with keys in no order,
    /// so that pages are rebuilt.
    fn fill_and_delete(connection: &Connection) {
        connection.execute_batch("CREATE TABLE rows (key BLOB PRIMARY KEY, text TEXT) WITHOUT ROWID").unwrap();
        let mut state = 1_u64;
        let mut random = || {
            state = (state ^ (state >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
            state
        };
        for _ in 0..6000 {
            let times = [2, 9, 20, 45][random() as usize % 4];
            let text = ["deleted-", "kept----"][random() as usize % 2];
            let row = params![(random() % 700).to_be_bytes(), text.repeat(times)];
            connection.execute("INSERT OR REPLACE INTO rows VALUES (?1, ?2)", row).unwrap();
            let key = (random() % 700).to_be_bytes();
            connection.execute("DELETE FROM rows WHERE key = ?1", [key]).unwrap();
        }
        connection.execute("DELETE FROM rows WHERE text LIKE 'deleted-%'", []).unwrap();
    }

    fn pages_with_text(connection: &Connection) -> usize {
        let mut statement = connection.prepare("SELECT data FROM sqlite_dbpage").unwrap();
        let pages = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        pages.filter(|page| page.as_ref().unwrap().windows(8).any(|bytes| bytes == b"deleted-")).count()
    }

    #[test]
    fn e2_a_pass_wipes_what_secure_delete_leaves() {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "secure_delete", "ON").unwrap();
        fill_and_delete(&connection);
        assert_ne!(pages_with_text(&connection), 0, "if SQLite wipes everything by itself, this module can go");

        let mut pass = Pass::new();
        connection.execute_batch("BEGIN").unwrap();
        while pass.step(&connection).unwrap().is_none() {}
        connection.execute_batch("COMMIT").unwrap();
        assert_eq!(pages_with_text(&connection), 0);
        let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
    }

    #[test]
    fn a_gap_begins_behind_the_pointers_and_ends_at_the_rows() {
        for (kind, header) in [(2, 12), (5, 12), (10, 8), (13, 8)] {
            for leftover in [header + 6, 3999] {
                let mut page = page(kind, 3, 4000);
                page[header..header + 6].fill(7);
                page[4000..].fill(8);
                assert_eq!(gap_with_copies(2, &page).unwrap(), None);
                page[leftover] = 9;
                assert_eq!(gap_with_copies(2, &page).unwrap(), Some(header + 6..4000));
            }
        }
    }

    #[test]
    fn the_first_page_begins_with_the_files_header() {
        let mut page = page(0, 0, 0);
        page[100..108].copy_from_slice(&[13, 0, 0, 0, 1, 0x0f, 0xa0, 0]);
        page[108..110].fill(7);
        assert_eq!(gap_with_copies(1, &page).unwrap(), None);
        page[110] = 9;
        assert_eq!(gap_with_copies(1, &page).unwrap(), Some(110..4000));
    }

    #[test]
    fn other_pages_have_no_gap() {
        assert_eq!(gap_with_copies(2, &[0; 4096]).unwrap(), None);
        let mut overflow = vec![9; 4096];
        overflow[0] = 1;
        assert_eq!(gap_with_copies(2, &overflow).unwrap(), None);
    }

    #[test]
    fn a_page_whose_numbers_cannot_be_is_damaged() {
        assert!(gap_with_copies(2, &page(13, 3, 4097)).is_err());
        assert!(gap_with_copies(2, &page(13, 3, 9)).is_err());
        assert!(gap_with_copies(2, &[13]).is_err());
    }
}
