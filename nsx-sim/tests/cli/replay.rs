//! `replay`: captures and flow records, through the real binary.

use super::{Served, golden::golden, nsx_sim, run, text};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;

/// A folder of a test's own, gone when the value goes.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("nsx-sim-replay-{test}-{}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&folder.0).expect("a folder");
        folder.file("world.json", world().to_string().as_bytes());
        folder
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    }

    /// Replays a file by the world of this folder.
    fn replay(&self, file: &str, more: &[&str]) -> Output {
        let world = self.0.join("world.json").display().to_string();
        run(&[&["replay", file, "--world", &world], more].concat())
    }

    /// What it says of a file that can be replayed, without how long it took.
    fn told(&self, file: &str, more: &[&str]) -> String {
        without_time(&self.replay(file, more))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn without_time(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    let line = |line: &str| match line.split_once(" in ") {
        Some((what, rest)) if rest.ends_with("/s") => what.to_owned(),
        _ => line.to_owned(),
    };
    told.lines().map(|own| line(own) + "\n").collect()
}

fn json_lines(output: &Output) -> Vec<Value> {
    let told = text(&output.stdout);
    let mut lines: Vec<Value> =
        told.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let summary = lines.last_mut().expect("a summary");
    for time in ["seconds", "per_second"] {
        assert!(summary["summary"][time].is_number(), "{summary}");
        summary["summary"][time] = Value::Null;
    }
    lines
}

/// Two machines; TCP to 443, UDP to 53 and pings are allowed, the rest is rejected.
fn world() -> Value {
    let port = |name: &str, last: u8| {
        let mac = format!("02:00:00:00:00:0{last}");
        let binding = |ip: String| json!({"ip_address": ip, "mac_address": mac});
        json!({"post": "/logical-ports", "body": {
            "id": name, "display_name": name, "logical_switch_id": "segment", "admin_state": "UP",
            "attachment": {"attachment_type": "VIF", "id": format!("vif-{name}")},
            "address_bindings": [binding(format!("10.0.0.{last}")), binding(format!("fd00::{last}"))],
        }})
    };
    let allow = |name: &str, protocol: &str, port: &str| {
        json!({"display_name": name, "action": "ALLOW", "direction": "IN_OUT", "services": [
            {"service": {"resource_type": "L4PortSetNSService", "l4_protocol": protocol,
                "destination_ports": [port]}}]})
    };
    let ping = json!({"display_name": "ping", "action": "ALLOW", "services": [
        {"service": {"resource_type": "ICMPTypeNSService", "protocol": "ICMPv4", "icmp_type": 8}}]});
    let rules = [
        allow("https", "TCP", "443"),
        allow("dns", "UDP", "53"),
        ping,
        json!({"display_name": "nothing else", "action": "REJECT"}),
    ];
    json!({"name": "replay", "objects": [
        {"post": "/logical-switches", "body": {"id": "segment", "display_name": "segment",
            "transport_zone_id": "1b3a2f36-bfd1-443e-a0f6-4de01abc963e", "admin_state": "UP"}},
        port("web", 1),
        port("db", 2),
        {"post": "/firewall/sections?action=create_with_rules", "body": {
            "display_name": "shop", "section_type": "LAYER3", "stateful": true, "rules": rules}},
    ]})
}

/// The golden frames by name.
fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let block = |block: &'static str| {
        let mut lines = block.lines().filter(|line| !line.starts_with('#'));
        let name = lines.next()?;
        let hex: String = lines.take_while(|line| !line.starts_with('=')).collect();
        let bytes = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16));
        Some((name, bytes.collect::<Result<_, _>>().ok()?))
    };
    fixtures::FRAMES.split("\n\n").filter_map(block).collect()
}

fn frame(name: &str) -> Vec<u8> {
    frames().into_iter().find(|(own, _)| *own == name).expect(name).1
}

/// A capture of Ethernet frames, each with its moment in milliseconds.
fn pcap(packets: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 2 | 4 << 16, 0, 0, 65_535, 1] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    for (at, bytes) in packets {
        let length = u32::try_from(bytes.len()).expect("a short frame");
        for word in [at / 1_000, at % 1_000 * 1_000, length, length] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(bytes);
    }
    file
}

