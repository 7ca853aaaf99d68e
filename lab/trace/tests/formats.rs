//! Every format read, split into pages, told apart; and what is said of what cannot be read.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use mager_trace::{Batch, Format, Load, Options, Output, Pages, Reader, Writer, generate};
use std::{
    io::{Cursor, Write},
    path::Path,
};

fn read(name: &str, bytes: impl Into<Vec<u8>>, options: &Options) -> Result<(Format, Batch, u64), String> {
    let source = Box::new(Cursor::new(bytes.into()));
    let mut reader =
        Reader::from_source(source, Path::new(name), options).map_err(|error| error.to_string())?;
    let (mut all, mut batch) = (Batch::default(), Batch::default());
    while reader.next_batch(&mut batch).map_err(|error| error.to_string())? {
        all.pages.extend(&batch.pages);
        all.writes.extend(&batch.writes);
    }
    Ok((reader.format(), all, reader.bad()))
}

fn accesses(name: &str, bytes: impl Into<Vec<u8>>) -> (Format, Vec<(u64, bool)>) {
    let (format, batch, bad) = read(name, bytes, &Options::default()).unwrap();
    assert_eq!(bad, 0);
    (format, batch.pages.into_iter().zip(batch.writes).collect())
}

const LACKEY: &str =
    "==12== Lackey, an example Valgrind tool\nI  04001000,3\n L 1ffeffe7e0,8\n S 04001ffe,4\n M 5000,8\n";

#[test]
fn lackey_fetches_and_loads_read_stores_and_modifications_write() {
    let (format, found) = accesses("t", LACKEY);
    assert_eq!(format, Format::Lackey);
    let expected = [(0x4001, false), (0x1ff_effe, false), (0x4001, true), (0x4002, true), (5, true)];
    assert_eq!(found, expected, "the store spans two pages");
    let data = Options { data_only: true, ..Options::default() };
    assert_eq!(read("t", LACKEY, &data).unwrap().1.len(), 4);
}

#[test]
fn page_size_decides_what_one_page_is() {
    let pages = Pages::of(1 << 16).unwrap();
    let options = Options { pages, ..Options::default() };
    assert_eq!(read("t", LACKEY, &options).unwrap().1.pages, [0x400, 0x1f_feff, 0x400, 0]);
    assert!(Pages::of(3000).is_none());
}

#[test]
fn oracle_general_records_hold_a_number_at_byte_four() {
    let mut bytes = Vec::new();
    for (time, object) in [(1u32, 77u64), (2, u64::MAX - 5), (3, 77)] {
        bytes.extend(time.to_le_bytes());
        bytes.extend(object.to_le_bytes());
        bytes.extend(512u32.to_le_bytes());
        bytes.extend((-1i64).to_le_bytes());
    }
    let (format, found) = accesses("cluster.bin", bytes.clone());
    assert_eq!(format, Format::OracleGeneral);
    assert_eq!(found, [(77, false), (u64::MAX - 5, false), (77, false)]);
    let error = read("a.oracleGeneral", &bytes[..50], &Options::default()).unwrap_err();
    assert!(error.starts_with("a.oracleGeneral: record 3: expected 24 bytes"), "{error}");
}

#[test]
fn csv_finds_the_object_by_its_heading_or_second() {
    let (format, found) = accesses("t.csv", "time,size,obj_id,op\n1,10,42,get\n2,10,43,set\n");
    assert_eq!((format, found), (Format::Csv, vec![(42, false), (43, true)]));
    assert_eq!(accesses("t.csv", "1,42,10\n2,43,10\n").1, [(42, false), (43, false)]);
    let named = accesses("t.csv", "1,alpha,10\n2,beta,10\n3,alpha,10\n").1;
    assert!(named[0] == named[2] && named[0] != named[1]);
}

