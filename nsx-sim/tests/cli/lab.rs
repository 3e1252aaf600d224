//! The lab as a whole: manager, cluster, NCP, containers and PKS in one process, and the guide walked
//! through it by the public APIs alone.

use crate::{Served, nsx_sim, text};
use std::io::BufRead;
use std::path::PathBuf;

/// A home of its own, gone when the value goes.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("nsx-sim-lab-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_guide_comes_out_as_printed_from_login_to_a_third_pod() {
    let free = "127.0.0.1:0";
    let own = ["--lab", "--lab-listen", free, "--uaa-listen", free, "--pks-listen", free];
    let mut served = Served::new(&own);
    let hosts = (&mut served.out)
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.trim().strip_prefix("export PKS_HOSTS=").map(str::to_owned))
        .expect("the table of hosts");
    let home = Home::new();
    let walked = nsx_sim(&["lab", "--auto", "--url", &served.url, "-k"])
        .env("PKS_HOSTS", hosts)
        .env("HOME", &home.0)
        .env_remove("PKS_HOME")
        .env_remove("KUBECONFIG")
        .output()
        .expect("the binary runs");
    let told = text(&walked.stdout);
    assert_eq!(walked.status.code(), Some(0), "{told}{}", text(&walked.stderr));
    assert_eq!(told.matches("11 of 11 rows as in the guide").count(), 2, "{told}");
    assert!(told.contains("nsg-service-b has 172.15.13.2 172.15.13.3 172.15.13.4"), "{told}");
}
