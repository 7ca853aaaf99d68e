//! What cargo-mutants and the compiler say, both in JSON.

use super::text::{Mutation, offset};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

/// The mutants of a package, numbered from 1 on.
pub fn mutations(tree: &Path, package: &str) -> Result<Vec<Mutation>, String> {
    let mut list = Command::new("cargo");
    list.args(["mutants", "--list", "--json", "-p", package]).current_dir(tree);
    let output = list.output().map_err(|why| why.to_string())?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{why}(cargo install cargo-mutants --locked)"));
    }
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).map_err(|why| why.to_string())?;
    let mut sources = BTreeMap::new();
    let mut found = Vec::new();
    for (value, number) in all.iter().zip(1..) {
        let file = word(value, "file")?;
        if !sources.contains_key(&file) {
            let text = fs::read_to_string(tree.join(&file)).map_err(|why| format!("{file}: {why}"))?;
            sources.insert(file.clone(), text);
        }
        found.push(mutation(value, number, &sources[&file], file)?);
    }
    Ok(found)
}

fn word(value: &Value, key: &str) -> Result<String, String> {
    value[key].as_str().map(str::to_owned).ok_or_else(|| format!("cargo mutants: no {key} in {value}"))
}

fn mutation(value: &Value, number: u32, source: &str, file: String) -> Result<Mutation, String> {
    let bad = || format!("cargo mutants: no place in {value}");
    let function = &value["function"];
    Ok(Mutation {
        number,
        name: word(value, "name")?,
        file,
        function: match function {
            Value::Null => None,
            _ => Some((word(function, "function_name")?, place(function, source).ok_or_else(bad)?)),
        },
        span: place(value, source).ok_or_else(bad)?,
        by: word(value, "replacement")?,
    })
}

fn place(value: &Value, source: &str) -> Option<Range<usize>> {
    let end = |which: &str| {
        let at = &value["span"][which];
        let number = |key: &str| usize::try_from(at[key].as_u64()?).ok();
        offset(source, number("line")?, number("column")?)
    };
    Some(end("start")?..end("end")?)
}

/// The lines of each file that errors point at.
pub fn errors(messages: &str) -> BTreeMap<String, BTreeSet<usize>> {
    let mut found: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for line in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let message = &line["message"];
        if message["level"] != "error" {
            continue;
        }
        for span in message["spans"].as_array().into_iter().flatten() {
            let number = span["line_start"].as_u64().and_then(|number| usize::try_from(number).ok());
            if let (Some(file), Some(number), true) =
                (span["file_name"].as_str(), number, span["is_primary"] == true)
            {
                found.entry(file.to_owned()).or_default().insert(number);
            }
        }
    }
    found
}