#[test]
fn plain_text_holds_pages_or_addresses() {
    let (format, found) = accesses("t.txt", "# mine\n12\n0x3000\n\n7 w\n12 r\r\n");
    assert_eq!((format, found), (Format::Plain, vec![(12, false), (3, false), (7, true), (12, false)]));
}

#[test]
fn drcachesim_view_gives_fetches_reads_and_writes() {
    let text = "Output format:\n<--record#-> <--instr#->: <---tid---> <record details>\n\
        ------------------------------------------------------------\n\
        \x20          1           0:     T342625 <marker: version 3>\n\
        \x20         10           1:     T342625 ifetch       3 byte(s) @ 0x00007f08d8000100 48 89 e7  mov\n\
        \x20         11           1:     T342625 read         8 byte(s) @ 0x00007ffd00000ffc by PC 0x00007f08d8000100\n\
        \x20         12           1:     T342625 write        8 byte(s) @ 0x0000000000005000 by PC 0x00007f08d8000100\n";
    let (format, found) = accesses("t", text);
    assert_eq!(format, Format::Drcachesim);
    let stack = 0x7_ffd0_0000;
    assert_eq!(found, [(0x7_f08d_8000, false), (stack, false), (stack + 1, false), (5, true)]);
}

#[test]
fn pinatrace_and_perf_and_msr_lines_are_told_apart() {
    let (format, found) = accesses("t", "0x401000: R 0x7000\n0x401004: W 0x8008\n#eof\n");
    assert_eq!((format, found), (Format::Pinatrace, vec![(7, false), (8, true)]));
    let text =
        "cc1  4321   567.890123: page-faults:     7f1234567000\ncc1  4321   567.9: cpu/mem-stores/P: 5008\n";
    let (format, found) = accesses("t", text);
    assert_eq!((format, found), (Format::Perf, vec![(0x7_f123_4567, false), (5, true)]));
    let text =
        "128166372003061629,usr,0,Read,7014609920,24576,41286\n128166372016382155,usr,1,Write,4096,512,3\n";
    let (format, found) = accesses("t", text);
    assert_eq!(format, Format::Msr);
    let first = 7_014_609_920 / 4096;
    let mut expected: Vec<(u64, bool)> = (first..first + 7).map(|page| (page, false)).collect();
    expected.push((1 << 44 | 1, true));
    assert_eq!(found, expected, "24576 bytes not aligned lie in seven pages, and disks are kept apart");
}

#[test]
fn vscsi_records_of_both_versions_are_read() {
    let mut first = vec![0u8; 32];
    first[4..8].copy_from_slice(&8192u32.to_le_bytes());
    first[12..14].copy_from_slice(&0x2au16.to_le_bytes());
    first[14..16].copy_from_slice(&(1u16 << 8).to_le_bytes());
    first[16..24].copy_from_slice(&80u64.to_le_bytes());
    assert_eq!(accesses("a.vscsi", first), (Format::Vscsi, vec![(10, true), (11, true)]));
    let mut second = vec![0u8; 40];
    second[0..2].copy_from_slice(&0x28u16.to_le_bytes());
    second[2..4].copy_from_slice(&(2u16 << 8).to_le_bytes());
    second[8..12].copy_from_slice(&512u32.to_le_bytes());
    second[16..24].copy_from_slice(&8u64.to_le_bytes());
    assert_eq!(accesses("t.bin", second), (Format::Vscsi, vec![(1, false)]));
}

#[test]
fn compressed_traces_are_read_like_plain_ones() {
    let plain = accesses("t", LACKEY);
    assert_eq!(accesses("t", zstd::encode_all(LACKEY.as_bytes(), 1).unwrap()), plain);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(LACKEY.as_bytes()).unwrap();
    assert_eq!(accesses("t", gzip.finish().unwrap()), plain);
}

#[test]
fn damaged_compressed_data_is_an_error_and_not_a_shorter_trace() {
    let packed = zstd::encode_all(LACKEY.repeat(500).as_bytes(), 1).unwrap();
    let error = read("t.zst", &packed[..packed.len() - 9], &Options::default()).unwrap_err();
    assert!(error.starts_with("t.zst: cannot read the trace"), "{error}");
}