/// The same in pcapng, with a clock of nanoseconds and the other byte order.
fn pcapng(packets: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let block = |kind: u32, mut body: Vec<u8>| {
        body.resize(body.len().next_multiple_of(4), 0);
        let length = u32::try_from(body.len() + 12).expect("a short block").to_be_bytes();
        [&kind.to_be_bytes(), &length[..], &body, &length].concat()
    };
    let section = [&0x1a2b_3c4d_u32.to_be_bytes()[..], &[0, 1, 0, 0], &[0xff; 8]].concat();
    let nanoseconds = [0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0];
    let interface = [&[0, 1, 0, 0, 0, 0, 0xff, 0xff][..], &nanoseconds].concat();
    let mut file = block(0x0a0d_0d0a, section);
    file.extend(block(1, interface));
    for (at, bytes) in packets {
        let ticks = (u64::from(*at) * 1_000_000).to_be_bytes();
        let length = u32::try_from(bytes.len()).expect("a short frame").to_be_bytes();
        file.extend(block(6, [&[0; 4][..], &ticks, &length, &length, bytes].concat()));
    }
    file
}

#[test]
fn a_capture_is_told_packet_by_packet_and_summed_up() {
    let folder = Folder::new("capture");
    let packets: Vec<_> = (0..).zip(frames()).map(|(at, (_, bytes))| (at, bytes)).collect();
    let file = folder.file("frames.pcap", &pcap(&packets));
    let told = folder.told(&file, &[]);
    golden("replay.txt", &told);
    let other = folder.file("frames.pcapng", &pcapng(&packets));
    assert_eq!(folder.told(&other, &[]), told, "pcapng says the same");
    let summary = folder.told(&file, &["--summary"]);
    assert!(told.ends_with(&format!("\n\n{summary}")), "{summary}");
}

#[test]
fn at_one_port_packets_meet_its_filter_alone() {
    let folder = Folder::new("port");
    let syn = frame("SYN with options, padded to nothing");
    let file = folder.file("syn.pcap", &pcap(&[(0, syn)]));
    for (port, way) in [("web", "at web OUT"), ("db", "at db IN"), ("10.0.0.2", "at db IN")] {
        let told = folder.told(&file, &["--port", port]);
        assert!(told.lines().next().is_some_and(|line| line.ends_with(way)), "{told}");
    }
    let other = folder.file("other.csv", b"src,dst,proto\n10.0.0.8,10.0.0.9,gre\n");
    assert!(folder.told(&other, &["--port", "web"]).contains("NO_FILTER 1\n"));
}

#[test]
fn connections_end_by_the_capture_s_own_time() {
    let folder = Folder::new("time");
    let query = frame("a DNS query behind an 802.1Q tag");
    // The answer: ends exchanged, in Ethernet, IP and UDP.
    let mut answer = query.clone();
    for (one, other, length) in [(0, 6, 6), (30, 34, 4), (38, 40, 2)] {
        for at in 0..length {
            answer.swap(one + at, other + at);
        }
    }
    let packets = [(0, query.clone()), (59_999, answer.clone()), (119_999, answer)];
    let file = folder.file("dns.pcap", &pcap(&packets));
    let output = folder.replay(&file, &["--json"]);
    let lines = json_lines(&output);
    let by = |place: usize| (lines[place]["outcome"].clone(), lines[place]["by"].clone());
    assert_eq!(by(0), (json!("ALLOWED"), json!("RULE")));
    assert_eq!(by(1), (json!("ALLOWED"), json!("FLOW")));
    assert_eq!(by(2), (json!("REJECTED"), json!("RULE")), "after 60 s");
    assert_eq!(lines[2]["time_ms"], 119_999);
}

const RECORDS: &str = "\
src,dst,proto,sport,dport,count
10.0.0.1,10.0.0.2,tcp,40000,443,7
10.0.0.1,10.0.0.2,6,40001,22,
10.0.0.1,10.0.0.2,udp,40000,53,1
fd00::1,fd00::2,TCP,1,22,2
192.0.2.1,192.0.2.2,tcp,1,2,5
10.0.0.9,10.0.0.2,icmp,,,3
10.0.0.1,10.0.0.2,tcp,40002,22,4
";

