//! Frames: what stands on the wire.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The version of the protocol in control frames.
const VERSION: u16 = 3;
/// What precedes each frame's body.
const HEAD: usize = 8;
/// The largest body that is read. kubectl sends its input by 32 KiB.
const LARGEST: usize = 1 << 20;
/// The flag of the last frame of a stream.
const FIN: u8 = 1;

/// Types of control frames.
mod kind {
    pub(super) const SYN_STREAM: u16 = 1;
    pub(super) const SYN_REPLY: u16 = 2;
    pub(super) const RST_STREAM: u16 = 3;
    pub(super) const SETTINGS: u16 = 4;
    pub(super) const PING: u16 = 6;
    pub(super) const GOAWAY: u16 = 7;
    pub(super) const HEADERS: u16 = 8;
}

/// A frame. Headers are compressed, as they stand on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A stream begins.
    Open {
        /// Its number.
        stream: u32,
        /// Whether nothing follows on it.
        last: bool,
        /// What it is for.
        headers: Bytes,
    },
    /// A stream is taken.
    Reply {
        /// Its number.
        stream: u32,
        /// Headers of the answer.
        headers: Bytes,
    },
    /// More headers of a stream.
    More {
        /// Its number.
        stream: u32,
        /// Whether nothing follows on it.
        last: bool,
        /// The headers.
        headers: Bytes,
    },
    /// Bytes of a stream.
    Data {
        /// Its number.
        stream: u32,
        /// Whether nothing follows on it.
        last: bool,
        /// The bytes.
        bytes: Bytes,
    },
    /// A stream ends at once.
    Reset {
        /// Its number.
        stream: u32,
        /// Why.
        status: u32,
    },
    /// A question that the other side sends back.
    Ping(u32),
    /// No more streams.
    GoAway {
        /// The last one that was taken.
        last: u32,
    },
    /// What asks for nothing here: settings and windows.
    Other,
}

/// Bytes that are no frame; nothing that follows can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Another version of the protocol.
    #[error("a frame of another version of SPDY")]
    Version,
    /// Larger than what is read.
    #[error("a frame of {0} bytes")]
    Large(usize),
    /// Shorter than its type needs.
    #[error("a frame that ends too early")]
    Short,
    /// Headers that are not compressed as agreed on, or do not say what they are.
    #[error("headers that cannot be read")]
    Headers,
}

impl Frame {
    /// Takes the first frame out of `buffer`, if all of it is there.
    ///
    /// # Errors
    /// Where the bytes are no frame.
    pub fn take(buffer: &mut BytesMut) -> Result<Option<Frame>, Malformed> {
        let Some((mut head, _)) = buffer.split_at_checked(HEAD) else { return Ok(None) };
        let (first, flags_and_length) = (head.get_u32(), head.get_u32());
        let length = (flags_and_length & 0x00ff_ffff) as usize;
        if length > LARGEST {
            return Err(Malformed::Large(length));
        }
        if buffer.len() < HEAD + length {
            return Ok(None);
        }
        buffer.advance(HEAD);
        let body = buffer.split_to(length).freeze();
        let last = flags_and_length >> 24 & u32::from(FIN) != 0;
        if first >> 31 == 0 {
            return Ok(Some(Frame::Data { stream: first, last, bytes: body }));
        }
        let [_, _, high, low] = first.to_be_bytes();
        if (first >> 16 & 0x7fff) != u32::from(VERSION) {
            return Err(Malformed::Version);
        }
        control(u16::from_be_bytes([high, low]), last, body).map(Some)
    }

    /// Appends the frame to `buffer`. Data is cut where one frame cannot hold it.
    pub fn put(&self, buffer: &mut BytesMut) {
        let numbers = |buffer: &mut BytesMut, kind: u16, numbers: &[u32]| {
            head(buffer, kind, false, numbers.len() * 4);
            for number in numbers {
                buffer.put_u32(*number);
            }
        };
        match self {
            Frame::Open { stream, last, headers } => {
                head(buffer, kind::SYN_STREAM, *last, 10 + headers.len());
                buffer.put_u32(*stream);
                // It belongs to no other stream, and has no priority and no slot.
                buffer.put_bytes(0, 6);
                buffer.put_slice(headers);
            }
            Frame::Reply { stream, headers } => {
                head(buffer, kind::SYN_REPLY, false, 4 + headers.len());
                buffer.put_u32(*stream);
                buffer.put_slice(headers);
            }
            Frame::More { stream, last, headers } => {
                head(buffer, kind::HEADERS, *last, 4 + headers.len());
                buffer.put_u32(*stream);
                buffer.put_slice(headers);
            }
            Frame::Data { stream, last, bytes } => {
                let mut pieces = bytes.chunks(LARGEST).peekable();
                if pieces.peek().is_none() {
                    data(buffer, *stream, *last, &[]);
                }
                while let Some(piece) = pieces.next() {
                    data(buffer, *stream, *last && pieces.peek().is_none(), piece);
                }
            }
            Frame::Reset { stream, status } => {
                numbers(buffer, kind::RST_STREAM, &[*stream, *status]);
            }
            Frame::Ping(number) => numbers(buffer, kind::PING, &[*number]),
            Frame::GoAway { last } => numbers(buffer, kind::GOAWAY, &[*last, 0]),
            Frame::Other => numbers(buffer, kind::SETTINGS, &[0]),
        }
    }
}

