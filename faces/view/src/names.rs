//! What objects are called, as the notes of a run tell.

use mager_pager::ObjectNo;
use std::collections::BTreeMap;

/// The names learnt so far. A number may get another name later, when its file was forgotten.
#[derive(Clone, Default, Debug)]
pub struct Names(BTreeMap<u32, String>);

impl Names {
    /// Takes in a note; one of the form `object 3 = "data.bin"` gives a name.
    pub fn learn(&mut self, note: &str) {
        let named = || {
            let (number, name) = note.strip_prefix("object ")?.split_once(" = ")?;
            let name = name.strip_prefix('"')?.strip_suffix('"')?;
            Some((number.parse().ok()?, name.to_owned()))
        };
        self.0.extend(named());
    }

    /// What `object` is called.
    #[must_use]
    pub fn get(&self, object: ObjectNo) -> Option<String> {
        self.0.get(&object.0).cloned()
    }
}
