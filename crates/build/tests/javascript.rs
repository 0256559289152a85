//! Really builds small agents in JavaScript and TypeScript.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use agent_memory_build::{BuildError, Built, Options, Progress, Work, build};

/// A folder of sources, with a cache for their components. What npm installs is shared by all tests.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new(files: &[(&str, &str)]) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
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

    fn project(&self) -> PathBuf {
        fs::canonicalize(self.folder.path().join("project")).unwrap()
    }

    /// Builds a file of the project, or all of it.
    fn build(&self, name: &str) -> Result<Built, BuildError> {
        build(&self.project().join(name), &Options { cache: Some(&shared_cache()), ..Options::default() })
    }

    /// What is wrong with the sources, without the line that names the project.
    fn fault(&self, name: &str) -> String {
        match self.build(name) {
            Err(BuildError::Compile { output, .. }) => output,
            Err(error) => panic!("another error: {error}"),
            Ok(_) => panic!("it was built"),
        }
    }

    /// The components that were kept of this project.
    fn kept(&self) -> Vec<PathBuf> {
        let folder = shared_cache().join("javascript/components");
        let files = fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path());
        let notes = files.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
        let project = self.project();
        notes.filter(|note| fs::read_to_string(note).unwrap().contains(project.to_str().unwrap())).collect()
    }
}

fn shared_cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("javascript-cache")
}

#[test]
fn a_file_is_built_and_the_second_time_taken_from_the_cache() {
    let shop = "import { shelf } from './shelf';\nexport function book(conv: unknown) { return shelf; }\n";
    let world = World::new(&[("shop.ts", shop), ("shelf.ts", "export const shelf: string = 'brie';\n")]);
    let steps = RefCell::new(Vec::new());
    let watch = |step: Progress<'_>| steps.borrow_mut().push(step.to_string());
    let cache = shared_cache();
    let options = Options { cache: Some(&cache), progress: Some(&watch), ..Options::default() };
    let path = world.project().join("shop.ts");

    let built = build(&path, &options).unwrap();
    assert_eq!(built.work, Work::Done);
    assert!(built.bytes.starts_with(b"\0asm\x0d\0\x01\0"), "a component");
    assert_eq!(fs::read(&built.path).unwrap(), built.bytes);
    assert_eq!(built.diagnostics, "");
    let steps = steps.take();
    assert_eq!(steps[steps.len() - 2..], ["compiling shop for wasm", "making shop a component"]);

    let began = Instant::now();
    let again = build(&path, &options).unwrap();
    let took = began.elapsed();
    assert_eq!((again.work, &again.path), (Work::Fresh, &built.path));
    assert_eq!(again.bytes, built.bytes);
    assert!(took.as_millis() < 500, "{took:?}");

    world.put("shelf.ts", b"export const shelf: string = 'feta';\n");
    let changed = build(&path, &options).unwrap();
    assert_eq!(changed.work, Work::Done);
    assert_ne!(changed.bytes, built.bytes);
}

