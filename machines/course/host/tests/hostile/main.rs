//! A hostile client: it says anything, lies about everybody, floods, and dies wherever it likes. Two honest
//! applications run all the while and finish with right contents; the pager outlives it all and leaves nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../common/mod.rs"]
mod common;
mod conn;
mod parts;
mod scene;
mod storm;
mod walk;

use common::{Outcome, Running, compiled};
use scene::Scene;
use std::os::unix::process::ExitStatusExt;

/// As many at once as a scene holds well.
const AT_ONCE: usize = 6;

fn all(scene: &Scene, parts: &[String]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for some in parts.chunks(AT_ONCE) {
        let running: Vec<Running> = some.iter().map(|part| scene.start(part)).collect();
        outcomes.extend(running.into_iter().map(Running::finish));
    }
    outcomes
}

fn play(scene: &Scene, part: &str) -> Outcome {
    scene.start(part).finish()
}

fn expelled(ended: &Outcome) -> bool {
    ended.status.signal() == Some(9)
}

/// The names of the steps, from a walk to the end.
fn steps(scene: &Scene) -> Vec<String> {
    let walked = play(scene, "walk");
    assert!(walked.status.success(), "{walked:?}");
    let steps: Vec<String> =
        walked.out.lines().filter_map(|line| line.strip_prefix("step ")).map(str::to_owned).collect();
    assert!(steps.len() > 40, "the walk has become short: {steps:?}");
    steps
}

fn ends_at_every_step(how: &str) {
    let scene = Scene::new();
    let steps = steps(&scene);
    let parts: Vec<String> = (0..steps.len()).map(|step| format!("{how}:{step}")).collect();
    for (step, ended) in steps.iter().zip(all(&scene, &parts)) {
        let last = ended.out.lines().filter_map(|line| line.strip_prefix("step ")).next_back();
        assert_eq!(last, Some(step.as_str()), "{how}: it got no further: {ended:?}");
        assert_eq!(expelled(&ended), how == "kill", "{how} at \"{step}\": {ended:?}");
    }
    scene.end();
}

#[test]
fn killed_at_every_step_of_the_conversation() {
    ends_at_every_step("kill");
}

#[test]
fn hung_up_at_every_step_of_the_conversation() {
    ends_at_every_step("hang-up");
}

#[test]
fn fallen_silent_at_every_step_of_the_conversation() {
    ends_at_every_step("fall-silent");
}

#[test]
fn random_messages_from_sixty_seeds() {
    let scene = Scene::new();
    let parts: Vec<String> = (1..=60).map(|seed| format!("storm:{seed}")).collect();
    let outcomes = all(&scene, &parts);
    let ended_by_host = outcomes.iter().filter(|ended| expelled(ended)).count();
    assert!(ended_by_host > 20, "only {ended_by_host} of {} were ended for what they said", parts.len());
    assert!(outcomes.iter().all(|ended| expelled(ended) || ended.status.success()), "{outcomes:?}");
    scene.end();
}

#[test]
fn somebody_else_s_parent_gives_nobody_else_s_pages() {
    let scene = Scene::new();
    for honest in [1, 2] {
        let ended = play(&scene, &format!("steals-a-parent:{honest}"));
        assert!(ended.out.contains("nothing stolen"), "{ended:?}");
    }
    scene.end();
}

#[test]
fn a_child_that_is_none_is_not_ended_for_its_false_parent() {
    let scene = Scene::new();
    for claimed in 0..4 {
        let ended = play(&scene, &format!("claims-a-child:{claimed}"));
        assert!(expelled(&ended), "{claimed}: {ended:?}");
    }
    scene.end();
}

#[test]
fn a_child_without_a_proper_connection_does_not_stop_the_host() {
    let scene = Scene::new();
    for along in ["file", "device", "pipe", "epoll", "stream", "its own"] {
        let ended = play(&scene, &format!("no-socket:{along}"));
        assert!(expelled(&ended), "{along}: {ended:?}");
    }
    scene.end();
}

#[test]
fn a_flood_whose_answers_nobody_reads() {
    let scene = Scene::new();
    let ended = play(&scene, "never-reads");
    assert!(ended.status.success() || expelled(&ended), "{ended:?}");
    scene.end();
}

#[test]
fn three_who_ask_as_fast_as_they_can() {
    let scene = Scene::new();
    let outcomes = all(&scene, &["fast", "fast", "fast"].map(str::to_owned));
    for ended in outcomes {
        assert!(ended.out.contains("asked "), "{ended:?}");
    }
    scene.end();
}

/// With few descriptors for the pager: the honest ones' files must open all the same, and newcomers be let in.
#[test]
fn a_flood_of_connections_leaves_room_for_others() {
    let scene = Scene::with("ulimit -n 80; exec \"$0\" \"$@\"");
    let flood = scene.start("connections");
    common::until("the connections are there", || flood.out().contains("held").then_some(()));
    assert!(play(&scene, "walk").status.success(), "a newcomer is let in meanwhile");
    let ended = flood.finish();
    assert!(ended.status.success(), "{ended:?}");
    assert!(play(&scene, "walk").status.success(), "and afterwards");
    scene.end();
}

#[test]
fn blocks_behind_every_end() {
    let scene = Scene::new();
    let ended = play(&scene, "huge-blocks");
    assert!(ended.out.contains("all refused"), "{ended:?}");
    scene.end();
}

#[test]
fn descriptors_nobody_asked_for() {
    let scene = Scene::new();
    let ended = play(&scene, "many-descriptors");
    assert!(ended.out.contains("not minded"), "{ended:?}");
    scene.end();
}

#[test]
fn a_closed_connection_does_not_hold_up_the_others() {
    let scene = Scene::new();
    let staying = scene.start("closes-and-stays");
    assert!(play(&scene, "walk").status.success());
    assert!(staying.finish().out.contains("stayed"));
    scene.end();
}

/// It uses the library, so it really has pages; a store to them after they are another's would go unnoticed.
const KEEPS_ITS_PAGES: &str = r#"
int main() {
    char *p = page();
    p[0] = 'x';
    for (int fd = 3; fd < 1024; ++fd) close(fd);
    for (;;) { p[0] = 'x'; usleep(1000); }
}
"#;

#[test]
fn closing_the_connection_and_writing_on_is_ended_at_once() {
    let scene = Scene::new();
    let program = compiled(scene.place(), "keeps", KEEPS_ITS_PAGES);
    let ended = common::run(scene.place().command(&program));
    assert!(expelled(&ended), "{ended:?}");
    assert!(scene.remarks().contains("closed its connection but kept its pages"), "{}", scene.remarks());
    scene.end();
}
