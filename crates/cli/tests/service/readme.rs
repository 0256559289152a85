//! What the first page says of the service.

use std::fs;
use std::process::Command;

use crate::support::{Service, root};
use crate::tools::run;

/// The block of the page that has this text.
fn block(text: &str) -> String {
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter(|block| block.contains(text)).map(str::to_owned).next().unwrap()
}

#[test]
fn the_lines_of_the_readme_hold_a_conversation() {
    let command = block("agent-memory serve");
    assert!(
        command.contains("serve examples/cheese-shop --config examples/cheese-shop/config.json --store "),
        "{command}"
    );
    let service = Service::with_shop("memory:", &[]);
    let lines = block("curl").replace("http://127.0.0.1:8080", service.url());
    assert_eq!(lines.lines().count(), 5, "{lines}");
    let printed = run(Command::new("sh").args(["-e", "-c", &lines]), "curl is needed");
    for said in [
        "Welcome to the cheese shop",
        "Booked brie for Friday.",
        "\"committed\"",
        "You booked brie for Friday. Rebook?",
    ] {
        assert!(printed.contains(said), "{said} is not in\n{printed}");
    }
}