fn control(kind: u16, last: bool, mut body: Bytes) -> Result<Frame, Malformed> {
    let mut number = || body.try_get_u32().map_err(|_| Malformed::Short);
    // The highest bit of a stream's number is reserved.
    let stream = |number: u32| number & 0x7fff_ffff;
    Ok(match kind {
        kind::SYN_STREAM => {
            let stream = stream(number()?);
            number()?;
            body.try_get_u16().map_err(|_| Malformed::Short)?;
            Frame::Open { stream, last, headers: body }
        }
        kind::SYN_REPLY => Frame::Reply { stream: stream(number()?), headers: body },
        kind::HEADERS => Frame::More { stream: stream(number()?), last, headers: body },
        kind::RST_STREAM => Frame::Reset { stream: stream(number()?), status: number()? },
        kind::PING => Frame::Ping(number()?),
        kind::GOAWAY => Frame::GoAway { last: stream(number()?) },
        // Settings and windows; and unknown types are passed over [SPDY 3.1, 2.2.1].
        _ => Frame::Other,
    })
}

fn head(buffer: &mut BytesMut, kind: u16, last: bool, length: usize) {
    buffer.put_u16(0x8000 | VERSION);
    buffer.put_u16(kind);
    flags(buffer, last, length);
}

fn data(buffer: &mut BytesMut, stream: u32, last: bool, bytes: &[u8]) {
    buffer.put_u32(stream & 0x7fff_ffff);
    flags(buffer, last, bytes.len());
    buffer.put_slice(bytes);
}

fn flags(buffer: &mut BytesMut, last: bool, length: usize) {
    buffer.put_u8(if last { FIN } else { 0 });
    buffer.put_uint(length as u64, 3);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames() -> impl Strategy<Value = Frame> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from);
        let stream = || 0u32..1 << 31;
        prop_oneof![
            (stream(), any::<bool>(), bytes()).prop_map(|(stream, last, headers)| Frame::Open {
                stream,
                last,
                headers
            }),
            (stream(), bytes()).prop_map(|(stream, headers)| Frame::Reply { stream, headers }),
            (stream(), any::<bool>(), bytes()).prop_map(|(stream, last, headers)| Frame::More {
                stream,
                last,
                headers
            }),
            (stream(), any::<bool>(), bytes()).prop_map(|(stream, last, bytes)| Frame::Data {
                stream,
                last,
                bytes
            }),
            (stream(), any::<u32>()).prop_map(|(stream, status)| Frame::Reset { stream, status }),
            any::<u32>().prop_map(Frame::Ping),
            stream().prop_map(|last| Frame::GoAway { last }),
            Just(Frame::Other),
        ]
    }

    proptest! {
        #[test]
        fn frames_are_read_as_they_were_written_however_they_arrive(
            sent in prop::collection::vec(frames(), 0..8),
            step in 1usize..64,
        ) {
            let mut wire = BytesMut::new();
            for frame in &sent {
                frame.put(&mut wire);
            }
            let (mut arrived, mut read) = (BytesMut::new(), Vec::new());
            for piece in wire.chunks(step) {
                arrived.extend_from_slice(piece);
                while let Some(frame) = Frame::take(&mut arrived).unwrap() {
                    read.push(frame);
                }
            }
            prop_assert_eq!(read, sent);
            prop_assert!(arrived.is_empty());
        }

        #[test]
        fn any_bytes_are_frames_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut buffer = BytesMut::from(bytes.as_slice());
            while let Ok(Some(_)) = Frame::take(&mut buffer) {}
            prop_assert!(buffer.len() <= bytes.len());
        }
    }

    #[test]
    fn a_frame_that_is_too_large_is_refused_before_it_is_there() {
        let mut head = BytesMut::from(&[0, 0, 0, 1, 0, 0xff, 0xff, 0xff][..]);
        assert_eq!(Frame::take(&mut head), Err(Malformed::Large(0x00ff_ffff)));
        let mut other = BytesMut::from(&[0x80, 2, 0, 6, 0, 0, 0, 0][..]);
        assert_eq!(Frame::take(&mut other), Err(Malformed::Version));
        let mut short = BytesMut::from(&[0x80, 3, 0, 6, 0, 0, 0, 2, 0, 0][..]);
        assert_eq!(Frame::take(&mut short), Err(Malformed::Short));
    }

    #[test]
    fn data_that_no_frame_holds_goes_in_several_and_the_last_ends_the_stream() {
        let bytes = Bytes::from(vec![7; LARGEST + 1]);
        let mut wire = BytesMut::new();
        Frame::Data { stream: 1, last: true, bytes }.put(&mut wire);
        let mut read = std::iter::from_fn(|| Frame::take(&mut wire).unwrap());
        let Some(Frame::Data { last, bytes, .. }) = read.next() else { panic!("data") };
        assert!(!last && bytes.len() == LARGEST);
        let rest = Frame::Data { stream: 1, last: true, bytes: Bytes::from_static(&[7]) };
        assert_eq!((read.next(), read.next()), (Some(rest), None));
    }
}
