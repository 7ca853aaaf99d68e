//! The commands, as a user types them.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use clap::Parser;
use mager_lab_cli::{LabCommand, LabError};
use std::{fs, path::Path};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: LabCommand,
}

/// Runs `lab` with the words of `line`, `@` standing for the directory.
fn lab(line: &str, dir: &Path) -> Result<(), LabError> {
    let words = line.split(' ').map(|word| word.replace('@', dir.to_str().unwrap()));
    let cli =
        Cli::try_parse_from(std::iter::once("lab".to_owned()).chain(words)).unwrap_or_else(|e| panic!("{e}"));
    cli.command.run()
}

fn generated() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    lab("generate zipf --pages 500 --accesses 20000 --writes 0.2 -o @/z.txt.zst", dir.path()).unwrap();
    lab("generate mix --pages 500 --accesses 20000 -o @/m.oracleGeneral", dir.path()).unwrap();
    dir
}

#[test]
fn every_policy_runs_over_several_traces_in_every_shape() {
    let dir = generated();
    for options in
        ["", " --json", " --csv", " --no-opt --policy clock,lru", " --mode live", " --latency 100us --csv"]
    {
        lab(&format!("run @/z.txt.zst @/m.oracleGeneral --memory 10%,64KiB,100p{options}"), dir.path())
            .unwrap();
    }
    lab("run @/z.txt.zst --miss-ratio 0.2 --policy clock,opt,s3-fifo:small=0.2", dir.path()).unwrap();
}

#[test]
fn curves_are_drawn_as_the_name_of_the_file_says() {
    let dir = generated();
    for (name, start) in [("c.svg", "<svg "), ("c.html", "<!doctype html>"), ("c.csv", "policy,frames,bytes")]
    {
        lab(&format!("curve @/z.txt.zst --points 6 --policy lru,clock,opt -o @/{name}"), dir.path()).unwrap();
        let text = fs::read_to_string(dir.path().join(name)).unwrap();
        assert!(text.starts_with(start), "{name}: {}", &text[..40]);
        for policy in ["lru", "clock", "opt"] {
            assert!(text.contains(policy), "{name} names {policy}");
        }
        assert!(!text.contains("NaN") && !text.contains("inf"), "{name}");
    }
    let error = lab("curve @/z.txt.zst -o @/c.png", dir.path()).unwrap_err().to_string();
    assert!(error.contains(".svg, .html or .csv"), "{error}");
}

#[test]
fn a_page_of_a_curve_needs_nothing_from_elsewhere() {
    let dir = generated();
    lab("curve @/z.txt.zst --points 6 -o @/c.html", dir.path()).unwrap();
    let text = fs::read_to_string(dir.path().join("c.html")).unwrap();
    let links = text.matches("http").count();
    assert_eq!(
        links,
        text.matches("http://www.w3.org/2000/svg").count(),
        "only the name of SVG looks like a link"
    );
}

#[test]
fn statistics_are_drawn_too() {
    let dir = generated();
    for name in ["s.svg", "s.html", "s.csv"] {
        lab(&format!("stats @/z.txt.zst -o @/{name}"), dir.path()).unwrap();
        assert!(fs::metadata(dir.path().join(name)).unwrap().len() > 300, "{name}");
    }
    lab("stats @/m.oracleGeneral --window 500", dir.path()).unwrap();
}

#[test]
fn converting_there_and_back_gives_the_same_text() {
    let dir = generated();
    lab("convert @/m.oracleGeneral @/one.txt", dir.path()).unwrap();
    lab("convert @/one.txt @/two.oracleGeneral.gz", dir.path()).unwrap();
    lab("convert @/two.oracleGeneral.gz @/three.txt", dir.path()).unwrap();
    let text = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(text("one.txt"), text("three.txt"));
    assert_eq!(text("one.txt").lines().count(), 20_000);
}

#[test]
fn what_is_wrong_is_said_in_one_sentence() {
    let dir = generated();
    fs::write(dir.path().join("empty.txt"), "").unwrap();
    for (line, expected) in [
        ("run @/nothing.txt", "cannot open the trace"),
        ("run @/z.txt.zst --policy lifo", "--policy lifo: unknown policy; expected one of: clock, fifo"),
        ("run @/z.txt.zst --policy clock:bits=2", "--policy clock:bits=2: unknown policy parameter"),
        ("run @/z.txt.zst --policy 2q:in=x", "parameter in: expected a ratio between 0 and 16"),
        ("run @/z.txt.zst --policy opt --no-opt", "the optimum needs the whole trace"),
        ("stats @/empty.txt --format plain", "the trace has no accesses"),
    ] {
        let error = lab(line, dir.path()).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{line}: {error}");
    }
}

/// Needs valgrind, and says so loudly where it is missing: the message is then what is tested.
#[test]
fn a_recorded_program_becomes_a_trace() {
    let dir = tempfile::tempdir().unwrap();
    let recorded = lab("record -o @/true.lackey.zst -- true", dir.path());
    if matches!(recorded, Err(LabError::NoValgrind)) {
        eprintln!("NOT RECORDED: valgrind is not installed; only the message about that was tested");
        assert!(recorded.unwrap_err().to_string().contains("install"));
        return;
    }
    recorded.unwrap();
    lab("stats @/true.lackey.zst", dir.path()).unwrap();
    let error = lab("record -o @/x.zst -- /no/such/program", dir.path()).unwrap_err().to_string();
    assert!(error.contains("/no/such/program"), "{error}");
}
