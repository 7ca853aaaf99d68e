//! What a pager tells of itself.

use crate::clients::{Client, Counted};
use crate::machine::Machine;
use crate::server::Server;
use mager_linux_wire::figures::{self, Figures, MAX_CLIENTS_TOLD, Stores};
use mager_pager::ArenaId;

impl Machine {
    pub(crate) fn count_faults(&mut self, arena: ArenaId, count: usize) {
        if let Some(arena) = self.arenas.get_mut(arena) {
            arena.counted.faults += count as u64;
        }
    }

    pub(crate) fn count_page_in(&mut self, arena: ArenaId) {
        if let Some(arena) = self.arenas.get_mut(arena) {
            arena.counted.page_ins += 1;
        }
    }
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
        let clients = self.client_figures();
        let greeted = self.clients.iter().filter(|(_, client)| client.greeted).count();
        Figures {
            uptime_seconds: self.uptime().as_secs_f64(),
            page_size: self.options.page_size,
            policy: self.options.policy.clone(),
            arenas: counts.arenas,
            frames: self.options.frames,
            free_frames: counts.free_frames as u64,
            peak_frames: self.peak_frames,
            pinned_frames: counts.pinned_frames,
            swap_blocks: self.options.swap_blocks,
            swap_reserved: counts.swap_reserved,
            swap_assigned: counts.swap_assigned,
            file_pages: counts.file_pages,
            faults: counters.faults,
            zero_fills: counters.zero_fills,
            page_ins: counters.page_ins,
            write_backs: counters.write_backs,
            copies: counters.copies,
            evictions: counters.evictions,
            aheads: counters.aheads,
            second_chances: counters.second_chances,
            denied: self.machine.denied,
            pulls: self.pulls(),
            bound_by: self.machine.budget.kind().to_owned(),
            expelled: self.expelled,
            service: self.threads.latency.tell(),
            returns: self.machine.returns.tell(),
            stores: self.store_figures(),
            clients_untold: greeted - clients.len(),
            clients,
        }
    }

    /// Who has come only to look is not told.
    fn client_figures(&self) -> Vec<figures::Client> {
        let greeted = self.clients.iter().map(|(_, client)| client).filter(|client| client.greeted);
        greeted.take(MAX_CLIENTS_TOLD).map(|client| self.client(client)).collect()
    }

    fn client(&self, client: &Client) -> figures::Client {
        let view = self.driver.view();
        let mut counted: Counted = client.past;
        for arena in client.arenas.iter().filter_map(|&arena| self.machine.arenas.get(arena)) {
            counted += arena.counted;
        }
        let held = client.allowance.map_or(0, |allowance| self.machine.budget.of(allowance).0);
        figures::Client {
            pid: client.pid,
            arenas: client.arenas.len(),
            reserved_pages: client.arenas.iter().map(|&arena| u64::from(view.reserved_by(arena))).sum(),
            private_frames: held.into(),
            faults: counted.faults,
            page_ins: counted.page_ins,
        }
    }

    fn store_figures(&self) -> Stores {
        let figures = self.machine.backing.figures();
        Stores {
            description: self.machine.backing.describe(),
            reads: figures.reads,
            writes: figures.writes,
            bytes_moved: figures.bytes_moved,
            compressed_pages: figures.packed_pages,
            compressed_bytes: figures.packed_bytes,
            compressed_budget: figures.packed_budget,
            compression_ratio: figures.ratio(),
            same_filled: figures.same_filled,
            incompressible: figures.incompressible,
            spilled: figures.spilled,
            checksum_failures: figures.checksum_failures,
            retries: figures.retries,
            failures: figures.failures,
        }
    }
}
