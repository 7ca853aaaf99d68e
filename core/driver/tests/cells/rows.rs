//! The rows: how a page gets into each state. The page is always `A 0`, private or block 0 of the file `f`.

pub struct Row {
    pub name: String,
    pub story: Vec<&'static str>,
    pub sharing: &'static str,
}

/// Three frames that hold pages under both sharings, and a tick that keeps two of them free.
pub fn pager(sharing: &str) -> String {
    let frames = if sharing == "frame" { 4 } else { 3 };
    format!("pager frames={frames} swap=16 arena=8 low-water=2 sharing={sharing}\n")
}

/// `M` is there to map the file again; `B` shares page 0 where a row is shared.
const PRIVATE: [&str; 5] = ["create A", "create M", "map A swap", "map A swap", "map A file g 0"];
const FILE: [&str; 5] = ["create A", "create M", "map A file f 0", "map A swap", "map A file g 0"];

/// Written, and taken out by working ahead; then only page 0 is left.
const OUT: [&str; 5] = ["write A 0", "write A 1", "tick", "answer all", "unmap A 1"];
const FILE_OUT: [&str; 5] = ["read A 0", "answer all", "write A 1", "tick", "unmap A 1"];
const FILL: [&str; 6] =
    ["map A file g 1 at 5", "map A file g 2 at 6", "map A file g 3 at 7", "read A 5", "read A 6", "read A 7"];

fn row(kind: &str, state: &str, sharing: &'static str, parts: &[&[&'static str]]) -> Row {
    Row { name: format!("{kind}: {state}"), story: parts.concat(), sharing }
}

pub fn rows(sharing: &str) -> Vec<Row> {
    let sharing = if sharing == "frame" { "frame" } else { "place" };
    let mut rows = Vec::new();
    private("private, sole", &[], sharing, &mut rows);
    private("private, shared", &["fork A B"], sharing, &mut rows);
    file("file, one mapping", &[], sharing, &mut rows);
    file("file, two mappings", &["fork A B"], sharing, &mut rows);
    ghosts(sharing, &mut rows);
    rows
}

fn private(kind: &str, share: &[&'static str], sharing: &'static str, rows: &mut Vec<Row>) {
    let mut add = |state, parts: &[&[&'static str]]| rows.push(row(kind, state, sharing, parts));
    add("untouched", &[&PRIVATE, share]);
    add("absent", &[&PRIVATE, &OUT, share]);
    add("wanted", &[&PRIVATE, &OUT, &FILL, share, &["read A 0"]]);
    add("paging in", &[&PRIVATE, &OUT, share, &["read A 0"]]);
    add("paging in (ahead of any fault)", &[&PRIVATE, &OUT, share, &["ahead read A 0"]]);
    add("resident, clean", &[&PRIVATE, &OUT, &["read A 0", "answer all"], share]);
    add("resident, dirty", &[&PRIVATE, &["write A 0"], share]);
    add(
        "writing back, promised (to nobody: working ahead)",
        &[&PRIVATE, &["write A 0", "write A 1", "tick"], share],
    );
    let demanded: &[&[&'static str]] =
        &[&PRIVATE, &["write A 0"], share, &["map A file g 2 at 6", "read A 2", "read A 6", "write A 1"]];
    add("writing back, promised (to a demand)", demanded);
}

fn file(kind: &str, share: &[&'static str], sharing: &'static str, rows: &mut Vec<Row>) {
    let mut add = |state, parts: &[&[&'static str]]| rows.push(row(kind, state, sharing, parts));
    add("absent", &[&FILE, &FILE_OUT, share]);
    add("wanted", &[&FILE, &FILE_OUT, &FILL, share, &["read A 0"]]);
    add("paging in", &[&FILE, share, &["read A 0"]]);
    add("paging in (ahead of any fault)", &[&FILE, share, &["ahead read A 0"]]);
    add("resident, clean", &[&FILE, &["read A 0", "answer all"], share]);
    add("resident, dirty", &[&FILE, &["write A 0", "answer all"], share]);
    add("writing back, not promised", &[&FILE, &["write A 0", "answer all"], share, &["flush"]]);
    let ahead = ["write A 0", "answer all", "write A 1", "tick"];
    add("writing back, promised (to nobody: working ahead)", &[&FILE, &ahead, share]);
    let demanded = ["map A file g 2 at 6", "read A 2", "read A 6", "write A 1"];
    add("writing back, promised (to a demand)", &[&FILE, &["write A 0", "answer all"], share, &demanded]);
}

fn ghosts(sharing: &'static str, rows: &mut Vec<Row>) {
    let mut add = |state, parts: &[&[&'static str]]| rows.push(row("ghost", state, sharing, parts));
    let gone = ["unmap A 0"];
    let behind: &[&[&'static str]] = &[&FILE, &FILE_OUT, &FILL, &["read A 2", "read A 0"], &gone];
    add("wanted (behind another demand, and to be dropped)", behind);
    add("paging in (and to be dropped)", &[&FILE, &["read A 0"], &gone]);
    add("resident, clean", &[&FILE, &["read A 0", "answer all"], &gone]);
    add("resident, dirty", &[&FILE, &["write A 0", "answer all"], &gone]);
    add("writing back, not promised", &[&FILE, &["write A 0", "answer all"], &gone, &["flush"]]);
    let ahead = ["write A 0", "answer all", "write A 1", "tick"];
    add("writing back, promised (to nobody: working ahead)", &[&FILE, &ahead, &gone]);
    let demanded = ["map A file g 2 at 6", "read A 2", "read A 6", "write A 1"];
    add("writing back, promised (to a demand)", &[&FILE, &["write A 0", "answer all"], &demanded, &gone]);
    rows.push(row(
        "private, nobody's",
        "paging in (and to be dropped)",
        sharing,
        &[&PRIVATE, &OUT, &["read A 0"], &gone],
    ));
    let written = ["write A 0", "write A 1", "tick"];
    rows.push(row(
        "private, nobody's",
        "writing back, promised (and to be dropped)",
        sharing,
        &[&PRIVATE, &written, &gone],
    ));
}
