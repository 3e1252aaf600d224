//! Blocks of headers, which are compressed over the whole connection with a dictionary that both sides
//! know.

use super::Malformed;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// What zlib looks back at most.
const WINDOW: usize = 32 * 1024;
/// The largest block of headers that is read.
const LARGEST: usize = 64 * 1024;
/// The largest piece that stands in the stream as it is.
const STORED: usize = 0xffff;
/// zlib's header says whether a dictionary's checksum follows.
const WITH_DICTIONARY: u8 = 0x20;

/// A header: name, in small letters, and value.
pub type Header = (String, String);

/// The words of the dictionary, each of which has its length before it [SPDY 3.1, 2.6.10.1].
const WORDS: [&str; 65] = [
    "options",
    "head",
    "post",
    "put",
    "delete",
    "trace",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-base",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "retry-after",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "method",
    "get",
    "status",
    "200 OK",
    "version",
    "HTTP/1.1",
    "url",
    "public",
    "set-cookie",
    "keep-alive",
    "origin",
];
/// What follows them.
const TEXT: &str = "1001012012022052063003023033043053063074024054064074084094104114124134144154164175025\
    04505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized\
    403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar \
    Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,\
    image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,public\
    privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

fn dictionary() -> BytesMut {
    let mut all = BytesMut::new();
    for word in WORDS {
        text(&mut all, word);
    }
    all.put_slice(TEXT.as_bytes());
    all
}

/// A text behind its length.
fn text(to: &mut BytesMut, text: &str) {
    to.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
    to.put_slice(text.as_bytes());
}

/// Both directions of a connection's headers. Every block must pass through here, in order.
pub struct Headers {
    inflate: Box<DecompressorOxide>,
    /// What came last, as a ring, and where it goes on.
    window: Vec<u8>,
    place: usize,
    begun: bool,
    answered: bool,
}

impl Default for Headers {
    fn default() -> Headers {
        Headers {
            inflate: Box::default(),
            window: vec![0; WINDOW],
            place: 0,
            begun: false,
            answered: false,
        }
    }
}

impl Headers {
    /// Reads a block that came.
    ///
    /// # Errors
    /// Where it is none, or too large.
    pub fn read(&mut self, block: &[u8]) -> Result<Vec<Header>, Malformed> {
        let mut plain = self.inflate(block)?;
        let count = number(&mut plain)?;
        let mut all = Vec::new();
        for _ in 0..count {
            // Each takes bytes of the block, so that a large count ends with it.
            all.push((word(&mut plain)?.to_lowercase(), word(&mut plain)?));
        }
        if plain.is_empty() { Ok(all) } else { Err(Malformed::Headers) }
    }

    /// A block to send. It stands in the stream as it is: what is sent here is too short to shrink.
    pub fn write(&mut self, headers: &[Header]) -> Bytes {
        let mut plain = BytesMut::new();
        plain.put_u32(u32::try_from(headers.len()).unwrap_or(u32::MAX));
        for (name, value) in headers {
            text(&mut plain, name);
            text(&mut plain, value);
        }
        let mut block = BytesMut::new();
        if !self.answered {
            self.answered = true;
            // zlib, a window of 32 KiB, no dictionary.
            block.put_slice(&[0x78, 0x01]);
        }
        let mut stored = |bytes: &[u8]| {
            let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
            block.put_u8(0);
            block.put_u16_le(length);
            block.put_u16_le(!length);
            block.put_slice(bytes);
        };
        plain.chunks(STORED).for_each(&mut stored);
        // An empty piece has the other side take what it has.
        stored(&[]);
        block.freeze()
    }

