//! Talking with clients: they come, ask, are answered, and go.

use crate::clients::{Client, Counted};
use crate::expel::Condemned;
use crate::options::Limits;
use crate::requests::{Answer, No};
use crate::server::{CLIENT, Server};
use crate::tickets::{flush_ticket, flusher};
use mager_driver::Control;
use mager_linux_sys::{MemoryFile, peer, receive, send};
use mager_linux_wire::{Reply, decode, encode};
use mager_pager::{ArenaId, ObjectNo, Pages, VirtPage, What};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{AsFd, OwnedFd};
use std::io;

impl Server {
    /// A client whose socket is here already. The pager ends with its last client from here on.
    pub fn adopt(&mut self, socket: OwnedFd) -> io::Result<()> {
        self.handed = true;
        self.arrived(socket)
    }

    fn arrived(&mut self, socket: OwnedFd) -> io::Result<()> {
        let (pid, _) = peer(&socket)?;
        let number = self.connected(socket, pid, None).map_err(|_| io::ErrorKind::Other)?;
        if let Some(client) = self.clients.get_mut(number) {
            client.process = mager_linux_sys::process(pid);
        }
        Ok(())
    }

    /// Whether whoever connected may be served: the user whose pager this is, or root, as long as there is room.
    fn welcome(&self, socket: &OwnedFd) -> bool {
        let ours = rustix::process::geteuid().as_raw();
        let Ok((pid, uid)) = peer(socket) else { return false };
        (uid == ours || uid == 0) && self.may_connect(self.clients.family_of(pid)).is_ok()
    }

    /// Whether there is room for another connection, in this family if it is of one.
    pub(crate) fn may_connect(&self, family: Option<u64>) -> Result<(), No> {
        let Limits { clients, connections, .. } = self.options.limits;
        let full = |why| Err(No::new(rustix::io::Errno::NFILE, why));
        if self.clients.count() >= clients {
            return full(format!("a pager can have {clients} clients"));
        }
        if family.is_some_and(|family| self.clients.in_family(family).count() >= connections) {
            return full(format!(
                "a client and the children it has forked can have {connections} connections"
            ));
        }
        Ok(())
    }

    /// `parent`: the connection that it was made over, for a child.
    pub(crate) fn connected(&mut self, socket: OwnedFd, pid: i32, parent: Option<u64>) -> Result<u64, No> {
        let client = Client {
            socket,
            pid,
            command: String::new(),
            process: None,
            greeted: false,
            agent: None,
            arenas: Vec::new(),
            family: 0,
            forked: parent.is_some(),
            kin: None,
            lifeline: None,
            past: Counted::default(),
            allowance: None,
            flushing: None,
        };
        let number = self.clients.add(client, parent);
        if let Some(client) = self.clients.get(number) {
            epoll::add(&self.epoll, &client.socket, EventData::new_u64(CLIENT | number), EventFlags::IN)?;
        }
        Ok(number)
    }

