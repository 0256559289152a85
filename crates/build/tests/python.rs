//! Really builds small agents in Python.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![cfg(unix)]

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use agent_memory_build::{BuildError, Built, Options, Progress, Work, build};

/// Files by their names, with their content.
type Files<'a> = &'a [(&'a str, &'a str)];

/// A folder of sources, with a cache of its own. What is installed is shared by all tests.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new(files: Files<'_>) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(world.cache().join("python")).unwrap();
        std::os::unix::fs::symlink(tools(), world.cache().join("python/tools")).unwrap();
        fs::create_dir(world.folder.path().join("project")).unwrap();
        for (name, content) in files {
            world.put(name, content.as_bytes());
        }
        world
    }

    fn put(&self, name: &str, content: &[u8]) {
        let path = self.folder.path().join("project").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn project(&self) -> PathBuf {
        fs::canonicalize(self.folder.path().join("project")).unwrap()
    }

    /// Builds a file of the project, or all of it.
    fn build(&self, name: &str) -> Result<Built, BuildError> {
        let path = if name.is_empty() { self.project() } else { self.project().join(name) };
        build(&path, &Options { cache: Some(&self.cache()), ..Options::default() })
    }

    /// What is wrong with the sources, without the line that names the project, and without the folder's path. Nothing
    /// may be left of the attempt.
    fn fault(&self, name: &str) -> String {
        let output = match self.build(name) {
            Err(BuildError::Compile { output, .. }) => output,
            Err(error) => panic!("another error: {error}"),
            Ok(_) => panic!("it was built"),
        };
        assert_eq!(self.kept(), [] as [PathBuf; 0], "{output}");
        output.replace(&format!("{}/", self.project().display()), "")
    }

    /// All files that are in the cache, but for the one by which processes wait for one another.
    fn kept(&self) -> Vec<PathBuf> {
        let mut waiting = vec![self.cache()];
        let mut found = Vec::new();
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                match entry.file_type().unwrap() {
                    kind if kind.is_dir() => waiting.push(entry.path()),
                    kind if kind.is_file() && entry.file_name() != "lock" => found.push(entry.path()),
                    _ => {}
                }
            }
        }
        found
    }
}

/// The folder of what is installed, complete.
fn tools() -> PathBuf {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    let prepare = || {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-cache");
        // Always the same, so that what is made of it takes the place of what was made before.
        let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-cache-project");
        fs::create_dir_all(&project).unwrap();
        let file = project.join("shop.py");
        fs::write(&file, "def start_function(conv): pass\n").unwrap();
        let options = Options { cache: Some(&cache), ..Options::default() };
        build(&file, &options).unwrap_or_else(|error| panic!("{error}"));
        cache.join("python/tools")
    };
    TOOLS.get_or_init(prepare).clone()
}

#[test]
fn a_project_is_built_and_the_second_time_taken_from_the_cache() {
    let world = World::new(&[
        ("functions/book.py", "from _gen import *\nfrom shelf import SHELF\n\ndef book(conv): return SHELF\n"),
        ("shelf.py", "SHELF = 'brie'\n"),
    ]);
    let steps = RefCell::new(Vec::new());
    let watch = |step: Progress<'_>| steps.borrow_mut().push(step.to_string());
    let cache = world.cache();
    let options = Options { cache: Some(&cache), progress: Some(&watch), ..Options::default() };

    let built = build(&world.project(), &options).unwrap();
    assert_eq!(built.work, Work::Done);
    assert!(built.bytes.starts_with(b"\0asm\x0d\0\x01\0"), "a component");
    assert_eq!(fs::read(&built.path).unwrap(), built.bytes);
    assert_eq!(built.diagnostics, "");
    assert_eq!(steps.take(), ["compiling project for wasm"]);

    let again = build(&world.project(), &options).unwrap();
    assert_eq!((again.work, &again.path), (Work::Fresh, &built.path));
    assert_eq!(again.bytes, built.bytes);
    assert_eq!(steps.take(), [] as [String; 0]);

    world.put("shelf.py", b"SHELF = 'feta'\n");
    let changed = world.build("").unwrap();
    assert_eq!(changed.work, Work::Done);
    assert_ne!(changed.bytes, built.bytes);
}

