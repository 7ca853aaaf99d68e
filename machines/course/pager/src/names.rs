//! Which file an object number stands for.

use mager_pager::ObjectNo;
use std::collections::BTreeMap;

/// File names by object number, and back. Every byte string is a legal name.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_name: BTreeMap<Vec<u8>, ObjectNo>,
    by_number: Vec<Vec<u8>>,
    free: Vec<ObjectNo>,
}

impl Names {
    /// The number of the file `name`, and whether it is new.
    pub(crate) fn intern(&mut self, name: &[u8]) -> (ObjectNo, bool) {
        if let Some(&object) = self.by_name.get(name) {
            return (object, false);
        }
        let object = self.free.pop().unwrap_or_else(|| {
            self.by_number.push(Vec::new());
            ObjectNo(u32::try_from(self.by_number.len() - 1).expect("fewer objects than pages"))
        });
        self.by_number[object.index()] = name.to_vec();
        self.by_name.insert(name.to_vec(), object);
        (object, true)
    }

    /// Drops a name; the number will be used again.
    pub(crate) fn forget(&mut self, object: ObjectNo) {
        let name = std::mem::take(&mut self.by_number[object.index()]);
        self.by_name.remove(&name);
        self.free.push(object);
    }

    pub(crate) fn name(&self, object: ObjectNo) -> &[u8] {
        &self.by_number[object.index()]
    }
}
