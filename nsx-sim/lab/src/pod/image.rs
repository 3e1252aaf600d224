//! What is known of images: which tools they have and what listens in their containers.

/// An image, as far as a container's tools and ports depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// Whether there is a shell with its tools.
    pub(super) shell: bool,
    /// Its curl, if there is one.
    pub(super) curl: Option<Curl>,
    /// Where commands start.
    pub(super) directory: &'static str,
    /// Whether commands run as root.
    pub(super) root: bool,
    /// How its C library resolves names.
    pub(super) libc: Libc,
    /// Ports on which it listens, whatever the manifest declares.
    pub(super) ports: &'static [u16],
    /// What answers HTTP there.
    pub(super) web: Web,
}

/// A release of curl; its messages changed with 7.34 and later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curl {
    /// The guide's, by the words of its image 33: older than 7.34.
    Old,
    /// Today's.
    New,
}

impl Curl {
    /// Its number.
    pub(super) const fn version(self) -> &'static str {
        match self {
            Self::Old => "7.30.0",
            Self::New => "7.88.1",
        }
    }
}

/// C libraries, by what they make of a refused lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Libc {
    /// Its sockets are connected: a refusal ends a lookup at once.
    Gnu,
    /// Its socket is not: it waits for an answer until time is over.
    Musl,
}

/// What answers HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Web {
    /// The page that tells its server, in plain text.
    Hello,
    /// What nginx serves before anybody has told it what to.
    Nginx,
    /// What the container's probes ask for, for its manifest says that it answers them.
    Asked,
    /// Nothing that is known here: connections open, and end without an answer.
    Unknown,
}

impl Image {
    /// The image of that name: registry and tag do not matter.
    pub(super) fn named(reference: &str) -> Self {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let name = name.split([':', '@']).next().unwrap_or_default();
        let plain = Self {
            shell: true,
            curl: None,
            directory: "/",
            root: true,
            libc: Libc::Gnu,
            ports: &[],
            web: Web::Unknown,
        };
        match name {
            "busybox-curl" => Self { curl: Some(Curl::Old), directory: "/home", ..plain },
            "curl" | "netshoot" => Self { curl: Some(Curl::New), libc: Libc::Musl, ..plain },
            "nginx-hello" => {
                Self { root: false, libc: Libc::Musl, ports: &[8080], web: Web::Hello, ..plain }
            }
            "hello" => Self { libc: Libc::Musl, ports: &[80], web: Web::Hello, ..plain },
            "nginx" => Self { ports: &[80], curl: Some(Curl::New), web: Web::Nginx, ..plain },
            "redis" => Self { ports: &[6379], ..plain },
            // Built from nothing: there is but the program.
            "coredns" => Self { shell: false, ports: &[53, 8080, 8181, 9153], ..plain },
            "pause" => Self { shell: false, ..plain },
            _ => plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_whatever_its_registry_and_tag() {
        let guide = Image::named("yauritux/busybox-curl");
        assert_eq!((guide.curl, guide.directory), (Some(Curl::Old), "/home"));
        assert_eq!(Image::named("harbor.corp.local:443/x/busybox-curl:1@sha256:0"), guide);
        assert_eq!(Image::named("nginxdemos/nginx-hello:plain-text").ports, [8080]);
        assert_eq!(Image::named("busybox").curl, None);
        assert!(!Image::named("registry/coredns:1.6.7").shell);
    }
}