#[test]
fn a_bad_line_is_named_with_its_number_and_what_was_expected() {
    let text = format!("{LACKEY} L what,8\n L 6000,8\n");
    let error = read("run.lackey", text.clone(), &Options::default()).unwrap_err();
    let expected =
        "run.lackey: line 6: expected `I  ADDRESS,SIZE`, or ` L`, ` S` or ` M` in the place of `I `";
    assert!(error.starts_with(expected), "{error}");
    let skipping = Options { skip_bad: true, ..Options::default() };
    let (_, batch, bad) = read("run.lackey", text, &skipping).unwrap();
    assert_eq!((batch.len(), bad), (6, 1));
}

#[test]
fn a_log_of_faults_is_refused_with_the_reason() {
    let error = read("run.log", "vm_create\t(0, 1)\nvm_fault\t(0x600000000, read)\n", &Options::default())
        .unwrap_err();
    assert!(error.contains("log of faults") && error.contains("not resident"), "{error}");
}

#[test]
fn what_is_no_trace_is_refused() {
    let error = read("x", "hello world\n", &Options::default()).unwrap_err();
    assert!(error.contains("--format"), "{error}");
    assert!(
        "lackey".parse::<Format>().is_ok() && "elf".parse::<Format>().unwrap_err().contains("oracle-general")
    );
}

#[test]
fn batches_do_not_depend_on_where_the_buffer_ends() {
    let line = |i: u64| format!(" L {:08x},{}\n", i * 100, 1 + i % 8);
    let text: String = (0..60_000).map(line).collect();
    let found = accesses("t", text).1;
    let spans = |i: u64| (i * 100 % 4096 + i % 8) / 4096;
    assert_eq!(found.len() as u64, 60_000 + (0..60_000).map(spans).sum::<u64>());
    assert!(found.is_sorted());
}

#[test]
fn what_is_written_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a.txt", "a.txt.gz", "a.oracleGeneral", "a.oracleGeneral.zst"] {
        let path = dir.path().join(name);
        let mut writer = Writer::create(&path, Output::by_name(&path)).unwrap();
        for page in 0..10_000u64 {
            writer.push(page * 3, page % 5 == 0, Some(page + 1)).unwrap();
        }
        writer.finish().unwrap();
        let mut reader = Reader::open(&path, &Options::default()).unwrap();
        let (mut batch, mut page) = (Batch::default(), 0u64);
        while reader.next_batch(&mut batch).unwrap() {
            for (&found, &write) in batch.pages.iter().zip(&batch.writes) {
                assert_eq!(found, page * 3, "{name}");
                assert_eq!(write, name.contains("txt") && page % 5 == 0, "{name}: only text keeps writes");
                page += 1;
            }
        }
        assert_eq!(page, 10_000, "{name}");
    }
}

#[test]
fn a_seed_makes_one_trace_and_another_seed_another() {
    let make = |seed| {
        let mut all = Vec::<u64>::new();
        let load = Load::Zipf { skew: 1.0 };
        let made: Result<(), ()> = generate(&load, 1000, 50_000, 0.0, seed, |batch| {
            all.extend(&batch.pages);
            Ok(())
        });
        made.unwrap();
        all
    };
    let (one, other) = (make(1), make(2));
    assert!(one == make(1) && one != other);
    let share = |page: u64| one.iter().filter(|&&p| p == page).count() as f64 / one.len() as f64;
    let harmonic: f64 = (1..=1000).map(|i| 1.0 / f64::from(i)).sum();
    for (page, rank) in [(0, 1.0), (1, 2.0), (9, 10.0)] {
        let expected = 1.0 / (rank * harmonic);
        assert!(
            (share(page) / expected - 1.0).abs() < 0.1,
            "page {page}: {} against {expected}",
            share(page)
        );
    }
}
