//! What there is to know of the dataplane's engines before one is chosen.

use dataplane::EngineKind;
use std::fmt::Write;

/// What an engine does, and for which rules it is there.
fn about(kind: EngineKind) -> String {
    match kind {
        EngineKind::Auto => {
            let most = EngineKind::MOST_WALKED;
            format!("walk for up to {most} IP rules in force, bitmap for more")
        }
        EngineKind::Walk => "rule after rule: nothing is built, time grows with the list".into(),
        EngineKind::Crossed => {
            let most = EngineKind::MOST_CROSSED;
            format!(
                "crossed tables, fastest up to some {most} filters; rules without groups and sets"
            )
        }
        EngineKind::Paired => {
            let most = EngineKind::MOST_SEARCHES;
            format!(
                "lists by address pairs, where a forest needs more than {most} searches; likewise"
            )
        }
        EngineKind::Forest => {
            let most = EngineKind::MOST_CROSSED;
            format!("search trees, for more than {most} filters; likewise")
        }
        EngineKind::Bitmap => {
            "rows of bits by address class: one index for all ports, for rules between groups"
                .into()
        }
    }
}

/// The help of `--engine`.
pub(super) fn long_help() -> String {
    let mut text =
        "What searches rules for packets, by name; all give the same answers:\n".to_owned();
    for kind in EngineKind::ALL {
        let _ = write!(text, "\n  {kind:8} {}", about(*kind));
    }
    text.push_str("\n\nA port whose rules an engine can not serve has them walked; GET /sim/v1/dataplane tells.");
    text
}
