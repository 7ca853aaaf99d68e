//! The processes of a run: all that descend from this one. Who lost his parent comes to be our child, so how each of
//! them ended is heard of here, and when there is no child any more nothing is left.
//!
//! Nobody is found by name: a process is of the run because of its parents.

use super::plan::Victim;
use mager_linux_stage::{At, Error};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, getpid, kill_process, pidfd_open, pidfd_send_signal,
    set_child_subreaper, wait,
};
use std::collections::BTreeMap;
use std::fs::{read, read_dir, read_to_string};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    With(i32),
    By(i32),
}

impl End {
    fn of(status: WaitStatus) -> Option<Self> {
        let by = || status.terminating_signal().map(End::By);
        status.exit_status().map(End::With).or_else(by)
    }

    pub fn told(self) -> String {
        match self {
            End::With(code) => code.to_string(),
            End::By(signal) => format!("signal {signal}"),
        }
    }
}

/// A process as it was when looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    pid: i32,
    parent: i32,
    state: char,
    words: Vec<String>,
}

/// A run's processes; killed with the value.
#[derive(Debug)]
pub struct Family {
    command: Pid,
    /// How those ended whose parent this process is or became.
    ends: BTreeMap<i32, End>,
    /// The program, if it was looked for.
    program: Option<i32>,
}

impl Family {
    /// Starts `mager run`. This process must have no other child.
    pub fn start(mut command: Command) -> Result<Self, Error> {
        set_child_subreaper(Some(getpid())).at("prctl")?;
        let child = command.process_group(0).spawn().at("sh")?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let command = pid.ok_or_else(|| Error::Unavailable("a process without a number".into()))?;
        Ok(Family { command, ends: BTreeMap::new(), program: None })
    }

    /// Hears of ends; true when everybody is gone.
    pub fn reap(&mut self) -> Result<bool, Error> {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    self.ends.extend(End::of(status).map(|end| (pid.as_raw_nonzero().get(), end)));
                }
                Ok(None) => return Ok(false),
                Err(Errno::CHILD) => return Ok(true),
                Err(Errno::INTR) => {}
                Err(why) => return Err(why).at("wait"),
            }
        }
    }

    /// How the command ended, if it did.
    pub fn command(&self) -> Option<End> {
        self.ends.get(&self.number()).copied()
    }

    pub fn number(&self) -> i32 {
        self.command.as_raw_nonzero().get()
    }

    /// How the program ended, where its parent did not live to hear of it: it is known, or the only one there was.
    pub fn program(&self) -> Option<End> {
        self.program.and_then(|program| self.ends.get(&program)).copied()
    }

    /// Kills one of those that are meant, if there is one; where several are meant together, all of them.
    pub fn kill(&mut self, victim: Victim, pick: u64) -> bool {
        let members = members();
        self.program = self.program.or_else(|| self.programs(&members).first().copied());
        let meant = self.meant(victim, &members);
        let index = pick.checked_rem(meant.len() as u64).and_then(|index| usize::try_from(index).ok());
        match (victim, index) {
            (Victim::Both, _) => killed(&meant),
            (_, Some(index)) => killed(&meant[index..=index]),
            (_, None) => false,
        }
    }

    fn meant(&self, victim: Victim, members: &[Member]) -> Vec<i32> {
        let command = self.number();
        let pagers = || members.iter().filter(|member| member.is(command, "serve"));
        match victim {
            Victim::Pager => pagers().map(|member| member.pid).collect(),
            Victim::Program => self.programs(members),
            Victim::Process => below(&self.programs(members), members),
            Victim::Command => {
                let runs = |member: &&Member| member.pid == command && member.word(1) == "run";
                members.iter().filter(runs).map(|member| member.pid).collect()
            }
            Victim::Both => match (self.programs(members).first(), pagers().next()) {
                (Some(&program), Some(pager)) => vec![program, pager.pid],
                _ => Vec::new(),
            },
        }
    }

    /// The command's child that is not its pager; none before it is what it will be.
    fn programs(&self, members: &[Member]) -> Vec<i32> {
        let command = self.number();
        let ours = |member: &&Member| member.parent == command && !["serve", "run"].contains(&member.word(1));
        members.iter().filter(ours).map(|member| member.pid).collect()
    }

    /// Who is there, for people.
    pub fn told(&self) -> String {
        let told = |member: &Member| {
            let place = read_to_string(format!("/proc/{}/wchan", member.pid)).unwrap_or_default();
            let line: String = member.words.join(" ").chars().take(100).collect();
            format!("{} {} in {place}: {line}", member.pid, member.state)
        };
        members().iter().map(told).collect::<Vec<_>>().join("; ")
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        while !self.reap().unwrap_or(true) {
            for pid in members().iter().filter_map(|member| Pid::from_raw(member.pid)) {
                let _ = kill_process(pid, Signal::KILL);
            }
            sleep(Duration::from_millis(2));
        }
    }
}

