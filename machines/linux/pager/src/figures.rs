//! What a pager tells of itself.

use crate::arenas::Arena;
use crate::clients::{Client, Counted};
use crate::machine::Machine;
use crate::objects::Object;
use crate::server::Server;
use mager_linux_sys::MemoryFile;
use mager_linux_wire::figures::{self, Figures, MAX_ARENAS_TOLD, MAX_CLIENTS_TOLD, MAX_FILES_TOLD, Stores};
use mager_pager::{ArenaId, Home};
use std::cmp::Reverse;

impl Machine {
    pub(crate) fn count_faults(&mut self, arena: ArenaId, count: usize) {
        if let Some(arena) = self.arenas.get_mut(arena) {
            arena.counted.faults += count as u64;
        }
    }

    pub(crate) fn count_page_in(&mut self, arena: ArenaId, home: Home) {
        if let Some(arena) = self.arenas.get_mut(arena) {
            arena.counted.page_ins += 1;
        }
        if let Home::Object(object, _) = home
            && let Some(object) = self.objects.get_mut(object)
        {
            object.page_ins += 1;
        }
    }

    fn held_pages(&self, memory: &MemoryFile) -> u64 {
        memory.held().unwrap_or(0) / self.page_size
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
            frames: self.options.all_frames(),
            free_frames: counts.free_frames as u64,
            withheld_frames: counts.withheld_frames,
            elastic_frames: self.options.elastic_frames(),
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
            busiest_arenas: self.arena_figures(),
            busiest_files: self.file_figures(),
        }
    }

    /// The kernel is asked only for those that are told: frames are too many to be counted each time.
    fn arena_figures(&self) -> Vec<figures::Arena> {
        let of_client = |number, client: &Client| {
            let arenas = client.arenas.iter().filter_map(|&arena| self.machine.arenas.get(arena));
            arenas.map(|arena| (number, arena)).collect::<Vec<_>>()
        };
        let mut arenas: Vec<(u64, &Arena)> =
            self.clients.iter().flat_map(|(number, client)| of_client(number, client)).collect();
        arenas.sort_by_key(|(_, arena)| Reverse(arena.counted.faults));
        arenas.iter().take(MAX_ARENAS_TOLD).map(|&(client, arena)| self.arena(client, arena)).collect()
    }

    fn arena(&self, client: u64, arena: &Arena) -> figures::Arena {
        figures::Arena {
            client,
            slot: arena.id.slot,
            generation: arena.id.generation,
            reserved_pages: self.driver.view().reserved_by(arena.id).into(),
            held_pages: self.machine.held_pages(&arena.memory),
            faults: arena.counted.faults,
            page_ins: arena.counted.page_ins,
        }
    }

    fn file_figures(&self) -> Vec<figures::File> {
        let mut files: Vec<&Object> = self.machine.objects.iter().map(|(_, object)| object).collect();
        files.sort_by_key(|file| Reverse(file.page_ins));
        let told = |file: &&Object| figures::File {
            name: file.name.clone(),
            held_pages: self.machine.held_pages(&file.memory),
            page_ins: file.page_ins,
        };
        files.iter().take(MAX_FILES_TOLD).map(told).collect()
    }

    /// Who has come only to look is not told.
    fn client_figures(&self) -> Vec<figures::Client> {
        let greeted = self.clients.iter().filter(|(_, client)| client.greeted);
        greeted.take(MAX_CLIENTS_TOLD).map(|(number, client)| self.client(number, client)).collect()
    }

    fn client(&self, number: u64, client: &Client) -> figures::Client {
        let view = self.driver.view();
        let mut counted: Counted = client.past;
        for arena in client.arenas.iter().filter_map(|&arena| self.machine.arenas.get(arena)) {
            counted += arena.counted;
        }
        let held = client.allowance.map_or(0, |allowance| self.machine.budget.of(allowance).0);
        figures::Client {
            number,
            pid: client.pid,
            command: client.command.clone(),
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
            demoted: figures.demoted,
            undemoted: figures.undemoted,
            checksum_failures: figures.checksum_failures,
            retries: figures.retries,
            failures: figures.failures,
        }
    }
}