#[test]
fn what_may_be_wrong_is_told_each_time_and_flows_may_share_names() {
    let world = World::new(&[
        ("functions/book.py", "def book(conv):\n    return conv.functions.handof('cheese')\n"),
        ("functions/handoff.py", "def handoff(conv, reason): pass\n"),
        ("flows/order/functions/confirm.py", "def confirm(conv, flow): pass\n"),
        (
            "flows/pay/functions/confirm.py",
            "import random, uuid\nfrom pydantic import BaseModel, Field\nLUCK = random.random()\n\nclass Order(BaseModel):\n    \
             id: uuid.UUID = Field(default_factory=uuid.uuid4)\n\nORDER = Order()\nID = uuid.uuid7()\n\ndef \
             confirm(conv, flow): pass\n",
        ),
    ]);
    let built = world.build("").unwrap();
    let project = world.project();
    let expected = format!(
        "warning: {project}/flows/pay/functions/confirm.py:3: `random.random()` is worked out when the agent is built, \
         and is the same in every turn: call it in a function\n\
         warning: {project}/flows/pay/functions/confirm.py:8: `uuid.uuid4()` is worked out when the agent is built, \
         and is the same in every turn: call it in a function\n\
         warning: {project}/flows/pay/functions/confirm.py:9: `uuid.uuid7()` is worked out when the agent is built, \
         and is the same in every turn: call it in a function\n\
         warning: {project}/functions/book.py:2: there is no function `handof`: did you mean `handoff`?\n",
        project = project.display(),
    );
    assert_eq!(built.diagnostics, expected);
    let again = world.build("").unwrap();
    assert_eq!((again.work, again.diagnostics), (Work::Fresh, built.diagnostics));

    let link = world.folder.path().join("link");
    std::os::unix::fs::symlink(&project, &link).unwrap();
    let linked = build(&link, &Options { cache: Some(&world.cache()), ..Options::default() }).unwrap();
    let expected = expected.replace(&project.display().to_string(), &link.display().to_string());
    assert_eq!((linked.work, linked.diagnostics), (Work::Fresh, expected), "as whoever builds names the project");
}

