//! Every scenario under `tests/scenarios` runs to its end with nothing wrong. Each once showed a mistake.

use mager_sim::{Scenario, Watch, run_ops};
use std::path::Path;

#[test]
fn every_kept_scenario_runs_to_its_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let scenario: Scenario = text.parse().unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let result = run_ops(scenario.setup, &scenario.ops, Watch::CLOSELY);
        assert!(result.is_ok(), "{}: {}", path.display(), result.unwrap_err().message);
        let again: Scenario = scenario.to_string().parse().unwrap();
        assert_eq!(again, scenario, "{}: printing and parsing are inverse", path.display());
        count += 1;
    }
    assert!(count > 0, "there are scenarios to run");
}
