//! Whole simulated worlds, their operations out of the bytes: oracle, checks and all.

use crate::bytes::Bytes;
use mager_pager::{Access, BlockNo, FrameNo, ObjectNo, References, Sharing, VirtPage};
use mager_sim::{CpuNo, Direction, How, Mapped, Name, Op, Setup, Watch, World, policies};

/// One world, closely watched, to its end.
pub fn worlds(data: &[u8]) {
    let _ = run(&mut Bytes::new(data));
}

fn setup(bytes: &mut Bytes) -> Option<Setup> {
    let policies: Vec<_> = policies().collect();
    let sharing = if bytes.bit()? { Sharing::Frame } else { Sharing::Place };
    let usable = 1 + u32::from(bytes.below(4)?);
    Some(Setup {
        frames: usable + u32::from(sharing == Sharing::Frame),
        swap_blocks: u32::from(bytes.below(24)?),
        arena_pages: 1 + u32::from(bytes.below(6)?),
        files: 2,
        blocks: 2,
        cpus: 4,
        references: References::ALL[usize::from(bytes.below(4)?)],
        sharing,
        policy: policies[usize::from(bytes.byte()?) % policies.len()],
        asynchronous: bytes.bit()?,
        eager: bytes.bit()?,
        ..Setup::small()
    })
}

fn run(bytes: &mut Bytes) -> Option<()> {
    let mut world = World::new(setup(bytes)?, Watch { check_every: 1, replay: true, story: false });
    while let Some(op) = op(bytes, &world) {
        world.apply(op);
    }
    world.finish();
    None
}

fn op(bytes: &mut Bytes, world: &World) -> Option<Op> {
    let (name, other) = (Name(bytes.below(4)?), Name(bytes.below(4)?));
    let page = VirtPage(u32::from(bytes.below(6)?));
    let cpu = CpuNo(bytes.below(4)?);
    let access = if bytes.bit()? { Access::Write } else { Access::Read };
    let file = Mapped::File(ObjectNo(u32::from(bytes.below(2)?)), BlockNo(u32::from(bytes.below(3)?)));
    let mapped = if bytes.bit()? { file } else { Mapped::Swap };
    let count = bytes.below(4)?;
    Some(match bytes.below(32)? {
        0 => Op::Create(name),
        1 | 2 => Op::Fork(name, other),
        3 => Op::Destroy(name),
        4 | 5 => Op::Map(name, mapped),
        6 => Op::MapAt(name, mapped, page, count),
        7 => Op::Unmap(name, page, count),
        8 => Op::Run(cpu),
        9 => Op::Pin(name, page, access),
        10 => Op::Unpin(name, page),
        11 => Op::Flush(None),
        12 => Op::Next(how(bytes)?),
        13 => Op::Harvest,
        14 => Op::Tick,
        15 => Op::Lose(name, page),
        16 => Op::Spurious(name, page, access),
        17 => Op::Stale(name, page),
        18..24 => {
            let frames = u8::try_from(world.setup().frames).ok()?;
            let direction = if bytes.bit()? { Direction::Read } else { Direction::Write };
            Op::Answer(direction, FrameNo(u32::from(bytes.below(frames)?)), how(bytes)?)
        }
        24 => Op::Withhold(count),
        25 => Op::Restore(count),
        _ => Op::Touch(cpu, name, page, access, bytes.below(4)?),
    })
}

fn how(bytes: &mut Bytes) -> Option<How> {
    Some(
        [How::Fine, How::Fine, How::Fails, How::Tears, How::FailsLate, How::Lies]
            [usize::from(bytes.below(6)?)],
    )
}
