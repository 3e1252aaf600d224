//! What scripts do, and what people type.

use crate::pod::testing::{Cluster, scripts, sh};

#[tokio::test(start_paused = true)]
async fn scripts_do_what_scripts_do() {
    scripts(&[
        ("echo one; echo two", "one\ntwo\n", 0),
        ("true && echo yes || echo no", "yes\n", 0),
        ("false && echo yes || echo no", "no\n", 0),
        ("false; echo $?", "1\n", 0),
        ("! true", "", 1),
        ("exit 300", "", 44),
        ("x='a  b'; echo $x; echo \"$x\"", "a b\na  b\n", 0),
        ("for i in 1 2 3; do echo $i; done", "1\n2\n3\n", 0),
        ("for i in 1 2 3; do if [ $i = 2 ]; then continue; fi; echo $i; done", "1\n3\n", 0),
        ("while true; do echo x; break; done; echo $?", "x\n0\n", 0),
        ("if false; then echo a; elif true; then echo b; else echo c; fi", "b\n", 0),
        ("echo $(echo a; echo b) c", "a b c\n", 0),
        ("echo hidden > /dev/null; echo kept > f; echo more >> f; cat f", "kept\nmore\n", 0),
        ("nothing 2>&1 | grep -c found", "1\n", 0),
        ("while true; do echo y; done | head -n 2", "y\ny\n", 0),
        ("{ echo a; echo b; } | wc -l", "2\n", 0),
        ("printf 'a\\nb\\n' | while read x; do echo \"<$x>\"; done", "<a>\n<b>\n", 0),
        ("a=1 env | grep '^a='; echo \"$a.\"", "a=1\n.\n", 0),
        ("echo '$HOME' \"$HOME\" \\$HOME", "$HOME /root $HOME\n", 0),
        ("cd /etc && pwd; cd /nowhere || echo stays", "/etc\nstays\n", 0),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_says_so() {
    let ran = sh("telnet x").await;
    assert_eq!((ran.err.as_str(), ran.code), ("sh: telnet: not found\n", 127));
    let ran = sh("echo $((1+1))").await;
    assert_eq!((ran.err.as_str(), ran.code), ("sh: syntax error: no arithmetic here\n", 2));
    let ran = sh("x=y; export x; sh -c \"$z\" < nofile").await;
    assert_eq!(ran.err, "sh: can't open nofile: No such file or directory\n");
}

#[tokio::test(start_paused = true)]
async fn nothing_grows_without_end() {
    let ran = sh("x=abcdefgh; while true; do x=$x$x; done").await;
    assert!(ran.err.contains("too long"), "{}", ran.err);
    let ran = sh("export x='sh -c \"$x\"'; sh -c \"$x\"").await;
    assert!(ran.err.contains("too many shells"), "{}", ran.err);
}

#[tokio::test(start_paused = true)]
async fn a_terminal_has_the_guides_prompt() {
    let typed = "echo hello\rexit\r";
    let ran = Cluster::guide().run(&["/bin/sh"], Some(typed), true).await;
    assert!(ran.out.starts_with("/home # "), "{}", ran.out);
    assert!(ran.out.contains("\r\nhello\r\n/home # "), "{}", ran.out);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let ran = Cluster::guide().run(&["sh"], Some("exit 3\r"), true).await;
    assert_eq!(ran.code, 3);
    let ran = Cluster::guide().run(&["sh"], Some("false\r\x04"), true).await;
    assert_eq!(ran.code, 1, "^D ends a shell with the last status");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_the_command_and_not_the_shell() {
    let ran = Cluster::guide().run(&["sh"], Some("sleep 100000\r\x03echo $?\rexit\r"), true).await;
    assert!(ran.out.contains("^C\r\n"), "{}", ran.out);
    assert!(ran.out.contains("130\r\n"), "{}", ran.out);
    let ran = Cluster::guide().run(&["sleep", "100000"], Some("\x03"), true).await;
    assert_eq!(ran.code, 130);
}

#[tokio::test(start_paused = true)]
async fn a_script_may_come_by_the_input() {
    let typed = "for i in 1 2\ndo\necho $i\ndone\nexit 4\necho never";
    let ran = Cluster::guide().run(&["sh"], Some(typed), false).await;
    assert_eq!((ran.out.as_str(), ran.code), ("1\n2\n", 4));
}

#[tokio::test(start_paused = true)]
async fn an_image_without_a_shell_starts_nothing() {
    let place = ("kube-system", "coredns", "coredns");
    let ran = Cluster::guide().run_in(place, &["sh"], None, false).await;
    assert_eq!(ran.code, 126);
    assert!(ran.out.contains("\\\"sh\\\": executable file not found in $PATH"), "{}", ran.out);
}
