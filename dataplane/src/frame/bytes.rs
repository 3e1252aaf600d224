//! Bytes of a frame, read header by header.

use super::error::{Fault, FrameError, FrameLayer};

/// What is left of a frame, and where in it that begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'b> {
    rest: &'b [u8],
    offset: usize,
}

impl<'b> Bytes<'b> {
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    /// The first bytes, which stay.
    pub(super) fn peek<const N: usize>(&self, layer: FrameLayer) -> Result<[u8; N], FrameError> {
        match self.rest.first_chunk::<N>() {
            Some(bytes) => Ok(*bytes),
            None => Err(self.truncated(layer, N)),
        }
    }

    /// Goes past a header of this length.
    pub(super) fn skip(&mut self, layer: FrameLayer, length: usize) -> Result<(), FrameError> {
        let Some(rest) = self.rest.get(length..) else {
            return Err(self.truncated(layer, length));
        };
        (self.rest, self.offset) = (rest, self.offset + length);
        Ok(())
    }

    /// A header of fixed length.
    pub(super) fn take<const N: usize>(
        &mut self,
        layer: FrameLayer,
    ) -> Result<[u8; N], FrameError> {
        let header = self.peek(layer)?;
        self.skip(layer, N)?;
        Ok(header)
    }

    /// Leaves at most so many bytes: what comes behind is padding.
    pub(super) fn limit(&mut self, length: usize) {
        self.rest = self.rest.get(..length).unwrap_or(self.rest);
    }

    pub(super) const fn error(&self, layer: FrameLayer, fault: Fault) -> FrameError {
        FrameError { layer, offset: self.offset, fault }
    }

    const fn truncated(&self, layer: FrameLayer, needed: usize) -> FrameError {
        self.error(layer, Fault::Truncated { needed, present: self.rest.len() })
    }
}

/// A number in network order, at this place of a header.
pub(super) fn u16_at(header: &[u8], at: usize) -> u16 {
    let number = header.get(at..).and_then(|rest| rest.first_chunk());
    number.map_or(0, |bytes| u16::from_be_bytes(*bytes))
}
