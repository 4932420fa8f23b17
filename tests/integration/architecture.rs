//! Who may import whom: the table of docs/architecture.md against the `use` lines, and no circle of files. A room is a folder or file
//! of `src`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::support::root;

type Name = Vec<String>;

/// Each room of the page's table, in its order, with the rooms that it may import.
fn rooms_of_page() -> Vec<(String, BTreeSet<String>)> {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let table = page.split("\n| room | what | may import |").nth(1).unwrap();
    let quoted = |cell: &str| -> Vec<String> {
        let words = cell.split('`').skip(1).step_by(2);
        words.map(str::to_owned).collect()
    };
    table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
            let allowed: BTreeSet<String> = quoted(cells[2]).into_iter().collect();
            let named = quoted(cells[0]).into_iter();
            named
                .map(move |room| (room, allowed.clone()))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// Every file of the library that is no test, by the name of its module, without comments and without its tests.
fn modules() -> BTreeMap<Name, String> {
    let source = root().join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let mut modules = BTreeMap::new();
    for path in files {
        let relative = path.strip_prefix(&source).unwrap().with_extension("");
        let mut name: Name = relative
            .iter()
            .map(|part| part.to_str().unwrap().to_owned())
            .collect();
        let is_test = |part: &String| part == "tests" || part.ends_with("_tests");
        if name == ["main"] || name.iter().any(is_test) || name.last().unwrap() == "test_data" {
            continue;
        }
        if ["mod", "lib"].contains(&name.last().unwrap().as_str()) {
            name.pop();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
        let code = text.lines().map(|line| line.split("//").next().unwrap());
        modules.insert(name, code.collect::<Vec<_>>().join("\n"));
    }
    modules
}

/// The paths of a tree of imports: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths_of(tree: &str, prefix: &[String], into: &mut Vec<Name>) {
    let tree = tree.trim();
    let parts = |text: &str| -> Name {
        let parts = text
            .split("::")
            .map(|p| p.split(" as ").next().unwrap().trim());
        parts.filter(|p| !p.is_empty()).map(str::to_owned).collect()
    };
    let Some(open) = tree.find('{') else {
        if !tree.is_empty() {
            into.push([prefix, &parts(tree)].concat());
        }
        return;
    };
    let prefix = [prefix, &parts(&tree[..open])].concat();
    let inner = &tree[open + 1..tree.rfind('}').unwrap()];
    let (mut depth, mut start) = (0, 0);
    for (i, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                paths_of(&inner[start..i], &prefix, into);
                start = (i + 1).min(inner.len());
            }
            _ => {}
        }
    }
}

/// All paths that begin with `crate` or `super` in a file, from the crate's root.
fn imports(name: &Name, code: &str) -> Vec<Name> {
    let mut found = Vec::new();
    let mut rest = String::new();
    for (i, statement) in code.split("use ").enumerate() {
        let is_use =
            i > 0 && (statement.starts_with("crate::") || statement.starts_with("super::"));
        match (is_use, statement.find(';')) {
            (true, Some(end)) => {
                paths_of(&statement[..end], &[], &mut found);
                rest.push_str(&statement[end..]);
            }
            _ => rest.push_str(statement),
        }
    }
    for word in rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        if word.starts_with("crate::") || word.starts_with("super::") {
            paths_of(word, &[], &mut found);
        }
    }
    let absolute = found.into_iter().map(|path| match path[0].as_str() {
        "crate" => path[1..].to_vec(),
        _ => {
            let n = path.iter().take_while(|part| *part == "super").count();
            [&name[..name.len().saturating_sub(n)], &path[n..]].concat()
        }
    });
    absolute.collect()
}

