//! Usage, help, completions, and what concerns every command.

use std::io::Read;
use std::process::Stdio;

use crate::support::Folder;

const COMMANDS: [&str; 12] =
    ["demo", "new", "build", "check", "run", "memory", "sweep", "analytics", "serve", "token", "bench", "completions"];

#[test]
fn wrong_usage_is_told_and_ends_with_2() {
    let folder = Folder::new();
    for (arguments, reason) in [
        (&["rnu"][..], "unrecognized subcommand 'rnu'"),
        (&["run"], "<SCENARIO>"),
        (&["new", "shop"], "--language <LANGUAGE>"),
        (&["new", "shop", "--language", "cobol"], "[possible values: python, javascript, typescript, rust]"),
        (&["run", "scenario.yaml", "--jsn"], "a similar argument exists: '--json'"),
        (&["sweep"], "--store <URL>"),
        (&["sweep", "--store", "memory:", "--at", "yesterday"], "invalid value 'yesterday' for '--at <TIME>'"),
        (&["memory", "get", "+44", "--store", "memory:", "--kind", "fax"], "[possible values: phone, custom]"),
        (&["analytics", "--store", "memory:", "--json", "--csv"], "cannot be used with"),
    ] {
        let ran = folder.run(arguments).expect(2);
        assert!(ran.err.contains(reason), "{arguments:?}: {}", ran.err);
        assert_eq!(ran.out, "");
    }
    assert!(folder.run(&[]).expect(2).err.contains("Usage: agent-memory"));
}

#[test]
fn every_command_has_help_with_an_example() {
    let folder = Folder::new();
    let overview = folder.run(&["--help"]).expect(0).out;
    for command in COMMANDS {
        assert!(overview.contains(&format!("\n  {command} ")), "{command} is not in {overview}");
        let help = folder.run(&[command, "--help"]).expect(0).out;
        assert!(help.contains(&format!("Example: agent-memory {command}")), "{help}");
    }
    for command in ["get", "export", "erase"] {
        let help = folder.run(&["memory", command, "--help"]).expect(0).out;
        assert!(help.contains(&format!("Example: agent-memory memory {command}")), "{help}");
    }
    assert!(overview.contains("Exit codes:") && overview.contains("AGENT_MEMORY_CACHE_DIR"), "{overview}");
}

#[test]
fn every_shell_gets_completions() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.run(&["completions", shell]).expect(0).out;
        assert!(COMMANDS.iter().all(|command| script.contains(command)), "{shell}");
    }
}

#[test]
fn nothing_but_a_terminal_gets_colours() {
    let folder = Folder::new();
    let ran = folder.run(&["demo"]).expect(0);
    assert!(!ran.out.contains('\u{1b}'));
    assert_eq!(ran.err, "", "a pipe gets no progress");
    assert!(!folder.run(&["check", "nowhere"]).err.contains('\u{1b}'));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = Folder::new();
    let mut child = folder.command(&["demo"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn a_folder_for_compiled_functions_that_cannot_be_used_is_told() {
    let folder = Folder::new();
    folder.write("file", "");
    let output = folder.command(&["demo"]).env("AGENT_MEMORY_CACHE_DIR", folder.path("file/cache")).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("compiled code cannot be kept in"), "{err}");
}

#[test]
fn without_a_folder_for_compiled_functions_all_is_well() {
    let folder = Folder::new();
    folder.write("file", "");
    let mut command = folder.command(&["demo"]);
    command.env_remove("AGENT_MEMORY_CACHE_DIR").env("HOME", folder.path("file")).env("XDG_CACHE_HOME", "");
    let output = command.output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn build_copies_what_is_built_already() {
    let folder = Folder::new();
    let ran = folder.run(&["build", &crate::support::cheese_shop(), "-o", "agent.wasm"]).expect(0);
    let bytes = std::fs::read(folder.path("agent.wasm")).unwrap();
    assert_eq!(bytes, std::fs::read(crate::support::cheese_shop()).unwrap());
    assert_eq!(ran.out, format!("agent.wasm: {} bytes\n", bytes.len()));
}

#[test]
fn build_says_what_it_cannot_build() {
    let folder = Folder::new();
    folder.write("notes.txt", "no functions");
    folder.run(&["build", "nowhere", "-o", "agent.wasm"]).expect_refusal(&["nowhere does not exist"]);
    folder.run(&["build", "notes.txt", "-o", "agent.wasm"]).expect_refusal(&["no functions can be built"]);
    assert_eq!(folder.names(), ["notes.txt"]);
}