#[test]
fn a_project_is_built_and_what_is_remarked_upon_is_told_each_time() {
    let world = World::new(&[
        ("package.json", r#"{"type": "module"}"#),
        ("src/functions/book.ts", "import { one } from '../one.ts';\nexport default (conv: unknown) => one;\n"),
        ("src/functions/cancel.js", "export const helper = 5;\nexport function cancel(conv) {}\n"),
        ("src/flows/payment/functions/pay.js", "export function pay(conv, flow, { amount }) {}\n"),
        ("src/one.ts", "import { two } from './two.ts';\nexport const one = () => two();\n"),
        (
            "src/two.ts",
            "import { one } from './one.ts';\nexport const drawn = Math.random();\nconsole.log('loaded');\nexport const \
             two = () => one;\n",
        ),
    ]);
    let built = world.build("").unwrap();
    assert_eq!(
        built.diagnostics,
        "warning: src/one.ts: these files import one another in a circle, so that what one needs of another while it is \
         loaded may be missing: src/one.ts → src/two.ts → src/one.ts\n\
         warning: src/two.ts:2: `Math.random()` while this file is loaded gives one number for all turns: call it inside \
         a function\n\
         printed while it was loaded:\n\
         loaded"
    );
    let again = world.build("").unwrap();
    assert_eq!((again.work, again.diagnostics), (Work::Fresh, built.diagnostics));
}

#[test]
fn a_fault_is_told_with_its_file_and_line_and_nothing_is_kept() {
    let faults: &[(&[(&str, &str)], &str)] = &[
        (
            &[("shop.js", "export function book(conv) {\n  return 'brie'\n}}\n")],
            "shop.js:3:2: Unexpected \"}\"\n    }}",
        ),
        (
            &[("shop.ts", "export function book(conv: unknown) {\n  let one: = 1;\n}\n")],
            "shop.ts:2:12: Unexpected \"=\"\n    let one: = 1;",
        ),
        (
            &[("shop.js", "import { shelf } from './shelf.js';\nexport function book(conv) { return shelf; }\n")],
            "shop.js:1:23: there is no file `./shelf.js` to import\n    import { shelf } from './shelf.js';",
        ),
        (
            &[("shop.js", "\nimport { shelf } from '@acme/shelf/brie';\nexport function book(conv) { shelf(); }\n")],
            "shop.js:2:23: there is no package `@acme/shelf` to import: type `npm install @acme/shelf` in PROJECT\n    \
             import { shelf } from '@acme/shelf/brie';",
        ),
        (
            &[("shop.js", "import fs from 'node:fs';\nexport function book(conv) { fs.statSync('/'); }\n")],
            "shop.js:1:16: `node:fs` is a part of Node.js, and functions have no files, no network and no processes: do \
             without it\n    import fs from 'node:fs';",
        ),
        (
            &[
                ("shop.js", "import { feta } from './shelf.js';\nexport function book(conv) { return feta; }\n"),
                ("shelf.js", "export const brie = 1;\n"),
            ],
            "shop.js:1:10: No matching export in \"shelf.js\" for import \"feta\"\n    import { feta } from \
             './shelf.js';",
        ),
        (
            &[("shop.js", "export function book(conv, cheese, day) {}\n")],
            "shop.js:1:1: `book` takes 2 arguments: it can only take one object with all of them, as in `book(conv, { a, \
             b })`\n    export function book(conv, cheese, day) {}",
        ),
        (
            &[("shop.ts", "export const book = (conv: unknown, { day }: { day: Date }) => day;\n")],
            "shop.ts:1:37: `book` cannot be called: arguments come as JSON, which has no word for a `Date`\n    export \
             const book = (conv: unknown, { day }: { day: Date }) => day;",
        ),
        (
            &[("shop.ts", "export const book = (conv: unknown, day: string) => day;\n")],
            "shop.ts:1:37: `book` cannot be called: it takes a value by itself, and arguments come as one object, as in \
             `book(conv, { a })`\n    export const book = (conv: unknown, day: string) => day;",
        ),
        (
            &[("shop.js", "const PRICE = 5;\n")],
            "shop.js:1: nothing is exported: write a function, such as `export function startFunction(conv) {}`",
        ),
    ];
    for (files, fault) in faults {
        let world = World::new(files);
        let expected = fault.replace("PROJECT", world.project().to_str().unwrap());
        assert_eq!(world.fault(files[0].0), expected);
        assert_eq!(world.kept(), [] as [PathBuf; 0]);
    }
}

#[test]
fn a_file_that_is_no_utf_8_is_named_with_the_line() {
    let world = World::new(&[("shop.js", "import './shelf.js';\nexport function book(conv) {}\n")]);
    world.put("shelf.js", b"// brie\n// f\xeata\n");
    assert_eq!(world.fault("shop.js"), "shelf.js:2: this line is no UTF-8: save the file as UTF-8");
    assert!(world.kept().is_empty());
}

#[test]
fn a_project_of_50_mb_is_refused_with_its_largest_files() {
    let world = World::new(&[("shop.js", "import './large.js';\nexport function book(conv) {}\n")]);
    let line = "export const brie = 'a cheese';\n";
    world.put("large.js", line.repeat((50 << 20) / line.len()).as_bytes());
    let began = Instant::now();
    assert_eq!(
        world.fault("shop.js"),
        "the files that are imported have more than 8.0 MB, which no sandbox has room for: import less. The largest are \
         large.js (50.0 MB), shop.js (0.0 MB)"
    );
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    assert!(world.kept().is_empty());
}

#[test]
fn a_fault_that_shows_when_files_are_loaded_is_told_with_its_file_and_line() {
    let faults: &[(&[(&str, &str)], &str)] = &[
        (
            &[
                ("shop.ts", "import { open } from './shelf.ts';\nexport function book(conv: unknown) {}\nopen();\n"),
                (
                    "shelf.ts",
                    "class NoCheese extends Error {}\nconsole.log('opening');\nexport function open(): void {\n  throw \
                     new NoCheese('no brie');\n}\n",
                ),
            ],
            "shelf.ts:4: loading this file throws NoCheese: no brie\n    at open (shelf.ts:4:9)\n    at \
             shop.ts:3:1\nprinted while it was loaded:\nopening",
        ),
        (
            &[("shop.js", "// A letter.\nexport const book = (conv) => /\\p{L}/u.test('b');\n")],
            "shop.js:2:31: SyntaxError: invalid property name in regular expression",
        ),
        (
            &[("shop.js", "const id = crypto.randomUUID();\nexport function book(conv) { return id; }\n")],
            "shop.js:1: loading this file throws SandboxError: `crypto.randomUUID` while files are loaded would give the \
             same in all turns: call it inside a function\n    at shop.js:1:19",
        ),
        (
            &[(
                "shop.js",
                "export function bookTable(conv) {}\n\n/** The same. */\nexport function book_table(conv) {}\n",
            )],
            "shop.js:4: `book_table` is a function at shop.js:1 already: rename one",
        ),
        (
            &[("shop.js", "export const PRICE = 5;\n")],
            "shop.js: no function is exported: write one, such as `export function startFunction(conv) {}`",
        ),
        (
            &[("src/functions/book.js", "export function order(conv) {}\n")],
            "src/functions/book.js: no function `book` is exported, though the file is called like one",
        ),
    ];
    for (files, fault) in faults {
        let world = World::new(files);
        let name = if files[0].0.starts_with("src/") { "" } else { files[0].0 };
        assert_eq!(world.fault(name), *fault);
        assert!(world.kept().is_empty());
    }
}

/// Runs this very test in a process that finds no programs.
#[test]
fn a_machine_without_node_is_told_what_to_type() {
    const CHILD: &str = "AGENT_MEMORY_TEST_WITHOUT_NODE";
    if std::env::var_os(CHILD).is_some() {
        let world = World::new(&[("shop.js", "export function book(conv) {}\n")]);
        println!("{}", world.build("shop.js").unwrap_err());
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["a_machine_without_node_is_told_what_to_type", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .env("PATH", "")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        printed.contains(
            "there is no program `node` on the search path, which JavaScript is built with: install Node.js 20 or later, \
             as https://nodejs.org/en/download says, or type one of these\n  brew install node\n"
        ),
        "{printed}"
    );
}
