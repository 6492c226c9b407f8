//! Which files on this machine are fonts that Chinese and English can be set with.

use std::path::{Path, PathBuf};

/// Where Debian and its like put fonts.
const USUAL: &[&str] = &["/usr/share/fonts", "/usr/local/share/fonts"];

/// How the names of files begin that hold a Han sans serif under the Open Font License, the most wanted first: a file
/// of the system whose name is another is not opened.
const KNOWN: &[&str] = &["notosanscjk", "notosanssc", "notosanshans", "sourcehansans"];

/// The weights that are used; a file that holds all of them names none.
const WEIGHTS: &[&str] = &["regular", "bold", "vf", "variable", "wght"];

/// Folders inside folders that are looked into.
const DEEPEST: usize = 5;
/// Files at most: each is held in memory while something is printed.
const MOST: usize = 8;

/// The files named, or those found in the usual places.
pub(super) fn find(named: &[PathBuf], beside: Option<PathBuf>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if !named.is_empty() {
        named.iter().for_each(|path| gather(path, 0, &mut files));
        files.truncate(MOST);
        return files;
    }
    if let Some(own) = beside {
        gather(&own, 0, &mut files);
        if !files.is_empty() {
            files.truncate(MOST);
            return files;
        }
    }
    USUAL.iter().for_each(|folder| gather(Path::new(folder), 0, &mut files));
    let wanted = KNOWN
        .iter()
        .map(|begin| files.iter().filter(|file| is_wanted(file, begin)).cloned().collect::<Vec<PathBuf>>());
    wanted.into_iter().find(|found| !found.is_empty()).unwrap_or_default().into_iter().take(MOST).collect()
}

fn is_wanted(file: &Path, begin: &str) -> bool {
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    name.starts_with(begin)
        && (name.len() <= begin.len() + 2 || WEIGHTS.iter().any(|weight| name.ends_with(weight)))
}

/// Font files at or below a path, by name, so that the order is the same on every start.
fn gather(path: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        let ending =
            path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        if matches!(ending.as_str(), "ttf" | "otf" | "ttc" | "otc") {
            files.push(path.to_owned());
        }
        return;
    }
    if depth >= DEEPEST {
        return;
    }
    let Ok(entries) = std::fs::read_dir(path) else { return };
    let mut within: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    within.sort();
    within.iter().for_each(|path| gather(path, depth + 1, files));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_systems_fonts_only_the_known_ones_are_opened() {
        for (name, wanted) in [
            ("NotoSansCJK-Regular.ttc", true),
            ("NotoSansCJK-Bold.ttc", true),
            ("NotoSansCJK-Thin.ttc", false),
            ("NotoSansCJKsc-Regular.otf", true),
            ("NotoSerifCJK-Regular.ttc", false),
            ("DejaVuSans.ttf", false),
        ] {
            assert_eq!(is_wanted(Path::new(name), "notosanscjk"), wanted, "{name}");
        }
    }

    #[test]
    fn a_folder_that_is_named_is_the_only_one_looked_into() {
        let folder = tempfile::tempdir().unwrap();
        assert!(find(&[folder.path().to_owned()], None).is_empty());
        std::fs::create_dir(folder.path().join("own")).unwrap();
        for name in ["own/b.otf", "a.TTF", "readme.txt"] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        let found = find(&[folder.path().to_owned()], None);
        let names: Vec<_> = found.iter().filter_map(|file| file.file_name()?.to_str()).collect();
        assert_eq!(names, ["a.TTF", "b.otf"]);
    }
}
