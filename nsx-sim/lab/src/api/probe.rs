//! What a kubelet asks of a container.

use std::time::Duration;

/// One question to a container that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRequest {
    /// Namespace of the pod.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// What is asked.
    pub asked: Asked,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// The ways to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A GET, which is to be answered by a status from 200 to 399.
    Http {
        /// Whether by HTTPS.
        tls: bool,
        /// Who is asked, where it is not the pod.
        host: Option<String>,
        /// At which port.
        port: u16,
        /// Path and query.
        path: String,
    },
    /// A connection, which is to open.
    Tcp {
        /// Who is asked, where it is not the pod.
        host: Option<String>,
        /// At which port.
        port: u16,
    },
    /// The health service of gRPC.
    Grpc {
        /// At which port.
        port: u16,
    },
    /// A command in the container, which is to end with 0.
    Exec(Vec<String>),
}