    fn inflate(&mut self, block: &[u8]) -> Result<Bytes, Malformed> {
        let mut rest = block;
        if !self.begun {
            rest = self.begin(rest)?;
            self.begun = true;
        }
        let mut plain = BytesMut::new();
        loop {
            let (status, read, written) = decompress(
                &mut self.inflate,
                rest,
                &mut self.window,
                self.place,
                TINFL_FLAG_HAS_MORE_INPUT,
            );
            rest = rest.get(read..).unwrap_or_default();
            plain.put_slice(self.window.get(self.place..self.place + written).unwrap_or_default());
            self.place = (self.place + written) % WINDOW;
            if plain.len() > LARGEST {
                return Err(Malformed::Headers);
            }
            match status {
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput if rest.is_empty() => return Ok(plain.freeze()),
                // The stream lasts as long as the connection: its end is no block's.
                _ => return Err(Malformed::Headers),
            }
        }
    }

    /// Reads zlib's header. The window then holds the dictionary, where there is one.
    fn begin<'a>(&mut self, block: &'a [u8]) -> Result<&'a [u8], Malformed> {
        let [method, flags, rest @ ..] = block else { return Err(Malformed::Headers) };
        if method & 0x0f != 8 || u16::from_be_bytes([*method, *flags]) % 31 != 0 {
            return Err(Malformed::Headers);
        }
        if flags & WITH_DICTIONARY == 0 {
            return Ok(rest);
        }
        let dictionary = dictionary();
        self.window[..dictionary.len()].copy_from_slice(&dictionary);
        self.place = dictionary.len();
        rest.get(4..).ok_or(Malformed::Headers)
    }
}

fn number(from: &mut Bytes) -> Result<usize, Malformed> {
    let number = from.try_get_u32().map_err(|_| Malformed::Headers)?;
    usize::try_from(number).map_err(|_| Malformed::Headers)
}

fn word(from: &mut Bytes) -> Result<String, Malformed> {
    let length = number(from)?;
    if length > from.len() {
        return Err(Malformed::Headers);
    }
    let word = from.split_to(length);
    String::from_utf8(word.into()).map_err(|_| Malformed::Headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;

    fn header(name: &str, value: &str) -> Header {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn the_dictionary_is_the_one_whose_checksum_clients_name() {
        let (mut one, mut two) = (1u32, 0u32);
        for byte in dictionary() {
            one = (one + u32::from(byte)) % 65_521;
            two = (two + one) % 65_521;
        }
        assert_eq!(two << 16 | one, 0xe3c6_a7c2);
    }

    #[test]
    fn blocks_of_a_real_client_are_read_one_after_the_other() {
        // Of the library that kubectl uses.
        let sent = [
            "ePnjxqfCYmBgYASns5Ki1MRcaFHCmgoKaAAAAAD//w==",
            "wirFVlySkl9aAgAAAP//",
            "gsqhl0FSuB0PAAAA//8=",
        ];
        let mut headers = Headers::default();
        let read: Vec<_> = sent
            .iter()
            .map(|block| headers.read(&BASE64_STANDARD.decode(block).unwrap()).unwrap())
            .collect();
        assert_eq!(
            read,
            [
                [header("streamtype", "error")],
                [header("streamtype", "stdout")],
                [header("content-type", "text/plain,text/javascript")],
            ]
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            blocks in prop::collection::vec(
                prop::collection::vec(("[a-z-]{1,20}", "\\PC{0,300}"), 0..6), 1..6),
        ) {
            let (mut here, mut there) = (Headers::default(), Headers::default());
            for block in blocks {
                prop_assert_eq!(there.read(&here.write(&block)).unwrap(), block);
            }
        }

        #[test]
        fn no_bytes_are_too_strange(
            blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..4),
            dictionary in any::<bool>(),
        ) {
            let mut headers = Headers::default();
            let first = if dictionary { &[0x78, 0xbb, 0, 0, 0, 0][..] } else { &[0x78, 0x01] };
            let _ = headers.read(first);
            for block in blocks {
                let _ = headers.read(&block);
            }
        }
    }

    #[test]
    fn a_block_that_grows_without_end_is_refused() {
        let mut here = Headers::default();
        let large = here.write(&[header("a", &"x".repeat(LARGEST))]);
        assert_eq!(Headers::default().read(&large), Err(Malformed::Headers));
    }
}
