//! A pager's figures, laid out for people.

use crate::observe::{earlier_client, over, rate, service_us};
use crate::size::told;
use mager_linux_wire::figures::Figures;
use std::fmt::Write;

/// The state now, and what happened since `before`.
pub(super) fn lay_out(now: &Figures, before: &Figures) -> String {
    let page = u64::from(now.page_size);
    let mut text = String::new();
    let circulating = now.circulating();
    let used = circulating.saturating_sub(now.free_frames);
    let _ = writeln!(
        text,
        "pager     {}, pages of {}, up {:.0} s, {}",
        now.policy,
        told(page),
        now.uptime_seconds,
        now.stores.description
    );
    let _ = writeln!(
        text,
        "frames    {used} of {circulating} in use ({} of {}), {} pinned, {} arenas, {} file pages",
        told(used * page),
        told(circulating * page),
        now.pinned_frames,
        now.arenas,
        now.file_pages
    );
    let swap = |blocks: u32| told(u64::from(blocks) * page);
    let _ = writeln!(
        text,
        "swap      {} of {} reserved, {} in use",
        swap(now.swap_reserved),
        swap(now.swap_blocks),
        swap(now.swap_assigned)
    );
    compressed(now, &mut text);
    happened(now, before, &mut text);
    clients(now, before, page, &mut text);
    text
}

fn compressed(now: &Figures, text: &mut String) {
    let stores = &now.stores;
    if stores.compressed_budget == 0 {
        return;
    }
    let ratio = stores.compression_ratio.map_or("-".into(), |ratio| format!("{ratio:.2}"));
    let withheld = match (now.elastic_frames, now.withheld_frames) {
        (0, _) => String::new(),
        (_, frames) => format!(", {frames} frames withheld for them"),
    };
    let _ = writeln!(
        text,
        "packed    {} pages in {} of {}{withheld}, ratio {ratio}; {} spilled, {} demoted, {} did not compress",
        stores.compressed_pages,
        told(stores.compressed_bytes),
        told(stores.compressed_budget),
        stores.spilled,
        stores.demoted,
        stores.incompressible
    );
}

fn happened(now: &Figures, before: &Figures, text: &mut String) {
    let per = |what: fn(&Figures) -> u64| rate(now, before, what);
    let _ = writeln!(
        text,
        "a second  {:.0} faults, {:.0} page-ins, {:.0} write-backs, {:.0} evictions, {:.0} ahead",
        per(|figures| figures.faults),
        per(|figures| figures.page_ins),
        per(|figures| figures.write_backs),
        per(|figures| figures.evictions),
        per(|figures| figures.aheads)
    );
    let us = |share| service_us(now, before, share).map_or("-".into(), |us| format!("{us:.1}"));
    let _ = writeln!(
        text,
        "a fault   half within {} us, 90% {}, 99% {}, 99.9% {}",
        us(0.5),
        us(0.9),
        us(0.99),
        us(0.999)
    );
    let wrong = [
        (now.denied, "faults denied"),
        (now.stores.checksum_failures, "pages not what was written"),
        (now.stores.failures, "reads and writes failed"),
    ];
    for (count, what) in wrong.into_iter().filter(|&(count, _)| count > 0) {
        let _ = writeln!(text, "WRONG     {count} {what}");
    }
}

fn clients(now: &Figures, before: &Figures, page: u64, text: &mut String) {
    let seconds = now.uptime_seconds - before.uptime_seconds;
    let _ = write!(
        text,
        "{:>9} {:>7} {:>9} {:>9} {:>10} {:>11}  command",
        "client", "arenas", "reserved", "in memory", "faults/s", "page-ins/s"
    );
    for client in &now.clients {
        let old = earlier_client(before, client);
        let _ = write!(
            text,
            "\n{:>9} {:>7} {:>9} {:>9} {:>10.0} {:>11.0}  {}",
            client.pid,
            client.arenas,
            told(client.reserved_pages * page),
            told(client.private_frames * page),
            over(client.faults, old.faults, seconds),
            over(client.page_ins, old.page_ins, seconds),
            client.command
        );
    }
    if now.clients_untold > 0 {
        let _ = write!(text, "\n... and {} clients more", now.clients_untold);
    }
}
