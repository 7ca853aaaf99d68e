//! Live and lab are the same policies: a program on the course machine writes down what it touches, and the lab, over
//! that list, counts the very page-ins and write-backs that the pager made.

use crate::place::{Place, program};
use mager_policies::{Any, Observes, Policy};
use serde_json::Value;

/// The two figures from the pager's own summary: `... 13873 page-ins, 5015 write-backs, ...`.
fn live(summary: &str) -> (u64, u64) {
    let words: Vec<&str> = summary.split([' ', ',', '\n']).collect();
    let before = |what: &str| {
        let at = words.iter().rposition(|&word| word == what).expect("the summary has the figure");
        words[at - 1].parse().expect("a count")
    };
    (before("page-ins"), before("write-backs"))
}

#[test]
fn every_live_policy_pages_as_the_lab_says() {
    let place = Place::new();
    let touches = program("references");
    for (seed, &name) in (1..).zip(Any::NAMES) {
        if Any::new(name, 2).unwrap().needs() > Observes::ReferenceBits {
            continue;
        }
        let frames = ["4", "8", "13"][seed % 3];
        let ran = place.course_run(
            &["-m", frames, "-s", "64", "--policy", name, "--summary"],
            &touches,
            &["30", "6000", &seed.to_string(), "list"],
        );
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let memory = format!("{frames}p");
        let mut lab =
            place.mager(["lab", "run", "list", "--mode", "live", "--page-size", "65536", "--no-opt"]);
        let counted = crate::run::finish(lab.args(["--json", "--policy", name, "--memory", &memory]));
        let rows: Value = serde_json::from_str(&counted.out).expect("the lab prints JSON");
        let figure = |what: &str| rows[0][what].as_u64().expect("a count");
        let (page_ins, write_backs) = live(&ran.err);
        assert!(
            page_ins > 1000 && write_backs > 300,
            "{name}: {page_ins} page-ins, {write_backs} write-backs"
        );
        assert_eq!(
            (figure("page_ins"), figure("write_backs")),
            (page_ins, write_backs),
            "{name} on {frames} frames"
        );
    }
}