#[test]
fn rooms_import_only_what_the_page_allows() {
    let page = rooms_of_page();
    let modules = modules();
    let exist: BTreeSet<&str> = modules
        .keys()
        .filter_map(|name| name.first())
        .map(String::as_str)
        .collect();
    let listed: BTreeSet<&str> = page.iter().map(|(room, _)| room.as_str()).collect();
    assert_eq!(exist, listed, "rooms of src, and of docs/architecture.md");
    let picture = std::fs::read_to_string(root().join("docs/rooms.svg")).unwrap();
    for room in &listed {
        let is_drawn = picture.contains(&format!(">{room}</text>"));
        assert!(is_drawn, "docs/rooms.svg has no room {room}");
    }

    let mut wrong = BTreeSet::new();
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for (name, code) in &modules {
        let Some(room) = name.first() else { continue };
        let (_, allowed) = page.iter().find(|(listed, _)| listed == room).unwrap();
        for path in imports(name, code) {
            let Some(other) = path.first().filter(|other| exist.contains(other.as_str())) else {
                continue;
            };
            if other != room {
                used.insert((room.clone(), other.clone()));
                if !allowed.contains(other) {
                    wrong.insert(format!("{} imports {}", name.join("::"), path.join("::")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "not allowed by the page:\n{wrong:#?}");

    // One direction: a room imports only those that the page lists before it.
    let place = |room: &str| page.iter().position(|(listed, _)| listed == room);
    for (room, allowed) in &page {
        for other in allowed {
            assert!(place(other) < place(room), "{room} may import {other}");
            let is_used = used.contains(&(room.clone(), other.clone()));
            assert!(is_used, "{room} may import {other}, and does not");
        }
    }
}

/// With the feature `lab`, which the Python package has for its simulated plates, the rooms themselves are public.
#[test]
fn the_python_package_uses_the_public_face_alone() {
    let rooms: BTreeSet<String> = rooms_of_page().into_iter().map(|(room, _)| room).collect();
    let mut files = Vec::new();
    rust_files(&root().join("python/src"), &mut files);
    assert!(files.len() > 5, "{files:?}");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for part in text.split("relrv::").skip(1) {
            let mut paths = Vec::new();
            // A tree of imports up to its end, or one path.
            let end = match part.starts_with('{') {
                true => part.find("};").map(|end| end + 1),
                false => part.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')),
            };
            paths_of(&part[..end.unwrap_or(part.len())], &[], &mut paths);
            let into_room = |path: &&Name| path.len() > 1 && rooms.contains(&path[0]);
            let wrong: Vec<&Name> = paths.iter().filter(into_room).collect();
            assert!(wrong.is_empty(), "{}: {wrong:?}", path.display());
        }
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let modules = modules();
    let mut graph: BTreeMap<&Name, BTreeSet<&Name>> = BTreeMap::new();
    for (name, code) in &modules {
        for path in imports(name, code) {
            let files = (1..=path.len()).rev().map(|n| &path[..n]);
            let file = files.filter_map(|n| modules.get_key_value(n)).next();
            // A folder's file and those in it are one thing.
            if let Some((other, _)) = file
                && !name.starts_with(other)
                && !other.starts_with(name)
            {
                graph.entry(name).or_default().insert(other);
            }
        }
    }
    assert!(
        graph.len() > 100,
        "only {} files import others",
        graph.len()
    );
    // What imports nothing that is left is in no circle; what stays when nothing more can be taken away is.
    let mut left: BTreeSet<&Name> = graph.keys().copied().collect();
    loop {
        let is_free = |name: &&&Name| graph[**name].iter().all(|other| !left.contains(other));
        let free: Vec<&Name> = left.iter().filter(is_free).copied().collect();
        if free.is_empty() {
            break;
        }
        free.iter().for_each(|name| _ = left.remove(name));
    }
    let reaches = |from: &Name| {
        let (mut seen, mut todo) = (BTreeSet::new(), vec![from]);
        while let Some(name) = todo.pop() {
            for other in graph.get(name).into_iter().flatten() {
                if seen.insert(*other) {
                    todo.push(other);
                }
            }
        }
        seen.contains(from)
    };
    let in_circle: Vec<String> = left
        .iter()
        .filter(|name| reaches(name))
        .map(|name| name.join("::"))
        .collect();
    assert!(in_circle.is_empty(), "in circles: {in_circle:#?}");
}
