//! A vector that grows page by page: nothing moves when it grows, and no more than a page is spare.

/// Elements of a page.
const PAGE: u32 = 1 << PAGE_BITS;
const PAGE_BITS: u32 = 8;

/// Dense elements with numbers from 0.
#[derive(Clone, Debug)]
pub(super) struct Paged<T> {
    pages: Vec<Vec<T>>,
    len: u32,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }
}

impl<T> Paged<T> {
    /// The number of elements.
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    /// An element.
    pub(super) fn get(&self, at: u32) -> Option<&T> {
        self.pages.get((at >> PAGE_BITS) as usize)?.get((at & (PAGE - 1)) as usize)
    }

    /// An element, to be changed.
    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        self.pages.get_mut((at >> PAGE_BITS) as usize)?.get_mut((at & (PAGE - 1)) as usize)
    }

    /// Adds an element behind the last.
    pub(super) fn push(&mut self, element: T) {
        if self.len & (PAGE - 1) == 0 {
            // The first page grows as it is filled: most vNICs have few flows.
            let room = if self.len == 0 { 0 } else { PAGE as usize };
            self.pages.push(Vec::with_capacity(room));
        }
        if let Some(page) = self.pages.last_mut() {
            page.push(element);
            self.len += 1;
        }
    }

    /// Takes an element out and puts the last in its place. A page that is empty is given back.
    pub(super) fn swap_remove(&mut self, at: u32) -> Option<T> {
        let last = self.pages.last_mut()?.pop()?;
        self.len -= 1;
        if self.len & (PAGE - 1) == 0 {
            self.pages.pop();
        }
        if at == self.len {
            return Some(last);
        }
        self.get_mut(at).map(|element| std::mem::replace(element, last))
    }

    /// All elements in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten()
    }

    /// All elements in order, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.pages.iter_mut().flatten()
    }
}
