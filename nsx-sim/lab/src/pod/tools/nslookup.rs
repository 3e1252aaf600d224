//! nslookup, as busybox had it up to 1.28: it asks the C library, search list and all.

use super::{Exit, Process};

/// The command.
pub(super) async fn run(process: Process) -> Exit {
    let Process { out, err, session, .. } = &process;
    let network = &session.network;
    let Some(name) = process.arguments.iter().find(|own| !own.starts_with('-')) else {
        err.line("Usage: nslookup HOST").await?;
        return Ok(1);
    };
    if let Some(address) = network.nameserver() {
        let name = network.reverse(address).await.unwrap_or_default();
        out.line(format!("Server:    {address}")).await?;
        out.line(format!("Address 1: {address} {name}").trim_end()).await?;
        out.line("").await?;
    }
    match network.resolve(name).await {
        Ok(found) => {
            let canonical = network.reverse(found.address).await.unwrap_or_default();
            out.line(format!("Name:      {name}")).await?;
            out.line(format!("Address 1: {} {canonical}", found.address).trim_end()).await?;
            Ok(0)
        }
        Err(_) => {
            err.line(format!("nslookup: can't resolve '{name}'")).await?;
            Ok(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::pod::testing::Cluster;
    use crate::pod::wire::Fate;

    #[tokio::test(start_paused = true)]
    async fn a_service_is_found_with_its_whole_name() {
        let ran = Cluster::guide().run(&["nslookup", "svc-service-b.y1"], None, false).await;
        assert_eq!(
            ran.out,
            "Server:    10.100.200.2\n\
             Address 1: 10.100.200.2 kube-dns.kube-system.svc.cluster.local\n\n\
             Name:      svc-service-b.y1\n\
             Address 1: 10.100.200.12 svc-service-b.y1.svc.cluster.local\n"
        );
        let blind = Cluster::guide().with_fate(|_| Fate::Prohibited);
        let ran = blind.run(&["nslookup", "svc-service-b.y1"], None, false).await;
        assert_eq!(ran.out, "Server:    10.100.200.2\nAddress 1: 10.100.200.2\n\n");
        assert_eq!(
            (ran.code, ran.err.as_str()),
            (1, "nslookup: can't resolve 'svc-service-b.y1'\n")
        );
    }
}