    pub(crate) fn accept(&mut self) {
        let Some(listener) = &self.listener else { return };
        let accept = || rustix::net::accept_with(listener, rustix::net::SocketFlags::CLOEXEC);
        let socket = match accept() {
            Ok(socket) => socket,
            // Who cannot be served must not stay in the queue either, where he would keep the loop busy.
            Err(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => {
                self.reserve = None;
                drop(accept());
                self.reserve = crate::server::reserve();
                return;
            }
            Err(_) => return,
        };
        // A stranger, a peer that is gone again already, or whom there is no room for, is not served.
        if self.welcome(&socket) {
            let _ = self.arrived(socket);
        }
    }

    pub(crate) fn talk(&mut self, number: u64) {
        let Some(client) = self.clients.get(number) else { return };
        let mut message = std::mem::take(&mut self.message);
        let received = receive(&client.socket, &mut message, false);
        let go_on = match received {
            Err(why) => why.kind() == io::ErrorKind::WouldBlock,
            Ok(got) if got.len == 0 || got.cut => false,
            Ok(got) => match decode(&message[..got.len]) {
                Ok(request) => {
                    self.is_from(number, got.sender);
                    let answer = self.request(number, request, got.fds);
                    self.reply(number, answer)
                }
                Err(_) => false,
            },
        };
        self.message = message;
        if !go_on {
            self.gone(number);
        }
    }

    /// A child's connection was made by its parent, and is the child's from its first message on.
    fn is_from(&mut self, number: u64, sender: Option<i32>) {
        let client =
            self.clients.get_mut(number).filter(|client| sender.is_some_and(|pid| pid != client.pid));
        if let (Some(client), Some(pid)) = (client, sender) {
            (client.pid, client.command) = (pid, crate::names::command(pid));
            client.process = mager_linux_sys::process(pid);
        }
    }

    /// Whether the client took its answer.
    fn reply(&mut self, number: u64, answer: Result<Answer, No>) -> bool {
        let (reply, fds) = match answer {
            Ok(None) => return true,
            Ok(Some(answer)) => answer,
            Err(no) => (no.reply(), Vec::new()),
        };
        let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        let Some(client) = self.clients.get(number) else { return true };
        encode(&reply).is_ok_and(|bytes| send(&client.socket, &bytes, &fds, false).is_ok())
    }

    /// A client's connection has ended: everything it had is given back.
    pub(crate) fn gone(&mut self, number: u64) {
        if let Some(client) = self.clients.remove(number) {
            // Closing is not enough: a socket that was handed over may be open elsewhere in this process, too.
            let _ = epoll::delete(&self.epoll, &client.socket);
            let files = client.arenas.iter().filter_map(|&arena| self.destroy(arena)).collect();
            if let Some(allowance) = client.allowance {
                self.condemn(Condemned { allowance, files, process: client.process });
            }
            self.thaw(|freeze| freeze.child == number || freeze.parent == number);
        }
    }

    /// Ends an arena. Its memory file, emptied: others may have it still.
    pub(crate) fn destroy(&mut self, arena: ArenaId) -> Option<MemoryFile> {
        if let Some(record) = self.machine.arenas.get_mut(arena) {
            record.dying = true;
            // Closing is not enough: the client has a duplicate, and would go on being waited for.
            if let Some(attached) = &record.attached {
                let _ = epoll::delete(&self.epoll, &attached.uffd);
            }
        }
        let whole = Pages { start: VirtPage(0), count: self.options.arena_pages };
        let objects = self.objects_in(arena, whole);
        let _ = self.control(Control::Destroy(arena));
        self.machine.punch_holes();
        self.flush_unused(&objects);
        self.machine.returns.forget(arena);
        let record = self.machine.arenas.remove(arena)?;
        self.machine.close_share(record.family, record.share);
        let _ = record.memory.punch(0, u64::from(whole.count) * self.machine.page_size);
        let pages = self.machine.holes.take_of_dying();
        self.machine.budget.took(record.allowance, pages);
        Some(record.memory)
    }

    /// Dirty pages of files that were unmapped go home without waiting to be victims.
    pub(crate) fn flush_unused(&mut self, objects: &[ObjectNo]) {
        for &object in objects {
            let _ = self.control(Control::Flush(What::Object(object), flush_ticket(0)));
        }
    }

    pub(crate) fn answer_flushes(&mut self) {
        for (who, outcome) in std::mem::take(&mut self.machine.answers) {
            let Some(number) = flusher(who).filter(|&number| number != 0) else { continue };
            let answer = match outcome {
                Ok(()) if self.was_lost(number) => {
                    Err(No::new(rustix::io::Errno::IO, "a page of the file could not be written"))
                }
                Ok(()) => Ok(Some((Reply::Done, Vec::new()))),
                Err(why) => {
                    Err(No::new(rustix::io::Errno::IO, format!("the file could not be written: {why}")))
                }
            };
            if !self.reply(number, answer) {
                self.gone(number);
            }
        }
    }

    /// Whether pages were lost of the file that this client asked to be flushed, and nobody was told.
    fn was_lost(&mut self, number: u64) -> bool {
        let flushed = self.clients.get_mut(number).and_then(|client| client.flushing.take());
        let object = flushed.and_then(|object| self.machine.objects.get_mut(object));
        object.is_some_and(|object| std::mem::take(&mut object.untold))
    }
}
