//! Simulators that others wrote, started beside the product on a port of their own.

use crate::load::{Client, request};
use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a peer may take until it listens.
const STARTS_WITHIN: Duration = Duration::from_secs(120);

/// moto takes any signature; the words in it say which service and region a call is for.
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=bench/20250101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0\r\nContent-Type: application/x-www-form-urlencoded\r\n";

/// A peer that runs, ended with its owner.
pub struct Peer {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command of a peer: what the variable names, or else what the path finds by name; none where
/// it does not answer `--version` or, as moto's server, `--help`.
fn command(variable: &str, name: &str) -> Option<String> {
    let program = std::env::var(variable).unwrap_or_else(|_| name.to_owned());
    let mut asked = Command::new(&program);
    asked.arg("--help").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success()).then_some(program)
}

/// Starts a peer that is told its port and waits until it listens.
fn start(command: &mut Command, address: SocketAddr) -> Result<Peer> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut peer = Peer { child: command.spawn()?, address };
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        if peer.child.try_wait()?.is_some() || begun.elapsed() > STARTS_WITHIN {
            return Err(Error::new(ErrorKind::NotConnected, "it does not listen"));
        }
        sleep(Duration::from_millis(50));
    }
    Ok(peer)
}

/// An address that nobody listens on now.
fn free_address() -> Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// A running moto server (`MOTO_SERVER`, or `moto_server` on the path); none where it is missing.
pub fn moto() -> Option<Result<Peer>> {
    let program = command("MOTO_SERVER", "moto_server")?;
    let started = free_address().and_then(|address| {
        let port = address.port().to_string();
        start(Command::new(program).args(["-H", "127.0.0.1", "-p", &port]), address)
    });
    Some(started)
}

/// A running Prism (`PRISM`, or `prism` on the path) that mocks a description; none where it is
/// missing.
pub fn prism(description: &Path) -> Option<Result<Peer>> {
    let program = command("PRISM", "prism")?;
    let started = free_address().and_then(|address| {
        let port = address.port().to_string();
        let mut mock = Command::new(program);
        mock.args(["mock", "--host", "127.0.0.1", "--port", &port, "--verboseLevel", "silent"]);
        start(mock.arg(description), address)
    });
    Some(started)
}

/// A query of EC2's API.
fn ec2(action: &str, parameters: &str) -> Vec<u8> {
    let body = format!("Action={action}&Version=2016-11-15{parameters}");
    request("POST", "/", SIGNED, &body)
}

/// Requests as they go over the wire, to be sent in turn.
type Requests = Vec<Vec<u8>>;

/// Makes security groups in moto, each with a tag of its own, and gives for each the query by id
/// and the query by tag.
///
/// # Errors
/// An answer that is no success or names no group.
pub fn fill_moto(moto: &Peer, groups: usize) -> Result<(Requests, Requests)> {
    let mut client = Client::new(moto.address);
    let mut queries = (Vec::new(), Vec::new());
    for number in 0..groups {
        let made = ec2(
            "CreateSecurityGroup",
            &format!(
                "&GroupName=g{number}&GroupDescription=d&TagSpecification.1.ResourceType=security-group\
                 &TagSpecification.1.Tag.1.Key=vif&TagSpecification.1.Tag.1.Value=vif-{number}"
            ),
        );
        let answer = String::from_utf8_lossy(client.call(&made)?).into_owned();
        let id = answer.split("<groupId>").nth(1).and_then(|rest| rest.split('<').next());
        let id = id.ok_or_else(|| Error::new(ErrorKind::InvalidData, answer.clone()))?;
        queries.0.push(ec2("DescribeSecurityGroups", &format!("&GroupId.1={id}")));
        let filter = format!("&Filter.1.Name=tag:vif&Filter.1.Value.1=vif-{number}");
        queries.1.push(ec2("DescribeSecurityGroups", &filter));
    }
    Ok(queries)
}
