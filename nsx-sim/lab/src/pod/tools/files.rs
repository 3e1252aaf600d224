//! Files: what kubelet puts into each container, and what the session has written.

use super::{Exit, Process, programs};
use crate::pod::exec::Session;
use crate::pod::network::SEARCH;

/// Directories that are there.
const DIRECTORIES: [&str; 13] = [
    "/", "/bin", "/dev", "/etc", "/home", "/proc", "/root", "/sys", "/tmp", "/usr", "/usr/bin",
    "/var", "/var/run",
];

/// A path from the root, without `.` and `..`.
pub(in crate::pod) fn absolute(directory: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{directory}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether a path is a directory's.
pub(in crate::pod) fn is_directory(path: &str) -> bool {
    DIRECTORIES.contains(&path)
}

/// What a file holds; nothing if there is none.
pub(in crate::pod) fn content(session: &Session, directory: &str, path: &str) -> Option<Vec<u8>> {
    let path = absolute(directory, path);
    if let Some(written) = session.files.read(&path) {
        return Some(written);
    }
    let pod = &session.pod;
    let text = match path.as_str() {
        "/dev/null" => String::new(),
        "/etc/hostname" => format!("{}\n", pod.name),
        "/etc/resolv.conf" => format!(
            "nameserver {}\nsearch {}.{} {}\noptions ndots:5\n",
            session.network.nameserver().map(|own| own.to_string()).unwrap_or_default(),
            pod.namespace,
            SEARCH[0],
            SEARCH.join(" ")
        ),
        "/etc/hosts" => {
            let own = session.network.own().and_then(|pod| pod.address);
            let own = own.map(|own| format!("{own}\t{}\n", pod.name)).unwrap_or_default();
            format!(
                "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n\
                 ::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n\
                 fe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n{own}"
            )
        }
        "/etc/passwd" => "root:x:0:0:root:/root:/bin/sh\n".to_owned(),
        "/var/run/secrets/kubernetes.io/serviceaccount/namespace" => pod.namespace.clone(),
        _ => return None,
    };
    Some(text.into_bytes())
}

/// `cat`, `ls`, `rm` and `touch`.
pub(super) async fn run(tool: &str, process: Process) -> Exit {
    let names: Vec<&String> =
        process.arguments.iter().filter(|own| *own == "-" || !own.starts_with('-')).collect();
    match tool {
        "cat" => cat(&process, &names).await,
        "ls" => ls(&process, &names).await,
        tool => {
            let mut code = 0;
            for name in names {
                let path = absolute(&process.directory, name);
                let files = &process.session.files;
                let done = match tool {
                    "rm" => files.remove(&path),
                    _ => files.read(&path).is_some() || files.create(&path),
                };
                if !done {
                    process.err.line(format!("{tool}: can't change '{name}'")).await?;
                    code = 1;
                }
            }
            Ok(code)
        }
    }
}

async fn cat(process: &Process, names: &[&String]) -> Exit {
    let Process { session, directory, input, out, err, .. } = process;
    let mut code = 0;
    let standard = "-".to_owned();
    let names = if names.is_empty() { &[&standard][..] } else { names };
    for name in names {
        if *name == "-" {
            while let Some(piece) = input.read().await {
                out.write(piece).await?;
            }
        } else if is_directory(&absolute(directory, name)) {
            err.line("cat: read error: Is a directory").await?;
            code = 1;
        } else if let Some(bytes) = content(session, directory, name) {
            out.write(bytes).await?;
        } else {
            err.line(format!("cat: can't open '{name}': No such file or directory")).await?;
            code = 1;
        }
    }
    Ok(code)
}

async fn ls(process: &Process, names: &[&String]) -> Exit {
    let Process { session, directory, out, err, .. } = process;
    let own = ".".to_owned();
    let names = if names.is_empty() { &[&own][..] } else { names };
    let mut code = 0;
    for name in names {
        let path = absolute(directory, name);
        if !is_directory(&path) {
            if content(session, directory, name).is_some() {
                out.line(name).await?;
            } else {
                err.line(format!("ls: {name}: No such file or directory")).await?;
                code = 1;
            }
            continue;
        }
        let prefix = if path == "/" { path.clone() } else { format!("{path}/") };
        let known: Vec<String> = session
            .files
            .paths()
            .into_iter()
            .chain(DIRECTORIES.map(str::to_owned))
            .chain(
                ["/dev/null", "/etc/hostname", "/etc/hosts", "/etc/passwd", "/etc/resolv.conf"]
                    .map(str::to_owned),
            )
            .chain(programs(session.image).map(|own| format!("/bin/{own}")))
            .collect();
        let mut entries: Vec<&str> = known
            .iter()
            .filter_map(|own| own.strip_prefix(&prefix))
            .filter(|own| !own.is_empty() && !own.contains('/'))
            .collect();
        entries.sort_unstable();
        entries.dedup();
        for entry in entries {
            out.line(entry).await?;
        }
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::testing::{Cluster, sh};

    #[test]
    fn paths_are_made_absolute() {
        for (directory, path, whole) in [
            ("/home", "x", "/home/x"),
            ("/home", "/etc//hosts", "/etc/hosts"),
            ("/", "../../x/./y", "/x/y"),
            ("/home", "..", "/"),
            ("/home", ".", "/home"),
        ] {
            assert_eq!(absolute(directory, path), whole);
        }
    }

    #[tokio::test]
    async fn the_resolvers_file_is_the_pods() {
        let ran = Cluster::guide().run(&["cat", "/etc/resolv.conf"], None, false).await;
        assert_eq!(
            ran.out,
            "nameserver 10.100.200.2\nsearch x1.svc.cluster.local svc.cluster.local cluster.local\n\
             options ndots:5\n"
        );
        let ran = Cluster::guide().run(&["cat", "/etc/hosts", "/none"], None, false).await;
        assert!(ran.out.ends_with("172.15.23.3\ta1\n"), "{}", ran.out);
        assert_eq!(ran.err, "cat: can't open '/none': No such file or directory\n");
        assert_eq!(ran.code, 1);
    }

    #[tokio::test]
    async fn a_directory_lists_what_is_in_it() {
        let script = "touch f; ls; ls /etc; ls /none";
        let ran = sh(script).await;
        assert_eq!(ran.out, "f\nhostname\nhosts\npasswd\nresolv.conf\n");
        assert_eq!(ran.err, "ls: /none: No such file or directory\n");
    }
}
