//! What curl shows, by its release.

use crate::pod::testing::{Cluster, Ran};
use crate::pod::wire::{Fate, Packet};

async fn curl(cluster: &Cluster, arguments: &str) -> Ran {
    let words: Vec<&str> = std::iter::once("curl").chain(arguments.split(' ')).collect();
    cluster.run(&words, None, false).await
}

fn refused_by(fate: Fate) -> Cluster {
    Cluster::guide().with_fate(move |packet| match packet {
        Packet::Tcp { .. } => fate,
        _ => Fate::Delivered(None),
    })
}

#[tokio::test(start_paused = true)]
async fn the_guides_command_shows_the_guides_page() {
    let ran = curl(&Cluster::guide(), "-s http://svc-service-b.y1").await;
    assert!(
        ran.out.starts_with("Server address: 172.15.13.3:8080\nServer name: b1\nDate: "),
        "{}",
        ran.out
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_connection_is_told_as_in_the_guide() {
    let typed = Some("curl http://svc-service-d.z1\rexit\r");
    let ran = refused_by(Fate::Reset).run(&["/bin/sh"], typed, true).await;
    let told = "curl: (7) Failed connect to svc-service-d.z1:80; Connection refused\r\n";
    assert!(ran.out.contains(told), "{}", ran.out);
    assert_eq!(ran.code, 7);
}

#[tokio::test(start_paused = true)]
async fn failures_have_their_words_and_codes() {
    let rejected = refused_by(Fate::Reset);
    let dropped = refused_by(Fate::Dropped);
    let lost = refused_by(Fate::NoRoute);
    let open = Cluster::guide();
    let blind = Cluster::guide().with_fate(|_| Fate::Prohibited);
    let deaf = Cluster::guide().with_fate(|_| Fate::Dropped);
    for (cluster, arguments, code, words) in [
        (&rejected, "172.15.9.4:8080", 7, "Failed connect to 172.15.9.4:8080; Connection refused"),
        (&dropped, "172.15.9.4:8080", 7, "Failed connect to 172.15.9.4:8080; Connection timed out"),
        (&dropped, "-m 3 172.15.9.4:8080", 28, "Connection timed out after 3000 milliseconds"),
        (
            &dropped,
            "--connect-timeout 0.5 172.15.9.4:8080",
            28,
            "Connection timed out after 500 milliseconds",
        ),
        (&lost, "1.2.3.4", 7, "Failed connect to 1.2.3.4:80; No route to host"),
        (&blind, "svc-service-c.z1", 6, "Couldn't resolve host 'svc-service-c.z1'"),
        (&deaf, "-m 2 svc-service-c.z1", 28, "Resolving timed out after 2000 milliseconds"),
        (&open, "nowhere.example", 6, "Couldn't resolve host 'nowhere.example'"),
        (&open, "172.15.3.2:9153", 52, "Empty reply from server"),
        (&open, "ftp://x", 1, "Protocol ftp not supported or disabled in libcurl"),
        (&open, "http://", 3, "<url> malformed"),
        (&open, "http://a:99999/", 3, "<url> malformed"),
    ] {
        let ran = curl(cluster, &format!("-sS {arguments}")).await;
        assert_eq!((ran.code, ran.err), (code, format!("curl: ({code}) {words}\n")), "{arguments}");
        assert_eq!(ran.out, "");
    }
}

#[tokio::test(start_paused = true)]
async fn options_do_what_they_say() {
    let cluster = Cluster::guide();
    let ran =
        curl(&cluster, "-s -o /dev/null -w %{http_code}:%{remote_ip}:%{bad}%%\\n svc-service-b.y1")
            .await;
    assert_eq!(ran.out, "200:10.100.200.12:%\n");
    let ran = curl(&cluster, "-sI svc-service-b.y1/x?y=1").await;
    assert!(ran.out.starts_with("HTTP/1.1 200 OK\r\nServer: nginx/"), "{}", ran.out);
    assert!(ran.out.ends_with("no-cache\r\n\r\n"), "{}", ran.out);
    let ran = curl(&cluster, "-s svc-service-b.y1/x?y=1#z").await;
    assert!(ran.out.contains("URI: /x?y=1\n"), "{}", ran.out);
    let ran = curl(&cluster, "-s --resolve any.name:80:10.100.200.12 http://any.name/").await;
    assert!(ran.out.contains("Server name: b1"), "{}", ran.out);
    let ran = curl(&cluster, "-s -o page svc-service-b.y1").await;
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    let ran = curl(&cluster, "-svo /dev/null -H X-A:1 svc-service-b.y1").await;
    assert!(ran.err.contains("> GET / HTTP/1.1\n> User-Agent: curl/7.30.0\n"), "{}", ran.err);
    assert!(ran.err.contains("> X-A:1\n> \n< HTTP/1.1 200 OK\n"), "{}", ran.err);
    for (misused, told) in [
        ("--nonsense x", "option --nonsense: is unknown"),
        ("-m x y", "option -m: expected a proper"),
        ("x -o", "option -o: requires parameter"),
    ] {
        let ran = curl(&cluster, misused).await;
        assert!(ran.code == 2 && ran.err.contains(told), "{misused}: {}", ran.err);
    }
}

#[tokio::test(start_paused = true)]
async fn a_meter_runs_where_there_is_no_terminal() {
    let ran = curl(&refused_by(Fate::Reset), "svc-service-d.z1").await;
    assert!(ran.err.starts_with("  % Total    % Received"), "{}", ran.err);
    assert!(ran.err.contains("0curl: (7) Failed connect to"), "{}", ran.err);
}
