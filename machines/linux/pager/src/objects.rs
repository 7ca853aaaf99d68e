//! Memory objects: files that clients map, known by what they are and not by name.

use crate::budget::AllowanceNo;
use mager_linux_sys::MemoryFile;
use mager_pager::ObjectNo;
use mager_stores::FileNo;
use std::collections::{BTreeMap, BTreeSet};

/// What makes two descriptors the same file: device and inode.
pub(crate) type Identity = (u64, u64);

#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) identity: Identity,
    pub(crate) memory: MemoryFile,
    pub(crate) allowance: AllowanceNo,
    pub(crate) file: FileNo,
    /// For people.
    pub(crate) name: String,
    pub(crate) page_ins: u64,
    /// Blocks that could not be written home: what the file has there is older than what was shown.
    pub(crate) lost: BTreeSet<u32>,
    /// Whether that was not told to anybody who asked for a flush yet.
    pub(crate) untold: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Objects {
    objects: Vec<Option<Object>>,
    by_identity: BTreeMap<Identity, ObjectNo>,
}

impl Objects {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ObjectNo, &Object)> {
        let numbered = self.objects.iter().zip(0..);
        numbered.filter_map(|(object, number)| Some((ObjectNo(number), object.as_ref()?)))
    }

    pub(crate) fn get_mut(&mut self, object: ObjectNo) -> Option<&mut Object> {
        self.objects.get_mut(object.index())?.as_mut()
    }

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
