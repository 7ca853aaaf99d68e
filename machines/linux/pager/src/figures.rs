//! What a pager tells of itself.

use crate::server::Server;
use serde::Serialize;

/// Figures of a running pager, since it started.
#[derive(Debug, Serialize)]
struct Figures {
    uptime_seconds: f64,
    page_size: u32,
    frames: u32,
    free_frames: usize,
    policy: String,
    swap_blocks: u32,
    swap_reserved: u32,
    swap_assigned: u32,
    faults: u64,
    zero_fills: u64,
    page_ins: u64,
    write_backs: u64,
    copies: u64,
    evictions: u64,
    second_chances: u64,
    denied: u64,
    pulls: u64,
    clients: Vec<ClientFigures>,
}

#[derive(Debug, Serialize)]
struct ClientFigures {
    pid: i32,
    arenas: usize,
    reserved_pages: u64,
}

impl Server {
    /// Figures since the start, as JSON.
    #[must_use]
    pub fn figures_json(&self) -> String {
        serde_json::to_string(&self.figures()).unwrap_or_else(|_| "{}".into())
    }

    fn figures(&self) -> Figures {
        let (view, counts) = (self.driver.view(), self.driver.view().counts());
        let counters = view.counters();
        let clients = self.clients.iter().map(|(_, client)| ClientFigures {
            pid: client.pid,
            arenas: client.arenas.len(),
            reserved_pages: client.arenas.iter().map(|&arena| u64::from(view.reserved_by(arena))).sum(),
        });
        Figures {
            uptime_seconds: self.uptime().as_secs_f64(),
            page_size: self.options.page_size,
            frames: self.options.frames,
            free_frames: counts.free_frames,
            policy: self.options.policy.clone(),
            swap_blocks: self.options.swap_blocks,
            swap_reserved: counts.swap_reserved,
            swap_assigned: counts.swap_assigned,
            faults: counters.faults,
            zero_fills: counters.zero_fills,
            page_ins: counters.page_ins,
            write_backs: counters.write_backs,
            copies: counters.copies,
            evictions: counters.evictions,
            second_chances: counters.second_chances,
            denied: self.machine.denied,
            pulls: self.pulls(),
            clients: clients.collect(),
        }
    }
}
