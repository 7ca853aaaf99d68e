//! Dependencies point one way. `cargo metadata` knows them; this file knows the layers.

use serde_json::Value;
use std::io;
use std::path::Path;
use std::process::Command;

/// The layers, the lowest first. A package may depend on its own layer and on those below.
const LAYERS: [&str; 5] = ["core", "stores", "machines", "lab", "faces"];

/// Every dependency that points the wrong way.
pub fn check(root: &Path) -> io::Result<Vec<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--format-version=1", "--no-deps", "--offline"];
    let output = Command::new(cargo).args(arguments).current_dir(root).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    Ok(judge(root, &metadata))
}

fn judge(root: &Path, metadata: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(layer) = package["manifest_path"].as_str().and_then(|path| layer(root, path)) else {
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let ships = dependency["kind"].as_str() != Some("dev");
            let other = dependency["name"].as_str().unwrap_or_default();
            let target = dependency["path"].as_str().map(|path| self::layer(root, path));
            match target {
                Some(Some(below)) if below > layer && ships => complaints.push(format!(
                    "{name} is in {}/ and depends on {other} in {}/, which is above",
                    LAYERS[layer], LAYERS[below]
                )),
                Some(None) if ships => {
                    complaints.push(format!(
                        "{name} is in {}/ and depends on {other}, which is in no layer",
                        LAYERS[layer]
                    ));
                }
                None if ships && layer == 0 => {
                    complaints.push(format!(
                        "{name} is in core/ and depends on {other}: the core has no dependencies"
                    ));
                }
                _ => {}
            }
        }
    }
    complaints
}

/// The layer that a path lies in, if it lies in one.
fn layer(root: &Path, path: &str) -> Option<usize> {
    let first = Path::new(path).strip_prefix(root).ok()?.components().next()?;
    LAYERS.iter().position(|layer| first.as_os_str() == *layer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dependencies_point_one_way() {
        let complaints = check(crate::root()).unwrap();
        assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    }

    fn says(dir: &str, dependency: Value) -> String {
        let package = json!({ "name": "it", "manifest_path": format!("/r/{dir}/Cargo.toml"), "dependencies": [dependency] });
        judge(Path::new("/r"), &json!({ "packages": [package] })).join("\n")
    }

    #[test]
    fn a_dependency_on_a_layer_above_is_found() {
        let up = json!({ "name": "view", "path": "/r/faces/view", "kind": null });
        assert_eq!(
            says("machines/course/pager", up.clone()),
            "it is in machines/ and depends on view in faces/, which is above"
        );
        assert_eq!(says("faces/cli", up), "");
        assert_eq!(says("faces/cli", json!({ "name": "pager", "path": "/r/core/pager", "kind": null })), "");
    }

    #[test]
    fn a_dependency_of_the_core_is_found_unless_only_its_tests_need_it() {
        assert_eq!(
            says("core/pager", json!({ "name": "libc", "kind": null })),
            "it is in core/ and depends on libc: the core has no dependencies"
        );
        assert!(says("core/pager", json!({ "name": "cc", "kind": "build" })).contains("no dependencies"));
        assert_eq!(says("core/pager", json!({ "name": "criterion", "kind": "dev" })), "");
        assert_eq!(says("lab", json!({ "name": "libc", "kind": null })), "");
    }

    #[test]
    fn a_dependency_on_a_chore_is_found() {
        let xtask = json!({ "name": "xtask", "path": "/r/xtask", "kind": null });
        assert_eq!(says("faces/cli", xtask), "it is in faces/ and depends on xtask, which is in no layer");
    }
}
