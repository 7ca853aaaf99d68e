//! Files that clients map: which can be, and the objects they become.

use crate::expel::Condemned;
use crate::objects::{Identity, Object};
use crate::requests::{Answer, No, id, pages};
use crate::server::Server;
use mager_driver::Control;
use mager_linux_wire::{Range, Reply};
use mager_pager::{BlockNo, ObjectNo};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};

/// FUSE: whoever serves such a file could keep the pager waiting for ever.
const FUSE: i64 = 0x6573_5546;

impl Server {
    pub(crate) fn map_file(
        &mut self,
        client: u64,
        range: Range,
        block: u32,
        fds: Vec<OwnedFd>,
    ) -> Result<Answer, No> {
        self.owned_range(client, range)?;
        self.may_map(id(range.arena))?;
        let file = fds.into_iter().next().ok_or_else(|| No::new(Errno::BADF, "no file came along"))?;
        let identity = self.check_file(&file, block, range.count)?;
        let (object, fresh) = match self.machine.objects.find(identity) {
            Some(object) => (object, false),
            None => (self.new_object(identity, &file)?, true),
        };
        let call = Control::MapObjectAt(id(range.arena), pages(range), object, BlockNo(block));
        if let Err(why) = self.control(call) {
            if fresh {
                self.drop_object(object);
            }
            return Err(why);
        }
        self.machine.cure(id(range.arena), pages(range));
        let memory = &self.machine.objects.get(object).ok_or(Errno::BADF)?.memory;
        Ok(Some((Reply::Done, vec![memory.as_fd().try_clone_to_owned()?])))
    }

    fn check_file(&self, file: &OwnedFd, block: u32, count: u32) -> Result<Identity, No> {
        let stat = rustix::fs::fstat(file)?;
        if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(No::new(Errno::ACCESS, "only regular files can be mapped"));
        }
        let flags = rustix::fs::fcntl_getfl(file)?;
        if flags & rustix::fs::OFlags::RWMODE != rustix::fs::OFlags::RDWR {
            return Err(No::new(Errno::ACCESS, "the file must be open for reading and writing"));
        }
        if rustix::fs::fstatfs(file)?.f_type == FUSE {
            return Err(No::new(Errno::ACCESS, "files that another process serves cannot be mapped"));
        }
        let page = u64::from(self.options.page_size);
        let blocks = u64::try_from(stat.st_size).unwrap_or(0).div_ceil(page);
        if u64::from(block) + u64::from(count) > blocks {
            let why =
                format!("the file has {blocks} pages; {count} from page {block} on reach beyond its end");
            return Err(No::new(Errno::INVAL, why));
        }
        Ok((stat.st_dev, stat.st_ino))
    }

    fn new_object(&mut self, identity: Identity, file: &OwnedFd) -> Result<ObjectNo, No> {
        if self.machine.objects.iter().count() >= self.most_files {
            return Err(No::new(Errno::NFILE, format!("{} files can be mapped", self.most_files)));
        }
        let own = own_description(file)?;
        let size = u64::from(u32::MAX) * u64::from(self.options.page_size);
        let allowance = self.machine.budget.open(u32::MAX)?;
        let memory = match self.machine.budget.file(allowance, "mager-object", size) {
            Ok(memory) => memory,
            Err(why) => {
                self.machine.budget.close(allowance);
                return Err(why.into());
            }
        };
        let name = crate::names::of_file(&own);
        let file = self.machine.backing.add_file(own, false);
        let number = self.machine.objects.next();
        let (lost, untold, page_ins) = (BTreeSet::new(), false, 0);
        let object = Object { identity, memory, allowance, file, name, page_ins, lost, untold };
        self.machine.objects.insert(number, object);
        Ok(number)
    }

    pub(crate) fn drop_object(&mut self, number: ObjectNo) {
        self.machine.punch_holes();
        if let Some(Object { memory, allowance, file, .. }) = self.machine.objects.remove(number) {
            self.machine.backing.remove_file(file);
            self.condemn(Condemned { allowance, files: vec![memory], process: None });
        }
    }
}

/// The file, opened anew: flags such as O_APPEND that whoever sent it can set on his do not reach ours.
fn own_description(file: &OwnedFd) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}
