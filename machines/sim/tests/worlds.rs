//! Random worlds from fixed seeds, and that the harness itself works.

use mager_pager::{References, Sharing};
use mager_sim::{BadScenario, Scenario, Setup, Watch, operations, policies, run_ops, run_seed, shrink, tell};

#[test]
fn the_first_worlds_run_to_their_end() {
    for seed in 0..60 {
        let result = run_seed(Setup::from_seed(seed), seed, 2000, Watch::CLOSELY);
        assert!(result.is_ok(), "seed {seed}: {}", result.unwrap_err().message);
    }
}

#[test]
fn every_policy_in_every_kind_of_world() {
    for (number, policy) in (0u64..).zip(policies()) {
        for sharing in [Sharing::Frame, Sharing::Place] {
            for references in References::ALL {
                for asynchronous in [false, true] {
                    let mut setup = Setup { policy, references, asynchronous, ..Setup::from_seed(number) };
                    setup.share(sharing);
                    let result = run_seed(setup, number, 1000, Watch::CLOSELY);
                    assert!(result.is_ok(), "{setup}\nseed {number}: {}", result.unwrap_err().message);
                }
            }
        }
    }
}

#[test]
fn equal_seeds_give_equal_worlds() {
    let run = |seed| run_seed(Setup::from_seed(seed), seed, 3000, Watch::CLOSELY).expect("nothing is wrong");
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn enough_of_what_happens_is_hard() {
    let mut total = mager_sim::Stats::default();
    for seed in 0..20 {
        let mut setup = Setup::from_seed(seed);
        setup.resize(16);
        total.add(
            &run_seed(setup, seed, 5000, Watch { check_every: 0, ..Watch::CLOSELY })
                .expect("nothing is wrong"),
        );
    }
    assert!(total.faulted * 5 >= total.accesses, "a fifth of the accesses fault: {total:?}");
    assert!(total.evictions * 10 >= total.accesses, "a tenth evict: {total:?}");
    assert!(total.shared * 20 >= total.sampled, "a twentieth hit a shared page: {total:?}");
}

/// The canary: a disk that loses a word without saying so must be noticed, in nearly every world, and the failure
/// must come out as a scenario that fails in the same way when it is read again.
#[test]
fn a_disk_that_loses_a_word_is_noticed_and_told_in_few_operations() {
    let canary = |seed| Setup { canary: true, ..Setup::from_seed(seed) };
    let fails = |seed: &u64| run_seed(canary(*seed), *seed, 4000, Watch::CLOSELY).is_err();
    let failing: Vec<u64> = (0..20).filter(fails).collect();
    assert!(failing.len() >= 10, "only {failing:?} of 20 worlds noticed");
    let (seed, setup) = (failing[0], canary(failing[0]));
    let ops = operations(setup, seed, 4000, Watch::CLOSELY);
    let (fewest, failure) = shrink(setup, &ops, 1500).expect("it fails again");
    assert!(fewest.len() < ops.len() / 2, "{} operations of {}", fewest.len(), ops.len());
    let text = Scenario { setup, ops: fewest }.to_string();
    let again: Scenario = text.parse().expect("what is printed is read again");
    let again = Scenario { setup, ..again };
    assert!(run_ops(again.setup, &again.ops, Watch::CLOSELY).unwrap_err().is_like(&failure));
    let (story, result) = tell(again.setup, &again.ops);
    assert!(
        result.is_err() && story.len() > again.ops.len(),
        "the story says what was done and what came of it"
    );
}

#[test]
fn a_bad_line_is_told_with_its_number_and_what_was_expected() {
    let wrong = |text: &str| -> String {
        text.parse::<Scenario>().map_err(|why: BadScenario| why.to_string()).unwrap_err()
    };
    let head = "pager frames=3\nworld cpus=1\n";
    let cases = [
        ("", "line 1: expected a pager and a world"),
        ("pager frames=0\nworld\n", "line 2: expected a possible world"),
        ("pager frames=many\nworld\n", "line 1: expected how many frames, found \"many\""),
        ("pager frames=3 policy=guess\nworld\n", "line 1: expected a policy that can run here"),
    ];
    for (text, expected) in cases {
        assert!(wrong(text).starts_with(expected), "{}", wrong(text));
    }
    for (line, expected) in [
        ("create Q", "line 3: expected the name of an arena, A to H, found \"Q\""),
        ("map A file 9 0", "line 3: expected a file of this world, found \"9\""),
        ("cpu 0 jump A 0", "line 3: expected read, write or goes on"),
        ("cpu 0 read A 0 word 4", "line 3: expected a word of the page"),
        ("tick tock", "line 3: expected the end of the line, found \"tock\""),
    ] {
        let text = format!("{head}{line}\n");
        assert!(wrong(&text).starts_with(expected), "{}", wrong(&text));
    }
}
