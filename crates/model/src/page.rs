//! Pages of a list: 1-based page numbers, 1-based inclusive offsets.

use serde::Serialize;

/// Which page of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageRequest {
    number: u64,
    size: u32,
}

impl PageRequest {
    /// The most records one page holds; a larger wish is cut to this.
    pub const MAX_SIZE: u32 = 1000;
    /// The size of a page when none is asked for (apps: 20).
    pub const DEFAULT_SIZE: u32 = 25;

    /// Page `number` of `size` records. Page 0 means page 1, size 0 means `default_size`.
    pub fn new(number: Option<u64>, size: Option<u64>, default_size: u32) -> Self {
        let size = match size {
            None | Some(0) => default_size,
            Some(size) => u32::try_from(size).unwrap_or(u32::MAX).min(Self::MAX_SIZE),
        };
        Self {
            number: number.unwrap_or(1).max(1),
            size,
        }
    }

    /// The number of the page, from 1.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The most records the page holds, as SQL's `LIMIT`.
    pub const fn limit(&self) -> i64 {
        self.size as i64
    }

    /// The records before the page, as SQL's `OFFSET`; saturates.
    pub fn offset(&self) -> i64 {
        let before = (self.number - 1).saturating_mul(u64::from(self.size));
        i64::try_from(before).unwrap_or(i64::MAX)
    }

    /// What to say of this page of a list of `total` records.
    ///
    /// `end_offset` never passes `total`, so a loop that stops at `end_offset >= total_count` ends
    /// even past the last page.
    pub fn info(&self, total: i64) -> PageInfo {
        if total == 0 {
            return PageInfo::default();
        }
        let offset = self.offset();
        PageInfo {
            total_count: total,
            start_offset: offset.saturating_add(1),
            end_offset: offset.saturating_add(self.limit()).min(total),
        }
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            number: 1,
            size: Self::DEFAULT_SIZE,
        }
    }
}

/// Where a page stands in its list; `paging` in answers. Offsets count from 1 and include both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PageInfo {
    /// Records in the whole list.
    #[cfg_attr(feature = "schema", schema(minimum = 0))]
    pub total_count: i64,
    /// Place of the page's first record.
    pub start_offset: i64,
    /// Place of the page's last record.
    pub end_offset: i64,
}

/// One page of records and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The records, in the list's order.
    pub items: Vec<T>,
    /// Where the page stands.
    pub info: PageInfo,
}

impl<T> Page<T> {
    /// The same page with each record turned into another form.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            info: self.info,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn offsets_never_overflow(number: Option<u64>, size: Option<u64>, total in 0..i64::MAX) {
            let page = PageRequest::new(number, size, PageRequest::DEFAULT_SIZE);
            prop_assert!((1..=i64::from(PageRequest::MAX_SIZE)).contains(&page.limit()));
            prop_assert!(page.offset() >= 0);
            let info = page.info(total);
            prop_assert!(info.end_offset <= total);
        }

        #[test]
        fn a_loop_over_pages_sees_each_record_once(total in 0i64..500, size in 1u64..60) {
            let (mut seen, mut number) = (0, 1);
            loop {
                let info = PageRequest::new(Some(number), Some(size), 25).info(total);
                seen += info.end_offset - info.start_offset.min(info.end_offset + 1) + i64::from(total > 0);
                if info.end_offset >= total { break; }
                number += 1;
            }
            prop_assert_eq!(seen, total);
        }
    }

    #[test]
    fn the_documented_examples() {
        let of = |number, size, total| {
            let info = PageRequest::new(Some(number), Some(size), 25).info(total);
            (info.start_offset, info.end_offset, info.total_count)
        };
        assert_eq!(of(1, 30, 30), (1, 30, 30));
        assert_eq!(of(1, 2, 123), (1, 2, 123));
        assert_eq!(of(5, 30, 30), (121, 30, 30), "past the end");
        assert_eq!(of(1, 30, 0), (0, 0, 0), "empty");
        assert_eq!(of(0, 0, 30), (1, 25, 30), "zero means the default");
    }
}