#[test]
fn flow_records_are_judged_each_by_itself() {
    let folder = Folder::new("csv");
    let file = folder.file("flows.csv", RECORDS.as_bytes());
    let lines = json_lines(&folder.replay(&file, &["--json"]));
    assert_eq!(lines.len(), 8);
    assert_eq!(lines[0]["line"], 2);
    assert_eq!(lines[0]["rule_name"], "https");
    assert_eq!(lines[0]["logical_port_name"], "db");
    let summary = &lines[7]["summary"];
    let sums = ["items", "flows", "allowed", "dropped", "rejected", "no_filter", "unreadable"];
    let sums = sums.map(|name| summary[name].as_u64().expect(name));
    assert_eq!(sums, [7, 23, 11, 0, 7, 5, 0]);
    let denied = summary["denied"].as_array().expect("a list");
    let denied: Vec<_> =
        denied.iter().map(|own| (own["count"].clone(), own["dport"].clone())).collect();
    assert_eq!(
        denied,
        [(json!(5), json!(22)), (json!(2), json!(22))],
        "alike but for the source port"
    );
    let short = folder.told(&file, &["--summary", "--denied", "1"]);
    assert!(short.contains("and 1 more; --denied 0 lists all"), "{short}");
}

/// The records in Parquet, with numbers as numbers, and nulls.
fn write_parquet(path: &Path) {
    let schema = "message flows { REQUIRED BYTE_ARRAY src (UTF8); REQUIRED BYTE_ARRAY dst (UTF8);
        REQUIRED BYTE_ARRAY proto (UTF8); OPTIONAL INT32 sport (UINT_16);
        OPTIONAL INT32 dport (UINT_16); OPTIONAL INT32 count; }";
    let schema = parquet::schema::parser::parse_message_type(schema).expect("a schema");
    let rows: Vec<Vec<&str>> =
        RECORDS.lines().skip(1).map(|row| row.split(',').collect()).collect();
    let properties =
        WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY).build();
    let file = std::fs::File::create(path).expect("a file");
    let mut writer =
        SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).expect("a writer");
    let mut group = writer.next_row_group().expect("a group");
    for column in 0..6 {
        let cells: Vec<&str> = rows.iter().map(|row| row[column]).collect();
        let mut writer = group.next_column().expect("a column").expect("a column");
        if column < 3 {
            let texts: Vec<ByteArray> = cells.into_iter().map(ByteArray::from).collect();
            writer.typed::<ByteArrayType>().write_batch(&texts, None, None).expect("texts");
        } else {
            let levels: Vec<i16> = cells.iter().map(|cell| i16::from(!cell.is_empty())).collect();
            let numbers: Vec<i32> = cells.iter().filter_map(|cell| cell.parse().ok()).collect();
            writer
                .typed::<Int32Type>()
                .write_batch(&numbers, Some(&levels), None)
                .expect("numbers");
        }
        writer.close().expect("a column");
    }
    group.close().expect("a group");
    writer.close().expect("a file");
}

#[test]
fn parquet_says_the_same_as_csv() {
    let folder = Folder::new("parquet");
    let csv = folder.file("flows.csv", RECORDS.as_bytes());
    let path = folder.0.join("flows.parquet");
    write_parquet(&path);
    let (one, other) = (
        json_lines(&folder.replay(&csv, &["--json"])),
        json_lines(&folder.replay(&path.display().to_string(), &["--json"])),
    );
    for (place, (csv, parquet)) in one.into_iter().zip(other).enumerate() {
        // Lines are counted with the header, rows without.
        let mut row = parquet.clone();
        if place < 7 {
            assert_eq!(row["line"], place + 1);
            row["line"] = csv["line"].clone();
        }
        assert_eq!(row, csv);
    }
}

#[test]
fn a_manager_says_the_same_as_a_world_in_the_process() {
    let folder = Folder::new("remote");
    let world = folder.0.join("world.json").display().to_string();
    let served = Served::new(&["--world", &world, "--plain-http"]);
    let packets: Vec<_> = frames().into_iter().map(|(_, bytes)| (0, bytes)).collect();
    let capture = folder.file("frames.pcap", &pcap(&packets));
    let records = folder.file("flows.csv", RECORDS.as_bytes());
    // Records leave no trace, so they can be judged again; a capture leaves connections.
    for (file, port) in
        [(&records, &[][..]), (&records, &["--port", "web"]), (&capture, &["--port", "db"])]
    {
        let remote = run(&[&["replay", file, "--url", &served.url], port].concat());
        assert_eq!(without_time(&remote), folder.told(file, port));
    }
    let unknown = run(&[
        "replay",
        &folder.file("e.csv", RECORDS.as_bytes()),
        "--url",
        &served.url,
        "--port",
        "x",
    ]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        text(&unknown.stderr).contains("port x is the id or name of no"),
        "{}",
        text(&unknown.stderr)
    );
}

