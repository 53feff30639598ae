//! The Rust files of the repository, read once for all rules.

use std::path::{Path, PathBuf};

/// Where hand-written and generated Rust stands.
const FOLDERS: &[&str] = &["crates", "xtask", "fuzz/fuzz_targets", "sim"];

/// One file of Rust.
pub struct Source {
    /// Path from the root of the repository, with `/`.
    pub path: String,
    /// What it holds.
    pub text: String,
}

impl Source {
    /// Whether a generator wrote it; such files are never edited, nor measured.
    pub fn is_generated(&self) -> bool {
        self.text.lines().take(5).any(|line| line.contains("@generated"))
    }

    /// Whether it is part of a library or binary (`src/`), not a test, bench or example.
    pub fn is_in_src(&self) -> bool {
        self.path.contains("/src/")
    }

    /// Whether the whole file is test code, by its name.
    pub fn is_test(&self) -> bool {
        !self.is_in_src()
            || self.path.ends_with("/tests.rs")
            || self.path.contains("/src/tests/")
            || self.path.contains("/tests/")
    }

    /// The lines outside comments and outside `#[cfg(test)] mod … { … }`, with their numbers
    /// (from 1). Relies on rustfmt: a module ends at the first `}` indented as its beginning.
    pub fn code(&self) -> Vec<(usize, &str)> {
        let mut code = Vec::new();
        let mut ends_with: Option<String> = None;
        let mut after_cfg_test = false;
        for (index, line) in self.text.lines().enumerate() {
            if let Some(end) = &ends_with {
                if line == end {
                    ends_with = None;
                }
                continue;
            }
            let trimmed = line.trim_start();
            if trimmed == "#[cfg(test)]" {
                after_cfg_test = true;
                continue;
            }
            if after_cfg_test && trimmed.starts_with("#[") {
                continue;
            }
            if after_cfg_test && trimmed.contains("mod ") && trimmed.ends_with('{') {
                let indent = line.len().saturating_sub(trimmed.len());
                ends_with = Some(format!("{}}}", " ".repeat(indent)));
                after_cfg_test = false;
                continue;
            }
            after_cfg_test = false;
            let statement = trimmed.split("//").next().unwrap_or_default();
            if !statement.is_empty() {
                code.push((index.saturating_add(1), line));
            }
        }
        code
    }
}

/// Every Rust file under [`FOLDERS`], in the order of their paths.
pub fn files(root: &Path) -> Result<Vec<Source>, String> {
    let mut paths = Vec::new();
    for folder in FOLDERS {
        walk(&root.join(folder), &mut paths)?;
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        files.push(Source { path, text });
    }
    Ok(files)
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), String> {
    let told = |error: std::io::Error| format!("cannot list {}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.is_dir() && !path.ends_with("target") {
            walk(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn comments_and_test_modules_are_not_code() {
        let text =
            "let a = 1; // now\n// gone\n#[cfg(test)]\nmod tests {\n    x();\n}\nlet b = 2;\n";
        let source = Source { path: "crates/a/src/lib.rs".into(), text: text.into() };
        let lines: Vec<usize> = source.code().into_iter().map(|(number, _)| number).collect();
        assert_eq!(lines, [1, 7]);
    }

    #[test]
    fn a_test_module_in_a_file_of_its_own_hides_nothing_after_it() {
        let text = "#[cfg(test)]\nmod tests;\nlet b = 2;\n";
        let source = Source { path: "crates/a/src/lib.rs".into(), text: text.into() };
        assert_eq!(source.code().last(), Some(&(3, "let b = 2;")));
    }
}