impl Member {
    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    fn is(&self, parent: i32, word: &str) -> bool {
        self.parent == parent && self.word(1) == word
    }

    fn look(pid: i32) -> Option<Self> {
        let stat = read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Behind the name, which may hold anything but ends with the last parenthesis.
        let mut fields = stat.rsplit(')').next()?.split_whitespace();
        let (state, parent) = (fields.next()?.chars().next()?, fields.next()?.parse().ok()?);
        let line = read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words = line.split(|&byte| byte == 0).filter(|word| !word.is_empty());
        let words = words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        Some(Member { pid, parent, state, words })
    }
}

/// All that live and descend from this process.
fn members() -> Vec<Member> {
    let entries = read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let all: Vec<Member> = pids.filter_map(Member::look).collect();
    let ours = below(&[getpid().as_raw_nonzero().get()], &all);
    let lives = |member: &Member| ours[1..].contains(&member.pid) && !"ZX".contains(member.state);
    all.into_iter().filter(lives).collect()
}

/// These, and all that descend from them.
fn below(first: &[i32], members: &[Member]) -> Vec<i32> {
    let mut found = first.to_vec();
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        found.extend(members.iter().filter(|member| member.parent == parent).map(|member| member.pid));
        at += 1;
    }
    found
}

/// Kills these at one moment, those whose numbers are still those of processes of the run; whether anybody was.
fn killed(pids: &[i32]) -> bool {
    let handle =
        |&pid: &i32| pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok().map(|held| (pid, held));
    let held: Vec<_> = pids.iter().filter_map(handle).collect();
    let members = members();
    let ours = held.iter().filter(|(pid, _)| members.iter().any(|member| member.pid == *pid));
    ours.filter(|(_, process)| pidfd_send_signal(process, Signal::KILL).is_ok()).count() > 0
}

#[cfg(test)]
mod tests {
    use super::super::plan::VICTIMS;
    use super::*;

    fn member(pid: i32, parent: i32, line: &str) -> Member {
        Member { pid, parent, state: 'S', words: line.split(' ').map(str::to_owned).collect() }
    }

    fn family() -> (Family, Vec<Member>) {
        let members = vec![
            member(10, 1, "/bin/mager run --memory 8M -- sh job.sh run"),
            member(11, 10, "/bin/mager serve --memory 8M"),
            member(12, 10, "sh job.sh run"),
            member(13, 12, "sort -u"),
            member(14, 13, "cat"),
        ];
        let command = Pid::from_raw(10).unwrap();
        (Family { command, ends: BTreeMap::new(), program: None }, members)
    }

    #[test]
    fn everybody_is_told_from_the_others() {
        let (family, members) = family();
        let meant = |victim| family.meant(victim, &members);
        assert_eq!((meant(Victim::Pager), meant(Victim::Command)), (vec![11], vec![10]));
        assert_eq!((meant(Victim::Program), meant(Victim::Process)), (vec![12], vec![12, 13, 14]));
        assert_eq!(meant(Victim::Both), vec![12, 11]);
        std::mem::forget(family);
    }

    #[test]
    fn who_is_not_yet_what_it_will_be_is_not_meant() {
        let (family, _) = family();
        let members = [member(10, 1, "sh -c exec"), member(11, 10, "/bin/mager run --memory 8M")];
        for victim in VICTIMS {
            assert!(family.meant(victim, &members).is_empty(), "{victim:?}");
        }
        std::mem::forget(family);
    }
}