#[test]
fn standard_input_is_read_where_the_file_is_a_dash() {
    let folder = Folder::new("stdin");
    let world = folder.0.join("world.json").display().to_string();
    let mut child = nsx_sim(&["replay", "-", "--world", &world])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("a pipe").write_all(RECORDS.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    let file = folder.file("flows.csv", RECORDS.as_bytes());
    assert_eq!(without_time(&output), folder.told(&file, &[]));
}

/// A section of pcapng in the other byte order, with a clock of nanoseconds that is an hour behind on one
/// interface, and one of 1,024 ticks on another that has no Ethernet headers.
fn two_interfaces(ethernet: &[u8]) -> Vec<u8> {
    let block = |kind: u32, mut body: Vec<u8>| {
        body.resize(body.len().next_multiple_of(4), 0);
        let length = u32::try_from(body.len() + 12).expect("a short block").to_be_bytes();
        [&kind.to_be_bytes(), &length[..], &body, &length].concat()
    };
    let section = [&0x1a2b_3c4d_u32.to_be_bytes()[..], &[0, 1, 0, 0], &[0xff; 8]].concat();
    let interface = |link: u8, resolution: u8, offset: i64| {
        let clock = [0, 9, 0, 1, resolution, 0, 0, 0];
        let behind = [&[0, 14, 0, 8][..], &offset.to_be_bytes()].concat();
        block(1, [&[0, link, 0, 0, 0, 0, 0xff, 0xff][..], &clock, &behind, &[0; 4]].concat())
    };
    let packet = |interface: u8, ticks: u64, bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).expect("a short frame").to_be_bytes();
        block(
            6,
            [&[0, 0, 0, interface][..], &ticks.to_be_bytes(), &length, &length, bytes].concat(),
        )
    };
    [
        block(0x0a0d_0d0a, section),
        interface(1, 9, 3_600),
        interface(101, 0x80 | 0x0a, 0),
        packet(1, 2_048, &ethernet[14..]),
        packet(0, 1_500_000_000, ethernet),
    ]
    .concat()
}

#[test]
fn each_interface_of_a_capture_has_its_own_clock_and_headers() {
    let folder = Folder::new("interfaces");
    let syn = frame("SYN with options, padded to nothing");
    let file = folder.file("two.pcapng", &two_interfaces(&syn));
    let lines = json_lines(&folder.replay(&file, &["--json"]));
    assert_eq!([&lines[0]["time_ms"], &lines[1]["time_ms"]], [&json!(2_000), &json!(3_601_500)]);
    assert_eq!(lines[0]["src"], lines[1]["src"], "the same packet with and without Ethernet");
    assert_eq!(lines[0]["dport"], lines[1]["dport"]);
}

#[test]
fn records_are_read_as_spreadsheets_and_other_tools_write_them() {
    let folder = Folder::new("variants");
    let plain = folder.told(&folder.file("flows.csv", RECORDS.as_bytes()), &["--summary"]);
    let variants = [
        ("semicolons", RECORDS.replace(',', ";")),
        ("tabs", RECORDS.replace(',', "\t")),
        ("mark and carriage returns", format!("\u{feff}{}", RECORDS.replace('\n', "\r\n"))),
        (
            "comments and blank lines",
            format!("# exported\n\n{}\n# end\n", RECORDS.replace(",udp", "\t,udp")),
        ),
        (
            "quotes, capitals and spaces",
            RECORDS.replace("src,", "\"SRC\" ,").replace("10.0.0.9,", "\" 10.0.0.9\","),
        ),
        ("no newline at the end", RECORDS.trim_end().to_owned()),
    ];
    for (name, text) in variants {
        let file = folder.file("variant.csv", text.as_bytes());
        assert_eq!(folder.told(&file, &["--summary"]), plain, "{name}");
    }
    let header = folder.file("header.csv", b"src,dst,proto\n");
    assert!(folder.told(&header, &[]).starts_with("0 records\n"));
    let many = format!(
        "src,dst,proto,dport,count\n{}",
        "10.0.0.1,10.0.0.2,tcp,22,18446744073709551615\n".repeat(2)
    );
    let many = folder.told(&folder.file("many.csv", many.as_bytes()), &["--summary"]);
    assert!(many.contains("REJECTED 18,446,744,073,709,551,615\n"), "no overflow: {many}");
}