#[test]
fn a_fault_is_told_with_its_file_and_line_and_nothing_is_kept() {
    let faults: &[(Files<'_>, &str, &str)] = &[
        (
            &[
                ("functions/book.py", "from shelf import find\n\nCHEESE = find('brie')\n\ndef book(conv): pass\n"),
                ("shelf.py", "def find(name):\n    return {}[name]\n"),
            ],
            "",
            "shelf.py:2: this fails when it is imported: KeyError: 'brie'\n    return {}[name]\n    reached from \
             functions/book.py:3: CHEESE = find('brie')",
        ),
        (
            &[("shop.py", "PRICE = 5\n\n\ndef price_of(cheese):\n    return PRICE\n")],
            "shop.py",
            "shop.py:1: there are no functions here: write `def start_function(conv):`, for one",
        ),
        (
            &[("functions/book.py", "def book(conv): pass\n"), ("functions/more/book.py", "\ndef book(conv): pass\n")],
            "",
            "functions/more/book.py:2: there are two functions `book`, the other one at functions/book.py:1: give one \
             another name",
        ),
        (
            &[
                ("functions/book.py", "def book(conv):\n    from functions.price import price_of\n"),
                ("functions/prices.py", "def price_of(cheese): return 5\n"),
            ],
            "",
            "functions/book.py:2: there is no module `functions.price`: did you mean `functions.prices`?",
        ),
        (
            &[
                ("functions/a.py", "from functions.b import one\n\ndef a(conv): pass\n"),
                ("functions/b.py", "from functions.c import two\n\none = 1\n"),
                ("functions/c.py", "from functions.a import a\n\ntwo = 2\n"),
            ],
            "",
            "functions/c.py:1: circular import: `functions/a.py` imports `functions/b.py` imports `functions/c.py` imports \
             `functions/a.py`; import one of them inside of the function that needs it",
        ),
    ];
    for (files, path, fault) in faults {
        assert_eq!(World::new(files).fault(path), *fault);
    }
}

#[test]
fn all_files_that_are_no_python_are_told_at_once() {
    let world = World::new(&[
        ("functions/book.py", "def book(conv):\n    return (1,\n"),
        ("functions/cancel.py", "def cancel(conv):\n    retrun 1\n"),
    ]);
    world.put("functions/greet.py", b"# brie\n# f\xeata\ndef greet(conv): pass\n");
    assert_eq!(
        world.fault(""),
        "functions/book.py:2: SyntaxError: '(' was never closed\n    return (1,\n           ^\n\
         functions/cancel.py:2: SyntaxError: invalid syntax\n    retrun 1\n           ^\n\
         functions/greet.py:2: the file is not UTF-8: there is a byte 0xEA in this line; save it as UTF-8"
    );
}

#[test]
fn a_project_of_50_mb_is_refused_with_its_largest_file() {
    let world = World::new(&[("functions/book.py", "def book(conv): pass\n")]);
    let table = world.project().join("functions/table.json");
    fs::File::create(table).unwrap().set_len(50 << 20).unwrap();
    assert_eq!(
        world.fault(""),
        "functions/table.json:1: the project's files have 50.0 MiB together, and 16.0 MiB are allowed: this one alone has \
         50.0 MiB; leave out what no function needs"
    );
}

#[test]
fn a_package_that_cannot_be_bundled_is_told_with_the_line_that_names_it() {
    let faults = [
        (
            "# For speed.\nisodate\nujson>=5  # native\n",
            "requirements.txt:3: `ujson` has native code, which does not work in the sandbox: do without it, or name a \
             release that is plain Python",
        ),
        (
            "requests\nisodate\nagent-memory-no-such-package==1.0\n",
            "requirements.txt:3: there is no package `agent-memory-no-such-package==1.0`",
        ),
        ("requests\niso date\n", "requirements.txt:2: pip cannot install what this names"),
        (
            "isodate\n\n-r 'for all/more needs.txt'  # shared\n",
            "requirements.txt:3: pip cannot install what this names",
        ),
        (
            "isodate\n--requirement=native.txt\n",
            "requirements.txt:2: `ujson` has native code, which does not work in the sandbox: do without it, or name a \
             release that is plain Python",
        ),
    ];
    for (requirements, fault) in faults {
        let world = World::new(&[
            ("functions/book.py", "def book(conv): pass\n"),
            ("requirements.txt", requirements),
            ("for all/more needs.txt", "iso date\n"),
            ("native.txt", "ujson>=5\n"),
        ]);
        let told = world.fault("");
        // Which words of pip's follow depends on its version.
        let (first, pip) = told.split_once('\n').unwrap_or((&told, ""));
        assert_eq!(first, fault);
        assert_eq!(pip.contains("line 1 of for all/more needs.txt"), requirements.contains("-r "), "{told}");
    }
}

/// Runs this very test in a process that reaches no package index.
#[test]
fn a_package_index_that_cannot_be_reached_is_not_taken_for_a_package_that_there_is_not() {
    const CHILD: &str = "AGENT_MEMORY_TEST_WITHOUT_INDEX";
    if std::env::var_os(CHILD).is_some() {
        let world =
            World::new(&[("functions/book.py", "def book(conv): pass\n"), ("requirements.txt", "# Dates.\nisodate\n")]);
        println!("{}", world.fault(""));
        return;
    }
    // So that the process finds what builds Python, and has to install nothing.
    tools();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["a_package_index_that_cannot_be_reached_is_not_taken_for_a_package_that_there_is_not"])
        .args(["--exact", "--nocapture"])
        .env(CHILD, "1")
        .env("PIP_CONFIG_FILE", "/dev/null")
        // Nothing listens on this port.
        .env("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        .env("PIP_RETRIES", "1")
        .env("NO_PROXY", "127.0.0.1")
        .env_remove("PIP_EXTRA_INDEX_URL")
        .env_remove("PIP_FIND_LINKS")
        .env_remove("PIP_NO_INDEX")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let expected = "requirements.txt:2: the package index cannot be reached: connect, or name another one by the variable \
                    `PIP_INDEX_URL`\nWARNING: Retrying (";
    assert!(printed.contains(expected), "{printed}");
    assert!(!printed.contains("there is no package"), "{printed}");
}

/// Runs this very test in a process that finds no programs.
#[test]
fn a_machine_without_python_is_told_what_to_type() {
    const CHILD: &str = "AGENT_MEMORY_TEST_WITHOUT_PYTHON";
    if std::env::var_os(CHILD).is_some() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.py");
        fs::write(&file, "def book(conv): pass\n").unwrap();
        let options = Options { cache: Some(folder.path()), ..Options::default() };
        println!("{}", build(&file, &options).unwrap_err());
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["a_machine_without_python_is_told_what_to_type", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .env("PATH", "")
        .env_remove("AGENT_MEMORY_PYTHON")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        printed.contains(
            "there is no program `python3` on the search path, which Python is built with: install Python 3.10 or later, \
             as https://www.python.org/downloads says, or type one of these\n  brew install python\n"
        ),
        "{printed}"
    );
}
