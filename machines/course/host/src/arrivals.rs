//! Who comes to the socket, and who is let in: this user's processes, one connection each.
//!
//! What a newcomer may take from the others is bounded: its silent connections give way to its next one, and some
//! descriptors are kept back, so that those who are in can go on however many come.

use crate::host::{Host, LISTENER};
use crate::kin;
use crate::process::{Process, ProcessNo, State};
use crate::talk;
use mager_course_protocol::VERSION;
use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with, sockopt::socket_peercred};
use rustix::process::Signal;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long nobody is taken in after the system had no means to.
const PAUSE: Duration = Duration::from_millis(100);

/// What a process hears for which there is no descriptor left.
pub(crate) const NO_ROOM: &str = "it has no descriptors left for a further process";

impl Host {
    pub(crate) fn somebody_came(&mut self) {
        match accept_with(self.meeting.listener(), SocketFlags::CLOEXEC) {
            Ok(conn) => self.look_at(conn),
            Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => self.close_for_a_while(),
            Err(_) => {}
        }
    }

    fn look_at(&mut self, conn: OwnedFd) {
        let Ok(peer) = socket_peercred(&conn) else { return };
        if peer.uid != rustix::process::getuid() {
            return self
                .remark(&format!("a process of another user (uid {}) was turned away", peer.uid.as_raw()));
        }
        if kin::among_the_last(&conn) {
            return talk::say(&conn, self.reply.refused(NO_ROOM));
        }
        let pid = peer.pid.as_raw_nonzero().get();
        let silent = |known: &Process| known.pid == pid && known.state == State::New;
        if let Some(former) = self.processes.find(silent) {
            self.processes.remove(former);
        }
        if let Ok(process) = Process::new(pid, 0, State::New, conn) {
            self.meet(process);
        }
    }

    /// The caller stays in line, and this would be tried again at once: rather no newcomers than no rest.
    fn close_for_a_while(&mut self) {
        let _ = epoll::delete(&self.events, self.meeting.listener());
        self.closed_until = Some(Instant::now() + PAUSE);
    }

    /// Listens to newcomers again if it is time, or says how long to wait for that.
    pub(crate) fn open_again(&mut self) -> Option<Duration> {
        let left = self.closed_until?.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            return Some(left);
        }
        match self.add(self.meeting.listener(), LISTENER) {
            Ok(()) => self.closed_until = None,
            Err(_) => self.closed_until = Some(Instant::now() + PAUSE),
        }
        self.closed_until.map(|_| PAUSE)
    }

    /// A process says who it is. Who its parent is the system knows better.
    pub(crate) fn greeted(&mut self, no: ProcessNo, version: u32, parent: i32) {
        let Some(process) = self.processes.get(no) else { return };
        let pid = process.pid;
        if version != VERSION {
            let why =
                format!("the program speaks version {version} of the protocol, the pager version {VERSION}");
            talk::say(process.conn(), self.reply.refused(&why));
            self.processes.remove(no);
            return;
        }
        let former = self.processes.iter().find(|(other, process)| *other != no && process.pid == pid);
        if let Some((former, process)) = former {
            // The same process with a new connection: it has become another program, or it talks nonsense.
            if process.lives() && !talk::hung_up(process.conn()) {
                return self.expel(no, "it is managed already");
            }
            self.set_aside(former, State::Gone);
        }
        if let Some(process) = self.processes.get_mut(no) {
            process.parent = kin::parent_of(pid).unwrap_or(parent);
            process.state = State::Arriving;
        }
    }

    /// A process that hung up dies, or has become another program, and then shows nothing of physical memory any
    /// more. One that still does could write into frames that are others' by now.
    pub(crate) fn end_if_it_stays(&mut self, no: ProcessNo) {
        let Some(process) = self.processes.get(no).filter(|process| kin::shows_memory(process.pid)) else {
            return;
        };
        process.signal(Signal::KILL);
        let pid = process.pid;
        self.remark(&format!("process {pid} was ended, since it closed its connection but kept its pages"));
    }
}
