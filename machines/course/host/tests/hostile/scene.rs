//! The scene of each test: Mager's pager, two honest applications that never stop, and whoever makes trouble.

use crate::common::{Place, Running, compiled, until};
use rustix::process::Signal;
use std::path::PathBuf;

/// Writes and reads at random, by a seed, four swap pages and two of a file of its own, knowing what each word must
/// be; forks now and then a child that checks and spoils its copy of the swap pages. Ends when it is let go.
const HONEST: &str = r#"
static unsigned long state;
static unsigned next(unsigned n) { state = state * 6364136223846793005ul + 1442695040888963407ul; return static_cast<unsigned>(state >> 33) % n; }
static volatile long *pages[6];
static long model[6][64];
static void check() {
    for (int p = 0; p < 6; ++p)
        for (int w = 0; w < 64; ++w)
            if (pages[p][w * 128] != model[p][w]) { std::printf("MISMATCH page %d word %d\n", p, w); std::exit(1); }
}
int main(int, char **argv) {
    state = std::strtoul(argv[1], nullptr, 10);
    char *name = page();
    std::strcpy(name, argv[1]);
    for (int p = 0; p < 4; ++p) pages[p] = reinterpret_cast<long *>(page());
    for (int p = 4; p < 6; ++p) pages[p] = static_cast<long *>(vm_map(name, static_cast<unsigned>(p - 4)));
    std::puts("begun"); std::fflush(stdout);
    for (long round = 0; round < 30 || access(argv[2], F_OK) != 0; ++round) {
        for (int op = 0; op < 40; ++op) {
            unsigned p = next(6), w = next(64);
            if (next(2)) pages[p][w * 128] = model[p][w] = static_cast<long>(next(1000000));
            else if (pages[p][w * 128] != model[p][w]) { std::printf("MISMATCH in round %ld\n", round); return 1; }
        }
        if (round % 64 == 9) {
            pid_t child = fork();
            if (child == 0) {
                check();
                for (int p = 0; p < 4; ++p) pages[p][0] = -1;
                _exit(7);
            }
            int status = 0;
            if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 7) {
                std::printf("BAD CHILD %d %x\n", static_cast<int>(child), static_cast<unsigned>(status)); return 1;
            }
        }
        vm_yield();
    }
    check();
    for (int p = 4; p < 6; ++p) for (int w = 0; w < 8192; ++w) pages[p][w] = p * 10000 + w;
    std::puts("intact"); return 0;
}
"#;

/// A pager at work, with two honest applications.
pub struct Scene {
    place: Place,
    pager: Running,
    honest: [Running; 2],
    /// Open descriptors of the pager before any trouble.
    descriptors: usize,
}

/// Arguments of this very program that make it play the part in the environment.
const PART: [&str; 4] = ["--exact", "parts::plays_its_part", "--include-ignored", "--nocapture"];
const SEEDS: [&str; 2] = ["11", "12"];
const FILE_BYTES: usize = 2 * 65536;

impl Scene {
    pub fn new() -> Scene {
        Scene::with("exec \"$0\" \"$@\"")
    }

    /// The pager is started by `shell`, to which it is `$0` and its arguments `$@`.
    pub fn with(shell: &str) -> Scene {
        let place = Place::new();
        let program = compiled(&place, "honest", HONEST);
        for seed in SEEDS {
            std::fs::write(place.work().join(seed), vec![0; FILE_BYTES]).unwrap();
        }
        let mut command = place.command("sh");
        command.args(["-c", shell]).arg(std::env::current_exe().unwrap()).args(PART).env("PART", "pager");
        let pager = Running::start(command);
        until("the pager listens", || socket(&place));
        let honest = SEEDS.map(|seed| {
            let mut command = place.command(&program);
            command.arg(seed).arg(place.beside("go"));
            Running::start(command)
        });
        for application in &honest {
            until("the application has begun", || application.out().contains("begun").then_some(()));
        }
        let mut scene = Scene { place, pager, honest, descriptors: 0 };
        scene.descriptors = scene.count_descriptors();
        scene
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn remarks(&self) -> String {
        self.pager.err()
    }

    /// Starts a process that plays `part`.
    pub fn start(&self, part: &str) -> Running {
        let mut command = self.place.command(std::env::current_exe().unwrap());
        command.args(PART);
        command.env("PART", part).env("MAGER_COURSE_SOCKET", socket(&self.place).unwrap());
        let known = [&self.pager, &self.honest[0], &self.honest[1]].map(|known| known.pid().to_string());
        command.env("KNOWN_PIDS", known.join(" "));
        Running::start(command)
    }

    /// Nobody was harmed and nothing is left: the honest ones finish with right contents, the pager ends in order.
    pub fn end(self) {
        until("the pager has let go of the troublemakers", || {
            (self.count_descriptors() <= self.descriptors).then_some(())
        });
        std::fs::write(self.place.beside("go"), "").unwrap();
        for application in self.honest {
            let ended = application.finish();
            assert!(ended.status.success() && ended.out.ends_with("intact\n"), "{ended:?}");
        }
        self.pager.signal(Signal::TERM);
        let ended = self.pager.finish();
        assert!(ended.status.success(), "{ended:?}");
        assert!(!self.place.sockets().exists(), "no socket is left");
        for seed in SEEDS {
            right_contents(&std::fs::read(self.place.work().join(seed)).unwrap());
        }
    }

    fn count_descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pager.pid())).unwrap().count()
    }
}

fn socket(place: &Place) -> Option<PathBuf> {
    place.left_in_sockets().into_iter().find(|path| path.extension().is_some_and(|end| end == "course"))
}

fn right_contents(file: &[u8]) {
    assert_eq!(file.len(), FILE_BYTES);
    for (at, word) in file.chunks_exact(8).enumerate() {
        let (page, word_in_page) = (4 + at / 8192, at % 8192);
        let expected = i64::try_from(page * 10000 + word_in_page).unwrap();
        assert_eq!(word, expected.to_le_bytes(), "word {at} of the file");
    }
}
