//! A cheap client that loads an HTTP server: requests are bytes made beforehand, connections are
//! kept where the server keeps them, and of an answer only what the measure needs is read.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a server may take to answer one request.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request as the bytes that are sent.
pub fn request(method: &str, target: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// A connection to a server, opened anew where the server closes it.
pub struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
    body: Vec<u8>,
    /// Connections that were opened.
    pub opened: u64,
}

impl Client {
    /// A client that has not connected yet.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, connection: None, body: Vec::new(), opened: 0 }
    }

    /// The body of the answer to a request.
    ///
    /// # Errors
    /// No connection, an answer that is not HTTP/1.1, or another status than 200 or 201.
    pub fn call(&mut self, request: &[u8]) -> Result<&[u8]> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect(self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                self.opened += 1;
                BufReader::new(stream)
            }
        };
        connection.get_mut().write_all(request)?;
        self.body.clear();
        if read_answer(&mut connection, &mut self.body)? {
            self.connection = Some(connection);
        }
        Ok(&self.body)
    }
}

/// Reads an answer's body; tells whether the connection stays.
fn read_answer(connection: &mut impl BufRead, body: &mut Vec<u8>) -> Result<bool> {
    let odd = |what: &str| Error::new(ErrorKind::InvalidData, what.to_owned());
    let mut line = String::new();
    connection.read_line(&mut line)?;
    let status = line.split(' ').nth(1).unwrap_or_default().trim().to_owned();
    let (mut length, mut chunked, mut kept) = (None, false, true);
    loop {
        line.clear();
        if connection.read_line(&mut line)? == 0 {
            return Err(odd("the answer ends in its headers"));
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse::<u64>().ok();
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.eq_ignore_ascii_case("chunked");
        } else if name.eq_ignore_ascii_case("connection") {
            kept = !value.eq_ignore_ascii_case("close");
        }
    }
    if chunked {
        while read_chunk(connection, body)? {}
    } else if let Some(length) = length {
        connection.take(length).read_to_end(body)?;
    } else {
        connection.read_to_end(body)?;
        kept = false;
    }
    match &*status {
        "200" | "201" => Ok(kept),
        _ => Err(odd(&format!("status {status}: {}", String::from_utf8_lossy(body)))),
    }
}

/// Reads one chunk of a body; the last one is empty.
fn read_chunk(connection: &mut impl BufRead, body: &mut Vec<u8>) -> Result<bool> {
    let mut line = String::new();
    connection.read_line(&mut line)?;
    let size = line.trim().split(';').next().unwrap_or_default();
    let size = u64::from_str_radix(size, 16)
        .map_err(|_| Error::new(ErrorKind::InvalidData, format!("no size of a chunk: {line}")))?;
    connection.by_ref().take(size).read_to_end(body)?;
    line.clear();
    connection.read_line(&mut line)?;
    Ok(size > 0)
}

/// What came of a load.
pub struct Load {
    /// Answers per second.
    pub per_second: f64,
    /// Whether the server kept its connections open.
    pub kept: bool,
}

/// Sends requests over several connections at once, each client its next one when the last is
/// answered, until the time is over.
///
/// # Errors
/// The first answer that is no success or has no body.
pub fn load(
    address: SocketAddr,
    requests: &[Vec<u8>],
    clients: usize,
    time: Duration,
) -> Result<Load> {
    let begun = Instant::now();
    let run = |client: usize| -> Result<(u64, u64)> {
        let mut connection = Client::new(address);
        let mut answered = 0;
        for request in requests.iter().cycle().skip(client * requests.len() / clients) {
            if connection.call(request)?.is_empty() {
                return Err(Error::new(ErrorKind::InvalidData, "an empty answer"));
            }
            answered += 1;
            if begun.elapsed() >= time {
                break;
            }
        }
        Ok((answered, connection.opened))
    };
    let counts = std::thread::scope(|scope| {
        let started: Vec<_> = (0..clients).map(|client| scope.spawn(move || run(client))).collect();
        let ended = started.into_iter().map(|one| one.join().expect("a client does not panic"));
        ended.collect::<Result<Vec<_>>>()
    })?;
    let answered: u64 = counts.iter().map(|(answered, _)| answered).sum();
    let opened: u64 = counts.iter().map(|(_, opened)| opened).sum();
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let per_second = answered as f64 / begun.elapsed().as_secs_f64();
    Ok(Load { per_second, kept: opened <= clients as u64 })
}
