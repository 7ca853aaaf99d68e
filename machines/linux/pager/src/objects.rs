//! Memory objects: files that clients map, known by what they are and not by name.

use mager_linux_sys::MemoryFile;
use mager_pager::ObjectNo;
use mager_stores::FileNo;
use std::collections::BTreeMap;

/// What makes two descriptors the same file: device and inode.
pub(crate) type Identity = (u64, u64);

#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) identity: Identity,
    pub(crate) memory: MemoryFile,
    pub(crate) file: FileNo,
}

#[derive(Debug, Default)]
pub(crate) struct Objects {
    objects: Vec<Option<Object>>,
    by_identity: BTreeMap<Identity, ObjectNo>,
}

impl Objects {
    pub(crate) fn find(&self, identity: Identity) -> Option<ObjectNo> {
        self.by_identity.get(&identity).copied()
    }

    pub(crate) fn get(&self, object: ObjectNo) -> Option<&Object> {
        self.objects.get(object.index())?.as_ref()
    }

    /// The lowest number not in use.
    pub(crate) fn next(&self) -> ObjectNo {
        let free = self.objects.iter().position(Option::is_none).unwrap_or(self.objects.len());
        ObjectNo(u32::try_from(free).unwrap_or(u32::MAX))
    }

    pub(crate) fn insert(&mut self, number: ObjectNo, object: Object) {
        if self.objects.len() <= number.index() {
            self.objects.resize_with(number.index() + 1, || None);
        }
        self.by_identity.insert(object.identity, number);
        self.objects[number.index()] = Some(object);
    }

    pub(crate) fn remove(&mut self, number: ObjectNo) -> Option<Object> {
        let object = self.objects.get_mut(number.index())?.take()?;
        self.by_identity.remove(&object.identity);
        Some(object)
    }
}
