//! Really builds small agents in JavaScript and TypeScript.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use agent_memory_build::{BuildError, Built, Options, Progress, Work, build};

/// A folder of sources, with a cache for their components. What npm installs is shared by all tests.
struct World {
    folder: tempfile::TempDir,
}

/// The cache that has what npm installs.
static SHARED_CACHE: LazyLock<PathBuf> = LazyLock::new(|| {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("javascript-cache");
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("shop.js");
    fs::write(&broken, "}").unwrap();
    let error = build(&broken, &Options { cache: Some(&cache), ..Options::default() }).unwrap_err();
    assert!(matches!(error, BuildError::Compile { .. }), "{error}");
    cache
});

impl World {
    fn new(files: &[(&str, &str)]) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(world.cache().join("javascript")).unwrap();
        let tools = "javascript/tools";
        std::os::unix::fs::symlink(SHARED_CACHE.join(tools), world.cache().join(tools)).unwrap();
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

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Builds a file of the project, or all of it.
    fn build(&self, name: &str) -> Result<Built, BuildError> {
        build(&self.project().join(name), &Options { cache: Some(&self.cache()), ..Options::default() })
    }

    /// What is wrong with the sources, without the line that names the project.
    fn fault(&self, name: &str) -> String {
        match self.build(name) {
            Err(BuildError::Compile { output, .. }) => output,
            Err(error) => panic!("another error: {error}"),
            Ok(_) => panic!("it was built"),
        }
    }

    /// The names of all files that were kept of this project.
    fn kept(&self) -> Vec<String> {
        let files = fs::read_dir(self.cache().join("javascript/components")).into_iter().flatten();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn a_file_is_built_and_the_second_time_taken_from_the_cache() {
    let shop = "import { shelf } from './shelf';\nexport function book(conv: unknown) { return shelf; }\n";
    let world = World::new(&[("shop.ts", shop), ("shelf.ts", "export const shelf: string = 'brie';\n")]);
    let steps = RefCell::new(Vec::new());
    let watch = |step: Progress<'_>| steps.borrow_mut().push(step.to_string());
    let cache = world.cache();
    let options = Options { cache: Some(&cache), progress: Some(&watch), ..Options::default() };
    let path = world.project().join("shop.ts");

    let built = build(&path, &options).unwrap();
    assert_eq!(built.work, Work::Done);
    assert!(built.bytes.starts_with(b"\0asm\x0d\0\x01\0"), "a component");
    assert_eq!(fs::read(&built.path).unwrap(), built.bytes);
    assert_eq!(built.diagnostics, "");
    let steps = steps.take();
    assert_eq!(steps[steps.len() - 2..], ["compiling shop for wasm", "making shop a component"]);

    let again = build(&path, &options).unwrap();
    assert_eq!((again.work, &again.path), (Work::Fresh, &built.path));
    assert_eq!(again.bytes, built.bytes);
    let name = built.path.file_stem().unwrap().to_str().unwrap();
    assert_eq!(world.kept(), [format!("{name}.json"), format!("{name}.wasm")]);

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
        ("src/functions/weigh.js", "import { grams } from 'scales';\nexport const weigh = (conv) => grams;\n"),
        ("node_modules/scales/package.json", r#"{"type": "module", "main": "grams.js"}"#),
        ("node_modules/scales/grams.js", "export const grams = 5;\nexport const other = (name) => import(name);\n"),
        ("src/flows/payment/functions/pay.js", "export function pay(conv, flow, { amount }) {}\n"),
        (
            "src/one.ts",
            "// The other is './two.ts', with:\n// import { two } from './two.ts';\nconst other = './two.ts';\nimport {\n  \
             two,\n} from './two.ts';\nexport const one = () => [two(), other];\n",
        ),
        (
            "src/two.ts",
            "import { one } from './one.ts';\nexport const drawn = Math.random();\nconsole.log('loaded');\nexport const \
             two = () => one;\n",
        ),
    ]);
    let built = world.build("").unwrap();
    assert_eq!(
        built.diagnostics,
        "warning: node_modules/scales/grams.js:2:32: what is imported has to be named by a plain text\n    export const \
         other = (name) => import(name);\nwarning: src/one.ts:6: these files import one another in a circle, so that what one needs of another while it is \
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
            &[("shop.js", "export async function book(conv, { cheese }) {\n  return import(cheese);\n}\n")],
            "shop.js:2:10: what is imported has to be named by a plain text\n    return import(cheese);",
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
        assert_eq!(world.kept(), [] as [String; 0]);
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
    assert_eq!(
        world.fault("shop.js"),
        "the files that are imported have more than 8.0 MB, which no sandbox has room for: import less. The largest are \
         large.js (50.0 MB), shop.js (0.0 MB)"
    );
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
            &[
                ("src/functions/bookTable.js", "export function bookTable(conv) {}\n"),
                ("src/functions/book_table.ts", "\nexport function book_table(conv: unknown) {}\n"),
            ],
            "src/functions/book_table.ts:2: `book_table` is a function at src/functions/bookTable.js:1 already: rename one",
        ),
        (
            &[
                (
                    "shop.js",
                    "import { shelf } from './shelf.js';\nexport const cheese = 'brie';\nexport const book = (conv) => shelf;\n",
                ),
                ("shelf.js", "\nimport { cheese } from './shop.js';\nexport const shelf = cheese.length;\n"),
            ],
            "shelf.js:3: loading this file throws TypeError: can't access property \"length\", cheese is \
             undefined\n    at shelf.js:3:14\n    at shop.js:1:1\nwarning: \
             shelf.js:2: these files import one another in a circle, so that what one needs of another while it is \
             loaded may be missing: shelf.js → shop.js → shelf.js",
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
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.js");
        fs::write(&path, "export function book(conv) {}\n").unwrap();
        println!("{}", build(&path, &Options { cache: Some(folder.path()), ..Options::default() }).unwrap_err());
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
