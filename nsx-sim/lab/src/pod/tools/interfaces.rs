//! The pod's interface, its routes and its name.

use std::net::{IpAddr, Ipv4Addr};

use super::{Exit, Process};
use crate::pod::host::Pod;

/// A subnet's prefix where the network did not tell it: NCP's default.
const PREFIX: u8 = 24;

const LOOPBACK: &str = "\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
";

/// The address, the prefix and the gateway; nothing before there is a network.
fn subnet(pod: &Pod) -> Option<(IpAddr, u8, Option<IpAddr>)> {
    let gateway = pod.gateway;
    Some((pod.address?, gateway.map_or(PREFIX, |own| own.1), gateway.map(|own| own.0)))
}

/// The subnet's own address and the one of all in it.
fn bounds(address: IpAddr, prefix: u8) -> (IpAddr, IpAddr) {
    match address {
        IpAddr::V4(own) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            let first = u32::from(own) & mask;
            (Ipv4Addr::from(first).into(), Ipv4Addr::from(first | !mask).into())
        }
        own @ IpAddr::V6(_) => (own, own),
    }
}

/// `ip a`, `ip r` and what they are short for.
pub(super) async fn ip(process: Process) -> Exit {
    let pod = process.session.network.own().unwrap_or_default();
    let mut words = process.arguments.iter().filter(|own| !own.starts_with('-'));
    let object = words.next().map(String::as_str).unwrap_or_default();
    let verb = words.next().map_or("show", String::as_str);
    let is = |whole: &str| !object.is_empty() && whole.starts_with(object);
    let shows = "show".starts_with(verb) || "list".starts_with(verb);
    if !shows || !(is("address") || is("link") || is("route")) {
        let text =
            format!("ip: only address, link and route are shown here, not '{object} {verb}'");
        process.err.line(text).await?;
        return Ok(1);
    }
    let subnet = subnet(&pod);
    if is("route") {
        if let Some((address, prefix, gateway)) = subnet {
            if let Some(gateway) = gateway {
                process.out.line(format!("default via {gateway} dev eth0 ")).await?;
            }
            let (first, _) = bounds(address, prefix);
            process
                .out
                .line(format!("{first}/{prefix} dev eth0 scope link  src {address} "))
                .await?;
        }
        return Ok(0);
    }
    let addresses = is("address");
    let lines = |text: &str| {
        let kept = text
            .lines()
            .filter(|line| addresses || !(line.contains("inet ") || line.contains("valid_lft")));
        kept.flat_map(|line| [line, "\n"]).collect::<String>()
    };
    let mut shown = lines(LOOPBACK);
    if let Some((address, prefix, _)) = subnet {
        let mac = pod.mac.as_deref().unwrap_or("02:50:56:00:00:00");
        shown += &lines(&format!(
            "3: eth0@if4: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue \n    \
             link/ether {mac} brd ff:ff:ff:ff:ff:ff\n    \
             inet {address}/{prefix} scope global eth0\n       \
             valid_lft forever preferred_lft forever\n"
        ));
    }
    process.out.write(shown).await?;
    Ok(0)
}

/// `ifconfig`.
pub(super) async fn ifconfig(process: Process) -> Exit {
    let pod = process.session.network.own().unwrap_or_default();
    if let Some((address, prefix, _)) = subnet(&pod) {
        let (_, broadcast) = bounds(address, prefix);
        let (_, mask) = bounds(IpAddr::V4(Ipv4Addr::UNSPECIFIED), prefix);
        let mask = match mask {
            IpAddr::V4(own) => Ipv4Addr::from(!u32::from(own)).to_string(),
            own @ IpAddr::V6(_) => own.to_string(),
        };
        let mac = pod.mac.as_deref().unwrap_or("02:50:56:00:00:00").to_uppercase();
        process
            .out
            .line(format!(
                "eth0      Link encap:Ethernet  HWaddr {mac}  \n          \
                 inet addr:{address}  Bcast:{broadcast}  Mask:{mask}\n          \
                 UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n"
            ))
            .await?;
    }
    process
        .out
        .line(
            "lo        Link encap:Local Loopback  \n          \
             inet addr:127.0.0.1  Mask:255.0.0.0\n          \
             UP LOOPBACK RUNNING  MTU:65536  Metric:1\n",
        )
        .await?;
    Ok(0)
}

/// `hostname`, and with `-i` its address.
pub(super) async fn hostname(process: Process) -> Exit {
    let pod = process.session.network.own().unwrap_or_default();
    match process.arguments.first().map(String::as_str) {
        None | Some("-s" | "-f") => process.out.line(&process.session.pod.name).await?,
        Some("-i") => {
            let address = pod.address.map(|own| own.to_string()).unwrap_or_default();
            process.out.line(address).await?;
        }
        Some(_) => {
            process.err.line("hostname: sethostname: Operation not permitted").await?;
            return Ok(1);
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::pod::testing::Cluster;

    async fn shown(command: &str) -> String {
        let words: Vec<&str> = command.split(' ').collect();
        let ran = Cluster::guide().run(&words, None, false).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out
    }

    #[tokio::test]
    async fn the_interface_is_the_pods() {
        let all = shown("ip a").await;
        assert!(all.contains("inet 172.15.23.3/24 scope global eth0\n"), "{all}");
        assert!(all.contains("link/ether 02:50:56:00:08:1e"), "{all}");
        assert!(!shown("ip link").await.contains("inet"));
        let routes = "default via 172.15.23.1 dev eth0 \n172.15.23.0/24 dev eth0 scope link  src 172.15.23.3 \n";
        assert_eq!(shown("ip r").await, routes);
        let old = shown("ifconfig").await;
        assert!(
            old.contains("inet addr:172.15.23.3  Bcast:172.15.23.255  Mask:255.255.255.0"),
            "{old}"
        );
        assert_eq!(shown("hostname").await, "a1\n");
        assert_eq!(shown("hostname -i").await, "172.15.23.3\n");
    }
}