#[test]
fn who_stops_reading_the_output_ends_it_without_a_word() {
    let folder = Folder::new("pipe");
    let world = folder.0.join("world.json").display().to_string();
    let lines = "10.0.0.1,10.0.0.2,tcp,443\n".repeat(20_000);
    let file = folder.file("long.csv", format!("src,dst,proto,dport\n{lines}").as_bytes());
    let mut child = nsx_sim(&["replay", &file, "--world", &world])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}

#[test]
fn parquet_that_can_not_be_unpacked_names_its_codec_and_the_way_out() {
    let folder = Folder::new("codec");
    let path = folder.0.join("flows.parquet");
    write_parquet(&path);
    let mut bytes = std::fs::read(&path).expect("a file");
    // In the directory at the end of the file the codec follows the column's name, and snappy is 1.
    let place = bytes.windows(5).rposition(|own| own == b"src\x15\x02").expect("a codec");
    for (number, name) in [(6, "zstd"), (4, "brotli"), (3, "LZO")] {
        bytes[place + 4] = 2 * number;
        let output = folder.replay(&folder.file("packed.parquet", &bytes), &[]);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(&format!("column \"src\": is compressed with {name};")), "{error}");
        assert!(error.contains("duckdb -csv") && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn what_can_not_be_read_is_named_with_its_place() {
    let folder = Folder::new("errors");
    let fails = |name: &str, bytes: &[u8], expected: &str| {
        let output = folder.replay(&folder.file(name, bytes), &[]);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {error}");
        assert!(error.contains(expected) && error.contains(name), "{name}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        text(&output.stdout)
    };
    let csv = |line: &str| format!("src,dst,proto,dport\n10.0.0.1,10.0.0.2,tcp,443\n{line}\n");
    for (line, expected) in [
        ("10.0.0.1,10.0.0.2,tcp,http", "line 3: column dport: \"http\" is not a port"),
        ("10.0.0,10.0.0.2,tcp,1", "line 3: column src: \"10.0.0\" is no IP address"),
        ("10.0.0.1,,tcp,1", "line 3: column dst is empty"),
        ("10.0.0.1,10.0.0.2,tcp,", "line 3: column dport is empty; TCP and UDP need it"),
        ("10.0.0.1,10.0.0.2,quic,1", "line 3: column proto: \"quic\" is no protocol"),
        ("10.0.0.1,fd00::2,tcp,1", "line 3: the addresses are of two IP versions"),
        ("10.0.0.1,10.0.0.2", "line: 3"),
    ] {
        let told = fails("bad.csv", csv(line).as_bytes(), expected);
        assert_eq!(told.lines().count(), 1, "what came before is told: {told}");
    }
    fails("colour.csv", b"src,dst,proto,colour\n", "unknown column \"colour\"");
    fails("twice.csv", b"src,dst,proto,SRC\n", "column SRC is there twice");
    fails("short.csv", b"src,dst\n", "column proto is missing");
    fails("packed.csv.gz", b"\x1f\x8b\x08\0", "`gunzip -c FILE | nsx-sim replay -`");
    fails("packed.csv.zst", b"\x28\xb5\x2f\xfd\0", "`zstd -dc FILE | nsx-sim replay -`");
    fails("nothing", b"", "is empty");
    fails("no.parquet", b"PAR1PAR1", "begins like Parquet and is none");
    let syn = frame("SYN with options, padded to nothing");
    let whole = pcap(&[(0, syn.clone()), (1, syn)]);
    let told = fails("cut.pcap", &whole[..whole.len() - 1], "after packet 1: the capture ends");
    assert_eq!(told.lines().count(), 1, "{told}");
    let output = folder.replay("no-such-file", &[]);
    assert!(text(&output.stderr).contains("no-such-file: can not be opened"));
    let port = folder.replay(&folder.file("f.csv", RECORDS.as_bytes()), &["--port", "nobody"]);
    assert!(
        text(&port.stderr).contains("--port nobody is the id or name of no"),
        "{}",
        text(&port.stderr)
    );
}
